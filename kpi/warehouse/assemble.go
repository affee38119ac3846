package warehouse

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/kpi/chatlog"
)

// reach is how many days around the day a conversation started on its messages may lie (chatlog
// refuses longer conversations). Messages further away belong to another conversation that was
// given the same id.
const reach = int32(chatlog.MaxSpan / (24 * time.Hour))

// assembly asks for conversations as chatlog.Assemble puts them together: one row for each
// conversation that started on one of some business days, from its header, its messages or both.
type assembly struct {
	where       conditions // the (merchant, day) that conversations started on, as conditions on these columns
	exact       string     // the same with day named once: where day is computed, each mention of it is planned anew
	merchants   conditions // their merchants, as a condition on merchant
	first, last int32      // their first and last day
	only        string     // a SELECT of the (merchant, id) that may be among them; "" = those with rows on the days
	zone        *time.Location
}

// assemblyOf is the assembly of some merchants' days.
func assemblyOf(days []touched, zone *time.Location) assembly {
	a := assembly{first: days[0].day, last: days[0].day, zone: zone}
	byMerchant := map[string][]int32{}
	for _, t := range days {
		a.first, a.last = min(a.first, t.day), max(a.last, t.day)
		byMerchant[t.merchant] = append(byMerchant[t.merchant], t.day)
	}
	merchants := slices.Sorted(maps.Keys(byMerchant))
	// Days of one merchant mostly follow one another: a few spans, where a list of thousands of days
	// would cost the engine more to plan than to answer.
	spans := map[string][]string{}
	for _, m := range merchants {
		for _, s := range spansOf(byMerchant[m]) {
			spans[s] = append(spans[s], m)
		}
	}
	var either []string
	for _, s := range slices.Sorted(maps.Keys(spans)) {
		either = append(either, fmt.Sprintf("%s AND %s", in("merchant", spans[s]), s))
	}
	pairs := make([]string, len(days))
	for i, t := range days {
		pairs[i] = fmt.Sprintf("(%s, '%s')", quote(t.merchant), dateText(t.day))
	}
	a.exact = fmt.Sprintf("(merchant, day) IN (%s)", strings.Join(pairs, ", "))
	a.merchants = conditions{in("merchant", merchants)}
	a.where = append(a.where, a.merchants...)
	a.where = append(a.where, between(a.first, a.last), "("+strings.Join(either, " OR ")+")")
	return a
}

// spansOf are conditions on day that together hold exactly the given days.
func spansOf(days []int32) []string {
	days = slices.Compact(slices.Sorted(slices.Values(days)))
	var spans []string
	for from := 0; from < len(days); {
		to := from
		for to+1 < len(days) && days[to+1] == days[to]+1 {
			to++
		}
		spans = append(spans, between(days[from], days[to]))
		from = to + 1
	}
	return spans
}

// assembledColumns are the columns of an assembly.
//
// day is the business day of started. Instants are ms since 1970, -1 when there is none; durations
// are ms, 4294967295 when unknown, as in the table conversations. rating is 0 and resolved -1 when
// not known. messages says that the timeline comes from messages; then the rounds of the header are
// superseded. asked is chatlog.Timeline.Asked. timeline has (at, kind, agent, closing) in order, kinds as in the table events.
const assembledColumns = `merchant, day, id, shop, queue, channel, asked, agent, buyer, started, ended, first_response_ms, abandoned, resolved, rating,
agent_messages, buyer_messages, handle_ms, messages, detailed, round_response_ms, round_agent, timeline`

// toSQL renders the SELECT of assembledColumns.
func (a assembly) toSQL() string {
	return fmt.Sprintf("SELECT %s FROM (%s) WHERE %s AND (NOT far OR day = anchor)", assembledColumns, layered(a.settled(),
		fmt.Sprintf("if(header, h_day, %s) AS day, if(messages, arrayMap(e -> (e.1, e.2, e.5, e.6), told), %s) AS timeline", a.date("started"), synthetic),
		"notEmpty(timeline) AND (messages OR notEmpty(round_open_ms)) AS detailed"), a.exact)
}

// date is the business day of an instant in ms.
func (a assembly) date(ms string) string {
	return fmt.Sprintf("toDate(toDateTime(intDiv(%s, 1000), %s))", ms, quote(a.zone.String()))
}

