package forecast

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

// Bot deflection (机器人接待占比) is its own factor: human contacts = arrivals x (1 - share that the
// bot ends alone). Forecasting human contacts directly would take a better bot for a smaller shop.

// DeflectionRecord is the history of one slot.
type DeflectionRecord struct {
	Start     time.Time
	Arrivals  float64 // all who came, bot and human
	Deflected float64 // of them, those the bot ended without a human
}

// DeflectionHistory is the record of a queue's bot.
type DeflectionHistory struct {
	Slot     time.Duration
	Location *time.Location
	Records  []DeflectionRecord // any order
}

// DeflectionChange is a planned step of the share: a new bot from a date.
type DeflectionChange struct {
	From   time.Time `json:"from"`
	Points float64   `json:"points"` // change of the share: +0.05 = five percentage points more, in (-1, 1)
	Doubt  float64   `json:"doubt"`  // standard deviation of Points, in [0, 1]
	Reason string    `json:"reason"`
}

// DeflectionOptions says what is known besides the history.
type DeflectionOptions struct {
	Origin   time.Time
	Events   []Event
	Holidays calendar.Holidays
	Prior    *FigureModel // what other queues of the bot taught
	Changes  []DeflectionChange
}

// DeflectionForecast is the share and what it leaves for people.
type DeflectionForecast struct {
	Share  []RatioPoint     `json:"share"` // expected share of each slot, in [0,1]; quantiles without the sampling of the slot's contacts
	Human  scheduling.Curve `json:"human"` // contacts that reach a human
	Model  FigureModel      `json:"model"`
	Doubts []string         `json:"doubts"`
}

// ForecastDeflection forecasts the deflected share for the points of a curve of arrivals and the
// human contacts that remain. Errors: "forecast.deflection" (every bad field), "curve.invalid",
// "forecast.events", "forecast.no_history" when there is neither an arrival nor a prior.
func ForecastDeflection(h DeflectionHistory, arrivals scheduling.Curve, o DeflectionOptions) (DeflectionForecast, error) {
	if err := o.check(h, arrivals); err != nil {
		return DeflectionForecast{}, err
	}
	records := make([]FigureRecord, len(h.Records))
	for i, r := range h.Records {
		records[i] = FigureRecord{Start: r.Start, Contacts: r.Arrivals}
		if r.Arrivals > 0 {
			records[i].Mean = r.Deflected / r.Arrivals
		}
	}
	f := newFigures(figures{link: logitLink, slot: h.Slot, loc: zoneOf(h.Location), holidays: o.Holidays, events: o.Events, prior: o.Prior}, records, o.Origin)
	if len(f.rows) == 0 && o.Prior == nil {
		return DeflectionForecast{}, fault.New(fault.Invalid, "forecast.no_history", "no arrival lies before the origin and no prior is given")
	}
	f.anchor(arrivals)
	coming := f.pastChanges(o.Changes)
	f.fit()
	out := DeflectionForecast{Model: f.model(), Share: make([]RatioPoint, len(arrivals.Points)), Human: arrivals}
	out.Human.Points = make([]scheduling.Point, len(arrivals.Points))
	for i, p := range arrivals.Points {
		eta, variance := f.expected(p.Start, arrivals.Slot)
		for _, c := range coming {
			if !p.Start.Before(c.From) {
				shift, doubt := c.logit(f.link.from(eta))
				eta += shift
				variance += doubt
			}
		}
		s := shareBelief{eta, min(variance, 9)}
		out.Share[i] = s.point(p.Start, arrivals.Levels)
		out.Human.Points[i] = s.human(p, arrivals.Levels)
	}
	out.Doubts = append(f.allDoubts(arrivals), changeDoubts(coming, f.loc)...)
	if err := out.Human.Validate(); err != nil {
		return DeflectionForecast{}, fault.Wrap(err, fault.Internal, "forecast.curve", "the human volume broke its own invariants")
	}
	return out, nil
}

