package simulate_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

// gridCase is one row of a reference grid and the figures that it publishes.
type gridCase struct {
	name           string
	load           float64 // erlangs
	agents         int
	aht, patience  float64 // seconds; patience 0 = nobody leaves
	within         float64 // seconds
	wait, abandon  float64 // NaN = not published
	asa, occupancy float64
	serviceLevel   float64
}

// replications are enough for a Student t with 23 degrees of freedom, whose 4.5 standard errors hold all but 1.6e-4.
const (
	replications   = 24
	standardErrors = 4.5
)

// agrees runs independent replications and wants every published figure inside the confidence interval of their mean.
func (c gridCase) agrees(t *testing.T, contacts float64) {
	t.Helper()
	rho := math.Min(c.load/float64(c.agents), 0.999)
	relaxation := c.aht / (float64(c.agents) * math.Pow(1-math.Sqrt(rho), 2)) // M/M/c forgets its start at this pace
	if c.patience > 0 {
		relaxation = math.Min(relaxation, math.Max(c.aht, c.patience))
	}
	warm := 10 * (relaxation + c.aht)
	length := warm + contacts*c.aht/c.load
	slot := time.Duration(length * 1e9)
	var figures [5][]float64
	for seed := range uint64(replications) {
		sum, err := simulate.Run(simulate.Config{
			Seed: 1000 + seed, Horizon: slot, Slot: slot, WarmUp: time.Duration(warm * 1e9),
			Queues: []simulate.Queue{{
				Rates: []float64{c.load / c.aht * length}, Work: simulate.Span{Mean: time.Duration(c.aht * 1e9)},
				Patience: simulate.Span{Mean: time.Duration(c.patience * 1e9)}, FirstWithin: time.Duration(c.within * 1e9),
			}},
			Agents: team(c.agents, simulate.Agent{Queues: []int{0}}),
		}, nil)
		require.NoError(t, err)
		q := sum.Total()
		for i, v := range []float64{
			q.Share(q.Waited), q.Share(q.Abandoned), q.WaitSeconds / float64(q.Arrived), sum.Occupancy(), q.Share(q.TakenWithin),
		} {
			figures[i] = append(figures[i], v)
		}
	}
	for i, want := range []float64{c.wait, c.abandon, c.asa, c.occupancy, c.serviceLevel} {
		if math.IsNaN(want) {
			continue
		}
		mean, se := meanAndError(figures[i])
		name := []string{"wait", "abandon", "asa", "occupancy", "service level"}[i]
		assert.InDelta(t, want, mean, standardErrors*se+1e-4*(1+want), "%s of %s: %.6f +- %.6f", name, c.name, mean, se)
	}
}

func meanAndError(xs []float64) (mean, se float64) {
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	for _, x := range xs {
		se += (x - mean) * (x - mean)
	}
	n := float64(len(xs))
	return mean, math.Sqrt(se / (n - 1) / n)
}

// grid reads a reference grid; it skips in CI and where the data is not present.
func grid(t *testing.T, name string) []map[string]float64 {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Skip("shared data is not used in CI")
	}
	dir := os.Getenv("CHAOBAN_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(dir, "erlang", name))
	if err != nil {
		t.Skip("shared data is absent")
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var out []map[string]float64
	for _, row := range rows[1:] {
		m := map[string]float64{}
		for i, column := range rows[0] {
			m[column], err = strconv.ParseFloat(row[i], 64)
			require.NoError(t, err)
		}
		out = append(out, m)
	}
	return out
}

// sample picks the rows of a grid to simulate and the contacts per replication: six pools of at most 100 agents that
// forget their start soon, or every eighth row with CHAOBAN_LONG=1.
func sample(rows []map[string]float64) (picked []int, contacts float64) {
	long := os.Getenv("CHAOBAN_LONG") == "1"
	for i, r := range rows {
		soon := r["patience_min"] > 0 || r["offered_erlangs"] < 0.93*r["agents"]
		if long || r["agents"] <= 100 && soon {
			picked = append(picked, i)
		}
	}
	step, contacts := max(1, len(picked)/6), 2000.0
	if long {
		step, contacts = 8, 10_000
	}
	some := []int{}
	for i := 0; i < len(picked); i += step {
		some = append(some, picked[i])
	}
	return some, contacts
}

func TestSimulatorAgreesWithTheErlangAGrid(t *testing.T) {
	rows := grid(t, "erlang_a.csv")
	picked, contacts := sample(rows)
	for _, i := range picked {
		r := rows[i]
		c := gridCase{
			name: fmt.Sprintf("row %d", i+2), load: r["offered_erlangs"], agents: int(r["agents"]), aht: 60 * r["aht_min"],
			patience: 60 * r["patience_min"], within: r["answer_within_s"], wait: r["p_wait"], abandon: r["p_abandon"],
			asa: r["asa_s"], occupancy: r["occupancy"], serviceLevel: r["service_level"],
		}
		c.agrees(t, contacts)
	}
}

// Erlang B is the same pool whose buyers have no patience at all.
func TestSimulatorAgreesWithTheErlangBAndCGrid(t *testing.T) {
	rows := grid(t, "erlang_c.csv")
	picked, contacts := sample(rows)
	unknown := math.NaN()
	for _, i := range picked {
		r := rows[i]
		c := gridCase{
			name: fmt.Sprintf("B of row %d", i+2), load: r["offered_erlangs"], agents: int(r["agents"]), aht: r["aht_s"],
			patience: 1e-9, within: 0, wait: r["erlang_b"], abandon: r["erlang_b"], asa: unknown,
			occupancy: r["occupancy"] * (1 - r["erlang_b"]), serviceLevel: 1 - r["erlang_b"],
		}
		c.agrees(t, contacts)
		c.name, c.patience, c.within = fmt.Sprintf("C of row %d", i+2), 0, r["answer_within_s"]
		c.wait, c.abandon, c.asa, c.occupancy, c.serviceLevel = r["erlang_c_pwait"], 0, r["asa_s"], r["occupancy"], r["service_level"]
		c.agrees(t, contacts)
	}
}
