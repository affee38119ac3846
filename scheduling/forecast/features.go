package forecast

import (
	"math"

	"github.com/chaoban/chaoban/internal/calendar"
)

// term is one regressor value of a day: state index and value.
type term struct {
	at    int
	value float64
}

// feature is one column of the day regression. Effects are in log units; prior is the standard
// deviation an effect is believed to have before any data (ridge shrinkage), drift the share of
// the observation variance by which it may move per day.
type feature struct {
	name  string
	prior float64
	drift float64
	value func(d int) float64
}

// features lists the columns that can matter for this history, in a fixed order.
func (e *engine) features() []feature {
	var f []feature
	for w := range 7 {
		f = append(f, feature{weekdayNames[w], 1, e.hyper.weekdayDrift, func(d int) float64 { return indicator(e.g.weekday(d) == w) }})
	}
	f = append(f, e.holidayFeatures()...)
	f = append(f, e.closureFeatures()...)
	f = append(f, e.monthFeatures()...)
	if e.g.lastDay() >= yearlyDays {
		f = append(f, yearFeatures(e.g)...)
	}
	f = append(f, e.anniversaryFeatures()...)
	return f
}

// yearlyDays is the least history, about 1.3 years, in which a yearly season and a change of
// level can be told apart at all.
const yearlyDays = 475

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (e *engine) holidayFeatures() []feature {
	kind := func(d int) calendar.DayKind { return e.opt.Holidays.Kind(e.g.date(d)) }
	off := e.g.offWork
	return []feature{
		{"public holiday", 0.4, 0, func(d int) float64 { return indicator(kind(d) == calendar.Statutory) }},
		{"bridge day", 0.4, 0, func(d int) float64 { return indicator(kind(d) == calendar.Bridge) }},
		{"make-up workday", 0.4, 0, func(d int) float64 { return indicator(kind(d) == calendar.Makeup) }},
		{"day before a holiday", 0.15, 0, func(d int) float64 { return indicator(!off(d) && off(d+1)) }},
		{"day after a holiday", 0.15, 0, func(d int) float64 { return indicator(!off(d) && off(d-1)) }},
	}
}

// closureFeatures see days on which the queue was unexpectedly closed (a bank holiday shows as
// a weekday without records): demand piles up and arrives on the next open days.
func (e *engine) closureFeatures() []feature {
	closed := func(d int) bool { return d >= 0 && e.g.openCount[e.g.weekday(d)] > 0 && !e.opened(d) }
	return []feature{
		{"day after a closure", 0.2, 0, func(d int) float64 { return indicator(e.opened(d) && closed(d-1)) }},
		{"second day after a closure", 0.1, 0, func(d int) float64 { return indicator(e.opened(d) && e.opened(d-1) && closed(d-2)) }},
		{"day before a closure", 0.15, 0, func(d int) float64 { return indicator(e.opened(d) && closed(d+1)) }},
	}
}

// monthFeatures are the turn of the month by open days, the usual paydays (the open day on or
// after the 10th, 15th and 25th), and a smooth cycle through the month.
func (e *engine) monthFeatures() []feature {
	f := []feature{
		{"first open day of the month", 0.1, 0, func(d int) float64 { return indicator(e.openRank(d) == 1) }},
		{"second open day of the month", 0.1, 0, func(d int) float64 { return indicator(e.openRank(d) == 2) }},
		{"third open day of the month", 0.1, 0, func(d int) float64 { return indicator(e.openRank(d) == 3) }},
		{"last open day of the month", 0.1, 0, func(d int) float64 { return indicator(e.openRank(d) == -1) }},
		{"second last open day of the month", 0.1, 0, func(d int) float64 { return indicator(e.openRank(d) == -2) }},
	}
	for _, payday := range []struct {
		day  int
		name string
	}{{10, "payday 10th"}, {15, "payday 15th"}, {25, "payday 25th"}} {
		f = append(f, feature{payday.name, 0.06, 0, func(d int) float64 { return indicator(e.firstOpenFrom(d, payday.day)) }})
	}
	for k := 1; k <= 2; k++ {
		angle := func(d int) float64 {
			date := e.g.date(d)
			return 2 * math.Pi * float64(k) * (float64(date.Day) - 0.5) / float64(date.MonthOf().Days())
		}
		f = append(f,
			feature{"month cycle", 0.05, 0, func(d int) float64 { return math.Sin(angle(d)) }},
			feature{"month cycle", 0.05, 0, func(d int) float64 { return math.Cos(angle(d)) }})
	}
	return f
}

// openRank is 1, 2, 3 for the first open days of the month, -1, -2 for the last ones, else 0.
func (e *engine) openRank(d int) int {
	if !e.opened(d) {
		return 0
	}
	day := e.g.date(d).Day
	before, after := 0, 0
	for k := 1; k < day && before < 3; k++ {
		before += int(indicator(e.opened(d - k)))
	}
	if before < 3 {
		return before + 1
	}
	for k := 1; k <= e.g.date(d).MonthOf().Days()-day && after < 2; k++ {
		after += int(indicator(e.opened(d + k)))
	}
	if after < 2 {
		return -1 - after
	}
	return 0
}

// firstOpenFrom reports that d is the first open day on or after a day of its month.
func (e *engine) firstOpenFrom(d, payday int) bool {
	day := e.g.date(d).Day
	if day < payday || day > payday+5 || !e.opened(d) {
		return false
	}
	for k := payday; k < day; k++ {
		if e.opened(d - (day - k)) {
			return false
		}
	}
	return true
}

// yearFeatures are a Fourier series over the year, its priors falling with the harmonic.
func yearFeatures(g *grid) []feature {
	harmonics := 2
	if g.lastDay() >= 2*365 {
		harmonics = 6
	}
	if g.lastDay() >= 3*365 {
		harmonics = 10 // about the detail of a month
	}
	var f []feature
	for k := 1; k <= harmonics; k++ {
		angle := func(d int) float64 { return 2 * math.Pi * float64(k) * float64(g.firstDay+d) / 365.2425 }
		prior := 0.2 / float64(k)
		f = append(f,
			feature{"season of the year", prior, 0, func(d int) float64 { return math.Sin(angle(d)) }},
			feature{"season of the year", prior, 0, func(d int) float64 { return math.Cos(angle(d)) }})
	}
	return f
}

// design evaluates every feature on every day once and drops columns the history never shows.
func (e *engine) design() {
	all := e.features()
	history := e.g.lastDay() + 1
	e.terms = make([][]term, e.g.days)
	e.columns = nil
	values := make([]float64, e.g.days)
	for _, f := range all {
		shown := false
		for d := range values {
			values[d] = f.value(d)
			shown = shown || d < history && values[d] != 0 && !math.IsNaN(e.x[d])
		}
		if !shown {
			continue
		}
		at := len(e.columns) + fixedStates
		e.columns = append(e.columns, f)
		for d, v := range values {
			if v != 0 {
				e.terms[d] = append(e.terms[d], term{at, v})
			}
		}
	}
}

// opened is grid.opened, remembered for the days of the grid.
func (e *engine) opened(d int) bool {
	if d >= 0 && d < len(e.openDays) {
		return e.openDays[d]
	}
	return e.g.opened(d)
}
