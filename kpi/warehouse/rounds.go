package warehouse

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/kpi"
)

// forming says how rounds are formed from a timeline. Definitions that agree on it share the work.
type forming struct {
	anyStop bool // a bot's message replies too
	open    bool // a closing buyer message opens a round like any other
}

// formingsOf are all that some definitions need, the neutral one first.
func formingsOf(definitions []kpi.Definition) []forming {
	all := []forming{humanRounds}
	for _, d := range definitions {
		if f := formingOf(d.Rule.WithDefaults()); !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	return all
}

func formingOf(rule kpi.Rule) forming { return forming{rule.Stop == "any", rule.Closing == "open"} }

// humanRounds are how the neutral sums count rounds.
var humanRounds = forming{}

// name is the column of the rounds.
func (f forming) name() string {
	name := "rounds"
	if f.anyStop {
		name += "_any"
	}
	if f.open {
		name += "_open"
	}
	return name
}

// judgedColumns are the columns of an assembly with rounds that do not depend on how they are formed.
// finished is the end, else the last event. responses and responders are the rounds of the neutral sums:
// those of the header's log, or with messages those that they form, answered by people, closing messages
// left out; own says that they are all of the conversation's agent.
const judgedColumns = `merchant, day, id, shop, queue, channel, asked, agent, buyer, started, ended, first_response_ms, abandoned, resolved, rating,
agent_messages, buyer_messages, handle_ms, detailed, finished, last_number, last_instant, responses, responders, own`

// withRounds takes an assembly (a SELECT) to judgedColumns and a column of rounds for each way of
// forming them, of which the neutral one must be one. A round is a tuple
//
//	1 opened, 2 holder when it opened, 3 stop (-1 = no reply), 4 agent (who replied, ” for a bot; the holder
//	without a reply), 5 number and 6 instant of the last transfer before the reply, 7 number of the opening,
//
// and last_number, last_instant are those of the last transfer of all; holder is the last person named
// by a message or a transfer, else the conversation's agent. There is no loop: of the events that ask or
// reply those are kept that differ from the one before, a leading reply dropped; then the odd ones are
// openings and the even ones replies.
func withRounds(source string, formings []forming) string {
	transfers := `arrayFill(n -> n != 0, arrayMap((e, i) -> if(e.2 = 5, i, 0), timeline, arrayEnumerate(timeline))) AS numbers,
arrayFill(t -> t != 0, arrayMap(e -> if(e.2 = 5, e.1, 0), timeline)) AS instants,
arrayFill(h -> h != '', arrayMap(e -> if(e.2 IN (5, 6), e.3, ''), timeline)) AS holders`
	sides := []string{
		"arrayMap((e, h, n, t, i) -> (e.1, e.2, e.3, h, n, t, i), timeline, holders, numbers, instants, arrayEnumerate(timeline)) AS moments",
		"numbers[-1] AS last_number", "instants[-1] AS last_instant",
	}
	var told, kept, split, rounds []string
	for _, f := range formings {
		asks, replies := "e.2 = 2", "e.2 = 6"
		if !f.open {
			asks = "e.2 = 2 AND NOT e.4"
		}
		if f.anyStop {
			replies = "e.2 IN (4, 6)"
		}
		name := f.name()
		sides = append(sides, fmt.Sprintf("arrayMap(e -> multiIf(%s, 1, %s, 2, 0), timeline) AS sides_%s", asks, replies, name))
		told = append(told, fmt.Sprintf("arrayFilter(s -> s != 0, sides_%[1]s) AS told_%[1]s, arrayFilter((m, s) -> s != 0, moments, sides_%[1]s) AS moments_%[1]s", name))
		kept = append(kept, fmt.Sprintf(`arrayFilter((m, s, previous) -> s != previous, moments_%[1]s, told_%[1]s,
arrayResize(arrayPushFront(told_%[1]s, 2), length(told_%[1]s))) AS kept_%[1]s`, name))
		split = append(split, fmt.Sprintf(`arrayFilter((m, i) -> i %% 2 = 1, kept_%[1]s, arrayEnumerate(kept_%[1]s)) AS openings_%[1]s,
arrayResize(arrayFilter((m, i) -> i %% 2 = 0, kept_%[1]s, arrayEnumerate(kept_%[1]s)), intDiv(length(kept_%[1]s) + 1, 2),
  (toInt64(-1), toUInt8(0), '', '', toUInt32(0), toInt64(0), toUInt32(0))) AS replies_%[1]s`, name))
		rounds = append(rounds, fmt.Sprintf(`arrayMap((o, r) -> (o.1, if(o.4 = '', agent, o.4), r.1, multiIf(r.1 < 0, if(o.4 = '', agent, o.4), r.2 = 4, '', r.3),
if(r.1 < 0, last_number, r.5), if(r.1 < 0, last_instant, r.6), o.7), openings_%[1]s, replies_%[1]s) AS %[1]s`, name))
	}
	list := func(columns []string) string { return strings.Join(columns, ",\n") }
	own := fmt.Sprintf(`if(ended >= 0, ended, timeline[-1].1) AS finished,
if(messages, arrayMap(r -> if(r.3 < 0, 4294967295, toUInt32(least(r.3 - r.1, 4294967294))), %[1]s), round_response_ms) AS responses,
if(messages, %[1]s.4, arrayResize(arrayMap(a -> toString(a), round_agent), length(round_response_ms), agent)) AS responders`, humanRounds.name())
	columns := []string{judgedColumns}
	for _, f := range formings {
		columns = append(columns, f.name())
	}
	return fmt.Sprintf("SELECT %s FROM (%s)", strings.Join(columns, ", "), layered(source, transfers, list(sides), list(told), list(kept), list(split), list(rounds),
		own, "arrayAll(a -> a = agent, responders) AS own"))
}
