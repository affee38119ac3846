package pool_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/pool"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

func TestEveryBadFieldIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(p *pool.Problem, o *pool.Options)
		paths []string
	}{
		"nothing": {func(p *pool.Problem, _ *pool.Options) { *p = pool.Problem{} }, []string{"queues", "groups"}},
		"no points": {func(p *pool.Problem, _ *pool.Options) {
			p.Queues = p.Queues[:1]
			p.Queues[0].Curve.Points = nil
			p.Groups = p.Groups[:1]
		}, []string{"queues"}},
		"two names": {func(p *pool.Problem, _ *pool.Options) {
			p.Queues[1].Curve.Queue = "a"
			p.Groups[1].ID = "ga"
			p.Groups[1].Skills = []ids.Queue{"a"}
		}, []string{"groups[1].id", "queues[1].curve.queue"}},
		"unknown skill": {func(p *pool.Problem, _ *pool.Options) { p.Groups[0].Skills = append(p.Groups[0].Skills, "x", "a") }, []string{"groups[0].skills[1]", "groups[0].skills[2]"}},
		"no skill":      {func(p *pool.Problem, _ *pool.Options) { p.Groups[1].Skills = nil }, []string{"groups[1].skills", "queues[1]"}},
		"limits": {func(p *pool.Problem, _ *pool.Options) {
			p.Groups[0].Limit, p.Groups[0].MaxShops, p.Groups[0].Max = 0, -1, -1
		}, []string{"groups[0].limit", "groups[0].max_shops", "groups[0].max"}},
		"money": {func(p *pool.Problem, _ *pool.Options) { p.Groups[0].Cost, p.Groups[1].Cost = math.NaN(), 0 }, []string{"groups[0].cost", "groups[1].cost"}},
		"occupancy": {func(p *pool.Problem, _ *pool.Options) {
			p.Groups[0].OccupancyCap, p.Queues[0].Target.OccupancyCap = 1.2, 0.8
		}, []string{"queues[0].target.occupancy_cap", "groups[0].occupancy_cap"}},
		"target above 100 %":  {func(p *pool.Problem, _ *pool.Options) { p.Queues[0].Target.Share = 1.01 }, []string{"queues[0].target.share"}},
		"target not a number": {func(p *pool.Problem, _ *pool.Options) { p.Queues[0].Target.Share = math.NaN() }, []string{"queues[0].target.share"}},
		"zero handle time":    {func(p *pool.Problem, _ *pool.Options) { p.Queues[0].Target.HandleTime = 0 }, []string{"queues[0].curve.points[0].handle_time", "queues[0].target.handle_time"}},
		"negative volume":     {func(p *pool.Problem, _ *pool.Options) { p.Queues[0].Curve.Points[1].Mean = -1 }, []string{"queues[0].curve.points[1].mean"}},
		"calls at limit 3":    {func(p *pool.Problem, _ *pool.Options) { p.Queues[0].Target.Concurrency = 1 }, []string{"groups[0].skills[0]"}},
		"overflow to its own": {func(p *pool.Problem, _ *pool.Options) { p.Queues[0].Overflow = []string{"ga", "nobody"} }, []string{"queues[0].overflow[0]", "queues[0].overflow[1]"}},
		"seats":               {func(p *pool.Problem, _ *pool.Options) { p.Queues[0].Seats = []pool.Seat{{Count: -1}} }, []string{"queues[0].seats[0].count", "queues[0].seats[0].range"}},
		"windows":             {func(p *pool.Problem, _ *pool.Options) { p.Groups[0].Available = []pool.Window{{Max: -1}} }, []string{"groups[0].available[0].max", "groups[0].available[0].range"}},
		"rushes": {func(p *pool.Problem, _ *pool.Options) {
			p.Queues[0].Rushes = []staffing.Rush{{At: noon.Add(-time.Hour), Share: 2}}
		}, []string{"queues[0].rushes[0].at", "queues[0].rushes[0].share", "queues[0].rushes[0].decay"}},
		"two slots": {func(p *pool.Problem, _ *pool.Options) { p.Queues[1].Curve.Slot = 30 * time.Minute }, []string{"queues[1].curve.slot"}},
		"off the grid": {func(p *pool.Problem, _ *pool.Options) {
			p.Queues[1].Curve.Points[1].Start = noon.Add(time.Hour + time.Minute)
		}, []string{"queues[1].curve.points[1].start"}},
		"too long": {func(p *pool.Problem, _ *pool.Options) { p.Queues[1].Curve.Points[1].Start = noon.Add(1344 * time.Hour) }, []string{"queues"}},
		"conduct": {func(p *pool.Problem, _ *pool.Options) {
			p.Queues[0].Conduct = &simulate.Queue{Transfer: 0.1, TransferTo: 0, Silent: 2}
		}, []string{"queues[0].conduct.work.mean", "queues[0].conduct.transfer", "queues[0].conduct (as queues[0].silent)", "queues[0].conduct (as queues[0].transfer_to)"}},
		"too many dedicated": {func(p *pool.Problem, _ *pool.Options) {
			p.Groups[0].Max = 2
			p.Queues[0].Seats = []pool.Seat{seat(3, true)}
		}, []string{"queues[0].seats"}},
		"too many promised": {func(p *pool.Problem, _ *pool.Options) {
			p.Groups[0].Max = 2
			p.Queues[0].Seats = []pool.Seat{seat(3, false)}
		}, []string{"queues[0].seats"}},
		"options": {func(_ *pool.Problem, o *pool.Options) {
			o.Replications, o.Verify, o.Steps, o.Tolerance = -1, 1, 20_000, 1
		}, []string{"options.replications", "options.steps", "options.replications", "options.tolerance"}},
		"first of both": {func(p *pool.Problem, o *pool.Options) { o.Steps = -1; p.Groups[0].Cost = -2 }, []string{"groups[0].cost"}},
	} {
		p := pool.Problem{
			Queues: []pool.Queue{chats("a", time.Hour, 10, 10), chats("b", time.Hour, 10, 10)},
			Groups: []pool.Group{group("ga", "a"), group("gb", "b")},
		}
		var o pool.Options
		c.spoil(&p, &o)
		_, err := pool.Solve(t.Context(), p, o)
		require.Error(t, err, name)
		assert.Equal(t, "staffing.pool", fault.CodeOf(err), name)
		var paths []string
		for _, f := range fault.Of(err).Fields {
			paths = append(paths, f.Path)
		}
		assert.ElementsMatch(t, c.paths, paths, name)
	}
}

