package kpi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// The counting bases. One name ("3-minute rate") means different things on different platforms
// because they count different things; a definition says which.
const (
	BaseRound    = "round"     // 轮次: first unanswered buyer message to the next reply
	BaseSession  = "session"   // 会话
	BaseBuyerDay = "buyer-day" // 人: one buyer of one shop on one business day
	BaseInquiry  = "inquiry"   // 询单: a buyer-day with a pre-sale consult, judged by what the buyer ordered
	BaseTicket   = "ticket"    // 工单
)

// Measure says what an item adds to a figure.
type Measure string

// The measures.
const (
	Within    Measure = "within"    // numerator 1 when the reply came within the limit (0 = ever), denominator 1
	Mean      Measure = "mean"      // numerator the seconds of the reply, denominator 1
	Items     Measure = "items"     // numerator 1: a count
	Converted Measure = "converted" // base inquiry: numerator 1 when the buyer did Order in time, denominator 1
	Amount    Measure = "amount"    // base inquiry: yuan of the attributed Order events in time, a count
)

// Rule says how a definition counts events; every choice that platforms make differently is a field.
//
// A round opens with the first unanswered buyer message and closes with the next reply. Automatic
// welcomes never reply. What is left out counts in neither numerator nor denominator.
type Rule struct {
	Measure Measure `json:"measure" yaml:"measure"`
	Limit   int     `json:"limit_s,omitempty" yaml:"limit_s,omitempty"` // seconds, at the limit counts; 0 = any reply
	Cap     int     `json:"cap_s,omitempty" yaml:"cap_s,omitempty"`     // seconds that one item counts at most in a mean; 0 = no cap

	Judge string `json:"judge,omitempty" yaml:"judge,omitempty"` // sessions and buyer-days: first (default) or every round
	Start string `json:"start,omitempty" yaml:"start,omitempty"` // clock starts at the buyer's message (buyer, default) or, for the first round of a session, at entry into the human stage (entry)
	Stop  string `json:"stop,omitempty" yaml:"stop,omitempty"`   // clock stops at a reply by a person (human, default) or by a person or bot (any)
	Hours string `json:"hours,omitempty" yaml:"hours,omitempty"` // the clock only runs in these hours, "Mon-Fri 09:00-17:00"; empty = always

	Window string `json:"window,omitempty" yaml:"window,omitempty"` // daily window "09:00-23:00" of what dates the item; empty = all day
	Cut    string `json:"cut,omitempty" yaml:"cut,omitempty"`       // an item is dated by the opening of its round (event, default) or the start of its session (session)

	Closing     string `json:"closing,omitempty" yaml:"closing,omitempty"`         // a closing buyer message (谢谢, 好的): ignore (default) or open a round like any other (open)
	ZeroSecond  string `json:"zero_second,omitempty" yaml:"zero_second,omitempty"` // a reply in less than a second: count (default) or exclude
	CrossDay    string `json:"cross_day,omitempty" yaml:"cross_day,omitempty"`     // a reply on a later business day than its round: count (default), miss or exclude
	Transferred string `json:"transferred,omitempty" yaml:"transferred,omitempty"` // a round open during a transfer: counts for who replies (receiver, default), its clock restarts at the last transfer (restart), exclude
	Unanswered  string `json:"unanswered,omitempty" yaml:"unanswered,omitempty"`   // a round without a reply: miss (default of within), exclude (default of mean), until_end (a mean counts it until the session's end, and leaves it out when none after its opening is known)

	Order     string `json:"order,omitempty" yaml:"order,omitempty"`           // base inquiry: what the buyer does: order, payment or shipment
	CloseDays int    `json:"close_days,omitempty" yaml:"close_days,omitempty"` // base inquiry: business days after the inquiry's own on which it still counts; 0 = the same day
	Net       bool   `json:"net,omitempty" yaml:"net,omitempty"`               // measure amount: minus refunds of the same buyers in the same time
}

// Exemption is a period that a platform does not assess; items dated in it are left out.
type Exemption struct {
	calendar.Dates `yaml:",inline"`
	Reason         string `json:"reason" yaml:"reason"`
	Source         string `json:"source" yaml:"source"`
}

// Key names one version of a metric wherever versions are stored or shown together: "metric@version".
func (d Definition) Key() string { return string(d.Metric) + "@" + d.Version }

// Covers reports whether the definition counts shops of a platform; one without platforms counts all.
func (d Definition) Covers(platform string) bool {
	return len(d.Platforms) == 0 || slices.Contains(d.Platforms, platform)
}

// Hears reports whether the definition counts conversations of a channel; one without channels counts all.
func (d Definition) Hears(channel string) bool {
	return len(d.Channels) == 0 || slices.Contains(d.Channels, channel)
}

