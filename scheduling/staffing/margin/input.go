package margin

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// Input is everything that the engine looks at. Money is in yuan, shares are fractions.
type Input struct {
	Location  string        `json:"location,omitempty"` // IANA time zone; empty = Asia/Shanghai
	SlotMin   int           `json:"slot_min,omitempty"` // minutes, 5 to 60, divides 60; 0 = 15
	From      calendar.Date `json:"from"`               // first day of the horizon
	Until     calendar.Date `json:"until"`              // first day after it; at most 93 days
	Seed      uint64        `json:"seed"`
	Scenarios int           `json:"scenarios,omitempty"` // 1 to 5000; 0 = 400

	Uncertainty Uncertainty `json:"uncertainty"`
	Wage        Wage        `json:"wage"`
	Days        []Day       `json:"days,omitempty"`        // rest days and holidays; the others are workdays
	MaxHeads    int         `json:"max_heads,omitempty"`   // seats: most heads at once over all queues; 0 = no limit
	BlockHours  []float64   `json:"block_hours,omitempty"` // lengths people come for, e.g. 4 and 8; empty = single slots
	Queues      []Queue     `json:"queues"`
}

// Uncertainty says how forecast errors hang together. Absent values take the defaults of
// DefaultUncertainty; a pointer keeps 0 apart from absent.
type Uncertainty struct {
	Slots  *float64 `json:"slot_correlation,omitempty"`  // share of a slot's variance that its whole day has in common, [0,1]
	Days   *float64 `json:"day_correlation,omitempty"`   // between the factors of two days, [0,1]
	Queues *float64 `json:"queue_correlation,omitempty"` // between the factors of two queues, [0,1]
	Carry  *float64 `json:"carry,omitempty"`             // of a slot's own part with the next slot's, [0,1)
}

// DefaultUncertainty are beliefs for use before a back-test has measured them.
func DefaultUncertainty() Uncertainty {
	slots, days, queues, carry := 0.5, 0.4, 0.4, 0.5
	return Uncertainty{Slots: &slots, Days: &days, Queues: &queues, Carry: &carry}
}

// DayKind says at which rate a day is paid (Labour Law of the PRC, art. 44).
type DayKind string

// The kinds of day.
const (
	Workday DayKind = "workday" // 100 %, beyond RegularHours Wage.Overtime
	RestDay DayKind = "rest"    // Wage.RestDay
	Holiday DayKind = "holiday" // Wage.Holiday
)

// Day marks a date that is no workday.
type Day struct {
	Date calendar.Date `json:"date"`
	Kind DayKind       `json:"kind"`
}

// Wage is what an hour of a person costs.
type Wage struct {
	HourYuan     float64 `json:"hour_yuan"`                       // all-in cost of a regular paid hour, 0 or more
	Overtime     float64 `json:"overtime,omitempty"`              // multiple on workdays beyond RegularHours; 0 = 1.5
	RestDay      float64 `json:"rest_day,omitempty"`              // multiple; 0 = 2
	Holiday      float64 `json:"holiday,omitempty"`               // multiple; 0 = 3
	RegularHours float64 `json:"regular_hours_per_day,omitempty"` // paid hours per workday at 100 %, all queues; 0 = no limit
	NightWindow  string  `json:"night_window,omitempty"`          // "22:00-06:00"
	NightYuan    float64 `json:"night_yuan_per_hour,omitempty"`   // allowance on top
	Shrinkage    float64 `json:"shrinkage,omitempty"`             // share of paid time not on the queue, [0,1)
}

// Queue is one queue with its demand, its work and its contract.
type Queue struct {
	Queue          ids.Queue   `json:"queue"`
	Demand         Demand      `json:"demand"`
	Handling       Handling    `json:"handling"`
	HourYuan       float64     `json:"hour_yuan,omitempty"` // all-in cost of a regular paid hour of those who know the queue; 0 = that of Wage
	MinHeads       int         `json:"min_heads,omitempty"` // in every open slot
	MaxHeads       int         `json:"max_heads,omitempty"` // 0 = no limit
	Prices         Prices      `json:"prices"`
	Commission     *Commission `json:"commission,omitempty"`
	Terms          []Term      `json:"terms,omitempty"`
	PenaltyCapYuan float64     `json:"penalty_cap_yuan,omitempty"` // most that all terms together deduct in the horizon; 0 = none
	Service        *Service    `json:"service,omitempty"`
}

// Service is a share of contacts that outcomes report by day, and what no plan may go below: contracts do not price the client
// who leaves, so the money alone would staff some of them with one head.
type Service struct {
	Metric  string  `json:"metric"`             // first_within, round_within, or abandon (the share that does not leave)
	WithinS float64 `json:"within_s,omitempty"` // seconds; not with abandon
	// Least is the smallest expected share in every slot, in [0,1); 0 = none, only report. A slot that cannot reach it gets as
	// many heads as help; seats (max_heads) come first.
	Least float64 `json:"least,omitempty"`
}

