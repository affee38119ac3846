package workbook

import (
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/kpi"
)

const slotsPerHour = 4

// heat writes the week as a map: one row per quarter hour, one column per weekday, so that each
// figure can be read and the whole day prints on one page. A second map stands beside it.
func (l *layout) heat() {
	p := l.page()
	p.portrait, p.onePage = true, true
	s := l.sheet(SheetHeat, p)
	maps := []exports.HeatMap{}
	for _, m := range []exports.HeatMap{l.report.Heat, l.report.Volume} {
		if m.Metric != "" {
			maps = append(maps, m)
		}
	}
	s.width(1, 7)
	s.width(2, 8)
	cols := 2 + 8*len(maps)
	head := l.top(s, "时段热力图 Heat map", l.where()+" · 空白 = 无数据 blank = no data", max(cols, 10)) + 1
	for slot := range 96 {
		row := head + 1 + slot
		if slot%slotsPerHour == 0 {
			s.span(1, row, 1, row+slotsPerHour-1, fmt.Sprintf("%02d:00", slot/slotsPerHour), look{bold: true, size: 10, ink: navy, align: "center", border: true, fill: band})
		}
		s.text(2, row, fmt.Sprintf("%02d:%02d", slot/slotsPerHour, slot%slotsPerHour*15), look{size: 8, ink: muted, align: "center", border: true})
		s.height(row, 11.5)
	}
	s.text(1, head, "小时\nHour", headLook)
	s.text(2, head, "时段\nSlot", headLook)
	s.height(head, 28)
	for i, m := range maps {
		l.heatMap(s, 3+8*i, head, m)
	}
	s.freeze(3, head+1)
	s.repeat(head)
}

func (l *layout) heatMap(s *sheet, col, head int, m exports.HeatMap) {
	def := l.report.Definition(m.Metric, l.versionOf(m.Metric))
	s.span(col, head-1, col+6, head-1, strings.ReplaceAll(metricName(def, l.report.Within), "\n", " ")+" ("+unitName(def.Unit)+")", sectLook.centred())
	s.height(head-1, 20)
	base := look{size: 8, border: true, format: valueFormat(def.Unit)}
	if def.Unit == kpi.Count {
		base.format = "#,##0.##" // a mean per slot over the weeks may be a fraction
	}
	for w, name := range weekdays {
		s.text(col+w, head, name, headLook)
		s.width(col+w, 8.5)
		for slot, v := range m.Cells[w] {
			shown := base
			if def.Unit == kpi.Count && (v == nil || *v == float64(int64(*v))) {
				shown.format = "#,##0"
			}
			s.number(col+w, head+1+slot, v, shown.centred())
		}
	}
	s.width(col+7, 2)
	s.try(s.file.SetConditionalFormat(s.name, cell(col, head+1)+":"+cell(col+6, head+96), []excelize.ConditionalFormatOptions{colourScale(def)}))
}

// versionOf is the definition version that the report used for a metric.
func (l *layout) versionOf(m kpi.Metric) string {
	if i, ok := l.find(m); ok {
		return l.report.Totals[i].Version
	}
	return ""
}

// colourScale goes from bad to good for figures with a good side, from white to blue for counts.
func colourScale(d kpi.Definition) excelize.ConditionalFormatOptions {
	if d.Unit == kpi.Count {
		return excelize.ConditionalFormatOptions{Type: "2_color_scale", Criteria: "=", MinType: "min", MaxType: "max", MinColor: "#FFFFFF", MaxColor: "#3F7FBF"}
	}
	low, high := "#F28B82", "#81C995"
	if !d.HigherIsBetter {
		low, high = high, low
	}
	return excelize.ConditionalFormatOptions{
		Type: "3_color_scale", Criteria: "=", MinType: "min", MidType: "percentile", MidValue: "50", MaxType: "max",
		MinColor: low, MidColor: "#FFF3C4", MaxColor: high,
	}
}
