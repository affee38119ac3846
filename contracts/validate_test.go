package contracts_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
)

func day(m time.Month, d int) calendar.Date { return calendar.MakeDate(2026, m, d) }

func contract() contracts.Contract {
	return contracts.Contract{ID: "c", Merchant: "m", Title: "客服外包", Versions: []contracts.Version{
		{
			Number: 1, Dates: calendar.Dates{From: day(1, 1), Until: day(7, 1)}, Shops: []ids.Shop{"s"}, TaxRate: 6 * money.Percent,
			Seats: []contracts.Seat{{Shop: "s", Skill: "pre", Window: "09:00-24:00", Count: 2}},
			Terms: []contracts.Term{{
				ID: "t", Metric: "answered_within", Within: "30s", Direction: contracts.AtLeast, Target: 0.9,
				Ladder: []contracts.Step{{Miss: 0, Deduct: 2 * money.Percent}, {Miss: 0.05, Deduct: 5 * money.Percent}},
			}},
			Prices: []contracts.Price{{ID: "p", Title: "坐席", Base: contracts.PerSeatMonth, Amount: money.Yuan(3500)}},
		},
		{Number: 2, Dates: calendar.Dates{From: day(7, 1)}, Shops: []ids.Shop{"s"}},
	}}
}

func fields(t *testing.T, err error) map[string]string {
	t.Helper()
	e, ok := errors.AsType[*fault.Error](err)
	require.True(t, ok, "%v", err)
	out := map[string]string{}
	for _, f := range e.Fields {
		out[f.Path] = f.Problem
	}
	return out
}

func TestContractValid(t *testing.T) { require.NoError(t, contract().Validate()) }

func TestContractBadFields(t *testing.T) {
	cases := []struct {
		name   string
		change func(c *contracts.Contract, v *contracts.Version)
		path   string
	}{
		{"id", func(c *contracts.Contract, _ *contracts.Version) { c.ID = "a b" }, "id"},
		{"merchant", func(c *contracts.Contract, _ *contracts.Version) { c.Merchant = "" }, "merchant"},
		{"title", func(c *contracts.Contract, _ *contracts.Version) { c.Title = "" }, "title"},
		{"no version", func(c *contracts.Contract, _ *contracts.Version) { c.Versions = nil }, "versions"},
		{"number order", func(c *contracts.Contract, _ *contracts.Version) { c.Versions[1].Number = 1 }, "versions[1].number"},
		{"number", func(_ *contracts.Contract, v *contracts.Version) { v.Number = 0 }, "versions[0].number"},
		{"no from", func(_ *contracts.Contract, v *contracts.Version) { v.From = calendar.Date{} }, "versions[0].from"},
		{"ends before it starts", func(_ *contracts.Contract, v *contracts.Version) { v.Until = day(1, 1) }, "versions[0].until"},
		{"grace before start", func(_ *contracts.Contract, v *contracts.Version) { v.NoKPIUntil = calendar.MakeDate(2025, 12, 31) }, "versions[0].no_kpi_until"},
		{"tax", func(_ *contracts.Contract, v *contracts.Version) { v.TaxRate = money.Whole }, "versions[0].tax_rate"},
		{"no shop", func(_ *contracts.Contract, v *contracts.Version) { v.Shops, v.Seats = nil, nil }, "versions[0].shops"},
		{"shop twice", func(_ *contracts.Contract, v *contracts.Version) { v.Shops = []ids.Shop{"s", "s"} }, "versions[0].shops[1]"},
		{"seat shop", func(_ *contracts.Contract, v *contracts.Version) { v.Seats[0].Shop = "x" }, "versions[0].seats[0].shop"},
		{"seat window", func(_ *contracts.Contract, v *contracts.Version) { v.Seats[0].Window = "9-24" }, "versions[0].seats[0].window"},
		{"seat count", func(_ *contracts.Contract, v *contracts.Version) { v.Seats[0].Count = 0 }, "versions[0].seats[0].count"},
		{"term twice", func(_ *contracts.Contract, v *contracts.Version) { v.Terms = append(v.Terms, v.Terms[0]) }, "versions[0].terms[1].id"},
		{"term within", func(_ *contracts.Contract, v *contracts.Version) { v.Terms[0].Within = "30" }, "versions[0].terms[0].within"},
		{"term version", func(_ *contracts.Contract, v *contracts.Version) { v.Terms[0].Version = "v 1" }, "versions[0].terms[0].version"},
		{"term direction", func(_ *contracts.Contract, v *contracts.Version) { v.Terms[0].Direction = "up" }, "versions[0].terms[0].direction"},
		{"term target", func(_ *contracts.Contract, v *contracts.Version) { v.Terms[0].Target = math.NaN() }, "versions[0].terms[0].target"},
		{"term skill", func(_ *contracts.Contract, v *contracts.Version) { v.Terms[0].Skill = "mid" }, "versions[0].terms[0].skill"},
		{"ladder order", func(_ *contracts.Contract, v *contracts.Version) { v.Terms[0].Ladder[1].Miss = 0 }, "versions[0].terms[0].ladder[1].miss"},
		{"ladder share", func(_ *contracts.Contract, v *contracts.Version) { v.Terms[0].Ladder[1].Deduct = 2 * money.Whole }, "versions[0].terms[0].ladder[1].deduct"},
		{"price base", func(_ *contracts.Contract, v *contracts.Version) { v.Prices[0].Base = "week" }, "versions[0].prices[0].base"},
		{"price missing", func(_ *contracts.Contract, v *contracts.Version) { v.Prices[0].Amount = 0 }, "versions[0].prices[0].amount"},
		{"price negative", func(_ *contracts.Contract, v *contracts.Version) { v.Prices[0].Amount = -1 }, "versions[0].prices[0].amount"},
		{"rate without sales", func(_ *contracts.Contract, v *contracts.Version) { v.Prices[0].Rate = money.Percent }, "versions[0].prices[0].rate"},
		{"sales without rate", func(_ *contracts.Contract, v *contracts.Version) {
			v.Prices[0] = contracts.Price{ID: "p", Title: "提成", Base: contracts.OfSales}
		}, "versions[0].prices[0].rate"},
		{"amount and tiers", func(_ *contracts.Contract, v *contracts.Version) {
			v.Prices[0].Tiers = []contracts.Tier{{Above: 0, Amount: 90}}
		}, "versions[0].prices[0].amount"},
		{"tiers from 1", func(_ *contracts.Contract, v *contracts.Version) {
			v.Prices[0].Amount, v.Prices[0].Tiers = 0, []contracts.Tier{{Above: 1, Amount: 90}}
		}, "versions[0].prices[0].tiers[0].above"},
		{"tiers order", func(_ *contracts.Contract, v *contracts.Version) {
			v.Prices[0].Amount, v.Prices[0].Tiers = 0, []contracts.Tier{{Above: 0, Amount: 90}, {Above: 0, Amount: 70}}
		}, "versions[0].prices[0].tiers[1].above"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			bad := contract()
			c.change(&bad, &bad.Versions[0])
			require.Contains(t, fields(t, bad.Validate()), c.path)
		})
	}
}

