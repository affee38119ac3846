package workforce

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// factColumns are the columns of a file of facts with their Chinese headers.
var factColumns = map[string]string{
	"工号": "agent", "类型": "kind", "代码": "code", "开始日期": "from", "结束日期": "to", "开始时间": "start", "结束时间": "end",
	"每日工时": "day_hours", "每周工时": "week_hours", "最早上班": "not_before", "最晚下班": "not_after", "不上夜班": "no_nights", "固定休息日": "days_off",
	"工时": "hours", "节假日工时": "holiday_hours", "备注": "note",
}

var factKindNames = map[string]FactKind{
	"认证": CertificateFact, "资料包确认": AcknowledgementFact, "个人约定": AgreementFact, "班外工时": SessionFact, "结转工时": CarriedFact, "派遣期": PostFact, "参加工作": CareerFact, "缺勤": AbsenceFact,
}

// FactFile is what a file of facts says, row by row, with everything that is wrong with it.
type FactFile struct {
	Name   string
	Facts  []Fact
	Rows   []int // of each fact, 1-based
	Bad    []fault.Field
	header map[string]string // column -> its header in the file

	misread bool // columns are unknown, missing or given twice
}

// Place names the cell of a bad field that ValidateFacts and others know as facts[i].name.
func (f FactFile) Place(bad fault.Field) fault.Field {
	rest, ok := strings.CutPrefix(bad.Path, "facts[")
	number, path, cut := strings.Cut(rest, "].")
	i, err := strconv.Atoi(number)
	if !ok || !cut || err != nil || i < 0 || i >= len(f.Rows) {
		return bad
	}
	bad.Path, bad.File, bad.Row, bad.Column = "", f.Name, f.Rows[i], f.column(path)
	return bad
}

// column is the header of what a path of a fact says.
func (f FactFile) column(path string) string {
	names := map[string]string{"dates": "from", "dates.from": "from", "dates.until": "to", "range.start": "start", "range.end": "end", "agreement": "day_hours"}
	name := strings.TrimPrefix(path, "agreement.")
	name, _, _ = strings.Cut(name, "[")
	if n, ok := names[path]; ok {
		name = n
	}
	if header, ok := f.header[name]; ok {
		return header
	}
	return name
}

// Err is every bad column and every bad cell of every row; where columns are bad, what rows lack in columns that are
// not there only follows and is left out. Errors: facts.header, facts.rows.
func (f FactFile) Err() error {
	if !f.misread {
		return fault.Bad("facts.rows", "facts", f.Bad)
	}
	var bad []fault.Field
	for _, x := range f.Bad {
		there := x.Column == "" || x.Row <= 1
		for _, header := range f.header {
			there = there || header == x.Column
		}
		if there {
			bad = append(bad, x)
		}
	}
	return fault.Bad("facts.header", "facts", bad)
}

// FactsFromCSV reads a UTF-8 file with a header row of the columns agent, kind, code, from, to (the
// last day on which it holds), start and end (2026-11-09 14:00, business time), day_hours, week_hours,
// not_before and not_after (08:30), no_nights, days_off ("sunday;monday"), hours, holiday_hours and
// note, or their Chinese names. Every bad column and every bad cell of every row is in Bad, under its header, so that
// whoever knows more (who works here) adds to it before anything is said. Errors: facts.header for no header at all.
func FactsFromCSV(file string, r io.Reader, zone *time.Location) (FactFile, error) {
	out := FactFile{Name: file, header: map[string]string{}}
	reader := csv.NewReader(r)
	reader.FieldsPerRecord = -1
	reader.TrimLeadingSpace = true
	header, err := reader.Read()
	if err != nil {
		return out, fault.Wrap(err, fault.Invalid, "facts.header", "%s has no header row", file)
	}
	names := out.readHeader(header)
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if bad := (*csv.ParseError)(nil); errors.As(err, &bad) {
			out.Bad = append(out.Bad, fault.Field{File: file, Row: bad.StartLine, Problem: "is no CSV (a quote that is not closed?), so the file is read up to here only"})
			return out, nil
		} else if err != nil {
			return out, fault.Wrap(err, fault.Invalid, "facts.rows", "%s cannot be read", file)
		}
		row, _ := reader.FieldPos(0)
		out.add(row, names, cells, zone)
	}
}

// readHeader finds the column of each cell of the header row.
func (f *FactFile) readHeader(header []string) []string {
	var bad []fault.Field
	names := make([]string, len(header))
	for i, h := range header {
		h = strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))
		name, known := factColumns[h]
		if !known {
			name = h
			for _, x := range factColumns {
				known = known || x == h
			}
		}
		if _, twice := f.header[name]; !known || twice {
			problem := "is no column of facts"
			if twice {
				problem = "is given twice"
			}
			bad = append(bad, fault.Field{File: f.Name, Row: 1, Column: h, Problem: problem})
		}
		names[i], f.header[name] = name, h
	}
	for _, needed := range []string{"agent", "kind"} {
		if _, given := f.header[needed]; !given {
			bad = append(bad, fault.Field{File: f.Name, Row: 1, Column: needed, Problem: "is missing"})
		}
	}
	f.Bad, f.misread = append(f.Bad, bad...), len(bad) > 0
	return names
}

