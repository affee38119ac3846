package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

var shanghai = func() *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	return zone
}()

// neutral repeats the definitions of the neutral pack that the tests use; the pack itself lives in
// configs, which this tree must not import.
var neutral = func() kpi.Definitions {
	var all kpi.Definitions
	for _, d := range []struct {
		metric     kpi.Metric
		unit       kpi.Unit
		num, denom string
	}{
		{"offered", kpi.Count, "offered", ""},
		{"handled", kpi.Count, "answered", ""},
		{"abandoned", kpi.Count, "abandoned", ""},
		{"abandonment", kpi.Share, "abandoned", "offered"},
		{"first_response", kpi.Seconds, "first_response_seconds", "first_response_count"},
		{"answered_within", kpi.Share, "within", "offered"},
		{"avg_response", kpi.Seconds, "round_response_seconds", "rounds_answered"},
		{"round_within_60", kpi.Share, "rounds_within_60", "rounds"},
		{"round_within_180", kpi.Share, "rounds_within_180", "rounds"},
		{"resolution", kpi.Share, "resolved", "resolved_known"},
		{"satisfaction", kpi.Rating, "rating_sum", "rating_count"},
		{"satisfaction_share", kpi.Share, "rating_good", "rating_count"},
		{"answer_question_ratio", kpi.Ratio, "agent_messages", "buyer_messages"},
		{"handle_time", kpi.Seconds, "handle_seconds", "answered"},
		{"occupancy", kpi.Share, "busy_seconds", "on_seconds"},
	} {
		all = append(all, kpi.Definition{
			Metric: d.metric, Version: "t1", Unit: d.unit, Numerator: d.num, Denominator: d.denom,
			Effective: calendar.Dates{From: calendar.MakeDate(2000, 1, 1)},
		})
	}
	return all
}()

// sessionMetrics are all metrics of conversations.
var sessionMetrics = func() []kpi.Metric {
	var all []kpi.Metric
	for _, d := range neutral {
		if d.Metric != "occupancy" {
			all = append(all, d.Metric)
		}
	}
	return all
}()

// reference is the slow, obvious warehouse: it keeps the last row of every key and walks over all
// of them for every question.
type reference struct {
	conversations map[string]chatlog.Conversation
	states        map[string]chatlog.AgentState
	unasked       map[string]bool // conversations that nobody asked for
}

func newReference() *reference {
	return &reference{map[string]chatlog.Conversation{}, map[string]chatlog.AgentState{}, map[string]bool{}}
}

func (r *reference) ingest(b Batch) {
	for _, c := range b.Conversations {
		c.Rounds = named(c)
		r.conversations[string(c.Merchant)+"\x00"+c.ID] = c
	}
	for _, s := range b.States {
		r.states[string(s.Agent)+"\x00"+s.Start.UTC().String()] = s
	}
}

// named gives the rounds of a header that name nobody to the conversation's agent.
func named(c chatlog.Conversation) []chatlog.Round {
	rounds := slices.Clone(c.Rounds)
	for i := range rounds {
		rounds[i].Agent = cmp.Or(rounds[i].Agent, c.Agent)
	}
	return rounds
}

// place is where a contribution belongs.
type place struct {
	merchant ids.Merchant
	shop     ids.Shop
	queue    ids.Queue
	agent    ids.Agent
	at       time.Time
}

