package exports

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/scheduling"
)

func value(num, den float64) kpi.Reading {
	r := kpi.Reading{Metric: "answered_within", Version: "1", Numerator: num, Denominator: den}
	if den > 0 {
		v := num / den
		r.Value = &v
	}
	return r
}

// few is a reading below the minimum sample of its definition.
func few(r kpi.Reading) kpi.Reading {
	r.TooFew = true
	return r
}

func TestJudge(t *testing.T) {
	least := contracts.Term{Direction: contracts.AtLeast, Target: 0.9, MinSample: 100}
	most := contracts.Term{Direction: contracts.AtMost, Target: 30}
	cases := []struct {
		name    string
		term    contracts.Term
		reading kpi.Reading
		noKPI   bool
		want    Verdict
		reason  string
	}{
		{"above an at-least target", least, value(95, 100), false, Pass, "target met"},
		{"exactly on an at-least target", least, value(90, 100), false, Pass, "target met"},
		{"one contact below", least, value(899, 1000), false, Fail, "target missed"},
		{"below an at-most target", most, value(2900, 100), false, Pass, "target met"},
		{"exactly on an at-most target", most, value(3000, 100), false, Pass, "target met"},
		{"above an at-most target", most, value(3001, 100), false, Fail, "target missed"},
		{"a third of a third, in float seconds", contracts.Term{Direction: contracts.AtMost, Target: 0.3}, value(0.1+0.2, 1), false, Pass, "target met"},
		{"just enough samples", least, value(90, 100), false, Pass, "target met"},
		{"one sample short", least, value(99, 99), false, NotJudged, "99 samples, the minimum is 100"},
		{"no data", least, value(0, 0), false, NotJudged, "no data"},
		{"no data and no minimum", most, value(0, 0), false, NotJudged, "no data"},
		{"too few for the definition, whatever the term says", most, few(value(2900, 99)), false, NotJudged, "too few samples: 99"},
		{"too few for both: the term's minimum is named", least, few(value(99, 99)), false, NotJudged, "99 samples, the minimum is 100"},
		{"no data wins over too few", most, few(value(0, 0)), false, NotJudged, "no data"},
		{"no-KPI period wins over too few", most, few(value(1, 9)), true, NotJudged, "no-KPI"},
		{"no-KPI period wins over a miss", least, value(1, 100), true, NotJudged, "no-KPI"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, reason := Judge(c.term, c.reading, c.noKPI)
			assert.Equal(t, c.want, got)
			assert.Contains(t, reason, c.reason)
		})
	}
	broken := value(1, 1)
	broken.Value = new(float64)
	*broken.Value = math.NaN()
	got, _ := Judge(most, broken, false)
	assert.Equal(t, NotJudged, got)
}

func TestTargetMetExactlyPassesInBothDirections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		den := rapid.IntRange(1, 1e7).Draw(t, "den")
		r := value(float64(rapid.IntRange(0, den).Draw(t, "num")), float64(den))
		for _, d := range []contracts.Direction{contracts.AtLeast, contracts.AtMost} {
			got, _ := Judge(contracts.Term{Direction: d, Target: *r.Value}, r, false)
			assert.Equal(t, Pass, got)
		}
	})
}

func TestMergedAddsAndNeverAverages(t *testing.T) {
	// 99 of 100 and 1 of 10: merged 100/110; the mean of the shares would be 0.545.
	got := kpi.Merged(kpi.Share, []kpi.Reading{value(99, 100), value(0, 0), value(1, 10)})
	require.NotNil(t, got.Value)
	assert.InDelta(t, 100.0/110, *got.Value, 1e-15)
	assert.Nil(t, kpi.Merged(kpi.Share, []kpi.Reading{value(0, 0)}).Value)
	assert.Nil(t, kpi.Merged(kpi.Count, nil).Value)

	five, seven := 5.0, 7.0
	count := kpi.Merged(kpi.Count, []kpi.Reading{{Numerator: 5, Denominator: 1, Value: &five}, {Numerator: 7, Denominator: 1, Value: &seven}})
	assert.Equal(t, 12.0, *count.Value, "counts add up whatever their denominator says")
}

func TestMergingInPartsIsMergingTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) kpi.Reading {
			return value(float64(rapid.IntRange(0, 1000).Draw(t, "num")), float64(rapid.IntRange(0, 1000).Draw(t, "den")))
		}), 2, 10).Draw(t, "parts")
		cut := rapid.IntRange(0, len(parts)).Draw(t, "cut")
		whole := kpi.Merged(kpi.Seconds, parts)
		halves := kpi.Merged(kpi.Seconds, []kpi.Reading{kpi.Merged(kpi.Seconds, parts[:cut]), kpi.Merged(kpi.Seconds, parts[cut:])})
		assert.Equal(t, whole.Value, halves.Value)
		assert.Equal(t, whole.Denominator, halves.Denominator)
	})
}

func report() SLAReport {
	def := kpi.Definition{Metric: "answered_within", Version: "1", Unit: kpi.Share}
	return SLAReport{
		Contract: contracts.Contract{ID: "c"}, Merchant: contracts.Merchant{ID: "m", Name: "露米"},
		Month: calendar.Month{Year: 2026, Month: 11}, TimeZone: "Asia/Shanghai", GeneratedAt: time.Unix(1, 0),
		Within: 30 * time.Second, Definitions: []kpi.Definition{def},
		Lines: []TermLine{
			{Term: contracts.Term{Metric: "answered_within", Within: "20s", Direction: contracts.AtLeast}, Reading: value(1, 2), Verdict: Pass},
			{Term: contracts.Term{Metric: "answered_within", Within: "30s", Direction: contracts.AtLeast, Target: 0.9}, Reading: value(1, 2), Verdict: Fail},
		},
		Totals: []kpi.Reading{value(1, 2)},
		Daily:  []DayLine{{Date: calendar.Date{Year: 2026, Month: 11, Day: 1}, Readings: []kpi.Reading{value(1, 2)}}},
		Agents: []AgentLine{{Agent: "a", Readings: []kpi.Reading{value(1, 2)}}},
	}
}

func TestTargetIsTheTermOfTheReportsLimit(t *testing.T) {
	line, ok := report().Target("answered_within")
	require.True(t, ok)
	assert.Equal(t, 0.9, line.Term.Target)
	_, ok = report().Target("satisfaction")
	assert.False(t, ok)
	assert.Equal(t, map[Verdict]int{Pass: 1, Fail: 1}, report().Judged())
}

func TestValidateNamesEveryBadField(t *testing.T) {
	require.NoError(t, report().Validate())
	inf := math.Inf(1)
	half := 0.5
	cases := map[string]func(*SLAReport){
		"contract.id":                 func(r *SLAReport) { r.Contract.ID = "" },
		"merchant.name":               func(r *SLAReport) { r.Merchant.Name = "" },
		"month":                       func(r *SLAReport) { r.Month = calendar.Month{} },
		"time_zone":                   func(r *SLAReport) { r.TimeZone = "Nowhere/Here" },
		"generated_at":                func(r *SLAReport) { r.GeneratedAt = time.Time{} },
		"lines[0].term.direction":     func(r *SLAReport) { r.Lines[0].Term.Direction = "up" },
		"lines[0].term.target":        func(r *SLAReport) { r.Lines[0].Term.Target = inf },
		"lines[0].verdict":            func(r *SLAReport) { r.Lines[0].Reading = value(0, 0) },
		"lines[0].reading.metric":     func(r *SLAReport) { r.Lines[0].Reading.Metric = "other" },
		"totals[0].metric":            func(r *SLAReport) { r.Definitions = nil },
		"daily[0].date":               func(r *SLAReport) { r.Daily[0].Date.Month = 10 },
		"daily[0].readings":           func(r *SLAReport) { r.Daily[0].Readings = nil },
		"daily[0].readings[0].metric": func(r *SLAReport) { r.Daily[0].Readings[0].Metric = "other" },
		"agents[0].agent":             func(r *SLAReport) { r.Agents[0].Agent = "" },
		"agents[1].agent":             func(r *SLAReport) { r.Agents = append(r.Agents, r.Agents[0]) },
		"agents[0].readings[0]":       func(r *SLAReport) { r.Agents[0].Readings[0].Denominator = -1 },
		"agents[0].readings[0].value": func(r *SLAReport) { r.Agents[0].Readings[0].Numerator = 2 },
		"totals[0].value":             func(r *SLAReport) { r.Totals[0].Denominator = 0 },
		"heat.metric":                 func(r *SLAReport) { r.Heat.Cells[0][0] = &half },
		"volume.cells[6][95]":         func(r *SLAReport) { r.Volume = HeatMap{Metric: "answered_within"}; r.Volume.Cells[6][95] = &inf },
	}
	for path, breakIt := range cases {
		r := report()
		breakIt(&r)
		err := r.Validate()
		require.Error(t, err, path)
		assert.Equal(t, "report.invalid", fault.CodeOf(err))
		var paths []string
		for _, f := range fault.Of(err).Fields {
			paths = append(paths, f.Path)
		}
		assert.Contains(t, paths, path)
	}
}

