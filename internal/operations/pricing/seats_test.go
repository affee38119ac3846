package pricing_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/pricing"
)

// Ten seats from 9 to 18 for a handful of contacts. Shared ones raise no queue but where that is asked for; dedicated ones are
// people who serve nothing else, so they stand there whatever the method, under a ceiling.
func TestSeatsOfContracts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		seats     string
		options   pricing.Options
		want      int // heads at noon; 0 = those of the contacts
		bound     string
		dedicated bool
	}{
		{"shared", pricing.Options{}, 0, "", false},
		{"shared", pricing.Options{Seats: pricing.AllSeats}, 10, "seats", false},
		{"dedicated", pricing.Options{}, 10, "seats", true},
		{"dedicated", pricing.Options{Seats: pricing.NoSeats}, 0, "", true},
		{"dedicated", pricing.Options{MaxHeads: 8}, 8, "seats", true},
		{"dedicated", pricing.Options{Method: pricing.MarginMethod}, 10, "margin", true},
	} {
		text := operationstest.MerchantsYAML
		if c.dedicated {
			text = strings.Replace(text, "count: 10}", "count: 10, dedicated: true}", 1)
		}
		h := houseWith(t, text)
		h.forecast(t, "f", pre, today, 1, 20)
		c.options.Level = 0.5
		s := h.scenario(t, asked("s", 1, c.options))
		plan := s.Plans[0]
		heads := headsAt(t, plan, at(today, 12))
		f := pricing.FiguresOf(plan).Seats
		require.NotNil(t, f)
		assert.Equal(t, 36, f.Slots)
		assert.Equal(t, [2]int{f.Shared, f.Dedicated}, map[bool][2]int{false: {10, 0}, true: {0, 10}}[c.dedicated])
		if c.want == 0 {
			assert.Less(t, heads, 10, "%+v", c)
			assert.Equal(t, 36, f.Below)
		} else {
			assert.Equal(t, c.want, heads, "%+v", c)
			assert.GreaterOrEqual(t, s.Price.Total.HeadHours, 9*float64(c.want))
		}
		assert.Zero(t, s.Price.Total.Unmet, "a floor misses no target")
		h.Clock = h.Clock.Add(1e9)
		_, err := h.Pricing.PromoteScenario(t.Context(), supervisor, "s", "")
		ok(t, err)
		e, err := h.Pricing.Explain(t.Context(), supervisor, pricing.ExplainInput{Queue: pre, At: at(today, 12)})
		ok(t, err)
		assert.Equal(t, c.bound, e.Rounding.Bound, "%+v", c)
		assert.Equal(t, []pricing.PromisedSeats{{Contract: "lumi-2026", Version: 1, Window: "09:00-18:00", Count: 10, Dedicated: c.dedicated}}, e.Rounding.Seats)
	}
	h := newHouse(t)
	_, err := h.Pricing.MakeScenario(t.Context(), planner, asked("bad", 1, pricing.Options{Seats: "some"}))
	assert.Equal(t, "seats", refused(t, err, "scenario.input").Fields[0].Path)
	never := 0.0
	_, err = h.Pricing.MakeScenario(t.Context(), planner, asked("bad", 1, pricing.Options{People: &pricing.People{Adherence: &never}}))
	assert.Equal(t, "people.adherence", refused(t, err, "scenario.input").Fields[0].Path, "0 was said; it is not the same as nothing")
}
