package capacity_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/scheduling/staffing/capacity"
	"github.com/chaoban/chaoban/scheduling/staffing/people"
)

// peak is ten trained agents of 32 hours on the queue, and one week that needs 160 hours more.
func peak(start calendar.Date, weeks, high int) capacity.Input {
	s := capacity.Skill{
		Name: "pre", HoursPerWeek: 40, Wage: money.Yuan(25), Staff: []people.Cohort{{Heads: 10, TenureWeeks: 60}},
		Classes:  &capacity.Classes{MinSize: 1, MaxSize: 10, LeadWeeks: 2, TrainingWeeks: 2, CostPerHire: money.Yuan(100), TraineeWage: money.Yuan(20)},
		Cloud:    &capacity.Cloud{MaxHours: 60, CostPerHour: money.Yuan(50), Speed: 0.5, LeadWeeks: 1},
		Overtime: &capacity.Overtime{HoursPerDay: 1, SpecialHoursPerDay: 3, DaysPerWeek: 5, HoursPerMonth: 36, AgreedShare: 1, PayPercent: 150},
	}
	for t := range weeks {
		w := capacity.Week{RequiredP50: 320, Shrinkage: 0.2, Shortage: money.Yuan(200)}
		if t == high {
			w.RequiredP50 = 480
		}
		s.Weeks = append(s.Weeks, w)
	}
	return capacity.Input{AsOf: start, Start: start, Skills: []capacity.Skill{s}}
}

// By hand, for the week of 9 November, 160 h short. Three trainees at work give 96, overtime of 13 people 52,
// 24 cloud hours the last 12:
//
//	3 heads: 3 × (100 + 2×40×20 + 3×40×25 = 4700) + 65 × 37.50 + 24 × 50          = 17,737.50
//	2 heads: 9400 + 60 × 37.50 + 60 × 50 + 18 h short × 200                       = 18,250.00
//	4 heads: 18,800 + 3 h of overtime for 14 (33.6 h of the 32 short) × 37.50      = 20,375.00
func TestPromotionByHand(t *testing.T) {
	p, err := capacity.Make(peak(calendar.MakeDate(2026, 10, 5), 8, 5))
	require.NoError(t, err)
	s := p.Skills[0]
	assert.Equal(t, "97737.50", p.Cost.Total.String()) // 80,000 wages of the ten
	require.Len(t, s.Decisions, 3)
	class, cloud, overtime := s.Decisions[0], s.Decisions[1], s.Decisions[2]
	assert.Equal(t, capacity.ClassKind, class.Kind)
	assert.Equal(t, 3, class.Heads)
	assert.Equal(t, "2026-10-12", class.OrderBy.String())
	assert.Equal(t, 7, class.SlackDays)
	assert.Equal(t, "2026-10-26", class.TrainingFrom.String())
	assert.Equal(t, "2026-11-09", class.WorksFrom.String())
	assert.Equal(t, "14100.00", class.Cost.String())
	// Without them 50 hours of overtime and 60 cloud hours leave 90 hours short: 1875 + 3000 + 18,000.
	assert.Equal(t, "5137.50", class.Saves.String())
	assert.Contains(t, class.Reason, "3 at work from 2026-11-09; without them the week of 2026-11-09 has 320 of its 480 hours")
	assert.Equal(t, capacity.CloudKind, cloud.Kind)
	assert.Equal(t, 24.0, cloud.Hours)
	assert.Equal(t, "2026-11-02", cloud.OrderBy.String())
	assert.Equal(t, capacity.OvertimeKind, overtime.Kind)
	assert.Equal(t, 65.0, overtime.Hours)
	assert.Equal(t, "2026-11-09", overtime.OrderBy.String())

	week := s.Weeks[5]
	assert.InDelta(t, 13, week.OnHand, 1e-9)
	assert.InDelta(t, 15, week.RequiredHeads, 1e-9)
	assert.InDelta(t, 0, week.GapHours, 1e-9)
	assert.Zero(t, week.ShortageRisk)
	assert.InDelta(t, 3, s.Weeks[4].InTraining, 1e-9)
	assert.Equal(t, "4800.00", (s.Weeks[3].Cost.Training + s.Weeks[4].Cost.Training).String())
	assert.Equal(t, "300.00", s.Weeks[3].Cost.Hiring.String())
	assert.Equal(t, "3000.00", s.Weeks[6].Cost.Idle.String()) // 96 of 416 hours of 13,000 yuan
	assert.Empty(t, s.Irretrievable)
}

