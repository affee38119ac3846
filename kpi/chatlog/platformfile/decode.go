package platformfile

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// MaxProblems is how many bad cells an error lists.
const MaxProblems = 20

// Summary says what a file held.
type Summary struct {
	Format   string   `json:"format"` // "tmall.reception"
	Title    string   `json:"title"`  // 咨询接待
	Platform string   `json:"platform"`
	Rows     int      `json:"rows"`    // days and accounts read
	Skipped  int      `json:"skipped"` // rows of sums, means and peers, and titles
	From     string   `json:"from"`    // first business date
	To       string   `json:"to"`      // last business date
	Dated    string   `json:"dated"`   // where the dates come from: the file's column, the name, the user
	Accounts int      `json:"accounts"`
	Items    int      `json:"items"`
	Figures  int      `json:"figures"`
	NoData   int      `json:"no_data"` // cells that say nothing
	Open     int      `json:"open"`    // figures that the platform may still change
	Unknown  []string `json:"unknown,omitempty"`
	Missing  []string `json:"missing,omitempty"`
	Notes    []string `json:"notes,omitempty"`
}

// Where the dates of a file come from.
const (
	DatedByColumn = "date column"
	DatedByName   = "file name"
	DatedByUser   = "--date"
)

// line is one row of figures.
type line struct {
	row     Row
	date    calendar.Date
	account string
	part    int                // of a shop with a row of sums and one of means
	values  map[string]float64 // item -> value, shares come last
}

const (
	wholeRow = iota
	totalsRow
	meansRow
)

type decoding struct {
	grid    Grid
	match   Match
	options Options
	lines   []line
	scales  map[int]Scale
	bad     []fault.Field
	sum     Summary
}

// Decode reads the figures of a grid. All or nothing: one bad cell and there are none. The figures are
// in the order of the file and name neither merchant nor shop, which no file says.
//
// Errors: platform.format (no known headers, or a header twice), platform.date (the file has no date
// column and nothing else says the date), platform.percent (a column of shares may be read in two
// ways), platform.rows (bad cells, two rows for one key), platform.empty.
func Decode(g Grid, o Options) ([]chatlog.DailyFigure, Summary, error) {
	m, ok := Detect(g)
	d := &decoding{grid: g, match: m, options: o, scales: map[int]Scale{}}
	if !ok {
		return nil, Summary{}, unknownFormat(g, m)
	}
	f := m.Format
	d.sum = Summary{Format: f.ID, Title: f.Title, Platform: f.Platform, Unknown: m.Unknown, Missing: m.Missing}
	if err := d.dated(); err != nil {
		return nil, d.sum, err
	}
	d.findLabels()
	for _, r := range g.Rows[m.First+m.Depth:] {
		d.row(r)
	}
	if len(d.lines) == 0 && len(d.bad) == 0 {
		return nil, d.sum, fault.New(fault.Invalid, "platform.empty", "%s: %s has no row of a day", g.Name, f.Title)
	}
	d.plainValues()
	if err := d.decideScales(); err != nil {
		return nil, d.sum, err
	}
	d.shareValues()
	figures := d.figures()
	if len(d.bad) > 0 {
		cells := "cells"
		if len(d.bad) == 1 {
			cells = "cell"
		}
		message := fmt.Sprintf("%d bad %s, nothing was imported", len(d.bad), cells)
		return nil, d.sum, fault.Bad("platform.rows", message, d.bad[:min(len(d.bad), MaxProblems)])
	}
	d.noteContradictions()
	return figures, d.sum, nil
}

func unknownFormat(g Grid, nearest Match) error {
	titles := make([]string, 0, len(Formats()))
	for _, f := range Formats() {
		titles = append(titles, f.Platform+" "+f.Title)
	}
	why := "its headers are those of no platform file we know (" + strings.Join(titles, ", ") + ")"
	if len(nearest.Columns) > 0 {
		why += fmt.Sprintf("; the nearest is %s, but it lacks %s", nearest.Format.Title, strings.Join(nearest.Missing[:min(len(nearest.Missing), 5)], ", "))
	}
	return fault.New(fault.Invalid, "platform.format", "%s: %s", g.Name, why)
}

