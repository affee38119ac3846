package margin_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/staffing/margin"
)

func TestExperiment(t *testing.T) {
	for _, name := range []string{"all", "noblocks", "noblocks-avg", "avg", "noblocks-day", "noblocks-nocap", "noblocks-run"} {
		in := fortnight(4)
		in.MaxHeads = 0
		in.Wage.RegularHours = 0
		if name != "all" && name != "avg" {
			in.BlockHours = nil
		}
		for i := range in.Queues {
			q := &in.Queues[i]
			switch name {
			case "noblocks-avg", "avg":
				q.Terms = q.Terms[:1]
			case "noblocks-day":
				q.Terms = q.Terms[1:2]
			case "noblocks-nocap":
				q.Terms = q.Terms[1:2]
				q.Terms[0].CapYuan = 0
			case "noblocks-run":
				q.Terms = q.Terms[:2]
			}
		}
		start := time.Now()
		m, err := margin.New(context.Background(), in)
		require.NoError(t, err)
		r, err := m.Optimise(context.Background())
		require.NoError(t, err)
		o := r.Outcome
		t.Logf("%s %.1fs: margin %.0f rev %.0f pen %.0f wage %.0f bound %.0f gap %.2f%%", name, time.Since(start).Seconds(), o.Margin.Mean, o.Revenue.Mean, o.Penalty.Mean, o.WageYuan, r.BoundYuan, 100*r.GapYuan/o.Revenue.Mean)
		for _, q := range o.Queues {
			t.Logf("   %s margin %.0f", q.Queue, q.Margin.Mean)
			for _, x := range q.Terms {
				t.Logf("      %s share %.3f (%.3f-%.3f) pen %.0f steps %.2f", x.ID, x.Share.Mean, x.Share.P5, x.Share.P95, x.Penalty.Mean, x.Steps)
			}
		}
	}
}
