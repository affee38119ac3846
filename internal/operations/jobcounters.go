package operations

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/chaoban/chaoban/internal/store"
)

// jobCounters count the attempts of jobs that this process made. They are about this process: the
// run history in the store is about all nodes, and knows what a process that died had begun.
type jobCounters struct {
	runs     *prometheus.CounterVec
	rows     *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newJobCounters() *jobCounters {
	return &jobCounters{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chaoban_job_runs_total", Help: "Attempts of jobs by this process, by how they ended.",
		}, []string{"job", "outcome"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chaoban_job_rows_total", Help: "What the jobs of this process counted.",
		}, []string{"job"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chaoban_job_duration_seconds", Help: "Time of one attempt of a job.",
			Buckets: []float64{.01, .1, .5, 1, 5, 15, 60, 300, 900, 1800, 3600},
		}, []string{"job"}),
	}
}

// counted counts an attempt that has ended.
func (o *Operations) counted(run store.JobRun) {
	o.jobs.runs.WithLabelValues(run.Job, string(run.State)).Inc()
	o.jobs.rows.WithLabelValues(run.Job).Add(float64(max(run.Rows, 0)))
	o.jobs.duration.WithLabelValues(run.Job).Observe(run.FinishedAt.Sub(run.StartedAt).Seconds())
}

// Collectors are the counters of this process, for the door that shows them.
func (o *Operations) Collectors() []prometheus.Collector {
	return []prometheus.Collector{o.jobs.runs, o.jobs.rows, o.jobs.duration}
}
