package intake

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/chaoban/chaoban/internal/fault"
)

// Format of a file, found by its first bytes and never by its name alone.
type Format string

// The formats.
const (
	CSV    Format = "csv"
	NDJSON Format = "ndjson"
	XLSX   Format = "xlsx"
)

// The encodings a mapping may name; "" sniffs.
const (
	utf8Name    = "utf-8"
	gbkName     = "gbk"
	gb18030Name = "gb18030"
	utf16Name   = "utf-16"
)

const sniffed = 256 << 10 // bytes looked at to find encoding and delimiter

// textStream is a decoded text file.
type textStream struct {
	r        *bufio.Reader
	format   Format
	encoding string
	packed   *counter // position in the source, for progress
}

// counter counts what was read from the source.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// gunzip stops a gzip file that unpacks to far more than it weighs.
type gunzip struct {
	r      io.Reader
	packed *counter
	n      int64
	name   string
	limits Limits
}

func (g *gunzip) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	g.n += int64(n)
	if g.n > g.limits.Unpacked || g.n > 64<<20 && g.n/g.limits.Ratio > g.packed.n {
		return 0, refuse(fault.TooLarge, "intake.limit", fault.Field{
			File:    g.name,
			Problem: fmt.Sprintf("unpacks to more than %d times its size; it was not imported", g.limits.Ratio),
		})
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, fault.Wrap(err, fault.Invalid, "intake.corrupt", "%s is a damaged gzip file", g.name)
	}
	return n, err
}

// openText finds the format and encoding of a text file and decodes it to UTF-8.
func openText(src Source, encoding string, limits Limits) (*textStream, error) {
	t := &textStream{packed: &counter{r: io.NewSectionReader(src.R, 0, src.Size)}}
	raw := bufio.NewReaderSize(t.packed, 64<<10)
	if magic, _ := raw.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(raw)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "intake.corrupt", "%s is a damaged gzip file", src.Name)
		}
		raw = bufio.NewReaderSize(&gunzip{r: z, packed: t.packed, name: src.Name, limits: limits}, 64<<10)
	}
	big := bufio.NewReaderSize(raw, sniffed)
	head, err := big.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		if _, ok := errors.AsType[*fault.Error](err); ok {
			return nil, err
		}
		return nil, unreadable(err, src.Name)
	}
	decoder, name, err := decoderFor(src.Name, encoding, head, len(head) == sniffed)
	if err != nil {
		return nil, err
	}
	t.encoding = name
	if bytes.HasPrefix(head, utf8BOM) {
		_, _ = big.Discard(len(utf8BOM)) // peeked above, so it is there
	}
	var decoded io.Reader = big
	if decoder != nil {
		decoded = transform.NewReader(big, decoder)
	}
	t.r = bufio.NewReaderSize(decoded, limits.Line+1)
	start, err := t.r.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) && len(start) == 0 {
		return nil, err
	}
	if len(bytes.TrimSpace(start)) == 0 && len(start) < 4096 {
		return nil, refuse(fault.Invalid, "intake.empty", fault.Field{File: src.Name, Problem: "is empty"})
	}
	t.format = CSV
	if jsonLines(start) {
		t.format = NDJSON
	}
	if what := notTable(start); what != "" && t.format == CSV {
		return nil, refuse(fault.Invalid, "intake.format", fault.Field{File: src.Name, Problem: "is " + what})
	}
	return t, nil
}

// UTF8 decodes a text by its first bytes, as an import of the same file would: UTF-8, GBK and GB18030, or
// UTF-16 with its byte order mark. Errors: intake.format for what is no text.
func UTF8(name string, r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, sniffed)
	head, err := in.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, unreadable(err, name)
	}
	decoder, _, err := decoderFor(name, "", head, len(head) == sniffed)
	if err != nil || decoder == nil {
		return in, err
	}
	return transform.NewReader(in, decoder), nil
}

