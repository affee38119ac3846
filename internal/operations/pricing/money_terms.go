package pricing

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing/exposure"
	"github.com/chaoban/chaoban/scheduling/staffing/margin"
)

// ledgers put the contracts on the queues of a question. A term or a fee over several queues is shared out by
// their expected contacts, each queue being judged for itself; the planned days stand for their month.
type ledgers struct {
	ask    question
	names  []ids.Queue // in order
	queues map[ids.Queue]*moneyQueue
	out    map[string]bool
}

// inForce is a version of a contract on days of one month.
type inForce struct {
	contract ids.Contract
	version  contracts.Version
	month    calendar.Month
	dates    calendar.Dates
}

// part is the days as a part of their month.
func (f inForce) part() float64 {
	return float64(f.dates.Until.Sub(f.dates.From)) / float64(f.month.Days())
}

func (l *ledgers) post() {
	l.out = map[string]bool{}
	for _, f := range l.versions() {
		for _, term := range f.version.Terms {
			l.term(f, term)
		}
		for _, price := range f.version.Prices {
			l.price(f, price)
		}
	}
}

// left names what was left out, in order.
func (l *ledgers) left() []string {
	out := []string{}
	for text := range l.out {
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

func (l *ledgers) leave(f inForce, what, why string) {
	l.out[fmt.Sprintf("%s, %s: %s", f.contract, what, why)] = true
}

// versions are those in force on the days, by contract, month by month.
func (l *ledgers) versions() (out []inForce) {
	seen := map[ids.Contract]contracts.Contract{}
	for _, name := range l.names {
		for _, c := range l.queues[name].stretch.agreed {
			seen[c.ID] = c
		}
	}
	for _, c := range seen {
		for day := l.ask.dates.From; day.Before(l.ask.dates.Until); day = day.Add(1) {
			v, agreed := c.VersionAt(day)
			if !agreed {
				continue
			}
			n := len(out) - 1
			if n >= 0 && out[n].contract == c.ID && out[n].version.Number == v.Number && out[n].month == day.MonthOf() {
				out[n].dates.Until = day.Add(1)
				continue
			}
			out = append(out, inForce{c.ID, v, day.MonthOf(), calendar.Dates{From: day, Until: day.Add(1)}})
		}
	}
	slices.SortStableFunc(out, func(a, b inForce) int {
		return cmp.Or(cmp.Compare(a.contract, b.contract), a.dates.From.Sub(b.dates.From))
	})
	return out
}

// shared are the queues of a version and skill with their parts of the contacts; equal parts where none come.
func (l *ledgers) shared(f inForce, skill string) (queues []*moneyQueue, parts []float64, contacts float64) {
	for _, name := range l.names {
		if q := l.queues[name]; slices.Contains(f.version.Shops, q.stretch.queue.Shop) && (skill == "" || skill == q.stretch.queue.Skill) {
			queues = append(queues, q)
			parts = append(parts, q.total(f.dates))
			contacts += q.total(f.dates)
		}
	}
	for i := range parts {
		if contacts > 0 {
			parts[i] /= contacts
		} else {
			parts[i] = 1 / float64(len(parts))
		}
	}
	return queues, parts, contacts
}

// metrics of contracts that the engine can predict, with the side of the target that is good.
var metrics = map[string]struct {
	engine string
	good   contracts.Direction
}{
	"answered_within": {margin.FirstWithin, contracts.AtLeast},
	"abandonment":     {margin.Abandoned, contracts.AtMost},
}

// term puts one SLA line on its queues.
func (l *ledgers) term(f inForce, term contracts.Term) {
	queues, parts, _ := l.shared(f, term.Skill)
	if len(term.Ladder) == 0 || len(queues) == 0 {
		return // no money in it
	}
	known, can := metrics[term.Metric]
	if !can || known.good != term.Direction {
		l.leave(f, "term "+term.ID, term.Metric+" is not predicted from heads")
		return
	}
	t := margin.Term{Metric: known.engine, Target: term.Target, Period: margin.Average, From: f.dates.From, Until: f.dates.Until, Window: term.Window}
	if f.version.NoKPIUntil.After(t.From) {
		t.From = f.version.NoKPIUntil
	}
	if !t.From.Before(t.Until) {
		return
	}
	if known.engine == margin.FirstWithin {
		within, err := time.ParseDuration(term.Within)
		if err != nil || within <= 0 {
			l.leave(f, "term "+term.ID, "its limit cannot be read")
			return
		}
		t.WithinS = within.Seconds()
	}
	furthest := term.Target
	if known.engine == margin.Abandoned {
		furthest = 1 - term.Target
	}
	for _, s := range term.Ladder {
		switch {
		case s.Deduct < 0:
			l.leave(f, "term "+term.ID, "its bonus")
		case s.Miss <= furthest: // others cannot be reached
			t.Ladder = append(t.Ladder, margin.Step{Miss: s.Miss, DeductRate: float64(s.Deduct) / float64(money.Whole)})
		}
	}
	fee := float64(monthlyFee(f.version)) / 100 * f.part()
	for i, q := range queues {
		own := t
		own.ID, own.FeeBaseYuan = "term-"+strconv.Itoa(len(q.Terms)+1), fee*parts[i]
		if own.FeeBaseYuan > 0 && len(own.Ladder) > 0 {
			q.Terms = append(q.Terms, own)
		}
	}
}

// price puts one price line on its queues.
func (l *ledgers) price(f inForce, price contracts.Price) {
	queues, parts, contacts := l.shared(f, price.Skill)
	fixed, moving := 0.0, 0.0
	switch price.Base {
	case contracts.PerSeatMonth:
		seats := 0
		for _, s := range f.version.Seats {
			seats += s.Count
		}
		fixed = float64(price.Amount) / 100 * float64(seats) * f.part()
	case contracts.FlatMonth:
		fixed = float64(price.Amount) / 100 * f.part()
	case contracts.PerContact:
		month := contacts / f.part()
		if due := banded(price, month); due >= float64(price.Minimum)/100 {
			moving = due * f.part()
		} else {
			fixed = float64(price.Minimum) / 100 * f.part()
		}
	case contracts.PerHour:
		l.hours(f, price, queues)
	default:
		l.leave(f, "price "+price.ID, "base "+string(price.Base)+" does not follow from heads and contacts")
	}
	for i, q := range queues {
		q.Prices.FeeYuan += fixed * parts[i]
		q.revenue += moving * parts[i]
	}
}

// hours prices heads by the hour where a ceiling says how many the merchant pays for.
func (l *ledgers) hours(f inForce, price contracts.Price, queues []*moneyQueue) {
	for _, q := range queues {
		if q.MaxHeads == 0 || len(price.Tiers) > 0 {
			l.leave(f, "price "+price.ID, "hours need max_heads and one amount")
			continue
		}
		q.Prices.PerHourYuan = max(q.Prices.PerHourYuan, float64(price.Amount)/100)
	}
}

// banded is what a month's contacts come to: units above each tier's border cost its amount.
func banded(price contracts.Price, contacts float64) (yuan float64) {
	if len(price.Tiers) == 0 {
		return float64(price.Amount) / 100 * contacts
	}
	for i, t := range price.Tiers {
		top := contacts
		if i+1 < len(price.Tiers) {
			top = min(top, float64(price.Tiers[i+1].Above))
		}
		yuan += float64(t.Amount) / 100 * max(0, top-float64(t.Above))
	}
	return yuan
}

// readAt reads the quantiles of a slot at other levels than its own.
func readAt(wanted, levels []float64, s margin.Slot) []float64 {
	out := make([]float64, len(wanted))
	for i, u := range wanted {
		out[i] = exposure.Quantile(levels, scheduling.Point{Mean: s.Mean, Quantiles: s.Quantiles}, u)
	}
	return out
}
