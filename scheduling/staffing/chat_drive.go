package staffing

// drive is what the chain of one agent needs to know of the pool around it.
type drive struct {
	arrivals []float64   // arrivals[j]: rate at which an agent with j open is given a new conversation
	turn     [][]float64 // turn[j][m]: that rate with m at the desk, over the mean rate at j; empty = 1
	pace     []float64   // pace[j]: mean seconds per reply in progress with j open; see pacing
	begun    float64     // work of a reply when it is begun over work at the level at which it was asked for; see pacing
	refill   float64     // chance that an agent who is full and ends one gets the next from the queue at once
}

func (d *drive) rate(open, desk int) float64 {
	if len(d.turn[open]) == 0 {
		return d.arrivals[open]
	}
	return d.arrivals[open] * d.turn[open][desk]
}

func newDrive(k int) drive {
	d := drive{arrivals: make([]float64, k), turn: make([][]float64, k), pace: make([]float64, k+1)}
	for open := range d.turn {
		d.turn[open] = make([]float64, 0, open+1)
	}
	return d
}

// copyFrom makes d the same as e, in its own memory.
func (d *drive) copyFrom(e *drive) {
	d.arrivals, d.pace = append(d.arrivals[:0], e.arrivals...), append(d.pace[:0], e.pace...)
	for open := range d.turn {
		d.turn[open] = append(d.turn[open][:0], e.turn[open]...)
	}
	d.begun, d.refill = e.begun, e.refill
}

// start makes d a drive in which every agent is given arrivals at one rate.
func (t *chatTable) start(d *drive, rate, refill float64) {
	d.begun, d.refill = 1, refill
	for j := range d.arrivals {
		d.arrivals[j], d.turn[j] = rate, d.turn[j][:0]
	}
	for j := range d.pace {
		d.pace[j] = t.work(j)
	}
}

// pacing finds how long a reply in progress takes on average with j open. Its length was set by the
// number open when it was begun, and while it lasts that number can only grow, so it is shorter than
// work(j) when switching slows agents down. starts[s] is the rate at which replies are begun at s. Since
// many are begun right after an ending, they are also begun at lower levels than they are asked for at:
// the ratio of the two mean works is returned.
func (t *chatTable) pacing(d *drive, weights []float64) float64 {
	if t.slow(t.Concurrency) == 1 {
		return 1
	}
	k := t.Concurrency
	endsAtReply, back := t.endsAtReply, t.back
	asked, askedWork := t.asked(d, weights)
	starts, joins, begun := t.starts, t.joins, t.begun
	clear(starts)
	clear(joins)
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
	clear(begun) // begun[s]: weight of replies in progress at the present level that were begun at s
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
func (t *chatTable) asked(d *drive, weights []float64) (rate, work float64) {
	endsAtReply, back := t.endsAtReply, t.back
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
