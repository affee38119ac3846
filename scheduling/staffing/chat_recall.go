package staffing

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// seen is what contacts and agents see of a desk with memory, added up over its states.
type seen struct {
	met, asked [][]float64 // desks that new conversations and later questions meet, by open conversations
	first      [3]float64  // shares of arrivals within the limits, of those who waited
	taken      float64     // share of arrivals who waited and were taken up
	seconds    float64     // their time to the first reply
	queue      float64
	wait       float64
	open, busy float64
}

// recall fills in the figures.
func (m *memory) recall(out *ChatPerformance) {
	k := m.Concurrency
	v := seen{met: make([][]float64, k+1), asked: make([][]float64, k+1)}
	for open := range v.met {
		v.met[open], v.asked[open] = make([]float64, open+1), make([]float64, open+1)
	}
	for i := range m.count {
		n := m.from + i*m.step
		for j := range m.kinds {
			a := i*m.kinds + j
			d, w := &m.desks[a], m.weights[a]
			if !d.present || w <= 0 {
				continue
			}
			v.open += w * float64(min(n, m.room))
			v.busy += w * d.busy
			m.questions(&v, d, w)
			full := m.fullPart(n)
			v.wait += full * w
			v.queue += w * float64(max(0, n-m.room))
			if full < 1 {
				m.newcomers(&v, d, (1-full)*w, n >= m.room)
			}
		}
	}
	m.waiters(&v)
	m.report(out, &v)
}

// fullPart is how much of a point of the lattice stands for states in which everybody is full.
func (m *memory) fullPart(n int) float64 {
	switch {
	case n < m.room:
		return 0
	case n > m.room:
		return 1
	default:
		return float64(m.step+1) / float64(2*m.step)
	}
}

// questions adds the desks that buyers meet who come back.
func (m *memory) questions(v *seen, d *deskState, w float64) {
	for i, count := range d.spread.count {
		level := d.spread.lowest + i
		if count <= 0 || level < 1 || level > m.Concurrency {
			continue
		}
		for s := 1; s <= level; s++ {
			v.asked[level][level-s] += w * count * float64(s) * d.pausing(i, s)
		}
	}
}

// newcomers adds the desks that new conversations meet which are taken up at once.
func (m *memory) newcomers(v *seen, d *deskState, w float64, last bool) {
	here := d.spread
	if last { // a point at the border stands for the state below as well
		here.chosen = [3]float64{1}
	}
	for i, chance := range here.chosen {
		level := here.lowest + i
		if last {
			level--
		}
		if chance <= 0 || level >= m.Concurrency {
			continue
		}
		idle, ahead := 1.0, 1.0
		if !last && level == d.lowest && i > 0 == (d.spread.chosen[0] < 1) {
			p := d.pausing(i, level)
			if idle = min(d.turn, 1/max(p, 1e-12)); p < 1 {
				ahead = (1 - idle*p) / (1 - p)
			}
		}
		sum := 0.0 // less than 1 at the border, where the law is that of a full agent
		for s := range level + 1 {
			sum += d.pausing(i, s)
		}
		for s := range level + 1 {
			turn := ahead
			if s == level {
				turn = idle
			}
			if sum > 0 {
				v.met[level][level-s] += w * chance * turn * d.pausing(i, s) / sum
			}
		}
	}
}

// limits are those of the first reply and of every round, seconds.
func (m *memory) limits() [3]float64 { return [3]float64{m.first, m.round[0], m.round[1]} }

