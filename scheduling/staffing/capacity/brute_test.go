package capacity_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/scheduling/staffing/capacity"
	"github.com/chaoban/chaoban/scheduling/staffing/people"
)

func yuan(f money.Fen) float64 { return float64(f) / 100 }

// world follows people week by week, straight from the definitions, and knows nothing of the planner.
type world struct {
	in    capacity.Input
	s     capacity.Skill
	tails [][]float64 // by week: expected shortage at equal steps of supply
}

func (w world) leaves(tenure int) float64 {
	share := w.s.Attrition[0].Weekly
	for _, h := range w.s.Attrition {
		if tenure >= h.FromWeek {
			share = h.Weekly
		}
	}
	return share
}

func (w world) speed(tenure int) float64 {
	speed := w.s.Ramp[0].Speed
	for _, r := range w.s.Ramp {
		if tenure >= r.FromWeek {
			speed = r.Speed
		}
	}
	return speed
}

// group is people who began together.
type group struct {
	heads float64
	week  int // of the calendar, may be negative
	begin int // first week of work
	temp  *capacity.Temp
	today bool
}

// play follows a choice of classes (by first week of work) and temporary heads: its cost, and the cost of each
// week beside that by overtime hours per head.
func (w world) play(classes, temps []int) (total float64, weeks [][]float64) {
	var groups []group
	for _, c := range w.s.Staff {
		groups = append(groups, group{c.Heads, 0, -c.TenureWeeks, nil, true})
	}
	for t, n := range classes {
		if n > 0 {
			k := w.s.Classes
			groups = append(groups, group{float64(n), t - k.TrainingWeeks, t, nil, false})
			total += yuan(k.CostPerClass) + float64(n)*yuan(k.CostPerHire+k.TrainingCost)
		}
	}
	for i, n := range temps {
		if n > 0 {
			o := &w.s.Temps[i]
			first := o.WorksFrom.Sub(w.in.Start) / 7
			groups = append(groups, group{float64(n), first - o.TrainingWeeks, first, o, false})
			total += float64(n) * yuan(o.CostPerHead)
		}
	}
	for t := -10; t < len(w.s.Weeks); t++ {
		staff, temp, able := 0.0, 0.0, 0.0
		for i := range groups {
			g := &groups[i]
			if t < g.week || g.today && t < 0 {
				continue
			}
			if o := g.temp; o != nil {
				if t >= g.begin+o.Weeks {
					continue
				}
				total += g.heads * o.HoursPerWeek * yuan(o.Wage)
				if t >= g.begin {
					temp += g.heads * o.HoursPerWeek * o.Speed * (1 - w.s.Weeks[t].Shrinkage)
				}
				g.heads *= 1 - o.Attrition
				if t == g.begin+o.Weeks-1 {
					total += g.heads * yuan(o.Severance)
				}
				continue
			}
			tenure := t - g.begin
			if tenure < 0 {
				total += g.heads * w.s.HoursPerWeek * yuan(w.s.Classes.TraineeWage)
			} else {
				total += g.heads * w.s.HoursPerWeek * yuan(w.s.Wage)
				able += g.heads
				staff += g.heads * w.s.HoursPerWeek * w.speed(tenure) * (1 - w.s.Weeks[t].Shrinkage)
			}
			g.heads *= 1 - w.leaves(tenure)
		}
		if t >= 0 {
			var by []float64
			for u := range w.mostOvertime(t) + 1 {
				by = append(by, w.week(t, staff, temp, able, u))
			}
			weeks = append(weeks, by)
		}
	}
	return total, weeks
}

func (w world) mostOvertime(t int) int {
	day := w.s.Overtime.HoursPerDay
	if w.s.Weeks[t].SpecialOvertime {
		day = w.s.Overtime.SpecialHoursPerDay
	}
	return int(day * float64(w.s.Overtime.DaysPerWeek))
}

// week is the cost of a week beside its people's wages; cloud hours are tried one by one.
func (w world) week(t int, staff, temp, able float64, overtime int) float64 {
	o, c := w.s.Overtime, w.s.Cloud
	worked := float64(overtime) * o.AgreedShare
	cost := worked * able * yuan(w.s.Wage) * float64(o.PayPercent) / 100
	hours := staff + temp + worked*staff/w.s.HoursPerWeek
	best := math.Inf(1)
	for k := range c.MaxHours + 1 {
		if k > 0 && w.in.Start.Add(7*(t-c.LeadWeeks)).Before(w.in.AsOf) {
			break
		}
		short := w.short(t, hours+c.Speed*float64(k))
		best = min(best, yuan(c.CostPerHour)*float64(k)+short*yuan(w.s.Weeks[t].Shortage))
	}
	return cost + best
}

