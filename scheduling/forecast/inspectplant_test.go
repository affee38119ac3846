package forecast_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// defect damages a copy of a history from slot i on and says which slots [from, to) it touched;
// ok is false where it cannot be planted.
type defect struct {
	name  string
	kinds []forecast.FindingKind // any of them counts as found
	fits  func(perDay int) bool
	plant func(v []float64, i, perDay int, random *lcg) (from, to int, ok bool)
}

func intraday(perDay int) bool { return perDay > 1 }
func daily(perDay int) bool    { return perDay == 1 }
func always(int) bool          { return true }

// openRun is n recorded slots of one day from i on.
func openRun(v []float64, i, n, perDay int) (to int, ok bool) {
	to = i + n
	if to > len(v) || i/perDay != (to-1)/perDay {
		return 0, false
	}
	return to, !slices.ContainsFunc(v[i:to], math.IsNaN)
}

func scaled(hours int, factor float64) func(v []float64, i, perDay int, random *lcg) (from, to int, ok bool) {
	return func(v []float64, i, perDay int, random *lcg) (int, int, bool) {
		n := max(1, hours*perDay/24)
		to, ok := openRun(v, i, n, perDay)
		if ok {
			for j := i; j < to; j++ {
				v[j] = thinned(v[j], factor, random)
			}
		}
		return i, to, ok
	}
}

// thinned multiplies a count by a factor and keeps it a count: the broken part is drawn.
func thinned(v, factor float64, random *lcg) float64 {
	whole := math.Floor(v * factor)
	if random.float() < v*factor-whole {
		whole++
	}
	return whole
}

func plantedDay(i, perDay int) (from, to int) { from = i / perDay * perDay; return from, from + perDay }

func eachDay(v []float64, i, perDay int, change func(j int)) (from, to int, ok bool) {
	from, to = plantedDay(i, perDay)
	if to > len(v) {
		return 0, 0, false
	}
	for j := from; j < to; j++ {
		change(j)
	}
	return from, to, true
}

var defects = []defect{
	{"outage 2 h, nothing", []forecast.FindingKind{forecast.Outage, forecast.EndsEarly}, intraday, scaled(2, 0)},
	{"outage 4 h, 20 %", []forecast.FindingKind{forecast.Outage, forecast.EndsEarly}, intraday, scaled(4, 0.2)},
	{"outage 1 day, 20 %", []forecast.FindingKind{forecast.Outage, forecast.EndsEarly}, always, func(v []float64, i, perDay int, random *lcg) (int, int, bool) {
		return eachDay(v, i, perDay, func(j int) { v[j] = thinned(v[j], 0.2, random) })
	}},
	{"incident 2 h, 3 x", []forecast.FindingKind{forecast.Incident, forecast.Spike}, intraday, scaled(2, 3)},
	{"incident 1 day, 3 x", []forecast.FindingKind{forecast.Incident, forecast.Spike}, always, func(v []float64, i, perDay int, random *lcg) (int, int, bool) {
		return eachDay(v, i, perDay, func(j int) { v[j] = thinned(v[j], 3, random) })
	}},
	{"gap 3 h", []forecast.FindingKind{forecast.ImportGap, forecast.EndsEarly}, intraday, scaled(3, math.NaN())},
	{"gap 1 day", []forecast.FindingKind{forecast.ClosedDay, forecast.ImportGap}, always, func(v []float64, i, perDay int, _ *lcg) (int, int, bool) {
		return eachDay(v, i, perDay, func(j int) { v[j] = math.NaN() })
	}},
	{"gap 5 days", []forecast.FindingKind{forecast.ClosedDay, forecast.ImportGap}, always, func(v []float64, i, perDay int, _ *lcg) (int, int, bool) {
		from, to := plantedDay(i, perDay)
		to += 4 * perDay
		if to+perDay > len(v) {
			return 0, 0, false
		}
		for j := from; j < to; j++ {
			v[j] = math.NaN()
		}
		return from, to, true
	}},
	{"spike, 10 x the most", []forecast.FindingKind{forecast.Spike, forecast.Incident}, always, func(v []float64, i, _ int, _ *lcg) (int, int, bool) {
		most := 0.0
		for _, x := range v {
			if x > most {
				most = x
			}
		}
		v[i] = 10 * most
		return i, i + 1, true
	}},
	{"level shift +60 %", []forecast.FindingKind{forecast.LevelShift}, always, shiftBy(1.6)},
	{"level shift -40 %", []forecast.FindingKind{forecast.LevelShift}, always, shiftBy(0.6)},
	{"frozen 8 records", []forecast.FindingKind{forecast.Frozen}, always, func(v []float64, i, _ int, _ *lcg) (int, int, bool) {
		n, j := 0, i
		for ; j < len(v) && n < 8; j++ {
			if !math.IsNaN(v[j]) {
				v[j] = v[i]
				n++
			}
		}
		return i, j, n == 8 && v[i] > 0
	}},
	{"day copied", []forecast.FindingKind{forecast.Frozen}, intraday, func(v []float64, i, perDay int, _ *lcg) (int, int, bool) {
		from, to := plantedDay(i, perDay)
		if from < 7*perDay || to > len(v) || slices.IndexFunc(v[from-7*perDay:to-7*perDay], func(x float64) bool { return x > 0 }) < 0 {
			return 0, 0, false
		}
		copy(v[from:to], v[from-7*perDay:to-7*perDay])
		return from, to, true
	}},
	{"day imported twice", []forecast.FindingKind{forecast.Doubled}, always, func(v []float64, i, perDay int, _ *lcg) (int, int, bool) {
		return eachDay(v, i, perDay, func(j int) { v[j] *= 2 })
	}},
	{"half a day twice", []forecast.FindingKind{forecast.Doubled, forecast.Incident}, intraday, scaled(6, 2)},
	{"ends 4 h early", []forecast.FindingKind{forecast.EndsEarly, forecast.Outage}, intraday, func(v []float64, i, perDay int, _ *lcg) (int, int, bool) {
		_, to := plantedDay(i, perDay)
		if to > len(v) {
			return 0, 0, false
		}
		last := to - 1
		for last > to-perDay && math.IsNaN(v[last]) {
			last--
		}
		from := last + 1 - 4*perDay/24
		for j := from; j < len(v); j++ {
			v[j] = math.NaN()
		}
		return from, last + 1, from > to-perDay
	}},
	{"last day half", []forecast.FindingKind{forecast.EndsEarly, forecast.Outage}, daily, func(v []float64, i, _ int, random *lcg) (int, int, bool) {
		for j := i + 1; j < len(v); j++ {
			v[j] = math.NaN()
		}
		v[i] = thinned(v[i], 0.5, random)
		return i, i + 1, true
	}},
}

