package staffing

import (
	"math"
	"slices"
	"time"
)

// A desk whose replies slow down with the conversations open can have two regimes: a calm one, in which it keeps up, and
// one in which full agents are so slow that they stay full. Over all times the crowded one may have nearly all the weight;
// but a large desk falls into it by itself only after years, and every desk is empty now and then. So what counts
// is where a desk that was calm is after a week. See DESIGN.md, "Two regimes".

// week is how long a desk has to stay calm by itself, seconds. Most are empty every night; a longer time is on the safe side.
const week = 7 * 24 * 3600.0

// wells are the regimes of a chain over the conversations.
type wells struct {
	saddle  int     // the state from which on the desk goes into the crowded one by itself; the last state = there is none
	top     int     // the last state
	beyond  float64 // weight of the crowded one over all times
	seconds float64 // mean time from the likeliest calm state to the top
}

// wellsOf finds the regimes. The weights of the chain (logarithms) fall from the likeliest state of the calm one to the
// saddle: these are the two between which they fall most. rest is the logarithm of what lies above the last. up is the rate
// upwards. How long the way up takes on average is exact for a chain that goes by single steps (Karlin & Taylor, A First Course
// in Stochastic Processes, ch. 4): the sum over the states i on it of (weight of all up to i) / (weight of i) / rate.
// false = the weights never fall.
func wellsOf(weights []float64, rest float64, up func(i int) float64) (w wells, found bool) {
	mode, calm, fall := 0, 0, 0.0
	for i, weight := range weights {
		if weight > weights[mode] {
			mode = i
		}
		if down := weights[mode] - weight; down > fall {
			fall, calm, w.saddle = down, mode, i
		}
	}
	if fall == 0 {
		return w, false
	}
	w.top = len(weights) - 1
	most := max(weights[mode], rest)
	below, beyond, upTo := 0.0, math.Exp(rest-most), 1.0
	for i, weight := range weights {
		if i > 0 {
			upTo = 1 + upTo*math.Exp(weights[i-1]-weight)
		}
		if i >= calm && i < w.top {
			w.seconds += upTo / up(i)
		}
		if part := math.Exp(weight - most); i < w.saddle {
			below += part
		} else {
			beyond += part
		}
	}
	w.beyond = beyond / (below + beyond)
	return w, true
}

// calm is how much of the figures the calm regime has, beside those of a distribution of which a share is in it already.
// Between two regimes the start is forgotten at the rate 1/(way up) + 1/(way down) = 1/(way up x weight beyond).
func (w wells) calm(already float64) float64 {
	kept := math.Exp(-week / max(w.seconds*w.beyond, 1e-9))
	part := 1 - w.beyond*(1-kept)
	if !(already < 1-1e-9) {
		return 0
	}
	return min(1, max(0, (part-already)/(1-already)))
}

// Passes of settleCalm: it takes more than the usual number until the loads stand still.
const (
	calmPasses = 16
	calmStill  = 1e-3 // change of the mean open conversations, relative
)

// Shares of arrivals that find everybody full: below crowdable a second regime makes no difference, and up to crowdy the
// balance is that of the calm one.
const crowdable, crowdy = 1e-5, 0.05

// mayTip reports that a second regime is possible: agents with fewer conversations finish more of them than full ones.
// Where the balance is not a crowded one, it shows itself whether the calm regime would last.
// wait is the larger share that finds everybody full, of the figures with and without memory.
func (t *chatTable) mayTip(agents int, rate, leave float64, b *balance, wait float64) bool {
	k := t.Concurrency
	if wait < crowdable || t.slow(k) == 1 {
		return false
	}
	if humped := busiest(b.seats) < k; !humped || wait > crowdy {
		return humped
	}
	w, found := t.wells(agents, rate, leave, b.seats, true)
	return found && w.calm(1-w.beyond) >= hardly
}

