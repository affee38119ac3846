package measuring_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// Buyer b1 asks on 1 June and pays on 3 June: on 2 June 0 of 1, on 4 June 1 of 1, final on 5 June
// (closing days 1+3 are over). A second inquiry of 1 June that comes on 8 June makes it 1 of 2, which
// is an amendment.
func TestConversionGoesFromProvisionalToFinal(t *testing.T) {
	t.Parallel()
	s := stackOn(t, enginetest.Start(t), operationstest.Definitions(t, "tmall"))
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	run := func(day string) {
		t.Helper()
		s.Clock = at(day, "06:45:00")
		_, err := s.Measuring.CloseConversions(t.Context(), admin, s.Clock)
		ok(t, err)
	}
	states := func(metric kpi.Metric) (out []string) {
		t.Helper()
		all, _, err := s.Measuring.Conversions(t.Context(), clientLumi, operations.ConversionFilter{
			Metric: metric, Dates: calendar.Dates{From: date("2026-06-01"), Until: date("2026-06-02")},
		}, operations.Page{})
		ok(t, err)
		for _, c := range all {
			out = append(out, string(c.State)+" "+c.AsOf.String()[8:]+" "+rate(c))
		}
		return out
	}
	_, _, err := s.Measuring.Conversions(t.Context(), clientLumi, operations.ConversionFilter{Metric: "misspelt"}, operations.Page{})
	assert.Equal(t, "kpi.metric.unknown", fault.CodeOf(err), "an empty list would read as: nothing happened")
	s.Ingest(t, warehouse.Batch{ID: "o1", Orders: []chatlog.OrderEvent{order(chatlog.Inquiry, "b1", "c1", "2026-06-01", "10:00:00")}})
	run("2026-06-02")
	assert.Equal(t, []string{"provisional 02 0/1"}, states("tmall.inquiry_conversion_final"))
	assert.Equal(t, []string{"final 02 0/1"}, states("tmall.inquiry_conversion_same_day"), "the same day is over")
	s.Ingest(t, warehouse.Batch{ID: "o2", Orders: []chatlog.OrderEvent{order(chatlog.Paid, "b1", "p1", "2026-06-03", "10:00:00")}})
	run("2026-06-04")
	run("2026-06-04") // again: nothing new
	run("2026-06-05")
	run("2026-06-06")
	assert.Equal(t, []string{"final 05 1/1", "provisional 04 1/1", "provisional 02 0/1"}, states("tmall.inquiry_conversion_final"))
	s.Ingest(t, warehouse.Batch{ID: "o3", Orders: []chatlog.OrderEvent{order(chatlog.Inquiry, "b2", "c2", "2026-06-01", "11:00:00")}})
	run("2026-06-09")
	assert.Equal(t, "amended 09 1/2", states("tmall.inquiry_conversion_final")[0])
	assert.Len(t, states("tmall.inquiry_conversion_final"), 4, "nothing is replaced")
	others, _, err := s.Measuring.Conversions(t.Context(), clientOrca, operations.ConversionFilter{}, operations.Page{})
	ok(t, err)
	assert.Empty(t, others)
}

func order(kind chatlog.OrderKind, buyer, id, day, clock string) chatlog.OrderEvent {
	return chatlog.OrderEvent{
		Merchant: "lumi", Shop: "lumi-tmall", Queue: "lumi-tmall/pre", Agent: "1001", Buyer: buyer, Order: id, Kind: kind, At: at(day, clock), Amount: 10000,
	}
}

func rate(c store.Conversion) string {
	return string(rune('0'+int(c.Numerator))) + "/" + string(rune('0'+int(c.Denominator)))
}