// Demand is the forecast distribution of one queue.
type Demand struct {
	Levels    []float64  `json:"levels,omitempty"`     // of the quantiles, ascending in (0,1); fewer than two = the mean is certain
	Slots     []Slot     `json:"slots"`                // ascending; closed slots are left out
	DayTotals []DayTotal `json:"day_totals,omitempty"` // where given, they decide how much the slots of a day have in common
}

// Slot is one slot of a forecast, in contacts.
type Slot struct {
	Start       time.Time `json:"start"`
	Mean        float64   `json:"mean"`
	Quantiles   []float64 `json:"quantiles,omitempty"`     // one per level, ascending
	HandleTimeS float64   `json:"handle_time_s,omitempty"` // 0 = that of Handling
	// Crowd is how many times as many contacts, coming evenly, would need the same heads: above 1 where many come at once, at
	// the opening of a sale. 0 = 1.
	Crowd    float64 `json:"crowd,omitempty"`
	MinHeads int     `json:"min_heads,omitempty"` // promised in this slot, where that is more than the queue's
}

// crowd with its default.
func (s Slot) crowd() float64 { return max(1, s.Crowd) }

// DayTotal is the forecast of a whole day, in contacts.
type DayTotal struct {
	Date      calendar.Date `json:"date"`
	Quantiles []float64     `json:"quantiles"` // one per level, ascending
}

// DemandOf is a forecast curve as demand.
func DemandOf(c scheduling.Curve) Demand {
	d := Demand{Levels: c.Levels, Slots: make([]Slot, 0, len(c.Points))}
	for _, p := range c.Points {
		d.Slots = append(d.Slots, Slot{Start: p.Start, Mean: p.Mean, Quantiles: p.Quantiles, HandleTimeS: p.HandleTime.Seconds()})
	}
	return d
}

// The handling models.
const (
	Calls = "calls" // Erlang A, or Erlang C where patience is 0
	Chats = "chats" // staffing.Chats
	Rate  = "rate"  // every head answers ContactsPerHour in time and not one more
)

// Handling says how heads become service.
type Handling struct {
	Model           string  `json:"model"`
	HandleTimeS     float64 `json:"handle_time_s,omitempty"`
	PatienceS       float64 `json:"patience_s,omitempty"`  // mean; 0 = nobody leaves (calls only)
	Concurrency     int     `json:"concurrency,omitempty"` // chats: conversations per agent
	Overhead        float64 `json:"overhead,omitempty"`    // chats: share of the handle time that is agent work
	Rounds          float64 `json:"rounds,omitempty"`      // chats: mean rounds per conversation
	Slowdown        float64 `json:"slowdown,omitempty"`    // chats: extra work time per further open conversation
	ContactsPerHour float64 `json:"contacts_per_hour,omitempty"`
}

// Prices is what the merchant pays besides commission.
type Prices struct {
	FeeYuan        float64 `json:"fee_yuan,omitempty"`         // seats and flat fees that fall into the horizon
	PerContactYuan float64 `json:"per_contact_yuan,omitempty"` // of each contact taken up
	PerHourYuan    float64 `json:"per_hour_yuan,omitempty"`    // of each head and hour on the queue; needs max_heads
}

// Commission is a share of sales that a slow first reply loses. Of the contacts taken up,
//
//	Conversion * (max(t, FastestS) / ReferenceS)^-Elasticity
//
// buy for BasketYuan, t being the mean first response of the slot; never more than all of them.
type Commission struct {
	Rate       float64 `json:"rate"`                  // of sales, (0,1]
	BasketYuan float64 `json:"basket_yuan"`           // mean order, net of refunds
	Conversion float64 `json:"conversion"`            // at ReferenceS, [0,1]
	ReferenceS float64 `json:"reference_s,omitempty"` // seconds; needed with an elasticity
	FastestS   float64 `json:"fastest_s,omitempty"`   // below it speed sells no more; 0 = ReferenceS
	Elasticity float64 `json:"elasticity,omitempty"`  // per cent of conversion lost per per cent of response time, 0 or more
}

// The metrics. The first three are shares of contacts (of rounds for RoundWithin).
const (
	FirstWithin = "first_within" // first reply (calls: answer) within WithinS, at least Target
	RoundWithin = "round_within" // every reply within WithinS, at least Target; chats only
	Abandoned   = "abandon"      // buyers who left, at most Target
	// Of these the target is a time in seconds, at most, and so are miss and over of its steps. Slots weigh by arriving contacts.
	FirstMean    = "first_mean"    // mean time to the first reply (calls: to the answer)
	ResponseMean = "response_mean" // mean time to a reply of any round; chats only
)

// The counting periods.
const (
	Average = "average" // one average over the horizon and what lies outside it (monthly average)
	Daily   = "day"     // every day is judged
	Run     = "run"     // every RunDays bad days in a row are judged once
)

