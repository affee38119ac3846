package measuring_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// jdStack has four sessions of a JD shop around the change of 2021-12-01: the window was 08:00-24:00
// and became 09:00-23:00. The 08:56 session is the one of JD's own notice.
func jdStack(t *testing.T) *stack {
	t.Helper()
	s := stackOn(t, enginetest.Start(t), operationstest.Definitions(t, "jd"))
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.Ingest(t, warehouse.Batch{Conversations: []chatlog.Conversation{
		conversation("orca-jd/pre", "early", "2001", at("2021-11-30", "08:30:00"), 10*time.Second),
		conversation("orca-jd/pre", "notice", "2001", at("2021-12-01", "08:56:00"), 5*time.Minute),
		conversation("orca-jd/pre", "morning", "1002", at("2021-12-01", "10:00:00"), 20*time.Second),
		conversation("orca-jd/pre", "night", "1002", at("2021-12-01", "23:30:00"), 45*time.Second),
		conversation("lumi-tmall/pre", "tmall", "1001", at("2021-12-01", "10:00:00"), time.Second), // no JD shop
	}})
	return s
}

func jdQuery(from, until string, by ...kpi.Dimension) kpi.Query {
	return kpi.Query{
		Metrics: []kpi.Metric{"jd.first_30s"}, By: by, Grain: kpi.Whole,
		Range: calendar.Range{Start: date(from).In(shanghai), End: date(until).In(shanghai)},
	}
}

// parts is a numerator and a denominator.
type parts struct{ num, den float64 }

func sums(r *kpi.Reading) parts { return parts{r.Numerator, r.Denominator} }

func TestCompareOverTheChangeOfADefinition(t *testing.T) {
	t.Parallel()
	s := jdStack(t)
	c, err := s.Measuring.Compare(t.Context(), planner, jdQuery("2021-11-30", "2021-12-02"), "v2021-11", "v2021-12")
	ok(t, err)
	require.Len(t, c.Figures, 1)
	f := c.Figures[0]
	assert.Equal(t, parts{2, 4}, sums(f.A), "early and morning of four")
	assert.Equal(t, parts{1, 1}, sums(f.B), "only morning lies in the new window")
	require.NotNil(t, f.InForce)
	assert.Equal(t, "v2021-11+v2021-12", f.InForce.Version)
	assert.Equal(t, parts{2, 2}, sums(f.InForce), "early under the old version, morning under the new one")
	assert.InDelta(t, 0.5, *f.Delta, 1e-12)
	assert.InDelta(t, 50, *f.Points, 1e-9)
	assert.Equal(t, []string{"v2021-11", "v2021-12"}, []string{c.A.Version, c.B.Version})
	assert.Contains(t, c.A.Plain.English, "from 08:00 to before 24:00")

	december, err := s.Measuring.Compare(t.Context(), planner, jdQuery("2021-12-01", "2022-01-01", kpi.ByShop), "v2021-11", "v2021-12")
	ok(t, err)
	require.Len(t, december.Figures, 1)
	assert.Equal(t, ids.Shop("orca-jd"), december.Figures[0].Shop)
	assert.Equal(t, parts{1, 3}, sums(december.Figures[0].A))
	assert.Equal(t, parts{1, 1}, sums(december.Figures[0].B))
	assert.Equal(t, "v2021-12", december.Figures[0].InForce.Version)
	assert.InDelta(t, 100*(1-1.0/3), *december.Figures[0].Points, 1e-9)
}

func TestCompareRefuses(t *testing.T) {
	t.Parallel()
	s := stackOn(t, "", operationstest.Definitions(t, "jd"))
	ctx, q := t.Context(), jdQuery("2021-12-01", "2022-01-01")
	_, err := s.Measuring.Compare(ctx, planner, q, "v2021-11", "v2099")
	f := refused(t, err, "kpi.version.unknown")
	assert.Contains(t, f.Message, "v2021-11, v2021-12", "the known versions are named")
	q.Metrics = []kpi.Metric{"jd.nothing"}
	_, err = s.Measuring.Compare(ctx, planner, q, "a", "b")
	_ = refused(t, err, "kpi.metric.unknown")
	q.Metrics = []kpi.Metric{"offered", "handled"}
	_, err = s.Measuring.Compare(ctx, planner, q, "neutral-1", "neutral-1")
	_ = refused(t, err, "kpi.compare.query")
	q = jdQuery("2021-12-01", "2022-01-01")
	q.Version = "v1"
	_, err = s.Measuring.Figures(ctx, planner, q)
	_ = refused(t, err, "kpi.version.unknown")
	_, err = s.Measuring.Metric(ctx, planner, "jd.first_30s", "v1")
	_ = refused(t, err, "kpi.version.unknown")
	_, err = s.Measuring.Metric(ctx, planner, "nothing", "")
	_ = refused(t, err, "kpi.metric.unknown")
}

