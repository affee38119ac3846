package margin

import (
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// A slot has no contract of its own: what its missing heads cost depends on how many are missing elsewhere. Here everywhere alike: a
// slot that loses a part of the contacts that its planned heads answer in time loses its share of what the contract takes when that
// part is lost in every slot, of the day for daily terms, else of the horizon. So a first missing head costs what the contract
// takes at the edge of the plan, and with nobody the curves of all slots add up to all that can be lost.

// declineParts are the parts of a decline that are judged; between them it is a straight line.
var declineParts = [...]float64{0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1}

// decline is what a term loses when a part of the contacts that met it no longer do.
type decline struct {
	span float64                    // contacts (of times: seconds) from the plan to nobody, expected
	lost [len(declineParts)]float64 // yuan
}

// at is the loss of a part.
func (d *decline) at(part float64) float64 {
	for i := 1; i < len(declineParts); i++ {
		if low, high := declineParts[i-1], declineParts[i]; part <= high {
			return d.lost[i-1] + (d.lost[i]-d.lost[i-1])*(part-low)/(high-low)
		}
	}
	return d.lost[len(d.lost)-1]
}

// worth is what each head of a plan saves, by queue and slot.
func (m *Model) worth(all []*books) (out [][][]scheduling.Step) {
	for _, b := range all {
		declines := b.declines()
		line := make([][]scheduling.Step, len(b.heads))
		for i, heads := range b.heads {
			v := b.values[i]
			line[i] = staffing.Worth(heads, func(n int) float64 {
				sum := float64(upTo(v.earned, n) - v.earned[0])
				for k, met := range v.met {
					if met == nil {
						continue
					}
					d := &declines[k][b.group(k, i)]
					if span := b.span(k, i); span > 0 && d.span > 0 {
						left := float64(upTo(met, heads)-upTo(met, n)) / span
						sum += (d.at(1) - d.at(min(1, max(0, left)))) * span / d.span
					}
				}
				return sum
			})
		}
		out = append(out, line)
	}
	return out
}

// upTo is the value of some heads, of which the last ones of a row stand for all beyond.
func upTo(row []float32, heads int) float32 { return row[min(heads, len(row)-1)] }

// group is the decline that a slot belongs to: that of its day for daily terms, else the only one.
func (b *books) group(term, slot int) int {
	if b.terms[term].spec.Period == Daily {
		return b.day[slot]
	}
	return 0
}

// span is what a term loses in a slot from the plan to nobody, in contacts or seconds, expected.
func (b *books) span(term, slot int) float64 {
	met := b.values[slot].met[term]
	return float64(upTo(met, b.heads[slot]) - met[0])
}

// declines are those of every term: one by day for daily terms, else one. What caps leave of them together is shared out evenly.
func (b *books) declines() (out [][]decline) {
	whole := 0.0
	for k, l := range b.ledgers {
		daily, fall := l.spec.Period == Daily, b.falls(k)
		list := make([]decline, 1)
		if daily {
			list = make([]decline, l.days)
		}
		for i := range b.heads {
			if l.within[i] {
				list[b.group(k, i)].span += b.span(k, i)
			}
		}
		sum := 0.0
		for d := range list {
			for i, part := range declineParts {
				failing := func(day, s int) float64 { return part * fall(day, s) }
				if daily {
					list[d].lost[i] = l.lostOn(d, failing)
				} else {
					list[d].lost[i] = l.lostBy(failing)
				}
			}
			sum += list[d].at(1)
		}
		if total := l.lostBy(fall); sum > total {
			shrink(list, total/sum)
			sum = total
		}
		out, whole = append(out, list), whole+sum
	}
	if limit := b.spec.PenaltyCapYuan; limit > 0 {
		due := 0.0
		for _, v := range b.due {
			due += v / float64(len(b.due))
		}
		if left := max(0, limit-due); whole > left {
			for _, list := range out {
				shrink(list, left/whole)
			}
		}
	}
	return out
}

func shrink(list []decline, by float64) {
	for d := range list {
		for i := range list[d].lost {
			list[d].lost[i] *= by
		}
	}
}

// falls is what a term loses on a day in a scenario from the plan to nobody: of shares all that met it, of times the expected
// seconds in proportion to the contacts.
func (b *books) falls(term int) func(day, s int) float64 {
	l := b.ledgers[term]
	if !timed(l.spec.Metric) {
		return func(day, s int) float64 { return float64(l.met[day][s]) }
	}
	rate := make([]float64, l.days) // seconds by contact
	for i := range b.heads {
		if l.within[i] {
			rate[b.day[i]] += b.span(term, i)
		}
	}
	for d := range rate {
		contacts := 0.0
		for _, c := range l.all[d] {
			contacts += float64(c) / float64(l.scenarios)
		}
		if contacts > 0 {
			rate[d] /= contacts
		}
	}
	return func(day, s int) float64 { return rate[day] * float64(l.all[day][s]) }
}

// lostOn is what a daily term deducts more, or pays less, for one day in the mean, before caps.
func (l *ledger) lostOn(day int, fall func(day, s int) float64) (sum float64) {
	for s := range l.scenarios {
		due, won := l.daily(day, float64(l.met[day][s])-fall(day, s), float64(l.all[day][s]))
		sum += (due - won - l.dayDue[day][s] + l.dayWon[day][s]) / float64(l.scenarios)
	}
	return sum
}

// lostBy is what a term deducts more, or pays less, in the mean when some contacts no longer meet it.
func (l *ledger) lostBy(fall func(day, s int) float64) (sum float64) {
	for s := range l.scenarios {
		var due, won float64
		switch l.spec.Period {
		case Daily:
			for d := range l.days {
				x, y := l.daily(d, float64(l.met[d][s])-fall(d, s), float64(l.all[d][s]))
				due, won = due+x, won+y
			}
		case Run:
			due, _ = l.runs(s, func(d int) bool { return l.badDay(float64(l.met[d][s])-fall(d, s), float64(l.all[d][s])) })
		default:
			met := l.total[s]
			for d := range l.days {
				met -= fall(d, s)
			}
			due, won = l.average(s, met)
		}
		sum += (l.capped(due) - won - l.capped(l.due[s]) + l.won[s]) / float64(l.scenarios)
	}
	return sum
}
