package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/configs"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/kpi"
)

func newKPIMetrics(s *settings) *cobra.Command {
	var metric, version string
	var markdown bool
	cmd := &cobra.Command{
		Use: "metrics", Short: "List metric definitions: what each figure counts, since when, from which source", Args: cobra.NoArgs,
		Example: "  chaoban kpi metrics\n  chaoban kpi metrics --metric jd.first_30s",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				if metric != "" {
					found, err := a.ops.Measuring.Metric(cmd.Context(), a.who, kpi.Metric(metric), version)
					if err != nil {
						return err
					}
					return s.print(cmd, found, func() { printDefinitions(cmd, found) })
				}
				all, err := a.ops.Measuring.Metrics(cmd.Context(), a.who)
				if err != nil {
					return err
				}
				if markdown {
					_, err := io.WriteString(cmd.OutOrStdout(), configs.MetricsPage(all))
					return err
				}
				return s.print(cmd, all, func() { printMetrics(cmd, all) })
			})
		},
	}
	cmd.Flags().StringVar(&metric, "metric", "", "one metric in full: every version in plain words")
	cmd.Flags().StringVar(&version, "version", "", "only this version of --metric")
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print docs/metrics.md")
	cmd.MarkFlagsMutuallyExclusive("metric", "markdown")
	return cmd
}

func printMetrics(cmd *cobra.Command, all []kpi.Definition) {
	rows := make([]string, len(all))
	for i, d := range all {
		rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", d.Metric, d.Version, inForce(d.Effective), d.NameZH, d.Base, d.Unit, d.Quality, d.Text)
	}
	table(cmd.OutOrStdout(), "METRIC\tVERSION\tIN FORCE\tNAME\tBASE\tUNIT\tQUALITY\tDEFINITION", rows)
}

// inForce is a period with its last day, as people say it.
func inForce(p calendar.Dates) string {
	if p.Until.IsZero() {
		return p.From.String() + " -"
	}
	return fmt.Sprintf("%s - %s", p.From, p.Until.Add(-1))
}

// printDefinitions prints definitions in full, after an empty line each.
func printDefinitions(cmd *cobra.Command, all []measuring.Explained) {
	w := cmd.OutOrStdout()
	for _, d := range all {
		fmt.Fprintf(w, "\n%s %s  %s / %s\n", d.Metric, d.Version, d.NameZH, d.Name)
		fmt.Fprintf(w, "  in force: %s, unit: %s, base: %s, quality: %s\n", inForce(d.Effective), d.Unit, d.Base, d.Quality)
		fmt.Fprintf(w, "  %s\n  counted so: %s\n  口径: %s\n  source: %s\n", d.Text, d.Plain.English, d.Plain.Chinese, d.Source)
	}
}

// newKPICompare shows what a change of definition does to a figure.
func newKPICompare(s *settings) *cobra.Command {
	f := kpiFlags{names: spanNames{first: "--first", last: "--last"}}
	var metric, from, to string
	cmd := &cobra.Command{
		Use: "compare", Short: "Compute one metric under two of its versions, with the difference", Args: cobra.NoArgs,
		Example: "  chaoban kpi compare --metric jd.first_30s --from v2021-11 --to v2021-12 --month 2021-12 --by shop",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				f.metrics = []string{metric}
				q, err := f.query(a.ops.Zone())
				if err != nil {
					return err
				}
				done := waiting(cmd, "counting raw events under both versions")
				c, err := a.ops.Measuring.Compare(cmd.Context(), a.who, q, from, to)
				done()
				if err != nil {
					return err
				}
				return s.print(cmd, c, func() { printComparison(cmd, q, c, a) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&metric, "metric", "", "metric id (see kpi metrics)")
	flags.StringVar(&from, "from", "", "version to compare from, v2021-11")
	flags.StringVar(&to, "to", "", "version to compare to, v2021-12")
	flags.StringVar(&f.month, "month", "", "whole month, 2026-11")
	flags.StringVar(&f.from, "first", "", "first day, instead of --month")
	flags.StringVar(&f.to, "last", "", "last day, included")
	flags.StringVar(&f.grain, "grain", string(kpi.Whole), "whole, slot, hour, day, month or slot_of_day")
	flags.DurationVar(&f.within, "within", 0, "limit of answered_within, e.g. 30s")
	f.placeFlags(cmd)
	for _, name := range []string{"metric", "from", "to"} {
		_ = cmd.MarkFlagRequired(name) // the flag exists
	}
	return cmd
}

func printComparison(cmd *cobra.Command, q kpi.Query, c measuring.Comparison, a *app) {
	rows := make([]string, len(c.Figures))
	for i, f := range c.Figures {
		at := kpi.Reading{Merchant: f.Merchant, Shop: f.Shop, Queue: f.Queue, Agent: f.Agent, Start: f.Start, Slot: f.Slot}
		cells := append(placeCells(q, at, a.ops.Zone()), fraction(f.A), fraction(f.B), difference(f), fraction(f.InForce))
		if f.InForce != nil {
			cells = append(cells, f.InForce.Version)
		}
		rows[i] = strings.Join(cells, "\t")
	}
	head := append(placeHead(q), c.A.Version, c.B.Version, "DIFFERENCE", "IN FORCE", "VERSION")
	fmt.Fprintf(cmd.OutOrStdout(), "%s  %s / %s\n", c.Metric, c.A.NameZH, c.A.Name)
	table(cmd.OutOrStdout(), strings.Join(head, "\t"), rows)
	printDefinitions(cmd, []measuring.Explained{c.A, c.B})
}

// fraction is a value with what it is made of; the denominator is the number of items.
func fraction(r *kpi.Reading) string {
	if r == nil {
		return "-"
	}
	return fmt.Sprintf("%s (%.10g/%.10g)", value(r.Value), r.Numerator, r.Denominator)
}

func difference(f measuring.ComparedFigure) string {
	switch {
	case f.Points != nil:
		return fmt.Sprintf("%+.2f points", *f.Points)
	case f.Delta != nil:
		return fmt.Sprintf("%+.4f", *f.Delta)
	}
	return "-"
}
