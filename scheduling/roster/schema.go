package roster

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// duration is written "9h" or "1h30m" in files.
type duration time.Duration

// UnmarshalText reads a Go duration.
func (d *duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fault.New(fault.Invalid, "roster.duration", "is no length of time such as 9h or 1h30m")
	}
	*d = duration(v)
	return nil
}

// clockTime is a wall-clock time "08:30" in files.
type clockTime time.Duration

// UnmarshalText reads "08:30".
func (c *clockTime) UnmarshalText(b []byte) error {
	t, err := time.Parse("15:04", string(b))
	if err != nil {
		return fault.New(fault.Invalid, "roster.clock", "is no clock time such as 08:30")
	}
	*c = clockTime(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute)
	return nil
}

// The file types mirror Problem; docs/roster-format.md documents every field.
type problemFile struct {
	Version   int                `json:"version"`
	Location  string             `json:"location"`
	From      calendar.Date      `json:"from"`
	Until     calendar.Date      `json:"until"`
	Rules     *rulesFile         `json:"rules"`
	Holidays  []holidayFile      `json:"holidays"`
	Weights   *weightsFile       `json:"weights"`
	Relief    *reliefFile        `json:"relief"`
	Sites     []siteFile         `json:"sites"`
	MinBlock  duration           `json:"min_block"`
	Templates []templateFile     `json:"templates"`
	Windows   []windowFile       `json:"windows"`
	Agents    []agentFile        `json:"agents"`
	Demand    []demandFile       `json:"demand"`
	Locked    []scheduling.Shift `json:"locked"`
	Previous  []scheduling.Shift `json:"previous"`

	crowded bool // the windows would generate too many templates
}

type rulesFile struct {
	WeekStart         *string          `json:"week_start"`
	NormalDay         *duration        `json:"normal_day"`
	NormalWeek        *duration        `json:"normal_week"`
	OvertimeDay       *duration        `json:"overtime_day"`
	OvertimeSpecial   *duration        `json:"overtime_special"`
	SpecialDates      []calendar.Dates `json:"special_dates"`
	OvertimeMonth     *duration        `json:"overtime_month"`
	HolidayIsOvertime *bool            `json:"holiday_is_overtime"`
	RestBlock         *duration        `json:"rest_block"`
	RestWarn          *duration        `json:"rest_warn"`
	ConsecutiveDays   *int             `json:"consecutive_days"`
	PartTimeDay       *duration        `json:"part_time_day"`
	PartTimeWeek      *duration        `json:"part_time_week"`
	NightFrom         *duration        `json:"night_from"`
	NightUntil        *duration        `json:"night_until"`
	MealAfter         *duration        `json:"meal_after"`
	MealLength        *duration        `json:"meal_length"`
	HardMeals         *bool            `json:"hard_meals"`

	OvertimeWeek         *duration                 `json:"overtime_week"`
	ComprehensivePeriod  *workrules.Period         `json:"comprehensive_period"`
	ComprehensiveDay     *duration                 `json:"comprehensive_day"`
	ComprehensiveWeek    *duration                 `json:"comprehensive_week"`
	ComprehensiveMonth   *duration                 `json:"comprehensive_month"`
	ComprehensiveQuarter *duration                 `json:"comprehensive_quarter"`
	ComprehensiveYear    *duration                 `json:"comprehensive_year"`
	RestDays             *workrules.RestDayReading `json:"rest_days"`
	SplitAtMidnight      *bool                     `json:"split_at_midnight"`
	NightRun             *int                      `json:"night_run"`
	WorkStretch          *duration                 `json:"work_stretch"`
	PregnantRest         *duration                 `json:"pregnant_rest"`
	NursingHour          *duration                 `json:"nursing_hour"`
	HardCare             *bool                     `json:"hard_care"`
	AgencyMonths         *int                      `json:"agency_months"`
	CloudSlot            *duration                 `json:"cloud_slot"`
	CloudSlots           *int                      `json:"cloud_slots"`
	CloudNoBreakFirst    *duration                 `json:"cloud_no_break_first"`
	CloudNoBreakLast     *duration                 `json:"cloud_no_break_last"`
	ShopsAtOnce          *int                      `json:"shops_at_once"`
	Queues               []workrules.QueueTerms    `json:"queues"`
}

type holidayFile struct {
	Date calendar.Date `json:"date"`
	Kind string        `json:"kind"`
	Name string        `json:"name"`
}

type weightsFile struct {
	Short      *float64 `json:"short"`
	Depth      *float64 `json:"depth"`
	Over       *float64 `json:"over"`
	Wage       *float64 `json:"wage"`
	MinWork    *float64 `json:"min_work"`
	Fairness   *float64 `json:"fairness"`
	Preference *float64 `json:"preference"`
	Stability  *float64 `json:"stability"`
	SoftRule   *float64 `json:"soft_rule"`
	Switch     *float64 `json:"switch"`
}

