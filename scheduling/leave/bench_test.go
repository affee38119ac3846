package leave_test

import (
	"fmt"
	"testing"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// BenchmarkRankOvertime ranks 1,000 agents with four weeks of shifts each for one block of overtime.
func BenchmarkRankOvertime(b *testing.B) {
	o, cover := overtimeOffer()
	var people []leave.Offered
	for i := range 1000 {
		id := ids.Agent(fmt.Sprint("a", i))
		var shifts []scheduling.Shift
		for d := range 28 {
			if (d+i)%7 < 5 {
				shifts = append(shifts, shift(id, date("2026-11-02").Add(d).String(), 10, 18))
			}
		}
		people = append(people, leave.Offered{Case: caseOf(id, shifts...), Wage: 30})
	}
	for b.Loop() {
		leave.RankOvertime(o, people, cover)
	}
}
