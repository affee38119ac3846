package rostering_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Everybody has a salary and 25 yuan an hour. An hour longer on Monday is 150 %, 37.50 yuan; Saturday after five
// days is eight hours at 200 %, 400 yuan; Saturday instead of Friday is what the salary pays.
func TestEditsArePricedAsTheLawPaysThem(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	saturday := served("1001", monday.Add(5), 9)
	nine := monday.In(shanghai).Add(9 * time.Hour)
	friday := revise.Edit{Kind: revise.Remove, Agent: "1001", Start: nine.AddDate(0, 0, 4)}
	for name, c := range map[string]struct {
		edits []revise.Edit
		wages float64
		pay   []workrules.PayShare
	}{
		"an hour longer": {[]revise.Edit{{Kind: revise.Resize, Agent: "1001", Start: nine, NewEnd: nine.Add(10 * time.Hour)}}, 37.5, []workrules.PayShare{{Percent: 150, Minutes: 60}}},
		"a sixth day":    {[]revise.Edit{{Kind: revise.Add, Shift: &saturday}}, 400, []workrules.PayShare{{Percent: 200, Minutes: 480}}},
		"another day":    {[]revise.Edit{{Kind: revise.Add, Shift: &saturday}, friday}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := s.Rostering.JudgeEdit(t.Context(), supervisor, "week", c.edits)
			ok(t, err)
			require.NotNil(t, v.Cost)
			assert.InDelta(t, c.wages, v.Cost.Wages, 1e-9)
			assert.Equal(t, c.pay, v.Cost.Pay)
		})
	}
}
