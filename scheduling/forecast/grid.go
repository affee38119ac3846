package forecast

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// grid is the history cut at the origin, days x slots of the day, together with the days of the
// horizon. Day 0 is the first day that has a record.
type grid struct {
	opt       Options
	loc       *time.Location
	slot      time.Duration
	category  string // of the series: chooses the prior of events
	perDay    int
	firstDay  int       // unix day number of day 0
	days      int       // history and horizon together
	originDay int       // the day the origin lies in
	y         []float64 // originDay+1 days of slots; NaN = no information
	hours     Hours
	open      [7][]bool // weekday x slot of the day
	openCount [7]int
	closedOff bool // learned: this queue is closed on holidays
	doubts    []string
	out       []bool // records that exclusions took out, by index of y; nil = none
	void      []bool // slots that exclusions cover, with or without a record; nil = none
	excluded  []Excluded
}

// newGrid cuts the history at the origin, settles the open hours and what missing slots mean.
func newGrid(s Series, o Options) (*grid, error) {
	g := &grid{opt: o, loc: s.zone(), slot: s.Slot, category: s.Category, perDay: int(24 * time.Hour / s.Slot), firstDay: unixDay(s.First)}
	cut, _ := wallSlot(o.Origin, g.slot, g.loc)
	cut -= g.firstDay
	if cut >= 0 {
		g.y = nans((min(cut, 60*366)+1)*g.perDay, 0)
	}
	first := g.copyHistory(s)
	if first < 0 || cut > 60*366 {
		return nil, fault.New(fault.Invalid, "forecast.no_history", "no record lies before the origin %s", stamp(o.Origin))
	}
	g.firstDay += first
	g.originDay = cut - first
	g.y = g.y[first*g.perDay:]
	lastDay, _ := wallSlot(o.Origin.Add(o.Horizon-1), g.slot, g.loc)
	g.days = lastDay - g.firstDay + 1
	if g.exclude(); g.allOut() {
		return nil, fault.New(fault.Invalid, "forecast.no_history", "every record before the origin %s is excluded", stamp(o.Origin))
	}
	g.leaveOutForeignHolidays()
	g.settleHours()
	g.closedOff = g.closesOnHolidays()
	g.settleMissing()
	return g, nil
}

// copyHistory copies the slots that have ended by the origin and returns the first day that has
// a record, or -1.
func (g *grid) copyHistory(s Series) (first int) {
	first = -1
	for i := range min(len(g.y), len(s.Values)) {
		v := s.Values[i]
		if math.IsNaN(v) || wallInstant(g.firstDay+i/g.perDay, i%g.perDay, g.slot, g.loc).Add(g.slot).After(g.opt.Origin) {
			continue
		}
		if first < 0 {
			first = i / g.perDay
		}
		g.y[i] = v
	}
	return first
}

// settleHours takes the given open hours or learns them: a slot of a weekday is open when it
// has a record on at least a tenth of that weekday's last 26 occurrences.
func (g *grid) settleHours() {
	g.hours = g.opt.Hours
	inferred := g.hours.IsZero()
	var seen, out [7][]int
	var days [7]int
	for w := range 7 {
		seen[w], out[w] = make([]int, g.perDay), make([]int, g.perDay)
		g.open[w] = make([]bool, g.perDay)
	}
	for d := g.originDay; d >= 0; d-- {
		w := g.weekday(d)
		if days[w] >= 26 || d == g.originDay && g.seenSlots(d) == 0 {
			continue
		}
		days[w]++
		for k := range g.perDay {
			if !math.IsNaN(g.y[d*g.perDay+k]) {
				seen[w][k]++
			} else if g.isVoid(d*g.perDay + k) {
				out[w][k]++
			}
		}
	}
	short := g.originDay < 14
	for w := range 7 {
		for k := range g.perDay {
			minute := k * g.slotMinutes()
			if !inferred {
				g.open[w][k] = g.hours.Open(time.Weekday(w), minute) || g.perDay == 1 && len(g.hours.spans[w]) > 0
			} else if seen[w][k] > 0 && 10*seen[w][k] >= days[w]-out[w][k] || short && days[w] == 0 {
				g.open[w][k] = true
			}
		}
	}
	if inferred {
		g.openWhatWasSeen()
		if short {
			g.openUnseenWeekdays(days, seen)
		}
		for w := range 7 {
			for k, isOpen := range g.open[w] {
				if minute := k * g.slotMinutes(); isOpen {
					g.hours.add([]time.Weekday{time.Weekday(w)}, span{minute, minute + g.slotMinutes()})
				}
			}
		}
		g.doubt("open hours were not given; learned from the records: %s", g.hours)
	}
	for w := range 7 {
		for _, isOpen := range g.open[w] {
			if isOpen {
				g.openCount[w]++
			}
		}
	}
}

// openWhatWasSeen opens every slot that ever had a record when the last half year had too few.
func (g *grid) openWhatWasSeen() {
	for w := range 7 {
		if slices.Contains(g.open[w], true) {
			return
		}
	}
	for i, v := range g.y {
		if !math.IsNaN(v) {
			g.open[g.weekday(i/g.perDay)][i%g.perDay] = true
		}
	}
	g.doubt("records are rare: less than a tenth of the last half year has any")
}

