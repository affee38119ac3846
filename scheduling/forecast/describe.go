package forecast

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// describe says in numbers and one sentence how the forecast was made.
func (e *engine) describe() Model {
	m := Model{
		Version: ModelVersion, Weights: map[string]float64{},
		Persist: e.hyper.persist, LevelNoise: e.hyper.levelNoise, MeanNoise: e.hyper.meanNoise, Dispersion: e.spread.phi,
	}
	var used []string
	for c, w := range e.weights {
		if w > 0 {
			m.Weights[candidateNames[c]] = w
			used = append(used, fmt.Sprintf("%.0f %% %s", 100*w, candidateNames[c]))
		}
	}
	m.Effects = e.effects()
	m.Events = e.eventUplifts()
	m.Summary = "damped level x weekday x calendar effects x event uplift, split over the day by a recent profile; combination: " + strings.Join(used, ", ")
	return m
}

// effects lists single-day effects of at least 1 %, strongest first. Weekdays are relative to
// their mean; season and month cycles are curves, not effects of a day.
func (e *engine) effects() []Effect {
	state := e.fit.at(e.g.originDay)
	var week, n float64
	for i, f := range e.columns {
		if f.prior == 1 {
			week += state[i+fixedStates]
			n++
		}
	}
	out := []Effect{}
	for i, f := range e.columns {
		v := state[i+fixedStates]
		switch {
		case f.name == "month cycle" || f.name == "season of the year":
			continue
		case f.prior == 1 && n > 1:
			v -= week / n
		case f.prior == 1:
			continue
		}
		if p := 100 * (math.Exp(v) - 1); math.Abs(p) >= 1 {
			out = append(out, Effect{f.name, math.Round(p*10) / 10})
		}
	}
	slices.SortStableFunc(out, func(a, b Effect) int {
		switch d := math.Abs(b.Percent) - math.Abs(a.Percent); {
		case d > 0:
			return 1
		case d < 0:
			return -1
		}
		return 0
	})
	return out
}

// allDoubts gathers what a planner should know before believing the numbers.
func (e *engine) allDoubts() []string {
	g := e.g
	doubts := slices.Clone(g.doubts)
	doubts = append(doubts, e.doubts...)
	say := func(format string, args ...any) { doubts = append(doubts, fmt.Sprintf(format, args...)) }
	switch days := g.lastDay() + 1; {
	case e.allZero():
		say("every record of the history is zero: the forecast is zero")
	case days < 14:
		say("only %s of history: weekdays cannot be told apart, the spread is a guess", inDays(days))
	case days < 56:
		say("only %s of history: month and event effects cannot be learned", inDays(days))
	}
	if e.score.Origins == 0 {
		say("the history is too short for a back-test; quantiles rest on assumptions")
	}
	if e.score.NaiveWins {
		say("repeating last week does better in the back-test: WAPE %.1f %% against our %.1f %%", 100*e.score.NaiveWAPE, 100*e.score.WAPE)
	}
	if e.score.MeanOfFourWins {
		say("the mean of the last four weeks does better in the back-test: WAPE %.1f %% against our %.1f %%", 100*e.score.MeanOfFour.WAPE, 100*e.score.MeanOfFour.Ours)
	}
	if gap := int(e.opt.Origin.Sub(g.lastRecord()).Hours() / 24); gap >= 3 {
		say("the last record lies %d days before the origin", gap)
	}
	doubts = append(doubts, e.eventDoubts()...)
	return append(doubts, e.outliers()...)
}

// inDays is a number of days in words.
func inDays(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// outliers names ordinary days of the last year that the model cannot explain; they were kept
// but clipped.
func (e *engine) outliers() []string {
	var found []string
	for d := max(28, len(e.x)-366); d < len(e.x); d++ {
		if e.weight[d] > 0.9 && e.outlier(d) {
			found = append(found, fmt.Sprintf("%s (%.0f, expected about %.0f)", e.g.date(d), e.total[d], math.Exp(e.fit.oneDay[d])))
		}
	}
	if len(found) == 0 {
		return nil
	}
	text := strings.Join(found[:min(3, len(found))], ", ")
	if len(found) == 1 {
		return []string{"1 unexplained day was kept but clipped: " + text}
	}
	return []string{fmt.Sprintf("%d unexplained days were kept but clipped: %s", len(found), text)}
}
