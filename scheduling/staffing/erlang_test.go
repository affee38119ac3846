package staffing_test

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling/staffing"
)

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }

// calls is a queue of the classic form: contacts per half hour, AHT and patience in seconds.
func calls(contacts, aht, patience float64) staffing.Queue {
	return staffing.Queue{Contacts: contacts, Interval: 30 * time.Minute, HandleTime: seconds(aht), Patience: seconds(patience)}
}

// The published fixed points: pyworkforce README, the recomputed 80/20 example, and Garnett,
// Mandelbaum & Reiman (2002), table 1.
func TestPublishedFixedPoints(t *testing.T) {
	q := calls(100, 180, 300)
	best, err := staffing.Least(staffing.ModelC, q, staffing.Goal{ServiceLevel: 0.8, Within: seconds(19.8)})
	require.NoError(t, err)
	assert.Equal(t, 14.0, best.Agents)
	assert.InDelta(t, 0.888, best.ServiceLevel, 5e-4)
	assert.InDelta(t, 0.174132, best.Wait, 5e-7)

	a := staffing.ErlangA(q, 14, 20*time.Second)
	assert.InDelta(t, 0.145260, a.Wait, 5e-7)
	assert.InDelta(t, 0.013984, a.Abandon, 5e-7)
	assert.InDelta(t, 0.704297, a.Occupancy, 5e-7)
	assert.InDelta(t, 0.916792, a.ServiceLevel, 5e-7)

	eighty := calls(100, 240, 0)
	best, err = staffing.Least(staffing.ModelC, eighty, staffing.Goal{ServiceLevel: 0.8, Within: 20 * time.Second})
	require.NoError(t, err)
	assert.Equal(t, 17.0, best.Agents)
	for i, want := range []float64{0.2402, 0.5078, 0.6900, 0.8104} {
		assert.InDelta(t, want, staffing.ErlangC(eighty, float64(14+i), 20*time.Second).ServiceLevel, 5e-5)
	}

	gmr := staffing.Queue{Contacts: 48, Interval: time.Minute, HandleTime: time.Minute, Patience: 2 * time.Minute}
	assert.InDelta(t, 20.8, staffing.ErlangC(gmr, 50, 0).ASASeconds, 0.05)
	assert.InDelta(t, 0.031, staffing.ErlangA(gmr, 50, 0).Abandon, 5e-4)
	assert.InDelta(t, 3.7, staffing.ErlangA(gmr, 50, 0).ASASeconds, 0.05)
}

// One agent and no patience problem: M/M/1 in closed form. rho = 1/2: wait 1/2, W_q = rho/(mu-lambda).
func TestSingleServerClosedForm(t *testing.T) {
	q := staffing.Queue{Contacts: 30, Interval: time.Hour, HandleTime: time.Minute}
	p := staffing.ErlangC(q, 1, time.Minute)
	assert.InDelta(t, 0.5, p.Wait, 1e-15)
	assert.InDelta(t, 60, p.ASASeconds, 1e-10)
	assert.InDelta(t, 1-0.5*math.Exp(-0.5), p.ServiceLevel, 1e-15)
	assert.InDelta(t, 1.0/3, staffing.ErlangB(1, 0.5), 1e-15, "a/(1+a)")
}

// When patience equals handle time, every contact present leaves at the same rate whether served or
// waiting, so the number present is Poisson(a) as in M/M/inf and all figures follow.
func TestErlangAWithPatienceEqualToHandleTimeIsPoisson(t *testing.T) {
	for _, c := range []struct {
		a      float64
		agents int
	}{{5, 3}, {5, 9}, {80, 80}, {80, 100}, {900, 850}} {
		q := staffing.Queue{Contacts: c.a, Interval: time.Minute, HandleTime: time.Minute, Patience: time.Minute}
		p := staffing.ErlangA(q, float64(c.agents), 0)
		var wait, queue float64
		for n := c.agents; n < c.agents+2000; n++ {
			lg, _ := math.Lgamma(float64(n) + 1)
			weight := math.Exp(float64(n)*math.Log(c.a) - c.a - lg)
			wait += weight
			queue += float64(n-c.agents) * weight
		}
		assert.InEpsilon(t, wait, p.Wait, 1e-10)
		assert.InEpsilon(t, queue, p.AverageQueue, 1e-10)
		assert.InEpsilon(t, queue/c.a, p.Abandon, 1e-10)
	}
}

