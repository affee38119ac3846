package leave

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Cause is why a ledger has a row.
type Cause string

// The causes.
const (
	Granted  Cause = "grant"  // a year's annual leave
	Earned   Cause = "earn"   // a worked rest day that is given back as time off
	Taken    Cause = "take"   // a request: its minutes are held from the moment it is made
	Returned Cause = "return" // a request that was refused, withdrawn or cancelled
	Adjusted Cause = "adjust" // by hand, with a reason
)

// Entry is one row of the ledger of leave balances. Rows are only added: a mistake is put right by
// a further row.
type Entry struct {
	ID      string        `json:"id"`
	Agent   ids.Agent     `json:"agent"`
	Kind    LeaveKind     `json:"kind"`
	Lot     string        `json:"lot"`            // what was granted together and lapses together: "2026", or the day on which it was earned
	Good    calendar.Date `json:"good"`           // first day on which the lot can be taken
	Until   calendar.Date `json:"until,omitzero"` // first day on which it no longer can; zero: never lapses
	Minutes int           `json:"minutes"`        // above 0 given, below 0 taken
	Cause   Cause         `json:"cause"`
	On      calendar.Date `json:"on"`     // the day that it is about: of leave, or of the work it was earned by
	Source  string        `json:"source"` // unique: the same fact is never booked twice
	Request ids.Request   `json:"request,omitempty"`
	Note    string        `json:"note,omitempty"`
	At      time.Time     `json:"at"`
	Author  ids.User      `json:"author"`
}

// Charge is the working time that leave takes on one day.
type Charge struct {
	Date    calendar.Date `json:"date"`
	Minutes int           `json:"minutes"`
}

// Lot is what is left of minutes that were granted together.
type Lot struct {
	Name    string        `json:"lot"`
	Good    calendar.Date `json:"good"`
	Until   calendar.Date `json:"until,omitzero"`
	Given   int           `json:"given_minutes"` // grants and adjustments
	Taken   int           `json:"taken_minutes"`
	Left    int           `json:"left_minutes"`
	Expired bool          `json:"expired,omitempty"`
}

// goodOn reports that the lot can be taken on a day.
func (l Lot) goodOn(d calendar.Date) bool {
	return !d.Before(l.Good) && (l.Until.IsZero() || d.Before(l.Until))
}

// Balance is an agent's account of one kind of leave on a day.
type Balance struct {
	Agent     ids.Agent     `json:"agent"`
	Kind      LeaveKind     `json:"kind"`
	On        calendar.Date `json:"on"`
	Available int           `json:"available_minutes"` // good on the day and not taken, waiting requests included
	Lapsed    int           `json:"lapsed_minutes"`    // not taken in time; for annual leave the house owes 300 % of the day's wage (实施办法 §10)
	Lots      []Lot         `json:"lots"`              // the one that lapses first comes first
}

// BalanceOf adds up the ledger of one agent and kind. Rows of others are left out.
func BalanceOf(entries []Entry, agent ids.Agent, kind LeaveKind, on calendar.Date) Balance {
	b := Balance{Agent: agent, Kind: kind, On: on, Lots: lotsOf(entries, agent, kind)}
	for i := range b.Lots {
		l := &b.Lots[i]
		l.Expired = !l.Until.IsZero() && !on.Before(l.Until)
		switch {
		case l.Expired:
			b.Lapsed += l.Left
		case l.goodOn(on):
			b.Available += l.Left
		}
	}
	return b
}

// LieuGiven is the rest-day work of an agent that is given back as time off, by the day on which it was worked, in
// minutes: what the lot of the day was given by earning or by hand, less what was taken back or paid out by hand. Time
// off that lapsed stays given back until then.
func LieuGiven(entries []Entry, agent ids.Agent) map[calendar.Date]int {
	out := map[calendar.Date]int{}
	for _, l := range lotsOf(entries, agent, Compensatory) {
		if day, err := calendar.ParseDate(l.Name); err == nil && l.Given > 0 { // other lots are of no day of work
			out[day] = l.Given
		}
	}
	return out
}

// LieuRow is the row that the ledger of an agent needs so that the rest-day work of a day is given back as time off:
// what the lot of the day does not hold yet, or below 0 what was booked too much. What was booked by hand for the day
// counts as given back and is never taken back. ok is false when nothing is missing. owed are minutes too many that were
// taken as time off already, so that no row can take them back. Time off lapses months after the day. The row has no ID.
func LieuRow(entries []Entry, agent ids.Agent, day calendar.Date, worked, months int) (row Entry, owed int, ok bool) {
	row = Entry{
		Agent: agent, Kind: Compensatory, Lot: day.String(), Good: day.Add(1), Until: calendar.MakeDate(day.Year, day.Month+time.Month(months), day.Day).Add(1),
		Cause: Earned, On: day, Source: fmt.Sprintf("lieu:%s:%s", agent, day),
	}
	var lot Lot
	lots := lotsOf(entries, agent, Compensatory)
	if i := slices.IndexFunc(lots, func(l Lot) bool { return l.Name == row.Lot }); i >= 0 {
		lot, row.Good, row.Until = lots[i], lots[i].Good, lots[i].Until
	}
	booked, before := 0, 0
	for _, e := range entries {
		if e.Agent == agent && e.Kind == Compensatory && e.Cause == Earned && e.Lot == row.Lot {
			booked, before = booked+e.Minutes, before+1
		}
	}
	if before > 0 {
		row.Source += fmt.Sprintf(":%d", before)
	}
	byHand := max(0, lot.Given-booked) // below 0 it was paid out: that is not booked again
	if row.Minutes = max(0, worked-byHand) - booked; row.Minutes < 0 {
		over := min(-row.Minutes, max(0, lot.Given-worked)) // what was paid out by hand is gone already
		back := min(over, max(0, lot.Left))
		owed, row.Minutes = over-back, -back
		row.Note = "已记调休多于休息日加班，收回多记部分 / more time off was booked than rest-day work: taken back"
	}
	return row, owed, row.Minutes != 0
}

