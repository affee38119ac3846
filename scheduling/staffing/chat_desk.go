package staffing

import (
	"math"
	"slices"
	"time"
)

// chatTable is a load with its limits in seconds; the number of agents comes with each question.
type chatTable struct {
	Chats
	first float64    // limit of the first reply, seconds
	round [2]float64 // limits of every reply, seconds: the asked one and PlatformLimit
}

func (c Chats) table(firstWithin, roundWithin time.Duration) chatTable {
	return chatTable{Chats: c, first: firstWithin.Seconds(), round: [2]float64{roundWithin.Seconds(), PlatformLimit.Seconds()}}
}

// work is the mean attention per reply of an agent with open conversations, seconds.
func (t chatTable) work(open int) float64 {
	return t.Overhead * t.HandleTime.Seconds() / t.Rounds * t.slow(open)
}

// slow is the work time of a reply begun with open conversations over that of one begun alone.
func (t chatTable) slow(open int) float64 {
	further := max(0, open-1)
	if n := len(t.Slow); n > 0 {
		return t.Slow[min(further, n-1)]
	}
	return 1 + t.Slowdown*float64(further)
}

// idle is the share of first replies within the limit by an agent with nothing else to do.
func (t chatTable) idle() float64 { return 1 - math.Exp(-t.first/t.work(1)) }

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

// drive is what the chain of one agent needs to know of the pool around it.
type drive struct {
	arrivals []float64   // arrivals[j]: rate at which an agent with j open is given a new conversation
	turn     [][]float64 // turn[j][m]: that rate with m at the desk, over the mean rate at j; nil = 1
	pace     []float64   // pace[j]: mean seconds per reply in progress with j open; see pacing
	begun    float64     // work of a reply when it is begun over work at the level at which it was asked for; see pacing
	refill   float64     // chance that an agent who is full and ends one gets the next from the queue at once
}

func (d drive) rate(open, desk int) float64 {
	if d.turn[open] == nil {
		return d.arrivals[open]
	}
	return d.arrivals[open] * d.turn[open][desk]
}

// start is a drive in which every agent is given arrivals at one rate.
func (t chatTable) start(rate, refill float64) drive {
	d := drive{arrivals: make([]float64, t.Concurrency), turn: make([][]float64, t.Concurrency), pace: make([]float64, t.Concurrency+1), begun: 1, refill: refill}
	for j := range d.arrivals {
		d.arrivals[j] = rate
	}
	for j := range d.pace {
		d.pace[j] = t.work(j)
	}
	return d
}

// index of the state (open, desk) in the chain of one agent.
func index(open, desk int) int { return open*(open+1)/2 + desk }

// seats solves the chain of one agent over (open, at the desk). A new conversation starts at the desk.
//
// The chain is solved by the subtraction-free elimination of Grassmann, Taksar & Heyman (Oper. Res. 33
// (1985)), on the band that the transitions span.
func (t chatTable) seats(buffer []float64, d drive) ([]seat, []float64) {
	k := t.Concurrency
	states, band := (k+1)*(k+2)/2, k+2
	rates := t.rates(buffer, d, states, band)
	weights := stationary(rates, states, band)
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	for i := range weights {
		weights[i] /= sum
	}
	out := make([]seat, k+1)
	for open := range out {
		out[open] = t.describe(open, d, weights[index(open, 0):index(open, open)+1])
	}
	t.entries(out, d, weights)
	return out, weights
}

// rates lays out the transition rates of one agent in a band: rates[i*width + j-i+band] is from i to j.
// The buffer is used when it is large enough.
func (t chatTable) rates(buffer []float64, d drive, states, band int) []float64 {
	k, width := t.Concurrency, 2*band+1
	rates := slices.Grow(buffer[:0], states*width)[:states*width]
	clear(rates)
	add := func(i, j int, rate float64) {
		if i != j {
			rates[i*width+j-i+band] += rate
		}
	}
	endsAtReply, back := t.cycle()
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
	return rates
}

// entries notes with how many at the desk an agent comes to each level by ending a conversation.
func (t chatTable) entries(seats []seat, d drive, weights []float64) {
	endsAtReply, back := t.cycle()
	for open := range seats {
		entry := make([]float64, open+1)
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
		seats[open].entry = normalised(entry)
	}
}

// mostStages bounds the Erlang stages of a line, which are then close to a fixed time.
const mostStages = 16

