package staffing

import "math"

// pool is one pass of the chain over the conversations in the system, for given seats.
type pool struct {
	odds, first, mean, open, replies, later float64    // weights over the states with a free place
	prompt, inTime                          [2]float64 // the same within the round limits
	full                                    float64    // weight of the first full state, on the same scale
	tally
}

// below runs the chain from the empty state to the last one with room, or to the limit, if there is one. Only with figures
// does it add up more than the other chain needs.
func (t *chatTable) below(agents int, rate float64, seats []seat, limit int, figures bool) pool {
	k := t.Concurrency
	p := pool{full: 1, tally: t.pooled}
	p.clear()
	here := spread(agents, 0, 0, rate, seats)
	low, more := 0, 0
	for n := range agents * k {
		w := p.full
		p.odds += w
		p.open += w * float64(n)
		p.add(&here, w, rate, k)
		if figures {
			p.addFigures(&here, w, seats)
		}
		// Balance with the state above: full(n+1) * deaths(n+1) = full(n) * rate.
		if more++; more == agents {
			low, more = low+1, 0
		}
		here = spread(agents, low, more, rate, seats)
		p.full *= rate / here.ends(seats)
		if p.full > 1e200 {
			p.scale(1 / p.full)
		}
		if p.full < outOfReach*p.odds || n+1 == limit {
			p.full = 0
			break
		}
	}
	return p
}

// add adds a state of weight w to what the chain of one agent needs.
func (t *tally) add(here *loads, w, rate float64, k int) {
	for i, count := range here.count {
		level := here.lowest + i
		if count <= 0 || level > k {
			continue
		}
		t.there[level] += w * count
		if chosen := here.chosen[i]; chosen > 0 {
			t.given[level] += w * chosen * rate
			t.line[level] += w * chosen * count
			t.served[level] += w * chosen * chosen * rate
		}
	}
}

// addFigures adds a state of weight w to the figures.
func (p *pool) addFigures(here *loads, w float64, seats []seat) {
	for i, count := range here.count {
		level := here.lowest + i
		if count <= 0 || level >= len(seats) {
			continue
		}
		s := &seats[level]
		replies := w * count * s.replies
		p.replies += replies
		p.later += replies * s.later
		for i := range s.each {
			p.inTime[i] += replies * s.each[i]
		}
		if chosen := here.chosen[i]; chosen > 0 {
			p.first += w * chosen * s.first
			for i := range s.prompt {
				p.prompt[i] += w * chosen * s.prompt[i]
			}
			p.mean += w * chosen * s.mean
		}
	}
}

// outOfReach is the relative weight below which the chain stops: the states above are never seen.
const outOfReach = 1e-60

// loads says how the conversations are spread: agents with lowest, lowest+1 and lowest+2 open, and the
// chance that a new one goes to each of them.
type loads struct {
	lowest int
	count  [3]float64
	chosen [3]float64
}

func (l *loads) ends(seats []seat) (sum float64) {
	for i, count := range l.count {
		if level := l.lowest + i; count > 0 && level < len(seats) {
			sum += count * seats[level].ends
		}
	}
	return sum
}

// spread of low*agents+more conversations. Least-loaded routing would keep all agents at low or low+1,
// but endings are not routed: an agent at low who ends one stands at low-1 until the next arrival, which
// goes there first. Their number x is a queue that endings fill at the rate (few-2x) ends(low) and arrivals
// empty; it matters because it is the new conversation that meets the emptier desk. Arrivals empty it and raise
// the number of conversations, so a number from which more end than arrive was mostly come to from below, by
// arrivals: balance across it has total/rate as much of them, and rate/total as much of the endings. See DESIGN.md.
func spread(agents, low, more int, rate float64, seats []seat) loads {
	few := float64(agents - more)
	if low == 0 || low >= len(seats)-1 {
		return loads{lowest: low, count: [3]float64{few, float64(more)}, chosen: [3]float64{1}}
	}
	const small = 1e-4
	total := few*seats[low].ends + float64(more)*seats[low+1].ends
	var sum, behind float64
	for range 2 {
		back := min(1, rate/total)
		up := seats[low].ends / rate * back * back
		weight := 1.0
		sum, behind = 1, 0
		for x := 1.0; few-2*x >= 0; x++ {
			weight *= (few - 2*(x-1)) * up
			sum += weight
			behind += x * weight
			if weight < small*sum {
				break
			}
		}
		behind /= sum
		total = (few-2*behind)*seats[low].ends + (float64(more)+behind)*seats[low+1].ends
	}
	present := 1 - 1/sum
	return loads{
		lowest: low - 1,
		count:  [3]float64{behind, few - 2*behind, float64(more) + behind},
		chosen: [3]float64{present, 1 - present},
	}
}