func TestContractOverlapNamesBoth(t *testing.T) {
	c := contract()
	c.Versions[0].Until = day(7, 2)
	err := c.Validate()
	require.Equal(t, "contract.overlap", fault.CodeOf(err))
	for _, want := range []string{"version 1", "version 2", "2026-01-01", "2026-07-02", "2026-07-01"} {
		require.Contains(t, err.Error(), want)
	}
}

// Whatever versions there are, Validate reports an overlap exactly when some day has two.
func TestContractOverlapIsAboutDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c contracts.Contract
		perDay := map[int]int{}
		for i := range rapid.IntRange(1, 5).Draw(t, "versions") {
			from := rapid.IntRange(0, 30).Draw(t, "from")
			until := rapid.IntRange(from+1, 32).Draw(t, "until")
			v := contracts.Version{Number: i + 1, Dates: calendar.Dates{From: day(1, 1).Add(from), Until: day(1, 1).Add(until)}}
			if until == 32 {
				v.Until = calendar.Date{}
			}
			for d := from; d < until; d++ {
				perDay[d]++
			}
			c.Versions = append(c.Versions, v)
		}
		twice := false
		for _, n := range perDay {
			twice = twice || n > 1
		}
		require.Equal(t, twice, fault.CodeOf(c.Validate()) == "contract.overlap") // it is never valid: it has no id
	})
}

func TestMerchant(t *testing.T) {
	m := contracts.Merchant{ID: "m", Name: "鹿米", Shops: []contracts.Shop{{
		ID: "s", Name: "店", Platform: contracts.Tmall,
		Queues: []contracts.Queue{{ID: "q", Skill: "pre", Channel: "chat", Hours: "Mon-Fri 09:00-12:00,13:00-18:00; 周六,周日 10:00-18:00"}},
	}}}
	require.NoError(t, m.Validate())
	m.Shops = append(m.Shops, contracts.Shop{ID: "s", Platform: "ebay", Queues: []contracts.Queue{{ID: "q", Skill: "x", Channel: "fax", Hours: "always"}}})
	got := fields(t, m.Validate())
	for _, path := range []string{"shops[1].id", "shops[1].name", "shops[1].platform", "shops[1].queues[0].id", "shops[1].queues[0].skill", "shops[1].queues[0].channel", "shops[1].queues[0].hours"} {
		require.Contains(t, got, path)
	}
	require.Len(t, got, 7)
}

func TestParseWindow(t *testing.T) {
	for text, want := range map[string]contracts.Window{
		"09:00-24:00": {Start: 9 * time.Hour, End: 24 * time.Hour},
		"0:00-24:00":  {Start: 0, End: 24 * time.Hour},
		"21:00-02:00": {Start: 21 * time.Hour, End: 26 * time.Hour},
	} {
		got, err := contracts.ParseWindow(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"", "9-24", "09:00", "25:00-26:00", "09:60-10:00", "24:00-09:00", "09:0-10:00", "-09:00-10:00"} {
		_, err := contracts.ParseWindow(text)
		require.Error(t, err, text)
	}
	night := contracts.Window{Start: 21 * time.Hour, End: 26 * time.Hour}
	require.True(t, night.Contains(time.Hour))
	require.False(t, night.Contains(2*time.Hour))
	require.True(t, night.Contains(21*time.Hour))
	require.False(t, night.Contains(20*time.Hour))
}

func TestContractJSONRoundTrip(t *testing.T) {
	b, err := json.Marshal(contract())
	require.NoError(t, err)
	require.Contains(t, string(b), `"amount":"3500.00"`)
	require.NotContains(t, string(b), `"texts"`) // what older documents do not say stays unsaid: texts are not kept
	var back contracts.Contract
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, contract(), back)
}