type reliefFile struct {
	Hour      *float64 `json:"hour"`
	Temp      *float64 `json:"temp"`
	TempHours *float64 `json:"temp_hours"`
	Seat      *float64 `json:"seat"`
}

type pauseFile struct {
	Kind     scheduling.ActivityKind `json:"kind"`
	Length   duration                `json:"length"`
	Earliest duration                `json:"earliest"`
	Latest   duration                `json:"latest"`
	Apart    duration                `json:"apart"`
}

type templateFile struct {
	Code     string      `json:"code"`
	Start    clockTime   `json:"start"`
	Length   duration    `json:"length"`
	Weekdays []string    `json:"weekdays"`
	Pauses   []pauseFile `json:"pauses"`
}

type windowFile struct {
	Prefix   string      `json:"prefix"`
	From     clockTime   `json:"from"`
	Until    clockTime   `json:"until"`
	Step     duration    `json:"step"`
	Lengths  []duration  `json:"lengths"`
	Weekdays []string    `json:"weekdays"`
	Pauses   []pauseFile `json:"pauses"`
}

type preferenceFile struct {
	Date     calendar.Date `json:"date"`
	Template string        `json:"template"`
	Weight   float64       `json:"weight"`
}

type agentFile struct {
	workrules.Person
	Wage        float64            `json:"wage"`
	Salaried    bool               `json:"salaried"`
	MinWork     duration           `json:"min_work"`
	MaxWork     duration           `json:"max_work"`
	Templates   []string           `json:"templates"`
	Preferences []preferenceFile   `json:"preferences"`
	History     []scheduling.Shift `json:"history"`
	Ledger      Ledger             `json:"ledger"`
	Site        ids.Site           `json:"site"`
}

type demandFile struct {
	Queue ids.Queue         `json:"queue"`
	Slot  duration          `json:"slot"`
	Hours string            `json:"hours"`
	Needs []scheduling.Need `json:"needs"`
}

var weekdayNames = map[string]time.Weekday{
	"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday,
	"thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday,
}

var holidayKinds = map[string]calendar.DayKind{
	"statutory": calendar.Statutory, "bridge": calendar.Bridge, "makeup": calendar.Makeup,
	"workday": calendar.Workday, "rest_day": calendar.RestDay,
}

// problem is what the file describes, with what is bad about the file alone. made tells for every template which
// entry of the file it is from.
func (f *problemFile) problem() (p Problem, made []string, bad complaints) {
	if f.Version != 1 {
		bad.add("version", f.Version, "must be 1")
	}
	if f.Location == "" {
		f.Location = "Asia/Shanghai"
	}
	loc, err := time.LoadLocation(f.Location)
	if err != nil || f.Location == "Local" {
		bad.add("location", f.Location, "is not a time zone name like Asia/Shanghai")
		loc, err = time.UTC, fault.New(fault.Invalid, "roster.location", "no zone")
	}
	for name, d := range map[string]calendar.Date{"from": f.From, "until": f.Until} {
		if d.IsZero() {
			bad.add(name, "", "is missing: a date like 2026-11-09; until is the day after the last")
		}
	}
	p = Problem{
		Location: loc, Range: calendar.Range{Start: f.From.In(loc), End: f.Until.In(loc)},
		Rules: f.Rules.params(), Weights: f.Weights.weights(), Relief: f.Relief.relief(), Locked: f.Locked, Previous: f.Previous,
		MinBlock: time.Duration(f.MinBlock),
	}
	var holidays []calendar.Holiday
	named := map[calendar.Date]int{}
	for i, h := range f.Holidays {
		if first, twice := named[h.Date]; twice {
			bad.add(fmt.Sprintf("holidays[%d].date", i), h.Date, "is also holidays[%d]: a date is one kind of day", first)
		} else {
			named[h.Date] = i
		}
		kind, ok := holidayKinds[h.Kind]
		if !ok {
			bad.add(fmt.Sprintf("holidays[%d].kind", i), h.Kind, "must be statutory, bridge or makeup")
		}
		holidays = append(holidays, calendar.Holiday{Date: h.Date, Kind: kind, Name: h.Name})
	}
	p.Holidays = calendar.NewHolidays("problem file", holidays)
	p.Templates, made = f.templates(&bad)
	for _, x := range f.Sites {
		p.Sites = append(p.Sites, x.site())
	}
	for i, a := range f.Agents {
		agent := Agent{
			Person: a.Person, Wage: a.Wage, Salaried: a.Salaried, MinWork: time.Duration(a.MinWork), MaxWork: time.Duration(a.MaxWork),
			Templates: a.Templates, History: a.History, Ledger: a.Ledger, Site: a.Site,
		}
		if len(a.Skills) == 0 {
			bad.add(fmt.Sprintf("agents[%d].skills", i), a.ID, "is empty: without a skill nobody can be given work")
		}
		for _, w := range a.Preferences {
			agent.Preferences = append(agent.Preferences, Preference(w))
		}
		p.Agents = append(p.Agents, agent)
	}
	if err != nil || f.From.IsZero() || f.Until.IsZero() {
		p.Range, loc = calendar.Range{}, nil // nobody knows what lies inside
	}
	for i := range f.Demand {
		p.Demand = append(p.Demand, f.Demand[i].requirement(fmt.Sprintf("demand[%d]", i), p.Range, loc, &bad))
	}
	p.adrift(&bad)
	return p, made, bad
}

