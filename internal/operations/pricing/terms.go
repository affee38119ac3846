package pricing

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// What a plan assumes where neither contract, history nor caller says otherwise. Each is a
// parameter of Options; none is measured.
const (
	defaultLevel    = 0.9
	defaultWithin   = 30 * time.Second
	defaultShare    = 0.8
	defaultHandle   = 240 * time.Second
	defaultPatience = 180 * time.Second
	defaultOverhead = 0.18 // share of a conversation's time that keeps its agent busy
	defaultRounds   = 4
	defaultSlowdown = 0.05
)

// planTerms is what contracts and people say about one queue over time.
type planTerms struct {
	queue  store.Queue
	agreed []contracts.Contract // of which some version covers the shop
	people []workforce.Agent    // who know the queue on some day
	asked  Options
}

func (p *Pricing) terms(ctx context.Context, view *store.View, id ids.Queue, people []workforce.Agent, o Options) (planTerms, error) {
	queue, err := view.Queue(ctx, id)
	if err != nil {
		return planTerms{}, err
	}
	agreed, err := store.All(func(page store.Page) ([]store.Stored[contracts.Contract], string, error) {
		return view.Contracts(ctx, store.ContractFilter{Shop: queue.Shop}, page)
	})
	if err != nil {
		return planTerms{}, err
	}
	t := planTerms{queue: queue, asked: o}
	for _, c := range agreed {
		t.agreed = append(t.agreed, c.Value)
	}
	for _, a := range people {
		if slices.ContainsFunc(a.Skills, func(s workforce.Skill) bool { return s.Queue == id }) {
			t.people = append(t.people, a)
		}
	}
	return t, nil
}

// split cuts ranges at the midnights at which the target changes, because another version of the
// contract comes into force or other people know the queue.
func (t planTerms) split(ranges []calendar.Range, zone *time.Location) (parts []PlanPart) {
	for _, r := range ranges {
		first := len(parts)
		for day := range r.Dates(zone) {
			whole := calendar.Day(day, zone)
			if whole.Start.Before(r.Start) {
				whole.Start = r.Start
			}
			if whole.End.After(r.End) {
				whole.End = r.End
			}
			target, agreed := t.on(day)
			if n := len(parts); n > first && reflect.DeepEqual(parts[n-1].Target, target) && same(parts[n-1].Agreed, agreed) {
				parts[n-1].Range.End = whole.End
			} else {
				parts = append(parts, PlanPart{Range: whole, Target: target, Agreed: agreed})
			}
		}
	}
	return parts
}

func same(a, b *AgreedTerm) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// on translates the contract in force and the people employed on a day into what staffing understands,
// and names the term that it took.
func (t planTerms) on(day calendar.Date) (staffing.Target, *AgreedTerm) {
	target := staffing.Target{
		Level: t.asked.Level, Within: defaultWithin, Share: defaultShare, HandleTime: scaled(defaultHandle, t.asked.HandleFactor), Patience: defaultPatience,
	}
	if t.queue.Channel != "call" {
		target.Overhead, target.Rounds, target.Slowdown = defaultOverhead, defaultRounds, defaultSlowdown
		target.Concurrency = t.concurrency(day)
	}
	var agreed *AgreedTerm
	for _, c := range t.agreed {
		if v, ok := c.VersionAt(day); ok && slices.Contains(v.Shops, t.queue.Shop) {
			if term, ok := firstResponse(v, t.queue.Skill); ok {
				hold(&target, v, term)
				agreed = &AgreedTerm{Contract: c.ID, Version: v.Number, Term: term.ID}
			}
		}
	}
	if t.asked.TargetShare > 0 && t.asked.Method != MarginMethod { // there it is a floor of the plan
		target.Share = t.asked.TargetShare
	}
	return target, agreed
}

// concurrency is the mean limit of the agents who know the queue on a day, rounded down.
func (t planTerms) concurrency(day calendar.Date) int {
	sum, n := 0, 0
	for _, a := range t.people {
		knows := slices.ContainsFunc(a.Skills, func(s workforce.Skill) bool { return s.Queue == t.queue.ID && s.Contains(day) })
		if knows && a.Employed.Contains(day) {
			sum += a.Concurrency
			n++
		}
	}
	if n == 0 {
		return 1
	}
	return max(1, sum/n)
}

// firstResponse is the term of a version that a queue of a skill is staffed to.
func firstResponse(v contracts.Version, skill string) (contracts.Term, bool) {
	for _, term := range v.Terms {
		if term.Metric == "answered_within" && (term.Skill == "" || term.Skill == skill) {
			return term, true
		}
	}
	return contracts.Term{}, false
}

// termOf finds a term that a plan names, with its version.
func termOf(c contracts.Contract, named AgreedTerm) (contracts.Version, contracts.Term, bool) {
	for _, v := range c.Versions {
		if v.Number != named.Version {
			continue
		}
		for _, term := range v.Terms {
			if term.ID == named.Term {
				return v, term, true
			}
		}
	}
	return contracts.Version{}, contracts.Term{}, false
}

// hold takes a term as the target and prices a missed contact: the deduction of the ladder's first
// step, spread over the contacts that may just be missed.
func hold(t *staffing.Target, v contracts.Version, term contracts.Term) {
	if within, err := time.ParseDuration(term.Within); err == nil {
		t.Within = within
	}
	t.Share, t.PenaltyPerMissedContact = min(term.Target, 0.99), 0
	if len(term.Ladder) > 0 {
		t.PenaltyPerMissedContact = float64(monthlyFee(v).Times(term.Ladder[0].Deduct)) / 100 / missesOfFirstStep
	}
}

// missesOfFirstStep spreads the first deduction of a ladder over about one hundred contacts: a
// first, stated price that keeps merchants with dear contracts ahead when heads are short.
const missesOfFirstStep = 100

// monthlyFee is the fixed fee of a version: seats times the seat price, or the minimum charge.
func monthlyFee(v contracts.Version) (fee money.Fen) {
	seats := int64(0)
	for _, s := range v.Seats {
		seats += int64(s.Count)
	}
	for _, price := range v.Prices {
		switch price.Base {
		case contracts.PerSeatMonth:
			fee += price.Amount * money.Fen(seats)
		case contracts.FlatMonth:
			fee += price.Amount
		default:
			fee += price.Minimum
		}
	}
	return fee
}
