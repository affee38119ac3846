package warehouse

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/kpi"
)

// ruled is a definition with a rule on the base round, session or buyer-day, to be computed over an
// assembly. kpi/tally tells what each choice means; this file says the same in SQL, and a property
// test holds the two against each other.
type ruled struct {
	definition kpi.Definition
	rule       kpi.Rule // with defaults
	zone       *time.Location
	anyDate    bool // also outside the dates the definition is in force on
}

func newRuled(d kpi.Definition, zone *time.Location, anyDate bool) ruled {
	return ruled{definition: d, rule: d.Rule.WithDefaults(), zone: zone, anyDate: anyDate}
}

// rolledUp reports whether a definition is kept in metric_slots or buyer_days.
func rolledUp(d kpi.Definition) bool {
	return d.Rule != nil && (d.Base == kpi.BaseRound || d.Base == kpi.BaseSession || d.Base == kpi.BaseBuyerDay)
}

// date is the business day of an instant in ms.
func (d ruled) date(ms string) string {
	return fmt.Sprintf("toDate(toDateTime(intDiv(%s, 1000), %s))", ms, quote(d.zone.String()))
}

// In the expressions below r is a round (see withRounds) and k its number in the conversation.

func (d ruled) late() string {
	return fmt.Sprintf("(r.3 >= 0 AND %s > %s)", d.date("r.3"), d.date("r.1"))
}

// unlessLate is a field of the round, or what it is when a late reply is none.
func (d ruled) unlessLate(field, missed string) string {
	if d.rule.CrossDay == "miss" {
		return fmt.Sprintf("if(%s, %s, %s)", d.late(), missed, field)
	}
	return field
}

func (d ruled) stop() string        { return d.unlessLate("r.3", "-1") }
func (d ruled) agent() string       { return d.unlessLate("r.4", "r.2") }
func (d ruled) transferred() string { return d.unlessLate("r.5", "last_number") + " > r.7" }

// start is when the response clock starts.
func (d ruled) start() string {
	start := "r.1"
	if d.rule.Start == "entry" {
		start = "if(k = 1, started, r.1)"
	}
	if d.rule.Transferred == "restart" {
		start = fmt.Sprintf("if(%s, %s, %s)", d.transferred(), d.unlessLate("r.6", "last_instant"), start)
	}
	return start
}

// left is true for a round that counts in neither numerator nor denominator.
func (d ruled) left() string {
	var any []string
	if d.rule.CrossDay == "exclude" {
		any = append(any, d.late())
	}
	if d.rule.Transferred == "exclude" {
		any = append(any, d.transferred())
	}
	if d.rule.ZeroSecond == "exclude" {
		any = append(any, fmt.Sprintf("%[1]s >= 0 AND %[1]s - %[2]s < 1000", d.stop(), d.start()))
	}
	if d.rule.Unanswered == "exclude" || d.rule.Measure == kpi.Mean && d.rule.Unanswered != "until_end" {
		any = append(any, d.stop()+" < 0")
	}
	if d.rule.Measure == kpi.Mean && d.rule.Unanswered == "until_end" {
		any = append(any, d.stop()+" < 0 AND finished <= r.1") // nobody knows how long it waited
	}
	if len(any) == 0 {
		return "0"
	}
	return "(" + strings.Join(any, ") OR (") + ")"
}

// value is what a round adds to the numerator; of a mean it is in ms.
func (d ruled) value() string {
	switch d.rule.Measure {
	case kpi.Items:
		return "toUInt64(1)"
	case kpi.Within:
		if d.rule.Limit == 0 {
			return fmt.Sprintf("toUInt64(%s >= 0)", d.stop())
		}
		return fmt.Sprintf("toUInt64(%s >= 0 AND %s <= %d)", d.stop(), d.elapsed(d.start(), d.stop()), d.rule.Limit*1000)
	}
	stop := d.stop()
	if d.rule.Unanswered == "until_end" {
		stop = fmt.Sprintf("if(%s >= 0, %s, finished)", stop, stop)
	}
	return d.capped(d.elapsed(d.start(), stop))
}

func (d ruled) capped(elapsed string) string {
	if d.rule.Cap > 0 {
		elapsed = fmt.Sprintf("least(%s, %d)", elapsed, d.rule.Cap*1000)
	}
	return "toUInt64(" + elapsed + ")"
}

// elapsed is how many ms the rule's clock ran, never less than zero.
func (d ruled) elapsed(from, to string) string {
	clock, _ := kpi.ParseClock(d.rule.Hours) // a valid rule has a valid clock
	if clock.Always {
		return fmt.Sprintf("greatest(0, %s - %s)", to, from)
	}
	return fmt.Sprintf("greatest(0, %s - %s)", d.ran(clock, to), d.ran(clock, from))
}

