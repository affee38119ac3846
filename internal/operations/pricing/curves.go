package pricing

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/chart"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/margin"
)

// Colours of the pictures: demand is blue as in those of forecasts, heads dark, money warm.
const (
	demandColour = "#1d4ed8"
	bandColour   = "#dbeafe"
	headColour   = "#0f172a"
	goodColour   = "#15803d"
	riskColour   = "#c2410c"
	highColour   = "#7c3aed"
	quietColour  = "#64748b"
)

// DrawPlan draws a plan as SVG: heads and demand of its busiest day and of all its days, and what more or
// fewer heads would cost and risk. Errors: store.not_found.
func (p *Pricing) DrawPlan(ctx context.Context, who access.Principal, id ids.Plan) ([]byte, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, err
	}
	plan, err := view.Plan(ctx, id)
	if err != nil {
		return nil, err
	}
	return p.drawPlans(ctx, view, []store.Plan{plan}, daysOf(plan, p.gate.Zone), string(plan.Queue))
}

// DrawScenario draws the plans of a scenario together. Errors: store.not_found.
func (p *Pricing) DrawScenario(ctx context.Context, who access.Principal, key string) ([]byte, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, err
	}
	s, err := view.Scenario(ctx, key)
	if err != nil {
		return nil, err
	}
	title := s.Name
	if n := len(s.Plans); n > 1 {
		title += fmt.Sprintf(", %d queues together", n)
	}
	return p.drawPlans(ctx, view, s.Plans, s.Dates, title)
}

// daysOf are the business days that a plan touches.
func daysOf(plan store.Plan, zone *time.Location) calendar.Dates {
	return calendar.Dates{From: calendar.DateOf(plan.Range.Start, zone), Until: calendar.DateOf(plan.Range.End.Add(-1), zone).Add(1)}
}

func (p *Pricing) drawPlans(ctx context.Context, view *store.View, plans []store.Plan, dates calendar.Dates, title string) ([]byte, error) {
	c, err := p.courseOf(ctx, view, plans)
	if err != nil {
		return nil, err
	}
	busiest := c.busiest(p.gate.Zone)
	charts := []chart.Chart{c.day(calendar.Day(busiest, p.gate.Zone), title+", "+busiest.String()+" "+busiest.Weekday().String(), p.gate.Zone, nil)}
	if span := (calendar.Range{Start: dates.From.In(p.gate.Zone), End: dates.Until.In(p.gate.Zone)}); dates.Until.Sub(dates.From) > 1 {
		charts = append(charts, c.day(span, title+", all days", p.gate.Zone, nil))
	}
	money, err := p.costAndRisk(ctx, view, plans, dates, title)
	if err != nil {
		return nil, err
	}
	return chart.Draw(append(charts, money)...), nil
}

// DrawSlot draws one slot as SVG: service against heads, and its day with a mark. Errors: those of Explain.
func (p *Pricing) DrawSlot(ctx context.Context, who access.Principal, in ExplainInput) ([]byte, error) {
	e, err := p.Explain(ctx, who, in)
	if err != nil {
		return nil, err
	}
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, err
	}
	plan, err := view.Plan(ctx, e.Plan)
	if err != nil {
		return nil, err
	}
	c, err := p.courseOf(ctx, view, []store.Plan{plan})
	if err != nil {
		return nil, err
	}
	day := calendar.DateOf(e.Start, p.gate.Zone)
	at := e.Start
	return chart.Draw(e.serviceAgainstHeads(p.gate.Zone), c.day(calendar.Day(day, p.gate.Zone), string(e.Queue)+", "+day.String(), p.gate.Zone, &at)), nil
}

