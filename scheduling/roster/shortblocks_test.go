package roster_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
)

// Each letter is half an hour on that queue, - a break, . nothing.
func TestShortBlocks(t *testing.T) {
	start := time.Date(2026, 11, 9, 9, 0, 0, 0, zone)
	for spelled, want := range map[string][]string{
		"qqrrqq":   nil,
		"qqrqq":    {"r"},
		"q-rr":     nil, // half an hour between two pauses, on one queue
		"qr-rr":    {"q", "r"},
		"qq.rqq":   {"r"}, // a hole is a pause: then r is shorter than its stretch
		"qqqq":     nil,
		"rqqr--rr": {"r", "r"},
	} {
		s := scheduling.Shift{Start: start, End: start.Add(time.Duration(len(spelled)) * 30 * time.Minute)}
		for i, c := range spelled {
			a := scheduling.Activity{Kind: scheduling.Work, Queue: ids.Queue(string(c)), Start: start.Add(time.Duration(i) * 30 * time.Minute)}
			a.End = a.Start.Add(30 * time.Minute)
			switch c {
			case '-':
				a.Kind, a.Queue = scheduling.Break, ""
			case '.':
				continue
			}
			s.Activities = append(s.Activities, a)
		}
		var got []string
		for _, b := range roster.ShortBlocks(s, time.Hour) {
			got = append(got, string(b.Queue))
			assert.Equal(t, 30*time.Minute, b.Range.Duration())
		}
		assert.Equal(t, want, got, spelled)
		assert.Empty(t, roster.ShortBlocks(s, 0), spelled)
	}
}
