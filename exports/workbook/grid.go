package workbook

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/chaoban/chaoban/internal/fault"
)

// CellKind is what a cell is besides its text.
type CellKind uint8

// The kinds of cells.
const (
	TextCell    CellKind = iota
	NumberCell           // a number as stored
	PercentCell          // a fraction that is shown as a percentage
	MomentCell           // a serial number that is shown as a date or a time
)

// Cell is one cell as stored, not as shown.
type Cell struct {
	Text string
	Kind CellKind
}

// GridRow is a row with its 1-based number.
type GridRow struct {
	Number int
	Cells  []Cell
}

// Area is a merged area, by 1-based row numbers and 0-based columns, all inclusive.
type Area struct{ FromRow, FromColumn, ToRow, ToColumn int }

// Grid is a whole sheet in memory with what its number formats say; for small files.
type Grid struct {
	Sheet    string
	Sheets   []string
	Rows     []GridRow // rows without a cell are left out
	Merged   []Area
	Date1904 bool
}

// Limits of a grid. A shop has one row a day, or one per account and day.
const (
	MaxGridRows = 50_000
	maxGridFile = 32 << 20
	maxMerged   = 10_000
)

// ReadGrid reads one sheet of an .xlsx or an .xls, whatever the file is called, by name or the first
// visible one for "". Errors: those of OpenRows, and workbook.grid (kind TooLarge).
func ReadGrid(r io.ReaderAt, size int64, sheet string) (Grid, error) {
	magic := make([]byte, 8)
	if n, err := r.ReadAt(magic, 0); err != nil && !errors.Is(err, io.EOF) {
		return Grid{}, corrupt(err, "the file cannot be read")
	} else if isXLS(magic[:n]) {
		grid, err := readXLS(r, size, sheet)
		if err == nil && len(grid.Rows) > MaxGridRows {
			err = tooLargeGrid("has more than 50,000 rows")
		}
		return grid, err
	}
	if size > maxGridFile {
		return Grid{}, tooLargeGrid("is larger than " + megabytes(maxGridFile))
	}
	rows, err := OpenRows(r, size, sheet)
	if err != nil {
		return Grid{}, err
	}
	grid, err := rows.grid()
	return grid, errors.Join(err, rows.Close())
}

func readXLS(r io.ReaderAt, size int64, sheet string) (Grid, error) {
	book, err := openXLS(r, size)
	if err != nil {
		return Grid{}, err
	}
	entry, err := book.choose(sheet)
	if err != nil {
		return Grid{}, err
	}
	return book.read(entry)
}

func tooLargeGrid(what string) error {
	return fault.New(fault.TooLarge, "workbook.grid", "the workbook %s, which is no file of daily figures", what)
}

// grid reads the rest of the rows with the kinds of their cells.
func (r *Rows) grid() (grid Grid, err error) {
	defer func() {
		if p := recover(); p != nil {
			grid, err = Grid{}, corrupt(nil, "the sheet %q is damaged", r.sheet)
		}
	}()
	grid = Grid{Sheet: r.sheet, Sheets: r.file.GetSheetList(), Date1904: r.epoch}
	kinds := &cellKinds{file: r.file, sheet: r.sheet, formats: map[int]CellKind{}}
	for {
		number, texts, err := r.Next()
		if err == io.EOF { //nolint:errorlint // a fault about a damaged file may have io.EOF as its cause
			break
		}
		if err != nil {
			return Grid{}, err
		}
		if len(grid.Rows) == MaxGridRows {
			return Grid{}, tooLargeGrid("has more than 50,000 rows")
		}
		row := GridRow{Number: number, Cells: make([]Cell, len(texts))}
		for i, text := range texts {
			row.Cells[i] = Cell{Text: text, Kind: kinds.of(number, i, text)}
		}
		grid.Rows = append(grid.Rows, row)
	}
	merged, err := r.file.GetMergeCells(r.sheet, true)
	if err != nil {
		return Grid{}, corrupt(err, "the merged cells of the sheet %q are damaged", r.sheet)
	}
	for _, m := range merged[:min(len(merged), maxMerged)] {
		fromColumn, fromRow, err1 := excelize.CellNameToCoordinates(m.GetStartAxis())
		toColumn, toRow, err2 := excelize.CellNameToCoordinates(m.GetEndAxis())
		if err1 == nil && err2 == nil {
			grid.Merged = append(grid.Merged, Area{fromRow, fromColumn - 1, toRow, toColumn - 1})
		}
	}
	return grid, nil
}

// cellKinds asks the workbook for the number format of a cell, once per style.
type cellKinds struct {
	file    *excelize.File
	sheet   string
	formats map[int]CellKind
}

func (k *cellKinds) of(row, column int, text string) CellKind {
	if text == "" || !strings.ContainsAny(text[:1], "0123456789-.") {
		return TextCell
	}
	name, err := excelize.CoordinatesToCellName(column+1, row)
	if err != nil {
		return TextCell
	}
	switch kind, err := k.file.GetCellType(k.sheet, name); {
	case err != nil, kind == excelize.CellTypeSharedString, kind == excelize.CellTypeInlineString:
		return TextCell
	}
	style, err := k.file.GetCellStyle(k.sheet, name)
	if err != nil {
		return NumberCell
	}
	if known, ok := k.formats[style]; ok {
		return known
	}
	kind := NumberCell
	if s, err := k.file.GetStyle(style); err == nil && s != nil {
		code := ""
		if s.CustomNumFmt != nil {
			code = *s.CustomNumFmt
		}
		kind = kindOfFormat(s.NumFmt, code)
	}
	k.formats[style] = kind
	return kind
}

// kindOfFormat reads a number format: a built-in number (ECMA-376 part 1, 18.8.30) or a code.
func kindOfFormat(number int, code string) CellKind {
	if code == "" {
		switch {
		case number == 9, number == 10:
			return PercentCell
		case number >= 14 && number <= 22, number >= 27 && number <= 36, number >= 45 && number <= 47, number >= 50 && number <= 58:
			return MomentCell
		}
		return NumberCell
	}
	quoted, bracket := false, false
	found := NumberCell
	for i, b := range []byte(code) {
		switch {
		case b == '"':
			quoted = !quoted
		case quoted, i > 0 && code[i-1] == '\\':
		case b == '[':
			// [h], [mm] and [ss] are lengths of time; [Red] and [$¥-804] are not.
			bracket = !bytes.ContainsAny([]byte(code[i+1:min(i+2, len(code))]), "hHmMsS")
		case b == ']':
			bracket = false
		case bracket:
		case b == '%':
			return PercentCell
		case strings.IndexByte("yYdDhHsS", b) >= 0:
			found = MomentCell
		}
	}
	return found
}
