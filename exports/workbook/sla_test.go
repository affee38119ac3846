package workbook

import (
	"bytes"
	"io"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
)

// grid is a sheet as stored: raw values, not formatted ones.
type grid [][]string

func (g grid) at(col, row int) string {
	if row < 1 || row > len(g) || col < 1 || col > len(g[row-1]) {
		return ""
	}
	return g[row-1][col-1]
}

// row finds the row whose cell in a column has a text, from a row on.
func (g grid) row(col, from int, text string) int {
	for i := from; i <= len(g); i++ {
		if g.at(col, i) == text {
			return i
		}
	}
	return 0
}

type failer interface {
	Errorf(format string, args ...any)
	FailNow()
}

func write(t failer, r exports.SLAReport) []byte {
	var out bytes.Buffer
	require.NoError(t, SLA(&out, r))
	return out.Bytes()
}

func open(t failer, file []byte) *excelize.File {
	f, err := excelize.OpenReader(bytes.NewReader(file))
	require.NoError(t, err)
	return f
}

func sheetOf(t failer, f *excelize.File, name string) grid {
	rows, err := f.GetRows(name, excelize.Options{RawCellValue: true})
	require.NoError(t, err)
	return rows
}

// same compares a cell with a figure: the identical float, or an empty cell for no data.
func same(t failer, want *float64, got, where string) {
	if want == nil {
		assert.Empty(t, got, where)
		return
	}
	v, err := strconv.ParseFloat(got, 64)
	if assert.NoError(t, err, where) {
		assert.Equal(t, *want, v, where)
	}
}

func sameRow(t failer, g grid, col, row int, want []kpi.Reading, where string) {
	for i, r := range want {
		same(t, r.Value, g.at(col+i, row), where+" "+string(r.Metric))
	}
}

// checkFigures compares every figure of the file with the model.
func checkFigures(t failer, file []byte, r exports.SLAReport) {
	f := open(t, file)
	defer func() { _ = f.Close() }()
	checkSummary(t, sheetOf(t, f, SheetSummary), r)
	checkDaily(t, sheetOf(t, f, SheetDaily), r)
	checkHeat(t, sheetOf(t, f, SheetHeat), r)
	checkAgents(t, sheetOf(t, f, SheetAgents), r)
}

func checkSummary(t failer, g grid, r exports.SLAReport) {
	row := g.row(1, 1, "条款\nTerm")
	require.Positive(t, row)
	for _, l := range r.Lines {
		row++
		same(t, &l.Term.Target, g.at(4, row), "target "+l.Term.ID)
		same(t, l.Reading.Value, g.at(5, row), "actual "+l.Term.ID)
		if l.Reading.Value != nil {
			gap := *l.Reading.Value - l.Term.Target
			same(t, &gap, g.at(6, row), "gap "+l.Term.ID)
			same(t, &l.Reading.Numerator, g.at(7, row), "numerator "+l.Term.ID)
			same(t, &l.Reading.Denominator, g.at(8, row), "sample "+l.Term.ID)
		}
		assert.Equal(t, verdictText[l.Verdict], g.at(10, row))
		assert.Equal(t, guard(l.Reason), g.at(11, row))
	}
	row = g.row(1, row, "指标编号\nMetric id")
	require.Positive(t, row)
	for _, m := range r.Totals {
		row++
		assert.Equal(t, string(m.Metric), g.at(1, row))
		same(t, m.Value, g.at(5, row), "total "+string(m.Metric))
		if m.Value != nil {
			same(t, &m.Numerator, g.at(7, row), "numerator "+string(m.Metric))
		}
	}
}

func checkDaily(t failer, g grid, r exports.SLAReport) {
	row := g.row(1, 1, "日期\nDate")
	require.Positive(t, row)
	for _, d := range r.Daily {
		row++
		assert.Equal(t, strconv.FormatInt(serial(d.Date), 10), g.at(1, row))
		sameRow(t, g, 3, row, d.Readings, d.Date.String())
	}
	if len(r.Daily) > 0 {
		assert.Equal(t, "全月 Month", g.at(1, row+1))
		sameRow(t, g, 3, row+1, r.Totals, "month")
	}
}

func checkHeat(t failer, g grid, r exports.SLAReport) {
	head := g.row(2, 1, "时段\nSlot")
	require.Positive(t, head)
	col := 3
	for _, m := range []exports.HeatMap{r.Heat, r.Volume} {
		if m.Metric == "" {
			continue
		}
		for w := range 7 {
			for s := range 96 {
				same(t, m.Cells[w][s], g.at(col+w, head+1+s), "heat")
			}
		}
		col += 8
	}
}

