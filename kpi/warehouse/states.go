package warehouse

import (
	"fmt"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
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

// figureOf resolves a definition without a rule.
func figureOf(q kpi.Query, d kpi.Definition) (figure, error) {
	f := figure{definition: d}
	var err error
	if f.numerator, err = lookupState(d, d.Numerator, q.Within); err != nil {
		return f, err
	}
	if d.Denominator == "" {
		return f, nil
	}
	if f.denominator, err = lookupState(d, d.Denominator, q.Within); err != nil {
		return f, err
	}
	if f.denominator.time != f.numerator.time {
		return f, fault.New(fault.Invalid, "kpi.definition.base", "metric %q divides sessions by state time", d.Metric)
	}
	return f, nil
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
