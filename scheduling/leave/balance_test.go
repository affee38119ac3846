package leave_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/leave"
)

func errCode(err error) string { return fault.CodeOf(err) }

// 职工带薪年休假条例 §3.
func TestAnnualDays(t *testing.T) {
	for years, want := range map[int]int{0: 0, 1: 5, 9: 5, 10: 10, 19: 10, 20: 15, 45: 15} {
		assert.Equal(t, want, leave.AnnualDays(years), "%d years", years)
	}
}

func TestAnnualGrant(t *testing.T) {
	open := func(from string) calendar.Dates { return calendar.Dates{From: date(from)} }
	for _, c := range []struct {
		name     string
		career   string
		employed calendar.Dates
		want     int
	}{
		{"five whole years", "2021-03-01", open("2021-03-01"), 5},
		{"the tenth year ends in the year", "2016-12-31", open("2020-01-01"), 10},
		{"the tenth year ends after it", "2017-01-02", open("2020-01-01"), 5},
		{"twenty years", "2000-06-01", open("2020-01-01"), 15},
		{"began this year anywhere", "2026-02-01", open("2026-02-01"), 0},
		// The first full year is reached on 1 July: 184 of 365 days of 5 are 2.52.
		{"first year reached in July", "2025-07-01", open("2025-07-01"), 2},
		// Joined on 1 July with 16 years of work: 184/365 of 10 are 5.04 (实施办法 §5).
		{"joined in July", "2010-01-01", open("2026-07-01"), 5},
		// Leaves on 1 April: 90/365 of 10 are 2.47 (实施办法 §12).
		{"leaves in April", "2010-01-01", dates("2020-01-01", "2026-04-01"), 2},
		{"left before", "2010-01-01", dates("2020-01-01", "2025-12-01"), 0},
		{"29 February", "2024-02-29", open("2024-02-29"), 5},
	} {
		assert.Equal(t, c.want, leave.AnnualGrant(2026, date(c.career), c.employed), c.name)
	}
	assert.Equal(t, 5, leave.AnnualGrant(2026, calendar.Date{}, open("2021-03-01")), "without a career the employment counts")
}

func grant(lot, good, until string, minutes int) leave.Entry {
	e := leave.Entry{Agent: "a", Kind: leave.Annual, Lot: lot, Good: date(good), Minutes: minutes, Cause: leave.Granted, On: date(good)}
	if until != "" {
		e.Until = date(until)
	}
	return e
}

// Two years of leave: what is left of 2025 lapses in April and goes first.
func TestCarriedLeaveGoesFirst(t *testing.T) {
	ledger := []leave.Entry{grant("2026", "2026-01-01", "2027-04-01", 2400), grant("2025", "2025-01-01", "2026-04-01", 960)}
	b := leave.BalanceOf(ledger, "a", leave.Annual, date("2026-03-01"))
	assert.Equal(t, 3360, b.Available)
	taken, err := leave.TakeFrom(ledger, "a", leave.Annual, []leave.Charge{{date("2026-04-01"), 480}, {date("2026-03-31"), 480}, {date("2026-03-30"), 720}})
	require.NoError(t, err)
	type part struct {
		lot     string
		on      string
		minutes int
	}
	var got []part
	for _, e := range taken {
		got = append(got, part{e.Lot, e.On.String(), e.Minutes})
		assert.Equal(t, leave.Taken, e.Cause)
	}
	assert.Equal(t, []part{{"2025", "2026-03-30", -720}, {"2025", "2026-03-31", -240}, {"2026", "2026-03-31", -240}, {"2026", "2026-04-01", -480}}, got)
	assert.Zero(t, leave.BalanceOf(ledger, "b", leave.Annual, date("2026-03-01")).Available, "another's")
	assert.Zero(t, leave.BalanceOf(ledger, "a", leave.Compensatory, date("2026-03-01")).Available, "another kind")

	late := leave.BalanceOf(ledger, "a", leave.Annual, date("2026-04-01"))
	assert.Equal(t, 2400, late.Available)
	assert.Equal(t, 960, late.Lapsed, "the house owes it")
	_, err = leave.TakeFrom(ledger, "a", leave.Annual, []leave.Charge{{date("2026-05-01"), 2400}, {date("2026-05-02"), 1}})
	codeIs(t, err, "leave.balance")
	assert.Contains(t, err.Error(), "2026-05-02")
	_, err = leave.TakeFrom(ledger, "a", leave.Annual, []leave.Charge{{date("2024-12-31"), 1}})
	codeIs(t, err, "leave.balance")
}

