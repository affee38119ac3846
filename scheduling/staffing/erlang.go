package staffing

import (
	"math"
	"time"
)

// Queue is the load of one call-like queue: each contact takes an agent's whole attention.
type Queue struct {
	Contacts   float64       // arrivals per Interval, 0 or more
	Interval   time.Duration // over which Contacts arrive, positive
	HandleTime time.Duration // mean per contact (AHT), positive
	Patience   time.Duration // mean of the exponential patience; 0 = nobody leaves (Erlang C)
}

// Offered load in erlangs: arrivals times mean handle time.
func (q Queue) Offered() float64 {
	return q.Contacts * q.HandleTime.Seconds() / q.Interval.Seconds()
}

// spare is agents minus offered load in erlangs. Near full load the plain difference keeps few digits of what all
// waits are divided by, so both products are taken exactly (Dekker, Numer. Math. 18 (1971), sec. 5), in whole
// nanoseconds, as 7.3 s is no binary fraction.
func (q Queue) spare(agents float64) float64 {
	interval, handle := float64(q.Interval), float64(q.HandleTime)
	supply, demand := agents*interval, q.Contacts*handle
	rest := math.FMA(agents, interval, -supply) - math.FMA(q.Contacts, handle, -demand)
	return (supply - demand + rest) / interval
}

// Performance is the steady state of a queue with a number of agents.
// Shares are fractions in [0,1]; seconds can be +Inf where the queue is unstable.
type Performance struct {
	Agents       float64 // servers; fractional values interpolate the exact formulas
	Offered      float64 // erlangs
	Stable       bool    // false only for Erlang C with offered >= agents
	Wait         float64 // share of arrivals that cannot be answered at once
	Abandon      float64 // share of arrivals that leave unanswered (blocked, in Erlang B)
	Occupancy    float64 // share of agents' time spent on contacts
	ASASeconds   float64 // mean wait over ALL arrivals, answered or not, answered-at-once = 0
	AnsweredWait float64 // seconds, mean wait over the answered arrivals only
	AverageQueue float64 // mean number waiting; Little: arrival rate * ASASeconds
	ServiceLevel float64 // share of ALL arrivals answered within the limit
}

// ErlangB is the share of arrivals lost when nobody may wait (M/G/c/c).
//
// agents may be fractional and up to at least 100,000; offered in erlangs, 0 or more.
// Recursion of Erlang (1917) for small integers, else the integral of Fortet
// 1/B = a * int_0^inf exp(-a t) (1+t)^c dt (Jagerman, Bell Syst. Tech. J. 53 (1974), eq. 8).
func ErlangB(agents, offered float64) float64 {
	switch {
	case agents <= 0:
		return 1
	case offered <= 0:
		return 0
	}
	return 1 / (1 + idleOdds(agents, offered))
}

// idleOdds is 1/B - 1: the weight of all states with a free agent over the weight of the state
// "all busy, nobody waits". +Inf when a float64 cannot hold it (B below 1e-308).
func idleOdds(agents, offered float64) float64 {
	const recursionLimit = 1000 // beyond it the integral is faster and as exact
	if agents <= recursionLimit && agents == math.Trunc(agents) {
		odds := 0.0
		for n := 1.0; n <= agents; n++ {
			odds = n / offered * (1 + odds)
		}
		return odds
	}
	e := lostExponent{agents: agents, offered: offered}
	sum := 0.0
	panels(e, math.Inf(1), func(lo, hi float64) {
		mid, half := (lo+hi)/2, (hi-lo)/2
		for i, x := range gaussNodes {
			sum += gaussWeights[i] * half * (math.Exp(e.value(mid-half*x)) + math.Exp(e.value(mid+half*x)))
		}
	})
	return max(0, math.Expm1(e.top()+math.Log(offered*sum)))
}

// lostExponent is the exponent of the Erlang B integral, c log(1+t) - a t.
type lostExponent struct{ agents, offered float64 }

// value is -c (v - log(1+v)) - max(0, a-c) u with v = u/(1+t*): the terms that are linear in u and cancel are gone.
func (e lostExponent) value(u float64) float64 {
	return -e.agents*logRest(u/(1+e.peak())) - max(0, e.offered-e.agents)*u
}

