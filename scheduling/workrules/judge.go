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
	frame      *Frame
	person     Person
	shield     []ConditionKind // per day
	employed   []bool          // per day
	tooYoung   []bool          // per day: under 16
	away       []span          // unavailable, in minutes
	agreements []agreement
	sessions   []Duty  // in order of start
	period     []int32 // per day, comprehensive hours only
	carried    []carried
	quick      []*Rule // the frame's quick rules that concern this person
	soft       []*Rule // the frame's soft duty rules that concern this person
	days       []dayLoad
	merged     []Duty // scratch: duties with sessions
	asked      findings
}

type span struct{ start, end int32 }

func (s span) contains(x int32) bool { return x >= s.start && x < s.end }

// dayLoad is the work that starts on one civil day.
type dayLoad struct {
	day        int32
	work       int32 // minutes
	rest       int32 // of it by the clock on Saturdays, Sundays and bridge days
	after      int32 // of it beyond the midnight of a statutory holiday (Duty.After)
	overDay    int32 // beyond the normal day
	overWeek   int32 // of what is left: on a rest day, or beyond the normal week
	holiday    int32 // work of a statutory holiday, outside the normal week
	overtime   int32 // what the day adds to the monthly ceiling
	judged     bool
	start, end int32
}

// NewJudge compiles a person.
func NewJudge(f *Frame, p Person) *Judge {
	j := &Judge{frame: f, person: p}
	if j.person.Regime == "" {
		j.person.Regime = Standard
	}
	n := len(f.date)
	j.shield, j.employed, j.tooYoung = make([]ConditionKind, n), make([]bool, n), make([]bool, n)
	for i, d := range f.date {
		j.employed[i] = p.Employed == calendar.Dates{} || p.Employed.Contains(d)
		if len(p.Conditions) > 0 || !p.Born.IsZero() {
			j.shield[i] = p.ProtectedOn(d)
			j.tooYoung[i] = !p.Born.IsZero() && d.Before(p.birthday(16))
		}
	}
	for _, r := range p.Unavailable {
		// Round outwards so that a partial minute of leave is still leave.
		j.away = append(j.away, span{f.minute(r.Start), int32((r.End.Sub(f.base) + time.Minute - 1) / time.Minute)})
	}
	for _, s := range p.Sessions {
		if d, ok := f.DutyOf(s.Range.Start, s.Range.End, s.Range.Duration()); ok {
			d.Session, d.Pause = true, 0
			j.sessions = append(j.sessions, d)
		}
	}
	slices.SortStableFunc(j.sessions, func(a, b Duty) int { return cmp.Compare(a.Start, b.Start) })
	j.compileAgreements()
	j.compilePeriods()
	for _, r := range f.quick {
		if r.concerns == nil || r.concerns(j) {
			j.quick = append(j.quick, r)
		}
	}
	for _, r := range f.soft {
		if r.concerns == nil || r.concerns(j) {
			j.soft = append(j.soft, r)
		}
	}
	return j
}

// Broken returns the first hard rule that the duties break, or nil. Duties are sorted by start
// and include history. Rules that read activities (skills, certificates, meals) are not asked:
// whoever fills the shift answers for them (see MayServe), and Explain checks.
func (j *Judge) Broken(duties []Duty) *Rule {
	if len(j.sessions) > 0 {
		duties = j.withSessions(duties)
	}
	j.prepare(duties)
	j.asked = findings{quick: true}
	for _, r := range j.quick {
		r.judge(j, duties, nil, &j.asked)
		if j.asked.hit {
			return r
		}
	}
	return nil
}

// withSessions merges the person's sessions into duties, both in order of start.
func (j *Judge) withSessions(duties []Duty) []Duty {
	out := j.merged[:0]
	rest := j.sessions
	for _, d := range duties {
		for len(rest) > 0 && rest[0].Start < d.Start {
			out, rest = append(out, rest[0]), rest[1:]
		}
		out = append(out, d)
	}
	j.merged = append(out, rest...)
	return j.merged
}

// SoftCount returns how many soft rules the duties break, as Explain reports them, for an optimiser's
// objective. Duties are sorted by start and include history. Soft rules that read activities are
// left to whoever places them.
func (j *Judge) SoftCount(duties []Duty) int {
	if len(j.sessions) > 0 {
		duties = j.withSessions(duties)
	}
	j.prepare(duties)
	j.asked = findings{counting: true}
	for _, r := range j.soft {
		r.judge(j, duties, nil, &j.asked)
	}
	return j.asked.count
}

// SoftBetween is the part of SoftCount that lies between duties: short rests and night runs. The rest
// of SoftCount adds up over the days. It is cheap enough to ask at every step of a search.
func (j *Judge) SoftBetween(duties []Duty) int {
	if len(j.sessions) > 0 {
		duties = j.withSessions(duties)
	}
	j.asked = findings{counting: true}
	restWarn(j, duties, nil, &j.asked)
	nightRun(j, duties, nil, &j.asked)
	return j.asked.count
}

// Explain judges the person's sorted shifts under every rule.
func (j *Judge) Explain(shifts []scheduling.Shift) []Violation {
	duties := make([]Duty, 0, len(shifts)+len(j.sessions))
	kept := make([]scheduling.Shift, 0, len(shifts)+len(j.sessions))
	rest := j.sessions
	session := func() {
		r := j.frame.span(rest[0].Start, rest[0].End)
		duties = append(duties, rest[0])
		kept = append(kept, scheduling.Shift{Agent: j.person.ID, Start: r.Start, End: r.End})
		rest = rest[1:]
	}
	for _, s := range shifts {
		if d, ok := j.frame.Duty(s); ok {
			for len(rest) > 0 && rest[0].Start < d.Start {
				session()
			}
			duties, kept = append(duties, d), append(kept, s)
		}
	}
	for len(rest) > 0 {
		session()
	}
	j.prepare(duties)
	var out findings
	for i := range registry {
		r := &registry[i]
		if r.concerns != nil && !r.concerns(j) {
			continue
		}
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

// prepare sums the duties by day and finds their overtime.
func (j *Judge) prepare(duties []Duty) {
	j.days = j.days[:0]
	for i := range duties {
		d := &duties[i]
		if n := len(j.days); n > 0 && j.days[n-1].day == d.Day {
			l := &j.days[n-1]
			l.work, l.end, l.judged = l.work+d.Work, max(l.end, d.End), l.judged || d.Judged
			l.rest, l.after = l.rest+d.Rest, l.after+d.After
			continue
		}
		j.days = append(j.days, dayLoad{day: d.Day, work: d.Work, rest: d.Rest, after: d.After, judged: d.Judged, start: d.Start, end: d.End})
	}
	j.overtime()
}

// findings collects violations; in quick mode only the fact that there is one, when counting only
// how many.
type findings struct {
	quick    bool
	counting bool
	hit      bool
	count    int
	list     []Violation
}

// quickly marks a hit and reports whether the rule can stop here.
func (f *findings) quickly() bool {
	f.hit = true
	f.count++
	return f.quick
}

func (f *findings) add(r calendar.Range, amount float64, sentence, fix Text) {
	if f.counting {
		return
	}
	f.list = append(f.list, Violation{Range: r, Amount: amount, Sentence: sentence, Fix: fix})
}