// short is the expected shortage: the tail probability summed up from the right (E(D-x)+ = ∫ P(D > y) dy).
func (w world) short(t int, hours float64) float64 {
	week := w.s.Weeks[t]
	if week.RequiredP90 <= week.RequiredP50 {
		return max(0, week.RequiredP50-hours)
	}
	const pieces = 8000
	step := 6 * week.RequiredP50 / pieces
	if w.tails[t] == nil {
		above := func(i int) float64 {
			return 0.5 * math.Erfc(math.Log(float64(i)*step/week.RequiredP50)/math.Log(week.RequiredP90/week.RequiredP50)*1.2815515655446004/math.Sqrt2)
		}
		sums := make([]float64, pieces+2)
		for i := pieces - 1; i >= 0; i-- {
			sums[i] = sums[i+1] + step*(above(i)+above(i+1))/2
		}
		w.tails[t] = sums
	}
	at := math.Floor(hours / step)
	if at >= pieces {
		return 0
	}
	part := hours/step - at
	return (1-part)*w.tails[t][int(at)] + part*w.tails[t][int(at)+1]
}

// overtimes are all overtime plans that keep each month's ceiling, a week counting in each month that
// one of its days lies in.
func (w world) overtimes() (all [][]int) {
	n := len(w.s.Weeks)
	hours := make([]int, n)
	var next func(t int)
	next = func(t int) {
		if t < n {
			for hours[t] = 0; hours[t] <= w.mostOvertime(t); hours[t]++ {
				next(t + 1)
			}
			hours[t] = 0
			return
		}
		month := map[calendar.Month]int{}
		for i, h := range hours {
			seen := map[calendar.Month]bool{}
			for day := range 7 {
				seen[w.in.Start.Add(7*i+day).MonthOf()] = true
			}
			for m := range seen {
				month[m] += h
			}
		}
		for _, h := range month {
			if h > w.s.Overtime.HoursPerMonth {
				return
			}
		}
		all = append(all, slices.Clone(hours))
	}
	next(0)
	return all
}

// best tries everything.
func (w world) best() float64 {
	k, n := w.s.Classes, len(w.s.Weeks)
	classes, temps := make([]int, n), make([]int, len(w.s.Temps))
	least := math.Inf(1)
	overtimes := w.overtimes()
	orderable := func(works calendar.Date, weeks int) bool { return !works.Add(-7 * weeks).Before(w.in.AsOf) }
	roomy := func() bool {
		for t := -10; t < n; t++ {
			training := 0.0
			for _, c := range w.s.Staff {
				if t >= 0 && t+c.TenureWeeks < 0 {
					training += c.Heads
				}
			}
			for first, heads := range classes {
				if t >= first-k.TrainingWeeks && t < first {
					training += float64(heads)
				}
			}
			// Without a class in the week the trainees of today are nobody's decision.
			own := slices.ContainsFunc(classes, func(h int) bool { return h > 0 })
			if own && k.MaxInTraining > 0 && training > float64(k.MaxInTraining)+1e-9 {
				return false
			}
		}
		return true
	}
	var offers func(i int)
	offers = func(i int) {
		if i == len(temps) {
			total, weeks := w.play(classes, temps)
			for _, hours := range overtimes {
				cost := total
				for t, u := range hours {
					cost += weeks[t][u]
				}
				least = min(least, cost)
			}
			return
		}
		o := w.s.Temps[i]
		temps[i] = 0
		offers(i + 1)
		if orderable(o.WorksFrom, o.TrainingWeeks+o.LeadWeeks) {
			for temps[i] = o.MinHeads; temps[i] <= o.MaxHeads; temps[i]++ {
				offers(i + 1)
			}
			temps[i] = 0
		}
	}
	var starts func(t int)
	starts = func(t int) {
		if t == n {
			if roomy() {
				offers(0)
			}
			return
		}
		classes[t] = 0
		starts(t + 1)
		if orderable(w.in.Start.Add(7*t), k.TrainingWeeks+k.LeadWeeks) {
			for classes[t] = k.MinSize; classes[t] <= k.MaxSize; classes[t]++ {
				starts(t + 1)
			}
			classes[t] = 0
		}
	}
	starts(0)
	return least
}

