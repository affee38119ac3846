package cli_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/configs"
	"github.com/chaoban/chaoban/exports/workbook"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/demo"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/tally"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// The numbers contract: whoever asks for a figure of the demo month, by whichever door, gets the same
// one, and it is what the raw events say, counted twice more by other means: by the slow reference in
// Go, and for five metrics by SQL that was written for this test.

// sold is a merchant of the contract's test with one contract and the platform whose metrics it is
// asked for.
var sold = []struct {
	merchant ids.Merchant
	contract string
	platform string
	promised kpi.Metric // a platform's own metric that the contract has a term about
	raw      map[kpi.Metric]string
}{
	{"lumi", "lumi-2026", "tmall", "tmall.human_3min", map[kpi.Metric]string{
		"first_response": rawFirstResponse("lumi"), "round_within_180": rawRounds("shop = 'lumi-tmall' AND NOT closing", 0, 23),
		"tmall.human_3min": rawRounds("shop = 'lumi-tmall'", 9, 22),
	}},
	{"xingchi", "xingchi-2026", "jd", "jd.first_30s", map[kpi.Metric]string{
		"first_response": rawFirstResponse("xingchi"), "round_within_180": rawRounds("shop = 'xingchi-jd' AND NOT closing", 0, 23), "jd.first_30s": rawSessions("xingchi"),
	}},
	{"xiaolu", "xiaolu-2026", "pdd", "pdd.human_3min", map[kpi.Metric]string{
		"round_within_180": rawRounds("shop = 'xiaolu-pdd' AND NOT closing", 0, 23), "pdd.human_3min": rawBuyerDays("xiaolu-pdd"),
	}},
	{"muxi", "muxi-2026", "douyin", "douyin.human_3min", map[kpi.Metric]string{
		"first_response": rawFirstResponse("muxi"), "douyin.human_3min": rawRounds("shop = 'muxi-douyin'", 8, 22),
	}},
}

func TestTheMonthHasTheSameNumbersThroughEveryDoor(t *testing.T) {
	data := demoData(t)
	s := serve(t, data)
	s.login("planner", demo.Password)
	r := newReference(t, data)
	began := time.Now()
	r.read(t)
	t.Logf("the reference has read %d conversations in %s", r.conversations(), time.Since(began).Round(time.Millisecond))

	for _, m := range sold {
		t.Run(string(m.merchant), func(t *testing.T) {
			metrics := r.metricsOf(m.platform)
			require.Greater(t, len(metrics), 15)
			require.Contains(t, metrics, m.promised)
			figures := r.throughBothDoors(t, s, metrics, "merchant", url.Values{"merchants": {string(m.merchant)}})
			for _, metric := range metrics {
				want := r.figures(t, metric, m.merchant, kpi.ByMerchant)
				require.Equal(t, want, figures[metric], "%s: the reference, and what the product says", metric)
			}
			for metric, sql := range m.raw {
				r.againstRaw(t, figures[metric], sql)
			}
			r.againstWorkbook(t, m.contract, m.promised, figures)
		})
	}
	t.Run("by agent", func(t *testing.T) {
		for _, metric := range []kpi.Metric{"tmall.human_3min", "jd.first_30s", "douyin.human_3min"} {
			figures := r.throughBothDoors(t, s, []kpi.Metric{metric}, "agent", url.Values{"merchants": {"lumi", "muxi", "xingchi"}})
			assert.Greater(t, len(figures[metric]), 10, metric)
			assert.Equal(t, r.figures(t, metric, "", kpi.ByAgent), figures[metric], metric)
		}
	})
	// The line of the task, to the letter: no filter, so it counts both shops on Tmall.
	t.Run("done when", func(t *testing.T) {
		command := mustJSON[[]kpi.Reading](t, data, "kpi", "query", "--metric", "tmall.human_3min", "--by", "agent", "--from", "2026-11-01", "--to", "2026-11-30")
		route := s.readings(url.Values{"metrics": {"tmall.human_3min"}, "by": {"agent"}})
		require.Greater(t, len(command), 20)
		assert.Equal(t, command, route, "the API route")
		assert.Equal(t, r.figures(t, "tmall.human_3min", "", kpi.ByAgent), command, "the Go reference")
	})
}

// readings asks for figures of the demo month with all their fields.
func (s *service) readings(q url.Values) []kpi.Reading {
	s.t.Helper()
	a := s.get(kpiPath(q))
	require.Equal(s.t, http.StatusOK, a.status, a.body)
	var page struct {
		Items []kpi.Reading `json:"items"`
	}
	decode(s.t, a.body, &page)
	return page.Items
}

