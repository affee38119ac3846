// Package casefile reads the plain text files that say what metric definitions must count: who
// wrote when, and what is expected of it. A supervisor can review and write them.
//
// It does not own counting (kpi/tally, kpi/warehouse) or the definitions that ship (configs); a file
// may define rules of its own. Times are on the wall clock of the case's zone, Asia/Shanghai unless
// the case says otherwise, and dates are business dates.
//
// # The text
//
// A line is one statement; what follows a # at its start or after a blank is a comment.
//
//	rule one_minute@v1 base=round measure=within limit_s=60 effective=2021-12-01..2022-01-01
//	case the first message waits 7:55
//	source dingjiuxi.cn/tbnews/14066.html
//	zone Asia/Shanghai
//	platform taobao
//	closing 谢谢 好的
//	conversation c1 buyer=b1
//	2021-11-01 10:10:15 buyer 在吗
//	2021-11-01 10:18:10.250 agent:xiaomei 在的
//	expect taobao.wangwang_3min@v2020 0/1
//	expect one_minute@v1 0/1 agent=xiaomei date=2021-11-01
//
// rule names a definition as metric@version. Its options are those of kpi.Rule and of the
// definition: base, unit, min_sample, platforms=jd,tmall, channels=chat, effective=FROM..UNTIL and exempt=FROM..UNTIL
// (UNTIL is the first date after it).
// A rule stands for itself; which file it is in does not matter.
//
// conversation opens one; the messages after it are its events. With started= it has a header, which
// may also say answered, bot_answered, ended, rating, abandoned, channel=call, and rounds: "round OPENED ANSWERED [agent:NAME]"
// with "-" for never. An option's time is 2021-11-01T10:10:15. The options merchant, shop, queue and
// agent place it. repeat=100 step=1m makes a hundred of it, each a minute later; a # in its name or
// buyer becomes the number.
//
// Who: buyer, buyer(closing), agent:NAME, bot, welcome, transfer:NAME, handover, rating:5, end.
// A buyer's text that is a phrase of the case's closing line closes as well.
//
// Orders have their time, step and options: "2026-11-01 10:00:00 inquiry buyer=b1 order=c1 agent=a1",
// and likewise order, payment and refund with amount=199.00, and shipment. A ticket is
// "ticket t1 opened=... due=... closed=... agent=a1".
//
// expect names the metric, with a version or as in force, and N/D: 3/4, "1200/2 seconds", or N alone
// for a count; then, as wanted, merchant=, shop=, queue= or agent= of the group, date= or from= and to= (both
// inclusive), and too_few when the sample is smaller than the minimum.
package casefile

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Case is one case: what happened, and what is expected of it.
type Case struct {
	File     string
	Line     int // of its case line
	Name     string
	Source   string         // what the expected figures rest on
	Zone     *time.Location // business time zone
	Platform string         // of its shops; "" = not said

	Conversations []chatlog.Conversation // headers
	Events        []chatlog.Event
	Timelines     []chatlog.Timeline // headers and events assembled, in the order of the file
	Orders        []chatlog.OrderEvent
	Tickets       []chatlog.Ticket
	Expects       []Expect
}

// String says where a case is: "taobao.txt:3 the first message waits".
func (c Case) String() string { return fmt.Sprintf("%s:%d %s", c.File, c.Line, c.Name) }

// Expect is one expected figure.
type Expect struct {
	File        string
	Line        int
	Metric      kpi.Metric
	Version     string // "" = as in force on each date
	Numerator   float64
	Denominator float64 // 1 for a count
	TooFew      bool
	Query       kpi.Query   // asks for it, grain whole
	Group       kpi.Reading // merchant, shop, queue and agent of the group that is expected, as far as Query.By names them
}

// Pick takes the expected group's reading out of the answers to Query; a group that is not there is
// 0 of 0.
func (e Expect) Pick(readings []kpi.Reading) kpi.Reading {
	for _, r := range readings {
		if r.Metric == e.Metric && r.Merchant == e.Group.Merchant && r.Shop == e.Group.Shop && r.Queue == e.Group.Queue && r.Agent == e.Group.Agent {
			return r
		}
	}
	return kpi.Reading{}
}

// Check says how a reading differs from what is expected, "" when it does not.
func (e Expect) Check(got kpi.Reading) string {
	const rounding = 1e-9
	near := func(a, b float64) bool { return a-b < rounding && b-a < rounding }
	if near(got.Numerator, e.Numerator) && near(got.Denominator, e.Denominator) && got.TooFew == e.TooFew {
		return ""
	}
	few := map[bool]string{true: " too_few"}
	return fmt.Sprintf("%s:%d: %s: expected %v/%v%s, got %v/%v%s", e.File, e.Line, key(e.Metric, e.Version),
		e.Numerator, e.Denominator, few[e.TooFew], got.Numerator, got.Denominator, few[got.TooFew])
}

