package workrules

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// paths are the fields that an error names.
func paths(err error) map[string]bool {
	out := map[string]bool{}
	if e := fault.Of(err); e != nil {
		for _, f := range e.Fields {
			out[f.Path] = true
		}
	}
	return out
}

func TestParamsMayNotRelaxTheLaw(t *testing.T) {
	require.NoError(t, DefaultParams().Validate())
	for field, change := range map[string]func(*Params){
		"week_start":           func(p *Params) { p.WeekStart = "someday" },
		"normal_day":           func(p *Params) { p.NormalDay = 9 * time.Hour },
		"normal_week":          func(p *Params) { p.NormalWeek = 44 * time.Hour },
		"overtime_day":         func(p *Params) { p.OvertimeDay = 2 * time.Hour },
		"overtime_special":     func(p *Params) { p.OvertimeSpecial = 4 * time.Hour },
		"overtime_week":        func(p *Params) { p.OvertimeWeek = 0 },
		"overtime_month":       func(p *Params) { p.OvertimeMonth = 40 * time.Hour },
		"part_time_day":        func(p *Params) { p.PartTimeDay = 5 * time.Hour },
		"part_time_week":       func(p *Params) { p.PartTimeWeek = 25 * time.Hour },
		"rest_warn":            func(p *Params) { p.RestWarn = time.Hour },
		"rest_block":           func(p *Params) { p.RestBlock, p.RestWarn = -time.Hour, 0 },
		"consecutive_days":     func(p *Params) { p.ConsecutiveDays = 13 },
		"night_from":           func(p *Params) { p.NightFrom = time.Hour },
		"night_run":            func(p *Params) { p.NightRun = 0 },
		"meal_length":          func(p *Params) { p.MealLength = -1 },
		"work_stretch":         func(p *Params) { p.WorkStretch = 0 },
		"rest_days":            func(p *Params) { p.RestDays = "some" },
		"special_dates[0]":     func(p *Params) { p.SpecialDates = []calendar.Dates{{}} },
		"comprehensive_period": func(p *Params) { p.ComprehensivePeriod = "decade" },
		"comprehensive_day":    func(p *Params) { p.ComprehensiveDay = 12 * time.Hour },
		"comprehensive_week":   func(p *Params) { p.ComprehensiveWeek = 44 * time.Hour },
		"comprehensive_month":  func(p *Params) { p.ComprehensiveMonth = 174 * time.Hour },
		"comprehensive_year":   func(p *Params) { p.ComprehensiveYear = 2080 * time.Hour },
		"pregnant_rest":        func(p *Params) { p.PregnantRest = -1 },
		"nursing_hour":         func(p *Params) { p.NursingHour = 30 * time.Minute },
		"agency_months":        func(p *Params) { p.AgencyMonths = 7 },
		"cloud_slot":           func(p *Params) { p.CloudSlot = 90 * time.Second },
		"cloud_slots":          func(p *Params) { p.CloudSlots = 25 },
		"cloud_no_break_first": func(p *Params) { p.CloudNoBreakLast = -1 },
		"shops_at_once":        func(p *Params) { p.ShopsAtOnce = -1 },
		"queues[1].queue":      func(p *Params) { p.Queues = []QueueTerms{{Queue: "q"}, {Queue: "q"}} },
		"queues[0].queue":      func(p *Params) { p.Queues = []QueueTerms{{}} },
		"queues[0].shops":      func(p *Params) { p.Queues = []QueueTerms{{Queue: "q", Shops: -1}} },
		"queues[0].packs[0].code": func(p *Params) {
			p.Queues = []QueueTerms{{Queue: "q", Packs: []Pack{{}}}}
		},
	} {
		p := DefaultParams()
		change(&p)
		err := p.Validate()
		require.Error(t, err, field)
		assert.Equal(t, "workrules.params", fault.CodeOf(err))
		assert.Equal(t, map[string]bool{"rules." + field: true}, paths(err), field)
	}
}

func TestEveryBadSettingIsNamedAtOnce(t *testing.T) {
	err := Params{}.Validate()
	require.Error(t, err)
	assert.Greater(t, len(fault.Of(err).Fields), 15)
}