// settleCalm is settle for the calm regime: the two chains are solved in turn, and that over
// the conversations stops at the saddle. It overwrites what settle gave. false = there is no calm regime.
func (t *chatTable) settleCalm(agents int, rate, leave float64) (b balance, w wells, found bool) {
	b = t.begin(rate / float64(agents))
	open, before := 0.0, make([]float64, t.Concurrency)
	for pass, last := 1, false; ; pass++ {
		last = last || pass >= calmPasses
		copy(before, b.drive.arrivals)
		t.alternate(&b, agents, rate, leave, last, func() int {
			w, found = t.wells(agents, rate, leave, b.seats, last)
			switch {
			case !found: // if the desk keeps up at all, then with as many as its agents finish most of
				return agents * busiest(b.seats)
			case w.saddle < w.top:
				return w.saddle
			default:
				return 0
			}
		})
		if last {
			return b, w, found
		}
		for j := range before { // half the way: desks near the end of the calm regime would go to and fro
			b.drive.arrivals[j] = (before[j] + b.drive.arrivals[j]) / 2
		}
		now := b.pool.open / b.pool.odds
		last = math.Abs(now-open) < calmStill*now // the next tells the figures
		open = now
	}
}

// busiest is the number of conversations with which an agent finishes most.
func busiest(seats []seat) (open int) {
	for j := range seats {
		if seats[j].ends > seats[open].ends {
			open = j
		}
	}
	return open
}

// wells are those of the chain over the conversations; without times only the saddle.
func (t *chatTable) wells(agents int, rate, leave float64, seats []seat, times bool) (wells, bool) {
	weights := t.profile(agents, rate, seats)
	rest := math.Inf(-1)
	if times {
		rest = t.rest(agents, rate, leave, seats, weights)
	}
	return wellsOf(weights, rest, func(int) float64 { return rate })
}

// profile is the logarithms of the weights of 0, 1, ... conversations until everybody is full.
func (t *chatTable) profile(agents int, rate float64, seats []seat) []float64 {
	weights := sizedBuffer(&t.deaths, agents*t.Concurrency+1)
	weights[0] = 0
	for n := 1; n < len(weights); n++ {
		here := spread(agents, n/agents, n%agents, rate, seats)
		weights[n] = weights[n-1] + math.Log(rate/here.ends(seats))
	}
	return weights
}

// rest is the logarithm of the weight of the states in which somebody waits, beside those of a profile, and of the first full one.
func (t *chatTable) rest(agents int, rate, leave float64, seats []seat, weights []float64) float64 {
	w := waiting{arrival: rate, drain: float64(agents) * seats[t.Concurrency].ends, leave: leave}
	return weights[len(weights)-1] + w.logOdds()
}

// shareBelow is the weight of the states below one, of logarithms.
func shareBelow(weights []float64, rest float64, state int) float64 {
	most := max(slices.Max(weights), rest)
	below, all := 0.0, math.Exp(rest-most)
	for i, weight := range weights {
		part := math.Exp(weight - most)
		if all += part; i < state {
			below += part
		}
	}
	return below / all
}

// settleLikely is settle for the regime in which a week more likely ends.
func (t *chatTable) settleLikely(agents int, rate, leave float64) balance {
	b := t.settle(agents, rate, leave)
	if !t.mayTip(agents, rate, leave, &b, b.wait) {
		return b
	}
	if calm, w, found := t.settleCalm(agents, rate, leave); found && w.calm(0) >= 0.5 {
		return calm
	}
	return t.settle(agents, rate, leave)
}

// hardly is a part of the figures that is not worth another evaluation.
const hardly = 1e-3

// stayCalm moves figures towards those of the calm regime: those without memory, and those with it when m is not nil.
func (t *chatTable) stayCalm(out, with *ChatPerformance, m *memory, rate, leave float64, b *balance) {
	weights := slices.Clone(t.profile(out.Agents, rate, b.seats)) // the calm regime is found in the same memory
	rest := t.rest(out.Agents, rate, leave, b.seats, weights)
	calm, w, found := t.settleCalm(out.Agents, rate, leave)
	if !found {
		return
	}
	if part := w.calm(shareBelow(weights, rest, w.saddle)); part >= hardly {
		better := ChatPerformance{Agents: out.Agents}
		t.evaluate(&better, rate, leave, &calm)
		out.mix(&better, part)
	}
	if m == nil {
		return
	}
	n, w, found := t.rememberedCalm(out.Agents, rate, leave, &calm)
	if !found {
		return
	}
	if part := w.calm(m.below(n.from + w.saddle*n.step)); part >= hardly {
		better := ChatPerformance{Agents: out.Agents}
		n.recall(&better)
		with.mix(&better, part)
	}
}