func key(metric kpi.Metric, version string) string {
	if version == "" {
		return string(metric)
	}
	return string(metric) + "@" + version
}

// Suite is what a directory of case files holds.
type Suite struct {
	Rules kpi.Definitions // of all files, in their order
	Cases []Case
}

// Load reads every .txt file of a directory, in the order of their names. It reports every bad line.
// Errors: kpi.case.invalid, kpi.case.file.
func Load(dir fs.FS) (Suite, error) {
	names, err := fs.Glob(dir, "*.txt")
	if err != nil {
		return Suite{}, fault.Wrap(err, fault.Internal, "kpi.case.file", "the case files cannot be listed")
	}
	var suite Suite
	var bad []fault.Field
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return Suite{}, fault.Wrap(err, fault.NotFound, "kpi.case.file", "the case file %s cannot be read", name)
		}
		p := parse(name, string(text))
		for _, d := range p.rules {
			if slices.ContainsFunc(suite.Rules, func(o kpi.Definition) bool { return o.Key() == d.Key() }) {
				p.bad = append(p.bad, fault.Field{File: name, Value: d.Key(), Problem: "is a rule of another file too"})
			}
		}
		suite.Rules, suite.Cases = append(suite.Rules, p.rules...), append(suite.Cases, p.cases...)
		bad = append(bad, p.bad...)
	}
	return suite, fault.Bad("kpi.case.invalid", "case files", bad)
}

// Parse reads one file. It reports every bad line with file and number. Errors: kpi.case.invalid.
func Parse(name, text string) (Suite, error) {
	p := parse(name, text)
	return Suite{Rules: p.rules, Cases: p.cases}, fault.Bad("kpi.case.invalid", "case file", p.bad)
}

// assemble puts the case's conversations together, in the order in which the file names them.
func (c *Case) assemble() {
	type name struct {
		merchant ids.Merchant
		id       string
	}
	var names []name
	headers := map[name]*chatlog.Conversation{}
	events := map[name][]chatlog.Event{}
	add := func(n name) {
		if _, ok := headers[n]; !ok {
			headers[n] = nil
			names = append(names, n)
		}
	}
	for i, h := range c.Conversations {
		n := name{h.Merchant, h.ID}
		add(n)
		headers[n] = &c.Conversations[i]
	}
	for _, e := range c.Events {
		n := name{e.Merchant, e.Conversation}
		add(n)
		events[n] = append(events[n], e)
	}
	for _, n := range names {
		c.Timelines = append(c.Timelines, chatlog.Assemble(headers[n], events[n]))
	}
}

// span is the range of business days in which everything in the case is dated.
func (c *Case) span() calendar.Range {
	var first, last time.Time
	see := func(t time.Time) {
		if t.IsZero() {
			return
		}
		if first.IsZero() || t.Before(first) {
			first = t
		}
		if t.After(last) {
			last = t
		}
	}
	for _, t := range c.Timelines {
		see(t.StartedAt)
		for _, e := range t.Events {
			see(e.At)
		}
	}
	for _, o := range c.Orders {
		see(o.At)
	}
	for _, t := range c.Tickets {
		see(t.OpenedAt)
	}
	if first.IsZero() {
		first, last = epoch, epoch
	}
	return calendar.Range{Start: calendar.DateOf(first, c.Zone).In(c.Zone), End: calendar.DateOf(last, c.Zone).Add(1).In(c.Zone)}
}

// epoch stands for the dates of a case without any.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// group notes one dimension of an expected figure.
func (e *Expect) group(by kpi.Dimension, value string) {
	e.Query.By = append(e.Query.By, by)
	switch by {
	case kpi.ByMerchant:
		e.Group.Merchant = ids.Merchant(value)
	case kpi.ByShop:
		e.Group.Shop = ids.Shop(value)
	case kpi.ByQueue:
		e.Group.Queue = ids.Queue(value)
	case kpi.ByAgent:
		e.Group.Agent = ids.Agent(value)
	}
}

// Shops maps the case's shops to its platform, as the warehouse wants to know it; empty when the
// case names no platform.
func (c Case) Shops() map[ids.Shop]string {
	shops := map[ids.Shop]string{}
	if c.Platform == "" {
		return shops
	}
	for _, t := range c.Timelines {
		shops[t.Shop] = c.Platform
	}
	for _, o := range c.Orders {
		shops[o.Shop] = c.Platform
	}
	for _, t := range c.Tickets {
		shops[t.Shop] = c.Platform
	}
	return shops
}

func defaults(s, otherwise string) string { return cmp.Or(strings.TrimSpace(s), otherwise) }
