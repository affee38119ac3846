package planning

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
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// AfterSalesInput asks for the after-sales tickets that orders bring.
type AfterSalesInput struct {
	Queue    ids.Queue         // its tickets, and the orders of its shop
	Merchant ids.Merchant      // or those of all shops of a merchant; one of the two
	From     calendar.Date     // first day asked for; zero = the day after the last recorded order
	Days     int               // 0 = 30
	Kind     chatlog.OrderKind // which step is an order; "" = payments, or where there are none orders, else shipments
	Plan     []PlannedOrders   // what is to be sold; the days it does not name are forecast
	Levels   []float64         // nil = 0.1 0.5 0.9
}

// PlannedOrders is one day of a sales plan.
type PlannedOrders struct {
	Date   calendar.Date `json:"day"`
	Orders float64       `json:"orders"`
}

// plannedDoubt is the relative standard deviation of a sales plan: nobody knows what a sale sells. A belief.
const plannedDoubt = 0.2

// gapDoubt is that of a day on which orders were lost, and for which the days around it stand.
const gapDoubt = 0.3

// AfterSales is tickets per day and tag that follow orders. It counts tickets, not conversations: only
// tickets carry a tag.
type AfterSales struct {
	Queue     ids.Queue          `json:"queue,omitempty"`
	Merchant  ids.Merchant       `json:"merchant"`
	From      calendar.Date      `json:"from"`
	OrderKind chatlog.OrderKind  `json:"order_kind"`
	Orders    []OrdersOfDay      `json:"orders"` // from the first recorded day to the last day asked for
	Kernels   []AfterSalesKernel `json:"kernels"`
	forecast.AfterSalesForecast
}

// OrdersOfDay is the orders of one day.
type OrdersOfDay struct {
	Date calendar.Date `json:"day"`
	forecast.OrderDay
	Source string `json:"source"` // counted, around (nothing recorded: the days around it), plan, forecast
}

// AfterSalesKernel is how one tag follows orders.
type AfterSalesKernel struct {
	Tag         string    `json:"tag"`
	Says        string    `json:"says"`
	Shares      []float64 `json:"shares"`      // tickets per order, k days after it
	Information float64   `json:"information"` // 0 = the shape is the prior's, 1 = the history's
	Prior       string    `json:"prior"`
}

// Validate reports every bad field.
func (in AfterSalesInput) Validate() error {
	var bad []fault.Field
	report := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
	}
	if (in.Queue == "") == (in.Merchant == "") {
		report("queue", in.Queue, "a queue or a merchant is needed, and not both")
	}
	if most := int(forecast.MaxHorizon / (24 * time.Hour)); in.Days < 0 || in.Days > most {
		report("days", in.Days, fmt.Sprintf("must be 1 to %d", most))
	}
	if !slices.Contains([]chatlog.OrderKind{"", chatlog.Ordered, chatlog.Paid, chatlog.Shipped}, in.Kind) {
		report("order_kind", in.Kind, "must be order, payment or shipment")
	}
	seen := map[calendar.Date]bool{}
	for i, d := range in.Plan {
		path := fmt.Sprintf("plan[%d]", i)
		if d.Date.IsZero() || seen[d.Date] {
			report(path+".day", d.Date, "must be a day that is named once")
		}
		seen[d.Date] = true
		if !(d.Orders >= 0 && d.Orders <= forecast.MaxValue) {
			report(path+".orders", d.Orders, "must be a number of 0 or more")
		}
	}
	for i, q := range in.Levels {
		if !(q > 0 && q < 1) || i > 0 && q <= in.Levels[i-1] {
			report(fmt.Sprintf("levels[%d]", i), q, "must lie between 0 and 1 and be above the level before it")
		}
	}
	return fault.Bad("forecast.aftersales", "after-sales forecast", bad)
}

