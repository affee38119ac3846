package forecast

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// A figure per contact (handling time, rounds, the share a bot deflects) is the mean of a value over
// the contacts of a slot. It is not a count: a slot of three contacts says far less than one of three
// hundred, and a plain mean of slots would forget that. The model of ratio.go and deflection.go is
//
//	g(E y) = level(day) + weekday + slot of the day + phase kind + family's own phase
//	Var y  = V(E y) * (perContact/contacts + perSlot)
//
// with g = log and V = mu^2 for a positive figure (quasi-gamma), g = logit and V = mu(1-mu) for a
// share. It is fitted by penalised quasi-likelihood (Breslow and Clayton, JASA 88, 1993): the level
// is filtered and smoothed over days (percontact_level.go), every effect is a deviation shrunk by
// between/(between + its own variance), where between is estimated over the effects of its set. So
// an effect with few contacts stays near zero, or near the effect of the prior that was given: a
// small queue borrows, a large one decides for itself.

// FigureRecord is the history of one slot: how many contacts it had and the mean of the figure.
type FigureRecord struct {
	Start    time.Time // an instant inside the slot
	Contacts float64   // contacts that have the figure; 0 = says nothing
	Mean     float64   // mean of the figure over them, in its own unit (seconds, rounds, share)
}

// FigureEffect is one learnt effect: a factor exp(Shift) of a positive figure, or a shift of the
// logit of a share. Names: "day Mon", "day holiday", "slot 20:00", "phase spot" (over all families)
// and "phase double11 spot" (what this family adds).
type FigureEffect struct {
	Name     string  `json:"name"`
	Shift    float64 `json:"shift"`
	Doubt    float64 `json:"doubt"`    // standard deviation of Shift
	Contacts float64 `json:"contacts"` // that taught it
}

// FigureModel is what a history taught, as plain data: it can be stored, and given as the prior of
// another queue (one learnt from all queues of a merchant, say).
type FigureModel struct {
	Level      float64        `json:"level"`       // of an ordinary contact at the end of the history, in the figure's unit
	LevelDoubt float64        `json:"level_doubt"` // relative (log) or logit standard deviation of Level
	PerContact float64        `json:"per_contact"` // relative variance between contacts; 1 for a share
	PerSlot    float64        `json:"per_slot"`    // relative (log) or logit variance that a slot's contacts have in common
	Contacts   float64        `json:"contacts"`    // in the history
	Days       int            `json:"days"`        // with contacts
	Effects    []FigureEffect `json:"effects"`     // by name
}

// link is the scale on which effects add up.
type link uint8

const (
	logLink link = iota
	logitLink
)

func (l link) to(y float64) float64 {
	if l == logLink {
		return math.Log(max(y, 1e-12))
	}
	y = min(max(y, 1e-6), 1-1e-6)
	return math.Log(y / (1 - y))
}

func (l link) from(eta float64) float64 {
	if l == logLink {
		return math.Exp(min(max(eta, -40), 40))
	}
	return 1 / (1 + math.Exp(-eta))
}

// figureRow is one slot with contacts.
type figureRow struct {
	day, event int // event: index into figures.events, -1 = an ordinary slot
	at         [effectSets]int
	n, y       float64
}

// The sets of effects. Ordinary slots teach the first two, event slots the last two.
const (
	byDay = iota
	bySlot
	byKind
	byFamily
	effectSets
)

// Beliefs about how much effects of a set differ, as variances on the link scale; they weigh as much
// as three effects of the set. A week and a day change a handling time by a tenth or so, a sale by
// more; of a share the same numbers are steps of the logit.
var betweenBelief = [effectSets]float64{0.05 * 0.05, 0.1 * 0.1, 0.15 * 0.15, 0.1 * 0.1}

const (
	beliefGroups    = 3
	occasionBelief  = 0.05 * 0.05 // variance between occurrences of one phase
	figureRounds    = 10          // of back-fitting; each effect has long settled then
	wildLimit       = 4.0         // standard deviations beyond which a slot or day counts no further
	variancePrior   = 20.0        // slots that the beliefs on the two variances are worth
	slotReach       = 60          // minutes over which neighbouring slots teach each other
	phaseOfNone     = "event"     // kind of an event slot that lies in no phase
	holidayDay      = 7           // index after the weekdays
	otherQueuesVary = 0.25        // standard deviation of the level of queues that share a prior, on the link scale
)