// notTable names a text that is no table whatever its name says; empty for one that may be a table.
func notTable(start []byte) string {
	head := bytes.ToLower(bytes.TrimSpace(start[:min(len(start), 1024)]))
	switch {
	case isPage(head):
		return "a web page (HTML), whatever its name says: open it in Excel and save it as .xlsx, or export CSV"
	case bytes.HasPrefix(head, []byte("<svg")), bytes.HasPrefix(head, []byte("<?xml")):
		return "a picture or document of the XML family, not a table: export .xlsx or CSV"
	case bytes.HasPrefix(head, []byte("%pdf-")):
		return "a PDF, not a table: export .xlsx or CSV"
	case bytes.HasPrefix(head, []byte("{")), bytes.HasPrefix(head, []byte("[{")), bytes.HasPrefix(head, []byte("[\n")):
		return "one JSON document: write one object per line (NDJSON), or CSV"
	}
	return ""
}

// jsonLines recognises NDJSON by its first line, or by most of its lines when the first is damaged.
func jsonLines(head []byte) bool {
	objects, others := 0, 0
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
		case len(line) == 1: // a bracket that opens or closes a document over many lines
			others++
		case line[0] == '{' && others == 0:
			return true
		case line[0] == '{' && line[len(line)-1] == '}':
			objects++
		default:
			others++
		}
	}
	return objects > others
}

var utf8BOM = []byte{0xef, 0xbb, 0xbf}

// decoderFor returns the transformer to UTF-8 (nil for plain UTF-8) and the encoding's name.
func decoderFor(file, encoding string, head []byte, cut bool) (transform.Transformer, string, error) {
	switch {
	case bytes.HasPrefix(head, utf8BOM):
		return nil, utf8Name, nil
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder(), utf16Name, nil
	}
	switch strings.ToLower(encoding) {
	case utf8Name, "utf8":
		return nil, utf8Name, nil
	case gbkName, gb18030Name, "gb2312":
		return simplifiedchinese.GB18030.NewDecoder(), gb18030Name, nil
	case utf16Name, "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder(), utf16Name, nil
	}
	utf := mostlyUTF8(head, cut)
	// A stray NUL is one bad row of a text; a file with many is a picture, or UTF-16.
	if nuls := bytes.Count(head, []byte{0}); nuls > 0 && (!utf || nuls > len(head)/20) {
		return nil, "", refuse(fault.Invalid, "intake.format", fault.Field{
			File:    file,
			Problem: "is not a table: bring .xlsx, CSV or NDJSON, also packed with gzip (UTF-16 text without a byte order mark needs encoding: utf-16)",
		})
	}
	if utf {
		return nil, utf8Name, nil
	}
	return simplifiedchinese.GB18030.NewDecoder(), gb18030Name, nil
}

// mostlyUTF8 tells UTF-8 from the Chinese encodings by lines: a text in which one line was damaged is
// still UTF-8, and that line alone is refused, while hardly a line of GBK happens to be UTF-8. NDJSON
// is always UTF-8.
func mostlyUTF8(head []byte, cut bool) bool {
	if jsonLines(head[:min(len(head), 4096)]) {
		return true
	}
	good, bad := 0, 0
	for len(head) > 0 {
		line, rest, whole := bytes.Cut(head, []byte{'\n'})
		switch {
		case isASCII(line): // says nothing
		case utf8.Valid(line):
			good++
		case cut && !whole && good+bad > 0: // the window may cut a character
		case cut && !whole && validPrefix(line):
			good++
		default:
			bad++
		}
		head = rest
	}
	return good > bad || bad == 0
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// validPrefix reports valid UTF-8, forgiving a character that is cut at the end.
func validPrefix(b []byte) bool {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if utf8.RuneStart(b[len(b)-i]) {
			if !utf8.FullRune(b[len(b)-i:]) {
				b = b[:len(b)-i]
			}
			break
		}
	}
	return utf8.Valid(b)
}

// isPage tells HTML, which some platforms hand out under the name .xls, from text.
func isPage(head []byte) bool {
	for _, sign := range []string{"<!doctype html", "<html", "<table", "<head", "<meta"} {
		if bytes.HasPrefix(head, []byte(sign)) {
			return true
		}
	}
	return bytes.HasPrefix(head, []byte("<?xml")) && bytes.Contains(head, []byte("<html"))
}
