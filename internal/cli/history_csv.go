package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// historySpec says which columns of a CSV file hold a contact history.
type historySpec struct {
	file      string // name for error messages
	timeCol   string
	valueCol  string
	groupCols []string
	slot      time.Duration
	origin    string // rows at or after it are not looked at; empty = read all

	pathCols    []string // of groupCols: the labels of a series from the top down
	categoryCol string   // one value per series; empty = none
}

// history is what a file holds: one series per combination of the group columns, sorted.
type history struct {
	style  timeStyle
	origin time.Time // zero when the spec has none
	groups [][]string
	series []forecast.Series
	notes  []string
}

// Limits that keep a broken or hostile file from filling the memory.
const (
	maxLineBytes = 1 << 20
	maxColumns   = 10_000
	maxGroups    = 100_000
	maxCells     = 200_000_000 // slots of all series: 1.6 GB of float64
	sniffBytes   = 64 << 10
)

// historyReader adds up one file row by row; memory holds the series, never the rows.
type historyReader struct {
	spec     historySpec
	csv      *csv.Reader
	columns  struct{ time, value int }
	groupAt  []int
	kindAt   int // column of the category; -1 = none
	kinds    map[string]string
	header   []string
	builders map[string]*forecast.Builder
	groups   map[string][]string
	single   *forecast.Builder // the only builder when there are no group columns
	out      history
	key      []byte
	lastText string
	lastTime time.Time
	blanks   int
	later    int
	cells    int // slots of all builders so far
	clock    fileClock
}

// readHistory reads a whole CSV stream: UTF-8 (a BOM is fine) or GBK; comma, semicolon or tab.
// Rows of one group that fall into one slot are summed, also when their times are equal: logs
// come split over several files and lines. An empty value, "-" or "--" is no record.
func readHistory(ctx context.Context, r io.Reader, spec historySpec) (history, error) {
	text, err := decodedText(r, spec.file)
	if err != nil {
		return history{}, err
	}
	h := &historyReader{spec: spec, builders: map[string]*forecast.Builder{}, groups: map[string][]string{}, kindAt: -1, kinds: map[string]string{}}
	if err := h.readHeader(text); err != nil {
		return history{}, err
	}
	for rows := 0; ; rows++ {
		if rows%65536 == 0 && ctx.Err() != nil {
			return history{}, fault.Wrap(ctx.Err(), fault.Canceled, "forecast.canceled", "reading %s was interrupted", spec.file)
		}
		record, err := h.csv.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return history{}, h.readFailure(err)
		}
		if err := h.add(record); err != nil {
			return history{}, err
		}
	}
	return h.finish()
}

// decodedText is the stream as UTF-8 without a BOM.
func decodedText(r io.Reader, file string) (*bufio.Reader, error) {
	raw := bufio.NewReaderSize(r, sniffBytes)
	head, err := raw.Peek(sniffBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fault.Wrap(err, fault.Invalid, "forecast.file", "%s cannot be read", file)
	}
	refuse := func(problem string) (*bufio.Reader, error) {
		return nil, fault.Bad("forecast.file", "history", []fault.Field{{File: file, Problem: problem}})
	}
	switch {
	case len(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))) == 0:
		return refuse("the file is empty")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return refuse("is a workbook or an archive; save the sheet as CSV")
	case bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")):
		return refuse("is UTF-16; save it as UTF-8 or GBK")
	case bytes.IndexByte(head, 0) >= 0:
		return refuse("is not a text file")
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = raw.Discard(3)
		head = head[3:]
	}
	if cut := bytes.LastIndexByte(head, '\n'); cut > 0 {
		head = head[:cut] // the last line may be cut inside a character
	}
	var source io.Reader = raw
	if !utf8.Valid(head) {
		source = transform.NewReader(raw, simplifiedchinese.GB18030.NewDecoder())
	}
	return bufio.NewReaderSize(&lineGuard{source: source}, 256<<10), nil
}

var errLongLine = errors.New("line too long")

// lineGuard fails on a line that no real history has, before it fills the memory.
type lineGuard struct {
	source io.Reader
	length int
}

// Read passes bytes on and counts them since the last line break.
func (g *lineGuard) Read(p []byte) (int, error) {
	n, err := g.source.Read(p)
	if at := bytes.LastIndexByte(p[:n], '\n'); at >= 0 {
		g.length = n - at - 1
	} else {
		g.length += n
	}
	if g.length > maxLineBytes {
		return 0, errLongLine
	}
	return n, err
}

