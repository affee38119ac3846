package workbook

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/kpi"
)

// The sheets of an SLA report, in order.
const (
	SheetSummary     = "概览 Summary"
	SheetDaily       = "每日 Daily"
	SheetHeat        = "时段 Heat map"
	SheetAgents      = "客服 Agents"
	SheetDefinitions = "口径 Definitions"
	SheetProvenance  = "来源 Provenance"
)

const (
	simulatedBanner   = "模拟数据,仅供演示 SIMULATED DATA"
	provisionalBanner = "暂定:当月尚未结束 PROVISIONAL, THE MONTH IS NOT OVER"
)

// SLA writes the monthly report of one contract. The model is validated first: an invalid one
// is a report.invalid fault and nothing is written. Any other failure is workbook.write.
func SLA(w io.Writer, report exports.SLAReport) error {
	if err := report.Validate(); err != nil {
		return err
	}
	loc, err := time.LoadLocation(report.TimeZone)
	if err != nil {
		loc = time.UTC // Validate has loaded it already
	}
	title := fmt.Sprintf("%s %s SLA", report.Merchant.Name, report.Month)
	l := layout{book: newBook(title, report.GeneratedAt), report: report, loc: loc}
	l.columns = l.metricColumns()
	l.summary()
	l.daily()
	l.heat()
	l.agents()
	l.definitions()
	l.provenance()
	return l.write(w)
}

// layout is one report on its way into a book.
type layout struct {
	*book
	report  exports.SLAReport
	loc     *time.Location
	columns []metricColumn
}

// metricColumn is one metric of Totals as it stands in every table.
type metricColumn struct {
	def    kpi.Definition
	head   string
	target exports.TermLine
	held   bool // target is set
}

func (l *layout) metricColumns() []metricColumn {
	out := make([]metricColumn, len(l.report.Totals))
	for i, t := range l.report.Totals {
		def := l.report.Definition(t.Metric, t.Version)
		c := metricColumn{def: def, head: metricName(def, l.report.Within)}
		c.target, c.held = l.report.Target(t.Metric)
		out[i] = c
	}
	return out
}

// metricName is the Chinese name over the English one; a metric with a limit shows it.
func metricName(d kpi.Definition, within time.Duration) string {
	zh, en := d.NameZH, d.Name
	if d.Numerator == "within" && within > 0 {
		zh += " " + within.String()
		en += " " + within.String()
	}
	if zh == en || zh == "" {
		return en
	}
	return zh + "\n" + en
}

// page of a sheet of this report.
func (l *layout) page() page {
	footer := fmt.Sprintf("%s · %s", l.report.Merchant.Name, l.report.Month)
	if l.report.Simulated {
		footer += " · SIMULATED"
	}
	return page{footer: footer}
}

// top writes the title block of a sheet over so many columns and returns the next free row.
func (l *layout) top(s *sheet, title, sub string, cols int) int {
	s.span(1, 1, cols, 1, title, titleLook)
	s.height(1, 27)
	s.span(1, 2, cols, 2, sub, subLook)
	s.height(2, 16)
	var banners []string
	if l.report.Simulated {
		banners = append(banners, simulatedBanner)
	}
	if l.report.Provisional {
		banners = append(banners, provisionalBanner)
	}
	if len(banners) == 0 {
		return 3
	}
	banner := strings.Join(banners, " · ")
	s.span(1, 3, cols, 3, banner, bannerLook)
	s.height(3, 20)
	return 4
}

// where is the line under every title: whose report, which month.
func (l *layout) where() string {
	r := l.report
	return fmt.Sprintf("%s · %s · %s · %s", r.Merchant.Name, r.Contract.Title, r.Month, r.TimeZone)
}

func (l *layout) instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(l.loc).Format("2006-01-02 15:04") + " " + l.report.TimeZone
}

// figures writes one reading per metric column, starting at a column.
func (l *layout) figures(s *sheet, col, row int, readings []kpi.Reading, base look) {
	for i, r := range readings {
		s.number(col+i, row, r.Value, base.as(valueFormat(l.columns[i].def.Unit)))
	}
}
