package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/kpi"
)

func newKPICommand(s *settings) *cobra.Command {
	return family("kpi", "Measured figures and their definitions", newKPIQuery(s), newKPICompare(s), newKPIItems(s), newKPIMetrics(s), newKPIConversations(s), newKPIScorecards(s), newKPIReconcile(s), newKPIConversion(s))
}

type kpiFlags struct {
	metrics, by, merchants, shops, queues, agents []string
	version, grain, from, to, month, window       string
	names                                         spanNames
	within                                        time.Duration
	explain                                       bool
}

func newKPIQuery(s *settings) *cobra.Command {
	var f kpiFlags
	cmd := &cobra.Command{
		Use: "query", Short: "Ask for figures: the same layer as the API and the workbook", Args: cobra.NoArgs,
		Example: "  chaoban kpi query --metric answered_within --within 30s --by merchant --month 2026-11\n" +
			"  chaoban kpi query --metric tmall.human_3min --by agent --from 2026-11-01 --to 2026-11-30 --explain",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				q, err := f.query(a.ops.Zone())
				if err != nil {
					return err
				}
				done := waiting(cmd, "counting raw events where no roll-up answers")
				readings, err := a.ops.Measuring.Figures(cmd.Context(), a.who, q)
				done()
				if err != nil {
					return err
				}
				if !f.explain {
					return s.print(cmd, readings, func() { printReadings(cmd, a, q, readings) })
				}
				behind, err := a.ops.Measuring.Behind(cmd.Context(), a.who, readings)
				if err != nil {
					return err
				}
				return s.print(cmd, explainedReadings{readings, behind}, func() {
					printReadings(cmd, a, q, readings)
					printDefinitions(cmd, behind)
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.metrics, "metric", nil, "metric ids (see kpi metrics); several separated by commas")
	flags.StringVar(&f.version, "version", "", "version of the definition, for any period; default: the one in force on each day")
	flags.BoolVar(&f.explain, "explain", false, "print the definitions behind the figures too")
	flags.StringVar(&f.grain, "grain", string(kpi.Whole), "whole, slot, hour, day, month or slot_of_day")
	flags.StringVar(&f.window, "window", "", "daily window by session start, 09:00-23:00")
	flags.DurationVar(&f.within, "within", 0, "limit of answered_within, e.g. 30s")
	f.spanFlags(cmd)
	f.placeFlags(cmd)
	_ = cmd.MarkFlagRequired("metric") // the flag exists
	return cmd
}

// explainedReadings is the JSON of kpi query --explain.
type explainedReadings struct {
	Readings    []kpi.Reading         `json:"readings"`
	Definitions []measuring.Explained `json:"definitions"`
}

func (f *kpiFlags) spanFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.from, "from", "", "first day, 2026-11-01")
	cmd.Flags().StringVar(&f.to, "to", "", "last day, included")
	cmd.Flags().StringVar(&f.month, "month", "", "whole month, 2026-11")
}

func (f *kpiFlags) placeFlags(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.by, "by", nil, "group by merchant, shop, queue, agent")
	f.filterFlags(cmd)
}

func (f *kpiFlags) filterFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.merchants, "merchant", nil, "only these merchants")
	flags.StringSliceVar(&f.shops, "shop", nil, "only these shops")
	flags.StringSliceVar(&f.queues, "queue", nil, "only these queues")
	flags.StringSliceVar(&f.agents, "agent", nil, "only these agents")
}

func (f kpiFlags) query(zone *time.Location) (kpi.Query, error) {
	span, err := f.names.dayRange(f.from, f.to, f.month, zone)
	if err != nil {
		return kpi.Query{}, err
	}
	return kpi.Query{
		Metrics: typed[kpi.Metric](f.metrics), Version: f.version, Within: f.within, By: typed[kpi.Dimension](f.by), Grain: kpi.Grain(f.grain), Range: span,
		Merchants: typed[ids.Merchant](f.merchants), Shops: typed[ids.Shop](f.shops), Queues: typed[ids.Queue](f.queues),
		Agents: typed[ids.Agent](f.agents), Window: f.window,
	}, nil
}

