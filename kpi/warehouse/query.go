package warehouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
)

// state is a stored sum that a metric definition may name. unit divides the stored number.
type state struct {
	column string
	unit   float64 // 1000 where milliseconds are stored and seconds are meant
	time   bool    // lives in state_slots
}

// states maps the names in definitions to stored sums; "within" depends on the question's limit.
var states = map[string]state{
	"offered":                {column: "offered", unit: 1},
	"answered":               {column: "answered", unit: 1},
	"abandoned":              {column: "abandoned", unit: 1},
	"first_response_seconds": {column: "first_response_ms", unit: 1000},
	"first_response_count":   {column: "answered", unit: 1},
	"rounds":                 {column: "rounds", unit: 1},
	"rounds_answered":        {column: "rounds_answered", unit: 1},
	"round_response_seconds": {column: "round_response_ms", unit: 1000},
	"rounds_within_60":       {column: "rounds_within_60", unit: 1},
	"rounds_within_180":      {column: "rounds_within_180", unit: 1},
	"resolved":               {column: "resolved", unit: 1},
	"resolved_known":         {column: "resolved_known", unit: 1},
	"rating_sum":             {column: "rating_sum", unit: 1},
	"rating_count":           {column: "rating_count", unit: 1},
	"rating_good":            {column: "rating_good", unit: 1},
	"agent_messages":         {column: "agent_messages", unit: 1},
	"buyer_messages":         {column: "buyer_messages", unit: 1},
	"handle_seconds":         {column: "handle_ms", unit: 1000},
	"ready_seconds":          {column: "ready_ms", unit: 1000, time: true},
	"busy_seconds":           {column: "busy_ms", unit: 1000, time: true},
	"break_seconds":          {column: "break_ms", unit: 1000, time: true},
	"training_seconds":       {column: "training_ms", unit: 1000, time: true},
	"offline_seconds":        {column: "offline_ms", unit: 1000, time: true},
	"on_seconds":             {column: "ready_ms + busy_ms", unit: 1000, time: true},
}

const within = "within"

// figure is one metric resolved to stored sums.
type figure struct {
	definition  kpi.Definition
	numerator   state
	denominator state // zero for a count
}

func resolve(q kpi.Query, definitions []kpi.Definition) ([]figure, error) {
	figures := make([]figure, 0, len(definitions))
	for _, d := range definitions {
		f := figure{definition: d}
		var err error
		if f.numerator, err = lookupState(d, d.Numerator, q.Within); err != nil {
			return nil, err
		}
		if d.Denominator != "" {
			if f.denominator, err = lookupState(d, d.Denominator, q.Within); err != nil {
				return nil, err
			}
			if f.denominator.time != f.numerator.time {
				return nil, fault.New(fault.Invalid, "kpi.definition.base", "metric %q divides sessions by state time", d.Metric)
			}
		}
		figures = append(figures, f)
	}
	return figures, nil
}

func lookupState(d kpi.Definition, name string, limit time.Duration) (state, error) {
	if name == within {
		if limit == 0 {
			return state{}, fault.Bad("kpi.query.invalid", "query", []fault.Field{{
				Path:    within,
				Problem: fmt.Sprintf("is needed for %s: 10, 15, 20, 30, 45, 60, 180 or 300 s", d.Metric),
			}})
		}
		return state{column: fmt.Sprintf("within_%d", limit/time.Second), unit: 1}, nil
	}
	found, ok := states[name]
	if !ok {
		return state{}, fault.New(fault.Invalid, "kpi.definition.state", "metric %q names %q, which the warehouse does not keep", d.Metric, name)
	}
	return found, nil
}

// question is a query over one roll-up table, ready to be rendered.
type question struct {
	query   kpi.Query
	scope   Scope
	zone    *time.Location
	figures []figure // all of the same table
	time    bool     // state_slots instead of slots
}

// firstStateDay is how many days before the range an interval may start that reaches into it.
const firstStateDay = 50

func (q question) days() (first, last string) {
	format := func(t time.Time) string { return t.In(q.zone).Format(time.DateOnly) }
	first, last = format(q.query.Range.Start), format(q.query.Range.End.Add(-1))
	if q.time {
		first = format(q.query.Range.Start.AddDate(0, 0, -firstStateDay))
	}
	return first, last
}

