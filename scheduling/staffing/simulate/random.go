package simulate

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// stream is SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): eight bytes of state, so that every
// conversation can carry a stream of its own.
type stream struct{ state uint64 }

func (s *stream) Uint64() uint64 {
	s.state += 0x9e3779b97f4a7c15
	return mix(s.state)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// seedOf spreads (seed, queue, number) over the state space; number 0 is the queue's arrivals.
func seedOf(seed uint64, queue, number int) uint64 {
	return mix(mix(mix(seed)+uint64(queue)+1) + uint64(number)*0xd1342543de82ef95)
}

// dice draws from one stream at a time; the stream is swapped in and out.
type dice struct {
	stream
	rand *rand.Rand
}

func newDice() *dice {
	d := &dice{}
	d.rand = rand.New(&d.stream)
	return d
}

func (d *dice) span(s Span) time.Duration {
	if s.Mean == 0 {
		return 0
	}
	mean := float64(s.Mean)
	switch s.Shape {
	case Constant:
		return s.Mean
	case Lognormal:
		v := math.Log1p(s.CV * s.CV)
		return clamp(mean * math.Exp(math.Sqrt(v)*d.rand.NormFloat64()-v/2))
	default:
		return clamp(mean * d.rand.ExpFloat64())
	}
}

// clamp keeps a drawn span below 290 years, where a Duration ends.
func clamp(ns float64) time.Duration { return time.Duration(min(ns, 1<<61)) }

func (d *dice) chance(p float64) bool { return p > 0 && d.rand.Float64() < p }

// count is geometric from 1 with the given mean.
func (d *dice) count(mean float64) int {
	n := 1
	if mean > 1 {
		for n < 1000 && d.rand.Float64() >= 1/mean {
			n++
		}
	}
	return n
}

// arrivals yields the instants of one queue in order.
type arrivals struct {
	dice   *dice
	rates  []float64
	slot   time.Duration
	extra  []time.Duration // spikes and explicit instants, ascending
	index  int             // current slot
	offset float64         // how far into the current slot the rate process is, in units of its mean arrivals
	next   time.Duration   // next arrival of the rate process, Never when there is none
	end    time.Duration
}

func newArrivals(c Config, stream int, rates []float64, spikes []Spike, instants []time.Duration) *arrivals {
	d := newDice()
	d.state = seedOf(c.Seed, stream, 0)
	a := &arrivals{dice: d, rates: rates, slot: c.Slot, end: c.Horizon}
	a.extra = append(a.extra, instants...)
	for _, s := range spikes {
		// Unit-rate Poisson points u < Contacts, mapped through the inverse of Contacts (1 - exp(-t/Decay)).
		for u := d.rand.ExpFloat64(); u < s.Contacts; u += d.rand.ExpFloat64() {
			a.extra = append(a.extra, s.At+clamp(-math.Log1p(-u/s.Contacts)*float64(s.Decay)))
		}
	}
	slices.Sort(a.extra)
	a.advance()
	return a
}

// advance moves the rate process to its next point: an exponential step in the integrated rate.
func (a *arrivals) advance() {
	step := a.dice.rand.ExpFloat64()
	for a.index < len(a.rates) {
		rate := a.rates[a.index]
		left := rate - a.offset
		if step < left {
			a.offset += step
			a.next = time.Duration(a.index)*a.slot + time.Duration(a.offset/rate*float64(a.slot))
			return
		}
		step -= left
		a.index++
		a.offset = 0
	}
	a.next = Never
}

// pop returns the next arrival, or Never.
func (a *arrivals) pop() time.Duration {
	at := a.next
	if len(a.extra) > 0 && (at == Never || a.extra[0] < at) {
		at = a.extra[0]
		a.extra = a.extra[1:]
	} else if at != Never {
		a.advance()
	}
	if at >= a.end {
		return Never
	}
	return at
}
