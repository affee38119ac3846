package planning_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// shopOrders are five months of orders up to today, about sixty a day and three times as many in five days
// of 618 last month; one in ten asks where the parcel is two days later, one in twenty returns it after ten.
func shopOrders() (b warehouse.Batch) {
	rng := rand.New(rand.NewPCG(7, 8))
	number := 0
	for d := today.Add(-150); d.Before(today); d = d.Add(1) {
		orders := 50 + rng.IntN(20)
		if n := today.Sub(d); n > 20 && n <= 25 {
			orders *= 3
		}
		for range orders {
			number++
			paid := d.In(shanghai).Add(time.Duration(8+rng.IntN(14)) * time.Hour).UTC()
			o := chatlog.OrderEvent{Merchant: "lumi", Shop: "lumi-tmall", Buyer: fmt.Sprint("b", number), Order: fmt.Sprint("o", number), Kind: chatlog.Paid, At: paid}
			b.Orders = append(b.Orders, o)
			for _, k := range []struct {
				tag   string
				share float64
				lag   int
			}{{"催发货", 0.1, 2}, {"退换货", 0.05, 10}} {
				at := paid.AddDate(0, 0, k.lag)
				if rng.Float64() < k.share && calendar.DateOf(at, shanghai).Before(today) {
					b.Tickets = append(b.Tickets, chatlog.Ticket{
						Merchant: "lumi", Shop: "lumi-tmall", Queue: "lumi-tmall/after", ID: fmt.Sprint(k.tag, number), Tag: k.tag, OpenedAt: at,
					})
				}
			}
		}
	}
	return b
}

// Tickets follow the orders that brought them, by tag: a planned sale of 600 orders brings 60 questions two
// days later and 30 returns ten days later.
func TestTicketsFollowOrders(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	ctx := t.Context()
	_, err := s.Planning.AfterSales(ctx, planner, planning.AfterSalesInput{Queue: "lumi-tmall/after"})
	_ = refused(t, err, "forecast.no_orders")
	b := shopOrders()
	s.Ingest(t, warehouse.Batch{Orders: b.Orders})
	_, err = s.Planning.AfterSales(ctx, planner, planning.AfterSalesInput{Queue: "lumi-tmall/after"})
	_ = refused(t, err, "forecast.no_tickets")
	s.Ingest(t, warehouse.Batch{Tickets: b.Tickets})
	ok(t, second(s.Planning.PutPromotions(ctx, planner, []planning.Promotion{promotion(contracts.Tmall, "sale", today.Add(-25).String(), today.Add(-20).String())})))

	in := planning.AfterSalesInput{Merchant: "lumi", Days: 20}
	plain, err := s.Planning.AfterSales(ctx, supervisor, in)
	ok(t, err)
	assert.Equal(t, today, plain.From)
	assert.Equal(t, chatlog.Paid, plain.OrderKind)
	assert.Len(t, plain.Orders, 150+20)
	require.Len(t, plain.Tags, 2)
	byTag := map[string]int{plain.Tags[0].Tag: 0, plain.Tags[1].Tag: 1}
	for tag, want := range map[string]struct {
		mean        float64
		lag, spread int // few returns leave their kernel some of the prior's width
	}{"催发货": {6, 2, 1}, "退换货": {3, 10, 2}} { // of 60 a day
		f := plain.Tags[byTag[tag]]
		k := plain.Kernels[byTag[tag]]
		sum, near := 0.0, 0.0
		for lag, p := range k.Shares {
			if sum += p; lag >= want.lag-want.spread && lag <= want.lag+want.spread {
				near += p
			}
		}
		assert.InEpsilon(t, want.mean/60, sum, 0.1, tag)
		assert.Greater(t, near, 0.7*sum, "%s: %s", tag, k.Says)
		assert.Contains(t, k.Says, fmt.Sprintf("half by D+%d", want.lag))
		total := 0.0
		for _, d := range f.Days {
			total += d.Mean
		}
		assert.InEpsilon(t, 20*want.mean, total, 0.15, tag)
	}
	// The whole of D+2 and D+10 of the days before follows orders that are counted.
	asked := plain.Tags[byTag["催发货"]].Days
	assert.Greater(t, asked[1].Known, 0.8*asked[1].Mean)
	assert.Less(t, asked[5].Known, 0.2*asked[5].Mean)

	for i := range 20 {
		n := 60.0
		if i == 3 {
			n = 660
		}
		in.Plan = append(in.Plan, planning.PlannedOrders{Date: today.Add(i), Orders: n})
	}
	sale, err := s.Planning.AfterSales(ctx, planner, in)
	ok(t, err)
	assert.Equal(t, "plan", sale.Orders[len(sale.Orders)-1].Source)
	for tag, want := range map[string]struct {
		more        float64
		lag, spread int
	}{"催发货": {60, 2, 1}, "退换货": {30, 10, 2}} {
		more := 0.0
		for i := 3 + want.lag - want.spread; i <= 3+want.lag+want.spread; i++ {
			more += sale.Tags[byTag[tag]].Days[i].Mean - plain.Tags[byTag[tag]].Days[i].Mean
		}
		assert.InEpsilon(t, want.more, more, 0.25, tag)
	}
	total := 0.0
	for _, f := range sale.Tags {
		total += f.Days[5].Mean
	}
	assert.InDelta(t, total, sale.Total.Days[5].Mean, 1e-9)

	// From a past day, only what was known then.
	in = planning.AfterSalesInput{Queue: "lumi-tmall/after", From: today.Add(-30), Days: 30}
	then, err := s.Planning.AfterSales(ctx, planner, in)
	ok(t, err)
	for _, d := range then.Orders {
		assert.Equal(t, d.Date.Before(today.Add(-30)), d.Source == "counted", "%s", d.Date)
	}
	in.Queue = "lumi-tmall/pre"
	_, err = s.Planning.AfterSales(ctx, planner, in)
	_ = refused(t, err, "forecast.no_tickets")
}

func TestBadAfterSalesQuestions(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	_, err := s.Planning.AfterSales(t.Context(), planner, planning.AfterSalesInput{
		Days: -1, Kind: "refund", Levels: []float64{0.5, 0.5}, Plan: []planning.PlannedOrders{{Date: today, Orders: -1}, {Date: today}},
	})
	e := refused(t, err, "forecast.aftersales")
	var paths []string
	for _, f := range e.Fields {
		paths = append(paths, f.Path)
	}
	assert.Equal(t, "queue days order_kind plan[0].orders plan[1].day levels[1]", strings.Join(paths, " "))
}
