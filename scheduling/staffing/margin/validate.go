package margin

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Limits that keep a typing mistake from taking the machine down.
const (
	maxDays      = 93
	maxScenarios = 5000
	maxYuan      = 1e10
	maxCells     = 60_000_000 // slots times scenarios: 4 bytes each
	maxContacts  = 1e6        // per slot
	maxCrowd     = 100.0      // of a slot's contacts
	maxBadSlots  = 10         // of one queue that are told: a shifted file is bad in every slot
)

// report collects bad fields below a path.
type report struct {
	fields *[]fault.Field
	path   string
}

func (r report) at(format string, args ...any) report {
	name := fmt.Sprintf(format, args...)
	if r.path != "" {
		name = r.path + "." + name
	}
	return report{r.fields, name}
}

func (r report) bad(value any, format string, args ...any) {
	*r.fields = append(*r.fields, fault.Field{Path: r.path, Value: fault.Shorten(fmt.Sprint(value)), Problem: fmt.Sprintf(format, args...)})
}

// amount is a finite number of yuan, 0 or more.
func (r report) amount(v float64) { r.between(v, 0, maxYuan) }

// between is false for NaN.
func (r report) between(v, low, high float64) {
	if !(v >= low && v <= high) {
		r.bad(v, "must be a number from %g to %g", low, high)
	}
}

// share in [0,1].
func (r report) share(v float64) {
	if !(v >= 0 && v <= 1) {
		r.bad(v, "must be a share from 0 to 1: 95 %% is 0.95")
	}
}

// Validate reports every bad field at once. Errors: margin.input.
func (in Input) Validate() error {
	in = in.withDefaults()
	r := report{fields: new([]fault.Field)}
	loc, err := time.LoadLocation(in.Location)
	if err != nil {
		r.at("location").bad(in.Location, "is not a time zone such as Asia/Shanghai")
	}
	if in.SlotMin < 5 || in.SlotMin > 60 || 60%max(in.SlotMin, 1) != 0 {
		r.at("slot_min").bad(in.SlotMin, "must be 5 to 60 minutes and divide the hour")
	}
	if n := in.Until.Sub(in.From); in.From.IsZero() || in.Until.IsZero() || n < 1 || n > maxDays {
		r.at("until").bad(in.Until, "must be 1 to %d days after from (%s)", maxDays, in.From)
	}
	if in.Scenarios < 1 || in.Scenarios > maxScenarios {
		r.at("scenarios").bad(in.Scenarios, "must be 1 to %d", maxScenarios)
	}
	in.Uncertainty.check(r.at("uncertainty"))
	in.Wage.check(r.at("wage"))
	in.checkDays(r)
	if in.MaxHeads < 0 || in.MaxHeads > staffingLimit {
		r.at("max_heads").bad(in.MaxHeads, "must be 0 (no limit) to %d", staffingLimit)
	}
	for i, h := range in.BlockHours {
		if slots := h * 60 / float64(max(in.SlotMin, 1)); !(h > 0 && h <= 24) || math.Abs(slots-math.Round(slots)) > 1e-9 {
			r.at("block_hours[%d]", i).bad(h, "must be above 0, at most 24, and whole slots of %d minutes", in.SlotMin)
		}
	}
	if len(*r.fields) == 0 {
		in.checkQueues(r, loc)
	}
	return fault.Bad("margin.input", "staffing for money", *r.fields)
}

func (u Uncertainty) check(r report) {
	r.at("slot_correlation").share(*u.Slots)
	r.at("day_correlation").share(*u.Days)
	r.at("queue_correlation").share(*u.Queues)
	if !(*u.Carry >= 0 && *u.Carry < 1) {
		r.at("carry").bad(*u.Carry, "must be from 0 to below 1")
	}
}

func (w Wage) check(r report) {
	r.at("hour_yuan").between(w.HourYuan, 0, 10_000)
	r.at("night_yuan_per_hour").between(w.NightYuan, 0, 10_000)
	r.at("overtime").between(w.Overtime, 1, 10)
	r.at("rest_day").between(w.RestDay, 1, 10)
	r.at("holiday").between(w.Holiday, 1, 10)
	r.at("regular_hours_per_day").between(w.RegularHours, 0, 1e6)
	if !(w.Shrinkage >= 0 && w.Shrinkage < 1) {
		r.at("shrinkage").bad(w.Shrinkage, "must be a share from 0 to below 1")
	}
	if _, ok := parseWindow(w.NightWindow); !ok && (w.NightWindow != "" || w.NightYuan > 0) {
		r.at("night_window").bad(w.NightWindow, "must be a daily window such as 22:00-06:00")
	}
}