func typed[T ~string](in []string) []T {
	out := make([]T, len(in))
	for i, s := range in {
		out[i] = T(strings.TrimSpace(s))
	}
	return out
}

// dayRange turns --month, or --from and an inclusive --to, into a half-open range.
func dayRange(from, to, month string, zone *time.Location) (calendar.Range, error) {
	return spanNames{}.dayRange(from, to, month, zone)
}

// spanNames are the flags of a range as a command calls them; empty means --from and --to.
type spanNames struct {
	first, last string
	noMonth     bool // the command has no --month
}

func (n spanNames) dayRange(from, to, month string, zone *time.Location) (calendar.Range, error) {
	n.first, n.last = cmp.Or(n.first, "--from"), cmp.Or(n.last, "--to")
	choice := fmt.Sprintf("give --month, or %s and %s", n.first, n.last)
	if n.noMonth {
		choice = fmt.Sprintf("give %s and %s", n.first, n.last)
	}
	if month != "" && (from != "" || to != "") {
		return calendar.Range{}, fault.New(fault.Invalid, "cli.range", "%s, not both", choice)
	}
	if month != "" {
		m, err := calendar.ParseMonth(month)
		return m.Range(zone), err
	}
	if from == "" || to == "" {
		return calendar.Range{}, fault.New(fault.Invalid, "cli.range", "%s", choice)
	}
	first, err := calendar.ParseDate(from)
	if err != nil {
		return calendar.Range{}, err
	}
	last, err := calendar.ParseDate(to)
	if err != nil {
		return calendar.Range{}, err
	}
	if last.Before(first) {
		return calendar.Range{}, fault.New(fault.Invalid, "cli.range", "%s %s lies before %s %s", n.last, last, n.first, first)
	}
	return calendar.Range{Start: first.In(zone), End: last.Add(1).In(zone)}, nil
}

func printReadings(cmd *cobra.Command, a *app, q kpi.Query, readings []kpi.Reading) {
	units, zone := a.units(cmd.Context()), a.ops.Zone()
	rows := make([]string, 0, len(readings))
	for _, r := range readings {
		shown, of := valueIn(r.Value, units[r.Metric]), fmt.Sprintf("%.10g", r.Denominator)
		if units[r.Metric] == kpi.Count {
			of = "-" // a count is of nothing
		}
		cells := append(placeCells(q, r, zone), string(r.Metric), shown+mark(r), fmt.Sprintf("%.10g", r.Numerator), of, r.Version)
		rows = append(rows, strings.Join(cells, "\t"))
	}
	table(cmd.OutOrStdout(), strings.Join(append(placeHead(q), "METRIC", "VALUE", "NUMERATOR", "DENOMINATOR", "DEFINITION"), "\t"), rows)
}

// mark says beside a value that it is not to be judged yet.
func mark(r kpi.Reading) string {
	switch {
	case r.TooFew && r.Provisional:
		return " (too few, provisional)"
	case r.TooFew:
		return " (too few)"
	case r.Provisional:
		return " (provisional)"
	}
	return ""
}

// placeCells are the group and grain step of a reading, under the columns of placeHead.
func placeCells(q kpi.Query, r kpi.Reading, zone *time.Location) []string {
	var cells []string
	for _, by := range q.By {
		cells = append(cells, map[kpi.Dimension]string{
			kpi.ByMerchant: string(r.Merchant), kpi.ByShop: string(r.Shop), kpi.ByQueue: string(r.Queue), kpi.ByAgent: string(r.Agent),
		}[by])
	}
	switch q.Grain {
	case kpi.Whole:
	case kpi.SlotOfDay:
		cells = append(cells, fmt.Sprintf("%02d:%02d", r.Slot/4, r.Slot%4*15))
	default:
		cells = append(cells, r.Start.In(zone).Format("2006-01-02 15:04"))
	}
	return cells
}

func placeHead(q kpi.Query) []string {
	var head []string
	for _, by := range q.By {
		head = append(head, strings.ToUpper(string(by)))
	}
	if q.Grain != kpi.Whole {
		head = append(head, "START")
	}
	return head
}

