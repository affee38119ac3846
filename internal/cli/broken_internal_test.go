package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// A rule that breaks in every piece of work of a shift is one shift in the wrong, and one breach of two shifts is two.
func TestBrokenShiftsAreCountedOnce(t *testing.T) {
	t.Parallel()
	day := func(n, hours int) calendar.Range {
		start := time.Date(2026, 11, n, 9, 0, 0, 0, time.UTC)
		return calendar.Range{Start: start, End: start.Add(time.Duration(hours) * time.Hour)}
	}
	breach := func(agent ids.Agent, rule string, hard bool, at calendar.Range, shifts ...calendar.Range) gate.Break {
		return gate.Break{
			Violation: workrules.Violation{Rule: rule, Agent: agent, Hard: hard, Range: at, Sentence: workrules.Text{ZH: "中", EN: "says " + rule}},
			Shifts:    shifts,
		}
	}
	all := []gate.Break{
		breach("B", "week", false, day(23, 48), day(23, 9), day(24, 9)),
		breach("A", "certificate", true, day(24, 1), day(24, 9)),
		breach("A", "certificate", true, day(24, 2), day(24, 9)),
		breach("A", "rest", false, day(24, 1), day(24, 9)),
		breach("A", "pauses", false, day(25, 1)),
	}
	var w bytes.Buffer
	printBroken(&w, all, time.UTC)
	assert.Equal(t, []string{
		"published shifts that break rules by this (3); they stay until somebody edits, swaps or repairs them:",
		"  A, shift of 2026-11-24 09:00-18:00: certificate (hard): 中 / says certificate; rest (soft): 中 / says rest",
		"  A, no shift, 2026-11-25 09:00-10:00: pauses (soft): 中 / says pauses",
		"  B, shift of 2026-11-23 09:00-18:00: week (soft): 中 / says week",
		"  B, shift of 2026-11-24 09:00-18:00: week (soft): 中 / says week",
	}, strings.Split(strings.TrimSpace(w.String()), "\n"))

	w.Reset()
	all = nil
	for n := range 32 {
		all = append(all, breach(ids.Agent(fmt.Sprintf("A%02d", n)), "rest", false, day(24, 9), day(24, 9)), breach(ids.Agent(fmt.Sprintf("A%02d", n)), "rest", false, day(24, 1), day(24, 9)))
	}
	printBroken(&w, all, time.UTC)
	assert.Contains(t, w.String(), "(32)")
	assert.Contains(t, w.String(), "and 2 more")
	w.Reset()
	printBroken(&w, nil, time.UTC)
	assert.Empty(t, w.String())
}
