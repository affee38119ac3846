package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// newRequestsCommand looks at requests and takes their steps.
func newRequestsCommand(s *settings) *cobra.Command {
	steps := []*cobra.Command{newRequestsList(s), newRequestsShow(s), newRequestsExpire(s)}
	for _, x := range []struct {
		do    leave.Action
		short string
	}{
		{leave.Approve, "Grant leave, or approve a swap or a shift given away"},
		{leave.Refuse, "Refuse a request"},
		{leave.Withdraw, "Take a request back that is not decided"},
		{leave.Cancel, "Cancel leave that was granted"},
		{leave.Accept, "Accept a swap or an offer, for --agent"},
		{leave.Decline, "Decline a swap or an offer, or give a taken shift back, for --agent"},
		{leave.Take, "Take a shift that is given away, for --agent"},
		{leave.Claim, "Come forward for a shift of which a supervisor picks, for --agent"},
		{leave.Unclaim, "No longer come forward, for --agent"},
		{leave.Pick, "Give the shift to --agent, who came forward"},
	} {
		steps = append(steps, newRequestStep(s, x.do, x.short))
	}
	return family("requests", "Leave, swaps, shifts given away, offers and biddings: look and decide", steps...)
}

func newRequestsList(s *settings) *cobra.Command {
	var kind, state, agent string
	cmd := &cobra.Command{
		Use: "list", Short: "List requests, newest first", Args: cobra.NoArgs,
		Example: "  chaoban requests list --state waiting\n  chaoban requests list --kind swap --agent 1001",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, ok := leave.LifeOf(leave.Kind(kind)); kind != "" && !ok {
				return fault.New(fault.Invalid, "cli.usage", "--kind must be leave, swap, give, overtime, time_off or bidding")
			}
			if state != "" && !slices.Contains(leave.States, leave.State(state)) {
				return fault.New(fault.Invalid, "cli.usage", "--state must be one of %s", fault.Names(leave.States))
			}
			return s.with(cmd, needStore, func(a *app) error {
				all, _, err := a.ops.Requesting.Requests(cmd.Context(), a.who, store.RequestFilter{
					Kind: leave.Kind(kind), State: leave.State(state), Agent: ids.Agent(agent),
				}, store.Page{Limit: 100})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, r := range all {
						v := r.Value
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", v.ID, v.Kind, v.State, cmp.Or(string(v.Agent), "-"), cmp.Or(string(v.Other), "-"),
							clockOf(v.Range.Start, a.ops.Zone()), clockOf(v.Range.End, a.ops.Zone()), v.Reason)
					}
					table(cmd.OutOrStdout(), "REQUEST\tKIND\tSTATE\tAGENT\tWITH\tFROM\tTO\tREASON", rows)
				})
			})
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "", "only leave, swap, give, overtime, time_off or bidding")
	cmd.Flags().StringVar(&state, "state", "", "only this state: waiting, open, agreed, approved, done …")
	cmd.Flags().StringVar(&agent, "agent", "", "only what concerns this agent")
	return cmd
}

func clockOf(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(zone).Format("2006-01-02 15:04")
}

func newRequestsShow(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "show REQUEST", Short: "Show a request with its trail: who, when, why, before and after", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				r, err := a.ops.Requesting.Request(cmd.Context(), a.who, ids.Request(args[0]))
				if err != nil {
					return err
				}
				return s.print(cmd, r, func() { printRequest(cmd.OutOrStdout(), r, a.ops.Zone()) })
			})
		},
	}
}