func checkAgents(t failer, g grid, r exports.SLAReport) {
	head := g.row(1, 1, "工号\nAgent")
	require.Positive(t, head)
	for _, a := range r.Agents {
		row := g.row(1, head+1, guard(string(a.Agent)))
		require.Positive(t, row, a.Agent)
		assert.Equal(t, guard(a.Name), g.at(2, row))
		sameRow(t, g, 4, row, a.Readings, string(a.Agent))
	}
	sameRow(t, g, 4, head+len(r.Agents)+2, r.Totals, "whole month")
}

func TestEveryFigureInTheFileIsTheModels(t *testing.T) {
	r := november()
	checkFigures(t, write(t, r), r)
}

func TestSameModelSameBytes(t *testing.T) {
	first := write(t, november())
	for range 3 {
		assert.True(t, bytes.Equal(first, write(t, november())))
	}
}

func TestTotalsOfAgentsAreMerged(t *testing.T) {
	r := november()
	within := definitions()[4]
	// 90 of 100 and 1 of 10: merged 91/110 = 0.8272..., the mean of shares would be 0.5.
	only := func(agent string, num, den float64) exports.AgentLine {
		readings := noData()
		readings[4] = reading(within, num, den)
		return exports.AgentLine{Agent: ids.Agent(agent), Name: agent, Readings: readings}
	}
	r.Agents = []exports.AgentLine{only("a", 90, 100), only("b", 1, 10)}
	f := open(t, write(t, r))
	defer func() { _ = f.Close() }()
	g := sheetOf(t, f, SheetAgents)
	row := g.row(1, 1, "客服合计(合并,非平均) All agents, merged")
	merged := 91.0 / 110.0
	same(t, &merged, g.at(4+4, row), "merged")
	assert.Empty(t, g.at(4, row), "no count was known")
}

func TestSimulatedStandsOnEverySheetAndNowhereElse(t *testing.T) {
	for _, simulated := range []bool{true, false} {
		r := november()
		r.Simulated = simulated
		f := open(t, write(t, r))
		for _, name := range f.GetSheetList() {
			assert.Equal(t, simulated, sheetOf(t, f, name).row(1, 1, simulatedBanner) > 0, name)
		}
		assert.Equal(t, []string{SheetSummary, SheetDaily, SheetHeat, SheetAgents, SheetDefinitions, SheetProvenance}, f.GetSheetList())
		require.NoError(t, f.Close())
	}
}

// A month that is not over is provisional, whether its data are real or made up.
func TestProvisionalStandsOnEverySheetBesideSimulated(t *testing.T) {
	for banner, simulated := range map[string]bool{provisionalBanner: false, simulatedBanner + " · " + provisionalBanner: true} {
		r := november()
		r.Simulated, r.Provisional = simulated, true
		f := open(t, write(t, r))
		for _, name := range f.GetSheetList() {
			assert.Positive(t, sheetOf(t, f, name).row(1, 1, banner), name)
		}
		require.NoError(t, f.Close())
	}
}

func TestCellsAreTypedAndFormatted(t *testing.T) {
	f := open(t, write(t, november()))
	defer func() { _ = f.Close() }()
	g := sheetOf(t, f, SheetDaily)
	row := g.row(1, 1, "日期\nDate") + 1
	for name, want := range map[string]string{cell(1, row): "2026-11-01", cell(3, row): "1,102 ", cell(7, row): "93.9% ", cell(11, row): "4.78 "} {
		shown, err := f.GetCellValue(SheetDaily, name)
		require.NoError(t, err)
		assert.Equal(t, want, shown, name)
	}
	for _, name := range f.GetSheetList() {
		layout, err := f.GetPageLayout(name)
		require.NoError(t, err)
		assert.Equal(t, paperA4, *layout.Size, name)
		props, err := f.GetSheetProps(name)
		require.NoError(t, err)
		assert.True(t, *props.FitToPage, name)
	}
	assert.Len(t, f.GetDefinedName(), 7, "repeated rows of six sheets and the filter")
}

func TestEmptyMonthIsStillAReport(t *testing.T) {
	r := november()
	r.Lines, r.Daily, r.Agents, r.Totals, r.Provenance, r.Definitions = nil, nil, nil, nil, nil, nil
	r.Heat, r.Volume = exports.HeatMap{}, exports.HeatMap{}
	checkFigures(t, write(t, r), r)
}