// AfterSales forecasts the tickets that past and coming orders bring. Nothing is stored. Errors:
// forecast.aftersales (every bad field); forecast.no_orders and forecast.no_tickets when the warehouse has
// none; errors of forecast.Run on the orders.
func (p *Planning) AfterSales(ctx context.Context, who access.Principal, in AfterSalesInput) (AfterSales, error) {
	view, scope, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return AfterSales{}, err
	}
	if err := in.Validate(); err != nil {
		return AfterSales{}, err
	}
	in.Days = cmp.Or(in.Days, 30)
	if in.Levels == nil {
		in.Levels = forecast.DefaultLevels()
	}
	a := afterSales{in: in, zone: p.gate.Zone, holidays: p.policy.Holidays, events: map[ids.Shop][]forecast.Event{}}
	if err := p.afterSalesShops(ctx, view, &a); err != nil {
		return AfterSales{}, err
	}
	if err := a.read(ctx, p.gate.Measured(scope), p.gate.Now()); err != nil {
		return AfterSales{}, err
	}
	return a.forecast()
}

// afterSalesShops finds the shops whose orders count, with the events that each of them feels.
func (p *Planning) afterSalesShops(ctx context.Context, view *store.View, a *afterSales) error {
	merchant := a.in.Merchant
	only := ids.Shop("")
	if a.in.Queue != "" {
		q, err := view.Queue(ctx, a.in.Queue)
		if err != nil {
			return err
		}
		merchant, only = q.Merchant, q.Shop
	}
	m, err := view.Merchant(ctx, merchant)
	if err != nil {
		return err
	}
	a.merchant = m.Value.ID
	entered, err := p.entered(ctx, p.gate.Everything())
	if err != nil {
		return err
	}
	for _, s := range m.Value.Shops {
		if only == "" || s.ID == only {
			a.events[s.ID] = eventsFor(entered, p.policy.Promotions, s.Platform)
		}
	}
	return nil
}

// afterSales is one question being answered.
type afterSales struct {
	in       AfterSalesInput
	merchant ids.Merchant
	zone     *time.Location
	holidays calendar.Holidays
	events   map[ids.Shop][]forecast.Event

	kind    chatlog.OrderKind
	first   calendar.Date // first recorded order
	end     calendar.Date // first day whose orders are not known
	orders  map[ids.Shop]map[calendar.Date]float64
	tickets map[string]map[calendar.Date]float64
	doubts  []string
}

// read fetches what is recorded up to the first day asked for, and no day that is not over.
func (a *afterSales) read(ctx context.Context, reader warehouse.Reader, now time.Time) error {
	until := calendar.DateOf(now, a.zone)
	if !a.in.From.IsZero() && a.in.From.Before(until) {
		until = a.in.From
	}
	f := warehouse.Filter{
		Range:     calendar.Range{Start: until.In(a.zone).Add(-historyReach), End: until.In(a.zone)},
		Merchants: []ids.Merchant{a.merchant}, Shops: slices.Sorted(maps.Keys(a.events)),
	}
	kinds := []chatlog.OrderKind{chatlog.Paid, chatlog.Ordered, chatlog.Shipped}
	if a.in.Kind != "" {
		kinds = []chatlog.OrderKind{a.in.Kind}
	}
	var orders []warehouse.DayCount
	for _, a.kind = range kinds {
		var err error
		if orders, err = reader.OrderDays(ctx, f, a.kind); err != nil {
			return err
		}
		if len(orders) > 0 {
			break
		}
	}
	if len(orders) == 0 {
		return fault.New(fault.NotFound, "forecast.no_orders", "no orders of merchant %s are recorded before %s; import them first (kind orders)", a.merchant, until)
	}
	if a.in.Queue != "" {
		f.Queues = []ids.Queue{a.in.Queue}
	}
	tickets, err := reader.TicketDays(ctx, f)
	if err != nil {
		return err
	}
	a.keep(orders, tickets)
	if len(a.tickets) == 0 {
		return fault.New(fault.NotFound, "forecast.no_tickets", "no tickets are recorded beside the orders of merchant %s, from %s on; import them first (kind tickets)", a.merchant, a.first)
	}
	return nil
}

const untagged = "(no tag)"