// dated finds out where the dates come from. The date column wins over every other.
func (d *decoding) dated() error {
	o := &d.options
	switch {
	case d.match.Date >= 0:
		d.sum.Dated = DatedByColumn
		if !o.Date.IsZero() {
			d.note("the date column counts, not --date %s", o.Date)
		}
	case !o.Date.IsZero():
		d.sum.Dated = DatedByUser
		if !o.FileDate.IsZero() && o.FileDate != o.Date {
			d.note("the file's name says %s, --date says %s: the latter counts", o.FileDate, o.Date)
		}
	case !o.FileDate.IsZero():
		d.sum.Dated, o.Date = DatedByName, o.FileDate
	default:
		return fault.New(fault.Invalid, "platform.date",
			"%s: %s has no date column, and neither the file's name nor its folder names one day: say --date 2026-04-17", d.grid.Name, d.match.Format.Title)
	}
	return nil
}

func (d *decoding) note(format string, args ...any) {
	d.sum.Notes = append(d.sum.Notes, fmt.Sprintf(format, args...))
}

// findLabels looks for the column of accounts of a format whose rows are labelled, when its header is
// none we know.
func (d *decoding) findLabels() {
	m := &d.match
	if m.Account >= 0 || len(m.Format.Totals) == 0 {
		return
	}
	for _, r := range d.grid.Rows[m.First+m.Depth:] {
		for j, c := range r.Cells {
			if slices.Contains(m.Format.Totals, clean(c.Text)) || slices.Contains(m.Format.Means, clean(c.Text)) {
				m.Account = j
				if j < len(m.Headers) {
					d.sum.Unknown = slices.DeleteFunc(slices.Clone(m.Unknown), func(h string) bool { return h == m.Headers[j] })
				}
				return
			}
		}
	}
}

// summaryWords name rows that are sums, means or comparisons of other rows.
var summaryWords = []string{"汇总", "合计", "总计", "小计", "均值", "平均", "同行", "全店", "总值", "店铺", "行业", "优秀", "环比", "同比", "对比"}

func summaryLabel(s string) bool {
	return slices.ContainsFunc(summaryWords, func(w string) bool { return strings.Contains(s, w) })
}

// exactSummaries are such words as account names, which may well contain them.
var exactSummaries = []string{
	"汇总", "合计", "总计", "小计", "均值", "平均", "平均值", "汇总值", "同行", "同行均值", "同行平均", "同行优秀", "全店", "全店汇总", "店铺汇总", "店铺均值", "总值", "所有客服", "全部",
}

// row sorts a row: figures, a row to leave out, or a bad one.
func (d *decoding) row(r Row) {
	if !slices.ContainsFunc(r.Cells, func(c Cell) bool { return clean(c.Text) != "" }) {
		return
	}
	m := d.match
	l := line{row: r, date: d.options.Date, values: map[string]float64{}}
	if m.Date >= 0 {
		label := d.label(r, m.Date)
		date, ok := day(Cell{Text: label}, d.grid.Date1904)
		switch {
		case ok:
			l.date = date
		case summaryLabel(label) || label == "" && d.labelled(r):
			d.sum.Skipped++
			return
		case label == "":
			d.complain(r, m.Date, "has no date")
			return
		default:
			d.complain(r, m.Date, "is neither one day nor a row of sums or means that we know")
			return
		}
	}
	if m.Account >= 0 {
		l.account = d.label(r, m.Account)
		switch {
		case slices.Contains(m.Format.Totals, l.account):
			l.account, l.part = "", totalsRow
		case slices.Contains(m.Format.Means, l.account):
			l.account, l.part = "", meansRow
		case slices.Contains(exactSummaries, l.account):
			d.sum.Skipped++
			return
		case l.account == "":
			d.complain(r, m.Account, "is empty: whose figures are these?")
			return
		}
	}
	if d.labelled(r) {
		d.sum.Skipped++
		return
	}
	if !d.options.Today.IsZero() && l.date.After(d.options.Today) {
		d.complain(r, m.Date, "is in the future")
		return
	}
	d.lines = append(d.lines, l)
}

// label is the text of a cell that says what a row is: a merged one counts for all its rows.
func (d *decoding) label(r Row, j int) string { return clean(d.grid.header(r, j)) }

