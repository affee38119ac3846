package cli

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// softExamples is how many breaches of one rule are told one by one.
const softExamples = 3

// printCost tells what a roster costs, how much less another one could cost at most, and which salaries are no
// part of it. what is "cost", or "cost of" some days.
func printCost(w io.Writer, what string, s roster.Solution) {
	fmt.Fprintf(w, "%s %s yuan; at least %s whatever one does; at most %s yuan (%.1f %%) could be saved\n",
		what, yuanText(s.Cost), yuanText(s.Bound), yuanText(s.Savable), 100*s.Gap)
	printSalaries(w, s.Salaries)
}

func printSalaries(w io.Writer, yuan float64) {
	if yuan > 0 {
		fmt.Fprintf(w, "fixed salaries of %s yuan are paid besides, whatever the roster is\n", yuanText(yuan))
	}
}

// yuanText is whole yuan with commas: "354,741".
func yuanText(v float64) string {
	digits := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if v < 0 && digits != "0" {
		return "-" + digits
	}
	return digits
}

// printParts tells what a cost is made of; parts of nothing are left out.
func printParts(w io.Writer, p roster.Parts) {
	var texts []string
	for _, part := range []struct {
		name string
		yuan float64
	}{
		{"understaffing", p.Short},
		{"overstaffing", p.Over},
		{"wages by the hour", p.Wages},
		{"overtime, rest-day and holiday pay", p.Premiums},
		{"contract hours", p.MinWork},
		{"fairness", p.Fairness},
		{"wishes", p.Preference},
		{"stability", p.Stability},
		{"soft rules", p.SoftRules},
		{"changes of queue", p.Switches},
	} {
		if math.Abs(part.yuan) >= 0.5 {
			texts = append(texts, part.name+" "+yuanText(part.yuan))
		}
	}
	if len(texts) > 0 {
		fmt.Fprintf(w, "the cost is made of: %s yuan\n", strings.Join(texts, ", "))
	}
}

// printSoft lists the soft rules that break, rule by rule with the first examples.
func printSoft(w io.Writer, groups []workrules.Breaches, zone *time.Location) {
	for _, g := range groups {
		if g.Hard {
			continue
		}
		fmt.Fprintf(w, "  soft rule %s, %s for %s: %s\n", g.Rule, counted(g.Count, "time", "times"), counted(len(g.Agents), "agent", "agents"), g.Says.EN)
		printExamples(w, g, zone)
	}
}

// breaches counts those of all rules.
func breaches(groups []workrules.Breaches) (n int) {
	for _, g := range groups {
		n += g.Count
	}
	return n
}

// printRecorded lists the hard rules that entered hours break, and those that shifts break since something changed.
func printRecorded(w io.Writer, recorded, since []workrules.Breaches, zone *time.Location) {
	for _, g := range recorded {
		fmt.Fprintf(w, "  recorded although it breaks hard rule %s, %s for %s: %s\n", g.Rule, counted(g.Count, "time", "times"), counted(len(g.Agents), "agent", "agents"), g.Says.EN)
		printExamples(w, g, zone)
	}
	for _, g := range since {
		fmt.Fprintf(w, "  lawful when it was rostered, and breaks hard rule %s since the rule or what is on file changed, %s of %s: %s\n", g.Rule, counted(g.Count, "shift", "shifts"), counted(len(g.Agents), "agent", "agents"), g.Says.EN)
		printExamples(w, g, zone)
	}
}

func printExamples(w io.Writer, g workrules.Breaches, zone *time.Location) {
	for _, v := range g.Examples {
		fmt.Fprintf(w, "    %s %s: %s\n", v.Agent, v.Range.Start.In(zone).Format("01-02 15:04"), v.Sentence.EN)
	}
	if more := g.Count - len(g.Examples); more > 0 {
		fmt.Fprintf(w, "    and %d more\n", more)
	}
}

// printShort lists the stretches that cost most, and says how many there are.
func printShort(w io.Writer, uncovered []roster.Uncovered, zone *time.Location, top int) {
	worst := slices.Clone(uncovered)
	slices.SortStableFunc(worst, func(a, b roster.Uncovered) int {
		return cmp.Or(cmp.Compare(b.Worth, a.Worth), cmp.Compare(headHours(b), headHours(a)))
	})
	top = max(0, min(top, len(worst)))
	for _, u := range worst[:top] {
		fmt.Fprintf(w, "  short: %s %s-%s, %s\n", u.Queue, u.Range.Start.In(zone).Format("01-02 15:04"), u.Range.End.In(zone).Format("15:04"), u.Says.EN)
	}
	if more := len(worst) - top; more > 0 && top > 0 {
		fmt.Fprintf(w, "  and %d more short stretches that cost less\n", more)
	}
}

// printEveryFix lists the fixes of stretches that somebody asked about.
func printEveryFix(w io.Writer, uncovered []roster.Uncovered) {
	for _, u := range uncovered {
		for _, f := range u.Fixes {
			fmt.Fprintf(w, "    %s: %s; %s\n", u.Queue, f.Says.EN, paysText(f.Pays))
		}
	}
}

// printFixes says for how many stretches fixes were worked out.
func printFixes(w io.Writer, s roster.Solution) {
	if n := len(s.Uncovered); s.FixesFor < n {
		fmt.Fprintf(w, "fixes are worked out for the %d dearest of %d short stretches; --queue and --at tell those of any other, --all-fixes of all\n", s.FixesFor, n)
	}
}

func headHours(u roster.Uncovered) float64 { return float64(u.Missing) * u.Range.Duration().Hours() }