// emit calls add for everything that counts towards a metric.
func (r *reference) emit(metric kpi.Metric, limit time.Duration, add func(p place, numerator, denominator float64)) {
	b := func(yes bool) float64 {
		if yes {
			return 1
		}
		return 0
	}
	for key, c := range r.conversations {
		at := place{c.Merchant, c.Shop, c.Queue, c.Agent, c.StartedAt}
		asked := !r.unasked[key]
		isAnswered := asked && !c.AnsweredAt.IsZero()
		response := c.AnsweredAt.Sub(c.StartedAt)
		abandoned := asked && !isAnswered && (c.Abandoned || !c.EndedAt.IsZero())
		switch metric {
		case "offered":
			add(at, b(asked), 0)
		case "handled":
			add(at, b(isAnswered), 0)
		case "abandoned":
			add(at, b(abandoned), 0)
		case "abandonment":
			add(at, b(abandoned), b(asked))
		case "first_response":
			if isAnswered {
				add(at, response.Seconds(), 1)
			}
		case "answered_within":
			add(at, b(isAnswered && response <= limit), b(asked))
		case "resolution":
			if c.Resolved != nil {
				add(at, b(*c.Resolved), 1)
			}
		case "satisfaction":
			if c.Rating != nil {
				add(at, float64(*c.Rating), 1)
			}
		case "satisfaction_share":
			if c.Rating != nil {
				add(at, b(*c.Rating >= 4), 1)
			}
		case "answer_question_ratio":
			add(at, float64(c.AgentMessages), float64(c.BuyerMessages))
		case "handle_time":
			add(at, c.HandleTime.Seconds(), b(isAnswered))
		}
		for _, round := range c.Rounds {
			by := at
			by.agent = round.Agent
			closed := !round.AnsweredAt.IsZero()
			wait := round.AnsweredAt.Sub(round.OpenedAt)
			switch metric {
			case "avg_response":
				if closed {
					add(by, wait.Seconds(), 1)
				}
			case "round_within_60":
				add(by, b(closed && wait <= time.Minute), 1)
			case "round_within_180":
				add(by, b(closed && wait <= 3*time.Minute), 1)
			}
		}
	}
	if metric != "occupancy" {
		return
	}
	for _, s := range r.states {
		for t := s.Start.Truncate(calendar.Slot); t.Before(s.End); t = t.Add(calendar.Slot) {
			part := calendar.Range{Start: t, End: t.Add(calendar.Slot)}.Overlap(calendar.Range{Start: s.Start, End: s.End}).Seconds()
			add(place{agent: s.Agent, at: t}, part*b(s.State == chatlog.Busy), part*b(s.State == chatlog.Busy || s.State == chatlog.Ready))
		}
	}
}

// query answers like Reader.Query.
func (r *reference) query(scope Scope, q kpi.Query, zone *time.Location) []kpi.Reading {
	window, _ := kpi.ParseWindow(q.Window)
	var all []kpi.Reading
	for _, metric := range q.Metrics {
		definition, err := neutral.Version(metric, "t1")
		if err != nil {
			panic(err)
		}
		groups := map[string]*kpi.Reading{}
		if q.Grain == kpi.Whole && len(q.By) == 0 {
			groups[""] = &kpi.Reading{Metric: metric, Version: "t1"}
		}
		r.emit(metric, q.Within, func(p place, numerator, denominator float64) {
			local := p.at.In(zone)
			visible := scope.Everything || slices.Contains(scope.Merchants, p.merchant) || scope.Agent != "" && len(scope.Merchants) == 0
			if !visible || scope.Agent != "" && scope.Agent != p.agent || !q.Range.Contains(p.at) ||
				!window.Contains(local.Hour()*60+local.Minute()) ||
				len(q.Merchants) > 0 && !slices.Contains(q.Merchants, p.merchant) ||
				len(q.Shops) > 0 && !slices.Contains(q.Shops, p.shop) ||
				len(q.Queues) > 0 && !slices.Contains(q.Queues, p.queue) ||
				len(q.Agents) > 0 && !slices.Contains(q.Agents, p.agent) {
				return
			}
			key := kpi.Reading{Metric: metric, Version: "t1"}
			for _, by := range q.By {
				switch by {
				case kpi.ByMerchant:
					key.Merchant = p.merchant
				case kpi.ByShop:
					key.Shop = p.shop
				case kpi.ByQueue:
					key.Queue = p.queue
				case kpi.ByAgent:
					key.Agent = p.agent
				}
			}
			switch q.Grain {
			case kpi.Slot:
				key.Start = p.at.Truncate(calendar.Slot).UTC()
			case kpi.Hour:
				key.Start = p.at.Truncate(time.Hour).UTC()
			case kpi.Day:
				key.Start = calendar.DateOf(p.at, zone).In(zone).UTC()
			case kpi.Month:
				key.Start = calendar.DateOf(p.at, zone).MonthOf().First().In(zone).UTC()
			case kpi.SlotOfDay:
				key.Slot = local.Hour()*4 + local.Minute()/15
			}
			name := fmt.Sprintf("%s\x00%s\x00%s\x00%s\x00%020d%02d", key.Merchant, key.Shop, key.Queue, key.Agent, key.Start.Unix()+1<<40, key.Slot)
			if groups[name] == nil {
				groups[name] = &key
			}
			groups[name].Numerator += numerator
			groups[name].Denominator += denominator
		})
		names := make([]string, 0, len(groups))
		for name := range groups {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			reading := *groups[name]
			if definition.Unit == kpi.Count {
				reading.Denominator = 1
			}
			if reading.Denominator > 0 {
				value := reading.Numerator / reading.Denominator
				reading.Value = &value
			}
			all = append(all, reading)
		}
	}
	return all
}

