package cli

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
)

// newKPIReconcile puts the platforms' files beside our own figures.
func newKPIReconcile(s *settings) *cobra.Command {
	var f struct {
		merchant, from, to, month, xlsx string
		shops                           []string
		all                             bool
	}
	cmd := &cobra.Command{
		Use: "reconcile", Short: "What the platform's files say beside what we counted from raw events", Args: cobra.NoArgs,
		Example: "  chaoban kpi reconcile --shop lumi-tmall --from 2026-11-01 --to 2026-11-30 --xlsx check.xlsx",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := workbookName("--xlsx", f.xlsx); err != nil {
				return err
			}
			return s.with(cmd, needEngine, func(a *app) error {
				span, err := dayRange(f.from, f.to, f.month, a.ops.Zone())
				if err != nil {
					return err
				}
				r, err := a.ops.Measuring.Reconcile(cmd.Context(), a.who, measuring.ReconcileInput{
					Merchant: ids.Merchant(f.merchant), Shops: typed[ids.Shop](f.shops),
					Dates: calendar.Dates{From: calendar.DateOf(span.Start, a.ops.Zone()), Until: calendar.DateOf(span.End, a.ops.Zone())},
				})
				if err != nil {
					return err
				}
				if f.xlsx != "" {
					book, err := a.ops.Measuring.ReconciliationWorkbook(r)
					if err != nil {
						return err
					}
					if err := os.WriteFile(f.xlsx, book, 0o644); err != nil {
						return fault.Wrap(err, fault.Invalid, "cli.file", "the workbook %s cannot be written: %s", f.xlsx, reason(err))
					}
				}
				return s.print(cmd, r, func() { printReconciliation(cmd, r, f.all, f.xlsx) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.shops, "shop", nil, "only these shops")
	flags.StringVar(&f.merchant, "merchant", "", "only shops of this merchant")
	flags.StringVar(&f.from, "from", "", "first day")
	flags.StringVar(&f.to, "to", "", "last day, included")
	flags.StringVar(&f.month, "month", "", "whole month")
	flags.StringVar(&f.xlsx, "xlsx", "", "workbook to write (.xlsx)")
	flags.BoolVar(&f.all, "all", false, "list columns too that none of our metrics counts")
	return cmd
}

func printReconciliation(cmd *cobra.Command, r exports.Reconciliation, all bool, out string) {
	w := cmd.OutOrStdout()
	var rows []string
	for _, l := range r.Lines {
		if l.Verdict == "unpaired" && !all {
			continue
		}
		relative, state := "-", "closed"
		if l.Relative != nil {
			relative = fmt.Sprintf("%+.2f %%", 100**l.Relative)
		}
		if !l.Closed {
			state = "open"
		}
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", l.Date, l.Shop, l.Item, valueIn(l.PlatformValue, kpi.Unit(l.Unit)), valueIn(l.OurValue, kpi.Unit(l.Unit)), valueIn(l.Difference, kpi.Unit(l.Unit)), relative,
			strings.ReplaceAll(string(l.Verdict), "_", " "), state, cmp.Or(l.Version, "-"), cmp.Or(l.Header, "-")))
	}
	table(w, "DATE\tSHOP\tITEM\tPLATFORM\tOURS\tDIFFERENCE\tRELATIVE\tVERDICT\tSTATE\tDEFINITION\tCOLUMN", rows)
	compared, equal, beyond, missing := 0, 0, 0, 0
	for _, d := range r.Days {
		compared, equal, beyond, missing = compared+d.Compared, equal+d.Equal, beyond+d.Beyond, missing+d.Missing
	}
	fmt.Fprintf(w, "%d items compared, %d equal; %d closed ones differ by more than %.2f %%\n", compared, equal, beyond, 100*r.Tolerance)
	if missing > 0 {
		fmt.Fprintf(w, "%d more could not be compared: only one side has them, or they count on another base\n", missing)
	}
	for _, d := range r.Days {
		if d.NotImported() {
			fmt.Fprintf(w, "nothing of %s was imported for %s: the platform has %d figures of it\n", d.Date, d.Shop, d.Unseen)
		}
	}
	if out != "" {
		fmt.Fprintf(w, "written to %s\n", out)
	}
}

// newKPIConversion shows how conversion figures moved until they were final.
func newKPIConversion(s *settings) *cobra.Command {
	var f struct {
		merchant, shop, metric, from, to string
		history                          bool
	}
	cmd := &cobra.Command{
		Use: "conversion", Short: "Conversion figures, provisional to final, as the daily job kept them", Args: cobra.NoArgs,
		Example: "  chaoban kpi conversion --shop lumi-tmall --from 2026-11-01 --to 2026-11-11 --history",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				period, err := dates(f.from, f.to)
				if err != nil {
					return err
				}
				filter := store.ConversionFilter{Merchant: ids.Merchant(f.merchant), Shop: ids.Shop(f.shop), Metric: kpi.Metric(f.metric), Dates: period}
				all, err := store.All(func(p store.Page) ([]store.Conversion, string, error) {
					return a.ops.Measuring.Conversions(cmd.Context(), a.who, filter, p)
				})
				if err != nil {
					return err
				}
				if !f.history {
					all = newestOnly(all)
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, c := range all {
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%.10g\t%.10g\t%s\t%d\t%s", c.Date, c.Shop, c.Metric, c.State, value(c.Value), c.Numerator, c.Denominator, c.AsOf, c.Revision, c.Version)
					}
					table(cmd.OutOrStdout(), "DATE\tSHOP\tMETRIC\tSTATE\tVALUE\tNUMERATOR\tDENOMINATOR\tAS OF\tREVISION\tDEFINITION", rows)
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.merchant, "merchant", "", "only this merchant")
	flags.StringVar(&f.shop, "shop", "", "only this shop")
	flags.StringVar(&f.metric, "metric", "", "only this metric")
	flags.StringVar(&f.from, "from", "", "first day of the inquiries")
	flags.StringVar(&f.to, "to", "", "last day, included")
	flags.BoolVar(&f.history, "history", false, "every state a figure went through, not only the newest")
	return cmd
}

// newestOnly keeps the first, newest, revision of each figure of a list.
func newestOnly(all []store.Conversion) []store.Conversion {
	var out []store.Conversion
	for _, c := range all {
		if n := len(out); n > 0 && out[n-1].Shop == c.Shop && out[n-1].Merchant == c.Merchant && out[n-1].Date == c.Date && out[n-1].Metric == c.Metric {
			continue
		}
		out = append(out, c)
	}
	return out
}
