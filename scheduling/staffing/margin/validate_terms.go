package margin

import (
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

func (h Handling) check(r report) {
	switch h.Model {
	case Rate:
		if !(h.ContactsPerHour > 0 && h.ContactsPerHour <= 1e5) {
			r.at("contacts_per_hour").bad(h.ContactsPerHour, "must be above 0")
		}
		return
	case Calls, Chats:
	default:
		r.at("model").bad(h.Model, "must be calls, chats or rate")
		return
	}
	const longest = 30 * 86400
	before := len(*r.fields)
	if !(h.HandleTimeS > 0 && h.HandleTimeS <= longest) {
		r.at("handle_time_s").bad(h.HandleTimeS, "must be above 0 seconds")
	}
	if !(h.PatienceS >= 0 && h.PatienceS <= longest) || h.Model == Chats && h.PatienceS == 0 {
		r.at("patience_s").bad(h.PatienceS, "must be above 0 seconds; 0 (nobody leaves) is for calls only")
	}
	if len(*r.fields) > before || h.Model == Calls {
		return
	}
	c := staffing.Chats{
		Contacts: 1, Interval: time.Hour, HandleTime: seconds(h.HandleTimeS), Patience: seconds(h.PatienceS),
		Concurrency: h.Concurrency, Overhead: h.Overhead, Rounds: h.Rounds, Slowdown: h.Slowdown,
	}
	if err := c.Validate(); err != nil {
		for _, f := range fault.Of(err).Fields {
			r.at("%s", f.Path).bad(f.Value, "%s", f.Problem)
		}
	}
}

func (c Commission) check(r report, h Handling) {
	r.at("rate").share(c.Rate)
	r.at("conversion").share(c.Conversion)
	r.at("basket_yuan").amount(c.BasketYuan)
	r.at("elasticity").between(c.Elasticity, 0, 10)
	r.at("reference_s").between(c.ReferenceS, 0, 86400)
	r.at("fastest_s").between(c.FastestS, 0, 86400)
	if c.Elasticity > 0 && c.ReferenceS == 0 {
		r.at("reference_s").bad(0, "is needed with an elasticity: the response time at which the conversion holds")
	}
	if c.Elasticity > 0 && h.Model == Rate {
		r.at("elasticity").bad(c.Elasticity, "needs a response time, which the model rate does not have")
	}
}

func (t Term) check(r report, h Handling) {
	switch {
	case !slices.Contains([]string{FirstWithin, RoundWithin, Abandoned, FirstMean, ResponseMean}, t.Metric):
		r.at("metric").bad(t.Metric, "must be first_within, round_within, abandon, first_mean or response_mean")
	case timed(t.Metric) && h.Model == Rate:
		r.at("metric").bad(t.Metric, "needs a response time, which the model rate does not have")
	case timed(t.Metric) && t.PerMissedYuan > 0:
		r.at("per_missed_yuan").bad(t.PerMissedYuan, "is for shares: a mean time is met or missed as a whole")
	case (t.Metric == RoundWithin || t.Metric == ResponseMean) && h.Model != Chats:
		r.at("metric").bad(t.Metric, "needs the model chats: only chats have rounds")
	case (t.Metric == Abandoned || timed(t.Metric)) && t.WithinS != 0:
		r.at("within_s").bad(t.WithinS, "must be left out with %s", t.Metric)
	case t.Metric != Abandoned && !timed(t.Metric) && h.Model != Rate && !(t.WithinS > 0 && t.WithinS <= 86400):
		r.at("within_s").bad(t.WithinS, "must be above 0 seconds, at most a day")
	}
	if timed(t.Metric) {
		if !(t.Target > 0 && t.Target <= endless) {
			r.at("target").bad(t.Target, "must be above 0 seconds, at most an hour")
		}
	} else if !(t.Target >= 0 && t.Target <= 1) {
		r.at("target").bad(t.Target, "must be a share from 0 to 1: 95 %% is 0.95, and more than all contacts cannot be asked for")
	}
	t.checkPeriod(r)
	if t.From.IsZero() && !t.Until.IsZero() || !t.Until.IsZero() && !t.From.Before(t.Until) {
		r.at("until").bad(t.Until, "must be after from")
	}
	if _, ok := parseWindow(t.Window); !ok && t.Window != "" {
		r.at("window").bad(t.Window, "must be a daily window such as 20:00-24:00")
	}
	r.at("fee_base_yuan").amount(t.FeeBaseYuan)
	r.at("per_missed_yuan").amount(t.PerMissedYuan)
	r.at("cap_yuan").amount(t.CapYuan)
	t.checkLadder(r)
	t.checkBonus(r)
}

func (t Term) checkPeriod(r report) {
	switch t.Period {
	case Average:
		if t.Event != nil {
			r.at("event").bad(t.Event.Multiplier, "is for day and run; give an average its own from and until")
		}
	case Daily:
	case Run:
		if t.RunDays < 2 || t.RunDays > maxDays {
			r.at("run_days").bad(t.RunDays, "must be 2 to %d days", maxDays)
		}
		if len(t.Ladder) != 1 {
			r.at("ladder").bad(len(t.Ladder), "must have exactly one step: what a run of bad days deducts")
		}
		if len(t.Bonus) > 0 {
			r.at("bonus").bad(len(t.Bonus), "is not for run")
		}
		if t.PerMissedYuan > 0 {
			r.at("per_missed_yuan").bad(t.PerMissedYuan, "is not for run; make it a term of its own")
		}
	default:
		r.at("period").bad(t.Period, "must be average, day or run")
	}
	if t.Period != Run && t.RunDays != 0 {
		r.at("run_days").bad(t.RunDays, "is for run only")
	}
	if e := t.Event; e != nil {
		r.at("event.multiplier").between(e.Multiplier, 0, 1000)
		if e.From.IsZero() || !e.From.Before(e.Until) {
			r.at("event.until").bad(e.Until, "must be after from")
		}
	}
	r.at("outside_contacts").between(t.OutsideContacts, 0, 1e9)
	if timed(t.Metric) {
		if t.OutsideContacts != 0 {
			r.at("outside_contacts").bad(t.OutsideContacts, "is for shares")
		}
	} else if !(t.OutsideMet >= 0 && t.OutsideMet <= t.OutsideContacts) {
		r.at("outside_met").bad(t.OutsideMet, "must be 0 to outside_contacts")
	}
	if t.OutsideContacts != 0 && t.Period != Average {
		r.at("outside_contacts").bad(t.OutsideContacts, "is for average only")
	}
}

// checkLadder wants steps that ascend in shortfall and deduction and leave no gap.
func (t Term) checkLadder(r report) {
	if len(t.Ladder)+len(t.Bonus) == 0 && t.PerMissedYuan == 0 {
		r.at("ladder").bad("", "is empty: without ladder, bonus or per_missed_yuan the term has no money in it")
	}
	furthest := t.Target
	switch {
	case t.Metric == Abandoned:
		furthest = 1 - t.Target
	case timed(t.Metric):
		furthest = endless
	}
	for i, s := range t.Ladder {
		at := r.at("ladder[%d]", i)
		if !(s.Miss >= 0 && s.Miss <= furthest) {
			at.at("miss").bad(s.Miss, "must be from 0 to %g, the largest shortfall that the target allows", furthest)
		}
		at.at("deduct_rate").share(s.DeductRate)
		at.at("deduct_yuan").amount(s.DeductYuan)
		if i > 0 {
			before := t.Ladder[i-1]
			if !(s.Miss > before.Miss) {
				at.at("miss").bad(s.Miss, "must be above %g: a ladder ascends", before.Miss)
			}
			if !(s.DeductRate >= before.DeductRate && s.DeductYuan >= before.DeductYuan) {
				at.at("deduct_rate").bad(s.DeductRate, "must not deduct less than the step before it")
			}
		}
		t.checkJoint(at, i)
	}
}

// checkJoint compares where a step says it ends with where the next one begins.
func (t Term) checkJoint(r report, i int) {
	s := t.Ladder[i]
	if s.Until == nil {
		return
	}
	if i+1 == len(t.Ladder) {
		r.at("until").bad(*s.Until, "must be left out in the last step: a shortfall beyond it would be a gap in the ladder")
		return
	}
	switch next := t.Ladder[i+1].Miss; {
	case math.IsNaN(*s.Until) || next > *s.Until+touch:
		r.at("until").bad(*s.Until, "leaves a gap in the ladder: the next step begins at %g", next)
	case next < *s.Until-touch:
		r.at("until").bad(*s.Until, "overlaps the next step, which begins at %g", next)
	}
}

func (t Term) checkBonus(r report) {
	furthest := 1 - t.Target
	if t.Metric == Abandoned || timed(t.Metric) {
		furthest = t.Target
	}
	for i, b := range t.Bonus {
		at := r.at("bonus[%d]", i)
		if !(b.Over >= 0 && b.Over <= furthest) {
			at.at("over").bad(b.Over, "must be a share from 0 to %g, the most that the target can be exceeded by", furthest)
		}
		at.at("rate").share(b.Rate)
		at.at("bonus_yuan").amount(b.Bonus)
		if i > 0 && !(b.Over > t.Bonus[i-1].Over && b.Rate >= t.Bonus[i-1].Rate && b.Bonus >= t.Bonus[i-1].Bonus) {
			at.at("over").bad(b.Over, "must be above the step before it, and pay no less")
		}
	}
}