func (o DeflectionOptions) check(h DeflectionHistory, c scheduling.Curve) error {
	figures := make([]FigureRecord, len(h.Records))
	var bad []fault.Field
	for i, r := range h.Records {
		figures[i] = FigureRecord{Start: r.Start, Contacts: r.Arrivals}
		if !(r.Deflected >= 0 && r.Deflected <= r.Arrivals) && len(bad) < 10 {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("records[%d].deflected", i), Value: fmt.Sprint(r.Deflected), Problem: "must lie between 0 and the arrivals"})
		}
	}
	bad = append(bad, figureProblems(h.Slot, figures, 1)...)
	for i, x := range o.Changes {
		path := fmt.Sprintf("changes[%d]", i)
		if x.From.IsZero() {
			bad = append(bad, fault.Field{Path: path + ".from", Problem: "is required"})
		}
		if !(x.Points > -1 && x.Points < 1) {
			bad = append(bad, fault.Field{Path: path + ".points", Value: fmt.Sprint(x.Points), Problem: "must lie between -1 and 1 (0.05 = five points)"})
		}
		if !(x.Doubt >= 0 && x.Doubt <= 1) {
			bad = append(bad, fault.Field{Path: path + ".doubt", Value: fmt.Sprint(x.Doubt), Problem: "must lie between 0 and 1"})
		}
	}
	if o.Prior != nil {
		bad = append(bad, o.Prior.problems(1)...)
	}
	if err := fault.Bad("forecast.deflection", "bot deflection", bad); err != nil {
		return err
	}
	if err := ValidateEvents(o.Events); err != nil {
		return err
	}
	return c.Validate()
}

// pastChanges puts changes inside the history into the level as a step with its doubt, which the
// data then correct, and returns those that are still to come, in order.
func (f *figures) pastChanges(changes []DeflectionChange) (coming []DeflectionChange) {
	changes = slices.Clone(changes)
	slices.SortStableFunc(changes, func(a, b DeflectionChange) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Points, b.Points), cmp.Compare(a.Doubt, b.Doubt))
	})
	f.jumps = map[int]jump{}
	share := f.link.from(f.level.m)
	for _, c := range changes {
		day, _ := wallSlot(c.From.Add(12*time.Hour), f.slot, f.loc) // a step in the afternoon is felt on the next day
		day -= f.firstDay
		if day >= f.days() {
			coming = append(coming, c)
			continue
		}
		if day > 0 { // a step before the first record is in every record
			shift, variance := c.logit(share)
			before := f.jumps[day]
			f.jumps[day] = jump{before.shift + shift, before.variance + variance}
		}
	}
	return coming
}

// logit is the step and its variance on the logit scale at a share.
func (c DeflectionChange) logit(share float64) (shift, variance float64) {
	after := min(max(share+c.Points, 0.001), 0.999)
	slope := after * (1 - after)
	doubt := min(c.Doubt/slope, 3)
	return logitLink.to(after) - logitLink.to(share), doubt * doubt
}

func changeDoubts(coming []DeflectionChange, loc *time.Location) []string {
	var out []string
	for _, c := range coming {
		out = append(out, fmt.Sprintf("from %s the bot is planned to take %+.1f points (give or take %.1f): nothing in the history shows it yet", stamp(c.From.In(loc)), 100*c.Points, 100*c.Doubt))
	}
	return out
}

// shareBelief is a share whose logit is normal.
type shareBelief struct{ eta, variance float64 }

// mean by MacKay's approximation of the logistic-normal integral (Neural Computation 4, 1992).
func (s shareBelief) mean() float64 { return logitLink.from(s.eta / math.Sqrt(1+math.Pi*s.variance/8)) }

// at is the quantile whose standard normal counterpart is z.
func (s shareBelief) at(z float64) float64 { return logitLink.from(s.eta + z*math.Sqrt(s.variance)) }

func (s shareBelief) point(start time.Time, levels []float64) RatioPoint {
	p := RatioPoint{Start: start, Mean: s.mean(), Quantiles: make([]float64, len(levels))}
	for i, q := range levels {
		p.Quantiles[i] = s.at(distuv.UnitNormal.Quantile(q))
	}
	return p
}

// human is what the bot leaves of one slot. Three independent deviations add up as squares at each
// level: arrivals (their quantile), share (its quantile from the other side), and which of the
// arrivals the bot ends (binomial). All three rise with the level, so the sum does; no level of the
// human contacts is above the same level of the arrivals.
func (s shareBelief) human(p scheduling.Point, levels []float64) scheduling.Point {
	share := s.mean()
	out := scheduling.Point{Start: p.Start, Mean: p.Mean * (1 - share), HandleTime: p.HandleTime, Quantiles: make([]float64, len(levels))}
	for i, q := range levels {
		z := distuv.UnitNormal.Quantile(q)
		sum := signedSquare((1-share)*(p.Quantiles[i]-p.Mean)) +
			signedSquare(p.Mean*(share-s.at(-z))) +
			signedSquare(z*math.Sqrt(p.Mean*share*(1-share)))
		x := out.Mean + math.Copysign(math.Sqrt(math.Abs(sum)), sum)
		out.Quantiles[i] = min(max(0, x), p.Quantiles[i])
		if i > 0 {
			out.Quantiles[i] = max(out.Quantiles[i], out.Quantiles[i-1])
		}
	}
	return out
}

func signedSquare(x float64) float64 { return x * math.Abs(x) }