// small draws a plan that everything can be tried on. The weeks lie around the end of a month.
func small(t *rapid.T) capacity.Input {
	whole := func(name string, low, high int) money.Fen {
		return money.Yuan(int64(rapid.IntRange(low, high).Draw(t, name)))
	}
	start := calendar.MakeDate(2026, 10, 19)
	s := capacity.Skill{
		Name: "pre", HoursPerWeek: 40, Wage: whole("wage", 20, 30),
		Staff:     []people.Cohort{{Heads: float64(rapid.IntRange(1, 3).Draw(t, "heads")), TenureWeeks: rapid.IntRange(0, 20).Draw(t, "tenure")}},
		Ramp:      people.Ramp{{FromWeek: 0, Speed: 0.5, Complaints: 2}, {FromWeek: 2, Speed: 1, Complaints: 1}},
		Attrition: []capacity.Hazard{{FromWeek: 0, Weekly: rapid.SampledFrom([]float64{0, 0.08}).Draw(t, "leave")}, {FromWeek: 3, Weekly: 0.02}},
		Classes: &capacity.Classes{
			MinSize: 1, MaxSize: 2, MaxInTraining: rapid.IntRange(0, 3).Draw(t, "room"), LeadWeeks: rapid.IntRange(0, 1).Draw(t, "lead"), TrainingWeeks: rapid.IntRange(0, 2).Draw(t, "training"),
			CostPerHire: whole("hire", 0, 900), TrainingCost: 0, CostPerClass: whole("class", 0, 900), TraineeWage: money.Yuan(18),
		},
		Temps: []capacity.Temp{{
			Name: "students", WorksFrom: start.Add(14), Weeks: rapid.IntRange(1, 3).Draw(t, "stay"), TrainingWeeks: 1, LeadWeeks: rapid.IntRange(0, 3).Draw(t, "notice"),
			MinHeads: 1, MaxHeads: 3, HoursPerWeek: 24, Speed: 0.7, Attrition: 0.1, Wage: money.Yuan(18), CostPerHead: whole("agency", 0, 300), Severance: money.Yuan(100),
		}},
		Cloud:    &capacity.Cloud{MaxHours: rapid.IntRange(0, 12).Draw(t, "cloud"), CostPerHour: whole("hour", 10, 90), Speed: 0.5, LeadWeeks: rapid.IntRange(0, 2).Draw(t, "cloud lead")},
		Overtime: &capacity.Overtime{HoursPerDay: 1, SpecialHoursPerDay: 2, DaysPerWeek: 2, HoursPerMonth: rapid.IntRange(0, 6).Draw(t, "month"), AgreedShare: 0.8, PayPercent: 150},
	}
	if s.Classes.MaxInTraining > 0 && s.Classes.MaxInTraining < s.Classes.MinSize {
		s.Classes.MaxInTraining = s.Classes.MinSize
	}
	for range 4 {
		s.Weeks = append(s.Weeks, capacity.Week{
			RequiredP50: float64(rapid.IntRange(0, 350).Draw(t, "required")), Shrinkage: 0.2, Shortage: whole("shortage", 20, 250),
			SpecialOvertime: rapid.Bool().Draw(t, "special"),
		})
		w := &s.Weeks[len(s.Weeks)-1]
		w.RequiredP90 = rapid.SampledFrom([]float64{0, 1, 1.3}).Draw(t, "p90") * w.RequiredP50
	}
	return capacity.Input{AsOf: start.Add(-rapid.IntRange(0, 45).Draw(t, "ahead")), Start: start, Skills: []capacity.Skill{s}}
}

// The plan costs what the best of all plans costs, the bound lies below, and the independent world agrees
// with the plan's own cost.
func TestPlanAgainstEveryPlan(t *testing.T) {
	cases, hired, apart, gap := 0, 0, 0, 0.0
	rapid.Check(t, func(t *rapid.T) {
		in := small(t)
		p, err := capacity.Make(in)
		require.NoError(t, err)
		best := world{in, in.Skills[0], make([][]float64, len(in.Skills[0].Weeks))}.best()
		got := yuan(p.Cost.Total)
		assert.InDelta(t, best, got, max(0.2, 0.03*best))
		assert.LessOrEqual(t, yuan(p.Skills[0].LowerBound), best+0.1)
		cases++
		if slices.ContainsFunc(p.Skills[0].Decisions, func(d capacity.Decision) bool { return d.Heads > 0 }) {
			hired++
		}
		if got > best+0.2 {
			apart++
		}
		gap += p.Skills[0].Gap
	})
	t.Logf("%d of %d plans (%d with people ordered) are not the best; mean gap to the bound %.2f %%", apart, cases, hired, 100*gap/float64(cases))
	assert.LessOrEqual(t, apart, cases/20)
}
