package httpapi_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/httpapi"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse/warehousetest"
)

// ingestRows is how many events BenchmarkIngestHTTP sends: CHAOBAN_INGEST_ROWS, or a million.
func ingestRows(b *testing.B) int {
	if text := os.Getenv("CHAOBAN_INGEST_ROWS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(b, err)
		return n
	}
	return 1_000_000
}

// benchEvent is the i-th event of a busy day: conversations of eight messages, 200 of them at a
// time, buyers hashed, agents by their accounts.
func benchEvent(run, i int) chatlog.Event {
	conversation := i/1600*200 + i%200
	turn := i / 200 % 8
	e := chatlog.Event{
		Merchant: "lumi", Shop: "lumi-tmall", Queue: "lumi-tmall/pre", Conversation: fmt.Sprintf("20261111%04d%010d", run, conversation),
		ID: fmt.Sprintf("%d.PNM", 3_000_000_000_000+int64(i)*7919), At: time.Date(2026, 5, 11, 1, 0, 0, 0, time.UTC).Add(time.Duration(i) * 7 * time.Millisecond),
		Kind: chatlog.BuyerMessage, Buyer: fmt.Sprintf("%032x", uint64(conversation)*0x9e3779b97f4a7c15),
	}
	if turn%2 == 1 {
		e.Kind, e.Account, e.Agent = chatlog.AgentMessage, fmt.Sprintf("鹿米旗舰店:客服%02d", conversation%40), ids.Agent([]string{"1001", "2001"}[conversation%2])
	}
	return e
}

// packedEvents is a file of NDJSON of n events, compressed as a client would, so that sending it takes
// no memory.
func packedEvents(b *testing.B, run, n int) (name string, plain int64) {
	out, err := os.Create(filepath.Join(b.TempDir(), "events.ndjson.gz"))
	require.NoError(b, err)
	w, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	require.NoError(b, err)
	for i := range n {
		e := benchEvent(run, i)
		e.Agent = "" // it follows from the account
		line, err := json.Marshal(e)
		require.NoError(b, err)
		m, err := w.Write(append(line, '\n'))
		require.NoError(b, err)
		plain += int64(m)
	}
	require.NoError(b, w.Close())
	require.NoError(b, out.Close())
	return out.Name(), plain
}

// ingestRuns is how often BenchmarkIngestHTTP compares the two, one after the other.
const ingestRuns = 3

// BenchmarkIngestHTTP sends gzipped NDJSON to the machine door and, in turn with it, writes the same
// rows by a bare columnar insert of the client into a table of the same form. It reports rows per
// second of both and the ratio, each the median of the runs, and the most memory that the process
// (service and client in one) took while it served.
func BenchmarkIngestHTTP(b *testing.B) {
	h := open(b, func(s *settings) {
		s.engine = true
		s.deps = func(d *httpapi.Deps) { d.Log = slog.New(slog.DiscardHandler) }
	})
	assignBench(b, h)
	bare, n := warehousetest.Open(b, h.DSN), ingestRows(b)
	secret := h.as(b, "planner")
	post(b, h, secret, func() string { body, _ := packedEvents(b, 9999, 10_000); return body }()) // the first connection, the first tables
	var ours, theirs, ratios []float64
	var peak, heap float64
	for run := range ingestRuns * b.N {
		body, plain := packedEvents(b, run, n)
		debug.FreeOSMemory()
		resetPeak()
		start := time.Now()
		done := post(b, h, secret, body)
		took := time.Since(start)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak, heap = max(peak, peakMB(b)), max(heap, float64(m.HeapSys-m.HeapReleased)/(1<<20))
		require.Equal(b, int64(n), done.Rows)
		require.Zero(b, done.Refused+done.Duplicates)
		b.ReportMetric(float64(plain)/float64(n), "B/row")
		bare.Prepare(n, func(i int) chatlog.Event { return benchEvent(run, i) })
		bareTook := bare.Insert(b)
		bare.Prepare(0, nil)
		require.Equal(b, uint64(n), bare.Count(b, fmt.Sprintf("SELECT DISTINCT conversation, id FROM events WHERE startsWith(conversation, '20261111%04d') AND agent = '' = (account = '')", run)))
		b.Logf("run %d: %.2f s, bare %.2f s, ratio %.2f", run+1, took.Seconds(), bareTook.Seconds(), bareTook.Seconds()/took.Seconds())
		ours, theirs = append(ours, float64(n)/took.Seconds()), append(theirs, float64(n)/bareTook.Seconds())
		ratios = append(ratios, bareTook.Seconds()/took.Seconds())
	}
	b.ReportMetric(median(ours), "rows/s")
	b.ReportMetric(median(theirs), "bare-rows/s")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(peak, "peak-RSS-MB")
	b.ReportMetric(heap, "heap-MB")
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// assignBench gives the accounts of benchEvent to the house's two agents.
func assignBench(b *testing.B, h *house) {
	var list []chatlog.Assignment
	for i := range 40 {
		list = append(list, chatlog.Assignment{
			Platform: "tmall", Shop: "lumi-tmall", Account: fmt.Sprintf("鹿米旗舰店:客服%02d", i), Agent: ids.Agent([]string{"1001", "2001"}[i%2]),
			From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		})
	}
	h.ask(b, "planner", "PUT", "/v1/accounts", map[string]any{"accounts": list}).into(b, &struct{}{})
}

func post(b *testing.B, h *house, secret, file string) (done streamed) {
	body, err := os.Open(file)
	require.NoError(b, err)
	request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, h.base+"/v1/events", body)
	require.NoError(b, err)
	request.Header.Set("Authorization", "Bearer "+secret)
	request.Header.Set("Content-Encoding", "gzip")
	response, err := (&http.Client{Timeout: 20 * time.Minute}).Do(request)
	require.NoError(b, err)
	defer response.Body.Close()
	require.Equal(b, http.StatusOK, response.StatusCode)
	require.NoError(b, json.NewDecoder(response.Body).Decode(&done))
	return done
}

// resetPeak begins a new peak of the process's memory where the system can (Linux).
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) } // elsewhere there is no peak

// peakMB is the most resident memory since resetPeak in MB; 0 where the system does not tell.
func peakMB(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			require.NoError(b, err)
			return float64(kb) / 1024
		}
	}
	return 0
}