// base is where the random conversations lie: three days around a business midnight and month end.
var base = time.Date(2026, 10, 30, 0, 0, 0, 0, shanghai)

func drawInstant(t *rapid.T, label string) time.Time {
	return base.Add(time.Duration(rapid.Int64Range(0, 3*24*3600*1000-1).Draw(t, label)) * time.Millisecond)
}

// drawConversation makes conversations with few distinct ids, so that corrections happen, and
// with times around the limits that the metrics count.
func drawConversation(t *rapid.T) chatlog.Conversation {
	seconds := rapid.SampledFrom([]int64{0, 1, 10, 15, 20, 30, 31, 45, 60, 61, 180, 300, 301, 4000})
	c := chatlog.Conversation{
		Merchant:  rapid.SampledFrom([]ids.Merchant{"lumi", "o'hara", "青禾"}).Draw(t, "merchant"),
		Shop:      rapid.SampledFrom([]ids.Shop{"s1", "s2"}).Draw(t, "shop"),
		Queue:     rapid.SampledFrom([]ids.Queue{"pre", "after"}).Draw(t, "queue"),
		ID:        fmt.Sprint("c", rapid.IntRange(0, 25).Draw(t, "id")),
		Channel:   chatlog.Chat,
		StartedAt: drawInstant(t, "start"),
	}
	if rapid.IntRange(0, 4).Draw(t, "answered") > 0 {
		c.Agent = rapid.SampledFrom([]ids.Agent{"a1", "a2", "a3"}).Draw(t, "agent")
		c.AnsweredAt = c.StartedAt.Add(time.Duration(seconds.Draw(t, "response")) * time.Second)
		c.HandleTime = time.Duration(rapid.IntRange(0, 900_000).Draw(t, "handle")) * time.Millisecond
		c.AgentMessages = rapid.IntRange(0, 9).Draw(t, "agent messages")
	} else if rapid.Bool().Draw(t, "gone") {
		c.Abandoned = true
	}
	if rapid.Bool().Draw(t, "ended") {
		c.EndedAt = c.StartedAt.Add(2 * time.Hour)
	}
	c.BuyerMessages = rapid.IntRange(0, 9).Draw(t, "buyer messages")
	if rapid.Bool().Draw(t, "rated") {
		rating := rapid.IntRange(1, 5).Draw(t, "rating")
		c.Rating = &rating
	}
	if rapid.Bool().Draw(t, "resolution known") {
		resolved := rapid.Bool().Draw(t, "resolved")
		c.Resolved = &resolved
	}
	opened := c.StartedAt
	for range rapid.IntRange(0, 3).Draw(t, "rounds") {
		round := chatlog.Round{OpenedAt: opened, Agent: rapid.SampledFrom([]ids.Agent{"", "a1", "a2", "a3"}).Draw(t, "round agent")}
		if rapid.IntRange(0, 3).Draw(t, "closed") > 0 {
			round.AnsweredAt = opened.Add(time.Duration(seconds.Draw(t, "wait")) * time.Second)
		}
		c.Rounds = append(c.Rounds, round)
		opened = opened.Add(time.Duration(seconds.Draw(t, "gap")) * time.Second)
	}
	return c
}

func drawState(t *rapid.T) chatlog.AgentState {
	start := base.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "slot")) * 97 * time.Minute)
	return chatlog.AgentState{
		Agent: rapid.SampledFrom([]ids.Agent{"a1", "a2"}).Draw(t, "agent"),
		State: rapid.SampledFrom(chatlog.States).Draw(t, "state"),
		Start: start, End: start.Add(time.Duration(rapid.IntRange(1, 30*3600*1000).Draw(t, "length")) * time.Millisecond),
	}
}

