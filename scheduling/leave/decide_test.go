package leave_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// request is an agent of team t1 who asks for annual leave on Monday 16 November 2026, a week ahead,
// with 40 h in the balance and nothing published.
func request() leave.Case {
	return leave.Case{
		Agent: "a", Site: "hz", Team: "t1", Kind: leave.Annual, Range: calendar.Day(date("2026-11-16"), zone),
		Employed: calendar.Dates{From: date("2020-01-01")}, Entries: []leave.Entry{grant("2026", "2026-01-01", "2027-12-31", 2400)},
		Policy: leave.DefaultPolicy(), Holidays: calendar.NewHolidays("test", []calendar.Holiday{{Date: date("2026-11-18"), Kind: calendar.Statutory}}),
		Zone: zone, Now: at("2026-11-09 10:00"),
	}
}

func TestDecide(t *testing.T) {
	away := func(team ids.Team, agents ...ids.Agent) (out []leave.Absent) {
		for _, a := range agents {
			out = append(out, leave.Absent{Agent: a, Site: "hz", Team: team, Range: calendar.Day(date("2026-11-16"), zone)})
		}
		return out
	}
	quota := func(heads int) func(*leave.Case) {
		return func(c *leave.Case) {
			c.Policy.Quotas = []leave.Quota{{Name: "team", Team: "t1", Heads: heads}, {Name: "house", Heads: 100}, {Name: "others", Team: "t2", Heads: 0}}
		}
	}
	both := func(changes ...func(*leave.Case)) func(*leave.Case) {
		return func(c *leave.Case) {
			for _, f := range changes {
				f(c)
			}
		}
	}
	for _, x := range []struct {
		name   string
		change func(*leave.Case)
		want   leave.Outcome
		codes  []string
	}{
		{"plain", nil, leave.Grant, nil},
		{"quota with room", both(quota(2), func(c *leave.Case) { c.Others = away("t1", "b", "a") }), leave.Grant, nil},
		{"quota full", both(quota(2), func(c *leave.Case) { c.Others = away("t1", "b", "c") }), leave.Ask, []string{"leave.quota"}},
		{"others are of another team", both(quota(2), func(c *leave.Case) { c.Others = away("t2", "b", "c") }), leave.Grant, nil},
		{"one person twice", both(quota(2), func(c *leave.Case) { c.Others = append(away("t1", "b"), away("t1", "b")...) }), leave.Grant, nil},
		{"closed day", func(c *leave.Case) {
			c.Closures = []leave.Closure{{Name: "双11", Dates: dates("2026-11-10", "2026-11-17")}}
		}, leave.Ask, []string{"leave.closed"}},
		{"closed until the day", func(c *leave.Case) {
			c.Closures = []leave.Closure{{Name: "双11", Dates: dates("2026-11-10", "2026-11-16")}}
		}, leave.Grant, nil},
		{"closed elsewhere", func(c *leave.Case) {
			c.Closures = []leave.Closure{{Name: "x", Site: "sh", Dates: dates("2026-11-10", "2026-11-17")}}
		}, leave.Grant, nil},
		{"balance short", func(c *leave.Case) { c.Entries = []leave.Entry{grant("2026", "2026-01-01", "2027-12-31", 479)} }, leave.Reject, []string{"leave.balance"}},
		{"late", func(c *leave.Case) { c.Now = at("2026-11-14 00:00") }, leave.Ask, []string{"leave.notice"}},
		{"three days ahead", func(c *leave.Case) { c.Now = at("2026-11-13 23:59") }, leave.Grant, nil},
		{"overlap", func(c *leave.Case) { c.Own = []calendar.Range{calendar.Day(date("2026-11-16"), zone)} }, leave.Reject, []string{"leave.overlap"}},
		{"left by then", func(c *leave.Case) { c.Employed.Until = date("2026-11-16") }, leave.Reject, []string{"leave.employed"}},
		{"only a Sunday", func(c *leave.Case) { c.Range = calendar.Day(date("2026-11-15"), zone) }, leave.Reject, []string{"leave.nothing"}},
		{"sick without a note", func(c *leave.Case) { c.Kind = leave.Sick }, leave.Ask, []string{"leave.proof"}},
		{"sick in a full team", both(quota(0), func(c *leave.Case) { c.Kind, c.Proof = leave.Sick, "0042" }), leave.Ask, []string{"leave.quota", "leave.approval"}},
		{"bereavement", func(c *leave.Case) { c.Kind = leave.Bereavement }, leave.Ask, []string{"leave.approval"}},
		{"four days off", func(c *leave.Case) {
			c.Kind, c.Range.End = leave.Personal, date("2026-11-21").In(zone)
		}, leave.Ask, []string{"leave.length"}},
		{"no such kind", func(c *leave.Case) { c.Kind = "moon" }, leave.Reject, []string{"leave.kind"}},
	} {
		c := request()
		if x.change != nil {
			x.change(&c)
		}
		d := leave.Decide(c)
		assert.Equal(t, x.want, d.Outcome, "%s: %v", x.name, d.Findings)
		var codes []string
		for _, f := range d.Findings {
			codes = append(codes, f.Code)
			assert.NotEmpty(t, f.Says.ZH)
			assert.NotContains(t, f.Says.ZH+f.Says.EN, "%!", "%s", x.name)
		}
		assert.Equal(t, x.codes, codes, x.name)
	}
}

