package workbook

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/chaoban/chaoban/internal/fault"
)

// Limits of a workbook that somebody sends us. They are far above what Excel itself writes for
// a full sheet, and far below what a crafted archive can unpack to.
const (
	maxPacked   = 512 << 20 // bytes of the file
	maxUnpacked = 4 << 30   // bytes of all parts together
	maxRatio    = 400       // unpacked to packed, of parts above ratioFrom
	ratioFrom   = 16 << 20
	maxParts    = 10_000
	inMemory    = 16 << 20 // a larger sheet or string table is unpacked to a temporary file
)

// Rows reads the rows of one sheet in order. It is not safe for concurrent use.
type Rows struct {
	old    []GridRow // of an .xls, which is read at once; the rest is of an .xlsx
	file   *excelize.File
	rows   *excelize.Rows
	sheet  string
	number int
	last   int
	epoch  bool
}

// OpenRows opens an .xlsx, or an .xls of Excel 97 or later, for reading one sheet, by name, or the
// first visible one for "". The first bytes tell which it is, never a name. Cells come as stored, not as formatted: dates are Excel serial numbers, durations are
// fractions of a day. Formulas give their stored result.
//
// Errors: workbook.corrupt, workbook.bomb (kind TooLarge), workbook.sheet (no such sheet; the
// message lists the sheets).
func OpenRows(r io.ReaderAt, size int64, sheet string) (*Rows, error) {
	magic := make([]byte, 8)
	if n, _ := r.ReadAt(magic, 0); isXLS(magic[:n]) { // whoever reads on finds the error too
		return openOldRows(r, size, sheet)
	}
	archive, err := checkArchive(r, size)
	if err != nil {
		return nil, err
	}
	file, err := openFile(r, size)
	if err != nil {
		return nil, err
	}
	rows, err := newRows(file, archive, sheet)
	if err != nil {
		_ = file.Close() // read only: nothing is lost
		return nil, err
	}
	return rows, nil
}

func openOldRows(r io.ReaderAt, size int64, sheet string) (*Rows, error) {
	grid, err := readXLS(r, size, sheet)
	if err != nil {
		return nil, err
	}
	rows := &Rows{old: grid.Rows, sheet: grid.Sheet, epoch: grid.Date1904}
	if n := len(grid.Rows); n > 0 {
		rows.last = grid.Rows[n-1].Number
	}
	return rows, nil
}

// nextOld is Next of an .xls.
func (r *Rows) nextOld() (number int, cells []string, err error) {
	if len(r.old) == 0 {
		return 0, nil, io.EOF
	}
	row := r.old[0]
	r.old, r.number = r.old[1:], row.Number
	for _, c := range row.Cells {
		cells = append(cells, c.Text)
	}
	return row.Number, cells, nil
}

func corrupt(cause error, format string, args ...any) error {
	return fault.Wrap(cause, fault.Invalid, "workbook.corrupt", format, args...)
}

// checkArchive refuses archives that would unpack to far more than they weigh. Every part is
// unpacked once and counted, because a directory may lie about sizes.
func checkArchive(r io.ReaderAt, size int64) (*zip.Reader, error) {
	bomb := func(what string) error {
		return fault.New(fault.TooLarge, "workbook.bomb", "the workbook %s; it was not opened", what)
	}
	if size > maxPacked {
		return nil, bomb("is larger than " + megabytes(maxPacked))
	}
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, corrupt(err, "the file is not a readable .xlsx: its zip directory is damaged")
	}
	if len(archive.File) > maxParts {
		return nil, bomb("has more than " + strconv.Itoa(maxParts) + " parts")
	}
	var declared uint64
	for _, part := range archive.File {
		unpacked := part.UncompressedSize64
		if declared += unpacked; unpacked > maxUnpacked || declared > maxUnpacked {
			return nil, bomb("unpacks to more than " + megabytes(maxUnpacked))
		}
		if unpacked > ratioFrom && unpacked/maxRatio > part.CompressedSize64 {
			return nil, bomb("has a part that unpacks to more than " + strconv.Itoa(maxRatio) + " times its size")
		}
	}
	for _, part := range archive.File {
		if err := checkPart(part); err != nil {
			return nil, corrupt(err, "the part %q of the workbook is damaged", fault.Shorten(part.Name))
		}
	}
	return archive, nil
}

// checkPart unpacks a part into nothing: archive/zip stops at the declared size and compares
// the checksum, so afterwards declared sizes can be trusted.
func checkPart(part *zip.File) error {
	if strings.HasSuffix(part.Name, "/") {
		return nil
	}
	in, err := part.Open()
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return errors.Join(err, in.Close())
}

func megabytes(n int64) string { return strconv.FormatInt(n>>20, 10) + " MB" }

// openFile turns a panic of the decoder on a crafted file into a fault: the file is untrusted
// and the decoder is not ours.
func openFile(r io.ReaderAt, size int64) (file *excelize.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			file, err = nil, corrupt(nil, "the workbook cannot be read: its structure is damaged")
		}
	}()
	file, err = excelize.OpenReader(io.NewSectionReader(r, 0, size), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: inMemory,
	})
	if err != nil {
		return nil, corrupt(err, "the file is a zip archive but not a readable .xlsx workbook")
	}
	return file, nil
}

