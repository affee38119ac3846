package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

func newRosterPublish(s *settings) *cobra.Command {
	var overrule, replace bool
	var reason string
	cmd := &cobra.Command{
		Use: "publish ROSTER", Short: "Make a draft binding; older rosters of the same days are archived", Args: cobra.ExactArgs(1),
		Long: "Make a draft binding; older rosters of the same days are archived. Soft rules that break are told. Where a rule rests on law, as the\n" +
			"agreement to work on a statutory holiday, the roster is refused until --overrule and --reason say that somebody answers for it.\n" +
			"It is also refused where it takes the place of a roster that was changed or acknowledged since it was made and that it is no copy of:\n" +
			"what would be lost is told, and --replace with --reason does it all the same. Leave and absences are on file and hold on.",
		Example: "  chaoban roster publish latest\n  chaoban roster publish latest --overrule --reason 国庆值班已逐人征得同意",
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				id, err := newest(cmd, a, args[0], store.Draft)
				if err != nil {
					return err
				}
				r, err := a.ops.Rostering.PublishRoster(cmd.Context(), a.who, rostering.PublishInput{Roster: id, Expect: store.AnyVersion, Overrule: overrule, Replace: replace, Reason: reason})
				if err != nil {
					return flagged(err, map[string]string{"reason": "--reason"})
				}
				return s.print(cmd, r, func() { printPublished(cmd.OutOrStdout(), r) })
			})
		},
	}
	cmd.Flags().BoolVar(&overrule, "overrule", false, "publish although soft rules that rest on law break")
	cmd.Flags().StringVar(&reason, "reason", "", "why; needed with --overrule and --replace and kept in the trail")
	cmd.Flags().BoolVar(&replace, "replace", false, "archive the published roster of these days although what was done to it is lost")
	return cmd
}

func printPublished(w io.Writer, r rostering.Published) {
	fmt.Fprintf(w, "roster %s published: %d shifts\n", r.ID, len(r.Shifts))
	for _, b := range r.Soft {
		fmt.Fprintf(w, "  soft rule %s: %d times, %d agents, %d of them new; %s\n", b.Rule, b.Count, len(b.Agents), b.New, b.Says.EN)
	}
	for _, x := range r.Replaced {
		fmt.Fprintf(w, "  archived: roster %s %s\n", x.Roster, x.Title)
		for _, l := range x.Lost {
			fmt.Fprintf(w, "    with it %s: %d\n", l.Says.EN, l.Count)
		}
	}
	printNotes(w, r.Notes)
}

func printNotes(w io.Writer, notes []string) {
	for _, n := range notes {
		fmt.Fprintf(w, "  note: %s\n", n)
	}
}

func newRosterPay(s *settings) *cobra.Command {
	var id, agent, out, language string
	cmd := &cobra.Command{
		Use: "pay", Short: "Hours of a roster at 100, 150, 200 and 300 % of the wage, by agent and date", Args: cobra.NoArgs,
		Long: "Hours of a roster at 100, 150, 200 and 300 % of the wage (劳动法 §44), by agent and date, with nights and yuan. A salary pays the hours\n" +
			"at 100 %, so the yuan of whoever has one are what comes on top, less unpaid hours. Hours after midnight stand on the next date. LIEU are\n" +
			"hours worked on a rest day and given back as time off (leave earn): no 200 %. Each day is paid by the rules and the wage of that day.",
		Example: "  chaoban roster pay --roster latest --agent A0001\n  chaoban roster pay --roster latest --out pay.csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out != "" {
				if _, err := exportKind(out, ".csv"); err != nil {
					return err
				}
			}
			return s.with(cmd, needStore, func(a *app) error {
				ref, err := refOf(cmd, a, id)
				if err != nil {
					return err
				}
				p, err := a.ops.Rostering.PayRoster(cmd.Context(), a.who, ref, ids.Agent(agent))
				if err != nil {
					return err
				}
				if out != "" {
					body, err := p.CSV(rostering.Language(language))
					if err != nil {
						return err
					}
					if err := os.WriteFile(out, body, 0o600); err != nil {
						return fault.Wrap(err, fault.Invalid, "cli.file", "the file %s cannot be written", out)
					}
					return s.print(cmd, map[string]any{"roster": p.Roster, "file": out}, func() { fmt.Fprintf(cmd.OutOrStdout(), "written to %s\n", out) })
				}
				return s.print(cmd, p, func() { printPay(cmd.OutOrStdout(), p, agent != "", a.ops.Zone()) })
			})
		},
	}
	cmd.Flags().StringVar(&id, "roster", "latest", "roster, or a revision of it as ID@2")
	cmd.Flags().StringVar(&agent, "agent", "", "only this agent, date by date")
	cmd.Flags().StringVar(&out, "out", "", "write every agent and date to this CSV file instead")
	cmd.Flags().StringVar(&language, "language", "en", "of the headings of that file: en or zh")
	return cmd
}

func printPay(w io.Writer, p rostering.RosterPay, daily bool, zone *time.Location) {
	row := func(head string, h rostering.PayHours) string {
		return fmt.Sprintf("%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f", head, h.Normal, h.Extended, h.RestDay, h.Statutory, h.Lieu, h.Unpaid, h.Night, h.Yuan)
	}
	var rows []string
	for _, a := range p.Agents {
		if daily {
			for _, d := range a.Days {
				rows = append(rows, row(fmt.Sprintf("%s %s", a.Agent, d.Date), d.PayHours))
			}
			continue
		}
		rows = append(rows, row(fmt.Sprintf("%s %s", a.Agent, a.Name), a.PayHours))
	}
	rows = append(rows, row("total", p.Total))
	table(w, "AGENT\t100 %\t150 %\t200 %\t300 %\tLIEU\tUNPAID\tNIGHT\tYUAN", rows)
	for _, a := range p.Agents {
		if daily && a.Salaried {
			fmt.Fprintf(w, "%s has a salary, which pays the hours at 100 %% and is %.2f yuan for these days; the base of the rest is %.2f yuan an hour\n", a.Agent, a.Salary, a.Wage)
		}
	}
	printRecorded(w, p.Recorded, p.Since, zone)
	printNotes(w, p.Notes)
}

// paidAt tells hours by percentage of the wage: " (+3 h at 150 %)".
func paidAt(pay []workrules.PayShare) string {
	if len(pay) == 0 {
		return ""
	}
	parts := make([]string, len(pay))
	for i, p := range pay {
		parts[i] = fmt.Sprintf("%+.4g h at %d %%", float64(p.Minutes)/60, p.Percent)
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
