package planning_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

func promotion(platform contracts.Platform, family, from, until string) planning.Promotion {
	return planning.Promotion{Platform: platform, Event: forecast.Event{
		Family: family, Start: date(from).In(shanghai).UTC(), End: date(until).In(shanghai).UTC(),
	}}
}

// Two promotions of one family at one time are refused when any shop would feel both, because every
// forecast of such a shop would fail.
func TestPromotionsOfOneShopDoNotOverlap(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	put := func(all ...planning.Promotion) error {
		return second(s.Planning.PutPromotions(t.Context(), planner, all))
	}
	june := func(on contracts.Platform) planning.Promotion {
		return promotion(on, "618", "2026-06-13", "2026-06-21")
	}
	for _, pair := range [][2]contracts.Platform{{"all", "tmall"}, {"tmall", ""}, {"taobao", "tmall"}, {"", "all"}} {
		e := refused(t, put(june(pair[0]), june(pair[1])), "forecast.events")
		require.Len(t, e.Fields, 1, "%v", pair)
		assert.Equal(t, "events[1]", e.Fields[0].Path)
	}
	assert.Equal(t, "events[1].platform", refused(t, put(june("jd"), june("ebay")), "forecast.events").Fields[0].Path)
	bad := june("jd")
	bad.End = bad.Start
	assert.Equal(t, "events[1].end", refused(t, put(june("tmall"), bad), "forecast.events").Fields[0].Path)
	ok(t, put(june("tmall"), june("jd"), promotion("all", "double11", "2026-11-01", "2026-11-12")))
}

// An entered promotion also takes the place of a shipped one for all platforms, but only where it holds.
func TestEnteredReplacesShippedForAll(t *testing.T) {
	t.Parallel()
	s := planningStack(t)
	deps := s.Deps
	shipped := promotion("all", "618", "2026-06-13", "2026-06-21")
	deps.Promotions = []planning.Promotion{shipped}
	p := operations.New(operations.DefaultConfig(), deps).Planning
	own := promotion("tmall", "618", "2026-06-12", "2026-06-19")
	ok(t, second(p.PutPromotions(t.Context(), planner, []planning.Promotion{own})))
	all, err := p.Promotions(t.Context(), planner)
	ok(t, err)
	assert.Equal(t, []planning.Promotion{own, shipped}, all, "shops on JD still have the shipped one")
	_, err = p.MakeForecasts(t.Context(), planner, planning.ForecastInput{Merchant: "lumi", Origin: today.In(shanghai)})
	ok(t, err)
	own.Platform = "all"
	ok(t, second(p.PutPromotions(t.Context(), planner, []planning.Promotion{own})))
	all, err = p.Promotions(t.Context(), planner)
	ok(t, err)
	assert.Equal(t, []planning.Promotion{own}, all)
}

// addHistory imports four weeks up to today in slots of one length.
func (s *stack) addHistory(t *testing.T, slot time.Duration) {
	t.Helper()
	var text strings.Builder
	text.WriteString("merchant,queue,start,slot,offered,handle_time\n")
	for r := range (calendar.Range{Start: today.Add(-28).In(shanghai), End: today.In(shanghai)}).Slots(slot) {
		sum := 0.0
		for quarter := range (calendar.Range{Start: r.Start, End: r.End}).Slots(calendar.Slot) {
			sum += demandAt(quarter.Start)
		}
		if sum > 0 {
			fmt.Fprintf(&text, "lumi,lumi-tmall/pre,%s,%dm,%g,150\n", r.Start.In(shanghai).Format("2006-01-02 15:04"), int(slot.Minutes()), sum)
		}
	}
	_, err := s.Measuring.Import(t.Context(), planner, measuring.ImportInput{
		Source: operationstest.FileOf("history.csv", text.String()), Mapping: operations.DefaultMapping(operations.ImportHistory),
	})
	ok(t, err)
}

// A history that is coarser than the usual slot is forecast in its own.
func TestForecastTakesTheGrainOfTheHistory(t *testing.T) {
	t.Parallel()
	for _, slot := range []time.Duration{30 * time.Minute, time.Hour, 24 * time.Hour} {
		s := newStack(t)
		s.ApplyContracts(t, operationstest.MerchantsYAML)
		s.addHistory(t, slot)
		in := planning.ForecastInput{Queues: []ids.Queue{pre}, Origin: today.In(shanghai), Horizon: 7 * 24 * time.Hour}
		made, err := s.Planning.MakeForecasts(t.Context(), planner, in)
		ok(t, err)
		assert.Equal(t, slot, made[0].Curve.Slot)
		total, want := 0.0, 0.0
		for _, p := range made[0].Curve.Points {
			total += p.Mean
		}
		for r := range (calendar.Range{Start: in.Origin, End: today.Add(7).In(shanghai)}).Slots(calendar.Slot) {
			want += demandAt(r.Start)
		}
		assert.InEpsilon(t, want, total, 0.1)
		in.Slot = calendar.Slot
		_, err = s.Planning.MakeForecasts(t.Context(), planner, in)
		assert.Contains(t, refused(t, err, "forecast.grain").Message, "slots of "+slot.String())

		_, err = s.Pricing.MakePlans(t.Context(), planner, pricing.PlanInput{From: today, Days: 7})
		if slot > time.Hour {
			_ = refused(t, err, "plan.no_forecast")
		} else {
			ok(t, err)
		}
	}
}