// A week from Monday to Sunday with a holiday on Wednesday: four days of leave; by a published roster
// its working time; every day for a kind that counts them.
func TestCharges(t *testing.T) {
	c := request()
	c.Range = calendar.Range{Start: date("2026-11-16").In(zone), End: date("2026-11-23").In(zone)}
	sum := func(c leave.Case) (days, minutes int) {
		for _, x := range c.Charges() {
			days, minutes = days+1, minutes+x.Minutes
		}
		return days, minutes
	}
	check := func(name string, c leave.Case, days, minutes int) {
		t.Helper()
		d, m := sum(c)
		assert.Equal(t, []int{days, minutes}, []int{d, m}, name)
	}
	check("official working days", c, 4, 4*480)
	c.Kind = leave.Maternity
	check("calendar days", c, 7, 7*480)
	c.Kind = leave.Annual
	c.Published = []calendar.Range{c.Range}
	c.Shifts = []scheduling.Shift{shift("a", "2026-11-21", 9, 13), shift("a", "2026-11-22", 9, 19), shift("b", "2026-11-16", 9, 18)}
	check("a shift of 4 h and one of 10 h on the weekend", c, 2, 240+480)
	c.Range = hours("2026-11-22", 13, 24)
	check("half of the shift", c, 1, 360)
	noon := shift("a", "2026-11-16", 9, 18)
	meal := scheduling.Activity{Kind: scheduling.Meal, Start: at("2026-11-16 13:00"), End: at("2026-11-16 14:00")}
	noon.Activities = []scheduling.Activity{{Kind: scheduling.Work, Start: noon.Start, End: meal.Start, Queue: queue}, meal, {Kind: scheduling.Work, Start: meal.End, End: noon.End, Queue: queue}}
	c.Shifts, c.Range = []scheduling.Shift{noon}, calendar.Range{Start: at("2026-11-16 09:30"), End: noon.End}
	check("all but the first half hour, which is not asked for", c, 1, 450)
	assert.Empty(t, c.Effect().Add, "half an hour is not worked alone")
	c.Shifts, c.Published, c.Range = nil, nil, hours("2026-11-17", 14, 17)
	check("an afternoon that is not rostered", c, 1, 180)
}

