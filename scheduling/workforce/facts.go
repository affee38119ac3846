package workforce

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
	AbsenceFact         FactKind = "absence"         // 缺勤: reported for a Range, and not entered as leave
)

// FactKinds is every kind.
var FactKinds = []FactKind{CertificateFact, AcknowledgementFact, AgreementFact, SessionFact, CarriedFact, PostFact, CareerFact, AbsenceFact}

// Fact is one thing on file about a person that the work rules or the leave balance read. Agent, Kind,
// Code, the first date and the start of a session or an absence name it: the same again replaces it.
type Fact struct {
	ID           string               `json:"id,omitempty"`
	Agent        ids.Agent            `json:"agent"`
	Kind         FactKind             `json:"kind"`
	Code         string               `json:"code,omitempty"`
	Dates        calendar.Dates       `json:"dates,omitzero"`          // on which it holds; a session and an absence have their Range instead
	Range        calendar.Range       `json:"range,omitzero"`          // of a session or an absence, instants
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

// longestAbsence is the longest absence, as long as a roster may be.
const longestAbsence = 62 * 24 * time.Hour

// problems lists every bad field under the names of the JSON.
func (f Fact) problems() (bad []fault.Field) {
	report := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
	}
	if problem := ids.Check(string(f.Agent)); problem != "" {
		report("agent", f.Agent, problem)
	}
	if !slices.Contains(FactKinds, f.Kind) {
		report("kind", f.Kind, "must be "+fault.Names(FactKinds))
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
		return append(bad, spanProblems(f.Range, 24*time.Hour, "must be after the start, within 24 h")...)
	case AbsenceFact:
		return append(bad, spanProblems(f.Range, longestAbsence, "must be after the start, within 62 days; what is longer is leave")...)
	case AgreementFact:
		if f.Agreement == nil {
			report("agreement", "", "is missing: say what was agreed")
		} else {
			probe := workrules.Person{ID: f.Agent, Agreements: []workrules.Agreement{*f.Agreement}}
			probe.Agreements[0].Dates = f.Dates
			for _, p := range probe.Validate("") {
				if rest, ok := strings.CutPrefix(p.Path, ".agreements[0]."); ok && rest != "dates" { // told below
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
		report("dates.until", f.Dates.Until, "must not end before it begins")
	}
	return bad
}

// spanProblems says what is wrong with the instants of a fact: either is missing, or they are not in order.
func spanProblems(r calendar.Range, longest time.Duration, problem string) (bad []fault.Field) {
	if r.Start.IsZero() {
		bad = append(bad, fault.Field{Path: "range.start", Problem: "is missing"})
	}
	if r.End.IsZero() {
		bad = append(bad, fault.Field{Path: "range.end", Problem: "is missing"})
	}
	if len(bad) == 0 && (!r.Valid() || r.Duration() > longest) {
		bad = append(bad, fault.Field{Path: "range.end", Value: r.End.Format(time.RFC3339), Problem: problem})
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
		if k := overlapped(facts, i); k >= 0 {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("facts[%d].dates", i), Value: f.Dates.From.String(), Problem: fmt.Sprintf("overlap facts[%d]", k)})
		}
	}
	return fault.Bad("facts.invalid", "facts", bad)
}

// overlapped is the first fact before the i-th whose carried hours of the same agent it overlaps, or -1.
// The same fact again replaces it and is no overlap.
func overlapped(facts []Fact, i int) int {
	f := facts[i]
	return slices.IndexFunc(facts[:i], func(o Fact) bool {
		return f.Kind == CarriedFact && o.Kind == CarriedFact && f.Agent == o.Agent && f.Dates.Overlaps(o.Dates) && f.Key() != o.Key()
	})
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
		case AbsenceFact:
			p.Unavailable = append(p.Unavailable, f.Range)
		case CareerFact: // for the leave balance only
		}
	}
}
