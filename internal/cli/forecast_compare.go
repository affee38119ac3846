package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

func newForecastClient(s *settings) *cobra.Command {
	var f struct{ mapping, queue, slot, stated, note string }
	cmd := &cobra.Command{
		Use: "client FILE", Short: "Import what a client expects, as the next version of each queue in the file", Args: cobra.ExactArgs(1),
		Long: `Import what a client expects: rows of queue, start, slot and contacts (offered), CSV or xlsx, with any
column names by a mapping file of kind contacts. A file for one queue needs no column for it: give
--queue, and --slot where the file does not say it.`,
		Example: "  chaoban forecast client lumi.csv --queue lumi-tmall/pre --slot 24h --stated 2026-11-01",
		RunE: func(cmd *cobra.Command, args []string) error {
			mapping, err := readMapping(f.mapping, intake.History)
			if err != nil {
				return err
			}
			source, file, err := intake.OpenFile(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = file.Close() }() // read only: nothing can be lost
			source.Name = filepath.Base(args[0])
			return s.with(cmd, needStore, func(a *app) error {
				in := planning.ClientForecastInput{Source: source, Mapping: mapping, Queue: ids.Queue(f.queue), Note: f.note}
				if f.slot != "" {
					if in.Slot, err = parseSpan(f.slot); err != nil {
						return err
					}
				}
				if in.StatedAt, err = parseInstant(f.stated, a.ops.Zone()); err != nil {
					return err
				}
				done, err := a.ops.Planning.ImportClientForecast(cmd.Context(), a.who, in)
				if err != nil {
					return err
				}
				return s.print(cmd, done, func() {
					for _, c := range done.Made {
						fmt.Fprintf(cmd.OutOrStdout(), "%s: version %d of the client, %d slots, %.0f contacts\n", c.Queue, c.Version, c.Points, c.Contacts)
					}
					for _, c := range done.Already {
						fmt.Fprintf(cmd.OutOrStdout(), "%s: version %d says the same already\n", c.Queue, c.Version)
					}
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.mapping, "mapping", "", "mapping file (YAML) of kind contacts")
	flags.StringVar(&f.queue, "queue", "", "queue of every row")
	flags.StringVar(&f.slot, "slot", "", "slot of every row: 15m, 1h, 24h")
	flags.StringVar(&f.stated, "stated", "", "when the client said it (default: now)")
	flags.StringVar(&f.note, "note", "", "note")
	return cmd
}

func newForecastCompare(s *settings) *cobra.Command {
	var f struct {
		queue, from, to, forecast string
		slots                     bool
	}
	cmd := &cobra.Command{
		Use: "compare", Short: "What the client expected, what was agreed, what we expected and what came", Args: cobra.NoArgs,
		Example: "  chaoban forecast compare --queue lumi-tmall/pre --from 2026-11-01 --to 2026-11-14",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				dates, err := datesOf(f.from, f.to, a.ops.Zone())
				if err != nil {
					return err
				}
				c, err := a.ops.Planning.CompareForecasts(cmd.Context(), a.who, planning.CompareInput{
					Queue: ids.Queue(f.queue), Dates: dates, BySlot: f.slots, Forecast: ids.Forecast(f.forecast),
				})
				if err != nil {
					return flagged(err, comparedFlagOf)
				}
				return s.print(cmd, c, func() { printForecastComparison(cmd.OutOrStdout(), c, f.slots, a.ops.Zone()) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.queue, "queue", "", "queue (required)")
	flags.StringVar(&f.from, "from", "", "first day")
	flags.StringVar(&f.to, "to", "", "last day, included")
	flags.StringVar(&f.forecast, "forecast", "", "only this forecast (default: for each time the newest that covers it)")
	flags.BoolVar(&f.slots, "slots", false, "by slot instead of by day")
	_ = cmd.MarkFlagRequired("queue") // the flag exists
	return cmd
}

// comparedFlagOf names the flag of each field of a comparison, an accuracy and a back-test.
var comparedFlagOf = map[string]string{
	"dates": "--from, --to", "forecast": "--forecast", "queue": "--queue", "horizon": "--horizon", "step": "--step", "from": "--from", "to": "--to",
	"slot": "--slot", "levels": "--quantiles",
}

func printForecastComparison(w io.Writer, c planning.ForecastComparison, slots bool, zone *time.Location) {
	layout, head := "2006-01-02 Mon", "DAY"
	if slots {
		layout, head = "2006-01-02 15:04", "SLOT"
	}
	whole := func(v *float64) string {
		if v == nil {
			return "-"
		}
		return fmt.Sprintf("%.0f", *v)
	}
	rows := make([]string, len(c.Rows))
	for i, r := range c.Rows {
		band := "-"
		if r.Low != nil {
			band = whole(r.Low) + " to " + whole(r.High)
		}
		rows[i] = strings.Join([]string{r.Start.In(zone).Format(layout), whole(r.Client), whole(r.Agreed), whole(r.Ours), whole(r.Model), band, whole(r.Actual)}, "\t")
	}
	band := "BAND"
	if len(c.Levels) == 2 {
		band = fmt.Sprintf("P%g TO P%g", 100*c.Levels[0], 100*c.Levels[1])
	}
	table(w, head+"\tCLIENT\tAGREED\tOURS\tMODEL\t"+band+"\tACTUAL", rows)
	for _, x := range c.Scores {
		if x.Score.Points > 0 {
			fmt.Fprintf(w, "%s: WAPE %s, bias %s over %d rows\n", x.Name, share(x.Score.WAPE), signed(x.Score.Bias), x.Score.Points)
		}
	}
	for _, n := range c.Notes {
		fmt.Fprintln(w, "note:", n)
	}
}

func newForecastAccuracy(s *settings) *cobra.Command {
	var f struct {
		queue, from, to string
		slots           bool
	}
	cmd := &cobra.Command{
		Use: "accuracy", Short: "How good the forecasts of a queue were, by how long before they were known", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				dates, err := datesOf(f.from, f.to, a.ops.Zone())
				if err != nil {
					return err
				}
				measured, err := a.ops.Planning.MeasureAccuracy(cmd.Context(), a.who, planning.AccuracyInput{Queue: ids.Queue(f.queue), Dates: dates})
				if err != nil {
					return flagged(err, comparedFlagOf)
				}
				return s.print(cmd, measured, func() {
					leads := measured.Days
					if f.slots {
						leads = measured.Slots
					}
					printLeads(cmd.OutOrStdout(), leads)
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.queue, "queue", "", "queue (required)")
	flags.StringVar(&f.from, "from", "", "first day whose contacts are compared")
	flags.StringVar(&f.to, "to", "", "last day, included")
	flags.BoolVar(&f.slots, "slots", false, "by slot instead of by day")
	_ = cmd.MarkFlagRequired("queue") // the flag exists
	return cmd
}

func printLeads(w io.Writer, leads []forecast.LeadAccuracy) {
	var rows []string
	for _, l := range leads {
		rows = append(rows, fmt.Sprintf("%d\tours\t%d\t%s\t%s\t", l.Lead, l.Ours.Points, share(l.Ours.WAPE), signed(l.Ours.Bias)))
		for _, r := range l.Rivals {
			if r.Its.Points > 0 {
				rows = append(rows, fmt.Sprintf("%d\t%s\t%d\t%s\t%s\t%s", l.Lead, r.Name, r.Its.Points, share(r.Its.WAPE), signed(r.Its.Bias), share(r.Ours.WAPE)))
			}
		}
	}
	table(w, "DAYS BEFORE\tFORECAST\tPOINTS\tWAPE\tBIAS\tOURS ON THE SAME", rows)
}

func newForecastReplay(s *settings) *cobra.Command {
	var f struct{ queue, slot, horizon, step, from, to, train, levels string }
	cmd := &cobra.Command{
		Use: "replay", Short: "Back-test a stored queue from past origins and keep the result", Args: cobra.NoArgs,
		Example: "  chaoban forecast replay --queue lumi-tmall/pre --horizon 7d --step 7d --from 2026-09-01",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				in := planning.BacktestInput{Queue: ids.Queue(f.queue)}
				zone := a.ops.Zone()
				var err error
				for _, d := range []struct {
					text string
					to   *time.Duration
				}{{f.slot, &in.Slot}, {f.horizon, &in.Horizon}, {f.step, &in.Step}} {
					if d.text == "" {
						continue
					}
					if *d.to, err = parseSpan(d.text); err != nil {
						return err
					}
				}
				for _, at := range []struct {
					text string
					to   *time.Time
				}{{f.from, &in.From}, {f.to, &in.To}, {f.train, &in.TrainUntil}} {
					if *at.to, err = parseInstant(at.text, zone); err != nil {
						return err
					}
				}
				if in.Levels, err = parseLevels(f.levels); err != nil {
					return err
				}
				kept, err := a.ops.Planning.Backtest(cmd.Context(), a.who, in)
				if err != nil {
					return flagged(err, comparedFlagOf)
				}
				return s.print(cmd, kept, func() {
					var scores forecast.Benchmarks
					_ = json.Unmarshal(kept.Figures, &scores) // figures we wrote ourselves
					fmt.Fprintf(cmd.OutOrStdout(), "back-test %s: %s, %d origins\n", kept.ID, kept.Queue, scores.Origins)
					writeScores(cmd.OutOrStdout(), scores)
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.queue, "queue", "", "queue (required)")
	flags.StringVar(&f.horizon, "horizon", "7d", "how far ahead: 48h, 7d")
	flags.StringVar(&f.step, "step", "7d", "distance of origins: 12h, 1d, 7d")
	flags.StringVar(&f.from, "from", "", "first origin")
	flags.StringVar(&f.to, "to", "", "no forecast reaches beyond this instant (default: the end of the history)")
	flags.StringVar(&f.train, "train-until", "", "choose the model on data before this instant only")
	flags.StringVar(&f.slot, "slot", "", "slot: 5m, 15m, 30m, 60m or 1d")
	flags.StringVar(&f.levels, "quantiles", "0.1,0.5,0.9", "quantile levels")
	_ = cmd.MarkFlagRequired("queue") // the flag exists
	return cmd
}

func newForecastDraw(s *settings) *cobra.Command {
	var chosen chosenForecast
	var out string
	cmd := &cobra.Command{
		Use: "draw", Short: "Draw a forecast with its events, adjustments, agreement and what came, as SVG", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				id, err := chosen.find(cmd, a)
				if err != nil {
					return err
				}
				svg, err := a.ops.Planning.DrawForecast(cmd.Context(), a.who, id)
				if err != nil {
					return err
				}
				if err := writeFile(out, func(w io.Writer) error { _, err := w.Write(svg); return err }); err != nil {
					return err
				}
				return s.print(cmd, map[string]any{"forecast": id, "file": out}, func() { fmt.Fprintf(cmd.OutOrStdout(), "written to %s\n", out) })
			})
		},
	}
	chosen.register(cmd)
	cmd.Flags().StringVar(&out, "out", "forecast.svg", "picture to write")
	return cmd
}