// openUnseenWeekdays gives weekdays that a history of under two weeks never met the union of
// the slots seen on other days: closing them would be a guess in the dangerous direction.
func (g *grid) openUnseenWeekdays(days [7]int, seen [7][]int) {
	for w := range 7 {
		if days[w] > 0 {
			continue
		}
		for k := range g.perDay {
			g.open[w][k] = false
			for v := range 7 {
				g.open[w][k] = g.open[w][k] || seen[v][k] > 0
			}
		}
	}
}

// settleMissing drops records outside the open hours and fills zeros where the caller says so.
func (g *grid) settleMissing() {
	var dropped float64
	gaps, slots := 0, 0
	for i, v := range g.y {
		d, k := i/g.perDay, i%g.perDay
		isOpen := g.open[g.weekday(d)][k]
		switch {
		case !isOpen:
			if v > 0 {
				dropped += v
			}
			g.y[i] = math.NaN()
		case g.isVoid(i) || math.IsNaN(v) && !g.ended(d, k):
		case math.IsNaN(v):
			slots++
			if g.opt.Missing == MissingZero && !g.closed(d) {
				g.y[i] = 0
			} else {
				gaps++
			}
		default:
			slots++
		}
	}
	if dropped > 0 {
		g.doubt("%.0f contacts recorded outside the open hours were left out", dropped)
	}
	if g.opt.Missing == MissingClosed && slots > 0 && gaps*50 > slots {
		g.doubt("%.1f %% of the open slots have no record and were taken as closed, not as zero", 100*float64(gaps)/float64(slots))
	}
}

// closesOnHolidays learns whether the queue is closed on days off of the holiday table: at
// least two such open-by-weekday days passed and none of them has a record.
func (g *grid) closesOnHolidays() bool {
	passed := 0
	for d := range g.originDay {
		if !g.offWork(d) || g.openCount[g.weekday(d)] == 0 {
			continue
		}
		if g.seenSlots(d) > 0 || g.tookPart(d) {
			return false
		}
		passed++
	}
	if passed < 2 {
		return false
	}
	g.doubt("no contact was ever recorded on %d public holidays: holidays in the horizon are taken as closed", passed)
	return true
}

func (g *grid) offWork(d int) bool {
	k := g.opt.Holidays.Kind(g.date(d))
	return k == calendar.Statutory || k == calendar.Bridge
}

func (g *grid) seenSlots(d int) int {
	n := 0
	for _, v := range g.y[d*g.perDay : (d+1)*g.perDay] {
		if !math.IsNaN(v) {
			n++
		}
	}
	return n
}

func (g *grid) ended(d, k int) bool {
	return !wallInstant(g.firstDay+d, k, g.slot, g.loc).Add(g.slot).After(g.opt.Origin)
}

// instant is the start of a slot; real is false in the hour a clock change skips.
func (g *grid) instant(d, k int) (start time.Time, real bool) {
	start = wallInstant(g.firstDay+d, k, g.slot, g.loc)
	day, slot := wallSlot(start, g.slot, g.loc)
	return start, day == g.firstDay+d && slot == k
}

func (g *grid) date(d int) calendar.Date { return unixDate(g.firstDay + d) }

func (g *grid) weekday(d int) int { return ((g.firstDay+d+4)%7 + 7) % 7 } // 1970-01-01 was a Thursday

func (g *grid) dayOf(t time.Time) int {
	day, _ := wallSlot(t, 24*time.Hour, g.loc)
	return day - g.firstDay
}

// lastDay is the last day whose slots have all ended by the origin.
func (g *grid) lastDay() int { return g.originDay - 1 }

// lead is the number of days from the last complete day of history to day d, at least 1.
func (g *grid) lead(d int) int { return max(1, d-g.lastDay()) }

// willOpen reports whether a day of the horizon is expected to be open at all.
func (g *grid) willOpen(d int) bool {
	return g.openCount[g.weekday(d)] > 0 && !g.closed(d)
}

// closed reports whether the queue is shut on a day because of a holiday.
func (g *grid) closed(d int) bool { return g.closedOff && g.offWork(d) }

func (g *grid) openSlot(d, k int) bool { return g.open[g.weekday(d)][k] }

// opened reports whether day d was open: in history it has a record, later it is expected to.
func (g *grid) opened(d int) bool {
	if d < 0 || d > g.lastDay() {
		return g.willOpen(d)
	}
	return g.seenSlots(d) > 0 || g.tookPart(d)
}

func (g *grid) doubt(format string, args ...any) {
	g.doubts = append(g.doubts, fmt.Sprintf(format, args...))
}

func (g *grid) slotMinutes() int { return int(g.slot / time.Minute) }

// lastRecord is the end of the last slot that holds a record, or that a person took out.
func (g *grid) lastRecord() (end time.Time) {
	for i := len(g.y) - 1; i >= 0; i-- {
		if !math.IsNaN(g.y[i]) || g.isVoid(i) {
			return wallInstant(g.firstDay+i/g.perDay, i%g.perDay, g.slot, g.loc).Add(g.slot)
		}
	}
	return g.date(0).In(g.loc)
}
