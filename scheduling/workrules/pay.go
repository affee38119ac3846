package workrules

import (
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
	Date calendar.Date `json:"date"` // the civil date of the minutes (or of the shift, see Params.SplitAtMidnight)
	Kind PayKind       `json:"kind"`
	Time time.Duration `json:"time"`
}

// PayHours classifies the working time of the judged shifts of a case, in order of time.
//
// Statutory: minutes on a statutory holiday, split at midnight unless the house counts by the day
// a shift starts; bridge days and make-up workdays are never 300 %. Rest day: work on the sixth
// and seventh worked day of a calendar week (State Council rules §7 let the employer place the
// weekly rest days, so the worked days, not Saturday and Sunday, decide). Extended: beyond the
// normal day, then beyond the normal week. Meals are taken off where the activities place them.
// Part-time hours are paid 100 % or 300 % only.
func PayHours(c Case) []PayPart {
	frame := NewFrame(c.Range, c.Holidays, c.Location, c.Params)
	judge := NewJudge(frame, c.Person)
	shifts := slices.Clone(c.Shifts)
	slices.SortStableFunc(shifts, func(a, b scheduling.Shift) int { return a.Start.Compare(b.Start) })
	l := payLedger{judge: judge, sums: map[PayPart]time.Duration{}}
	for _, s := range shifts {
		if d, ok := frame.Duty(s); ok && (s.Agent == c.Person.ID || s.Agent == "") {
			l.shift(s, d, c.Holidays)
		}
	}
	out := make([]PayPart, 0, len(l.sums))
	for k, t := range l.sums {
		k.Time = t
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b PayPart) int {
		if n := a.Date.Sub(b.Date); n != 0 {
			return n
		}
		return int(a.Kind - b.Kind)
	})
	return out
}

// payLedger walks the shifts in time and remembers the running day and week.
type payLedger struct {
	judge             *Judge
	week, day         int32
	weekDays          int           // worked days in the running week
	dayTime, weekTime time.Duration // normal-kind time so far
	started           bool
	sums              map[PayPart]time.Duration
}

func (l *payLedger) shift(s scheduling.Shift, d Duty, h calendar.Holidays) {
	f := l.judge.frame
	if w := f.week[d.Day]; !l.started || w != l.week {
		l.week, l.weekDays, l.weekTime, l.day, l.started = w, 0, 0, -1, true
	}
	if d.Day != l.day {
		l.day, l.dayTime = d.Day, 0
		l.weekDays++
	}
	for _, r := range workSpans(s) {
		for r.Valid() {
			date := calendar.DateOf(r.Start, f.loc)
			piece := calendar.Range{Start: r.Start, End: r.End}
			if next := date.Add(1).In(f.loc); next.Before(piece.End) {
				piece.End = next
			}
			if !f.params.SplitAtMidnight {
				date, piece.End = f.date[d.Day], r.End
			}
			l.piece(date, piece.Duration(), h.Kind(date) == calendar.Statutory, d.Judged)
			r.Start = piece.End
		}
	}
}

// piece books one stretch of work of a date, in the order the law's kinds exclude each other.
func (l *payLedger) piece(date calendar.Date, t time.Duration, statutory, judged bool) {
	p := l.judge.frame.params
	book := func(kind PayKind, t time.Duration) {
		if t > 0 && judged {
			l.sums[PayPart{Date: date, Kind: kind}] += t
		}
	}
	switch {
	case statutory:
		book(PayStatutory, t)
	case l.judge.person.Regime == PartTime:
		book(PayNormal, t)
	case l.weekDays > 5:
		book(PayRestDay, t)
	default:
		normal := max(0, min(t, p.NormalDay-l.dayTime, p.NormalWeek-l.weekTime))
		l.dayTime += t
		l.weekTime += normal
		book(PayNormal, normal)
		book(PayExtended, t-normal)
	}
}

// workSpans is the shift without its unpaid meals.
func workSpans(s scheduling.Shift) []calendar.Range {
	var out []calendar.Range
	at := s.Start
	for _, a := range s.Activities {
		if a.Kind == scheduling.Meal {
			out = append(out, calendar.Range{Start: at, End: a.Start})
			at = a.End
		}
	}
	return append(out, calendar.Range{Start: at, End: s.End})
}