// The recursion and the integral must agree where both apply, and the tail must keep its digits:
// B(c, a) for tiny a is a^c/c! to first order.
func TestErlangBAgreesAcrossMethods(t *testing.T) {
	for _, c := range []float64{1, 2, 10, 100, 999, 1000} {
		for _, rho := range []float64{0.2, 0.7, 0.99, 1, 1.1, 3} {
			whole := staffing.ErlangB(c, rho*c)
			nearly := staffing.ErlangB(math.Nextafter(c, math.Inf(1)), rho*c) // takes the integral
			if whole > 1e-290 {
				assert.InEpsilon(t, whole, nearly, 1e-11, "c=%v rho=%v", c, rho)
			}
		}
	}
	assert.InEpsilon(t, 1e-60/3628800, staffing.ErlangB(10, 1e-6), 2e-6)
}

// At 100,000 agents the recursion in plain form is the oracle (100,000 exact steps).
func TestHundredThousandAgents(t *testing.T) {
	const c = 100_000
	for _, a := range []float64{99_000, 100_000, 101_000, 150_000} {
		b := 1.0
		for n := 1.0; n <= c; n++ {
			b = a * b / (n + a*b)
		}
		assert.InEpsilon(t, b, staffing.ErlangB(c, a), 1e-9, "a=%v", a)
		q := staffing.Queue{Contacts: a, Interval: time.Minute, HandleTime: time.Minute, Patience: 3 * time.Minute}
		p := staffing.ErlangA(q, c, 10*time.Second)
		assert.InDelta(t, max(0, 1-c/a), p.Abandon, 2e-3, "fluid limit")
		for _, share := range []float64{p.Wait, p.Abandon, p.Occupancy, p.ServiceLevel} {
			assert.True(t, share >= 0 && share <= 1, "%+v", p)
		}
	}
}

func TestNoAgentsAndNoContacts(t *testing.T) {
	q := calls(100, 180, 300)
	p := staffing.ErlangA(q, 0, time.Hour)
	assert.Equal(t, 1.0, p.Abandon)
	assert.Zero(t, p.ServiceLevel)
	assert.InDelta(t, 300, p.ASASeconds, 1e-9, "everybody waits out the mean patience")
	p = staffing.ErlangC(q, 5, time.Hour)
	assert.False(t, p.Stable)
	assert.Zero(t, p.ServiceLevel)
	q.Contacts = 0
	assert.Equal(t, 1.0, staffing.ErlangA(q, 3, 0).ServiceLevel)
	assert.Equal(t, 1.0, staffing.ErlangC(q, 3, 0).ServiceLevel)
}

func load(t *rapid.T) staffing.Queue {
	return staffing.Queue{
		Contacts:   rapid.Float64Range(0.1, 3000).Draw(t, "contacts"),
		Interval:   30 * time.Minute,
		HandleTime: seconds(rapid.Float64Range(5, 1200).Draw(t, "aht")),
		Patience:   seconds(math.Exp(rapid.Float64Range(-1, 12).Draw(t, "log patience"))),
	}
}

func TestMoreAgentsAreNeverWorse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := load(t)
		n := float64(rapid.IntRange(0, 300).Draw(t, "agents"))
		within := seconds(rapid.Float64Range(0, 120).Draw(t, "within"))
		for _, m := range []staffing.Model{staffing.ModelA, staffing.ModelB, staffing.ModelC} {
			few, more := staffing.Evaluate(m, q, n, within), staffing.Evaluate(m, q, n+1, within)
			const eps = 1e-12
			if more.ServiceLevel < few.ServiceLevel-eps || more.Wait > few.Wait+eps ||
				more.Abandon > few.Abandon+eps || more.ASASeconds > few.ASASeconds*(1+1e-9)+eps {
				t.Fatalf("model %s: %+v then %+v", m, few, more)
			}
			for _, share := range []float64{more.ServiceLevel, more.Wait, more.Abandon, more.Occupancy} {
				if !(share >= 0 && share <= 1) {
					t.Fatalf("model %s: share out of range: %+v", m, more)
				}
			}
		}
	})
}