func shiftBy(factor float64) func(v []float64, i, perDay int, random *lcg) (int, int, bool) {
	return func(v []float64, i, perDay int, random *lcg) (int, int, bool) {
		from, _ := plantedDay(i, perDay)
		if len(v)-from < 30*perDay || from < 30*perDay {
			return 0, 0, false
		}
		for j := from; j < len(v); j++ {
			v[j] = thinned(v[j], factor, random)
		}
		return from, from + 3*perDay, true
	}
}

// plantings is how often a defect is planted into one history; CHAOBAN_PLANTINGS sets more.
var plantings = func() int {
	if n, err := strconv.Atoi(os.Getenv("CHAOBAN_PLANTINGS")); err == nil && n > 0 {
		return n
	}
	return 2
}()

type plantScore struct {
	planted, found, extra int
	years                 float64
}

// worthwhile is how many contacts a defect must touch to be worth a planner's time.
const worthwhile = 20

func contacts(v []float64) (sum float64) {
	for _, x := range v {
		if x > 0 {
			sum += x
		}
	}
	return sum
}

// plantAll plants one defect at drawn places of a history, one at a time.
func plantAll(t *testing.T, h realHistory, c defect, random *lcg) (p plantScore) {
	t.Helper()
	perDay := int(day / h.series.Slot)
	if !c.fits(perDay) {
		return p
	}
	base := map[string]bool{}
	for _, f := range forecast.Inspect(h.series, h.opt) {
		base[f.From.String()+string(f.Kind)] = true
	}
	for tries := 0; p.planted < plantings && tries < 20*plantings; tries++ {
		s := h.series
		s.Values = slices.Clone(s.Values)
		i := int((0.05 + 0.9*random.float()) * float64(len(s.Values)))
		at := s.First.In(time.UTC).Add(time.Duration(i) * s.Slot)
		if math.IsNaN(s.Values[i]) || known(h.opt, at) {
			continue
		}
		from, to, ok := c.plant(s.Values, i, perDay, random)
		if !ok || contacts(h.series.Values[from:to]) < worthwhile {
			continue
		}
		p.planted++
		p.years += years(h.series)
		begin := s.First.In(time.UTC).Add(time.Duration(from) * s.Slot)
		end := s.First.In(time.UTC).Add(time.Duration(to) * s.Slot)
		o := h.opt
		if strings.HasPrefix(c.name, "ends") || strings.HasPrefix(c.name, "last") {
			_, dayEnd := plantedDay(i, perDay)
			o.Origin = s.First.In(time.UTC).Add(time.Duration(dayEnd) * s.Slot)
		}
		hit := false
		for _, f := range forecast.Inspect(s, o) {
			switch {
			case f.From.Before(end) && begin.Before(f.To) && slices.Contains(c.kinds, f.Kind):
				hit = true
			case !base[f.From.String()+string(f.Kind)] && (f.To.Before(begin.AddDate(0, 0, -7)) || f.From.After(end.AddDate(0, 0, 7))):
				p.extra++
				if os.Getenv("CHAOBAN_PLANTINGS") != "" {
					t.Logf("extra: %s %s at %s: %s %s", h.name, c.name, begin, f.Kind, f.Text)
				}
			}
		}
		if hit {
			p.found++
		}
	}
	return p
}

