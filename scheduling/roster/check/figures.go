package check

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Claims are the figures that a roster file states of its own roster, as `roster solve` writes them. What a
// file leaves out is not claimed.
type Claims struct {
	Roster     scheduling.Roster      `json:"roster"`
	Cost       *float64               `json:"cost"`
	Parts      map[string]float64     `json:"parts"`
	Bound      *float64               `json:"bound"`
	Gap        *float64               `json:"gap"`
	Savable    *float64               `json:"savable"`
	Salaries   *float64               `json:"salaries"`
	Needed     *float64               `json:"needed_hours"`
	Missing    *float64               `json:"missing_hours"`
	Uncovered  *[]roster.Uncovered    `json:"uncovered"`
	FixesFor   *int                   `json:"fixes_for"`
	Idle       *[]roster.Idle         `json:"idle"`
	Violations *[]workrules.Violation `json:"violations"`
}

// unread is what Compare takes as it stands: docs/roster-format.md says so too.
var unread = []string{
	"sentences (says, sentence, fix)", "seed and stopped", "whether a higher bound can be proved",
	"which rule keeps whom at home (only how many they are)", "what a fix saves elsewhere beyond its least and its most",
}

// Figure is one figure of a file that is not so.
type Figure struct {
	Path string `json:"path"`
	Says string `json:"says"` // the file
	Is   string `json:"is"`   // counted again
}

// String is the figure as a sentence.
func (f Figure) String() string {
	return fmt.Sprintf("%s: the file says %s, it is %s", f.Path, f.Says, f.Is)
}

// tolerance of figures in yuan and hours, for files that round to two decimals.
const tolerance = 0.01

// Compare notes every figure of a file that differs from what was counted. The hard rules that the file tells
// are held against found, the findings of the rule pack.
func (r *Report) Compare(p roster.Problem, c Claims, found []workrules.Violation) {
	r.number("cost", c.Cost, r.Cost, tolerance)
	for _, name := range slices.Sorted(maps.Keys(c.Parts)) {
		v := c.Parts[name]
		r.number("parts."+name, &v, r.Parts[name], tolerance)
	}
	if c.Parts != nil {
		for _, name := range slices.Sorted(maps.Keys(r.Parts)) {
			if _, told := c.Parts[name]; !told && math.Abs(r.Parts[name]) > tolerance {
				r.differs("parts."+name, "nothing", plain(r.Parts[name]))
			}
		}
	}
	if c.Bound != nil && *c.Bound > r.Cost+tolerance {
		r.differs("bound", plain(*c.Bound), "at most "+plain(r.Cost)+": this roster costs no more")
	}
	if c.Bound != nil {
		r.number("savable", c.Savable, r.Cost-*c.Bound, 2*tolerance)
		gap := 0.0
		if r.Cost != 0 {
			gap = (r.Cost - *c.Bound) / r.Cost
		}
		r.number("gap", c.Gap, gap, 1e-3)
	}
	r.number("salaries", c.Salaries, salaries(p), tolerance)
	r.number("needed_hours", c.Needed, r.Needed, tolerance)
	r.number("missing_hours", c.Missing, r.Missing, tolerance)
	if says := c.Roster.Range; says != (calendar.Range{}) && !sameRange(says, p.Range) {
		r.differs("roster.range", spanned(says), spanned(p.Range))
	}
	b := newBook(p, c.Roster.Shifts, r.cells)
	r.stretches(b, c.Uncovered)
	r.relief(c)
	r.idle(b, c.Idle)
	r.violations(c.Violations, slices.Concat(found, r.seatless))
	r.Unread = unread
}

func sameRange(a, b calendar.Range) bool { return a.Start.Equal(b.Start) && a.End.Equal(b.End) }

// plain is a figure in plain digits, but for those beyond all use.
func plain(v float64) string {
	if math.Abs(v) >= 1e15 || math.IsNaN(v) {
		return fmt.Sprintf("%g", v)
	}
	return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)
}

func (r *Report) differs(path, says, is string) { r.False = append(r.False, Figure{path, says, is}) }

