// Package exposure owns what given heads are exposed to when demand is not what they were planned for: the
// service of a plan at any probability of its forecast, and what the steps of an SLA ladder then deduct.
//
// It does not own how many heads there are (staffing), nor the best number under the money at stake. All
// slots of a plan are taken to be at the same quantile of their forecast together. That is the widest
// spread that a sum of them can have, so high quantiles err on the careful side, and the mean of a sum is
// not touched by it. Money is in yuan, shares are fractions of all contacts, times are instants.
package exposure

import (
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// Slot is a slot of a plan with the forecast of what comes to it.
type Slot struct {
	Start      time.Time
	Length     time.Duration
	Heads      int
	HandleTime time.Duration
	Target     *staffing.Target // shared by many slots
	Levels     []float64        // of the quantiles of Demand
	Demand     scheduling.Point // contacts per Length
}

// nodes are the probabilities at which slots are evaluated; between them sums are straight lines over the
// normal score, and the outermost line goes on.
var nodes = []float64{0.05, 0.25, 0.5, 0.75, 0.95}

// Course is contacts, and those of them that are answered within the limit, at each of the nodes. Courses of
// slots add up.
type Course struct {
	Contacts []float64
	Within   []float64
}

// CourseOf evaluates one slot. An impossible slot (no target, no length) panics: the caller made it of a plan.
func CourseOf(s Slot) Course {
	c := Course{make([]float64, len(nodes)), make([]float64, len(nodes))}
	for i, u := range nodes {
		c.Contacts[i] = Quantile(s.Levels, s.Demand, u)
		if i > 0 && c.Contacts[i] == c.Contacts[i-1] {
			c.Within[i] = c.Within[i-1]
			continue
		}
		c.Within[i] = c.Contacts[i] * Serve(*s.Target, c.Contacts[i], s.Length, s.HandleTime, s.Heads).Share
	}
	return c
}

// Plus is the sum of two courses; the zero Course adds nothing.
func (c Course) Plus(o Course) Course {
	if len(c.Contacts) == 0 {
		return o
	}
	if len(o.Contacts) == 0 {
		return c
	}
	out := Course{slices.Clone(c.Contacts), slices.Clone(c.Within)}
	for i := range nodes {
		out.Contacts[i] += o.Contacts[i]
		out.Within[i] += o.Within[i]
	}
	return out
}

// At are contacts and the share within the limit at a probability in (0,1); without contacts the share is 1.
func (c Course) At(u float64) (contacts, share float64) {
	if len(c.Contacts) == 0 {
		return 0, 1
	}
	shares := make([]float64, len(nodes))
	for i := range nodes {
		shares[i] = 1
		if c.Contacts[i] > 0 {
			shares[i] = c.Within[i] / c.Contacts[i]
		}
	}
	return max(0, overNodes(c.Contacts, u)), min(max(overNodes(shares, u), 0), 1)
}

// Expected are the expected contacts, and of them those outside the limit.
func (c Course) Expected() (contacts, missed float64) {
	for i := range draws {
		n, share := c.At(drawn(i))
		contacts += n / draws
		missed += n * (1 - share) / draws
	}
	return contacts, missed
}

func overNodes(values []float64, u float64) float64 {
	i := min(max(sortedAfter(nodes, u), 1), len(nodes)-1)
	return lineAt(score(nodes[i-1]), values[i-1], score(nodes[i]), values[i], score(u))
}

// draws are the equally likely probabilities that stand for the distribution; its quantiles are exact to
// half a step, 0.25 points.
const draws = 200

func drawn(i int) float64 { return (float64(i) + 0.5) / draws }

// Ladder is what one term of a contract deducts for a period of which a course is all there is.
type Ladder struct {
	Target  float64 // least share
	FeeYuan float64 // that the rates are shares of, for the days of the course
	Steps   []Step  // ascending
}

// Step deducts a share of the fee from a shortfall on; a negative rate is a bonus.
type Step struct {
	Miss float64 // target minus share; 0 = any
	Rate float64
}

// touch is how close a shortfall must come to a step to stand on it: shares are quotients of rounded sums.
const touch = 1e-9

// Deduct is what a share costs, in yuan: that of the last step reached, nothing when the target is met.
func (l Ladder) Deduct(share float64) float64 {
	miss := l.Target - share
	if miss <= touch {
		return 0
	}
	rate := 0.0
	for _, s := range l.Steps {
		if miss >= s.Miss-touch {
			rate = s.Rate
		}
	}
	return rate * l.FeeYuan
}

// Risk is a distribution of money.
type Risk struct {
	MeanYuan float64 `json:"mean_yuan"`
	P50Yuan  float64 `json:"p50_yuan"`
	P90Yuan  float64 `json:"p90_yuan"` // not exceeded with a probability of 90 %
	P95Yuan  float64 `json:"p95_yuan"`
}

// Judged is a course under a ladder.
type Judged struct {
	Course Course
	Ladder Ladder
}

// Price is what the ladders deduct together.
func Price(all []Judged) Risk {
	yuan := make([]float64, draws)
	for i := range yuan {
		for _, j := range all {
			_, share := j.Course.At(drawn(i))
			yuan[i] += j.Ladder.Deduct(share)
		}
	}
	slices.Sort(yuan)
	var r Risk
	for _, y := range yuan {
		r.MeanYuan += y / draws
	}
	at := func(p float64) float64 { return yuan[min(int(math.Ceil(p*draws))-1, draws-1)] }
	r.P50Yuan, r.P90Yuan, r.P95Yuan = at(0.5), at(0.9), at(0.95)
	return r
}