// report turns sums into figures.
func (m *memory) report(out *ChatPerformance, v *seen) {
	limits := m.limits()
	first, each := v.first, [3]float64{}
	firstMean, laterMean, taken, later := v.seconds, 0.0, v.taken, 0.0
	for open := range v.met {
		if sum := total(v.met[open]); sum > 0 {
			work := m.work(min(open+1, m.Concurrency)) * m.begun
			taken += sum
			for i, limit := range limits {
				first[i] += sum * replyWithin(v.met[open], work, limit)
			}
			firstMean += meanOf(v.met[open], work)
		}
		if sum := total(v.asked[open]); sum > 0 {
			work := m.work(open) * m.begun
			later += sum
			for i, limit := range limits {
				each[i] += sum * replyWithin(v.asked[open], work, limit)
			}
			laterMean += meanOf(v.asked[open], work)
		}
	}
	out.Wait = min(1, v.wait)
	out.AverageQueue = v.queue
	out.ASASeconds = v.queue / m.rate
	out.Abandon = min(1, m.leave*out.ASASeconds)
	out.Open, out.Occupancy = v.open/float64(m.agents), v.busy/float64(m.agents)
	out.FirstWithin = min(1, first[0])
	out.FirstResponseSeconds = firstMean / taken
	part := 1 - 1/m.Rounds // share of the rounds that are not the first
	if later == 0 {
		part, later = 0, 1
	}
	out.RoundWithin = min(1, (1-part)*first[1]/taken+part*each[1]/later)
	out.PlatformWithin = min(1, (1-part)*first[2]/taken+part*each[2]/later)
	out.ResponseSeconds = (1-part)*out.FirstResponseSeconds + part*laterMean/later
}

// meanOf is the mean time to a reply times the sum of the weights.
func meanOf(ahead []float64, work float64) (sum float64) {
	for m, p := range ahead {
		sum += p * float64(m+1) * work
	}
	return sum
}

// waiters follows those who find everybody full.
func (m *memory) waiters(v *seen) {
	first := 0
	for m.from+first*m.step < m.room {
		first++
	}
	rows := m.count - first
	if rows <= 0 || v.wait < 1e-9 {
		return
	}
	at := make([]float64, rows*m.kinds)
	for i := range rows {
		for j := range m.kinds {
			at[i*m.kinds+j] = m.weights[(first+i)*m.kinds+j] * m.fullPart(m.from+(first+i)*m.step)
		}
	}
	if m.step > 1 || !m.walk(v, at, first) {
		m.crowd(v, at, first)
	}
}

// walk is waiters of few agents: states (ahead in the queue, pauses), which the ends of conversations and the patience of
// those ahead lead down, and the own patience out, until the longest limit.
type walk struct {
	*memory
	rows, first    int
	at, next       []float64
	ends, up, down []float64 // rates by pauses
	desks          [][]float64
	limits         [3]float64
}

// walk reports false when the limits are too long for the fastest event.
func (m *memory) walk(v *seen, at []float64, first int) bool {
	w := &walk{
		memory: m, rows: len(at) / m.kinds, first: first, at: at, next: make([]float64, len(at)), desks: m.refilledDesks(first),
		ends: make([]float64, m.kinds), up: make([]float64, m.kinds), down: make([]float64, m.kinds), limits: m.limits(),
	}
	fastest := 0.0
	for j := range m.kinds {
		w.ends[j] = m.desks[first*m.kinds+j].speed / m.Rounds
		w.up[j], w.down[j] = m.pauseRates(first*m.kinds+j, j)
	}
	for j := range m.kinds {
		fastest = max(fastest, w.ends[j]+w.up[j]+w.down[j]+m.leave*float64(1+w.rows))
	}
	const part, most = 0.25, 4000 // of a state that may leave it in a stride; strides
	longest := slices.Max(w.limits[:])
	if longest*fastest > part*most {
		return false
	}
	stride := min(part/fastest, max(longest, 1)/40)
	for t := 0.0; t < longest; t += stride {
		w.step(v, t, stride)
	}
	w.rest(v, longest)
	return true
}

