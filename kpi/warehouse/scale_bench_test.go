package warehouse

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
)

// scaleMessages is the size of the world of BenchmarkScale: CHAOBAN_MESSAGES, or 2 million. `make
// bench-warehouse` sets 100 million.
func scaleMessages(b *testing.B) int {
	text := os.Getenv("CHAOBAN_MESSAGES")
	if text == "" {
		return 2_000_000
	}
	n, err := strconv.Atoi(text)
	require.NoError(b, err, "CHAOBAN_MESSAGES must be a number")
	return n
}

// A year of 40 merchants of very different size (the greatest has 12 % of everything), two shops
// and four queues each, 25 agents per merchant. A conversation has 4 to 15 messages, 8⅓ on average.
const (
	scaleMerchants = 40
	perTwelve      = 100 // messages of 12 conversations: 2 * (4+6+8+8+9+15)
	scaleChunk     = 500_000
)

var (
	scaleYear  = calendar.Range{Start: time.Date(2025, 12, 1, 0, 0, 0, 0, shanghai), End: time.Date(2026, 12, 1, 0, 0, 0, 0, shanghai)}
	scaleToday = calendar.Range{Start: time.Date(2026, 11, 30, 0, 0, 0, 0, shanghai), End: scaleYear.End}
)

// scaleConversations gives the conversations [from, until) of total, in order of time. r0, r1 ... are
// independent random numbers of conversation c.
func scaleConversations(from, until, total int) string {
	return fmt.Sprintf(`SELECT number AS c, cityHash64(c, 1) AS r0, cityHash64(c, 2) AS r1,
toUInt64(pow(toFloat64(r0 %% 1000003) / 1000003, 2.2) * %[5]d) AS m, 'merchant-' || leftPad(toString(m), 2, '0') AS merchant,
merchant || '-' || toString(r1 %% 2) AS shop, shop || if(r1 %% 3 = 0, '/after', '/pre') AS queue,
'agent-' || toString(m * 25 + r1 %% 25) AS agent, hex(cityHash64(c - c %% 7, m)) AS buyer,
toString(c) || '-' || hex(r1) AS conversation,
[4, 6, 8, 8, 9, 15][c %% 6 + 1] AS messages,
-- nine to midnight, busier in the evening
%[3]d + intDiv(c * 365, %[4]d) * 86400000 + 32400000 + toUInt64(sqrt(toFloat64(cityHash64(c, 3) %% 1000003) / 1000003) * 53000000) AS started
FROM numbers(%[1]d, %[2]d)`, from, until-from, scaleYear.Start.UnixMilli(), total, scaleMerchants)
}

// generate fills the raw tables inside the engine, as imports of a year would have.
func generate(b *testing.B, w *Warehouse, messages int) {
	ctx := forInsert(context.Background())
	total := messages / perTwelve * 12
	for from := 0; from < total; from += scaleChunk {
		source := scaleConversations(from, min(from+scaleChunk, total), total)
		require.NoError(b, w.conn.Exec(ctx, `INSERT INTO conversations (merchant, day, id, version, shop, queue, channel, agent, buyer,
started, first_response_ms, length_ms, abandoned, resolved, rating, agent_messages, buyer_messages, handle_ms, simulated)
SELECT merchant, toDate(fromUnixTimestamp64Milli(started, 'Asia/Shanghai')), conversation, 1, shop, queue, 'chat', agent, buyer,
fromUnixTimestamp64Milli(started, 'UTC'), 5000 + r1 % 60000, messages * 30000, 0, if(r0 % 4 = 0, 1, -1), if(r0 % 3 = 0, 1 + r1 % 5, 0),
intDiv(messages, 2), messages - intDiv(messages, 2), messages * 12000, 1 FROM (`+source+`)`))
		require.NoError(b, w.conn.Exec(ctx, `INSERT INTO events (merchant, day, conversation, id, version, at, kind, shop, queue, agent, account, buyer, closing, simulated)
SELECT merchant, toDate(fromUnixTimestamp64Milli(at, 'Asia/Shanghai')), conversation, cityHash64(conversation, i), 1, fromUnixTimestamp64Milli(at, 'UTC'),
if(i % 2 = 0, 2, 6), shop, queue, if(i % 2 = 0, '', agent), '', if(i = 0, buyer, ''), i = messages - 1 AND r0 % 2 = 0, 1 FROM (
SELECT *, arrayJoin(range(toUInt64(messages))) AS i,
-- a turn of 45 s, a reply after 5 to 60 s, one in 16 after up to 5 minutes
started + i * 45000 + if(i % 2 = 1, (cityHash64(c, 7, i) % 55000) - 20000 + if(cityHash64(c, 8, i) % 16 = 0, cityHash64(c, 9, i) % 240000, 0), cityHash64(c, 7, i) % 5000) AS at
FROM (`+source+`))`))
	}
	// The journal as one import per day and merchant would have left it.
	require.NoError(b, w.conn.Exec(ctx, `INSERT INTO marks (kind, merchant, day, batch, rank, version)
SELECT DISTINCT 'conversations', merchant, day, 'generated', 3, 1 FROM (SELECT merchant, day FROM conversations UNION ALL SELECT merchant, day FROM events)`))
}

