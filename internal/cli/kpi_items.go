package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/kpi"
)

// newKPIItems opens a figure into what was counted, and what was left out and why.
func newKPIItems(s *settings) *cobra.Command {
	var f kpiFlags
	var metric, cursor string
	var limit int
	cmd := &cobra.Command{
		Use: "items", Short: "List what is behind a figure: each thing counted, or left out and why", Args: cobra.NoArgs,
		Example: "  chaoban kpi items --metric tmall.human_3min --from 2026-11-10 --to 2026-11-10 --shop lumi-tmall",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				span, err := dayRange(f.from, f.to, f.month, a.ops.Zone())
				if err != nil {
					return err
				}
				if limit < 1 {
					return fault.New(fault.Invalid, "cli.usage", "--limit must be 1 or more")
				}
				items, next, err := a.ops.Measuring.Items(cmd.Context(), a.who, measuring.ItemQuery{
					Metric: kpi.Metric(metric), Version: f.version, Range: span, Merchants: typed[ids.Merchant](f.merchants),
					Shops: typed[ids.Shop](f.shops), Queues: typed[ids.Queue](f.queues), Agents: typed[ids.Agent](f.agents),
				}, operations.Page{Cursor: cursor, Limit: limit})
				if err != nil {
					return err
				}
				return s.print(cmd, itemPage{items, next}, func() { printItems(cmd, items, next, a.ops.Zone()) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&metric, "metric", "", "metric id (see kpi metrics)")
	flags.StringVar(&f.version, "version", "", "version of the definition; default: the one in force on each day")
	f.spanFlags(cmd)
	f.filterFlags(cmd)
	flags.StringVar(&cursor, "cursor", "", "go on after an earlier page")
	flags.IntVar(&limit, "limit", 50, "about how many lines; a conversation is not torn")
	_ = cmd.MarkFlagRequired("metric") // the flag exists
	return cmd
}

// itemPage is the JSON of kpi items.
type itemPage struct {
	Items []measuring.Item `json:"items"`
	Next  string           `json:"next,omitempty"`
}

func printItems(cmd *cobra.Command, items []measuring.Item, next string, zone *time.Location) {
	rows := make([]string, len(items))
	for i, x := range items {
		counts := fmt.Sprintf("%.10g/%.10g", x.Numerator, x.Denominator)
		if x.Left != "" {
			counts = "left out: " + x.Left
		}
		rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%.3f\t%s\t%s", x.At.In(zone).Format("2006-01-02 15:04:05"), x.Shop, x.Conversation, x.Agent,
			clock(x.Start, zone), clock(x.Stop, zone), x.Seconds, counts, x.Version)
	}
	table(cmd.OutOrStdout(), "AT\tSHOP\tCONVERSATION\tAGENT\tCLOCK STARTS\tREPLY\tSECONDS\tCOUNTS\tDEFINITION", rows)
	if next != "" {
		fmt.Fprintf(cmd.OutOrStdout(), "more: --cursor %s\n", next)
	}
}

// clock is an instant of the day, "-" when there was none.
func clock(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(zone).Format("15:04:05.000")
}