// known reports a time in or beside an event or holiday of the options.
func known(o forecast.Options, at time.Time) bool {
	for d := -2; d <= 2; d++ {
		if o.Holidays.Name(dateOf(at.AddDate(0, 0, d))) != "" {
			return true
		}
	}
	return slices.ContainsFunc(o.Events, func(e forecast.Event) bool {
		return at.After(e.Start.AddDate(0, 0, -3)) && at.Before(e.End.AddDate(0, 0, 8))
	})
}

// TestPlantedDefects plants known defects into the real histories and prints how many are found
// and how many findings appear more than a week away from them that were not there before.
func TestPlantedDefects(t *testing.T) {
	var table strings.Builder
	var all []realHistory
	routes := 0
	for _, h := range realHistories(t) {
		switch {
		case strings.Contains(h.name, "zero"), strings.Contains(h.name, "5m0s") && !strings.Contains(h.name, "15m"):
			continue
		case h.name == "parcels routes":
			// Routes that run nearly every day; the others sleep too often to miss a day.
			if routes++; years(h.series) < 1 || recordedShare(h.series) < 0.9 || routes%3 != 0 {
				continue
			}
		}
		all = append(all, h)
	}
	scores := map[string]map[string]*plantScore{}
	var names []string
	for _, h := range all {
		if scores[h.name] == nil {
			scores[h.name] = map[string]*plantScore{}
			names = append(names, h.name)
		}
		random := newLCG(20260101)
		for _, c := range defects {
			p := plantAll(t, h, c, random)
			s := scores[h.name][c.name]
			if s == nil {
				s = &plantScore{}
				scores[h.name][c.name] = s
			}
			s.planted, s.found, s.extra, s.years = s.planted+p.planted, s.found+p.found, s.extra+p.extra, s.years+p.years
		}
	}
	fmt.Fprintf(&table, "\n%-22s", "found of planted, %")
	for _, n := range names {
		fmt.Fprintf(&table, "%14s", shortName(n))
	}
	planted, found, extra, span := 0, 0, 0, 0.0
	for _, c := range defects {
		fmt.Fprintf(&table, "\n%-22s", c.name)
		for _, n := range names {
			s := scores[n][c.name]
			planted, found, extra, span = planted+s.planted, found+s.found, extra+s.extra, span+s.years
			if s.planted == 0 {
				fmt.Fprintf(&table, "%14s", "-")
				continue
			}
			fmt.Fprintf(&table, "%14.0f", 100*float64(s.found)/float64(s.planted))
		}
	}
	t.Logf("%s\n%d planted, %.1f %% found; %d findings elsewhere that were not there before, %.3f a year of history",
		table.String(), planted, 100*float64(found)/float64(planted), extra, float64(extra)/span)
	require.Greater(t, float64(found), 0.65*float64(planted))
	require.Less(t, float64(extra)/span, 0.2)
}

func recordedShare(s forecast.Series) float64 {
	n := 0
	for _, v := range s.Values {
		if !math.IsNaN(v) {
			n++
		}
	}
	return float64(n) / float64(len(s.Values))
}

func shortName(n string) string {
	n = strings.NewReplacer("bank_calls", "bank", "hourly_emergency", "emerg", "online_retail", "retail", "parcels ", "", "m0s", "m", "h0m0s", "h", "24h0m", "24h").Replace(n)
	return strings.ReplaceAll(n, "0m", "")
}

func dateOf(t time.Time) calendar.Date { return calendar.DateOf(t, time.UTC) }
