package requesting

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// LieuEarned is what became of time off in lieu.
type LieuEarned struct {
	Rows  []leave.Entry `json:"items"`           // new in the ledger; below 0 taken back
	Notes []string      `json:"notes,omitempty"` // what could not be taken back, since it was taken as time off already
}

// EarnLieu books time off in lieu for rest days that were worked: the working time of 休息日 that the agent takes as
// time off instead of 200 % (劳动法 §44(2)). From then on pay counts these hours like ordinary ones. Overtime on workdays
// (150 %) and work on statutory holidays (300 %) are never given back. Only days that are over count. Where the hours
// changed since they were booked, the difference is booked, or taken back as far as it was not taken as time off.
//
// Errors: leave.earn.
func (q *Requesting) EarnLieu(ctx context.Context, who access.Principal, days calendar.Dates, agents []ids.Agent) (out LieuEarned, err error) {
	if _, err := access.Decide(who, access.DecideRequests); err != nil {
		return out, err
	}
	today := calendar.DateOf(q.gate.Now(), q.gate.Zone)
	if days.Until.IsZero() || !days.From.Before(days.Until) || days.Until.After(today) || days.Until.Sub(days.From) > 92 {
		return out, fault.Bad("leave.earn", "time off in lieu", []fault.Field{{Path: "dates", Value: days.From.String(), Problem: "must be up to 92 days that are over"}})
	}
	out.Rows, err = q.book(ctx, who, agents, func(view *store.View, policy leave.Policy, people []workforce.Agent) (rows []leave.Entry, err error) {
		rows, out.Notes, err = q.lieuRows(ctx, view, policy, days, people)
		return rows, err
	})
	return out, err
}

// lieuRows are what the ledger lacks, or has too much, for the rest days that people worked.
func (q *Requesting) lieuRows(ctx context.Context, view *store.View, policy leave.Policy, days calendar.Dates, people []workforce.Agent) (rows []leave.Entry, notes []string, err error) {
	worked, err := q.restDays(ctx, view, days)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range people {
		own, employed := worked[a.ID]
		if !employed {
			continue
		}
		entries, err := q.entries(ctx, view, store.LeaveFilter{Agent: a.ID, Kind: leave.Compensatory})
		if err != nil {
			return nil, nil, err
		}
		for day := days.From; day.Before(days.Until); day = day.Add(1) {
			row, owed, ok := leave.LieuRow(entries, a.ID, day, own[day], policy.LieuMonths)
			if ok {
				rows = append(rows, row)
			}
			if owed > 0 {
				notes = append(notes, fmt.Sprintf("%s %s: 已记调休多于休息日加班，其中%.4g小时已休，收不回 / %.4[3]g h of the time off are beyond the rest-day work and taken as leave already: they cannot be taken back", a.ID, day, float64(owed)/60))
			}
		}
	}
	return rows, notes, nil
}

// restDays are the minutes of rest-day work of everybody employed in some days, by day. What a day is paid by is what
// held on it.
func (q *Requesting) restDays(ctx context.Context, view *store.View, days calendar.Dates) (map[ids.Agent]map[calendar.Date]int, error) {
	now, err := q.situation(ctx, view, calendar.Range{Start: days.From.In(q.gate.Zone), End: days.Until.Add(-1).In(q.gate.Zone)})
	if err != nil {
		return nil, err
	}
	people := make([]roster.Agent, 0, len(now.order))
	for _, id := range now.order {
		people = append(people, now.agents[id])
	}
	payroll, err := q.desk.Payroll(ctx, view, now.judged, people)
	if err != nil {
		return nil, err
	}
	out := map[ids.Agent]map[calendar.Date]int{}
	for _, id := range now.order {
		own := slices.DeleteFunc(slices.Clone(now.owners[id]), func(s scheduling.Shift) bool { return !now.judged.Contains(s.Start) })
		out[id] = map[calendar.Date]int{}
		for _, p := range payroll.Parts(id, own) {
			if p.Kind == workrules.PayRestDay {
				out[id][p.Date] += int(p.Time / time.Minute)
			}
		}
	}
	return out, nil
}
