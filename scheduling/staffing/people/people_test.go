package people_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/staffing/people"
)

var (
	shanghai = time.FixedZone("Asia/Shanghai", 8*3600)
	monday   = time.Date(2026, 10, 12, 10, 0, 0, 0, shanghai)
)

func plain(heads ...int) people.Input {
	in := people.Input{Rule: people.Multiplicative, Adherence: 1, Location: shanghai}
	for i, h := range heads {
		in.Needs = append(in.Needs, people.Need{Start: monday.Add(time.Duration(i) * time.Hour), Heads: h})
	}
	return in
}

func sum(lines []people.Line) (total int64) {
	for _, l := range lines {
		total += l.MilliHeads
	}
	return total
}

func line(t *testing.T, s people.Slot, cause string) people.Line {
	t.Helper()
	for _, l := range s.Lines {
		if l.Cause == cause {
			return l
		}
	}
	t.Fatalf("no line %q in %+v", cause, s.Lines)
	return people.Line{}
}

// By hand: 40 heads; 20 % and 25 % of what is left leaves 60 % of the present: 66.67, so 67. All 67 come;
// 20 % leave of the payroll: 83.75.
func TestMultiplicativeByHand(t *testing.T) {
	in := plain(40)
	in.Causes = []people.Cause{
		{Name: "training", Stage: people.InShift, Share: 0.25},
		{Name: "break", Stage: people.InShift, Share: 0.2},
		{Name: "leave", Stage: people.OutOfShift, Share: 0.2},
	}
	out, err := people.Plan(in)
	require.NoError(t, err)
	s := out.Slots[0]
	assert.Equal(t, 67, s.Present)
	assert.Equal(t, 67, s.Rostered)
	assert.Equal(t, 83.75, s.Payroll)
	assert.Equal(t, int64(13333), line(t, s, "training").MilliHeads) // 40/0.75 - 40
	assert.Equal(t, int64(13334), line(t, s, "break").MilliHeads)    // 66.667 - 53.333
	assert.Equal(t, int64(333), line(t, s, "whole people").MilliHeads)
	assert.Equal(t, int64(16750), line(t, s, "leave").MilliHeads)
	assert.Equal(t, int64(83750), sum(s.Lines))
}

// By hand: shares of the same 80 present: 15 % break and 35 % training leave the 40 on the queue.
func TestAdditiveByHand(t *testing.T) {
	in := plain(40)
	in.Rule = people.Additive
	in.Causes = []people.Cause{
		{Name: "break", Stage: people.InShift, Share: 0.15},
		{Name: "training", Stage: people.InShift, Share: 0.35},
	}
	out, err := people.Plan(in)
	require.NoError(t, err)
	s := out.Slots[0]
	assert.Equal(t, 80, s.Present)
	assert.Equal(t, int64(12000), line(t, s, "break").MilliHeads)
	assert.Equal(t, int64(28000), line(t, s, "training").MilliHeads)
}

// By hand: 9 erlangs at most 75 % occupied need 12 heads, not 10; a team at 0.8 of the speed 15;
// adherence 0.9375 makes it 16; 20 % absence by the mean rule 20.
func TestOccupancyRampAdherenceAndMeanAbsenceByHand(t *testing.T) {
	in := plain(10)
	in.Needs[0].LoadErlangs, in.OccupancyCap = 9, 0.75
	in.Ramp = people.Ramp{{FromWeek: 0, Speed: 0.6, Complaints: 3}, {FromWeek: 4, Speed: 1, Complaints: 1}}
	in.Team = []people.Cohort{{Heads: 5, TenureWeeks: 1}, {Heads: 5, TenureWeeks: 30}, {Heads: 7, TenureWeeks: -2}}
	in.Adherence = 0.9375
	in.Absence.Share = 0.2
	out, err := people.Plan(in)
	require.NoError(t, err)
	s := out.Slots[0]
	assert.Equal(t, 10, s.Required)
	assert.InDelta(t, 15, s.OnQueue, 1e-12)
	assert.Equal(t, 16, s.Present)
	assert.Equal(t, 20, s.Rostered)
	assert.Equal(t, 20, s.MeanRule)
	assert.Equal(t, int64(2000), line(t, s, "occupancy").MilliHeads)
	assert.Equal(t, int64(3000), line(t, s, "ramp").MilliHeads)
	assert.Equal(t, int64(1000), line(t, s, "adherence").MilliHeads)
	assert.Equal(t, int64(4000), line(t, s, "absence").MilliHeads)
	// 3 of 8 contacts are handled by people with three times the complaints.
	assert.InDelta(t, 8, out.Mix.Effective, 1e-12)
	assert.InDelta(t, (3*3+5)/8.0, out.Mix.Complaints, 1e-12)
}

