package rostering

import (
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// Who has a plan has made arrangements: a change of a day made anew must save this often what it costs,
// or every remake would shuffle people for the few yuan by which one search beats another.
const worthAChange = 2

// turn is what one agent would work instead of what it was to work.
type turn struct {
	agent         ids.Agent
	before, after []scheduling.Shift
	price         float64 // yuan that it must save in understaffing and overstaffing
	due           bool    // the shifts as they were are no longer lawful
}

func (t turn) take(b *revise.Board, by int32) {
	for _, s := range t.before {
		b.Count(s, -by)
	}
	for _, s := range t.after {
		b.Count(s, by)
	}
}

// steady takes over from newly made days what is worth a change of the days as they stood, agent by agent.
// Each agent's shifts are lawful either way, since all its shifts of the days are taken together. All that
// was made is taken where single turns would need seats that are not there, or save less than all of them.
func steady(p roster.Problem, made []scheduling.Shift) []scheduling.Shift {
	board := revise.NewBoard(p.Range, p.Demand, p.Weights)
	for _, s := range p.Previous {
		board.Count(s, 1)
	}
	all := turnsOf(p, made)
	start := boardCost(board)
	cost, spent, taken := start, 0.0, make([]bool, len(all))
	for more := true; more; {
		more = false
		for i, t := range all {
			if taken[i] {
				continue
			}
			t.take(board, 1)
			now := boardCost(board)
			if !t.due && cost-now <= t.price {
				t.take(board, -1)
				continue
			}
			cost, spent, taken[i], more = now, spent+t.price, true, true
		}
	}
	kept, full := slices.Clone(p.Previous), 0.0
	for i, t := range all {
		full += t.price
		if taken[i] {
			kept = append(slices.DeleteFunc(kept, func(s scheduling.Shift) bool { return s.Agent == t.agent }), t.after...)
		} else {
			t.take(board, 1)
		}
	}
	if boardCost(board)+full < cost+spent || len(roster.OverSeated(p.Sites, p.SiteOf(), kept, p.Location)) > 0 {
		return made
	}
	return kept
}

func boardCost(b *revise.Board) float64 {
	short, over := b.Price()
	return short + over
}

// turnsOf lists the agents whose shifts would change, in the order of the problem.
func turnsOf(p roster.Problem, made []scheduling.Shift) (out []turn) {
	unlawful := map[ids.Agent]bool{}
	for _, v := range roster.Judge(p, p.Previous) {
		unlawful[v.Agent] = unlawful[v.Agent] || v.Hard
	}
	for i := range p.Agents {
		a := &p.Agents[i]
		t := turn{agent: a.Person.ID, before: of(p.Previous, a.Person.ID), after: of(made, a.Person.ID), due: unlawful[a.Person.ID]}
		for _, c := range revise.Between(t.before, t.after, p.Location) {
			t.price += worthAChange * p.Weights.Stability * shareOf(c)
		}
		if t.price == 0 && !t.due {
			continue
		}
		hours := func(list []scheduling.Shift) (sum time.Duration) {
			for _, s := range list {
				sum += s.WorkTime()
			}
			return sum
		}
		if !a.Salaried {
			t.price += p.Weights.Wage * a.Wage * (hours(t.after) - hours(t.before)).Hours()
		}
		out = append(out, t)
	}
	return out
}

func shareOf(c revise.Change) float64 {
	if c.Before != nil && c.After != nil && c.Before.Range() == c.After.Range() {
		return revise.RetaskShare
	}
	return 1
}

// recounted is the account of other shifts than a solution's: what is short with its reasons, understaffing,
// overstaffing and soft rules anew.
func recounted(p roster.Problem, s roster.Solution, shifts []scheduling.Shift) (roster.Solution, error) {
	board := revise.NewBoard(p.Range, p.Demand, p.Weights)
	for _, x := range shifts {
		board.Count(x, 1)
	}
	said, err := roster.Explain(p, shifts, roster.Question{})
	if err != nil {
		return s, err
	}
	s.Uncovered, s.FixesFor, s.Idle = said.Uncovered, said.FixesFor, said.Idle
	s.Roster.Shifts = shifts
	s.Roster.Sort()
	s.Needed, s.Missing = board.Hours()
	s.Parts.Short, s.Parts.Over = board.Price()
	s.Violations = roster.Judge(p, shifts)
	s.Parts.Stability = 0
	for _, c := range revise.Between(p.Previous, shifts, p.Location) {
		if shareOf(c) == 1 {
			s.Parts.Stability += p.Weights.Stability
		}
	}
	soft := 0
	for _, v := range s.Violations {
		if !v.Hard {
			soft++
		}
	}
	s.Parts.SoftRules = p.Weights.SoftRule * float64(soft)
	s.Weigh(s.Bound)
	return s, nil
}