// quantile95 runs a question often and gives the 95th percentile of its time.
func quantile95(b *testing.B, runs int, ask func(n int)) time.Duration {
	ask(0) // the first one warms the caches, as on any screen that is looked at twice
	times := make([]time.Duration, runs)
	for i := range times {
		start := time.Now()
		ask(i)
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return times[(runs*95+99)/100-1]
}

// BenchmarkScale measures the screens on a year of a large outsourcer, each beside the same figure
// counted from raw events. Figures are reported, nothing is asserted about time.
func BenchmarkScale(b *testing.B) {
	messages := scaleMessages(b)
	w, err := Open(context.Background(), DefaultConfig(), Fixed(enginetest.Start(b)), scaleDefinitions())
	require.NoError(b, err)
	b.Cleanup(func() { _ = w.Close() })
	shops := map[ids.Shop]string{}
	for m := range scaleMerchants {
		for s := range 2 {
			shops[ids.Shop(fmt.Sprintf("merchant-%02d-%d", m, s))] = []string{"tmall", "jd", "pdd", "douyin"}[m%4]
		}
	}
	w.SetShops(shops)
	start := time.Now()
	generate(b, w, messages)
	b.Logf("%d messages in %d conversations generated in %s", count(b, w, "events"), count(b, w, "conversations"), time.Since(start).Round(time.Second))
	start = time.Now()
	refresh(b, w)
	b.Logf("rolled up in %s", time.Since(start).Round(time.Second))
	for _, table := range []string{"events", "conversations", "slots", "metric_slots", "buyer_days"} {
		require.NoError(b, w.conn.Exec(context.Background(), "OPTIMIZE TABLE "+table+" FINAL"))
	}
	logSizes(b, w, messages)

	month := calendar.Range{Start: time.Date(2026, 11, 1, 0, 0, 0, 0, shanghai), End: scaleYear.End}
	fourWeeks := calendar.Range{Start: month.End.AddDate(0, 0, -28), End: month.End}
	greatest := ids.Merchant("merchant-00")
	for _, screen := range []struct {
		name   string
		bar    string
		query  kpi.Query
		scoped bool // one merchant
	}{
		{"month-by-agent", "100 ms", kpi.Query{Metrics: []kpi.Metric{"tmall.human_3min"}, By: []kpi.Dimension{kpi.ByAgent}, Grain: kpi.Whole, Range: month}, true},
		{"month-by-agent-neutral", "100 ms", kpi.Query{Metrics: []kpi.Metric{"first_response", "satisfaction"}, By: []kpi.Dimension{kpi.ByAgent}, Grain: kpi.Whole, Range: month}, true},
		{"month-by-agent-buyer-day", "100 ms", kpi.Query{Metrics: []kpi.Metric{"tmall.consult_buyers"}, By: []kpi.Dimension{kpi.ByAgent}, Grain: kpi.Whole, Range: month}, true},
		{"year-by-day", "100 ms", kpi.Query{Metrics: []kpi.Metric{"tmall.human_3min"}, Grain: kpi.Day, Range: scaleYear}, true},
		{"year-by-day-neutral", "100 ms", kpi.Query{Metrics: []kpi.Metric{"first_response"}, Grain: kpi.Day, Range: scaleYear}, true},
		{"year-by-day-buyer-day", "100 ms", kpi.Query{Metrics: []kpi.Metric{"tmall.consult_buyers"}, Grain: kpi.Day, Range: scaleYear}, true},
		{"heat-map-28x96", "60 ms", kpi.Query{Metrics: []kpi.Metric{"tmall.human_3min"}, Grain: kpi.Slot, Range: fourWeeks}, true},
		{"today-all-by-slot", "50 ms", kpi.Query{Metrics: []kpi.Metric{"offered", "first_response"}, By: []kpi.Dimension{kpi.ByMerchant}, Grain: kpi.Slot, Range: scaleToday}, false},
	} {
		b.Run(screen.name, func(b *testing.B) {
			q := screen.query
			if screen.scoped {
				q.Merchants = []ids.Merchant{greatest}
			}
			var p95 time.Duration
			for b.Loop() {
				p95 = quantile95(b, 100, func(int) { require.NotEmpty(b, ask(b, w, everything, q)) })
			}
			b.ReportMetric(float64(p95.Microseconds())/1000, "p95-ms")
			raw := quantile95(b, 1, func(int) { rawFigures(b, w, q) })
			b.ReportMetric(float64(raw.Microseconds())/1000, "raw-ms")
			b.ReportMetric(float64(raw)/float64(p95), "raw/p95")
			b.Logf("%s: p95 %s (bar %s), from raw events %s", screen.name, p95.Round(100*time.Microsecond), screen.bar, raw.Round(time.Millisecond))
		})
	}
}

func count(b *testing.B, w *Warehouse, table string) (n uint64) {
	require.NoError(b, w.conn.QueryRow(context.Background(), "SELECT count() FROM "+table).Scan(&n))
	return n
}

// logSizes tells what a message costs on disk, raw and rolled up.
func logSizes(b *testing.B, w *Warehouse, messages int) {
	rows, err := w.conn.Query(context.Background(), `SELECT table, sum(data_compressed_bytes), sum(rows) FROM system.parts
WHERE active AND database = currentDatabase() GROUP BY table ORDER BY table`)
	require.NoError(b, err)
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var table string
		var bytes, n uint64
		require.NoError(b, rows.Scan(&table, &bytes, &n))
		lines = append(lines, fmt.Sprintf("%s %.2f (%d rows)", table, float64(bytes)/float64(messages), n))
	}
	b.Logf("bytes per message on disk: %s", strings.Join(lines, ", "))
}

