package httpapi_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// published adds a roster of the coming Monday in which both agents work from 9 to 18.
func (h *house) published(t *testing.T, id ids.Roster) calendar.Date {
	t.Helper()
	zone := h.Zone()
	day := calendar.DateOf(time.Now(), zone).Add(1)
	for day.Weekday() != time.Monday {
		day = day.Add(1)
	}
	at := func(hour int) time.Time { return day.In(zone).Add(time.Duration(hour) * time.Hour) }
	duty := func(agent ids.Agent, queue ids.Queue) scheduling.Shift {
		return scheduling.Shift{Agent: agent, Start: at(9), End: at(18), Activities: []scheduling.Activity{
			{Kind: scheduling.Work, Queue: queue, Start: at(9), End: at(13)},
			{Kind: scheduling.Meal, Start: at(13), End: at(14)},
			{Kind: scheduling.Work, Queue: queue, Start: at(14), End: at(18)},
		}}
	}
	h.AddPublished(t, id, calendar.Range{Start: day.In(zone), End: day.Add(7).In(zone)}, duty("1001", "lumi-tmall/pre"), duty("2001", "orca-jd/pre"))
	return day
}

// An edit says what it would do, is made once on the version that was read, and reads back as a revision.
func TestEditingOverHTTP(t *testing.T) {
	h := open(t, nil)
	day := h.published(t, "r").In(h.Zone())
	edit := func(hour int) map[string]any {
		return map[string]any{"publish": true, "reason": "晚到", "edits": []map[string]any{
			{"kind": "move", "agent": "1001", "start": day.Add(9 * time.Hour), "new_start": day.Add(time.Duration(hour) * time.Hour)},
		}}
	}
	read := h.ask(t, "supervisor", "GET", "/v1/rosters/r", nil)
	tag := read.header.Get("ETag")
	require.NotEmpty(t, tag)
	dry := h.ask(t, "supervisor", "PATCH", "/v1/rosters/r/shifts?dry=1", edit(10))
	require.Equal(t, http.StatusOK, dry.status, string(dry.body))
	assert.Empty(t, dry.header.Get("ETag"), "nothing was made")
	var answer struct {
		Verdict struct {
			Allowed bool
			Broken  []struct{ Rule string }
		}
		Roster *struct{ Revision int }
	}
	dry.into(t, &answer)
	assert.True(t, answer.Verdict.Allowed)
	assert.Nil(t, answer.Roster)

	// Two supervisors drag the same shift of the same version at once: one of them is told.
	statuses := make([]int, 2)
	secret := h.as(t, "supervisor")
	var both sync.WaitGroup
	for i := range 2 {
		both.Go(func() {
			statuses[i] = h.send(t, "PATCH", "/v1/rosters/r/shifts", edit(10+i), "Authorization", "Bearer "+secret, "If-Match", tag).status
		})
	}
	both.Wait()
	assert.ElementsMatch(t, []int{http.StatusOK, http.StatusPreconditionFailed}, statuses)
	h.ask(t, "supervisor", "GET", "/v1/rosters/r", nil).into(t, &answer.Roster)
	assert.Equal(t, 2, answer.Roster.Revision)
	h.ask(t, "supervisor", "GET", "/v1/rosters/r?revision=1", nil).into(t, &answer.Roster)
	assert.Equal(t, 1, answer.Roster.Revision)
	assert.Equal(t, http.StatusNotFound, h.ask(t, "supervisor", "GET", "/v1/rosters/r?revision=9", nil).status)

	illegal := h.ask(t, "supervisor", "PATCH", "/v1/rosters/r/shifts", map[string]any{"publish": true, "overrule": true, "reason": "x", "edits": []map[string]any{
		{"kind": "resize", "agent": "2001", "start": day.Add(9 * time.Hour), "new_end": day.Add(23 * time.Hour)},
	}})
	assert.Equal(t, http.StatusConflict, illegal.status)
	p := illegal.problem(t)
	assert.Equal(t, "roster.unlawful", p.Code)
	require.NotEmpty(t, p.Errors)
	unknown := h.ask(t, "supervisor", "PATCH", "/v1/rosters/r/shifts", `{"edits":[{"kind":"move","agent":"1001","colour":"red"}]}`)
	assert.Equal(t, http.StatusBadRequest, unknown.status, "unknown fields are errors")
}

