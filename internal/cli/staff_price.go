package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/staffing/margin"
)

// priced is what `staff price` answers.
type priced struct {
	Result margin.Result     `json:"result"`
	Fresh  margin.Outcome    `json:"fresh_outcome"` // of the same plan under scenarios that the search has not seen
	Levels []margin.Level    `json:"levels"`        // cost against risk around the plan
	Best   []margin.Marginal `json:"best_blocks"`   // where one head more earns most
	Worst  []margin.Marginal `json:"worst_blocks"`  // where a head earns least
	Asked  *margin.Marginal  `json:"asked_block,omitempty"`
}

// askedBlock is a block of heads whose worth is asked for.
type askedBlock struct {
	queue       string
	from, until string
	heads       int
}

// price reads the block and prices it on top of a plan; nil when none is asked for.
func (a askedBlock) price(ctx context.Context, m *margin.Model, p margin.Plan) (*margin.Marginal, error) {
	if a.queue == "" {
		return nil, nil //nolint:nilnil // nothing was asked
	}
	var bad []fault.Field
	at := func(path, text string) time.Time {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			bad = append(bad, fault.Field{Path: path, Value: fault.Shorten(text), Problem: "must be an instant such as 2026-11-10T19:00:00+08:00"})
		}
		return t
	}
	from, until := at("from", a.from), at("until", a.until)
	if len(bad) == 0 && !from.Before(until) {
		bad = append(bad, fault.Field{Path: "until", Value: a.until, Problem: "must be after from"})
	}
	if err := fault.Bad("staff.block", "block", bad); err != nil {
		return nil, err
	}
	x, err := m.Block(ctx, p, ids.Queue(a.queue), from, until, a.heads)
	return &x, err
}

// priceFile is a margin.Input in which a slot length of 0 is not the same as none.
type priceFile struct {
	margin.Input
	SlotMin *int `json:"slot_min"`
}

func (f priceFile) input() (margin.Input, error) {
	in := f.Input
	if f.SlotMin == nil {
		return in, nil
	}
	if in.SlotMin = *f.SlotMin; in.SlotMin == 0 {
		return in, fault.Bad("margin.input", "input", []fault.Field{{Path: "slot_min", Value: "0", Problem: "must be 5 to 60 minutes; left out it is 15"}})
	}
	return in, nil
}

// riskMultiples are how dear service is taken to be, as multiples of what it is worth, along the curve of cost
// against risk.
var riskMultiples = []float64{0, 0.5, 1, 2, 4}

