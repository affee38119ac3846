package workbook_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/exports/workbook"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/reconcile"
)

func reconciliationModel() exports.Reconciliation {
	day := calendar.MakeDate(2026, 11, 11)
	theirs, ours, difference, relative := 0.9786, 0.97860962566844919, 0.0000096256684492, 0.0000098
	lines := []reconcile.Line{
		{
			Date: day, Merchant: "m", Shop: "=cmd", Platform: "tmall", Item: "human_3min_rate", Header: "3分钟人工响应率", Unit: "share", Base: "round",
			PlatformValue: &theirs, Closed: true, Metric: "tmall.human_3min", Version: "v2023", OurBase: "round", OurValue: &ours, Numerator: 183, Denominator: 187,
			Difference: &difference, Relative: &relative, Verdict: reconcile.Equal, Reason: "一致 / equal",
		},
		{Date: day, Merchant: "m", Shop: "=cmd", Platform: "tmall", Item: "agent_characters", Header: "客服字数", Unit: "count", PlatformValue: &theirs, Verdict: reconcile.Unpaired},
	}
	return exports.Reconciliation{
		Dates: calendar.Dates{From: day, Until: day.Add(1)}, TimeZone: "Asia/Shanghai", GeneratedAt: time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC), Tolerance: 0.02,
		Lines: lines, Days: reconcile.Summarize(lines, 0.02), Definitions: []kpi.Definition{{Metric: "tmall.human_3min", Version: "v2023", NameZH: "3分钟人工响应率", Text: "=1+1"}},
	}
}

func TestReconciliationCellsHoldTheFigures(t *testing.T) {
	model := reconciliationModel()
	var out, again bytes.Buffer
	require.NoError(t, workbook.Reconciliation(&out, model))
	require.NoError(t, workbook.Reconciliation(&again, model))
	assert.Equal(t, out.Bytes(), again.Bytes(), "the same model, the same bytes")
	f, err := excelize.OpenReader(&out)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	raw := func(sheet, cell string) string {
		v, err := f.GetCellValue(sheet, cell, excelize.Options{RawCellValue: true})
		require.NoError(t, err)
		return v
	}
	assert.Equal(t, "0.9786", raw(workbook.SheetReconciled, "F4"))
	assert.Equal(t, "0.978609625668449", raw(workbook.SheetReconciled, "G4")[:17], "in full, not rounded to what is shown")
	assert.Equal(t, "183", raw(workbook.SheetReconciled, "M4"))
	assert.Equal(t, "tmall.human_3min@v2023", raw(workbook.SheetReconciled, "L4"))
	assert.Empty(t, raw(workbook.SheetReconciled, "G5"), "no data is an empty cell")
	assert.Empty(t, raw(workbook.SheetReconciled, "L5"))
	assert.Equal(t, "1", raw(workbook.SheetReconciledDay, "E2"))
	for _, cell := range []string{"B4", "B5"} {
		formula, err := f.GetCellFormula(workbook.SheetReconciled, cell)
		require.NoError(t, err)
		assert.Empty(t, formula, "what came from outside is no formula")
	}
}

func TestReconciliationRefusesABadModel(t *testing.T) {
	var out bytes.Buffer
	err := workbook.Reconciliation(&out, exports.Reconciliation{})
	assert.Equal(t, "reconciliation.model", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 2)
}