// ran is how many ms the clock ran on the wall from the first Monday on until an instant: whole weeks,
// whole days of the week, and what has passed of the day's hours. Day 0 of the calendar was a Thursday.
func (d ruled) ran(clock kpi.Clock, ms string) string {
	const minute = 60_000
	var before, from, length []string
	week := 0
	for _, w := range clock.Days {
		before = append(before, fmt.Sprint(week*minute))
		from = append(from, fmt.Sprint(w.From*minute))
		length = append(length, fmt.Sprint((w.Until-w.From)*minute))
		week += w.Until - w.From
	}
	wall := fmt.Sprintf("(%[1]s + 1000 * timezoneOffset(toDateTime(intDiv(%[1]s, 1000), %[2]s)))", ms, quote(d.zone.String()))
	day := fmt.Sprintf("(intDiv(%s, 86400000) + 3)", wall)
	at := func(list []string) string { return fmt.Sprintf("[%s][%s %% 7 + 1]", strings.Join(list, ", "), day) }
	return fmt.Sprintf("(intDiv(%s, 7) * %d + %s + greatest(0, least(%s %% 86400000 - %s, %s)))",
		day, week*minute, at(before), wall, at(from), at(length))
}

// assessed is the condition that what is dated at an instant (ms) lies in the rule's window and in no
// exempt period.
func (d ruled) assessed(ms string) string {
	var all conditions
	if w := d.rule.Daily(); w != (kpi.Window{}) {
		all = append(all, inWindow(w, fmt.Sprintf("toDateTime(intDiv(%s, 1000), 'UTC')", ms), d.zone))
	}
	for _, e := range d.definition.Exempt {
		all = append(all, "NOT ("+d.during(ms, e.Dates)+")")
	}
	return all.String()
}

// inForce is the condition that the definition is in force at an instant (ms).
func (d ruled) inForce(ms string) string {
	if d.anyDate {
		return "1"
	}
	return d.during(ms, d.definition.Effective)
}

// during is the condition that an instant lies on some business dates.
func (d ruled) during(ms string, dates calendar.Dates) string {
	c := conditions{fmt.Sprintf("%s >= %d", ms, dates.From.In(d.zone).UnixMilli())}
	if !dates.Until.IsZero() {
		c = append(c, fmt.Sprintf("%s < %d", ms, dates.Until.In(d.zone).UnixMilli()))
	}
	return c.String()
}

// inWindow is the condition that an instant lies in a daily window of local minutes.
func inWindow(w kpi.Window, instant string, zone *time.Location) string {
	minute := fmt.Sprintf("(toHour(%[1]s, %[2]s) * 60 + toMinute(%[1]s, %[2]s))", instant, quote(zone.String()))
	join := "AND"
	if w.From > w.Until {
		join = "OR"
	}
	return fmt.Sprintf("(%[1]s >= %[2]d %[3]s %[1]s < %[4]d)", minute, w.From, join, w.Until)
}

// items is an array of what a conversation adds, as tuples (number, dated, opened, agent, value).
func (d ruled) items(number int) string {
	rounds := formingOf(d.rule).name()
	first := d.rule.Judge == "first" && d.definition.Base != kpi.BaseRound // known even when the log only tells the first response
	every := d.rule.Judge == "every" && d.rule.Measure != kpi.Mean
	if d.definition.Base == kpi.BaseSession && !every {
		rounds = fmt.Sprintf("arraySlice(%s, 1, 1)", rounds)
	}
	dated := "r.1"
	if d.rule.Cut == "session" {
		dated = "started"
	}
	judged := fmt.Sprintf("arrayFilter(i -> NOT i.6 AND %s, arrayMap((r, k) -> (toUInt16(%d), %s, r.1, %s, %s, %s), %s, arrayEnumerate(%s)))",
		d.assessed("i.2"), number, dated, d.agent(), d.value(), d.left(), rounds, rounds)
	if d.definition.Base == kpi.BaseSession && every {
		judged = fmt.Sprintf("arrayMap((i, j) -> (i.1, i.2, i.3, i.4, arrayMin(j.5), i.6), arraySlice(%[1]s, 1, 1), if(empty(%[1]s), [], [%[1]s]))", judged)
	}
	counted := judged
	if !d.anyDate {
		counted = fmt.Sprintf("arrayFilter(i -> %s, %s)", d.inForce("i.2"), judged)
	}
	if first {
		return counted
	}
	return fmt.Sprintf("if(detailed, %s, [])", counted)
}

