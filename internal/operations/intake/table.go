package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/chaoban/chaoban/exports/workbook"
	"github.com/chaoban/chaoban/internal/fault"
)

// headerRows is how many rows are searched for the header.
const headerRows = 20

// Table is an open CSV, xlsx or xls file at its first data row.
type Table struct {
	Format   Format
	Encoding string // of text
	Sheet    string // of a workbook
	Header   []string

	source Source
	limits Limits
	reader rowReader
	text   *textStream
	book   *workbook.Rows
	first  int              // row of the first data
	skip   map[int][]string // cell index -> texts of rows that are not data
	seen   int              // number of the row returned last
}

// record is one row. A record with a problem has its raw text as its only cell.
type record struct {
	number  int
	cells   []string
	problem string
}

type rowReader func() (record, error)

// Open finds out what a file is and reads its header with the mapping's settings. Close it.
//
// Errors, all with the file's name: intake.empty, intake.format, intake.header (duplicated or missing columns), intake.limit, intake.corrupt,
// workbook.corrupt, workbook.bomb, workbook.sheet.
func Open(src Source, m Mapping, limits Limits) (*Table, error) {
	magic := make([]byte, 8)
	n, err := src.R.ReadAt(magic, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, unreadable(err, src.Name)
	}
	magic = magic[:n]
	t := &Table{source: src, limits: limits}
	switch {
	case src.Size == 0 || n == 0:
		return nil, refuse(fault.Invalid, "intake.empty", fault.Field{File: src.Name, Problem: "is empty"})
	case oldExcel(magic), bytes.HasPrefix(magic, []byte("PK\x03\x04")), bytes.HasPrefix(magic, []byte("PK\x05\x06")):
		err = t.openBook(m)
	default:
		err = t.openText(m)
	}
	if err == nil && t.Format != NDJSON {
		if err = t.readHeader(m); err == nil {
			err = t.setSkip(m)
		}
	}
	if err != nil {
		_ = t.Close() // the first error says more
		return nil, t.named(err)
	}
	return t, nil
}

func (t *Table) openBook(m Mapping) error {
	book, err := workbook.OpenRows(t.source.R, t.source.Size, m.Sheet)
	if err != nil {
		return err
	}
	t.Format, t.book, t.Sheet = XLSX, book, book.Sheet()
	t.reader = func() (record, error) {
		number, cells, err := book.Next()
		return record{number: number, cells: cells}, err
	}
	return nil
}

func (t *Table) openText(m Mapping) error {
	text, err := openText(t.source, m.Encoding, t.limits)
	if err != nil {
		return err
	}
	t.Format, t.text, t.Encoding = text.format, text, text.encoding
	if text.format == NDJSON {
		return nil
	}
	comma := m.Delimiter
	if comma == "tab" {
		comma = "\t"
	}
	if comma == "" {
		head, _ := text.r.Peek(min(64<<10, text.r.Buffered()))
		comma = string(sniffComma(head))
	}
	csv := &csvReader{lines: lines{r: text.r, file: t.source.Name, limit: t.limits.Line}, comma: comma[0]}
	t.reader = func() (record, error) {
		number, cells, problem, err := csv.next()
		if err == nil && csv.lines.long && t.Header == nil {
			err = csv.lines.tooLong() // without a header nothing can be read
		}
		return record{number, cells, problem}, err
	}
	return nil
}

// ended reports the end of a table. Not errors.Is: a fault about a damaged file may have io.EOF
// as its cause, and taking that for the end would import half a file.
func ended(err error) bool {
	return err == io.EOF //nolint:errorlint // see above
}

// named puts the file's name into faults that do not have it, and wraps what is not a fault.
// io.EOF stays what it is.
func (t *Table) named(err error) error {
	if ended(err) {
		return err
	}
	e, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return unreadable(err, t.source.Name)
	}
	if len(e.Fields) == 0 && !strings.Contains(e.Message, t.source.Name) {
		return fault.Wrap(err, e.Kind, e.Code, "%s: %s", t.source.Name, e.Message)
	}
	return err
}

// next returns the next row as read; cells are valid until the next call.
func (t *Table) next() (record, error) {
	r, err := t.reader()
	if err != nil {
		return record{}, err
	}
	t.seen = r.number
	if len(r.cells) > t.limits.Columns {
		return record{}, refuse(fault.TooLarge, "intake.limit", fault.Field{
			File: t.source.Name, Row: r.number,
			Problem: fmt.Sprintf("the row has %d columns; at most %d are read", len(r.cells), t.limits.Columns),
		})
	}
	return r, nil
}

