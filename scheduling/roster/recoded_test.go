package roster_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
)

// A generated code says start and length, so that of a moved shift says the new ones; a name of the house is that of
// a template, which the moved shift is not.
func TestAMovedShiftSaysItsNewTimes(t *testing.T) {
	at := func(hour, minute, hours int) scheduling.Shift {
		start := time.Date(2026, 11, 12, hour, minute, 0, 0, zone)
		return scheduling.Shift{Start: start, End: start.Add(time.Duration(hours) * time.Hour)}
	}
	window := roster.StartWindow{Prefix: "D", From: 14 * time.Hour, Until: 14 * time.Hour, Step: time.Hour, Lengths: []time.Duration{9 * time.Hour}}
	code := window.Expand()[0].Code
	for _, c := range []struct {
		code     string
		was, now scheduling.Shift
		want     string
	}{
		{code, at(14, 0, 9), at(13, 0, 9), "D1300-9h"},
		{code, at(14, 0, 9), at(14, 0, 11), "D1400-11h"},
		{code, at(14, 0, 9), at(10, 30, 4), "D1030-4h"},
		{code, at(14, 0, 9), at(38, 0, 9), "D1400-9h"}, // the next day at the same time
		{"N2330-8h", at(23, 30, 8), at(24, 30, 8), "N0030-8h"},
		{"D1400-9h", at(14, 0, 9), scheduling.Shift{Start: at(14, 0, 9).Start, End: at(14, 0, 9).End.Add(65 * time.Minute)}, "D1400-10h5m"},
		{"D1400-10h5m", scheduling.Shift{Start: at(14, 0, 9).Start, End: at(14, 0, 9).End.Add(65 * time.Minute)}, at(14, 0, 9), "D1400-9h"},
		{"早A", at(8, 0, 9), at(9, 0, 9), ""},
		{"早A", at(8, 0, 9), at(8, 0, 9), "早A"},
		{"D1400-9h", at(14, 0, 8), at(13, 0, 8), ""}, // the code was wrong before
	} {
		c.was.Code, c.now.Code = c.code, c.code
		assert.Equal(t, c.want, roster.Recoded(c.was, c.now), c.code)
	}
}
