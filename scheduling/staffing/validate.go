package staffing

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Validate reports every bad field of the input at once. Points without contacts are legal: they need no heads
// beyond MinHeads.
func (in Input) Validate() error {
	var bad []fault.Field
	add := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
	}
	if err := in.Curve.Validate(); err != nil {
		for _, f := range fault.Of(err).Fields {
			f.Path = "curve." + f.Path
			bad = append(bad, f)
		}
	} else {
		in.checkSlots(add)
		in.checkHandleTimes(add)
	}
	if !(in.Shrinkage >= 0 && in.Shrinkage < 1) {
		add("shrinkage", in.Shrinkage, "must be a share from 0 to below 1")
	}
	if in.MinHeads < 0 {
		add("min_heads", in.MinHeads, "must be 0 or more")
	}
	if in.MaxHeads < 0 || in.MaxHeads > 0 && in.MaxHeads < in.MinHeads {
		add("max_heads", in.MaxHeads, "must be 0 (none) or at least min_heads")
	}
	for i, p := range in.Promised {
		if p.Heads < 0 || p.Heads > MaxAgents {
			add(fmt.Sprintf("promised[%d].heads", i), p.Heads, fmt.Sprintf("must be from 0 to %d", MaxAgents))
		}
		if !p.Range.Start.Before(p.Range.End) {
			add(fmt.Sprintf("promised[%d].range", i), p.Range.Start.Format(time.RFC3339), "must end after it starts")
		}
	}
	if in.Target.Level != 0 && !slices.Contains(in.Curve.Levels, in.Target.Level) {
		add("target.level", in.Target.Level, fmt.Sprintf("must be 0 (the mean) or a level of the forecast: %v", in.Curve.Levels))
	}
	in.Target.check(add)
	in.checkRushes(add)
	return fault.Bad("staffing.input", "staffing input", bad)
}

// checkSlots reports slots that do not fit each other, and points that overlap: a day would be open for more
// than 24 hours.
func (in Input) checkSlots(add func(path string, value any, problem string)) {
	if in.Curve.Slot > time.Hour {
		add("curve.slot", in.Curve.Slot, "must be at most 1h: spread a daily forecast over the day first")
	}
	slot := in.Slot
	if slot == 0 {
		slot = in.Curve.Slot
	}
	if slot < 0 || slot > time.Hour || slot%in.Curve.Slot != 0 && in.Curve.Slot%slot != 0 {
		add("slot", slot, fmt.Sprintf("must be at most 1h, and a multiple or a part of the curve's %s", in.Curve.Slot))
	}
	for i, p := range in.Curve.Points[min(1, len(in.Curve.Points)):] {
		if gap := p.Start.Sub(in.Curve.Points[i].Start); gap < in.Curve.Slot {
			add(fmt.Sprintf("curve.points[%d].start", i+1), p.Start.Format(time.RFC3339),
				fmt.Sprintf("is %s after the point before it, whose slot lasts %s: a day cannot be open for more than 24 h", gap, in.Curve.Slot))
			return
		}
	}
}

// checkHandleTimes reports the first point without a usable handle time and the first absurd volume.
func (in Input) checkHandleTimes(add func(path string, value any, problem string)) {
	for i, p := range in.Curve.Points {
		if p.HandleTime < 0 || p.HandleTime == 0 && in.Target.HandleTime <= 0 {
			add(fmt.Sprintf("curve.points[%d].handle_time", i), p.HandleTime, "must be longer than 0, here or as target.handle_time")
			break
		}
	}
	for i, p := range in.Curve.Points {
		worst := p.Mean
		for _, q := range p.Quantiles {
			if !(q >= 0) {
				add(fmt.Sprintf("curve.points[%d].quantiles", i), q, "must be 0 or more")
				return
			}
			worst = max(worst, q)
		}
		handle := max(p.HandleTime, in.Target.HandleTime)
		if load := worst * handle.Seconds() / in.Curve.Slot.Seconds(); load > MaxAgents/2 {
			add(fmt.Sprintf("curve.points[%d].mean", i), p.Mean, fmt.Sprintf("makes %.0f erlangs; at most %d can be staffed", load, MaxAgents/2))
			return
		}
	}
}

// check reports every impossible field of a target. A share or cap of 0 does not bind, but one must.
func (t Target) check(add func(path string, value any, problem string)) {
	span := func(path string, d time.Duration) {
		if d < 0 || d > 30*24*time.Hour {
			add("target."+path, d, "must be from 0 to 30 days")
		}
	}
	span("within", t.Within)
	span("patience", t.Patience)
	span("handle_time", t.HandleTime)
	if !(t.Share >= 0 && t.Share < 1) {
		add("target.share", t.Share, "must be a share from 0 to below 1; no number of agents answers every contact in time")
	}
	if !(t.OccupancyCap >= 0 && t.OccupancyCap <= 1) {
		add("target.occupancy_cap", t.OccupancyCap, "must be a share from 0 to 1")
	}
	if !(t.AbandonCap >= 0 && t.AbandonCap < 1) {
		add("target.abandon_cap", t.AbandonCap, "must be a share from 0 to below 1")
	}
	if t.Share == 0 && t.OccupancyCap == 0 && t.AbandonCap == 0 {
		add("target.share", 0, "set a share, an occupancy cap or an abandonment cap")
	}
	if !(t.PenaltyPerMissedContact >= 0) || math.IsInf(t.PenaltyPerMissedContact, 0) {
		add("target.penalty_per_missed_contact", t.PenaltyPerMissedContact, "must be 0 or more yuan")
	}
	if t.Concurrency < 0 || t.Concurrency > MaxConcurrency {
		add("target.concurrency", t.Concurrency, fmt.Sprintf("must be 0 to %d", MaxConcurrency))
	}
	if t.Concurrency == 0 && (t.Overhead > 0 || t.Rounds > 0) {
		add("target.concurrency", t.Concurrency, "must be 1 or more beside overhead and rounds, which are for chats; calls have neither")
	}
	if t.Concurrency <= 1 {
		return
	}
	if t.Patience == 0 {
		add("target.patience", t.Patience, "must be longer than 0 for chats")
	}
	if !(t.Overhead > 0 && t.Overhead <= 1) {
		add("target.overhead", t.Overhead, "must be a share above 0, at most 1, for chats")
	}
	if !(t.Rounds >= 1) || math.IsInf(t.Rounds, 0) {
		add("target.rounds", t.Rounds, "must be 1 or more for chats")
	}
	if !(t.Slowdown >= 0) || math.IsInf(t.Slowdown, 0) {
		add("target.slowdown", t.Slowdown, "must be 0 or more")
	}
	checkSlow(t.Slow, 0, "target.slow", add)
}
