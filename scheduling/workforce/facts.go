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

// FactKind is what a fact about a person says.
type FactKind string

// The kinds of fact.
const (
	CertificateFact     FactKind = "certificate"     // 商家认证: Code is the exam; the dates are when it is valid
	AcknowledgementFact FactKind = "acknowledgement" // 大促资料包确认: Code is the pack, From the day it was read
	AgreementFact       FactKind = "agreement"       // 个人约定
	SessionFact         FactKind = "session"         // 班外培训、会议、产检: Code is the kind of session
	CarriedFact         FactKind = "carried"         // 综合工时周期内、系统之前的工时
	PostFact            FactKind = "post"            // 派遣期
	CareerFact          FactKind = "career"          // 参加工作日期: From; annual leave counts from it
)

// FactKinds is every kind.
var FactKinds = []FactKind{CertificateFact, AcknowledgementFact, AgreementFact, SessionFact, CarriedFact, PostFact, CareerFact}

// Fact is one thing on file about a person that the work rules or the leave balance read. Agent, Kind,
// Code, the first date and the start of a session name it: the same again replaces it.
type Fact struct {
	ID           string               `json:"id,omitempty"`
	Agent        ids.Agent            `json:"agent"`
	Kind         FactKind             `json:"kind"`
	Code         string               `json:"code,omitempty"`
	Dates        calendar.Dates       `json:"dates,omitzero"`          // on which it holds; a session has its Range instead
	Range        calendar.Range       `json:"range,omitzero"`          // of a session, instants
	Agreement    *workrules.Agreement `json:"agreement,omitempty"`     // its dates are those of the fact
	Hours        float64              `json:"hours,omitempty"`         // carried, without statutory holidays
	HolidayHours float64              `json:"holiday_hours,omitempty"` // carried, on statutory holidays
	Note         string               `json:"note,omitempty"`
}

// Key names the fact.
func (f Fact) Key() string {
	start := ""
	if !f.Range.Start.IsZero() {
		start = f.Range.Start.UTC().Format(time.RFC3339)
	}
	return strings.Join([]string{string(f.Agent), string(f.Kind), f.Code, f.Dates.From.String(), start}, "\x1f")
}

// problems lists every bad field under the names of the JSON.
func (f Fact) problems() (bad []fault.Field) {
	report := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
	}
	if problem := ids.Check(string(f.Agent)); problem != "" {
		report("agent", f.Agent, problem)
	}
	if !slices.Contains(FactKinds, f.Kind) {
		report("kind", f.Kind, "must be certificate, acknowledgement, agreement, session, carried, post or career")
		return bad
	}
	switch f.Kind {
	case CertificateFact, AcknowledgementFact:
		if problem := ids.Check(f.Code); problem != "" {
			report("code", f.Code, problem)
		}
	case SessionFact:
		if !slices.Contains([]workrules.SessionKind{workrules.TrainingSession, workrules.MeetingSession, workrules.PrenatalCheck}, workrules.SessionKind(f.Code)) {
			report("code", f.Code, "must be training, meeting or prenatal_check")
		}
		if !f.Range.Valid() || f.Range.Duration() > 24*time.Hour {
			report("range", f.Range.Start.Format(time.RFC3339), "must end after it starts, within 24 h")
		}
		return bad
	case AgreementFact:
		if f.Agreement == nil {
			report("agreement", "", "is missing: say what was agreed")
		} else {
			probe := workrules.Person{ID: f.Agent, Agreements: []workrules.Agreement{*f.Agreement}}
			probe.Agreements[0].Dates = f.Dates
			for _, p := range probe.Validate("") {
				if rest, ok := strings.CutPrefix(p.Path, ".agreements[0]."); ok {
					report("agreement."+rest, p.Value, p.Problem)
				}
			}
		}
	case CarriedFact:
		if f.Dates.Until.IsZero() {
			report("dates.until", "", "is needed: carried hours are of past dates")
		}
		if !(f.Hours >= 0) || !(f.HolidayHours >= 0) || f.Hours+f.HolidayHours > 366*24 {
			report("hours", f.Hours, "must be 0 or more and fit a year")
		}
	}
	if f.Dates.From.IsZero() {
		report("dates.from", "", "is missing")
	} else if !f.Dates.Until.IsZero() && !f.Dates.From.Before(f.Dates.Until) {
		report("dates.until", f.Dates.Until, "must be after from")
	}
	return bad
}

// ValidateFacts reports every bad field of every fact, whose Path begins with facts[i], and carried
// hours of one agent that overlap. Errors: facts.invalid.
func ValidateFacts(facts []Fact) error {
	var bad []fault.Field
	for i, f := range facts {
		for _, p := range f.problems() {
			p.Path = fmt.Sprintf("facts[%d].%s", i, p.Path)
			bad = append(bad, p)
		}
		for k, o := range facts[:i] {
			if f.Kind == CarriedFact && o.Kind == CarriedFact && f.Agent == o.Agent && f.Dates.Overlaps(o.Dates) && f.Key() != o.Key() {
				bad = append(bad, fault.Field{Path: fmt.Sprintf("facts[%d].dates", i), Value: f.Dates.From.String(), Problem: fmt.Sprintf("overlap facts[%d]", k)})
			}
		}
	}
	return fault.Bad("facts.invalid", "facts", bad)
}