// lotsOf are the lots of an agent and kind, the one that lapses first at the front.
func lotsOf(entries []Entry, agent ids.Agent, kind LeaveKind) []Lot {
	at := map[string]int{}
	var lots []Lot
	for _, e := range entries {
		if e.Agent != agent || e.Kind != kind {
			continue
		}
		i, known := at[e.Lot]
		if !known {
			i = len(lots)
			at[e.Lot] = i
			lots = append(lots, Lot{Name: e.Lot, Good: e.Good, Until: e.Until})
		}
		l := &lots[i]
		l.Left += e.Minutes
		if e.Cause == Taken || e.Cause == Returned {
			l.Taken -= e.Minutes
		} else {
			l.Given += e.Minutes
		}
	}
	slices.SortStableFunc(lots, func(a, b Lot) int {
		return cmp.Or(neverLast(a.Until).Sub(neverLast(b.Until)), a.Good.Sub(b.Good), cmp.Compare(a.Name, b.Name))
	})
	return lots
}

// neverLast puts what never lapses behind everything that does.
func neverLast(d calendar.Date) calendar.Date {
	if d.IsZero() {
		return calendar.MakeDate(9999, time.December, 31)
	}
	return d
}

// TakeFrom is the rows that take the charges out of an agent's lots: for each day in order, from the
// lot that lapses first of those that are good on it. When any choice of lots can pay for all the
// days, this one does (matching in a convex bipartite graph: Glover, Naval Research Logistics 14,
// 1967). The rows have neither ID nor Source.
//
// Errors: leave.balance with the days that the balance does not reach for.
func TakeFrom(entries []Entry, agent ids.Agent, kind LeaveKind, charges []Charge) ([]Entry, error) {
	rows, short := takeFrom(entries, agent, kind, charges)
	var bad []fault.Field
	for _, c := range short {
		bad = append(bad, fault.Field{Path: "days", Value: c.Date.String(), Problem: fmt.Sprintf("needs %s more than the balance has", hoursText(c.Minutes))})
	}
	if err := fault.Bad("leave.balance", "the balance does not reach", bad); err != nil {
		return nil, err
	}
	return rows, nil
}

// takeFrom is the rows and what the lots do not reach for, by day.
func takeFrom(entries []Entry, agent ids.Agent, kind LeaveKind, charges []Charge) (out []Entry, short []Charge) {
	lots := lotsOf(entries, agent, kind)
	days := slices.Clone(charges)
	slices.SortStableFunc(days, func(a, b Charge) int { return a.Date.Sub(b.Date) })
	for _, c := range days {
		left := c.Minutes
		for i := range lots {
			l := &lots[i]
			if left == 0 || l.Left <= 0 || !l.goodOn(c.Date) {
				continue
			}
			n := min(left, l.Left)
			l.Left, left = l.Left-n, left-n
			out = append(out, Entry{Agent: agent, Kind: kind, Lot: l.Name, Good: l.Good, Until: l.Until, Minutes: -n, Cause: Taken, On: c.Date})
		}
		if left > 0 {
			short = append(short, Charge{c.Date, left})
		}
	}
	return out, short
}

// mostTold is how many days a sentence about a balance names.
const mostTold = 3

// shortText words what a balance does not reach for: the sum, and the first days of it.
func shortText(short []Charge) Text {
	sum, zh, en := 0, "", ""
	for i, c := range short {
		sum += c.Minutes
		if i < mostTold {
			zh += fmt.Sprintf("%s%s 差%.4g小时", sep(i, "、"), c.Date, float64(c.Minutes)/60)
			en += fmt.Sprintf("%s%s of %s", sep(i, ", "), hoursText(c.Minutes), c.Date)
		}
	}
	if n := len(short); n > mostTold {
		zh, en = zh+fmt.Sprintf("等%d天", n), en+fmt.Sprintf(" and %d more", n-mostTold)
	}
	return Text{
		ZH: fmt.Sprintf("余额不足，共差%.4g小时：%s", float64(sum)/60, zh),
		EN: fmt.Sprintf("the balance is %s short: %s", hoursText(sum), en),
	}
}

func sep(i int, by string) string {
	if i == 0 {
		return ""
	}
	return by
}

// GiveBack is the rows that return to each lot what a request took and has not returned yet. They
// have neither ID nor Source.
func GiveBack(entries []Entry, request ids.Request) []Entry {
	type place struct {
		lot string
		on  calendar.Date
	}
	at := map[place]int{}
	var out []Entry
	for _, e := range entries {
		if e.Request != request || e.Cause != Taken && e.Cause != Returned {
			continue
		}
		key := place{e.Lot, e.On}
		i, known := at[key]
		if !known {
			i = len(out)
			at[key] = i
			e.Minutes, e.ID, e.Source, e.Cause, e.Note = -e.Minutes, "", "", Returned, ""
			out = append(out, e)
			continue
		}
		out[i].Minutes -= e.Minutes
	}
	return slices.DeleteFunc(out, func(e Entry) bool { return e.Minutes == 0 })
}

// hoursText is minutes as "7.5 h".
func hoursText(minutes int) string { return fmt.Sprintf("%.4g h", float64(minutes)/60) }