// Flow balance ties independent figures: what leaves plus what is served is what arrives (Erlang A),
// and queue = rate x wait (Little). The queue is summed here state by state.
func TestErlangAMatchesTheChainStateByState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := load(t)
		q.Patience = max(q.Patience, q.HandleTime/20)
		q.Patience = min(q.Patience, 20*q.HandleTime)
		n := rapid.IntRange(1, 200).Draw(t, "agents")
		a, beta := q.Offered(), q.HandleTime.Seconds()/q.Patience.Seconds()
		size := n + int(a/beta) + int(40*math.Sqrt(a/beta)) + 400
		logs := make([]float64, size)
		top := 0.0
		for i := 1; i < size; i++ {
			rate := float64(min(i, n)) + beta*float64(max(0, i-n))
			logs[i] = logs[i-1] + math.Log(a/rate)
			top = max(top, logs[i])
		}
		var all, wait, queue, busy float64
		for i, l := range logs {
			w := math.Exp(l - top)
			all += w
			busy += w * float64(min(i, n))
			if i >= n {
				wait += w
				queue += w * float64(i-n)
			}
		}
		p := staffing.ErlangA(q, float64(n), 0)
		near := func(name string, want, got float64) {
			if math.Abs(want-got) > 1e-9*(1+math.Abs(want)) {
				t.Fatalf("%s: chain %v, integral %v", name, want, got)
			}
		}
		near("wait", wait/all, p.Wait)
		near("queue", queue/all, p.AverageQueue)
		near("occupancy", busy/all/float64(n), p.Occupancy)
	})
}

func TestErlangATendsToErlangC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := load(t)
		n := math.Ceil(q.Offered()*1.02) + 1
		c := staffing.ErlangC(q, n, 20*time.Second)
		q.Patience = 10_000 * 24 * time.Hour
		a := staffing.ErlangA(q, n, 20*time.Second)
		if math.Abs(a.Wait-c.Wait) > 1e-4 || math.Abs(a.ServiceLevel-c.ServiceLevel) > 1e-4 {
			t.Fatalf("A %+v\nC %+v", a, c)
		}
	})
}

func TestLargerPoolsNeverNeedMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := load(t), load(t)
		y.HandleTime, y.Patience = x.HandleTime, x.Patience
		goal := staffing.Goal{ServiceLevel: rapid.Float64Range(0.5, 0.99).Draw(t, "level"), Within: 20 * time.Second}
		for _, m := range []staffing.Model{staffing.ModelA, staffing.ModelC} {
			need := func(q staffing.Queue) float64 {
				p, err := staffing.Least(m, q, goal)
				if err != nil {
					t.Fatal(err)
				}
				return p.Agents
			}
			pool := x
			pool.Contacts += y.Contacts
			if need(pool) > need(x)+need(y) {
				t.Fatalf("model %s: pool %v, parts %v + %v", m, need(pool), need(x), need(y))
			}
		}
	})
}

