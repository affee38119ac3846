package planning

import (
	"context"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// historyShown is how much of the past a picture of a forecast shows, at most.
const historyShown = 14 * 24 * time.Hour

// longestSlots is the longest forecast that is drawn by slot; a longer one is drawn by day.
const longestSlots = 21 * 24 * time.Hour

// DrawForecast draws a forecast with its band and events as SVG; what was adjusted, agreed, said by the
// client and what came are lines over it, where there are any.
func (p *Planning) DrawForecast(ctx context.Context, who access.Principal, id ids.Forecast) ([]byte, error) {
	view, scope, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, err
	}
	on, err := p.adjusted(ctx, view, id)
	if err != nil {
		return nil, err
	}
	q, err := view.Queue(ctx, on.Forecast.Queue)
	if err != nil {
		return nil, err
	}
	events, err := p.knownEvents(ctx, view, on.Forecast)
	if err != nil {
		return nil, err
	}
	cover := gate.ForecastCover(on.Forecast)[0]
	panel := forecast.Panel{
		Title: string(q.ID), Slot: on.Curve.Slot, Location: p.gate.Zone, Origin: cover.Start, Levels: on.Curve.Levels, Band: on.model.Points,
		BandName: "forecast (mean)", From: cover.Start.Add(-min(historyShown, cover.Duration())), To: cover.End, Events: events,
	}
	adjusted := on.Curve.Points
	if figures, _ := gate.ForecastFigures(on.Forecast); cover.Duration() > longestSlots && len(figures.Days) > 1 {
		panel.Slot, panel.Band, adjusted = 24*time.Hour, figures.Days, on.Days
		panel.From = cover.Start.Add(-4 * historyShown)
	}
	panel.From = calendar.DateOf(panel.From, p.gate.Zone).In(p.gate.Zone)
	in := CompareInput{
		Queue: q.ID, Forecast: id, BySlot: panel.Slot < 24*time.Hour,
		Dates: calendar.Dates{From: calendar.DateOf(cover.Start, p.gate.Zone), Until: calendar.DateOf(cover.End.Add(-1), p.gate.Zone).Add(1)},
	}
	compared, err := p.lines(ctx, who, in)
	if err != nil {
		return nil, err
	}
	came, err := p.recorded(ctx, scope, q, calendar.Range{Start: panel.From, End: panel.To}, panel.Slot)
	if err != nil {
		return nil, err
	}
	panel.Lines = append(panel.Lines, forecast.Line{Name: "actual", Colour: "#0f172a", Points: came.Marks(panel.From, panel.To)})
	if len(on.inForce()) > 0 {
		panel.Lines = append(panel.Lines, forecast.Line{Name: "adjusted", Colour: "#7c3aed", Points: adjusted})
	}
	panel.Lines = append(panel.Lines, compared...)
	return forecast.Draw(panel), nil
}

// lines are what was agreed and what the client said in the days of a picture.
func (p *Planning) lines(ctx context.Context, who access.Principal, in CompareInput) ([]forecast.Line, error) {
	in.Dates.Until = earlier(in.Dates.Until, in.Dates.From.Add(maxCompared))
	compared, err := p.CompareForecasts(ctx, who, in)
	if err != nil {
		return nil, err
	}
	agreed := forecast.Line{Name: "agreed", Colour: "#15803d", Dashed: true}
	client := forecast.Line{Name: "client", Colour: "#c2410c", Dashed: true}
	for _, r := range compared.Rows {
		if r.Agreed != nil {
			agreed.Points = append(agreed.Points, scheduling.Point{Start: r.Start, Mean: *r.Agreed})
		}
		if r.Client != nil {
			client.Points = append(client.Points, scheduling.Point{Start: r.Start, Mean: *r.Client})
		}
	}
	var out []forecast.Line
	for _, l := range []forecast.Line{agreed, client} {
		if len(l.Points) > 0 {
			out = append(out, l)
		}
	}
	return out, nil
}

// earlier of two dates.
func earlier(a, b calendar.Date) calendar.Date {
	if b.Before(a) {
		return b
	}
	return a
}
