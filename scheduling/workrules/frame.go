package workrules

import (
	"slices"
	"sort"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// historyDays is how far before the judged range shifts still matter: a month for the monthly
// overtime ceiling and a week for the week it begins in. Longer comprehensive periods bring the
// rest as Person.Carried.
const historyDays = 40

// laterDays is how far behind it: the rest of the month, and of the week, that it ends in. What is fixed there counts
// for their ceilings, and a shift inside moves the end of their normal hours onto it (Judge.Pay).
const laterDays = 40

// Frame is the calendar of one judgement compiled to integers, shared by all persons: days,
// weeks, months and kinds of day around the judged range. It is immutable.
type Frame struct {
	params   Params
	loc      *time.Location
	judged   calendar.Range
	base     time.Time // local midnight of day 0; minutes count from here
	from     int32     // judged range in minutes
	until    int32
	date     []calendar.Date
	dayStart []int32 // minutes, one more than days
	kind     []calendar.DayKind
	week     []int32
	month    []int32
	ofWeek   []uint8 // day of the rule week, 0 = WeekStart
	special  []bool  // the higher daily overtime ceiling applies
	normal   []int32 // minutes of the normal week that the day lies in
	workdays []int32 // official workdays of the week that the day lies in
	queues   map[ids.Queue]*QueueTerms
	quick    []*Rule // hard rules that duties alone answer
	soft     []*Rule // soft ones
}

// NewFrame compiles the calendar around a judged range.
func NewFrame(judged calendar.Range, holidays calendar.Holidays, loc *time.Location, params Params) *Frame {
	f := &Frame{params: params, loc: loc, judged: judged}
	first := calendar.DateOf(judged.Start, loc).Add(-historyDays)
	days := calendar.DateOf(judged.End, loc).Sub(first) + laterDays
	start := params.WeekStartDay()
	f.base = first.In(loc)
	f.from, f.until = f.minute(judged.Start), f.minute(judged.End)
	week, month := int32(0), int32(0)
	at := first.Weekday()
	for i := range days {
		d := first.Add(i)
		ofWeek := uint8((at - start + 7) % 7)
		if ofWeek == 0 {
			week++
		}
		if d.Day == 1 {
			month++
		}
		special := slices.ContainsFunc(params.SpecialDates, func(p calendar.Dates) bool { return p.Contains(d) })
		f.date = append(f.date, d)
		f.dayStart = append(f.dayStart, f.minute(d.In(loc)))
		f.kind = append(f.kind, holidays.Kind(d))
		f.ofWeek = append(f.ofWeek, ofWeek)
		f.week, f.month, f.special = append(f.week, week), append(f.month, month), append(f.special, special)
		at = (at + 1) % 7
	}
	f.dayStart = append(f.dayStart, f.minute(first.Add(days).In(loc)))
	f.weeks(holidays)
	f.compileRules()
	return f
}

// weeks finds the normal hours and the official workdays of each week. A make-up workday adds a
// normal day to its week, a bridge day that falls on Monday to Friday takes one away: the two are
// the halves of one swap (国务院办公厅 holiday notices). A statutory holiday on Monday to Friday takes
// one away too: it is a paid day off (工资支付暂行规定 §11), not hours to be worked on other days.
func (f *Frame) weeks(holidays calendar.Holidays) {
	normalDay, normalWeek := int32(f.params.NormalDay/time.Minute), int32(f.params.NormalWeek/time.Minute)
	for i := 0; i < len(f.date); {
		first := f.date[i].Add(-int(f.ofWeek[i]))
		normal, workdays := normalWeek, int32(0)
		for k := range 7 {
			d := first.Add(k)
			kind := holidays.Kind(d)
			if kind.Working() {
				workdays++
			}
			if kind == calendar.Makeup {
				normal += normalDay
			}
			off := kind == calendar.Bridge || kind == calendar.Statutory
			if w := d.Weekday(); off && w != time.Saturday && w != time.Sunday {
				normal -= normalDay
			}
		}
		week := f.week[i]
		for ; i < len(f.date) && f.week[i] == week; i++ {
			f.normal = append(f.normal, max(0, normal))
			f.workdays = append(f.workdays, workdays)
		}
	}
}

func (f *Frame) compileRules() {
	f.queues = make(map[ids.Queue]*QueueTerms, len(f.params.Queues))
	for i := range f.params.Queues {
		q := &f.params.Queues[i]
		f.queues[q.Queue] = q
	}
	for i := range registry {
		switch r := &registry[i]; {
		case !r.duties:
		case r.HardUnder(f.params):
			f.quick = append(f.quick, r)
		default:
			f.soft = append(f.soft, r)
		}
	}
}

// Params of the frame.
func (f *Frame) Params() Params { return f.params }

// NormalWeek is the normal working time of the week that a date lies in, with make-up workdays,
// bridge days and statutory holidays. It is the plain normal week for dates outside the frame.
func (f *Frame) NormalWeek(d calendar.Date) time.Duration {
	if i := d.Sub(f.date[0]); i >= 0 && i < len(f.date) {
		return time.Duration(f.normal[i]) * time.Minute
	}
	return f.params.NormalWeek
}

// notPlanned is Duty.Pause of a shift whose activities are not known.
const notPlanned = -1

// NursingPause is the shortest paid break that is nursing time: the hour may be taken at once or twice half
// an hour (女职工劳动保护规定 1988 §9, whose successor of 2012 names the hour only). The short breaks that
// everybody has are not nursing time.
const NursingPause = 30 * time.Minute

// Duty is a shift compiled for one Frame: what the hour and rest rules need and nothing else.
type Duty struct {
	Start, End  int32 // minutes from the frame's base
	Work        int32 // minutes of working time: the shift without its unpaid parts
	Pause       int32 // minutes of paid breaks inside Work; -1 when the activities are not planned
	Care        int32 // minutes of Pause in breaks of half an hour and longer, which can be nursing time
	Meal        int32 // minutes of the longest unpaid part: a meal, or the gap of a split shift
	Holiday     int32 // minutes of Work on statutory holidays, by the clock
	RestDay     int32 // minutes of Work on Saturdays, Sundays and bridge days, by the clock
	Rest, After int32 // what overtime goes by, wherever the unpaid parts lie: see overtimeParts
	Day         int32 // index of the civil day it starts on
	Night       bool  // touches the night
	Judged      bool  // starts inside the judged range; otherwise it is history (or later)
	Session     bool  // working time outside the shifts (Person.Sessions)
}

// Duty compiles a shift; ok is false when it lies outside the frame and cannot matter.
func (f *Frame) Duty(s scheduling.Shift) (d Duty, ok bool) {
	d, ok = f.DutyOf(s.Start, s.End, s.WorkTime())
	if !ok || len(s.Activities) == 0 {
		return d, ok
	}
	if f.Mixed(d) {
		d.Holiday, d.RestDay = 0, 0
		for _, r := range workSpans(s) {
			f.spread(&d, f.minute(r.Start), f.minute(r.End))
		}
	}
	d.Pause = 0
	for _, a := range s.Activities {
		d.Add(a.Kind, a.End.Sub(a.Start))
	}
	return d, true
}

// Add tells a duty about a pause of its plan, for callers that have no activities yet.
func (d *Duty) Add(kind scheduling.ActivityKind, length time.Duration) {
	minutes := int32(length / time.Minute)
	d.Pause = max(0, d.Pause)
	switch kind {
	case scheduling.Break:
		d.Pause += minutes
		if length >= NursingPause {
			d.Care += minutes
		}
	case scheduling.Meal, scheduling.Gap:
		d.Meal = max(d.Meal, minutes)
	}
}

// DutyOf compiles a span with its working time.
func (f *Frame) DutyOf(start, end time.Time, work time.Duration) (d Duty, ok bool) {
	if start.Before(f.base) || end.After(f.at(f.dayStart[len(f.date)])) {
		return Duty{}, false
	}
	d.Start, d.End = f.minute(start), f.minute(end)
	d.Work, d.Pause = int32(work/time.Minute), notPlanned
	d.Day = int32(sort.Search(len(f.date), func(i int) bool { return f.dayStart[i+1] > d.Start }))
	d.Judged = d.Start >= f.from && d.Start < f.until
	d.Night = f.touchesNight(d)
	f.spread(&d, d.Start, d.End)
	f.overtimeParts(&d)
	d.Holiday = min(d.Holiday, d.Work) // whoever knows where the unpaid parts lie says so by Unpaid
	d.RestDay = min(d.RestDay, d.Work-d.Holiday)
	return d, true
}

// overtimeParts finds the minutes of a duty on Saturdays, Sundays and bridge days (Rest) and those beyond a midnight at
// which statutory holidays end or begin (After): of a duty that starts on a holiday those after the holidays, of any
// other one those on them. All as the house splits a shift at midnight. Unpaid parts are taken off the other minutes
// first: an optimiser moves pauses, and what is legal must not turn on where they go.
func (f *Frame) overtimeParts(d *Duty) {
	holiday, rest, statutory := d.Holiday, d.RestDay, f.kind[d.Day] == calendar.Statutory
	if !f.params.SplitAtMidnight {
		holiday, rest = 0, 0
		if statutory {
			holiday = d.End - d.Start
		}
		if restsOn(f.kind[d.Day]) {
			rest = d.Work
		}
	}
	if d.Rest, d.After = min(rest, d.Work), min(holiday, d.Work); statutory {
		d.After = min(d.End-d.Start-holiday, d.Work)
	}
}

// spread books a stretch of work of a duty on the kinds of day that it lies on.
func (f *Frame) spread(d *Duty, from, until int32) {
	for day := d.Day; int(day) < len(f.date) && f.dayStart[day] < until; day++ {
		minutes := max(0, min(until, f.dayStart[day+1])-max(from, f.dayStart[day]))
		switch f.kind[day] {
		case calendar.Statutory:
			d.Holiday += minutes
		case calendar.RestDay, calendar.Bridge:
			d.RestDay += minutes
		}
	}
}

// Mixed reports a duty over midnight between days that are paid differently, so that it matters where
// its unpaid parts lie.
func (f *Frame) Mixed(d Duty) bool {
	last := d.Day
	for int(last)+1 < len(f.date) && f.dayStart[last+1] < d.End {
		last++
	}
	for day := d.Day; day < last; day++ {
		if f.kind[day] != f.kind[day+1] {
			return true
		}
	}
	return false
}

// Unpaid tells a duty without activities where its unpaid parts lie, as stretches of its minutes in order
// of time.
func (f *Frame) Unpaid(d *Duty, parts ...[2]int32) {
	d.Holiday, d.RestDay = 0, 0
	at := d.Start
	for _, p := range parts {
		f.spread(d, at, p[0])
		at = p[1]
	}
	f.spread(d, at, d.End)
}

func (f *Frame) touchesNight(d Duty) bool {
	for day := d.Day; day < int32(len(f.date)) && f.dayStart[day] < d.End; day++ {
		if d.Start < f.clock(day, f.params.NightUntil) || d.End > f.clock(day, f.params.NightFrom) {
			return true
		}
	}
	return false
}

// Minute counts an instant in the minutes of a Duty.
func (f *Frame) Minute(t time.Time) int32 { return f.minute(t) }

// At is the instant of a minute of a Duty.
func (f *Frame) At(minute int32) time.Time { return f.at(minute) }

func (f *Frame) minute(t time.Time) int32 { return int32(t.Sub(f.base) / time.Minute) }

func (f *Frame) at(minute int32) time.Time { return f.base.Add(time.Duration(minute) * time.Minute) }

func (f *Frame) span(start, end int32) calendar.Range {
	return calendar.Range{Start: f.at(start), End: f.at(end)}
}

func (f *Frame) dayRange(day int32) calendar.Range {
	return f.span(f.dayStart[day], f.dayStart[day+1])
}

// days is a period of dates as a half-open span of day indexes of the frame.
func (f *Frame) days(p calendar.Dates) span {
	n := int32(len(f.date))
	s := span{max(0, min(n, int32(p.From.Sub(f.date[0])))), n}
	if p.From.IsZero() {
		s.start = 0
	}
	if !p.Until.IsZero() {
		s.end = max(0, min(n, int32(p.Until.Sub(f.date[0]))))
	}
	return s
}