// reference counts the demo month from what is stored of single conversations.
type reference struct {
	data        string
	reader      warehouse.Reader
	definitions kpi.Definitions
	zone        *time.Location
	month       calendar.Range
	timelines   map[ids.Merchant][]chatlog.Timeline
	orders      map[ids.Merchant][]chatlog.OrderEvent
	tickets     map[ids.Merchant][]chatlog.Ticket
}

// newReference attaches to the engine that a service keeps.
func newReference(t *testing.T, data string) *reference {
	t.Helper()
	at, ok := findEngine(data)
	require.True(t, ok)
	definitions, err := configs.Metrics()
	require.NoError(t, err)
	wh, err := warehouse.Open(t.Context(), warehouse.DefaultConfig(), warehouse.Fixed(fmt.Sprintf("clickhouse://chaoban:%s@127.0.0.1:%d/default", at.Password, at.Native)), definitions)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, wh.Close()) })
	month, err := calendar.ParseMonth(demoMonth)
	require.NoError(t, err)
	return &reference{
		data: data, reader: wh.In(warehouse.Scope{Everything: true}), definitions: definitions, zone: wh.Zone(), month: month.Range(wh.Zone()),
		timelines: map[ids.Merchant][]chatlog.Timeline{}, orders: map[ids.Merchant][]chatlog.OrderEvent{}, tickets: map[ids.Merchant][]chatlog.Ticket{},
	}
}

// read fetches what the merchants' month consists of, one reader per merchant.
func (r *reference) read(t *testing.T) {
	t.Helper()
	var lock sync.Mutex
	var wait sync.WaitGroup
	failed := make([]error, len(sold))
	for i, m := range sold {
		wait.Go(func() {
			timelines, orders, tickets, err := r.of(t.Context(), m.merchant)
			lock.Lock()
			defer lock.Unlock()
			r.timelines[m.merchant], r.orders[m.merchant], r.tickets[m.merchant], failed[i] = timelines, orders, tickets, err
		})
	}
	wait.Wait()
	require.NoError(t, errors.Join(failed...))
}

func (r *reference) of(ctx context.Context, m ids.Merchant) (timelines []chatlog.Timeline, orders []chatlog.OrderEvent, tickets []chatlog.Ticket, err error) {
	filter := warehouse.Filter{Range: r.month, Merchants: []ids.Merchant{m}}
	for cursor := ""; ; {
		var page []chatlog.Timeline
		if page, cursor, err = r.reader.Timelines(ctx, filter, cursor, 1000); err != nil {
			return
		}
		if timelines = append(timelines, page...); cursor == "" {
			break
		}
	}
	if tickets, err = r.reader.Tickets(ctx, filter); err != nil {
		return
	}
	filter.Range.End = filter.Range.End.AddDate(0, 0, 10) // until every inquiry of the month is closed
	orders, err = r.reader.OrderEvents(ctx, filter)
	return
}

func (r *reference) conversations() (n int) {
	for _, all := range r.timelines {
		n += len(all)
	}
	return n
}

// metricsOf are the neutral metrics of contacts and those of a platform that are in force all month.
func (r *reference) metricsOf(platform string) []kpi.Metric {
	var out []kpi.Metric
	for _, d := range r.definitions {
		inForce := d.Effective.Contains(calendar.DateOf(r.month.Start, r.zone)) && d.Effective.Contains(calendar.DateOf(r.month.End.Add(-1), r.zone))
		if inForce && d.Covers(platform) && d.Base != kpi.BaseStateTime {
			out = append(out, d.Metric)
		}
	}
	return out
}

// throughBothDoors asks the command line and the API and requires one answer.
func (r *reference) throughBothDoors(t *testing.T, s *service, metrics []kpi.Metric, by string, filter url.Values) map[kpi.Metric][]kpi.Reading {
	t.Helper()
	names := make([]string, len(metrics))
	for i, m := range metrics {
		names[i] = string(m)
	}
	all := strings.Join(names, ",")
	screen := mustJSON[[]kpi.Reading](t, r.data, "kpi", "query", "--metric", all, "--within", "30s", "--by", by, "--month", demoMonth,
		"--merchant", strings.Join(filter["merchants"], ","))
	route := s.readings(url.Values{"metrics": {all}, "within": {"30s"}, "by": {by}, "merchants": {strings.Join(filter["merchants"], ",")}})
	require.Equal(t, screen, route, "the command line and the API")
	out := map[kpi.Metric][]kpi.Reading{}
	for _, x := range screen {
		out[x.Metric] = append(out[x.Metric], x)
	}
	return out
}