// Two heads are needed and two are there from 9 to 13 (one from 13 to 17): leave in the afternoon
// loses nothing beyond the head, which is already one short.
func TestCoverageLost(t *testing.T) {
	demand := []scheduling.Requirement{needs("2026-11-16", 9, 17, 2, 50)}
	all := []scheduling.Shift{shift("a", "2026-11-16", 9, 17), shift("b", "2026-11-16", 9, 13), shift("c", "2026-11-16", 15, 17), shift("d", "2026-11-16", 15, 17)}
	c := leave.NewCoverage(demand, all, 100)
	lost := func(e leave.Effect) float64 { return c.LostYuan(e, zone) }
	assert.InDelta(t, 4*50+2*50, lost(leave.Effect{Drop: all[:1]}), 1e-9, "a is missed from 9 to 13 and from 13 to 15; from 15 on there are three")
	assert.InDelta(t, 4*50, lost(leave.Effect{Drop: all[1:2]}), 1e-9)
	assert.InDelta(t, 0, lost(leave.Effect{Drop: all[2:3]}), 1e-9)
	assert.InDelta(t, 100, lost(leave.Effect{Drop: all[2:4]}), 1e-9, "one of two may go, not both")
	assert.InDelta(t, -100, lost(leave.Effect{Add: []scheduling.Shift{shift("e", "2026-11-16", 13, 15)}}), 1e-9)
	assert.InDelta(t, 0, lost(leave.Effect{Drop: all[1:2], Add: []scheduling.Shift{shift("e", "2026-11-16", 9, 13)}}), 1e-9)
	half := shift("e", "2026-11-16", 13, 15)
	half.Activities[0].Start = half.Start.Add(90 * time.Minute)
	assert.InDelta(t, -25, lost(leave.Effect{Add: []scheduling.Shift{half}}), 1e-9, "half an hour of a slot")
	assert.True(t, c.Known(date("2026-11-16"), zone))
	assert.False(t, c.Known(date("2026-11-17"), zone))
	assert.InDelta(t, 100, leave.NewCoverage([]scheduling.Requirement{needs("2026-11-16", 9, 10, 1, 0)}, all[:1], 100).LostYuan(leave.Effect{Drop: all[:1]}, zone), 1e-9, "no value: the house's")

	ask := request()
	ask.Shifts, ask.Coverage, ask.Published = all[:1], c, []calendar.Range{calendar.Day(date("2026-11-16"), zone)}
	d := leave.Decide(ask)
	assert.Equal(t, leave.Ask, d.Outcome)
	assert.InDelta(t, 300, *d.LostYuan, 1e-9)
	require.Len(t, d.Days, 1)
	assert.InDelta(t, 300, *d.Days[0].LostYuan, 1e-9)
	assert.True(t, d.Days[0].Known)
	ask.Policy.AutoYuan = 300
	assert.Equal(t, leave.Grant, leave.Decide(ask).Outcome)
}

// Leave in the afternoon keeps the morning; what is left under an hour goes too.
func TestLeaveCutsShifts(t *testing.T) {
	c := request()
	c.Shifts = []scheduling.Shift{shift("a", "2026-11-16", 9, 18)}
	c.Range = hours("2026-11-16", 14, 24)
	e := c.Effect()
	require.Len(t, e.Add, 1)
	assert.Equal(t, hours("2026-11-16", 9, 14), e.Add[0].Range())
	assert.Equal(t, at("2026-11-16 14:00"), e.Add[0].Activities[0].End)
	assert.Equal(t, -4*time.Hour, e.WorkTime())
	c.Range = calendar.Range{Start: at("2026-11-16 09:30"), End: at("2026-11-16 17:00")}
	e = c.Effect()
	require.Len(t, e.Add, 1, "half an hour in the morning goes, the last hour stays")
	assert.Equal(t, hours("2026-11-16", 17, 18), e.Add[0].Range())
	c.Range = hours("2026-11-17", 0, 24)
	assert.True(t, c.Effect().Empty())
}

