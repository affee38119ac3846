package operations_test

import (
	"context"
	"strings"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// plantRequests gives an agent of each merchant a leave request, a row of the leave ledger and a
// certificate.
func plantRequests(tx *store.Tx) error {
	for _, a := range []ids.Agent{"1001", "2001"} {
		r := leave.Request{
			ID: "q-" + ids.Request(a), Kind: leave.Absence, State: leave.Waiting, Agent: a, Range: calendar.Day(today.Add(30), shanghai), Leave: &leave.LeaveAsk{Kind: leave.Annual},
		}
		if _, err := tx.AddRequest(r, store.RequestStep{Action: "ask", Agent: a}); err != nil {
			return err
		}
		_, err := tx.BookLeave([]leave.Entry{{Agent: a, Kind: leave.Annual, Lot: "2026", Good: today, Minutes: 480, Cause: leave.Granted, On: today, Source: "plant:" + string(a)}})
		if err != nil {
			return err
		}
		if _, err := tx.PutFacts([]workforce.Fact{{Agent: a, Kind: workforce.CertificateFact, Code: "x", Dates: calendar.Dates{From: today}}}); err != nil {
			return err
		}
	}
	return nil
}

// whoAsks names an agent: an agent itself, others 1001.
func whoAsks(p access.Principal) ids.Agent {
	if p.Agent != "" {
		return p.Agent
	}
	return "1001"
}

// unlessMissing lets pass that the thing of the question is not there: whoever hears that may ask.
func unlessMissing(err error) error {
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}

func requestCases() map[string]useCase {
	const read, decide, write = "APSG", "APS", "AP"
	type who = access.Principal
	ofRequest := func(r store.Request) owner { return owner{agent: r.Value.Agent} }
	return map[string]useCase{
		"Requesting.Requests": {read, "agents", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Requesting.Requests(ctx, p, operations.RequestFilter{}, operations.Page{})
			return list(rows, next, err, ofRequest)
		}},
		"Requesting.Request": {read, "agents", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return each(func(id ids.Request) (requesting.RequestView, error) { return w.Requesting.Request(ctx, p, id) },
				func(r requesting.RequestView) owner { return ofRequest(r.Request) }, "q-1001", "q-2001")
		}},
		"Requesting.Act": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			_, err := w.Requesting.Act(ctx, p, "none", requesting.ActInput{Action: leave.Withdraw})
			return nil, unlessMissing(err)
		}},
		"Requesting.Act/approve": {decide, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			_, err := w.Requesting.Act(ctx, p, "none", requesting.ActInput{Action: leave.Approve})
			return nil, unlessMissing(err)
		}},
		"Requesting.AskLeave": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			_, err := w.Requesting.AskLeave(ctx, p, requesting.LeaveInput{Agent: whoAsks(p), Kind: leave.Annual, Dates: calendar.Dates{From: today, Until: today.Add(1)}, Dry: true})
			return nil, err
		}},
		"Requesting.ProposeSwap": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			_, err := w.Requesting.ProposeSwap(ctx, p, requesting.SwapInput{Agent: whoAsks(p), Other: "1002", Start: w.Clock})
			return nil, unlessMissing(err)
		}},
		"Requesting.GiveShift": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			_, err := w.Requesting.GiveShift(ctx, p, requesting.GiveInput{Agent: whoAsks(p), Start: w.Clock})
			return nil, unlessMissing(err)
		}},
		"Requesting.OfferHours": {decide, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Requesting.OfferHours(ctx, p, requesting.OfferInput{}))
		}},
		"Requesting.OpenBidding": {decide, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Requesting.OpenBidding(ctx, p, requesting.BiddingInput{}))
		}},
		"Requesting.ExpireRequests": {decide, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Requesting.ExpireRequests(ctx, p, w.Clock))
		}},
		"Requesting.LeavePolicy": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Requesting.LeavePolicy(ctx, p))
		}},
		"Requesting.PutLeavePolicy": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Requesting.PutLeavePolicy(ctx, p, leave.Policy{}, 0))
		}},
		"Requesting.LeaveBalances": {read, "agents", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, err := w.Requesting.LeaveBalances(ctx, p, "", today)
			return owned(rows, func(b leave.Balance) owner { return owner{agent: b.Agent} }), err
		}},
		"Requesting.LeaveEntries": {read, "agents", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Requesting.LeaveEntries(ctx, p, operations.LeaveFilter{}, operations.Page{})
			return list(rows, next, err, func(e leave.Entry) owner { return owner{agent: e.Agent} })
		}},
		"Requesting.GrantAnnualLeave": {decide, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Requesting.GrantAnnualLeave(ctx, p, 0, nil))
		}},
		"Requesting.AdjustLeave": {decide, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Requesting.AdjustLeave(ctx, p, requesting.AdjustInput{}))
		}},
		"Requesting.EarnLieu": {decide, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Requesting.EarnLieu(ctx, p, calendar.Dates{}, nil))
		}},
		"Requesting.Fairness": {read, "agents", func(ctx context.Context, w *world, p who) ([]owner, error) {
			f, err := w.Requesting.Fairness(ctx, p, requesting.FairnessInput{Dates: calendar.Dates{From: today, Until: today.Add(1)}})
			return owned(f.Agents, func(s leave.FairSum) owner { return owner{agent: s.Agent} }), err
		}},
		"Requesting.Facts": {read, "agents", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Requesting.Facts(ctx, p, operations.FactFilter{}, operations.Page{})
			return list(rows, next, err, func(f store.Stored[workforce.Fact]) owner { return owner{agent: f.Value.Agent} })
		}},
		"Requesting.PutFacts": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Requesting.PutFacts(ctx, p, nil, false))
		}},
		"Requesting.ImportFacts": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Requesting.ImportFacts(ctx, p, "f.csv", strings.NewReader("agent,kind\n"), false))
		}},
		"Requesting.DeleteFact": {decide, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return nil, w.Requesting.DeleteFact(ctx, p, "none")
		}},
		"Requesting.AcknowledgePack": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			_, err := w.Requesting.AcknowledgePack(ctx, p, whoAsks(p), "none")
			return nil, unlessMissing(err)
		}},
		"Requesting.QueueTerms": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Requesting.QueueTerms(ctx, p))
		}},
		"Requesting.PutQueueTerms": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Requesting.PutQueueTerms(ctx, p, nil, 0))
		}},
	}
}