func TestWindows(t *testing.T) {
	october := calendar.Dates{From: calendar.MakeDate(2026, 10, 13), Until: calendar.MakeDate(2026, 10, 14)}
	training := people.Cause{Name: "training", Stage: people.InShift, Share: 0, Windows: []people.Window{
		{Share: 0.2, Weekdays: []string{"monday"}, From: "14:00", Until: "15:00"},
		{Share: 0.5, Dates: []calendar.Dates{october}},
		{Share: 0.75, From: "22:00", Until: "02:00"},
	}}
	for _, c := range []struct {
		name    string
		at      time.Time
		present int // of 12 on the queue
	}{
		{"no window", monday, 12},
		{"monday at two", monday.Add(4 * time.Hour), 15},
		{"monday at three", monday.Add(5 * time.Hour), 12},
		{"the training day", monday.Add(24 * time.Hour), 24},
		{"the last window wins", monday.Add(36 * time.Hour), 48},
		{"over midnight", monday.Add(39 * time.Hour), 48},                         // Wednesday 01:00
		{"the wall clock decides, not UTC", monday.Add(24 * time.Hour).UTC(), 24}, // 02:00 UTC
	} {
		in := plain()
		in.Needs = []people.Need{{Start: c.at, Heads: 12}}
		in.Causes = []people.Cause{training}
		out, err := people.Plan(in)
		require.NoError(t, err, c.name)
		assert.Equal(t, c.present, out.Slots[0].Present, c.name)
	}
}

// The lines of every slot add up to the payroll exactly, each group holds the one before, and the
// mean rule never rosters more than needed for any level above a half or so.
func TestLinesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := plain(rapid.SliceOfN(rapid.IntRange(0, 300), 1, 4).Draw(t, "heads")...)
		in.Rule = rapid.SampledFrom([]people.Rule{people.Additive, people.Multiplicative}).Draw(t, "rule")
		in.Adherence = rapid.Float64Range(0.5, 1).Draw(t, "adherence")
		for i, name := range []string{"a", "b", "c", "d"} {
			in.Causes = append(in.Causes, people.Cause{
				Name: name, Stage: []people.Stage{people.InShift, people.OutOfShift}[i%2],
				Share: rapid.Float64Range(0, 0.4).Draw(t, name),
			})
		}
		in.Absence = people.Absence{
			Share: rapid.Float64Range(0, 0.3).Draw(t, "absence"), Correlation: rapid.SampledFrom([]float64{0, 0.001, 0.05}).Draw(t, "corr"),
			Level: rapid.SampledFrom([]float64{0, 0.8, 0.99}).Draw(t, "level"),
		}
		in.Team = []people.Cohort{{Heads: 3, TenureWeeks: 1}, {Heads: rapid.Float64Range(0, 9).Draw(t, "trained"), TenureWeeks: 99}}
		in.Ramp = learning()
		out, err := people.Plan(in)
		require.NoError(t, err)
		for _, s := range out.Slots {
			assert.Equal(t, int64(math.Round(s.Payroll*1000)), sum(s.Lines))
			assert.Equal(t, int64(s.Required)*1000, s.Lines[0].MilliHeads)
			assert.LessOrEqual(t, float64(s.Required), s.OnQueue+1e-9)
			assert.LessOrEqual(t, s.OnQueue, float64(s.Present)+1e-9)
			assert.LessOrEqual(t, s.Present, s.Rostered)
			assert.LessOrEqual(t, float64(s.Rostered), s.Payroll)
			if in.Absence.Level > 0 {
				assert.GreaterOrEqual(t, s.EnoughPresent, in.Absence.Level)
			}
			// What the people are for: those left at the mean do the work that was asked for.
			left := float64(s.Present) * in.Adherence * out.Mix.Speed
			if in.Rule == people.Additive {
				left *= 1 - in.Causes[0].Share - in.Causes[2].Share
			} else {
				left *= (1 - in.Causes[0].Share) * (1 - in.Causes[2].Share)
			}
			assert.GreaterOrEqual(t, left, float64(s.Required)-1e-6)
		}
	})
}

// Binomial and beta-binomial by their textbook terms, with logarithms of the gamma function.
func TestPresenceIsTheTextbookSum(t *testing.T) {
	lgamma := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	choose := func(n, k float64) float64 { return lgamma(n+1) - lgamma(k+1) - lgamma(n-k+1) }
	beta := func(a, b float64) float64 { return lgamma(a) + lgamma(b) - lgamma(a+b) }
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(t, "n")
		need := rapid.IntRange(1, n).Draw(t, "need")
		p := rapid.Float64Range(0.001, 0.6).Draw(t, "share")
		corr := rapid.SampledFrom([]float64{0, 0.003, 0.1, 0.6}).Draw(t, "corr")
		want := 0.0
		for k := 0; k <= n-need; k++ {
			if corr == 0 {
				want += math.Exp(choose(float64(n), float64(k)) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
				continue
			}
			a, b := p*(1-corr)/corr, (1-p)*(1-corr)/corr
			want += math.Exp(choose(float64(n), float64(k)) + beta(float64(k)+a, float64(n-k)+b) - beta(a, b))
		}
		assert.InDelta(t, want, people.PresentAtLeast(n, need, p, corr), 1e-9)
	})
}

