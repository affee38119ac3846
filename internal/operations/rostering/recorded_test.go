package rostering_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Monday's extra hours of 1001 were entered knowingly; that the queue asks for a certificate came after all six shifts
// were published, so nobody entered anything against that rule. Each shift has two pieces of work and counts once. The
// same holds in a copy of the roster.
func TestWhatWasLawfulWhenRosteredIsNotRecorded(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	at := func(day, hour int) time.Time {
		return monday.Add(day).In(shanghai).Add(time.Duration(hour) * time.Hour)
	}
	s.Clock = at(1, 7)
	_, err := s.edit(t, rostering.EditInput{
		Edits:  []revise.Edit{{Kind: revise.Resize, Agent: "1001", Start: at(0, 9), NewEnd: at(0, 19)}},
		Reason: "周一晚多留一小时", Overrule: true, Publish: true, Past: true,
	})
	ok(t, err)
	_, err = s.Requesting.PutQueueTerms(t.Context(), planner, []workrules.QueueTerms{{Queue: "lumi-tmall/pre", Certificate: "c"}}, 0)
	ok(t, err)
	check := func(id ids.Roster) {
		t.Helper()
		x, err := s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: id}, roster.Question{})
		ok(t, err)
		pay, err := s.Rostering.PayRoster(t.Context(), planner, rostering.Ref{Roster: id}, "")
		ok(t, err)
		for _, said := range [][2][]workrules.Breaches{{x.Recorded, x.Since}, {pay.Recorded, pay.Since}} {
			require.Len(t, said[0], 1)
			assert.Equal(t, "hours.daily", said[0][0].Rule)
			require.Len(t, said[1], 1)
			assert.Equal(t, "certificate.merchant", said[1][0].Rule)
			assert.Equal(t, 6, said[1][0].Count)
			assert.Equal(t, []ids.Agent{"1001", "1002"}, said[1][0].Agents)
		}
	}
	check("week")
	var copied store.Roster
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		copied, err = tx.CopyRoster("week", "copy", "", store.AnyVersion)
		return err
	}))
	pay, err := s.Rostering.PayRoster(t.Context(), planner, rostering.Ref{Roster: copied.ID}, "")
	ok(t, err)
	require.Len(t, pay.Recorded, 1)
	assert.Equal(t, "hours.daily", pay.Recorded[0].Rule)
}
