package cli

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// erlangFlags are the flags of `chaoban staff erlang`.
type erlangFlags struct {
	model    string
	calls    float64
	interval time.Duration
	aht      time.Duration
	patience time.Duration
	agents   float64
	within   time.Duration
	goal     staffing.Goal
	in, out  string

	fractional bool
	json       bool
}

func newStaffErlangCommand() *cobra.Command {
	var f erlangFlags
	cmd := &cobra.Command{
		Use:   "erlang",
		Short: "Exact Erlang B, C and A: what a number of agents reaches, or how many a target needs",
		Long: `Exact Erlang B (lost when busy), C (everybody waits) and A (waiting callers leave after an
exponential patience). With --agents (whole or fractional) it evaluates; without, it answers the least
agents for all of --target, --asa, --max-abandon, --max-occupancy that are given. No calls need no agents.

With --in it evaluates a CSV of cases with the columns calls, aht_s, interval_min, agents, answer_within_s
(and patience_s for model a), in any order, and adds p_wait, p_abandon, occupancy, asa_s, avg_queue,
service_level. Times may be in seconds or minutes (aht_min, interval_s, ...; where both stand, the first
named here counts); offered_erlangs replaces calls and interval_min where there is no column calls. Other
columns are kept as they are, those of the six results are replaced. Either every case is written or, when
a cell is bad, nothing: the message names line and column.

Definitions: service level = share of ALL arrivals answered within the limit; ASA = mean wait over all
arrivals, answered or not; for model b p_abandon is the share blocked. A queue that grows without
end (model c, load >= agents) has P(wait) 1, service level 0 and an infinite ASA and queue ("inf" in CSV,
null in JSON).`,
		Example: `  chaoban staff erlang --model a --calls 100 --interval 30m --aht 180s --patience 300s --agents 14 --within 20s
  chaoban staff erlang --model c --calls 100 --aht 240s --target 0.8 --within 20s
  chaoban staff erlang --model a --in cases.csv --out results.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.model, "model", "c", "a (abandonment), b (loss) or c (delay)")
	fl.Float64Var(&f.calls, "calls", 0, "contacts per interval")
	fl.DurationVar(&f.interval, "interval", 30*time.Minute, "length of the interval")
	fl.DurationVar(&f.aht, "aht", 0, "mean handle time, e.g. 180s")
	fl.DurationVar(&f.patience, "patience", 0, "mean patience (model a)")
	fl.Float64Var(&f.agents, "agents", 0, "agents to evaluate")
	fl.DurationVar(&f.within, "within", 20*time.Second, "answer limit of the service level")
	fl.Float64Var(&f.goal.ServiceLevel, "target", 0, "least service level to reach, e.g. 0.8")
	fl.DurationVar(&f.goal.ASA, "asa", 0, "longest mean wait to allow")
	fl.Float64Var(&f.goal.Abandon, "max-abandon", 0, "largest share of callers that may leave (blocked, for model b)")
	fl.Float64Var(&f.goal.Occupancy, "max-occupancy", 0, "largest occupancy to allow")
	fl.BoolVar(&f.fractional, "fractional", false, "answer the least real number of agents instead of whole heads")
	fl.StringVar(&f.in, "in", "", "CSV file of cases, - for standard input")
	fl.StringVar(&f.out, "out", "", "CSV file to write with --in (default standard output)")
	fl.BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

func (f *erlangFlags) run(cmd *cobra.Command) error {
	model := staffing.Model(strings.ToLower(f.model))
	if f.in != "" {
		return f.grid(cmd, model)
	}
	q := staffing.Queue{Contacts: f.calls, Interval: f.interval, HandleTime: f.aht, Patience: f.patience}
	f.goal.Within = f.within
	given := cmd.Flags().Changed("agents")
	if err := f.check(cmd, model, q); err != nil {
		return err
	}
	var p staffing.Performance
	var err error
	switch {
	case given:
		p = staffing.Evaluate(model, q, f.agents, f.within)
	case f.fractional:
		p, err = staffing.LeastFractional(model, q, f.goal)
	default:
		p, err = staffing.Least(model, q, f.goal)
	}
	if err != nil {
		return err
	}
	if f.json {
		return printJSON(cmd.OutOrStdout(), erlangDocument(model, q, f.within, p))
	}
	return f.print(cmd.OutOrStdout(), model, q, p, given)
}

// erlangFlagOf names the flag of each field that package staffing reports.
var erlangFlagOf = map[string]string{
	"contacts": "--calls", "handle_time": "--aht", "abandon": "--max-abandon", "occupancy": "--max-occupancy",
	"model": "--model", "interval": "--interval", "patience": "--patience", "agents": "--agents", "within": "--within",
	"target": "--target", "asa": "--asa",
}

// check reports every flag that is missing, out of range or without meaning beside the others.
func (f *erlangFlags) check(cmd *cobra.Command, model staffing.Model, q staffing.Queue) error {
	bad := f.misplaced(cmd, model)
	seen := map[string]bool{}
	for _, b := range bad {
		seen[b.Path] = true
	}
	note := func(err error) {
		if err == nil {
			return
		}
		for _, b := range fault.Of(err).Fields {
			if b.Path = erlangFlagOf[b.Path]; !seen[b.Path] {
				seen[b.Path] = true
				bad = append(bad, b)
			}
		}
	}
	if cmd.Flags().Changed("agents") {
		note(q.ValidateAt(model, f.agents, f.within))
	} else {
		note(q.Validate(model))
		note(f.goal.Validate())
	}
	return fault.Bad("staffing.erlang", "staff erlang", bad)
}

// misplaced reports flags that are missing and flags that say nothing in this combination.
func (f *erlangFlags) misplaced(cmd *cobra.Command, model staffing.Model) (bad []fault.Field) {
	add := func(flag, problem string) { bad = append(bad, fault.Field{Path: "--" + flag, Problem: problem}) }
	given := cmd.Flags().Changed
	for _, flag := range []string{"calls", "aht"} {
		if !given(flag) {
			add(flag, "is missing")
		}
	}
	if model == staffing.ModelA && !given("patience") {
		add("patience", "is missing: model a needs it")
	}
	if f.out != "" {
		add("out", "goes with --in")
	}
	if given("patience") && (model == staffing.ModelB || model == staffing.ModelC) {
		add("patience", fmt.Sprintf("goes with --model a; nobody leaves the queue of model %s", model))
	}
	if given("asa") && model == staffing.ModelB {
		add("asa", "says nothing for --model b, where nobody waits")
	}
	if given("max-abandon") && model == staffing.ModelC {
		add("max-abandon", "says nothing for --model c, where nobody leaves")
	}
	goals := []string{"target", "asa", "max-abandon", "max-occupancy"}
	if !given("agents") && !slices.ContainsFunc(goals, given) {
		add("target", "is missing: give --agents to evaluate them, or a goal (--target, --asa, --max-abandon, --max-occupancy)")
	}
	for _, flag := range goals {
		switch {
		case given(flag) && given("agents"):
			add(flag, "does not go with --agents: give agents to evaluate them, or goals to find the least agents")
		case given(flag) && cmd.Flags().Lookup(flag).Value.String() == cmd.Flags().Lookup(flag).DefValue:
			add(flag, "must be above 0")
		}
	}
	if f.fractional && given("agents") {
		add("fractional", "does not go with --agents")
	}
	return bad
}

// erlangResult is the JSON of one evaluation; infinite figures are null.
type erlangResult struct {
	Model        staffing.Model `json:"model"`
	Calls        float64        `json:"calls"`
	IntervalMin  float64        `json:"interval_min"`
	AHTSeconds   float64        `json:"aht_s"`
	Patience     *float64       `json:"patience_s"`
	Agents       float64        `json:"agents"`
	Within       float64        `json:"answer_within_s"`
	Offered      float64        `json:"offered_erlangs"`
	Stable       bool           `json:"stable"`
	Wait         float64        `json:"p_wait"`
	Abandon      float64        `json:"p_abandon"`
	Occupancy    float64        `json:"occupancy"`
	ASA          *float64       `json:"asa_s"`
	Queue        *float64       `json:"avg_queue"`
	ServiceLevel float64        `json:"service_level"`
}

func erlangDocument(m staffing.Model, q staffing.Queue, within time.Duration, p staffing.Performance) erlangResult {
	r := erlangResult{
		Model: m, Calls: q.Contacts, IntervalMin: q.Interval.Minutes(), AHTSeconds: q.HandleTime.Seconds(),
		Agents: p.Agents, Within: within.Seconds(), Offered: p.Offered, Stable: p.Stable, Wait: p.Wait, Abandon: p.Abandon,
		Occupancy: p.Occupancy, ASA: finite(p.ASASeconds), Queue: finite(p.AverageQueue), ServiceLevel: p.ServiceLevel,
	}
	if m == staffing.ModelA {
		r.Patience = finite(q.Patience.Seconds())
	}
	return r
}

func finite(v float64) *float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}

func (f *erlangFlags) print(w io.Writer, m staffing.Model, q staffing.Queue, p staffing.Performance, given bool) error {
	name := map[staffing.Model]string{
		staffing.ModelA: "Erlang A (callers leave)", staffing.ModelB: "Erlang B (lost when busy)", staffing.ModelC: "Erlang C (everybody waits)",
	}[m]
	agents := fmt.Sprintf("%g", p.Agents)
	if !given {
		agents += " (the least that reach the goal)"
	}
	lost := "abandoned"
	if m == staffing.ModelB {
		lost = "blocked"
	}
	asa, queue := fmt.Sprintf("%.2f s", p.ASASeconds), fmt.Sprintf("%.3f", p.AverageQueue)
	if !p.Stable {
		asa, queue = "grows without end", "grows without end"
	}
	table(w, "model\t"+name, []string{
		fmt.Sprintf("load\t%g contacts in %s, AHT %s = %.3f erlangs", q.Contacts, q.Interval, q.HandleTime, p.Offered),
		"agents\t" + agents,
		fmt.Sprintf("service level\t%.2f %% of all contacts answered within %s", 100*p.ServiceLevel, f.within),
		fmt.Sprintf("P(wait)\t%.6f", p.Wait),
		fmt.Sprintf("%s\t%.4f %%", lost, 100*p.Abandon),
		fmt.Sprintf("occupancy\t%.2f %%", 100*p.Occupancy),
		"ASA\t" + asa,
		"average queue\t" + queue,
	})
	return nil
}

// grid evaluates the file of --in.
func (f *erlangFlags) grid(cmd *cobra.Command, model staffing.Model) error {
	for _, name := range []string{"calls", "aht", "patience", "agents", "within", "interval", "target", "asa", "max-abandon", "max-occupancy", "fractional"} {
		if cmd.Flags().Changed(name) {
			return fault.New(fault.Invalid, "cli.usage", "--%s does not go with --in, which evaluates the cases of the file", name)
		}
	}
	if f.json {
		return fault.New(fault.Invalid, "cli.usage", "--json does not go with --in: the answer is a CSV file")
	}
	source, name := cmd.InOrStdin(), "standard input"
	if f.in != "-" {
		file, err := os.Open(f.in)
		if err != nil {
			return fault.Wrap(err, fault.NotFound, "staffing.file", "%s cannot be opened", f.in)
		}
		defer file.Close()
		source, name = file, f.in
	}
	cases, err := readErlangGrid(source, name, model)
	if err != nil {
		return err
	}
	if f.out == "" || f.out == "-" {
		return cases.write(cmd.OutOrStdout())
	}
	return writeFile(f.out, cases.write)
}