func TestInvalidReportWritesNothing(t *testing.T) {
	r := november()
	r.Daily[3].Readings = r.Daily[3].Readings[:2]
	r.TimeZone = "Mars/Olympus"
	var out bytes.Buffer
	err := SLA(&out, r)
	assert.Equal(t, "report.invalid", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 2)
	assert.Zero(t, out.Len())
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestFailedWriteIsAFault(t *testing.T) {
	assert.Equal(t, "workbook.write", fault.CodeOf(SLA(brokenWriter{}, november())))
}

// nasty texts: formulas, control characters, long, wide, and footer codes.
var nasty = rapid.OneOf(
	rapid.StringN(0, 40, 200),
	rapid.SampledFrom([]string{"=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1", "=1", "", "&P&A", "_x0041_", "a\x00b", "\xff", "'quoted", "很长很长的名字很长很长的名字很长很长的名字很长很长的名字"}),
)

func TestAnyValidModelReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := randomReport(t)
		require.NoError(t, r.Validate())
		file := write(t, r)
		checkFigures(t, file, r)
		checkNoFormulas(t, file)
	})
}

func randomReadings(t *rapid.T, defs []kpi.Definition) []kpi.Reading {
	out := make([]kpi.Reading, len(defs))
	for i, d := range defs {
		out[i] = kpi.Reading{Metric: d.Metric, Version: d.Version}
		if rapid.Bool().Draw(t, "known") {
			out[i] = reading(d, rapid.Float64Range(0, 1e12).Draw(t, "num"), float64(rapid.IntRange(0, 1e9).Draw(t, "den")))
		}
	}
	return out
}

func randomReport(t *rapid.T) exports.SLAReport {
	r := november()
	defs := definitions()[:rapid.IntRange(0, 12).Draw(t, "metrics")]
	r.Merchant.Name = "m" + nasty.Draw(t, "merchant")
	r.Contract.Title = nasty.Draw(t, "contract")
	r.Totals = randomReadings(t, defs)
	r.Daily = r.Daily[:rapid.IntRange(0, 30).Draw(t, "days")]
	for i := range r.Daily {
		r.Daily[i].Readings = randomReadings(t, defs)
	}
	r.Agents = nil
	for i := range rapid.IntRange(0, 4).Draw(t, "agents") {
		r.Agents = append(r.Agents, exports.AgentLine{Agent: ids.Agent("a" + strconv.Itoa(i)), Name: nasty.Draw(t, "name"), Team: nasty.Draw(t, "team"), Readings: randomReadings(t, defs)})
	}
	r.Lines = nil
	for i := range rapid.IntRange(0, 3).Draw(t, "terms") {
		d := definitions()[rapid.IntRange(0, 11).Draw(t, "term")]
		term := contracts.Term{ID: "t" + strconv.Itoa(i), Metric: string(d.Metric), Direction: rapid.SampledFrom([]contracts.Direction{contracts.AtLeast, contracts.AtMost}).Draw(t, "direction"), Target: rapid.Float64Range(0, 100).Draw(t, "target")}
		value := randomReadings(t, []kpi.Definition{d})[0]
		verdict, _ := exports.Judge(term, value, false)
		r.Lines = append(r.Lines, exports.TermLine{Term: term, Reading: value, Verdict: verdict, Reason: nasty.Draw(t, "reason")})
	}
	r.Provenance = []exports.Provenance{{What: nasty.Draw(t, "what"), Text: nasty.Draw(t, "text")}}
	return r
}

func checkNoFormulas(t failer, file []byte) {
	f := open(t, file)
	defer func() { _ = f.Close() }()
	for _, name := range f.GetSheetList() {
		for i, row := range sheetOf(t, f, name) {
			for j, v := range row {
				formula, err := f.GetCellFormula(name, cell(j+1, i+1))
				require.NoError(t, err)
				assert.Empty(t, formula)
				if v != "" && (v[0] == '=' || v[0] == '@' || v[0] == '+') {
					assert.Failf(t, "unguarded text", "%s %s %q", name, cell(j+1, i+1), v)
				}
			}
		}
	}
}

func TestSerialOfDates(t *testing.T) {
	// Known serial numbers of the 1900 system, e.g. ECMA-376 part 1, 18.17.4.1.
	for want, d := range map[int64]calendar.Date{
		61: {Year: 1900, Month: 3, Day: 1}, 36526: {Year: 2000, Month: 1, Day: 1}, 45658: {Year: 2025, Month: 1, Day: 1},
	} {
		assert.Equal(t, want, serial(d))
	}
}
