package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
)

// mostBroken is how many shifts that break rules a text lists.
const mostBroken = 30

// brokenShift is a published shift with what it breaks; without a shift, a time in which an agent breaks something.
type brokenShift struct {
	agent ids.Agent
	at    calendar.Range
	none  bool // no shift is concerned
	says  []string
	rules []string // of says, one each
}

// printBroken lists the published shifts that are in the wrong by what was put on file, each of them once. A rule may
// break in many pieces of one shift, and one breach may be of many shifts.
func printBroken(w io.Writer, all []gate.Break, zone *time.Location) {
	list := brokenShifts(all)
	if len(list) == 0 {
		return
	}
	shifts := 0
	for _, b := range list {
		if !b.none {
			shifts++
		}
	}
	fmt.Fprintf(w, "published shifts that break rules by this (%d); they stay until somebody edits, swaps or repairs them:\n", shifts)
	for _, b := range list[:min(len(list), mostBroken)] {
		what := "shift of "
		if b.none {
			what = "no shift, "
		}
		fmt.Fprintf(w, "  %s, %s%s-%s: %s\n", b.agent, what, b.at.Start.In(zone).Format("2006-01-02 15:04"), b.at.End.In(zone).Format("15:04"), strings.Join(b.says, "; "))
	}
	if more := len(list) - mostBroken; more > 0 {
		fmt.Fprintf(w, "  and %d more; --json lists all\n", more)
	}
}

// brokenShifts turns breaches into shifts, by agent and time.
func brokenShifts(all []gate.Break) (out []brokenShift) {
	type key struct {
		agent    ids.Agent
		from, to int64
		none     bool
	}
	place := map[key]int{}
	for _, b := range all {
		at, none := b.Shifts, false
		if len(at) == 0 {
			at, none = []calendar.Range{b.Range}, true
		}
		kind := "soft"
		if b.Hard {
			kind = "hard"
		}
		for _, r := range at {
			k := key{b.Agent, r.Start.Unix(), r.End.Unix(), none}
			i, told := place[k]
			if !told {
				i, out = len(out), append(out, brokenShift{agent: b.Agent, at: r, none: none})
				place[k] = i
			}
			if x := &out[i]; !slices.Contains(x.rules, b.Rule) {
				x.rules = append(x.rules, b.Rule)
				x.says = append(x.says, fmt.Sprintf("%s (%s): %s / %s", b.Rule, kind, b.Sentence.ZH, b.Sentence.EN))
			}
		}
	}
	slices.SortStableFunc(out, func(x, y brokenShift) int {
		return cmp.Or(cmp.Compare(x.agent, y.agent), x.at.Start.Compare(y.at.Start))
	})
	return out
}

// printPayMoves tells whose pay of days that are over a change moved.
func printPayMoves(w io.Writer, all []gate.PayMove) {
	if len(all) == 0 {
		return
	}
	before, after := 0.0, 0.0
	for _, m := range all {
		before, after = before+m.Before, after+m.After
	}
	fmt.Fprintf(w, "pay of published days that are over is another by this (%s): %.2f yuan in place of %.2f\n", counted(len(all), "agent", "agents"), after, before)
	for _, m := range all[:min(len(all), mostBroken)] {
		fmt.Fprintf(w, "  %s: %.2f yuan in place of %.2f\n", m.Agent, m.After, m.Before)
	}
	if more := len(all) - mostBroken; more > 0 {
		fmt.Fprintf(w, "  and %d more; --json lists all\n", more)
	}
}
