package rostering

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"slices"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// PayHours is working time of a roster by what the law pays for it, in hours, with what it costs.
type PayHours struct {
	Normal    float64 `json:"hours_100"`
	Extended  float64 `json:"hours_150"`
	RestDay   float64 `json:"hours_200"`
	Statutory float64 `json:"hours_300"`
	Night     float64 `json:"night_hours"` // of them, between 22:00 and 06:00: what a night allowance is paid on
	Yuan      float64 `json:"yuan"`        // of a salary only what comes on top of it
}

func (h *PayHours) add(p workrules.PayPart, wage float64, salaried bool) {
	hours := p.Time.Hours()
	switch p.Kind {
	case workrules.PayExtended:
		h.Extended += hours
	case workrules.PayRestDay:
		h.RestDay += hours
	case workrules.PayStatutory:
		h.Statutory += hours
	default:
		h.Normal += hours
	}
	h.Night += p.Night.Hours()
	if p.Kind != workrules.PayNormal || !salaried {
		h.Yuan += wage * hours * float64(p.Kind) / 100
	}
}

// PayDay is one agent's working time on one date; hours after midnight are on the next.
type PayDay struct {
	Date calendar.Date `json:"date"`
	PayHours
}

// AgentPay is what a roster pays one agent.
type AgentPay struct {
	Agent    ids.Agent `json:"agent"`
	Name     string    `json:"name"`
	Wage     float64   `json:"wage"`     // yuan per ordinary hour
	Salaried bool      `json:"salaried"` // a salary pays the hours at 100 %
	Days     []PayDay  `json:"days"`
	PayHours
}

// RosterPay is what a roster pays, by agent and date. Training, meetings and checks outside shifts are in it.
type RosterPay struct {
	Roster   ids.Roster     `json:"roster"`
	Revision int            `json:"revision"`
	Range    calendar.Range `json:"range"`
	Agents   []AgentPay     `json:"agents"`
	Total    PayHours       `json:"total"`
	Notes    []string       `json:"notes,omitempty"` // holidays that nobody has announced yet
	// Recorded are hard rules that the shifts break: hours that were worked and entered although they were not lawful.
	// They are paid like any others.
	Recorded []workrules.Breaches `json:"recorded_breaches,omitempty"`
	// Since are hard rules that the shifts break because what they are judged by changed after they were rostered.
	Since []workrules.Breaches `json:"broken_since,omitempty"`
}

// PayRoster tells the hours of a roster at 100, 150, 200 and 300 % of the wage (劳动法 §44), of one agent or,
// when none is named, of all who work in it. Shifts before it count towards its weeks and months.
//
// Errors: store.not_found, also for an agent who has nothing in it.
func (r *Rostering) PayRoster(ctx context.Context, who access.Principal, ref Ref, only ids.Agent) (RosterPay, error) {
	_, scope, err := r.gate.Read(who, access.WritePlans)
	if err != nil {
		return RosterPay{}, err
	}
	var out RosterPay
	err = r.gate.Store.Read(ctx, scope, func(view *store.View) error {
		it, err := view.RosterAt(ctx, ref.Roster, ref.Revision)
		if err != nil {
			return err
		}
		out = RosterPay{Roster: it.ID, Revision: it.Revision, Range: it.Range, Agents: []AgentPay{}, Notes: r.calendarNotes(it.Range)}
		if err := r.pay(ctx, view, &out, it, only); err != nil {
			return err
		}
		if now, err := view.RosterHead(ctx, ref.Roster); err != nil || now.Revision != it.Revision {
			out.Recorded, out.Since = nil, nil // what is on file by now speaks against older revisions
			return err
		}
		return nil
	})
	return out, err
}

func (r *Rostering) pay(ctx context.Context, view *store.View, out *RosterPay, it store.Roster, only ids.Agent) error {
	var named []ids.Agent
	if only != "" {
		named = append(named, only)
	}
	people, err := r.desk.People(ctx, view, it.Range, named)
	if err != nil {
		return err
	}
	known, err := gate.Agents(ctx, view)
	if err != nil {
		return err
	}
	rules, err := r.desk.Rules(ctx, view)
	if err != nil {
		return err
	}
	var broken []workrules.Violation
	frame := workrules.NewFrame(it.Range, r.policy.Holidays, r.gate.Zone, rules)
	for _, p := range people {
		broken = append(broken, workrules.CheckAll([]workrules.Person{p.Person}, slices.Concat(p.History, of(it.Shifts, p.Person.ID), p.Later), frame)...)
		parts := workrules.PayHours(workrules.Case{
			Person: p.Person, Shifts: slices.Concat(p.History, of(it.Shifts, p.Person.ID), p.Later),
			Range: it.Range, Holidays: r.policy.Holidays, Location: r.gate.Zone, Params: rules,
		})
		if len(parts) == 0 {
			continue
		}
		pay := AgentPay{Agent: p.Person.ID, Wage: p.Wage, Salaried: p.Salaried}
		if i := slices.IndexFunc(known, func(a workforce.Agent) bool { return a.ID == pay.Agent }); i >= 0 {
			pay.Name = known[i].Name
		}
		for _, part := range parts {
			if n := len(pay.Days); n == 0 || pay.Days[n-1].Date != part.Date {
				pay.Days = append(pay.Days, PayDay{Date: part.Date})
			}
			for _, h := range []*PayHours{&pay.Days[len(pay.Days)-1].PayHours, &pay.PayHours, &out.Total} {
				h.add(part, p.Wage, p.Salaried)
			}
		}
		out.Agents = append(out.Agents, pay)
	}
	knew, err := revising.OverruledIn(ctx, view, it)
	if err != nil {
		return err
	}
	_, out.Recorded, out.Since = brokenRules(broken, it.Shifts, rules, knew)
	if only != "" && len(out.Agents) == 0 {
		return fault.New(fault.NotFound, store.ErrNotFound.Code, "%q has no working time in the roster %q", fault.Shorten(string(only)), it.Title)
	}
	return nil
}

// CSV is the pay as a table with a row for each agent and date, in UTF-8 with a byte order mark. Errors:
// roster.language.
func (p RosterPay) CSV(in Language) ([]byte, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	out := bytes.NewBufferString("\uFEFF")
	w := csv.NewWriter(out)
	rows := [][]string{in.head("agent", "name", "date", "hours_100", "hours_150", "hours_200", "hours_300", "night_hours", "wage", "salaried", "yuan")}
	for _, a := range p.Agents {
		for _, d := range a.Days {
			row := []string{cell(string(a.Agent)), cell(a.Name), d.Date.String()}
			for _, x := range []float64{d.Normal, d.Extended, d.RestDay, d.Statutory, d.Night, a.Wage} {
				row = append(row, fmt.Sprintf("%.2f", x))
			}
			rows = append(rows, append(row, in.yes(a.Salaried), fmt.Sprintf("%.2f", d.Yuan)))
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "roster.csv", "the pay cannot be written")
	}
	return out.Bytes(), nil
}

// calendarNotes tell the years of a range whose bridge and make-up days nobody has announced yet.
func (r *Rostering) calendarNotes(span calendar.Range) (notes []string) {
	for _, year := range r.policy.Holidays.Unannounced(span, r.gate.Zone) {
		notes = append(notes, fmt.Sprintf("%d 年的调休放假和调休上班尚未公布或未载入，只按法定节假日计算 / the bridge days and make-up workdays of %d are not announced or not loaded: only the statutory days are known", year, year))
	}
	return notes
}
