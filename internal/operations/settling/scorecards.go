package settling

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// catchUpDays is how many days of cards one run of DailyScorecards makes at most.
const catchUpDays = 35

// DailyScorecards keeps the figures of every agent who worked on the business day before due, each
// with numerator, denominator and the version of its definition. answered_within is held against
// 30 s, whatever the contracts say: a card is about all merchants together. The day computed again
// replaces its cards. Days since the newest kept card before it, at most 35 in all, are made too:
// they were missed while nothing ran or failed. Days of a frozen month are left alone. rows is how
// many cards the days have.
func (s *Settling) DailyScorecards(ctx context.Context, who access.Principal, due time.Time) (rows int64, err error) {
	figures, err := s.gate.Figures(who, access.RunJobs)
	if err != nil {
		return 0, err
	}
	if _, err := s.gate.Warehouse.Refresh(ctx); err != nil { // events that came since the last check count too
		return 0, err
	}
	last := calendar.DateOf(due, s.gate.Zone).Add(-1)
	first, err := s.firstMissedDay(ctx, who, last)
	if err != nil {
		return 0, err
	}
	for date := first; !date.After(last); date = date.Add(1) {
		if _, err := s.gate.Everything().Freeze(ctx, date.MonthOf()); err == nil {
			continue // the month is closed: its cards stay as they are
		} else if fault.KindOf(err) != fault.NotFound {
			return rows, err
		}
		n, err := s.scorecardsOn(ctx, who, figures, date)
		if err != nil { // the days after it wait: the next run begins here again
			return rows, err
		}
		rows += n
	}
	return rows, nil
}

// firstMissedDay is the day after the newest kept card before date, or date when there is none.
func (s *Settling) firstMissedDay(ctx context.Context, who access.Principal, date calendar.Date) (calendar.Date, error) {
	view, _, err := s.gate.Read(who, access.RunJobs)
	if err != nil {
		return calendar.Date{}, err
	}
	earliest := date.Add(1 - catchUpDays)
	// A card older than that says as well that cards were being made.
	cards, _, err := view.Scorecards(ctx, store.ScorecardFilter{Dates: calendar.Dates{Until: date}}, store.Page{Limit: 1})
	if err != nil || len(cards) == 0 {
		return date, err
	}
	if next := cards[0].Date.Add(1); next.After(earliest) {
		return next, nil
	}
	return earliest, nil
}

// scorecardsOn makes the cards of one business day.
func (s *Settling) scorecardsOn(ctx context.Context, who access.Principal, figures warehouse.Reader, date calendar.Date) (int64, error) {
	metrics := s.metricsOn(date)
	if len(metrics) == 0 {
		return 0, nil
	}
	readings, err := figures.Query(ctx, kpi.Query{
		Metrics: metrics, Within: reportWithin, By: []kpi.Dimension{kpi.ByAgent}, Grain: kpi.Whole, Range: calendar.Day(date, s.gate.Zone),
	})
	if err != nil {
		return 0, err
	}
	cards := scorecardsOf(date, metrics, s.ofTheirPlatforms(readings))
	err = s.gate.Store.Change(ctx, who, s.gate.Now(), func(tx *store.Tx) error {
		_, err := tx.PutScorecards(date, cards)
		return err
	})
	return int64(len(cards)), err
}

// ofTheirPlatforms leaves out readings without data of metrics that count shops of some platforms
// only: an agent of a JD shop has no figures of Tmall, rather than empty ones.
func (s *Settling) ofTheirPlatforms(readings []kpi.Reading) []kpi.Reading {
	return slices.DeleteFunc(readings, func(r kpi.Reading) bool {
		d, err := s.gate.Definitions.Version(r.Metric, r.Version)
		return err == nil && len(d.Platforms) > 0 && (r.Value == nil || d.Unit == kpi.Count && r.Numerator == 0)
	})
}

// metricsOn lists the metrics that are defined on a date: one that begins later must not keep the
// others from the card.
func (s *Settling) metricsOn(date calendar.Date) []kpi.Metric {
	return slices.DeleteFunc(metricsOf(s.gate.Definitions), func(metric kpi.Metric) bool {
		_, err := s.gate.Definitions.On(metric, date)
		return err != nil
	})
}

// scorecardsOf groups readings by agent, in the order of the metrics. An agent without any figure
// did not work that day and gets no card; neither do contacts that reached nobody.
func scorecardsOf(date calendar.Date, metrics []kpi.Metric, readings []kpi.Reading) []store.Scorecard {
	byAgent := map[ids.Agent][]kpi.Reading{}
	worked := map[ids.Agent]bool{}
	for _, r := range readings {
		if r.Agent != "" {
			byAgent[r.Agent] = append(byAgent[r.Agent], r)
			worked[r.Agent] = worked[r.Agent] || r.Value != nil && r.Denominator > 0
		}
	}
	var cards []store.Scorecard
	for agent, own := range byAgent {
		if !worked[agent] {
			continue
		}
		slices.SortStableFunc(own, func(a, b kpi.Reading) int {
			return slices.Index(metrics, a.Metric) - slices.Index(metrics, b.Metric)
		})
		cards = append(cards, store.Scorecard{Date: date, Agent: agent, Readings: own})
	}
	slices.SortFunc(cards, func(a, b store.Scorecard) int { return cmp.Compare(a.Agent, b.Agent) })
	return cards
}

// Scorecards lists daily scorecards, newest day first; an agent sees its own.
func (s *Settling) Scorecards(ctx context.Context, who access.Principal, f store.ScorecardFilter, p store.Page) ([]store.Scorecard, string, error) {
	view, scope, err := s.gate.Read(who, access.ReadAgentKPI)
	if err != nil {
		return nil, "", err
	}
	if err := s.gate.Named(ctx, scope, gate.Names{Agents: gate.One(f.Agent)}); err != nil {
		return nil, "", err
	}
	cards, next, err := view.Scorecards(ctx, f, p)
	if err == nil && len(cards) == 0 {
		err = s.gate.NobodyNamed(ctx, scope, gate.One(f.Agent))
	}
	return cards, next, err
}
