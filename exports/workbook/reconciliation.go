package workbook

import (
	"fmt"
	"io"
	"time"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/kpi/reconcile"
)

// The sheets of a reconciliation.
const (
	SheetReconciled    = "对账 Reconciliation"
	SheetReconciledDay = "按日 Days"
	SheetReconciledDef = "口径 Definitions"
)

var verdictNames = map[reconcile.Verdict]string{
	reconcile.Equal: "一致 equal", reconcile.Different: "不一致 different", reconcile.OnlyPlatform: "仅平台 only platform",
	reconcile.OnlyOurs: "仅本方 only ours", reconcile.OtherBase: "口径不同 other base", reconcile.Unpaired: "无对应 unpaired",
}

// Reconciliation writes what platforms say beside our own figures: every line, the days counted,
// and the definitions of our figures. The model is validated first (reconciliation.model); any
// other failure is workbook.write. The same model gives the same bytes.
func Reconciliation(w io.Writer, model exports.Reconciliation) error {
	if err := model.Validate(); err != nil {
		return err
	}
	title := fmt.Sprintf("平台数据对账 Reconciliation %s – %s", model.Dates.From, model.Dates.Until.Add(-1))
	b := newBook(title, model.GeneratedAt)
	reconciledLines(b.sheet(SheetReconciled, page{footer: title}), title, model)
	reconciledDays(b.sheet(SheetReconciledDay, page{footer: title}), model)
	reconciledDefinitions(b.sheet(SheetReconciledDef, page{footer: title}), model)
	return b.write(w)
}

// head writes a row of column heads with their widths.
func (s *sheet) head(row int, heads []string, widths []float64) {
	for i, h := range heads {
		s.text(i+1, row, h, headLook)
		s.width(i+1, widths[i])
	}
	s.height(row, 30)
}

func reconciledLines(s *sheet, title string, m exports.Reconciliation) {
	heads := []string{
		"日期\nDate", "店铺\nShop", "平台\nPlatform", "平台列名\nColumn", "项目\nItem", "平台值\nPlatform", "本方值\nOurs", "差\nDifference",
		"相对差\nRelative", "结论\nVerdict", "已定\nClosed", "本方指标\nMetric", "分子\nNumerator", "分母\nDenominator", "说明\nReason",
	}
	s.span(1, 1, len(heads), 1, title, titleLook)
	s.height(1, 27)
	s.span(1, 2, len(heads), 2, fmt.Sprintf("%s · %s · 本方值由原始会话按当日有效口径计算 ours is counted from raw events under the definition in force",
		m.GeneratedAt.UTC().Format(time.RFC3339), m.TimeZone), subLook)
	s.head(3, heads, []float64{11, 18, 9, 18, 24, 12, 12, 12, 10, 18, 7, 30, 11, 11, 50})
	for i, l := range m.Lines {
		row := 4 + i
		look := verdictLook(l.Verdict)
		format := unitFormat(l.Unit)
		s.date(1, row, l.Date, look)
		s.text(2, row, string(l.Shop), look)
		s.text(3, row, l.Platform, look)
		s.text(4, row, l.Header, look)
		s.text(5, row, l.Item, look)
		s.number(6, row, l.PlatformValue, look.as(format))
		s.number(7, row, l.OurValue, look.as(format))
		s.number(8, row, l.Difference, look.as(format))
		s.number(9, row, l.Relative, look.as("0.00%"))
		s.text(10, row, verdictNames[l.Verdict], look.strong())
		s.text(11, row, map[bool]string{true: "是 yes", false: "否 no"}[l.Closed], look)
		metric := ""
		if l.Version != "" {
			metric = string(l.Metric) + "@" + l.Version
			s.number(13, row, &l.Numerator, look.as("#,##0.##"))
			s.number(14, row, &l.Denominator, look.as("#,##0.##"))
		} else {
			s.text(13, row, "", look)
			s.text(14, row, "", look)
		}
		s.text(12, row, metric, look)
		s.text(15, row, l.Reason, look)
	}
	s.filter(1, 3, len(heads), 3+max(len(m.Lines), 1))
	s.freeze(1, 4)
	s.repeat(3)
}

func verdictLook(v reconcile.Verdict) look {
	l := cellLook
	switch v {
	case reconcile.Equal:
		l.fill, l.ink = passFill, passInk
	case reconcile.Different:
		l.fill, l.ink = failFill, failInk
	case reconcile.OnlyPlatform, reconcile.OnlyOurs, reconcile.OtherBase, reconcile.Unpaired:
		l.fill, l.ink = openFill, openInk
	}
	return l
}

// unitFormat is how a figure of a unit is shown; the cell holds it in full.
func unitFormat(unit string) string {
	switch unit {
	case "share":
		return "0.00%"
	case "count":
		return "#,##0"
	case "yuan":
		return "#,##0.00"
	default:
		return "#,##0.00##"
	}
}

func reconciledDays(s *sheet, m exports.Reconciliation) {
	heads := []string{"日期\nDate", "店铺\nShop", "平台\nPlatform", "可比\nCompared", "一致\nEqual", "不一致\nDifferent", "超出容差\nBeyond tolerance", "缺失或口径不同\nMissing", "最大相对差\nWorst", "项目\nItem", "已定\nClosed"}
	s.head(1, heads, []float64{11, 18, 9, 10, 10, 10, 12, 14, 11, 28, 7})
	for i, d := range m.Days {
		row := 2 + i
		look := cellLook
		if d.Beyond > 0 {
			look.fill, look.ink = failFill, failInk
		}
		s.date(1, row, d.Date, look)
		s.text(2, row, string(d.Shop), look)
		s.text(3, row, d.Platform, look)
		for j, n := range []int{d.Compared, d.Equal, d.Different, d.Beyond, d.Missing} {
			v := float64(n)
			s.number(4+j, row, &v, look.as("#,##0"))
		}
		s.number(9, row, &d.Worst, look.as("0.00%"))
		s.text(10, row, d.WorstItem, look)
		s.text(11, row, map[bool]string{true: "是 yes", false: "否 no"}[d.Closed], look)
	}
	s.freeze(1, 2)
	s.repeat(1)
}

func reconciledDefinitions(s *sheet, m exports.Reconciliation) {
	s.head(1, []string{"指标\nMetric", "版本\nVersion", "名称\nName", "口径\nBase", "定义\nDefinition", "来源\nSource"}, []float64{30, 14, 26, 12, 80, 50})
	for i, d := range m.Definitions {
		row := 2 + i
		for j, text := range []string{string(d.Metric), d.Version, d.NameZH, d.Base, d.Text, d.Source} {
			s.text(1+j, row, text, wrapLook)
		}
		s.height(row, 4+12*float64(max(lines(d.Text, 80), lines(d.Source, 50))))
	}
	s.freeze(1, 2)
}
