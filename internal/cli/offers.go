package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// newOffersCommand offers hours.
func newOffersCommand(s *settings) *cobra.Command {
	return family("offers", "Offer overtime (加班) or time off (自愿休), priced by contract value against the wage",
		newOffer(s, leave.Overtime, "overtime", "Offer overtime to those who may and bring more than they cost"),
		newOffer(s, leave.TimeOff, "time-off", "Offer unpaid time off where the wage is more than the hours are worth"))
}

func newOffer(s *settings, kind leave.Kind, use, short string) *cobra.Command {
	var f struct {
		queue, from, to, until, reason string
		agents                         []string
		heads                          int
		dry                            bool
	}
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		Example: "  chaoban offers " + use + " --queue lumi-tmall/pre --from '2026-11-11 20:00' --to '2026-11-11 22:00' --heads 3 --dry-run",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				in := requesting.OfferInput{Kind: kind, Queue: ids.Queue(f.queue), Heads: f.heads, To: typed[ids.Agent](f.agents), Reason: f.reason, Dry: f.dry}
				if err := instants(a.ops.Zone(), instantFlag{f.from, &in.Block.Start}, instantFlag{f.to, &in.Block.End}, instantFlag{f.until, &in.ExpiresAt}); err != nil {
					return err
				}
				done, err := a.ops.Requesting.OfferHours(cmd.Context(), a.who, in)
				if err != nil {
					return err
				}
				return s.print(cmd, done, func() {
					printCandidates(cmd.OutOrStdout(), done.Candidates)
					if done.Unskilled > 0 {
						fmt.Fprintf(cmd.OutOrStdout(), "%d more have not the skill for %s\n", done.Unskilled, f.queue)
					}
					if done.Request != nil {
						fmt.Fprintf(cmd.OutOrStdout(), "offer %s goes to %d agents\n", done.Request.Value.ID, len(done.Request.Value.Parties))
					}
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.queue, "queue", "", "queue")
	flags.StringVar(&f.from, "from", "", "beginning of the hours: 2026-11-11 20:00")
	flags.StringVar(&f.to, "to", "", "end of the hours")
	flags.IntVar(&f.heads, "heads", 1, "how many may accept")
	flags.StringSliceVar(&f.agents, "agent", nil, "ask these instead of the best ones")
	flags.StringVar(&f.until, "until", "", "how long it can be accepted (default: until the hours begin)")
	flags.StringVar(&f.reason, "reason", "", "why; kept in the trail")
	flags.BoolVar(&f.dry, "dry-run", false, "only rank and price")
	for _, name := range []string{"queue", "from", "to"} {
		_ = cmd.MarkFlagRequired(name) // the flags exist
	}
	return cmd
}

func printCandidates(w io.Writer, all []leave.Candidate) {
	rows := make([]string, len(all))
	for i, c := range all {
		rank := "-"
		if c.Rank > 0 {
			rank = fmt.Sprint(c.Rank)
		}
		var pay []string
		for _, p := range c.Pay {
			pay = append(pay, fmt.Sprintf("%.4g h at %d%%", float64(p.Minutes)/60, p.Percent))
		}
		rows[i] = fmt.Sprintf("%s\t%s\t%s\t%.2f\t%.2f\t%.2f\t%s\t%.4g\t%s", rank, c.Agent, yesNo(c.Legal), c.ValueYuan, c.WageYuan, c.NetYuan, cmp.Or(strings.Join(pay, ", "), "-"), c.Had, c.Why.EN)
	}
	table(w, "RANK\tAGENT\tLEGAL\tVALUE\tWAGE\tNET\tPAY\tHAD H\tWHY", rows)
	for _, c := range all {
		if c.PayWhy.EN != "" { // the same for everybody
			fmt.Fprintf(w, "PAY with less at 100%%: %s / %s\n", c.PayWhy.ZH, c.PayWhy.EN)
			break
		}
	}
}