// ChannelProblems reports every bad channel of a definition, with paths relative to it: only a rule that
// counts conversations can tell one channel from another.
func (d Definition) ChannelProblems() []fault.Field {
	var bad []fault.Field
	for i, channel := range d.Channels {
		path := fmt.Sprintf("channels[%d]", i)
		if !slices.Contains([]string{"chat", "call"}, channel) {
			bad = append(bad, fault.Field{Path: path, Value: channel, Problem: "must be chat or call"})
		}
		if slices.Contains(d.Channels[:i], channel) {
			bad = append(bad, fault.Field{Path: path, Value: channel, Problem: "is named twice"})
		}
	}
	if len(d.Channels) > 0 && (d.Rule == nil || !slices.Contains([]string{BaseRound, BaseSession, BaseBuyerDay}, d.Base)) {
		bad = append(bad, fault.Field{Path: "channels", Problem: "needs a rule on the base round, session or buyer-day"})
	}
	return bad
}

// Exempted reports whether a business date lies in an exempt period of the definition.
func (d Definition) Exempted(date calendar.Date) bool {
	return slices.ContainsFunc(d.Exempt, func(e Exemption) bool { return e.Contains(date) })
}

// WithDefaults fills in the choices that a rule leaves open.
func (r Rule) WithDefaults() Rule {
	fill := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	fill(&r.Judge, "first")
	fill(&r.Start, "buyer")
	fill(&r.Stop, "human")
	fill(&r.Cut, "event")
	fill(&r.Closing, "ignore")
	fill(&r.ZeroSecond, "count")
	fill(&r.CrossDay, "count")
	fill(&r.Transferred, "receiver")
	if r.Measure == Mean {
		fill(&r.Unanswered, "exclude")
	}
	fill(&r.Unanswered, "miss")
	return r
}

// choices are the values of the fields that choose.
var choices = map[string][]string{
	"judge": {"first", "every"}, "start": {"buyer", "entry"}, "stop": {"human", "any"}, "cut": {"event", "session"},
	"closing": {"ignore", "open"}, "zero_second": {"count", "exclude"}, "cross_day": {"count", "miss", "exclude"},
	"transferred": {"receiver", "restart", "exclude"}, "unanswered": {"miss", "exclude", "until_end"},
}

// Problems reports every bad field of a rule on a counting base, with paths relative to it.
func (r Rule) Problems(base string) []fault.Field {
	full := r.WithDefaults()
	var bad []fault.Field
	add := func(path, value, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: value, Problem: problem})
	}
	measures := map[string][]Measure{
		BaseRound: {Within, Mean, Items}, BaseSession: {Within, Mean, Items}, BaseBuyerDay: {Within, Items},
		BaseInquiry: {Converted, Amount, Items}, BaseTicket: {Within, Mean, Items},
	}
	if allowed, ok := measures[base]; !ok || !slices.Contains(allowed, r.Measure) {
		add("measure", string(r.Measure), fmt.Sprintf("must be one of %s on the base %s", fault.Names(allowed), base))
	}
	for path, value := range map[string]string{
		"judge": full.Judge, "start": full.Start, "stop": full.Stop, "cut": full.Cut, "closing": full.Closing, "zero_second": full.ZeroSecond,
		"cross_day": full.CrossDay, "transferred": full.Transferred, "unanswered": full.Unanswered,
	} {
		if !slices.Contains(choices[path], value) {
			add(path, value, "must be one of "+strings.Join(choices[path], ", "))
		}
	}
	if r.Limit < 0 || r.Limit > 7*86400 {
		add("limit_s", fmt.Sprint(r.Limit), "must be from 0 to 604800 seconds")
	}
	if r.Cap < 0 || r.Cap > 7*86400 {
		add("cap_s", fmt.Sprint(r.Cap), "must be from 0 to 604800 seconds")
	}
	if _, err := parseMinutes(r.Window, 1); err != nil {
		add("window", r.Window, err.Error())
	}
	if _, err := ParseClock(r.Hours); err != nil {
		add("hours", r.Hours, err.Error())
	}
	if base == BaseInquiry && !slices.Contains([]string{"order", "payment", "shipment"}, r.Order) && r.Measure != Items {
		add("order", r.Order, "must be order, payment or shipment")
	}
	if r.CloseDays < 0 || r.CloseDays > 60 {
		add("close_days", fmt.Sprint(r.CloseDays), "must be from 0 to 60")
	}
	slices.SortFunc(bad, func(a, b fault.Field) int { return strings.Compare(a.Path, b.Path) })
	return bad
}

// Daily is the daily window of the rule; the zero Window is the whole day. The rule must be valid.
func (r Rule) Daily() Window {
	w, _ := parseMinutes(r.Window, 1) // a valid rule has a valid window
	return w
}
