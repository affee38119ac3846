package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/store"
)

func newStaffScenario(s *settings) *cobra.Command {
	return family("scenario", "What-if plans with a name: make, price, compare, promote",
		newScenarioMake(s), newScenarioList(s), newScenarioShow(s), newScenarioDiff(s), newScenarioPromote(s), newScenarioDelete(s))
}

func newScenarioMake(s *settings) *cobra.Command {
	var f struct {
		in           pricing.ScenarioInput
		from, method string
		merchant     string
		forecasts    []string
		plot         string
		assumed      staffAssumed
	}
	cmd := &cobra.Command{
		Use: "make", Short: "Staff the days under other assumptions and keep the result with its price", Args: cobra.NoArgs,
		Long: "Staff the days under other assumptions and keep the result with its price. Nobody works by a scenario until it is promoted, and nothing changes it.",
		Example: "  chaoban staff scenario make --name d11-plan --from 2026-11-09 --days 4 --level 0.5\n" +
			"  chaoban staff scenario make --name d11-plus20 --from 2026-11-09 --days 4 --level 0.5 --volume-factor 1.2\n" +
			"  chaoban staff scenario make --name d11-pool --from 2026-11-09 --days 4 --level 0.5 --method pooled",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if f.in.From, err = calendar.ParseDate(f.from); err != nil {
				return err
			}
			if err := pictureName(f.plot); err != nil {
				return err
			}
			if err := noZero(cmd, "level", "volume-factor", "aht-factor", "min-heads"); err != nil {
				return err
			}
			if err := f.assumed.onto(cmd, &f.in.Options); err != nil {
				return err
			}
			f.in.Merchant, f.in.Method, f.in.Forecasts = ids.Merchant(f.merchant), pricing.Method(f.method), typed[ids.Forecast](f.forecasts)
			return s.with(cmd, wantEngine, func(a *app) error {
				if f.in.Method == pricing.PooledMethod {
					fmt.Fprintf(cmd.ErrOrStderr(), "pooling %s by simulation, which takes up to half a minute a day\n", counted(f.in.Days, "day", "days"))
				}
				made, err := a.ops.Pricing.MakeScenario(cmd.Context(), a.who, f.in)
				if err != nil {
					return err
				}
				return s.showScenario(cmd, a, made, f.plot)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.in.Name, "name", "", "name, without spaces")
	flags.StringVar(&f.in.Note, "note", "", "note")
	flags.StringVar(&f.merchant, "merchant", "", "only queues of this merchant")
	flags.StringSliceVar(&f.forecasts, "forecast", nil, "these forecasts, instead of what was agreed with the client or is newest")
	flags.BoolVar(&f.in.Newest, "newest", false, "the newest forecast even on days that were agreed with the client")
	flags.StringVar(&f.from, "from", "", "first day")
	flags.IntVar(&f.in.Days, "days", 14, "number of days")
	flags.Float64Var(&f.in.Level, "level", 0.9, "demand quantile to staff at")
	f.assumed.bind(cmd)
	flags.IntVar(&f.in.MinHeads, "min-heads", 0, "least heads per queue and open slot (default 1)")
	flags.IntVar(&f.in.MaxHeads, "max-heads", 0, "most heads per queue and slot")
	flags.Float64Var(&f.in.VolumeFactor, "volume-factor", 0, "contacts times this (default 1)")
	flags.Float64Var(&f.in.HandleFactor, "aht-factor", 0, "handle times times this (default 1)")
	flags.Float64Var(&f.in.TargetShare, "target-share", 0, "share within the limit instead of the contracts'; with --method margin what no slot may go below")
	flags.Float64Var(&f.in.BasketYuan, "basket", 0, "yuan of a mean order of a buyer who asked; with --conversion commission on sales is priced")
	flags.Float64Var(&f.in.Conversion, "conversion", 0, "share of answered buyers who buy")
	flags.Float64Var(&f.in.ReferenceS, "reference-s", 0, "mean first reply in seconds at which that share was seen")
	flags.Float64Var(&f.in.Elasticity, "elasticity", 0, "per cent of conversion lost per per cent of first reply time")
	flags.Float64Var(&f.in.LostContactYuan, "lost-contact", 0, "yuan that a buyer who leaves unanswered costs beside the contract")
	flags.StringVar(&f.method, "method", "", "how heads are found: each (every queue for itself), pooled (agents share queues, by simulation) or margin (largest expected margin)")
	flags.StringVar(&f.plot, "plot", "", "picture to write: the day's curve, cost and risk, SVG")
	for _, name := range []string{"name", "from"} {
		_ = cmd.MarkFlagRequired(name) // the flags exist
	}
	return cmd
}

// showScenario prints one scenario, and draws it where a file is named.
func (s *settings) showScenario(cmd *cobra.Command, a *app, one pricing.Scenario, picture string) error {
	if err := plot(picture, func() ([]byte, error) { return a.ops.Pricing.DrawScenario(cmd.Context(), a.who, string(one.ID)) }); err != nil {
		return err
	}
	return s.print(cmd, one, func() { printScenario(cmd.OutOrStdout(), one, a.ops.Zone()) })
}

func newScenarioList(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List scenarios, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				all, _, err := a.ops.Pricing.Scenarios(cmd.Context(), a.who, store.Page{Limit: 50})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, x := range all {
						promoted := "-"
						if x.Promoted != nil {
							promoted = x.Promoted.At.In(a.ops.Zone()).Format("2006-01-02 15:04")
						}
						t := x.Price.Total
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%.0f\t%.0f\t%.0f\t%s", x.Name, x.Dates.From, x.Dates.Until.Add(-1), t.HeadHours, t.WagesYuan, t.PenaltyYuan, promoted)
					}
					table(cmd.OutOrStdout(), "SCENARIO\tFROM\tTO\tHEAD-HOURS\tWAGES\tPENALTY\tPROMOTED", rows)
				})
			})
		},
	}
}