// rememberedCalm is remembered for the calm regime. The chain of one agent does not know that of a desk with few rounds, so
// each gets from the other what it needs: this one how long replies take, the other how often an agent is given a
// conversation. It begins with replies as short as on an idle desk.
func (t *chatTable) rememberedCalm(agents int, rate, leave float64, b *balance) (m *memory, w wells, found bool) {
	b.limit = agents * t.Concurrency
	b.drive.begun = 1
	for j := range b.drive.pace {
		b.drive.pace[j] = t.work(1)
	}
	for pass, open, last := 1, 0.0, false; ; pass++ {
		last = last || pass >= calmPasses
		effort := coarseEffort
		if last {
			effort = fineEffort
		}
		m = t.remembered(agents, rate, leave, b, effort)
		weights, rest, rates := m.profile()
		if w, found = wellsOf(weights, rest, func(i int) float64 { return rates[i] }); found && w.saddle < w.top {
			m.cut(w.saddle)
		}
		if last {
			return m, w, found
		}
		now := m.mean()
		last = math.Abs(now-open) < calmStill*now
		open = now
		b.drive.refill = m.feedback(b)
		b.seats, b.weights = t.solve(b.drive)
		t.turns(b.drive, b.seats, b.line, b.served)
		b.drive.begun = t.pacing(b.drive, b.weights)
	}
}

// TippingPoint is where a desk with two regimes goes over into the worse one.
type TippingPoint struct {
	Conversations int     // open or waiting at once from which the desk goes on into the worse regime by itself
	Within        float64 // share of first replies within the limit in the worse regime
}

// shift is how long a full desk has to stay full by itself to be called a regime, seconds.
const shift = 8 * 3600.0

// Tips looks for a second regime: full agents finish fewer conversations than come, while agents with fewer open finish
// them all. false = there is none that would last for a shift, or the desk would not stay out of it by itself for a week.
// c must be valid.
func (c Chats) Tips(agents int, firstWithin time.Duration) (TippingPoint, bool) {
	t := c.table(firstWithin, 0)
	return t.tips(agents, t.capacity())
}

// tips is Chats.Tips for agents of a known capacity.
func (t *chatTable) tips(agents int, capacity float64) (p TippingPoint, found bool) {
	rate, leave := t.Contacts/t.Interval.Seconds(), 1/t.Patience.Seconds()
	if agents <= 0 || rate <= float64(agents)*capacity || t.slow(t.Concurrency) == 1 {
		return p, false
	}
	b, w, found := t.settleCalm(agents, rate, leave)
	p.Conversations = w.saddle
	if found && t.remembers() >= 0.5 {
		var m *memory
		m, w, found = t.rememberedCalm(agents, rate, leave, &b)
		p.Conversations = m.from + w.saddle*m.step
	}
	if !found || w.saddle == w.top || w.calm(0) < 0.5 {
		return TippingPoint{}, false
	}
	b = t.begin(rate / float64(agents))
	b.drive.refill = alwaysRefilled
	for range mixing {
		t.alternate(&b, agents, rate, leave, false, nil)
	}
	if t.fullFor(agents, rate, leave, b.seats, p.Conversations) < shift {
		return TippingPoint{}, false
	}
	p.Within = t.queued(agents, rate, leave, b.seats, t.first).answeredIn
	return p, true
}

// fullFor is the mean time until a full desk is down to a number of conversations, seconds; see wellsOf.
func (t *chatTable) fullFor(agents int, rate, leave float64, seats []seat, down int) (seconds float64) {
	weights := t.profile(agents, rate, seats)
	rest, top := t.rest(agents, rate, leave, seats, weights), len(weights)-1
	for n, fromUp := top, math.Exp(rest-weights[top]); n > down; n-- {
		ends := rate * math.Exp(weights[n-1]-weights[n])
		seconds += fromUp / ends
		fromUp = 1 + fromUp*rate/ends
	}
	return seconds
}