func (p *pool) scale(f float64) {
	for _, v := range []*float64{&p.odds, &p.first, &p.mean, &p.open, &p.replies, &p.later, &p.full, &p.prompt[0], &p.prompt[1], &p.inTime[0], &p.inTime[1]} {
		*v *= f
	}
	for i := range p.given {
		p.given[i] *= f
		p.line[i] *= f
		p.served[i] *= f
	}
	for i := range p.there {
		p.there[i] *= f
	}
}

// mixing is how often the pool chain and the seat chain are solved in turn; on the accuracy grid shares move
// by less than 0.1 percentage points after four, but for pools with two regimes near capacity.
const mixing = 4

// at evaluates a number of agents. The pool chain needs to know how fast an agent with j conversations
// finishes them, the seat chain how often such an agent gets a new one; they are solved in turn.
func (t *chatTable) at(agents int) ChatPerformance {
	rate, leave := t.Contacts/t.Interval.Seconds(), 1/t.Patience.Seconds()
	out := ChatPerformance{Agents: agents}
	switch {
	case agents <= 0:
		out.Wait, out.Abandon, out.ASASeconds, out.AverageQueue = 1, 1, 1/leave, rate/leave
		return out
	case rate == 0:
		out.FirstWithin, out.FirstResponseSeconds, out.ResponseSeconds = t.idle(), t.work(1), t.work(1)
		out.RoundWithin, out.PlatformWithin = 1-math.Exp(-t.round[0]/t.work(1)), 1-math.Exp(-t.round[1]/t.work(1))
		return out
	}
	b := t.settle(agents, rate, leave)
	t.evaluate(&out, rate, leave, &b)
	with, part := ChatPerformance{Agents: agents}, t.remembers()
	var m *memory
	if part > 0 {
		m = t.remembered(agents, rate, leave, &b, fineEffort)
		m.recall(&with)
	}
	if t.mayTip(agents, rate, leave, &b, max(b.wait, with.Wait)) {
		t.stayCalm(&out, &with, m, rate, leave, &b)
	}
	if m != nil {
		out.mix(&with, part)
	}
	return out
}

// evaluate fills in the figures of a balance.
func (t *chatTable) evaluate(out *ChatPerformance, rate, leave float64, b *balance) {
	out.Wait = b.wait
	var atRound [2]moments
	for i, limit := range t.round {
		atRound[i] = b.waiting
		if limit != t.first && limit > 0 {
			atRound[i] = t.queued(out.Agents, rate, leave, b.seats, limit)
		}
	}
	t.figures(out, b.seats, b.pool, b.waiting, atRound, rate, leave)
}

// mix moves all figures towards others by a part.
func (p *ChatPerformance) mix(o *ChatPerformance, part float64) {
	for _, f := range []struct{ to, from *float64 }{
		{&p.Wait, &o.Wait},
		{&p.Abandon, &o.Abandon},
		{&p.FirstWithin, &o.FirstWithin},
		{&p.RoundWithin, &o.RoundWithin},
		{&p.PlatformWithin, &o.PlatformWithin},
		{&p.ASASeconds, &o.ASASeconds},
		{&p.FirstResponseSeconds, &o.FirstResponseSeconds},
		{&p.ResponseSeconds, &o.ResponseSeconds},
		{&p.Occupancy, &o.Occupancy},
		{&p.Open, &o.Open},
		{&p.AverageQueue, &o.AverageQueue},
	} {
		*f.to += part * (*f.from - *f.to)
	}
}

// balance is a steady state: the chain of one agent and that of the conversations, each as the other needs it. It
// lies in the scratch of its table.
type balance struct {
	drive        *drive
	weights      []float64 // of the chain of one agent; sums to 1
	seats        []seat
	pool         pool
	waiting      moments
	wait         float64   // share of arrivals that find everybody full
	limit        int       // conversations at which the chain over them was ended; 0 = it was not
	line, served []float64 // see turns
}

// begin is a balance before the first pass, with arrivals at one rate whatever an agent has open.
func (t *chatTable) begin(rate float64) (b balance) {
	b.drive, b.line, b.served = &t.drive, t.line, t.served
	t.start(b.drive, rate, 0)
	clear(b.line)
	clear(b.served)
	return b
}

// settle solves the two chains in turn. rate and leave are per second and positive, agents at least 1.
func (t *chatTable) settle(agents int, rate, leave float64) balance {
	b := t.begin(rate / float64(agents))
	for pass := range mixing {
		t.alternate(&b, agents, rate, leave, pass == mixing-1, nil)
	}
	return b
}

