package httpapi_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/scheduling/leave"
)

type requestDoc struct {
	Value struct {
		ID    string `json:"id"`
		State string `json:"state"`
		Leave struct {
			Decision struct {
				LostYuan *float64 `json:"lost_yuan"`
				Findings []struct {
					Code string     `json:"code"`
					Says leave.Text `json:"says"`
				} `json:"findings"`
			} `json:"decision"`
		} `json:"leave"`
	} `json:"value"`
	Version int `json:"version"`
	Steps   []struct {
		Action string `json:"action"`
		From   string `json:"from"`
		To     string `json:"to"`
	} `json:"steps"`
}

// An agent asks for leave, the supervisor sees it and decides; an old version is not overwritten, and
// another agent sees nothing of it.
func TestLeaveByAPI(t *testing.T) {
	h := open(t, nil)
	zone := operationstest.Shanghai
	day := calendar.DateOf(time.Now(), zone).Add(28)
	for day.Weekday() != time.Monday {
		day = day.Add(1)
	}
	h.AddPublished(t, "w", calendar.Day(day, zone), operationstest.ShiftOf("1001", day, 9))
	ask := fmt.Sprintf(`{"kind":"sick","first":"%s","reason":"发烧"}`, day)
	var made struct {
		Request *requestDoc `json:"request"`
	}
	dry := h.ask(t, "agent-lumi", "POST", "/v1/leave-requests?dry=true", ask)
	dry.into(t, &made)
	assert.Equal(t, 200, dry.status, "nothing was made")
	assert.Nil(t, made.Request)
	done := h.ask(t, "agent-lumi", "POST", "/v1/leave-requests", ask)
	done.into(t, &made)
	assert.Equal(t, 201, done.status)
	require.Equal(t, "waiting", made.Request.Value.State, "the document is missing")
	assert.Nil(t, made.Request.Value.Leave.Decision.LostYuan, "an agent is not told what it is worth, not even 0")
	require.Len(t, made.Request.Value.Leave.Decision.Findings, 1)
	assert.Equal(t, "缺少证明材料", made.Request.Value.Leave.Decision.Findings[0].Says.ZH)
	path := "/v1/requests/" + made.Request.Value.ID
	assert.Equal(t, 404, h.ask(t, "agent-orca", "GET", path, nil).status)
	assert.Equal(t, 403, h.ask(t, "agent-lumi", "POST", path+"/steps", `{"action":"approve"}`).status)
	assert.Equal(t, 400, h.ask(t, "supervisor", "POST", path+"/steps", `{"action":"expire"}`).status, "a step of the system")

	got := h.ask(t, "supervisor", "GET", path, nil)
	tag := got.header.Get("ETag")
	var boss requestDoc
	got.into(t, &boss)
	assert.NotNil(t, boss.Value.Leave.Decision.LostYuan)
	done = h.ask(t, "supervisor", "POST", path+"/steps", `{"action":"approve","reason":"好好休息"}`, "If-Match", tag)
	require.Equal(t, 200, done.status, string(done.body))
	again := h.ask(t, "supervisor", "POST", path+"/steps", `{"action":"cancel"}`, "If-Match", tag)
	assert.Equal(t, 412, again.status)
	assert.Equal(t, "request.state", h.ask(t, "supervisor", "POST", path+"/steps", `{"action":"refuse"}`).problem(t).Code)

	var shifts struct {
		Items []any `json:"items"`
	}
	h.ask(t, "agent-lumi", "GET", "/v1/shifts", nil).into(t, &shifts)
	assert.Empty(t, shifts.Items, "the shift is gone")
	var view requestDoc
	h.ask(t, "agent-lumi", "GET", path, nil).into(t, &view)
	require.Len(t, view.Steps, 2)
	assert.Equal(t, "approved", view.Steps[1].To)
	overlap := h.ask(t, "agent-lumi", "POST", "/v1/leave-requests", ask).problem(t)
	assert.Equal(t, "leave.rejected", overlap.Code)
	assert.Equal(t, "leave.overlap", overlap.Errors[0].Path)
}

// An agent that names another is refused; an empty list would say that the other has no shifts.
func TestAnAgentAsksAboutItselfOnly(t *testing.T) {
	h := open(t, nil)
	for _, path := range []string{"/v1/shifts?agent=", "/v1/shifts/calendar?agent=", "/v1/person-facts?agent=", "/v1/leave-entries?agent="} {
		assert.Equal(t, 200, h.ask(t, "agent-lumi", "GET", path+"1001", nil).status, path)
		assert.Equal(t, 403, h.ask(t, "agent-lumi", "GET", path+"2001", nil).status, path)
		assert.Equal(t, 200, h.ask(t, "supervisor", "GET", path+"2001", nil).status, path)
	}
}
