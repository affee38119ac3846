package matsp

import (
	"fmt"
	"strings"

	"github.com/chaoban/chaoban/internal/fault"
)

// told is how many of the places that stay short are named.
const told = 5

// impossible says what no roster could keep, with what is asked and what there is; nil where it cannot be shown so
// simply.
func (in *Instance) impossible() (out []string) {
	most := in.mostWork()
	able, hold := 0, 0
	for _, e := range in.Staff {
		out = append(out, in.contractBeyond(e, most)...)
		if room := min(most, e.MaxMinutes/15); room >= ShortShift {
			able++
			hold += room
		}
	}
	out = append(out, in.crowded(able)...)
	out = append(out, in.longDay(able)...)
	all := 0
	for t := range in.Min {
		all += in.least(t)
	}
	if all > hold {
		out = append(out, fmt.Sprintf("the cover asks for %d head-minutes, and all contracts together hold at most %d", all*15, hold*15))
	}
	return out
}

// contractBeyond says why nobody could work as long as a contract wants: the days do not hold it, or no number of
// shifts adds up to it.
func (in *Instance) contractBeyond(e Employee, most int) []string {
	least, ceiling := (e.MinMinutes+14)/15, e.MaxMinutes/15
	if least > most {
		return []string{fmt.Sprintf("employee %s must work %d minutes, and by the rules of shifts and rest the horizon holds at most %d of one person", e.ID, e.MinMinutes, most*15)}
	}
	if least > ceiling {
		return []string{fmt.Sprintf("employee %s must work %d to %d minutes, and shifts are of whole quarter hours", e.ID, e.MinMinutes, e.MaxMinutes)}
	}
	shifts := (least + LongShift - 1) / LongShift // at least so many
	if shifts*ShortShift > ceiling {
		return []string{fmt.Sprintf("employee %s must work %d to %d minutes, and %d shifts of 6 to 10 h are at least %d", e.ID, e.MinMinutes, e.MaxMinutes, shifts, shifts*ShortShift*15)}
	}
	return nil
}

// least is how many heads a period asks for, over all tasks.
func (in *Instance) least(t int) (n int) {
	for _, m := range in.Min[t] {
		n += int(m)
	}
	return n
}

// crowded names the stretches of periods that ask for the same number of heads, more than there are people.
func (in *Instance) crowded(able int) (out []string) {
	for t := 0; t < in.Periods(); {
		n, until := in.least(t), t+1
		for until < in.Periods() && in.least(until) == n {
			until++
		}
		if n > able {
			var tasks []string
			for k, m := range in.Min[t] {
				if m > 0 {
					tasks = append(tasks, fmt.Sprintf("task %d: %d", k+1, m))
				}
			}
			out = append(out, fmt.Sprintf("%s asks for %d heads (%s) of a staff of %d", spanned(t, until), n, strings.Join(tasks, ", "), able))
		}
		t = until
	}
	return out
}

// longDay names the 24 hours that ask for most beyond what people can give: between two shifts are 14 h, so nobody works
// more than 10 h of any 24.
func (in *Instance) longDay(able int) []string {
	sum, worst, at := 0, 0, -1
	for t := range in.Periods() {
		if sum += in.least(t); t >= PerDay {
			sum -= in.least(t - PerDay)
		}
		if over := sum - able*LongShift; over > worst {
			worst, at = over, t
		}
	}
	if at < 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s asks for %d head-minutes, and a staff of %d gives at most %d, 600 each in any 24 h",
		spanned(max(0, at+1-PerDay), at+1), (worst+able*LongShift)*15, able, able*LongShift*15)}
}

// mostWork is the most periods that anybody can work by the rules of shifts, rest and days in a row.
func (in *Instance) mostWork() int {
	const gaps = 3 // days since the last start: today, yesterday, longer ago
	end := in.Periods()
	best := make([][gaps][MostDaysRun + 1]int, end+LongShift+LeastRest+1) // of what is left from a period on, by gap and run
	civil := func(t int) int { return (t + dayOne) / PerDay }
	for t := end - 1; t >= 0; t-- {
		for gap := range gaps {
			for run := range MostDaysRun + 1 {
				most := best[t+1][min(gaps-1, gap+civil(t+1)-civil(t))][run]
				next := 1
				if gap == 1 {
					next = run + 1
				}
				if MayStart(t) && gap > 0 && next <= MostDaysRun {
					for n := ShortShift; n <= LongShift && t+n <= end; n++ {
						after := t + n + LeastRest
						most = max(most, n+best[after][min(gaps-1, civil(after)-civil(t))][next])
					}
				}
				best[t][gap][run] = most
			}
		}
	}
	return best[0][gaps-1][0]
}

// spanned are periods for people, such as "day 1 08:00-08:15".
func spanned(from, until int) string {
	day, minutes := Clock(from)
	last, end := Clock(until)
	text := fmt.Sprintf("day %d %02d:%02d-%02d:%02d", day, minutes/60, minutes%60, end/60, end%60)
	if last != day {
		text += fmt.Sprintf(" of day %d", last)
	}
	return text
}

// missed lists what the nearest roster leaves short.
func (c *chain) missed() (out []string) {
	heads := make([][]int16, c.in.Periods())
	for t := range heads {
		heads[t] = make([]int16, c.in.Tasks)
	}
	for e, row := range c.best {
		worked := 0
		for _, d := range row {
			worked += len(d.Tasks)
			for i, k := range d.Tasks {
				heads[d.Start+i][k]++
			}
		}
		if who := c.in.Staff[e]; c.contract(e, worked) > 0 {
			out = append(out, fmt.Sprintf("employee %s with %d of %d minutes", who.ID, worked*15, who.MinMinutes))
		}
	}
	for t, row := range heads {
		for k, n := range row {
			if least := c.in.Min[t][k]; n < least {
				out = append(out, fmt.Sprintf("%s task %d with %d of %d heads", spanned(t, t+1), k+1, n, least))
			}
		}
	}
	return out
}

func infeasible(format string, list []string) error {
	more := ""
	if n := len(list) - told; n > 0 {
		list, more = list[:told], fmt.Sprintf("; and %d more", n)
	}
	return fault.New(fault.Conflict, "matsp.infeasible", format, strings.Join(list, "; ")+more)
}
