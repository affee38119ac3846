package httpapi

import (
	"context"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/operations"
)

// metrics are the counters of this door, in their own registry: two servers in one process do not
// meet. Labels take few values: route patterns, never addresses.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	rows     *prometheus.CounterVec
	imports  *prometheus.CounterVec
}

func newMetrics(checks func(context.Context) []Check) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chaoban_http_requests_total", Help: "HTTP requests by method, route pattern and status.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chaoban_http_request_duration_seconds", Help: "Time from the first byte of a request to its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 120, 600},
		}, []string{"method", "route"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chaoban_ingest_rows_total", Help: "Rows of files uploaded to this process, by kind and whether they were imported or rejected.",
		}, []string{"kind", "result"}),
		imports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chaoban_ingest_files_total", Help: "Files uploaded to this process, by kind and whether they were new or imported before.",
		}, []string{"kind", "result"}),
	}
	m.registry.MustRegister(
		m.requests, m.duration, m.rows, m.imports, health{checks},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// watchJobs shows what jobs did in this process and, asked at each scrape, how they stand on all
// nodes.
func (m *metrics) watchJobs(ops *operations.Operations, table func() []Job) {
	m.registry.MustRegister(ops.Collectors()...)
	m.registry.MustRegister(standing{ops: ops, table: table})
}

func (m *metrics) observe(method, route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	switch method {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodPost, fiber.MethodPut, fiber.MethodDelete, fiber.MethodPatch, fiber.MethodOptions:
	default:
		method = "other" // a client may send any word
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(method, route).Observe(took.Seconds())
}

func (m *metrics) imported(kind string, good, rejected int64, already bool) {
	if already {
		m.imports.WithLabelValues(kind, "already").Inc()
		return
	}
	m.imports.WithLabelValues(kind, "new").Inc()
	m.rows.WithLabelValues(kind, "imported").Add(float64(good))
	m.rows.WithLabelValues(kind, "rejected").Add(float64(rejected))
}

func (m *metrics) handler() fiber.Handler {
	return adaptor.HTTPHandler(promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
}

// health shows the checks as a gauge, asked at each scrape.
type health struct {
	checks func(context.Context) []Check
}

var upDesc = prometheus.NewDesc("chaoban_up", "Whether something the service stands on answers: 1 or 0.", []string{"check"}, nil)

// Describe implements prometheus.Collector.
func (h health) Describe(out chan<- *prometheus.Desc) { out <- upDesc }

// Collect implements prometheus.Collector.
func (h health) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), checkTime)
	defer cancel()
	for _, c := range h.checks(ctx) {
		up := 0.0
		if c.OK {
			up = 1
		}
		out <- prometheus.MustNewConstMetric(upDesc, prometheus.GaugeValue, up, c.Name)
	}
}

// standing shows how jobs and alerts stand in the store.
type standing struct {
	ops   *operations.Operations
	table func() []Job
}

var (
	successDesc = prometheus.NewDesc("chaoban_job_last_success_timestamp_seconds", "When the newest successful run of a job ended, on any node; missing when none did.", []string{"job"}, nil)
	firingDesc  = prometheus.NewDesc("chaoban_alert_firing", "Whether an alert about the service's own work is firing: 1 or 0.", []string{"alert"}, nil)
)

// Describe implements prometheus.Collector.
func (s standing) Describe(out chan<- *prometheus.Desc) { out <- successDesc; out <- firingDesc }

// Collect implements prometheus.Collector. A store that does not answer leaves the values out.
func (s standing) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), checkTime)
	defer cancel()
	who := access.System("metrics")
	if s.table != nil {
		for _, j := range s.table() {
			if state, err := s.ops.JobState(ctx, who, j.Name); err == nil && state.LastSuccess != nil {
				at := float64(state.LastSuccess.FinishedAt.UnixMilli()) / 1000
				out <- prometheus.MustNewConstMetric(successDesc, prometheus.GaugeValue, at, j.Name)
			}
		}
	}
	alerts, _, err := s.ops.Alerts(ctx, who, "", operations.Page{Limit: 500})
	if err != nil {
		return
	}
	for _, a := range alerts {
		firing := 0.0
		if a.State == "firing" {
			firing = 1
		}
		out <- prometheus.MustNewConstMetric(firingDesc, prometheus.GaugeValue, firing, a.Name)
	}
}
