package staffing_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling/staffing"
)

// Figures at the ends of the range, from the defining integrals of Erlang B and A in 30-digit arithmetic with
// mpmath 1.3 (tanh-sinh quadrature, pieces around the peak), which shares no code with this package.
func TestErlangAInThirtyDigits(t *testing.T) {
	for _, c := range []struct {
		calls, aht, minutes, patience, agents, within      float64
		wait, abandon, occupancy, asa, queue, serviceLevel float64
	}{
		{1e6, 180, 30, 1e6, 100_000, 10, 0.98677233268588772, 3.3403223366045796e-5, 0.99996659677663395, 33.403223366045796, 18557.346314469887, 0.19709617152036503},
		{999_000, 180, 30, 1e6, 100_000, 1, 0.657590538452521, 1.1794417164966701e-6, 0.99899882173772522, 1.1794417164966701, 654.59015265565191, 0.62318483264207514},
		{1.5e6, 180, 30, 1e6, 100_000, 60, 1, 1.0 / 3, 1, 1e6 / 3, 277777777.77777778, 0},
		{940_000, 180, 30, 60, 100_000, 0, 7.4417254050395879e-84, 3.6629774765618114e-87, 0.94, 2.1977864859370869e-85, 1.1477329426560342e-82, 1},
		{3e6, 60, 30, 1, 100_000, 1, 0.11508830841326851, 0.0022346270276816939, 0.99776537297231831, 0.0022346270276816939, 3.7243783794694898, 0.99776537297231831},
		{1000, 180, 30, 300, 153, 20, 5.245936029786863e-7, 5.6513623276262304e-9, 0.6535947675481292, 1.6954086982878691e-6, 9.418937212710384e-7, 0.99999999350903414},
		{10, 86400, 1440, 1e6, 1, 3600, 1, 0.9, 1, 900_000, 104.16666666666667, 0},
		{1, 86400, 60, 1, 1, 0, 0.96001066518039402, 0.95999955561748358, 0.96001066518039402, 0.95999955561748358, 0.00026666654322707877, 0.039989334819605977},
		{100, 1, 1, 1e6, 2, 0, 0.75757300285573965, 2.2726440147914872e-6, 0.83333143946332101, 2.2726440147914872, 3.7877400246524787, 0.24242699714426035},
		{100, 240, 30, 90, 13.5, 20, 0.41291816003835407, 0.12781110638219107, 0.86142112949907055, 11.502999574397196, 0.63905553191095536, 0.71401105276878771},
		{101, 240, 30, 1e6, 13.5, 20, 0.97850847811293821, 0.0025518896151514936, 0.99498527554439209, 2551.8896151514936, 143.18936173905603, 0.027065566257508843},
	} {
		q := staffing.Queue{Contacts: c.calls, Interval: seconds(c.minutes * 60), HandleTime: seconds(c.aht), Patience: seconds(c.patience)}
		p := staffing.ErlangA(q, c.agents, seconds(c.within))
		for name, pair := range map[string][2]float64{
			"wait": {c.wait, p.Wait}, "abandon": {c.abandon, p.Abandon}, "occupancy": {c.occupancy, p.Occupancy},
			"asa": {c.asa, p.ASASeconds}, "queue": {c.queue, p.AverageQueue}, "service level": {c.serviceLevel, p.ServiceLevel},
		} {
			assert.InDelta(t, pair[0], pair[1], 1e-12+1e-14*math.Abs(pair[0])*100, "%s of %+v", name, c)
			if name != "service level" && name != "occupancy" && pair[0] > 0 { // tails keep relative digits too
				assert.InEpsilon(t, pair[0], pair[1], 1e-10, "%s of %+v", name, c)
			}
		}
	}
}