func printRequest(w io.Writer, r requesting.RequestView, zone *time.Location) {
	v := r.Value
	fmt.Fprintf(w, "%s %s: %s, %s to %s\n", v.Kind, v.ID, v.State, clockOf(v.Range.Start, zone), clockOf(v.Range.End, zone))
	switch {
	case v.Leave != nil:
		printDecision(w, v.Leave.Decision, v.Leave.Charge)
	case v.Round != nil:
		printRound(w, *v.Round, v.Parties, zone)
	case v.Offer != nil:
		printCandidates(w, v.Offer.Candidates)
	}
	if v.Round == nil {
		for _, p := range v.Parties {
			fmt.Fprintf(w, "%s: %s\n", p.Agent, p.State)
		}
	}
	for _, e := range v.Effects {
		for _, x := range e.Drop {
			fmt.Fprintf(w, "- %s %s to %s (roster %s)\n", x.Agent, clockOf(x.Start, zone), clockOf(x.End, zone), e.Roster)
		}
		for _, x := range e.Add {
			fmt.Fprintf(w, "+ %s %s to %s (roster %s)\n", x.Agent, clockOf(x.Start, zone), clockOf(x.End, zone), e.Roster)
		}
	}
	rows := make([]string, len(r.Steps))
	for i, x := range r.Steps {
		rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s", clockOf(x.At, zone), x.AuthorName, cmp.Or(string(x.Agent), "-"), x.Action, cmp.Or(string(x.From), "-"), x.To, x.Reason)
	}
	table(w, "AT\tBY\tFOR\tSTEP\tBEFORE\tAFTER\tREASON", rows)
}

func newRequestStep(s *settings, do leave.Action, short string) *cobra.Command {
	var agent, reason string
	var unproven bool
	cmd := &cobra.Command{
		Use: string(do) + " REQUEST", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.act(cmd, args[0], requesting.ActInput{Action: do, Agent: ids.Agent(agent), Reason: reason, Unproven: unproven})
		},
	}
	cmd.Flags().StringVar(&agent, "agent", "", "for whom it is done")
	if do == leave.Refuse {
		cmd.Flags().BoolVar(&unproven, "unproven", false, "the document does not prove leave that the law grants; needs --reason")
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the trail")
	if slices.Contains([]leave.Action{leave.Accept, leave.Take, leave.Claim, leave.Unclaim, leave.Pick, leave.Decline}, do) {
		_ = cmd.MarkFlagRequired("agent") // the flag exists
	}
	return cmd
}

// act takes one step and says where the request is now.
func (s *settings) act(cmd *cobra.Command, id string, in requesting.ActInput) error {
	return s.with(cmd, needStore, func(a *app) error {
		r, err := a.ops.Requesting.Act(cmd.Context(), a.who, ids.Request(id), in)
		if err != nil {
			return err
		}
		return s.print(cmd, r, func() { fmt.Fprintf(cmd.OutOrStdout(), "%s %s is %s\n", r.Value.Kind, r.Value.ID, r.Value.State) })
	})
}

func newRequestsExpire(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "expire", Short: "End every request that ran out by now", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				n, err := a.ops.Requesting.ExpireRequests(cmd.Context(), a.who, a.ops.Now())
				if err != nil {
					return err
				}
				return s.print(cmd, map[string]int64{"expired": n}, func() { fmt.Fprintf(cmd.OutOrStdout(), "%d requests expired\n", n) })
			})
		},
	}
}

// newSwapsCommand asks for swaps and gives shifts away.
func newSwapsCommand(s *settings) *cobra.Command {
	return family("swaps", "Swap shifts (换班) and give shifts away (让班)", newSwapPropose(s), newSwapGive(s))
}

