package demo

import (
	"bytes"
	"cmp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

func formerOf(t *testing.T) *world {
	t.Helper()
	w, err := newFormer(worldOf(t).zone)
	require.NoError(t, err)
	return w
}

// chats are the conversations of the former client with their messages, as they are handed over.
func (w *world) chats(t *testing.T) (heads []chatlog.Conversation, events map[string][]chatlog.Event) {
	t.Helper()
	events = map[string][]chatlog.Event{}
	_, err := w.makeBatches(func(b warehouse.Batch) {
		heads = append(heads, b.Conversations...)
		for _, e := range b.Events {
			events[e.Conversation] = append(events[e.Conversation], e)
		}
	})
	require.NoError(t, err)
	return heads, events
}

// inTime counts JD's rate by hand: of the conversations that start from one hour of the day to before
// another, those in which a person writes within 30 s after the buyer's first line.
func (w *world) inTime(t *testing.T, from, until int) (good, all float64) {
	t.Helper()
	heads, events := w.chats(t)
	for _, c := range heads {
		if hour := c.StartedAt.In(w.zone).Hour(); hour < from || hour >= until {
			continue
		}
		all++
		var asked, answered time.Time
		for _, e := range events[c.ID] {
			switch {
			case e.Kind == chatlog.BuyerMessage && (asked.IsZero() || e.At.Before(asked)):
				asked = e.At
			case e.Kind == chatlog.AgentMessage && (answered.IsZero() || e.At.Before(answered)):
				answered = e.At
			}
		}
		if !answered.IsZero() && answered.Sub(asked) <= 30*time.Second {
			good++
		}
	}
	return good, all
}

func TestTheFormerClientIsOfThePast(t *testing.T) {
	now, w := worldOf(t), formerOf(t)
	merchants, agreed, err := intake.Contracts("former.yaml", bytes.NewReader(formerFile))
	require.NoError(t, err)
	require.Len(t, merchants, 1)
	require.Len(t, agreed, 1)
	_, during := agreed[0].VersionAt(formerMonth.First())
	_, after := agreed[0].VersionAt(formerMonth.Next().First())
	assert.Equal(t, []bool{true, false}, []bool{during, after}, "its contract ends with the month")
	taken := map[ids.Agent]bool{}
	for _, a := range now.agents {
		taken[a.ID] = true
	}
	for _, a := range w.agents {
		require.NoError(t, a.Validate())
		assert.False(t, taken[a.ID], a.ID)
		assert.True(t, a.Employed.Contains(formerMonth.First()))
		assert.False(t, a.Employed.Contains(now.from), "%s is in no roster of today", a.ID)
		_, knows := a.SkillAt(w.demands[0].queue, formerMonth.First())
		assert.True(t, knows)
	}
	for _, d := range now.demands {
		assert.NotEqual(t, w.demands[0].queue, d.queue)
	}
}

// A dispute about JD's window has a subject only if people wrote outside the new one.
func TestTheFormerMonthHasChatsThatOnlyTheOldWindowCounts(t *testing.T) {
	w := formerOf(t)
	start, end := formerMonth.First().In(w.zone), formerMonth.Next().First().In(w.zone)
	days, seen := map[calendar.Date]int{}, map[string]bool{}
	early, late, across := 0, 0, 0
	_, err := w.simulate(func(x *simulate.Conversation) {
		c := w.conversation(x, start)
		events := w.events(nil, x, c, start)
		if problem := cmp.Or(conversationProblem(c, start, end), eventsProblem(c, events), roundsProblem(x, events, w, start)); problem != "" || seen[c.ID] {
			require.Fail(t, problem, "%+v\n%+v\n%+v", c, x, events)
		}
		seen[c.ID] = true
		days[calendar.DateOf(c.StartedAt, w.zone)]++
		opening := calendar.DateOf(c.StartedAt, w.zone).In(w.zone).Add(9 * time.Hour)
		switch {
		case c.StartedAt.Before(opening):
			early++
			if c.AnsweredAt.After(opening) {
				across++ // as 08:56 answered at 09:01 in kpi/testdata/cases/jd.txt
			}
		case c.StartedAt.In(w.zone).Hour() == 23:
			late++
		}
	})
	require.NoError(t, err)
	assert.Len(t, days, 31)
	for day, n := range days {
		assert.GreaterOrEqual(t, n, 60, day)
		assert.LessOrEqual(t, n, 150, day)
	}
	assert.Greater(t, early, 31)
	assert.Greater(t, late, 31)
	assert.Positive(t, across)

	_, whole := w.inTime(t, 8, 24)
	_, narrow := w.inTime(t, 9, 23)
	assert.InDelta(t, len(seen), whole, 0, "the shop is closed outside the old window")
	assert.InDelta(t, whole-narrow, early+late, 0)
}

func TestTheFormerMonthIsAlwaysTheSame(t *testing.T) {
	heads, events := formerOf(t).chats(t)
	again, written := formerOf(t).chats(t)
	assert.True(t, assert.ObjectsAreEqual(heads, again))
	assert.True(t, assert.ObjectsAreEqual(events, written))
}
