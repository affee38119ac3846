package cli

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// A refusal names what was typed, not the field of the use case; the error that came stays as it was.
func TestRefusalsNameFlags(t *testing.T) {
	came := fault.Bad("forecast.layer", "adjustment", []fault.Field{
		{Path: "target.days", Problem: "is not covered"}, {Path: "amount", Value: "-7", Problem: "must be more"}, {Path: "other", Problem: "is odd"},
	})
	assert.EqualError(t, flagged(came, adjustFlagOf(forecast.LayerSet)),
		`adjustment: --from, --to: is not covered; --set: must be more (got "-7"); other: is odd`)
	assert.Equal(t, "target.days", fault.Of(came).Fields[0].Path)
	bot := fault.Bad("forecast.bot", "bot", []fault.Field{{Path: "bot_changes[0].points", Value: "2", Problem: "must lie between -1 and 1"}})
	assert.EqualError(t, flagged(bot, makeFlagOf), `bot: --bot-change: points must lie between -1 and 1 (got "2")`)
	assert.EqualError(t, flagged(errors.New("plain"), makeFlagOf), "plain")
	assert.NoError(t, flagged(nil, makeFlagOf))
}
