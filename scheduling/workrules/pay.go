package workrules

import (
	"cmp"
	"maps"
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
	type worked struct {
		duty  Duty
		spans []calendar.Range
	}
	var all []worked
	for _, s := range c.Shifts {
		if d, ok := frame.Duty(s); ok && (s.Agent == c.Person.ID || s.Agent == "") {
			all = append(all, worked{d, workSpans(s)})
		}
	}
	for _, d := range judge.sessions {
		all = append(all, worked{d, []calendar.Range{frame.span(d.Start, d.End)}})
	}
	slices.SortStableFunc(all, func(a, b worked) int { return cmp.Compare(a.duty.Start, b.duty.Start) })
	walk, parts := judge.payWalk(), payParts{}
	for i := range all {
		if pay := walk.duty(&all[i].duty); all[i].duty.Judged {
			parts.lay(judge, &all[i].duty, pay, all[i].spans)
		}
	}
	return slices.SortedFunc(maps.Values(parts), func(a, b PayPart) int {
		return cmp.Or(a.Date.Sub(b.Date), int(a.Kind-b.Kind))
	})
}

type payKey struct {
	date calendar.Date
	kind PayKind
}

// payParts is working time by date and kind.
type payParts map[payKey]PayPart

// lay places what the walk says of a duty on the clock: holidays and rest days where they are, and of the
// other hours the last ones as those beyond the normal time.
func (p payParts) lay(j *Judge, d *Duty, pay PayMinutes, spans []calendar.Range) {
	f, normal := j.frame, time.Duration(pay.Normal)*time.Minute
	for _, r := range spans {
		for r.Valid() {
			day := f.dayAt(d.Day, r.Start)
			piece := r
			if next := f.at(f.dayStart[day+1]); next.Before(piece.End) {
				piece.End = next
			}
			r.Start = piece.End
			if !f.params.SplitAtMidnight {
				day = d.Day
			}
			switch kind := f.kind[day]; {
			case kind == calendar.Statutory:
				p.book(f, day, PayStatutory, piece)
			case pay.RestDay > 0 && (f.params.RestDays != RestDaysCalendar || restsOn(kind)):
				p.book(f, day, PayRestDay, piece)
			default:
				at := piece.End
				if pay.Extended > 0 {
					at = piece.Start.Add(min(normal, piece.Duration()))
				}
				normal -= at.Sub(piece.Start)
				p.book(f, day, PayNormal, calendar.Range{Start: piece.Start, End: at})
				p.book(f, day, PayExtended, calendar.Range{Start: at, End: piece.End})
			}
		}
	}
}

func (p payParts) book(f *Frame, day int32, kind PayKind, r calendar.Range) {
	if !r.Valid() {
		return
	}
	k := payKey{f.date[day], kind}
	part := p[k]
	part.Date, part.Kind = k.date, kind
	part.Time += r.Duration()
	part.Night += f.nightIn(r)
	p[k] = part
}

// dayAt is the day of an instant that does not lie before the day from.
func (f *Frame) dayAt(from int32, t time.Time) int32 {
	for int(from)+1 < len(f.date) && !t.Before(f.at(f.dayStart[from+1])) {
		from++
	}
	return from
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
