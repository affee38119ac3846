package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/store"
)

func newStaffCommand(s *settings) *cobra.Command {
	return family("staff", "Heads per slot: plans against the contract, what-if scenarios, and exact Erlang",
		newStaffPlan(s), newStaffExplain(s), newStaffScenario(s), newStaffCapacity(s), newStaffPool(s), newStaffPrice(s),
		newStaffErlangCommand())
}

func newStaffPlan(s *settings) *cobra.Command {
	var f struct {
		merchant, from string
		days, seats    int
		level          float64
		newest         bool
		plot           string
		assumed        staffAssumed
	}
	cmd := &cobra.Command{
		Use: "plan", Short: "Turn forecasts into heads per slot under the contract in force on each day", Args: cobra.NoArgs,
		Long: "Turn forecasts into heads per slot under the contract in force on each day.\n\nOn days that were agreed with the client (forecast lock) what was agreed is planned, " +
			"on the others the newest forecast with its adjustments. How long replies take, how contacts come after openings, who is absent and which " +
			"tickets orders bring is read from what was measured before the first day; what nobody measured is assumed, and explain says so.",
		Example: "  chaoban staff plan --from 2026-11-01 --days 14 --level 0.9",
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, err := calendar.ParseDate(f.from)
			if err != nil {
				return err
			}
			if err := pictureName(f.plot); err != nil {
				return err
			}
			if err := noZero(cmd, "level"); err != nil {
				return err
			}
			in := pricing.PlanInput{
				Merchant: ids.Merchant(f.merchant), From: from, Days: f.days, Newest: f.newest, Options: pricing.Options{Level: f.level, MaxHeads: f.seats},
			}
			if err := f.assumed.onto(cmd, &in.Options); err != nil {
				return err
			}
			return s.with(cmd, wantEngine, func(a *app) error {
				made, err := a.ops.Pricing.MakePlans(cmd.Context(), a.who, in)
				if err != nil {
					return err
				}
				if err := plot(f.plot, func() ([]byte, error) { return a.ops.Pricing.DrawPlan(cmd.Context(), a.who, largest(made)) }); err != nil {
					return err
				}
				return s.print(cmd, made, func() { printPlans(cmd, made, a.ops.Zone()) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.merchant, "merchant", "", "only queues of this merchant")
	flags.StringVar(&f.from, "from", "", "first day")
	flags.IntVar(&f.days, "days", 14, "number of days")
	flags.Float64Var(&f.level, "level", 0.9, "demand quantile to staff at")
	flags.IntVar(&f.seats, "max-heads", 0, "most heads per queue and slot")
	f.assumed.bind(cmd)
	flags.BoolVar(&f.newest, "newest", false, "plan the newest forecast even on days that were agreed with the client")
	flags.StringVar(&f.plot, "plot", "", "picture to write, SVG; of the queue with the highest peak when there are several")
	_ = cmd.MarkFlagRequired("from") // the flag exists
	return cmd
}

// noZero refuses a typed 0 where it would stand for the default: 0 was typed to mean something else.
func noZero(cmd *cobra.Command, names ...string) error {
	var bad []fault.Field
	for _, name := range names {
		if flag := cmd.Flags().Lookup(name); flag.Changed && (flag.Value.String() == "0" || flag.Value.String() == "0s") {
			bad = append(bad, fault.Field{Path: "--" + name, Value: "0", Problem: "must be more than 0; without the flag it has its default"})
		}
	}
	return fault.Bad("cli.flags", "flags", bad)
}

// largest is the plan with the highest peak, the first of several.
func largest(made []store.Plan) (id ids.Plan) {
	peak := -1
	for _, p := range made {
		if f := pricing.FiguresOf(p); f.Peak > peak {
			id, peak = p.ID, f.Peak
		}
	}
	return id
}

func printPlans(cmd *cobra.Command, made []store.Plan, zone *time.Location) {
	rows := make([]string, 0, len(made))
	hours, peak, unmet, tips, why := 0.0, 0, 0, 0, ""
	var seats pricing.SeatFigures
	var gaps []gate.GapDays
	var agreed []string
	for _, p := range made {
		f := pricing.FiguresOf(p)
		hours += f.Hours
		unmet += f.Unmet
		for _, r := range f.Reached {
			if r.TipsAt > 0 {
				tips++
			}
		}
		gaps = append(gaps, gate.GapDays{Queue: p.Queue, Days: f.Uncovered})
		agreed = append(agreed, lockedParts(p.Queue, f.Parts, zone)...)
		if f.Peak > peak {
			peak, why = f.Peak, highest(p, f, zone)
		}
		if f.Seats != nil {
			seats.Shared, seats.Dedicated = seats.Shared+f.Seats.Shared, seats.Dedicated+f.Seats.Dedicated
			seats.Slots, seats.Below, seats.Raised = seats.Slots+f.Seats.Slots, seats.Below+f.Seats.Below, seats.Raised+f.Seats.Raised
		}
		rows = append(rows, fmt.Sprintf("%s\t%.0f\t%.0f\t%.0f\t%d\t%s", p.Queue, f.Expected, f.Contacts, f.Hours, f.Peak, f.PeakAt.In(zone).Format("01-02 15:04")))
	}
	table(cmd.OutOrStdout(), "QUEUE\tCONTACTS\tSTAFFED FOR\tHEAD-HOURS\tPEAK\tAT", rows)
	fmt.Fprintf(cmd.OutOrStdout(), "%.0f head-hours in all\nhighest: %s\n", hours, why)
	if unmet > 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "the ceiling of --max-heads cuts %d slots: their targets are missed (staff explain tells by how much)\n", unmet)
	}
	if tips > 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "%d slots hold their target only while no burst fills the desk: full agents are so slow that it would stay full (staff explain tells how many conversations that takes)\n", tips)
	}
	printSeatFigures(cmd.OutOrStdout(), seats)
	for _, line := range agreed {
		fmt.Fprintln(cmd.OutOrStdout(), line)
	}
	printFed(cmd.OutOrStdout(), made, zone)
	printGaps(cmd.OutOrStdout(), "no forecast", gaps)
}

