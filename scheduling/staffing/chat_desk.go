package staffing

import (
	"math"
	"time"
)

// chatTable is a load with its limits in seconds; the number of agents comes with each question.
type chatTable struct {
	Chats
	first, round float64 // limits, seconds
}

func (c Chats) table(firstWithin, roundWithin time.Duration) chatTable {
	return chatTable{Chats: c, first: firstWithin.Seconds(), round: roundWithin.Seconds()}
}

// work is the mean attention per reply of an agent with open conversations, seconds.
func (t chatTable) work(open int) float64 {
	return t.Overhead * t.HandleTime.Seconds() / t.Rounds * (1 + t.Slowdown*float64(max(0, open-1)))
}

// idle is the share of first replies within the limit by an agent with nothing else to do.
func (t chatTable) idle() float64 { return 1 - math.Exp(-t.first/t.work(1)) }

// seat is what an agent with a given number of open conversations does.
type seat struct {
	desk    []float64 // desk[m]: chance that m of them await the agent
	ends    float64   // conversations finished per second
	replies float64   // replies per second
	first   float64   // chance that a new conversation gets its first reply within the limit
	prompt  float64   // chance that it gets it within the round limit
	mean    float64   // mean time to that reply, seconds
	each    float64   // chance that a later round is answered within its limit
}

// seats solves the chain of one agent over (open, at the desk). arrivals[j] is the rate at which an
// agent with j open conversations is given a new one; refill is the chance that an agent who is full and
// ends one gets the next from the queue at once. A new conversation starts at the desk.
//
// The chain is solved by the subtraction-free elimination of Grassmann, Taksar & Heyman (Oper. Res. 33
// (1985)), on the band that the transitions span.
func (t chatTable) seats(arrivals []float64, refill float64) []seat {
	k := t.Concurrency
	states, band := (k+1)*(k+2)/2, k+2
	width := 2*band + 1
	rates := make([]float64, states*width) // rates[i*width + j-i+band] = rate from i to j
	add := func(i, j int, rate float64) {
		if i != j {
			rates[i*width+j-i+band] += rate
		}
	}
	endsAtReply, back := t.cycle()
	at := func(open, desk int) int { return open*(open+1)/2 + desk }
	for open := range k + 1 {
		stay := 0.0
		if open == k {
			stay = refill
		}
		for m := range open + 1 {
			if open < k {
				add(at(open, m), at(open+1, m+1), arrivals[open])
			}
			if m > 0 {
				done := 1 / t.work(open)
				add(at(open, m), at(open, m-1), done*(1-endsAtReply))
				add(at(open, m), at(open-1, m-1), done*endsAtReply*(1-stay))
			}
			if away := open - m; away > 0 && endsAtReply > 0 {
				add(at(open, m), at(open, m+1), float64(away)*back)
			} else if away > 0 { // one round: the pause is the end
				add(at(open, m), at(open-1, m), float64(away)*back*(1-stay))
				add(at(open, m), at(open, min(m+1, open)), float64(away)*back*stay)
			}
		}
	}
	weights := stationary(rates, states, band)
	out := make([]seat, k+1)
	for open := range out {
		out[open] = t.describe(open, weights[at(open, 0):at(open, open)+1])
	}
	return out
}

// cycle returns the chance that a reply ends the conversation, and the rate at which one absent buyer
// comes back. With a single round the buyer's share of the handle time is a pause after the reply, and
// the chance is 0: the end of the pause is the end.
func (t chatTable) cycle() (endsAtReply, back float64) {
	pause := (1 - t.Overhead) * t.HandleTime.Seconds()
	switch {
	case t.Rounds > 1 && pause > 0:
		return 1 / t.Rounds, (t.Rounds - 1) / pause
	case pause > 0:
		return 0, 1 / pause
	case t.Rounds > 1:
		return 1 / t.Rounds, 1e6 / t.HandleTime.Seconds() // no pause at all: the buyer is back at once
	default:
		return 1, 1
	}
}

// stationary solves a banded irreducible chain by GTH elimination; weights sum to 1.
func stationary(rates []float64, states, band int) []float64 {
	width := 2*band + 1
	for n := states - 1; n > 0; n-- {
		low := max(0, n-band)
		out := 0.0
		for j := low; j < n; j++ {
			out += rates[n*width+j-n+band]
		}
		if out == 0 {
			continue // never left downwards: only with a refill of exactly 1, handled by the caller's floor
		}
		for i := low; i < n; i++ {
			in := rates[i*width+n-i+band] / out
			rates[i*width+n-i+band] = in
			if in == 0 {
				continue
			}
			for j := low; j < n; j++ {
				rates[i*width+j-i+band] += in * rates[n*width+j-n+band]
			}
		}
	}
	weights := make([]float64, states)
	weights[0] = 1
	for n := 1; n < states; n++ {
		for i := max(0, n-band); i < n; i++ {
			weights[n] += weights[i] * rates[i*width+n-i+band]
		}
		if weights[n] > 1e200 {
			for i := range n + 1 {
				weights[i] *= 1e-200
			}
		}
	}
	return weights
}

// describe turns the weights of one level into the figures of a seat.
func (t chatTable) describe(open int, weights []float64) seat {
	s := seat{desk: make([]float64, open+1)}
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	for m, w := range weights {
		s.desk[m] = w / sum
	}
	if !(sum > 0) { // a level out of reach in float64: everybody at the desk is the safe side
		clear(s.desk)
		s.desk[open] = 1
	}
	if open > 0 {
		s.replies = (1 - s.desk[0]) / t.work(open)
		s.ends = s.replies / t.Rounds
		asking := make([]float64, open)
		for m := range asking {
			asking[m] = s.desk[m] * float64(open-m)
		}
		s.each = replyWithin(asking, t.work(open), t.round)
	}
	next := t.work(min(open+1, t.Concurrency))
	s.first = replyWithin(s.desk, next, t.first)
	s.prompt = s.first
	if t.round != t.first {
		s.prompt = replyWithin(s.desk, next, t.round)
	}
	s.mean = meanReply(s.desk, next)
	return s
}

// replyWithin is the chance that a question which finds m conversations at the desk with weight
// ahead[m] is answered within limit seconds: the (m+1)-th completion, an Erlang variable.
func replyWithin(ahead []float64, work, limit float64) float64 {
	if limit <= 0 {
		return 0
	}
	x := limit / work
	term, tail, answered, sum := math.Exp(-x), 0.0, 0.0, 0.0
	for m, p := range ahead {
		tail += term // P(at most m completions in x)
		term *= x / float64(m+1)
		answered += p * (1 - tail)
		sum += p
	}
	if sum == 0 {
		return 1 - math.Exp(-x)
	}
	return min(1, max(0, answered/sum))
}

// meanReply is the mean of the same time, for weights that sum to 1.
func meanReply(ahead []float64, work float64) float64 {
	mean := 1.0
	for m, p := range ahead {
		mean += float64(m) * p
	}
	return mean * work
}

// afterRefill is the desk that a conversation taken from the queue finds: its place came free by a
// reply, so of the m at the desk one has just left.
func (t chatTable) afterRefill(full seat) []float64 {
	endsAtReply, _ := t.cycle()
	if endsAtReply == 0 {
		away := make([]float64, t.Concurrency)
		for m := range away {
			away[m] = full.desk[m] * float64(t.Concurrency-m)
		}
		return normalised(away)
	}
	return normalised(append([]float64(nil), full.desk[1:]...))
}

func normalised(w []float64) []float64 {
	sum := 0.0
	for _, v := range w {
		sum += v
	}
	if sum == 0 {
		w[len(w)-1], sum = 1, 1
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}