// nextChecked returns the next data row with everything that is wrong with its shape.
func (t *Table) nextChecked() (record, error) {
	r, err := t.next()
	for err == nil && t.skipped(r) {
		r, err = t.next()
	}
	if err != nil || r.problem != "" {
		return r, err
	}
	for i, cell := range r.cells {
		switch {
		case i >= len(t.Header) && cell != "":
			r.problem = fmt.Sprintf("has %d cells, the header has %d", len(r.cells), len(t.Header))
			return r, nil
		case len(cell) > t.limits.Cell:
			r.problem = fmt.Sprintf("has a cell of %d bytes in column %d; at most %d are read", len(cell), i+1, t.limits.Cell)
			return r, nil
		case t.Encoding != utf8Name && strings.ContainsRune(cell, utf8.RuneError):
			r.problem = fmt.Sprintf("has bytes in column %d that are not %s text", i+1, t.Encoding)
			return r, nil
		}
	}
	if t.Format == CSV && len(r.cells) < len(t.Header) {
		r.problem = fmt.Sprintf("has %d cells, the header has %d", len(r.cells), len(t.Header))
	}
	return r, nil
}

// skipped reports rows above the data and rows the mapping declares to be no data.
func (t *Table) skipped(r record) bool {
	if r.number < t.first {
		return true
	}
	for i, texts := range t.skip {
		if i < len(r.cells) && slices.Contains(texts, strings.TrimSpace(r.cells[i])) {
			return true
		}
	}
	return false
}

func (t *Table) complaint(r record) fault.Field {
	return fault.Field{File: t.source.Name, Row: r.number, Value: fault.Shorten(strings.Join(r.cells, " | ")), Problem: r.problem}
}

// Close releases the file's temporary copies; the source stays open.
func (t *Table) Close() error {
	if t.book != nil {
		return t.book.Close()
	}
	return nil
}

// position is how far into the source the reading is, in bytes.
func (t *Table) position() int64 {
	if t.book != nil {
		if last := t.book.Last(); last > 0 {
			return t.source.Size * int64(min(t.seen, last)) / int64(last)
		}
		return 0
	}
	return t.text.packed.n
}

// readHeader takes the row the mapping names, or the first of 20 rows in which every mapped
// column is found, or else the first row that is not empty.
func (t *Table) readHeader(m Mapping) error {
	var candidates []record
	for len(candidates) < headerRows || m.HeaderRow > 0 {
		r, err := t.next()
		if ended(err) {
			break
		}
		if err != nil {
			return err
		}
		r.cells = append([]string(nil), r.cells...)
		if m.HeaderRow > 0 {
			if r.number < m.HeaderRow {
				continue
			}
			if r.number > m.HeaderRow {
				break
			}
			return t.setHeader(r)
		}
		candidates = append(candidates, r)
		if _, missing := bind(m, r.cells); r.problem == "" && len(missing) == 0 {
			return t.setHeader(r)
		}
	}
	if m.HeaderRow > 0 {
		return refuse(fault.Invalid, "intake.header", fault.Field{File: t.source.Name, Row: m.HeaderRow, Problem: "is not there: header_row says the header is in it"})
	}
	if len(candidates) == 0 {
		return refuse(fault.Invalid, "intake.empty", fault.Field{File: t.source.Name, Problem: "has no rows"})
	}
	best := candidates[0]
	for _, r := range candidates[1:] {
		if len(best.cells) < 2 && len(r.cells) > len(best.cells) {
			best = r // a title line above the header has one cell
		}
	}
	_, missing := bind(m, best.cells)
	if err := t.setHeader(best); err != nil {
		return err
	}
	return refuse(fault.Invalid, "intake.header", fault.Field{
		File: t.source.Name, Row: best.number,
		Value:   strings.Join(best.cells, ", "),
		Problem: "the header has no column " + strings.Join(missing, ", "),
	})
}

// setHeader checks that no two columns have the same name: one of them would win silently.
func (t *Table) setHeader(r record) error {
	if r.problem != "" {
		return refuse(fault.Invalid, "intake.header", t.complaint(r))
	}
	at := map[string]int{}
	var bad []fault.Field
	for i, cell := range r.cells {
		name := cleanHeader(cell)
		t.Header = append(t.Header, name)
		if first, twice := at[name]; twice && name != "" {
			bad = append(bad, fault.Field{
				File: t.source.Name, Row: r.number, Column: name,
				Problem: fmt.Sprintf("columns %d and %d have the same header", first+1, i+1),
			})
		}
		at[name] = i
	}
	return fault.Bad("intake.header", "", bad)
}

func (t *Table) setSkip(m Mapping) error {
	t.first, t.skip = m.DataRow, map[int][]string{}
	for _, header := range sortedKeys(m.Skip) {
		i := slices.IndexFunc(t.Header, func(h string) bool { return normal(h) == normal(header) })
		if i < 0 {
			return refuse(fault.Invalid, "intake.header", fault.Field{File: t.source.Name, Column: header, Problem: "is not in the header, but skip names it"})
		}
		t.skip[i] = m.Skip[header]
	}
	return nil
}

func cleanHeader(s string) string {
	return strings.Join(strings.Fields(strings.Trim(s, "\ufeff\u200b")), " ")
}
