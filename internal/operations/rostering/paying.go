package rostering

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// PayHours is working time of a roster by what the law pays for it, in hours, with what it costs.
type PayHours struct {
	Normal    float64 `json:"hours_100"`
	Extended  float64 `json:"hours_150"`
	RestDay   float64 `json:"hours_200"`
	Statutory float64 `json:"hours_300"`
	Lieu      float64 `json:"lieu_hours"`   // worked on rest days and given back as time off: paid 100 %, a salary pays them already
	Unpaid    float64 `json:"unpaid_hours"` // not worked: leave and time off that a salary is cut for
	Night     float64 `json:"night_hours"`  // of the hours worked, between 22:00 and 06:00: what a night allowance is paid on
	Yuan      float64 `json:"yuan"`         // of a salary what comes on top of it, less the cut for unpaid hours
}

func (h *PayHours) add(p revise.PaidPart) {
	hours := p.Time.Hours()
	switch p.Kind {
	case workrules.PayExtended:
		h.Extended += hours
	case workrules.PayRestDay:
		h.RestDay += (p.Time - p.Lieu).Hours()
		h.Lieu += p.Lieu.Hours()
	case workrules.PayStatutory:
		h.Statutory += hours
	default:
		h.Normal += hours
	}
	h.Night += p.Night.Hours()
	h.Yuan += p.Yuan()
}

// cut takes time that is not paid off a salary.
func (h *PayHours) cut(unpaid time.Duration, wage float64) {
	h.Unpaid += unpaid.Hours()
	h.Yuan -= wage * unpaid.Hours()
}

// PayDay is one agent's working time on one date; hours after midnight are on the next.
type PayDay struct {
	Date calendar.Date `json:"date"`
	Wage float64       `json:"wage"` // yuan per ordinary hour that held on it
	PayHours
}

// AgentPay is what a roster pays one agent.
type AgentPay struct {
	Agent    ids.Agent `json:"agent"`
	Name     string    `json:"name"`
	Wage     float64   `json:"wage"`     // yuan per ordinary hour, of the last day
	Salaried bool      `json:"salaried"` // a salary pays the hours at 100 %
	Salary   float64   `json:"salary"`   // yuan that it pays for the days of the roster, after the cut; no part of yuan
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
	Notes    []string       `json:"notes,omitempty"` // holidays that nobody has announced yet, time off that does not fit the work
	// Recorded are hard rules that the shifts break: hours that were worked and entered although they were not lawful.
	// They are paid like any others.
	Recorded []workrules.Breaches `json:"recorded_breaches,omitempty"`
	// Since are hard rules that the shifts break because what they are judged by changed after they were rostered.
	Since []workrules.Breaches `json:"broken_since,omitempty"`
}

