package roster_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Nine people for one shift a day on a queue and none on another: who works nothing is named with its reason. Who
// left before these days is nobody's concern.
func TestWhoWorksNothingIsNamedWithItsReason(t *testing.T) {
	p := small(9)
	need(&p, "q", 1, 9, 12, 0, 1, 2, 3, 4)
	need(&p, "r", 0, 9, 12, 0, 1, 2, 3, 4)
	p.Rules.Queues = []workrules.QueueTerms{{Queue: "c", Certificate: "c-2026"}}
	need(&p, "c", 1, 9, 12, 0)
	first := calendar.DateOf(p.Range.Start, zone)
	person := func(i int) *workrules.Person { return &p.Agents[i].Person }
	person(1).Agreements = []workrules.Agreement{{DayHours: 6}}
	person(2).Skills = []workrules.Skill{{Queue: "r"}}
	person(3).Skills = []workrules.Skill{{Queue: "c"}}
	person(4).Unavailable = []calendar.Range{p.Range}
	person(5).Employed = calendar.Dates{From: first.Add(-400), Until: first}
	p.Agents[6].MaxWork = 4 * time.Hour
	person(7).Regime = workrules.PartTime
	s := solve(t, p, 50)
	got := map[ids.Agent]string{}
	for _, x := range s.Idle {
		got[x.Agent] = x.Code
		if x.Agent == "A1" {
			assert.Contains(t, x.Says.ZH, "约定")
			assert.Contains(t, x.Says.EN, "such as:")
		}
		if x.Agent == "A3" {
			assert.Contains(t, x.Says.ZH, "c-2026")
		}
	}
	want := map[ids.Agent]string{
		"A1": "agreement.day", "A2": "no_demand", "A3": "certificate.merchant", "A4": "fit.available", "A6": "max_work", "A7": "hours.part_time_daily",
	}
	for a, code := range want {
		assert.Equal(t, code, got[a], a)
	}
	assert.NotContains(t, got, ids.Agent("A5"), "left")
	require.Len(t, s.Roster.Shifts, 5, "one head a day, so that of A0 and A8 one may be idle")
	for _, a := range []ids.Agent{"A0", "A8"} {
		if code, idle := got[a]; idle {
			assert.Equal(t, "not_needed", code)
		}
	}
}