func TestMetricTellsEveryVersion(t *testing.T) {
	t.Parallel()
	s := stackOn(t, "", operationstest.Definitions(t, "jd"))
	all, err := s.Measuring.Metric(t.Context(), clientLumi, "jd.avg_response", "")
	ok(t, err)
	require.Len(t, all, 3)
	assert.Equal(t, []string{"v2021-11", "v2021-12", "v2025-09"}, []string{all[0].Version, all[1].Version, all[2].Version})
	assert.NotEqual(t, all[1].Plain, all[2].Plain)
	behind, err := s.Measuring.Behind(t.Context(), clientLumi, []kpi.Reading{
		{Metric: "jd.avg_response", Version: "v2021-12+v2025-09"}, {Metric: "offered", Version: "neutral-1"}, {Metric: "jd.avg_response", Version: "v2025-09"},
	})
	ok(t, err)
	var keys []string
	for _, d := range behind {
		keys = append(keys, d.Key())
	}
	assert.Equal(t, []string{"jd.avg_response@v2021-12", "jd.avg_response@v2025-09", "offered@neutral-1"}, keys)
}

// The items behind a figure add up to it, and what is left out says why.
func TestItemsAddUpToTheFigure(t *testing.T) {
	t.Parallel()
	s := jdStack(t)
	ctx := t.Context()
	q := jdQuery("2021-11-30", "2021-12-02")
	items, next, err := s.Measuring.Items(ctx, planner, measuring.ItemQuery{Metric: "jd.first_30s", Range: q.Range}, operations.Page{})
	ok(t, err)
	assert.Empty(t, next)
	type seen struct{ version, left string }
	got := map[string]seen{}
	var counted parts
	for _, i := range items {
		got[i.Conversation] = seen{i.Version, i.Left}
		counted.num += i.Numerator
		counted.den += i.Denominator
	}
	assert.Equal(t, map[string]seen{
		"early": {"v2021-11", ""}, "notice": {"v2021-12", "window"}, "morning": {"v2021-12", ""}, "night": {"v2021-12", "window"},
	}, got)
	figures, err := s.Measuring.Figures(ctx, planner, q)
	ok(t, err)
	assert.Equal(t, sums(&figures[0]), counted)

	pinned, _, err := s.Measuring.Items(ctx, planner, measuring.ItemQuery{Metric: "jd.first_30s", Version: "v2021-11", Range: q.Range, Agents: []ids.Agent{"1002"}}, operations.Page{})
	ok(t, err)
	require.Len(t, pinned, 2)
	assert.InDelta(t, 45, pinned[1].Seconds, 1e-9)
	assert.Empty(t, pinned[1].Left, "under the old version the night counts")

	for _, who := range []access.Principal{clientOrca, planner} {
		rows, _, err := s.Measuring.Items(ctx, who, measuring.ItemQuery{Metric: "jd.first_30s", Range: q.Range}, operations.Page{})
		ok(t, err)
		require.Len(t, rows, 4)
		assert.Equal(t, who.Role == access.Client, rows[0].Agent == "", "a client is not told who answered")
	}
}

// Page after page lists each item once, those of conversations from before the range too.
func TestItemsPageByPage(t *testing.T) {
	t.Parallel()
	s := stackOn(t, enginetest.Start(t), append(operationstest.Definitions(t), operationstest.HumanRounds))
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	batch := warehouse.Batch{Conversations: monthOfChats()}
	long := conversation("lumi-tmall/pre", "long", "1001", at("2026-05-09", "23:50:00"), 8*time.Second)
	again := at("2026-05-10", "00:20:00")
	long.Rounds = append(long.Rounds, chatlog.Round{OpenedAt: again, AnsweredAt: again.Add(time.Minute), Agent: "1001"})
	long.EndedAt = again.Add(2 * time.Minute)
	batch.Conversations = append(batch.Conversations, long)
	s.Ingest(t, batch)
	q := measuring.ItemQuery{Metric: "human_5min", Range: calendar.Day(date("2026-05-10"), shanghai), Merchants: []ids.Merchant{"lumi"}}
	var counted parts
	seen := map[string]int{}
	page := operations.Page{Limit: 5}
	for pages := 0; ; pages++ {
		require.Less(t, pages, 200)
		items, next, err := s.Measuring.Items(t.Context(), planner, q, page)
		ok(t, err)
		for _, i := range items {
			seen[i.Conversation]++
			counted.num += i.Numerator
			counted.den += i.Denominator
		}
		if page.Cursor = next; next == "" {
			break
		}
	}
	assert.Equal(t, 1, seen["long"], "the round of the day, not that of the evening before")
	for id, n := range seen {
		assert.Equal(t, 1, n, id)
	}
	figures, err := s.Measuring.Figures(t.Context(), planner, kpi.Query{Metrics: []kpi.Metric{"human_5min"}, Grain: kpi.Whole, Range: q.Range, Merchants: q.Merchants})
	ok(t, err)
	assert.Equal(t, sums(&figures[0]), counted)

	_, _, err = s.Measuring.Items(t.Context(), planner, measuring.ItemQuery{Metric: "human_5min", Range: q.Range}, operations.Page{Cursor: "x"})
	_ = refused(t, err, "kpi.cursor")
	_, _, err = s.Measuring.Items(t.Context(), planner, measuring.ItemQuery{Metric: "offered", Range: q.Range}, operations.Page{})
	_ = refused(t, err, "kpi.items.sums")
	q.Range.End = q.Range.Start.Add(32 * 24 * time.Hour)
	_, _, err = s.Measuring.Items(t.Context(), planner, q, operations.Page{})
	_ = refused(t, err, "kpi.items.query")
}
