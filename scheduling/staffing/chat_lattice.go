package staffing

import "math"

// The lattice of a desk with memory: which numbers of conversations and pauses are told apart, the walk over them and
// its weights.

// reach lays the lattice over what occurs: both numbers go in the same steps from the full desk down, so that the full
// desk and the desks whose buyers all pause are points of it. At these borders the rates bend, and a state is nowhere
// led past them.
func (m *memory) reach() {
	mean := m.rate * (m.Rounds - 1) / m.back // each conversation pauses R-1 times
	width := 5*math.Sqrt(mean) + 3
	most := min(m.room, int(mean+width)) // pauses
	least := min(max(0, int(mean-width)), max(0, most-2*int(width)))
	low, high := m.usual()
	margin := (high-low)/2 + 2 // the memory spreads them further
	low, high = max(least, low-margin), high+margin
	if m.limit > 0 { // the saddle of the calm regime may lie elsewhere
		high = m.room
	}
	if high >= m.room { // somebody may wait, and while all pause the queue grows to what patience lets stand
		crowd := m.rate / m.leave
		high = max(high, m.room+int(crowd+4*math.Sqrt(crowd))+6)
	}
	for m.step = 1; ; m.step++ {
		m.from = m.room - (m.room-low)/m.step*m.step
		m.count = (high-m.from)/m.step + 1
		m.pauses = m.room - (m.room-least)/m.step*m.step
		m.kinds = (most-m.pauses)/m.step + 1
		if narrow := min(m.count, m.kinds); m.count*m.kinds*narrow*narrow <= m.effort {
			return
		}
	}
}

// The work that the elimination may take, about one operation each: for figures, and for a pass on the way to them.
const (
	fineEffort   = 2_000_000
	coarseEffort = 60_000
)

// usual is the range of the conversations that occur by the chain without memory.
func (m *memory) usual() (low, high int) {
	const never = 1e-6
	full := float64(m.agents) * m.seats[m.Concurrency].ends
	most, weights := 0.0, []float64{0} // logarithms
	for n := 1; ; n++ {
		d := full
		if n < m.room {
			here := spread(m.agents, n/m.agents, n%m.agents, m.rate, m.seats)
			d = here.ends(m.seats)
		}
		weights = append(weights, weights[n-1]+math.Log(m.rate/(d+m.leave*float64(max(0, n-m.room)))))
		if n == 1 {
			most = weights[1]
		}
		if most = max(most, weights[n]); weights[n] < most+math.Log(never) || n == m.limit {
			high = n
			break
		}
	}
	for weights[low] < most+math.Log(never) {
		low++
	}
	return low, high
}

// solve finds the weights of the states. All rates are read where the walk stands: then on average it drifts nowhere, so
// as much work is done as is brought and as many pauses end as begin, whatever the steps are.
func (m *memory) solve() {
	band, across, along := m.kinds, m.kinds, 1 // steps in the list of weights
	width := 2*band + 1
	rates := sizedBuffer(&m.rates, len(m.weights)*width)
	clear(rates)
	edge := func(a, b int, rate float64) {
		if m.desks[b].present {
			rates[a*width+b-a+band] = rate
		}
	}
	for i := range m.count {
		for j := range m.kinds {
			a := i*m.kinds + j
			if !m.desks[a].present {
				continue
			}
			up, down := stepped(m.rate, m.gone(i, j), m.step)
			if i+1 < m.count {
				edge(a, a+across, up)
			}
			if i > 0 {
				edge(a, a-across, down)
			}
			up, down = m.pauseRates(a, j)
			if j+1 < m.kinds {
				edge(a, a+along, up)
			}
			if j > 0 {
				edge(a, a-along, down)
			}
		}
	}
	stationary(rates, m.weights, band)
	sum := total(m.weights)
	for i := range m.weights {
		m.weights[i] /= sum
	}
}

