package warehouse

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
)

func november() calendar.Range { return calendar.Month{Year: 2026, Month: 11}.Range(shanghai) }

func TestQuerySQL(t *testing.T) {
	for _, c := range []struct {
		name  string
		query kpi.Query
		scope Scope
		want  string
	}{{
		name:  "a merchant's month in one figure",
		query: kpi.Query{Metrics: []kpi.Metric{"first_response"}, Grain: kpi.Whole, Range: november()},
		scope: Scope{Merchants: []ids.Merchant{"lumi"}},
		want: `SELECT '', '', '', '', toInt64(0) AS step, toFloat64(sum(first_response_ms)), toFloat64(sum(answered))
FROM slots
WHERE day BETWEEN '2026-11-01' AND '2026-11-30' AND slot >= toDateTime(1793462400, 'UTC') AND slot < toDateTime(1796054400, 'UTC') AND generation IN (SELECT generation FROM current) AND merchant IN ('lumi')`,
	}, {
		name: "by agent and day, a limit, a window and filters",
		query: kpi.Query{
			Metrics: []kpi.Metric{"offered", "answered_within"}, Within: 30 * time.Second, Grain: kpi.Day,
			By: []kpi.Dimension{kpi.ByAgent, kpi.ByMerchant}, Range: november(), Window: "09:00-23:00",
			Queues: []ids.Queue{"lumi/pre"}, Shops: []ids.Shop{`x\'y`}, Merchants: []ids.Merchant{"lumi"},
		},
		scope: Scope{Everything: true},
		want: `SELECT toString(merchant), '', '', toString(agent), toInt64(toUnixTimestamp(toStartOfDay(slot, 'Asia/Shanghai'))) AS step, toFloat64(sum(offered)), toFloat64(1), toFloat64(sum(within_30)), toFloat64(sum(offered))
FROM slots
WHERE day BETWEEN '2026-11-01' AND '2026-11-30' AND slot >= toDateTime(1793462400, 'UTC') AND slot < toDateTime(1796054400, 'UTC') AND generation IN (SELECT generation FROM current) AND merchant IN ('lumi') AND shop IN ('x\\\'y') AND queue IN ('lumi/pre') AND ((toHour(slot, 'Asia/Shanghai') * 60 + toMinute(slot, 'Asia/Shanghai')) >= 540 AND (toHour(slot, 'Asia/Shanghai') * 60 + toMinute(slot, 'Asia/Shanghai')) < 1380)
GROUP BY merchant, agent, step`,
	}, {
		name:  "an agent's own occupancy by slot of the day",
		query: kpi.Query{Metrics: []kpi.Metric{"occupancy"}, Grain: kpi.SlotOfDay, Range: november()},
		scope: Scope{Agent: "a'1"},
		want: `SELECT '', '', '', '', toInt64(toHour(slot, 'Asia/Shanghai') * 4 + intDiv(toMinute(slot, 'Asia/Shanghai'), 15)) AS step, toFloat64(sum(busy_ms)), toFloat64(sum(ready_ms + busy_ms))
FROM state_slots
WHERE day BETWEEN '2026-09-12' AND '2026-11-30' AND slot >= toDateTime(1793462400, 'UTC') AND slot < toDateTime(1796054400, 'UTC') AND generation IN (SELECT generation FROM current) AND agent IN ('a\'1')
GROUP BY step`,
	}} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, c.query.Validate())
			metrics, err := neutral.Lookup(c.query, shanghai)
			require.NoError(t, err)
			w := &Warehouse{zone: shanghai, definitions: neutral}
			w.SetShops(nil)
			questions, err := w.In(c.scope).questions(c.query, metrics)
			require.NoError(t, err)
			require.Len(t, questions, 1, "one statement")
			assert.Equal(t, c.want, questions[0].toSQL())
		})
	}
}