// serviceAgainstHeads is the slot's share within the limit, abandonment and occupancy around its heads, for the
// planned volume and for the volumes of its outer quantiles.
func (e Explanation) serviceAgainstHeads(zone *time.Location) chart.Chart {
	heads := e.Need.Heads
	low, high := max(0, heads/2), max(heads+heads/2, heads+4)
	slot := min(e.Slot, e.Demand.Slot)
	c := chart.Chart{
		Title: fmt.Sprintf("%s, %s: service against heads", e.Queue, e.Start.In(zone).Format("2006-01-02 15:04")),
		Note:  fmt.Sprintf("%.1f contacts in %s, AHT %s, target %.4g%% within %s", e.Demand.Contacts, slot, e.Handling.HandleTime.Round(time.Second), 100*e.Target.Share, e.Target.Within),
		X:     chart.Axis{Label: "heads", From: float64(low), To: float64(high)},
		Left:  chart.Axis{Label: "share of contacts or time", Percent: true},
		Marks: []chart.Mark{{At: float64(heads), Label: fmt.Sprintf("planned: %d", heads)}},
	}
	step := max(1, (high-low)/12)
	for n := low; n <= high; n += step {
		c.X.Ticks = append(c.X.Ticks, chart.Tick{At: float64(n), Label: fmt.Sprint(n)})
	}
	within := chart.Line{Name: "within " + e.Target.Within.String(), Colour: goodColour, Dots: true}
	left := chart.Line{Name: "abandoned", Colour: riskColour}
	busy := chart.Line{Name: "occupancy", Colour: quietColour}
	target := chart.Line{Name: "target", Colour: goodColour, Dashed: true}
	var outer []chart.Line
	var volumes []float64
	if q := e.Demand.Quantiles; len(q) > 1 {
		for i, one := range []Quantile{q[0], q[len(q)-1]} {
			outer = append(outer, chart.Line{Name: fmt.Sprintf("at P%.3g", 100*one.Level), Colour: []string{demandColour, highColour}[i], Dashed: true})
			volumes = append(volumes, one.Contacts*float64(slot)/float64(e.Demand.Slot))
		}
	}
	for n := low; n <= high; n++ {
		x := float64(n)
		r := staffing.Serve(e.Target, e.Demand.Contacts, slot, e.Handling.HandleTime, n)
		within.Points = append(within.Points, chart.Point{X: x, Y: r.Share})
		left.Points = append(left.Points, chart.Point{X: x, Y: r.Abandon})
		busy.Points = append(busy.Points, chart.Point{X: x, Y: r.Occupancy})
		target.Points = append(target.Points, chart.Point{X: x, Y: e.Target.Share})
		for i := range outer {
			outer[i].Points = append(outer[i].Points, chart.Point{X: x, Y: staffing.Serve(e.Target, volumes[i], slot, e.Handling.HandleTime, n).Share})
		}
	}
	c.Lines = append(append([]chart.Line{target, busy, left}, outer...), within)
	return c
}

// moment is one slot of plans together.
type moment struct {
	heads                   int
	low, mid, high, planned float64 // contacts at P10, P50, P90 and as planned
}

// dayCourse is plans slot by slot.
type dayCourse struct {
	slot    time.Duration
	planned bool // for contacts other than P50
	at      map[time.Time]*moment
}

func (p *Pricing) courseOf(ctx context.Context, view *store.View, plans []store.Plan) (dayCourse, error) {
	c := dayCourse{slot: calendar.Slot, at: map[time.Time]*moment{}}
	of := func(at time.Time) *moment {
		at = at.Truncate(c.slot).UTC()
		if c.at[at] == nil {
			c.at[at] = &moment{}
		}
		return c.at[at]
	}
	for _, plan := range plans {
		for _, n := range plan.Requirement.Needs {
			of(n.Start).heads += n.Heads
		}
		figures := FiguresOf(plan)
		for _, part := range figures.Parts {
			d, _, err := p.demandBehind(ctx, view, part)
			if err != nil {
				return c, err
			}
			o := figures.Options.withDefaults()
			c.planned = c.planned || o.Method != MarginMethod && o.Level != 0.5
			curve := d.in(part.Range, o)
			pieces := max(1, int(curve.Slot/c.slot))
			for _, x := range curve.Points {
				planned, _ := curve.At(x, o.Level)
				for i := range pieces {
					m := of(x.Start.Add(time.Duration(i) * c.slot))
					m.low += margin.Quantile(curve.Levels, x, 0.1) / float64(pieces)
					m.mid += margin.Quantile(curve.Levels, x, 0.5) / float64(pieces)
					m.high += margin.Quantile(curve.Levels, x, 0.9) / float64(pieces)
					m.planned += planned / float64(pieces)
				}
			}
		}
	}
	return c, nil
}

