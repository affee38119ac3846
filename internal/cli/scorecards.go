package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/settling"
	"github.com/chaoban/chaoban/internal/store"
)

// newKPIScorecards lists daily figures of agents or, with --month, their scores by contract.
func newKPIScorecards(s *settings) *cobra.Command {
	var f struct{ agent, contract, from, to, month string }
	cmd := &cobra.Command{
		Use: "scorecards", Short: "List the daily scorecards of agents, or with --month their scores by contract", Args: cobra.NoArgs,
		Example: "  chaoban kpi scorecards --month 2026-11 --contract lumi-2026",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.month != "" {
				return monthScorecards(s, cmd, f.month, settling.MonthCardInput{Contract: ids.Contract(f.contract), Agent: ids.Agent(f.agent)})
			}
			if f.contract != "" {
				return fault.New(fault.Invalid, "cli.usage", "--contract needs --month: daily cards are about all contracts together")
			}
			return s.with(cmd, needStore, func(a *app) error {
				filter := store.ScorecardFilter{Agent: ids.Agent(f.agent)}
				var err error
				if filter.Dates, err = dates(f.from, f.to); err != nil {
					return err
				}
				all, _, err := a.ops.Settling.Scorecards(cmd.Context(), a.who, filter, store.Page{Limit: 200})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					var rows []string
					units := a.units(cmd.Context())
					for _, c := range all {
						for _, r := range c.Readings {
							rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%.10g\t%.10g", c.Date, c.Agent, r.Metric, valueIn(r.Value, units[r.Metric]), r.Numerator, r.Denominator))
						}
					}
					table(cmd.OutOrStdout(), "DATE\tAGENT\tMETRIC\tVALUE\tNUMERATOR\tDENOMINATOR", rows)
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.agent, "agent", "", "only this agent")
	flags.StringVar(&f.from, "from", "", "first day")
	flags.StringVar(&f.to, "to", "", "last day, included")
	flags.StringVar(&f.month, "month", "", "scores of a month, 2026-11")
	flags.StringVar(&f.contract, "contract", "", "with --month: only this contract")
	cmd.MarkFlagsMutuallyExclusive("month", "from")
	cmd.MarkFlagsMutuallyExclusive("month", "to")
	return cmd
}

func monthScorecards(s *settings, cmd *cobra.Command, month string, in settling.MonthCardInput) (err error) {
	if in.Month, err = calendar.ParseMonth(month); err != nil {
		return err
	}
	return s.with(cmd, needEngine, func(a *app) error {
		cards, err := a.ops.Settling.MonthlyScorecards(cmd.Context(), a.who, in)
		if err != nil {
			return err
		}
		return s.print(cmd, cards, func() { printMonthCards(cmd, a, cards) })
	})
}

func printMonthCards(cmd *cobra.Command, a *app, cards settling.MonthCards) {
	w := cmd.OutOrStdout()
	if f := cards.Freeze; f != nil {
		fmt.Fprintf(w, "%s: frozen %s by %s\n", cards.Month, f.At.In(a.ops.Zone()).Format("2006-01-02 15:04"), f.AuthorName)
	} else {
		fmt.Fprintf(w, "%s: open, the scores can still change\n", cards.Month)
	}
	if cards.Stale != "" {
		fmt.Fprintf(w, "not held against the data of now: %s\n", cards.Stale)
	}
	var rows []string
	for _, c := range cards.Cards {
		now := ""
		if c.Now != nil {
			now = value(c.Now.Score)
		}
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t\t\t\t%d\t%s", c.Contract, c.Agent, value(c.Score), c.Revision, now))
		for _, p := range c.Parts {
			points := p.Left
			if p.Attained != nil {
				points = fmt.Sprintf("%.4f of %.4f", p.Points, 100*p.Share)
			}
			rows = append(rows, fmt.Sprintf("\t\t  %s\t%s\t%s %g\t%s\t\t", p.Term, value(p.Value), p.Direction, p.Target, points))
		}
	}
	table(w, "CONTRACT\tAGENT\tSCORE\tVALUE\tTARGET\tPOINTS\tREVISION\tNOW", rows)
}

// newScorecardsCommand closes months and amends what was closed.
func newScorecardsCommand(s *settings) *cobra.Command {
	var month, contract, agent, reason string
	var empty bool
	freeze := &cobra.Command{
		Use: "freeze", Short: "Close a month: its scores are kept as they are and never change", Args: cobra.NoArgs,
		Example: "  chaoban scorecards freeze --month 2026-10",
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := calendar.ParseMonth(month)
			if err != nil {
				return err
			}
			return s.with(cmd, needEngine, func(a *app) error {
				done, err := a.ops.Settling.FreezeScorecards(cmd.Context(), a.who, settling.FreezeInput{Month: m, Empty: empty})
				if err != nil {
					return err
				}
				return s.print(cmd, done, func() {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %d scorecards frozen, digest %s\n", done.Month, done.Cards, done.SHA256)
				})
			})
		},
	}
	amend := &cobra.Command{
		Use: "amend", Short: "Add a revision to a frozen score, as the data say now", Args: cobra.NoArgs,
		Example: "  chaoban scorecards amend --month 2026-10 --contract lumi-2026 --agent 1001 --reason '平台补发了 10 月 31 日的会话'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := calendar.ParseMonth(month)
			if err != nil {
				return err
			}
			return s.with(cmd, needEngine, func(a *app) error {
				done, err := a.ops.Settling.AmendScorecard(cmd.Context(), a.who, settling.AmendInput{
					Month: m, Contract: ids.Contract(contract), Agent: ids.Agent(agent), Reason: reason,
				})
				if err != nil {
					return err
				}
				return s.print(cmd, done, func() { fmt.Fprintf(cmd.OutOrStdout(), "revision %d: %s\n", done.Revision, value(done.Score)) })
			})
		},
	}
	list := &cobra.Command{
		Use: "list", Short: "List the frozen months", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				all, _, err := a.ops.Settling.Freezes(cmd.Context(), a.who, store.Page{Limit: 120})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, f := range all {
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%d\t%s", f.Month, f.At.In(a.ops.Zone()).Format("2006-01-02 15:04"), f.AuthorName, f.Cards, f.SHA256)
					}
					table(cmd.OutOrStdout(), "MONTH\tFROZEN\tBY\tCARDS\tDIGEST", rows)
				})
			})
		},
	}
	for _, cmd := range []*cobra.Command{freeze, amend} {
		cmd.Flags().StringVar(&month, "month", "", "month, 2026-10")
		_ = cmd.MarkFlagRequired("month") // the flag exists
	}
	freeze.Flags().BoolVar(&empty, "empty", false, "close the month although nobody has a card")
	amend.Flags().StringVar(&contract, "contract", "", "contract id")
	amend.Flags().StringVar(&agent, "agent", "", "staff number")
	amend.Flags().StringVar(&reason, "reason", "", "why the frozen score changes")
	for _, name := range []string{"contract", "agent", "reason"} {
		_ = amend.MarkFlagRequired(name) // the flag exists
	}
	return family("scorecards", "Close the scores of a month", freeze, amend, list)
}
