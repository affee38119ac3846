package workrules

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

// Every parameter says whether it is law or house, a limit of the law names its article, and whatever a rule
// that rests on law reads is not the house's alone.
func TestEveryParameterIsLawOrHouse(t *testing.T) {
	sides := map[LegalSide]bool{HouseSide: true, AtMost: true, AtLeast: true, FixedSide: true, Choice: true}
	known := map[string]bool{}
	for f := range reflect.TypeFor[Params]().Fields() {
		name := paramName(f)
		known[name] = true
		law := LegalOf(name)
		assert.True(t, sides[law.Side], "%s: neither law nor house", name)
		assert.NotEmpty(t, law.Says, name)
		assert.Equal(t, law.Side == HouseSide, law.Article == "", "%s: %s", name, law.Article)
		assert.Equal(t, law.Side != HouseSide && law.Side != Choice, law.Limit != "", "%s: %s", name, law.Limit)
	}
	assert.Len(t, stances, len(known), "a stance on a parameter that there is not")
	for _, r := range Rules() {
		for _, name := range r.Params {
			if r.ByLaw() && name != "queues" {
				assert.NotEqual(t, HouseSide, LegalOf(name).Side, "%s reads %s", r.Code, name)
			}
		}
	}
}

// The limits as the statutes print them, and beside each the nearest value on its lax side. The articles are
// those of the notes on labour law.
func TestTheHouseCannotRelaxTheLaw(t *testing.T) {
	for _, c := range []struct{ name, lawful, lax, article string }{
		{"normal_day", "8h", "8h1m", "国务院规定(1995) §3"},
		{"normal_week", "40h", "44h", "国务院规定(1995) §3"},
		{"overtime_day", "1h", "1h1m", "劳动法 §41"},
		{"overtime_special", "3h", "4h", "劳动法 §41"},
		{"overtime_month", "36h", "36h1m", "劳动法 §41"},
		{"holiday_is_overtime", "true", "false", "劳部发[1997]271"},
		{"special_dates", "2026-01-01:2026-03-31", "2026-01-01:2026-04-01", "劳动法 §41"},
		{"special_dates", "2026-12-01:2027-02-28", "2026-01-01:2035-12-31", "劳动法 §41"},
		{"consecutive_days", "12", "13", "劳动法 §38"},
		{"part_time_day", "4h", "4h30m", "劳动合同法 §68"},
		{"part_time_week", "24h", "25h", "劳动合同法 §68"},
		{"night_from", "22h", "22h1m", "女职工劳动保护特别规定 §6 §9"},
		{"night_from", "21h", "23h", "女职工劳动保护特别规定 §6 §9"},
		{"night_until", "6h", "5h59m", "女职工劳动保护特别规定 §6 §9"},
		{"night_until", "7h", "5h", "女职工劳动保护特别规定 §6 §9"},
		{"comprehensive_day", "11h", "12h", "劳部发[1997]271 §6"},
		{"comprehensive_week", "40h", "41h", "劳动法 §39"},
		{"comprehensive_month", "165h20m", "166h", "人社部发〔2025〕2号"},
		{"comprehensive_quarter", "496h", "500h", "人社部发〔2025〕2号"},
		{"comprehensive_year", "1984h", "2000h", "人社部发〔2025〕2号"},
		{"pregnant_rest", "15m", "0s", "女职工劳动保护特别规定 §6"},
		{"nursing_hour", "1h", "59m", "女职工劳动保护特别规定 §9"},
		{"hard_care", "true", "false", "女职工劳动保护特别规定 §6 §9"},
		{"agency_months", "6", "7", "劳动合同法 §66"},
	} {
		_, bad := DefaultParams().With(map[string]string{c.name: c.lawful})
		assert.Empty(t, bad, "%s=%s is lawful", c.name, c.lawful)
		_, bad = DefaultParams().With(map[string]string{c.name: c.lax})
		require.Len(t, bad, 1, "%s=%s", c.name, c.lax)
		assert.Equal(t, "rules."+c.name, bad[0].Path)
		assert.Equal(t, c.lax, bad[0].Value, "as it was written")
		assert.Contains(t, bad[0].Problem, c.article, c.name)
	}
}