// The same week four weeks ahead: the class had to be ordered a day before.
func TestWhatIsLostAndWhatCoversIt(t *testing.T) {
	in := peak(calendar.MakeDate(2026, 10, 19), 4, 3)
	in.AsOf = calendar.MakeDate(2026, 10, 13)
	in.Skills[0].Temps = []capacity.Temp{{
		Name: "students", WorksFrom: calendar.MakeDate(2026, 11, 9), Weeks: 1, LeadWeeks: 4, TrainingWeeks: 2, MinHeads: 5, MaxHeads: 20,
		HoursPerWeek: 24, Speed: 0.7, Wage: money.Yuan(20),
	}}
	p, err := capacity.Make(in)
	require.NoError(t, err)
	s := p.Skills[0]
	require.Len(t, s.Irretrievable, 2)
	lost := s.Irretrievable[0]
	assert.Equal(t, capacity.ClassKind, lost.Kind)
	assert.Equal(t, "2026-10-12", lost.OrderBy.String())
	assert.Equal(t, []float64{160, 0, 40, 30, 90}, []float64{lost.Gap, lost.FromTemps, lost.FromOvertime, lost.FromCloud, lost.Open})
	assert.Equal(t, "students", s.Irretrievable[1].Name)
	assert.Equal(t, "2026-09-28", s.Irretrievable[1].OrderBy.String())
	assert.Contains(t, lost.Reason, "had to be ordered by 2026-10-12; staff misses 160 h of what P50 asks for in that week: temporary people give 0, overtime 40, cloud agents 30, which also guards against more than P50; 90 stay open")
	assert.Equal(t, "18000.00", s.Weeks[3].Cost.Shortage.String())
	for _, d := range s.Decisions {
		assert.GreaterOrEqual(t, d.SlackDays, 0)
	}
	// Cloud agents whose week is too near are lost as well.
	in.Skills[0].Cloud.LeadWeeks = 5
	p, err = capacity.Make(in)
	require.NoError(t, err)
	assert.Equal(t, capacity.CloudKind, p.Skills[0].Irretrievable[2].Kind)
	assert.InDelta(t, 120, p.Skills[0].Irretrievable[2].Open, 1e-9)
}

// Attrition of 5 % a week leaves 100 × 0.95^t; the others begin work after their training.
func TestStaffFollowsAttritionAndRamp(t *testing.T) {
	in := peak(calendar.MakeDate(2026, 10, 5), 10, 99)
	s := &in.Skills[0]
	s.Classes, s.Cloud, s.Overtime = nil, nil, nil
	s.Staff = []people.Cohort{{Heads: 100, TenureWeeks: 50}, {Heads: 10, TenureWeeks: -2}}
	s.Attrition = []capacity.Hazard{{FromWeek: -4, Weekly: 0.1}, {FromWeek: 0, Weekly: 0.05}}
	s.Ramp = people.Ramp{{FromWeek: 0, Speed: 0.5, Complaints: 3}, {FromWeek: 3, Speed: 1, Complaints: 2}, {FromWeek: 30, Speed: 1, Complaints: 1}}
	p, err := capacity.Make(in)
	require.NoError(t, err)
	for i, w := range p.Skills[0].Weeks {
		old, young, speed := 100*math.Pow(0.95, float64(i)), 0.0, 0.5
		if i >= 2 {
			young = 10 * 0.81 * math.Pow(0.95, float64(i-2))
		}
		if i >= 5 {
			speed = 1
		}
		assert.InDelta(t, old+young, w.OnHand, 1e-9)
		assert.InDelta(t, 32*(old+speed*young), w.StaffHours, 1e-9)
		assert.InDelta(t, (old+speed*young*(4-2*speed))/(old+speed*young), w.Complaints, 1e-9)
	}
	assert.InDelta(t, 9, p.Skills[0].Weeks[1].InTraining, 1e-9)
}

