package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// newBidsCommand opens shifts to bids.
func newBidsCommand(s *settings) *cobra.Command {
	return family("bids", "Bidding for open shifts (竞班) by seniority, score or lottery", newBidsOpen(s), newBidsPlace(s), newBidsUnplace(s), newBidsDraw(s))
}

func newBidsOpen(s *settings) *cobra.Command {
	var f struct {
		shifts                      []string
		method, team, until, reason string
		scores                      map[string]string
	}
	var in requesting.BiddingInput
	cmd := &cobra.Command{
		Use: "open", Short: "Open shifts to bids", Args: cobra.NoArgs,
		Long: "Open shifts to bids. A shift is DATE FROM-TO QUEUE [xHEADS] [mealMINUTES]. The seed of a lottery is fixed and told before the first bid; " +
			"the order is that of the SHA-256 of \"seed:agent\", which anybody can compute.",
		Example: "  chaoban bids open --method lottery --until '2026-11-08 18:00' --shift '2026-11-11 15:00-24:00 lumi-tmall/pre x3 meal60'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				in.Method, in.Team, in.Reason, in.Scores = leave.Method(f.method), ids.Team(f.team), f.reason, map[ids.Agent]float64{}
				for agent, text := range f.scores {
					var score float64
					if _, err := fmt.Sscanf(text, "%g", &score); err != nil {
						return fault.New(fault.Invalid, "cli.usage", "--score %s=%s is no number", agent, text)
					}
					in.Scores[ids.Agent(agent)] = score
				}
				for _, text := range f.shifts {
					shift, err := openShift(text, a.ops.Zone())
					if err != nil {
						return err
					}
					in.Shifts = append(in.Shifts, shift)
				}
				if err := instants(a.ops.Zone(), instantFlag{f.until, &in.ClosesAt}); err != nil {
					return err
				}
				r, err := a.ops.Requesting.OpenBidding(cmd.Context(), a.who, in)
				if err != nil {
					return err
				}
				return s.print(cmd, r, func() {
					printRound(cmd.OutOrStdout(), *r.Value.Round, nil, a.ops.Zone())
					fmt.Fprintf(cmd.OutOrStdout(), "bidding %s is open until %s\n", r.Value.ID, clockOf(r.Value.ExpiresAt, a.ops.Zone()))
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.shifts, "shift", nil, "open shift: '2026-11-11 15:00-24:00 lumi-tmall/pre x3 meal60'")
	flags.StringVar(&f.method, "method", "seniority", "seniority, score or lottery")
	flags.StringVar(&in.Seed, "seed", "", "of a lottery (default: one is made)")
	flags.IntVar(&in.Most, "most", 0, "shifts that one agent may win (default: no limit)")
	flags.StringToStringVar(&f.scores, "score", nil, "scores for the method score: 1001=92.5,1002=88")
	flags.StringVar(&f.team, "team", "", "only agents of this team (default: everybody)")
	flags.StringVar(&f.until, "until", "", "how long bids are taken (default: until the first shift begins)")
	flags.StringVar(&f.reason, "reason", "", "why; kept in the trail")
	_ = cmd.MarkFlagRequired("shift") // the flag exists
	return cmd
}

// openShift reads "2026-11-11 15:00-24:00 lumi-tmall/pre x3 meal60"; a time at or before the beginning
// is of the next day.
func openShift(text string, zone *time.Location) (o requesting.OpenShift, err error) {
	bad := fault.New(fault.Invalid, "cli.usage", "--shift %q must look like '2026-11-11 15:00-24:00 lumi-tmall/pre x3 meal60'", text)
	parts := strings.Fields(text)
	if len(parts) < 3 {
		return o, bad
	}
	day, err := calendar.ParseDate(parts[0])
	if err != nil {
		return o, bad
	}
	var h1, m1, h2, m2 int
	if n, err := fmt.Sscanf(parts[1], "%d:%d-%d:%d", &h1, &m1, &h2, &m2); err != nil || n != 4 {
		return o, bad
	}
	o.Queue = ids.Queue(parts[2])
	o.Start = time.Date(day.Year, day.Month, day.Day, h1, m1, 0, 0, zone)
	o.End = time.Date(day.Year, day.Month, day.Day, h2, m2, 0, 0, zone)
	if !o.End.After(o.Start) {
		o.End = o.End.AddDate(0, 0, 1)
	}
	for _, p := range parts[3:] {
		if n, err := fmt.Sscanf(p, "x%d", &o.Heads); err == nil && n == 1 {
			continue
		}
		if n, err := fmt.Sscanf(p, "meal%d", &o.Meal); err == nil && n == 1 {
			continue
		}
		return o, bad
	}
	return o, nil
}

func printRound(w io.Writer, r leave.Round, parties []leave.Party, zone *time.Location) {
	fmt.Fprintf(w, "method %s", r.Method)
	if r.Seed != "" {
		fmt.Fprintf(w, ", seed %s (the order is that of sha256 of seed:agent)", r.Seed)
	}
	fmt.Fprintln(w)
	rows := make([]string, len(r.Shifts))
	for i, x := range r.Shifts {
		queue := ids.Queue("-")
		if len(x.Activities) > 0 {
			queue = x.Activities[0].Queue
		}
		rows[i] = fmt.Sprintf("%d\t%s\t%s\t%s", i, clockOf(x.Start, zone), clockOf(x.End, zone), queue)
	}
	table(w, "SHIFT\tFROM\tTO\tQUEUE", rows)
	for _, p := range parties {
		fmt.Fprintf(w, "%s wishes %v: %s\n", p.Agent, p.Wishes, p.State)
	}
	for i, p := range r.Order {
		fmt.Fprintf(w, "%d. %s (%s)\n", i+1, p.Agent, p.Key)
	}
	for _, x := range r.Results {
		fmt.Fprintf(w, "%s, shift %d: %s / %s\n", x.Agent, x.Shift, x.Says.ZH, x.Says.EN)
	}
}

func newBidsPlace(s *settings) *cobra.Command {
	var agent string
	var wishes []int
	cmd := &cobra.Command{
		Use: "place REQUEST", Short: "Bid for shifts, the dearest first; a later bid replaces it", Args: cobra.ExactArgs(1),
		Example: "  chaoban bids place REQUEST --agent 1001 --wish 2,0",
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.act(cmd, args[0], requesting.ActInput{Action: leave.PutBid, Agent: ids.Agent(agent), Wishes: wishes})
		},
	}
	cmd.Flags().StringVar(&agent, "agent", "", "who bids")
	cmd.Flags().IntSliceVar(&wishes, "wish", nil, "numbers of the open shifts, the dearest first")
	for _, name := range []string{"agent", "wish"} {
		_ = cmd.MarkFlagRequired(name) // the flags exist
	}
	return cmd
}

func newBidsUnplace(s *settings) *cobra.Command {
	var agent string
	cmd := &cobra.Command{
		Use: "take-back REQUEST", Short: "Take a bid back", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.act(cmd, args[0], requesting.ActInput{Action: leave.TakeBack, Agent: ids.Agent(agent)})
		},
	}
	cmd.Flags().StringVar(&agent, "agent", "", "whose bid")
	_ = cmd.MarkFlagRequired("agent") // the flag exists
	return cmd
}

func newBidsDraw(s *settings) *cobra.Command {
	var reason string
	var early bool
	cmd := &cobra.Command{
		Use: "draw REQUEST", Short: "Decide a bidding and give the shifts to their winners", Args: cobra.ExactArgs(1),
		Long: "Decide a bidding and give the shifts to their winners. While bids are still taken this needs --early and a reason.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				r, err := a.ops.Requesting.Act(cmd.Context(), a.who, ids.Request(args[0]), requesting.ActInput{Action: leave.Draw, Reason: reason, Early: early})
				if err != nil {
					return flagged(err, map[string]string{"reason": "--reason"})
				}
				return s.print(cmd, r, func() { printRound(cmd.OutOrStdout(), *r.Value.Round, r.Value.Parties, a.ops.Zone()) })
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the trail")
	cmd.Flags().BoolVar(&early, "early", false, "draw although bids are still taken; needs --reason")
	return cmd
}
