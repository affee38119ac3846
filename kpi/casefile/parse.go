package casefile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Limits of one file, so that a slip of the pen does not fill the memory.
const (
	maxRepeat = 10_000
	maxLines  = 100_000

	longestClosing = 20 // characters of a message that a case's closing line can mark
)

// What a line that names no place belongs to.
const (
	someMerchant = "m"
	someShop     = "s"
	someQueue    = "q"
)

// parser reads one file, line by line.
type parser struct {
	file  string
	line  int
	rules kpi.Definitions
	cases []Case
	bad   []fault.Field

	open    *block // the conversation whose lines follow
	closing chatlog.ClosingRule
	expects []pending // of the last case, until all of it is read
}

// pending is an expected figure whose range is not known yet.
type pending struct {
	expect Expect
	dates  calendar.Dates // zero = all of the case
}

func parse(file, text string) *parser {
	p := &parser{file: file}
	lines := strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n")
	if len(lines) > maxLines {
		p.line = maxLines
		p.problem("", "has more than %d lines", maxLines)
		return p
	}
	for i, line := range lines {
		p.line = i + 1
		if line = strings.TrimSpace(comment(line)); line != "" {
			p.statement(line)
		}
	}
	p.finish()
	return p
}

// comment cuts off what follows a # at the start of a line or after a blank.
func comment(line string) string {
	if strings.HasPrefix(strings.TrimSpace(line), "#") {
		return ""
	}
	for i := range line {
		if line[i] == '#' && (line[i-1] == ' ' || line[i-1] == '\t') {
			return line[:i]
		}
	}
	return line
}

func (p *parser) problem(value, format string, args ...any) {
	p.bad = append(p.bad, fault.Field{File: p.file, Row: p.line, Value: value, Problem: fmt.Sprintf(format, args...)})
}

// check notes what is wrong with a value that the line made.
func (p *parser) check(err error) {
	if err != nil {
		p.problem("", "%s", err)
	}
}

// statement reads one line.
func (p *parser) statement(line string) {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case word == "rule":
		p.rule(rest)
		return
	case word == "case":
		p.finish()
		if rest == "" {
			p.problem("", "a case needs a name")
		}
		p.cases = append(p.cases, Case{File: p.file, Line: p.line, Name: rest, Zone: shanghai})
		return
	case len(p.cases) == 0:
		p.problem(line, "only rules may stand before the first case")
		return
	}
	c := &p.cases[len(p.cases)-1]
	switch word {
	case "source":
		c.Source = defaults(c.Source+" "+rest, "")
	case "zone":
		p.zone(c, rest)
	case "platform":
		c.Platform = rest
	case "closing":
		p.closing.Phrases = append(p.closing.Phrases, strings.Fields(rest)...)
	case "conversation":
		p.flush()
		p.conversation(rest)
	case "round":
		p.round(c, rest)
	case "ticket":
		p.ticket(c, rest)
	case "expect":
		p.expect(rest)
	default:
		p.event(c, line)
	}
}

// shanghai is the zone of cases that name none. UTC+8 has no clock changes since 1991, so the
// fixed zone stands in on a machine without time zones.
var shanghai = func() *time.Location {
	if zone, err := time.LoadLocation("Asia/Shanghai"); err == nil {
		return zone
	}
	return time.FixedZone("Asia/Shanghai", 8*3600)
}()

func (p *parser) zone(c *Case, name string) {
	if len(c.Events)+len(c.Conversations)+len(c.Orders)+len(c.Tickets)+len(p.expects) > 0 || p.open != nil {
		p.problem(name, "the zone must be said before anything has a time")
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		p.problem(name, "is not a time zone like Asia/Shanghai")
		return
	}
	c.Zone = zone
}

// finish ends the last case: everything in it is known.
func (p *parser) finish() {
	p.flush()
	p.closing = chatlog.ClosingRule{Version: "case", MaxRunes: longestClosing}
	if len(p.cases) == 0 {
		return
	}
	c := &p.cases[len(p.cases)-1]
	c.assemble()
	for _, e := range p.expects {
		e.expect.Query.Range = c.span()
		if e.dates != (calendar.Dates{}) {
			e.expect.Query.Range = calendar.Range{Start: e.dates.From.In(c.Zone), End: e.dates.Until.In(c.Zone)}
		}
		c.Expects = append(c.Expects, e.expect)
	}
	p.expects = nil
}

// options reads "key=value key=value"; it refuses keys that are not allowed and keys named twice.
func (p *parser) options(words []string, allowed ...string) map[string]string {
	found := map[string]string{}
	for _, w := range words {
		name, value, ok := strings.Cut(w, "=")
		_, again := found[name]
		switch {
		case !ok:
			p.problem(w, "must be a choice like name=value")
		case !slices.Contains(allowed, name):
			p.problem(w, "is no choice here; there are %s", strings.Join(allowed, ", "))
		case again:
			p.problem(w, "is said twice")
		default:
			found[name] = value
		}
	}
	return found
}

