package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/calendar"
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
				q := measuring.ItemQuery{
					Metric: kpi.Metric(metric), Version: f.version, Range: span, Merchants: typed[ids.Merchant](f.merchants),
					Shops: typed[ids.Shop](f.shops), Queues: typed[ids.Queue](f.queues), Agents: typed[ids.Agent](f.agents),
				}
				done := waiting(cmd, "reading the conversations behind the figure")
				items, next, err := a.ops.Measuring.Items(cmd.Context(), a.who, q, operations.Page{Cursor: cursor, Limit: limit})
				done()
				if err != nil {
					return err
				}
				if s.json {
					return s.print(cmd, itemPage{items, next}, nil)
				}
				definition, err := countedBy(cmd, a, items)
				if err != nil {
					return err
				}
				printItems(cmd, definition, items, next, a.ops.Zone())
				return printFold(cmd, a, q, definition, items)
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

// countedBy is the definition of the first line; the zero definition when there is none.
func countedBy(cmd *cobra.Command, a *app, items []measuring.Item) (kpi.Definition, error) {
	if len(items) == 0 {
		return kpi.Definition{}, nil
	}
	all, err := a.ops.Measuring.Metrics(cmd.Context(), a.who)
	if err != nil {
		return kpi.Definition{}, err
	}
	return kpi.Definitions(all).Version(items[0].Metric, items[0].Version)
}

func printItems(cmd *cobra.Command, d kpi.Definition, items []measuring.Item, next string, zone *time.Location) {
	buyers := d.Base == kpi.BaseBuyerDay
	head := []string{"AT", "SHOP", "CONVERSATION", "AGENT", "CLOCK STARTS", stopHead(d), "SECONDS", "COUNTS", "DEFINITION"}
	if buyers {
		head = slices.Insert(head, 2, "BUYER")
	}
	rows := make([]string, len(items))
	for i, x := range items {
		counts := fmt.Sprintf("%.10g/%.10g", x.Numerator, x.Denominator)
		if x.Left != "" {
			counts = "left out: " + x.Left
		}
		seconds := fmt.Sprintf("%.3f", x.Seconds)
		if x.Stop.IsZero() && x.Seconds == 0 {
			seconds = "-" // there was no reply to measure
		}
		cells := []string{
			x.At.In(zone).Format("2006-01-02 15:04:05"), string(x.Shop), x.Conversation, string(x.Agent),
			clock(x.Start, x.At, zone), clock(x.Stop, x.At, zone), seconds, counts, x.Version,
		}
		if buyers {
			cells = slices.Insert(cells, 2, x.Buyer)
		}
		rows[i] = strings.Join(cells, "\t")
	}
	table(cmd.OutOrStdout(), strings.Join(head, "\t"), rows)
	if next != "" {
		fmt.Fprintf(cmd.OutOrStdout(), "more: --cursor %s\n", next)
	}
}

// stopHead names what stops the clock of a definition's items.
func stopHead(d kpi.Definition) string {
	switch {
	case d.Base == kpi.BaseTicket:
		return "CLOSED"
	case d.Base == kpi.BaseInquiry && d.Rule != nil:
		return cmp.Or(map[string]string{"order": "ORDERED", "payment": "PAID", "shipment": "SHIPPED"}[d.Rule.Order], "-")
	}
	return "REPLY"
}

// printFold says under rounds how a figure of buyers is made of them: they do not add up to it.
func printFold(cmd *cobra.Command, a *app, q measuring.ItemQuery, d kpi.Definition, items []measuring.Item) error {
	if d.Base != kpi.BaseBuyerDay {
		return nil
	}
	readings, err := a.ops.Measuring.Figures(cmd.Context(), a.who, kpi.Query{
		Metrics: []kpi.Metric{q.Metric}, Version: q.Version, Grain: kpi.Whole, Range: q.Range,
		Merchants: q.Merchants, Shops: q.Shops, Queues: q.Queues, Agents: q.Agents,
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), foldLine(d, readings, items))
	return nil
}

// foldLine says how many rounds of how many buyers a page shows, and how a buyer's rounds make the figure.
func foldLine(d kpi.Definition, readings []kpi.Reading, items []measuring.Item) string {
	type day struct{ shop, buyer, date string }
	rounds, days := 0, map[day]bool{}
	for _, x := range items {
		if x.Left == "" {
			rounds++
			days[day{string(x.Shop), x.Buyer, x.Date.String()}] = true
		}
	}
	rule, figure := d.Rule.WithDefaults(), ""
	for _, r := range readings {
		figure = fmt.Sprintf("%.10g of %.10g", r.Numerator, r.Denominator)
		if rule.Measure == kpi.Items {
			figure = fmt.Sprintf("%.10g", r.Numerator)
		}
	}
	how := "counts when the first round of the day does"
	switch {
	case rule.Measure == kpi.Items:
		how = "counts once however many rounds the day has"
	case rule.Judge == "every":
		how = "counts when every round of the day does"
	}
	return fmt.Sprintf("%d rounds of %d buyers above; %s counts buyers, one of one shop once a day: %s; a buyer %s", rounds, len(days), d.Metric, figure, how)
}

// clock is an instant of the day, with the date when that is another than the item's, "-" when there was none.
func clock(t, at time.Time, zone *time.Location) string {
	switch {
	case t.IsZero():
		return "-"
	case calendar.DateOf(t, zone) != calendar.DateOf(at, zone):
		return t.In(zone).Format("2006-01-02 15:04:05.000")
	}
	return t.In(zone).Format("15:04:05.000")
}
