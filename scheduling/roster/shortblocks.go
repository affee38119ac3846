package roster

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// ShortBlock is work on one queue between two pauses or changes of queue that is shorter than the least
// block (Problem.MinBlock).
type ShortBlock struct {
	Queue ids.Queue
	Range calendar.Range
}

// ShortBlocks lists the blocks of a shift that are too short, in order. A stretch between two pauses that
// is worked on one queue never is; time that no activity fills counts as a pause.
func ShortBlocks(s scheduling.Shift, least time.Duration) (out []ShortBlock) {
	var stretch []ShortBlock
	end := func() {
		if len(stretch) > 1 {
			for _, b := range stretch {
				if b.Range.Duration() < least {
					out = append(out, b)
				}
			}
		}
		stretch = stretch[:0]
	}
	for _, a := range s.Activities {
		if a.Kind != scheduling.Work {
			end()
			continue
		}
		if n := len(stretch); n > 0 {
			last := &stretch[n-1]
			if !last.Range.End.Equal(a.Start) {
				end()
			} else if last.Queue == a.Queue {
				last.Range.End = a.End
				continue
			}
		}
		stretch = append(stretch, ShortBlock{a.Queue, calendar.Range{Start: a.Start, End: a.End}})
	}
	end()
	return out
}