// A balance that does not reach is told once, in the language of each text, with the sum and the first days.
func TestABalanceThatDoesNotReachIsToldOnce(t *testing.T) {
	c := request()
	c.Range = calendar.Range{Start: date("2026-11-23").In(zone), End: date("2026-11-28").In(zone)} // Monday to Friday: 40 h, of which 8 are there
	c.Entries = []leave.Entry{grant("2026", "2026-01-01", "2027-12-31", 480)}
	d := leave.Decide(c)
	var found []leave.Finding
	for _, f := range d.Findings {
		if f.Code == "leave.balance" {
			found = append(found, f)
		}
	}
	require.Len(t, found, 1)
	assert.Equal(t, "余额不足，共差32小时：2026-11-24 差8小时、2026-11-25 差8小时、2026-11-26 差8小时等4天", found[0].Says.ZH)
	assert.Equal(t, "the balance is 32 h short: 8 h of 2026-11-24, 8 h of 2026-11-25, 8 h of 2026-11-26 and 1 more", found[0].Says.EN)
}

// A province grants more than the 98 days of the nation, to the sites in it; what it grants is the house's to
// enter, never below the nation's.
func TestProvincesGrantMore(t *testing.T) {
	birth := func(site ids.Site, days int) (texts []string) {
		c := request()
		c.Site, c.Kind, c.Proof = site, leave.Maternity, "出生证"
		c.Range.End = c.Range.Start.AddDate(0, 0, days)
		c.Policy.Regions = []leave.Region{
			{Name: "湖北", Sites: []ids.Site{"wh"}, Kind: leave.Maternity, MostDays: 158}, {Name: "湖北", Sites: []ids.Site{"wh"}, Kind: leave.Marriage, MostDays: 15},
		}
		require.NoError(t, c.Policy.Validate())
		for _, f := range leave.Decide(c).Findings {
			texts = append(texts, f.Says.ZH, f.Says.EN)
		}
		return texts
	}
	granted := []string{"依法应予批准（女职工劳动保护特别规定 §7），待主管确认", "the law grants this leave (女职工劳动保护特别规定 §7), a supervisor confirms it"}
	assert.Equal(t, granted, birth("wh", 158))
	assert.Equal(t, []string{"159天，超过产假（湖北）的158天", "159 days, maternity leave (湖北) is for 158"}, birth("wh", 159))
	assert.Equal(t, granted, birth("hz", 98))
	assert.Equal(t, []string{"99天，超过产假的98天", "99 days, maternity leave is for 98"}, birth("hz", 99))

	p := leave.DefaultPolicy()
	p.Regions = []leave.Region{
		{Name: "x", Sites: []ids.Site{"wh"}, Kind: leave.Maternity, MostDays: 97}, {Sites: []ids.Site{"wh"}, Kind: leave.Maternity, MostDays: 128}, {Name: "y", Kind: "nap"},
	}
	p.Kinds[5].MostDays = 90
	require.Equal(t, leave.Maternity, p.Kinds[5].Kind)
	var paths []string
	for _, f := range fault.Of(p.Validate()).Fields {
		paths = append(paths, f.Path)
	}
	assert.Equal(t, []string{"kinds[5].most_days", "regions[0].most_days", "regions[1].name", "regions[1].sites[0]", "regions[2].sites", "regions[2].kind"}, paths)
}

// An agent reads that its leave waits because hands are short, in words and without yuan; what is withheld is left out
// and not told as 0. The supervisor's own copy stays whole.
func TestAnAgentReadsWhyLeaveWaits(t *testing.T) {
	c := request()
	s := shift("a", "2026-11-16", 9, 12)
	c.Shifts, c.Published = []scheduling.Shift{s}, []calendar.Range{{Start: at("2026-11-16 00:00"), End: at("2026-11-23 00:00")}}
	c.Coverage = leave.NewCoverage([]scheduling.Requirement{needs("2026-11-16", 9, 12, 1, 100)}, c.Shifts, 0)
	d := leave.Decide(c)
	require.Equal(t, leave.Ask, d.Outcome)
	require.InDelta(t, 300, *d.LostYuan, 1e-9, "three hours of 100 yuan")
	seen := d.ForAgent()
	require.Len(t, seen.Findings, 1)
	assert.Equal(t, "leave.coverage", seen.Findings[0].Code)
	assert.Equal(t, "这段时间人手紧张，需主管决定", seen.Findings[0].Says.ZH)
	assert.NotContains(t, seen.Findings[0].Says.EN, "yuan")
	raw, err := json.Marshal(seen)
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "yuan")
	assert.Contains(t, d.Findings[0].Says.EN, "300.00 yuan")
	assert.InDelta(t, 300, *d.Days[0].LostYuan, 1e-9)
}

