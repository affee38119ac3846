package forecast

import (
	"fmt"
	"math"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Series is the contact history of one queue on an even grid of slots.
//
// Three things are told apart. Zero: a record says that nobody came (value 0). Missing: no
// record (NaN in Values); Options.Missing says what that means. Closed: outside the open hours.
type Series struct {
	Queue    ids.Queue
	Slot     time.Duration  // 5, 15, 30 or 60 minutes, or 24 h; must divide 24 h
	Location *time.Location // whose local clock the days and slots are read on; nil = UTC
	First    calendar.Date  // the local day of Values[0]
	Values   []float64      // contacts per slot from First 00:00 local; NaN = no record; >= 0
	Until    time.Time      // end of the data: the end of the last slot that has a record
	Category string         // "" = none; series of one category teach each other's events first
	Path     []string       // labels from the top down (merchant, shop); the queue itself is not part of it; nil = under the top
	Hours    Hours          // its own open hours; zero = Options.Hours
	Exclude  []Exclusion    // of its own history, beside Options.Exclude
}

// MaxValue bounds one slot: nobody has a million million contacts in a slot, and sums of such
// numbers leave the range in which they can be added exactly.
const MaxValue = 1e12

// MaxSlots bounds one series: 20 years of 5-minute slots.
const MaxSlots = maxYears * 366 * 288

const maxYears = 20

// Builder puts observations, in any order, on a grid. Observations in the same slot are summed:
// finer slots add up, and a history split over several logs is whole again. The order does not
// matter to the last bit for whole numbers. It needs the memory of the resulting grid only.
type Builder struct {
	slot   time.Duration
	loc    *time.Location
	perDay int
	first  int // unix day number of values[0] on the local clock
	values []float64
	until  time.Time
}

// NewBuilder starts an empty history. The slot must divide 24 h and be at least a minute.
func NewBuilder(slot time.Duration, loc *time.Location) (*Builder, error) {
	if slot < time.Minute || slot > 24*time.Hour || (24*time.Hour)%slot != 0 {
		return nil, fault.New(fault.Invalid, "forecast.series", "slot %s must divide 24 hours and be a minute or more", slot)
	}
	if loc == nil {
		loc = time.UTC
	}
	return &Builder{slot: slot, loc: loc, perDay: int(24 * time.Hour / slot)}, nil
}

// Add puts one observation into its slot.
func (b *Builder) Add(t time.Time, value float64) error {
	if math.IsNaN(value) || math.IsInf(value, 0) || value < 0 {
		return fault.New(fault.Invalid, "forecast.series", "value %v at %s must be a number of 0 or more", value, stamp(t))
	}
	day, slot := wallSlot(t, b.slot, b.loc)
	if len(b.values) == 0 {
		b.first = day
	}
	low, high := min(day, b.first), max(day, b.first+len(b.values)/b.perDay-1)
	if high-low+1 > maxYears*366 {
		return fault.New(fault.Invalid, "forecast.series", "%s is more than 20 years away from other records (a wrong date?)", stamp(t))
	}
	b.grow(low, high)
	i := (day-b.first)*b.perDay + slot
	if math.IsNaN(b.values[i]) {
		b.values[i] = 0
	}
	if b.values[i]+value > MaxValue {
		return fault.New(fault.Invalid, "forecast.series", "value %g at %s is absurdly large for contacts in a slot", b.values[i]+value, stamp(t))
	}
	b.values[i] += value
	if end := wallInstant(day, slot, b.slot, b.loc).Add(b.slot); end.After(b.until) {
		b.until = end
	}
	return nil
}

// grow makes room for the days low to high; room in front is doubled so that a file in
// descending order stays linear.
func (b *Builder) grow(low, high int) {
	if len(b.values) > 0 && low < b.first {
		ahead := max(b.first-low, len(b.values)/b.perDay)
		grown := nans(ahead*b.perDay, len(b.values))
		b.values = append(grown, b.values...)
		b.first -= ahead
	}
	need := (high - b.first + 1) * b.perDay
	if need > cap(b.values) { // in one step: a jump of years must not leave a trail of garbage
		b.values = append(make([]float64, 0, max(need, cap(b.values)+cap(b.values)/4)), b.values...)
	}
	for len(b.values) < need {
		b.values = append(b.values, math.NaN())
	}
}

func nans(n, spare int) []float64 {
	v := make([]float64, n, n+spare)
	for i := range v {
		v[i] = math.NaN()
	}
	return v
}

// Slots is the number of slots held so far, for callers that bound their memory.
func (b *Builder) Slots() int { return len(b.values) }

// Series returns the history so far.
func (b *Builder) Series(queue ids.Queue) Series {
	empty := 0
	for empty < len(b.values) && math.IsNaN(b.values[empty]) {
		empty++
	}
	skip := empty / b.perDay
	return Series{
		Queue: queue, Slot: b.slot, Location: b.loc, First: unixDate(b.first + skip),
		Values: b.values[skip*b.perDay:], Until: b.until,
	}
}

// End is the end of the data: the end of the last slot that has a record.
func (s Series) End() time.Time {
	if !s.Until.IsZero() {
		return s.Until
	}
	loc := s.zone()
	per := int(24 * time.Hour / s.Slot)
	for i := len(s.Values) - 1; i >= 0; i-- {
		if !math.IsNaN(s.Values[i]) {
			return wallInstant(unixDay(s.First)+i/per, i%per, s.Slot, loc).Add(s.Slot)
		}
	}
	return s.First.In(loc)
}

func (s Series) zone() *time.Location {
	if s.Location == nil {
		return time.UTC
	}
	return s.Location
}

// Validate reports a bad slot, an empty history and up to ten bad values, as "forecast.series".
func (s Series) Validate() error {
	var bad []fault.Field
	if s.Slot < time.Minute || s.Slot > 24*time.Hour || (24*time.Hour)%s.Slot != 0 {
		bad = append(bad, fault.Field{Path: "slot", Value: s.Slot.String(), Problem: "must divide 24 hours and be a minute or more"})
	}
	if len(s.Values) == 0 || s.First.IsZero() {
		bad = append(bad, fault.Field{Path: "values", Problem: "the history is empty"})
	}
	if len(s.Values) > MaxSlots {
		bad = append(bad, fault.Field{Path: "values", Problem: "must not span more than 20 years of 5-minute slots"})
	}
	for i, v := range s.Values {
		if (v < 0 || v > MaxValue) && len(bad) < 10 {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("values[%d]", i), Value: fmt.Sprint(v), Problem: "must be 0 or more and at most 1e12"})
		}
	}
	return fault.Bad("forecast.series", "history", bad)
}

// wallSlot is the local day number and the slot of the local day that an instant lies in.
func wallSlot(t time.Time, slot time.Duration, loc *time.Location) (day, k int) {
	l := t.In(loc)
	_, offset := l.Zone()
	wall := l.Unix() + int64(offset)
	day = int(math.Floor(float64(wall) / 86400))
	return day, int((wall - int64(day)*86400) / int64(slot/time.Second))
}

// wallInstant is the instant at which a slot of a local day starts.
func wallInstant(day, k int, slot time.Duration, loc *time.Location) time.Time {
	at := time.Unix(int64(day)*86400+int64(k)*int64(slot/time.Second), 0).UTC()
	if loc == time.UTC {
		return at
	}
	return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, loc)
}

func unixDay(d calendar.Date) int {
	return int(math.Floor(float64(d.In(time.UTC).Unix()) / 86400))
}

func unixDate(day int) calendar.Date {
	return calendar.DateOf(time.Unix(int64(day)*86400, 0), time.UTC)
}
