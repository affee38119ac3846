package workrules

import (
	"cmp"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// PayKind is the percentage of the hourly wage that an hour earns (劳动法 §44).
type PayKind int

// The pay kinds, in percent.
const (
	PayNormal    PayKind = 100
	PayExtended  PayKind = 150 // 延长工作时间
	PayRestDay   PayKind = 200 // 休息日 without 补休
	PayStatutory PayKind = 300 // 法定休假日; 补休 does not replace it
)

// PayPart is working time of one kind on one date.
type PayPart struct {
	Date  calendar.Date `json:"date"` // the civil date of the minutes (or of the shift, see Params.SplitAtMidnight)
	Kind  PayKind       `json:"kind"`
	Time  time.Duration `json:"time"`
	Night time.Duration `json:"night,omitempty"` // of Time, between NightFrom and NightUntil: what a night allowance is paid on
}

// PayHours classifies the working time of the judged shifts and sessions of a case, in order of
// date and kind.
//
// Statutory: minutes on a statutory holiday, split at midnight unless the house counts by the day
// a shift starts; bridge days and make-up workdays are never 300 %. Rest day: by Params.RestDays
// either the worked days of a calendar week beyond its official workdays (so a make-up Saturday is
// an ordinary day and a week with bridge days has fewer of them), or Saturdays, Sundays and bridge
// days themselves. Extended: beyond the normal day, then beyond the normal week. Comprehensive
// hours know no rest days: what exceeds the normal hours of the period is 150 %. Part-time hours
// are paid 100 % or 300 % only. Meals are taken off where the activities place them.
func PayHours(c Case) []PayPart {
	frame := NewFrame(c.Range, c.Holidays, c.Location, c.Params)
	judge := NewJudge(frame, c.Person)
	shifts := slices.DeleteFunc(slices.Clone(c.Shifts), func(s scheduling.Shift) bool {
		return s.Agent != c.Person.ID && s.Agent != ""
	})
	for _, s := range c.Person.Sessions {
		shifts = append(shifts, scheduling.Shift{Agent: c.Person.ID, Start: s.Range.Start, End: s.Range.End})
	}
	slices.SortStableFunc(shifts, func(a, b scheduling.Shift) int { return a.Start.Compare(b.Start) })
	l := payLedger{judge: judge, holidays: c.Holidays, sums: map[payKey]PayPart{}}
	for _, s := range shifts {
		if d, ok := frame.Duty(s); ok {
			l.shift(s, d)
		}
	}
	out := make([]PayPart, 0, len(l.sums))
	for _, p := range l.sums {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b PayPart) int {
		return cmp.Or(a.Date.Sub(b.Date), int(a.Kind-b.Kind))
	})
	return out
}

type payKey struct {
	date calendar.Date
	kind PayKind
}

// payLedger walks the shifts in time and remembers the running day, week and period.
type payLedger struct {
	judge             *Judge
	holidays          calendar.Holidays
	started           bool
	week, day, period int32
	weekDays          int32         // worked days in the running week, statutory holidays left out
	dayTime, weekTime time.Duration // normal-kind time so far
	periodTime        time.Duration // of comprehensive hours, carried sums included
	sums              map[payKey]PayPart
}

func (l *payLedger) shift(s scheduling.Shift, d Duty) {
	f := l.judge.frame
	if w := f.week[d.Day]; !l.started || w != l.week {
		l.week, l.weekDays, l.weekTime, l.day = w, 0, 0, -1
	}
	if period := l.judge.period; len(period) > 0 && (!l.started || period[d.Day] != l.period) {
		l.period = period[d.Day]
		work, _ := l.judge.carriedIn(l.period)
		l.periodTime = time.Duration(work) * time.Minute
	}
	l.started = true
	if d.Day != l.day {
		l.day, l.dayTime = d.Day, 0
		if f.kind[d.Day] != calendar.Statutory {
			l.weekDays++
		}
	}
	for _, r := range workSpans(s) {
		for r.Valid() {
			date := calendar.DateOf(r.Start, f.loc)
			piece := r
			if next := date.Add(1).In(f.loc); next.Before(piece.End) {
				piece.End = next
			}
			r.Start = piece.End
			if !f.params.SplitAtMidnight {
				date = f.date[d.Day]
			}
			l.piece(date, piece, d)
		}
	}
}

// piece books one stretch of work of a date, in the order the law's kinds exclude each other.
func (l *payLedger) piece(date calendar.Date, r calendar.Range, d Duty) {
	p, t := &l.judge.frame.params, r.Duration()
	kind := l.holidays.Kind(date)
	switch {
	case kind == calendar.Statutory:
		l.book(date, PayStatutory, r, d)
	case l.judge.person.Regime == PartTime:
		l.book(date, PayNormal, r, d)
	case l.judge.person.Regime == Comprehensive:
		if l.judge.isCarried(d.Day) {
			l.book(date, PayNormal, r, d)
			return
		}
		l.split(date, r, d, p.periodNormal(l.judge.periodOf())-l.periodTime)
		l.periodTime += t
	case l.restDay(kind, d):
		l.book(date, PayRestDay, r, d)
	default:
		week := time.Duration(l.judge.frame.normal[d.Day]) * time.Minute
		left := max(0, min(t, p.NormalDay-l.dayTime, week-l.weekTime))
		l.split(date, r, d, left)
		l.dayTime += t
		l.weekTime += left
	}
}

func (l *payLedger) restDay(kind calendar.DayKind, d Duty) bool {
	if l.judge.frame.params.RestDays == RestDaysCalendar {
		return kind == calendar.RestDay || kind == calendar.Bridge
	}
	return l.weekDays > l.judge.frame.workdays[d.Day]
}

// split books what is left of the normal time as normal and the rest as extended.
func (l *payLedger) split(date calendar.Date, r calendar.Range, d Duty, left time.Duration) {
	at := r.Start.Add(max(0, min(left, r.Duration())))
	l.book(date, PayNormal, calendar.Range{Start: r.Start, End: at}, d)
	l.book(date, PayExtended, calendar.Range{Start: at, End: r.End}, d)
}

func (l *payLedger) book(date calendar.Date, kind PayKind, r calendar.Range, d Duty) {
	if !d.Judged || !r.Valid() {
		return
	}
	k := payKey{date, kind}
	part := l.sums[k]
	part.Date, part.Kind = date, kind
	part.Time += r.Duration()
	part.Night += l.judge.frame.nightIn(r)
	l.sums[k] = part
}

// nightIn is how much of a range lies in the night.
func (f *Frame) nightIn(r calendar.Range) (sum time.Duration) {
	for d := range r.Dates(f.loc) {
		day := calendar.Day(d, f.loc)
		clock := func(t time.Duration) time.Time {
			return time.Date(d.Year, d.Month, d.Day, 0, int(t/time.Minute), 0, 0, f.loc)
		}
		sum += r.Overlap(calendar.Range{Start: day.Start, End: clock(f.params.NightUntil)})
		sum += r.Overlap(calendar.Range{Start: clock(f.params.NightFrom), End: day.End})
	}
	return sum
}

// workSpans is the shift without its unpaid meals.
func workSpans(s scheduling.Shift) []calendar.Range {
	var out []calendar.Range
	at := s.Start
	for _, a := range s.Activities {
		if a.Kind.Unpaid() {
			out = append(out, calendar.Range{Start: at, End: a.Start})
			at = a.End
		}
	}
	return append(out, calendar.Range{Start: at, End: s.End})
}