// labelled reports a summary word in a column that holds neither figures nor accounts.
func (d *decoding) labelled(r Row) bool {
	for j, c := range r.Cells {
		_, known := d.match.Columns[j]
		if !known && j != d.match.Date && j != d.match.Account && slices.Contains(exactSummaries, clean(c.Text)) {
			return true
		}
	}
	return false
}

func (d *decoding) complain(r Row, j int, format string, args ...any) {
	f := fault.Field{File: d.grid.Name, Row: r.Number, Problem: fmt.Sprintf(format, args...)}
	if j >= 0 && j < len(d.match.Headers) {
		f.Column = d.match.Headers[j]
	}
	if j >= 0 && j < len(r.Cells) {
		f.Value = fault.Shorten(r.Cells[j].Text)
	}
	d.bad = append(d.bad, f)
}

// cell is a cell of figures; ok is false without data, or when the row is not the one that this
// column is taken from.
func (d *decoding) cell(l *line, j int, c Column) (Cell, string, bool) {
	averaged := c.Unit != Count && c.Unit != Yuan
	if l.part == totalsRow && averaged || l.part == meansRow && !averaged || j >= len(l.row.Cells) {
		return Cell{}, "", false
	}
	cell := l.row.Cells[j]
	text := clean(cell.Text)
	if noData(text) {
		d.sum.NoData++
		return Cell{}, "", false
	}
	return cell, text, true
}

// columns of the grid in order, so that problems come in the order of the file.
func (d *decoding) columns() []int {
	out := make([]int, 0, len(d.match.Columns))
	for j := range d.match.Columns {
		out = append(out, j)
	}
	slices.Sort(out)
	return out
}

// plainValues reads everything but shares.
func (d *decoding) plainValues() {
	for i := range d.lines {
		l := &d.lines[i]
		for _, j := range d.columns() {
			c := d.match.Columns[j]
			if c.Unit == Share {
				continue
			}
			cell, text, ok := d.cell(l, j, c)
			if !ok {
				continue
			}
			v, problem := d.value(cell, text, c, d.match.units[j])
			if problem != "" {
				d.complain(l.row, j, "%s", problem)
				continue
			}
			l.values[c.Item] = v
		}
	}
}

// value reads a cell of a column that is not a share.
func (d *decoding) value(cell Cell, text string, c Column, unit string) (float64, string) {
	if c.Unit == Seconds {
		if _, ok := perUnit[unit]; !ok {
			unit = c.FileUnit
		}
		return duration(cell, text, unit)
	}
	v, percent, problem := number(text)
	switch {
	case problem != "":
		return 0, problem
	case percent && c.Unit == Ratio:
		return v / 100, ""
	case percent || cell.Kind == Percent && c.Unit != Ratio:
		return 0, "is a percentage, but the column is of " + c.Unit
	case cell.Kind == Moment:
		return 0, "is a date or a time, but the column is of " + c.Unit
	case c.Unit == Count && v < 0:
		return 0, "is less than zero"
	case unit == "wan":
		v *= 1e4
	}
	return v, ""
}

// decideScales settles every column of shares before one of its cells is read.
func (d *decoding) decideScales() error {
	var bad []fault.Field
	for _, j := range d.columns() {
		c := d.match.Columns[j]
		if c.Unit != Share {
			continue
		}
		s := shares{column: j}
		for i := range d.lines {
			cell, text, ok := d.peek(&d.lines[i], j, c)
			if !ok || cell.Kind == Percent {
				continue
			}
			if v, percent, problem := number(text); problem == "" && !percent {
				s.plain = append(s.plain, plainShare{i, v})
			}
		}
		if len(s.plain) == 0 {
			continue
		}
		scale, doubt := d.scaleOf(s, c)
		if doubt != nil {
			bad = append(bad, *doubt)
		}
		d.scales[j] = scale
	}
	return fault.Bad("platform.percent", "it cannot be told how percentages are written, nothing was imported", bad)
}

// peek is cell without counting.
func (d *decoding) peek(l *line, j int, c Column) (Cell, string, bool) {
	before := d.sum.NoData
	cell, text, ok := d.cell(l, j, c)
	d.sum.NoData = before
	return cell, text, ok
}

