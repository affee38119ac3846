package forecast

import (
	"math"

	"github.com/chaoban/chaoban/internal/calendar"
)

// A holiday table of another country does harm: its long holidays are taken for events that teach no
// base and widen the spread. So a table whose long holidays (runs of five or more days off) all passed
// like ordinary weeks is left out, with a doubt. It stays while too few passed, while one of them was
// silent, or when they moved the contacts by more than foreignMost on average or by more than ordinary
// weeks move: dropping a table that has no effect costs nothing, dropping the right one would.
const (
	foreignRuns  = 2   // long holidays that must have passed
	foreignMost  = 0.1 // mean absolute log effect
	foreignChi   = 2.5 // mean square of the effects over that of ordinary weeks; 1 = like them
	foreignWeeks = 12  // ordinary weeks that say how much weeks move
)

// leaveOutForeignHolidays judges by what lies before the origin only.
func (g *grid) leaveOutForeignHolidays() {
	off := g.apartFromLikeDays()
	known := func(from, to int) (mean float64, days int) {
		for d := from; d < to; d++ {
			if !math.IsNaN(off[d]) {
				mean += off[d]
				days++
			}
		}
		return mean / float64(max(days, 1)), days
	}
	var runs, weeks, size, square, usual float64
	for d := 0; d < len(off); {
		to := d
		for to < len(off) && g.offWork(to) {
			to++
		}
		if to > d {
			if to-d >= 5 {
				mean, days := known(d, to)
				if days < 4 {
					return // silent, or not known
				}
				runs++
				size += math.Abs(mean)
				square += mean * mean
			}
			d = to
			continue
		}
		if mean, days := known(d, min(d+7, len(off))); days == 7 && !g.offWithin(d, d+7) {
			weeks++
			usual += mean * mean
			d += 6
		}
		d++
	}
	if runs < foreignRuns || weeks < foreignWeeks || size/runs >= foreignMost || square/runs >= foreignChi*usual/weeks {
		return
	}
	g.opt.Holidays = calendar.Holidays{}
	g.doubt("the holiday table was left out: its %.0f long holidays in this history passed like ordinary weeks; is it that of the right country?", runs)
}

func (g *grid) offWithin(from, to int) bool {
	for d := from; d < to; d++ {
		if g.offWork(d) {
			return true
		}
	}
	return false
}

// apartFromLikeDays is, for each whole day of the history, how far the log of its contacts lies from those
// of the same weekday one and two weeks before and after that are no days off; NaN = not known.
func (g *grid) apartFromLikeDays() []float64 {
	logs := nans(max(g.originDay, 0), 0)
	var counts [7][]float64
	for d := range logs {
		counts[g.weekday(d)] = append(counts[g.weekday(d)], float64(g.seenSlots(d)))
	}
	var usual [7]float64
	for w := range usual {
		usual[w], _ = median(counts[w])
	}
	for d := range logs {
		if n := float64(g.seenSlots(d)); n == 0 || n < 0.8*usual[g.weekday(d)] {
			continue
		}
		var total float64
		for _, v := range g.y[d*g.perDay : (d+1)*g.perDay] {
			if !math.IsNaN(v) {
				total += v
			}
		}
		logs[d] = math.Log(total + 0.5)
	}
	off := nans(len(logs), 0)
	for d := range logs {
		var sum, n float64
		for _, lag := range [...]int{-14, -7, 7, 14} {
			if at := d + lag; at >= 0 && at < len(logs) && !math.IsNaN(logs[at]) && !g.offWork(at) {
				sum += logs[at]
				n++
			}
		}
		if n >= 2 && !math.IsNaN(logs[d]) {
			off[d] = logs[d] - sum/n
		}
	}
	return off
}