// scaleDefinitions are the neutral sums and one definition of each kept base. The version "raw" of a
// definition counts the same and was never in force, so that asking for it reads raw events.
func scaleDefinitions() kpi.Definitions {
	always := calendar.Dates{From: calendar.MakeDate(2000, 1, 1)}
	never := calendar.Dates{From: calendar.MakeDate(1990, 1, 1), Until: calendar.MakeDate(1990, 1, 2)}
	definitions := slices.Clone(neutral)
	for _, version := range []struct {
		name      string
		effective calendar.Dates
	}{{"v1", always}, {"raw", never}} {
		definitions = append(definitions,
			kpi.Definition{
				Metric: "tmall.human_3min", Version: version.name, Effective: version.effective, Unit: kpi.Share, Platforms: []string{"tmall"},
				Base: kpi.BaseRound, Rule: &kpi.Rule{Measure: kpi.Within, Limit: 180, Window: "09:00-23:00"},
			},
			kpi.Definition{
				Metric: "tmall.human_response_time", Version: version.name, Effective: version.effective, Unit: kpi.Seconds, Platforms: []string{"tmall"},
				Base: kpi.BaseRound, Rule: &kpi.Rule{Measure: kpi.Mean, Cap: 600, ZeroSecond: "exclude", CrossDay: "exclude"},
			},
			kpi.Definition{
				Metric: "jd.first_30s", Version: version.name, Effective: version.effective, Unit: kpi.Share, Platforms: []string{"jd"},
				Base: kpi.BaseSession, Rule: &kpi.Rule{Measure: kpi.Within, Limit: 30, Window: "09:00-23:00", Cut: "session"},
			},
			kpi.Definition{
				Metric: "tmall.consult_buyers", Version: version.name, Effective: version.effective, Unit: kpi.Count, Platforms: []string{"tmall"},
				Base: kpi.BaseBuyerDay, Rule: &kpi.Rule{Measure: kpi.Items},
			},
			kpi.Definition{
				Metric: "pdd.human_3min", Version: version.name, Effective: version.effective, Unit: kpi.Share, Platforms: []string{"pdd"},
				Base: kpi.BaseBuyerDay, Rule: &kpi.Rule{Measure: kpi.Within, Limit: 180, Judge: "every", Window: "08:00-23:00"},
			})
	}
	return definitions
}

// rawFigures counts the same from raw events: a definition with a rule through the version that was
// never in force, the neutral first response by the shortest statement that reads messages.
func rawFigures(b *testing.B, w *Warehouse, q kpi.Query) {
	if !slices.ContainsFunc(q.Metrics, func(m kpi.Metric) bool { return !strings.Contains(string(m), ".") }) {
		q.Version = "raw"
		require.NotEmpty(b, ask(b, w, everything, q))
		return
	}
	var n uint64
	require.NoError(b, w.conn.QueryRow(context.Background(), fmt.Sprintf(`SELECT count() FROM (
SELECT merchant, agent, intDiv(toUnixTimestamp(started), 900) AS slot, count(), avg(reply - started) FROM (
SELECT merchant, conversation, any(agent) AS agent, minIf(at, kind = 2) AS started, minIf(at, kind = 6) AS reply
FROM events FINAL WHERE day BETWEEN toDate('%s') AND toDate('%s') AND %s GROUP BY merchant, conversation) GROUP BY merchant, agent, slot)`,
		q.Range.Start.Format(time.DateOnly), q.Range.End.Add(-1).Format(time.DateOnly), everything.merchants(q.Merchants))).Scan(&n))
}