// shareValues reads the shares.
func (d *decoding) shareValues() {
	for i := range d.lines {
		l := &d.lines[i]
		for _, j := range d.columns() {
			c := d.match.Columns[j]
			if c.Unit != Share {
				continue
			}
			cell, text, ok := d.cell(l, j, c)
			if !ok {
				continue
			}
			v, percent, problem := number(text)
			switch {
			case problem == "" && cell.Kind == Moment:
				problem = "is a date or a time, but the column is of shares"
			case percent, problem == "" && cell.Kind != Percent && d.scales[j] == Hundred:
				v /= 100
			}
			if problem == "" && (v < 0 || v > 1+1e-9) {
				problem = "is not between 0% and 100%"
			}
			if problem != "" {
				d.complain(l.row, j, "%s", problem)
				continue
			}
			l.values[c.Item] = min(v, 1)
		}
	}
}

// figures builds the figures, and refuses two rows that say different things of one day and account.
func (d *decoding) figures() []chatlog.DailyFigure {
	type key struct {
		date          calendar.Date
		account, item string
	}
	type place struct {
		row   int
		value float64
	}
	seen := map[key]place{}
	accounts, items := map[string]bool{}, map[string]bool{}
	var out []chatlog.DailyFigure
	for i := range d.lines {
		l := &d.lines[i]
		d.sum.Rows++
		for _, j := range d.columns() {
			c := d.match.Columns[j]
			v, ok := l.values[c.Item]
			if !ok {
				continue
			}
			k := key{l.date, l.account, c.Item}
			if before, twice := seen[k]; twice {
				if math.Abs(before.value-v) > 1e-9*max(1, math.Abs(v)) {
					d.complain(l.row, j, "differs from row %d of the same day", before.row)
				}
				continue
			}
			seen[k] = place{l.row.Number, v}
			closed := d.closed(l.date, c)
			if !closed {
				d.sum.Open++
			}
			accounts[l.account], items[c.Item] = true, true
			out = append(out, chatlog.DailyFigure{
				Platform: d.match.Format.Platform, Date: l.date.String(), Account: l.account, Item: c.Item,
				Header: d.match.Headers[j], Unit: c.Unit, Base: c.Base, Value: v, Closed: closed,
			})
		}
		d.extend(l.date)
	}
	delete(accounts, "")
	d.sum.Accounts, d.sum.Items, d.sum.Figures = len(accounts), len(items), len(out)
	return out
}

func (d *decoding) extend(date calendar.Date) {
	text := date.String()
	if d.sum.From == "" || text < d.sum.From {
		d.sum.From = text
	}
	d.sum.To = max(d.sum.To, text)
}

// closed reports that the platform no longer changes a figure: its day is over, and what closes later
// was so when the file was made. A file's name says at the latest when that was not.
func (d *decoding) closed(date calendar.Date, c Column) bool {
	today := d.options.Today
	if today.IsZero() {
		return false
	}
	if c.CloseDays == 0 {
		return date.Before(today)
	}
	made := today
	if f := d.options.FileDate; d.sum.Dated == DatedByColumn && !f.IsZero() && f.Before(made) && !f.Before(date) {
		made = f
	}
	return made.Sub(date) >= c.CloseDays
}

// Person is who stands behind the figures of an account on their day, by dated assignments of the
// shop's accounts (a shop sells on one platform, whatever its files call that). An account
// that several people used on that day, or that is nobody's, is nobody's figure: problem says why.
func Person(assignments []chatlog.Assignment, f chatlog.DailyFigure, dayOf calendar.Range) (agent ids.Agent, problem string) {
	if f.Account == "" {
		return "", "the figure is the whole shop's"
	}
	var people []string
	for _, a := range assignments {
		same := a.Account == f.Account && a.Shop == f.Shop
		if same && a.From.Before(dayOf.End) && (a.Until.IsZero() || a.Until.After(dayOf.Start)) && !slices.Contains(people, string(a.Agent)) {
			people = append(people, string(a.Agent))
		}
	}
	slices.Sort(people)
	switch len(people) {
	case 0:
		return "", fmt.Sprintf("the account %s belongs to nobody on %s", f.Account, f.Date)
	case 1:
		return ids.Agent(people[0]), ""
	}
	return "", fmt.Sprintf("the account %s was used by %s on %s", f.Account, strings.Join(people, " and "), f.Date)
}