// Closed forms: all of 10 come with 0.9^10; of two rostered one comes with 1 - (p² + corr p(1-p)).
func TestPresenceClosedForms(t *testing.T) {
	assert.InDelta(t, math.Pow(0.9, 10), people.PresentAtLeast(10, 10, 0.1, 0), 1e-15)
	assert.InDelta(t, 1-(0.04+0.25*0.2*0.8), people.PresentAtLeast(2, 1, 0.2, 0.25), 1e-15)
	assert.Equal(t, 1.0, people.PresentAtLeast(3, 0, 0.5, 0))
	assert.Equal(t, 0.0, people.PresentAtLeast(3, 4, 0.5, 0))
	// A large roster: 100,000 at 10 %, normal quantile 2.326 standard deviations of 94.87 plus half a head.
	n, reached, err := people.LeastRostered(90_000, 0.1, 0, 0.99)
	require.NoError(t, err)
	assert.InDelta(t, 100_000+2.326*math.Sqrt(100_000*0.09)/0.9, float64(n), 3)
	assert.GreaterOrEqual(t, reached, 0.99)
}

// The answer of the search is the least: one less does not reach the level.
func TestLeastRosteredIsLeast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		need := rapid.IntRange(1, 200).Draw(t, "need")
		p := rapid.Float64Range(0, 0.4).Draw(t, "share")
		corr := rapid.Float64Range(0, 0.05).Draw(t, "corr")
		level := rapid.Float64Range(0.01, 0.995).Draw(t, "level")
		n, reached, err := people.LeastRostered(need, p, corr, level)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, reached, level)
		if n > need {
			assert.Less(t, people.PresentAtLeast(n-1, need, p, corr), level)
		}
	})
}

// The mean rule fails on about every second day; that is why there is a level.
func TestMeanRuleIsMetAboutHalfTheDays(t *testing.T) {
	in := plain(90)
	in.Absence = people.Absence{Share: 0.1, Correlation: 0.02, Level: 0.95}
	out, err := people.Plan(in)
	require.NoError(t, err)
	assert.Equal(t, 100, out.Slots[0].MeanRule)
	assert.InDelta(t, 0.6, people.PresentAtLeast(100, 90, 0.1, 0.02), 0.06)
	assert.Greater(t, out.Slots[0].Rostered, 105)
}

// Beta-binomial days with known parameters give them back.
func TestFitAbsenceFindsWhatMadeTheDays(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	gamma := func(shape float64) float64 { // a sum of exponentials: shape is whole
		x := 0.0
		for range int(shape) {
			x += rng.ExpFloat64()
		}
		return x
	}
	var days []people.AbsenceDay
	for range 4000 {
		a, b := gamma(2), gamma(18) // share 0.1, correlation 1/21
		d := people.AbsenceDay{Rostered: 20 + rng.IntN(60)}
		for range d.Rostered {
			if rng.Float64() < a/(a+b) {
				d.Absent++
			}
		}
		days = append(days, d)
	}
	got, err := people.FitAbsence(days)
	require.NoError(t, err)
	assert.InDelta(t, 0.1, got.Share, 0.004)
	assert.InDelta(t, 1/21.0, got.Correlation, 0.005)

	got, err = people.FitAbsence([]people.AbsenceDay{{Rostered: 10, Absent: 1}, {Rostered: 30, Absent: 3}})
	require.NoError(t, err)
	assert.Equal(t, people.Absence{Share: 0.1}, got) // less spread than chance: no correlation
	_, err = people.FitAbsence([]people.AbsenceDay{{Rostered: 3, Absent: 4}, {Rostered: -1}})
	require.Error(t, err)
	assert.Len(t, fault.Of(err).Fields, 2)
	_, err = people.FitAbsence(nil)
	assert.Equal(t, "people.history", fault.CodeOf(err))
}

func TestRampHoldsBeforeItsFirstStep(t *testing.T) {
	r := learning()
	assert.Equal(t, 0.6, r.At(-3).Speed)
	assert.Equal(t, 0.6, r.At(1).Speed)
	assert.Equal(t, 0.75, r.At(2).Speed)
	assert.Equal(t, 1.0, r.At(500).Speed)
	assert.Equal(t, 1.0, people.Ramp(nil).At(0).Speed)
}

