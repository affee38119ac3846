package simulate

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Events come out in order of time, and in order of planning among equals, however they are interleaved.
func TestCalendarIsOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c calendar
		now, lastOrder, planned, popped := time.Duration(0), uint64(0), 0, 0
		for _, ahead := range rapid.SliceOfN(rapid.IntRange(-20, 30), 1, 400).Draw(t, "steps") {
			if ahead >= 0 {
				c.plan(now+time.Duration(ahead), arrive, 0, 0)
				planned++
				continue
			}
			e, ok := c.pop()
			if !ok {
				continue
			}
			popped++
			if e.at < now || e.at == now && popped > 1 && e.order < lastOrder {
				t.Fatalf("%v (order %d) after %v (order %d)", e.at, e.order, now, lastOrder)
			}
			now, lastOrder = e.at, e.order
		}
		if planned-popped != len(c.events) {
			t.Fatalf("planned %d, popped %d, %d left", planned, popped, len(c.events))
		}
	})
}