// order is the slots by time.
func (c dayCourse) order() []time.Time {
	return slices.SortedFunc(maps.Keys(c.at), func(a, b time.Time) int { return a.Compare(b) })
}

// busiest is the day of the most heads at once, the first of several.
func (c dayCourse) busiest(zone *time.Location) (day calendar.Date) {
	most := -1
	for _, at := range c.order() {
		if m := c.at[at]; m.heads > most {
			most, day = m.heads, calendar.DateOf(at, zone)
		}
	}
	return day
}

// day draws heads over demand for a span.
func (c dayCourse) day(span calendar.Range, title string, zone *time.Location, mark *time.Time) chart.Chart {
	hour := func(at time.Time) float64 { return at.Sub(span.Start).Hours() }
	out := chart.Chart{
		Title: title, Note: "heads required (steps) over the demand; several queues are added up quantile by quantile",
		X: chart.Axis{From: 0, To: span.Duration().Hours(), Ticks: hours(span, zone)}, Left: chart.Axis{Label: "contacts in 15 minutes"}, Right: chart.Axis{Label: "heads"},
	}
	band := chart.Band{Name: "P10–P90", Colour: bandColour}
	mid := chart.Line{Name: "P50", Colour: demandColour}
	planned := chart.Line{Name: "planned", Colour: demandColour, Dashed: true}
	heads := chart.Line{Name: "heads", Colour: headColour, Steps: true, Right: true}
	var last time.Time
	for _, at := range c.order() {
		if !span.Contains(at) {
			continue
		}
		if !last.IsZero() && at.Sub(last) > c.slot { // closed in between
			gap := hour(last.Add(c.slot))
			band.Points = append(band.Points, chart.Range{X: gap, Low: math.NaN()})
			for _, l := range []*chart.Line{&mid, &planned, &heads} {
				l.Points = append(l.Points, chart.Point{X: gap, Y: math.NaN()})
			}
		}
		last = at
		m, x := c.at[at], hour(at)
		centre := x + c.slot.Hours()/2
		band.Points = append(band.Points, chart.Range{X: centre, Low: m.low, High: m.high})
		mid.Points = append(mid.Points, chart.Point{X: centre, Y: m.mid})
		planned.Points = append(planned.Points, chart.Point{X: centre, Y: m.planned})
		heads.Points = append(heads.Points, chart.Point{X: x, Y: float64(m.heads)})
	}
	if !last.IsZero() {
		heads.Points = append(heads.Points, chart.Point{X: hour(last.Add(c.slot)), Y: math.NaN()})
	}
	out.Bands, out.Lines = []chart.Band{band}, []chart.Line{mid}
	if c.planned {
		out.Lines = append(out.Lines, planned)
	}
	out.Lines = append(out.Lines, heads)
	if mark != nil {
		out.Marks = []chart.Mark{{At: hour(*mark), Label: mark.In(zone).Format("15:04")}}
	}
	return out
}

// hours are the ticks of a span: hours of a day, or midnights of several days.
func hours(span calendar.Range, zone *time.Location) (ticks []chart.Tick) {
	days := int(math.Round(span.Duration().Hours() / 24))
	if days <= 1 {
		for h := 0; h <= 24; h += 2 {
			at := span.Start.Add(time.Duration(h) * time.Hour)
			label := at.In(zone).Format("15:04")
			if h == 24 {
				label = "24:00"
			}
			ticks = append(ticks, chart.Tick{At: float64(h), Label: label})
		}
		return ticks
	}
	every := max(1, (days+13)/14)
	i := 0
	for d := range span.Dates(zone) {
		if i%every == 0 {
			ticks = append(ticks, chart.Tick{At: d.In(zone).Sub(span.Start).Hours(), Label: d.In(zone).Format("01-02")})
		}
		i++
	}
	return ticks
}