// rollup computes definitions that count the same shops and channels over one assembly.
type rollup struct {
	definitions []ruled
	source      string     // an assembly with rounds: a table or a SELECT
	counted     conditions // on the columns shop and channel
}

// toSQL renders a SELECT of metric, merchant, day, shop, queue, buyer, id and item, one row per item.
func (r rollup) toSQL() string {
	all := make([]string, len(r.definitions))
	for i, d := range r.definitions {
		all[i] = d.items(i + 1)
	}
	return fmt.Sprintf("SELECT merchant, day, shop, queue, buyer, id, arrayJoin(arrayConcat(%s)) AS item\nFROM %s WHERE %s",
		strings.Join(all, ",\n"), parenthesised(r.source), r.counted)
}

// keys is the array of the definitions' keys, in the order of the numbers in items.
func (r rollup) keys() string {
	keys := make([]string, len(r.definitions))
	for i, d := range r.definitions {
		keys[i] = quote(d.definition.Key())
	}
	return "[" + strings.Join(keys, ", ") + "]"
}

const (
	metricSlotKeys = "metric, merchant, day, slot, shop, queue, agent"
	metricSlotSums = "numerator, denominator"
	buyerDayKeys   = "metric, merchant, day, date, shop, queue, agent, buyer"
	buyerDaySums   = "items, misses, first"
	buyerTotalKeys = "metric, merchant, day, split, shop, place"
	buyerTotalSums = "numerator, denominator"
)

// metricSlots is the SELECT of what the table metric_slots keeps.
func (r rollup) metricSlots() string {
	return fmt.Sprintf(`SELECT %[1]s[item.1] AS metric, merchant, day, toDateTime(intDiv(item.2, 900000) * 900, 'UTC') AS slot, shop, queue, item.4 AS agent,
sum(item.5) AS numerator, count() AS denominator FROM (%[2]s) GROUP BY %[3]s`, r.keys(), r.toSQL(), metricSlotKeys)
}

// buyerDays is the SELECT of what the table buyer_days keeps.
func (r rollup) buyerDays() string {
	date := r.definitions[0].date("item.2")
	return fmt.Sprintf(`SELECT %[1]s[item.1] AS metric, merchant, day, %[2]s AS date, shop, queue, item.4 AS agent, cityHash64(merchant, shop, date, if(person = '', id, person)) AS buyer,
toUInt32(count()) AS items, toUInt32(countIf(item.5 = 0)) AS misses, toUInt64(min(item.3 * 2 + item.5)) AS first
FROM (SELECT * EXCEPT buyer, buyer AS person FROM (%[3]s)) GROUP BY %[4]s`, r.keys(), date, r.toSQL(), buyerDayKeys)
}

// servedWell is the expression of whether a buyer's day is in the numerator, over a group of its rows.
// If is the ending of a conditional aggregate and its condition, "" or "If" and a condition.
func servedWell(definitions []kpi.Definition, ending, condition string) string {
	var every []string
	for _, d := range definitions {
		if d.Rule.WithDefaults().Judge == "every" {
			every = append(every, d.Key())
		}
	}
	if condition != "" {
		condition = ", " + condition
	}
	all := fmt.Sprintf("sum%s(misses%s) = 0", ending, condition)
	first := fmt.Sprintf("min%s(first%s) %% 2 = 1", ending, condition)
	switch len(every) {
	case 0:
		return first
	case len(definitions):
		return all
	}
	return fmt.Sprintf("if(%s, %s, %s)", in("metric", every), all, first)
}

// The splits of buyer_totals.
const (
	splitShop = iota
	splitQueue
	splitAgent
)

// buyerTotals is the SELECT of what the table buyer_totals keeps of rows of buyer_days.
func buyerTotals(buyers string, relevant []kpi.Definition) string {
	definitions := slices.DeleteFunc(slices.Clone(relevant), func(d kpi.Definition) bool { return d.Base != kpi.BaseBuyerDay })
	return fmt.Sprintf(`SELECT metric, merchant, day, split, shop, place, sum(ok) AS numerator, count() AS denominator FROM (
SELECT metric, merchant, day, shop, of.1 AS split, of.2 AS place, toUInt64(%s) AS ok
FROM (SELECT *, arrayJoin([(toUInt8(%d), ''), (%d, toString(queue)), (%d, toString(agent))]) AS of FROM %s WHERE date = day)
GROUP BY metric, merchant, day, shop, split, place, buyer
) GROUP BY %s`, servedWell(definitions, "", ""), splitShop, splitQueue, splitAgent, buyers, buyerTotalKeys)
}

func parenthesised(source string) string {
	if strings.HasPrefix(source, "SELECT") {
		return "(" + source + ")"
	}
	return source
}