func (in Input) checkDays(r report) {
	seen := map[calendar.Date]bool{}
	for i, d := range in.Days {
		if d.Kind != Workday && d.Kind != RestDay && d.Kind != Holiday {
			r.at("days[%d].kind", i).bad(d.Kind, "must be workday, rest or holiday")
		}
		if seen[d.Date] {
			r.at("days[%d].date", i).bad(d.Date, "is there twice")
		}
		seen[d.Date] = true
	}
}

func (in Input) checkQueues(r report, loc *time.Location) {
	if len(in.Queues) == 0 {
		r.at("queues").bad("", "is empty: there is nothing to staff")
	}
	seen := map[ids.Queue]bool{}
	slots, floors := 0, map[int]int{}
	for i, q := range in.Queues {
		at := r.at("queues[%d]", i)
		if problem := ids.Check(string(q.Queue)); problem != "" {
			at.at("queue").bad(q.Queue, "%s", problem)
		}
		if seen[q.Queue] {
			at.at("queue").bad(q.Queue, "is there twice")
		}
		seen[q.Queue] = true
		q.check(at, in, loc)
		slots += len(q.Demand.Slots)
		for _, s := range q.Demand.Slots {
			floors[int(s.Start.Sub(in.From.In(loc))/time.Minute)/in.SlotMin] += max(q.MinHeads, s.MinHeads)
		}
	}
	in.checkJoint(r)
	if slots*in.Scenarios > maxCells {
		r.at("scenarios").bad(in.Scenarios, "times %d slots are more than %d draws: take fewer", slots, maxCells)
	}
	for _, n := range floors {
		if in.MaxHeads > 0 && n > in.MaxHeads {
			r.at("max_heads").bad(in.MaxHeads, "is less than the min_heads of all queues together (%d)", n)
			break
		}
	}
}

// checkJoint wants the terms of one name to be alike.
func (in Input) checkJoint(r report) {
	first := map[string]Term{}
	for i, q := range in.Queues {
		own := map[string]bool{}
		for k, t := range q.Terms {
			if t.Joint == "" {
				continue
			}
			at, id := r.at("queues[%d].terms[%d].joint", i, k), t.ID
			t.ID = ""
			switch before, known := first[t.Joint]; {
			case t.Period != Average:
				at.bad(t.Joint, "is for the period average")
			case t.FeeBaseYuan == 0 && slices.ContainsFunc(t.Ladder, func(s Step) bool { return s.DeductRate > 0 }):
				at.bad(t.Joint, "needs fee_base_yuan: the fee of all its queues")
			case own[t.Joint]:
				at.bad(t.Joint, "is there twice in the queue")
			case known && !reflect.DeepEqual(before, t):
				at.bad(t.Joint, "differs from the term of that name in another queue, beside its id %s", id)
			default:
				first[t.Joint] = t
			}
			own[t.Joint] = true
		}
	}
}