// crowd adds the windows that generate most where all generate more templates than a problem may have. None is
// expanded then: nobody has to wait for millions of them.
func (f *problemFile) crowd(bad *complaints) {
	made, most, all := make([]int, len(f.Windows)), make([]int, len(f.Windows)), len(f.Templates)
	for i, w := range f.Windows {
		if most[i] = i; w.Step > 0 && w.Until >= w.From {
			made[i] = (int((w.Until-w.From)/clockTime(w.Step)) + 1) * len(w.Lengths)
		}
		all += made[i]
	}
	f.crowded = all > mostTemplates
	slices.SortStableFunc(most, func(i, k int) int { return made[k] - made[i] })
	for rest := all; rest > mostTemplates && len(most) > 0 && made[most[0]] > 0; most = most[1:] {
		n := made[most[0]]
		bad.add(fmt.Sprintf("windows[%d].lengths", most[0]), "", "generate %d of %d templates, and %d are possible: give fewer lengths or a longer step", n, all, mostTemplates)
		rest -= n
	}
}

// templates lists the templates of the file, then those that its windows generate.
// made tells for each the path of what it is from.
func (f *problemFile) templates(bad *complaints) (out []Template, made []string) {
	for i, t := range f.Templates {
		made = append(made, fmt.Sprintf("templates[%d]", i))
		out = append(out, Template{
			Code: t.Code, Start: time.Duration(t.Start), Length: time.Duration(t.Length),
			Weekdays: weekdaysOf(t.Weekdays, fmt.Sprintf("templates[%d]", i), bad), Pauses: pausesOf(t.Pauses),
		})
	}
	for i, w := range f.Windows {
		at := fmt.Sprintf("windows[%d]", i)
		if w.Step <= 0 || time.Duration(w.Step)%finest != 0 {
			bad.add(at+".step", time.Duration(w.Step), "must be a positive multiple of 5 minutes")
			continue
		}
		if w.Until < w.From {
			bad.add(at+".until", "", "must not be before from: the first and the last start of a day")
		}
		if len(w.Lengths) == 0 {
			bad.add(at+".lengths", "", "give at least one length, such as \"9h\"")
		}
		win := StartWindow{
			Prefix: w.Prefix, From: time.Duration(w.From), Until: time.Duration(w.Until), Step: time.Duration(w.Step),
			Pauses: pausesOf(w.Pauses), Weekdays: weekdaysOf(w.Weekdays, at, bad),
		}
		for k, l := range w.Lengths {
			if same := slices.Index(w.Lengths, l); same < k {
				bad.add(fmt.Sprintf("%s.lengths[%d]", at, k), time.Duration(l), "is the same length as lengths[%d]", same)
				continue
			}
			win.Lengths = append(win.Lengths, time.Duration(l))
		}
		if f.crowded {
			continue
		}
		all := win.Expand()
		out, made = append(out, all...), append(made, slices.Repeat([]string{at}, len(all))...)
	}
	return out, made
}

// requirement refuses needs outside the range and outside the open hours of the queue; loc is nil where the
// zone is not known.
func (d *demandFile) requirement(at string, within calendar.Range, loc *time.Location, bad *complaints) scheduling.Requirement {
	hours, err := forecast.ParseHours(d.Hours)
	if err != nil && d.Hours != "" {
		bad.add(at+".hours", d.Hours, "must look like Mon-Fri 09:00-24:00")
	}
	for k, n := range d.Needs {
		where := fmt.Sprintf("%s.needs[%d].start", at, k)
		if n.Start.IsZero() || loc == nil {
			continue
		}
		local := n.Start.In(loc)
		switch {
		case within.Valid() && !within.Contains(n.Start):
			bad.add(where, n.Start.Format(time.RFC3339), "lies outside the dates of this problem")
		case d.Hours != "" && err == nil && max(n.Heads, int(n.Paid+0.5)) > 0 && !hours.Open(local.Weekday(), local.Hour()*60+local.Minute()):
			bad.add(where, n.Start.Format(time.RFC3339), "lies outside the open hours %s of %s", d.Hours, d.Queue)
		}
	}
	return scheduling.Requirement{Queue: d.Queue, Slot: time.Duration(d.Slot), Needs: d.Needs}
}

