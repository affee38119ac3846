package httpapi_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/httpapi"
)

// BenchmarkRead is a signed-in read of one merchant from SQLite over the network stack, beside a
// bare Fiber handler that answers the same bytes, in one run with the same client. It reports
// requests per second of both and their ratio.
func BenchmarkRead(b *testing.B) {
	h := open(b, func(s *settings) {
		s.deps = func(d *httpapi.Deps) { d.Log = slog.New(slog.DiscardHandler) }
	})
	secret := h.as(b, "planner")
	sample := h.ask(b, "planner", "GET", "/v1/merchants/lumi", nil)
	require.Equal(b, 200, sample.status)

	app := fiber.New(fiber.Config{DisableStartupMessage: true, ReadTimeout: time.Second}) // unused connections end too
	app.Get("/v1/merchants/:merchant", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(sample.body)
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	served := make(chan error, 1)
	go func() { served <- app.Listener(ln) }()
	b.Cleanup(func() {
		require.NoError(b, app.Shutdown())
		require.NoError(b, <-served)
	})
	bare := rate(b, fmt.Sprintf("http://%s/v1/merchants/lumi", ln.Addr()), secret, b.N)
	b.ResetTimer()
	ours := rate(b, h.base+"/v1/merchants/lumi", secret, b.N)
	b.ReportMetric(ours, "req/s")
	b.ReportMetric(bare, "bare-req/s")
	b.ReportMetric(ours/bare, "ratio")
}

// rate sends n requests over eight connections and returns requests per second.
func rate(b *testing.B, url, secret string, n int) float64 {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	failed := make(chan error, 8)
	started := time.Now()
	for range cap(failed) {
		go func() {
			for left.Add(-1) >= 0 {
				if err := fetch(url, secret); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for range cap(failed) {
		require.NoError(b, <-failed)
	}
	return float64(n) / time.Since(started).Seconds()
}

func fetch(url, secret string) error {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+secret)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}