// alternate is one pass; only the last tells figures. Where a limit is given, which may look at the seats, the chain over
// the conversations ends below it; 0 = it has no limit.
func (t *chatTable) alternate(b *balance, agents int, rate, leave float64, last bool, limit func() int) {
	begun := b.drive.begun
	b.seats, b.weights = t.solve(b.drive)
	t.turns(b.drive, b.seats, b.line, b.served)
	b.drive.begun = t.pacing(b.drive, b.weights)
	if last {
		t.laterRounds(begun, b.seats)
		t.answer(b.drive, b.seats)
	}
	if limit != nil {
		b.limit = limit()
	}
	b.pool = t.below(agents, rate, b.seats, b.limit, last)
	b.waiting = moments{}
	switch {
	case last:
		b.waiting = t.queued(agents, rate, leave, b.seats, t.first)
	case b.pool.full > 0:
		w := waiting{arrival: rate, drain: float64(agents) * b.seats[t.Concurrency].ends, leave: leave}
		b.waiting = moments{logOdds: w.logOdds()}
	}
	b.wait = b.pool.full / (b.pool.full + b.pool.odds*math.Exp(-b.waiting.logOdds))
	b.drive.refill = t.feedback(b.drive.arrivals, b.pool, b.waiting, b.wait, float64(agents))
	for j := range b.line {
		given := max(b.pool.given[j], 1e-300)
		b.line[j], b.served[j] = b.pool.line[j]*rate/given, b.pool.served[j]*rate/given
	}
}

// queued is the wait of those who find everybody full, and their chance of a reply within limit seconds.
func (t *chatTable) queued(agents int, rate, leave float64, seats []seat, limit float64) moments {
	full := seats[t.Concurrency]
	desk, work := t.afterRefill(full), t.work(t.Concurrency)
	w := waiting{arrival: rate, drain: float64(agents) * full.ends, leave: leave}
	return w.moments(limit, func(rest float64) float64 { return replyWithin(desk, work, rest) })
}

// alwaysRefilled is 1 but for what keeps the seat chain irreducible.
const alwaysRefilled = 1 - 1e-9

// feedback updates what the seat chain needs from the pool chain.
func (t *chatTable) feedback(arrivals []float64, p pool, m moments, wait, agents float64) (refill float64) {
	k := t.Concurrency
	least := 1e-9 * t.Contacts / t.Interval.Seconds() / agents // never 0: every level stays reachable
	for j := range arrivals {
		if p.there[j] > 0 {
			arrivals[j] = max(p.given[j]/p.there[j], least)
		}
	}
	// Of the agent-time at full load, the part during which somebody waits.
	below := (1 - wait) / p.odds
	queued := agents * wait * -math.Expm1(-m.logOdds)
	atFull := below*p.there[k] + agents*wait
	if atFull == 0 {
		return 0
	}
	refill = queued / atFull
	return min(max(refill, 0), alwaysRefilled)
}

func (t *chatTable) figures(out *ChatPerformance, seats []seat, p pool, m moments, atRound [2]moments, rate, leave float64) {
	k, agents := t.Concurrency, float64(out.Agents)
	below := 0.0 // weight of a state below, once normalised
	if p.odds > 0 {
		below = (1 - out.Wait) / p.odds
	}
	out.ASASeconds = out.Wait * m.meanWait
	out.Abandon = leave * out.ASASeconds
	out.AverageQueue = rate * out.ASASeconds
	out.FirstWithin = min(1, below*p.first+out.Wait*m.answeredIn)
	answered := 1 - out.Wait + out.Wait*m.answered
	reply := meanReply(t.afterRefill(seats[k]), t.work(k))
	out.FirstResponseSeconds = (below*p.mean + out.Wait*(m.answeredWait+m.answered*reply)) / answered
	full := out.Wait * agents * seats[k].replies
	replies := below*p.replies + full
	later := 1 - 1/t.Rounds // share of the rounds that are not the first
	for i, share := range []*float64{&out.RoundWithin, &out.PlatformWithin} {
		first := (below*p.prompt[i] + out.Wait*atRound[i].answeredIn) / answered
		*share = min(1, (1-later)*first+later*(below*p.inTime[i]+full*seats[k].each[i])/replies)
	}
	out.ResponseSeconds = (1-later)*out.FirstResponseSeconds + later*(below*p.later+full*seats[k].later)/replies
	out.Open = below*p.open/agents + out.Wait*float64(k)
	busy := out.Wait * agents * (1 - seats[k].desk[0])
	for open, there := range p.there {
		busy += below * there * (1 - seats[open].desk[0])
	}
	out.Occupancy = min(1, busy/agents)
}
