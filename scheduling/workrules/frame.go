package workrules

import (
	"sort"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// historyDays is how far before the judged range shifts still matter: a month for the monthly
// overtime ceiling and a week for the week it begins in.
const historyDays = 40

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
}

// NewFrame compiles the calendar around a judged range.
func NewFrame(judged calendar.Range, holidays calendar.Holidays, loc *time.Location, params Params) *Frame {
	f := &Frame{params: params, loc: loc, judged: judged}
	first := calendar.DateOf(judged.Start, loc).Add(-historyDays)
	last := calendar.DateOf(judged.End, loc).Add(9)
	start := params.WeekStartDay()
	f.base = first.In(loc)
	minutes := func(t time.Time) int32 { return int32(t.Sub(f.base) / time.Minute) }
	f.from, f.until = minutes(judged.Start), minutes(judged.End)
	week, month := int32(0), int32(0)
	for d := first; !d.After(last); d = d.Add(1) {
		if d.Weekday() == start {
			week++
		}
		if d.Day == 1 {
			month++
		}
		special := false
		for _, p := range params.SpecialDates {
			special = special || p.Contains(d)
		}
		f.date = append(f.date, d)
		f.dayStart = append(f.dayStart, minutes(d.In(loc)))
		f.kind = append(f.kind, holidays.Kind(d))
		f.ofWeek = append(f.ofWeek, uint8((d.Weekday()-start+7)%7))
		f.week, f.month, f.special = append(f.week, week), append(f.month, month), append(f.special, special)
	}
	f.dayStart = append(f.dayStart, minutes(last.Add(1).In(loc)))
	return f
}

// Params of the frame.
func (f *Frame) Params() Params { return f.params }

// Duty is a shift compiled for one Frame: what the hour and rest rules need and nothing else.
type Duty struct {
	Start, End int32 // minutes from the frame's base
	Work       int32 // minutes of working time: the shift without unpaid meals
	Day        int32 // index of the civil day it starts on
	Night      bool  // touches the night
	Judged     bool  // starts inside the judged range; otherwise it is history (or later)
}

// Duty compiles a shift; ok is false when it lies outside the frame and cannot matter.
func (f *Frame) Duty(s scheduling.Shift) (d Duty, ok bool) {
	return f.DutyOf(s.Start, s.End, s.WorkTime())
}

// DutyOf compiles a span with its working time.
func (f *Frame) DutyOf(start, end time.Time, work time.Duration) (d Duty, ok bool) {
	if start.Before(f.base) || end.After(f.at(f.dayStart[len(f.date)])) {
		return Duty{}, false
	}
	d.Start = int32(start.Sub(f.base) / time.Minute)
	d.End = int32(end.Sub(f.base) / time.Minute)
	d.Work = int32(work / time.Minute)
	d.Day = int32(sort.Search(len(f.date), func(i int) bool { return f.dayStart[i+1] > d.Start }))
	d.Judged = d.Start >= f.from && d.Start < f.until
	d.Night = f.touchesNight(d)
	return d, true
}

func (f *Frame) touchesNight(d Duty) bool {
	from, until := int32(f.params.NightFrom/time.Minute), int32(f.params.NightUntil/time.Minute)
	for day := d.Day; day < int32(len(f.date)) && f.dayStart[day] < d.End; day++ {
		begin := f.dayStart[day]
		if d.Start < begin+until || d.End > begin+from {
			return true
		}
	}
	return false
}

func (f *Frame) at(minute int32) time.Time { return f.base.Add(time.Duration(minute) * time.Minute) }

func (f *Frame) span(start, end int32) calendar.Range {
	return calendar.Range{Start: f.at(start), End: f.at(end)}
}

func (f *Frame) dayRange(day int32) calendar.Range {
	return f.span(f.dayStart[day], f.dayStart[day+1])
}
