package workbook

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/fault"
)

// choose finds a sheet by name, or the first visible one for "".
func (b *xlsBook) choose(sheet string) (xlsSheetEntry, error) {
	names := make([]string, 0, len(b.sheets))
	for _, s := range b.sheets {
		if s.table && (sheet == "" && !s.hidden || sheet != "" && strings.EqualFold(strings.TrimSpace(s.name), strings.TrimSpace(sheet))) {
			return s, nil
		}
		names = append(names, s.name)
	}
	return xlsSheetEntry{}, fault.New(fault.Invalid, "workbook.sheet", "the workbook has no sheet %q; it has: %s",
		sheet, fault.Shorten(strings.Join(names, ", ")))
}

// sheetReading collects the cells of one sheet.
type sheetReading struct {
	book    *xlsBook
	grid    *Grid
	cells   map[int][]Cell // by 0-based row
	n       int
	depth   int   // of nested substreams, such as charts
	pending *Cell // a formula whose text comes in the next record
}

// read reads a sheet (section 2.1.7.20.5).
func (b *xlsBook) read(entry xlsSheetEntry) (grid Grid, err error) {
	defer func() {
		if p := recover(); p != nil {
			grid, err = Grid{}, corrupt(nil, "the sheet %q is damaged", entry.name)
		}
	}()
	if entry.offset >= len(b.stream) {
		return Grid{}, corrupt(nil, "the sheet %q is beyond the end of the workbook", entry.name)
	}
	grid = Grid{Sheet: entry.name, Date1904: b.epoch}
	for _, s := range b.sheets {
		grid.Sheets = append(grid.Sheets, s.name)
	}
	reading := &sheetReading{book: b, grid: &grid, cells: map[int][]Cell{}}
	ended := false
	err = b.records(entry.offset, func(r xlsRecord) (bool, error) {
		switch r.kind {
		case recBOF:
			reading.depth++
			return true, nil
		case recEOF:
			reading.depth--
			ended = reading.depth <= 0
			return !ended, nil
		}
		if reading.depth != 1 {
			return reading.depth > 0, nil
		}
		return true, reading.record(r)
	})
	if err == nil && !ended {
		err = corrupt(nil, "the sheet %q is cut off", entry.name)
	}
	if err != nil {
		return Grid{}, err
	}
	for _, row := range sortedRows(reading.cells) {
		cells := trimCells(reading.cells[row])
		if len(cells) > 0 {
			grid.Rows = append(grid.Rows, GridRow{Number: row + 1, Cells: cells})
		}
	}
	return grid, nil
}

func sortedRows(cells map[int][]Cell) []int {
	rows := make([]int, 0, len(cells))
	for r := range cells {
		rows = append(rows, r)
	}
	slices.Sort(rows)
	return rows
}

func trimCells(cells []Cell) []Cell {
	for len(cells) > 0 && cells[len(cells)-1].Text == "" {
		cells = cells[:len(cells)-1]
	}
	return cells
}

// put stores a cell. Its place and format come from the first six bytes of every cell record.
func (s *sheetReading) put(row, column, xf int, c Cell) (*Cell, error) {
	if row >= xlsRows || column >= xlsColumns {
		return nil, corrupt(nil, "the sheet %q has a cell outside of every sheet", s.grid.Sheet)
	}
	cells := s.cells[row]
	if grown := column + 1 - len(cells); grown > 0 {
		if s.n += grown; s.n > maxXLSCells {
			return nil, fault.New(fault.TooLarge, "workbook.bomb", "the sheet %q has more than %d cells; it was not read", s.grid.Sheet, maxXLSCells)
		}
		cells = append(cells, make([]Cell, grown)...)
	}
	if c.Kind == NumberCell && xf < len(s.book.xfs) {
		format := s.book.xfs[xf]
		c.Kind = kindOfFormat(format, s.book.formats[format])
	}
	cells[column] = c
	s.cells[row] = cells
	return &cells[column], nil
}