func (h *historyReader) readHeader(text *bufio.Reader) error {
	first, _ := text.Peek(32 << 10)
	line, _, _ := bytes.Cut(first, []byte("\n"))
	h.csv = csv.NewReader(text)
	h.csv.ReuseRecord = true
	h.csv.FieldsPerRecord = -1
	for _, comma := range []byte{'\t', ';'} {
		if !bytes.Contains(line, []byte(",")) && bytes.IndexByte(line, comma) >= 0 {
			h.csv.Comma = rune(comma)
		}
	}
	record, err := h.csv.Read()
	if err != nil {
		return h.readFailure(err)
	}
	if len(record) > maxColumns {
		return h.reject("", strconv.Itoa(len(record)), "the header has more than 10,000 columns")
	}
	for _, name := range record {
		name = strings.TrimSpace(name)
		if name != "" && slices.Contains(h.header, name) {
			return h.rejectAt(1, name, "", "the header names this column twice")
		}
		h.header = append(h.header, strings.Clone(name))
	}
	return h.findColumns()
}

// findColumns reports every unknown column at once.
func (h *historyReader) findColumns() error {
	var bad []fault.Field
	find := func(flag, name string) int {
		at := slices.Index(h.header, name)
		if at < 0 {
			bad = append(bad, fault.Field{
				File: h.spec.file, Row: 1, Column: name,
				Problem: "is named by " + flag + " but is not in the header (" + fault.Shorten(strings.Join(h.header, ", ")) + ")",
			})
		}
		return at
	}
	h.columns.time = find("--time-col", h.spec.timeCol)
	h.columns.value = find("--value-col", h.spec.valueCol)
	for _, c := range h.spec.groupCols {
		h.groupAt = append(h.groupAt, find("--group-cols", c))
	}
	if h.spec.categoryCol != "" {
		h.kindAt = find("--category-col", h.spec.categoryCol)
	}
	return fault.Bad("forecast.file", "history", bad)
}

