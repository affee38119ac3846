package staffing

import (
	"math"
	"time"
)

// chatTable is a load with its limits in seconds; the number of agents comes with each question.
type chatTable struct {
	Chats
	first float64    // limit of the first reply, seconds
	round [2]float64 // limits of every reply, seconds: the asked one and PlatformLimit
	// What follows from the load, see timed.
	reply       float64 // mean attention per reply of an agent with one conversation, seconds
	endsAtReply float64 // see cycle
	back        float64
	*scratch
}

func (c Chats) table(firstWithin, roundWithin time.Duration) *chatTable {
	return c.tableIn(newScratch(c.Concurrency), firstWithin, roundWithin)
}

// tableIn is table in memory that other tables of the same concurrency have used.
func (c Chats) tableIn(memory *scratch, firstWithin, roundWithin time.Duration) *chatTable {
	t := &chatTable{Chats: c, first: firstWithin.Seconds(), round: [2]float64{roundWithin.Seconds(), PlatformLimit.Seconds()}, scratch: memory}
	t.timed(c.HandleTime)
	return t
}

// deciding leaves out the figures that no target looks at.
func (t *chatTable) deciding() *chatTable {
	t.round = [2]float64{}
	return t
}

// timed sets the handle time and what follows from it.
func (t *chatTable) timed(handle time.Duration) {
	t.HandleTime = handle
	t.reply = t.Overhead * handle.Seconds() / t.Rounds
	t.endsAtReply, t.back = t.cycle()
}

// work is the mean attention per reply of an agent with open conversations, seconds.
func (t *chatTable) work(open int) float64 {
	return t.reply * t.slow(open)
}

// slow is the work time of a reply begun with open conversations over that of one begun alone.
func (t *chatTable) slow(open int) float64 {
	further := max(0, open-1)
	if n := len(t.Slow); n > 0 {
		return t.Slow[min(further, n-1)]
	}
	return 1 + t.Slowdown*float64(further)
}

// idle is the share of first replies within the limit by an agent with nothing else to do.
func (t *chatTable) idle() float64 { return 1 - math.Exp(-t.first/t.work(1)) }

// seat is what an agent with a given number of open conversations does.
type seat struct {
	desk    []float64  // desk[m]: chance that m of them await the agent
	entry   []float64  // the same at the instant after the number open last changed
	chosen  []float64  // the same when it is the agent's turn to be given a new conversation
	ends    float64    // conversations finished per second
	replies float64    // replies per second
	first   float64    // chance that a new conversation gets its first reply within the limit
	mean    float64    // mean time to that reply, seconds
	prompt  [2]float64 // chance that it gets it within the round limits
	each    [2]float64 // chance that a later round is answered within its limits
	later   float64    // mean time to the reply of a later round, seconds
}

// index of the state (open, desk) in the chain of one agent.
func index(open, desk int) int { return open*(open+1)/2 + desk }

// solve solves the chain of one agent over (open, at the desk). A new conversation starts at the desk.
//
// The chain is solved by the subtraction-free elimination of Grassmann, Taksar & Heyman (Oper. Res. 33
// (1985)), on the band that the transitions span.
func (t *chatTable) solve(d *drive) (seats []seat, weights []float64) {
	states, band := len(t.weights), t.Concurrency+2
	t.layOut(d, states, band)
	weights = t.weights
	stationary(t.rates, weights, band)
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	for i := range weights {
		weights[i] /= sum
	}
	return t.describeAll(weights, d), weights
}

// describeAll turns the weights of the chain of one agent into seats.
func (t *chatTable) describeAll(weights []float64, d *drive) []seat {
	for open := range t.seats {
		t.describe(open, d, weights[index(open, 0):index(open, open)+1])
	}
	t.entries(t.seats, d, weights)
	return t.seats
}

// layOut puts the transition rates of one agent into a band: rates[i*width + j-i+band] is from i to j.
func (t *chatTable) layOut(d *drive, states, band int) {
	k, width := t.Concurrency, 2*band+1
	rates := sizedBuffer(&t.rates, states*width)
	clear(rates)
	add := func(i, j int, rate float64) {
		if i != j {
			rates[i*width+j-i+band] += rate
		}
	}
	endsAtReply, back := t.endsAtReply, t.back
	for open := range k + 1 {
		stay := 0.0
		if open == k {
			stay = d.refill
		}
		for m := range open + 1 {
			if open < k {
				add(index(open, m), index(open+1, m+1), d.rate(open, m))
			}
			if m > 0 {
				done := 1 / d.pace[open]
				add(index(open, m), index(open, m-1), done*(1-endsAtReply))
				add(index(open, m), index(open-1, m-1), done*endsAtReply*(1-stay))
			}
			if away := open - m; away > 0 && endsAtReply > 0 {
				add(index(open, m), index(open, m+1), float64(away)*back)
			} else if away > 0 { // one round: the pause is the end
				add(index(open, m), index(open-1, m), float64(away)*back*(1-stay))
				add(index(open, m), index(open, min(m+1, open)), float64(away)*back*stay)
			}
		}
	}
}

// entries notes with how many at the desk an agent comes to each level by ending a conversation.
func (t *chatTable) entries(seats []seat, d *drive, weights []float64) {
	endsAtReply, back := t.endsAtReply, t.back
	for open := range seats {
		entry := seats[open].entry
		clear(entry)
		if open < t.Concurrency {
			for m := range open + 1 {
				if endsAtReply > 0 {
					entry[m] = weights[index(open+1, m+1)] / d.pace[open+1]
				} else {
					entry[m] = weights[index(open+1, m)] * float64(open+1-m) * back
				}
			}
		}
		for m := 1; open > 0 && m <= open; m++ {
			entry[m] += weights[index(open-1, m-1)] * d.rate(open-1, m-1)
		}
		normalised(entry)
	}
}