// record reads one record of the sheet.
func (s *sheetReading) record(r xlsRecord) error {
	body := r.body()
	if r.kind == recString && s.pending != nil {
		text, err := newXLSText(r).unicode()
		s.pending.Text, s.pending.Kind, s.pending = text, TextCell, nil
		return err
	}
	if r.kind == recMergeCells {
		s.merged(body)
		return nil
	}
	least := map[int]int{recLabelSST: 10, recLabel: 9, recRString: 9, recNumber: 14, recRK: 10, recMulRK: 6, recBoolErr: 8, recFormula: 14}[r.kind]
	if least == 0 {
		return nil
	}
	if len(body) < least {
		return corrupt(nil, "the sheet %q is damaged: a cell is too short", s.grid.Sheet)
	}
	row, column, xf := int(binary.LittleEndian.Uint16(body)), int(binary.LittleEndian.Uint16(body[2:])), int(binary.LittleEndian.Uint16(body[4:]))
	var c Cell
	switch r.kind {
	case recMulRK:
		return s.mulRK(row, column, body)
	case recLabelSST:
		at := int(binary.LittleEndian.Uint32(body[6:]))
		if at >= len(s.book.strings) {
			return corrupt(nil, "the sheet %q is damaged: row %d names a text that is not there", s.grid.Sheet, row+1)
		}
		c = Cell{Text: s.book.strings[at], Kind: TextCell}
	case recLabel, recRString:
		r.parts = slices.Clone(r.parts)
		r.parts[0] = body[6:]
		text, err := newXLSText(r).unicode()
		if err != nil {
			return err
		}
		c = Cell{Text: text, Kind: TextCell}
	case recNumber:
		c = numberCell(math.Float64frombits(binary.LittleEndian.Uint64(body[6:])))
	case recRK:
		c = numberCell(rk(binary.LittleEndian.Uint32(body[6:])))
	case recBoolErr:
		c = truthCell(body[6], body[7] != 0)
	case recFormula:
		return s.formula(row, column, xf, body)
	}
	_, err := s.put(row, column, xf, c)
	return err
}

// mulRK reads a run of numbers (section 2.4.175).
func (s *sheetReading) mulRK(row, column int, body []byte) error {
	for at := 4; at+6 <= len(body)-2; at += 6 {
		xf := int(binary.LittleEndian.Uint16(body[at:]))
		if _, err := s.put(row, column, xf, numberCell(rk(binary.LittleEndian.Uint32(body[at+2:])))); err != nil {
			return err
		}
		column++
	}
	return nil
}

// formula takes the stored result (section 2.5.133).
func (s *sheetReading) formula(row, column, xf int, body []byte) error {
	value := body[6:14]
	c := numberCell(math.Float64frombits(binary.LittleEndian.Uint64(value)))
	text := false
	if value[6] == 0xff && value[7] == 0xff {
		switch value[0] {
		case 0:
			c, text = Cell{Kind: TextCell}, true
		case 1, 2:
			c = truthCell(value[2], value[0] == 2)
		default:
			c = Cell{}
		}
	}
	at, err := s.put(row, column, xf, c)
	s.pending = nil
	if text && err == nil {
		s.pending = at
	}
	return err
}

func numberCell(f float64) Cell {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Cell{}
	}
	return Cell{Text: plainFloat(f), Kind: NumberCell}
}

// truthCell is a boolean, or an error value, which is no data.
func truthCell(value byte, isError bool) Cell {
	switch {
	case isError:
		return Cell{}
	case value != 0:
		return Cell{Text: "TRUE", Kind: TextCell}
	}
	return Cell{Text: "FALSE", Kind: TextCell}
}

// merged reads merged areas (section 2.4.168).
func (s *sheetReading) merged(body []byte) {
	if len(body) < 2 {
		return
	}
	n := int(binary.LittleEndian.Uint16(body))
	for at := 2; n > 0 && at+8 <= len(body) && len(s.grid.Merged) < maxMerged; at, n = at+8, n-1 {
		s.grid.Merged = append(s.grid.Merged, Area{
			FromRow: 1 + int(binary.LittleEndian.Uint16(body[at:])), ToRow: 1 + int(binary.LittleEndian.Uint16(body[at+2:])),
			FromColumn: int(binary.LittleEndian.Uint16(body[at+4:])), ToColumn: int(binary.LittleEndian.Uint16(body[at+6:])),
		})
	}
}
