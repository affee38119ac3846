package leave

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// Outcome is what the rules make of a leave request.
type Outcome string

// The outcomes.
const (
	Grant  Outcome = "grant"  // nothing speaks against it
	Ask    Outcome = "ask"    // a supervisor decides
	Reject Outcome = "reject" // it cannot be granted
)

// Finding is one thing found about a request.
type Finding struct {
	Code  string `json:"code"`
	Asks  bool   `json:"asks,omitempty"` // a supervisor must look at it
	Stops bool   `json:"stops,omitempty"`
	Says  Text   `json:"says"`
}

// codeCoverage is the finding that says what the hours are worth.
const codeCoverage = "leave.coverage"

// DayView is one day of a leave request as a supervisor sees it.
type DayView struct {
	Date     calendar.Date `json:"date"`
	Minutes  int           `json:"minutes"`             // charged
	Away     int           `json:"away"`                // others of the tightest quota's people who are away
	Heads    int           `json:"heads"`               // most of that quota; -1 = no quota
	Quota    string        `json:"quota"`               // its name
	LostYuan *float64      `json:"lost_yuan,omitempty"` // what the requirement loses; nil: withheld from the reader
	Known    bool          `json:"known"`               // there is a requirement for the day
}

// Decision is what was found about a leave request.
type Decision struct {
	Outcome  Outcome   `json:"outcome"`
	LostYuan *float64  `json:"lost_yuan,omitempty"` // of all days; nil: withheld from the reader
	Days     []DayView `json:"days"`
	Findings []Finding `json:"findings"`
}

// Absent is leave of somebody that counts towards quotas.
type Absent struct {
	Agent ids.Agent
	Site  ids.Site
	Team  ids.Team
	Range calendar.Range
}

// Case is everything a leave request is decided on.
type Case struct {
	Agent     ids.Agent
	Site      ids.Site
	Team      ids.Team
	Kind      LeaveKind
	Range     calendar.Range
	Proof     string
	Employed  calendar.Dates
	Shifts    []scheduling.Shift // the agent's published ones that overlap the range
	Published []calendar.Range   // the ranges of published rosters
	Others    []Absent           // granted leave of everybody
	Own       []calendar.Range   // leave that the agent has or waits for already
	Taken     map[int]int        // days of the same kind that the agent has already, by calendar year
	Entries   []Entry            // the agent's ledger
	Coverage  *Coverage
	Policy    Policy
	Closures  []Closure // resolved
	Holidays  calendar.Holidays
	Zone      *time.Location
	Now       time.Time
}

// Charges is the working time that the leave takes, by day. On a day that a published roster covers
// it is the time of the shifts that start on it, without meals, at most a day of leave; on other days
// it is a day of leave, or the part of the day that is asked for, when the day is an official working
// day (条例 §3: holidays and rest days are not counted as annual leave). A kind that counts calendar
// days charges every day.
func (c Case) Charges() []Charge {
	rule, _ := c.Policy.RuleOf(c.Kind)
	var out []Charge
	for d := range c.Range.Dates(c.Zone) {
		day := calendar.Day(d, c.Zone)
		part := int(min(c.Range.Overlap(day), time.Duration(c.Policy.DayMinutes)*time.Minute) / time.Minute)
		minutes := 0
		switch {
		case rule.Calendar:
			minutes = part
		case c.published(day):
			minutes = min(c.rostered(day), c.Policy.DayMinutes)
		case c.Holidays.Kind(d).Working():
			minutes = part
		}
		if minutes > 0 {
			out = append(out, Charge{d, minutes})
		}
	}
	return out
}

func (c Case) published(day calendar.Range) bool {
	return slices.ContainsFunc(c.Published, func(r calendar.Range) bool { return r.Contains(day.Start) })
}

// rostered is the minutes of work of the shifts starting on a day that lie in the leave. A part outside that is too
// short to be worked goes too, but nobody asked for it, so it is not charged.
func (c Case) rostered(day calendar.Range) int {
	var sum time.Duration
	for _, s := range c.Shifts {
		if s.Agent != c.Agent || !day.Contains(s.Start) || !s.Range().Overlaps(c.Range) {
			continue
		}
		part := s.Range()
		if c.Range.Start.After(part.Start) {
			part.Start = c.Range.Start
		}
		if c.Range.End.Before(part.End) {
			part.End = c.Range.End
		}
		sum += cut(s, part).WorkTime()
	}
	return int(sum / time.Minute)
}

