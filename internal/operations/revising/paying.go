package revising

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Paid is the problem that pay of people in a span rests on: the rules of now and of before. It asks for no roster.
func (d *Desk) Paid(ctx context.Context, view *store.View, span calendar.Range, people []roster.Agent) (*roster.Problem, error) {
	p := &roster.Problem{Range: span, Location: d.policy.Zone, Holidays: d.policy.Holidays, Agents: people}
	var err error
	if p.Rules, err = d.Rules(ctx, view); err != nil {
		return nil, err
	}
	p.PastRules, err = d.PastRules(ctx, view)
	return p, err
}

// PastRules are the rules by which days are paid that lie before those of now hold.
func (d *Desk) PastRules(ctx context.Context, view *store.View) ([]roster.PastRules, error) {
	return gate.PastRules(ctx, view, d.policy.Rules, d.policy.Zone)
}

// Payroll prices the shifts of people in a span, each day by the rules and the wage of that day.
func (d *Desk) Payroll(ctx context.Context, view *store.View, span calendar.Range, people []roster.Agent) (*revise.Payroll, error) {
	p, err := d.Paid(ctx, view, span, people)
	if err != nil {
		return nil, err
	}
	return revise.NewPayroll(p), nil
}

// payOf adds to people what pay of their earlier days rests on: former wages, rest days that are given back as time
// off, and time that a salary does not pay. only as in People.
func (d *Desk) payOf(ctx context.Context, view *store.View, span calendar.Range, people []roster.Agent, standing gate.Standing, only []ids.Agent) error {
	at := map[ids.Agent]*roster.Agent{}
	for i := range people {
		at[people[i].Person.ID] = &people[i]
	}
	past, err := view.PastPay(ctx, only)
	if err != nil {
		return err
	}
	for _, p := range past {
		if a := at[p.Agent]; a != nil {
			was := personOf(workforce.Agent{Employment: p.Employment})
			a.PastPay = append(a.PastPay, roster.PastPay{Until: p.Until, Wage: float64(p.Wage) / 100, Salaried: salaried(p.Employment), Regime: was.Regime})
		}
	}
	if err := lieuOf(ctx, view, at, only); err != nil {
		return err
	}
	for id, a := range at {
		for _, c := range standing.Unpaid(id) {
			unpaid(a, c.Date, time.Duration(c.Minutes)*time.Minute)
		}
	}
	return d.timeOff(ctx, view, span, at)
}

// unpaid notes working time of a day that a salary does not pay.
func unpaid(a *roster.Agent, day calendar.Date, t time.Duration) {
	if a.Unpaid == nil {
		a.Unpaid = map[calendar.Date]time.Duration{}
	}
	a.Unpaid[day] += t
}

// fewLedgers is up to how many agents' ledgers are read one by one.
const fewLedgers = 16

// lieuOf notes the rest days that are given back as time off.
func lieuOf(ctx context.Context, view *store.View, people map[ids.Agent]*roster.Agent, only []ids.Agent) error {
	if len(only) == 0 || len(only) > fewLedgers {
		only = []ids.Agent{""}
	}
	own := map[ids.Agent][]leave.Entry{}
	for _, id := range only {
		rows, err := store.All(func(p store.Page) ([]leave.Entry, string, error) {
			return view.LeaveEntries(ctx, store.LeaveFilter{Agent: id, Kind: leave.Compensatory}, p)
		})
		if err != nil {
			return err
		}
		for _, e := range rows {
			own[e.Agent] = append(own[e.Agent], e)
		}
	}
	for id, rows := range own {
		a := people[id]
		if a == nil {
			continue
		}
		for day, minutes := range leave.LieuGiven(rows, id) {
			if a.Lieu == nil {
				a.Lieu = map[calendar.Date]time.Duration{}
			}
			a.Lieu[day] = time.Duration(minutes) * time.Minute
		}
	}
	return nil
}

// LieuIn reports that rest-day work of some days in a span is given back as time off.
func (d *Desk) LieuIn(ctx context.Context, view *store.View, span calendar.Range) (bool, error) {
	rows, err := store.All(func(p store.Page) ([]leave.Entry, string, error) {
		return view.LeaveEntries(ctx, store.LeaveFilter{Kind: leave.Compensatory}, p)
	})
	people := map[ids.Agent]bool{}
	for _, e := range rows {
		people[e.Agent] = true
	}
	for id := range people {
		for day := range leave.LieuGiven(rows, id) {
			if span.Contains(day.In(d.policy.Zone)) {
				return true, err
			}
		}
	}
	return false, err
}

// timeOff notes what people gave up of their shifts in a span by offers of unpaid time off.
func (d *Desk) timeOff(ctx context.Context, view *store.View, span calendar.Range, people map[ids.Agent]*roster.Agent) error {
	offers, err := store.All(func(p store.Page) ([]store.Request, string, error) {
		return view.Requests(ctx, store.RequestFilter{Kind: leave.TimeOff, Range: span}, p)
	})
	for _, r := range offers {
		for _, e := range r.Value.Effects {
			if len(e.Drop) == 0 {
				continue
			}
			if a := people[e.Drop[0].Agent]; a != nil {
				unpaid(a, calendar.DateOf(e.Drop[0].Start, d.policy.Zone), -e.WorkTime())
			}
		}
	}
	return err
}

