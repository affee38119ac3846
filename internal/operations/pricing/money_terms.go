package pricing

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing/margin"
)

// ledgers put the contracts on the queues of a question. A term or a fee over several queues is shared out by
// their expected contacts, each queue being judged for itself; the planned days stand for their month.
type ledgers struct {
	ask    question
	queues []*moneyQueue // in order
	judged []judgedTerm
	out    map[string]bool
}

// judgedTerm is a term of a contract in a month, and its name in the engine.
type judgedTerm struct {
	name string
	cost TermCost
}

// owner is the queue that a queue of the engine stands for.
func (l *ledgers) owner(i int) ids.Queue { return l.queues[i].stretch.queue.ID }

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
	for _, f := range l.versions() {
		for _, term := range f.version.Terms {
			l.term(f, term)
		}
		for _, price := range f.version.Prices {
			l.price(f, price)
		}
	}
	l.lost()
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
	l.out[fmt.Sprintf("not priced: %s, %s: %s", f.contract, what, why)] = true
}

// versions are those in force on the days, by contract, month by month.
func (l *ledgers) versions() (out []inForce) {
	seen := map[ids.Contract]contracts.Contract{}
	for _, q := range l.queues {
		for _, c := range q.stretch.agreed {
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
	for _, q := range l.queues {
		if slices.Contains(f.version.Shops, q.stretch.queue.Shop) && (skill == "" || skill == q.stretch.queue.Skill) {
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

// predicted is a metric of contracts as the engine has it. Those of platforms leave some conversations or hours out, which the
// engine does not know: it counts them all.
type predicted struct {
	engine string
	within float64 // seconds; 0 = the term says
	good   contracts.Direction
}

// metrics of contracts that follow from heads.
var metrics = map[string]predicted{
	"answered_within":           {margin.FirstWithin, 0, contracts.AtLeast},
	"jd.first_30s":              {margin.FirstWithin, 30, contracts.AtLeast},
	"abandonment":               {margin.Abandoned, 0, contracts.AtMost},
	"first_response":            {margin.FirstMean, 0, contracts.AtMost},
	"jd.first_response_time":    {margin.FirstMean, 0, contracts.AtMost},
	"douyin.first_response":     {margin.FirstMean, 0, contracts.AtMost},
	"avg_response":              {margin.ResponseMean, 0, contracts.AtMost},
	"jd.avg_response":           {margin.ResponseMean, 0, contracts.AtMost},
	"douyin.avg_response":       {margin.ResponseMean, 0, contracts.AtMost},
	"tmall.human_response_time": {margin.ResponseMean, 0, contracts.AtMost},
	"round_within_60":           {margin.RoundWithin, 60, contracts.AtLeast},
	"round_within_180":          {margin.RoundWithin, 180, contracts.AtLeast},
	"tmall.human_3min":          {margin.RoundWithin, 180, contracts.AtLeast},
	"taobao.wangwang_3min":      {margin.RoundWithin, 180, contracts.AtLeast},
	"jd.human_3min":             {margin.RoundWithin, 180, contracts.AtLeast},
	"douyin.human_3min":         {margin.RoundWithin, 180, contracts.AtLeast},
}

// why names what a metric that does not follow from heads depends on.
func why(metric string) string {
	for _, x := range []struct{ part, reason string }{
		{"satisfaction", "satisfaction is not predicted from heads"},
		{"resolution", "whether a case is solved is not predicted from heads"},
		{"conversion", "conversion needs what a conversation sells"},
		{"sales", "sales need what a conversation sells"},
		{"ticket", "tickets are staffed as deferred work"},
	} {
		if strings.Contains(metric, x.part) {
			return metric + ": " + x.reason
		}
	}
	return metric + " is not predicted from heads"
}

// term puts one SLA line on its queues, judged on all of them together.
func (l *ledgers) term(f inForce, term contracts.Term) {
	queues, _, _ := l.shared(f, term.Skill)
	known, can := metrics[term.Metric]
	first := known.engine == margin.FirstWithin && known.within == 0
	if len(queues) == 0 || len(term.Ladder) == 0 && !staffedTo(f, term, queues) {
		return // no money in it, and no target of a queue
	}
	if !can || known.good != term.Direction {
		l.leave(f, "term "+term.ID, why(term.Metric))
		return
	}
	t := margin.Term{Metric: known.engine, Target: term.Target, Period: margin.Average, From: f.dates.From, Until: f.dates.Until, Window: term.Window, WithinS: known.within}
	if f.version.NoKPIUntil.After(t.From) {
		t.From = f.version.NoKPIUntil
	}
	if !t.From.Before(t.Until) {
		return
	}
	if first {
		within, err := time.ParseDuration(term.Within)
		if err != nil || within <= 0 {
			l.leave(f, "term "+term.ID, "its limit cannot be read")
			return
		}
		t.WithinS = within.Seconds()
	}
	fee := float64(monthlyFee(f.version)) / 100 * f.part()
	l.ladder(f, term, &t, fee)
	t.Joint = fmt.Sprintf("%s/%d/%s/%s", f.contract, f.version.Number, term.ID, f.month)
	rounds := known.engine == margin.RoundWithin || known.engine == margin.ResponseMean
	put := false
	for _, q := range queues {
		if rounds && q.Handling.Model != margin.Chats {
			l.leave(f, "term "+term.ID, "on calls: only chats have rounds")
			continue
		}
		own := t
		own.ID = "term-" + strconv.Itoa(len(q.Terms)+1)
		q.Terms, put = append(q.Terms, own), true
	}
	if put {
		l.judged = append(l.judged, judgedTerm{t.Joint, TermCost{
			AgreedTerm: AgreedTerm{Contract: f.contract, Version: f.version.Number, Term: term.ID}, Month: f.month,
			Days: f.dates.Until.Sub(f.dates.From), FeeYuan: fee, Target: term.Target, Unit: unitOf(known.engine),
		}})
	}
}

// unitOf is what a metric of the engine is counted in.
func unitOf(metric string) TermUnit {
	if metric == margin.FirstMean || metric == margin.ResponseMean {
		return InSeconds
	}
	return InShares
}

// staffedTo reports a term that gives a queue its target.
func staffedTo(f inForce, term contracts.Term, queues []*moneyQueue) bool {
	return slices.ContainsFunc(queues, func(q *moneyQueue) bool {
		target, found := firstResponse(f.version, q.stretch.queue.Skill)
		return found && target.ID == term.ID
	})
}

// ladder translates what a term deducts; without a ladder it deducts nothing and is only watched.
func (l *ledgers) ladder(f inForce, term contracts.Term, t *margin.Term, fee float64) {
	furthest := term.Target
	switch t.Metric {
	case margin.Abandoned:
		furthest = 1 - term.Target
	case margin.FirstMean, margin.ResponseMean:
		furthest = time.Hour.Seconds()
	}
	for _, s := range term.Ladder {
		switch {
		case s.Deduct < 0:
			l.leave(f, "term "+term.ID, "its bonus")
		case s.Miss <= furthest: // others cannot be reached
			t.Ladder = append(t.Ladder, margin.Step{Miss: s.Miss, DeductYuan: fee * float64(s.Deduct) / float64(money.Whole)})
		}
	}
	if len(t.Ladder) == 0 {
		t.Ladder = []margin.Step{{}}
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
	case contracts.OfSales:
		l.commission(f, price, queues)
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
		out[i] = margin.Quantile(levels, scheduling.Point{Mean: s.Mean, Quantiles: s.Quantiles}, u)
	}
	return out
}