func TestRosterOfLaysOutShifts(t *testing.T) {
	loc := time.FixedZone("UTC+8", 8*3600)
	day := func(d, h int) time.Time { return time.Date(2026, 10, d, h, 0, 0, 0, loc) }
	r := scheduling.Roster{Range: calendar.Range{Start: day(1, 0), End: day(4, 0)}, Shifts: []scheduling.Shift{
		{Agent: "b", Code: "晚", Start: day(1, 16), End: day(2, 0)},
		{Agent: "a", Code: "夜", Start: day(2, 22), End: day(3, 6)},
		{Agent: "a", Code: "早", Start: day(1, 9), End: day(1, 18), Activities: []scheduling.Activity{{Kind: scheduling.Meal, Start: day(1, 12), End: day(1, 13)}}},
		{Agent: "b", Code: "补", Start: day(1, 9), End: day(1, 11), Activities: []scheduling.Activity{{Kind: scheduling.Training, Start: day(1, 9), End: day(1, 11)}}},
		{Agent: "c", Start: day(0, 22), End: day(1, 6)},
	}}
	m := RosterOf("t", r, []RosterPerson{{Agent: "b", Name: "李婷", Team: "一组"}}, calendar.NewHolidays("", []calendar.Holiday{{Date: calendar.Date{Year: 2026, Month: 10, Day: 1}, Kind: calendar.Statutory, Name: "国庆节"}}), loc)
	require.Len(t, m.Days, 3)
	assert.Equal(t, calendar.Statutory, m.Days[0].Kind)
	require.Len(t, m.Rows, 2, "the shift of the day before is no row of this sheet")
	assert.Equal(t, "李婷", m.Rows[0].Name)
	assert.Equal(t, "补\n09:00-11:00\n晚\n16:00-24:00", m.Rows[0].Cells[0].Text)
	assert.Equal(t, CellWork, m.Rows[0].Cells[0].Kind, "a shift that ends at midnight is no night shift")
	assert.Equal(t, RosterCell{"夜\n22:00-06:00", CellNight}, m.Rows[1].Cells[1])
	assert.Equal(t, CellOff, m.Rows[1].Cells[2].Kind)
	assert.Equal(t, 16*time.Hour, m.Rows[1].Work, "8 h without the meal and 8 h at night")
	// 1 October: a works 8 h, b 2 h + 8 h; 2 October: a 8 h; 3 October: nobody.
	assert.Equal(t, []float64{2, 1, 0}, deref(m.Coverage[0].Values))
	assert.Equal(t, []float64{18, 8, 0}, deref(m.Coverage[1].Values))
}

func deref(in []*float64) []float64 {
	out := make([]float64, len(in))
	for i, p := range in {
		out[i] = *p
	}
	return out
}