// chain sums the birth-death chain of Erlang A state by state, outward from its most likely state, so that
// neither a hundred thousand agents nor a tail of 1e-300 leaves float64.
func chain(a, beta float64, agents int) (wait, queue, busy float64) {
	leave := func(n int) float64 { return float64(min(n, agents)) + beta*float64(max(0, n-agents)) }
	mode := int(a)
	if a > float64(agents) {
		mode = agents + int((a-float64(agents))/beta)
	}
	all := 0.0
	visit := func(n int, w float64) {
		all += w
		busy += w * float64(min(n, agents))
		if n >= agents {
			wait += w
			queue += w * float64(n-agents)
		}
	}
	visit(mode, 1)
	w := 1.0
	for n := mode + 1; w > 1e-320; n++ {
		w *= a / leave(n)
		visit(n, w)
	}
	w = 1.0
	for n := mode; n > 0 && w > 1e-320; n-- {
		w *= leave(n) / a
		visit(n-1, w)
	}
	return wait / all, queue / all, busy / all / float64(agents)
}

func TestErlangAMatchesTheChainAtTheEnds(t *testing.T) {
	for _, agents := range []int{1, 2, 100, 10_000, 100_000} {
		for _, rho := range []float64{0.5, 0.95, 0.999, 1, 1.001, 1.2, 5} {
			for _, patience := range []float64{1, 60, 3600, 1e5} {
				const aht = 200.0
				a := rho * float64(agents)
				q := staffing.Queue{Contacts: a, Interval: seconds(aht), HandleTime: seconds(aht), Patience: seconds(patience)}
				p := staffing.ErlangA(q, float64(agents), 0)
				wait, queue, busy := chain(a, aht/patience, agents)
				assert.InDelta(t, wait, p.Wait, 1e-10, "%d agents, rho %v, patience %v", agents, rho, patience)
				assert.InDelta(t, queue, p.AverageQueue, 1e-9*(1+queue), "%d agents, rho %v, patience %v", agents, rho, patience)
				assert.InDelta(t, busy, p.Occupancy, 1e-10, "%d agents, rho %v, patience %v", agents, rho, patience)
				if wait > 1e-290 && rho < 1 {
					assert.InEpsilon(t, wait, p.Wait, 1e-8, "tail of %d agents, rho %v, patience %v", agents, rho, patience)
				}
			}
		}
	}
}

// Near full load one unit in the last place of the load is a part of what all waits are divided by. Every number
// here is a whole one, so M/M/1 is exact by hand: rho/(1-rho) with 1-rho = 1/86400.
func TestErlangCNearFullLoadKeepsItsDigits(t *testing.T) {
	q := staffing.Queue{Contacts: 86_399, Interval: 24 * time.Hour, HandleTime: time.Second}
	p := staffing.ErlangC(q, 1, 0)
	assert.InEpsilon(t, 86_399.0, p.ASASeconds, 1e-15)
	q.HandleTime, q.Contacts = 7300*time.Millisecond, 11_835_600 // 86,399,880 of 86,400,000 agent-seconds
	p = staffing.ErlangC(q, 1000, 0)
	assert.InEpsilon(t, p.Wait*7.3*86_400/120, p.ASASeconds, 1e-15)
}

// The limit of Erlang A for long patience is Erlang C; the distance is of the order of 1/patience, so it falls
// about tenfold for each ten times.
func TestErlangATendsToErlangCSteadily(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := load(t)
		n := math.Ceil(q.Offered()*1.05) + 1
		c := staffing.ErlangC(q, n, 20*time.Second)
		last := math.Inf(1)
		for _, patience := range []time.Duration{24 * time.Hour, 240 * time.Hour, 2400 * time.Hour, 24_000 * time.Hour} {
			q.Patience = patience
			a := staffing.ErlangA(q, n, 20*time.Second)
			if a.Wait > c.Wait+1e-12 || a.ASASeconds > c.ASASeconds*(1+1e-12) {
				t.Fatalf("leaving makes it worse: %+v, %+v", a, c)
			}
			gap := c.Wait - a.Wait
			if gap > last*1.001+1e-12 {
				t.Fatalf("patience %s: distance %g after %g", patience, gap, last)
			}
			last = gap
		}
		if last > 1e-4 {
			t.Fatalf("distance %g", last)
		}
	})
}

