package planning

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/scheduling"
)

// ClientForecastInput is a file with what a client expects, in rows of a contact history: queue, start, slot, offered.
type ClientForecastInput struct {
	Source   intake.Source
	Mapping  intake.Mapping // of kind contacts; the zero mapping expects the canonical field names or their Chinese ones
	Queue    ids.Queue      // of every row, for a file without a column for it
	Slot     time.Duration  // of every row, for a file without a column for it
	StatedAt time.Time      // when the client said it; zero = now
	Note     string
}

// ClientForecasted says what an import made.
type ClientForecasted struct {
	Made    []store.ClientForecast `json:"made"`    // without their curves
	Already []store.ClientForecast `json:"already"` // newest versions that say the same already
	Summary intake.Summary         `json:"summary"`
}

// maxClientRows bounds one file: a year of 15-minute slots for 25 queues.
const maxClientRows = 900_000

// ImportClientForecast reads what a client expects and keeps it as the next version of each queue in
// the file. All or nothing; a queue whose newest version says the same is left as it is.
// Errors: those of intake.Scan, forecast.client (slots that differ or come twice), store.not_found.
func (p *Planning) ImportClientForecast(ctx context.Context, who access.Principal, in ClientForecastInput) (ClientForecasted, error) {
	view, _, err := p.gate.Read(who, access.WritePlans)
	if err != nil {
		return ClientForecasted{}, err
	}
	mapping, err := p.clientMapping(ctx, view, in)
	if err != nil {
		return ClientForecasted{}, err
	}
	now := p.gate.Now()
	if in.StatedAt.IsZero() {
		in.StatedAt = now
	}
	rows := map[ids.Queue][]chatlog.Contacts{}
	n := 0
	summary, err := intake.Scan(ctx, in.Source, mapping, func(batch []chatlog.Contacts) error {
		if n += len(batch); n > maxClientRows {
			return fault.New(fault.TooLarge, "forecast.client", "%s has more than %d rows", in.Source.Name, maxClientRows)
		}
		for _, r := range batch {
			rows[r.Queue] = append(rows[r.Queue], r)
		}
		return nil
	}, intake.Options{Zone: p.gate.Zone})
	if err != nil {
		return ClientForecasted{}, err
	}
	done := ClientForecasted{Made: []store.ClientForecast{}, Already: []store.ClientForecast{}, Summary: summary}
	var fresh []store.ClientForecast
	for _, queue := range slices.Sorted(maps.Keys(rows)) {
		f, before, err := p.clientVersion(ctx, view, in, rows[queue], now)
		switch {
		case err != nil:
			return ClientForecasted{}, err
		case before != nil:
			done.Already = append(done.Already, *before)
		default:
			fresh = append(fresh, f)
		}
	}
	err = p.gate.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		done.Made = done.Made[:0]
		for _, f := range fresh {
			added, err := tx.AddClientForecast(f)
			if err != nil {
				return err
			}
			added.Curve = scheduling.Curve{}
			done.Made = append(done.Made, added)
		}
		return nil
	})
	return done, err
}

// clientMapping fills in what the file does not say in columns.
func (p *Planning) clientMapping(ctx context.Context, view *store.View, in ClientForecastInput) (intake.Mapping, error) {
	m := in.Mapping
	if m.Kind == "" {
		m.Kind = intake.History
	}
	if m.Kind != intake.History {
		return m, fault.Bad("intake.mapping", "mapping", []fault.Field{{Path: "kind", Value: string(m.Kind), Problem: "must be " + string(intake.History)}})
	}
	constants := maps.Clone(m.Constants)
	if constants == nil {
		constants = map[string]string{}
	}
	if in.Queue != "" {
		q, err := view.Queue(ctx, in.Queue)
		if err != nil {
			return m, err
		}
		constants["queue"], constants["merchant"] = string(q.ID), string(q.Merchant)
	}
	if in.Slot != 0 {
		constants["slot"] = in.Slot.String()
	}
	m.Constants = constants
	return m, nil
}

// clientVersion makes the next version of a queue, or finds the newest one that says the same.
func (p *Planning) clientVersion(ctx context.Context, view *store.View, in ClientForecastInput, rows []chatlog.Contacts, now time.Time) (store.ClientForecast, *store.ClientForecast, error) {
	queue := rows[0].Queue
	q, err := view.Queue(ctx, queue)
	if err != nil {
		return store.ClientForecast{}, nil, err
	}
	slices.SortStableFunc(rows, func(a, b chatlog.Contacts) int { return a.Start.Compare(b.Start) })
	curve := scheduling.Curve{Queue: queue, Slot: rows[0].Slot, Levels: []float64{}, Points: make([]scheduling.Point, len(rows))}
	var bad []fault.Field
	for i, r := range rows {
		if r.Merchant != "" && r.Merchant != q.Merchant {
			bad = append(bad, fault.Field{File: in.Source.Name, Path: string(queue), Value: string(r.Merchant), Problem: "is not the merchant of the queue, " + string(q.Merchant)})
		}
		if r.Slot != curve.Slot {
			bad = append(bad, fault.Field{File: in.Source.Name, Path: string(queue), Value: r.Slot.String(), Problem: fmt.Sprintf("is another slot than that of the first row, %s", curve.Slot)})
		}
		if i > 0 && r.Start.Before(rows[i-1].Start.Add(curve.Slot)) {
			bad = append(bad, fault.Field{File: in.Source.Name, Path: string(queue), Value: r.Start.In(p.gate.Zone).Format(time.DateTime), Problem: "comes twice, or overlaps the slot before it"})
		}
		curve.Points[i] = scheduling.Point{Start: r.Start.UTC(), Mean: r.Offered, Quantiles: []float64{}, HandleTime: r.HandleTime}
	}
	if err := fault.Bad("forecast.client", "client forecast", bad[:min(len(bad), intake.MaxProblems)]); err != nil {
		return store.ClientForecast{}, nil, err
	}
	made := store.ClientForecast{
		ID: ids.New[ids.ClientForecast](now), Queue: queue, Merchant: q.Merchant, StatedAt: in.StatedAt, Source: in.Source.Name, Note: in.Note, Curve: curve,
	}
	newest, _, err := view.ClientForecasts(ctx, store.ForecastFilter{Queue: queue}, store.Page{Limit: 1})
	if err != nil || len(newest) == 0 {
		return made, nil, err
	}
	before, err := view.ClientForecast(ctx, newest[0].ID)
	if err != nil || !sameFigures(before.Curve, curve) {
		return made, nil, err
	}
	return made, &newest[0], nil
}

// sameFigures reports two curves that expect the same.
func sameFigures(a, b scheduling.Curve) bool {
	return a.Slot == b.Slot && slices.EqualFunc(a.Points, b.Points, func(x, y scheduling.Point) bool {
		return x.Start.Equal(y.Start) && x.Mean == y.Mean && x.HandleTime == y.HandleTime
	})
}

// ClientForecasts lists clients' forecasts in scope, newest first, without their curves.
func (p *Planning) ClientForecasts(ctx context.Context, who access.Principal, f store.ForecastFilter, page store.Page) ([]store.ClientForecast, string, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, "", err
	}
	return view.ClientForecasts(ctx, f, page)
}

// ClientForecast returns one client's forecast with its curve.
func (p *Planning) ClientForecast(ctx context.Context, who access.Principal, id ids.ClientForecast) (store.ClientForecast, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return store.ClientForecast{}, err
	}
	return view.ClientForecast(ctx, id)
}
