package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
)

func newShiftsCommand(s *settings) *cobra.Command {
	var f struct{ agent, from, to string }
	list := &cobra.Command{
		Use: "list", Short: "List published shifts", Args: cobra.NoArgs,
		Example: "  chaoban shifts list --agent A0001 --from 2026-11-10 --to 2026-11-12",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				span, err := spanNames{noMonth: true}.dayRange(f.from, f.to, "", a.ops.Zone())
				if err != nil {
					return err
				}
				if f.agent != "" { // of an unknown one there would just be nothing
					if _, err := a.ops.Administration.Agent(cmd.Context(), a.who, ids.Agent(f.agent)); err != nil {
						return err
					}
				}
				all, err := store.All(func(p store.Page) ([]store.Shift, string, error) {
					return a.ops.Rostering.Shifts(cmd.Context(), a.who, store.ShiftFilter{State: store.Published, Agent: ids.Agent(f.agent), Range: span}, p)
				})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					if len(all) == 0 {
						fmt.Fprintln(cmd.OutOrStdout(), "no published shifts in these days")
						return
					}
					rows := make([]string, len(all))
					for i, x := range all {
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s", x.Agent, x.Start.In(a.ops.Zone()).Format("2006-01-02 Mon 15:04"), x.End.In(a.ops.Zone()).Format("15:04"), x.Code, parts(x.Activities, a.ops.Zone()))
					}
					table(cmd.OutOrStdout(), "AGENT\tSTART\tEND\tCODE\tPARTS", rows)
				})
			})
		},
	}
	list.Flags().StringVar(&f.agent, "agent", "", "only this agent")
	list.Flags().StringVar(&f.from, "from", "", "first day")
	list.Flags().StringVar(&f.to, "to", "", "last day, included")
	return family("shifts", "Published shifts", list, newShiftsCalendar(s), newFeedsCommand(s))
}

func parts(activities []scheduling.Activity, zone *time.Location) string {
	var out []string
	for _, x := range activities {
		what := string(x.Kind)
		if x.Queue != "" {
			what = string(x.Queue)
		}
		out = append(out, x.Start.In(zone).Format("15:04")+" "+what)
	}
	return strings.Join(out, ", ")
}

func newShiftsCalendar(s *settings) *cobra.Command {
	var agent, out string
	cmd := &cobra.Command{
		Use: "ical", Short: "Write an agent's published shifts as iCalendar", Args: cobra.NoArgs,
		Example: "  chaoban shifts ical --agent A0001 --out A0001.ics",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				body, err := a.ops.Rostering.Calendar(cmd.Context(), a.who, ids.Agent(agent))
				if err != nil {
					return err
				}
				if out == "" {
					_, err := cmd.OutOrStdout().Write(body)
					return err
				}
				if err := os.WriteFile(out, body, 0o600); err != nil {
					return fault.Wrap(err, fault.Invalid, "cli.file", "the calendar %s cannot be written", out)
				}
				return s.print(cmd, map[string]any{"agent": agent, "file": out}, func() { fmt.Fprintf(cmd.OutOrStdout(), "written to %s\n", out) })
			})
		},
	}
	cmd.Flags().StringVar(&agent, "agent", "", "whose shifts")
	cmd.Flags().StringVar(&out, "out", "", "file to write (default: print it)")
	_ = cmd.MarkFlagRequired("agent") // the flag exists
	return cmd
}

func newFeedsCommand(s *settings) *cobra.Command {
	var agent string
	add := &cobra.Command{
		Use: "add", Short: "Give an agent an address that a calendar program reads; the secret is shown once", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				made, err := a.ops.Rostering.AddCalendarFeed(cmd.Context(), a.who, ids.Agent(agent))
				if err != nil {
					return err
				}
				return s.print(cmd, made, func() {
					fmt.Fprintf(cmd.OutOrStdout(), "feed %s of %s: subscribe to http(s)://HOST%s\n", made.ID, made.Agent, made.Path)
				})
			})
		},
	}
	add.Flags().StringVar(&agent, "agent", "", "whose shifts")
	_ = add.MarkFlagRequired("agent") // the flag exists
	var of string
	list := &cobra.Command{
		Use: "list", Short: "List the addresses, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				all, err := store.All(func(p store.Page) ([]store.CalendarFeed, string, error) {
					return a.ops.Rostering.CalendarFeeds(cmd.Context(), a.who, ids.Agent(of), p)
				})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, f := range all {
						state := "in force"
						if !f.RevokedAt.IsZero() {
							state = "revoked " + f.RevokedAt.In(a.ops.Zone()).Format(time.DateOnly)
						}
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s", f.ID, f.Agent, f.CreatedAt.In(a.ops.Zone()).Format(time.DateOnly), state)
					}
					table(cmd.OutOrStdout(), "FEED\tAGENT\tMADE\tSTATE", rows)
				})
			})
		},
	}
	list.Flags().StringVar(&of, "agent", "", "only of this agent")
	revoke := &cobra.Command{
		Use: "revoke FEED", Short: "End an address", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				if err := a.ops.Rostering.RevokeCalendarFeed(cmd.Context(), a.who, ids.Feed(args[0])); err != nil {
					return err
				}
				return s.print(cmd, map[string]any{"feed": args[0]}, func() { fmt.Fprintf(cmd.OutOrStdout(), "feed %s revoked\n", args[0]) })
			})
		},
	}
	return family("feeds", "Addresses under which agents' calendars are read", add, list, revoke)
}