func TestAgreesWithTheReference(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	rapid.Check(t, func(t *rapid.T) {
		clear(t, w)
		truth := newReference()
		for n := range rapid.IntRange(1, 3).Draw(t, "batches") {
			b := Batch{
				ID:            ids.Batch(fmt.Sprint("b", n)),
				Conversations: rapid.SliceOfN(rapid.Custom(drawConversation), 0, 25).Draw(t, "conversations"),
				States:        rapid.SliceOfN(rapid.Custom(drawState), 0, 6).Draw(t, "states"),
			}
			ingest(t, w, b)
			truth.ingest(b)
			if rapid.Bool().Draw(t, "again") {
				assert.True(t, ingest(t, w, b).Duplicate)
			}
			if rapid.Bool().Draw(t, "refresh between") {
				refresh(t, w)
			}
		}
		refresh(t, w)
		for range 8 {
			q, scope := drawQuestion(t)
			same(t, truth.query(scope, q, shanghai), ask(t, w, scope, q), "sessions")
			q.Metrics, q.By = []kpi.Metric{"occupancy"}, []kpi.Dimension{kpi.ByAgent}
			same(t, truth.query(everything, q, shanghai), ask(t, w, everything, q), "occupancy")
		}
		counts, err := w.In(everything).Counts(context.Background())
		require.NoError(t, explain(err))
		require.Equal(t, uint64(len(truth.conversations)), counts.Conversations)
		require.Equal(t, uint64(len(truth.states)), counts.States)
		verification, err := w.Verify(context.Background(), Sample{Days: 100, Seed: 1})
		require.NoError(t, explain(err))
		require.Empty(t, verification.Differences)
	})
}

func drawQuestion(t *rapid.T) (kpi.Query, Scope) {
	by := rapid.SampledFrom([][]kpi.Dimension{
		nil,
		{kpi.ByAgent},
		{kpi.ByMerchant, kpi.ByQueue},
		{kpi.ByMerchant, kpi.ByShop, kpi.ByQueue, kpi.ByAgent},
	}).Draw(t, "by")
	q := kpi.Query{
		Metrics: sessionMetrics, By: by, Range: month,
		Within: rapid.SampledFrom(kpi.Limits).Draw(t, "within"),
		Grain:  rapid.SampledFrom([]kpi.Grain{kpi.Whole, kpi.Slot, kpi.Hour, kpi.Day, kpi.Month, kpi.SlotOfDay}).Draw(t, "grain"),
		Window: rapid.SampledFrom([]string{"", "09:00-23:00", "22:00-06:00", "12:15-24:00"}).Draw(t, "window"),
	}
	if rapid.Bool().Draw(t, "part") {
		q.Range = calendar.Range{Start: base.Add(7 * time.Hour), End: base.Add(50 * time.Hour)}
	}
	scope := rapid.SampledFrom([]Scope{
		everything,
		{Merchants: []ids.Merchant{"o'hara"}},
		{Agent: "a2"},
		{Agent: "a2", Merchants: []ids.Merchant{"青禾"}},
	}).Draw(t, "scope")
	return q, scope
}

func TestTwoPeriodsMergeIntoTheWhole(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	rapid.Check(t, func(t *rapid.T) {
		clear(t, w)
		ingest(t, w, Batch{ID: "b", Conversations: rapid.SliceOfN(rapid.Custom(drawConversation), 1, 40).Draw(t, "conversations")})
		refresh(t, w)
		q := kpi.Query{Metrics: sessionMetrics, Within: 30 * time.Second, Grain: kpi.Whole, Range: month}
		whole := ask(t, w, everything, q)
		for range 5 {
			cut := base.Add(time.Duration(rapid.IntRange(1, 4*72-1).Draw(t, "cut")) * calendar.Slot)
			q.Range = calendar.Range{Start: month.Start, End: cut}
			before := ask(t, w, everything, q)
			q.Range = calendar.Range{Start: cut, End: month.End}
			after := ask(t, w, everything, q)
			for i, d := range neutral[:len(sessionMetrics)] {
				merged := kpi.Merged(d.Unit, []kpi.Reading{before[i], after[i]})
				if whole[i].Value == nil {
					require.Nil(t, merged.Value, d.Metric)
					continue
				}
				require.InDelta(t, *whole[i].Value, *merged.Value, 1e-9, d.Metric)
			}
		}
	})
}
