package rostering

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/exports/workbook"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// Rosters lists rosters, newest first, without their shifts.
func (r *Rostering) Rosters(ctx context.Context, who access.Principal, f store.RosterFilter, page store.Page) ([]store.Roster, string, error) {
	view, _, err := r.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, "", err
	}
	return view.Rosters(ctx, f, page)
}

// Roster returns one roster with its shifts.
func (r *Rostering) Roster(ctx context.Context, who access.Principal, id ids.Roster) (store.Roster, error) {
	view, _, err := r.gate.Read(who, access.ReadPlans)
	if err != nil {
		return store.Roster{}, err
	}
	return view.Roster(ctx, id)
}

// Shifts lists shifts by start; an agent sees its own published ones.
func (r *Rostering) Shifts(ctx context.Context, who access.Principal, f store.ShiftFilter, page store.Page) ([]store.Shift, string, error) {
	view, scope, err := r.gate.Read(who, access.ReadShifts)
	if err == nil {
		err = scope.MayName(f.Agent)
	}
	if err != nil {
		return nil, "", err
	}
	return view.Shifts(ctx, f, page)
}

// RosterWorkbook renders one roster for printing.
func (r *Rostering) RosterWorkbook(ctx context.Context, who access.Principal, id ids.Roster) ([]byte, error) {
	it, err := r.Roster(ctx, who, id)
	if err != nil {
		return nil, err
	}
	people, err := gate.Agents(ctx, r.gate.Everything())
	if err != nil {
		return nil, err
	}
	days := calendar.Dates{From: calendar.DateOf(it.Range.Start, r.gate.Zone), Until: calendar.DateOf(it.Range.End, r.gate.Zone)}
	var persons []exports.RosterPerson
	for _, a := range people {
		if !a.Employed.Overlaps(days) && !slices.ContainsFunc(it.Shifts, func(s scheduling.Shift) bool { return s.Agent == a.ID }) {
			continue // who left before these days
		}
		persons = append(persons, exports.RosterPerson{Agent: a.ID, Name: a.Name, Team: string(a.Team)})
	}
	model := exports.RosterOf(it.Title, scheduling.Roster{Range: it.Range, Shifts: it.Shifts}, persons, r.policy.Holidays, r.gate.Zone)
	var out bytes.Buffer
	if err := workbook.Roster(&out, model); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// RosterCSV is one roster as a table with a row for each shift, by agent and start, in UTF-8 with a byte
// order mark, which Excel needs to read Chinese. Times are in the business time zone. Errors: store.not_found,
// roster.language.
func (r *Rostering) RosterCSV(ctx context.Context, who access.Principal, id ids.Roster, in Language) ([]byte, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	it, err := r.Roster(ctx, who, id)
	if err != nil {
		return nil, err
	}
	people, err := gate.Agents(ctx, r.gate.Everything())
	if err != nil {
		return nil, err
	}
	known := map[ids.Agent]workforce.Agent{}
	for _, a := range people {
		known[a.ID] = a
	}
	out := bytes.NewBufferString("\uFEFF")
	w := csv.NewWriter(out)
	rows := [][]string{in.head("agent", "name", "team", "day", "start", "end", "code", "work_hours", "parts")}
	for _, s := range it.Shifts {
		a := known[s.Agent]
		rows = append(rows, []string{
			cell(string(s.Agent)), cell(a.Name), cell(string(a.Team)), calendar.DateOf(s.Start, r.gate.Zone).String(),
			s.Start.In(r.gate.Zone).Format(minuteLayout), s.End.In(r.gate.Zone).Format(minuteLayout), cell(s.Code),
			fmt.Sprintf("%.2f", s.WorkTime().Hours()), r.parts(s, in),
		})
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "roster.csv", "the roster cannot be written")
	}
	return out.Bytes(), nil
}

const minuteLayout = "2006-01-02 15:04"

// cell keeps a spreadsheet from taking a text for a formula.
func cell(text string) string {
	if strings.ContainsAny(text[:min(1, len(text))], "=+-@\t") {
		return "'" + text
	}
	return text
}

// parts lists what a shift holds: "09:00-12:00 lumi-tmall/pre; 12:00-13:00 meal".
func (r *Rostering) parts(s scheduling.Shift, in Language) string {
	out := make([]string, len(s.Activities))
	for i, a := range s.Activities {
		what := string(a.Queue)
		if what == "" {
			what = in.kind(a.Kind)
		}
		out[i] = fmt.Sprintf("%s-%s %s", a.Start.In(r.gate.Zone).Format("15:04"), a.End.In(r.gate.Zone).Format("15:04"), what)
	}
	return strings.Join(out, in.separator())
}