// SalaryOf is what a monthly salary pays an agent in a span: the normal hours of its official workdays and statutory
// holidays in employment, whatever is worked and whatever leave is paid, less time that is not paid. Statutory
// holidays are paid days (劳动法 §51; 人社部发[2025]2号: 21.75 paid days are a twelfth of 365 less 104), those on a
// weekend too, because a workday is off for them (放假办法 §6). ok is false for who has no salary in it.
func (d *Desk) SalaryOf(p *roster.Problem, a *roster.Agent, span calendar.Range) (yuan float64, ok bool) {
	for date := range span.Dates(d.policy.Zone) {
		held := a.PayOn(date)
		if !held.Salaried {
			continue
		}
		ok = true
		normal := normalOn(&a.Person, date, p.RulesOn(date).NormalDay)
		kind := d.policy.Holidays.Kind(date)
		if (kind.Working() || kind == calendar.Statutory) && (a.Person.Employed == calendar.Dates{} || a.Person.Employed.Contains(date)) {
			yuan += held.Wage * normal.Hours()
		}
		yuan -= held.Wage * a.Unpaid[date].Hours()
	}
	return max(0, yuan), ok
}

// normalOn is the normal working time of a day, shorter where the person agreed on shorter days.
func normalOn(p *workrules.Person, date calendar.Date, normal time.Duration) time.Duration {
	for _, a := range p.Agreements {
		if a.Dates.Contains(date) && a.DayHours > 0 {
			normal = min(normal, time.Duration(a.DayHours*float64(time.Hour)))
		}
	}
	return normal
}

// payDays is how far back a change may move pay.
const payDays = 366

// PayFromProblem says why a change may not move pay from a date on; "" when it may.
func PayFromProblem(from, today calendar.Date) string {
	if !from.IsZero() && (from.After(today) || from.Before(today.Add(-payDays))) {
		return "must be today or up to 366 days ago: the first day that is paid by it"
	}
	return ""
}

// PayMoves makes a change and tells whose pay of published days from a date until today it moves; of everybody when
// nobody is named. Nothing is compared where no day lies between.
func (d *Desk) PayMoves(ctx context.Context, view *store.View, from calendar.Date, now time.Time, people []ids.Agent, change func() error) ([]gate.PayMove, error) {
	span := calendar.Range{Start: from.In(d.policy.Zone), End: calendar.DateOf(now, d.policy.Zone).In(d.policy.Zone)}
	if from.IsZero() || !span.Valid() {
		return nil, change()
	}
	before, err := d.paidIn(ctx, view, span, people)
	if err != nil {
		return nil, err
	}
	if err := change(); err != nil {
		return nil, err
	}
	after, err := d.paidIn(ctx, view, span, people)
	if err != nil {
		return nil, err
	}
	out, paid := []gate.PayMove{}, maps.Clone(after)
	maps.Copy(paid, before) // who has no salary any more, and no shift, is only here
	for id := range paid {
		if m := (gate.PayMove{Agent: id, Before: before[id], After: after[id]}); m.Moved() {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, gate.PayMove.Compare)
	return out, nil
}

// paidIn is what people are paid for the published shifts that start in a span, their salaries included.
func (d *Desk) paidIn(ctx context.Context, view *store.View, span calendar.Range, only []ids.Agent) (map[ids.Agent]float64, error) {
	people, err := d.People(ctx, view, span, only)
	if err != nil {
		return nil, err
	}
	shifts, err := d.Published(ctx, view, span, only)
	if err != nil {
		return nil, err
	}
	payroll, err := d.Payroll(ctx, view, span, people)
	if err != nil {
		return nil, err
	}
	own := map[ids.Agent][]scheduling.Shift{}
	for _, s := range shifts {
		if span.Contains(s.Start) {
			own[s.Agent] = append(own[s.Agent], s)
		}
	}
	out := map[ids.Agent]float64{}
	for i := range people {
		a := &people[i]
		for _, p := range payroll.Parts(a.Person.ID, own[a.Person.ID]) {
			out[a.Person.ID] += p.Yuan()
		}
		if a.Salary != nil {
			out[a.Person.ID] += *a.Salary
		}
	}
	return out, nil
}

// keepPay remembers what agents were paid by before they change; from is the first day that is paid otherwise, today
// when it is zero. A date that is given also moves the start of what is on file already.
func (d *Desk) keepPay(ctx context.Context, tx *store.Tx, agents []workforce.Agent, from calendar.Date) error {
	view := tx.In(access.Scope{Everything: true})
	given := !from.IsZero()
	if !given {
		from = calendar.DateOf(tx.Now(), d.policy.Zone)
	}
	stored, err := peopleOf(ctx, view, few(agents))
	if err != nil {
		return err
	}
	past, err := view.PastPay(ctx, few(agents))
	if err != nil {
		return err
	}
	was := map[ids.Agent]workforce.Agent{}
	for _, a := range stored {
		was[a.ID] = a
	}
	for _, a := range agents {
		old, known := was[a.ID]
		changed := old.Wage != a.Wage || old.Employment != a.Employment
		if given && !changed {
			changed = slices.ContainsFunc(past, func(p workforce.PastPay) bool { return p.Agent == a.ID && p.Until.After(from) })
		}
		if !known || !changed || !old.Employed.From.Before(from) {
			continue
		}
		if err := tx.KeepPay(workforce.PastPay{Agent: a.ID, Until: from, Wage: old.Wage, Employment: old.Employment}); err != nil {
			return err
		}
	}
	return nil
}
