package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/chaoban/chaoban/exports/workbook"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/chatlog/platformfile"
)

// Layout is what the bytes of a file turned out to be.
type Layout struct {
	Format    Format   `json:"format"` // csv, ndjson or xlsx, which stands for .xls too
	Old       bool     `json:"old,omitempty"`
	Encoding  string   `json:"encoding,omitempty"`
	Delimiter string   `json:"delimiter,omitempty"`
	Sheet     string   `json:"sheet,omitempty"`
	Sheets    []string `json:"sheets,omitempty"`
}

// maxPlatformText is the most bytes of a text file of daily figures.
const maxPlatformText = 32 << 20

// ReadPlatform reads a file of daily figures that a platform exported: .xlsx, .xls or text, whatever
// its name says. The figures name neither merchant nor shop.
// Errors: those of platformfile.Decode and of opening, all with the file's name.
func ReadPlatform(src Source, sheet string, o platformfile.Options) ([]chatlog.DailyFigure, platformfile.Summary, error) {
	grid, _, err := readGrid(src, sheet, 0)
	if err != nil {
		return nil, platformfile.Summary{}, err
	}
	return platformfile.Decode(grid, o)
}

// readGrid reads a whole small file, or of text its first rows when rows is not 0.
func readGrid(src Source, sheet string, rows int) (platformfile.Grid, Layout, error) {
	t := &Table{source: src}
	magic := make([]byte, 8)
	n, err := src.R.ReadAt(magic, 0)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return platformfile.Grid{}, Layout{}, unreadable(err, src.Name)
	case n == 0:
		return platformfile.Grid{}, Layout{}, refuse(fault.Invalid, "intake.empty", fault.Field{File: src.Name, Problem: "is empty"})
	case oldExcel(magic[:n]), bytes.HasPrefix(magic, []byte("PK\x03\x04")):
		book, err := workbook.ReadGrid(src.R, src.Size, sheet)
		if err != nil {
			return platformfile.Grid{}, Layout{}, t.named(err)
		}
		return gridOf(src.Name, book), Layout{Format: XLSX, Old: oldExcel(magic[:n]), Sheet: book.Sheet, Sheets: book.Sheets}, nil
	case rows == 0 && src.Size > maxPlatformText:
		return platformfile.Grid{}, Layout{}, refuse(fault.TooLarge, "intake.limit", fault.Field{File: src.Name, Problem: "is too large for a file of daily figures"})
	}
	if sheet != "" {
		return platformfile.Grid{}, Layout{}, refuse(fault.Invalid, "workbook.sheet", fault.Field{File: src.Name, Value: fault.Shorten(sheet), Problem: "is a sheet, but the file is text, which has none"})
	}
	return readText(src, rows)
}

// OtherSheet is the name of a sheet that is to be read as the workbook writes it, and empty when it is the one
// that would be read anyway. Errors: those of opening; workbook.sheet when the file has no such sheet.
func OtherSheet(src Source, sheet string) (string, error) {
	if sheet == "" {
		return "", nil
	}
	_, named, err := readGrid(src, sheet, 0)
	if err != nil {
		return "", err
	}
	_, usual, err := readGrid(src, "", 0)
	if err != nil || named.Sheet == usual.Sheet {
		return "", err
	}
	return named.Sheet, nil
}

func oldExcel(magic []byte) bool { return bytes.HasPrefix(magic, []byte{0xd0, 0xcf, 0x11, 0xe0}) }

func gridOf(name string, book workbook.Grid) platformfile.Grid {
	kinds := map[workbook.CellKind]platformfile.Kind{
		workbook.TextCell: platformfile.Text, workbook.NumberCell: platformfile.Number,
		workbook.PercentCell: platformfile.Percent, workbook.MomentCell: platformfile.Moment,
	}
	g := platformfile.Grid{Name: name, Date1904: book.Date1904}
	for _, r := range book.Rows {
		row := platformfile.Row{Number: r.Number, Cells: make([]platformfile.Cell, len(r.Cells))}
		for i, c := range r.Cells {
			row.Cells[i] = platformfile.Cell{Text: c.Text, Kind: kinds[c.Kind]}
		}
		g.Rows = append(g.Rows, row)
	}
	for _, a := range book.Merged {
		g.Merged = append(g.Merged, platformfile.Area(a))
	}
	return g
}

// readText reads delimited text. A row with broken quotes or foreign bytes refuses the file.
func readText(src Source, rows int) (platformfile.Grid, Layout, error) {
	t := &Table{source: src}
	limits := DefaultLimits()
	text, err := openText(src, "", limits)
	if err != nil {
		return platformfile.Grid{}, Layout{}, t.named(err)
	}
	layout := Layout{Format: text.format, Encoding: text.encoding}
	g := platformfile.Grid{Name: src.Name}
	if text.format == NDJSON {
		return g, layout, nil
	}
	head, _ := text.r.Peek(min(64<<10, text.r.Buffered()))
	comma := sniffComma(head)
	layout.Delimiter = string(comma)
	csv := &csvReader{lines: lines{r: text.r, file: src.Name, limit: limits.Line}, comma: comma}
	for rows == 0 || len(g.Rows) < rows {
		number, cells, problem, err := csv.next()
		if ended(err) {
			break
		}
		if err != nil {
			return g, layout, t.named(err)
		}
		switch {
		case problem == "" && len(cells) > limits.Columns:
			problem = fmt.Sprintf("has %d columns; at most %d are read", len(cells), limits.Columns)
		case problem == "" && text.encoding != utf8Name && strings.ContainsRune(strings.Join(cells, ""), utf8.RuneError):
			problem = "has bytes that are not " + text.encoding + " text"
		}
		if problem != "" {
			return g, layout, refuse(fault.Invalid, "intake.format", fault.Field{
				File: src.Name, Row: number, Value: fault.Shorten(strings.Join(cells, string(comma))), Problem: problem,
			})
		}
		if len(g.Rows) == workbook.MaxGridRows {
			return g, layout, refuse(fault.TooLarge, "intake.limit", fault.Field{
				File: src.Name, Row: number, Problem: "is too long for a file of daily figures",
			})
		}
		row := platformfile.Row{Number: number, Cells: make([]platformfile.Cell, len(cells))}
		for i, c := range cells {
			row.Cells[i] = platformfile.Cell{Text: c}
		}
		g.Rows = append(g.Rows, row)
	}
	return g, layout, nil
}