func (a *afterSales) keep(orders, tickets []warehouse.DayCount) {
	a.orders, a.tickets = map[ids.Shop]map[calendar.Date]float64{}, map[string]map[calendar.Date]float64{}
	a.first, a.end = orders[0].Date, orders[len(orders)-1].Date.Add(1)
	for _, o := range orders {
		if a.orders[o.Shop] == nil {
			a.orders[o.Shop] = map[calendar.Date]float64{}
		}
		a.orders[o.Shop][o.Date] += float64(o.Count)
	}
	for _, t := range tickets {
		if t.Date.Before(a.first) || !t.Date.Before(a.end) {
			continue
		}
		tag := cmp.Or(t.Tag, untagged)
		if a.tickets[tag] == nil {
			a.tickets[tag] = map[calendar.Date]float64{}
		}
		a.tickets[tag][t.Date] += float64(t.Count)
	}
	if a.in.From.IsZero() {
		a.in.From = a.end
	}
}

// busyDay is how many a day usually has where a day without any was lost rather than empty.
const busyDay = 10

// daily lays counts out by day. A day without any is 0, or not recorded (NaN) where a day usually has
// many; before the first and after the last day with any nothing is known.
func daily(counts map[calendar.Date]float64, first, end calendar.Date) []float64 {
	out := make([]float64, end.Sub(first))
	var sum, n float64
	low, high := len(out), -1
	for i := range out {
		if v := counts[first.Add(i)]; v > 0 {
			out[i] = v
			sum += v
			n++
			low, high = min(low, i), i
		}
	}
	for i := range out {
		if i < low || i > high || out[i] == 0 && sum >= busyDay*n {
			out[i] = math.NaN()
		}
	}
	return out
}

// history is the daily orders and tickets that are known.
func (a *afterSales) history() forecast.LagHistory {
	sum := map[calendar.Date]float64{}
	for _, shop := range slices.Sorted(maps.Keys(a.orders)) {
		for d, n := range a.orders[shop] {
			sum[d] += n // whole numbers: the order does not matter
		}
	}
	all := map[calendar.Date]float64{}
	for _, days := range a.tickets {
		for d, n := range days {
			all[d] += n
		}
	}
	recorded := daily(all, a.first, a.end) // a day without this tag is empty when other tickets of it are recorded
	h := forecast.LagHistory{First: a.first, Orders: daily(sum, a.first, a.end)}
	for _, tag := range slices.Sorted(maps.Keys(a.tickets)) {
		t := forecast.TagHistory{Tag: tag, Contacts: make([]float64, len(recorded))}
		for i := range t.Contacts {
			if t.Contacts[i] = a.tickets[tag][a.first.Add(i)]; math.IsNaN(recorded[i]) {
				t.Contacts[i] = math.NaN()
			}
		}
		h.Tags = append(h.Tags, t)
	}
	return h
}

func (a *afterSales) forecast() (AfterSales, error) {
	h := a.history()
	model, err := forecast.FitLags(h, forecast.LagOptions{})
	if err != nil {
		return AfterSales{}, err
	}
	orders, err := a.plan(h.Orders)
	if err != nil {
		return AfterSales{}, err
	}
	plan := forecast.LagPlan{First: a.first, From: a.in.From, Days: a.in.Days, Levels: a.in.Levels}
	for _, d := range orders {
		plan.Orders = append(plan.Orders, d.OrderDay)
	}
	out := AfterSales{Queue: a.in.Queue, Merchant: a.merchant, From: a.in.From, OrderKind: a.kind, Orders: orders}
	if out.AfterSalesForecast, err = model.Forecast(plan); err != nil {
		return AfterSales{}, err
	}
	for _, k := range model.Kernels {
		out.Kernels = append(out.Kernels, AfterSalesKernel{Tag: k.Tag, Says: k.Says(), Shares: k.Shares, Information: k.Information, Prior: k.Prior})
	}
	if n := len(h.Orders); n < 2*model.MaxLag {
		a.doubts = append(a.doubts, fmt.Sprintf("orders are recorded for %s only; contacts follow an order up to %d days later", days(n), model.MaxLag))
	}
	out.Doubts = append(a.doubts, out.Doubts...)
	return out, nil
}

