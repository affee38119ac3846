package cli_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
		"first_response": rawFirstResponse("xingchi"), "round_within_180": rawRounds("shop = 'xingchi-jd' AND NOT closing", 0, 23), "jd.first_30s": rawSessions("xingchi", 202611, 9, 22),
	}},
	{"xiaolu", "xiaolu-2026", "pdd", "pdd.human_3min", map[kpi.Metric]string{
		"round_within_180": rawRounds("shop = 'xiaolu-pdd' AND NOT closing", 0, 23), "pdd.human_3min": rawBuyerDays("xiaolu-pdd"),
	}},
	{"muxi", "muxi-2026", "douyin", "douyin.human_3min", map[kpi.Metric]string{
		"first_response": rawFirstResponse("muxi"), "douyin.human_3min": rawRounds("shop = 'muxi-douyin'", 8, 22),
	}},
}

func TestTheMonthHasTheSameNumbersThroughEveryDoor(t *testing.T) {
	t.Parallel()
	data := demoData(t)
	s := serve(t, data, "CHAOBAN__JOBS__ENABLED=false") // the one that checks roll-ups would count the month a third time
	s.login("planner", demo.Password)
	r := newReference(t, data)
	for _, m := range sold {
		t.Run(string(m.merchant), func(t *testing.T) {
			r.read(t, m.merchant)
			metrics := r.metricsOf(m.platform)
			require.Greater(t, len(metrics), 15)
			require.Contains(t, metrics, m.promised)
			figures := r.throughBothDoors(t, s, metrics, "merchant", m.merchant)
			for _, metric := range metrics {
				want := r.figures(t, metric, kpi.ByMerchant)
				require.Equal(t, want, figures[metric], "%s: the reference, and what the product says", metric)
			}
			for metric, sql := range m.raw {
				r.againstRaw(t, figures[metric], sql)
			}
			r.againstWorkbook(t, m.contract, m.promised, figures)

			agents := r.throughBothDoors(t, s, []kpi.Metric{m.promised}, "agent", m.merchant)[m.promised]
			assert.Greater(t, len(agents), 5)
			assert.Equal(t, r.figures(t, m.promised, kpi.ByAgent), agents, "%s by agent", m.promised)
		})
	}
	// The line of the task, to the letter: no filter, so it counts both shops on Tmall.
	t.Run("done when", func(t *testing.T) {
		command := mustJSON[[]kpi.Reading](t, data, "kpi", "query", "--metric", "tmall.human_3min", "--by", "agent", "--from", "2026-11-01", "--to", "2026-11-30")
		route := s.readings(url.Values{"metrics": {"tmall.human_3min"}, "by": {"agent"}})
		require.Greater(t, len(command), 20)
		assert.Equal(t, command, route, "the API route")
		d := r.definition(t, "tmall.human_3min")
		want := tally.Readings(d, kpi.Query{By: []kpi.Dimension{kpi.ByAgent}, Grain: kpi.Whole, Range: r.month}, r.zone, r.tmall)
		assert.Equal(t, want, command, "the Go reference")
	})
	t.Run("a disputed month", r.disputedMonth)
}

