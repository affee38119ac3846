package cli

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// newKPIConversations opens a figure into the conversations behind it.
func newKPIConversations(s *settings) *cobra.Command {
	var f struct {
		kpiFlags
		limit  int
		cursor string
	}
	cmd := &cobra.Command{
		Use: "conversations", Short: "List the conversations behind a figure", Args: cobra.NoArgs,
		Example: "  chaoban kpi conversations --queue lumi-tmall/pre --from 2026-11-10 --to 2026-11-10 --limit 20",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				span, err := dayRange(f.from, f.to, f.month, a.ops.Zone())
				if err != nil {
					return err
				}
				if f.limit < 1 {
					return fault.New(fault.Invalid, "cli.usage", "--limit must be 1 or more")
				}
				all, next, err := a.ops.Measuring.Conversations(cmd.Context(), a.who, warehouse.Filter{
					Range: span, Merchants: typed[ids.Merchant](f.merchants), Shops: typed[ids.Shop](f.shops), Queues: typed[ids.Queue](f.queues), Agents: typed[ids.Agent](f.agents),
				}, store.Page{Limit: f.limit, Cursor: f.cursor})
				if err != nil {
					return err
				}
				return s.print(cmd, conversationPage{all, next}, func() {
					rows := make([]string, len(all))
					for i, c := range all {
						first := "-"
						if !c.AnsweredAt.IsZero() {
							first = c.AnsweredAt.Sub(c.StartedAt).Round(100 * time.Millisecond).String()
						}
						rating := "-"
						if c.Rating != nil {
							rating = fmt.Sprint(*c.Rating)
						}
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s", c.StartedAt.In(a.ops.Zone()).Format("2006-01-02 15:04:05"), c.Queue, c.ID, cmp.Or(string(c.Agent), "-"), first, len(c.Rounds), rating, yesNo(c.Abandoned))
					}
					table(cmd.OutOrStdout(), "STARTED\tQUEUE\tID\tAGENT\tFIRST RESPONSE\tROUNDS\tRATING\tABANDONED", rows)
					if next != "" {
						fmt.Fprintf(cmd.OutOrStdout(), "these are the first %d; more: --cursor %s\n", len(all), next)
					}
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "first day")
	flags.StringVar(&f.to, "to", "", "last day, included")
	flags.StringVar(&f.month, "month", "", "whole month")
	flags.StringSliceVar(&f.merchants, "merchant", nil, "only these merchants")
	flags.StringSliceVar(&f.shops, "shop", nil, "only these shops")
	flags.StringSliceVar(&f.queues, "queue", nil, "only these queues")
	flags.StringVar(&f.cursor, "cursor", "", "go on after an earlier page")
	flags.StringSliceVar(&f.agents, "agent", nil, "only these agents")
	flags.IntVar(&f.limit, "limit", 50, "most rows")
	return cmd
}

// conversationPage is the JSON of kpi conversations.
type conversationPage struct {
	Items []chatlog.Conversation `json:"items"`
	Next  string                 `json:"next,omitempty"`
}

// dates turns optional inclusive days into a period; both empty is the zero period.
func dates(from, to string) (d calendar.Dates, err error) {
	if from != "" {
		if d.From, err = calendar.ParseDate(from); err != nil {
			return d, err
		}
	}
	if to != "" {
		last, err := calendar.ParseDate(to)
		if err != nil {
			return d, err
		}
		if last.Before(d.From) {
			return d, fault.New(fault.Invalid, "cli.range", "--to %s lies before --from %s", last, d.From)
		}
		d.Until = last.Add(1)
	}
	return d, nil
}

func newImportList(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List imports, newest first, with those that are not finished", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				all, _, err := a.ops.Measuring.Imports(cmd.Context(), a.who, store.ImportFilter{}, store.Page{Limit: 50})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, x := range all {
						good := fmt.Sprint(x.Rows)
						if x.Rows == store.Unfinished {
							good = "not finished"
						}
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%d\t%s", x.At.In(a.ops.Zone()).Format("2006-01-02 15:04"), x.Kind, x.File, good, x.Rejected, x.Batch)
					}
					table(cmd.OutOrStdout(), "AT\tKIND\tFILE\tROWS\tREJECTED\tBATCH", rows)
				})
			})
		},
	}
}