// Effect is what the leave takes out of the roster: shifts inside it go, those across its edges keep
// the part outside when that lasts an hour or more.
func (c Case) Effect() Effect {
	var e Effect
	for _, s := range c.Shifts {
		if s.Agent != c.Agent || !s.Range().Overlaps(c.Range) {
			continue
		}
		e.Drop = append(e.Drop, s)
		for _, part := range []calendar.Range{{Start: s.Start, End: c.Range.Start}, {Start: c.Range.End, End: s.End}} {
			if part.Duration() >= shortestPart {
				e.Add = append(e.Add, cut(s, part))
			}
		}
	}
	return e
}

// shortestPart is the shortest part of a shift that is still worked beside leave.
const shortestPart = time.Hour

// cut is the part of a shift inside a range.
func cut(s scheduling.Shift, r calendar.Range) scheduling.Shift {
	out := s
	out.Start, out.End, out.Activities = r.Start, r.End, nil
	for _, a := range s.Activities {
		if a.Start.Before(r.Start) {
			a.Start = r.Start
		}
		if a.End.After(r.End) {
			a.End = r.End
		}
		if a.Start.Before(a.End) {
			out.Activities = append(out.Activities, a)
		}
	}
	return out
}

// Decide says whether the leave is granted by itself, needs a supervisor, or cannot be: quotas of the
// day, closed days, balance, notice, documents, and what the requirement loses in money. Leave that
// the law grants (KindRule.Protected) is never stopped by quota or closed days; it says so and a
// supervisor sees it.
func Decide(c Case) Decision {
	lost := 0.0
	d := Decision{Outcome: Ask, Findings: []Finding{}, LostYuan: &lost}
	rule, region, known := c.Policy.RuleAt(c.Kind, c.Site)
	if !known {
		d.find(Finding{Code: "leave.kind", Stops: true, Says: text("没有这种假", "there is no such leave")})
		d.Outcome = Reject
		return d
	}
	charges := c.Charges()
	c.limits(&d, rule, region, charges)
	c.days(&d, rule, charges)
	if rule.Balance {
		if _, short := takeFrom(c.Entries, c.Agent, c.Kind, charges); len(short) > 0 {
			d.find(Finding{Code: "leave.balance", Stops: true, Says: shortText(short)})
		}
	}
	if lost > c.Policy.AutoYuan {
		d.find(Finding{Code: codeCoverage, Asks: true, Says: text("缺人损失%.2f元，超过自动批准的上限%.2f元", "the hours lost are worth %.2f yuan, more than the %.2f that pass by themselves", lost, c.Policy.AutoYuan)})
	}
	switch {
	case slices.ContainsFunc(d.Findings, func(f Finding) bool { return f.Stops }):
		d.Outcome = Reject
	case slices.ContainsFunc(d.Findings, func(f Finding) bool { return f.Asks }):
	case rule.Auto:
		d.Outcome = Grant
	default:
		d.find(c.approval(d, rule))
	}
	return d
}

// approval says why leave waits against which nothing speaks: its kind is not granted by itself.
func (c Case) approval(d Decision, rule KindRule) Finding {
	f := Finding{Code: "leave.approval", Asks: true, Says: Text{ZH: rule.Name.ZH + "由主管批准", EN: "a supervisor approves " + rule.Name.EN}}
	if law, owed := c.Owed(d); owed {
		f.Says = text("依法应予批准（%s），待主管确认", "the law grants this leave (%s), a supervisor confirms it", law.Article)
	}
	return f
}

// ForAgent is the decision as the agent reads it: why it waits in plain words, and not what its hours are worth to the
// house.
func (d Decision) ForAgent() Decision {
	d.LostYuan = nil
	d.Days = slices.Clone(d.Days)
	for i := range d.Days {
		d.Days[i].LostYuan = nil
	}
	d.Findings = slices.Clone(d.Findings)
	for i, f := range d.Findings {
		if f.Code == codeCoverage {
			d.Findings[i].Says = text("这段时间人手紧张，需主管决定", "there are few people for the work in this time, so a supervisor decides")
		}
	}
	return d
}

func (d *Decision) find(f Finding) { d.Findings = append(d.Findings, f) }

