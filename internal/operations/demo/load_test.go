package demo

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/store/storetest"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

var reader = access.System("test")

// small is the demo with one day of history and one of conversations, so that a test can load
// it several times.
func small(t *testing.T) *world {
	w := worldOf(t)
	w.from, w.days = w.month.First().Add(-1), 1
	return w
}

// stack is the use cases on empty stores, with the warehouse beside them to look into.
type stack struct {
	*operations.Operations
	figures warehouse.Reader
}

func newStack(t *testing.T, w *world) stack {
	t.Helper()
	var definitions kpi.Definitions
	for _, name := range []string{"neutral", "tmall", "jd", "pdd", "douyin", "kuaishou"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", "configs", "metrics", name+".yaml"))
		require.NoError(t, err)
		var pack struct {
			Metrics kpi.Definitions `yaml:"metrics"`
		}
		require.NoError(t, yaml.Unmarshal(text, &pack))
		definitions = append(definitions, pack.Metrics...)
	}
	wh, err := warehouse.Open(t.Context(), warehouse.DefaultConfig(), warehouse.Fixed(enginetest.Start(t)), definitions)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, wh.Close()) })
	return stack{
		Operations: operations.New(operations.DefaultConfig(), operations.Deps{
			Store: storetest.SQLite(t), Warehouse: wh, Zone: w.zone, Definitions: definitions, Node: "test",
			Log: slog.New(slog.DiscardHandler), Now: time.Now,
		}),
		figures: wh.In(warehouse.Scope{Everything: true}),
	}
}

// holding is what a load leaves behind.
type holding struct {
	counts                               warehouse.Counts
	readings                             []kpi.Reading
	merchants, contracts, agents, logins int
	promotions                           []planning.Promotion
	disputed                             measuring.Comparison // JD's rate in the former client's last month, under both definitions
	holds                                []operations.Hold
	kept                                 measuring.Retained
}

func (s stack) holding(t *testing.T, w *world) (h holding) {
	t.Helper()
	ctx, a := t.Context(), s.Administration
	var err error
	h.counts, err = s.figures.Counts(ctx)
	require.NoError(t, err)
	start := w.month.First().In(w.zone)
	span := calendar.Range{Start: start, End: start.AddDate(0, 0, w.days+1)}
	for _, q := range []kpi.Query{
		{Metrics: []kpi.Metric{"offered", "handled", "satisfaction_share"}, By: []kpi.Dimension{kpi.ByMerchant}},
		{Metrics: []kpi.Metric{"occupancy"}, By: []kpi.Dimension{kpi.ByAgent}},
	} {
		q.Grain, q.Range = kpi.Whole, span
		readings, err := s.figures.Query(ctx, q)
		require.NoError(t, err)
		require.NotEmpty(t, readings)
		h.readings = append(h.readings, readings...)
	}
	all := operations.Page{Limit: 500}
	merchants, _, err := a.Merchants(ctx, reader, all)
	require.NoError(t, err)
	agreed, _, err := a.Contracts(ctx, reader, operations.ContractFilter{}, all)
	require.NoError(t, err)
	agents, _, err := a.Agents(ctx, reader, operations.AgentFilter{}, all)
	require.NoError(t, err)
	users, _, err := a.Users(ctx, reader, all)
	require.NoError(t, err)
	h.promotions, err = s.Planning.Promotions(ctx, reader)
	require.NoError(t, err)
	h.disputed, err = s.Measuring.Compare(ctx, reader, kpi.Query{Metrics: []kpi.Metric{"jd.first_30s"}, Grain: kpi.Whole, Range: formerMonth.Range(w.zone)}, "v2021-11", "v2021-12")
	require.NoError(t, err)
	h.kept, err = s.Measuring.PreviewRetention(ctx, reader)
	require.NoError(t, err)
	h.holds, err = s.Measuring.Holds(ctx, reader)
	require.NoError(t, err)
	for i := range h.holds {
		h.holds[i].At = time.Time{}
	}
	h.merchants, h.contracts, h.agents, h.logins = len(merchants), len(agreed), len(agents), len(users)
	return h
}

func silent(string) {}

