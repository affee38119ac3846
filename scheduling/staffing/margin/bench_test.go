package margin_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/staffing/margin"
)

var shanghai = time.FixedZone("CST", 8*3600)

// fortnight is a Double 11 fortnight: queues open from 09:00 to 24:00, a normal day with two humps, the
// opening at 20:00 on Oct 31 and Nov 10, the day itself, and the ebb. Volumes are spread so that about heads
// people are needed at the largest peak.
func fortnight(queues int) margin.Input {
	in := margin.Input{
		From: calendar.Date{Year: 2026, Month: 10, Day: 31}, Until: calendar.Date{Year: 2026, Month: 11, Day: 14},
		Seed: 11, Scenarios: 400, MaxHeads: 500, BlockHours: []float64{4, 8},
		Wage: margin.Wage{HourYuan: 26, NightWindow: "22:00-06:00", NightYuan: 5, Shrinkage: 0.12, RegularHours: 3600},
		Days: []margin.Day{{Date: calendar.Date{Year: 2026, Month: 11, Day: 1}, Kind: margin.RestDay}, {Date: calendar.Date{Year: 2026, Month: 11, Day: 7}, Kind: margin.RestDay}},
	}
	for i := range queues {
		in.Queues = append(in.Queues, shop(in, i))
	}
	return in
}

func shop(in margin.Input, i int) margin.Queue {
	size := 20 + 130/float64(1+i) // contacts in a busy quarter of an hour of a normal day
	q := margin.Queue{
		Queue: ids.Queue(fmt.Sprintf("shop-%02d/pre", i)),
		Handling: margin.Handling{
			Model: margin.Chats, HandleTimeS: 240 + 15*float64(i%5), PatienceS: 180,
			Concurrency: 3 + i%3, Overhead: 0.3, Rounds: 8, Slowdown: 0.03,
		},
		MinHeads: 1,
		Prices:   margin.Prices{FeeYuan: 1000 * size, PerContactYuan: 1.2},
		Commission: &margin.Commission{
			Rate: 0.015, BasketYuan: 150, Conversion: 0.25, ReferenceS: 30, FastestS: 15, Elasticity: 0.12,
		},
		Terms: []margin.Term{
			{ID: "first-30s", Metric: margin.FirstWithin, WithinS: 30, Target: 0.85, Period: margin.Average, Ladder: []margin.Step{
				{Miss: 0, DeductRate: 0.1}, {Miss: 0.05, DeductRate: 0.2}, {Miss: 0.1, DeductRate: 0.35},
			}},
			{ID: "day-60s", Metric: margin.FirstWithin, WithinS: 60, Target: 0.8, Period: margin.Daily, Ladder: []margin.Step{
				{Miss: 0, DeductRate: 0.01}, {Miss: 0.1, DeductRate: 0.04},
			}, CapYuan: 300 * size, Event: &margin.Event{
				From: calendar.Date{Year: 2026, Month: 11, Day: 10}, Until: calendar.Date{Year: 2026, Month: 11, Day: 13}, Multiplier: 3,
			}},
		},
		Demand: margin.Demand{Levels: []float64{0.1, 0.5, 0.9}},
	}
	if i%4 == 0 {
		q.Terms = append(q.Terms, margin.Term{
			ID: "bad-days", Metric: margin.Abandoned, Target: 0.1, Period: margin.Run, RunDays: 3, Ladder: []margin.Step{{Miss: 0, DeductRate: 0.2}},
		})
	}
	for t := in.From.In(shanghai).Add(9 * time.Hour); t.Before(in.Until.In(shanghai)); t = t.Add(15 * time.Minute) {
		hour := float64(t.Hour()) + float64(t.Minute())/60
		if hour < 9 {
			continue
		}
		day := calendar.DateOf(t, shanghai).Sub(in.From)
		noon, evening := (hour-13)/2, (hour-20.5)/2
		mean := size * (0.35 + 0.5*math.Exp(-noon*noon) + 0.65*math.Exp(-evening*evening))
		mean *= []float64{1.6, 1.8, 1.2, 1, 1, 1.1, 1, 1, 1.2, 1.4, 2, 3.2, 1.6, 1.1}[day]
		if (day == 0 || day == 10) && hour >= 20 {
			mean *= 1 + 2*math.Exp(-(hour-20)/0.7)
		}
		spread := 0.2
		if day == 0 || day >= 10 && day <= 12 {
			spread = 0.35
		}
		q.Demand.Slots = append(q.Demand.Slots, margin.Slot{Start: t, Mean: mean, Quantiles: []float64{mean * (1 - spread), mean, mean * (1 + 1.3*spread)}})
	}
	return q
}

// BenchmarkStaffingMarginFortnight is the bar of the margin-optimal plan: 20 merchants, 500 agents, 14 days of
// quarter hours within 60 s on 2 cores and below 1 GB.
func BenchmarkStaffingMarginFortnight(b *testing.B) {
	runtime.GOMAXPROCS(2)
	in := fortnight(20)
	for b.Loop() {
		var peak uint64
		ctx, stop := context.WithCancel(context.Background())
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			var s runtime.MemStats
			for ctx.Err() == nil {
				runtime.ReadMemStats(&s)
				peak = max(peak, s.Sys)
				time.Sleep(50 * time.Millisecond)
			}
		}()
		start := time.Now()
		m, err := margin.New(ctx, in)
		require.NoError(b, err)
		ready := time.Since(start)
		r, err := m.Optimise(ctx)
		require.NoError(b, err)
		whole := time.Since(start)
		stop()
		<-watched
		most := 0
		total := map[time.Time]int{}
		for i, q := range r.Plan.Queues {
			for j, h := range q.Heads {
				at := in.Queues[i].Demand.Slots[j].Start
				total[at] += h
				most = max(most, total[at])
			}
		}
		o := r.Outcome
		b.ReportMetric(whole.Seconds(), "s/plan")
		b.ReportMetric(float64(peak)/1e6, "MB")
		b.Logf("plan in %.1f s, of it %.1f s tables and scenarios (bar 60 s on 2 cores); %.0f MB (bar 1000 MB)", whole.Seconds(), ready.Seconds(), float64(peak)/1e6)
		b.Logf("margin %.0f yuan (revenue %.0f, penalty %.0f, wage %.0f of it overtime %.0f); bound %.0f, gap %.2f %% of revenue; %.0f head hours, at most %d heads",
			o.Margin.Mean, o.Revenue.Mean, o.Penalty.Mean, o.WageYuan, o.OvertimeYuan, r.BoundYuan, 100*r.GapYuan/o.Revenue.Mean, o.HeadHours, most)
	}
}
