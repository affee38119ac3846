package rostering_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// month fills a stack with 1,000 agents and two rosters of 28 days, the first published, the second a
// draft, on 20 plans in slots of 15 minutes.
func month(b *testing.B) (s *operationstest.Stack, second calendar.Range) {
	b.Helper()
	s = operationstest.New(b, "", operationstest.Definitions(b))
	s.ApplyContracts(b, operationstest.MerchantsYAML)
	s.AddPeople(b, 1001, 1000, "lumi-tmall/pre")
	spans := []calendar.Range{
		{Start: monday.In(shanghai), End: monday.Add(28).In(shanghai)}, {Start: monday.Add(28).In(shanghai), End: monday.Add(56).In(shanghai)},
	}
	operationstest.OK(b, s.DB.Change(b.Context(), admin, s.Clock, func(tx *store.Tx) error {
		var plans []ids.Plan
		need := scheduling.Requirement{Slot: 15 * time.Minute}
		for slot := range spans[1].Slots(15 * time.Minute) {
			if hour := slot.Start.In(shanghai).Hour(); hour >= 8 {
				heads := 357 // half of five sevenths of the agents, less those who eat
				need.Needs = append(need.Needs, scheduling.Need{Start: slot.Start, Heads: heads, Value: 25, Reason: "p90 of 61 contacts at 150 s, 80 % within 30 s"})
			}
		}
		for i := range 20 { // of 20 merchants in the real world; here of two queues, ten plans each
			need.Queue = []ids.Queue{"lumi-tmall/pre", "lumi-tmall/after"}[i%2]
			id := ids.Plan(fmt.Sprint("p", i))
			if err := tx.AddPlan(store.Plan{ID: id, Queue: need.Queue, Range: spans[1], Requirement: need}); err != nil {
				return err
			}
			plans = append(plans, id)
		}
		for k, span := range spans {
			r := store.Roster{ID: ids.Roster(fmt.Sprint("month", k+1)), Range: span, Plans: plans}
			for i := range 1000 {
				for day := range 28 {
					if (day+i)%7 < 5 {
						r.Shifts = append(r.Shifts, served(ids.Agent(fmt.Sprint(1001+i)), monday.Add(28*k+day), 8+7*(i/7%2)))
					}
				}
			}
			if _, err := tx.AddRoster(r); err != nil {
				return err
			}
		}
		_, err := tx.SetRosterState("month1", store.Published, store.AnyVersion)
		return err
	}))
	return s, spans[1]
}

// BenchmarkJudgeEdit judges dragged shifts of 1,000 agents x 28 days at a site with seats, the reads of the
// store included: of other people on other days, every second one to an hour that breaks the rest before the
// next shift, so that remedies are tried too. The bar is 50 ms.
func BenchmarkJudgeEdit(b *testing.B) {
	s, span := month(b)
	operationstest.OK(b, s.Administration.PutPlaces(b.Context(), admin, []workforce.Site{{ID: "hefei", Name: "合肥", Seats: 900}}, nil))
	judged, lawful := 0, 0
	judge := func() time.Duration {
		agent, day := 97*judged%1000, judged%27
		for (day+agent)%7 >= 5 || (day+1+agent)%7 >= 5 { // works on it, and on the next
			day = (day + 1) % 27
		}
		from, to := 8+7*(agent/7%2), 10+12*(judged%2)
		judged++
		at := span.Start.AddDate(0, 0, day)
		edits := []revise.Edit{{Kind: revise.Move, Agent: ids.Agent(fmt.Sprint(1001 + agent)), Start: at.Add(time.Duration(from) * time.Hour), NewStart: at.Add(time.Duration(to) * time.Hour)}}
		started := time.Now()
		v, err := s.Rostering.JudgeEdit(b.Context(), supervisor, "month2", edits)
		took := time.Since(started)
		operationstest.OK(b, err)
		require.NotNil(b, v.Cost)
		if v.Allowed {
			lawful++
		}
		return took
	}
	first := judge() // reads the plans
	var all []time.Duration
	for b.Loop() {
		all = append(all, judge())
	}
	slices.Sort(all)
	p99, worst := all[99*(len(all)-1)/100], all[len(all)-1]
	b.ReportMetric(p99.Seconds()*1000, "ms_p99")
	b.ReportMetric(worst.Seconds()*1000, "ms_worst")
	b.Logf("%d of %d edits lawful; the first, which reads the plans, %v; afterwards %v on average, 99 %% within %v, %v at worst; bar 50 ms",
		lawful, judged, first, b.Elapsed()/time.Duration(b.N), p99, worst)
}

// BenchmarkRepairRoster repairs 1,000 agents x 28 days at a site with seats after ten absences of three days,
// each time of other people on other days, from the reads of the store to the revision. The bar is 5 s.
func BenchmarkRepairRoster(b *testing.B) {
	s, span := month(b)
	operationstest.OK(b, s.Administration.PutPlaces(b.Context(), admin, []workforce.Site{{ID: "hefei", Name: "合肥", Seats: 900}}, nil))
	worst, run := time.Duration(0), 0
	for b.Loop() {
		in := rostering.RepairInput{Roster: "month2"}
		day := span.Start.AddDate(0, 0, (14+5*run)%25)
		for i := range 10 {
			agent := ids.Agent(fmt.Sprint(1001 + (97*i+13*run)%1000))
			in.Absences = append(in.Absences, revise.Absence{Agent: agent, Range: calendar.Range{Start: day, End: day.AddDate(0, 0, 3)}})
		}
		started := time.Now()
		made, err := s.Rostering.RepairRoster(b.Context(), supervisor, in)
		took := time.Since(started)
		operationstest.OK(b, err)
		require.NotEmpty(b, made.Changes)
		worst, run = max(worst, took), run+1
		b.Logf("%v: %.0f head-hours lost, %.0f left, %d moves; bar 5 s", took, made.Without.Missing-made.Planned.Missing,
			made.After.Missing-made.Planned.Missing, len(made.Moves))
	}
	b.ReportMetric(worst.Seconds(), "s_worst")
}
