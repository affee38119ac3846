package margin_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/staffing/margin"
)

func example(t *testing.T) margin.Input {
	text, err := os.ReadFile("testdata/example.json")
	require.NoError(t, err)
	return decoded(t, text)
}

// decoded is an input as the command reads it: a field that there is not is refused.
func decoded(t *testing.T, text []byte) (in margin.Input) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&in))
	return in
}

// One field wrong, one error with its name.
func TestBadInput(t *testing.T) {
	nan, end := math.NaN(), 0.05
	for field, spoil := range map[string]func(in *margin.Input){
		"location":                   func(in *margin.Input) { in.Location = "Mars" },
		"slot_min":                   func(in *margin.Input) { in.SlotMin = 7 },
		"until":                      func(in *margin.Input) { in.Until = in.From },
		"scenarios":                  func(in *margin.Input) { in.Scenarios = -1 },
		"max_heads":                  func(in *margin.Input) { in.MaxHeads = -1 },
		"block_hours[0]":             func(in *margin.Input) { in.BlockHours = []float64{1.5} },
		"uncertainty.carry":          func(in *margin.Input) { in.Uncertainty.Carry = &nan },
		"wage.hour_yuan":             func(in *margin.Input) { in.Wage.HourYuan = -20 },
		"wage.overtime":              func(in *margin.Input) { in.Wage.Overtime = 0.5 },
		"wage.shrinkage":             func(in *margin.Input) { in.Wage.Shrinkage = 1 },
		"wage.night_window":          func(in *margin.Input) { in.Wage.NightWindow = "22-6" },
		"days[0].kind":               func(in *margin.Input) { in.Days[0].Kind = "party" },
		"queues":                     func(in *margin.Input) { in.Queues = nil },
		"queues[0].queue":            func(in *margin.Input) { in.Queues[0].Queue = "" },
		"demand.slots[1].mean":       func(in *margin.Input) { in.Queues[0].Demand.Slots[1].Mean = nan },
		"demand.slots[2].start":      func(in *margin.Input) { in.Queues[0].Demand.Slots[2].Start = in.Queues[0].Demand.Slots[0].Start },
		"demand.slots[1].crowd":      func(in *margin.Input) { in.Queues[0].Demand.Slots[1].Crowd = 0.5 },
		"demand.levels[0]":           func(in *margin.Input) { in.Queues[0].Demand.Levels = []float64{90} },
		"handling.model":             func(in *margin.Input) { in.Queues[0].Handling.Model = "erlang" },
		"handling.contacts_per_hour": func(in *margin.Input) { in.Queues[0].Handling.ContactsPerHour = 0 },
		"handling.handle_time_s":     func(in *margin.Input) { in.Queues[0].Handling = margin.Handling{Model: margin.Calls} },
		"handling.concurrency": func(in *margin.Input) {
			in.Queues[0].Handling = margin.Handling{Model: margin.Chats, HandleTimeS: 60, PatienceS: 60, Overhead: 0.3, Rounds: 2}
		},
		"queues[0].max_heads":      func(in *margin.Input) { in.Queues[0].Prices.PerHourYuan = 40 },
		"prices.fee_yuan":          func(in *margin.Input) { in.Queues[0].Prices.FeeYuan = math.Inf(1) },
		"commission.reference_s":   func(in *margin.Input) { in.Queues[0].Commission = &margin.Commission{Rate: 0.02, Elasticity: 0.1} },
		"terms[0].metric":          func(in *margin.Input) { in.Queues[0].Terms[0].Metric = margin.RoundWithin },
		"terms[0].target":          func(in *margin.Input) { in.Queues[0].Terms[0].Target = 95 },
		"terms[0].period":          func(in *margin.Input) { in.Queues[0].Terms[0].Period = "week" },
		"terms[0].event":           func(in *margin.Input) { in.Queues[0].Terms[0].Event = in.Queues[0].Terms[1].Event },
		"terms[0].window":          func(in *margin.Input) { in.Queues[0].Terms[0].Window = "evening" },
		"terms[0].outside_met":     func(in *margin.Input) { in.Queues[0].Terms[0].OutsideMet = 5 },
		"terms[0].ladder[0].until": func(in *margin.Input) { in.Queues[0].Terms[0].Ladder[0].Until = &end },
		"terms[0].ladder[1].until": func(in *margin.Input) { in.Queues[0].Terms[0].Ladder[1].Until = &end },
		"terms[0].ladder[1].miss":  func(in *margin.Input) { in.Queues[0].Terms[0].Ladder[1].Miss = 0 },
		"ladder[1].deduct_rate":    func(in *margin.Input) { in.Queues[0].Terms[0].Ladder[1].DeductRate = 0.01 },
		"terms[0].bonus[0].over":   func(in *margin.Input) { in.Queues[0].Terms[0].Bonus[0].Over = 0.2 },
		"terms[1].ladder":          func(in *margin.Input) { in.Queues[0].Terms[1].Ladder = nil },
		"terms[1].run_days":        func(in *margin.Input) { in.Queues[0].Terms[1].Period, in.Queues[0].Terms[1].RunDays = margin.Run, 1 },
		"terms[1].event.until":     func(in *margin.Input) { in.Queues[0].Terms[1].Event.Until = in.From },
		"terms[1].id":              func(in *margin.Input) { in.Queues[0].Terms[1].ID = in.Queues[0].Terms[0].ID },
		"terms[1].within_s": func(in *margin.Input) {
			in.Queues[0].Terms[1].Metric, in.Queues[0].Terms[1].WithinS = margin.Abandoned, 9
		},
	} {
		in := example(t)
		spoil(&in)
		_, err := margin.New(ctx, in)
		if !assert.Error(t, err, field) {
			continue
		}
		assert.Equal(t, "margin.input", fault.CodeOf(err))
		assert.ErrorContains(t, err, field)
	}
	in := example(t)
	in.Queues[0].Terms[0].Ladder[0].Until = &end
	_, err := margin.New(ctx, in)
	assert.ErrorContains(t, err, "leaves a gap in the ladder: the next step begins at 0.1")
}

// What is written is what is read.
func TestInputRoundTrip(t *testing.T) {
	in := fortnight(1)
	text, err := json.Marshal(in)
	require.NoError(t, err)
	again, err := json.Marshal(decoded(t, text))
	require.NoError(t, err)
	assert.Equal(t, string(text), string(again))
}

func TestBadPlans(t *testing.T) {
	m, err := margin.New(ctx, example(t))
	require.NoError(t, err)
	for _, p := range []margin.Plan{{}, plan(1, 2), plan(1, 2, 3, -1)} {
		_, err := m.Evaluate(ctx, p)
		assert.Equal(t, "margin.plan", fault.CodeOf(err))
	}
	start := example(t).Queues[0].Demand.Slots[0].Start
	_, err = m.Block(t.Context(), plan(1, 1, 1, 1), "nobody", start, start.AddDate(0, 0, 1), 1)
	assert.Equal(t, fault.NotFound, fault.KindOf(err))
	_, err = m.Block(t.Context(), plan(1, 1, 1, 1), "lumi/pre", start.AddDate(0, 1, 0), start.AddDate(0, 1, 1), 1)
	assert.ErrorContains(t, err, "no open slot")
	_, err = m.Block(t.Context(), plan(1, 1, 1, 1), "lumi/pre", start, start.AddDate(0, 0, 1), -2)
	assert.ErrorContains(t, err, "only 1")
	_, _, err = m.Marginals(ctx, plan(1, 1, 1, 1), 0, 3)
	assert.Equal(t, "margin.block", fault.CodeOf(err))
}
