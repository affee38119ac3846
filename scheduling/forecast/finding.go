package forecast

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// FindingKind names what is wrong with a stretch of history.
type FindingKind string

// The kinds of finding.
const (
	Outage     FindingKind = "outage"      // far fewer contacts than the rest of the day and other weeks explain (故障)
	Incident   FindingKind = "incident"    // a short run of far more contacts (平台事故)
	ImportGap  FindingKind = "import_gap"  // records are missing inside the open hours (数据缺失)
	Spike      FindingKind = "spike"       // one slot or day that nothing else in the history comes near
	LevelShift FindingKind = "level_shift" // the ordinary day changes at once and stays changed
	Frozen     FindingKind = "frozen"      // the same value, or the same day, again and again
	Doubled    FindingKind = "doubled"     // about twice the contacts in the same shape (重复导入, 夏令时)
	ClosedDay  FindingKind = "closed_day"  // whole days without a record although the weekday is open
	EndsEarly  FindingKind = "ends_early"  // the newest records are missing or not complete
)

// Finding is a stretch of history that does not look like contacts of this queue. Nothing is
// corrected because of it: a planner who agrees passes Exclusion() in Options.Exclude.
type Finding struct {
	Kind       FindingKind `json:"kind"`
	From       time.Time   `json:"from"`
	To         time.Time   `json:"to"`         // first instant after it; of a level shift the end of the compared days
	Actual     float64     `json:"actual"`     // contacts recorded in [From, To); of a level shift contacts per ordinary day after it
	Expected   float64     `json:"expected"`   // contacts that the rest of the history makes likely; of a level shift per day before it
	Confidence float64     `json:"confidence"` // 0.5 = just over the line, towards 1 = no other explanation; not a probability
	Text       string      `json:"text"`       // a sentence for a planner
	Handling   string      `json:"handling"`   // what the forecast does with it when nobody decides

	Alternatives []Alternative `json:"alternatives,omitempty"` // what else the same stretch may be, likeliest first
}

// Exclusion takes the stretch out of what teaches.
func (f Finding) Exclusion() Exclusion { return Exclusion{From: f.From, To: f.To, Reason: f.Text} }

// maxFindings is how many findings a Result lists; the doubts say when there are more.
const maxFindings = 200

// handling is what the engine does with a kind of finding by default.
func handling(k FindingKind, missing Missing) string {
	gap := "counts as no information: the other slots of the day stand for it"
	if missing == MissingZero {
		gap = "counts as zero contacts and pulls the forecast down"
	}
	switch k {
	case ImportGap, EndsEarly:
		return gap
	case ClosedDay:
		if missing == MissingZero {
			return gap
		}
		return "teaches no level; the days around it are learned as days around a closure"
	case LevelShift:
		return "is kept: the level follows within days, older days lose weight"
	case Frozen, Doubled:
		return "is kept as recorded: it teaches level and shape"
	case Outage, Incident, Spike:
	}
	return "is kept as recorded; of its day total at most 2.5 standard deviations count for the level, its slots count for the shape of the day"
}

// confidence maps evidence over a threshold to 0.5..1: 0.5 on the line, 0.97 at twice the line.
func confidence(evidence, threshold float64) float64 {
	ratio := threshold / max(evidence, threshold)
	return math.Round(1000*(1-0.5*math.Pow(ratio, 4))) / 1000
}

// times writes a ratio the way a planner says it.
func times(actual, expected float64) string {
	switch {
	case expected <= 0:
		return fmt.Sprintf("%.0f contacts", actual)
	case actual < expected:
		return fmt.Sprintf("%.0f contacts, %.0f %% of the %.0f expected", actual, 100*actual/expected, expected)
	}
	return fmt.Sprintf("%.0f contacts, %.1f times the %.0f expected", actual, actual/expected, expected)
}

// between writes a stretch on the local clock, short.
func between(from, to time.Time) string {
	last := to.Add(-1)
	switch {
	case from.Format(time.DateOnly) != last.Format(time.DateOnly):
		if whole(from) && whole(to) {
			return from.Format("Mon 2006-01-02") + " to " + last.Format("Mon 2006-01-02")
		}
		return from.Format("Mon 2006-01-02 15:04") + " to " + to.Format("Mon 2006-01-02 15:04")
	case whole(from) && whole(to):
		return from.Format("Mon 2006-01-02")
	}
	return from.Format("Mon 2006-01-02 15:04") + "-" + to.Format("15:04")
}

func whole(t time.Time) bool { return t.Hour() == 0 && t.Minute() == 0 }

// listed are the findings a Result names, at most maxFindings of the surest ones by time, and the
// doubts that point to them.
func listed(found []Finding) (list []Finding, doubts []string) {
	if len(found) == 0 {
		return nil, nil
	}
	count := map[FindingKind]int{}
	var kinds []string
	for _, f := range found {
		count[f.Kind]++
	}
	for _, k := range [...]FindingKind{Outage, Incident, ImportGap, Spike, LevelShift, Frozen, Doubled, ClosedDay, EndsEarly} {
		if count[k] > 0 {
			kinds = append(kinds, fmt.Sprintf("%s %d", k, count[k]))
		}
	}
	doubts = []string{"the history looks wrong in places and was learned from as it is; see the findings and exclude what you agree with: " + strings.Join(kinds, ", ")}
	if len(found) <= maxFindings {
		return found, doubts
	}
	doubts = append(doubts, fmt.Sprintf("only the %d surest of %d findings are listed", maxFindings, len(found)))
	list = slices.Clone(found)
	slices.SortStableFunc(list, func(a, b Finding) int { return cmp.Compare(b.Confidence, a.Confidence) })
	list = list[:maxFindings]
	slices.SortStableFunc(list, func(a, b Finding) int { return a.From.Compare(b.From) })
	return list, doubts
}
