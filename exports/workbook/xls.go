package workbook

import (
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/richardlehane/mscfb"

	"github.com/chaoban/chaoban/internal/fault"
)

// The old binary Excel file (BIFF8, Excel 97 to 2003): a compound file whose stream "Workbook" is a
// sequence of records. Section numbers are those of [MS-XLS].
//
// Only what a table of figures needs is read: cells, number formats, merged areas. Drawings, styles,
// formulas (but their stored results) and everything else are passed over.

// Limits of an .xls. A sheet has at most 65,536 x 256 cells; real exports have thousands.
const (
	maxXLS      = 64 << 20 // bytes of the file
	maxXLSCells = 4 << 20
	xlsRows     = 1 << 16
	xlsColumns  = 1 << 8
)

// Record types (section 2.3.1).
const (
	recFormula    = 0x0006
	recEOF        = 0x000a
	recDate1904   = 0x0022
	recFilePass   = 0x002f
	recContinue   = 0x003c
	recBoundSheet = 0x0085
	recMulRK      = 0x00bd
	recRString    = 0x00d6
	recXF         = 0x00e0
	recMergeCells = 0x00e5
	recSST        = 0x00fc
	recLabelSST   = 0x00fd
	recNumber     = 0x0203
	recLabel      = 0x0204
	recBoolErr    = 0x0205
	recString     = 0x0207
	recRK         = 0x027e
	recFormat     = 0x041e
	recBOF        = 0x0809
)

// isXLS reports the magic of a compound file.
func isXLS(magic []byte) bool {
	return len(magic) >= 8 && binary.LittleEndian.Uint64(magic) == 0xe11ab1a1e011cfd0
}

type xlsSheetEntry struct {
	name   string
	offset int
	hidden bool
	table  bool // a worksheet, not a chart or macros
}

type xlsBook struct {
	stream  []byte
	sheets  []xlsSheetEntry
	strings []string
	formats map[int]string // code by number
	xfs     []int          // number format of each cell format
	epoch   bool           // 1904
}

// openXLS reads the globals of a workbook. The file is untrusted and the container's decoder is not
// ours: a panic becomes a fault.
func openXLS(r io.ReaderAt, size int64) (book *xlsBook, err error) {
	defer func() {
		if p := recover(); p != nil {
			book, err = nil, corrupt(nil, "the .xls workbook cannot be read: its structure is damaged")
		}
	}()
	stream, err := workbookStream(r, size)
	if err != nil {
		return nil, err
	}
	book = &xlsBook{stream: stream, formats: map[int]string{}}
	return book, book.globals()
}

// workbookStream unpacks the one stream that matters from the compound file ([MS-CFB]).
func workbookStream(r io.ReaderAt, size int64) ([]byte, error) {
	if size > maxXLS {
		return nil, fault.New(fault.TooLarge, "workbook.bomb", "the .xls workbook is larger than %s; it was not opened", megabytes(maxXLS))
	}
	head := make([]byte, 512)
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return nil, corrupt(err, "the .xls workbook is shorter than its header")
	}
	// A damaged header must not make the decoder reserve tables larger than the file.
	for _, at := range []int{40, 44, 64, 72} {
		if int64(binary.LittleEndian.Uint32(head[at:])) > size/512+1 {
			return nil, corrupt(nil, "the .xls workbook is damaged: its header promises more than the file has")
		}
	}
	file, err := mscfb.New(io.NewSectionReader(r, 0, size))
	if err != nil {
		return nil, corrupt(err, "the file is not a readable .xls workbook")
	}
	for _, entry := range file.File {
		switch {
		case strings.EqualFold(entry.Name, "Workbook"):
			if entry.Size > size {
				return nil, corrupt(nil, "the .xls workbook is damaged: it promises more than the file has")
			}
			stream, err := io.ReadAll(io.LimitReader(entry, entry.Size))
			if err != nil || int64(len(stream)) < entry.Size {
				return nil, corrupt(err, "the .xls workbook is cut off")
			}
			return stream, nil
		case entry.Name == "Book":
			return nil, corrupt(nil, "the workbook is of Excel 95 or older: open it in Excel or WPS and save it as .xlsx")
		}
	}
	return nil, corrupt(nil, "the file is an old Office file, but not a workbook")
}