func (r *Report) number(path string, says *float64, is, within float64) {
	if says != nil && !(math.Abs(*says-is) <= max(within, 1e-9*math.Abs(is))) {
		r.differs(path, plain(*says), plain(is))
	}
}

// violations counts the soft rules and the hard ones, rule by rule and agent by agent. Where the counts agree,
// each must be one that the rule pack finds too: the same stretch of time, and as far over.
func (r *Report) violations(told *[]workrules.Violation, found []workrules.Violation) {
	if told == nil {
		return
	}
	more := map[mark]int{} // than there are
	for _, v := range *told {
		more[mark{v.Rule, v.Agent}]++
	}
	for _, v := range found {
		if v.Hard {
			more[mark{v.Rule, v.Agent}]--
		}
	}
	for m, n := range r.softs {
		more[m] -= n
	}
	for _, m := range slices.SortedFunc(maps.Keys(more), func(a, b mark) int {
		return slices.Compare([]string{string(a.agent), a.rule}, []string{string(b.agent), b.rule})
	}) {
		switch n := more[m]; {
		case n < 0:
			r.differs("violations", fmt.Sprintf("%s of %s %d times less", m.rule, m.agent, -n), "broken")
		case n > 0:
			r.differs("violations", fmt.Sprintf("%s of %s %d times more", m.rule, m.agent, n), "kept")
		}
	}
	left := slices.Clone(found)
	for i, v := range *told {
		if m := (mark{v.Rule, v.Agent}); more[m] == 0 {
			left = r.violation(fmt.Sprintf("violations[%d]", i), v, left)
		}
	}
}

// violation holds one against those that the rule pack finds of the same rule and agent, and takes it from them.
func (r *Report) violation(path string, v workrules.Violation, left []workrules.Violation) []workrules.Violation {
	var there []string
	for i, f := range left {
		switch {
		case f.Rule != v.Rule || f.Agent != v.Agent:
			continue
		case !sameRange(f.Range, v.Range):
			there = append(there, spanned(f.Range))
			continue
		case f.Hard != v.Hard:
			r.differs(path+".hard", fmt.Sprint(v.Hard), fmt.Sprint(f.Hard))
		default:
			r.number(path+".amount", &v.Amount, f.Amount, tolerance)
		}
		return slices.Delete(left, i, i+1)
	}
	r.differs(path+".range", spanned(v.Range), strings.Join(there, " or "))
	return left
}

// spanned is a stretch of time as files write it.
func spanned(r calendar.Range) string {
	return r.Start.Format(time.RFC3339) + " to " + r.End.Format(time.RFC3339)
}

// salaries counts the normal hours that monthly salaries pay for: those that the contract wants, or else
// those of the official workdays in employment.
func salaries(p roster.Problem) (sum float64) {
	for _, a := range p.Agents {
		if !a.Salaried {
			continue
		}
		owed := a.MinWork
		if owed == 0 {
			for d := calendar.DateOf(p.Range.Start, p.Location); d.In(p.Location).Before(p.Range.End); d = d.Add(1) {
				if e := a.Person.Employed; p.Holidays.Kind(d).Working() && (e.From.IsZero() && e.Until.IsZero() || e.Contains(d)) {
					owed += p.Rules.NormalDay
				}
			}
		}
		sum += a.Wage * owed.Hours()
	}
	return sum
}

// Verdict says how many hard rules are broken and which figures of the file are false; nil when none.
func (r Report) Verdict() error {
	switch broken, wrong := len(r.Violations), len(r.False); {
	case broken > 0 && wrong > 0:
		return fault.New(fault.Conflict, "roster.illegal", "the roster breaks hard rules %d times, and %d figures of the file are false", broken, wrong)
	case broken > 0:
		return fault.New(fault.Conflict, "roster.illegal", "the roster breaks hard rules %d times", broken)
	case wrong > 0:
		return fault.New(fault.Conflict, "roster.false_figures", "%d figures of the roster file are false", wrong)
	}
	return nil
}