// Little's law ties the queue to the wait, and what is answered is what agents are busy with.
func TestLittleAndFlowBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := load(t)
		agents := rapid.Float64Range(0.5, 500).Draw(t, "agents")
		for _, m := range []staffing.Model{staffing.ModelA, staffing.ModelC} {
			p := staffing.Evaluate(m, q, agents, 0)
			if !p.Stable {
				continue
			}
			rate := q.Contacts / q.Interval.Seconds()
			if math.Abs(p.AverageQueue-rate*p.ASASeconds) > 1e-9*(1+p.AverageQueue) {
				t.Fatalf("Little: %+v", p)
			}
			if math.Abs(agents*p.Occupancy-q.Offered()*(1-p.Abandon)) > 1e-9*(1+q.Offered()) {
				t.Fatalf("flow: %+v", p)
			}
		}
	})
}

// Loads far beyond the agents are evaluated, not refused: all but c/a leave.
func TestHopelessLoadsAreEvaluated(t *testing.T) {
	q := staffing.Queue{Contacts: 1e5, Interval: time.Minute, HandleTime: 24 * time.Hour, Patience: time.Second}
	require.NoError(t, q.ValidateAt(staffing.ModelA, 10, 0))
	p := staffing.ErlangA(q, 10, time.Second)
	assert.InDelta(t, 1-10/q.Offered(), p.Abandon, 1e-12)
	assert.InDelta(t, 1, p.Occupancy, 1e-9)
	assert.ErrorContains(t, q.Validate(staffing.ModelA), "erlangs")
	assert.False(t, staffing.ErlangC(q, 0, 0).Stable)
	assert.Zero(t, staffing.ErlangC(q, 0, 0).Occupancy)
}

func TestNoContactsNeedNobodyAndMissNothing(t *testing.T) {
	q := staffing.Queue{Interval: time.Hour, HandleTime: time.Minute, Patience: time.Minute}
	for _, m := range []staffing.Model{staffing.ModelA, staffing.ModelB, staffing.ModelC} {
		p, err := staffing.Least(m, q, staffing.Goal{ServiceLevel: 0.99})
		require.NoError(t, err)
		assert.Equal(t, staffing.Performance{Stable: true, ServiceLevel: 1}, p)
	}
}

// Whatever is valid has figures: shares within [0,1], no NaN, infinite only where nothing bounds the queue.
func TestEveryValidInputHasFigures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wide := func(name string, least, most float64) float64 {
			return math.Exp(rapid.Float64Range(math.Log(least), math.Log(most)).Draw(t, name))
		}
		q := staffing.Queue{
			Interval: time.Duration(wide("interval", 1, 3e18)), HandleTime: time.Duration(wide("aht", 1, 3e18)),
			Patience: time.Duration(wide("patience", 1, 3e18)),
		}
		q.Contacts = wide("load", 1e-300, 1e9) * float64(q.Interval) / float64(q.HandleTime)
		agents := wide("agents", 1e-6, 1e5)
		if rapid.Bool().Draw(t, "whole") {
			agents = math.Trunc(agents)
		}
		within := time.Duration(wide("within", 0.1, 3e18))
		for _, m := range []staffing.Model{staffing.ModelA, staffing.ModelB, staffing.ModelC} {
			if q.ValidateAt(m, agents, within) != nil {
				continue
			}
			p := staffing.Evaluate(m, q, agents, within)
			for _, share := range []float64{p.Wait, p.Abandon, p.Occupancy, p.ServiceLevel} {
				if !(share >= 0 && share <= 1) {
					t.Fatalf("model %s: %+v", m, p)
				}
			}
			if !(p.ASASeconds >= 0 && p.AverageQueue >= 0) || m == staffing.ModelA && math.IsInf(p.ASASeconds, 0) {
				t.Fatalf("model %s: %+v", m, p)
			}
		}
	})
}