func newSwapPropose(s *settings) *cobra.Command {
	var f struct{ agent, shift, with, forShift, reason, until string }
	var dry bool
	cmd := &cobra.Command{
		Use: "propose", Short: "Ask another agent to swap shifts, after the rules judged both sides", Args: cobra.NoArgs,
		Long:    "Ask another agent to swap shifts. Both sides are judged by the rules first: what would break is said, with what would make it legal.",
		Example: "  chaoban swaps propose --agent 1001 --shift '2026-11-16 09:00' --with 1002 --for '2026-11-17 15:00' --dry-run",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				in := requesting.SwapInput{Agent: ids.Agent(f.agent), Other: ids.Agent(f.with), Reason: f.reason, Dry: dry}
				if err := instants(a.ops.Zone(), instantFlag{f.shift, &in.Start}, instantFlag{f.forShift, &in.OtherStart}, instantFlag{f.until, &in.ExpiresAt}); err != nil {
					return err
				}
				done, err := a.ops.Requesting.ProposeSwap(cmd.Context(), a.who, in)
				if err != nil {
					return err
				}
				return s.print(cmd, done, func() {
					printSide(cmd.OutOrStdout(), done.Agent)
					printSide(cmd.OutOrStdout(), done.Other)
					if done.Request != nil {
						fmt.Fprintf(cmd.OutOrStdout(), "swap %s waits for %s\n", done.Request.Value.ID, f.with)
					}
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.agent, "agent", "", "who asks")
	flags.StringVar(&f.shift, "shift", "", "start of the shift that is given: 2026-11-16 09:00")
	flags.StringVar(&f.with, "with", "", "who is asked")
	flags.StringVar(&f.forShift, "for", "", "start of the shift that is taken")
	flags.StringVar(&f.until, "until", "", "how long it can be accepted (default: until the first of the shifts begins)")
	flags.StringVar(&f.reason, "reason", "", "why; kept in the trail")
	flags.BoolVar(&dry, "dry-run", false, "only say what would break")
	for _, name := range []string{"agent", "shift", "with", "for"} {
		_ = cmd.MarkFlagRequired(name) // the flags exist
	}
	return cmd
}

// instantFlag is the text of a flag and the instant that it says.
type instantFlag struct {
	text string
	into *time.Time
}

// instants reads several flags; an empty one leaves its instant as it is.
func instants(zone *time.Location, flags ...instantFlag) (err error) {
	for _, f := range flags {
		if f.text == "" {
			continue
		}
		if *f.into, err = instantIn(zone, f.text); err != nil {
			return err
		}
	}
	return nil
}

func printSide(w io.Writer, v leave.Verdict) {
	fmt.Fprintf(w, "%s: legal %s\n", v.Agent, yesNo(v.Legal))
	if v.Refused != "" {
		fmt.Fprintf(w, "  %s\n", v.Refused)
	}
	told := map[string]bool{} // a rule may break in several parts of a shift alike
	for _, b := range v.Breaks {
		kind := "soft"
		if b.Hard {
			kind = "HARD"
		}
		line := fmt.Sprintf("  %s %s: %s / %s\n", kind, b.Rule, b.Sentence.ZH, b.Sentence.EN)
		if !told[line] {
			fmt.Fprint(w, line)
		}
		told[line] = true
	}
	for i, r := range v.Remedy {
		if i < 3 {
			fmt.Fprintf(w, "  would do: %s / %s\n", r.Says.ZH, r.Says.EN)
		}
	}
}

func newSwapGive(s *settings) *cobra.Command {
	var f struct{ agent, shift, reason, until string }
	var in requesting.GiveInput
	cmd := &cobra.Command{
		Use: "give", Short: "Open a shift to the team: first come, or --pick by a supervisor", Args: cobra.NoArgs,
		Example: "  chaoban swaps give --agent 1001 --shift '2026-11-16 09:00'\n  chaoban requests take REQUEST --agent 1003",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				in.Agent, in.Reason = ids.Agent(f.agent), f.reason
				if err := instants(a.ops.Zone(), instantFlag{f.shift, &in.Start}, instantFlag{f.until, &in.ExpiresAt}); err != nil {
					return err
				}
				r, err := a.ops.Requesting.GiveShift(cmd.Context(), a.who, in)
				if err != nil {
					return err
				}
				return s.print(cmd, r, func() {
					fmt.Fprintf(cmd.OutOrStdout(), "shift given away as %s until %s\n", r.Value.ID, clockOf(r.Value.ExpiresAt, a.ops.Zone()))
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.agent, "agent", "", "whose shift")
	flags.StringVar(&f.shift, "shift", "", "start of the shift: 2026-11-16 09:00")
	flags.BoolVar(&in.Pick, "pick", false, "a supervisor picks among those who come forward")
	flags.BoolVar(&in.Everybody, "everybody", false, "beyond the own team")
	flags.StringVar(&f.until, "until", "", "how long it can be taken (default: until it begins)")
	flags.StringVar(&f.reason, "reason", "", "why; kept in the trail")
	for _, name := range []string{"agent", "shift"} {
		_ = cmd.MarkFlagRequired(name) // the flags exist
	}
	return cmd
}