// profile is the logarithms of the weights by conversations until everybody is full, pauses added up, that of those that
// wait, and the rates upwards.
func (m *memory) profile() (weights []float64, rest float64, up []float64) {
	for i := range m.count {
		sum, rising := 1e-300, 0.0
		for j := range m.kinds {
			w := m.weights[i*m.kinds+j]
			rise, _ := stepped(m.rate, m.gone(i, j), m.step)
			sum += w
			rising += w * rise
		}
		if m.from+i*m.step > m.room {
			rest += sum
			continue
		}
		weights, up = append(weights, math.Log(sum)), append(up, max(rising/sum, 1e-300))
	}
	return weights, math.Log(rest), up
}

// below is the weight of the states with fewer than n conversations.
func (m *memory) below(n int) (sum float64) {
	for i := range m.count {
		if m.from+i*m.step < n {
			sum += total(m.weights[i*m.kinds : (i+1)*m.kinds])
		}
	}
	return sum
}

// mean is the mean number of conversations.
func (m *memory) mean() (sum float64) {
	for i := range m.count {
		sum += float64(m.from+i*m.step) * total(m.weights[i*m.kinds:(i+1)*m.kinds])
	}
	return sum
}

// feedback updates what the chain of one agent needs.
func (m *memory) feedback(b *balance) (refill float64) {
	sums := m.pooled
	sums.clear()
	waits, queued := 0.0, 0.0
	for i := range m.count {
		n, w := m.from+i*m.step, total(m.weights[i*m.kinds:(i+1)*m.kinds])
		switch {
		case n > m.room:
			queued += w
			fallthrough
		case n == m.room:
			waits += w
		case w > 0:
			here := spread(m.agents, n/m.agents, n%m.agents, m.rate, m.seats)
			sums.add(&here, w, m.rate, m.Concurrency)
		}
	}
	for j := range b.line {
		given := max(sums.given[j], 1e-300)
		b.line[j], b.served[j] = sums.line[j]*m.rate/given, sums.served[j]*m.rate/given
		if sums.there[j] > 0 { // half the way, for small desks would go to and fro
			b.drive.arrivals[j] = (b.drive.arrivals[j] + max(sums.given[j]/sums.there[j], 1e-9*m.rate/float64(m.agents))) / 2
		}
	}
	full := sums.there[m.Concurrency] + float64(m.agents)*waits
	if full == 0 {
		return 0
	}
	return min(float64(m.agents)*queued/full, alwaysRefilled)
}

// cut leaves only what is below a row of the lattice.
func (m *memory) cut(row int) {
	clear(m.weights[row*m.kinds:])
	sum := total(m.weights)
	for i := range m.weights {
		m.weights[i] /= sum
	}
}

// pauseRates are the rates at which a state is left for those with a step more and a step fewer pauses.
func (m *memory) pauseRates(state, j int) (up, down float64) {
	return stepped(m.desks[state].speed*(1-1/m.Rounds), float64(m.pauses+j*m.step)*m.back, m.step)
}

// gone is the rate at which conversations leave the system in a state.
func (m *memory) gone(i, j int) float64 {
	return m.desks[i*m.kinds+j].speed/m.Rounds + m.leave*float64(max(0, m.from+i*m.step-m.room))
}

// stepped are the rates of a walk in steps of several that has the drift of one that goes up and down by one and, where both
// rates are constant, its stationary weights: (up/down)^step is the ratio of the weights a step apart.
func stepped(up, down float64, step int) (u, d float64) {
	h := float64(step)
	switch {
	case step == 1:
		return up, down
	case up <= 0 || down <= 0:
		return up / h, down / h
	}
	x := h * math.Log(up/down)
	if math.Abs(x) < 1e-6 {
		return up / h / h, down / h / h
	}
	if x > 0 {
		u = (up - down) / h / -math.Expm1(-x)
		return u, u * math.Exp(-x)
	}
	d = (up - down) / h / math.Expm1(x)
	return d * math.Exp(x), d
}

func total(w []float64) (sum float64) {
	for _, v := range w {
		sum += v
	}
	return sum
}
