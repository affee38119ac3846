package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/exports/workbook"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi/chatlog/platformfile"
)

// Inspection is what a look at the beginning of a file says: what it is, which column seems to be
// which field, and what is doubtful. Nothing is imported.
type Inspection struct {
	File     string           `json:"file"`
	Layout   Layout           `json:"layout"`
	Platform *PlatformFile    `json:"platform,omitempty"` // a file of daily figures that we know
	Kind     Kind             `json:"kind,omitempty"`
	Header   int              `json:"header_row,omitempty"` // 1-based
	Data     int              `json:"data_row,omitempty"`
	Rows     int              `json:"rows"` // rows looked at
	Columns  []InspectedField `json:"columns,omitempty"`
	Missing  []string         `json:"missing,omitempty"` // fields without which nothing can be imported, and that no column gives
	Doubts   []string         `json:"doubts,omitempty"`
	Mapping  Mapping          `json:"-"`
}

// PlatformFile names a known file of daily figures and how it would be read.
type PlatformFile struct {
	Format   string                `json:"format"`
	Title    string                `json:"title"`
	Platform string                `json:"platform"`
	Summary  *platformfile.Summary `json:"summary,omitempty"` // when it can be read as it is
	Problem  string                `json:"problem,omitempty"` // why it cannot
}

// InspectedField is one column with the field it seems to be.
type InspectedField struct {
	Header     string   `json:"header"`
	Samples    []string `json:"samples"`
	Field      string   `json:"field,omitempty"` // empty = not used
	Item       string   `json:"item,omitempty"`  // of a platform file: item, unit and base
	Unit       string   `json:"unit,omitempty"`
	Format     string   `json:"format,omitempty"`
	Confidence float64  `json:"confidence"` // 0..1: how sure the guess is, not a probability
	Doubts     []string `json:"doubts,omitempty"`
}

// InspectOptions narrow a look at a file.
type InspectOptions struct {
	Kind      Kind              // "" = guess
	Sheet     string            // of a workbook
	Constants map[string]string // fields that the user says are the same in every row
	Platform  platformfile.Options
}

const (
	inspectedRows = 200
	shownSamples  = 3
)

// Inspect looks at the first rows of a file. It reads .xlsx, .xls, delimited text and NDJSON.
// Errors: those of opening a file; a file without a table is intake.format.
func Inspect(ctx context.Context, src Source, o InspectOptions) (Inspection, error) {
	out := Inspection{File: src.Name}
	if err := ctx.Err(); err != nil {
		return out, canceled(err)
	}
	grid, layout, err := sampleGrid(src, o.Sheet)
	if err != nil {
		return out, err
	}
	out.Layout, out.Rows = layout, len(grid.Rows)
	if layout.Format == NDJSON {
		return out, out.inspectLines(src)
	}
	if len(grid.Rows) < 2 {
		return out, refuse(fault.Invalid, "intake.format", fault.Field{File: src.Name, Problem: "has no table: fewer than two rows"})
	}
	near, ok := platformfile.Detect(grid)
	if ok && o.Kind == "" {
		out.inspectPlatform(src, o, grid, near)
		return out, nil
	}
	fits := out.inspectTable(grid, o)
	if o.Kind == "" {
		out.doubtPlatform(near, fits)
	}
	return out, nil
}

// sampleGrid reads a small workbook whole, for its number formats, and of a large file the beginning.
func sampleGrid(src Source, sheet string) (platformfile.Grid, Layout, error) {
	const small = 4 << 20
	grid, layout, err := readGrid(src, sheet, inspectedRows)
	if err == nil || src.Size < small && fault.CodeOf(err) != "workbook.grid" || fault.KindOf(err) != fault.TooLarge {
		return grid, layout, err
	}
	book, err := workbook.OpenRows(src.R, src.Size, sheet)
	if err != nil {
		return grid, layout, (&Table{source: src}).named(err)
	}
	defer func() { _ = book.Close() }() // read only
	grid = platformfile.Grid{Name: src.Name, Date1904: book.Date1904()}
	layout = Layout{Format: XLSX, Sheet: book.Sheet()}
	for len(grid.Rows) < inspectedRows {
		number, cells, err := book.Next()
		if ended(err) {
			break
		}
		if err != nil {
			return grid, layout, (&Table{source: src}).named(err)
		}
		row := platformfile.Row{Number: number}
		for _, c := range cells {
			row.Cells = append(row.Cells, platformfile.Cell{Text: c})
		}
		grid.Rows = append(grid.Rows, row)
	}
	return grid, layout, nil
}

// inspectLines guesses the kind of canonical lines by the keys of the first one.
func (out *Inspection) inspectLines(src Source) error {
	text, err := openText(src, "", DefaultLimits())
	if err != nil {
		return err
	}
	reader := lines{r: text.r, file: src.Name, limit: DefaultLimits().Line}
	line, err := reader.next()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var keys map[string]json.RawMessage
	if json.Unmarshal(line, &keys) != nil {
		out.Doubts = append(out.Doubts, "the first line is no JSON object")
		return nil
	}
	best, bestScore := Kind(""), 0
	for _, kind := range Kinds {
		score := 0
		for _, name := range fieldNames(kind) {
			if _, ok := keys[name]; ok {
				score++
			}
		}
		for _, name := range needed[kind] {
			if _, ok := keys[name]; !ok {
				score -= 2
			}
		}
		if score > bestScore {
			best, bestScore = kind, score
		}
	}
	out.Kind, out.Rows = best, 1
	if best == "" {
		out.Doubts = append(out.Doubts, "the keys of the first line are those of no kind we know")
	}
	return nil
}

