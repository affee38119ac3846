package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/matsp"
	"github.com/chaoban/chaoban/scheduling/roster/nrp"
	"github.com/chaoban/chaoban/scheduling/roster/search"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// rosterFlags are the options of `roster solve`.
type rosterFlags struct {
	format, in, out     string
	budget              time.Duration
	iterations, threads int
	seed                uint64
	json                bool
	leastViolating      bool
}

// rosterSummary is what `roster solve` prints; with --json as one object.
type rosterSummary struct {
	Format     string               `json:"format"`
	Cost       float64              `json:"cost"`
	Bound      float64              `json:"bound"`
	Gap        float64              `json:"gap"`                // share of the cost, 0 to 1
	Savable    float64              `json:"savable"`            // yuan, or the cost of the format: cost less bound
	Salaries   float64              `json:"salaries,omitempty"` // fixed, no part of the cost
	Stopped    bool                 `json:"stopped"`
	Seconds    float64              `json:"seconds"`
	Seed       uint64               `json:"seed"`
	Out        string               `json:"out"`
	Needed     float64              `json:"needed_hours,omitempty"`
	Missing    float64              `json:"missing_hours,omitempty"`
	Uncovered  int                  `json:"uncovered,omitempty"`
	SoftBroken int                  `json:"soft_violations,omitempty"`
	Parts      *roster.Parts        `json:"parts,omitempty"`
	Soft       []workrules.Breaches `json:"soft_rules,omitempty"`      // by rule
	HardBroken int                  `json:"hard_violations,omitempty"` // only with --least-violating
	worst      []roster.Uncovered
	broken     []workrules.Violation
	zone       *time.Location
}

