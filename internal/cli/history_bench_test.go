package cli

import (
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// rowsOf streams a CSV of that many rows; line appends one row.
func rowsOf(rows int, header string, line func(b []byte, i int) []byte) io.Reader {
	r, w := io.Pipe()
	go func() {
		b := append([]byte{}, header...)
		for i := range rows {
			if b = line(b, i); len(b) > 60<<10 {
				if _, err := w.Write(b); err != nil {
					return // the reader had enough
				}
				b = b[:0]
			}
		}
		_, _ = w.Write(b) // a reader that has gone needs no rest
		_ = w.Close()     // never fails
	}()
	return r
}

// peakHeap watches the heap while do runs, in MB.
func peakHeap(do func()) float64 {
	runtime.GC()
	var peak atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapInuse))
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	do()
	close(stop)
	<-done
	return float64(peak.Load()) / (1 << 20)
}

// BenchmarkFiveMillionRows reads five million rows, one contact each in random order over two
// years, and forecasts them: as one queue by quarter hours and as a thousand queues by days.
func BenchmarkFiveMillionRows(b *testing.B) {
	const rows = 5_000_000
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		groups int
		slot   time.Duration
	}{{"one queue", 1, 15 * time.Minute}, {"thousand queues", 1000, day24}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				random := rand.New(rand.NewPCG(1, 2))
				var reading time.Duration
				peak := peakHeap(func() {
					began := time.Now()
					h, err := readHistory(b.Context(), rowsOf(rows, "q,at,n\n", func(line []byte, _ int) []byte {
						line = strconv.AppendInt(append(line, 'q'), int64(random.IntN(c.groups)), 10)
						line = start.Add(time.Duration(random.IntN(730*86400))*time.Second).AppendFormat(append(line, ','), "2006-01-02 15:04:05")
						return append(line, ",1\n"...)
					}), historySpec{file: "h.csv", timeCol: "at", valueCol: "n", groupCols: []string{"q"}, slot: c.slot})
					require.NoError(b, err)
					require.Len(b, h.series, c.groups)
					reading = time.Since(began)
					if c.groups > 1 {
						h.series = h.series[:20] // the rest is RunAll's own benchmark
					}
					out, err := forecast.RunAll(b.Context(), h.series, forecast.Options{Horizon: 60 * day24}, nil)
					require.NoError(b, err)
					require.NoError(b, out[0].Err)
				})
				b.ReportMetric(rows/reading.Seconds(), "rows/s")
				b.ReportMetric(peak, "peak-MB")
			}
		})
	}
}

// TestManyWideGroupsAreRefused gives each of many groups two rows twenty years apart: 2.1 million
// slots a group. Reading must stop at the bound instead of filling the memory.
func TestManyWideGroupsAreRefused(t *testing.T) {
	if os.Getenv("CHAOBAN_LARGE") == "" {
		t.Skip("takes gigabytes; set CHAOBAN_LARGE=1")
	}
	var err error
	peak := peakHeap(func() {
		_, err = readHistory(t.Context(), rowsOf(20_000, "q,at,n\n", func(line []byte, i int) []byte {
			line = strconv.AppendInt(append(line, 'q'), int64(i/2), 10)
			return append(line, []string{",2006-01-01 00:00:00,1\n", ",2025-12-31 23:00:00,1\n"}[i%2]...)
		}), historySpec{file: "h.csv", timeCol: "at", valueCol: "n", groupCols: []string{"q"}, slot: 5 * time.Minute})
	})
	assert.Equal(t, fault.TooLarge, fault.KindOf(err), err)
	t.Logf("refused at a heap of %.0f MB", peak)
}