// inspectPlatform describes a known file of daily figures.
func (out *Inspection) inspectPlatform(src Source, o InspectOptions, grid platformfile.Grid, m platformfile.Match) {
	known := &PlatformFile{Format: m.Format.ID, Title: m.Format.Title, Platform: m.Format.Platform}
	out.Platform = known
	out.Header, out.Data = grid.Rows[m.First].Number, grid.Rows[m.First].Number+m.Depth
	for j, h := range m.Headers {
		f := InspectedField{Header: h, Samples: samplesOf(grid, m.First+m.Depth, j)}
		c, ok := m.Columns[j]
		switch {
		case ok:
			f.Item, f.Unit, f.Confidence = c.Item, c.Unit, 1
			if c.Base != "" {
				f.Format = c.Base
			}
		case j == m.Date:
			f.Field, f.Confidence = "date", 1
		case j == m.Account:
			f.Field, f.Confidence = "account", 1
		case h == "":
			continue
		default:
			f.Doubts = []string{"not known; it is left out"}
		}
		out.Columns = append(out.Columns, f)
	}
	_, sum, err := ReadPlatform(src, o.Sheet, o.Platform)
	if err != nil {
		known.Problem = fault.Of(err).Error()
		return
	}
	known.Summary = &sum
	out.Doubts = append(out.Doubts, sum.Notes...)
}

func samplesOf(grid platformfile.Grid, from, column int) []string {
	var out []string
	for _, r := range grid.Rows[min(from, len(grid.Rows)):] {
		if column < len(r.Cells) {
			if s := cleanHeader(r.Cells[column].Text); s != "" && !slices.Contains(out, s) {
				if out = append(out, fault.Shorten(s)); len(out) == shownSamples {
					break
				}
			}
		}
	}
	return out
}

// inspectTable guesses kind and columns of any other table; false when no kind fits.
func (out *Inspection) inspectTable(grid platformfile.Grid, o InspectOptions) bool {
	kinds := Kinds
	if o.Kind != "" {
		kinds = []Kind{o.Kind}
	}
	var guesses []*tableGuess
	for _, kind := range kinds {
		guesses = append(guesses, guessTable(grid, kind, o.Constants))
	}
	slices.SortStableFunc(guesses, func(a, b *tableGuess) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	best := guesses[0]
	if figures := best.figures(); o.Kind == "" && len(figures) > 0 {
		out.Doubts = append(out.Doubts, fmt.Sprintf("the rows seem to be figures of whole days (%s), which are made of conversations and cannot be imported as such: "+
			"import the conversations, or say --kind", strings.Join(figures, ", ")))
		return false
	}
	if best.session && best.kind == Conversations {
		out.Doubts = append(out.Doubts, "this is the session-level chat export: its shipped mapping is used")
	}
	out.Kind, out.Header, out.Data = best.kind, grid.Rows[best.header].Number, grid.Rows[min(best.header+1, len(grid.Rows)-1)].Number
	out.Columns, out.Missing, out.Doubts = best.columns, best.missing, append(out.Doubts, best.doubts...)
	if len(guesses) > 1 && guesses[1].score > 0.85*best.score {
		out.Doubts = append(out.Doubts, fmt.Sprintf("the rows may be %s as well as %s: say --kind", guesses[1].kind, best.kind))
	}
	if best.score <= 0 {
		text := "no column looks like a field we know"
		for _, c := range best.columns {
			if c.Field != "" {
				text = "some columns look like fields we know, but no kind of rows has what it needs"
			}
		}
		out.Doubts = append(out.Doubts, text)
	}
	out.Mapping = best.mapping(out.Layout, o.Constants)
	for _, name := range out.Missing {
		text := fmt.Sprintf("nothing gives %s: name a column, or a constant for the whole file", name)
		if name == "channel" {
			text = "nothing gives channel: say call or chat; without it rows are taken for chats, and means over rounds leave calls out"
		}
		out.Doubts = append(out.Doubts, text)
	}
	return best.score > 0
}

// SessionExport is the mapping of the session-level chat export (客服, 所在组织架构, 客户, 会话开始时间, ...),
// whose rows name neither merchant, shop nor queue. The wait is that of the first response, which
// includes the time in the queue.
func SessionExport(merchant, shop, queue string) Mapping {
	return Mapping{
		Kind: Conversations, NoData: []string{"无", "未评价"},
		Columns: map[string]Column{
			"agent": {From: []string{"客服"}}, "buyer": {From: []string{"客户"}}, "started_at": {From: []string{"会话开始时间"}},
			"wait": {From: []string{"首次响应时长(秒)"}, Unit: "s"}, "handle_time": {From: []string{"会话时长(秒)"}, Unit: "s"},
			"rating": {From: []string{"满意度评分"}}, "resolved": {From: []string{"是否已解决"}},
		},
		Constants: map[string]string{"merchant": merchant, "shop": shop, "queue": queue, "channel": "chat"},
	}
}

// sessionHeaders tell the session-level export from other tables.
var sessionHeaders = []string{"客服", "客户", "会话开始时间", "首次响应时长(秒)", "会话时长(秒)"}

// isSessionExport reports a header with all of them.
func isSessionExport(header []string) bool {
	names := make([]string, len(header))
	for i, h := range header {
		names[i] = normal(h)
	}
	return !slices.ContainsFunc(sessionHeaders, func(h string) bool { return !slices.Contains(names, normal(strings.TrimSpace(h))) })
}