// Term is one SLA line and what it costs.
type Term struct {
	ID string `json:"id"`
	// Joint names terms of several queues that are judged as one, on all their contacts together. They are alike but for
	// their id, have the period average, the whole fee as fee_base_yuan, and stand in queues without a penalty cap.
	Joint   string  `json:"joint,omitempty"`
	Metric  string  `json:"metric"`
	WithinS float64 `json:"within_s,omitempty"` // seconds; not with abandon
	Target  float64 `json:"target"`             // share
	Period  string  `json:"period"`
	RunDays int     `json:"run_days,omitempty"` // with run: 2 or more

	From   calendar.Date `json:"from,omitzero"`    // only these days count; zero = all
	Until  calendar.Date `json:"until,omitzero"`   //
	Window string        `json:"window,omitempty"` // only these hours count, "20:00-24:00"; empty = all

	FeeBaseYuan   float64  `json:"fee_base_yuan,omitempty"`   // that deduct_rate is a share of; 0 = Prices.FeeYuan
	Ladder        []Step   `json:"ladder,omitempty"`          // ascending
	Linear        bool     `json:"linear,omitempty"`          // straight lines between the steps instead of stairs
	Bonus         []Reward `json:"bonus,omitempty"`           // ascending; not with run
	PerMissedYuan float64  `json:"per_missed_yuan,omitempty"` // of each contact that misses the metric, from the first; not with run
	CapYuan       float64  `json:"cap_yuan,omitempty"`        // most that the term deducts in the horizon; 0 = none
	Event         *Event   `json:"event,omitempty"`           // not with average: give that its own from and until

	OutsideContacts float64 `json:"outside_contacts,omitempty"` // average: contacts of the period outside the horizon
	OutsideMet      float64 `json:"outside_met,omitempty"`      // of them, those that met the metric (were not abandoned)
}

// Step of a ladder: a shortfall of at least Miss (0: any) deducts a share of the fee plus an amount.
type Step struct {
	Miss       float64  `json:"miss"`            // target minus share (abandon: share minus target)
	Until      *float64 `json:"until,omitempty"` // where the next step begins, if said twice; must fit
	DeductRate float64  `json:"deduct_rate,omitempty"`
	DeductYuan float64  `json:"deduct_yuan,omitempty"`
}

// Reward of a bonus: service better than the target by Over or more earns a share of the fee plus an amount.
type Reward struct {
	Over  float64 `json:"over"`
	Rate  float64 `json:"rate,omitempty"`
	Bonus float64 `json:"bonus_yuan,omitempty"`
}

// Event multiplies what a term deducts on the days of a promotion.
type Event struct {
	From       calendar.Date `json:"from"`
	Until      calendar.Date `json:"until"` // first day after it
	Multiplier float64       `json:"multiplier"`
}

// withDefaults fills what may be left out.
func (in Input) withDefaults() Input {
	orString := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	orFloat := func(f *float64, d float64) {
		if *f == 0 {
			*f = d
		}
	}
	orString(&in.Location, "Asia/Shanghai")
	if in.SlotMin == 0 {
		in.SlotMin = 15
	}
	if in.Scenarios == 0 {
		in.Scenarios = 400
	}
	orFloat(&in.Wage.Overtime, 1.5)
	orFloat(&in.Wage.RestDay, 2)
	orFloat(&in.Wage.Holiday, 3)
	d := DefaultUncertainty()
	for _, p := range []struct{ to, from **float64 }{
		{&in.Uncertainty.Slots, &d.Slots},
		{&in.Uncertainty.Days, &d.Days},
		{&in.Uncertainty.Queues, &d.Queues},
		{&in.Uncertainty.Carry, &d.Carry},
	} {
		if *p.to == nil {
			*p.to = *p.from
		}
	}
	return in
}

// kind of a date.
func (in Input) kind(d calendar.Date) DayKind {
	for _, day := range in.Days {
		if day.Date == d {
			return day.Kind
		}
	}
	return Workday
}

// hour is the cost of a paid hour that starts at a wall-clock time, without overtime.
func (w Wage) hour(kind DayKind, local time.Time) float64 {
	cost := w.HourYuan
	switch kind {
	case RestDay:
		cost *= w.RestDay
	case Holiday:
		cost *= w.Holiday
	}
	if night, ok := parseWindow(w.NightWindow); ok && night.contains(local) {
		cost += w.NightYuan
	}
	return cost
}

// window is wall-clock time of day, in minutes; an end at or before its start runs past midnight.
type window struct{ from, until int }

// parseWindow reads "22:00-06:00"; "24:00" is an end.
func parseWindow(s string) (window, bool) {
	if len(s) != len("00:00-00:00") || s[5] != '-' {
		return window{}, false
	}
	minute := func(s string) int {
		if s == "24:00" {
			return 24 * 60
		}
		t, err := time.Parse("15:04", s)
		if err != nil {
			return -1
		}
		return t.Hour()*60 + t.Minute()
	}
	w := window{minute(s[:5]), minute(s[6:])}
	return w, w.from >= 0 && w.until >= 0 && w.from < 24*60 && w.from != w.until
}

func (w window) contains(local time.Time) bool {
	at := local.Hour()*60 + local.Minute()
	if w.from < w.until {
		return at >= w.from && at < w.until
	}
	return at >= w.from || at < w.until
}