func newStaffPrice(s *settings) *cobra.Command {
	var f struct {
		in    string
		hours float64
		show  int
		block askedBlock
	}
	cmd := &cobra.Command{
		Use: "price", Short: "Staff for expected margin: wages, prices and penalties under the forecast distribution", Args: cobra.NoArgs,
		Long: "Staff for expected margin: wages, prices and penalties under the forecast distribution, from a file of values\n" +
			"(JSON or YAML). Tells the plan, what it earns under fresh scenarios, cost against risk, and what single blocks are worth.",
		Example: "  chaoban staff price --in scheduling/staffing/margin/testdata/example.json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var file priceFile
			if err := readProblem(cmd.InOrStdin(), "--in", f.in, &file); err != nil {
				return err
			}
			in, err := file.input()
			if err != nil {
				return err
			}
			if days := in.Until.Sub(in.From); !(f.hours > 0) || days > 0 && f.hours > 24*float64(days) {
				return fault.Bad("cli.flags", "flags", []fault.Field{{Path: "--hours", Value: fmt.Sprint(f.hours), Problem: fmt.Sprintf("must be above 0 and at most the %d h of the days in the file", 24*days)}})
			}
			ctx := cmd.Context()
			m, err := margin.New(ctx, in)
			if err != nil {
				return err
			}
			var out priced
			if out.Result, err = m.Optimise(ctx); err != nil {
				return err
			}
			fresh, err := m.Fresh(ctx, in.Seed+1)
			if err != nil {
				return err
			}
			if out.Fresh, err = fresh.Evaluate(ctx, out.Result.Plan); err != nil {
				return err
			}
			if out.Levels, err = m.Around(ctx, out.Result, riskMultiples); err != nil {
				return err
			}
			if out.Best, out.Worst, err = m.Marginals(ctx, out.Result.Plan, f.hours, f.show); err != nil {
				return err
			}
			if out.Asked, err = f.block.price(ctx, m, out.Result.Plan); err != nil {
				return err
			}
			return s.print(cmd, out, func() { printPriced(cmd.OutOrStdout(), in, out) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.in, "in", "", "file of values, JSON or YAML; - reads standard input")
	flags.Float64Var(&f.hours, "hours", 4, "length of the blocks that are priced")
	flags.IntVar(&f.show, "show", 5, "how many best and worst blocks")
	flags.StringVar(&f.block.queue, "queue", "", "price one more block of this queue; with --from and --until")
	flags.StringVar(&f.block.from, "from", "", "start of that block, RFC 3339")
	flags.StringVar(&f.block.until, "until", "", "its end")
	flags.IntVar(&f.block.heads, "heads", 1, "its heads; negative = fewer")
	return cmd
}

// printHeads tells the heads of every queue by day, times with as many heads as one.
func printHeads(w io.Writer, in margin.Input, p margin.Plan) {
	zone, err := time.LoadLocation(cmp.Or(in.Location, "Asia/Shanghai")) // the engine has read it
	if err != nil {
		return
	}
	slot := time.Duration(cmp.Or(in.SlotMin, 15)) * time.Minute
	var rows []string
	for i, q := range p.Queues {
		slots := in.Queues[i].Demand.Slots
		for j := 0; j < len(slots); {
			from := slots[j].Start.In(zone)
			day, runs := from.Format("2006-01-02"), []string(nil)
			for j < len(slots) && slots[j].Start.In(zone).Format("2006-01-02") == day {
				k := j + 1
				for k < len(slots) && q.Heads[k] == q.Heads[j] && slots[k].Start.Equal(slots[k-1].Start.Add(slot)) && slots[k].Start.In(zone).Format("2006-01-02") == day {
					k++
				}
				runs = append(runs, fmt.Sprintf("%s-%s %d", slots[j].Start.In(zone).Format("15:04"), slots[k-1].Start.Add(slot).In(zone).Format("15:04"), q.Heads[j]))
				j = k
			}
			rows = append(rows, fmt.Sprintf("%s\t%s\t%s", q.Queue, day, strings.Join(runs, ", ")))
		}
	}
	table(w, "QUEUE\tDAY\tHEADS", rows)
	fmt.Fprintln(w)
}

func printPriced(w io.Writer, in margin.Input, x priced) {
	printHeads(w, in, x.Result.Plan)
	var queues []string
	for _, q := range x.Fresh.Queues {
		queues = append(queues, fmt.Sprintf("%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f", q.Queue, q.HeadHours, q.WageYuan, q.Revenue.Mean, q.Penalty.Mean, q.Bonus.Mean, q.Margin.Mean))
	}
	table(w, "QUEUE\tHEAD-HOURS\tWAGES\tREVENUE\tPENALTY\tBONUS\tMARGIN", queues)
	o := x.Fresh
	fmt.Fprintf(w, "margin %.0f yuan (standard error %.0f): revenue %.0f, wages %.0f, penalty %.0f (P50 %.0f, P90 %.0f, P95 %.0f)\n\n",
		o.Margin.Mean, o.Margin.SE, o.Revenue.Mean+o.Bonus.Mean, o.WageYuan, o.Penalty.Mean, o.Penalty.P50, o.Penalty.P90, o.Penalty.P95)
	var levels []string
	for _, l := range x.Levels {
		levels = append(levels, fmt.Sprintf("%s\t%.0f\t%.0f\t%s\t%.0f\t%.0f\t%.0f\t%.0f", l.Name, l.HeadHours, l.WageYuan, percent(l.Service), l.Penalty.Mean, l.Penalty.P90, l.Penalty.P95, l.Margin.Mean))
	}
	table(w, "STAFFING\tHEAD-HOURS\tWAGES\tSERVICE\tPENALTY\tP90\tP95\tMARGIN", levels)
	if x.Asked != nil {
		fmt.Fprintln(w, x.Asked.Text)
	}
	for _, b := range x.Best {
		fmt.Fprintf(w, "more:  %s\n", b.Text)
	}
	for _, b := range x.Worst {
		fmt.Fprintf(w, "fewer: %s\n", b.Text)
	}
}