// Equal digests mean equal inputs: what changes the numbers changes the digest.
func TestInputHashesCoverEverything(t *testing.T) {
	t.Parallel()
	s := planningStack(t)
	made := func(change func(*operations.Deps)) (forecastHash, rosterHash string) {
		t.Helper()
		deps := s.Deps
		change(&deps)
		s.Clock = s.Clock.Add(time.Minute)
		all := operations.New(operations.DefaultConfig(), deps)
		f, err := all.Planning.MakeForecasts(t.Context(), planner, planning.ForecastInput{Queues: []ids.Queue{pre}, Origin: today.In(shanghai), Horizon: 48 * time.Hour})
		ok(t, err)
		_, err = s.Pricing.MakePlans(t.Context(), planner, pricing.PlanInput{From: today, Days: 2})
		ok(t, err)
		r, err := all.Rostering.MakeRoster(t.Context(), planner, rostering.RosterInput{From: today, Days: 2, Iterations: 20, Threads: 1})
		ok(t, err)
		return f[0].InputHash, r.Roster.InputHash
	}
	nothing := func(*operations.Deps) {}
	f, r := made(nothing)
	sameF, sameR := made(nothing)
	assert.Equal(t, []string{f, r}, []string{sameF, sameR})
	otherF, otherR := made(func(d *operations.Deps) {
		d.Holidays = calendar.NewHolidays("test", []calendar.Holiday{{Date: today.Add(1), Kind: calendar.Statutory, Name: "端午节"}})
	})
	assert.NotEqual(t, f, otherF, "holidays")
	assert.NotEqual(t, r, otherR, "holidays")
	_, otherR = made(func(d *operations.Deps) { d.Rules.ConsecutiveDays-- })
	assert.NotEqual(t, r, otherR, "rules")
	s.AddPeople(t, 1013, 1, string(pre))
	_, otherR = made(nothing)
	assert.NotEqual(t, r, otherR, "people")
}

// An origin before the history says where the history begins; one long after its end is refused.
func TestOriginsOutsideTheHistory(t *testing.T) {
	t.Parallel()
	s := planningStack(t)
	from := func(origin time.Time, queues ...ids.Queue) error {
		return second(s.Planning.MakeForecasts(t.Context(), planner, planning.ForecastInput{Queues: queues, Origin: origin, Horizon: 48 * time.Hour}))
	}
	early := today.Add(-100)
	e := refused(t, from(early.In(shanghai), pre), "forecast.no_history")
	assert.Equal(t, "queue lumi-tmall/pre has no contact history before "+early.String()+" 00:00; it begins "+today.Add(-28).String(), e.Message)
	e = refused(t, from(early.In(shanghai)), "forecast.no_history")
	assert.Equal(t, "none of the queues has a contact history before "+early.String()+" 00:00", e.Message)
	e = refused(t, from(early.In(shanghai), "lumi-tmall/after"), "forecast.no_history")
	assert.Contains(t, e.Message, "import one first")
	end := today.Add(-1).In(shanghai).Add(18 * time.Hour) // of the last open slot
	ok(t, from(end.Add(64*7*24*time.Hour), pre))
	e = refused(t, from(end.Add(64*7*24*time.Hour+15*time.Minute), pre), "forecast.origin")
	assert.Equal(t, "origin", e.Fields[0].Path)
}

// Replacing the entered promotions says what went and what came, and warns of a lesson that is lost.
func TestReplacedPromotionsAreTold(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	put := func(all ...planning.Promotion) planning.PromotionsChange {
		t.Helper()
		done, err := s.Planning.PutPromotions(t.Context(), planner, all)
		ok(t, err)
		return done
	}
	past, moved, coming := promotion("tmall", "live", "2026-05-01", "2026-05-03"), promotion("tmall", "live", "2026-05-02", "2026-05-04"), promotion("jd", "618", "2027-06-13", "2027-06-21")
	assert.Equal(t, planning.PromotionsChange{Removed: []planning.Promotion{}, Added: []planning.Promotion{past, coming}, Warnings: []string{}}, put(past, coming))
	assert.Equal(t, planning.PromotionsChange{Removed: []planning.Promotion{}, Added: []planning.Promotion{}, Warnings: []string{}}, put(coming, past), "the same again")
	assert.Equal(t, planning.PromotionsChange{Removed: []planning.Promotion{past}, Added: []planning.Promotion{moved}, Warnings: []string{}}, put(moved, coming), "moved, not lost")
	done := put()
	assert.Len(t, done.Removed, 2)
	assert.Equal(t, []string{"live of 2026-05-02 00:00 to 2026-05-04 00:00 is past and was removed: forecasts no longer learn from it what a live does"}, done.Warnings)
}