// candidates selects the (merchant, id) of conversations with rows on the days.
func (a assembly) candidates() string {
	if a.only != "" {
		return a.only
	}
	return fmt.Sprintf("SELECT merchant, id FROM conversations WHERE %[1]s UNION ALL SELECT merchant, conversation FROM events WHERE %[1]s", a.where)
}

// window is the condition on the days that messages of the conversations may lie on.
func (a assembly) window() string {
	return between(a.first-reach, a.last+reach)
}

// headers selects the newest version of each candidate's header, whatever day it is on: what a
// correction moved to another day is not found twice.
func (a assembly) headers() string {
	return fmt.Sprintf(`SELECT merchant, id, true AS header, day AS h_day, toUnixTimestamp64Milli(started) AS h_started, shop AS h_shop, queue AS h_queue, channel AS h_channel,
agent AS h_agent, buyer AS h_buyer, first_response_ms AS h_first_response_ms, bot_response_ms, length_ms, abandoned AS h_abandoned, resolved AS h_resolved,
rating AS h_rating, agent_messages AS h_agent_messages, buyer_messages AS h_buyer_messages, handle_ms, round_open_ms, round_response_ms, round_agent
FROM conversations WHERE %s AND (merchant, id) IN (%s) ORDER BY merchant, id, version DESC LIMIT 1 BY merchant, id`, a.merchants, a.candidates())
}

// An event is a tuple (at, kind, id, version, agent, closing, shop, queue, buyer, score): sorted, it is
// in the order of chatlog. Of rows with one id only the highest version is the event.
const (
	fallingEvents = `if(length(arrayDistinct(raw.3)) = length(raw), [], arrayReverseSort(e -> (e.3, e.4), raw)) AS falling`
	newestEvents  = `arraySort(if(empty(falling), raw, arrayFilter((e, previous, i) -> i = 1 OR e.3 != previous,
falling, arrayResize(arrayPushFront(falling.3, toUInt64(0)), length(falling)), arrayEnumerate(falling)))) AS loaded`
)

func (a assembly) events() string {
	return fmt.Sprintf("SELECT merchant, cid AS id, %s FROM (SELECT *, %s FROM (%s))", newestEvents, fallingEvents, fmt.Sprintf(
		`SELECT merchant, conversation AS cid, groupArray((toUnixTimestamp64Milli(at), kind, id, version, toString(agent), closing, toString(shop), toString(queue), buyer, score)) AS raw
FROM events WHERE %s AND %s AND (merchant, conversation) IN (%s) GROUP BY merchant, conversation`, a.merchants, a.window(), a.candidates()))
}

// layered nests one SELECT per step around a source: each adds columns that the next may use. That is
// much quicker to plan than one SELECT with names for parts of its expressions.
func layered(source string, steps ...string) string {
	for _, columns := range steps {
		source = "SELECT *,\n" + columns + "\nFROM " + parenthesised(source)
	}
	return source
}

// joined puts headers and events side by side. A conversation whose messages span more than a month
// is looked at from each of its days: what is more than reach away is not its own.
func (a assembly) joined() string {
	near := int64(reach-1) * 24 * time.Hour.Milliseconds()
	return layered(fmt.Sprintf("SELECT * FROM (%s) AS h FULL JOIN (%s) AS e USING (merchant, id)", a.headers(), a.events()),
		fmt.Sprintf(`notEmpty(loaded) AND (loaded[-1].1 - if(header, least(h_started, loaded[1].1), loaded[1].1) > %[1]d OR header AND h_started - loaded[1].1 > %[1]d) AS far`, near),
		fmt.Sprintf("arrayJoin(multiIf(NOT far, [toDate(0)], header, [h_day], arrayDistinct(arrayMap(e -> %s, loaded)))) AS anchor", a.date("e.1")),
		fmt.Sprintf("if(far, arrayFilter(e -> abs(toInt32(%s) - toInt32(anchor)) <= %d, loaded), loaded) AS events", a.date("e.1"), reach))
}

