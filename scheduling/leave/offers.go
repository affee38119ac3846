package leave

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Offer is hours that the house offers to several agents: overtime, or time off that is not paid.
type Offer struct {
	Roster     ids.Roster     `json:"roster"`
	Queue      ids.Queue      `json:"queue"`
	Block      calendar.Range `json:"block"`
	Heads      int            `json:"heads"`                // how many may accept
	Candidates []Candidate    `json:"candidates,omitempty"` // in order of rank; those who cannot come last, with the reason
}

// Validate reports every bad field. Errors: offer.invalid.
func (o Offer) Validate() error {
	var bad []fault.Field
	if o.Queue == "" {
		bad = append(bad, fault.Field{Path: "queue", Problem: "is empty"})
	}
	if d := o.Block.Duration(); d < 15*time.Minute || d > 12*time.Hour {
		bad = append(bad, fault.Field{Path: "block", Value: d.String(), Problem: "must last 15 minutes to 12 hours"})
	}
	if o.Heads < 1 || o.Heads > 1000 {
		bad = append(bad, fault.Field{Path: "heads", Value: fmt.Sprint(o.Heads), Problem: "must be 1 to 1000"})
	}
	return fault.Bad("offer.invalid", "offer", bad)
}

// Candidate is one agent that an offer could go to.
type Candidate struct {
	Agent     ids.Agent            `json:"agent"`
	Rank      int                  `json:"rank,omitempty"` // from 1; 0 = cannot
	Legal     bool                 `json:"legal"`
	Worth     bool                 `json:"worth"` // the house gains by it
	ValueYuan float64              `json:"value_yuan"`
	WageYuan  float64              `json:"wage_yuan"` // below 0: saved
	NetYuan   float64              `json:"net_yuan"`  // value minus wage
	Pay       []workrules.PayShare `json:"pay,omitempty"`
	PayWhy    Text                 `json:"pay_why,omitzero"` // why hours of another day are paid otherwise
	Had       float64              `json:"had_hours"`        // hours of the same kind that it already has in the month
	Why       Text                 `json:"why,omitzero"`
	Rule      string               `json:"rule,omitempty"` // that forbids it
	Effect    Effect               `json:"effect"`
}

// Offered is one agent as an offer looks at it.
type Offered struct {
	Case     workrules.Case // with its shifts; the range covers the week and month of the block
	Wage     float64        // yuan per ordinary hour; 0 = not known
	Salaried bool           // normal hours are paid by a salary: more of them cost nothing, unpaid time off saves their wage
	Had      float64        // hours of time off accepted before, for time off
}

// OvertimeEffect is the change that overtime makes to an agent's shifts: the shift that it touches
// gets longer, otherwise there is a further shift. ok is false when the agent works then already.
func OvertimeEffect(shifts []scheduling.Shift, agent ids.Agent, o Offer) (e Effect, ok bool) {
	e.Roster = o.Roster
	work := scheduling.Activity{Kind: scheduling.Work, Start: o.Block.Start, End: o.Block.End, Queue: o.Queue}
	next := scheduling.Shift{Agent: agent, Code: "OT", Start: o.Block.Start, End: o.Block.End, Activities: []scheduling.Activity{work}}
	for _, s := range shifts {
		if s.Agent != agent {
			continue
		}
		switch {
		case s.Range().Overlaps(o.Block):
			return Effect{}, false
		case s.End.Equal(o.Block.Start):
			e.Drop = append(e.Drop, s)
			next.Start, next.Code, next.Activities = s.Start, s.Code, slices.Concat(s.Activities, next.Activities)
		case s.Start.Equal(o.Block.End):
			e.Drop = append(e.Drop, s)
			next.End, next.Code, next.Activities = s.End, s.Code, slices.Concat(next.Activities, s.Activities)
		}
	}
	e.Add = []scheduling.Shift{next}
	return e, true
}

// TimeOffEffect is the change that time off makes to an agent's shifts: the block is cut off the
// beginning or the end of the shift; what is left under an hour goes too. ok is false when the agent
// does not work then, or the block lies in the middle of the shift.
func TimeOffEffect(shifts []scheduling.Shift, agent ids.Agent, o Offer) (e Effect, ok bool) {
	e.Roster = o.Roster
	for _, s := range shifts {
		if s.Agent != agent || !s.Range().Overlaps(o.Block) {
			continue
		}
		before, after := o.Block.Start.Sub(s.Start), s.End.Sub(o.Block.End)
		if before > 0 && after > 0 {
			return Effect{}, false
		}
		e.Drop = append(e.Drop, s)
		rest := calendar.Range{Start: s.Start, End: o.Block.Start}
		if before <= 0 {
			rest = calendar.Range{Start: o.Block.End, End: s.End}
		}
		if rest.Duration() >= shortestPart {
			e.Add = append(e.Add, cut(s, rest))
		}
	}
	return e, len(e.Drop) > 0
}