// turns says how many are at the desk of the agent whose turn it is. Among agents with equally many
// open the one whose last ending is longest ago is chosen, so they form a line: an agent who enters it with
// waiting others ahead is chosen after as many arrivals, an Erlang time, and has had that long to work
// its desk off. line[j] is the mean number in the line, itself included, and served[j] the rate at
// which the line moves. A line of one is memoryless: the agent is met as it is (PASTA).
func (t chatTable) turns(d drive, seats []seat, line, served []float64) {
	endsAtReply, back := t.cycle()
	for open := range d.turn {
		s := &seats[open]
		d.turn[open] = nil
		if open == 0 || !(line[open] > 1) || !(served[open] > 0) {
			s.chosen = s.desk
			continue
		}
		stages := min(int(line[open]+0.5), mostStages)
		if stages < 1 {
			stages = 1
		}
		rate := served[open] / line[open] * float64(stages)
		s.chosen = append([]float64(nil), s.entry...)
		for range stages {
			t.age(s.chosen, open, d.pace[open], endsAtReply, back, rate)
		}
		s.chosen = normalised(s.chosen)
		turn := make([]float64, open+1)
		for m := range turn {
			turn[m] = min(s.chosen[m]/max(s.desk[m], 1e-12), 1e3)
		}
		d.turn[open] = turn
	}
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

// age lets a stage of an Erlang time pass at one level: exponential with the given rate, during which
// replies are sent and buyers come back, but no conversation ends. One tridiagonal solve, in place.
func (t chatTable) age(desk []float64, open int, pace, endsAtReply, back, rate float64) {
	up := func(m int) float64 { return float64(open-m) * back }
	n := len(desk)
	carry := make([]float64, n) // what is solved of the row above
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

// pacing finds how long a reply in progress takes on average with j open. Its length was set by the
// number open when it was begun, and while it lasts that number can only grow, so it is shorter than
// work(j) when switching slows agents down. starts[s] is the rate at which replies are begun at s. Since
// many are begun right after an ending, they are also begun at lower levels than they are asked for at:
// the ratio of the two mean works is returned.
func (t chatTable) pacing(d drive, weights []float64) float64 {
	if t.slow(t.Concurrency) == 1 {
		return 1
	}
	k := t.Concurrency
	endsAtReply, back := t.cycle()
	asked, askedWork := t.asked(d, weights)
	starts, joins := make([]float64, k+1), make([]float64, k+1)
	for open := 1; open <= k; open++ {
		busy, joined := 0.0, 0.0
		for m := 1; m <= open; m++ {
			w := weights[index(open, m)]
			done := w / d.pace[open]
			busy += w
			if open < k {
				joined += w * d.rate(open, m)
			}
			stay := 0.0
			if open == k {
				stay = d.refill
			}
			starts[open] += done * endsAtReply * stay
			if m > 1 {
				starts[open] += done * (1 - endsAtReply)
				starts[open-1] += done * endsAtReply * (1 - stay)
			}
		}
		idle := weights[index(open, 0)]
		starts[open] += idle * float64(open) * back * endsOrBack(endsAtReply, d.refill, open == k)
		starts[open] += weights[index(open-1, 0)] * d.rate(open-1, 0)
		if busy > 0 {
			joins[open] = joined / busy
		}
	}
	begun := make([]float64, k+1) // begun[s]: weight of replies in progress at the present level that were begun at s
	for open := 1; open <= k; open++ {
		all, speed := 0.0, 0.0
		for s := 1; s <= open; s++ {
			rate := 1 / t.work(s)
			if s == open {
				begun[s] = starts[s] / (rate + joins[open])
			} else {
				begun[s] *= joins[open-1] / (rate + joins[open])
			}
			all += begun[s]
			speed += begun[s] * rate
		}
		if all > 0 {
			d.pace[open] = all / speed
		}
	}
	begunAt, begunWork := 0.0, 0.0
	for open, rate := range starts {
		begunAt += rate
		begunWork += rate * t.work(open)
	}
	if begunAt == 0 || asked == 0 {
		return 1
	}
	return min(1, begunWork/begunAt*asked/askedWork)
}

// asked is the rate of questions and the rate of work they would be if begun at the level they are asked at.
func (t chatTable) asked(d drive, weights []float64) (rate, work float64) {
	endsAtReply, back := t.cycle()
	for open := 1; open <= t.Concurrency; open++ {
		here := 0.0
		for m := range open {
			here += weights[index(open-1, m)] * d.rate(open-1, m)
			if endsAtReply > 0 {
				here += weights[index(open, m)] * float64(open-m) * back
			}
			if open == t.Concurrency { // taken from the queue
				here += weights[index(open, m+1)] / d.pace[open] * endsAtReply * d.refill
			}
		}
		rate += here
		work += here * t.work(open)
	}
	return rate, work
}

// endsOrBack is the part of the pauses after which an idle agent begins a reply.
func endsOrBack(endsAtReply, refill float64, full bool) float64 {
	switch {
	case endsAtReply > 0:
		return 1
	case full:
		return refill
	default:
		return 0
	}
}

// describe turns the weights of one level into the figures of a seat.
func (t chatTable) describe(open int, d drive, weights []float64) seat {
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
		s.replies = (1 - s.desk[0]) / d.pace[open]
		s.ends = s.replies / t.Rounds
		asking := make([]float64, open)
		for m := range asking {
			asking[m] = s.desk[m] * float64(open-m)
		}
		for i, limit := range t.round {
			s.each[i] = replyWithin(asking, t.work(open)*d.begun, limit)
		}
		s.later = meanReply(normalised(asking), t.work(open)*d.begun)
	}
	return s
}

// answer fills in how a new conversation fares that is given to an agent whose turn it is.
func (t chatTable) answer(d drive, seats []seat) {
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