// record is one record with the bodies of its continuations.
type xlsRecord struct {
	kind  int
	parts [][]byte
}

// body is the first part; records of cells are never continued.
func (r xlsRecord) body() []byte { return r.parts[0] }

// records walks a stream from an offset. It stops at the end of the stream or when fn says so.
func (b *xlsBook) records(offset int, fn func(xlsRecord) (more bool, err error)) error {
	for at := offset; at+4 <= len(b.stream); {
		kind := int(binary.LittleEndian.Uint16(b.stream[at:]))
		n := int(binary.LittleEndian.Uint16(b.stream[at+2:]))
		if at+4+n > len(b.stream) {
			return corrupt(nil, "the .xls workbook is cut off")
		}
		rec := xlsRecord{kind, [][]byte{b.stream[at+4 : at+4+n]}}
		at += 4 + n
		for at+4 <= len(b.stream) && int(binary.LittleEndian.Uint16(b.stream[at:])) == recContinue {
			n := int(binary.LittleEndian.Uint16(b.stream[at+2:]))
			if at+4+n > len(b.stream) {
				return corrupt(nil, "the .xls workbook is cut off")
			}
			rec.parts = append(rec.parts, b.stream[at+4:at+4+n])
			at += 4 + n
		}
		more, err := fn(rec)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// globals reads the first substream (section 2.1.7.20.3): sheets, strings, formats.
func (b *xlsBook) globals() error {
	first, ended := true, false
	err := b.records(0, func(r xlsRecord) (bool, error) {
		body := r.body()
		if first {
			first = false
			if r.kind != recBOF || len(body) < 4 {
				return false, corrupt(nil, "the .xls workbook does not begin like one")
			}
			if version := binary.LittleEndian.Uint16(body); version != 0x0600 {
				return false, corrupt(nil, "the workbook is of Excel 95 or older: open it in Excel or WPS and save it as .xlsx")
			}
			return true, nil
		}
		switch r.kind {
		case recEOF:
			ended = true
			return false, nil
		case recFilePass:
			return false, corrupt(nil, "the .xls workbook is encrypted: save it without a password")
		case recDate1904:
			b.epoch = len(body) >= 2 && binary.LittleEndian.Uint16(body) == 1
		case recBoundSheet:
			return true, b.boundSheet(body)
		case recFormat:
			if len(body) >= 2 {
				code, err := newXLSText(xlsRecord{r.kind, [][]byte{body[2:]}}).unicode()
				b.formats[int(binary.LittleEndian.Uint16(body))] = code
				return true, err
			}
		case recXF:
			if len(body) < 4 {
				return false, corrupt(nil, "the .xls workbook is damaged: a format is too short")
			}
			b.xfs = append(b.xfs, int(binary.LittleEndian.Uint16(body[2:])))
		case recSST:
			return true, b.sharedStrings(r)
		}
		return true, nil
	})
	if err == nil && !ended {
		err = corrupt(nil, "the .xls workbook is cut off")
	}
	return err
}

// boundSheet reads the directory entry of a sheet (section 2.4.28).
func (b *xlsBook) boundSheet(body []byte) error {
	if len(body) < 8 {
		return corrupt(nil, "the .xls workbook is damaged: a sheet has no name")
	}
	text := newXLSText(xlsRecord{recBoundSheet, [][]byte{body[7:]}})
	name, err := text.characters(int(body[6]), text.byte()&1 != 0)
	if err != nil {
		return err
	}
	b.sheets = append(b.sheets, xlsSheetEntry{
		name: name, offset: int(binary.LittleEndian.Uint32(body)), hidden: body[4]&3 != 0, table: body[5] == 0,
	})
	return nil
}

// sharedStrings reads the table of texts (section 2.4.265).
func (b *xlsBook) sharedStrings(r xlsRecord) error {
	if len(r.body()) < 8 {
		return corrupt(nil, "the .xls workbook is damaged: its table of texts is too short")
	}
	n := int(binary.LittleEndian.Uint32(r.body()[4:]))
	text := newXLSText(r)
	text.skip(8)
	// Every text takes at least three bytes, so a lying count ends at the end of the record.
	for range n {
		s, err := text.rich()
		if err != nil {
			return err
		}
		if len(b.strings) == maxXLSCells {
			return fault.New(fault.TooLarge, "workbook.bomb", "the .xls workbook has more than %d texts; it was not read", maxXLSCells)
		}
		b.strings = append(b.strings, s)
	}
	return nil
}

// xlsText reads texts that may go on in continuation records, where the width of the characters is
// said anew (section 2.5.293 and 2.4.58).
type xlsText struct {
	parts [][]byte
	short bool // something was read beyond the end
}

func newXLSText(r xlsRecord) *xlsText { return &xlsText{parts: slices.Clone(r.parts)} }

// settle drops parts that are read to their end.
func (t *xlsText) settle() bool {
	for len(t.parts) > 0 && len(t.parts[0]) == 0 {
		t.parts = t.parts[1:]
	}
	t.short = t.short || len(t.parts) == 0
	return len(t.parts) > 0
}

func (t *xlsText) byte() byte {
	if !t.settle() {
		return 0
	}
	b := t.parts[0][0]
	t.parts[0] = t.parts[0][1:]
	return b
}

func (t *xlsText) uint16() int { return int(t.byte()) | int(t.byte())<<8 }

func (t *xlsText) skip(n int) {
	for n > 0 && t.settle() {
		k := min(n, len(t.parts[0]))
		t.parts[0] = t.parts[0][k:]
		n -= k
	}
}

// characters reads n characters of one byte (the low byte of UTF-16) or two.
func (t *xlsText) characters(n int, wide bool) (string, error) {
	units := make([]uint16, 0, min(n, 8224))
	for n > 0 {
		if len(t.parts) > 0 && len(t.parts[0]) == 0 && len(t.parts) > 1 {
			t.parts = t.parts[1:]
			wide = t.byte()&1 != 0 // a continuation inside a text says the width again
			continue
		}
		if !t.settle() {
			break
		}
		part := t.parts[0]
		if wide && len(part) == 1 {
			t.short = true
			break
		}
		if wide {
			units, part = append(units, binary.LittleEndian.Uint16(part)), part[2:]
		} else {
			units, part = append(units, uint16(part[0])), part[1:]
		}
		t.parts[0] = part
		n--
	}
	if t.short {
		return "", corrupt(nil, "the .xls workbook is damaged: a text is longer than its record")
	}
	return string(utf16.Decode(units)), nil
}

// unicode reads an XLUnicodeString (section 2.5.294).
func (t *xlsText) unicode() (string, error) {
	n := t.uint16()
	return t.characters(n, t.byte()&1 != 0)
}

// rich reads an XLUnicodeRichExtendedString (section 2.5.293).
func (t *xlsText) rich() (string, error) {
	n, flags := t.uint16(), t.byte()
	runs, extra := 0, 0
	if flags&8 != 0 {
		runs = t.uint16()
	}
	if flags&4 != 0 {
		extra = t.uint16() | t.uint16()<<16
	}
	s, err := t.characters(n, flags&1 != 0)
	if err != nil {
		return "", err
	}
	if extra < 0 {
		return "", corrupt(nil, "the .xls workbook is damaged: a text has a negative length")
	}
	t.skip(4 * runs)
	t.skip(extra)
	return s, nil
}

// rk unpacks a compressed number (section 2.5.122).
func rk(v uint32) float64 {
	var f float64
	if v&2 != 0 {
		f = float64(int32(v) >> 2)
	} else {
		f = math.Float64frombits(uint64(v&^3) << 32)
	}
	if v&1 != 0 {
		f /= 100
	}
	return f
}

// plainFloat writes a stored number as .xlsx stores it.
func plainFloat(f float64) string {
	if math.Abs(f) >= 1e15 || f != 0 && math.Abs(f) < 1e-9 {
		return strconv.FormatFloat(f, 'E', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
