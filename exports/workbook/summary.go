package workbook

import (
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/kpi"
)

// The texts of a verdict; the conditional colours compare with them.
var verdictText = map[exports.Verdict]string{
	exports.Pass:      "达标 PASS",
	exports.Fail:      "未达标 FAIL",
	exports.NotJudged: "不考核 N/A",
}

var summaryHead = []struct {
	text  string
	width float64
}{
	{"条款\nTerm", 22},
	{"指标\nMetric", 36},
	{"范围\nScope", 24},
	{"目标\nTarget", 11},
	{"实际\nActual", 11},
	{"差距\nGap", 10},
	{"分子\nNumerator", 13},
	{"分母(样本)\nSample", 14},
	{"最低样本\nMin. sample", 11},
	{"结论\nVerdict", 14},
	{"原因\nReason", 36},
}

func (l *layout) summary() {
	s := l.sheet(SheetSummary, l.page())
	for i, h := range summaryHead {
		s.width(i+1, h.width)
	}
	row := l.top(s, "SLA 月报 Monthly SLA report", l.where(), len(summaryHead))
	row = l.facts(s, row+1)
	row = l.terms(s, row+1)
	l.totals(s, row+1)
}

// facts writes what the report is about, two pairs to a row.
func (l *layout) facts(s *sheet, row int) int {
	r := l.report
	judged := r.Judged()
	version := fmt.Sprintf("v%d · %s 起 from", r.Version.Number, r.Version.From)
	if !r.Version.Until.IsZero() {
		version = fmt.Sprintf("v%d · %s – %s", r.Version.Number, r.Version.From, r.Version.Until)
	}
	pairs := [][2]string{
		{"商家 Merchant", r.Merchant.Name},
		{"合同 Contract", fmt.Sprintf("%s (%s)", r.Contract.Title, r.Contract.ID)},
		{"月份 Month", r.Month.String()},
		{"合同版本 Version", version},
		{"数据截至 Data through", l.instant(r.DataThrough)},
		{"生成时间 Generated", l.instant(r.GeneratedAt)},
		{"结果 Result", fmt.Sprintf("达标 pass %d · 未达标 fail %d · 不考核 not judged %d", judged[exports.Pass], judged[exports.Fail], judged[exports.NotJudged])},
		{"店铺 Shops", shopNames(r)},
	}
	for i := 0; i < len(pairs); i += 2 {
		s.text(1, row, pairs[i][0], keyLook)
		s.span(2, row, 4, row, pairs[i][1], valueLook)
		s.span(5, row, 6, row, pairs[i+1][0], keyLook)
		s.span(7, row, len(summaryHead), row, pairs[i+1][1], valueLook)
		s.height(row, 17)
		row++
	}
	return row
}

// shopNames lists the shops that the contract version covers, with their platform.
func shopNames(r exports.SLAReport) string {
	var out []string
	for _, shop := range r.Merchant.Shops {
		covered := len(r.Version.Shops) == 0
		for _, id := range r.Version.Shops {
			covered = covered || id == shop.ID
		}
		if covered {
			out = append(out, fmt.Sprintf("%s (%s)", shop.Name, shop.Platform))
		}
	}
	return strings.Join(out, ", ")
}

func (l *layout) terms(s *sheet, row int) int {
	s.span(1, row, len(summaryHead), row, "SLA 条款 Terms", sectLook)
	s.height(row, 20)
	row++
	for i, h := range summaryHead {
		s.text(i+1, row, h.text, headLook)
	}
	s.height(row, 30)
	s.repeat(2)
	first := row + 1
	for _, line := range l.report.Lines {
		row++
		l.term(s, row, line)
	}
	if row >= first {
		l.verdictColours(s, first, row)
	} else {
		row++
		s.span(1, row, len(summaryHead), row, "本合同版本没有 SLA 条款 No SLA terms in this contract version", cellLook)
	}
	return row + 1
}