// highest tells the slot of the most heads of a plan, and where to ask why.
func highest(p store.Plan, f pricing.PlanFigures, zone *time.Location) string {
	for i, n := range p.Requirement.Needs {
		if !n.Start.Equal(f.PeakAt) || i >= len(f.Reached) {
			continue
		}
		r, target, level := f.Reached[i], "", "the mean"
		if l := f.Options.Level; l > 0 {
			level = fmt.Sprintf("P%g", 100*l)
		}
		for _, part := range f.Parts {
			if part.Range.Contains(n.Start) {
				target = fmt.Sprintf(" within %s (target %g%%)", part.Target.Within, 100*part.Target.Share)
			}
		}
		return fmt.Sprintf("%s %s: %s for %.1f contacts in %s (%s), %.1f%%%s; why: staff explain --queue %s --at %s", p.Queue, n.Start.In(zone).Format("01-02 15:04"),
			counted(n.Heads, "agent", "agents"), r.Contacts, lengthText(p.Requirement.Slot), level, 100*r.Share, target, p.Queue, n.Start.In(zone).Format("2006-01-02T15:04"))
	}
	return ""
}

// printSeatFigures tells what the seats of contracts do to the heads.
func printSeatFigures(w io.Writer, f pricing.SeatFigures) {
	if f.Dedicated > 0 {
		fmt.Fprintf(w, "dedicated seats of contracts: %d at most, they raise %s\n", f.Dedicated, counted(f.Raised, "slot", "slots"))
	}
	if f.Shared > 0 {
		fmt.Fprintf(w, "shared seats of contracts: %d at most; in %d of %d slots a queue has fewer heads than its seats, which anybody on duty who knows it keeps (--seats all: a floor of each queue)\n",
			f.Shared, f.Below, f.Slots)
	}
}

// lockedParts says which days are planned as agreed with the client, and on which version of the forecast.
func lockedParts(queue ids.Queue, parts []pricing.PlanPart, zone *time.Location) (lines []string) {
	for i := 0; i < len(parts); i++ {
		p := parts[i]
		if p.Lock == "" {
			continue
		}
		last := p.Range.End
		for i+1 < len(parts) && parts[i+1].Lock == p.Lock {
			i++
			last = parts[i].Range.End
		}
		lines = append(lines, fmt.Sprintf("  as agreed: %s, %s to %s, lock %s on forecast %s, %d adjustments",
			queue, calendar.DateOf(p.Range.Start, zone), calendar.DateOf(last.Add(-1), zone), p.Lock, p.Forecast, len(p.Layers)))
	}
	return lines
}
