package cli

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// chosenForecast is which forecast a command is about: an id, or the newest of a queue.
type chosenForecast struct{ forecast, queue string }

func (c *chosenForecast) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.forecast, "forecast", "", "id of the forecast")
	cmd.Flags().StringVar(&c.queue, "queue", "", "instead of --forecast: the newest forecast of this queue")
}

func (c *chosenForecast) find(cmd *cobra.Command, a *app) (ids.Forecast, error) {
	switch {
	case (c.forecast == "") == (c.queue == ""):
		return "", fault.New(fault.Invalid, "cli.usage", "give --forecast or --queue")
	case c.forecast != "":
		return ids.Forecast(c.forecast), nil
	}
	all, _, err := a.ops.Planning.Forecasts(cmd.Context(), a.who, store.ForecastFilter{Queue: ids.Queue(c.queue)}, store.Page{Limit: 1})
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", fault.New(fault.NotFound, "forecast.none", "queue %s has no forecast", c.queue)
	}
	return all[0].ID, nil
}

// targetFlags say which slots an adjustment touches.
type targetFlags struct {
	from, to, event, phase, start string
	nth                           int
}

func (t targetFlags) value(zone *time.Location) (forecast.Target, error) {
	out := forecast.Target{Family: t.event, Phase: t.phase, Nth: t.nth}
	var err error
	if out.Start, err = parseInstant(t.start, zone); err != nil {
		return out, err
	}
	if t.from == "" && t.to == "" {
		return out, nil
	}
	first, firstBad := calendar.ParseDate(t.from)
	last, lastBad := calendar.ParseDate(t.to)
	if firstBad == nil && (t.to == "" || lastBad == nil) {
		if t.to == "" {
			last = first
		}
		out.Days = calendar.Dates{From: first, Until: last.Add(1)}
		return out, nil
	}
	if out.Range.Start, err = parseInstant(t.from, zone); err != nil {
		return out, err
	}
	out.Range.End, err = parseInstant(t.to, zone)
	return out, err
}

