package roster

// spread preconditions the supergradient: what a slot lacks in all queues together, and a queue in an
// hour or in a day, moves its prices more than the chance of one cell. The averages are projections,
// so the result still points upwards.
func (r *relaxation) spread() {
	if r.groups == nil {
		r.groups = r.m.priceGroups()
	}
	for i, g := range r.heads {
		r.smooth[i] = 0.05 * g
	}
	for _, cells := range r.groups {
		sum := 0.0
		for _, i := range cells {
			sum += r.heads[i]
		}
		sum /= float64(len(cells))
		for _, i := range cells {
			r.smooth[i] += sum
		}
	}
}

// priceGroups lists the cells with demand of every slot, of every queue and hour, and of every queue
// and day.
func (m *model) priceGroups() (out [][]int32) {
	width := len(m.queues)
	hour := max(1, int(m.perHour))
	span := func(from, until, q, queues int) {
		var cells []int32
		for t := from; t < min(until, m.inside); t++ {
			for k := q; k < q+queues; k++ {
				if i := t*width + k; m.target[i] > 0 {
					cells = append(cells, int32(i))
				}
			}
		}
		if len(cells) > 0 {
			out = append(out, cells)
		}
	}
	for t := range m.inside {
		span(t, t+1, 0, width)
	}
	for _, length := range []int{hour, 24 * hour} {
		for t := 0; t < m.inside; t += length {
			for q := range width {
				span(t, t+length, q, 1)
			}
		}
	}
	return out
}

// move shifts the prices along the smoothed direction.
func (r *relaxation) move(step float64) {
	low := -r.m.p.Weights.Over / r.m.perHour
	for i, g := range r.direction {
		high := low
		if r.m.target[i] > 0 {
			high = r.m.dearest(i)
		}
		r.price[i] = min(high, max(low, r.price[i]-step*g))
	}
}