// effectSet is one set of deviations.
type effectSet struct {
	prefix   string
	names    []string
	event    bool // taught by event slots
	between  float64
	prior    []float64 // where a deviation is shrunk to
	shift    []float64
	doubt2   []float64
	contacts []float64
}

// figures is a history of a figure being fitted.
type figures struct {
	link       link
	slot       time.Duration
	loc        *time.Location
	holidays   calendar.Holidays
	events     []Event // sorted by start
	prior      *FigureModel
	perDay     int
	firstDay   int // unix day number of day 0
	rows       []figureRow
	sets       [effectSets]effectSet
	path       []float64 // level per day
	level      levelState
	hyper      levelHyper
	jumps      map[int]jump
	perContact float64
	perSlot    float64
	all        bool // event slots teach the base too: there is nothing else
}

// newFigures sorts and sums the records of slots that ended by the origin.
func newFigures(f figures, records []FigureRecord, origin time.Time) *figures {
	f.perDay = int(24 * time.Hour / f.slot)
	f.events = slices.Clone(f.events)
	slices.SortStableFunc(f.events, func(a, b Event) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Family, b.Family))
	})
	f.name()
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b FigureRecord) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Contacts, b.Contacts), cmp.Compare(a.Mean, b.Mean))
	})
	key := -1
	for _, r := range records {
		day, k := wallSlot(r.Start, f.slot, f.loc)
		start := wallInstant(day, k, f.slot, f.loc)
		if r.Contacts <= 0 || !origin.IsZero() && start.Add(f.slot).After(origin) {
			continue
		}
		if len(f.rows) == 0 {
			f.firstDay = day
		}
		if at := (day-f.firstDay)*f.perDay + k; at == key {
			last := &f.rows[len(f.rows)-1]
			last.y += (r.Mean - last.y) * (r.Contacts / (last.n + r.Contacts))
			last.n += r.Contacts
		} else {
			f.rows = append(f.rows, f.row(start, day, k, r))
			key = at
		}
	}
	f.begin()
	return &f
}

func (f *figures) row(start time.Time, day, k int, r FigureRecord) figureRow {
	row := figureRow{day: day - f.firstDay, n: r.Contacts, y: r.Mean, event: f.eventAt(start)}
	row.at = f.effectsAt(start, day, k, row.event)
	return row
}

// effectsAt finds the effect of each set that holds at a slot; -1 = none.
func (f *figures) effectsAt(start time.Time, day, k, event int) [effectSets]int {
	at := [effectSets]int{f.dayIndex(day), k, -1, -1}
	if event >= 0 {
		e := f.events[event]
		kind := kindAt(e, start)
		at[byKind] = index(f.sets[byKind].names, kind)
		at[byFamily] = index(f.sets[byFamily].names, e.Family+" "+kind)
	}
	return at
}

func index(sorted []string, name string) int {
	if i, ok := slices.BinarySearch(sorted, name); ok {
		return i
	}
	return -1
}

func (f *figures) dayIndex(day int) int {
	date := unixDate(day)
	if k := f.holidays.Kind(date); k == calendar.Statutory || k == calendar.Bridge {
		return holidayDay
	}
	return int(date.Weekday())
}

// eventAt is the event that holds at an instant, of several the one that started last, or -1.
func (f *figures) eventAt(t time.Time) int {
	for i := len(f.events) - 1; i >= 0; i-- {
		if !t.Before(f.events[i].Start) && t.Before(f.events[i].End) {
			return i
		}
	}
	return -1
}

// kindAt is the kind of the phase of an event that holds at an instant.
func kindAt(e Event, t time.Time) string {
	kind := phaseOfNone
	for _, p := range e.Phases {
		if !t.Before(p.Start) && t.Before(p.End) {
			kind = p.Kind
		}
	}
	return kind
}

// name lists the effects there can be, in a fixed order.
func (f *figures) name() {
	var kinds, families []string
	for _, e := range f.events {
		for _, k := range append([]Phase{{Kind: phaseOfNone}}, e.Phases...) {
			kinds = append(kinds, k.Kind)
			families = append(families, e.Family+" "+k.Kind)
		}
	}
	slices.Sort(kinds)
	slices.Sort(families)
	var slots []string
	for k := range f.perDay {
		at := time.Duration(k) * f.slot
		slots = append(slots, fmt.Sprintf("%02d:%02d", int(at.Hours()), int(at.Minutes())%60))
	}
	names := [effectSets][]string{append(slices.Clone(weekdayNames[:]), "holiday"), slots, slices.Compact(kinds), slices.Compact(families)}
	prefixes := [effectSets]string{"day ", "slot ", "phase ", "phase "}
	for i := range f.sets {
		n := len(names[i])
		f.sets[i] = effectSet{
			prefix: prefixes[i], names: names[i], event: i >= byKind, between: betweenBelief[i],
			prior: make([]float64, n), shift: make([]float64, n), doubt2: make([]float64, n), contacts: make([]float64, n),
		}
		f.sets[i].borrow(f.prior)
	}
}

