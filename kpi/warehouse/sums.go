package warehouse

import (
	"fmt"
	"strings"
)

// sum is one additive column of slots: what one conversation adds to it, and what one round adds.
// In the round expression x is the round's response time in ms, 4294967295 when it got none.
type sum struct {
	name    string
	session string
	round   string
}

const answered = "asked AND first_response_ms != 4294967295"

// sums are all additive columns of the table slots.
var sums = []sum{
	{name: "offered", session: "asked"},
	{name: "answered", session: answered},
	// Open conversations are neither answered nor abandoned.
	{name: "abandoned", session: "asked AND first_response_ms = 4294967295 AND (abandoned OR ended >= 0)"},
	{name: "first_response_ms", session: "if(" + answered + ", first_response_ms, 0)"},
	{name: "within_10", session: "asked AND first_response_ms <= 10000"},
	{name: "within_15", session: "asked AND first_response_ms <= 15000"},
	{name: "within_20", session: "asked AND first_response_ms <= 20000"},
	{name: "within_30", session: "asked AND first_response_ms <= 30000"},
	{name: "within_45", session: "asked AND first_response_ms <= 45000"},
	{name: "within_60", session: "asked AND first_response_ms <= 60000"},
	{name: "within_180", session: "asked AND first_response_ms <= 180000"},
	{name: "within_300", session: "asked AND first_response_ms <= 300000"},
	{name: "rounds", round: "1"},
	{name: "rounds_answered", round: "x != 4294967295"},
	{name: "round_response_ms", round: "if(x != 4294967295, x, 0)"},
	{name: "rounds_within_60", round: "x <= 60000"},
	{name: "rounds_within_180", round: "x <= 180000"},
	{name: "resolved", session: "resolved = 1"},
	{name: "resolved_known", session: "resolved >= 0"},
	{name: "rating_sum", session: "rating"},
	{name: "rating_count", session: "rating > 0"},
	{name: "rating_good", session: "rating >= 4"},
	{name: "agent_messages", session: "agent_messages"},
	{name: "buyer_messages", session: "buyer_messages"},
	{name: "handle_ms", session: "handle_ms"},
}

// sumNames is the column list of slots' sums.
func sumNames() string {
	names := make([]string, len(sums))
	for i, s := range sums {
		names[i] = s.name
	}
	return strings.Join(names, ", ")
}

// slotKeys are the columns that a roll-up row is known by.
const slotKeys = "merchant, day, shop, queue, agent, slot"

const slotOfStart = "toDateTime(intDiv(started, 900000) * 900, 'UTC')"

// conversationSums is the SELECT that turns an assembly with rounds (a table or a SELECT) into roll-up
// rows. Rounds that belong to the conversation's own agent are added up inside the row; only
// conversations with several agents are taken apart round by round.
func conversationSums(source string) string {
	inside, apart, outer := make([]string, len(sums)), make([]string, len(sums)), make([]string, len(sums))
	for i, s := range sums {
		if s.round == "" {
			inside[i] = fmt.Sprintf("toUInt64(%s) AS s%d", s.session, i)
			apart[i] = fmt.Sprintf("toUInt64(0) AS s%d", i)
		} else {
			inside[i] = fmt.Sprintf("toUInt64(if(own, arraySum(x -> toUInt64(%s), responses), 0)) AS s%d", s.round, i)
			apart[i] = fmt.Sprintf("toUInt64(%s) AS s%d", s.round, i)
		}
		outer[i] = fmt.Sprintf("sum(s%d) AS %s", i, s.name)
	}
	return fmt.Sprintf(`SELECT %[1]s, %[2]s FROM (
SELECT merchant, day, shop, queue, agent, %[6]s AS slot, %[3]s FROM %[5]s
UNION ALL
SELECT merchant, day, shop, queue, responder AS agent, %[6]s AS slot, %[4]s FROM (SELECT * FROM %[5]s WHERE NOT own) ARRAY JOIN responses AS x, responders AS responder
) GROUP BY %[1]s`,
		slotKeys, strings.Join(outer, ", "), strings.Join(inside, ", "), strings.Join(apart, ", "), parenthesised(source), slotOfStart)
}

// stateNames are the states whose time state_slots keeps.
var stateNames = []string{"ready", "busy", "break", "training", "offline"}

func stateSumNames() string { return strings.Join(stateNames, "_ms, ") + "_ms" }

const stateKeys = "agent, day, slot"

// stateSums is the SELECT that cuts the deduplicated agent states of some days at slot borders.
func stateSums(days []int32) string {
	outer := make([]string, len(stateNames))
	for i, name := range stateNames {
		outer[i] = fmt.Sprintf("sum(if(state = '%[1]s', part_ms, 0)) AS %[1]s_ms", name)
	}
	return fmt.Sprintf(`SELECT %[1]s, %[2]s FROM (
SELECT agent, day, state, toUnixTimestamp64Milli(start) AS begin_ms, begin_ms + length_ms AS end_ms,
arrayJoin(range(toUInt64(intDiv(begin_ms, 900000)), toUInt64(intDiv(end_ms + 899999, 900000)))) AS n,
toUInt64(least(toInt64((n + 1) * 900000), toInt64(end_ms)) - greatest(toInt64(n * 900000), toInt64(begin_ms))) AS part_ms,
toDateTime(n * 900, 'UTC') AS slot
FROM agent_states FINAL WHERE day IN (%[3]s)
) GROUP BY %[1]s`, stateKeys, strings.Join(outer, ", "), dateList(days))
}

// quote makes an SQL string literal.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

func dateList(days []int32) string {
	parts := make([]string, len(days))
	for i, d := range days {
		parts[i] = "'" + dateOf(d).Format("2006-01-02") + "'"
	}
	return strings.Join(parts, ", ")
}
