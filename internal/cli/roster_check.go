package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/check"
	"github.com/chaoban/chaoban/scheduling/roster/matsp"
	"github.com/chaoban/chaoban/scheduling/roster/nrp"
)

// newRosterCheckCommand is the separate, slow checker.
func newRosterCheckCommand() *cobra.Command {
	var format, in, rosterFile string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check a roster file against its problem 核对排班",
		Long: "Recompute the rules and every figure of a roster file from its shifts, with code of its own. Each broken\n" +
			"rule and each figure that is not so is named; either makes the command fail.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			problem, err := readFlagFile("--in", in)
			if err != nil {
				return err
			}
			made, err := readFlagFile("--roster", rosterFile)
			if err != nil {
				return err
			}
			report, err := checkFormat(format, in, problem, rosterFile, made)
			if err != nil {
				return err
			}
			return printCheck(cmd.OutOrStdout(), report, asJSON)
		},
	}
	cmd.Flags().StringVar(&format, "format", "json", "input format: nrp, matsp or json")
	cmd.Flags().StringVar(&in, "in", "", "problem file")
	cmd.Flags().StringVar(&rosterFile, "roster", "", "roster file")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return cmd
}

func checkFormat(format, in string, problem []byte, rosterFile string, made []byte) (check.Report, error) {
	switch format {
	case "nrp":
		inst, err := nrp.Parse(in, bytes.NewReader(problem))
		if err != nil {
			return check.Report{}, err
		}
		rows := map[string][]string{}
		if err := roster.ReadStrict(rosterFile, "roster file", bytes.NewReader(made), &rows); err != nil {
			return check.Report{}, err
		}
		return check.NRP(inst, rows), nil
	case "matsp":
		inst, err := matsp.Parse(in, bytes.NewReader(problem))
		if err != nil {
			return check.Report{}, err
		}
		rows := map[string][]matsp.Shift{}
		if err := roster.ReadStrict(rosterFile, "roster file", bytes.NewReader(made), &rows); err != nil {
			return check.Report{}, err
		}
		return check.MATSP(inst, rows), nil
	case "json":
		p, err := roster.ReadProblem(in, bytes.NewReader(problem), true)
		if err != nil {
			return check.Report{}, err
		}
		var claims check.Claims
		r, err := roster.ReadRoster(rosterFile, bytes.NewReader(made), &claims)
		if err != nil {
			return check.Report{}, err
		}
		report, found := check.Roster(p, r.Shifts), roster.Judge(p, r.Shifts)
		report.Compare(p, claims, found)
		report.Merge(found, p.Location)
		return report, nil
	}
	return check.Report{}, badFormat(format)
}

func printCheck(w io.Writer, r check.Report, asJSON bool) error {
	verdict := r.Verdict()
	if asJSON {
		if err := json.NewEncoder(w).Encode(r); err != nil {
			return fault.Wrap(err, fault.Internal, "roster.print", "the report could not be printed")
		}
		return verdict
	}
	fmt.Fprintln(w, "cost", costFigure(r.Cost))
	for _, v := range r.Violations {
		fmt.Fprintln(w, "broken:", v)
	}
	for _, f := range r.False {
		fmt.Fprintln(w, "false:", f)
	}
	if len(r.Violations) == 0 {
		fmt.Fprintln(w, "every hard rule holds")
	}
	if len(r.Unread) > 0 {
		fmt.Fprintln(w, "not checked:", strings.Join(r.Unread, "; "))
	}
	return verdict
}