// PayRoster tells the hours of a roster at 100, 150, 200 and 300 % of the wage (劳动法 §44), of one agent or,
// when none is named, of all who work in it. Shifts before it count towards its weeks and months. Each day is paid by the
// rules and the wage of that day; rest-day work that is given back as time off (EarnLieu) is not paid 200 %.
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
	payroll, err := r.desk.Payroll(ctx, view, it.Range, people)
	if err != nil {
		return err
	}
	var broken []workrules.Violation
	frame := workrules.NewFrame(it.Range, r.policy.Holidays, r.gate.Zone, rules)
	for i := range people {
		p := &people[i]
		own := of(it.Shifts, p.Person.ID)
		broken = append(broken, workrules.CheckAll([]workrules.Person{p.Person}, slices.Concat(p.History, own, p.Later), frame)...)
		parts := payroll.Parts(p.Person.ID, own)
		notes, err := r.lieuNotes(ctx, view, p, it.Range, parts)
		if err != nil {
			return err
		}
		out.Notes = append(out.Notes, notes...)
		pay := r.agentPay(p, it.Range, parts)
		if len(pay.Days) == 0 {
			continue
		}
		if i := slices.IndexFunc(known, func(a workforce.Agent) bool { return a.ID == pay.Agent }); i >= 0 {
			pay.Name = known[i].Name
		}
		out.Total.plus(pay.PayHours)
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

// agentPay sums up what one agent is paid by day.
func (r *Rostering) agentPay(a *roster.Agent, span calendar.Range, parts []revise.PaidPart) AgentPay {
	days := map[calendar.Date]*PayDay{}
	at := func(date calendar.Date) *PayDay {
		if days[date] == nil {
			days[date] = &PayDay{Date: date, Wage: a.PayOn(date).Wage}
		}
		return days[date]
	}
	for _, p := range parts {
		at(p.Date).add(p)
	}
	for date, unpaid := range a.Unpaid {
		if held := a.PayOn(date); held.Salaried && unpaid > 0 && span.Contains(date.In(r.gate.Zone)) {
			at(date).cut(unpaid, held.Wage)
		}
	}
	out := AgentPay{Agent: a.Person.ID, Wage: a.Wage, Salaried: a.Salaried}
	for _, date := range slices.SortedFunc(maps.Keys(days), func(x, y calendar.Date) int { return x.Sub(y) }) {
		out.Days, out.Wage, out.Salaried = append(out.Days, *days[date]), days[date].Wage, a.PayOn(date).Salaried
		out.plus(days[date].PayHours)
	}
	if a.Salary != nil {
		out.Salary = *a.Salary
	}
	return out
}

// plus adds hours and yuan up.
func (h *PayHours) plus(o PayHours) {
	h.Normal, h.Extended, h.RestDay, h.Statutory = h.Normal+o.Normal, h.Extended+o.Extended, h.RestDay+o.RestDay, h.Statutory+o.Statutory
	h.Lieu, h.Unpaid, h.Night, h.Yuan = h.Lieu+o.Lieu, h.Unpaid+o.Unpaid, h.Night+o.Night, h.Yuan+o.Yuan
}

// lieuNotes tell the time off that is booked for more rest-day work of a day than there is, and what becomes of it.
func (r *Rostering) lieuNotes(ctx context.Context, view *store.View, a *roster.Agent, span calendar.Range, parts []revise.PaidPart) (notes []string, err error) {
	var entries []leave.Entry
	for _, date := range slices.SortedFunc(maps.Keys(a.Lieu), calendar.Date.Sub) {
		worked, given := time.Duration(0), a.Lieu[date]
		for _, p := range parts {
			if p.Date == date {
				worked += p.Lieu
			}
		}
		if given <= worked || !span.Contains(date.In(r.gate.Zone)) {
			continue
		}
		if entries == nil {
			entries, err = store.All(func(p store.Page) ([]leave.Entry, string, error) {
				return view.LeaveEntries(ctx, store.LeaveFilter{Agent: a.Person.ID, Kind: leave.Compensatory}, p)
			})
			if err != nil {
				return nil, err
			}
		}
		zh, en := lieuExcess(entries, a.Person.ID, date, int(given/time.Minute), int(worked/time.Minute))
		notes = append(notes, fmt.Sprintf("%s %s: 已记调休%.4g小时，当日休息日加班只有%.4g小时；%s / %.4[3]g h of time off are booked for %.4[4]g h of rest-day work: %[6]s",
			a.Person.ID, date, given.Hours(), worked.Hours(), zh, en))
	}
	return notes, nil
}

// lieuExcess words what becomes of the minutes of time off that are booked beyond the rest-day work of a day: what the
// next booking takes back, what it cannot since it was taken as leave, and what it leaves alone since somebody booked it
// by hand.
func lieuExcess(entries []leave.Entry, agent ids.Agent, date calendar.Date, given, worked int) (zh, en string) {
	row, taken, _ := leave.LieuRow(entries, agent, date, worked, 1) // the excess does not depend on when time off lapses
	back := max(0, -row.Minutes)
	var chinese, english []string
	for _, x := range []struct {
		minutes int
		zh, en  string
	}{
		{back, "leave earn 会收回%.4g小时", "leave earn takes %.4g h back"},
		{taken, "%.4g小时已休，收不回，需人工处理", "%.4g h are taken as leave already and have to be settled by hand"},
		{given - worked - back - taken, "%.4g小时是手工记入，由 leave adjust 更正", "%.4g h were booked by hand, leave adjust corrects them"},
	} {
		if x.minutes > 0 {
			hours := float64(x.minutes) / 60
			chinese, english = append(chinese, fmt.Sprintf(x.zh, hours)), append(english, fmt.Sprintf(x.en, hours))
		}
	}
	return strings.Join(chinese, "；"), strings.Join(english, "; ")
}

// CSV is the pay as a table with a row for each agent and date, in UTF-8 with a byte order mark. Errors:
// roster.language.
func (p RosterPay) CSV(in Language) ([]byte, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	out := bytes.NewBufferString("\uFEFF")
	w := csv.NewWriter(out)
	rows := [][]string{in.head("agent", "name", "date", "hours_100", "hours_150", "hours_200", "hours_300", "lieu_hours", "unpaid_hours", "night_hours", "wage", "salaried", "yuan")}
	for _, a := range p.Agents {
		for _, d := range a.Days {
			row := []string{cell(string(a.Agent)), cell(a.Name), d.Date.String()}
			for _, x := range []float64{d.Normal, d.Extended, d.RestDay, d.Statutory, d.Lieu, d.Unpaid, d.Night, d.Wage} {
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
