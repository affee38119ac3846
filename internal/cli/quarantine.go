package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/store"
)

// newAccountsCommand keeps who uses which of the platforms' sub-accounts.
func newAccountsCommand(s *settings) *cobra.Command {
	importing := newImportKind(s, intake.Accounts, "import", "Read assignments of sub-accounts (NDJSON, CSV, xlsx)")
	remove := &cobra.Command{
		Use: "delete ID", Short: "Take back an assignment that was wrong", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				if err := a.ops.Administration.DeleteAccount(cmd.Context(), a.who, args[0]); err != nil {
					return err
				}
				return s.print(cmd, map[string]string{"deleted": args[0]}, func() { fmt.Fprintf(cmd.OutOrStdout(), "assignment %s deleted\n", args[0]) })
			})
		},
	}
	return family("accounts", "Platform sub-accounts (子账号) and the people who use them", newAccountsList(s), importing, remove)
}

func newAccountsList(s *settings) *cobra.Command {
	var shop, account, agent, at string
	cmd := &cobra.Command{
		Use: "list", Short: "List who uses which account from when until when", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				filter := store.AccountFilter{Shop: ids.Shop(shop), Account: account, Agent: ids.Agent(agent)}
				if at != "" {
					t, err := instantIn(a.ops.Zone(), at)
					if err != nil {
						return err
					}
					filter.At = t
				}
				all, err := store.All(func(p store.Page) ([]store.Account, string, error) {
					return a.ops.Administration.Accounts(cmd.Context(), a.who, filter, p)
				})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, x := range all {
						until := "-"
						if !x.Until.IsZero() {
							until = x.Until.In(a.ops.Zone()).Format("2006-01-02 15:04")
						}
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s", x.Platform, x.Shop, x.Account, x.Agent, x.From.In(a.ops.Zone()).Format("2006-01-02 15:04"), until, x.ID)
					}
					table(cmd.OutOrStdout(), "PLATFORM\tSHOP\tACCOUNT\tAGENT\tFROM\tUNTIL\tID", rows)
				})
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "only this shop")
	cmd.Flags().StringVar(&account, "account", "", "only this account")
	cmd.Flags().StringVar(&agent, "agent", "", "only this person")
	cmd.Flags().StringVar(&at, "at", "", "only who used it then: 2026-11-11 or 2026-11-11 09:30, business time")
	return cmd
}

// instantIn reads a date or a date and time of the business clock.
func instantIn(zone *time.Location, text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", time.DateTime} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	return time.Time{}, fault.New(fault.Invalid, "cli.time", "%q is no time like 2026-11-11 or 2026-11-11 09:30", fault.Shorten(text))
}

// newQuarantineCommand looks after lines that could not be taken in.
func newQuarantineCommand(s *settings) *cobra.Command {
	return family("quarantine", "Lines that could not be taken in: look, try again, give up",
		newQuarantineList(s), newQuarantineRetry(s), newQuarantineDrop(s))
}

func newQuarantineList(s *settings) *cobra.Command {
	var state, merchant, batch string
	var lines bool
	cmd := &cobra.Command{
		Use: "list", Short: "List refused lines, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter := store.QuarantineFilter{State: store.QuarantineState(state), Merchant: ids.Merchant(merchant), Batch: ids.Batch(batch)}
			switch filter.State {
			case store.Waiting, store.Landed, store.Dropped, "":
			default:
				return fault.New(fault.Invalid, "cli.usage", "--state must be waiting, landed or dropped")
			}
			return s.with(cmd, needStore, func(a *app) error {
				all, err := store.All(func(p store.Page) ([]store.Quarantined, string, error) {
					return a.ops.Measuring.Quarantine(cmd.Context(), a.who, filter, p)
				})
				if err != nil {
					return err
				}
				type row struct {
					store.Quarantined
					Text string `json:"text,omitempty"`
					Cut  bool   `json:"cut,omitempty"`
				}
				out := make([]row, len(all))
				rows := make([]string, len(all))
				for i, q := range all {
					out[i] = row{Quarantined: q, Cut: q.State == store.Waiting && q.Cut()}
					if lines {
						out[i].Text = strings.ToValidUTF8(string(q.Text), "\uFFFD")
					}
					rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s:%d\t%s\t%s", q.ID, q.At.In(a.ops.Zone()).Format("2006-01-02 15:04"), q.State, q.Source, q.Line, q.Merchant, reasonShown(q))
				}
				return s.print(cmd, out, func() {
					table(cmd.OutOrStdout(), "ID\tAT\tSTATE\tLINE\tMERCHANT\tREASON", rows)
				})
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "waiting", "waiting, landed or dropped; empty = all")
	cmd.Flags().StringVar(&merchant, "merchant", "", "only lines that name this merchant")
	cmd.Flags().StringVar(&batch, "batch", "", "only lines of this batch")
	cmd.Flags().BoolVar(&lines, "lines", false, "with --json: the lines themselves too, which may name people")
	return cmd
}

func reasonShown(q store.Quarantined) string {
	text := fault.Shorten(strings.Join(strings.Fields(q.Reason), " "))
	if q.Note != "" {
		return text + " (dropped: " + fault.Shorten(q.Note) + ")"
	}
	return text
}

func newQuarantineRetry(s *settings) *cobra.Command {
	var merchant, batch string
	var all bool
	cmd := &cobra.Command{
		Use: "retry [ID ...]", Short: "Take in refused lines whose cause is fixed: these, or --all",
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return fault.New(fault.Invalid, "cli.usage", "name the lines, or say --all")
			}
			return s.with(cmd, needEngine, func(a *app) error {
				done, err := a.ops.Measuring.RetryQuarantined(cmd.Context(), a.who, args, store.QuarantineFilter{Merchant: ids.Merchant(merchant), Batch: ids.Batch(batch)})
				if err != nil {
					return err
				}
				err = s.print(cmd, done, func() {
					out := cmd.OutOrStdout()
					fmt.Fprintf(out, "%d landed, %d refused again, %d cut off and to be sent again\n", done.Landed, done.Refused, done.Cut)
					for _, p := range done.Reasons {
						fmt.Fprintf(out, "  %s: %s\n", p.ID, p.Field)
					}
				})
				if err == nil && done.Landed == 0 && done.Refused+done.Cut > 0 {
					err = fault.New(fault.Invalid, "quarantine.refused", "no line was taken in")
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every waiting line")
	cmd.Flags().StringVar(&merchant, "merchant", "", "with --all: only lines that name this merchant")
	cmd.Flags().StringVar(&batch, "batch", "", "with --all: only lines of this batch")
	return cmd
}

func newQuarantineDrop(s *settings) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "drop ID", Short: "Give up a refused line", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				if err := a.ops.Measuring.DropQuarantined(cmd.Context(), a.who, args[0], reason); err != nil {
					return err
				}
				return s.print(cmd, map[string]string{"dropped": args[0]}, func() { fmt.Fprintf(cmd.OutOrStdout(), "line %s dropped\n", args[0]) })
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the audit trail")
	_ = cmd.MarkFlagRequired("reason") // the flag exists
	return cmd
}
