package kpi

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// Limits are the first-response limits that the roll-ups count, for Query.Within.
var Limits = []time.Duration{
	10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second,
	45 * time.Second, time.Minute, 3 * time.Minute, 5 * time.Minute,
}

// Validate reports every bad field. Range and window must lie on 15-minute borders, because
// nothing finer is kept. Errors: kpi.query.invalid.
func (q Query) Validate() error {
	var bad []fault.Field
	add := func(path, value, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: value, Problem: problem})
	}
	if len(q.Metrics) == 0 {
		add("metrics", "", "names no metric")
	}
	for i, metric := range q.Metrics {
		if slices.Contains(q.Metrics[:i], metric) {
			add(fmt.Sprintf("metrics[%d]", i), string(metric), "is named twice")
		}
	}
	if q.Within != 0 && !slices.Contains(Limits, q.Within) {
		add("within", q.Within.String(), "must be one of 10, 15, 20, 30, 45, 60, 180 or 300 s")
	}
	for i, by := range q.By {
		path := fmt.Sprintf("by[%d]", i)
		if !slices.Contains([]Dimension{ByMerchant, ByShop, ByQueue, ByAgent}, by) {
			add(path, string(by), "must be merchant, shop, queue or agent")
		} else if slices.Contains(q.By[:i], by) {
			add(path, string(by), "is named twice")
		}
	}
	if !slices.Contains([]Grain{Whole, Slot, Hour, Day, Month, SlotOfDay}, q.Grain) {
		add("grain", string(q.Grain), "must be whole, slot, hour, day, month or slot_of_day")
	}
	checkBorder := func(path string, t time.Time) {
		if t.Year() < 1999 || t.Year() > 2100 { // nothing else is ever imported
			add(path, t.Format(time.RFC3339), "must lie between 2000 and 2100")
		} else if t.UnixNano()%int64(calendar.Slot) != 0 {
			add(path, t.Format(time.RFC3339Nano), "must be on a 15-minute border")
		}
	}
	if !q.Range.Valid() {
		add("range", "", "must end after it starts")
	} else {
		checkBorder("range.start", q.Range.Start)
		checkBorder("range.end", q.Range.End)
	}
	if _, err := ParseWindow(q.Window); err != nil {
		add("window", q.Window, err.Error())
	}
	return fault.Bad("kpi.query.invalid", "query", bad)
}

// Window is a daily span of local minutes [From, Until). Until may be 1440; From > Until runs
// over midnight; the zero Window is the whole day.
type Window struct{ From, Until int }

// ParseWindow reads "09:00-23:00"; "" is the whole day. Both ends are on 15-minute borders.
func ParseWindow(s string) (Window, error) { return parseMinutes(s, 15) }

func parseMinutes(s string, border int) (Window, error) {
	if s == "" {
		return Window{}, nil
	}
	from, until, ok := strings.Cut(s, "-")
	a, errA := minuteOfDay(from)
	b, errB := minuteOfDay(until)
	if !ok || errA != nil || errB != nil || a == b || a == 24*60 {
		return Window{}, fault.New(fault.Invalid, "kpi.window.invalid", "must be a window like 09:00-23:00")
	}
	if a%border != 0 || b%border != 0 {
		return Window{}, fault.New(fault.Invalid, "kpi.window.invalid", "must be on %d-minute borders", border)
	}
	return Window{a, b}, nil
}

func minuteOfDay(s string) (int, error) {
	if s == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, err
	}
	return t.Hour()*60 + t.Minute(), nil
}

// Contains reports whether a local minute of the day lies in the window.
func (w Window) Contains(minute int) bool {
	switch {
	case w == Window{}:
		return true
	case w.From < w.Until:
		return w.From <= minute && minute < w.Until
	default:
		return minute >= w.From || minute < w.Until
	}
}
