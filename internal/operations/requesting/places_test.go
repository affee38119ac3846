package requesting_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// a1 works at home, a3 at the only seat. Whoever takes the shift of a1 would need a second seat.
func TestShiftsAreNotTakenWithoutASeat(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		seats := func(n int) {
			ok(t, h.db.Change(ctx, planner, h.clock, func(tx *store.Tx) error {
				_, err := tx.PutSite(workforce.Site{ID: "hz", Name: "杭州", Seats: n}, store.AnyVersion)
				return err
			}))
		}
		seats(1)
		home, err := h.db.In(access.Scope{Everything: true}).Agent(ctx, "a1")
		ok(t, err)
		home.Value.Employment = workforce.Cloud
		ok(t, h.db.Change(ctx, planner, h.clock, func(tx *store.Tx) error {
			_, err := tx.PutAgent(home.Value, store.AnyVersion)
			return err
		}))
		h.policy(t, func(p *leave.Policy) { p.SwapApproval = false })
		h.publish(t, "w1", monday, 7, shift("a1", monday, 9, 18), shift("a3", monday, 9, 18))
		give, err := h.GiveShift(ctx, as("a1"), requesting.GiveInput{Start: at(monday, 9)})
		ok(t, err)
		take := requesting.ActInput{Action: leave.Take}
		_, err = h.Act(ctx, as("a2"), give.Value.ID, take)
		e := refused(t, err, "request.unlawful")
		require.Len(t, e.Fields, 1)
		assert.Equal(t, "site.seats", e.Fields[0].Value)
		seats(2)
		_, err = h.Act(ctx, as("a2"), give.Value.ID, take)
		ok(t, err)
		assert.Equal(t, []string{"a2 06-15 09-18", "a3 06-15 09-18"}, h.shifts(t))
	})
}

// Excel in China saves CSV in GB18030; bytes that are no text are told by column.
func TestFactsInGB18030(t *testing.T) {
	h := sqlite(t)
	text := "工号,类型,代码,开始日期,备注\na2,认证,lumi-2026,2026-01-01,鹿米㐀店\n"
	raw, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	ok(t, err)
	done, err := h.ImportFacts(t.Context(), planner, "f.csv", bytes.NewReader([]byte(raw)), false)
	ok(t, err)
	assert.Equal(t, store.PutResult{Added: 1}, done.PutResult)
	facts, _, err := h.Facts(t.Context(), planner, store.FactFilter{Agent: "a2"}, store.Page{})
	ok(t, err)
	require.Len(t, facts, 1)
	assert.Equal(t, "鹿米㐀店", facts[0].Value.Note)
	assert.Equal(t, workforce.CertificateFact, facts[0].Value.Kind)
	_, err = h.ImportFacts(t.Context(), planner, "f.csv", bytes.NewReader(append([]byte("agent,kind,code,from,note\na2,certificate,x,2026-01-01,鹿米"), 0xe9, '\n')), false)
	assert.Equal(t, "note", refused(t, err, "facts.rows").Fields[0].Column)
	_, err = h.ImportFacts(t.Context(), planner, "f.png", bytes.NewReader(append([]byte("\x89PNG\x00\x00\x00"), make([]byte, 100)...)), false)
	_ = refused(t, err, "intake.format")
}
