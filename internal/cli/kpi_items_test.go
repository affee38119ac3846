package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/tally"
)

// Rounds of buyers' days name the buyer, show no time for what was never answered, and say how they fold.
func TestItemsOfBuyersFold(t *testing.T) {
	zone := time.FixedZone("business", 8*3600)
	day := calendar.MakeDate(2026, 11, 2)
	at := func(minute int) time.Time { return day.In(zone).Add(10*time.Hour + time.Duration(minute)*time.Minute) }
	round := func(buyer string, minute int, answered bool) measuring.Item {
		i := tally.Item{Shop: "lumi-pdd", Conversation: "c", Agent: "A1", At: at(minute), Date: day, Opened: at(minute), Start: at(minute), Denominator: 1}
		if answered {
			i.Stop, i.Seconds, i.Numerator = at(minute).Add(20*time.Second), 20, 1
		}
		return measuring.Item{Metric: "pdd.human_3min", Version: "v1", Buyer: buyer, Item: i}
	}
	left := round("b3", 9, true)
	left.Left = tally.LeftWindow
	items := []measuring.Item{round("b1", 0, true), round("b1", 5, false), round("b2", 7, true), left}
	d := kpi.Definition{Metric: "pdd.human_3min", Version: "v1", Base: kpi.BaseBuyerDay, Rule: &kpi.Rule{Measure: kpi.Within, Limit: 180, Judge: "every"}}
	var out bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetOut(&out)
	printItems(cmd, d, items, "", zone)
	assert.Contains(t, out.String(), "SHOP      BUYER  CONVERSATION")
	assert.Contains(t, out.String(), "lumi-pdd  b1     c             A1     10:05:00.000  -             -        0/1")
	assert.Equal(t, "3 rounds of 2 buyers above; pdd.human_3min counts buyers, one of one shop once a day: 1 of 2; a buyer counts when every round of the day does",
		foldLine(d, []kpi.Reading{{Numerator: 1, Denominator: 2}}, items))
	assert.Equal(t, "2026-11-04 09:00:00.000", clock(at(0).Add(47*time.Hour), at(0), zone), "another day is named")
}
