package workbook

import (
	"fmt"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/kpi"
)

// weekdays, Monday first.
var weekdays = [7]string{"周一 Mon", "周二 Tue", "周三 Wed", "周四 Thu", "周五 Fri", "周六 Sat", "周日 Sun"}

func mondayFirst(w time.Weekday) int { return (int(w) + 6) % 7 }

const (
	metricWidth = 12.5
	headHeight  = 50
	chartLines  = 19 // rows that the chart covers
)

func (l *layout) daily() {
	p := l.page()
	p.onePage = true
	s := l.sheet(SheetDaily, p)
	s.width(1, 12)
	s.width(2, 11)
	target, held := l.chartTarget()
	last := 2 + len(l.columns)
	head := l.top(s, "每日指标 Daily figures", l.where(), max(last+1, 6))
	s.text(1, head, "日期\nDate", headLook)
	s.text(2, head, "星期\nWeekday", headLook)
	l.metricHead(s, 3, head)
	if held {
		s.text(last+1, head, "应答率目标\nTarget", headLook)
		s.width(last+1, 10)
	}
	row := head
	for _, d := range l.report.Daily {
		row++
		base := cellLook
		if w := d.Date.Weekday(); w == time.Saturday || w == time.Sunday {
			base = base.on(weekend)
		}
		s.date(1, row, d.Date, base.centred())
		s.text(2, row, weekdays[mondayFirst(d.Date.Weekday())], base.centred())
		l.figures(s, 3, row, d.Readings, base)
		if held {
			s.number(last+1, row, &target, look{ink: muted, border: true, format: "0.0%"})
		}
	}
	l.missedColours(s, 3, head+1, row)
	if row > head {
		row++
		total := cellLook.strong().on(totalFill)
		s.span(1, row, 2, row, "全月 Month", total)
		l.figures(s, 3, row, l.report.Totals, total)
		l.dailyChart(s, head, row-1, held)
	}
	s.freeze(3, head+1)
	s.repeat(head)
}

// metricHead writes one head cell per metric and makes the row high enough for all of them.
func (l *layout) metricHead(s *sheet, col, row int) {
	small := headLook
	small.size = 8
	for i, c := range l.columns {
		s.text(col+i, row, c.head, small)
		s.width(col+i, metricWidth)
	}
	s.height(row, headHeight)
}

// missedColours tints the figures that are on the wrong side of the contract's target. It is a
// hint: the contract judges the month, not the day or the person.
func (l *layout) missedColours(s *sheet, col, first, last int) {
	if last < first {
		return
	}
	for i, c := range l.columns {
		if !c.held {
			continue
		}
		worse := "<"
		if c.target.Term.Direction == contracts.AtMost {
			worse = ">"
		}
		top := cell(col+i, first)
		s.try(s.file.SetConditionalFormat(s.name, top+":"+cell(col+i, last), []excelize.ConditionalFormatOptions{{
			Type: "formula", Format: s.tint(tint{failFill, failInk}),
			Criteria: fmt.Sprintf(`AND(ISNUMBER(%s),%s%s%g)`, top, top, worse, c.target.Term.Target),
		}}))
	}
}

// find returns the table column of a metric, counted from 0.
func (l *layout) find(m kpi.Metric) (int, bool) {
	for i, c := range l.columns {
		if c.def.Metric == m {
			return i, true
		}
	}
	return 0, false
}

func (l *layout) chartTarget() (float64, bool) {
	i, ok := l.find("answered_within")
	if !ok || !l.columns[i].held {
		return 0, false
	}
	return l.columns[i].target.Term.Target, true
}

// dailyChart draws handled contacts as columns and the share answered in time with its target as
// lines on the second axis.
func (l *layout) dailyChart(s *sheet, head, last int, held bool) {
	series := func(col int) excelize.ChartSeries {
		at := func(c int) string {
			return fmt.Sprintf("'%s'!$%s$%d:$%s$%d", s.name, column(c), head+1, column(c), last)
		}
		return excelize.ChartSeries{Name: fmt.Sprintf("'%s'!$%s$%d", s.name, column(col), head), Categories: at(1), Values: at(col)}
	}
	var lines []excelize.ChartSeries
	if i, ok := l.find("answered_within"); ok {
		line := series(3 + i)
		line.Line = excelize.LineOptions{Width: 2.25, Fill: solid("D9822B")}
		line.Fill = solid("D9822B")
		line.Marker = excelize.ChartMarker{Symbol: "circle", Size: 5, Fill: solid("D9822B")}
		lines = append(lines, line)
		if held {
			goal := series(3 + len(l.columns))
			goal.Line = excelize.LineOptions{Width: 1.5, Dash: excelize.LineDashDash, Fill: solid(failInk)}
			goal.Fill = solid(failInk)
			goal.Marker = excelize.ChartMarker{Symbol: "none"}
			lines = append(lines, goal)
		}
	}
	handled, ok := l.find("handled")
	if !ok && len(lines) == 0 {
		return
	}
	lineChart := &excelize.Chart{
		Type: excelize.Line, Series: lines,
		YAxis: excelize.ChartAxis{Secondary: ok, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "0%"}, Font: chartFont, Maximum: ptr(1.0)},
	}
	parts := []*excelize.Chart{lineChart}
	if ok {
		bars := series(3 + handled)
		bars.Fill = solid("8FB3D9")
		parts = []*excelize.Chart{{Type: excelize.Col, Series: []excelize.ChartSeries{bars}, GapWidth: ptr(uint(60))}}
		parts[0].YAxis = excelize.ChartAxis{MajorGridLines: true, Font: chartFont, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "#,##0"}}
		if len(lines) > 0 {
			parts = append(parts, lineChart)
		}
	}
	parts[0].XAxis = excelize.ChartAxis{Font: chartFont, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "m/d"}}
	parts[0].Legend = excelize.ChartLegend{Position: "bottom"}
	parts[0].Title = excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: "接待量与限时应答率 Handled contacts and share answered in time", Font: &excelize.Font{Family: fontName, Size: 11, Bold: true, Color: navy}}}}
	parts[0].ShowBlanksAs = "gap"
	parts[0].Format = excelize.GraphicOptions{AltText: "接待量与限时应答率 Handled contacts and share answered in time", Positioning: "oneCell"}
	parts[0].Dimension = excelize.ChartDimension{Width: l.chartWidth(), Height: 20 * chartLines}
	s.try(s.file.AddChart(s.name, cell(1, last+3), parts[0], parts[1:]...))
}

// chartWidth is the width of the table in pixels: about seven to a digit and five of padding.
func (l *layout) chartWidth() uint {
	table := 7*(12.0+11) + 10 + float64(len(l.columns))*(7.7*metricWidth+5)
	return uint(max(640, min(1900, table)))
}

var chartFont = excelize.Font{Family: fontName, Size: 8, Color: muted}

func solid(colour string) excelize.Fill {
	return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}}
}