func (l *layout) term(s *sheet, row int, line exports.TermLine) {
	t, r := line.Term, line.Reading
	def := l.report.Definition(kpi.Metric(t.Metric), r.Version)
	format := valueFormat(def.Unit)
	name := strings.ReplaceAll(metricName(def, 0), "\n", " ")
	scope := termScope(t)
	s.text(1, row, t.ID, wrapMiddle)
	s.text(2, row, name, wrapMiddle)
	s.text(3, row, scope, wrapMiddle)
	sign := "≥ "
	if t.Direction == contracts.AtMost {
		sign = "≤ "
	}
	s.number(4, row, &t.Target, cellLook.as(`"`+sign+`"`+format))
	s.number(5, row, r.Value, cellLook.strong().as(format))
	s.number(6, row, gap(line), cellLook.as("+"+format+";-"+format+";"+format))
	s.number(7, row, part(r, r.Numerator), cellLook.as(partFormat))
	s.number(8, row, part(r, r.Denominator), cellLook.as(partFormat))
	var least *float64
	if t.MinSample > 0 {
		least = ptr(float64(t.MinSample))
	}
	s.number(9, row, least, cellLook.as(partFormat))
	s.text(10, row, verdictText[line.Verdict], cellLook.centred())
	s.text(11, row, line.Reason, wrapMiddle)
	high := 1
	for i, text := range []string{t.ID, name, scope} {
		high = max(high, lines(text, summaryHead[i].width))
	}
	high = max(high, lines(line.Reason, summaryHead[10].width))
	s.height(row, 7+12.5*float64(high))
}

var wrapMiddle = look{border: true, wrap: true}

// gap is actual minus target, in the unit of the metric: shares as points of a percent.
func gap(line exports.TermLine) *float64 {
	if line.Reading.Value == nil {
		return nil
	}
	return ptr(*line.Reading.Value - line.Term.Target)
}

// part is a numerator or denominator, or nothing when nothing was measured.
func part(r kpi.Reading, v float64) *float64 {
	if r.Value == nil && r.Numerator == 0 && r.Denominator == 0 {
		return nil
	}
	return &v
}

// termScope says what the term counts: limit, skill, daily window.
func termScope(t contracts.Term) string {
	var out []string
	if t.Within != "" {
		out = append(out, "≤ "+t.Within)
	}
	switch t.Skill {
	case "":
	case "pre":
		out = append(out, "售前 pre-sale")
	case "after":
		out = append(out, "售后 after-sale")
	default:
		out = append(out, t.Skill)
	}
	if t.Window != "" {
		out = append(out, t.Window)
	}
	if len(out) == 0 {
		return "全部 all"
	}
	return strings.Join(out, " · ")
}

func (l *layout) verdictColours(s *sheet, first, last int) {
	area := cell(10, first) + ":" + cell(10, last)
	var rules []excelize.ConditionalFormatOptions
	for _, v := range []struct {
		verdict exports.Verdict
		tint    tint
	}{{exports.Pass, passTint}, {exports.Fail, failTint}, {exports.NotJudged, openTint}} {
		rules = append(rules, excelize.ConditionalFormatOptions{
			Type: "cell", Criteria: "=", Value: `"` + verdictText[v.verdict] + `"`, Format: l.tint(v.tint),
		})
	}
	s.try(s.file.SetConditionalFormat(s.name, area, rules))
}

// totals lists every metric of the whole month with the parts of each figure.
func (l *layout) totals(s *sheet, row int) {
	s.span(1, row, len(summaryHead), row, "全月合计 Month totals", sectLook)
	s.height(row, 20)
	row++
	heads := []string{"指标编号\nMetric id", "指标\nMetric", "单位\nUnit", "", "数值\nValue", "", "分子\nNumerator", "分母\nDenominator", "版本\nVersion"}
	for i, h := range heads {
		s.text(i+1, row, h, headLook)
	}
	s.span(3, row, 4, row, heads[2], headLook)
	s.span(5, row, 6, row, heads[4], headLook)
	s.span(9, row, len(summaryHead), row, heads[8], headLook)
	s.height(row, 30)
	for i, r := range l.report.Totals {
		row++
		c := l.columns[i]
		fill := ""
		if i%2 == 1 {
			fill = band
		}
		plainLook := cellLook.on(fill)
		s.text(1, row, string(r.Metric), plainLook)
		s.text(2, row, strings.ReplaceAll(c.head, "\n", " "), plainLook.wrapped())
		s.span(3, row, 4, row, unitName(c.def.Unit), plainLook)
		s.number(5, row, r.Value, plainLook.strong().as(valueFormat(c.def.Unit)))
		s.paint(6, row, 6, row, plainLook)
		s.try(s.file.MergeCell(s.name, cell(5, row), cell(6, row)))
		s.number(7, row, part(r, r.Numerator), plainLook.as(partFormat))
		if c.def.Unit == kpi.Count {
			s.text(8, row, "", plainLook)
		} else {
			s.number(8, row, part(r, r.Denominator), plainLook.as(partFormat))
		}
		s.span(9, row, len(summaryHead), row, r.Version, plainLook)
		s.height(row, 4+12.5*float64(lines(strings.ReplaceAll(c.head, "\n", " "), summaryHead[1].width)))
	}
}
