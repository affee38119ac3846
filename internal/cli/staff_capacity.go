package cli

import (
	"cmp"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/scheduling/staffing/capacity"
)

func newStaffCapacity(s *settings) *cobra.Command {
	var in string
	cmd := &cobra.Command{
		Use: "capacity", Short: "Plan people by week, up to 64 weeks: classes, temporary people, overtime, and by when to decide", Args: cobra.NoArgs,
		Long: "Plan people by week, up to 64 weeks: training classes, temporary people, overtime and cloud hours at least cost,\n" +
			"and until which day each can still be ordered. The file is JSON or YAML; scheduling/staffing/capacity has an example.",
		Example: "  chaoban staff capacity --in docs/examples/staff-capacity.json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var problem capacity.Input
			if err := readProblem(cmd.InOrStdin(), "--in", in, &problem); err != nil {
				return err
			}
			plan, err := capacity.Make(problem)
			if err != nil {
				return err
			}
			return s.print(cmd, plan, func() { printCapacity(cmd.OutOrStdout(), plan) })
		},
	}
	cmd.Flags().StringVar(&in, "in", "", "problem file, JSON or YAML; - reads standard input")
	return cmd
}

func printCapacity(w io.Writer, p capacity.Plan) {
	for _, s := range p.Skills {
		rows := make([]string, len(s.Weeks))
		for i, k := range s.Weeks {
			rows[i] = fmt.Sprintf("%s\t%.0f\t%.0f\t%.1f\t%.1f\t%.1f\t%.0f\t%.0f\t%+.0f\t%s\t%s", k.Start, k.RequiredP50, k.RequiredP90, k.OnHand, k.InTraining, k.Temps,
				k.OvertimeHours, k.CloudHours, k.GapHours, percent(k.ShortageRisk), k.Cost.Total)
		}
		fmt.Fprintf(w, "%s: cost %s yuan, shortage %s of it; no plan costs less than %s (gap %.1f%%)\n", s.Name, s.Cost.Total, s.Cost.Shortage, s.LowerBound, 100*s.Gap)
		table(w, "WEEK\tREQUIRED P50\tP90\tON HAND\tIN TRAINING\tTEMPS\tOVERTIME\tCLOUD\tOVER P50\tRISK\tCOST", rows)
		var decisions []string
		for _, d := range s.Decisions {
			much := fmt.Sprintf("%d heads", d.Heads)
			if d.Heads == 0 {
				much = fmt.Sprintf("%.0f h", d.Hours)
			}
			decisions = append(decisions, fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s", d.OrderBy, d.Kind, cmp.Or(d.Name, "-"), much, d.WorksFrom, d.Cost, d.Saves))
		}
		if len(decisions) > 0 {
			table(w, "ORDER BY\tWHAT\tNAME\tHOW MANY\tWORKS FROM\tCOST\tSAVES NET", decisions)
		}
		for _, l := range s.Irretrievable {
			fmt.Fprintf(w, "too late: %s\n", l.Reason)
		}
	}
	fmt.Fprintln(w, "weeks: overtime and cloud in effective hours, over P50 what is there beyond it (below 0: short), in training temporary people too; orders: paid hours, and what each saves after its own cost")
	fmt.Fprintf(w, "%s yuan in all: wages %s, hiring %s, training %s, temporary people %s, severance %s, overtime %s, cloud %s, shortage %s; idle wages %s\n",
		p.Cost.Total, p.Cost.Wages, p.Cost.Hiring, p.Cost.Training, p.Cost.Temps, p.Cost.Severance, p.Cost.Overtime, p.Cost.Cloud, p.Cost.Shortage, p.Cost.Idle)
}