// long draws a plan of two months with an uncertain requirement and everything allowed.
func long(t *rapid.T) capacity.Input {
	in := peak(calendar.MakeDate(2026, 6, 1), rapid.IntRange(8, 9).Draw(t, "weeks"), 99)
	s := &in.Skills[0]
	s.Attrition = []capacity.Hazard{{FromWeek: 0, Weekly: 0.06}, {FromWeek: 8, Weekly: 0.02}}
	s.Ramp = learning()
	s.Classes.MinSize, s.Classes.MaxInTraining, s.Classes.CostPerClass = 3, 12, money.Yuan(2000)
	s.Temps = []capacity.Temp{{Name: "students", WorksFrom: in.Start.Add(28), Weeks: 3, LeadWeeks: 1, TrainingWeeks: 1, MinHeads: 2, MaxHeads: 20, HoursPerWeek: 24, Speed: 0.7, Wage: money.Yuan(20)}}
	for i := range s.Weeks {
		p50 := rapid.Float64Range(100, 700).Draw(t, "p50")
		s.Weeks[i].RequiredP50, s.Weeks[i].RequiredP90 = p50, p50*rapid.Float64Range(1, 1.5).Draw(t, "p90")
		s.Weeks[i].SpecialOvertime = rapid.Bool().Draw(t, "special")
	}
	return in
}

// Whatever the plan: lines add up, the law and the rooms are kept, no decision is too late, and the bound is
// near.
func TestPlanInvariants(t *testing.T) {
	worst, sumOfGaps, cases := 0.0, 0.0, 0.0
	rapid.Check(t, func(t *rapid.T) {
		in := long(t)
		p, err := capacity.Make(in)
		require.NoError(t, err)
		s, skill := p.Skills[0], in.Skills[0]
		var sum money.Fen
		month := map[calendar.Month]int{}
		for i, w := range s.Weeks {
			c := w.Cost
			assert.Equal(t, c.Total, c.Wages+c.Hiring+c.Training+c.Temps+c.Severance+c.Overtime+c.Cloud+c.Shortage)
			sum += c.Total
			assert.InDelta(t, w.EffectiveHours, w.StaffHours+w.TempHours+w.OvertimeHours+w.CloudHours, 1e-9)
			assert.InDelta(t, w.GapHours, w.EffectiveHours-w.RequiredP50, 1e-9)
			assert.True(t, w.ShortageRisk >= 0 && w.ShortageRisk <= 1 && w.ShortHours >= 0)
			assert.LessOrEqual(t, w.InTraining, 12+20+1e-9)
			seen := map[calendar.Month]bool{}
			for d := range 7 {
				seen[w.Start.Add(d).MonthOf()] = true
			}
			for m := range seen {
				month[m] += w.OvertimePerHead
			}
			most := 5
			if skill.Weeks[i].SpecialOvertime {
				most = 15
			}
			assert.LessOrEqual(t, w.OvertimePerHead, most)
			assert.LessOrEqual(t, w.CloudPaid, 60)
		}
		for _, hours := range month {
			assert.LessOrEqual(t, hours, 36)
		}
		assert.Equal(t, s.Cost.Total, sum)
		assert.Equal(t, p.Cost, s.Cost)
		for _, d := range s.Decisions {
			assert.False(t, d.OrderBy.Before(in.AsOf))
			assert.GreaterOrEqual(t, int64(d.Saves), int64(-100), "%s is not worth it: %s", d.Kind, d.Reason)
		}
		assert.LessOrEqual(t, s.LowerBound, s.Cost.Total)
		worst, sumOfGaps, cases = max(worst, s.Gap), sumOfGaps+s.Gap, cases+1
	})
	t.Logf("gap to the bound: mean %.2f %%, largest %.2f %%", 100*sumOfGaps/cases, 100*worst)
	assert.Less(t, sumOfGaps/cases, 0.03)
}

