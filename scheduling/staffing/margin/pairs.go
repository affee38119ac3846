package margin

import "context"

// pairSlots is how many slots a problem may have for its pairs to be tried.
const pairSlots = 16

// place is one slot of a queue.
type place struct{ queue, slot int }

// pairs improves a small problem by changing the heads of two slots at once by up to two each, of one queue or of two, until no pair
// gains: where a step of a ladder, a seat or the last regular hour stands between two staffings, no single change does.
func (s *shared) pairs(ctx context.Context) error {
	var at []place
	for i, q := range s.queues {
		for j := range q.at {
			at = append(at, place{i, j})
		}
	}
	if lengths := s.lengths(); len(at) > pairSlots || lengths[len(lengths)-1] > 1 {
		return nil
	}
	best, err := s.worth(ctx)
	if err != nil {
		return err
	}
	for again := true; again; {
		again = false
		for i, a := range at {
			for _, b := range at[i:] {
				for n := range 25 {
					da, db := n/5-2, n%5-2
					if a == b && db != 0 || da == 0 && db == 0 {
						continue
					}
					had, beside := s.heads(a), s.heads(b)
					if s.shift(a, da) && s.shift(b, db) && s.seated() {
						v, err := s.worth(ctx)
						if err != nil {
							return err
						}
						if v > best+worthless {
							best, again = v, true
							continue
						}
					}
					s.set(b, beside)
					s.set(a, had)
				}
			}
		}
	}
	return nil
}

// worth is the expected margin of the staffing that is found.
func (s *shared) worth(ctx context.Context) (float64, error) {
	all, err := s.openAll(ctx, func(i int) []int { return s.found[i].staff.heads })
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, b := range all {
		sum += b.expected() - cost(b.heads, b.wage)
	}
	return sum - s.overtime(all), nil
}

// shift the heads of a slot where floor and ceiling allow it.
func (s *shared) shift(at place, by int) bool {
	q, h := s.queues[at.queue], s.heads(at)+by
	if by < 0 && h < q.least[at.slot] || h < 0 || by > 0 && h > s.ceiling(q) {
		return false
	}
	s.set(at, h)
	return true
}

func (s *shared) heads(at place) int { return s.found[at.queue].staff.heads[at.slot] }

func (s *shared) set(at place, heads int) {
	st := s.found[at.queue].staff
	st.heads[at.slot], st.count[0][at.slot] = heads, heads
}

// seated reports that everybody has a seat.
func (s *shared) seated() bool {
	heads, _ := s.used()
	for _, h := range heads {
		if s.in.MaxHeads > 0 && h > s.in.MaxHeads {
			return false
		}
	}
	return true
}