func (q Queue) check(r report, in Input, loc *time.Location) {
	q.Demand.check(r.at("demand"), in, loc)
	q.Handling.check(r.at("handling"))
	if q.MinHeads < 0 || q.MinHeads > staffingLimit {
		r.at("min_heads").bad(q.MinHeads, "must be 0 to %d", staffingLimit)
	}
	for i, s := range q.Demand.Slots {
		if q.MaxHeads > 0 && s.MinHeads > q.MaxHeads {
			r.at("demand.slots[%d].min_heads", i).bad(s.MinHeads, "must be at most the max_heads of the queue, which is %d", q.MaxHeads)
			break
		}
	}
	if q.MaxHeads < 0 || q.MaxHeads > staffingLimit || q.MaxHeads > 0 && q.MaxHeads < q.MinHeads {
		r.at("max_heads").bad(q.MaxHeads, "must be 0 (no limit), or at least min_heads and at most %d", staffingLimit)
	}
	r.at("hour_yuan").between(q.HourYuan, 0, 10_000)
	if s := q.Service; s != nil {
		t := Term{Metric: s.Metric, WithinS: s.WithinS, Target: s.Least, Period: Average, PerMissedYuan: 1}
		if timed(s.Metric) {
			r.at("service.metric").bad(s.Metric, "must be a share: first_within, round_within or abandon")
		} else {
			t.check(r.at("service"), q.Handling)
		}
		if s.Least >= 1 {
			r.at("service.least").bad(s.Least, "must be below 1: no number of heads answers everybody")
		}
	}
	p := r.at("prices")
	p.at("fee_yuan").amount(q.Prices.FeeYuan)
	p.at("per_contact_yuan").amount(q.Prices.PerContactYuan)
	p.at("per_hour_yuan").amount(q.Prices.PerHourYuan)
	if q.Prices.PerHourYuan > 0 && q.MaxHeads == 0 {
		r.at("max_heads").bad(0, "is needed with per_hour_yuan: say how many heads the merchant pays for")
	}
	r.at("penalty_cap_yuan").amount(q.PenaltyCapYuan)
	if q.Commission != nil {
		q.Commission.check(r.at("commission"), q.Handling)
	}
	if q.PenaltyCapYuan > 0 && slices.ContainsFunc(q.Terms, func(t Term) bool { return t.Joint != "" }) {
		r.at("penalty_cap_yuan").bad(q.PenaltyCapYuan, "does not go with joint terms")
	}
	seen := map[string]bool{}
	for i, t := range q.Terms {
		at := r.at("terms[%d]", i)
		if problem := ids.Check(t.ID); problem != "" {
			at.at("id").bad(t.ID, "%s", problem)
		}
		if seen[t.ID] {
			at.at("id").bad(t.ID, "is there twice")
		}
		seen[t.ID] = true
		t.check(at, q.Handling)
	}
}

func (d Demand) check(r report, in Input, loc *time.Location) {
	for i, p := range d.Levels {
		if !(p > 0 && p < 1) || i > 0 && !(p > d.Levels[i-1]) {
			r.at("levels[%d]", i).bad(p, "must lie between 0 and 1 and be above the level before it")
		}
	}
	if len(d.Slots) == 0 {
		r.at("slots").bad("", "is empty: there is nothing to staff")
	}
	start, end, step := in.From.In(loc), in.Until.In(loc), time.Duration(in.SlotMin)*time.Minute
	before := len(*r.fields)
	for i, s := range d.Slots {
		if len(*r.fields) >= before+maxBadSlots {
			break
		}
		at := r.at("slots[%d]", i)
		if s.Start.Before(start) || !s.Start.Before(end) || s.Start.Sub(start)%step != 0 {
			at.at("start").bad(s.Start.Format(time.RFC3339), "must be the start of a slot of %d minutes from %s to before %s", in.SlotMin, in.From, in.Until)
		}
		if i > 0 && !d.Slots[i-1].Start.Before(s.Start) {
			at.at("start").bad(s.Start.Format(time.RFC3339), "is not after the slot before it")
		}
		at.at("mean").between(s.Mean, 0, maxContacts)
		at.at("handle_time_s").between(s.HandleTimeS, 0, 86400)
		if s.Crowd != 0 {
			at.at("crowd").between(s.Crowd, 1, maxCrowd)
		}
		if s.MinHeads < 0 || s.MinHeads > staffingLimit {
			at.at("min_heads").bad(s.MinHeads, "must be 0 to %d", staffingLimit)
		}
		d.quantiles(at, s.Quantiles, maxContacts)
	}
	seen := map[calendar.Date]bool{}
	for i, t := range d.DayTotals {
		at := r.at("day_totals[%d]", i)
		if t.Date.Before(in.From) || !t.Date.Before(in.Until) || seen[t.Date] {
			at.at("date").bad(t.Date, "must be a day of the horizon, once")
		}
		seen[t.Date] = true
		d.quantiles(at, t.Quantiles, 288*maxContacts)
	}
}

func (d Demand) quantiles(r report, q []float64, most float64) {
	if len(q) != len(d.Levels) || !slices.IsSorted(q) || slices.ContainsFunc(q, func(v float64) bool { return !(v >= 0 && v <= most) }) {
		r.at("quantiles").bad(fmt.Sprint(q), "must be one per level, ascending, from 0 to %g", most)
	}
}
