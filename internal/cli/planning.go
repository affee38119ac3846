package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

func newForecastCommand(s *settings) *cobra.Command {
	return family("forecast", "Demand per queue and slot, with quantiles", newForecastMake(s), newForecastList(s), newForecastPromotions(s), newForecastFileCommand(), newForecastBacktestCommand(),
		newForecastAdjust(s), newForecastWithdraw(s), newForecastLayers(s), newForecastLock(s), newForecastLocks(s), newForecastClient(s),
		newForecastCompare(s), newForecastAccuracy(s), newForecastReplay(s), newForecastDraw(s),
		newForecastExclude(s), newForecastFindings(s), newForecastAfterSales(s))
}

func newForecastMake(s *settings) *cobra.Command {
	var f struct {
		queues           []string
		merchant, origin string
		horizon, slot    string
		levels           string
		carry            bool
		demand           demandFlags
	}
	cmd := &cobra.Command{
		Use: "make", Short: "Forecast queues from their contact history and keep the versions", Args: cobra.NoArgs,
		Example: "  chaoban forecast make --merchant lumi --origin 2026-11-01 --horizon 14d",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				in := planning.ForecastInput{Queues: typed[ids.Queue](f.queues), Merchant: ids.Merchant(f.merchant), Carry: f.carry}
				var err error
				if in.Horizon, err = parseSpan(f.horizon); err != nil {
					return err
				}
				if f.slot != "" {
					if in.Slot, err = parseSpan(f.slot); err != nil {
						return err
					}
				}
				if in.Levels, err = parseLevels(f.levels); err != nil {
					return err
				}
				if in.Origin, err = parseInstant(f.origin, a.ops.Zone()); err != nil {
					return err
				}
				if err := f.demand.read(&in, a.ops.Zone()); err != nil {
					return err
				}
				made, err := a.ops.Planning.MakeForecasts(cmd.Context(), a.who, in)
				if err != nil {
					return flagged(err, makeFlagOf)
				}
				return s.print(cmd, made, func() {
					printForecasts(cmd, made, a.ops.Zone())
					for _, x := range made {
						for _, note := range planning.NotesOf(x) {
							fmt.Fprintf(cmd.OutOrStdout(), "note: %s: %s\n", x.Queue, note)
						}
					}
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.queues, "queue", nil, "queues (default: all of the merchant, or all)")
	flags.StringVar(&f.merchant, "merchant", "", "only queues of this merchant")
	flags.StringVar(&f.origin, "origin", "", "first instant to forecast, 2026-11-01 or 2026-11-01T08:00 (default: end of the history)")
	flags.StringVar(&f.horizon, "horizon", "14d", "how far ahead: 14d, 12w, 48h")
	flags.StringVar(&f.slot, "slot", "", "slot: 5m, 15m, 30m, 60m or 1d (default: 15m, or the grain of a coarser history)")
	flags.StringVar(&f.levels, "quantiles", "0.1,0.5,0.9", "quantile levels")
	flags.BoolVar(&f.carry, "carry", false, "carry the adjustments in force over from the newest version that has adjustments")
	f.demand.register(cmd)
	return cmd
}

// makeFlagOf names the flag of each field of a new forecast.
var makeFlagOf = map[string]string{
	"origin": "--origin", "horizon": "--horizon", "slot": "--slot", "levels": "--quantiles", "bot_changes": "--bot-change", "history_counts": "--history-counts",
}

// parseInstant reads a date or a local date and time; empty is the zero time.
func parseInstant(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fault.New(fault.Invalid, "cli.time", "%q is no time such as 2026-11-01 or 2026-11-01T08:00", text)
	}
	return t, nil
}

func printForecasts(cmd *cobra.Command, made []store.Forecast, zone *time.Location) {
	rows := make([]string, 0, len(made))
	var doubts, carried []string
	for _, f := range made {
		var figures forecast.Result
		_ = json.Unmarshal(f.Figures, &figures) // figures we wrote ourselves; without them the columns stay empty
		for _, d := range figures.Doubts {
			doubts = append(doubts, fmt.Sprintf("%s: %s", f.Queue, d))
		}
		if c := planning.CarriedOf(f); c != nil && c.Layers+len(c.Told) > 0 {
			carried = append(carried, fmt.Sprintf("%s: %d adjustments are carried over from %s", f.Queue, c.Layers, c.From))
			for _, told := range c.Told {
				carried = append(carried, fmt.Sprintf("%s: %s", f.Queue, told))
			}
		}
		mean, peak, at := 0.0, 0.0, time.Time{}
		for _, d := range figures.Days {
			mean += d.Mean
			if d.Mean > peak {
				peak, at = d.Mean, d.Start
			}
		}
		peakDay := "-"
		if !at.IsZero() {
			peakDay = at.In(zone).Format("01-02")
		}
		b := figures.Backtest
		rows = append(rows, fmt.Sprintf("%s\t%s\t%.0f\t%.0f\t%s\t%s\t%s", f.Queue, f.Range.Start.In(zone).Format("2006-01-02"),
			mean, peak, peakDay, percent(b.WAPE), percent(b.NaiveWAPE)))
	}
	table(cmd.OutOrStdout(), "QUEUE\tFROM\tCONTACTS\tPEAK DAY\tON\tSLOT WAPE\tNAIVE", rows)
	printBots(cmd.OutOrStdout(), made)
	for _, c := range carried {
		fmt.Fprintln(cmd.OutOrStdout(), c)
	}
	for _, d := range doubts {
		fmt.Fprintf(cmd.OutOrStdout(), "doubt: %s\n", d)
	}
}

func percent(v float64) string {
	if v <= 0 || v != v {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*v)
}

func newForecastList(s *settings) *cobra.Command {
	var queue string
	cmd := &cobra.Command{
		Use: "list", Short: "List stored forecasts, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				all, _, err := a.ops.Planning.Forecasts(cmd.Context(), a.who, store.ForecastFilter{Queue: ids.Queue(queue)}, store.Page{Limit: 50})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() { printForecasts(cmd, all, a.ops.Zone()) })
			})
		},
	}
	cmd.Flags().StringVar(&queue, "queue", "", "only this queue")
	return cmd
}

// printGaps names the open days that a plan or roster leaves out.
func printGaps(w io.Writer, what string, gaps []gate.GapDays) {
	for _, g := range gaps {
		if n := len(g.Days); n > 0 {
			fmt.Fprintf(w, "  %s: %s, %d open days between %s and %s\n", what, g.Queue, n, g.Days[0], g.Days[n-1])
		}
	}
}