// Ten seconds of writing on average: exp(-3) of replies of a free agent take longer than 30 s.
func TestAGoalBeyondEveryNumberOfAgentsIsRefused(t *testing.T) {
	p := pool.Problem{Queues: []pool.Queue{chats("a", time.Hour, 10)}, Groups: []pool.Group{group("g", "a")}}
	p.Queues[0].Target.Share = 1 - math.Exp(-3) + 0.001
	_, err := pool.Solve(t.Context(), p, quick)
	assert.Equal(t, "staffing.unreachable", fault.CodeOf(err))
	assert.ErrorContains(t, err, "queues[0].target")
	assert.ErrorContains(t, err, "even a free agent reaches 95.0 %")
}

// Zero volume is legal and needs nobody, unless somebody is promised.
func TestNoContactsNeedNobody(t *testing.T) {
	p := pool.Problem{Queues: []pool.Queue{chats("a", time.Hour, 0, 0, 0)}, Groups: []pool.Group{group("g", "a")}}
	plan := solve(t, p, quick)
	assert.Zero(t, plan.Pool.Hours)
	assert.True(t, plan.Verified)
	p.Queues[0].Seats = []pool.Seat{{Range: calendar.Range{Start: noon, End: noon.Add(2 * time.Hour)}, Count: 2}}
	plan = solve(t, p, quick)
	assert.InDelta(t, 4, plan.Pool.Hours, 1e-9)
}