func newMerchantsList(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "merchants", Short: "List merchants with their shops and queues", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				all, err := store.All(func(p store.Page) ([]store.Stored[contracts.Merchant], string, error) {
					return a.ops.Administration.Merchants(cmd.Context(), a.who, p)
				})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					var rows []string
					for _, m := range all {
						for _, shop := range m.Value.Shops {
							for _, q := range shop.Queues {
								rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", m.Value.ID, shop.ID, shop.Platform, q.ID, q.Channel, q.Hours))
							}
						}
					}
					table(cmd.OutOrStdout(), "MERCHANT\tSHOP\tPLATFORM\tQUEUE\tCHANNEL\tHOURS", rows)
				})
			})
		},
	}
}

// newForecastPromotions lists the promotions a forecast knows, or replaces the entered ones.
func newForecastPromotions(s *settings) *cobra.Command {
	var file, platform string
	cmd := &cobra.Command{
		Use: "promotions", Short: "List the promotions a forecast knows; --set replaces the entered ones", Args: cobra.NoArgs,
		Long: `List the promotions a forecast knows; --set replaces the entered ones. END is the first instant after the promotion,
in the events file too: end: 2025-11-14 is its midnight, so 13 November is the last day. QUALITY is that of the source of the
dates that ship: A official, B press, C marketing text, GK general knowledge, INF inferred. What is not sure of a coming promotion, and
which family has no date at a time at which it had one before, stands among the doubts of each forecast.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				if file != "" {
					done, err := setPromotions(cmd, a, file, platform)
					if err != nil {
						return err
					}
					return s.print(cmd, done, func() { printPromotionsChange(cmd, done, a.ops.Zone()) })
				}
				all, err := a.ops.Planning.Promotions(cmd.Context(), a.who)
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, p := range all {
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s", p.Family, p.Platform, p.Start.In(a.ops.Zone()).Format("2006-01-02 15:04"), p.End.In(a.ops.Zone()).Format("2006-01-02 15:04"),
							len(p.Phases), len(p.Openings), cmp.Or(p.Quality, "entered"), strings.Join(p.Unsure, "; "))
					}
					table(cmd.OutOrStdout(), "FAMILY\tPLATFORM\tSTART\tEND\tPHASES\tOPENINGS\tQUALITY\tNOT SURE", rows)
				})
			})
		},
	}
	cmd.Flags().StringVar(&file, "set", "", "events file (YAML) with every entered promotion of --platform: those that it leaves out are removed")
	cmd.Flags().StringVar(&platform, "platform", "all", "platform of the promotions in --set")
	return cmd
}

// printPromotionsChange tells what became of the entered promotions.
func printPromotionsChange(cmd *cobra.Command, done planning.PromotionsChange, zone *time.Location) {
	var rows []string
	for _, part := range []struct {
		what string
		list []planning.Promotion
	}{{"removed", done.Removed}, {"added", done.Added}} {
		for _, p := range part.list {
			rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s", part.what, p.Family, p.Platform, p.Start.In(zone).Format("2006-01-02 15:04"), p.End.In(zone).Format("2006-01-02 15:04")))
		}
	}
	if len(rows) == 0 {
		fmt.Fprintln(cmd.OutOrStdout(), "nothing changed")
		return
	}
	table(cmd.OutOrStdout(), "WHAT\tFAMILY\tPLATFORM\tSTART\tEND", rows)
	for _, warning := range done.Warnings {
		fmt.Fprintln(cmd.OutOrStdout(), "warning:", warning)
	}
}

// setPromotions replaces the entered promotions of one platform by those of a file.
func setPromotions(cmd *cobra.Command, a *app, file, platform string) (done planning.PromotionsChange, err error) {
	f, err := os.Open(file)
	if err != nil {
		return done, fault.Wrap(err, fault.NotFound, "cli.file", "the events file %s cannot be read", file)
	}
	defer f.Close()
	events, err := parseEvents(filepath.Base(file), f, timeStyle{loc: a.ops.Zone()})
	if err != nil {
		return done, err
	}
	kept, err := a.ops.Planning.EnteredPromotions(cmd.Context(), a.who)
	if err != nil {
		return done, err
	}
	var next []planning.Promotion
	for _, p := range kept {
		if string(p.Platform) != platform {
			next = append(next, p)
		}
	}
	for _, e := range events {
		next = append(next, planning.Promotion{Platform: contracts.Platform(platform), Event: e})
	}
	return a.ops.Planning.PutPromotions(cmd.Context(), a.who, next)
}