// A calendar program reads with the address alone, until it is revoked; the address is in no log.
func TestCalendarFeedOverHTTP(t *testing.T) {
	h := open(t, nil)
	h.published(t, "r")
	var feed struct{ ID, Address string }
	made := h.ask(t, "agent-lumi", "POST", "/v1/calendar-feeds", map[string]any{})
	require.Equal(t, http.StatusCreated, made.status, string(made.body))
	made.into(t, &feed)
	path := strings.TrimPrefix(feed.Address, h.base)
	require.True(t, strings.HasPrefix(path, "/calendar/") && strings.HasSuffix(path, ".ics"), feed.Address)
	read := h.send(t, "GET", path, nil)
	assert.Equal(t, http.StatusOK, read.status)
	assert.Equal(t, "text/calendar; charset=utf-8", read.header.Get("Content-Type"))
	assert.Equal(t, 1, strings.Count(string(read.body), "BEGIN:VEVENT"), "one's own shift and no other's")
	assert.NotContains(t, string(read.body), "orca")
	own := h.ask(t, "agent-lumi", "GET", "/v1/shifts/calendar", nil)
	assert.Equal(t, string(read.body), string(own.body))
	assert.Contains(t, own.header.Get("Content-Disposition"), "shifts.ics")

	var list struct{ Items []struct{ ID string } }
	h.ask(t, "agent-orca", "GET", "/v1/calendar-feeds", nil).into(t, &list)
	assert.Empty(t, list.Items)
	assert.Equal(t, http.StatusNotFound, h.ask(t, "agent-orca", "DELETE", "/v1/calendar-feeds/"+feed.ID, nil).status)
	for _, other := range []string{strings.TrimSuffix(path, ".ics"), "/calendar/.ics", "/calendar/x.ics", path + "x"} {
		assert.Equal(t, http.StatusNotFound, h.send(t, "GET", other, nil).status, other)
	}
	assert.NotEqual(t, http.StatusOK, h.send(t, "POST", path, nil).status)
	assert.Equal(t, http.StatusNoContent, h.ask(t, "agent-lumi", "DELETE", "/v1/calendar-feeds/"+feed.ID, nil).status)
	gone := h.send(t, "GET", path, nil)
	assert.Equal(t, http.StatusNotFound, gone.status)
	secret := strings.TrimSuffix(strings.TrimPrefix(path, "/calendar/"), ".ics")
	assert.NotContains(t, h.log.String(), secret)
	assert.NotContains(t, string(gone.body), secret)
}

func TestAcknowledgingOverHTTP(t *testing.T) {
	h := open(t, nil)
	h.published(t, "r")
	assert.Equal(t, http.StatusCreated, h.ask(t, "agent-lumi", "POST", "/v1/rosters/r/acknowledgements", nil).status, "an agent has nothing to add")
	assert.Equal(t, http.StatusCreated, h.ask(t, "agent-lumi", "POST", "/v1/rosters/r/acknowledgements", map[string]any{}).status)
	assert.Equal(t, http.StatusForbidden, h.ask(t, "agent-lumi", "POST", "/v1/rosters/r/acknowledgements", map[string]any{"agent": "2001"}).status)
	var pending struct {
		Items []struct{ Agent, Seen string }
	}
	h.ask(t, "supervisor", "GET", "/v1/rosters/r/acknowledgements?pending=true", nil).into(t, &pending)
	require.Len(t, pending.Items, 1)
	assert.Equal(t, "2001", pending.Items[0].Agent)
	assert.Equal(t, "unseen", pending.Items[0].Seen)
}