// generationsSQL is the statement that finds the current roll-ups of the days in question. It runs
// first: rows of a published generation are there, while a sub-query in the question itself
// could name a generation published after the question fixed which parts it reads.
func (q question) generationsSQL() string {
	kind, merchants := kindConversations, q.scope.merchants(q.query.Merchants)
	if q.time {
		kind, merchants = kindStates, nil
	}
	first, last := q.days()
	return fmt.Sprintf("SELECT max(newest).3 FROM generations WHERE kind = '%s' AND day BETWEEN '%s' AND '%s' AND %s GROUP BY merchant, day",
		kind, first, last, merchants)
}

// dimensions in the order that Query scans them.
var dimensions = []kpi.Dimension{kpi.ByMerchant, kpi.ByShop, kpi.ByQueue, kpi.ByAgent}

// toSQL renders the question. Columns: merchant, shop, queue, agent (” when not grouped by),
// the grain step as seconds since 1970 or slot of the day, then numerator and denominator sums
// of every figure.
func (q question) toSQL() string {
	table := "slots"
	if q.time {
		table = "state_slots"
	}
	var columns, group []string
	for _, d := range dimensions {
		if grouped(q.query.By, d) {
			columns = append(columns, "toString("+string(d)+")")
			group = append(group, string(d))
		} else {
			columns = append(columns, "''")
		}
	}
	step := q.step()
	columns = append(columns, "toInt64("+step+") AS step")
	if q.query.Grain != kpi.Whole {
		group = append(group, "step")
	}
	for _, f := range q.figures {
		columns = append(columns, "toFloat64(sum("+f.numerator.column+"))")
		if f.denominator.column == "" {
			columns = append(columns, "toFloat64(1)")
		} else {
			columns = append(columns, "toFloat64(sum("+f.denominator.column+"))")
		}
	}
	sql := "SELECT " + strings.Join(columns, ", ") + "\nFROM " + table + "\nWHERE " + q.where().String()
	if len(group) > 0 {
		list := strings.Join(group, ", ")
		sql += "\nGROUP BY " + list + "\nORDER BY " + list
	}
	return sql
}

func grouped(by []kpi.Dimension, d kpi.Dimension) bool {
	for _, b := range by {
		if b == d {
			return true
		}
	}
	return false
}

func (q question) where() conditions {
	first, last := q.days()
	c := conditions{
		fmt.Sprintf("day BETWEEN '%s' AND '%s'", first, last),
		fmt.Sprintf("slot >= toDateTime(%d, 'UTC') AND slot < toDateTime(%d, 'UTC')",
			q.query.Range.Start.Unix(), q.query.Range.End.Unix()),
		"generation IN (SELECT generation FROM current)",
	}
	if !q.time {
		c = append(c, q.scope.merchants(q.query.Merchants)...)
		if len(q.query.Shops) > 0 {
			c = append(c, in("shop", q.query.Shops))
		}
		if len(q.query.Queues) > 0 {
			c = append(c, in("queue", q.query.Queues))
		}
	}
	c = append(c, q.scope.agents(q.query.Agents)...)
	if window, _ := kpi.ParseWindow(q.query.Window); window != (kpi.Window{}) { // validated before
		minute := fmt.Sprintf("(toHour(slot, %[1]s) * 60 + toMinute(slot, %[1]s))", quote(q.zone.String()))
		join := "AND"
		if window.From > window.Until {
			join = "OR"
		}
		c = append(c, fmt.Sprintf("(%[1]s >= %[2]d %[3]s %[1]s < %[4]d)", minute, window.From, join, window.Until))
	}
	return c
}

// step is the expression of the grain; calendar grains follow the business time zone.
func (q question) step() string {
	zone := quote(q.zone.String())
	switch q.query.Grain {
	case kpi.Slot:
		return "toUnixTimestamp(slot)"
	case kpi.Hour:
		return "toUnixTimestamp(toStartOfHour(slot, " + zone + "))"
	case kpi.Day:
		return "toUnixTimestamp(toStartOfDay(slot, " + zone + "))"
	case kpi.Month:
		return "toUnixTimestamp(toDateTime(toStartOfMonth(slot, " + zone + "), " + zone + "))"
	case kpi.SlotOfDay:
		return fmt.Sprintf("toHour(slot, %[1]s) * 4 + intDiv(toMinute(slot, %[1]s), 15)", zone)
	}
	return "0"
}