// add reads one row.
func (f *FactFile) add(row int, names, cells []string, zone *time.Location) {
	p := factRow{zone: zone, cells: map[string]string{}}
	for i, c := range cells {
		if i >= len(names) {
			if strings.TrimSpace(c) != "" {
				f.Bad = append(f.Bad, fault.Field{File: f.Name, Row: row, Value: fault.Shorten(c), Problem: "stands beyond the last column"})
			}
			continue
		}
		p.cells[names[i]] = strings.TrimSpace(c)
		if !utf8.ValidString(c) || strings.ContainsRune(c, utf8.RuneError) {
			p.complain(names[i], "holds bytes that are no text: save the file as UTF-8 or GB18030")
		}
	}
	fact := p.fact()
	at := len(f.Facts)
	f.Facts, f.Rows = append(f.Facts, fact), append(f.Rows, row)
	told := map[string]bool{} // what cannot be read is not told to be missing too
	for _, x := range p.bad {
		x.File, x.Row, x.Column = f.Name, row, f.column(x.Column)
		told[x.Column] = true
		f.Bad = append(f.Bad, x)
	}
	if k := overlapped(f.Facts, at); k >= 0 {
		f.Bad = append(f.Bad, fault.Field{File: f.Name, Row: row, Column: f.column("dates"), Value: fact.Dates.From.String(), Problem: fmt.Sprintf("overlaps the carried hours of row %d", f.Rows[k])})
	}
	for _, x := range fact.problems() {
		x.Path = fmt.Sprintf("facts[%d].%s", at, x.Path)
		if x = f.Place(x); !told[x.Column] {
			for name, header := range f.header { // what stands there, not what was made of it
				if header == x.Column {
					x.Value = fault.Shorten(p.cells[name])
				}
			}
			f.Bad = append(f.Bad, x)
		}
	}
}

// factRow reads one row.
type factRow struct {
	zone  *time.Location
	cells map[string]string
	bad   []fault.Field
}

func (p *factRow) complain(column, problem string) {
	p.bad = append(p.bad, fault.Field{Column: column, Value: fault.Shorten(p.cells[column]), Problem: problem})
}

func (p *factRow) fact() Fact {
	f := Fact{Agent: ids.Agent(p.cells["agent"]), Kind: FactKind(p.cells["kind"]), Code: p.cells["code"], Note: p.cells["note"]}
	if kind, ok := factKindNames[p.cells["kind"]]; ok {
		f.Kind = kind
	}
	f.Dates.From = p.date("from")
	if to := p.date("to"); !to.IsZero() {
		f.Dates.Until = to.Add(1)
	}
	f.Range = calendar.Range{Start: p.instant("start"), End: p.instant("end")}
	f.Hours, f.HolidayHours = p.number("hours"), p.number("holiday_hours")
	if f.Kind == AgreementFact {
		a := workrules.Agreement{
			DayHours: p.number("day_hours"), WeekHours: p.number("week_hours"), NotBefore: p.clock("not_before"), NotAfter: p.clock("not_after"),
			NoNights: slices.Contains([]string{"yes", "true", "1", "是"}, strings.ToLower(p.cells["no_nights"])),
		}
		for d := range strings.FieldsFuncSeq(p.cells["days_off"], func(r rune) bool { return r == ';' || r == '；' }) {
			a.DaysOff = append(a.DaysOff, strings.TrimSpace(d))
		}
		f.Agreement = &a
	}
	return f
}

func (p *factRow) date(column string) (d calendar.Date) {
	if s := p.cells[column]; s != "" {
		var err error
		if d, err = calendar.ParseDate(s); err != nil {
			p.complain(column, "is not a date like 2026-04-17")
		}
	}
	return d
}

func (p *factRow) instant(column string) (t time.Time) {
	if s := p.cells[column]; s != "" {
		var err error
		if t, err = time.ParseInLocation("2006-01-02 15:04", s, p.zone); err != nil {
			p.complain(column, "is not a time like 2026-04-17 14:00")
		}
	}
	return t
}

func (p *factRow) number(column string) (x float64) {
	if s := p.cells[column]; s != "" {
		var err error
		if x, err = strconv.ParseFloat(s, 64); err != nil {
			p.complain(column, "is not a number")
		}
	}
	return x
}

// clock reads 08:30 as 8.5 hours; 24:00 and more are of the next day.
func (p *factRow) clock(column string) float64 {
	s := p.cells[column]
	if s == "" {
		return 0
	}
	h, m, ok := strings.Cut(s, ":")
	hours, err1 := strconv.Atoi(h)
	minutes, err2 := strconv.Atoi(m)
	if !ok || err1 != nil || err2 != nil || minutes < 0 || minutes > 59 {
		p.complain(column, "is not a time of the day like 08:30")
		return 0
	}
	return float64(hours) + float64(minutes)/60
}