// Child care leave counts by the calendar year, all requests together: eight of ten days are taken.
func TestChildCareLeaveIsOfAYear(t *testing.T) {
	c := request()
	c.Kind, c.Proof, c.Taken = leave.ChildCare, "出生证", map[int]int{2026: 8}
	c.Range = calendar.Range{Start: date("2026-12-30").In(zone), End: date("2027-01-06").In(zone)} // Wed, Thu of 2026; Fri, Mon, Tue of 2027
	within := leave.Decide(c).Findings
	require.Len(t, within, 1)
	require.Equal(t, "leave.approval", within[0].Code)
	c.Taken[2026] = 9
	found := leave.Decide(c).Findings
	require.Len(t, found, 1)
	assert.Equal(t, "2026年已休9天，再休2天，超过育儿假每年10天", found[0].Says.ZH)
	assert.True(t, found[0].Asks, "it is not refused: the house may grant more")
}

// A policy that was kept before the kinds that provinces grant has them all the same.
func TestNobodyLosesWhatTheLawGrants(t *testing.T) {
	old := leave.Policy{Kinds: leave.DefaultKinds()[:5]}.WithLaw()
	var kinds []leave.LeaveKind
	for _, k := range old.Kinds {
		kinds = append(kinds, k.Kind)
	}
	assert.Equal(t, leave.LeaveKinds, kinds)
	own := leave.Policy{Kinds: []leave.KindRule{{Kind: leave.Maternity, MostDays: 200}}}.WithLaw()
	rule, _ := own.RuleOf(leave.Maternity)
	assert.Equal(t, 200, rule.MostDays)
	_, known := own.RuleOf(leave.Personal)
	assert.False(t, known, "what the house grants it may leave out")
}

// Whoever has worked for a year has annual leave (职工带薪年休假条例 §2 §3): a policy without the kind has it all the
// same, as is usual, and tells by name what it does leave out.
func TestAnnualLeaveCannotBeDropped(t *testing.T) {
	for name, kinds := range map[string][]leave.KindRule{"none": {}, "another": {{Kind: leave.Maternity, MostDays: 158}}} {
		p := leave.Policy{Kinds: kinds}.WithLaw()
		rule, known := p.RuleOf(leave.Annual)
		require.True(t, known, name)
		assert.Equal(t, leave.DefaultKinds()[0], rule, name)
		lieu, known := p.RuleOf(leave.Compensatory)
		require.True(t, known, "what was worked for is not taken away: "+name)
		assert.True(t, lieu.Balance, name)
		assert.Equal(t, []leave.LeaveKind{leave.Personal}, p.LeftOut(), name)
	}
	assert.Empty(t, leave.DefaultPolicy().LeftOut())
	kept, err := leave.ReadStored([]byte(`{"kinds": [{"kind": "sick"}]}`))
	require.NoError(t, err)
	_, known := kept.RuleOf(leave.Annual)
	assert.True(t, known, "a house that dropped it before has it again")
}

// Every kind of leave is law or house, and the usual rules agree with it.
func TestEveryKindHasItsLaw(t *testing.T) {
	for _, r := range leave.DefaultKinds() {
		law := leave.LawOf(r.Kind)
		assert.NotEmpty(t, law.Says.ZH, r.Kind)
		assert.NotEmpty(t, law.Says.EN, r.Kind)
		assert.Equal(t, law.Granted, r.Protected, r.Kind)
		if law.Granted {
			assert.False(t, r.Balance, r.Kind)
			assert.Equal(t, law.Article, r.Article, r.Kind)
		}
	}
	assert.Len(t, leave.DefaultKinds(), len(leave.LeaveKinds))
	assert.False(t, leave.LawOf(leave.Personal).Granted)
	assert.Empty(t, leave.LawOf(leave.Personal).Article)
}