// A limit that the table above leaves out would be a claim that nobody checked.
func TestEveryLimitOfTheLawBinds(t *testing.T) {
	for name, s := range stances {
		if s.side == HouseSide || s.side == Choice {
			continue
		}
		p := DefaultParams()
		field := fieldOf(&p, name)
		switch limit := s.limit.(type) {
		case time.Duration:
			step := time.Minute
			if s.side == AtLeast {
				step = -step
			}
			field.SetInt(int64(limit + step))
		case bool:
			field.SetBool(!limit)
		case int:
			if name == "special_dates" {
				first := calendar.MakeDate(2028, 1, 1)
				field.Set(reflect.ValueOf([]calendar.Dates{{From: first, Until: first.Add(limit + 1)}}))
				break
			}
			field.SetInt(int64(limit) + 1)
		}
		err := p.Validate()
		require.Error(t, err, name)
		assert.Contains(t, fault.Of(err).Fields[0].Problem, s.article, name)
	}
}

func fieldOf(p *Params, name string) reflect.Value {
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		if paramName(v.Type().Field(i)) == name {
			return v.Field(i)
		}
	}
	panic("no parameter " + name)
}

// Dates that overlap count once, dates of two years in their year, and a span that never ends is none.
func TestSpecialDatesAreAnException(t *testing.T) {
	dates := func(from, until string) calendar.Dates {
		first, err := calendar.ParseDate(from)
		require.NoError(t, err)
		last, err := calendar.ParseDate(until)
		require.NoError(t, err)
		return calendar.Dates{From: first, Until: last}
	}
	assert.Equal(t, 0, daysOfAYear(nil))
	assert.Equal(t, 3, daysOfAYear([]calendar.Dates{dates("2026-11-10", "2026-11-13"), dates("2026-11-11", "2026-11-13")}))
	assert.Equal(t, 4, daysOfAYear([]calendar.Dates{dates("2026-12-28", "2027-01-04")}), "28 to 31 December; three days of January")
	assert.Equal(t, 366, daysOfAYear([]calendar.Dates{dates("2026-12-31", "2999-01-01")}), "2028 has 366, and 1,000 years take no longer")
	p := DefaultParams()
	p.SpecialDates = []calendar.Dates{{From: calendar.MakeDate(2026, 11, 10)}}
	err := p.Validate()
	require.Error(t, err)
	assert.True(t, strings.Contains(err.Error(), "rules.special_dates[0]"), err)
}

// Each day is legal by itself in the eyes of who judges that day only, unless it sees the whole week: Monday made
// anew gives a sixth day of eight hours, whose overtime falls on Saturday; Sunday's night shift ends on a Monday whose week
// is worked from Tuesday to Sunday.
func TestOneDayIsJudgedWithItsWeek(t *testing.T) {
	day := func(n int) *Frame {
		d := calendar.MakeDate(2026, 9, n)
		return NewFrame(calendar.Range{Start: d.In(shanghai), End: d.Add(1).In(shanghai)}, testDays, shanghai, DefaultParams())
	}
	broken := func(f *Frame, p Person, shifts []scheduling.Shift) string {
		if rule := NewJudge(f, p).Broken(dutiesOf(f, shifts)); rule != nil {
			return rule.Code
		}
		return ""
	}
	nursing := Person{ID: "a", OvertimeAgreed: true, Conditions: []Condition{{Kind: Nursing, Dates: from(1)}}}
	assert.Equal(t, "protected.overtime", broken(day(7), nursing, days(9, 8, 7, 8, 9, 10, 11, 12)))
	assert.Empty(t, broken(day(7), nursing, days(9, 8, 7, 8, 9, 10, 11)))
	assert.Equal(t, "interns.overtime", broken(day(7), Person{ID: "a", OvertimeAgreed: true, Engagement: Intern}, append(days(9, 8, 7, 8, 9, 10), shift(11, 9, 8.5), shift(12, 9, 2))))
	agreed := Person{ID: "a", OvertimeAgreed: true}
	week := days(12, 4, 15, 16, 17, 18, 19, 20) // Tuesday to Sunday
	assert.Equal(t, "rest.weekly_day", broken(day(13), agreed, append([]scheduling.Shift{shift(13, 20, 6)}, week...)))
	assert.Empty(t, broken(day(13), agreed, append([]scheduling.Shift{shift(13, 18, 6)}, week...)), "it ends at midnight")
}