func newRows(file *excelize.File, archive *zip.Reader, sheet string) (out *Rows, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, corrupt(nil, "the workbook cannot be read: its structure is damaged")
		}
	}()
	name, err := chooseSheet(file, sheet)
	if err != nil {
		return nil, err
	}
	rows, err := file.Rows(name)
	if err != nil {
		return nil, corrupt(err, "the sheet %q cannot be read", name)
	}
	out = &Rows{file: file, rows: rows, sheet: name}
	if props, err := file.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		out.epoch = *props.Date1904
	}
	out.last, err = lastRow(archive, name)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func chooseSheet(file *excelize.File, sheet string) (string, error) {
	names := file.GetSheetList()
	for _, name := range names {
		if sheet != "" && strings.EqualFold(strings.TrimSpace(name), strings.TrimSpace(sheet)) {
			return name, nil
		}
		if sheet == "" {
			if visible, err := file.GetSheetVisible(name); err == nil && visible {
				return name, nil
			}
		}
	}
	return "", fault.New(fault.Invalid, "workbook.sheet", "the workbook has no sheet %q; it has: %s",
		sheet, fault.Shorten(strings.Join(names, ", ")))
}

// Sheet is the name of the sheet being read.
func (r *Rows) Sheet() string { return r.sheet }

// Last is the number of the last row of the sheet.
func (r *Rows) Last() int { return r.last }

// Date1904 reports whether day 0 of the workbook's serial dates is 1904-01-01 (old Mac files)
// instead of 1899-12-30.
func (r *Rows) Date1904() bool { return r.epoch }

// Next returns the next row with its 1-based number; rows without any cell are left out and
// empty cells at the end of a row are cut. io.EOF ends the sheet. Errors: workbook.corrupt.
func (r *Rows) Next() (number int, cells []string, err error) {
	defer func() {
		if p := recover(); p != nil {
			number, cells, err = 0, nil, corrupt(nil, "row %d of sheet %q is damaged", r.number, r.sheet)
		}
	}()
	if r.file == nil {
		return r.nextOld()
	}
	for r.rows.Next() {
		r.number++
		cells, err = r.rows.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return 0, nil, corrupt(err, "row %d of sheet %q is damaged", r.number, r.sheet)
		}
		if len(cells) > 0 {
			return r.number, cells, nil
		}
	}
	if err := r.rows.Error(); err != nil {
		return 0, nil, corrupt(err, "sheet %q is damaged after row %d", r.sheet, r.number)
	}
	// The decoder ends silently at broken XML; the byte scan of lastRow does not.
	if r.number < r.last {
		return 0, nil, corrupt(nil, "sheet %q is damaged after row %d of %d", r.sheet, r.number, r.last)
	}
	return 0, nil, io.EOF
}

// Close releases the workbook and its temporary files.
func (r *Rows) Close() error {
	if r.file == nil {
		return nil
	}
	err := errors.Join(r.rows.Close(), r.file.Close())
	if err != nil {
		return fault.Wrap(err, fault.Internal, "workbook.close", "the workbook's temporary files could not be removed")
	}
	return nil
}

// lastRow counts the row elements of the sheet's part without decoding them.
func lastRow(archive *zip.Reader, sheet string) (int, error) {
	part := sheetPart(archive, sheet)
	if part == nil {
		return 0, nil
	}
	in, err := part.Open()
	if err != nil {
		return 0, corrupt(err, "the sheet %q cannot be read", sheet)
	}
	defer in.Close()
	last, err := scanRows(bufio.NewReaderSize(in, 64<<10))
	if err != nil {
		return 0, corrupt(err, "the sheet %q cannot be read", sheet)
	}
	return last, nil
}

// sheetPart finds the part of a sheet through the workbook's relations; nil when the workbook
// is laid out otherwise, and then the end of the sheet is not cross-checked.
func sheetPart(archive *zip.Reader, sheet string) *zip.File {
	var book struct {
		Sheets []struct {
			Name string `xml:"name,attr"`
			ID   string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
		} `xml:"sheets>sheet"`
	}
	var relations struct {
		List []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if readPart(archive, "xl/workbook.xml", &book) != nil || readPart(archive, "xl/_rels/workbook.xml.rels", &relations) != nil {
		return nil
	}
	targets := map[string]string{}
	for _, r := range relations.List {
		targets[r.ID] = r.Target
	}
	for _, s := range book.Sheets {
		if s.Name != sheet {
			continue
		}
		target := targets[s.ID]
		if !strings.HasPrefix(target, "/") {
			target = "xl/" + target
		}
		return findPart(archive, strings.TrimPrefix(path.Clean(target), "/"))
	}
	return nil
}

func findPart(archive *zip.Reader, name string) *zip.File {
	for _, part := range archive.File {
		if part.Name == name {
			return part
		}
	}
	return nil
}

func readPart(archive *zip.Reader, name string, into any) error {
	part := findPart(archive, name)
	if part == nil {
		return fs.ErrNotExist
	}
	in, err := part.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	return xml.NewDecoder(in).Decode(into)
}

// scanRows returns the number of the last row element: its r attribute, or one more than the
// row before it.
func scanRows(in *bufio.Reader) (int, error) {
	last := 0
	for {
		if _, err := in.ReadSlice('<'); err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) {
				return last, nil
			}
			return 0, err
		} else if err != nil {
			continue
		}
		head, _ := in.Peek(64)
		name, rest, _ := strings.Cut(string(head), " ")
		if end := strings.IndexByte(string(head), '>'); end >= 0 && end < len(name) {
			name, rest = strings.TrimSuffix(string(head[:end]), "/"), ""
		}
		if _, local, ok := strings.Cut(name, ":"); ok {
			name = local
		}
		if name != "row" {
			continue
		}
		last++
		attrs, _, _ := strings.Cut(rest, ">")
		if _, value, ok := strings.Cut(" "+attrs, ` r="`); ok {
			digits, _, _ := strings.Cut(value, `"`)
			if n, err := strconv.Atoi(digits); err == nil && n > 0 && n <= excelize.TotalRows {
				last = n
			}
		}
	}
}