func newRosterSolveCommand() *cobra.Command {
	var f rosterFlags
	cmd := &cobra.Command{
		Use:   "solve",
		Short: "Make a roster from a problem file 排班",
		Long: "Make a roster from a problem file: our own JSON (docs/roster-format.md), or a public\n" +
			"benchmark instance (nrp, matsp). Prints cost, lower bound and gap, and a line of progress on the\n" +
			"error stream. Ctrl-C keeps the best so far.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRosterSolve(cmd, f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.format, "format", "json", "input format: nrp, matsp or json")
	fl.StringVar(&f.in, "in", "", "problem file")
	fl.StringVar(&f.out, "out", "", "roster file to write; - for standard output")
	fl.DurationVar(&f.budget, "time", 0, "how long to search (default 60s without --iterations)")
	fl.IntVar(&f.iterations, "iterations", 0, "search steps per thread; makes the result repeatable")
	fl.Uint64Var(&f.seed, "seed", 1, "random seed")
	fl.IntVar(&f.threads, "threads", 2, "parallel searches")
	fl.BoolVar(&f.leastViolating, "least-violating", false, "json: accept locked shifts that break hard rules, and name what they break")
	fl.BoolVar(&f.json, "json", false, "print the summary as JSON")
	return cmd
}

func runRosterSolve(cmd *cobra.Command, f rosterFlags) error {
	out, err := rosterTarget(f.in, f.out)
	if err != nil {
		return err
	}
	if f.iterations == 0 && f.budget == 0 {
		f.budget = time.Minute
	}
	raw, err := readFlagFile("--in", f.in)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	begin := time.Now()
	budget := search.Budget{
		Seed: f.seed, Iterations: f.iterations, Time: f.budget, Threads: f.threads,
		Elapsed: func() time.Duration { return time.Since(begin) },
	}
	clear := showProgress(cmd.ErrOrStderr(), &budget)
	result, sum, err := solveFormat(ctx, f, raw, budget)
	clear()
	if err != nil {
		return err
	}
	sum.Format, sum.Seed, sum.Out = f.format, f.seed, f.out
	sum.Seconds = float64(time.Since(begin).Milliseconds()) / 1000
	if sum.Savable = sum.Cost - sum.Bound; sum.Cost > 0 {
		sum.Gap = (sum.Cost - sum.Bound) / sum.Cost
	}
	summary := cmd.OutOrStdout()
	if out.standard() {
		summary = cmd.ErrOrStderr()
	}
	if !out.atomic() {
		stop() // a pipe waits for its reader, and Ctrl-C ends that
	}
	if err := out.write(cmd.OutOrStdout(), result); err != nil {
		return err
	}
	return printRosterSummary(summary, sum, f.json)
}

// solveFormat reads the input in its format, solves it and returns what goes into the file.
func solveFormat(ctx context.Context, f rosterFlags, raw []byte, b search.Budget) (any, rosterSummary, error) {
	in := bytes.NewReader(raw)
	switch f.format {
	case "nrp":
		inst, err := nrp.Parse(f.in, in)
		if err != nil {
			return nil, rosterSummary{}, err
		}
		s, err := nrp.Solve(ctx, inst, b)
		if err != nil {
			return nil, rosterSummary{}, err
		}
		return inst.Named(s.Roster), rosterSummary{Cost: float64(s.Cost), Bound: float64(s.Bound), Stopped: s.Stopped}, nil
	case "matsp":
		inst, err := matsp.Parse(f.in, in)
		if err != nil {
			return nil, rosterSummary{}, err
		}
		s, err := matsp.Solve(ctx, inst, b)
		if err != nil {
			return nil, rosterSummary{}, err
		}
		return inst.Named(s.Roster), rosterSummary{Cost: float64(s.Cost), Bound: float64(s.Bound), Stopped: s.Stopped}, nil
	case "json":
		problem, err := roster.ReadProblem(f.in, in, f.leastViolating)
		if err != nil {
			return nil, rosterSummary{}, err
		}
		s, err := roster.Solve(ctx, problem, b)
		if err != nil {
			return nil, rosterSummary{}, err
		}
		return s, rosterSummary{
			Cost: s.Cost, Bound: s.Bound, Stopped: s.Stopped, Needed: s.Needed, Missing: s.Missing,
			Uncovered: len(s.Uncovered), SoftBroken: soft(s.Violations), worst: s.Uncovered, broken: hard(s.Violations),
			HardBroken: len(s.Violations) - soft(s.Violations), Salaries: s.Salaries, Parts: &s.Parts, Soft: workrules.ByRule(s.Violations, problem.Rules, softExamples), zone: problem.Location,
		}, nil
	}
	return nil, rosterSummary{}, badFormat(f.format)
}

func soft(vs []workrules.Violation) int { return len(vs) - len(hard(vs)) }

func hard(vs []workrules.Violation) (out []workrules.Violation) {
	for _, v := range vs {
		if v.Hard {
			out = append(out, v)
		}
	}
	return out
}

func badFormat(format string) error {
	return fault.New(fault.Invalid, "roster.format", "--format is nrp, matsp or json, not %q", fault.Shorten(format))
}

// showProgress keeps one line up to date on a terminal; in a pipe it writes a line every ten seconds.
// The returned function removes the line.
func showProgress(w io.Writer, b *search.Budget) (clear func()) {
	file, ok := w.(*os.File)
	interactive := ok && term.IsTerminal(int(file.Fd()))
	every, begin, end := 10*time.Second, "", "\n"
	if interactive {
		every, begin, end = 200*time.Millisecond, "\r\x1b[K", ""
	}
	last := time.Duration(0)
	b.Progress = func(p search.Progress) {
		if now := b.Elapsed(); now-last >= every {
			last = now
			fmt.Fprint(w, begin, progressLine(p), end)
		}
	}
	return func() {
		if interactive {
			fmt.Fprint(w, begin)
		}
	}
}

// progressLine is what a search shows while it runs: the share of the budget, the best cost, the bound
// and the gap between them as far as they are known.
func progressLine(p search.Progress) string {
	line := fmt.Sprintf("%3.0f %%", p.Done*100)
	if math.IsInf(p.Cost, 0) {
		return line + "  no legal roster yet"
	}
	line += "  cost " + costFigure(p.Cost)
	if p.Loose {
		return line + " before people stay on their queues"
	}
	if p.Bound > 0 && p.Cost > 0 {
		line += fmt.Sprintf("  bound %s  gap %.2f %%", costFigure(p.Bound), 100*(p.Cost-p.Bound)/p.Cost)
	}
	return line
}

func printRosterSummary(w io.Writer, s rosterSummary, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(s)
	}
	fmt.Fprintf(w, "cost   %s\nbound  %s, whatever one does\ngap    %.2f %%: at most %s could be saved\ntime   %.1f s, seed %d\nroster %s\n", costFigure(s.Cost), costFigure(s.Bound), s.Gap*100, costFigure(s.Savable), s.Seconds, s.Seed, s.Out)
	if s.Stopped {
		fmt.Fprintln(w, "stopped early; this is the best so far")
	}
	if s.Format != "json" {
		return nil
	}
	printSalaries(w, s.Salaries)
	printParts(w, *s.Parts)
	fmt.Fprintf(w, "hours  %.1f of %.1f needed are covered; %s short, soft rules break %s\n",
		s.Needed-s.Missing, s.Needed, counted(s.Uncovered, "place", "places"), counted(s.SoftBroken, "time", "times"))
	printSoft(w, s.Soft, s.zone)
	for _, v := range s.broken {
		fmt.Fprintf(w, "  broken: %s %s: %s%s\n", v.Agent, v.Rule, v.Sentence.EN, articleOf(v.Rule))
	}
	printShort(w, s.worst, s.zone, 5)
	return nil
}

// costFigure is a cost to the fen, in plain digits.
func costFigure(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }

// articleOf is the source of a rule of the pack in brackets, with a space before them; "" for what is no rule of it.
func articleOf(rule string) string {
	for _, r := range workrules.Rules() {
		if r.Code == rule {
			return " (" + r.Article + ")"
		}
	}
	return ""
}

func readFlagFile(flag, name string) ([]byte, error) {
	if name == "" {
		return nil, fault.New(fault.Invalid, "roster.in", "%s names the file to read", flag)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, fault.Wrap(err, fault.NotFound, "roster.in", "%s cannot be read", name)
	}
	if len(raw) == 0 {
		return nil, fault.Bad("roster.file", "", []fault.Field{{File: name, Problem: "is empty"}})
	}
	return raw, nil
}