func TestQueryRefusesBadQuestions(t *testing.T) {
	late := neutral[slices.IndexFunc(neutral, func(d kpi.Definition) bool { return d.Metric == "offered" })]
	late.Metric, late.Effective = "late", calendar.Dates{From: calendar.MakeDate(2020, 1, 1)}
	w := &Warehouse{zone: shanghai, definitions: append(slices.Clone(neutral), late)}
	w.SetShops(nil)
	good := kpi.Query{Metrics: []kpi.Metric{"offered"}, Grain: kpi.Whole, Range: november()}
	for name, c := range map[string]struct {
		change func(*kpi.Query)
		code   string
		fields int
	}{
		"no metric, grain or range":    {func(q *kpi.Query) { *q = kpi.Query{} }, "kpi.query.invalid", 3},
		"range off the 15-minute grid": {func(q *kpi.Query) { q.Range.Start = q.Range.Start.Add(time.Minute) }, "kpi.query.invalid", 1},
		"window off the grid":          {func(q *kpi.Query) { q.Window = "09:05-23:00" }, "kpi.query.invalid", 1},
		"window that is none":          {func(q *kpi.Query) { q.Window = "nine to five" }, "kpi.query.invalid", 1},
		"a limit nobody counts":        {func(q *kpi.Query) { q.Within = 25 * time.Second }, "kpi.query.invalid", 1},
		"no limit where one is needed": {func(q *kpi.Query) { q.Metrics = []kpi.Metric{"answered_within"} }, "kpi.query.invalid", 1},
		"a metric twice":               {func(q *kpi.Query) { q.Metrics = []kpi.Metric{"offered", "offered"} }, "kpi.query.invalid", 1},
		"unknown dimension":            {func(q *kpi.Query) { q.By = []kpi.Dimension{"id; DROP"} }, "kpi.query.invalid", 1},
		"unknown metric":               {func(q *kpi.Query) { q.Metrics = []kpi.Metric{"nope"} }, "kpi.metric.unknown", 0},
		"unknown version":              {func(q *kpi.Query) { q.Version = "v9" }, "kpi.metric.unknown", 0},
		"before the definition": {func(q *kpi.Query) {
			q.Metrics, q.Range.Start = []kpi.Metric{"late"}, q.Range.Start.AddDate(-20, 0, 0)
		}, "kpi.metric.not_effective", 0},
		"before any":             {func(q *kpi.Query) { q.Range.Start = q.Range.Start.AddDate(-30, 0, 0) }, "kpi.query.invalid", 1},
		"too many filter values": {func(q *kpi.Query) { q.Agents = make([]ids.Agent, maxValues+1) }, "warehouse.filter", 0},
	} {
		t.Run(name, func(t *testing.T) {
			q := good
			c.change(&q)
			_, err := w.In(everything).Query(t.Context(), q)
			require.Equal(t, c.code, fault.CodeOf(err), "%v", err)
			assert.Len(t, fault.Of(err).Fields, c.fields)
		})
	}
}

// Every name that a definition may use is a column of the roll-ups.
func TestStatesAreStored(t *testing.T) {
	stored := map[string]bool{"ready_ms + busy_ms": true}
	for _, s := range sums {
		stored[s.name] = true
		assert.True(t, (s.session == "") != (s.round == ""), "%s counts sessions or rounds", s.name)
	}
	for _, s := range stateNames {
		stored[s+"_ms"] = true
	}
	for name, s := range states {
		assert.True(t, stored[s.column], name)
	}
	for _, limit := range kpi.Limits {
		s, err := lookupState(kpi.Definition{}, within, limit)
		require.NoError(t, err)
		assert.True(t, stored[s.column], limit)
	}
}

