package rostering_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Everybody has a salary and 25 yuan an hour. An hour longer on Monday is 150 %, 37.50 yuan; Saturday after five
// days is eight hours at 200 %, 400 yuan; Saturday instead of Friday is what the salary pays.
func TestEditsArePricedAsTheLawPaysThem(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	saturday := served("1001", monday.Add(5), 9)
	nine := monday.In(shanghai).Add(9 * time.Hour)
	friday := revise.Edit{Kind: revise.Remove, Agent: "1001", Start: nine.AddDate(0, 0, 4)}
	for name, c := range map[string]struct {
		edits []revise.Edit
		wages float64
		pay   []workrules.PayShare
	}{
		"an hour longer": {[]revise.Edit{{Kind: revise.Resize, Agent: "1001", Start: nine, NewEnd: nine.Add(10 * time.Hour)}}, 37.5, []workrules.PayShare{{Percent: 150, Minutes: 60}}},
		"a sixth day":    {[]revise.Edit{{Kind: revise.Add, Shift: &saturday}}, 400, []workrules.PayShare{{Percent: 200, Minutes: 480}}},
		"another day":    {[]revise.Edit{{Kind: revise.Add, Shift: &saturday}, friday}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := s.Rostering.JudgeEdit(t.Context(), supervisor, "week", c.edits)
			ok(t, err)
			require.NotNil(t, v.Cost)
			assert.InDelta(t, c.wages, v.Cost.Wages, 1e-9)
			assert.Equal(t, c.pay, v.Cost.Pay)
		})
	}
}

// festive is a stack whose Friday 2026-06-19 is 端午节, with one agent of 25 yuan and a salary.
func festive(t *testing.T) *stack {
	t.Helper()
	s := newStoreStack(t)
	s.Deps.Holidays = calendar.NewHolidays("test", []calendar.Holiday{{Date: date("2026-06-19"), Kind: calendar.Statutory, Name: "端午节"}})
	s.Operations = operations.New(operations.DefaultConfig(), s.Deps)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 1, "lumi-tmall/pre")
	return s
}

// A shift on a holiday that nobody agreed to is published only when somebody answers for it; the roster that
// takes its place breaks nothing new.
func TestHolidayWorkNeedsAWord(t *testing.T) {
	t.Parallel()
	s := festive(t)
	shifts := []scheduling.Shift{served("1001", monday, 9), served("1001", monday.Add(4), 9)}
	s.addDraft(t, "dragon", monday, 7, shifts...)
	in := rostering.PublishInput{Roster: "dragon", Expect: operations.AnyVersion}
	_, err := s.Rostering.PublishRoster(t.Context(), planner, in)
	e := refused(t, err, "roster.soft_rules")
	require.Len(t, e.Fields, 1)
	assert.Equal(t, "holidays.agreed", e.Fields[0].Path)
	in.Overrule = true
	_, err = s.Rostering.PublishRoster(t.Context(), planner, in)
	assert.Equal(t, "reason", refused(t, err, "roster.publish").Fields[0].Path)
	in.Reason = "本人同意"
	done, err := s.Rostering.PublishRoster(t.Context(), planner, in)
	ok(t, err)
	require.Len(t, done.Soft, 1)
	assert.Equal(t, 1, done.Soft[0].Count)
	s.addDraft(t, "again", monday, 7, shifts...)
	_, err = s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "again", Expect: operations.AnyVersion})
	ok(t, err)
}

// Monday with an hour more, a night into 端午节 and the holiday itself: 8 h at 100 % and 1 h at 150 %; 2 h before
// midnight at 100 % and 6 h at 300 %; of a salary 37.50 and 450 yuan come on top.
func TestPayOfARoster(t *testing.T) {
	t.Parallel()
	s := festive(t)
	long := served("1001", monday, 9)
	long.End = long.End.Add(time.Hour)
	long.Activities[2].End = long.End
	night := scheduling.Shift{Agent: "1001", Code: "N", Start: monday.Add(3).In(shanghai).Add(22 * time.Hour)}
	night.End = night.Start.Add(8 * time.Hour)
	s.addDraft(t, "dragon", monday, 7, long, night)
	p, err := s.Rostering.PayRoster(t.Context(), planner, rostering.Ref{Roster: "dragon"}, "1001")
	ok(t, err)
	require.Len(t, p.Agents, 1)
	a := p.Agents[0]
	require.Len(t, a.Days, 3)
	assert.Equal(t, rostering.PayDay{Date: monday, Wage: 25, PayHours: rostering.PayHours{Normal: 8, Extended: 1, Yuan: 37.5}}, a.Days[0])
	assert.Equal(t, rostering.PayDay{Date: monday.Add(3), Wage: 25, PayHours: rostering.PayHours{Normal: 2, Night: 2}}, a.Days[1])
	assert.Equal(t, rostering.PayDay{Date: monday.Add(4), Wage: 25, PayHours: rostering.PayHours{Statutory: 6, Night: 6, Yuan: 450}}, a.Days[2])
	assert.InDelta(t, 487.5, p.Total.Yuan, 1e-9)
	body, err := p.CSV(rostering.English)
	ok(t, err)
	assert.Equal(t, 4, strings.Count(string(body), "\n"))
	assert.Contains(t, string(body), "2026-06-19,0.00,0.00,0.00,6.00,0.00,0.00,6.00,25.00,true,450.00")
	_, err = s.Rostering.PayRoster(t.Context(), planner, rostering.Ref{Roster: "dragon"}, "9999")
	_ = refused(t, err, "store.not_found")
}