// RankOvertime judges everybody and puts them in the order in which they are asked: who may (by all
// the rules, skill and certificates included), is worth it, has had the least overtime in the month,
// brings most, and by id. An agent who is asked may say no; who accepts agrees to the overtime
// (劳动合同法 §31), so the rules are asked as if it had.
func RankOvertime(o Offer, people []Offered, cover *Coverage) []Candidate {
	out := make([]Candidate, 0, len(people))
	for _, p := range people {
		p.Case.Person.OvertimeAgreed = true
		c := Candidate{Agent: p.Case.Person.ID, Had: overtimeHours(p.Case)}
		e, ok := OvertimeEffect(p.Case.Shifts, c.Agent, o)
		if !ok {
			c.Rule, c.Why = "offer.works", text("那时已有班", "works then already")
			out = append(out, c)
			continue
		}
		out = append(out, c.judge(p, e, o.Heads, cover))
	}
	return ranked(out)
}

// RankTimeOff is RankOvertime for time off: the house gains where the wage that is saved is more than
// the hours were worth.
func RankTimeOff(o Offer, people []Offered, cover *Coverage) []Candidate {
	out := make([]Candidate, 0, len(people))
	for _, p := range people {
		p.Salaried = false // unpaid hours are taken off a salary too
		c := Candidate{Agent: p.Case.Person.ID, Had: p.Had}
		e, ok := TimeOffEffect(p.Case.Shifts, c.Agent, o)
		if !ok || !works(e.Drop, o) {
			c.Rule, c.Why = "offer.idle", text("该时段不在此队列当班，或不在班次首尾", "does not work this queue then, or not at the edge of the shift")
			out = append(out, c)
			continue
		}
		out = append(out, c.judge(p, e, o.Heads, cover))
	}
	return ranked(out)
}

func works(shifts []scheduling.Shift, o Offer) bool {
	return slices.ContainsFunc(shifts, func(s scheduling.Shift) bool {
		return slices.ContainsFunc(s.Activities, func(a scheduling.Activity) bool {
			return a.Kind == scheduling.Work && a.Queue == o.Queue && a.Start.Before(o.Block.End) && o.Block.Start.Before(a.End)
		})
	})
}

// judge fills in what the rules say, what the hours are worth and what they cost. Of an offer to several the hours are worth the mean
// of all the heads: the first that comes brings more than the last, and nobody knows who will be which.
func (c Candidate) judge(p Offered, e Effect, heads int, cover *Coverage) Candidate {
	c.Effect = e
	after, err := p.Case.Try(workrules.Change{Drop: e.Drop, Add: e.Add})
	if err != nil {
		c.Rule, c.Why = "offer.range", text("时段不在可判定的日期内", "the hours lie outside the days that are judged")
		return c
	}
	c.Legal = after.Allowed()
	if i := slices.IndexFunc(after.New, func(v workrules.Violation) bool { return v.Hard }); i >= 0 {
		c.Rule, c.Why = after.New[i].Rule, after.New[i].Sentence
	}
	more := payChange(p.Case, after.After)
	c.Pay = more.Shares()
	c.PayWhy, _ = more.RestDayMoved()
	c.WageYuan = p.Wage * more.Dues(p.Salaried)
	if cover != nil {
		heads = max(1, heads)
		all := Effect{Drop: slices.Repeat(e.Drop, heads), Add: slices.Repeat(e.Add, heads)}
		c.ValueYuan = -cover.LostYuan(all, p.Case.Location) / float64(heads)
	}
	c.ValueYuan = math.Round(c.ValueYuan*1e6)/1e6 + 0 // sheds rounding, and the sign of a zero
	c.NetYuan = c.ValueYuan - c.WageYuan
	c.Worth = c.NetYuan > 0
	if c.Legal && !c.Worth {
		c.Why = text("净收益%.2f元", "net %.2f yuan", c.NetYuan)
	}
	return c
}

// payChange is the working time that a change adds, by percentage of the wage.
func payChange(before, after workrules.Case) workrules.PayMinutes {
	frame := workrules.NewFrame(before.Range, before.Holidays, before.Location, before.Params)
	return payOf(frame, after).Minus(payOf(frame, before))
}

func payOf(f *workrules.Frame, c workrules.Case) workrules.PayMinutes {
	return workrules.NewJudge(f, c.Person).PayShifts(c.Shifts)
}

// overtimeHours is the time above 100 % in the judged range.
func overtimeHours(c workrules.Case) float64 {
	var sum time.Duration
	for _, p := range workrules.PayHours(c) {
		if p.Kind != workrules.PayNormal {
			sum += p.Time
		}
	}
	return sum.Hours()
}

// ranked sorts candidates and numbers those who may.
func ranked(all []Candidate) []Candidate {
	truth := func(b bool) int {
		if b {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b Candidate) int {
		return cmp.Or(
			cmp.Compare(truth(a.Legal), truth(b.Legal)), cmp.Compare(truth(a.Worth), truth(b.Worth)),
			cmp.Compare(a.Had, b.Had), cmp.Compare(b.NetYuan, a.NetYuan), cmp.Compare(a.Agent, b.Agent),
		)
	})
	for i := range all {
		if all[i].Legal && all[i].Worth {
			all[i].Rank = i + 1
		}
	}
	return all
}
