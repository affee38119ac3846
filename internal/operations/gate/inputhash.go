package gate

import (
	"encoding/json"
	"hash"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// OffDays is the holiday table of some years as plain values: the table itself keeps them to itself.
type OffDays struct {
	Source string
	Years  []int // that the table covers
	Days   []OffDay
}

// OffDay is one of them.
type OffDay struct {
	Date calendar.Date
	Kind string
	Name string
}

// OffDaysOf writes out the table from the year before a range to the year after it, which is as far
// as an effect of a holiday reaches.
func OffDaysOf(h calendar.Holidays, first, last int) OffDays {
	out := OffDays{Source: h.Source()}
	for year := first - 1; year <= last+1; year++ {
		if h.Covers(year) {
			out.Years = append(out.Years, year)
		}
		until := calendar.MakeDate(year+1, time.January, 1)
		for d := calendar.MakeDate(year, time.January, 1); d != until; d = d.Add(1) {
			kind, name := h.Kind(d), h.Name(d)
			if name != "" || kind != calendar.Workday && kind != calendar.RestDay {
				out.Days = append(out.Days, OffDay{d, kind.String(), name})
			}
		}
	}
	return out
}

// AddJSON adds a value to the digest of an input. Errors: planning.input_hash.
func AddJSON(h hash.Hash, v any) error {
	if err := json.NewEncoder(h).Encode(v); err != nil {
		return fault.Wrap(err, fault.Internal, "planning.input_hash", "the input cannot be digested")
	}
	return nil
}
