package workrules

import (
	"cmp"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// Judge holds one person compiled against a Frame, so that an optimiser can ask "is this legal?"
// some million times a second. It keeps scratch memory: one Judge per goroutine.
type Judge struct {
	frame    *Frame
	person   Person
	shield   []ConditionKind // per day
	employed []bool          // per day
	tooYoung []bool          // per day: under 16
	away     []span          // unavailable, in minutes
	days     []dayLoad       // scratch
}

type span struct{ start, end int32 }

// dayLoad is the work that starts on one civil day.
type dayLoad struct {
	day        int32
	work       int32 // minutes
	overDay    int32 // beyond the normal day
	overWeek   int32 // of the rest, beyond the normal week
	holiday    int32 // statutory-holiday work, outside the normal week
	judged     bool
	start, end int32
}

// NewJudge compiles a person.
func NewJudge(f *Frame, p Person) *Judge {
	j := &Judge{frame: f, person: p}
	if j.person.Regime == "" {
		j.person.Regime = Standard
	}
	for _, d := range f.date {
		j.shield = append(j.shield, p.protectedOn(d))
		j.employed = append(j.employed, p.Employed == calendar.Dates{} || p.Employed.Contains(d))
		j.tooYoung = append(j.tooYoung, !p.Born.IsZero() && d.Before(p.birthday(16)))
	}
	for _, r := range p.Unavailable {
		// Round outwards so that a partial minute of leave is still leave.
		start := int32(r.Start.Sub(f.base) / time.Minute)
		end := int32((r.End.Sub(f.base) + time.Minute - 1) / time.Minute)
		j.away = append(j.away, span{start, end})
	}
	return j
}

// Broken returns the first hard rule that the duties break, or nil. Duties are sorted by start
// and include history. Rules that read activities (skills, meals) are not asked: whoever fills
// the shift answers for them, and Explain checks.
func (j *Judge) Broken(duties []Duty) *Rule {
	j.prepare(duties)
	out := findings{quick: true}
	for i := range quickRules {
		r := quickRules[i]
		r.judge(j, duties, nil, &out)
		if out.hit {
			return r
		}
	}
	return nil
}

// SoftCount returns how many soft duty rules are broken (today: short rests), for an optimiser's
// objective.
func (j *Judge) SoftCount(duties []Duty) int {
	n := 0
	warn := int32(j.frame.params.RestWarn / time.Minute)
	block := int32(j.frame.params.RestBlock / time.Minute)
	for i := 1; i < len(duties); i++ {
		gap := duties[i].Start - duties[i-1].End
		if gap >= block && gap < warn && (duties[i].Judged || duties[i-1].Judged) {
			n++
		}
	}
	return n
}

// Explain judges the person's sorted shifts under every rule.
func (j *Judge) Explain(shifts []scheduling.Shift) []Violation {
	duties := make([]Duty, 0, len(shifts))
	kept := make([]scheduling.Shift, 0, len(shifts))
	for _, s := range shifts {
		if d, ok := j.frame.Duty(s); ok {
			duties, kept = append(duties, d), append(kept, s)
		}
	}
	j.prepare(duties)
	var out findings
	for i := range registry {
		r := &registry[i]
		n := len(out.list)
		r.judge(j, duties, kept, &out)
		for k := n; k < len(out.list); k++ {
			out.list[k].Rule, out.list[k].Agent, out.list[k].Hard = r.Code, j.person.ID, r.HardUnder(j.frame.params)
		}
	}
	slices.SortStableFunc(out.list, func(a, b Violation) int {
		return cmp.Or(a.Range.Start.Compare(b.Range.Start), cmp.Compare(a.Rule, b.Rule))
	})
	return out.list
}

// prepare sums the duties by day and finds overtime in order of time: first what exceeds the
// normal day, then what of the rest exceeds the normal week (国务院1995 §3). Statutory-holiday work
// is paid by itself and does not use up the normal week.
func (j *Judge) prepare(duties []Duty) {
	j.days = j.days[:0]
	p := &j.frame.params
	normalDay, normalWeek := int32(p.NormalDay/time.Minute), int32(p.NormalWeek/time.Minute)
	for _, d := range duties {
		if n := len(j.days); n > 0 && j.days[n-1].day == d.Day {
			l := &j.days[n-1]
			l.work, l.end, l.judged = l.work+d.Work, max(l.end, d.End), l.judged || d.Judged
			continue
		}
		j.days = append(j.days, dayLoad{day: d.Day, work: d.Work, judged: d.Judged, start: d.Start, end: d.End})
	}
	week, normal := int32(-1), int32(0)
	for i := range j.days {
		l := &j.days[i]
		if w := j.frame.week[l.day]; w != week {
			week, normal = w, 0
		}
		if j.frame.kind[l.day] == calendar.Statutory {
			l.holiday = l.work
			l.overDay = max(0, l.work-normalDay)
			continue
		}
		l.overDay = max(0, l.work-normalDay)
		before := normal
		normal += l.work - l.overDay
		l.overWeek = max(0, normal-normalWeek) - max(0, before-normalWeek)
	}
}

// findings collects violations; in quick mode only the fact that there is one.
type findings struct {
	quick bool
	hit   bool
	list  []Violation
}

// quickly marks a hit and reports whether the rule can stop here.
func (f *findings) quickly() bool {
	f.hit = true
	return f.quick
}

func (f *findings) add(r calendar.Range, amount float64, sentence, fix Text) {
	f.list = append(f.list, Violation{Range: r, Amount: amount, Sentence: sentence, Fix: fix})
}