// add puts one row into its series.
func (h *historyReader) add(record []string) error {
	if len(record) != len(h.header) {
		return h.reject("", strconv.Itoa(len(record))+" fields", "the row must have "+strconv.Itoa(len(h.header))+" fields like the header")
	}
	t, err := h.time(record[h.columns.time])
	if err != nil {
		return err
	}
	if !h.out.origin.IsZero() && !t.Before(h.out.origin) {
		h.later++
		return nil
	}
	builder, err := h.builder(record)
	if err != nil {
		return err
	}
	if err := h.category(record); err != nil {
		return err
	}
	text := strings.TrimSpace(record[h.columns.value])
	if text == "" || text == "-" || text == "--" {
		h.blanks++
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	column := h.spec.valueCol
	switch {
	case err != nil && !math.IsInf(v, 0):
		return h.reject(column, text, "must be a number")
	case math.IsNaN(v) || math.IsInf(v, 0):
		return h.reject(column, text, "must be a finite number; leave the cell empty when there is no record")
	case v < 0:
		return h.reject(column, text, "must not be negative")
	case v > 1e12:
		return h.reject(column, text, "is absurdly large for contacts in a slot")
	}
	h.clock.see(t, h.out.style)
	held := builder.Slots()
	if err := builder.Add(t, v); err != nil {
		return h.reject(h.spec.timeCol, record[h.columns.time], fault.Of(err).Message)
	}
	if h.cells += builder.Slots() - held; h.cells > maxCells {
		// Refused while reading: two rows twenty years apart in each of many groups would fill any memory.
		return fault.New(fault.TooLarge, "forecast.file", "%s makes more slots than fit in memory; use a coarser --slot or fewer groups", h.spec.file)
	}
	return nil
}

// time reads the time cell; the first row settles the style of the file.
func (h *historyReader) time(text string) (time.Time, error) {
	if text == h.lastText && text != "" {
		return h.lastTime, nil
	}
	trimmed := strings.TrimSpace(text)
	if h.out.style.layout == "" {
		style, _, ok := styleOf(trimmed)
		if !ok {
			return time.Time{}, h.reject(h.spec.timeCol, text, timeExamples)
		}
		if !style.clock && h.spec.slot < 24*time.Hour {
			return time.Time{}, h.reject(h.spec.timeCol, text, "is a date without a time of day: use --slot 24h")
		}
		h.out.style = style
		if h.spec.origin != "" {
			origin, err := style.instant("--origin", h.spec.origin)
			if err != nil {
				return time.Time{}, err
			}
			h.out.origin = origin
		}
	}
	t, err := h.out.style.parse(trimmed)
	if err != nil {
		if _, _, ok := styleOf(trimmed); ok {
			return time.Time{}, h.reject(h.spec.timeCol, text, "is written in another style than the first row ("+h.out.style.layout+"): one file, one style")
		}
		return time.Time{}, h.reject(h.spec.timeCol, text, "is not a time; "+timeExamples)
	}
	h.lastText, h.lastTime = strings.Clone(text), t
	return t, nil
}

// builder finds the series of the row's group.
func (h *historyReader) builder(record []string) (*forecast.Builder, error) {
	if h.single != nil {
		return h.single, nil
	}
	h.key = h.key[:0]
	for _, at := range h.groupAt {
		h.key = append(append(h.key, record[at]...), 0x1f)
	}
	if b, ok := h.builders[string(h.key)]; ok {
		return b, nil
	}
	if len(h.builders) == maxGroups {
		return nil, h.reject(h.spec.groupCols[0], record[h.groupAt[0]], "makes more than 100,000 series")
	}
	b, err := forecast.NewBuilder(h.spec.slot, h.out.style.loc)
	if err != nil {
		return nil, err
	}
	group := []string{}
	for _, at := range h.groupAt {
		if !utf8.ValidString(record[at]) {
			return nil, h.reject(h.header[at], record[at], "is not UTF-8, while the start of the file is")
		}
		group = append(group, strings.Clone(record[at]))
	}
	h.builders[string(h.key)], h.groups[string(h.key)] = b, group
	if len(h.groupAt) == 0 {
		h.single = b
	}
	return b, nil
}

// category notes what kind of series the row's is.
func (h *historyReader) category(record []string) error {
	if h.kindAt < 0 {
		return nil
	}
	kind := strings.TrimSpace(record[h.kindAt])
	known, ok := h.kinds[string(h.key)]
	if !ok {
		h.kinds[string(h.key)] = strings.Clone(kind)
	} else if known != kind {
		return h.reject(h.spec.categoryCol, kind, "is another category than "+strconv.Quote(known)+" in an earlier row of the same series")
	}
	return nil
}

// path is the labels of a group.
func (h *historyReader) path(group []string) []string {
	var labels []string
	for _, c := range h.spec.pathCols {
		labels = append(labels, group[slices.Index(h.spec.groupCols, c)])
	}
	return labels
}

// finish turns the sums into series, sorted by group.
func (h *historyReader) finish() (history, error) {
	keys := make([]string, 0, len(h.builders))
	for k := range h.builders {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		s := h.builders[k].Series(ids.Queue(strings.Join(h.groups[k], "/")))
		if len(s.Values) == 0 {
			continue
		}
		s.Category, s.Path = h.kinds[k], h.path(h.groups[k])
		h.out.groups, h.out.series = append(h.out.groups, h.groups[k]), append(h.out.series, s)
	}
	switch {
	case len(keys) == 0 && h.later > 0:
		return history{}, fault.New(fault.Invalid, "forecast.no_history", "%s: no row lies before the origin %s", h.spec.file, h.spec.origin)
	case len(h.out.series) == 0:
		return history{}, fault.Bad("forecast.file", "history", []fault.Field{{File: h.spec.file, Problem: "has a header but no row with a value"}})
	}
	if problem := h.clock.misfit(h.spec.slot); problem != "" {
		return history{}, fault.Bad("forecast.file", "history", []fault.Field{{File: h.spec.file, Column: h.spec.timeCol, Problem: problem}})
	}
	if note := h.clock.offsetNote(h.out.style); note != "" {
		h.out.notes = append(h.out.notes, note)
	}
	if h.blanks > 0 {
		h.out.notes = append(h.out.notes, strconv.Itoa(h.blanks)+" rows have no value and were taken as no record")
	}
	return h.out, nil
}

func (h *historyReader) reject(column, value, problem string) error {
	row, _ := h.csv.FieldPos(0)
	return h.rejectAt(row, column, value, problem)
}

func (h *historyReader) rejectAt(row int, column, value, problem string) error {
	return fault.Bad("forecast.file", "history", []fault.Field{{
		File: h.spec.file, Row: row, Column: column, Value: strings.ToValidUTF8(value, "?"), Problem: problem,
	}})
}

// readFailure explains an error of the CSV reader.
func (h *historyReader) readFailure(err error) error {
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		return h.rejectAt(parse.StartLine, "", "", "broken quoting: "+parse.Err.Error())
	}
	if errors.Is(err, errLongLine) {
		return fault.Bad("forecast.file", "history", []fault.Field{{File: h.spec.file, Problem: "has a line of more than 1 MB"}})
	}
	if errors.Is(err, io.EOF) {
		return fault.Bad("forecast.file", "history", []fault.Field{{File: h.spec.file, Problem: "the file is empty"}})
	}
	return fault.Wrap(err, fault.Invalid, "forecast.file", "%s cannot be read", h.spec.file)
}