// limits is what concerns the request as a whole.
func (c Case) limits(d *Decision, rule KindRule, region string, charges []Charge) {
	for _, own := range c.Own {
		if own.Overlaps(c.Range) {
			d.find(Finding{Code: "leave.overlap", Stops: true, Says: text("与已有的请假重叠", "overlaps leave that is there already")})
			break
		}
	}
	for day := range c.Range.Dates(c.Zone) {
		if !c.Employed.Contains(day) {
			d.find(Finding{Code: "leave.employed", Stops: true, Says: text("%s 不在合同期内", "no contract runs on %s", day)})
			break
		}
	}
	if len(charges) == 0 {
		d.find(Finding{Code: "leave.nothing", Stops: true, Says: text("这段时间没有工作", "there is no work in this time")})
	}
	c.length(d, rule, region, charges)
	if rule.Proof && c.Proof == "" {
		d.find(Finding{Code: "leave.proof", Asks: true, Says: text("缺少证明材料", "the document is missing")})
	}
	first := calendar.DateOf(c.Range.Start, c.Zone)
	if ahead := first.Sub(calendar.DateOf(c.Now, c.Zone)); ahead < rule.Notice {
		says := text("提前%d天，少于规定的%d天", "asked %d days ahead, the house wants %d", ahead, rule.Notice)
		if ahead < 0 {
			says = text("假期已开始%d天，规定须提前%d天", "asked %d days after it began, the house wants %d days ahead", -ahead, rule.Notice)
		}
		d.find(Finding{Code: "leave.notice", Asks: true, Says: says})
	}
}

// length is leave that is longer than its kind grants, as one request or in a calendar year.
func (c Case) length(d *Decision, rule KindRule, region string, charges []Charge) {
	if rule.MostDays == 0 {
		return
	}
	zh, en := rule.Name.ZH, rule.Name.EN
	if region != "" {
		zh, en = zh+"（"+region+"）", en+" ("+region+")"
	}
	if !rule.Yearly {
		if len(charges) > rule.MostDays {
			d.find(Finding{Code: "leave.length", Asks: true, Says: Text{
				ZH: fmt.Sprintf("%d天，超过%s的%d天", len(charges), zh, rule.MostDays), EN: fmt.Sprintf("%d days, %s is for %d", len(charges), en, rule.MostDays),
			}})
		}
		return
	}
	days := map[int]int{}
	for _, x := range charges {
		days[x.Date.Year]++
	}
	for _, year := range slices.Sorted(maps.Keys(days)) {
		if n, had := days[year], c.Taken[year]; n+had > rule.MostDays {
			d.find(Finding{Code: "leave.length", Asks: true, Says: Text{
				ZH: fmt.Sprintf("%d年已休%d天，再休%d天，超过%s每年%d天", year, had, n, zh, rule.MostDays),
				EN: fmt.Sprintf("%d days of %d are taken, %d more are above the %d that %s is a year", had, year, n, rule.MostDays, en),
			}})
		}
	}
}

// days is what concerns each day: quotas, closed days and coverage.
func (c Case) days(d *Decision, rule KindRule, charges []Charge) {
	lost := map[calendar.Date]float64{}
	if c.Coverage != nil {
		for _, l := range c.Coverage.Lost(c.Effect(), c.Zone) {
			lost[l.Date] = l.Yuan
			*d.LostYuan += l.Yuan
		}
	}
	for _, charge := range charges {
		yuan := lost[charge.Date]
		v := DayView{Date: charge.Date, Minutes: charge.Minutes, Heads: -1, LostYuan: &yuan}
		v.Known = c.Coverage != nil && c.Coverage.Known(charge.Date, c.Zone)
		for _, q := range c.Policy.Quotas {
			if !covers(q.Site, q.Team, c.Site, c.Team) || !on(q.Dates, charge.Date) {
				continue
			}
			if away := c.away(q, charge.Date); v.Heads < 0 || q.Heads-away < v.Heads-v.Away {
				v.Heads, v.Away, v.Quota = q.Heads, away, q.Name
			}
		}
		if v.Heads >= 0 && v.Away >= v.Heads {
			d.find(Finding{Code: "leave.quota", Asks: !rule.Protected, Says: text("%s 的名额“%s”已满（%d/%d）", "the quota %[2]q of %[1]s is full (%[3]d of %[4]d)", charge.Date, v.Quota, v.Away, v.Heads)})
		}
		for _, closed := range c.Closures {
			if covers(closed.Site, closed.Team, c.Site, c.Team) && on(closed.Dates, charge.Date) {
				d.find(Finding{Code: "leave.closed", Asks: !rule.Protected, Says: text("%s 属于“%s”，不自动批假", "%s is closed for leave: %s", charge.Date, closed.Name)})
				break
			}
		}
		d.Days = append(d.Days, v)
	}
}

// away counts the others of a quota's people who are on leave on a day.
func (c Case) away(q Quota, d calendar.Date) int {
	day := calendar.Day(d, c.Zone)
	seen := map[ids.Agent]bool{}
	for _, o := range c.Others {
		if o.Agent != c.Agent && covers(q.Site, q.Team, o.Site, o.Team) && o.Range.Overlaps(day) {
			seen[o.Agent] = true
		}
	}
	return len(seen)
}

func text(zh, en string, args ...any) Text {
	return Text{ZH: fmt.Sprintf(zh, args...), EN: fmt.Sprintf(en, args...)}
}