// Whatever is granted, taken and given back in whatever order: no lot is ever below zero, what is
// given back is what was taken, and the sum of the rows is the balance.
func TestLedgerIsNeverBelowZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ledger []leave.Entry
		start := date("2026-01-01")
		day := func(label string) calendar.Date { return start.Add(rapid.IntRange(0, 60).Draw(t, label)) }
		held := map[ids.Request]int{}
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			id := ids.Request(string(rune('A' + i)))
			switch rapid.IntRange(0, 2).Draw(t, "do") {
			case 0:
				good := day("good")
				ledger = append(ledger, grant(string(id), good.String(), good.Add(rapid.IntRange(1, 40).Draw(t, "lasts")).String(), rapid.IntRange(0, 600).Draw(t, "minutes")))
			case 1:
				var charges []leave.Charge
				sum := 0
				for range rapid.IntRange(1, 4).Draw(t, "days") {
					c := leave.Charge{Date: day("day"), Minutes: rapid.IntRange(1, 480).Draw(t, "charge")}
					charges, sum = append(charges, c), sum+c.Minutes
				}
				rows, err := leave.TakeFrom(ledger, "a", leave.Annual, charges)
				if err != nil {
					require.Nil(t, rows)
					continue
				}
				for _, r := range rows {
					sum += r.Minutes
					require.False(t, r.On.Before(r.Good))
					require.True(t, r.On.Before(r.Until))
					r.Request = id
					ledger = append(ledger, r)
				}
				require.Zero(t, sum, "exactly what was asked is taken")
				held[id] = 1
			case 2:
				for id := range held {
					back := leave.GiveBack(ledger, id)
					for i := range back {
						back[i].Request = id
					}
					ledger = append(ledger, back...)
					require.Empty(t, leave.GiveBack(ledger, id), "nothing is given back twice")
					delete(held, id)
					break
				}
			}
			b := leave.BalanceOf(ledger, "a", leave.Annual, day("on"))
			total := 0
			for _, l := range b.Lots {
				require.GreaterOrEqual(t, l.Left, 0)
				require.Equal(t, l.Given-l.Taken, l.Left)
				total += l.Left
			}
			for _, e := range ledger {
				total -= e.Minutes
			}
			require.Zero(t, total)
		}
	})
}

// TakeFrom pays whenever some choice of lots can: compared with trying every choice.
func TestTakeFromIsComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := date("2026-01-01")
		var ledger []leave.Entry
		for i := range rapid.IntRange(1, 4).Draw(t, "lots") {
			good := rapid.IntRange(0, 4).Draw(t, "good")
			until := start.Add(good + rapid.IntRange(1, 4).Draw(t, "lasts"))
			ledger = append(ledger, grant(string(rune('A'+i)), start.Add(good).String(), until.String(), 1))
		}
		var charges []leave.Charge
		for range rapid.IntRange(1, 4).Draw(t, "days") {
			charges = append(charges, leave.Charge{Date: start.Add(rapid.IntRange(0, 7).Draw(t, "day")), Minutes: 1})
		}
		_, err := leave.TakeFrom(ledger, "a", leave.Annual, charges)
		require.Equal(t, payable(ledger, charges), err == nil)
	})
}

// payable tries every lot of one minute for the first charge, and so on.
func payable(lots []leave.Entry, charges []leave.Charge) bool {
	if len(charges) == 0 {
		return true
	}
	for i, l := range lots {
		if charges[0].Date.Before(l.Good) || !charges[0].Date.Before(l.Until) {
			continue
		}
		rest := append(append([]leave.Entry{}, lots[:i]...), lots[i+1:]...)
		if payable(rest, charges[1:]) {
			return true
		}
	}
	return false
}

func TestPolicy(t *testing.T) {
	require.NoError(t, leave.DefaultPolicy().Validate())
	p := leave.DefaultPolicy()
	p.DayMinutes, p.AutoYuan, p.OfferTo = 0, -1, 0
	p.Kinds = append(p.Kinds, leave.KindRule{Kind: "moon", MostDays: -1, Notice: 400}, p.Kinds[0])
	p.Quotas = []leave.Quota{{Heads: -1, Dates: dates("2026-01-02", "2026-01-02")}}
	p.Closures = []leave.Closure{{Phases: []string{"wave"}}, {Name: "x", Promotion: "618", Dates: dates("2026-01-01", "2026-01-02")}}
	err := p.Validate()
	codeIs(t, err, "leave.policy")
	var paths []string
	for _, f := range fault.Of(err).Fields {
		paths = append(paths, f.Path)
	}
	assert.ElementsMatch(t, []string{
		"day_minutes", "auto_yuan", "offer_to", "kinds[9].kind", "kinds[9].most_days", "kinds[9].notice", "kinds[10].kind",
		"quotas[0].name", "quotas[0].heads", "quotas[0].dates", "closures[0].name", "closures[0].dates", "closures[0].phases", "closures[1].dates",
	}, paths)
}

func TestClosuresOfPromotions(t *testing.T) {
	p := leave.Policy{Closures: []leave.Closure{
		{Name: "inventory", Dates: dates("2026-12-31", "2027-01-01")},
		{Name: "waves", Promotion: "double11", Phases: []string{"wave"}},
		{Name: "all of 618", Promotion: "618"},
		{Name: "unknown", Promotion: "double12"},
	}}
	got := p.Resolve([]leave.PromotionDays{
		{Family: "double11", Dates: dates("2026-10-20", "2026-11-15")},
		{Family: "double11", Phase: "wave", Dates: dates("2026-10-31", "2026-11-04")},
		{Family: "double11", Phase: "wave", Dates: dates("2026-11-10", "2026-11-12")},
		{Family: "double11", Phase: "warmup", Dates: dates("2026-10-20", "2026-10-31")},
		{Family: "618", Dates: dates("2026-06-01", "2026-06-21")},
	})
	var days []calendar.Dates
	for _, c := range got {
		days = append(days, c.Dates)
	}
	assert.Equal(t, []calendar.Dates{
		dates("2026-12-31", "2027-01-01"), dates("2026-10-31", "2026-11-04"), dates("2026-11-10", "2026-11-12"), dates("2026-06-01", "2026-06-21"),
	}, days)
}