// figures is the slow way to a metric's readings of the month; merchant "" is all that were read.
func (r *reference) figures(t *testing.T, metric kpi.Metric, merchant ids.Merchant, by kpi.Dimension) []kpi.Reading {
	t.Helper()
	i := slices.IndexFunc(r.definitions, func(d kpi.Definition) bool {
		return d.Metric == metric && d.Effective.Contains(calendar.DateOf(r.month.Start, r.zone))
	})
	require.GreaterOrEqual(t, i, 0, metric)
	d := r.definitions[i]
	var items []tally.Item
	for _, m := range sold {
		if merchant != "" && merchant != m.merchant {
			continue
		}
		switch d.Base {
		case kpi.BaseInquiry:
			items = append(items, tally.Inquiries(d, r.zone, counted(d, r.orders[m.merchant], func(o chatlog.OrderEvent) ids.Shop { return o.Shop }))...)
		case kpi.BaseTicket:
			items = append(items, tally.Tickets(d, r.zone, counted(d, r.tickets[m.merchant], func(x chatlog.Ticket) ids.Shop { return x.Shop }))...)
		default:
			if d.Rule == nil {
				return []kpi.Reading{sumsOf(d, m.merchant, r.timelines[m.merchant])}
			}
			items = append(items, tally.Items(d, r.zone, counted(d, r.timelines[m.merchant], func(x chatlog.Timeline) ids.Shop { return x.Shop }))...)
		}
	}
	return tally.Readings(d, kpi.Query{By: []kpi.Dimension{by}, Grain: kpi.Whole, Range: r.month}, r.zone, items)
}

// counted are the rows of shops that a definition counts. A shop of the demo ends in its platform.
func counted[T any](d kpi.Definition, rows []T, shopOf func(T) ids.Shop) []T {
	return slices.DeleteFunc(slices.Clone(rows), func(x T) bool {
		_, platform, _ := strings.Cut(string(shopOf(x)), "-")
		return !d.Covers(platform)
	})
}

// sumsOf adds up a neutral metric without a rule: what docs/metrics.md says of it, in a loop.
func sumsOf(d kpi.Definition, merchant ids.Merchant, timelines []chatlog.Timeline) kpi.Reading {
	sums := map[string]float64{}
	ms := func(from, to time.Time) float64 { return float64(to.UnixMilli() - from.UnixMilli()) }
	for _, t := range timelines {
		sums["offered"]++
		if t.Abandoned {
			sums["abandoned"]++
		}
		if !t.AnsweredAt.IsZero() {
			sums["answered"]++
			sums["first_response_seconds"] += ms(t.StartedAt, t.AnsweredAt)
			if ms(t.StartedAt, t.AnsweredAt) <= 30_000 {
				sums["within"]++
			}
		}
		if t.Resolved != nil {
			sums["resolved_known"]++
			if *t.Resolved {
				sums["resolved"]++
			}
		}
		if t.Rating != nil {
			sums["rating_count"]++
			sums["rating_sum"] += float64(*t.Rating)
			if *t.Rating >= 4 {
				sums["rating_good"]++
			}
		}
		sums["agent_messages"] += float64(t.AgentMessages)
		sums["buyer_messages"] += float64(t.BuyerMessages)
		sums["handle_seconds"] += float64(t.HandleTime.Milliseconds())
		var opened time.Time
		for _, e := range t.Events {
			switch {
			case e.Kind == chatlog.BuyerMessage && !e.Closing && opened.IsZero():
				opened = e.At
				sums["rounds"]++
			case e.Kind == chatlog.AgentMessage && !opened.IsZero():
				took := ms(opened, e.At)
				sums["rounds_answered"]++
				sums["round_response_seconds"] += took
				if took <= 60_000 {
					sums["rounds_within_60"]++
				}
				if took <= 180_000 {
					sums["rounds_within_180"]++
				}
				opened = time.Time{}
			}
		}
	}
	sums["first_response_count"] = sums["answered"]
	for _, name := range []string{"first_response_seconds", "round_response_seconds", "handle_seconds"} {
		sums[name] /= 1000
	}
	out := kpi.Reading{Metric: d.Metric, Version: d.Version, Merchant: merchant, Numerator: sums[d.Numerator], Denominator: 1}
	if d.Denominator != "" {
		out.Denominator = sums[d.Denominator]
	}
	value := out.Numerator / out.Denominator
	out.Value = &value
	return out
}

