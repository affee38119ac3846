// Package workbook owns the Excel form of reports: it turns a finished model of package exports
// into an .xlsx file, and reads the rows of .xlsx files that people send in.
//
// It does not own figures: a cell holds exactly the number of the model, with a number format;
// no data is an empty cell, never 0. The same model always gives the same bytes: the file's own
// dates are the report's GeneratedAt. Dates in cells are civil dates of the report's time zone;
// instants are written as text with the zone beside them.
package workbook

import (
	"io"
	"sort"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// The page: A4, margins in inches.
const (
	paperA4   = 9
	margin    = 0.4
	marginEnd = 0.55 // top and bottom, room for header and footer
)

// book is one file being written. The first failure sticks and later writes do nothing, so that
// the code that lays a sheet out reads like the sheet.
type book struct {
	file   *excelize.File
	styles map[look]int
	tints  map[tint]int
	sheets int
	err    error
}

func newBook(title string, created time.Time) *book {
	b := &book{file: excelize.NewFile(), styles: map[look]int{}, tints: map[tint]int{}}
	b.try(b.file.SetDefaultFont(fontName))
	stamp := created.UTC().Format(time.RFC3339)
	b.try(b.file.SetDocProps(&excelize.DocProperties{
		Title: plain(title), Creator: "Chaoban", LastModifiedBy: "Chaoban",
		Created: stamp, Modified: stamp, Language: "zh-CN",
	}))
	b.try(b.file.SetAppProps(&excelize.AppProperties{Application: "Chaoban", AppVersion: "1.0"}))
	return b
}

func (b *book) try(err error) {
	if b.err == nil {
		b.err = err
	}
}

// write sends the file out and releases it.
func (b *book) write(w io.Writer) error {
	if b.err == nil {
		b.file.SetActiveSheet(0)
		b.settleTypes()
		b.err = b.file.Write(w)
	}
	b.try(b.file.Close())
	if b.err != nil {
		return fault.Wrap(b.err, fault.Internal, "workbook.write", "the workbook could not be written")
	}
	return nil
}

// settleTypes orders the content types: a chart makes the library add them in map order, and the
// same report shall be the same bytes.
func (b *book) settleTypes() {
	if b.file.ContentTypes == nil {
		return
	}
	types := b.file.ContentTypes.Defaults
	sort.Slice(types, func(i, j int) bool { return types[i].Extension < types[j].Extension })
}

// page says how a sheet prints.
type page struct {
	portrait bool
	onePage  bool // shrink to one page; otherwise only to the width of one
	footer   string
}

// sheet adds a sheet; the first one replaces the empty sheet of a new file.
func (b *book) sheet(name string, p page) *sheet {
	s := &sheet{book: b, name: name}
	if b.sheets == 0 {
		b.try(b.file.SetSheetName(b.file.GetSheetName(0), name))
	} else {
		_, err := b.file.NewSheet(name)
		b.try(err)
	}
	b.sheets++
	orientation, height := "landscape", 0
	if p.portrait {
		orientation = "portrait"
	}
	if p.onePage {
		height = 1
	}
	s.fitToPage()
	b.try(b.file.SetPageLayout(name, &excelize.PageLayoutOptions{
		Size: ptr(paperA4), Orientation: ptr(orientation), FitToWidth: ptr(1), FitToHeight: ptr(height),
	}))
	b.try(b.file.SetPageMargins(name, &excelize.PageLayoutMarginsOptions{
		Left: ptr(margin), Right: ptr(margin), Top: ptr(marginEnd), Bottom: ptr(marginEnd),
		Header: ptr(margin / 2), Footer: ptr(margin / 2), Horizontally: ptr(true),
	}))
	b.try(b.file.SetHeaderFooter(name, &excelize.HeaderFooterOptions{
		OddFooter: "&L&8" + footerText(p.footer) + "&C&8&A&R&8&P / &N",
	}))
	b.try(b.file.SetSheetView(name, -1, &excelize.ViewOptions{ShowGridLines: ptr(false)}))
	return s
}

// sheet writes the cells of one sheet; columns and rows are 1-based.
type sheet struct {
	*book
	name string
}

func cell(col, row int) string {
	name, err := excelize.CoordinatesToCellName(col, row)
	if err != nil {
		return "A1" // only for coordinates outside any sheet; Validate limits rows and columns
	}
	return name
}

func column(col int) string {
	name, err := excelize.ColumnNumberToName(col)
	if err != nil {
		return "A"
	}
	return name
}

// text writes a guarded text cell.
func (s *sheet) text(col, row int, v string, l look) {
	s.try(s.file.SetCellStr(s.name, cell(col, row), literal(guard(v))))
	s.paint(col, row, col, row, l)
}

// number writes a typed number, or leaves the cell empty when there is no data.
func (s *sheet) number(col, row int, v *float64, l look) {
	if v != nil {
		s.try(s.file.SetCellFloat(s.name, cell(col, row), *v, -1, 64))
	}
	if l.align == "" {
		l.align = "right"
		// Room to the border as part of the format: LibreOffice draws an indent of right-aligned
		// numbers only sometimes.
		l.format = strings.ReplaceAll(l.format, ";", "_);") + "_)"
	}
	s.paint(col, row, col, row, l)
}

// date writes a civil date as a typed date cell.
func (s *sheet) date(col, row int, d calendar.Date, l look) {
	l.format = "yyyy-mm-dd"
	s.try(s.file.SetCellInt(s.name, cell(col, row), serial(d)))
	s.paint(col, row, col, row, l)
}

// serial is the number of a date in the 1900 date system of Excel: 1900-03-01 is 61, and every
// later date counts on from it.
func serial(d calendar.Date) int64 {
	return int64(d.Sub(calendar.Date{Year: 1900, Month: time.March, Day: 1}) + 61)
}

func (s *sheet) paint(col, row, lastCol, lastRow int, l look) {
	s.try(s.file.SetCellStyle(s.name, cell(col, row), cell(lastCol, lastRow), s.style(l)))
}

// span merges cells of one row or block under the text of the first.
func (s *sheet) span(col, row, lastCol, lastRow int, v string, l look) {
	s.try(s.file.SetCellStr(s.name, cell(col, row), literal(guard(v))))
	s.paint(col, row, lastCol, lastRow, l)
	if lastCol > col || lastRow > row {
		s.try(s.file.MergeCell(s.name, cell(col, row), cell(lastCol, lastRow)))
	}
}

func (s *sheet) fitToPage() {
	s.try(s.file.SetSheetProps(s.name, &excelize.SheetPropsOptions{FitToPage: ptr(true)}))
}

// filter puts filter buttons on the head of a table. The library replaces the sheet's
// properties by doing so, and the fit to the page with them.
func (s *sheet) filter(col, row, lastCol, lastRow int) {
	s.try(s.file.AutoFilter(s.name, cell(col, row)+":"+cell(lastCol, lastRow), nil))
	s.fitToPage()
}

func (s *sheet) width(col int, chars float64) {
	s.try(s.file.SetColWidth(s.name, column(col), column(col), chars))
}

func (s *sheet) height(row int, points float64) {
	s.try(s.file.SetRowHeight(s.name, row, min(points, 400))) // 409 is the limit of the format
}

// freeze keeps the columns left of col and the rows above row in view, and repeats those rows on
// every printed page.
func (s *sheet) freeze(col, row int) {
	pane := "bottomRight"
	if col == 1 {
		pane = "bottomLeft"
	}
	s.try(s.file.SetPanes(s.name, &excelize.Panes{
		Freeze: true, XSplit: col - 1, YSplit: row - 1, TopLeftCell: cell(col, row), ActivePane: pane,
		Selection: []excelize.Selection{{SQRef: cell(col, row), ActiveCell: cell(col, row), Pane: pane}},
	}))
}

// repeat prints the rows 1..last on top of every page.
func (s *sheet) repeat(last int) {
	s.try(s.file.SetDefinedName(&excelize.DefinedName{
		Name: "_xlnm.Print_Titles", Scope: s.name,
		RefersTo: "'" + s.name + "'!$1:$" + itoa(last),
	}))
}

func ptr[T any](v T) *T { return &v }
