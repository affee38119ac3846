package cli

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// demandFlags are the flags of `forecast make` about the bot, as typed.
type demandFlags struct {
	botChanges []string
	counts     string
}

func (f *demandFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.botChanges, "bot-change", nil, "planned change of the share that a bot ends alone, from a day on: 2026-11-05:+0.10:reason, or :+0.10~0.03: with its standard deviation (repeatable)")
	cmd.Flags().StringVar(&f.counts, "history-counts", "", "whether the contact history counts what a bot ends alone: arrivals (it does) or people (default: found out where it can be)")
}

func (f *demandFlags) read(in *planning.ForecastInput, zone *time.Location) (err error) {
	in.HistoryCounts = forecast.Counted(f.counts)
	in.BotChanges, err = parseBotChanges(f.botChanges, zone)
	return err
}

// botChangeForm is START:+POINTS[~DOUBT]:REASON; the sign tells points from the minutes of a time.
var botChangeForm = regexp.MustCompile(`^(.+?):([+-][0-9.]+)(?:~([0-9.]+))?:(.+)$`)

func parseBotChanges(texts []string, zone *time.Location) (out []forecast.DeflectionChange, err error) {
	for _, text := range texts {
		bad := fault.New(fault.Invalid, "cli.bot_change", "%q must look like 2026-11-05:+0.10:new bot for returns", fault.Shorten(text))
		parts := botChangeForm.FindStringSubmatch(text)
		if parts == nil {
			return nil, bad
		}
		c := forecast.DeflectionChange{Reason: parts[4]}
		if c.From, err = parseInstant(parts[1], zone); err != nil {
			return nil, err
		}
		if c.Points, err = strconv.ParseFloat(parts[2], 64); err != nil {
			return nil, bad
		}
		if parts[3] != "" {
			if c.Doubt, err = strconv.ParseFloat(parts[3], 64); err != nil {
				return nil, bad
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// printBots tells what a bot takes of each forecast.
func printBots(w io.Writer, made []store.Forecast) {
	for _, f := range made {
		if b := planning.WorkOf(f).Bot; b != nil && (b.Share > 0 || len(b.Changes) > 0) {
			fmt.Fprintf(w, "bot: %s: of %.0f arrivals it ends %.0f %% alone, %.0f reach people (%s)\n", f.Queue, b.Arrivals, 100*b.Share, b.Human, countedWords[b.HistoryCounts])
		}
	}
}

var countedWords = map[forecast.Counted]string{
	forecast.CountsArrivals: "the history counts all arrivals; the figures here are people's", forecast.CountsPeople: "the history counts people's only",
	"": "unknown which of the two the history counts",
}

func newForecastExclude(s *settings) *cobra.Command {
	return family("exclude", "Stretches of contact history that must not teach", newExcludeAdd(s), newExcludeList(s), newExcludeWithdraw(s))
}

func newExcludeAdd(s *settings) *cobra.Command {
	var f struct{ queue, from, to, reason string }
	cmd := &cobra.Command{
		Use: "add", Short: "Take a stretch out of what teaches the forecasts of a queue", Args: cobra.NoArgs,
		Long: `Take a stretch out of what teaches the forecasts of a queue. Its slots count as not known, neither as nobody came
nor as closed. A day without an hour is a whole day: --from 2025-11-01 --to 2025-11-11 takes out eleven days, up to
2025-11-12 00:00. The stretch must touch the history and no other exclusion in force.`,
		Example: `  chaoban forecast exclude add --queue lumi-tmall/pre --from 2026-10-12T09:00 --to 2026-10-12T13:00 --reason "platform outage"
  chaoban forecast exclude add --queue lumi-tmall/pre --from 2025-11-01 --to 2025-11-11 --reason "imported twice"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				x := forecast.Exclusion{Reason: f.reason}
				var err error
				if x.From, err = parseInstant(f.from, a.ops.Zone()); err != nil {
					return err
				}
				if x.To, err = parseEnd(f.to, a.ops.Zone()); err != nil {
					return err
				}
				done, err := a.ops.Planning.Exclude(cmd.Context(), a.who, ids.Queue(f.queue), x)
				if err != nil {
					return flagged(err, map[string]string{"from": "--from", "to": "--to", "reason": "--reason"})
				}
				return s.print(cmd, done, func() { printExcluded(cmd.OutOrStdout(), done, a.ops.Zone()) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.queue, "queue", "", "queue")
	flags.StringVar(&f.from, "from", "", "first day, or first instant (2026-10-12T09:00)")
	flags.StringVar(&f.to, "to", "", "last day, included; or the instant at which it ends")
	flags.StringVar(&f.reason, "reason", "", "why, for a later reader")
	for _, name := range []string{"queue", "from", "to", "reason"} {
		_ = cmd.MarkFlagRequired(name) // the flag exists
	}
	return cmd
}

// parseEnd reads where a stretch ends: a day without an hour is included.
func parseEnd(text string, zone *time.Location) (time.Time, error) {
	if day, err := calendar.ParseDate(text); err == nil {
		return day.Add(1).In(zone), nil
	}
	return parseInstant(text, zone)
}

// printExcluded says what a new exclusion takes out.
func printExcluded(w io.Writer, x planning.ExclusionDone, zone *time.Location) {
	fmt.Fprintf(w, "%s: %s to %s of %s teaches no more: %d records, %.0f contacts (%s)\n",
		x.ID, x.From.In(zone).Format("2006-01-02 15:04"), x.To.In(zone).Format("2006-01-02 15:04"), x.Queue, x.Records, x.Contacts, x.Reason)
	for _, n := range x.Notes {
		fmt.Fprintln(w, "note:", n)
	}
}

func newExcludeList(s *settings) *cobra.Command {
	var queue string
	var all bool
	cmd := &cobra.Command{
		Use: "list", Short: "List what was taken out, by queue and time", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				list, err := a.ops.Planning.Exclusions(cmd.Context(), a.who, ids.Queue(queue), all)
				if err != nil {
					return err
				}
				return s.print(cmd, list, func() { printExclusions(cmd.OutOrStdout(), list, a.ops.Zone()) })
			})
		},
	}
	cmd.Flags().StringVar(&queue, "queue", "", "only this queue")
	cmd.Flags().BoolVar(&all, "all", false, "also what was withdrawn")
	return cmd
}

func newExcludeWithdraw(s *settings) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "withdraw EXCLUSION", Short: "Let a stretch teach again; it stays on record", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				done, err := a.ops.Planning.WithdrawExclusion(cmd.Context(), a.who, ids.Exclusion(args[0]), reason)
				if err != nil {
					return err
				}
				return s.print(cmd, done, func() { printExclusions(cmd.OutOrStdout(), []planning.Exclusion{done}, a.ops.Zone()) })
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for a later reader")
	_ = cmd.MarkFlagRequired("reason") // the flag exists
	return cmd
}

const minuteForm = "2006-01-02T15:04"

func printExclusions(w io.Writer, list []planning.Exclusion, zone *time.Location) {
	rows := make([]string, len(list))
	for i, x := range list {
		state := "in force"
		if x.Withdrawn != nil {
			state = "withdrawn " + x.Withdrawn.At.In(zone).Format(time.DateOnly) + " by " + cmp.Or(x.Withdrawn.AuthorName, string(x.Withdrawn.Author)) + ": " + x.Withdrawn.Reason
		}
		rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s", x.ID, x.Queue, x.From.In(zone).Format(minuteForm), x.To.In(zone).Format(minuteForm),
			cmp.Or(x.AuthorName, string(x.Author)), x.Reason, state)
	}
	table(w, "EXCLUSION\tQUEUE\tFROM\tTO\tBY\tREASON\tSTATE", rows)
}

func newForecastFindings(s *settings) *cobra.Command {
	var f struct{ queue, origin, slot string }
	cmd := &cobra.Command{
		Use: "findings", Short: "Say what looks wrong with the contact history of a queue", Args: cobra.NoArgs,
		Long: `Say what looks wrong with the contact history of a queue: outages, incidents, gaps, spikes, doubled or frozen
stretches, level shifts. Nothing is corrected because of it. Each finding comes with the command that would take it
out of what teaches.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				in := planning.FindingsInput{Queue: ids.Queue(f.queue)}
				var err error
				if in.Origin, err = parseInstant(f.origin, a.ops.Zone()); err != nil {
					return err
				}
				if f.slot != "" {
					if in.Slot, err = parseSpan(f.slot); err != nil {
						return err
					}
				}
				found, err := a.ops.Planning.Findings(cmd.Context(), a.who, in)
				if err != nil {
					return err
				}
				return s.print(cmd, found, func() { printFindings(cmd.OutOrStdout(), in.Queue, found, a.ops.Zone()) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.queue, "queue", "", "queue")
	flags.StringVar(&f.origin, "origin", "", "the history ends here (default: the end of the data)")
	flags.StringVar(&f.slot, "slot", "", "slot: 5m, 15m, 30m, 60m or 1d (default: 15m, or the grain of a coarser history)")
	_ = cmd.MarkFlagRequired("queue") // the flag exists
	return cmd
}

func printFindings(w io.Writer, queue ids.Queue, found []planning.QueueFinding, zone *time.Location) {
	if len(found) == 0 {
		fmt.Fprintf(w, "nothing looks wrong with the contact history of %s\n", queue)
	}
	for _, f := range found {
		fmt.Fprintf(w, "%s (%.0f %%): %s\n", f.Kind, 100*f.Confidence, f.Text)
		for _, other := range f.Alternatives {
			fmt.Fprintf(w, "  or %s (%.0f %%): %s\n", other.Kind, 100*other.Confidence, other.Text)
		}
		fmt.Fprintf(w, "  a forecast without a decision: %s\n", f.Handling)
		if f.Excluded != "" {
			fmt.Fprintf(w, "  taken out by %s\n", f.Excluded)
			continue
		}
		fmt.Fprintf(w, "  to take it out: chaoban forecast exclude add --queue %s --from %s --to %s --reason %q\n",
			queue, f.Exclusion.From.In(zone).Format(minuteForm), f.Exclusion.To.In(zone).Format(minuteForm), string(f.Kind))
	}
}

func newForecastAfterSales(s *settings) *cobra.Command {
	var f struct{ queue, merchant, from, horizon, orders, plan, levels string }
	cmd := &cobra.Command{
		Use: "after-sales", Short: "Forecast the after-sales tickets that orders bring, by tag and day", Args: cobra.NoArgs,
		Long: `Forecast the after-sales tickets that orders bring. Orders and tickets per day come from the warehouse; each
tag follows the orders of the days before it through a kernel that is fitted and printed in words. Coming orders are
those of --plan (CSV with the columns day and orders, or JSON) or a forecast of the recorded ones with the promotions.`,
		Example: "  chaoban forecast after-sales --merchant lumi --horizon 30d --plan sales.csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			in := planning.AfterSalesInput{Queue: ids.Queue(f.queue), Merchant: ids.Merchant(f.merchant), Kind: chatlog.OrderKind(f.orders)}
			horizon, err := parseSpan(f.horizon)
			if err == nil && horizon%(24*time.Hour) != 0 {
				err = fault.New(fault.Invalid, "cli.duration", "--horizon must be whole days, as 30d")
			}
			if err != nil {
				return err
			}
			in.Days = int(horizon / (24 * time.Hour))
			if f.from != "" {
				if in.From, err = calendar.ParseDate(f.from); err != nil {
					return err
				}
			}
			if in.Levels, err = parseLevels(f.levels); err != nil {
				return err
			}
			if in.Plan, err = readSalesPlan(f.plan); err != nil {
				return err
			}
			return s.with(cmd, needEngine, func(a *app) error {
				made, err := a.ops.Planning.AfterSales(cmd.Context(), a.who, in)
				if err != nil {
					return err
				}
				return s.print(cmd, made, func() { printAfterSales(cmd.OutOrStdout(), made) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.queue, "queue", "", "its tickets, and the orders of its shop")
	flags.StringVar(&f.merchant, "merchant", "", "or those of all shops of a merchant")
	flags.StringVar(&f.from, "from", "", "first day (default: the day after the last recorded order)")
	flags.StringVar(&f.horizon, "horizon", "30d", "how many days: 30d, 8w")
	flags.StringVar(&f.orders, "orders", "", "which step is an order: order, payment or shipment (default: payments, or where there are none orders, else shipments)")
	flags.StringVar(&f.plan, "plan", "", "sales plan: CSV (day, orders) or JSON; the days it does not name are forecast")
	flags.StringVar(&f.levels, "quantiles", "0.1,0.5,0.9", "quantile levels")
	return cmd
}

func printAfterSales(w io.Writer, a planning.AfterSales) {
	orders := map[calendar.Date]planning.OrdersOfDay{}
	for _, o := range a.Orders {
		orders[o.Date] = o
	}
	header := "DAY\tORDERS\tFROM"
	for _, t := range a.Tags {
		header += "\t" + t.Tag
	}
	header += "\tTICKETS"
	for _, q := range a.Levels {
		header += fmt.Sprintf("\tP%g", 100*q)
	}
	rows := make([]string, len(a.Total.Days))
	sum := 0.0
	for i, d := range a.Total.Days {
		o := orders[d.Date]
		rows[i] = fmt.Sprintf("%s\t%.0f\t%s", d.Date, o.Mean, o.Source)
		for _, t := range a.Tags {
			rows[i] += fmt.Sprintf("\t%.1f", t.Days[i].Mean)
		}
		rows[i] += fmt.Sprintf("\t%.1f", d.Mean)
		for _, q := range d.Quantiles {
			rows[i] += fmt.Sprintf("\t%.0f", q)
		}
		sum += d.Mean
	}
	table(w, header, rows)
	fmt.Fprintf(w, "%.0f tickets of %s on %d days; orders are steps of kind %s\n", sum, cmp.Or(string(a.Queue), string(a.Merchant)), len(rows), a.OrderKind)
	for _, k := range a.Kernels {
		fmt.Fprintf(w, "kernel: %s\n", k.Says)
	}
	for _, d := range a.Doubts {
		fmt.Fprintf(w, "doubt: %s\n", d)
	}
}
