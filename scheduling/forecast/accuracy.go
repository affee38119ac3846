package forecast

import (
	"cmp"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// Version is a forecast as it stood from an instant on.
type Version struct {
	Origin time.Time // it was known from then on
	Curve  scheduling.Curve
	Days   []scheduling.Point // totals of whole days with their own quantiles, where there are any
}

// Track is one way of forecasting a queue through time: ours, ours with adjustments, the client's.
type Track struct {
	Name     string
	Versions []Version // in any order
}

// AccuracyLeads are the leads that are looked at, in days.
func AccuracyLeads() []int { return []int{1, 2, 3, 7, 14, 28, 56} }

// AccuracyInput is what accuracy by lead time is measured from. All curves have the slot of the
// actuals; for figures by day give day totals and a history of days.
type AccuracyInput struct {
	Actual  Series
	Missing Missing // what an open slot without a record means, on a day that has records
	Range   calendar.Range
	Ours    []Version
	Rivals  []Track // what to compare with; the weekly seasonal naive is added
	Leads   []int   // days; nil = AccuracyLeads
}

// LeadAccuracy is how good the forecasts were that were known a number of days before.
//
// A version counts for a lead of n days when it was made by the midnight at which the local day
// n-1 days before the slot's day begins: 1 is what was known on the evening before. Each slot
// counts once per lead, with the newest such version.
type LeadAccuracy struct {
	Lead   int    `json:"lead_days"`
	Ours   Score  `json:"ours"`
	Rivals []Duel `json:"rivals"` // in the order given, the naive last
}

// Duel compares a rival with ours on the slots that both forecast.
type Duel struct {
	Name string `json:"name"`
	Its  Score  `json:"its"`
	Ours Score  `json:"ours"`
}

// NaiveName names the weekly seasonal naive among the rivals: the same slot of the last week that
// was over at that lead.
const NaiveName = "naive"

// Accuracy measures forecasts by lead time against what came. Slots of the range that have no
// record, or that nobody forecast, do not count.
func Accuracy(in AccuracyInput) []LeadAccuracy {
	leads := in.Leads
	if leads == nil {
		leads = AccuracyLeads()
	}
	ours := newTrackIndex(in.Ours)
	rivals := make([]trackIndex, len(in.Rivals))
	for i, r := range in.Rivals {
		rivals[i] = newTrackIndex(r.Versions)
	}
	known := newActuals(in.Actual, in.Missing)
	slots := ours.slots(in.Range)
	out := make([]LeadAccuracy, 0, len(leads))
	for _, lead := range leads {
		own := NewTally(ours.levels)
		its, versus := make([]*Tally, len(rivals)+1), make([]*Tally, len(rivals)+1)
		for i := range its {
			its[i], versus[i] = NewTally(nil), NewTally(ours.levels)
			if i < len(rivals) {
				its[i] = NewTally(rivals[i].levels)
			}
		}
		for _, at := range slots {
			actual, ok := known.at(at)
			known.leads(at, lead)
			p, found := ours.asOf(at, known.cutoff)
			if !ok || !found {
				continue
			}
			own.Add(actual, p.Mean, p.Quantiles)
			for i, r := range rivals {
				if q, found := r.asOf(at, known.cutoff); found {
					its[i].Add(actual, q.Mean, q.Quantiles)
					versus[i].Add(actual, p.Mean, p.Quantiles)
				}
			}
			if known.hasNaive {
				its[len(rivals)].Add(actual, known.naive, nil)
				versus[len(rivals)].Add(actual, p.Mean, p.Quantiles)
			}
		}
		a := LeadAccuracy{Lead: lead, Ours: own.Score(0)}
		for i := range its {
			name := NaiveName
			if i < len(rivals) {
				name = in.Rivals[i].Name
			}
			a.Rivals = append(a.Rivals, Duel{Name: name, Its: its[i].Score(0), Ours: versus[i].Score(0)})
		}
		out = append(out, a)
	}
	return out
}

// trackIndex finds what a track said about a slot at some time.
type trackIndex struct {
	versions []Version // by origin
	levels   []float64 // of the newest version; others score their means only
}

func newTrackIndex(versions []Version) trackIndex {
	t := trackIndex{versions: slices.Clone(versions)}
	slices.SortStableFunc(t.versions, func(a, b Version) int { return a.Origin.Compare(b.Origin) })
	if n := len(t.versions); n > 0 {
		t.levels = t.versions[n-1].Curve.Levels
	}
	return t
}

// slots that a track says anything about, in order.
func (t trackIndex) slots(r calendar.Range) []time.Time {
	var all []time.Time
	for _, v := range t.versions {
		for _, p := range v.Curve.Points {
			if r.Contains(p.Start) {
				all = append(all, p.Start)
			}
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// asOf is what the newest version that was there by an instant says about a slot.
func (t trackIndex) asOf(slot, by time.Time) (scheduling.Point, bool) {
	for _, v := range slices.Backward(t.versions) {
		if v.Origin.After(by) {
			continue
		}
		i, found := slices.BinarySearchFunc(v.Curve.Points, slot, func(p scheduling.Point, at time.Time) int { return p.Start.Compare(at) })
		if found {
			p := v.Curve.Points[i]
			if !slices.Equal(v.Curve.Levels, t.levels) {
				p.Quantiles = nil
			}
			return p, true
		}
	}
	return scheduling.Point{}, false
}

// actuals reads a history slot by slot.
type actuals struct {
	series  Series
	missing Missing
	per     int
	recent  []bool // days that have a record

	cutoff   time.Time // of the last call of leads
	naive    float64
	hasNaive bool
}

func newActuals(s Series, missing Missing) *actuals {
	a := &actuals{series: s, missing: missing, per: max(1, int(24*time.Hour/max(s.Slot, time.Minute)))}
	for i, v := range s.Values {
		if i%a.per == 0 {
			a.recent = append(a.recent, false)
		}
		if v == v {
			a.recent[i/a.per] = true
		}
	}
	return a
}

// at is what came in a slot.
func (a *actuals) at(slot time.Time) (float64, bool) {
	if slot.Add(a.series.Slot).After(a.series.End()) {
		return 0, false
	}
	day, k := wallSlot(slot, a.series.Slot, a.series.zone())
	return a.on(day-unixDay(a.series.First), k)
}

func (a *actuals) on(day, k int) (float64, bool) {
	i := day*a.per + k
	if day < 0 || i >= len(a.series.Values) {
		return 0, false
	}
	v := a.series.Values[i]
	if v == v {
		return v, true
	}
	return 0, a.missing == MissingZero && a.recent[day]
}

// naiveWeeks is how many weeks back the naive looks for a record.
const naiveWeeks = 4

// leads sets the cutoff of a lead and the naive that was known then.
func (a *actuals) leads(slot time.Time, lead int) {
	zone := a.series.zone()
	day, k := wallSlot(slot, a.series.Slot, zone)
	a.cutoff = wallInstant(day-lead+1, 0, 24*time.Hour, zone)
	a.hasNaive = false
	first := (max(lead, 1) + 6) / 7
	for week := first; week < first+naiveWeeks && !a.hasNaive; week++ {
		a.naive, a.hasNaive = a.on(day-unixDay(a.series.First)-7*week, k)
	}
}

// ByDay sums a slot curve to local days. It has means only: day quantiles are not sums.
func ByDay(c scheduling.Curve, loc *time.Location) scheduling.Curve {
	days := scheduling.Curve{Queue: c.Queue, Slot: 24 * time.Hour}
	for _, p := range c.Points {
		start := calendar.DateOf(p.Start, loc).In(loc)
		if n := len(days.Points); n == 0 || !days.Points[n-1].Start.Equal(start) {
			days.Points = append(days.Points, scheduling.Point{Start: start, Quantiles: []float64{}})
		}
		days.Points[len(days.Points)-1].Mean += p.Mean
	}
	slices.SortFunc(days.Points, func(a, b scheduling.Point) int { return cmp.Compare(a.Start.UnixNano(), b.Start.UnixNano()) })
	return days
}

// InSlots sums a curve to coarser slots on the local clock, means only; the same slot leaves it as it is. fits is false
// when the slots of the curve are coarser, or do not divide the wanted ones.
func InSlots(c scheduling.Curve, slot time.Duration, loc *time.Location) (out scheduling.Curve, fits bool) {
	switch {
	case c.Slot == slot:
		return c, true
	case slot == 24*time.Hour:
		return ByDay(c, loc), true
	case c.Slot <= 0 || slot%c.Slot != 0:
		return scheduling.Curve{}, false
	}
	out = scheduling.Curve{Queue: c.Queue, Slot: slot}
	for _, p := range c.Points {
		start := calendar.FloorSlot(p.Start, slot, loc)
		if n := len(out.Points); n == 0 || !out.Points[n-1].Start.Equal(start) {
			out.Points = append(out.Points, scheduling.Point{Start: start, Quantiles: []float64{}})
		}
		out.Points[len(out.Points)-1].Mean += p.Mean
	}
	return out, true
}

// Known tells what came in a slot: its record, or nothing (zero or unknown, as missing says) on a day
// that has records. Slots that were not over at the end of the data are not known.
func (s Series) Known(missing Missing) func(slot time.Time) (float64, bool) {
	return newActuals(s, missing).at
}