// A dearer shortage never leaves more of it, and never makes a plan cheaper.
func TestDearerShortageLeavesLessOfIt(t *testing.T) {
	last, lastCost := math.Inf(1), money.Fen(0)
	for _, price := range []int64{0, 20, 60, 200, 1000} {
		in := peak(calendar.MakeDate(2026, 10, 5), 8, 5)
		for i := range in.Skills[0].Weeks {
			in.Skills[0].Weeks[i].Shortage = money.Yuan(price)
			in.Skills[0].Weeks[i].RequiredP90 = 1.2 * in.Skills[0].Weeks[i].RequiredP50
		}
		p, err := capacity.Make(in)
		require.NoError(t, err)
		short := 0.0
		for _, w := range p.Skills[0].Weeks {
			short += w.ShortHours
		}
		assert.LessOrEqual(t, short, last+1)
		assert.GreaterOrEqual(t, p.Cost.Total, lastCost)
		last, lastCost = short, p.Cost.Total
	}
}

// The risk is that of the lognormal requirement: one half at its P50, a tenth at its P90.
func TestRiskOfShortage(t *testing.T) {
	for _, c := range []struct{ p50, p90, risk float64 }{{320, 400, 0.5}, {256, 320, 0.1}, {320, 0, 0}, {321, 0, 1}} {
		in := peak(calendar.MakeDate(2026, 10, 5), 1, 99)
		in.Skills[0].Classes, in.Skills[0].Cloud, in.Skills[0].Overtime = nil, nil, nil
		in.Skills[0].Weeks[0].RequiredP50, in.Skills[0].Weeks[0].RequiredP90 = c.p50, c.p90
		p, err := capacity.Make(in)
		require.NoError(t, err)
		assert.InDelta(t, c.risk, p.Skills[0].Weeks[0].ShortageRisk, 1e-9)
	}
}