// units are those of all metrics; a metric has one, whatever its version.
func (a *app) units(ctx context.Context) map[kpi.Metric]kpi.Unit {
	all, err := a.ops.Measuring.Metrics(ctx, a.who)
	if err != nil {
		return nil // the figures are shown with decimals
	}
	units := map[kpi.Metric]kpi.Unit{}
	for _, d := range all {
		units[d.Metric] = d.Unit
	}
	return units
}

// valueIn prints a value of a unit; a count has no decimals.
func valueIn(v *float64, unit kpi.Unit) string {
	if v != nil && unit == kpi.Count {
		return fmt.Sprintf("%.10g", *v)
	}
	return value(v)
}

func value(v *float64) string {
	if v == nil {
		return "-"
	}
	return strings.Replace(fmt.Sprintf("%.4f", *v), "-0.0000", "0.0000", 1)
}

func newReportCommand(s *settings) *cobra.Command {
	var contract, month, out string
	sla := &cobra.Command{
		Use: "sla", Short: "The monthly SLA report of one contract, as an Excel workbook", Args: cobra.NoArgs,
		Example: "  chaoban report sla --contract lumi-2026 --month 2026-11 --out lumi.xlsx",
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := calendar.ParseMonth(month)
			if err == nil {
				err = workbookName("--out", out)
			}
			if err != nil {
				return err
			}
			return s.with(cmd, needEngine, func(a *app) error {
				report, err := a.ops.Settling.SLAReport(cmd.Context(), a.who, ids.Contract(contract), m)
				if err != nil {
					return err
				}
				if out != "" {
					book, err := a.ops.Settling.SLAWorkbook(report)
					if err != nil {
						return err
					}
					if err := os.WriteFile(out, book, 0o644); err != nil {
						return fault.Wrap(err, fault.Invalid, "cli.file", "the workbook %s cannot be written: %s", out, reason(err))
					}
				}
				return s.print(cmd, report, func() { printReport(cmd, report, out, a.ops.Zone()) })
			})
		},
	}
	sla.Flags().StringVar(&contract, "contract", "", "contract id")
	sla.Flags().StringVar(&month, "month", "", "month, 2026-11")
	sla.Flags().StringVar(&out, "out", "", "workbook to write (.xlsx)")
	for _, name := range []string{"contract", "month"} {
		_ = sla.MarkFlagRequired(name) // the flag exists
	}
	return family("report", "Reports for merchants", sla)
}

func printReport(cmd *cobra.Command, r exports.SLAReport, out string, zone *time.Location) {
	rows := make([]string, len(r.Lines))
	for i, l := range r.Lines {
		metric := l.Term.Metric
		if l.Term.Within != "" {
			metric += " " + l.Term.Within
		}
		rows[i] = fmt.Sprintf("%s\t%s\t%s\t%g\t%s\t%.0f\t%s", l.Term.ID, metric, l.Term.Direction, l.Term.Target, value(l.Reading.Value), l.Reading.Denominator, l.Verdict)
	}
	w := cmd.OutOrStdout()
	note := ""
	if notes := reportNotes(r, zone); len(notes) > 0 {
		note = " (" + strings.Join(notes, "; ") + ")"
	}
	fmt.Fprintf(w, "%s, %s%s\n", r.Contract.Title, r.Month, note)
	table(w, "TERM\tMETRIC\tDIRECTION\tTARGET\tACTUAL\tSAMPLE\tVERDICT", rows)
	if out != "" {
		fmt.Fprintf(w, "written to %s\n", out)
	}
}

// reportNotes are what stands beside the title of a report: made-up data, and a month that is not over. That of the demo
// is provisional like any other: it is settled only once it is over.
func reportNotes(r exports.SLAReport, zone *time.Location) (notes []string) {
	if r.Simulated {
		notes = append(notes, "simulated data")
	}
	switch {
	case r.Provisional && !r.Month.First().In(zone).Before(r.GeneratedAt):
		notes = append(notes, "the month has not begun: there is nothing to report")
	case r.Provisional:
		notes = append(notes, "provisional: the month is not over")
	}
	return notes
}
