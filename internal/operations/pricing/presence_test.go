package pricing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/pool"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// Three alike: one on leave until noon, one whose hours begin at eleven. There are 1, 2 and 3 of them at ten, eleven and noon.
func TestWhoIsAwayCannotBePooled(t *testing.T) {
	zone := time.FixedZone("CST", 8*3600)
	day := calendar.Date{Year: 2026, Month: 11, Day: 10}
	at := func(hour int) time.Time { return day.In(zone).Add(time.Duration(hour) * time.Hour) }
	agent := func(id ids.Agent) workforce.Agent {
		dates := calendar.Dates{From: day, Until: day.Add(1)}
		return workforce.Agent{ID: id, Employed: dates, Concurrency: 3, Wage: 2500, Skills: []workforce.Skill{{Queue: "q", Dates: dates, Level: 1}}}
	}
	people := []workforce.Agent{agent("a"), agent("b"), agent("c")}
	people[1].Unavailable = []calendar.Range{{Start: at(8), End: at(12)}}
	people[2].Availability = "Mon-Sun 11:00-24:00"
	ask := question{zone: zone, pay: payroll{people: people}}
	c := scheduling.Curve{Queue: "q", Slot: poolSlot}
	for _, hour := range []int{10, 11, 12} {
		c.Points = append(c.Points, scheduling.Point{Start: at(hour), Mean: 5})
	}
	groups := ask.groups(pool.Problem{Queues: []pool.Queue{{Curve: c, Target: staffing.Target{Concurrency: 3}}}}, day)
	assert.Equal(t, 3, groups[0].Max)
	var found []int
	for _, w := range groups[0].Available {
		found = append(found, w.Max)
	}
	assert.Equal(t, []int{1, 2, 3}, found)
}

// Two contracts' seats of a queue in its window: shared and dedicated ones, beside the floor that is asked for.
func TestPromisedSeatsAreKept(t *testing.T) {
	zone := time.FixedZone("CST", 8*3600)
	day := calendar.Date{Year: 2026, Month: 11, Day: 10}
	c := contracts.Contract{ID: "c", Versions: []contracts.Version{{Number: 1, Dates: calendar.Dates{From: day, Until: day.Add(1)}, Seats: []contracts.Seat{
		{Shop: "s", Skill: "pre", Window: "09:00-10:00", Count: 4},
		{Shop: "s", Skill: "pre", Window: "09:30-11:00", Count: 2, Dedicated: true},
		{Shop: "s", Skill: "after", Window: "09:00-18:00", Count: 9},
	}}}}
	d := poolDay{date: day, zone: zone}
	s := stretch{queue: store.Queue{Queue: contracts.Queue{ID: "q", Skill: "pre"}, Shop: "s"}, agreed: []contracts.Contract{c}}
	at := func(minutes int) time.Time { return day.In(zone).Add(time.Duration(minutes) * time.Minute) }
	curve := scheduling.Curve{Queue: "q", Slot: poolSlot}
	for m := 9 * 60; m < 12*60; m += 30 {
		curve.Points = append(curve.Points, scheduling.Point{Start: at(m)})
	}
	total := func(m int) (shared, own int) {
		for _, x := range d.seats(s, curve, Options{MinHeads: 1}) {
			if x.Range.Contains(at(m)) && x.Dedicated {
				own += x.Count
			} else if x.Range.Contains(at(m)) {
				shared += x.Count
			}
		}
		return shared, own
	}
	for m, want := range map[int][2]int{9 * 60: {4, 0}, 9*60 + 30: {4, 2}, 10 * 60: {0, 2}, 11 * 60: {1, 0}} {
		shared, own := total(m)
		assert.Equal(t, want, [2]int{shared, own}, "%d", m)
	}
}