// plan is the orders of each day from the first recorded one to the last one asked for: counted, planned,
// or forecast from the counted ones with the promotions.
func (a *afterSales) plan(counted []float64) ([]OrdersOfDay, error) {
	out := a.counted(counted)
	last := a.in.From.Add(a.in.Days)
	planned := map[calendar.Date]float64{}
	for _, d := range a.in.Plan {
		planned[d.Date] = d.Orders
	}
	open := 0
	for d := a.end; d.Before(last); d = d.Add(1) {
		one := OrdersOfDay{Date: d, Source: "plan"}
		orders, ok := planned[d]
		if !ok {
			one.Source = "forecast"
			open++
		}
		one.OrderDay = forecast.OrderDay{Mean: orders, Deviation: max(plannedDoubt*orders, 1e-9)}
		out = append(out, one)
	}
	if open == 0 {
		return out, nil
	}
	coming, err := a.coming(last)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Source == "forecast" {
			out[i].OrderDay = coming[out[i].Date]
		}
	}
	return out, nil
}

// counted is the recorded days; where nothing was recorded the days of a fortnight around stand for it.
func (a *afterSales) counted(orders []float64) (out []OrdersOfDay) {
	lost := 0
	for i, n := range orders {
		one := OrdersOfDay{Date: a.first.Add(i), OrderDay: forecast.OrderDay{Mean: n}, Source: "counted"}
		if math.IsNaN(n) {
			lost++
			var sum, known float64
			for _, v := range orders[max(0, i-14):min(len(orders), i+15)] {
				if !math.IsNaN(v) {
					sum += v
					known++
				}
			}
			mean := sum / max(known, 1)
			one.OrderDay, one.Source = forecast.OrderDay{Mean: mean, Deviation: max(gapDoubt*mean, 1e-9)}, "around"
		}
		out = append(out, one)
	}
	if lost > 0 {
		a.doubts = append(a.doubts, fmt.Sprintf("on %s no order is recorded although there usually are many; the days around stand in for it", days(lost)))
	}
	return out
}

// days is a number of days in words.
func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// orderCorrelation is how much errors of two shops' order forecasts go together: one sale moves both. A belief.
const orderCorrelation = 0.5

// coming forecasts the orders of each shop with its own events and adds them up.
func (a *afterSales) coming(last calendar.Date) (map[calendar.Date]forecast.OrderDay, error) {
	out := map[calendar.Date]forecast.OrderDay{}
	own, shared := map[calendar.Date]float64{}, map[calendar.Date]float64{}
	for _, shop := range slices.Sorted(maps.Keys(a.orders)) {
		b, err := forecast.NewBuilder(24*time.Hour, a.zone)
		if err != nil {
			return nil, err
		}
		for i, n := range daily(a.orders[shop], a.first, a.end) {
			if !math.IsNaN(n) {
				if err := b.Add(a.first.Add(i).In(a.zone), n); err != nil {
					return nil, err
				}
			}
		}
		r, err := forecast.Run(b.Series(ids.Queue(shop)), forecast.Options{
			Origin: a.end.In(a.zone), Horizon: last.In(a.zone).Sub(a.end.In(a.zone)), Hours: forecast.AlwaysOpen(),
			Events: a.events[shop], Holidays: a.holidays,
		})
		if err != nil {
			return nil, gate.Placed(err, "orders of shop "+string(shop))
		}
		for _, d := range r.Doubts {
			a.doubts = append(a.doubts, fmt.Sprintf("orders of %s: %s", shop, d))
		}
		for i, o := range forecast.OrdersFromForecast(r.Days, r.Curve.Levels) {
			date := calendar.DateOf(r.Days[i].Start, a.zone)
			sum := out[date]
			sum.Mean += o.Mean
			out[date] = sum
			own[date] += o.Deviation * o.Deviation
			shared[date] += o.Deviation
		}
	}
	for date, sum := range out {
		sum.Deviation = math.Sqrt((1-orderCorrelation)*own[date] + orderCorrelation*shared[date]*shared[date])
		out[date] = sum
	}
	return out, nil
}
