package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

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
			"The file is JSON or YAML: queues with their curves and targets, and groups of agents with their skills.",
		Example: "  chaoban staff pool --in pool.yaml --seed 1",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var problem pool.Problem
			if err := readProblem(cmd.InOrStdin(), f.in, &problem); err != nil {
				return err
			}
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