// instant reads a time of an option; "" is none.
func (p *parser) instant(s string, zone *time.Location) time.Time {
	if s == "" || s == "-" {
		return time.Time{}
	}
	t, err := time.ParseInLocation("2006-01-02T15:04:05", s, zone)
	if err != nil || t.Year() < 2000 || t.Year() >= 2100 {
		p.problem(s, "must be a time like 2021-11-01T10:10:15, from 2000 to 2099")
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

func (p *parser) date(s string) calendar.Date {
	d, err := calendar.ParseDate(s)
	if err != nil {
		p.problem(s, "must be a date like 2021-11-01")
		return epochDate
	}
	return d
}

var epochDate = calendar.DateOf(epoch, time.UTC)

func (p *parser) number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		p.problem(s, "must be a whole number")
	}
	return n
}

func (p *parser) amount(s string) money.Fen {
	if s == "" {
		return 0
	}
	fen, err := money.Parse(s)
	if err != nil {
		p.problem(s, "must be an amount like 199.00")
	}
	return fen
}

// ticket reads "t1 opened=... due=... closed=...".
func (p *parser) ticket(c *Case, rest string) {
	words := strings.Fields(rest)
	if len(words) == 0 {
		p.problem("", "a ticket needs a name")
		return
	}
	o := p.options(words[1:], "opened", "due", "closed", "merchant", "shop", "queue", "agent", "buyer", "tag")
	t := chatlog.Ticket{
		Merchant: ids.Merchant(defaults(o["merchant"], someMerchant)), Shop: ids.Shop(defaults(o["shop"], someShop)),
		Queue: ids.Queue(defaults(o["queue"], someQueue)), Agent: ids.Agent(o["agent"]), ID: words[0], Tag: o["tag"], Buyer: o["buyer"],
		OpenedAt: p.instant(o["opened"], c.Zone), DueAt: p.instant(o["due"], c.Zone), ClosedAt: p.instant(o["closed"], c.Zone),
	}
	if t.OpenedAt.IsZero() {
		p.problem("", "a ticket needs opened=")
		return
	}
	p.check(t.Validate())
	c.Tickets = append(c.Tickets, t)
}

// order reads the options of "TIME payment buyer=b1 order=o1 amount=199.00".
func (p *parser) order(c *Case, at time.Time, kind chatlog.OrderKind, words []string) {
	o := p.options(words, "merchant", "shop", "queue", "agent", "buyer", "order", "amount")
	e := chatlog.OrderEvent{
		Merchant: ids.Merchant(defaults(o["merchant"], someMerchant)), Shop: ids.Shop(defaults(o["shop"], someShop)),
		Queue: ids.Queue(o["queue"]), Agent: ids.Agent(o["agent"]), Buyer: o["buyer"], Order: o["order"], Kind: kind, At: at,
		Amount: p.amount(o["amount"]),
	}
	if e.Order == "" {
		e.Order = fmt.Sprint("line", p.line)
	}
	if e.Kind == chatlog.Inquiry {
		e.Queue = ids.Queue(defaults(o["queue"], someQueue))
	}
	if e.Buyer == "" {
		p.problem("", "a step of an order needs buyer=")
		return
	}
	p.check(e.Validate())
	c.Orders = append(c.Orders, e)
}

// expect reads "METRIC[@VERSION] N/D [seconds] [choices]".
func (p *parser) expect(rest string) {
	words := strings.Fields(rest)
	if len(words) < 2 {
		p.problem(rest, "must be like: expect metric@version 1/2")
		return
	}
	metric, version, _ := strings.Cut(words[0], "@")
	e := Expect{File: p.file, Line: p.line, Metric: kpi.Metric(metric), Version: version}
	above, below, isRatio := strings.Cut(words[1], "/")
	numerator, err := strconv.ParseFloat(above, 64)
	denominator, errBelow := 1.0, error(nil)
	if isRatio {
		denominator, errBelow = strconv.ParseFloat(below, 64)
	}
	if err != nil || errBelow != nil {
		p.problem(words[1], "must be N/D, or N for a count")
	}
	e.Numerator, e.Denominator = numerator, denominator
	words = slices.DeleteFunc(words[2:], func(w string) bool {
		e.TooFew = e.TooFew || w == "too_few"
		return w == "too_few" || w == "seconds" || w == "yuan"
	})
	o := p.options(words, "merchant", "shop", "queue", "agent", "date", "from", "to")
	for _, by := range []kpi.Dimension{kpi.ByMerchant, kpi.ByShop, kpi.ByQueue, kpi.ByAgent} {
		if value, ok := o[string(by)]; ok {
			e.group(by, value)
		}
	}
	e.Query.Metrics, e.Query.Version, e.Query.Grain = []kpi.Metric{e.Metric}, version, kpi.Whole
	p.expects = append(p.expects, pending{e, p.dates(o)})
}

// dates reads date=, or from= and to=, all inclusive.
func (p *parser) dates(o map[string]string) calendar.Dates {
	date, one := o["date"]
	from, hasFrom := o["from"]
	to, hasTo := o["to"]
	switch {
	case one && (hasFrom || hasTo) || hasFrom != hasTo:
		p.problem("", "say date=, or from= and to=")
	case one:
		d := p.date(date)
		return calendar.Dates{From: d, Until: d.Add(1)}
	case hasFrom:
		dates := calendar.Dates{From: p.date(from), Until: p.date(to).Add(1)}
		if !dates.From.Before(dates.Until) {
			p.problem(to, "is before from=")
		}
		return dates
	}
	return calendar.Dates{}
}