// step moves everybody by a stride that begins at t.
func (w *walk) step(v *seen, t, stride float64) {
	copy(w.next, w.at)
	last := w.kinds - 1
	for i := range w.rows {
		for j := range w.kinds {
			s := i*w.kinds + j
			p := w.at[s] * stride
			if p < 1e-14 {
				continue
			}
			served := p * (w.ends[j] + w.leave*float64(i))
			w.next[s] -= served + p*w.leave
			if j < last {
				w.next[s] -= p * w.up[j]
				w.next[s+1] += p * w.up[j]
			}
			if j > 0 {
				w.next[s] -= p * w.down[j]
				w.next[s-1] += p * w.down[j]
			}
			if i == 0 {
				w.take(v, j, t+stride/2, served)
			} else {
				w.next[s-w.kinds] += served
			}
		}
	}
	w.at, w.next = w.next, w.at
}

// take counts those who are taken up after t seconds.
func (w *walk) take(v *seen, j int, t, mass float64) {
	work := w.work(w.Concurrency)
	v.taken += mass
	v.seconds += mass * (t + meanOf(w.desks[j], work))
	for l, limit := range w.limits {
		if limit > t {
			v.first[l] += mass * replyWithin(w.desks[j], work, limit-t)
		}
	}
}

// rest counts those who wait longer than the longest limit, as if pauses stood still.
func (w *walk) rest(v *seen, longest float64) {
	work := w.work(w.Concurrency)
	for i := range w.rows {
		for j := range w.kinds {
			drain, ahead := max(w.ends[j], 1e-3*w.leave), w.leave*float64(i+1)
			kept := w.at[i*w.kinds+j] * drain / (drain + ahead)
			v.taken += kept
			v.seconds += kept * (longest + math.Log1p(ahead/drain)/w.leave + meanOf(w.desks[j], work))
		}
	}
}

// refilledDesks is what one who has waited meets, by pauses: the place came free by a reply, so of those at the desk one has
// just left, and the agent was not idle.
func (m *memory) refilledDesks(row int) [][]float64 {
	k := m.Concurrency
	out := make([][]float64, m.kinds)
	for j := range out {
		out[j] = make([]float64, k)
		d := &m.desks[row*m.kinds+j]
		for s := range k {
			out[j][k-1-s] = d.pausing(0, s)
		}
		normalised(out[j])
	}
	return out
}

// crowd is waiters of many agents, whose pauses change little while one waits: those who find q ahead wait for q+1 ends at the
// rate of that number of pauses, see refilled.
func (m *memory) crowd(v *seen, at []float64, first int) {
	limits, desks, work := m.limits(), m.refilledDesks(first), m.work(m.Concurrency)
	const points = 3 // that stand for a step of the lattice
	for j := range m.kinds {
		r := m.desks[first*m.kinds+j].speed / m.Rounds
		if r <= 0 {
			continue
		}
		mean, square := 0.0, 0.0
		for ahead, p := range desks[j] {
			mean += p * float64(ahead)
			square += p * float64(ahead*ahead)
		}
		reply, spread := (mean+1)*work, (mean+1+square-mean*mean)*work*work
		for waited, i := 0, 0; i < len(at)/m.kinds; i++ {
			mass := at[i*m.kinds+j] / points
			if mass < 1e-10 {
				continue
			}
			for x := range points {
				q := max(0, i*m.step+int(math.Round((float64(x)+0.5)/points*float64(m.step)-float64(m.step)/2)))
				for ; waited <= q; waited++ {
					rate := r + m.leave*float64(waited+1)
					reply += 1 / rate
					spread += 1 / rate / rate
				}
				kept := mass * r / (r + m.leave*float64(waited))
				v.taken += kept
				v.seconds += kept * reply
				for l, limit := range limits {
					v.first[l] += kept * gammaWithin(reply, spread, limit)
				}
			}
		}
	}
}

// gammaWithin is the chance that a gamma variable of a mean and variance is at most a limit.
func gammaWithin(mean, variance, limit float64) float64 {
	if limit <= 0 || mean-limit > 8*math.Sqrt(variance) {
		return 0
	}
	return mathext.GammaIncReg(mean*mean/variance, limit*mean/variance)
}