// mostStages bounds the Erlang stages of a line, which are then close to a fixed time.
const mostStages = 16

// turns says how many are at the desk of the agent whose turn it is. Among agents with equally many
// open the one whose last ending is longest ago is chosen, so they form a line: an agent who enters it with
// waiting others ahead is chosen after as many arrivals, an Erlang time, and has had that long to work
// its desk off. line[j] is the mean number in the line, itself included, and served[j] the rate at
// which the line moves. A line of one is memoryless: the agent is met as it is (PASTA).
func (t *chatTable) turns(d *drive, seats []seat, line, served []float64) {
	endsAtReply, back := t.endsAtReply, t.back
	for open := range d.turn {
		s := &seats[open]
		d.turn[open] = d.turn[open][:0]
		if open == 0 || !(line[open] > 1) || !(served[open] > 0) {
			s.chosen = s.desk
			continue
		}
		stages := min(int(line[open]+0.5), mostStages)
		if stages < 1 {
			stages = 1
		}
		rate := served[open] / line[open] * float64(stages)
		s.chosen = t.chosen[open]
		copy(s.chosen, s.entry)
		for range stages {
			t.age(s.chosen, open, d.pace[open], endsAtReply, back, rate)
		}
		normalised(s.chosen)
		for m, p := range s.chosen {
			d.turn[open] = append(d.turn[open], min(p/max(s.desk[m], 1e-12), 1e3))
		}
	}
}

// cycle returns the chance that a reply ends the conversation, and the rate at which one absent buyer
// comes back. With a single round the buyer's share of the handle time is a pause after the reply, and
// the chance is 0: the end of the pause is the end.
func (t *chatTable) cycle() (endsAtReply, back float64) {
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

// stationary solves a banded irreducible chain by GTH elimination and leaves its weights, not yet of sum 1.
func stationary(rates, weights []float64, band int) {
	states, width := len(weights), 2*band+1
	for n := states - 1; n > 0; n-- {
		low := max(0, n-band)
		from := rates[n*width+low-n+band : n*width+band] // from n to low...n-1
		out := 0.0
		for _, rate := range from {
			out += rate
		}
		if out == 0 {
			continue // never left downwards: only with a refill of exactly 1, handled by the caller's floor
		}
		for i := low; i < n; i++ {
			at := i*width - i + band
			if rates[at+n] == 0 {
				continue
			}
			in := rates[at+n] / out
			rates[at+n] = in
			for j, to := range rates[at+low : at+n] {
				rates[at+low+j] = to + in*from[j]
			}
		}
	}
	clear(weights)
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
}

// age lets a stage of an Erlang time pass at one level: exponential with the given rate, during which
// replies are sent and buyers come back, but no conversation ends. One tridiagonal solve, in place.
func (t *chatTable) age(desk []float64, open int, pace, endsAtReply, back, rate float64) {
	up := func(m int) float64 { return float64(open-m) * back }
	n := len(desk)
	carry := t.carry[:n] // what is solved of the row above
	for m := range n {
		out, down := rate+up(m), 0.0
		if m > 0 {
			out += 1 / pace
		}
		if m+1 < n {
			down = (1 - endsAtReply) / pace
		}
		into := 0.0
		if m > 0 && endsAtReply > 0 {
			into = up(m - 1)
			out -= into * carry[m-1]
			desk[m] += into * desk[m-1]
		}
		carry[m] = down / out
		desk[m] /= out
	}
	for m := n - 2; m >= 0; m-- {
		desk[m] += carry[m] * desk[m+1]
	}
}

// describe turns the weights of one level into the figures of a seat.
func (t *chatTable) describe(open int, d *drive, weights []float64) {
	s := &t.seats[open]
	*s = seat{desk: s.desk, entry: s.entry}
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
		s.replies = (1 - s.desk[0]) / d.pace[open]
		s.ends = s.replies / t.Rounds
	}
}

// laterRounds fills in how the later rounds fare; begun is that of the drive that the seats were described with.
func (t *chatTable) laterRounds(begun float64, seats []seat) {
	for open := 1; open < len(seats); open++ {
		s := &seats[open]
		asking, work := t.asking[:open], t.work(open)*begun
		for m := range asking {
			asking[m] = s.desk[m] * float64(open-m)
		}
		for i, limit := range t.round {
			s.each[i] = replyWithin(asking, work, limit)
		}
		s.later = meanReply(normalised(asking), work)
	}
}

// answer fills in how a new conversation fares that is given to an agent whose turn it is.
func (t *chatTable) answer(d *drive, seats []seat) {
	for open := range seats {
		s := &seats[open]
		if s.chosen == nil {
			s.chosen = s.desk
		}
		next := t.work(min(open+1, t.Concurrency)) * d.begun
		s.first = replyWithin(s.chosen, next, t.first)
		for i, limit := range t.round {
			s.prompt[i] = replyWithin(s.chosen, next, limit)
		}
		s.mean = meanReply(s.chosen, next)
	}
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
func (t *chatTable) afterRefill(full seat) []float64 {
	if t.endsAtReply == 0 {
		away := t.away
		for m := range away {
			away[m] = full.desk[m] * float64(t.Concurrency-m)
		}
		return normalised(away)
	}
	copy(t.away, full.desk[1:])
	return normalised(t.away)
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
