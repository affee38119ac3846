package leave

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Verdict is what the rules say about one person's side of a change.
type Verdict struct {
	Agent   ids.Agent             `json:"agent"`
	Legal   bool                  `json:"legal"`
	Breaks  []workrules.Violation `json:"breaks,omitempty"`  // new violations, hard ones first in time
	Cures   []workrules.Violation `json:"cures,omitempty"`   // what it puts right
	Remedy  []workrules.Remedy    `json:"remedy,omitempty"`  // what would make the change legal
	Refused string                `json:"refused,omitempty"` // the change makes no sense: the shift is not there, or not in the range
}

// VerdictOf words an outcome of workrules, with the remedies of its first hard violation.
func VerdictOf(o workrules.Outcome) Verdict {
	v := Verdict{Agent: o.Agent, Legal: o.Allowed(), Breaks: o.New, Cures: o.Cured}
	if i := slices.IndexFunc(o.New, func(x workrules.Violation) bool { return x.Hard }); i >= 0 {
		v.Remedy = slices.DeleteFunc(o.After.Remedies(o.New[i]), func(r workrules.Remedy) bool { return !r.Legal })
	}
	return v
}

// JudgeSwap judges both sides of a swap by the rules that judge rosters. A nil Taken is a shift given
// away. Somebody who works at the time of the shift, or lacks the skill for it, breaks a rule too.
func JudgeSwap(ask SwapAsk, a, b workrules.Case) (ofA, ofB Verdict) {
	var taken scheduling.Shift
	if ask.Taken != nil {
		taken = *ask.Taken
	}
	outA, outB, err := workrules.Swap(a, b, ask.Given, taken)
	if err != nil {
		return Verdict{Agent: a.Person.ID, Refused: err.Error()}, Verdict{Agent: b.Person.ID, Refused: err.Error()}
	}
	return VerdictOf(outA), VerdictOf(outB)
}

// SwapEffects is what a swap between two agents changes, by roster: each shift changes its owner and
// nothing else.
func SwapEffects(ask SwapAsk, from, to ids.Agent) []Effect {
	move := func(e *Effect, s scheduling.Shift, owner, next ids.Agent) {
		s.Agent = owner
		e.Drop = append(e.Drop, s)
		s.Agent = next
		e.Add = append(e.Add, s)
	}
	effects := []Effect{{Roster: ask.Roster}}
	move(&effects[0], ask.Given, from, to)
	if ask.Taken == nil {
		return effects
	}
	if ask.From != "" && ask.From != ask.Roster {
		effects = append(effects, Effect{Roster: ask.From})
	}
	move(&effects[len(effects)-1], *ask.Taken, to, from)
	return effects
}

// Apply makes effects on a list of shifts: first all shifts to drop go, then those to add come. ok is
// false, and nothing is changed, when a shift to drop is not there as it was or somebody would be in
// two places.
func Apply(shifts []scheduling.Shift, effects ...Effect) (out []scheduling.Shift, ok bool) {
	out = slices.Clone(shifts)
	for _, e := range effects {
		for _, d := range e.Drop {
			i := slices.IndexFunc(out, func(s scheduling.Shift) bool { return SameShift(s, d) })
			if i < 0 {
				return shifts, false
			}
			out = slices.Delete(out, i, i+1)
		}
	}
	for _, e := range effects {
		for _, a := range e.Add {
			if slices.ContainsFunc(out, func(s scheduling.Shift) bool { return s.Agent == a.Agent && s.Range().Overlaps(a.Range()) }) {
				return shifts, false
			}
			out = append(out, a)
		}
	}
	return out, true
}

// SameShift reports the same shift of the same agent: times, code and activities.
func SameShift(a, b scheduling.Shift) bool {
	return a.Agent == b.Agent && a.Code == b.Code && a.Start.Equal(b.Start) && a.End.Equal(b.End) &&
		slices.EqualFunc(a.Activities, b.Activities, func(x, y scheduling.Activity) bool {
			return x.Kind == y.Kind && x.Queue == y.Queue && x.Start.Equal(y.Start) && x.End.Equal(y.End)
		})
}

// Around is the range in which shifts decide whether a swap is still what people consented to: days
// days on both sides of its shifts.
func (ask SwapAsk) Around(days int) calendar.Range {
	r := ask.Given.Range()
	if ask.Taken != nil {
		if ask.Taken.Start.Before(r.Start) {
			r.Start = ask.Taken.Start
		}
		if ask.Taken.End.After(r.End) {
			r.End = ask.Taken.End
		}
	}
	margin := time.Duration(days) * 24 * time.Hour
	return calendar.Range{Start: r.Start.Add(-margin), End: r.End.Add(margin)}
}

// Digest is a short name for what some people's shifts in a range are; it changes with any of them.
func Digest(shifts []scheduling.Shift, r calendar.Range, of ...ids.Agent) string {
	var lines []string
	for _, s := range shifts {
		if !slices.Contains(of, s.Agent) || !s.Range().Overlaps(r) {
			continue
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s %s %d %d", s.Agent, s.Code, s.Start.Unix(), s.End.Unix())
		for _, a := range s.Activities {
			fmt.Fprintf(&b, " %s %s %d %d", a.Kind, a.Queue, a.Start.Unix(), a.End.Unix())
		}
		lines = append(lines, b.String())
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:8])
}