// againstWorkbook compares the month's totals in the SLA workbook, and the line of the contract's own
// term about a platform's metric.
func (r *reference) againstWorkbook(t *testing.T, contract string, promised kpi.Metric, figures map[kpi.Metric][]kpi.Reading) {
	t.Helper()
	book := filepath.Join(t.TempDir(), "sla.xlsx")
	must(t, r.data, "report", "sla", "--contract", contract, "--month", demoMonth, "--out", book)
	shown := map[kpi.Metric][]string{}
	for _, cells := range sheetRows(t, book, workbook.SheetSummary) {
		if _, known := figures[kpi.Metric(cells[0])]; known {
			shown[kpi.Metric(cells[0])] = cells
		}
	}
	assert.Contains(t, shown, promised)
	assert.Contains(t, shown, kpi.Metric("first_response"))
	assert.Greater(t, len(shown), 14)
	for metric, cells := range shown {
		f := figures[metric][0]
		assert.InEpsilon(t, *f.Value, number(t, cells[4]), 1e-12, "%s: value", metric)
		assert.InEpsilon(t, f.Numerator, number(t, cells[6]), 1e-12, "%s: numerator", metric)
		if cells[7] != "" { // a count has none
			assert.InEpsilon(t, f.Denominator, number(t, cells[7]), 1e-12, "%s: denominator", metric)
		}
		assert.Equal(t, f.Version, cells[8], "%s: version", metric)
	}
}

// sheetRows are the rows of a sheet that have a first cell.
func sheetRows(t *testing.T, path, sheet string) (out [][]string) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	rows, err := workbook.OpenRows(f, info.Size(), sheet)
	require.NoError(t, err)
	defer rows.Close()
	for {
		_, cells, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		if cells = append(slices.Clone(cells), make([]string, 9)...); cells[0] != "" {
			out = append(out, cells)
		}
	}
}

func (r *reference) againstRaw(t *testing.T, figures []kpi.Reading, sql string) {
	t.Helper()
	require.Len(t, figures, 1)
	answer := raw(t, r.data, sql)
	require.Len(t, answer, 2)
	assert.InDelta(t, number(t, answer[0]), figures[0].Numerator, 1e-6, "%s: numerator by hand", figures[0].Metric)
	assert.InDelta(t, number(t, answer[1]), figures[0].Denominator, 0, "%s: denominator by hand", figures[0].Metric)
	assert.Greater(t, figures[0].Denominator, 1000.0)
}

// rawFirstResponse: from the start that the header tells to the first message of a person.
func rawFirstResponse(merchant string) string {
	return fmt.Sprintf(`SELECT sum(dateDiff('millisecond', started, reply)) / 1000, count() FROM
(SELECT id, started FROM conversations FINAL WHERE merchant = '%[1]s' AND toYYYYMM(started, 'Asia/Shanghai') = 202611) AS c
JOIN (SELECT conversation, min(at) AS reply FROM events FINAL WHERE merchant = '%[1]s' AND kind = 6 GROUP BY conversation) AS e ON c.id = e.conversation`, merchant)
}

// rawTurns are the turns of buyers and people: only where the side changes does a turn begin, and the
// turn after a buyer's is its reply.
func rawTurns(where string) string {
	return fmt.Sprintf(`SELECT conversation, shop, buyer, at, kind, toTimeZone(at, 'Asia/Shanghai') AS wall,
leadInFrame(toNullable(at)) OVER (PARTITION BY conversation ORDER BY at, kind ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS reply
FROM (SELECT *, lagInFrame(kind, 1, 6) OVER (PARTITION BY conversation ORDER BY at, kind ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
  FROM events FINAL WHERE kind IN (2, 6) AND %s) WHERE kind != before`, where)
}

const inThreeMinutes = "ifNull(dateDiff('millisecond', at, reply) <= 180000, 0)"

// rawRounds: rounds by the hour in which they opened.
func rawRounds(where string, first, last int) string {
	return fmt.Sprintf(`SELECT countIf(%s), count() FROM (%s) WHERE kind = 2 AND toYYYYMM(wall) = 202611 AND toHour(wall) BETWEEN %d AND %d`,
		inThreeMinutes, rawTurns(where), first, last)
}

// rawBuyerDays: one late reply fails the buyer for the day.
func rawBuyerDays(shop string) string {
	return fmt.Sprintf(`SELECT sum(good), count() FROM (SELECT buyer, toDate(wall) AS day, min(%s) AS good FROM (%s)
WHERE kind = 2 AND toYYYYMM(wall) = 202611 AND toHour(wall) BETWEEN 8 AND 22 GROUP BY buyer, day)`, inThreeMinutes, rawTurns("shop = '"+shop+"'"))
}

// rawSessions: the first turn of each conversation that started from 09:00 to 23:00, within 30 s.
func rawSessions(merchant string) string {
	return fmt.Sprintf(`SELECT countIf(good), count() FROM
(SELECT conversation, argMin(ifNull(dateDiff('millisecond', at, reply) <= 30000, 0), at) AS good FROM (%s) WHERE kind = 2 GROUP BY conversation) AS e
JOIN (SELECT id, toTimeZone(started, 'Asia/Shanghai') AS wall FROM conversations FINAL WHERE merchant = '%s') AS c ON c.id = e.conversation
WHERE toYYYYMM(wall) = 202611 AND toHour(wall) BETWEEN 9 AND 22`, rawTurns("merchant = '"+merchant+"'"), merchant)
}