func TestEveryBadFieldIsReported(t *testing.T) {
	in := peak(calendar.MakeDate(2026, 10, 5), 2, 99)
	in.AsOf = in.Start.Add(1)
	s := &in.Skills[0]
	s.Name, s.HoursPerWeek, s.Wage = "", 44, -1
	s.Staff[0].Heads = math.NaN()
	s.Ramp = people.Ramp{{Speed: 2, Complaints: 1}}
	s.Attrition = []capacity.Hazard{{FromWeek: 1, Weekly: 1.1}, {FromWeek: 1}}
	s.Weeks[0] = capacity.Week{RequiredP50: 10, RequiredP90: 5, Shrinkage: 1}
	s.Weeks[1] = capacity.Week{RequiredP90: 5}
	s.Classes = &capacity.Classes{MinSize: 0, MaxSize: -1, MaxInTraining: -1, LeadWeeks: -1, TrainingWeeks: 500, CostPerHire: -1}
	s.Temps = []capacity.Temp{{WorksFrom: in.Start.Add(3), Attrition: 2}}
	s.Cloud = &capacity.Cloud{MaxHours: -1, Speed: math.Inf(1)}
	s.Overtime = &capacity.Overtime{HoursPerDay: 2, SpecialHoursPerDay: 4, DaysPerWeek: 7, HoursPerMonth: 40, AgreedShare: 1.5, PayPercent: 100}
	_, err := capacity.Make(in)
	require.Error(t, err)
	assert.Equal(t, "capacity.input", fault.CodeOf(err))
	var paths []string
	for _, f := range fault.Of(err).Fields {
		paths = append(paths, f.Path)
	}
	const k = "skills[0]."
	assert.Equal(t, []string{
		"start", k + "name", k + "hours_per_week", k + "wage_per_hour", k + "staff[0].heads", k + "ramp[0].speed",
		k + "attrition[0].weekly_share", k + "attrition[1].from_week",
		k + "weeks[0].required_p90_hours", k + "weeks[0].shrinkage", k + "weeks[1].required_p50_hours",
		k + "classes.min_size", k + "classes.max_size", k + "classes.max_in_training", k + "classes.lead_weeks", k + "classes.training_weeks", k + "classes.cost_per_hire",
		k + "temps[0].name", k + "temps[0].works_from", k + "temps[0].weeks", k + "temps[0].min_heads", k + "temps[0].hours_per_week", k + "temps[0].speed", k + "temps[0].weekly_attrition",
		k + "cloud.max_hours_per_week", k + "cloud.speed",
		k + "overtime.hours_per_day", k + "overtime.special_hours_per_day", k + "overtime.days_per_week", k + "overtime.hours_per_month", k + "overtime.agreed_share", k + "overtime.pay_percent",
	}, paths)

	_, err = capacity.Make(capacity.Input{})
	require.Error(t, err)
	assert.Len(t, fault.Of(err).Fields, 3)
	in = peak(calendar.MakeDate(2026, 10, 5), 65, 99)
	assert.ErrorContains(t, in.Validate(), "skills[0].weeks: must be 1 to 64 weeks")
}

// The example can be read and planned as it is; every field has a name in snake case.
func TestExampleFile(t *testing.T) {
	p, in := example(t)
	again, _ := example(t)
	assert.Equal(t, p, again, "the same input gives the same plan")
	assert.Len(t, p.Skills, 2)
	assert.NotEmpty(t, p.Skills[0].Decisions)
	for _, s := range p.Skills {
		assert.Less(t, s.Gap, 0.03, s.Name)
		assert.Len(t, s.Weeks, 26)
	}
	body, err := json.Marshal(in)
	require.NoError(t, err)
	assert.NotRegexp(t, `"[a-z_]*[A-Z][A-Za-z_]*":`, string(body))
	body, err = json.Marshal(p)
	require.NoError(t, err)
	assert.NotRegexp(t, `"[a-z_]*[A-Z][A-Za-z_]*":`, string(body))
}

func example(t testing.TB) (capacity.Plan, capacity.Input) {
	body, err := os.ReadFile("../../../docs/examples/staff-capacity.json")
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	var in capacity.Input
	require.NoError(t, decoder.Decode(&in))
	p, err := capacity.Make(in)
	require.NoError(t, err)
	return p, in
}

// 64 weeks of two skills, with classes in every week, two cohorts, cloud agents and overtime.
func BenchmarkStaffingCapacity64Weeks(b *testing.B) {
	_, in := example(b)
	for i := range in.Skills {
		s := &in.Skills[i]
		for len(s.Weeks) < capacity.MaxWeeks {
			s.Weeks = append(s.Weeks, s.Weeks[len(s.Weeks)-26])
		}
	}
	for b.Loop() {
		p, err := capacity.Make(in)
		require.NoError(b, err)
		for _, s := range p.Skills {
			b.ReportMetric(100*s.Gap, "gap_%_"+s.Name)
		}
	}
	b.Log("bar: 64 weeks of two skills within 10 s, at most 3 % above the lower bound")
}

// learning is a ramp of eight weeks.
func learning() people.Ramp {
	return people.Ramp{{FromWeek: 0, Speed: 0.6, Complaints: 3.2}, {FromWeek: 2, Speed: 0.75, Complaints: 1.8}, {FromWeek: 4, Speed: 0.9, Complaints: 1.3}, {FromWeek: 8, Speed: 1, Complaints: 1}}
}