func newScenarioShow(s *settings) *cobra.Command {
	var picture string
	cmd := &cobra.Command{
		Use: "show SCENARIO", Short: "Show what a scenario needs and costs, by queue, day and contract term", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := pictureName(picture); err != nil {
				return err
			}
			return s.with(cmd, needStore, func(a *app) error {
				one, err := a.ops.Pricing.Scenario(cmd.Context(), a.who, args[0])
				if err != nil {
					return err
				}
				return s.showScenario(cmd, a, one, picture)
			})
		},
	}
	cmd.Flags().StringVar(&picture, "plot", "", "picture to write: the day's curve, cost and risk, SVG")
	return cmd
}

func printScenario(w io.Writer, x pricing.Scenario, zone *time.Location) {
	fmt.Fprintf(w, "%s (%s), %s to %s: %s\n", x.Name, x.ID, x.Dates.From, x.Dates.Until.Add(-1), assumedText(x))
	if x.Promoted != nil {
		fmt.Fprintf(w, "promoted %s by %s\n", x.Promoted.At.In(zone).Format("2006-01-02 15:04"), x.Promoted.AuthorName)
	}
	header := "\tPEAK\tHEAD-HOURS\tPAID\tOVERTIME\tHOLIDAY\tWAGES\tPENALTY\tSHARE"
	row := func(name any, c pricing.Cost) string {
		return fmt.Sprintf("%s\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%s", name, c.Peak, c.HeadHours, c.PaidHours, c.OvertimeHours, c.HolidayHours, c.WagesYuan, c.PenaltyYuan, percent(c.ExpectedShare))
	}
	var queues, days, terms []string
	for _, q := range x.Price.Queues {
		queues = append(queues, row(q.Queue, q.Cost))
	}
	table(w, "QUEUE"+header, append(queues, row("all", x.Price.Total)))
	fmt.Fprintln(w)
	for _, d := range x.Price.Days {
		days = append(days, row(d.Date, d.Cost))
	}
	table(w, "DAY"+header, days)
	fmt.Fprintln(w)
	for _, t := range x.Price.Terms {
		terms = append(terms, fmt.Sprintf("%s/%s\t%s\t%d\t%s\t%s\t%s\t%s\t%.0f\t%.0f\t%.0f\t%.0f", t.Contract, t.Term, t.Month, t.Days, termFigure(t, &t.Target),
			termFigure(t, t.AtP50), termFigure(t, t.Share), orDash(t.Kept, percent), t.MeanYuan, t.P50Yuan, t.P90Yuan, t.P95Yuan))
	}
	table(w, "TERM\tMONTH\tDAYS\tTARGET\tAT P50 DEMAND\tMEDIAN\tKEPT IN\tPENALTY\tP50\tP90\tP95", terms)
	r, t := x.Price.Risk, x.Price.Total
	fmt.Fprintf(w, "wages %.0f yuan, deductions expected %.0f (P50 %.0f, P90 %.0f, P95 %.0f): %.0f yuan in all\n", t.WagesYuan, r.MeanYuan, r.P50Yuan, r.P90Yuan, r.P95Yuan, t.WagesYuan+r.MeanYuan)
	if e := x.Price.Earned; e != nil {
		lost := ""
		if e.LostYuan > 0 {
			lost = fmt.Sprintf(", declared to cost %.0f yuan beside the contracts", e.LostYuan)
		}
		fmt.Fprintf(w, "revenue expected %.0f yuan; %.0f buyers leave before anybody answers%s\n", e.RevenueYuan, e.LostContacts, lost)
	}
	if t.OvertimeHours > 0 {
		fmt.Fprintf(w, "%.0f paid hours are beyond the %.0f ordinary ones of those who know the queues\n", t.OvertimeHours, x.Price.OrdinaryHours)
	}
	if x.Price.Pooled != nil {
		printPooled(w, *x.Price.Pooled)
	}
	if x.Price.Money != nil {
		printMoney(w, *x.Price.Money)
	}
	printWorth(w, x.Price)
}

