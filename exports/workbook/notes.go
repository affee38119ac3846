package workbook

import "github.com/chaoban/chaoban/kpi"

type textColumn struct {
	head  string
	width float64
}

var definitionColumns = []textColumn{
	{"指标编号\nMetric id", 22},
	{"名称\nName", 24},
	{"版本\nVersion", 12},
	{"生效\nEffective", 15},
	{"单位\nUnit", 10},
	{"计数单位\nBase", 11},
	{"分子 / 分母\nNumerator / denominator", 25},
	{"定义\nDefinition", 52},
	{"来源\nSource", 44},
	{"质量\nQuality", 9},
}

// definitions says what every figure of the report means, and how good its source is.
func (l *layout) definitions() {
	s := l.sheet(SheetDefinitions, l.page())
	head := l.top(s, "指标口径 Definitions", "质量 Quality: A 法规或官方文本 statute or official text · B 媒体或官方文本转载 press or a copy · C 营销材料 marketing · GK 行业通识 general practice", len(definitionColumns))
	l.textTable(s, head, definitionColumns, len(l.report.Definitions), func(i int) []string {
		return definitionTexts(l.report.Definitions[i])
	})
}

func definitionTexts(d kpi.Definition) []string {
	effective := d.Effective.From.String() + " 起"
	if !d.Effective.Until.IsZero() {
		effective = d.Effective.From.String() + "\n– " + d.Effective.Until.String()
	}
	parts := d.Numerator
	if d.Denominator != "" {
		parts += " /\n" + d.Denominator
	}
	name := d.NameZH + "\n" + d.Name
	return []string{string(d.Metric), name, d.Version, effective, unitName(d.Unit), d.Base, parts, d.Text, d.Source, d.Quality}
}

var provenanceColumns = []textColumn{{"项目\nWhat", 36}, {"说明\nText", 120}}

// provenance says where the figures came from: queries, batches, versions, counts.
func (l *layout) provenance() {
	s := l.sheet(SheetProvenance, l.page())
	head := l.top(s, "数据来源 Provenance", l.where(), len(provenanceColumns))
	l.textTable(s, head, provenanceColumns, len(l.report.Provenance), func(i int) []string {
		p := l.report.Provenance[i]
		return []string{p.What, p.Text}
	})
}

// textTable writes a table of wrapped texts with rows as high as their longest cell needs.
func (l *layout) textTable(s *sheet, head int, columns []textColumn, rows int, texts func(int) []string) {
	for i, c := range columns {
		s.text(i+1, head, c.head, headLook)
		s.width(i+1, c.width)
	}
	s.height(head, 30)
	for i := range rows {
		row, base, high := head+1+i, wrapLook, 1
		if i%2 == 1 {
			base = base.on(band)
		}
		for j, t := range texts(i) {
			s.text(j+1, row, t, base)
			high = max(high, lines(t, columns[j].width))
		}
		s.height(row, 5+12.5*float64(high))
	}
	s.freeze(1, head+1)
	s.repeat(head)
}
