package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// newRetentionCommand shows what retention would delete, did delete, and must not.
func newRetentionCommand(s *settings) *cobra.Command {
	var dry bool
	cmd := family("retention", "What is deleted after the years of retention, and what is held",
		newRetentionHold(s, "hold", "Keep the measurements of a merchant, or of all, from being deleted", "结算争议 2026-11", func(a *app, cmd *cobra.Command, in measuring.HoldInput) (measuring.HoldInput, error) {
			return a.ops.Measuring.HoldRetention(cmd.Context(), a.who, in)
		}),
		newRetentionHold(s, "release", "End the hold of one case", "争议已解决", func(a *app, cmd *cobra.Command, in measuring.HoldInput) (measuring.HoldInput, error) {
			return a.ops.Measuring.ReleaseRetention(cmd.Context(), a.who, in)
		}),
		newRetentionList(s), newRetentionLog(s))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !dry {
			return fault.New(fault.Invalid, "cli.usage", "say --dry-run, or which: %s", strings.Join(childNames(cmd.Commands()), ", "))
		}
		return s.with(cmd, needEngine, func(a *app) error {
			r, err := a.ops.Measuring.PreviewRetention(cmd.Context(), a.who)
			if err != nil {
				return err
			}
			return s.print(cmd, r, func() { printRetained(cmd, r) })
		})
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "count what the next run of the job retention would delete; deletes nothing")
	return cmd
}

func printRetained(cmd *cobra.Command, r measuring.Retained) {
	w, m := cmd.OutOrStdout(), r.Measured
	fmt.Fprintf(w, "business days before %s would go; nothing was deleted\n", r.Cutoff)
	rows := []string{}
	for _, x := range []struct {
		name string
		rows uint64
	}{
		{"conversations", m.Conversations},
		{"events", m.Events},
		{"texts", m.Texts},
		{"agent states", m.States},
		{"contact history", m.Contacts},
		{"orders", m.Orders},
		{"tickets", m.Tickets},
		{"platform figures", m.Figures},
		{"roll-ups", m.Rollups},
		{"daily scorecards", uint64(r.Copies.Scorecards)},
		{"monthly scores", uint64(r.Copies.MonthCards)},
		{"conversion figures", uint64(r.Copies.Conversions)},
		{"reconciliations", uint64(r.Copies.Reconciliations)},
	} {
		rows = append(rows, fmt.Sprintf("%s\t%d", x.name, x.rows))
	}
	table(w, "WHAT\tROWS", rows)
	for _, held := range m.Held {
		fmt.Fprintf(w, "held: %s\n", everybody(held))
	}
}

func everybody(m ids.Merchant) string {
	if m == "" {
		return "(everything)"
	}
	return string(m)
}

func heldNames(held []ids.Merchant) string {
	names := make([]string, len(held))
	for i, m := range held {
		names[i] = everybody(m)
	}
	return strings.Join(names, " ")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func newRetentionHold(s *settings, use, short, example string, do func(*app, *cobra.Command, measuring.HoldInput) (measuring.HoldInput, error)) *cobra.Command {
	var merchant, reference, why string
	var all bool
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		Example: "  chaoban retention " + use + " --merchant lumi --case 2026-17 --reason '" + example + "'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if all == (merchant != "") {
				return fault.New(fault.Invalid, "cli.usage", "say --merchant ID, or --all")
			}
			return s.with(cmd, needEngine, func(a *app) error {
				done, err := do(a, cmd, measuring.HoldInput{Merchant: ids.Merchant(merchant), Case: reference, Reason: why})
				if err != nil {
					return err
				}
				return s.print(cmd, done, func() {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, case %s\n", use, everybody(done.Merchant), cmp.Or(done.Case, "-"))
				})
			})
		},
	}
	cmd.Flags().StringVar(&merchant, "merchant", "", "merchant id")
	cmd.Flags().BoolVar(&all, "all", false, "everybody's measurements")
	cmd.Flags().StringVar(&reference, "case", "", "the case, by which its hold is released (of a hold: default the reason; of a release: the only one there is)")
	cmd.Flags().StringVar(&why, "reason", "", "why")
	_ = cmd.MarkFlagRequired("reason") // the flag exists
	return cmd
}

func newRetentionList(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List whose measurements are held", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				all, err := a.ops.Measuring.Holds(cmd.Context(), a.who)
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, h := range all {
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s", everybody(h.Merchant), cmp.Or(h.Case, "-"), h.At.In(a.ops.Zone()).Format(time.DateTime), h.Author, h.Reason)
					}
					table(cmd.OutOrStdout(), "MERCHANT\tCASE\tSINCE\tBY\tREASON", rows)
				})
			})
		},
	}
}

// tableNames are the words of the dry run for the tables that the log names.
var tableNames = map[string]string{
	"agent_states": "agent states", "contacts": "contact history", "platform_figures": "platform figures",
	"slots": "roll-ups (quarters)", "metric_slots": "roll-ups (metrics)", "buyer_days": "roll-ups (buyers)", "buyer_totals": "roll-ups (buyer totals)",
	"state_slots": "roll-ups (agent states)",
}

func newRetentionLog(s *settings) *cobra.Command {
	var counted bool
	cmd := &cobra.Command{
		Use: "log", Short: "List what was deleted, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				all, err := a.ops.Measuring.Deletions(cmd.Context(), a.who)
				if err != nil {
					return err
				}
				if !counted {
					all = slices.DeleteFunc(all, func(d warehouse.Deletion) bool { return d.DryRun })
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, d := range all {
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%d\t%s\t%s\t%s", d.At.In(a.ops.Zone()).Format(time.DateTime), cmp.Or(tableNames[d.Table], d.Table), d.Cutoff, d.Rows, yesNo(d.DryRun), d.Author, heldNames(d.Held))
					}
					table(cmd.OutOrStdout(), "AT\tWHAT\tBEFORE\tROWS\tONLY COUNTED\tBY\tHELD", rows)
				})
			})
		},
	}
	cmd.Flags().BoolVar(&counted, "dry-runs", false, "list the runs that only counted and deleted nothing, too")
	return cmd
}
