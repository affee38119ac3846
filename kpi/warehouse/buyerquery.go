package warehouse

import (
	"fmt"
	"strings"

	"github.com/chaoban/chaoban/kpi"
)

// split says which split of buyer_totals answers the question, if any does: a buyer who met two queues or
// agents of a list counts once in its sum, which no split knows.
func (q question) split() (split int, ok bool) {
	queue, agent := grouped(q.query.By, kpi.ByQueue), grouped(q.query.By, kpi.ByAgent)
	if len(q.query.Queues) > 1 && !queue || len(q.query.Agents) > 1 && !agent {
		return 0, false
	}
	queue = queue || len(q.query.Queues) > 0
	agent = agent || len(q.query.Agents) > 0 || q.scope.Agent != ""
	switch {
	case queue && agent:
		return 0, false
	case queue:
		return splitQueue, true
	case agent:
		return splitAgent, true
	}
	return splitShop, true
}

// totalsSQL takes the finished counts, and for buyers with rows of other days what these change: their day as a
// whole less what the counts have of it.
func (q question) totalsSQL(split int) string {
	names := []string{"'' AS queue, '' AS agent", "place AS queue, '' AS agent", "'' AS queue, place AS agent"}[split]
	place := []string{"''", "queue", "agent"}[split]
	rows := q.conditions(ofCurrent, q.betweenDates("date"))
	definitions := q.definitions()
	return fmt.Sprintf(`SELECT metric, merchant, shop, %[1]s, day AS date, toInt64(numerator) AS numerator, toInt64(denominator) AS denominator
FROM buyer_totals WHERE split = %[2]d AND %[3]s
UNION ALL
SELECT metric, merchant, shop, %[1]s, date, toInt64(%[4]s) - toInt64(countIf(date = day) > 0 AND %[5]s) AS numerator, toInt64(countIf(date = day) = 0) AS denominator
FROM (SELECT metric, merchant, shop, date, %[6]s AS place, buyer, day, misses, first FROM buyer_days
WHERE buyer IN (SELECT buyer FROM buyer_days WHERE %[7]s AND date != day) AND %[7]s)
GROUP BY metric, merchant, shop, place, date, buyer`,
		names, split, q.conditions(ofCurrent, q.betweenDates("day")), servedWell(definitions, "", ""), servedWell(definitions, "If", "date = day"), place, rows)
}

// buyersSQL is one row per buyer, shop, date and group. The column buyer stands for merchant, shop and
// date as well, so that the usual question groups by one number.
func (q question) buyersSQL(from string, where conditions) string {
	var group, columns []string
	key := func(name string, isKey bool) {
		if isKey {
			group, columns = append(group, name), append(columns, name)
		} else {
			columns = append(columns, fmt.Sprintf("any(%[1]s) AS %[1]s", name))
		}
	}
	if len(q.pieces) > 1 {
		key("metric", true)
	}
	key("buyer", true)
	for _, d := range dimensions {
		if grouped(q.query.By, d) {
			key(string(d), d == kpi.ByQueue || d == kpi.ByAgent)
		}
	}
	if q.query.Grain != kpi.Whole {
		key("date", false)
	}
	return fmt.Sprintf("SELECT %s, %s AS numerator, 1 AS denominator\nFROM (SELECT * FROM %s WHERE %s)\nGROUP BY %s",
		strings.Join(columns, ", "), servedWell(q.definitions(), "", ""), parenthesised(from), where, strings.Join(group, ", "))
}

// dateStep is the expression of the grain of a business date.
func (q question) dateStep() string {
	zone := quote(q.zone.String())
	switch q.query.Grain {
	case kpi.Day:
		return "toUnixTimestamp(toDateTime(date, " + zone + "))"
	case kpi.Month:
		return "toUnixTimestamp(toDateTime(toStartOfMonth(date), " + zone + "))"
	}
	return "0"
}