func (e lostExponent) at(u float64) (value, slope, curvature float64) {
	along := 1 + e.peak() + u
	r := e.agents / along
	return e.value(u), r - e.offered, -r / along
}
func (e lostExponent) peak() float64              { return max(0, e.agents/e.offered-1) }
func (e lostExponent) leftStep(u float64) float64 { return (1 + e.peak() + u) / 2 }
func (e lostExponent) maxStep(u float64) float64  { return 1 + e.peak() + u } // distance to the singularity at t = -1

// top is the exponent at the peak: c (w - log(1+w)) with w = a/c - 1.
func (e lostExponent) top() float64 {
	if e.offered >= e.agents {
		return 0
	}
	return e.agents * logRest((e.offered-e.agents)/e.agents)
}

// nothingToAnswer is a queue without contacts: none waits, leaves or is late, with any number of agents, 0 included.
func nothingToAnswer(agents float64) Performance {
	return Performance{Agents: agents, Stable: true, ServiceLevel: 1}
}

// ErlangC evaluates M/M/c without abandonment: q.Patience is not looked at.
// Wait = B / (1 - rho (1-B)); wait given wait is exponential with rate c mu - lambda
// (Gross & Harris, Fundamentals of Queueing Theory, 3rd ed., eq. 2.33-2.37).
func ErlangC(q Queue, agents float64, within time.Duration) Performance {
	a, rate := q.Offered(), q.Contacts/q.Interval.Seconds()
	if a == 0 {
		return nothingToAnswer(agents)
	}
	spare := q.spare(agents)
	p := Performance{Agents: agents, Offered: a, Stable: spare > 0 && a < agents}
	if !p.Stable {
		p.Wait = 1
		if agents > 0 {
			p.Occupancy = 1
		}
		p.ASASeconds, p.AnsweredWait, p.AverageQueue = math.Inf(1), math.Inf(1), math.Inf(1)
		return p
	}
	odds := idleOdds(agents, a)
	p.Wait = 1 / (1 + odds*(spare/agents))
	drain := spare / q.HandleTime.Seconds()
	p.Occupancy = a / agents
	p.ASASeconds = p.Wait / drain
	p.AnsweredWait = p.ASASeconds
	p.AverageQueue = rate * p.ASASeconds
	p.ServiceLevel = 1 - p.Wait*math.Exp(-drain*within.Seconds())
	return p
}

// ErlangA evaluates M/M/c+M with exponential patience of mean q.Patience > 0.
//
// With lambda, mu, theta the rates of arrival, service and abandonment, the offered wait V of an
// arrival that finds all agents busy has the density proportional to
// exp(-c mu t + (lambda/theta)(1 - exp(-theta t))) (Mandelbaum & Zeltyn, Service Engineering:
// Abandonment, 2009, eq. for v_n; Garnett, Mandelbaum & Reiman, M&SOM 4 (2002), sec. 2), from which
// all figures follow by integration; see DESIGN.md. Stable for any load, 0 to 100,000 agents, and
// any patience.
func ErlangA(q Queue, agents float64, within time.Duration) Performance {
	a, rate, theta := q.Offered(), q.Contacts/q.Interval.Seconds(), 1/q.Patience.Seconds()
	if a == 0 {
		return nothingToAnswer(agents)
	}
	p := Performance{Agents: agents, Offered: a, Stable: true}
	if agents <= 0 {
		p.Wait, p.Abandon, p.Occupancy = 1, 1, 0
		p.ASASeconds, p.AnsweredWait = 1/theta, math.NaN()
		p.AverageQueue = rate / theta
		return p
	}
	w := waiting{arrival: rate, drain: agents / q.HandleTime.Seconds(), leave: theta}
	m := w.moments(within.Seconds(), nil)
	odds := idleOdds(agents, a)
	p.Wait = m.share(odds)
	atOnce := m.room(odds)
	answered := atOnce + p.Wait*m.answered // 1 - abandon, without the loss of digits under heavy overload
	p.ASASeconds = p.Wait * m.meanWait
	p.Abandon = theta * p.ASASeconds
	p.AnsweredWait = p.Wait * m.answeredWait / answered
	p.Occupancy = min(1, a*answered/agents)
	p.AverageQueue = rate * p.ASASeconds
	p.ServiceLevel = min(1, atOnce+p.Wait*m.answeredIn)
	return p
}