func pausesOf(list []pauseFile) (out []Pause) {
	for _, p := range list {
		out = append(out, Pause{Kind: p.Kind, Length: time.Duration(p.Length), Earliest: time.Duration(p.Earliest), Latest: time.Duration(p.Latest), Apart: time.Duration(p.Apart)})
	}
	return out
}

func weekdaysOf(names []string, at string, bad *complaints) (out []time.Weekday) {
	for i, n := range names {
		d, ok := weekdayNames[strings.ToLower(n)]
		if !ok {
			bad.add(fmt.Sprintf("%s.weekdays[%d]", at, i), n, "must be mon, tue, wed, thu, fri, sat or sun")
		}
		out = append(out, d)
	}
	return out
}

func override[T any](into *T, from *T) {
	if from != nil {
		*into = *from
	}
}

// params lays the file's rules over the defaults.
func (f *rulesFile) params() workrules.Params {
	p := workrules.DefaultParams()
	if f == nil {
		return p
	}
	override(&p.WeekStart, f.WeekStart)
	override(&p.HolidayIsOvertime, f.HolidayIsOvertime)
	override(&p.ConsecutiveDays, f.ConsecutiveDays)
	override(&p.HardMeals, f.HardMeals)
	override(&p.ComprehensivePeriod, f.ComprehensivePeriod)
	override(&p.RestDays, f.RestDays)
	override(&p.SplitAtMidnight, f.SplitAtMidnight)
	override(&p.NightRun, f.NightRun)
	override(&p.HardCare, f.HardCare)
	override(&p.AgencyMonths, f.AgencyMonths)
	override(&p.CloudSlots, f.CloudSlots)
	override(&p.ShopsAtOnce, f.ShopsAtOnce)
	p.SpecialDates, p.Queues = f.SpecialDates, f.Queues
	for _, d := range []struct {
		into *time.Duration
		from *duration
	}{
		{&p.NormalDay, f.NormalDay},
		{&p.NormalWeek, f.NormalWeek},
		{&p.OvertimeDay, f.OvertimeDay},
		{&p.OvertimeSpecial, f.OvertimeSpecial},
		{&p.OvertimeMonth, f.OvertimeMonth},
		{&p.RestBlock, f.RestBlock},
		{&p.RestWarn, f.RestWarn},
		{&p.PartTimeDay, f.PartTimeDay},
		{&p.PartTimeWeek, f.PartTimeWeek},
		{&p.NightFrom, f.NightFrom},
		{&p.NightUntil, f.NightUntil},
		{&p.MealAfter, f.MealAfter},
		{&p.MealLength, f.MealLength},
		{&p.OvertimeWeek, f.OvertimeWeek},
		{&p.ComprehensiveDay, f.ComprehensiveDay},
		{&p.ComprehensiveWeek, f.ComprehensiveWeek},
		{&p.ComprehensiveMonth, f.ComprehensiveMonth},
		{&p.ComprehensiveQuarter, f.ComprehensiveQuarter},
		{&p.ComprehensiveYear, f.ComprehensiveYear},
		{&p.WorkStretch, f.WorkStretch},
		{&p.PregnantRest, f.PregnantRest},
		{&p.NursingHour, f.NursingHour},
		{&p.CloudSlot, f.CloudSlot},
		{&p.CloudNoBreakFirst, f.CloudNoBreakFirst},
		{&p.CloudNoBreakLast, f.CloudNoBreakLast},
	} {
		override((*duration)(d.into), d.from)
	}
	return p
}

// weights lays the file's weights over the defaults.
func (f *weightsFile) weights() Weights {
	w := DefaultWeights()
	if f == nil {
		return w
	}
	override(&w.Short, f.Short)
	override(&w.Depth, f.Depth)
	override(&w.Over, f.Over)
	override(&w.Wage, f.Wage)
	override(&w.MinWork, f.MinWork)
	override(&w.Fairness, f.Fairness)
	override(&w.Preference, f.Preference)
	override(&w.Stability, f.Stability)
	override(&w.SoftRule, f.SoftRule)
	override(&w.Switch, f.Switch)
	return w
}

// relief lays the file's prices over the defaults.
func (f *reliefFile) relief() Relief {
	r := DefaultRelief()
	if f != nil {
		override(&r.Hour, f.Hour)
		override(&r.Temp, f.Temp)
		override(&r.TempHours, f.TempHours)
		override(&r.Seat, f.Seat)
	}
	return r
}
