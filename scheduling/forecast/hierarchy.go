package forecast

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/ids"
)

// A batch is a tree: all series, their Path labels (merchant, shop), the series. The sum of each
// node is forecast as a series of its own. Three forecasts of a node then meet, weighted by what
// they were worth from past origins:
//
//	bottom-up   the sum of its children (for a series: its own model)
//	own         the model of its own history
//	top-down    its recent share of its parent, times the parent's forecast (Gross and Sohl,
//	            J. Forecasting 9, 1990)
//
// At last children are made to add up to their parent: what is left over goes to each in
// proportion to its error variance, which is trace minimisation with a diagonal covariance
// (MinT, WLS: Wickramasuriya, Athanasopoulos and Hyndman, JASA 114, 2019, sec. 2.3-2.4) given
// the parent. Means stay at zero or above. Children that came or went lately stay outside of all
// that and are added on top (apart.go).
type node struct {
	label  string
	path   []string
	leaf   int     // index of the series, -1 for a sum
	all    []*node // children, sorted
	kids   []*node // of them, those that are learnt and reconciled together
	parent *node

	series Series
	engine *engine
	draft  *draft
	asleep bool

	first     int         // day number of volume[0]
	volume    []float64   // contacts per day of history; no record counts as none came
	rehearsed [][]float64 // per tested origin and lead: the forecast made there; NaN = none
	runs      []pastRun   // per past event of the stage
	ownWeight float64     // of own against top-down (series) or bottom-up (root)
	life      life
}

// stage is the set of past origins a tree is tested from.
type stage struct {
	origins []int // day numbers since 1970, ascending
	horizon int   // days
	events  []pastSpan
}

// Total is the forecast of a sum of series: of all (no Path) or of those below a label.
type Total struct {
	Path   []string
	Result Result
}

// plant builds the tree over the series that could be learnt; nil when they do not share one
// slot and clock or are fewer than two.
func plant(series []Series, engines []*engine) *node {
	root := &node{leaf: -1}
	leaves := 0
	for i, e := range engines {
		if e == nil {
			continue
		}
		if s := series[i]; leaves > 0 && (s.Slot != root.series.Slot || s.zone().String() != root.series.zone().String()) {
			return nil
		}
		root.series.Slot, root.series.Location = series[i].Slot, series[i].Location
		at := root
		for _, label := range series[i].Path {
			at = at.child(label)
		}
		at.all = append(at.all, &node{label: string(series[i].Queue), leaf: i, series: series[i], engine: e, parent: at})
		leaves++
	}
	if leaves < 2 {
		return nil
	}
	root.settle()
	root.putToSleep()
	return root
}

func (n *node) child(label string) *node {
	for _, k := range n.all {
		if k.leaf < 0 && k.label == label {
			return k
		}
	}
	k := &node{label: label, path: append(slices.Clone(n.path), label), leaf: -1, parent: n}
	n.all = append(n.all, k)
	return k
}

// settle sorts children, so that sums do not depend on the order of the series, sets apart those
// that did not live through the time that is learnt from, and adds up the others.
func (n *node) settle() {
	for _, k := range n.all {
		if k.leaf < 0 {
			k.series.Slot, k.series.Location = n.series.Slot, n.series.Location
			k.settle()
		} else {
			k.life = k.engine.life(k.series)
		}
	}
	slices.SortStableFunc(n.all, func(a, b *node) int {
		return cmp.Or(cmp.Compare(a.leaf>>62, b.leaf>>62), cmp.Compare(a.label, b.label), slices.CompareFunc(a.series.Values, b.series.Values, cmp.Compare[float64]))
	})
	n.setApart()
	n.series = n.sum()
}