// What a load leaves does not depend on how often it was cut off, nor on how often it is repeated.
func TestLoadingAgainCompletesAndChangesNothing(t *testing.T) {
	w := small(t)
	whole := newStack(t, w)
	require.NoError(t, w.load(t.Context(), whole.Operations, silent))
	want := whole.holding(t, w)
	assertComplete(t, whole, w, want)

	err := small(t).load(t.Context(), whole.Operations, silent)
	require.NoError(t, err, fault.InternalText(err))
	assert.Equal(t, want, whole.holding(t, w), "loaded twice")

	cut := newStack(t, w)
	for _, at := range []int{1, 9, 18, 19, 20, 21} { // books, history, before and after the conversations, former client, roll-up
		ctx, cancel := context.WithCancel(t.Context())
		step := 0
		err := small(t).load(ctx, cut.Operations, func(string) {
			if step++; step == at {
				cancel()
			}
		})
		cancel()
		require.Error(t, err, "cut off at step %d", at)
		require.GreaterOrEqual(t, step, at)
		complete, known := cut.DemoLoaded(t.Context())
		require.Equal(t, []bool{false, true}, []bool{complete, known}, "a demo that was cut off is not a customer's data")
	}
	err = small(t).load(t.Context(), cut.Operations, silent)
	require.NoError(t, err, fault.InternalText(err))
	assert.Equal(t, want, cut.holding(t, w), "cut off at the steps")
}

// Cut off in the middle of whatever takes long, which is mostly a batch on its way.
func TestALoadThatRunsOutOfTimeCanBeRepeated(t *testing.T) {
	w := small(t)
	ops := newStack(t, w)
	cuts := 0
	for limit := 50 * time.Millisecond; ; limit = limit * 3 / 2 {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		err := small(t).load(ctx, ops.Operations, silent)
		cancel()
		if err == nil {
			break
		}
		cuts++
		require.Less(t, limit, time.Minute, fault.InternalText(err))
	}
	assert.Positive(t, cuts)
	assertComplete(t, ops, w, ops.holding(t, w))
}

// assertComplete compares with a simulation that never went near a database.
func assertComplete(t *testing.T, ops stack, w *world, got holding) {
	t.Helper()
	var want warehouse.Counts
	for _, d := range w.demands {
		for date := w.from; date.Before(w.month.First()); date = date.Add(1) {
			want.Contacts += uint64(len(w.history(d, date)))
		}
	}
	states, err := w.makeBatches(counting(&want))
	require.NoError(t, err)
	want.States = uint64(len(states))
	conversations := want.Conversations
	former := formerOf(t)
	_, err = former.makeBatches(counting(&want))
	require.NoError(t, err)
	want.Figures = got.counts.Figures // a figure for each column that we can count, of two shops
	assert.Greater(t, want.Figures, uint64(10))
	assert.Equal(t, want, got.counts)
	assert.Equal(t, []int{7, 7, 125, len(Logins)}, []int{got.merchants, got.contracts, got.agents, got.logins})
	complete, known := ops.DemoLoaded(t.Context())
	assert.True(t, complete && known)
	offered := 0.0
	for _, r := range got.readings {
		if r.Metric == "offered" {
			offered += r.Numerator
		}
	}
	assert.InDelta(t, float64(conversations), offered, 0, "each conversation is in the sums once")
	assertDisputed(t, former, got)
}

// assertDisputed compares JD's rate of the former client under both definitions with a count of its
// messages, and needs them all kept, though they are older than retention.
func assertDisputed(t *testing.T, former *world, got holding) {
	t.Helper()
	require.Len(t, got.disputed.Figures, 1)
	f := got.disputed.Figures[0]
	value := func(r *kpi.Reading, from, until int) float64 {
		require.NotNil(t, r)
		good, all := former.inTime(t, from, until)
		assert.Equal(t, []float64{good, all}, []float64{r.Numerator, r.Denominator}, "from %d to %d o'clock", from, until)
		return good / all
	}
	was, then := value(f.A, 8, 24), value(f.B, 9, 23)
	assert.Less(t, was, 0.95, "the old definition misses the target of the contract")
	assert.Greater(t, then, 0.95, "the new one reaches it")
	require.NotNil(t, f.Points)
	assert.InDelta(t, 100*(then-was), *f.Points, 1e-9)
	assert.Equal(t, f.B, f.InForce, "JD back-dated its change to the first of the month")

	assert.True(t, formerMonth.Next().First().Before(got.kept.Cutoff), "the month is older than %s", got.kept.Cutoff)
	assert.Zero(t, got.kept.Measured.Raw())
	assert.Zero(t, got.kept.Measured.Rollups)
	assert.Equal(t, []operations.Hold{{Merchant: former.merchants[0].ID, Case: formerReason, Reason: formerReason, Author: "demo"}}, got.holds)
}

func counting(c *warehouse.Counts) func(warehouse.Batch) {
	return func(b warehouse.Batch) {
		c.Conversations += uint64(len(b.Conversations))
		c.Events += uint64(len(b.Events))
		c.Orders += uint64(len(b.Orders))
		c.Tickets += uint64(len(b.Tickets))
	}
}