// settled decides what header and messages say together; see chatlog.Assemble for the rules.
func (a assembly) settled() string {
	return layered(a.joined(),
		`events.1 AS ats, events.2 AS kinds, arrayFilter(e -> e.2 <= 6, events) AS told`,
		`notEmpty(told) AS messages,
multiIf(header, h_started, has(kinds, 1), ats[indexOf(kinds, 1)], has(kinds, 2), ats[indexOf(kinds, 2)], ats[1]) AS started,
multiIf(header AND length_ms != 4294967295, toInt64(length_ms) + h_started, has(kinds, 8), ats[arrayLastIndex(k -> k = 8, kinds)], -1) AS ended`,
		`arrayFirstIndex((k, t) -> k = 6 AND t >= started, kinds, ats) AS reply`,
		`multiIf(reply > 0, toUInt32(least(ats[reply] - started, 4294967294)), header AND NOT messages, h_first_response_ms, 4294967295) AS first_response_ms,
if(header, h_abandoned, ended >= 0 AND reply = 0) AS abandoned, if(header, h_resolved, toInt8(-1)) AS resolved,
if(has(kinds, 7), events.10[arrayLastIndex(k -> k = 7, kinds)], h_rating) AS rating,
if(messages, toUInt32(countEqual(kinds, 6)), h_agent_messages) AS agent_messages, if(messages, toUInt32(countEqual(kinds, 2)), h_buyer_messages) AS buyer_messages,
if(h_agent != '', toString(h_agent), arrayFirst(e -> e.5 != '', arrayConcat(arrayFilter(e -> e.2 = 6, told), arrayFilter(e -> e.2 = 5, told))).5) AS agent,
if(h_buyer != '' OR header AND NOT messages, h_buyer, arrayFirst(b -> b != '', if(header, told, events).9)) AS buyer,
if(header, toString(h_channel), 'chat') AS channel, NOT messages OR channel = 'call' OR has(kinds, 1) OR has(kinds, 2) AS asked,
if(header, toString(h_shop), events[1].7) AS shop, if(header, toString(h_queue), events[1].8) AS queue`)
}

// synthetic is the timeline of a conversation without messages: the bot's first reply, then each
// round, or without rounds the start and the first response. The number keeps the order of what
// happened in one millisecond.
const synthetic = `arrayMap(e -> (e.1, e.2, e.4, false), arraySort(arrayConcat(
if(header AND bot_response_ms != 4294967295, [(h_started + bot_response_ms, toUInt8(4), toUInt32(0), '')], []),
multiIf(notEmpty(round_open_ms), arrayFlatten(arrayMap((o, r, a, i) -> if(r = 4294967295, [(started + toInt64(o), toUInt8(2), i, '')],
  [(started + toInt64(o), toUInt8(2), i, ''), (started + toInt64(o) + toInt64(r), toUInt8(6), i, a)]),
  round_open_ms, round_response_ms, arrayResize(arrayMap(a -> toString(a), round_agent), length(round_open_ms), agent), arrayEnumerate(round_open_ms))),
 first_response_ms = 4294967295, [(started, toUInt8(2), toUInt32(1), '')],
 [(started, toUInt8(2), toUInt32(1), ''), (started + toInt64(first_response_ms), toUInt8(6), toUInt32(1), agent)]))))`

const maxDay = math.MaxUint16 // the last day that a column can hold

// dateText is a day as SQL writes it; days outside of what a column can hold become its limits.
func dateText(day int32) string { return dateOf(min(max(day, 0), maxDay)).Format(time.DateOnly) }

func dateLiteral(day int32) string { return quote(dateText(day)) }

// otherDays lists the (merchant, day) outside the given ones on which their conversations have rows: a
// message that comes late may move where a conversation starts, so all its days are computed together.
func (a assembly) otherDays() string {
	return fmt.Sprintf(`SELECT DISTINCT merchant, day FROM (
SELECT merchant, day FROM conversations WHERE %[1]s AND (merchant, id) IN (%[2]s)
UNION ALL SELECT merchant, day FROM events WHERE %[1]s AND %[3]s AND (merchant, conversation) IN (%[2]s)
) WHERE NOT (%[4]s)`, a.merchants, a.candidates(), a.window(), a.where)
}

func between(first, last int32) string {
	return fmt.Sprintf("day BETWEEN '%s' AND '%s'", dateText(first), dateText(last))
}