// factors of the heads that a picture of cost and risk shows.
var factors = []float64{0.8, 0.9, 1, 1.1, 1.2}

// costAndRisk is wages, and on an axis of its own what is likely to be deducted, for fewer and more heads than planned. Where the
// heads are so few that a factor moves hardly any of them, the ticks say so: they stand where the hours are.
func (p *Pricing) costAndRisk(ctx context.Context, view *store.View, plans []store.Plan, dates calendar.Dates, title string) (chart.Chart, error) {
	c := chart.Chart{
		Title: title + ": cost and risk", Note: "every slot's heads times 0.8 to 1.2, rounded to whole heads and at least one. Dashed: wages, left; the other lines: what the contracts deduct, right",
		X: chart.Axis{Label: "head-hours on the queues, and their part of the plan's"}, Left: chart.Axis{Label: "wages, yuan"}, Right: chart.Axis{Label: "deductions, yuan"},
	}
	wages := chart.Line{Name: "wages", Colour: quietColour, Dashed: true}
	expected := chart.Line{Name: "expected", Colour: headColour, Dots: true, Right: true}
	p50 := chart.Line{Name: "P50", Colour: goodColour, Right: true}
	p90 := chart.Line{Name: "P90", Colour: highColour, Right: true}
	p95 := chart.Line{Name: "P95", Colour: riskColour, Right: true}
	least, dearest := math.Inf(1), 0.0
	e, err := p.engineOf(ctx, view, plans, dates)
	if err != nil {
		return c, err
	}
	planned := e.headHours(1)
	for _, factor := range factors {
		price, err := e.price(ctx, factor)
		if err != nil {
			return c, err
		}
		x, w := price.Total.HeadHours, price.Total.WagesYuan
		least, dearest = min(least, w), max(dearest, w)
		for _, l := range []struct {
			line *chart.Line
			yuan float64
		}{{&wages, w}, {&expected, price.Risk.MeanYuan}, {&p50, price.Risk.P50Yuan}, {&p90, price.Risk.P90Yuan}, {&p95, price.Risk.P95Yuan}} {
			l.line.Points = append(l.line.Points, chart.Point{X: x, Y: l.yuan})
		}
		c.X.Ticks = append(c.X.Ticks, chart.Tick{At: x, Label: fmt.Sprintf("%.0f (×%.2f)", x, x/max(planned, 1e-9))})
		if factor == 1 {
			c.Marks = []chart.Mark{{At: x, Label: "planned"}}
		}
	}
	c.X.From, c.X.To = wages.Points[0].X, cmp.Or(wages.Points[len(wages.Points)-1].X, 1)
	c.Left.From, c.Left.To = axisAround(least, dearest)
	c.X.Ticks = apart(c.X.Ticks, planned, 0.12*(c.X.To-c.X.From))
	c.Lines = []chart.Line{wages, p50, p90, p95, expected}
	return c, nil
}

// apart leaves out the labels of ticks that would run into that of the plan or into the one before.
func apart(ticks []chart.Tick, planned, least float64) []chart.Tick {
	last := math.Inf(-1)
	for i, t := range ticks {
		if t.At != planned && (math.Abs(t.At-planned) < least || t.At-last < least) {
			ticks[i].Label = ""
			continue
		}
		last = t.At
	}
	return ticks
}

// axisAround is an axis that holds two values with even figures and little empty room.
func axisAround(low, high float64) (from, to float64) {
	span := chart.NiceCeiling(max(high-low, 1))
	for {
		from = math.Floor(low/span*5) * span / 5
		if to = from + span; to >= high || math.IsInf(to, 0) {
			return from, to
		}
		span = chart.NiceCeiling(span * 1.01)
	}
}
