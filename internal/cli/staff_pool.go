package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/pool"
)

func newStaffPool(s *settings) *cobra.Command {
	var f struct {
		in string
		o  pool.Options
	}
	cmd := &cobra.Command{
		Use: "pool", Short: "Size agents who share queues, beside what the queues need alone, verified by simulation", Args: cobra.NoArgs,
		Long: "Size agents who share queues, beside what the queues need alone, verified by simulation on fresh random numbers.\n" +
			"The file is JSON or YAML: queues with their curves and targets, and groups of agents with their skills. Slot,\n" +
			"limits and handle times are texts such as 15m or whole nanoseconds.",
		Example: "  chaoban staff pool --in docs/examples/staff-pool.yaml --seed 1",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var file poolFile
			if err := readProblem(cmd.InOrStdin(), "--in", f.in, &file); err != nil {
				return err
			}
			problem := file.problem()
			plan, err := pool.Solve(cmd.Context(), problem, f.o)
			if err != nil {
				return err
			}
			return s.print(cmd, plan, func() { printPool(cmd.OutOrStdout(), plan) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.in, "in", "", "problem file, JSON or YAML; - reads standard input")
	flags.Uint64Var(&f.o.Seed, "seed", 1, "random seed")
	flags.IntVar(&f.o.Replications, "replications", 0, "simulated repetitions per step (default by size)")
	flags.IntVar(&f.o.Steps, "steps", 0, "most steps of the search (default 90)")
	return cmd
}

// span is a length of time in a file: "15m", "30s", or whole nanoseconds.
type span time.Duration

// UnmarshalJSON reads either form.
func (d *span) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		text := strings.Trim(string(raw), `"`)
		v, err := time.ParseDuration(text)
		if err != nil {
			return fault.New(fault.Invalid, "staff.file", "%q is no length of time such as 15m or 30s", fault.Shorten(text))
		}
		*d = span(v)
		return nil
	}
	if err := json.Unmarshal(raw, (*time.Duration)(d)); err != nil {
		return err
	}
	if v := time.Duration(*d); v > 0 && v < time.Millisecond {
		return fault.New(fault.Invalid, "staff.file", "%d would be nanoseconds; write the unit, such as 30m or 30s", v.Nanoseconds())
	}
	return nil
}

// poolFile is a pool.Problem whose curves and targets may tell lengths of time as text.
type poolFile struct {
	Queues []poolFileQueue `json:"queues"`
	Groups []pool.Group    `json:"groups"`
}

type poolFileQueue struct {
	pool.Queue
	Curve  poolFileCurve  `json:"curve"`
	Target poolFileTarget `json:"target"`
}

type poolFileCurve struct {
	Queue  ids.Queue       `json:"queue"`
	Slot   span            `json:"slot"`
	Levels []float64       `json:"levels"`
	Points []poolFilePoint `json:"points"`
}

type poolFilePoint struct {
	Start      time.Time `json:"start"`
	Mean       float64   `json:"mean"`
	Quantiles  []float64 `json:"quantiles"`
	HandleTime span      `json:"handle_time"`
}

type poolFileTarget struct {
	staffing.Target
	Within     span `json:"within"`
	HandleTime span `json:"handle_time"`
	Patience   span `json:"patience"`
}

func (f poolFile) problem() pool.Problem {
	p := pool.Problem{Groups: f.Groups}
	for _, q := range f.Queues {
		out := q.Queue
		out.Target = q.Target.Target
		out.Curve = scheduling.Curve{Queue: q.Curve.Queue, Slot: time.Duration(q.Curve.Slot), Levels: q.Curve.Levels}
		for _, x := range q.Curve.Points {
			out.Curve.Points = append(out.Curve.Points, scheduling.Point{Start: x.Start, Mean: x.Mean, Quantiles: x.Quantiles, HandleTime: time.Duration(x.HandleTime)})
		}
		t := &out.Target
		t.Within, t.HandleTime, t.Patience = time.Duration(q.Target.Within), time.Duration(q.Target.HandleTime), time.Duration(q.Target.Patience)
		p.Queues = append(p.Queues, out)
	}
	return p
}

func printPool(w io.Writer, p pool.Plan) {
	slots := make([]string, len(p.Slots))
	for i, x := range p.Slots {
		slots[i] = fmt.Sprintf("%s\t%.1f\t%d\t%d\t%s", x.Start.Format(time.RFC3339), x.Contacts, x.Pool, x.Parts, x.Reason)
	}
	table(w, "SLOT\tCONTACTS\tPOOL\tALONE\tWHY", slots)
	queues := make([]string, len(p.Queues))
	for i, q := range p.Queues {
		queues[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", q.Queue, percent(q.Goal), percent(q.Pool.Share), percent(q.Pool.Low), percent(q.Parts.Share), percent(q.Parts.Low))
	}
	table(w, "QUEUE\tGOAL\tIN THE POOL\tAT LEAST\tALONE\tAT LEAST", queues)
	verified := "verified by simulation"
	if !p.Verified {
		verified = "NOT verified: some goal is missed in simulation"
	}
	fmt.Fprintf(w, "pool %.1f head-hours, the queues alone %.1f: %.1f saved (%s); %s\n", p.Pool.Hours, p.Parts.Hours, p.Saved, percent(p.Share), verified)
}