// Fill tells a person what is on file about it. Facts of other agents are left out.
func Fill(p *workrules.Person, facts []Fact) {
	for _, f := range facts {
		if f.Agent != p.ID {
			continue
		}
		switch f.Kind {
		case CertificateFact:
			p.Certificates = append(p.Certificates, workrules.Certificate{Code: f.Code, Dates: f.Dates})
		case AcknowledgementFact:
			p.Acknowledged = append(p.Acknowledged, workrules.Acknowledgement{Pack: f.Code, On: f.Dates.From})
		case AgreementFact:
			a := *f.Agreement
			a.Dates = f.Dates
			p.Agreements = append(p.Agreements, a)
		case SessionFact:
			p.Sessions = append(p.Sessions, workrules.Session{Kind: workrules.SessionKind(f.Code), Range: f.Range})
		case CarriedFact:
			p.Carried = append(p.Carried, workrules.Carried{Dates: f.Dates, Hours: f.Hours, HolidayHours: f.HolidayHours})
		case PostFact:
			p.Assigned = f.Dates
		case CareerFact: // for the leave balance only
		}
	}
}

// factColumns are the columns of a file of facts with their Chinese headers.
var factColumns = map[string]string{
	"工号": "agent", "类型": "kind", "代码": "code", "开始日期": "from", "结束日期": "to", "开始时间": "start", "结束时间": "end",
	"每日工时": "day_hours", "每周工时": "week_hours", "最早上班": "not_before", "最晚下班": "not_after", "不上夜班": "no_nights", "固定休息日": "days_off",
	"工时": "hours", "节假日工时": "holiday_hours", "备注": "note",
}

var factKindNames = map[string]FactKind{
	"认证": CertificateFact, "资料包确认": AcknowledgementFact, "个人约定": AgreementFact, "班外工时": SessionFact, "结转工时": CarriedFact, "派遣期": PostFact, "参加工作": CareerFact,
}

// FactsFromCSV reads a UTF-8 file with a header row of the columns agent, kind, code, from, to (the
// last day on which it holds), start and end (2026-11-09 14:00, business time), day_hours, week_hours,
// not_before and not_after (08:30), no_nights, days_off ("sunday;monday"), hours, holiday_hours and
// note, or their Chinese names. Every bad cell of every row is reported. Errors: facts.rows, facts.header.
func FactsFromCSV(file string, r io.Reader, zone *time.Location) ([]Fact, error) {
	reader := csv.NewReader(r)
	reader.FieldsPerRecord = -1
	reader.TrimLeadingSpace = true
	header, err := reader.Read()
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "facts.header", "%s has no header row", file)
	}
	known := map[string]bool{}
	for _, name := range factColumns {
		known[name] = true
	}
	for i, h := range header {
		h = strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))
		if name, ok := factColumns[h]; ok {
			h = name
		}
		if !known[h] {
			return nil, fault.Bad("facts.header", "facts", []fault.Field{{File: file, Row: 1, Column: h, Problem: "is no column of facts"}})
		}
		header[i] = h
	}
	var facts []Fact
	var bad []fault.Field
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		row, _ := reader.FieldPos(0)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "facts.rows", "%s: row %d is no CSV", file, row)
		}
		p := factRow{zone: zone, cells: map[string]string{}}
		for i, c := range cells {
			if i < len(header) {
				p.cells[header[i]] = strings.TrimSpace(c)
				if !utf8.ValidString(c) || strings.ContainsRune(c, utf8.RuneError) {
					p.complain(header[i], "holds bytes that are no text: save the file as UTF-8 or GB18030")
				}
			}
		}
		f := p.fact()
		for _, x := range append(p.bad, p.meaning(f)...) {
			x.File, x.Row = file, row
			bad = append(bad, x)
		}
		facts = append(facts, f)
	}
	return facts, fault.Bad("facts.rows", "facts", bad)
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

// meaning reports what the parsed fact gets wrong, under the names of the columns.
func (p *factRow) meaning(f Fact) (out []fault.Field) {
	if len(p.bad) > 0 {
		return nil
	}
	names := map[string]string{"dates.from": "from", "dates.until": "to", "range": "end", "agreement": "day_hours"}
	for _, x := range f.problems() {
		column := strings.TrimPrefix(x.Path, "agreement.")
		if name, ok := names[x.Path]; ok {
			column = name
		}
		out = append(out, fault.Field{Column: column, Value: x.Value, Problem: x.Problem})
	}
	return out
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
