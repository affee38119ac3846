package leave

import (
	"cmp"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Burden is why a shift is one that nobody likes to have more often than others.
type Burden string

// The burdens.
const (
	Night     Burden = "night"     // touches the night of the rules
	Weekend   Burden = "weekend"   // starts on Saturday or Sunday
	Holiday   Burden = "holiday"   // starts on a statutory holiday
	Promotion Burden = "promotion" // starts on a day of a promotion
	Unpopular Burden = "unpopular" // starts too early or ends too late by the house's clock
)

// Burdens in the order of the columns.
var Burdens = []Burden{Night, Weekend, Holiday, Promotion, Unpopular}

// FairRules say what counts as a burden.
type FairRules struct {
	Frame      *workrules.Frame // its judged range covers the shifts
	Zone       *time.Location
	Holidays   calendar.Holidays
	Promotions []calendar.Dates
	EarlyUntil int // minutes after midnight, as Policy
	LateFrom   int
}

// FairRow is one shift with its burdens.
type FairRow struct {
	Agent   ids.Agent `json:"agent"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	Code    string    `json:"code,omitempty"`
	Burdens []Burden  `json:"burdens,omitempty"`
}

// FairSum is what one agent had in the range.
type FairSum struct {
	Agent  ids.Agent      `json:"agent"`
	Shifts int            `json:"shifts"`
	Hours  float64        `json:"hours"` // working time
	Counts map[Burden]int `json:"counts"`
}

// Fairness is the ledger of a range.
type Fairness struct {
	Range  calendar.Range     `json:"range"`
	Agents []FairSum          `json:"agents"` // by id; agents without a shift too
	Even   map[Burden]float64 `json:"even"`   // 1 = all have the same share of their shifts, 1/n = one has all
}

// FairRows marks each shift, by agent and start.
func FairRows(shifts []scheduling.Shift, r FairRules) []FairRow {
	out := make([]FairRow, 0, len(shifts))
	for _, s := range shifts {
		row := FairRow{Agent: s.Agent, Start: s.Start, End: s.End, Code: s.Code}
		day := calendar.DateOf(s.Start, r.Zone)
		midnight := day.In(r.Zone)
		d, known := r.Frame.Duty(s)
		for b, applies := range map[Burden]bool{
			Night:     known && d.Night,
			Weekend:   day.Weekday() == time.Saturday || day.Weekday() == time.Sunday,
			Holiday:   r.Holidays.Kind(day) == calendar.Statutory,
			Promotion: slices.ContainsFunc(r.Promotions, func(p calendar.Dates) bool { return p.Contains(day) }),
			Unpopular: r.EarlyUntil > 0 && s.Start.Sub(midnight) < time.Duration(r.EarlyUntil)*time.Minute ||
				r.LateFrom > 0 && s.End.Sub(midnight) > time.Duration(r.LateFrom)*time.Minute,
		} {
			if applies {
				row.Burdens = append(row.Burdens, b)
			}
		}
		slices.SortFunc(row.Burdens, func(a, b Burden) int { return slices.Index(Burdens, a) - slices.Index(Burdens, b) })
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(a, b FairRow) int {
		return cmp.Or(cmp.Compare(a.Agent, b.Agent), a.Start.Compare(b.Start), a.End.Compare(b.End))
	})
	return out
}

// FairnessOf sums the shifts of the agents. Evenness is Jain's index (Jain, Chiu and Hawe, DEC-TR-301,
// 1984) of each agent's burdens per shift, over the agents who had a shift; 1 when nobody has any.
func FairnessOf(agents []ids.Agent, shifts []scheduling.Shift, span calendar.Range, r FairRules) Fairness {
	f := Fairness{Range: span, Even: map[Burden]float64{}, Agents: []FairSum{}}
	at := map[ids.Agent]int{}
	for _, a := range slices.Compact(slices.Sorted(slices.Values(agents))) {
		at[a] = len(f.Agents)
		f.Agents = append(f.Agents, FairSum{Agent: a, Counts: map[Burden]int{}})
	}
	for _, s := range shifts {
		if i, known := at[s.Agent]; known {
			f.Agents[i].Hours += s.WorkTime().Hours()
		}
	}
	for _, row := range FairRows(shifts, r) {
		i, known := at[row.Agent]
		if !known {
			continue
		}
		f.Agents[i].Shifts++
		for _, b := range row.Burdens {
			f.Agents[i].Counts[b]++
		}
	}
	for _, b := range Burdens {
		f.Even[b] = f.even(b)
	}
	return f
}

func (f Fairness) even(b Burden) float64 {
	var sum, squares, n float64
	for _, a := range f.Agents {
		if a.Shifts > 0 {
			x := float64(a.Counts[b]) / float64(a.Shifts)
			sum, squares, n = sum+x, squares+x*x, n+1
		}
	}
	if squares == 0 {
		return 1
	}
	return sum * sum / (n * squares)
}
