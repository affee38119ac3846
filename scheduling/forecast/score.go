package forecast

import (
	"math"
	"slices"
)

// Score is how far a forecast was from what came. The ratios are nil where there is nothing to
// divide by. Sums are kept so that scores can be added up.
type Score struct {
	Points   int     `json:"points"`
	Actual   float64 `json:"actual"`    // contacts that came
	Forecast float64 `json:"forecast"`  // contacts that were forecast
	AbsError float64 `json:"abs_error"` // sum |forecast - actual|

	WAPE     *float64  `json:"wape"`               // AbsError / Actual; 0.08 = 8 %
	Bias     *float64  `json:"bias"`               // (Forecast - Actual) / Actual
	MASE     *float64  `json:"mase,omitempty"`     // mean absolute error over the scale; under 1 beats repeating last week
	Pinball  *float64  `json:"pinball,omitempty"`  // mean over points and levels, contacts
	Levels   []float64 `json:"levels,omitempty"`   // of Coverage
	Coverage []float64 `json:"coverage,omitempty"` // per level: share of actuals at or below the quantile
	Below    []float64 `json:"below,omitempty"`    // per level: share of actuals below the quantile
}

// Between Below and Coverage lie the actuals that equal the quantile. No whole number has exactly
// nine of ten counts at or below it when counts are 0 to 3, so a perfect forecast of them covers
// more than its level and has less than its level below: Below <= level <= Coverage is all that
// can be asked of it.

// Tally adds up a Score, point by point.
type Tally struct {
	levels  []float64
	score   Score
	banded  int // points that had quantiles
	pinball float64
	covered []float64
	below   []float64
}

// NewTally scores quantiles at these levels; nil scores means only.
func NewTally(levels []float64) *Tally {
	return &Tally{levels: slices.Clone(levels), covered: make([]float64, len(levels)), below: make([]float64, len(levels))}
}

// Add counts one point. quantiles are one per level, or nil when only a mean was forecast.
func (t *Tally) Add(actual, mean float64, quantiles []float64) {
	t.score.Points++
	t.score.Actual += actual
	t.score.Forecast += mean
	t.score.AbsError += math.Abs(mean - actual)
	if len(quantiles) == 0 || len(quantiles) != len(t.levels) {
		return
	}
	t.banded++
	for i, q := range quantiles {
		t.pinball += pinballLoss(t.levels[i], actual, q)
		t.covered[i] += indicator(actual <= q)
		t.below[i] += indicator(actual < q)
	}
}

// pinballLoss of a quantile at a level (Koenker and Bassett 1978): what it costs to have said q
// when y came, in contacts.
func pinballLoss(level, y, q float64) float64 { return max(level*(y-q), (level-1)*(y-q)) }

// Score so far. scale is the mean absolute error of the seasonal naive inside the history before
// the first origin, the denominator of the MASE (Hyndman and Koehler 2006); 0 = not known.
func (t *Tally) Score(scale float64) Score {
	s := t.score
	if s.Actual > 0 {
		wape, bias := s.AbsError/s.Actual, (s.Forecast-s.Actual)/s.Actual
		s.WAPE, s.Bias = &wape, &bias
	}
	if s.Points > 0 && scale > 0 {
		mase := s.AbsError / float64(s.Points) / scale
		s.MASE = &mase
	}
	if t.banded > 0 {
		pinball := t.pinball / float64(t.banded*len(t.levels))
		s.Pinball, s.Levels, s.Coverage, s.Below = &pinball, t.levels, make([]float64, len(t.levels)), make([]float64, len(t.levels))
		for i := range t.levels {
			s.Coverage[i], s.Below[i] = t.covered[i]/float64(t.banded), t.below[i]/float64(t.banded)
		}
	}
	return s
}