// disputedMonth is the former client's: JD's rate under both definitions against the raw messages, which
// are still there because of the legal hold, and for no other reason.
func (r *reference) disputedMonth(t *testing.T) {
	c := mustJSON[struct {
		Figures []struct {
			Was    kpi.Reading `json:"version_from"`
			Then   kpi.Reading `json:"version_to"`
			Points float64     `json:"points"`
		} `json:"figures"`
	}](t, r.data, "kpi", "compare", "--metric", "jd.first_30s", "--from", "v2021-11", "--to", "v2021-12", "--month", "2021-12")
	require.Len(t, c.Figures, 1)
	f := c.Figures[0]
	r.againstRaw(t, []kpi.Reading{f.Was}, rawSessions("heyan", 202112, 8, 23))
	r.againstRaw(t, []kpi.Reading{f.Then}, rawSessions("heyan", 202112, 9, 22))
	assert.InDelta(t, 100*(f.Then.Numerator/f.Then.Denominator-f.Was.Numerator/f.Was.Denominator), f.Points, 1e-9)
	assert.NotZero(t, f.Points)

	type preview struct {
		Measured warehouse.Deleted `json:"measured"`
	}
	kept := mustJSON[preview](t, r.data, "retention", "--dry-run").Measured
	assert.Equal(t, []ids.Merchant{"heyan"}, kept.Held)
	assert.Zero(t, kept.Raw())
	must(t, r.data, "retention", "release", "--merchant", "heyan", "--reason", "和解")
	released := mustJSON[preview](t, r.data, "retention", "--dry-run").Measured
	assert.InDelta(t, f.Was.Denominator, float64(released.Conversations), 0, "without the hold they would go")
	assert.Greater(t, released.Events, released.Conversations)

	// Both runs only counted: the log has them when it is asked for them.
	assert.Empty(t, mustJSON[[]warehouse.Deletion](t, r.data, "retention", "log"))
	counted := uint64(0)
	for _, d := range mustJSON[[]warehouse.Deletion](t, r.data, "retention", "log", "--dry-runs") {
		assert.True(t, d.DryRun, d.Table)
		if d.Table == "conversations" {
			counted += d.Rows
		}
	}
	assert.Equal(t, released.Conversations, counted)
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

// reference counts the demo month from the stored rows of single conversations, one merchant at a time.
type reference struct {
	data        string
	reader      warehouse.Reader
	definitions kpi.Definitions
	zone        *time.Location
	month       calendar.Range
	merchant    ids.Merchant
	timelines   []chatlog.Timeline
	orders      []chatlog.OrderEvent
	tickets     []chatlog.Ticket
	tmall       []tally.Item // of tmall.human_3min, of every merchant read so far
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
	return &reference{data: data, reader: wh.In(warehouse.Scope{Everything: true}), definitions: definitions, zone: wh.Zone(), month: month.Range(wh.Zone())}
}

// read fetches what a merchant's month consists of. The conversations come as rows of the raw tables
// and are put together here, because the reader's pages are made for screens; the first page says
// whether it makes the same of them.
func (r *reference) read(t *testing.T, m ids.Merchant) {
	t.Helper()
	began := time.Now()
	r.merchant, r.timelines = m, nil
	events := r.events(t)
	r.eachRow(t, fmt.Sprintf(`SELECT id, shop, queue, agent, buyer, toUnixTimestamp64Milli(started), length_ms, abandoned, resolved, rating, handle_ms, channel
FROM conversations FINAL WHERE merchant = '%s' AND toYYYYMM(started, 'Asia/Shanghai') = 202611 ORDER BY started, id`, m), func(f []string) {
		started := at(t, f[5])
		c := chatlog.Conversation{
			Merchant: m, ID: f[0], Shop: ids.Shop(f[1]), Queue: ids.Queue(f[2]), Agent: ids.Agent(f[3]), Buyer: f[4], StartedAt: started,
			EndedAt: started.Add(time.Duration(number(t, f[6])) * time.Millisecond), Abandoned: f[7] == "true",
			HandleTime: time.Duration(number(t, f[10])) * time.Millisecond, Channel: f[11],
		}
		if f[8] != "-1" {
			resolved := f[8] == "1"
			c.Resolved = &resolved
		}
		if rating := int(number(t, f[9])); rating > 0 {
			c.Rating = &rating
		}
		r.timelines = append(r.timelines, chatlog.Assemble(&c, events[c.ID]))
	})
	filter := warehouse.Filter{Range: r.month, Merchants: []ids.Merchant{m}}
	page, _, err := r.reader.Timelines(t.Context(), filter, "", 1000)
	require.NoError(t, err)
	d := r.definition(t, "tmall.human_3min")
	require.Equal(t, tally.Items(d, r.zone, page), tally.Items(d, r.zone, r.timelines[:len(page)]), "the first page of the reader")
	r.tmall = append(r.tmall, tally.Items(d, r.zone, counted(d, r.timelines, func(x chatlog.Timeline) ids.Shop { return x.Shop }))...)
	r.tickets, err = r.reader.Tickets(t.Context(), filter)
	require.NoError(t, err)
	filter.Range.End = filter.Range.End.AddDate(0, 0, 10) // until every inquiry of the month is closed
	r.orders, err = r.reader.OrderEvents(t.Context(), filter)
	require.NoError(t, err)
	t.Logf("%s: %d conversations, %d order events, %d tickets in %s", m, len(r.timelines), len(r.orders), len(r.tickets), time.Since(began).Round(time.Millisecond))
}

// events are the merchant's messages by conversation.
func (r *reference) events(t *testing.T) map[string][]chatlog.Event {
	t.Helper()
	out := map[string][]chatlog.Event{}
	names := map[string]string{} // so that a name of a million rows is in memory once
	name := func(s string) string {
		if _, ok := names[s]; !ok {
			names[s] = strings.Clone(s)
		}
		return names[s]
	}
	r.eachRow(t, fmt.Sprintf(`SELECT conversation, id, toUnixTimestamp64Milli(at), kind, shop, queue, agent, buyer, closing
FROM events FINAL WHERE merchant = '%s' ORDER BY conversation`, r.merchant), func(f []string) {
		key, err := strconv.ParseUint(f[1], 10, 64)
		require.NoError(t, err)
		id := name(f[0])
		out[id] = append(out[id], chatlog.Event{
			Merchant: r.merchant, Conversation: id, ID: chatlog.KeyID(key), At: at(t, f[2]), Kind: chatlog.Kinds[f[3][0]-'1'], Shop: ids.Shop(name(f[4])),
			Queue: ids.Queue(name(f[5])), Agent: ids.Agent(name(f[6])), Buyer: name(f[7]), Closing: f[8] == "true",
		})
	})
	return out
}

func at(t *testing.T, ms string) time.Time {
	t.Helper()
	n, err := strconv.ParseInt(ms, 10, 64)
	require.NoError(t, err)
	return time.UnixMilli(n).UTC()
}

// eachRow asks the engine itself for many rows.
func (r *reference) eachRow(t *testing.T, sql string, row func(fields []string)) {
	t.Helper()
	at, ok := findEngine(r.data)
	require.True(t, ok)
	address := fmt.Sprintf("http://127.0.0.1:%d/?%s", at.HTTP, url.Values{"user": {"chaoban"}, "password": {at.Password}}.Encode())
	response, err := once.Post(address, "text/plain", strings.NewReader(sql))
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		row(strings.Split(lines.Text(), "\t"))
	}
	require.NoError(t, lines.Err())
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
func (r *reference) throughBothDoors(t *testing.T, s *service, metrics []kpi.Metric, by string, merchant ids.Merchant) map[kpi.Metric][]kpi.Reading {
	t.Helper()
	names := make([]string, len(metrics))
	for i, m := range metrics {
		names[i] = string(m)
	}
	all := strings.Join(names, ",")
	screen := mustJSON[[]kpi.Reading](t, r.data, "kpi", "query", "--metric", all, "--within", "30s", "--by", by, "--month", demoMonth, "--merchant", string(merchant))
	route := s.readings(url.Values{"metrics": {all}, "within": {"30s"}, "by": {by}, "merchants": {string(merchant)}})
	require.Equal(t, screen, route, "the command line and the API")
	out := map[kpi.Metric][]kpi.Reading{}
	for _, x := range screen {
		out[x.Metric] = append(out[x.Metric], x)
	}
	return out
}

func (r *reference) definition(t *testing.T, metric kpi.Metric) kpi.Definition {
	t.Helper()
	i := slices.IndexFunc(r.definitions, func(d kpi.Definition) bool {
		return d.Metric == metric && d.Effective.Contains(calendar.DateOf(r.month.Start, r.zone))
	})
	require.GreaterOrEqual(t, i, 0, metric)
	return r.definitions[i]
}

// figures is the slow way to a metric's readings of the month.
func (r *reference) figures(t *testing.T, metric kpi.Metric, by kpi.Dimension) []kpi.Reading {
	t.Helper()
	d := r.definition(t, metric)
	if d.Rule == nil {
		return []kpi.Reading{sumsOf(d, r.merchant, r.timelines)}
	}
	var items []tally.Item
	switch d.Base {
	case kpi.BaseInquiry:
		items = tally.Inquiries(d, r.zone, counted(d, r.orders, func(o chatlog.OrderEvent) ids.Shop { return o.Shop }))
	case kpi.BaseTicket:
		items = tally.Tickets(d, r.zone, counted(d, r.tickets, func(x chatlog.Ticket) ids.Shop { return x.Shop }))
	default:
		items = tally.Items(d, r.zone, counted(d, r.timelines, func(x chatlog.Timeline) ids.Shop { return x.Shop }))
	}
	readings := tally.Readings(d, kpi.Query{By: []kpi.Dimension{by}, Grain: kpi.Whole, Range: r.month}, r.zone, items)
	closed := calendar.DateOf(r.month.End, r.zone).Add(d.Rule.CloseDays).In(r.zone) // the last day's inquiries
	for i := range readings {
		readings[i].Provisional = d.Base == kpi.BaseInquiry && d.Rule.Measure != kpi.Items && time.Now().Before(closed)
	}
	return readings
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
		asked := t.Asked()
		if asked {
			sums["offered"]++
		}
		if asked && t.Abandoned {
			sums["abandoned"]++
		}
		if asked && !t.AnsweredAt.IsZero() {
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

// rawSessions: the first turn of each conversation that started in some hours of a month, within 30 s.
func rawSessions(merchant string, month, first, last int) string {
	return fmt.Sprintf(`SELECT countIf(good), count() FROM
(SELECT conversation, argMin(ifNull(dateDiff('millisecond', at, reply) <= 30000, 0), at) AS good FROM (%s) WHERE kind = 2 GROUP BY conversation) AS e
JOIN (SELECT id, toTimeZone(started, 'Asia/Shanghai') AS wall FROM conversations FINAL WHERE merchant = '%s') AS c ON c.id = e.conversation
WHERE toYYYYMM(wall) = %d AND toHour(wall) BETWEEN %d AND %d`, rawTurns("merchant = '"+merchant+"'"), merchant, month, first, last)
}