// assumedText is method and level of a scenario and everything that differs from the defaults.
func assumedText(x pricing.Scenario) string {
	o := x.Asked.Options
	parts := []string{"method " + string(o.Method)}
	if o.Method == pricing.MarginMethod {
		parts = append(parts, "the whole distribution of the forecast")
	} else {
		parts = append(parts, fmt.Sprintf("level %g", o.Level))
	}
	for _, c := range x.Assumed() {
		switch c.Option {
		case "method", "level":
		case "people", "tickets":
			parts = append(parts, c.Option+" as given: "+c.B)
		default:
			parts = append(parts, c.Option+" "+c.B)
		}
	}
	if len(parts) == 2 {
		parts = append(parts, "all else as usual")
	}
	return strings.Join(parts, ", ")
}

// termFigure is a figure of a term in its unit; "-" where nothing is expected.
func termFigure(t pricing.TermCost, v *float64) string {
	if t.Unit == pricing.InSeconds || t.Unit == "" && t.Target > 1 { // a scenario of a release that did not keep the unit
		return orDash(v, func(seconds float64) string { return fmt.Sprintf("%.1f s", seconds) })
	}
	return orDash(v, percent)
}

func orDash(v *float64, text func(float64) string) string {
	if v == nil {
		return "-"
	}
	return text(*v)
}

func newScenarioDiff(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "diff A B", Short: "Compare two scenarios: heads, cost and risk, by queue and day", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				d, err := a.ops.Pricing.DiffScenarios(cmd.Context(), a.who, args[0], args[1])
				if err != nil {
					return err
				}
				return s.print(cmd, d, func() { printDiff(cmd.OutOrStdout(), d) })
			})
		},
	}
}