func TestEveryBadFieldIsReported(t *testing.T) {
	in := plain(5, 5)
	in.Needs[1].Start = in.Needs[0].Start
	in.Needs[1].Heads = -1
	in.Needs[0].LoadErlangs = math.NaN()
	in.Rule = "sum"
	in.Adherence = 1.2
	in.OccupancyCap = -0.1
	in.Causes = []people.Cause{
		{Name: "break", Stage: people.InShift, Share: 1},
		{Name: "break", Stage: "lunch", Share: 0.1, Windows: []people.Window{{Share: math.NaN(), Weekdays: []string{"Mo"}, From: "9:00", Until: "25:00", Dates: []calendar.Dates{{}}}}},
		{Name: "absence", Stage: people.InShift},
	}
	in.Absence = people.Absence{Share: -0.1, Correlation: 1, Level: 1}
	in.Ramp = people.Ramp{{FromWeek: 2, Speed: 0, Complaints: 1}, {FromWeek: 1, Speed: 1}}
	in.Team = []people.Cohort{{Heads: -1}}
	_, err := people.Plan(in)
	require.Error(t, err)
	var paths []string
	for _, f := range fault.Of(err).Fields {
		paths = append(paths, f.Path)
	}
	assert.Equal(t, []string{
		"needs[0].load_erlangs", "needs[1].start", "needs[1].heads", "rule", "adherence", "occupancy_cap",
		"causes[0].share", "causes[1].name", "causes[1].stage", "causes[1].windows[0].share", "causes[1].windows[0].weekdays",
		"causes[1].windows[0].from", "causes[1].windows[0].until", "causes[1].windows[0].dates[0]", "causes[2].name",
		"absence.share", "absence.correlation", "absence.level",
		"ramp[0].speed", "ramp[1].from_week", "ramp[1].complaints", "team[0].heads", "team",
	}, paths)

	in = plain(5)
	in.Rule = people.Additive
	in.Causes = []people.Cause{{Name: "a", Stage: people.InShift, Share: 0.5}, {Name: "b", Stage: people.InShift, Share: 0.5}}
	assert.ErrorContains(t, in.Validate(), "shares add up to more than 0.95")

	in = plain(5)
	in.Absence = people.Absence{Share: 0.5, Correlation: 0.9, Level: 0.99}
	_, err = people.Plan(in)
	require.Error(t, err)
	assert.Equal(t, "people.unreachable", fault.CodeOf(err))
	assert.Equal(t, "needs[0]", fault.Of(err).Fields[0].Path)
}

func TestJSONIsSnakeCaseAndRoundTrips(t *testing.T) {
	in := plain(4)
	in.Team = []people.Cohort{{Name: "veterans", Heads: 4, TenureWeeks: 52}}
	body, err := json.Marshal(in)
	require.NoError(t, err)
	assert.Contains(t, string(body), `"tenure_weeks":52`)
	var back people.Input
	require.NoError(t, json.Unmarshal(body, &back))
	back.Location = in.Location
	assert.Equal(t, in.Team, back.Team)
}

// learning is a ramp of eight weeks.
func learning() people.Ramp {
	return people.Ramp{{FromWeek: 0, Speed: 0.6, Complaints: 3.2}, {FromWeek: 2, Speed: 0.75, Complaints: 1.8}, {FromWeek: 4, Speed: 0.9, Complaints: 1.3}, {FromWeek: 8, Speed: 1, Complaints: 1}}
}

// Days may be told in Chinese; of all names only those are days.
func TestWeekdaysInChinese(t *testing.T) {
	tuesday := time.Date(2026, 11, 10, 10, 0, 0, 0, time.UTC)
	for name, day := range map[string]time.Time{"周二": tuesday, "星期二": tuesday, "礼拜二": tuesday, "Tuesday": tuesday, "周日": tuesday.AddDate(0, 0, 5), "星期天": tuesday.AddDate(0, 0, 5)} {
		in := people.Input{
			Rule: people.Additive, Adherence: 1, Shared: true, Needs: []people.Need{{Start: day, Heads: 9}, {Start: day.AddDate(0, 0, 1), Heads: 9}},
			Causes: []people.Cause{{Name: "training", Stage: people.InShift, Windows: []people.Window{{Share: 0.1, Weekdays: []string{name}}}}},
		}
		out, err := people.Plan(in)
		require.NoError(t, err, name)
		assert.InDelta(t, 10, out.Slots[0].Payroll, 1e-9, name)
		assert.InDelta(t, 9, out.Slots[1].Payroll, 1e-9, name)
	}
	for _, name := range []string{"周八", "周", "二", "周二二"} {
		in := people.Input{Rule: people.Additive, Adherence: 1, Causes: []people.Cause{{Name: "training", Stage: people.InShift, Windows: []people.Window{{Weekdays: []string{name}}}}}}
		assert.ErrorContains(t, in.Validate(), "monday or 周一", name)
	}
}