// sum adds up the children's histories; a slot without any record stays without one.
func (n *node) sum() Series {
	s := Series{Queue: ids.Queue("sum " + strings.Join(n.path, "/")), Slot: n.series.Slot, Location: n.series.Location}
	per := int(24 * time.Hour / n.series.Slot)
	low, high := math.MaxInt, math.MinInt
	for _, k := range n.kids {
		low = min(low, unixDay(k.series.First))
	}
	for _, k := range n.kids {
		high = max(high, unixDay(k.series.First)*per+len(k.series.Values))
		if k.series.End().After(s.Until) {
			s.Until = k.series.End()
		}
	}
	s.First, s.Values = unixDate(low), nans(max(0, high-low*per), 0)
	for _, k := range n.kids {
		shift := (unixDay(k.series.First) - low) * per
		for i, v := range k.series.Values {
			switch at := shift + i; {
			case math.IsNaN(v):
			case math.IsNaN(s.Values[at]):
				s.Values[at] = v
			default:
				s.Values[at] += v
			}
		}
	}
	return s
}

// walk visits the sums of the tree, parents first.
func (n *node) walk(visit func(*node)) {
	if n.leaf >= 0 {
		return
	}
	visit(n)
	for _, k := range n.all {
		k.walk(visit)
	}
}

// sums learns and drafts the forecasts of the sums; the root sets the stage.
func (n *node) sums(ctx context.Context, o Options) (stage, error) {
	var nodes []*node
	n.walk(func(k *node) { nodes = append(nodes, k) })
	errs := make([]error, len(nodes))
	o.Prior = nil // a sum has lived through what its parts have, and is the less noisy witness
	err := each(ctx, len(nodes), func(i int) {
		k := nodes[i]
		if k.engine, errs[i] = prepare(k.series, o); errs[i] == nil {
			errs[i] = k.sketch()
		}
	})
	if err = cmp.Or(err, errs[0]); err != nil {
		return stage{}, err
	}
	days, horizon := n.engine.origins()
	st := stage{horizon: horizon, events: n.engine.pastSpans()}
	for _, d := range days {
		st.origins = append(st.origins, n.engine.g.firstDay+d)
	}
	for i, k := range nodes {
		if errs[i] == nil {
			k.rehearse(st)
		}
	}
	return st, nil
}

// sketch tests a learnt engine and drafts its forecast.
func (n *node) sketch() (err error) {
	n.engine.backtest()
	if n.draft, err = n.engine.draft(n.series); err == nil {
		n.draft.examine(n.engine, n.series)
	}
	return err
}

// rehearse forecasts from the stage's origins with what was known there, by day.
func (n *node) rehearse(st stage) {
	e := n.engine
	n.asleep = e.gone > 0 || e.silent(e.g.originDay)
	n.first = e.g.firstDay
	n.volume = make([]float64, max(0, e.g.lastDay()+1))
	for d := range n.volume {
		for _, y := range e.slots(d) {
			if !math.IsNaN(y) {
				n.volume[d] += y
			}
		}
	}
	wanted := map[int]bool{}
	for _, t := range st.origins {
		wanted[t-e.g.firstDay] = true
	}
	for _, s := range st.events {
		wanted[s.origin-e.g.firstDay] = true
	}
	e.snapshotProfiles(wanted)
	n.rerun(st)
	means := make([]float64, e.g.perDay)
	n.rehearsed = make([][]float64, len(st.origins))
	for i, t := range st.origins {
		day := t - e.g.firstDay
		if day < 13 || day > e.g.lastDay() {
			continue
		}
		n.rehearsed[i] = make([]float64, st.horizon)
		v := e.at(day)
		for lead := range st.horizon {
			d := day + lead + 1
			if n.rehearsed[i][lead] = 0; !e.g.willOpen(d) || e.silent(day) {
				continue
			}
			v.slotMeans(d, means)
			for _, m := range means {
				n.rehearsed[i][lead] += m
			}
		}
	}
	e.rest()
	e.shares = nil
}

// silent reports that a series of a batch had no record for four weeks before day t.
func (e *engine) silent(t int) bool {
	if e.opt.Complete.IsZero() || t < 28 {
		return false
	}
	for d := min(t, e.g.lastDay()); d > t-28; d-- {
		if e.g.seenSlots(d) > 0 {
			return false
		}
	}
	return true
}

// on is the volume of a day by number, 0 outside the history.
func (n *node) on(unix int) float64 {
	if d := unix - n.first; d >= 0 && d < len(n.volume) {
		return n.volume[d]
	}
	return 0
}