func printDiff(w io.Writer, d pricing.ScenarioDiff) {
	for _, o := range d.Options {
		fmt.Fprintf(w, "%s: %s -> %s\n", o.Option, o.A, o.B)
	}
	if !d.SameDays {
		fmt.Fprintf(w, "%s is about %s to %s, %s about %s to %s, or they have other queues: what differs would say nothing, so no difference is drawn\n",
			d.A.Name, d.A.Dates.From, d.A.Dates.Until.Add(-1), d.B.Name, d.B.Dates.From, d.B.Dates.Until.Add(-1))
		return
	}
	header := "\tPEAK\tHEAD-HOURS\tPAID\tOVERTIME\tWAGES\tPENALTY\tSHARE"
	row := func(name any, c pricing.Cost) string {
		return fmt.Sprintf("%s\t%+d\t%+.0f\t%+.0f\t%+.0f\t%+.0f\t%+.0f\t%+.1f", name, c.Peak, c.HeadHours, c.PaidHours, c.OvertimeHours, c.WagesYuan, c.PenaltyYuan, 100*c.ExpectedShare)
	}
	var queues, days []string
	for _, q := range d.Queues {
		queues = append(queues, row(q.Key, q.Change))
	}
	table(w, "QUEUE"+header, append(queues, row("all", d.Total.Change)))
	fmt.Fprintln(w)
	for _, x := range d.Days {
		days = append(days, row(x.Key, x.Change))
	}
	table(w, "DAY"+header, days)
	t, r := d.Total, d.Risk
	fmt.Fprintf(w, "\nwages %.0f -> %.0f yuan, deductions expected %.0f -> %.0f, P90 %.0f -> %.0f, P95 %.0f -> %.0f\n",
		t.A.WagesYuan, t.B.WagesYuan, r.A.MeanYuan, r.B.MeanYuan, r.A.P90Yuan, r.B.P90Yuan, r.A.P95Yuan, r.B.P95Yuan)
	x := d.Earned
	if x == nil {
		fmt.Fprintf(w, "%s costs %+.0f yuan against %s in wages and deductions; what it earns is not known, one of them was made by an older release\n", d.B.Name, t.B.TotalYuan()-t.A.TotalYuan(), d.A.Name)
		return
	}
	lost := "which no contract deducts and nothing here prices (--lost-contact)"
	if x.A.LostYuan+x.B.LostYuan > 0 {
		lost = fmt.Sprintf("declared to cost %.0f -> %.0f yuan", x.A.LostYuan, x.B.LostYuan)
	}
	fmt.Fprintf(w, "revenue %.0f -> %.0f yuan; buyers who leave unanswered %.0f -> %.0f, %s; within the limit %s -> %s\n",
		x.A.RevenueYuan, x.B.RevenueYuan, x.A.LostContacts, x.B.LostContacts, lost, percent(t.A.ExpectedShare), percent(t.B.ExpectedShare))
	fmt.Fprintf(w, "%s brings %+.0f yuan against %s: revenue less wages and deductions\n", d.B.Name, d.NetYuan, d.A.Name)
}

func newScenarioPromote(s *settings) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "promote SCENARIO", Short: "Make the plans of a scenario the ones in force", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				done, err := a.ops.Pricing.PromoteScenario(cmd.Context(), a.who, args[0], reason)
				if err != nil {
					return err
				}
				return s.print(cmd, done, func() {
					queues := make([]string, len(done.Plans))
					for i, p := range done.Plans {
						queues[i] = string(p.Queue)
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%s promoted: %d plans in force, %s\n", done.Name, len(done.Plans), strings.Join(queues, ", "))
				})
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why the scenario holds over plans that are newer than it")
	return cmd
}

func newScenarioDelete(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "delete SCENARIO", Short: "Take a scenario away that was not promoted", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				if err := a.ops.Pricing.DeleteScenario(cmd.Context(), a.who, args[0]); err != nil {
					return err
				}
				return s.print(cmd, map[string]string{"deleted": args[0]}, func() { fmt.Fprintf(cmd.OutOrStdout(), "%s deleted\n", args[0]) })
			})
		},
	}
}