// borrow sets the prior of every effect that the prior model knows; a slot the prior does not have
// takes the slot of its full hour.
func (s *effectSet) borrow(prior *FigureModel) {
	if prior == nil {
		return
	}
	known := map[string]float64{}
	for _, e := range prior.Effects {
		known[e.Name] = e.Shift
	}
	for i, name := range s.names {
		shift, ok := known[s.prefix+name]
		if hour, _, slot := strings.Cut(name, ":"); !ok && slot && s.prefix == "slot " {
			shift = known[s.prefix+hour+":00"]
		}
		s.prior[i], s.shift[i] = shift, shift
	}
}

// begin sets the level of every day to the plain mean of the history, or to the prior's.
func (f *figures) begin() {
	f.perContact, f.perSlot = 1, 0.02
	if f.prior != nil {
		f.perContact, f.perSlot = f.prior.PerContact, f.prior.PerSlot
	}
	var sum, n float64
	ordinary := map[int]bool{}
	for _, r := range f.rows {
		sum += r.n * r.y
		n += r.n
		if r.event < 0 {
			ordinary[r.day] = true
		}
	}
	switch {
	case f.link == logitLink:
		f.level.m = f.link.to((sum + 0.5) / (n + 1))
	case n > 0:
		f.level.m = f.link.to(sum / n)
	}
	if n == 0 && f.prior != nil {
		f.level.m = f.link.to(f.prior.Level)
	}
	f.path = make([]float64, f.days())
	for d := range f.path {
		f.path[d] = f.level.m
	}
	if len(ordinary) < 7 && len(f.rows) > 0 {
		f.all = true
	}
}

func (f *figures) days() int {
	if len(f.rows) == 0 {
		return 0
	}
	return f.rows[len(f.rows)-1].day + 1
}

// model writes down what was learnt.
func (f *figures) model() FigureModel {
	m := FigureModel{
		Level: min(f.link.from(f.level.m+f.level.a), maxFigure), LevelDoubt: math.Sqrt(f.level.variance()),
		PerContact: f.perContact, PerSlot: f.perSlot,
	}
	day := -1
	for _, r := range f.rows {
		m.Contacts += r.n
		m.Days += int(indicator(r.day != day))
		day = r.day
	}
	for _, s := range f.sets {
		for i, name := range s.names {
			m.Effects = append(m.Effects, FigureEffect{s.prefix + name, s.shift[i], math.Sqrt(s.doubt2[i]), s.contacts[i]})
		}
	}
	slices.SortFunc(m.Effects, func(a, b FigureEffect) int { return strings.Compare(a.Name, b.Name) })
	return m
}

// figureProblems checks a history; high is the largest value allowed.
func figureProblems(slot time.Duration, records []FigureRecord, high float64) []fault.Field {
	var bad []fault.Field
	if slot < time.Minute || slot > 24*time.Hour || (24*time.Hour)%slot != 0 {
		bad = append(bad, fault.Field{Path: "slot", Value: slot.String(), Problem: "must divide 24 hours and be a minute or more"})
	}
	var low, last time.Time
	for i, r := range records {
		if len(bad) >= 10 {
			break
		}
		path := fmt.Sprintf("records[%d]", i)
		if !(r.Contacts >= 0) || math.IsInf(r.Contacts, 0) {
			bad = append(bad, fault.Field{Path: path + ".contacts", Value: fmt.Sprint(r.Contacts), Problem: "must be a number of 0 or more"})
		}
		if r.Contacts > 0 && !(r.Mean >= 0 && r.Mean <= high) {
			bad = append(bad, fault.Field{Path: path + ".mean", Value: fmt.Sprint(r.Mean), Problem: fmt.Sprintf("must be a number from 0 to %g", high)})
		}
		if i == 0 || r.Start.Before(low) {
			low = r.Start
		}
		if i == 0 || r.Start.After(last) {
			last = r.Start
		}
	}
	if last.Sub(low) > 20*366*24*time.Hour {
		bad = append(bad, fault.Field{Path: "records", Value: stamp(last), Problem: "must not span more than 20 years (a wrong date?)"})
	}
	return bad
}