func newForecastAdjust(s *settings) *cobra.Command {
	var chosen chosenForecast
	var t targetFlags
	var f struct {
		percent, add, set float64
		per, reason       string
	}
	cmd := &cobra.Command{
		Use: "adjust", Short: "Put an adjustment on a forecast, whose version stays as it is", Args: cobra.NoArgs,
		Example: `  chaoban forecast adjust --queue lumi-tmall/pre --percent 20 --event double11 --phase spot --reason "second live stream"
  chaoban forecast adjust --queue lumi-tmall/pre --add 300 --from 2026-11-10T20:00 --to 2026-11-11T02:00 --reason "coupons at 20:00"
  chaoban forecast adjust --queue lumi-tmall/pre --set 500 --per day --from 2026-11-12 --to 2026-11-14 --reason "client's own figure"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in := planning.AdjustInput{Per: forecast.LayerPer(f.per), Reason: f.reason}
			given := 0
			for flag, kind := range map[string]struct {
				kind   forecast.LayerKind
				amount float64
			}{"percent": {forecast.LayerPercent, f.percent}, "add": {forecast.LayerAbsolute, f.add}, "set": {forecast.LayerSet, f.set}} {
				if cmd.Flags().Changed(flag) {
					given++
					in.Kind, in.Amount = kind.kind, kind.amount
				}
			}
			if given != 1 {
				return fault.New(fault.Invalid, "cli.usage", "give one of --percent, --add and --set")
			}
			return s.with(cmd, needStore, func(a *app) error {
				var err error
				if in.Forecast, err = chosen.find(cmd, a); err != nil {
					return err
				}
				if in.Target, err = t.value(a.ops.Zone()); err != nil {
					return err
				}
				done, err := a.ops.Planning.Adjust(cmd.Context(), a.who, in)
				if err != nil {
					return flagged(err, adjustFlagOf(in.Kind))
				}
				return s.print(cmd, done, func() { printAdjustment(cmd, "adjusted", done, a.ops.Zone()) })
			})
		},
	}
	chosen.register(cmd)
	flags := cmd.Flags()
	flags.Float64Var(&f.percent, "percent", 0, "percent more in every slot, -20 for less")
	flags.Float64Var(&f.add, "add", 0, "contacts more in all, split by the curve; negative for fewer")
	flags.Float64Var(&f.set, "set", 0, "contacts there shall be, split by the curve")
	flags.StringVar(&f.per, "per", "", "what --add or --set is for: target (default), day or slot")
	flags.StringVar(&t.from, "from", "", "first day, or first instant (2026-11-10T20:00)")
	flags.StringVar(&t.to, "to", "", "last day, included; or the instant at which it ends")
	flags.StringVar(&t.event, "event", "", "instead of --from and --to: an event that the forecast knows")
	flags.StringVar(&t.phase, "phase", "", "only this phase of the event")
	flags.StringVar(&t.start, "start", "", "start of the event, when it occurs twice")
	flags.IntVar(&t.nth, "nth", 0, "only the n-th phase of the kind")
	flags.StringVar(&f.reason, "reason", "", "why (required)")
	return cmd
}

// adjustFlagOf names the flag of each field of an adjustment.
func adjustFlagOf(kind forecast.LayerKind) map[string]string {
	amount := map[forecast.LayerKind]string{forecast.LayerPercent: "--percent", forecast.LayerAbsolute: "--add", forecast.LayerSet: "--set"}[kind]
	return map[string]string{
		"amount": amount, "per": "--per", "reason": "--reason", "target": "--from, --to or --event", "target.range": "--from, --to", "target.days": "--from, --to",
		"target.family": "--event", "target.phase": "--phase", "target.start": "--start", "target.nth": "--nth",
	}
}

// lockFlagOf names the flag of each field of a lock.
var lockFlagOf = map[string]string{
	"dates": "--from, --to", "agreed_on": "--agreed-on", "agreed_with": "--with", "note": "--note", "reason": "--reason",
}

func printAdjustment(cmd *cobra.Command, what string, done planning.Adjustment, zone *time.Location) {
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "%s %s: %s %s in %d slots, %.0f -> %.0f contacts there\n", what, done.Layer.ID, done.Layer.Queue, layerText(done.Layer), done.Step.Slots, done.Step.Before, done.Step.After)
	if done.Step.Note != "" && done.Layer.Withdrawn == nil {
		fmt.Fprintf(w, "note: %s\n", done.Step.Note)
	}
	fmt.Fprintf(w, "whole forecast: %.0f contacts as computed, %.0f as adjusted\n", done.Model, done.Contacts)
	for _, e := range done.Events {
		fmt.Fprintf(w, "event %s, %s: %s\n", e.Family, countedText(e.From, e.Until, e.WholeDays, zone), totalText(e.Total, done.Levels))
		for _, p := range e.Phases {
			from := p.From
			if from.IsZero() { // of a forecast that was stored before phases said so
				from = p.Total.Start
			}
			fmt.Fprintf(w, "  %s, %s: %s\n", p.Kind, countedText(from, p.Until, e.WholeDays, zone), totalText(p.Total, done.Levels))
		}
	}
}

// totalText is a total with its outer quantiles.
func totalText(p scheduling.Point, levels []float64) string {
	text := fmt.Sprintf("%.0f contacts", p.Mean)
	if n := len(p.Quantiles); n > 1 && n == len(levels) {
		text += fmt.Sprintf(" (P%g %.0f, P%g %.0f)", 100*levels[0], p.Quantiles[0], 100*levels[n-1], p.Quantiles[n-1])
	}
	return text
}

// layerText is an adjustment in few words.
func layerText(l store.Layer) string {
	text := map[forecast.LayerKind]string{
		forecast.LayerPercent: fmt.Sprintf("%+g %%", l.Amount), forecast.LayerAbsolute: fmt.Sprintf("%+g contacts", l.Amount), forecast.LayerSet: fmt.Sprintf("set to %g", l.Amount),
	}[l.Kind]
	if l.Per == forecast.PerDay || l.Per == forecast.PerSlot {
		text += " per " + string(l.Per)
	}
	return text
}

func newForecastWithdraw(s *settings) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "withdraw LAYER", Short: "Take an adjustment back; it stays on record", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				done, err := a.ops.Planning.Withdraw(cmd.Context(), a.who, ids.Layer(args[0]), reason)
				if err != nil {
					return err
				}
				return s.print(cmd, done, func() { printAdjustment(cmd, "withdrawn", done, a.ops.Zone()) })
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why (required)")
	return cmd
}

func newForecastLayers(s *settings) *cobra.Command {
	var forecastID, queue string
	cmd := &cobra.Command{
		Use: "layers", Short: "List adjustments with author and reason, withdrawn ones too", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				all, err := store.All(func(p store.Page) ([]store.Layer, string, error) {
					return a.ops.Planning.Layers(cmd.Context(), a.who, store.LayerFilter{Forecast: ids.Forecast(forecastID), Queue: ids.Queue(queue)}, p)
				})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, l := range all {
						state := "in force"
						if l.Withdrawn != nil {
							state = "withdrawn: " + l.Withdrawn.Reason
						}
						rows[i] = fmt.Sprintf("%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s", l.ID, l.Queue, l.Position, layerText(l), spansText(l.Spans, a.ops.Zone()), cmp.Or(l.AuthorName, string(l.Author)), l.Reason, state)
					}
					table(cmd.OutOrStdout(), "LAYER\tQUEUE\tNO\tWHAT\tWHEN\tBY\tREASON\tSTATE", rows)
				})
			})
		},
	}
	cmd.Flags().StringVar(&forecastID, "forecast", "", "only of this forecast")
	cmd.Flags().StringVar(&queue, "queue", "", "only of this queue")
	return cmd
}

func spansText(spans []calendar.Range, zone *time.Location) string {
	var out []string
	for _, r := range spans {
		out = append(out, r.Start.In(zone).Format("2006-01-02 15:04")+" to "+r.End.In(zone).Format("2006-01-02 15:04"))
	}
	return strings.Join(out, ", ")
}

func newForecastLock(s *settings) *cobra.Command {
	var chosen chosenForecast
	var f struct{ from, to, agreed, with, note, reason string }
	cmd := &cobra.Command{
		Use: "lock", Short: "Keep a forecast with its adjustments as agreed with the client for some days", Args: cobra.NoArgs,
		Example: `  chaoban forecast lock --queue lumi-tmall/pre --from 2026-11-09 --to 2026-11-12 --with "Ms Chen" --note "mail of 2 November"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				in := planning.LockInput{AgreedWith: f.with, Note: f.note, Reason: f.reason}
				var err error
				if in.Forecast, err = chosen.find(cmd, a); err != nil {
					return err
				}
				if in.Dates, err = datesOf(f.from, f.to, a.ops.Zone()); err != nil {
					return err
				}
				if f.agreed != "" {
					if in.AgreedOn, err = calendar.ParseDate(f.agreed); err != nil {
						return err
					}
				}
				kept, err := a.ops.Planning.LockForecast(cmd.Context(), a.who, in)
				if err != nil {
					return flagged(err, lockFlagOf)
				}
				return s.print(cmd, kept, func() {
					fmt.Fprintf(cmd.OutOrStdout(), "locked as %s: %s, %d days from %s, %.0f contacts, %d adjustments\n",
						kept.ID, kept.Queue, kept.Dates.Until.Sub(kept.Dates.From), kept.Dates.From, kept.Contacts, len(kept.Layers))
					for _, old := range kept.Supersedes {
						fmt.Fprintf(cmd.OutOrStdout(), "counts instead of %s: %s\n", old, kept.Reason)
					}
				})
			})
		},
	}
	chosen.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "first day")
	flags.StringVar(&f.to, "to", "", "last day, included")
	flags.StringVar(&f.agreed, "agreed-on", "", "day of the agreement, not in the future (default: today)")
	flags.StringVar(&f.with, "with", "", "who agreed for the client (required)")
	flags.StringVar(&f.note, "note", "", "note")
	flags.StringVar(&f.reason, "reason", "", "why the days are locked anew; needed when some are locked already")
	return cmd
}