func TestRuleQuerySQL(t *testing.T) {
	definition := func(metric kpi.Metric, base string, rule kpi.Rule) kpi.Definition {
		return kpi.Definition{Metric: metric, Version: "v1", Base: base, Rule: &rule, Effective: calendar.Dates{From: calendar.MakeDate(2020, 1, 1)}}
	}
	w := &Warehouse{zone: shanghai, definitions: kpi.Definitions{
		definition("tmall.human_3min", kpi.BaseRound, kpi.Rule{Measure: kpi.Within, Limit: 180}),
		definition("jd.first_30s", kpi.BaseSession, kpi.Rule{Measure: kpi.Within, Limit: 30}),
		definition("pdd.human_3min", kpi.BaseBuyerDay, kpi.Rule{Measure: kpi.Within, Limit: 180, Judge: "every"}),
	}}
	w.SetShops(nil)
	for _, c := range []struct {
		name  string
		query kpi.Query
		want  string
	}{{
		name:  "one metric by agent",
		query: kpi.Query{Metrics: []kpi.Metric{"tmall.human_3min"}, By: []kpi.Dimension{kpi.ByAgent}, Grain: kpi.Whole, Range: november()},
		want: `SELECT 'tmall.human_3min@v1', '', '', '', toString(agent), toInt64(0) AS step, toFloat64(sum(numerator)), toFloat64(sum(denominator)), toUInt8(0)
FROM metric_slots
WHERE metric IN ('tmall.human_3min@v1') AND merchant IN ('lumi') AND generation IN (SELECT generation FROM current) AND slot >= toDateTime(1793462400, 'UTC') AND slot < toDateTime(1796054400, 'UTC')
GROUP BY agent`,
	}, {
		name:  "two metrics in one statement",
		query: kpi.Query{Metrics: []kpi.Metric{"tmall.human_3min", "jd.first_30s"}, Grain: kpi.Slot, Range: november()},
		want: `SELECT toString(metric), '', '', '', '', toInt64(toUnixTimestamp(slot)) AS step, toFloat64(sum(numerator)), toFloat64(sum(denominator)), toUInt8(0)
FROM metric_slots
WHERE metric IN ('tmall.human_3min@v1', 'jd.first_30s@v1') AND merchant IN ('lumi') AND generation IN (SELECT generation FROM current) AND slot >= toDateTime(1793462400, 'UTC') AND slot < toDateTime(1796054400, 'UTC')
GROUP BY metric, step`,
	}, {
		name:  "buyers of two agents together",
		query: kpi.Query{Metrics: []kpi.Metric{"pdd.human_3min"}, Agents: []ids.Agent{"lin", "wu"}, By: []kpi.Dimension{kpi.ByShop}, Grain: kpi.Day, Range: november()},
		want: `SELECT 'pdd.human_3min@v1', '', toString(shop), '', '', toInt64(toUnixTimestamp(toDateTime(date, 'Asia/Shanghai'))) AS step, toFloat64(sum(numerator)), toFloat64(sum(denominator)), toUInt8(0)
FROM (SELECT buyer, any(shop) AS shop, any(date) AS date, sum(misses) = 0 AS numerator, 1 AS denominator
FROM (SELECT * FROM buyer_days WHERE metric IN ('pdd.human_3min@v1') AND merchant IN ('lumi') AND agent IN ('lin', 'wu') AND generation IN (SELECT generation FROM current) AND date BETWEEN '2026-11-01' AND '2026-11-30')
GROUP BY buyer)
WHERE 1
GROUP BY shop, step`,
	}, {
		name:  "buyers by day and agent",
		query: kpi.Query{Metrics: []kpi.Metric{"pdd.human_3min"}, By: []kpi.Dimension{kpi.ByAgent}, Grain: kpi.Day, Range: november()},
		want: `SELECT 'pdd.human_3min@v1', '', '', '', toString(agent), toInt64(toUnixTimestamp(toDateTime(date, 'Asia/Shanghai'))) AS step, toFloat64(sum(numerator)), toFloat64(sum(denominator)), toUInt8(0)
FROM (SELECT metric, merchant, shop, '' AS queue, place AS agent, day AS date, toInt64(numerator) AS numerator, toInt64(denominator) AS denominator
FROM buyer_totals WHERE split = 2 AND metric IN ('pdd.human_3min@v1') AND merchant IN ('lumi') AND generation IN (SELECT generation FROM current) AND day BETWEEN '2026-11-01' AND '2026-11-30'
UNION ALL
SELECT metric, merchant, shop, '' AS queue, place AS agent, date, toInt64(sum(misses) = 0) - toInt64(countIf(date = day) > 0 AND sumIf(misses, date = day) = 0) AS numerator, toInt64(countIf(date = day) = 0) AS denominator
FROM (SELECT metric, merchant, shop, date, agent AS place, buyer, day, misses, first FROM buyer_days
WHERE buyer IN (SELECT buyer FROM buyer_days WHERE metric IN ('pdd.human_3min@v1') AND merchant IN ('lumi') AND generation IN (SELECT generation FROM current) AND date BETWEEN '2026-11-01' AND '2026-11-30' AND date != day) AND metric IN ('pdd.human_3min@v1') AND merchant IN ('lumi') AND generation IN (SELECT generation FROM current) AND date BETWEEN '2026-11-01' AND '2026-11-30')
GROUP BY metric, merchant, shop, place, date, buyer)
WHERE 1
GROUP BY agent, step`,
	}} {
		t.Run(c.name, func(t *testing.T) {
			metrics, err := w.definitions.Lookup(c.query, shanghai)
			require.NoError(t, err)
			questions, err := w.In(Scope{Merchants: []ids.Merchant{"lumi"}}).questions(c.query, metrics)
			require.NoError(t, err)
			require.Len(t, questions, 1, "one statement")
			assert.Equal(t, c.want, questions[0].keptSQL())
		})
	}
}