// Query answers with one reading per metric, group and step that has data; with grain Whole and
// no group there is always one reading per metric. Readings are ordered by metric as asked, then
// by merchant, shop, queue, agent and step. Metrics of state time (occupancy) know no merchant,
// shop or queue, since an agent's time is shared: asking for them by those, or in a scope of
// some merchants, is an error.
// Errors: kpi.query.invalid, kpi.metric.*, kpi.query.state_time, warehouse.down and the like.
func (r Reader) Query(ctx context.Context, q kpi.Query) ([]kpi.Reading, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	if err := checkFilter(len(q.Merchants), len(q.Shops), len(q.Queues), len(q.Agents)); err != nil {
		return nil, err
	}
	definitions, err := r.w.definitions.Lookup(q, r.w.zone)
	if err != nil {
		return nil, err
	}
	figures, err := resolve(q, definitions)
	if err != nil || r.scope.empty() {
		return nil, err
	}
	conn, err := r.w.connection(ctx)
	if err != nil {
		return nil, err
	}
	var sessions, times []figure
	for _, f := range figures {
		if f.numerator.time {
			times = append(times, f)
		} else {
			sessions = append(sessions, f)
		}
	}
	byMetric := make(map[kpi.Metric][]kpi.Reading, len(figures))
	for _, part := range []question{
		{query: q, scope: r.scope, zone: r.w.zone, figures: sessions},
		{query: q, scope: r.scope, zone: r.w.zone, figures: times, time: true},
	} {
		if len(part.figures) == 0 {
			continue
		}
		if err := part.check(); err != nil {
			return nil, err
		}
		if err := part.ask(ctx, conn, byMetric); err != nil {
			return nil, r.w.classify(ctx, err)
		}
	}
	var readings []kpi.Reading
	for _, f := range figures {
		readings = append(readings, byMetric[f.definition.Metric]...)
	}
	return readings, nil
}

// check refuses questions that state time cannot answer.
func (q question) check() error {
	if !q.time {
		return nil
	}
	split := grouped(q.query.By, kpi.ByMerchant) || grouped(q.query.By, kpi.ByShop) || grouped(q.query.By, kpi.ByQueue)
	filtered := len(q.query.Merchants)+len(q.query.Shops)+len(q.query.Queues) > 0
	narrow := !q.scope.Everything && q.scope.Agent == ""
	if split || filtered || narrow {
		return fault.New(fault.Invalid, "kpi.query.state_time",
			"%s measures agents' time, which merchants, shops and queues share; ask for it by agent only", q.figures[0].definition.Metric)
	}
	return nil
}

func (q question) ask(ctx context.Context, conn clickhouse.Conn, into map[kpi.Metric][]kpi.Reading) error {
	current, err := q.current(ctx, conn)
	if err != nil {
		return err
	}
	rows, err := conn.Query(forReading(ctx, clickhouse.WithExternalTable(current)), q.toSQL())
	if err != nil {
		return err
	}
	defer rows.Close()
	sums := make([]float64, 2*len(q.figures))
	var merchant, shop, queue, agent string
	var step int64
	cells := []any{&merchant, &shop, &queue, &agent, &step}
	for i := range sums {
		cells = append(cells, &sums[i])
	}
	for rows.Next() {
		if err := rows.Scan(cells...); err != nil {
			return err
		}
		place := kpi.Reading{Merchant: ids.Merchant(merchant), Shop: ids.Shop(shop), Queue: ids.Queue(queue), Agent: ids.Agent(agent)}
		q.place(&place, step)
		for i, f := range q.figures {
			reading := f.reading(place, sums[2*i], sums[2*i+1])
			into[reading.Metric] = append(into[reading.Metric], reading)
		}
	}
	return rows.Err()
}

func (q question) place(r *kpi.Reading, step int64) {
	switch q.query.Grain {
	case kpi.Whole:
	case kpi.SlotOfDay:
		r.Slot = int(step)
	default:
		r.Start = time.Unix(step, 0).UTC()
	}
}

func (f figure) reading(place kpi.Reading, numerator, denominator float64) kpi.Reading {
	place.Metric, place.Version = f.definition.Metric, f.definition.Version
	place.Numerator = numerator / f.numerator.unit
	place.Denominator = denominator
	if f.denominator.column != "" {
		place.Denominator = denominator / f.denominator.unit
	}
	if place.Denominator > 0 {
		value := place.Numerator / place.Denominator
		place.Value = &value
	}
	return place
}

// current is the set of current generations, sent along with the question.
func (q question) current(ctx context.Context, conn clickhouse.Conn) (*ext.Table, error) {
	table, err := ext.NewTable("current", ext.Column("generation", "UInt64"))
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(forReading(ctx), q.generationsSQL())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var generation uint64
		if err := rows.Scan(&generation); err != nil {
			return nil, err
		}
		if err := table.Append(generation); err != nil {
			return nil, err
		}
	}
	return table, rows.Err()
}