// datesOf reads a first and a last day.
func datesOf(from, to string, zone *time.Location) (calendar.Dates, error) {
	span, err := spanNames{noMonth: true}.dayRange(from, to, "", zone)
	return calendar.Dates{From: calendar.DateOf(span.Start, zone), Until: calendar.DateOf(span.End, zone)}, err
}

func newForecastLocks(s *settings) *cobra.Command {
	var queue string
	cmd := &cobra.Command{
		Use: "locks", Short: "List what was agreed with clients, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				all, err := store.All(func(p store.Page) ([]store.Lock, string, error) {
					return a.ops.Planning.Locks(cmd.Context(), a.who, store.LockFilter{Queue: ids.Queue(queue)}, p)
				})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, l := range all {
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%.0f\t%s\t%s\t%s", l.ID, l.Queue, l.Dates.From, l.Dates.Until.Add(-1), l.Contacts, l.AgreedOn, l.AgreedWith, cmp.Or(l.Reason, l.Note))
					}
					table(cmd.OutOrStdout(), "LOCK\tQUEUE\tFROM\tTO\tCONTACTS\tAGREED ON\tWITH\tNOTE", rows)
				})
			})
		},
	}
	cmd.Flags().StringVar(&queue, "queue", "", "only of this queue")
	return cmd
}
