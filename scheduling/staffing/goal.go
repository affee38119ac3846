package staffing

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// MaxAgents is the largest number of agents the models are verified for and a search may answer.
const MaxAgents = 100_000

// Model names a call model.
type Model string

// The call models.
const (
	ModelB Model = "b" // no waiting room: an arrival that finds everybody busy is lost
	ModelC Model = "c" // everybody waits for ever
	ModelA Model = "a" // waiting contacts leave after an exponential patience
)

// Evaluate a model at a number of agents. The input must be valid (see Queue.ValidateAt). Without contacts
// every figure is 0 and the service level 1, also without agents.
func Evaluate(m Model, q Queue, agents float64, within time.Duration) Performance {
	switch m {
	case ModelA:
		return ErlangA(q, agents, within)
	case ModelB:
		if q.Contacts == 0 {
			return nothingToAnswer(agents)
		}
		blocked := ErlangB(agents, q.Offered())
		p := Performance{Agents: agents, Offered: q.Offered(), Stable: true, Abandon: blocked, ServiceLevel: 1 - blocked}
		if agents > 0 {
			p.Occupancy = min(1, p.Offered*(1-blocked)/agents)
		}
		return p
	default:
		return ErlangC(q, agents, within)
	}
}

// maxOffered in erlangs is far beyond any pool; up to it an evaluation keeps its accuracy.
const maxOffered = 1e9

// Validate reports every field of q that the model cannot size. No contacts are legal: they need no agents.
// The load may be at most MaxAgents erlangs.
func (q Queue) Validate(m Model) error {
	return fault.Bad("staffing.queue", "staffing load", q.faults(m, MaxAgents))
}

// ValidateAt reports every input that Evaluate cannot use: agents from 0 to MaxAgents, an answer limit of 0
// or more, and any load up to 1e9 erlangs, however few the agents.
func (q Queue) ValidateAt(m Model, agents float64, within time.Duration) error {
	bad := q.faults(m, maxOffered)
	if !(agents >= 0 && agents <= MaxAgents) {
		bad = append(bad, fault.Field{Path: "agents", Value: fmt.Sprint(agents), Problem: fmt.Sprintf("must be a number from 0 to %d", MaxAgents)})
	}
	if within < 0 {
		bad = append(bad, fault.Field{Path: "within", Value: within.String(), Problem: "must not be negative"})
	}
	return fault.Bad("staffing.queue", "staffing load", bad)
}

func (q Queue) faults(m Model, most float64) (bad []fault.Field) {
	add := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
	}
	if m != ModelA && m != ModelB && m != ModelC {
		add("model", string(m), "must be a, b or c")
	}
	if !(q.Contacts >= 0) || math.IsInf(q.Contacts, 0) {
		add("contacts", q.Contacts, "must be a number, 0 or more")
	}
	if q.Interval <= 0 {
		add("interval", q.Interval, "must be longer than 0")
	}
	if q.HandleTime <= 0 {
		add("handle_time", q.HandleTime, "must be longer than 0")
	}
	switch {
	case q.Patience < 0:
		add("patience", q.Patience, "must not be negative")
	case m == ModelA && q.Patience == 0:
		add("patience", q.Patience, "must be longer than 0 for Erlang A; use model c when nobody leaves")
	}
	if len(bad) == 0 && q.Offered() > most {
		add("contacts", q.Contacts, fmt.Sprintf("make %.0f erlangs; at most %.0f are supported", q.Offered(), most))
	}
	return bad
}

// Goal is what a number of agents must reach. Zero fields do not bind; at least one must be set.
type Goal struct {
	ServiceLevel float64       // least share of all arrivals answered within Within, in (0,1)
	Within       time.Duration // answer limit of ServiceLevel, 0 or more
	ASA          time.Duration // longest mean wait over all arrivals
	Abandon      float64       // largest share of arrivals that leave, in (0,1)
	Occupancy    float64       // largest occupancy, in (0,1]
}

// Validate reports every impossible field.
func (g Goal) Validate() error {
	var bad []fault.Field
	add := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
	}
	if !(g.ServiceLevel >= 0 && g.ServiceLevel < 1) {
		add("target", g.ServiceLevel, "must be a share above 0 and below 1, e.g. 0.8 for 80 %; no number of agents answers every contact in time")
	}
	if g.Within < 0 {
		add("within", g.Within, "must not be negative")
	}
	if g.ASA < 0 {
		add("asa", g.ASA, "must not be negative")
	}
	if !(g.Abandon >= 0 && g.Abandon < 1) {
		add("abandon", g.Abandon, "must be a share from 0 to below 1")
	}
	if !(g.Occupancy >= 0 && g.Occupancy <= 1) {
		add("occupancy", g.Occupancy, "must be a share from 0 to 1")
	}
	if len(bad) == 0 && g.ServiceLevel == 0 && g.ASA == 0 && g.Abandon == 0 && g.Occupancy == 0 {
		add("target", 0, "set a service level, an ASA, an abandonment or an occupancy limit")
	}
	return fault.Bad("staffing.goal", "staffing goal", bad)
}

