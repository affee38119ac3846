package forecast

import (
	"math"
	"slices"
	"time"
)

// Benchmark scores replayed forecasts beside two that anybody can make without a tool: the weekly
// seasonal naive (the same slot of the last week known at the origin) and the mean of the last
// four such weeks. Both get quantiles from their own errors in the year before the first origin,
// by slot of the day, so that their pinball is a fair one.
type Benchmark struct {
	levels             []float64
	ours, days         *Tally
	rivals, versus     [rivalCount]*Tally
	origins            map[int64]bool
	scaleSum, scaleAll float64
}

// Names of the two simple forecasts; the first is NaiveName.
const (
	rivalNaive = iota
	rivalFourWeeks
	rivalCount

	FourWeeksName = "mean_of_4_weeks"
)

// Benchmarks are the scores of a back-test.
type Benchmarks struct {
	Origins   int     `json:"origins"`
	Scale     float64 `json:"scale"` // denominator of the MASE: mean |change from week to week| before the first origin
	Ours      Score   `json:"ours"`
	Days      Score   `json:"days"`       // ours, totals of the whole days whose every slot that was forecast has a record
	Rivals    []Duel  `json:"rivals"`     // the naive, the mean of four weeks
	NaiveWins bool    `json:"naive_wins"` // the naive has the lower WAPE on the same points
}

// NewBenchmark scores quantiles at these levels.
func NewBenchmark(levels []float64) *Benchmark {
	b := &Benchmark{levels: slices.Clone(levels), ours: NewTally(levels), days: NewTally(levels), origins: map[int64]bool{}}
	for i := range b.rivals {
		b.rivals[i], b.versus[i] = NewTally(levels), NewTally(levels)
	}
	return b
}

// Add scores the replays of one series, whose curves have its slot.
func (b *Benchmark) Add(s Series, missing Missing, replays []Version) {
	if len(replays) == 0 {
		return
	}
	known := newActuals(s, missing)
	first := replays[0].Origin
	for _, r := range replays {
		if r.Origin.Before(first) {
			first = r.Origin
		}
		b.origins[r.Origin.UnixNano()] = true
	}
	errors := known.rivalErrors(first)
	b.addScale(known, first)
	for _, r := range replays {
		b.addDays(known, r)
		for _, p := range r.Curve.Points {
			y, ok := known.at(p.Start)
			if !ok {
				continue
			}
			b.ours.Add(y, p.Mean, p.Quantiles)
			_, k := wallSlot(p.Start, s.Slot, s.zone())
			for i, said := range known.rivals(p.Start, r.Origin) {
				if math.IsNaN(said) {
					continue
				}
				b.rivals[i].Add(y, said, errors.quantiles(i, k, said, b.levels))
				b.versus[i].Add(y, p.Mean, p.Quantiles)
			}
		}
	}
}

// Scores so far.
func (b *Benchmark) Scores() Benchmarks {
	out := Benchmarks{Origins: len(b.origins)}
	if b.scaleAll > 0 {
		out.Scale = b.scaleSum / b.scaleAll
	}
	out.Ours, out.Days = b.ours.Score(out.Scale), b.days.Score(0)
	for i, name := range [rivalCount]string{NaiveName, FourWeeksName} {
		out.Rivals = append(out.Rivals, Duel{Name: name, Its: b.rivals[i].Score(out.Scale), Ours: b.versus[i].Score(out.Scale)})
	}
	naive := out.Rivals[rivalNaive]
	out.NaiveWins = naive.Its.WAPE != nil && *naive.Its.WAPE < *naive.Ours.WAPE
	return out
}

// addDays scores the day totals of a version.
func (b *Benchmark) addDays(known *actuals, v Version) {
	day := func(at time.Time) int { d, _ := wallSlot(at, known.series.Slot, known.series.zone()); return d }
	totals := map[int]float64{}
	for _, p := range v.Curve.Points {
		y, ok := known.at(p.Start)
		if !ok {
			y = math.NaN() // and so is the day
		}
		totals[day(p.Start)] += y
	}
	for _, p := range v.Days {
		if y, ok := totals[day(p.Start)]; ok && !math.IsNaN(y) {
			b.days.Add(y, p.Mean, p.Quantiles)
		}
	}
}

// addScale adds the absolute changes from week to week before the first origin.
func (b *Benchmark) addScale(known *actuals, first time.Time) {
	for day := 7; day < len(known.recent); day++ {
		for k := range known.per {
			y, ok := known.on(day, k)
			before, had := known.on(day-7, k)
			if ok && had && !known.instant(day, k).Add(known.series.Slot).After(first) {
				b.scaleSum += math.Abs(y - before)
				b.scaleAll++
			}
		}
	}
}

// instant at which a slot of the history starts.
func (a *actuals) instant(day, k int) time.Time {
	return wallInstant(unixDay(a.series.First)+day, k, a.series.Slot, a.series.zone())
}

// rivals are what the simple forecasts say of a slot, known at an origin; NaN = nothing.
func (a *actuals) rivals(slot, origin time.Time) (said [rivalCount]float64) {
	day, k := wallSlot(slot, a.series.Slot, a.series.zone())
	day -= unixDay(a.series.First)
	week := 1
	for a.instant(day-7*week, k).Add(a.series.Slot).After(origin) {
		week++
	}
	said = [rivalCount]float64{math.NaN(), math.NaN()}
	var sum, n float64
	for back := week; back < week+naiveWeeks; back++ {
		v, ok := a.on(day-7*back, k)
		if !ok {
			continue
		}
		if math.IsNaN(said[rivalNaive]) {
			said[rivalNaive] = v
		}
		sum, n = sum+v, n+1
	}
	if n > 0 {
		said[rivalFourWeeks] = sum / n
	}
	return said
}

// rivalErrors are the sorted errors of the simple forecasts, one week ahead, by slot of the day.
type rivalErrors [rivalCount][][]float64

// errorDays is how far back errors are gathered.
const errorDays = 365

func (a *actuals) rivalErrors(first time.Time) (errors rivalErrors) {
	for i := range errors {
		errors[i] = make([][]float64, a.per)
	}
	last, _ := wallSlot(first, a.series.Slot, a.series.zone())
	last -= unixDay(a.series.First)
	for day := max(0, last-errorDays); day < min(last, len(a.recent)); day++ {
		for k := range a.per {
			y, ok := a.on(day, k)
			if !ok {
				continue
			}
			for i, said := range a.rivals(a.instant(day, k), a.instant(day-6, 0)) {
				if !math.IsNaN(said) {
					errors[i][k] = append(errors[i][k], y-said)
				}
			}
		}
	}
	for i := range errors {
		for k := range errors[i] {
			slices.Sort(errors[i][k])
		}
	}
	return errors
}

// leastErrors is how many past errors make a spread.
const leastErrors = 8

// quantiles of a simple forecast; nil when too little is known of its errors.
func (e *rivalErrors) quantiles(rival, k int, said float64, levels []float64) []float64 {
	past := e[rival][k]
	if len(past) < leastErrors {
		return nil
	}
	out := make([]float64, len(levels))
	for i, level := range levels {
		at := level * float64(len(past)-1)
		low := int(at)
		high := min(low+1, len(past)-1)
		out[i] = max(0, said+past[low]+(at-float64(low))*(past[high]-past[low]))
	}
	return out
}