func TestBadPersonsAreNamed(t *testing.T) {
	backwards := calendar.Dates{From: calendar.MakeDate(2026, 9, 2), Until: calendar.MakeDate(2026, 9, 1)}
	noon := shift(21, 12, 1).Range()
	p := Person{
		Regime: "lunar", Period: "decade", Engagement: "friend", Employed: backwards, Assigned: backwards, Shops: -1,
		Conditions:   []Condition{{Kind: "tired", Dates: backwards, Children: -1}},
		Skills:       []Skill{{}},
		Certificates: []Certificate{{Dates: backwards}},
		Acknowledged: []Acknowledgement{{}},
		Unavailable:  []calendar.Range{{Start: noon.End, End: noon.Start}},
		Sessions:     []Session{{Kind: "party", Range: calendar.Range{Start: noon.End, End: noon.Start}}},
		Carried:      []Carried{{Hours: -1}, {Dates: calendar.Dates{From: calendar.MakeDate(2026, 9, 1), Until: calendar.MakeDate(2026, 9, 3)}}, {Dates: calendar.Dates{From: calendar.MakeDate(2026, 9, 2), Until: calendar.MakeDate(2026, 9, 3)}}},
		Agreements:   []Agreement{{Dates: backwards, DayHours: -1, WeekHours: 200, NotBefore: 20, NotAfter: 8, DaysOff: []string{"noday"}}},
	}
	got := map[string]bool{}
	for _, f := range p.Validate("agents[3]") {
		got[f.Path] = true
		assert.NotEmpty(t, f.Problem)
	}
	for _, field := range []string{
		"id", "regime", "period", "engagement", "employed", "assigned", "shops", "conditions[0].kind", "conditions[0].dates", "conditions[0].children",
		"skills[0].queue", "certificates[0].code", "certificates[0].dates", "acknowledged[0]", "unavailable[0].end", "sessions[0].kind", "sessions[0].range.end",
		"carried[0].dates", "carried[0].hours", "carried[2].dates", "agreements[0].dates", "agreements[0].day_hours", "agreements[0].week_hours",
		"agreements[0].not_after", "agreements[0].days_off[0]",
	} {
		assert.True(t, got["agents[3]."+field], field)
	}
	p = Person{ID: "a", Regime: Comprehensive, Engagement: Intern}
	assert.Len(t, p.Validate("p"), 1)
	p = Person{ID: "a", Period: ByWeek}
	assert.Len(t, p.Validate("p"), 1)
}

// What the optimiser asks before it plans a queue is what Explain judges afterwards.
func TestMayServeAgreesWithTheRules(t *testing.T) {
	services := []string{"fit.skill", "certificate.merchant", "certificate.pack", "shops.at_once"}
	for _, code := range services {
		for _, c := range serviceTables[code] {
			in := c.check(t)
			in.Person.Skills = append(in.Person.Skills, Skill{Queue: "q9"})
			if code != "fit.skill" {
				in.Person.Skills = append(in.Person.Skills, Skill{Queue: "q1"})
			}
			judge := NewJudge(NewFrame(in.Range, in.Holidays, in.Location, in.Params), in.Person)
			legal := true
			for _, s := range in.Shifts {
				for _, a := range s.Activities {
					legal = legal && judge.MayServe(a.Queue, calendar.DateOf(s.Start, shanghai))
				}
			}
			assert.Equal(t, len(c.want) == 0, legal, "%s/%s", code, c.name)
		}
	}
}

// Settings that come from files name every field, so none is readable only from code.
func TestEverySettingHasAKey(t *testing.T) {
	for f := range reflect.TypeFor[Params]().Fields() {
		assert.NotEmpty(t, f.Tag.Get("yaml"), f.Name)
		assert.Equal(t, paramName(f), jsonName(f), f.Name)
	}
}

func jsonName(f reflect.StructField) string {
	name := f.Tag.Get("json")
	for i := range name {
		if name[i] == ',' {
			return name[:i]
		}
	}
	return name
}