// met reports that p reaches the goal. A queue that grows without end reaches none.
func (g Goal) met(p Performance) bool {
	return p.Stable && p.ServiceLevel >= g.ServiceLevel &&
		(g.ASA == 0 || p.ASASeconds <= g.ASA.Seconds()) &&
		(g.Abandon == 0 || p.Abandon <= g.Abandon) &&
		(g.Occupancy == 0 || p.Occupancy <= g.Occupancy)
}

// missed tells each part of the goal that p misses, with what is wanted.
func (g Goal) missed(p Performance) string {
	var parts []string
	if !p.Stable {
		parts = append(parts, fmt.Sprintf("the load of %.1f erlangs is more than they can answer", p.Offered))
	}
	if p.ServiceLevel < g.ServiceLevel {
		parts = append(parts, fmt.Sprintf("a service level of %.6f (wanted %g)", p.ServiceLevel, g.ServiceLevel))
	}
	if g.ASA > 0 && p.ASASeconds > g.ASA.Seconds() {
		parts = append(parts, fmt.Sprintf("an ASA of %.3f s (wanted %s)", p.ASASeconds, g.ASA))
	}
	if g.Abandon > 0 && p.Abandon > g.Abandon {
		parts = append(parts, fmt.Sprintf("%.6f abandoned (wanted %g)", p.Abandon, g.Abandon))
	}
	if g.Occupancy > 0 && p.Occupancy > g.Occupancy {
		parts = append(parts, fmt.Sprintf("an occupancy of %.6f (wanted %g)", p.Occupancy, g.Occupancy))
	}
	return strings.Join(parts, ", ")
}

// Least is the smallest whole number of agents (0 for no contacts, else at least 1) that reaches the
// goal, and the performance there. Every figure of the models improves with each agent (Erlang B:
// Jagerman, Bell Syst. Tech. J. 53 (1974); waits and losses of C and A by coupling of sample paths), so a
// bracket and bisection are exact. Errors: staffing.queue, staffing.goal, and staffing.unreachable with
// the best that MaxAgents reach, which is also returned.
func Least(m Model, q Queue, g Goal) (Performance, error) {
	if err := q.Validate(m); err != nil {
		return Performance{}, err
	}
	if err := g.Validate(); err != nil {
		return Performance{}, err
	}
	if q.Contacts == 0 {
		return Evaluate(m, q, 0, g.Within), nil
	}
	n, ok := leastWhole(int(q.Offered())+1, MaxAgents, func(n int) bool {
		return g.met(Evaluate(m, q, float64(n), g.Within))
	})
	best := Evaluate(m, q, float64(n), g.Within)
	if !ok {
		return best, fault.New(fault.Invalid, "staffing.unreachable",
			"the goal cannot be reached: the most agents of a search, %d, still give %s", n, g.missed(best))
	}
	return best, nil
}

// LeastFractional is Least without rounding: the real number of agents, to 1e-9, that just
// reaches the goal. Useful to compare scenarios that round to the same head.
func LeastFractional(m Model, q Queue, g Goal) (Performance, error) {
	whole, err := Least(m, q, g)
	if err != nil || whole.Agents == 0 {
		return whole, err
	}
	lo, hi := whole.Agents-1, whole.Agents
	for hi-lo > 1e-9*max(1, hi) {
		mid := (lo + hi) / 2
		if g.met(Evaluate(m, q, mid, g.Within)) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return Evaluate(m, q, hi, g.Within), nil
}

// leastWhole finds the least n in [1, limit] with ok(n), for an ok that stays true once it is true.
// It starts at guess and doubles its stride, so a good guess costs two or three calls.
// When even limit fails it returns (limit, false).
func leastWhole(guess, limit int, ok func(int) bool) (int, bool) {
	guess = min(max(guess, 1), limit)
	lo, hi := 0, guess // ok fails at lo (0 is below the range), holds at hi
	if ok(guess) {
		for stride := 1; ; stride *= 2 {
			below := hi - stride
			if below <= 0 {
				break
			}
			if !ok(below) {
				lo = below
				break
			}
			hi = below
		}
	} else {
		lo = guess
		for stride := 1; ; stride *= 2 {
			if lo == limit {
				return limit, false
			}
			hi = min(lo+stride, limit)
			if ok(hi) {
				break
			}
			lo = hi
		}
	}
	for hi-lo > 1 {
		mid := lo + (hi-lo)/2
		if ok(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi, true
}
