package planning_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// fourShops is four queues on one platform; three make a pool.
const fourShops = `
merchants:
  - id: lumi
    name: 鹿米家居
    category: home
    shops:
      - id: lumi-tmall
        name: 鹿米天猫旗舰店
        platform: tmall
        queues:
          - {id: lumi-tmall/a, skill: pre, channel: chat, hours: "Mon-Sun 09:00-18:00"}
          - {id: lumi-tmall/b, skill: pre, channel: chat, hours: "Mon-Sun 09:00-18:00"}
          - {id: lumi-tmall/c, skill: pre, channel: chat, hours: "Mon-Sun 09:00-18:00"}
          - {id: lumi-tmall/new, skill: pre, channel: chat, hours: "Mon-Sun 09:00-18:00"}
contracts: []
`

// lived imports days of a queue with the usual demand, three times as much in a sale.
func (s *stack) lived(t *testing.T, queue string, from, until calendar.Date, sale calendar.Dates) {
	t.Helper()
	var text strings.Builder
	text.WriteString("merchant,queue,start,slot,offered,handle_time\n")
	merchant, _, _ := strings.Cut(queue, "-")
	for slot := range (calendar.Range{Start: from.In(shanghai), End: until.In(shanghai)}).Slots(calendar.Slot) {
		n := demandAt(slot.Start)
		if sale.Contains(calendar.DateOf(slot.Start, shanghai)) {
			n *= 3
		}
		if n > 0 {
			fmt.Fprintf(&text, "%s,%s,%s,15m,%g,150\n", merchant, queue, slot.Start.In(shanghai).Format("2006-01-02 15:04"), n)
		}
	}
	_, err := s.Measuring.Import(t.Context(), planner, measuring.ImportInput{
		Source: operationstest.FileOf(queue+".csv", text.String()), Mapping: operations.DefaultMapping(operations.ImportHistory),
	})
	ok(t, err)
}

// Queues teach each other what a sale does: one that was never there at a sale expects at the
// next one what three others lived through, but not in a forecast from before it.
func TestQueuesTeachEachOther(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, fourShops)
	ctx, p := t.Context(), s.Planning
	past, next := days(today.Add(-40), 3), days(today.Add(3), 3)
	ok(t, second(p.PutPromotions(ctx, planner, []planning.Promotion{
		promotion("all", "618", past.From.String(), past.Until.String()), promotion("all", "618", next.From.String(), next.Until.String()),
	})))
	for _, q := range []string{"lumi-tmall/a", "lumi-tmall/b", "lumi-tmall/c"} {
		s.lived(t, q, today.Add(-120), today, past)
	}
	s.lived(t, "lumi-tmall/new", today.Add(-21), today, calendar.Dates{From: today, Until: today})
	sources := func(origin time.Time) string {
		t.Helper()
		made, err := p.MakeForecasts(ctx, planner, planning.ForecastInput{Queues: []ids.Queue{"lumi-tmall/new"}, Origin: origin})
		ok(t, err)
		var figures forecast.Result
		require.NoError(t, json.Unmarshal(made[0].Figures, &figures))
		require.Len(t, figures.Model.Events, 1)
		return figures.Model.Events[0].Source
	}
	alone := sources(today.In(shanghai))
	assert.NotContains(t, alone, "pool")
	_, err := p.RefreshForecasts(ctx, access.System("test"), s.Clock)
	ok(t, err)
	assert.Contains(t, sources(today.In(shanghai)), "pool")

	// The sale goes by, and everybody has lived through it. Asked again from before it, the forecast
	// knows nothing of it; only what the sale before it did is known a little better.
	s.Clock = s.Clock.AddDate(0, 0, 14)
	for _, q := range []string{"lumi-tmall/a", "lumi-tmall/b", "lumi-tmall/c", "lumi-tmall/new"} {
		s.lived(t, q, today, today.Add(14), next)
	}
	before, err := p.MakeForecasts(ctx, planner, planning.ForecastInput{Queues: []ids.Queue{"lumi-tmall/new"}, Origin: today.In(shanghai)})
	ok(t, err)
	_, err = p.RefreshForecasts(ctx, access.System("test"), s.Clock)
	ok(t, err)
	after, err := p.MakeForecasts(ctx, planner, planning.ForecastInput{Queues: []ids.Queue{"lumi-tmall/new"}, Origin: today.In(shanghai)})
	ok(t, err)
	for d := range 14 {
		assert.InEpsilon(t, sumOn(before[0].Curve.Points, today.Add(d)), sumOn(after[0].Curve.Points, today.Add(d)), 1e-3, "day %d", d)
	}
}
