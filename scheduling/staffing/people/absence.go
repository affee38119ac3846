package people

import (
	"fmt"
	"math"
	"sort"

	"github.com/chaoban/chaoban/internal/fault"
)

// MaxHeads is the largest number of heads that a slot may ask for.
const MaxHeads = 100_000

// PresentAtLeast is P(at least need of n rostered people are present), exact by summation. Each is
// absent with probability share, two of them with correlation corr: the number absent is
// beta-binomial with α = share(1-corr)/corr, β = (1-share)(1-corr)/corr (Skellam, JRSS B 10 (1948)),
// binomial for corr 0. The terms are built from the mean outwards by their ratio and divided by
// their sum, so no factorial appears and nothing is subtracted.
func PresentAtLeast(n, need int, share, corr float64) float64 {
	if need <= 0 {
		return 1
	}
	if n < need {
		return 0
	}
	if share == 0 {
		return 1
	}
	most := n - need // that may be absent
	start := int(share * float64(n))
	enough, short := 0.0, 0.0
	add := func(absent int, w float64) {
		if absent <= most {
			enough += w
		} else {
			short += w
		}
	}
	add(start, 1)
	for w, k := 1.0, start; k < n && w > 0; k++ {
		w *= ratio(n, k, share, corr)
		add(k+1, w)
	}
	for w, k := 1.0, start; k > 0 && w > 0; k-- {
		w /= ratio(n, k-1, share, corr)
		add(k-1, w)
	}
	return enough / (enough + short)
}

// ratio is P(k+1 absent) / P(k absent). Both weights are multiplied by corr, so that a correlation of
// almost nothing does not divide by it.
func ratio(n, k int, share, corr float64) float64 {
	stays, goes := share*(1-corr)+float64(k)*corr, (1-share)*(1-corr)+float64(n-k-1)*corr
	return float64(n-k) / float64(k+1) * stays / goes
}

// least rosters for need present people. More people never make fewer present, so it may search by halves.
func (a Absence) least(need int, share float64) (presence, error) {
	mean := int(math.Ceil(float64(need)/(1-share) - tiny))
	if a.Level == 0 {
		return presence{mean, PresentAtLeast(mean, need, share, a.Correlation)}, nil
	}
	enough := func(n int) bool { return PresentAtLeast(n, need, share, a.Correlation) >= a.Level }
	limit, low, high := 10*max(need, mean)+100, need, max(mean, need)
	for !enough(high) {
		if high == limit {
			return presence{}, fault.Bad("people.unreachable", "absence", []fault.Field{{
				Path: "absence.level", Value: fmt.Sprint(a.Level),
				Problem: fmt.Sprintf("cannot be reached: with %d rostered for %d present the probability is %.6f; lower the level or the correlation", limit, need, PresentAtLeast(limit, need, share, a.Correlation)),
			}})
		}
		low, high = high+1, min(limit, high+max(4, high/8))
	}
	n := low + sort.Search(high-low, func(i int) bool { return enough(low + i) })
	return presence{n, PresentAtLeast(n, need, share, a.Correlation)}, nil
}

// AbsenceDay is one day of history.
type AbsenceDay struct {
	Rostered int `json:"rostered" yaml:"rostered"`
	Absent   int `json:"absent" yaml:"absent"`
}

// FitAbsence estimates share and correlation from days: the share pooled over all person-days
// (never a mean of daily shares), the correlation by the one-way analysis-of-variance estimator of an
// intraclass correlation, cut off at 0 (between and within days; for equal days: Atenafu et al., BMC Med. Res. Methodol. 12:126 (2012)). Days with nobody rostered say nothing.
// Error: people.history with every bad day, or when fewer than two days with two people remain.
func FitAbsence(days []AbsenceDay) (Absence, error) {
	var bad []fault.Field
	var k, n, absent, squares float64
	for i, d := range days {
		if d.Rostered < 0 || d.Absent < 0 || d.Absent > d.Rostered {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("days[%d].absent", i), Value: fmt.Sprintf("%d of %d", d.Absent, d.Rostered), Problem: "must be from 0 to rostered"})
		}
		if d.Rostered > 0 {
			k++
			n += float64(d.Rostered)
			absent += float64(d.Absent)
			squares += float64(d.Rostered) * float64(d.Rostered)
		}
	}
	if len(bad) == 0 && (k < 2 || n <= k) {
		bad = append(bad, fault.Field{Path: "days", Value: fmt.Sprint(len(days)), Problem: "must hold two days or more, and more than one person on some day"})
	}
	if err := fault.Bad("people.history", "absence history", bad); err != nil {
		return Absence{}, err
	}
	p := absent / n
	var between, within float64
	for _, d := range days {
		if d.Rostered > 0 {
			m := float64(d.Rostered)
			own := float64(d.Absent) / m
			between += m * (own - p) * (own - p)
			within += m * own * (1 - own)
		}
	}
	between, within = between/(k-1), within/(n-k)
	size := (n - squares/n) / (k - 1)
	if spread := between + (size-1)*within; spread > 0 {
		return Absence{Share: p, Correlation: min(max(0, (between-within)/spread), 0.99)}, nil
	}
	return Absence{Share: p}, nil
}