// What the law grants cannot be switched off: neither made a matter of balance nor left unprotected.
func TestAPolicyMayNotTakeWhatTheLawGrants(t *testing.T) {
	for _, k := range []leave.LeaveKind{leave.Sick, leave.Marriage, leave.Maternity, leave.Paternity, leave.ChildCare, leave.Bereavement} {
		p := leave.DefaultPolicy()
		i := slices.Index(leave.LeaveKinds, k)
		p.Kinds[i].Protected, p.Kinds[i].Balance = false, true
		err := p.Validate()
		require.Error(t, err, k)
		bad := fault.Of(err).Fields
		require.Len(t, bad, 2, k)
		for j, field := range []string{"protected", "balance"} {
			assert.Equal(t, fmt.Sprintf("kinds[%d].%s", i, field), bad[j].Path)
			assert.Contains(t, bad[j].Problem, p.Kinds[i].Article)
		}
		healed, _ := p.WithLaw().RuleOf(k)
		assert.True(t, healed.Protected, "a policy that was kept so is mended")
		assert.False(t, healed.Balance)
	}
	p := leave.DefaultPolicy()
	p.Kinds[slices.Index(leave.LeaveKinds, leave.Personal)].Balance = true
	assert.NoError(t, p.Validate(), "what the house grants it may bound")
}

// A day of leave is a working day: part-timers work four hours at most (劳动合同法 §68), nobody more than eleven.
func TestADayOfLeaveIsAWorkingDay(t *testing.T) {
	for minutes, good := range map[int]bool{60: false, 239: false, 240: true, 480: true, 660: true, 661: false, 1440: false} {
		p := leave.DefaultPolicy()
		p.DayMinutes = minutes
		assert.Equal(t, good, p.Validate() == nil, minutes)
	}
}

// A rule that leaves fields out has the usual ones, and one that says false means it. What was kept before fields
// that are false were written says false by leaving them out.
func TestWhatARuleLeavesOutStaysUsual(t *testing.T) {
	var p leave.Policy
	require.NoError(t, json.Unmarshal([]byte(`{"kinds": [{"kind": "maternity", "most_days": 158}, {"kind": "annual", "auto": false}]}`), &p))
	require.Len(t, p.Kinds, 2)
	want := leave.DefaultKinds()[slices.Index(leave.LeaveKinds, leave.Maternity)]
	want.MostDays = 158
	assert.Equal(t, want, p.Kinds[0])
	assert.False(t, p.Kinds[1].Auto)
	assert.True(t, p.Kinds[1].Balance)
	raw, err := json.Marshal(p)
	require.NoError(t, err)
	var again leave.Policy
	require.NoError(t, json.Unmarshal(raw, &again))
	assert.Equal(t, p.Kinds, again.Kinds, "what is written is read the same")

	kept, err := leave.ReadStored([]byte(`{"kinds": [{"kind": "annual", "name": {"zh": "年假", "en": "annual"}, "balance": true}, {"kind": "sick", "balance": true}], "day_minutes": 480}`))
	require.NoError(t, err)
	assert.Equal(t, leave.KindRule{Kind: leave.Annual, Name: leave.Text{ZH: "年假", EN: "annual"}, Balance: true}, kept.Kinds[0], "it was not granted by itself")
	assert.Equal(t, leave.Text{ZH: "病假", EN: "sick leave"}, kept.Kinds[1].Name)
	assert.True(t, kept.Kinds[1].Protected)
	assert.False(t, kept.Kinds[1].Balance)
	assert.Equal(t, 480, kept.DayMinutes)
	_, err = leave.ReadStored([]byte(`{"kinds": 1}`))
	require.Error(t, err)
	assert.Equal(t, fault.Internal, fault.KindOf(err))
}