func TestLeastIsTheBoundary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := load(t)
		goals := []staffing.Goal{
			{ServiceLevel: 0.8, Within: 20 * time.Second},
			{ASA: 5 * time.Second},
			{Abandon: 0.02},
			{Occupancy: 0.85},
		}
		g := rapid.SampledFrom(goals).Draw(t, "goal")
		p, err := staffing.Least(staffing.ModelA, q, g)
		if err != nil {
			t.Fatal(err)
		}
		met := func(p staffing.Performance) bool {
			return p.ServiceLevel >= g.ServiceLevel && (g.ASA == 0 || p.ASASeconds <= g.ASA.Seconds()) &&
				(g.Abandon == 0 || p.Abandon <= g.Abandon) && (g.Occupancy == 0 || p.Occupancy <= g.Occupancy)
		}
		if !met(p) || p.Agents > 1 && met(staffing.ErlangA(q, p.Agents-1, g.Within)) {
			t.Fatalf("%+v is not the boundary of %+v", p, g)
		}
		f, err := staffing.LeastFractional(staffing.ModelA, q, g)
		if err != nil || f.Agents > p.Agents || f.Agents < p.Agents-1 {
			t.Fatalf("fractional %+v, whole %+v, %v", f, p, err)
		}
	})
}

func TestGoalsAndLoadsThatCannotBe(t *testing.T) {
	_, err := staffing.Least(staffing.ModelA, calls(100, 0, 0), staffing.Goal{ServiceLevel: 0.8})
	assert.ErrorContains(t, err, "handle_time")
	assert.ErrorContains(t, err, "patience")
	_, err = staffing.Least(staffing.ModelC, calls(math.NaN(), 180, 0), staffing.Goal{ServiceLevel: 0.8})
	assert.ErrorContains(t, err, "contacts")
	_, err = staffing.Least(staffing.ModelC, calls(100, 180, 0), staffing.Goal{ServiceLevel: 1.2})
	assert.ErrorContains(t, err, "target")
	_, err = staffing.Least(staffing.ModelC, calls(100, 180, 0), staffing.Goal{})
	assert.ErrorContains(t, err, "target")
	_, err = staffing.Least(staffing.ModelB, calls(5e6, 3600, 0), staffing.Goal{ServiceLevel: 0.8})
	assert.ErrorContains(t, err, "erlangs")
}

// sharedGrid reads a grid of the shared data set; it skips in CI and where the data is not present.
func sharedGrid(t *testing.T, name string) []map[string]float64 {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Skip("shared data is not used in CI")
	}
	dir := os.Getenv("CHAOBAN_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
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
		for i, name := range rows[0] {
			m[name], err = strconv.ParseFloat(row[i], 64)
			require.NoError(t, err)
		}
		out = append(out, m)
	}
	return out
}

func TestErlangAGrid(t *testing.T) {
	worst := 0.0
	for i, r := range sharedGrid(t, "erlang_a.csv") {
		q := staffing.Queue{Contacts: r["calls"], Interval: seconds(r["interval_min"] * 60), HandleTime: seconds(r["aht_min"] * 60), Patience: seconds(r["patience_min"] * 60)}
		p := staffing.ErlangA(q, r["agents"], seconds(r["answer_within_s"]))
		for name, got := range map[string]float64{"p_wait": p.Wait, "p_abandon": p.Abandon, "occupancy": p.Occupancy, "asa_s": p.ASASeconds, "avg_queue": p.AverageQueue, "service_level": p.ServiceLevel} {
			worst = max(worst, math.Abs(got-r[name]))
			assert.InDelta(t, r[name], got, 1e-6, "row %d %s", i+2, name)
		}
	}
	t.Logf("largest absolute difference %.2e", worst)
}

func TestErlangCGrid(t *testing.T) {
	worst := 0.0
	for i, r := range sharedGrid(t, "erlang_c.csv") {
		q := staffing.Queue{Contacts: r["offered_erlangs"], Interval: seconds(r["aht_s"]), HandleTime: seconds(r["aht_s"])}
		p := staffing.ErlangC(q, r["agents"], seconds(r["answer_within_s"]))
		for name, got := range map[string]float64{"erlang_b": staffing.ErlangB(r["agents"], r["offered_erlangs"]), "erlang_c_pwait": p.Wait, "occupancy": p.Occupancy, "asa_s": p.ASASeconds, "service_level": p.ServiceLevel} {
			worst = max(worst, math.Abs(got-r[name]))
			assert.InDelta(t, r[name], got, 1e-6, "row %d %s", i+2, name)
		}
	}
	t.Logf("largest absolute difference %.2e", worst)
}
