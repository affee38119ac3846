package cli

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/scheduling"
)

func newStaffExplain(s *settings) *cobra.Command {
	var f struct{ queue, plan, at, plot string }
	cmd := &cobra.Command{
		Use: "explain", Short: "Open one slot of a plan: demand, handling time, model, contract term, and what a head more or less does", Args: cobra.NoArgs,
		Example: "  chaoban staff explain --queue lumi-tmall/pre --at 2026-11-10T20:00",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.queue == "" && f.plan == "" {
				return fault.New(fault.Invalid, "cli.flags", "name a queue with --queue, or a plan with --plan")
			}
			if err := pictureName(f.plot); err != nil {
				return err
			}
			return s.with(cmd, needStore, func(a *app) error {
				at, err := parseInstant(f.at, a.ops.Zone())
				if err != nil {
					return err
				}
				in := pricing.ExplainInput{Plan: ids.Plan(f.plan), Queue: ids.Queue(f.queue), At: at}
				e, err := a.ops.Pricing.Explain(cmd.Context(), a.who, in)
				if err != nil {
					return err
				}
				if err := plot(f.plot, func() ([]byte, error) { return a.ops.Pricing.DrawSlot(cmd.Context(), a.who, in) }); err != nil {
					return err
				}
				return s.print(cmd, e, func() { printExplanation(cmd.OutOrStdout(), e, a.ops.Zone()) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.queue, "queue", "", "the newest plan of this queue that covers the time")
	flags.StringVar(&f.plan, "plan", "", "this plan")
	flags.StringVar(&f.at, "at", "", "any time of the slot: 2026-11-10T20:00")
	flags.StringVar(&f.plot, "plot", "", "picture to write: service against heads and the day, SVG")
	_ = cmd.MarkFlagRequired("at") // the flag exists
	return cmd
}

// pictureName refuses, before anything is computed, a name of another kind of file and a folder that is not
// there. "" is no file.
func pictureName(name string) error {
	if name == "" {
		return nil
	}
	if !strings.EqualFold(name[max(0, len(name)-4):], ".svg") {
		return fault.New(fault.Invalid, "cli.file", "--plot %s: what is written is a picture in SVG; give a name that ends in .svg", name)
	}
	return folderOf("--plot", name)
}

// plot draws and writes a picture, where one is asked for.
func plot(name string, draw func() ([]byte, error)) error {
	if name == "" {
		return nil
	}
	svg, err := draw()
	if err != nil {
		return err
	}
	return writeFile(name, func(w io.Writer) error { _, err := w.Write(svg); return err })
}

func printExplanation(w io.Writer, e pricing.Explanation, zone *time.Location) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-11s %s\n", name, fmt.Sprintf(format, args...))
	}
	clock := func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04") }
	fmt.Fprintf(w, "%s %s, %s: %s, %.1f paid\n", e.Queue, clock(e.Start), lengthText(e.Slot), counted(e.Need.Heads, "head", "heads"), e.Need.Paid)
	from := ""
	if e.Scenario != "" {
		from = ", promoted from scenario " + string(e.Scenario)
	}
	line("plan", "%s of %s%s, method %s", e.Plan, clock(e.CreatedAt), from, e.Options.Method)
	printDemand(line, e, clock)
	h := e.Handling
	line("AHT", "%s, from %s", lengthText(h.HandleTime.Round(time.Second)), times(e.Options.HandleFactor, h.Source))
	printPace(line, h)
	printModel(line, e)
	for i, r := range e.Around {
		name := ""
		if i == 0 {
			name = "heads"
		}
		wait := "waits grow without end"
		if r.WaitSeconds >= 0 {
			wait = fmt.Sprintf("a free agent after %.1f s", r.WaitSeconds)
		}
		line(name, "%d: %.1f%% within %s, %.1f%% leave, occupancy %.0f%%, %s", r.Heads, 100*r.Share, lengthText(e.Target.Within), 100*r.Abandon, 100*r.Occupancy, wait)
	}
	if e.Rounding.Model == "chats" {
		line("", "within %s is until the first reply is written, a free agent only until somebody takes the chat", lengthText(e.Target.Within))
	}
	if r, steady := e.Reached, e.Around[max(0, len(e.Around)-2)]; math.Abs(r.Share-steady.Share) > 0.001 {
		after := "after the slots before it"
		if len(e.Demand.Rushes) > 0 {
			after = "in the rush"
		}
		if r.Fewer > 0 {
			line("", "%d %s: %.1f%% within %s", r.Heads-1, after, 100*r.Fewer, lengthText(e.Target.Within))
		}
		line("", "%d %s: %.1f%% within %s, %.1f%% leave, occupancy %.0f%%", r.Heads, after, 100*r.Share, lengthText(e.Target.Within), 100*r.Abandon, 100*r.Occupancy)
		if r.Share > steady.Share && len(e.Demand.Rushes) > 0 {
			line("", "the slot begins with agents who are still free, and its crowd thins out before the end: better than such contacts all the time")
		}
	}
	if r := e.Reached; r.TipsAt > 0 {
		line("burst risk", "full agents are so slow here that a full desk stays full: %d conversations at once tip it over (it has %.0f on average), then %.1f%% are within %s until fewer come",
			r.TipsAt, r.Open*float64(r.Heads)+r.Queue, 100*r.TippedShare, e.Target.Within)
	}
	printTickets(line, e, clock)
	printShrinkage(line, e)
	printTerm(line, e)
	printValue(line, e.Marginal, clock)
	if len(e.Need.Worth) > 0 {
		line("worth", "%s", worthText(e.Need))
	}
}

// worthText tells the curve that a roster goes by.
func worthText(n scheduling.Need) string {
	var steps []string
	from := 1
	for _, s := range n.Worth {
		who := fmt.Sprintf("heads %d-%d", from, s.Heads)
		if s.Heads == from {
			who = fmt.Sprintf("head %d", from)
		}
		steps = append(steps, fmt.Sprintf("%s %.2f", who, s.Value))
		from = s.Heads + 1
	}
	return fmt.Sprintf("%.2f yuan are lost in this slot with nobody; each of %s", n.Saved(float64(n.Heads)), strings.Join(steps, ", "))
}

// printValue tells what a head is worth here, by the engine that prices scenarios.
func printValue(line func(name, format string, args ...any), m pricing.Marginal, clock func(time.Time) string) {
	line("value", "one more head brings %.2f yuan in this slot, the last one %.2f; a head more costs %.2f with what is away and overtime", m.OneMoreYuan, m.LastYuan, m.CostYuan)
	if b := m.Block; b != nil {
		line("", "one more from %s to %s costs %.0f, avoids %.0f of expected deductions and earns %.0f: net %+.0f, it %s", clock(b.Range.Start), clock(b.Range.End)[11:], b.CostYuan, b.AvoidedYuan, b.EarnedYuan, b.NetYuan, paysText(b.NetYuan > 0))
	}
	line("", "expected over %s to %s, %s of these days together; ladders step, so a quarter hour alone may move nothing", m.Dates.From, m.Dates.Until.Add(-1), counted(m.Queues, "plan", "plans"))
}

// times notes that a figure was multiplied.
func times(factor float64, what string) string {
	if factor != 1 {
		return fmt.Sprintf("%s, times %g", what, factor)
	}
	return what
}

func printDemand(line func(name, format string, args ...any), e pricing.Explanation, clock func(time.Time) string) {
	d := e.Demand
	line("forecast", "%s of %s, %s", d.Forecast, clock(d.MadeAt), d.Model)
	if d.Lock != nil {
		with := ""
		if d.Lock.AgreedWith != "" {
			with = " with " + d.Lock.AgreedWith
		}
		line("agreed", "lock %s, agreed%s on %s", d.Lock.ID, with, d.Lock.AgreedOn)
	}
	for _, l := range d.Layers {
		line("adjusted", "%.1f to %.1f contacts, %s by %s: %s", l.Before, l.After, l.Layer, l.Author, l.Reason)
	}
	if d.Others > 0 {
		line("", "%d more in force do not touch this slot", d.Others)
	}
	var quantiles []string
	for _, q := range d.Quantiles {
		quantiles = append(quantiles, fmt.Sprintf("P%.4g %.1f", 100*q.Level, q.Contacts))
	}
	before := ""
	if d.Mean != d.Computed {
		before = fmt.Sprintf(" (computed %.1f)", d.Computed)
	}
	line("demand", "mean %.1f%s, %s contacts in %s", d.Mean, before, strings.Join(quantiles, ", "), times(e.Options.VolumeFactor, lengthText(d.Slot)))
	level := "the mean"
	if d.Level > 0 {
		level = fmt.Sprintf("P%.4g", 100*d.Level)
	}
	line("staffed", "at %s: %.1f contacts", level, d.Contacts)
	for _, r := range d.Rushes {
		line("opening", "%s of %s: %s", clock(r.At), r.Family, rushText(r))
	}
}

func printModel(line func(name, format string, args ...any), e pricing.Explanation) {
	t, r := e.Target, e.Rounding
	switch r.Model {
	case "chats":
		slower := fmt.Sprintf("%g%% slower per further chat", 100*t.Slowdown)
		if n := len(t.Slow); n > 0 {
			slower = fmt.Sprintf("replies take x%.2f with %d open", t.Slow[n-1], n)
		}
		line("model", "chats, up to %d at once, %.3g%% own work, %g rounds (%s), %s, patience %s",
			t.Concurrency, 100*t.Overhead, t.Rounds, e.Handling.Rounds, slower, lengthText(t.Patience))
	case "erlang_a":
		line("model", "calls, who waits leaves after %s on average (Erlang A)", lengthText(t.Patience))
	default:
		line("model", "calls, nobody leaves (Erlang C)")
	}
	exact := ""
	if r.Fractional > 0 {
		exact = fmt.Sprintf("; %.2f heads would just do", r.Fractional)
	}
	bound := ""
	switch r.Bound {
	case "seats":
		bound = fmt.Sprintf("; seats that are promised raise it to %d", r.Heads)
	case "floor":
		bound = fmt.Sprintf("; the floor raises it to %d", r.Heads)
	case "rush":
		bound = fmt.Sprintf("; the opening makes it %d", r.Heads)
	case "backlog":
		bound = fmt.Sprintf("; what the slots before leave behind makes it %d", r.Heads)
	case string(pricing.PooledMethod), string(pricing.MarginMethod):
		bound = fmt.Sprintf(" for the queue by itself; method %s: %s", r.Bound, e.Need.Reason)
	case "ceiling":
		if r.Wanted > r.Needed {
			bound = fmt.Sprintf("; what comes before or at the opening makes it %d", r.Wanted)
		}
		bound += fmt.Sprintf("; the ceiling cuts it to %d", r.Heads)
		if !e.Reached.Met {
			bound += " and the target is missed"
		}
	}
	printSeats(line, e)
	load := "agents busy on average"
	if r.Model == "chats" {
		load = "chats open on average"
	}
	line("rounding", "%.1f %s%s; %d is the least whole number for %.4g%% within %s%s", r.Erlangs, load, exact, r.Needed, 100*t.Share, lengthText(t.Within), bound)
}

// printSeats tells what contracts promise in this slot, and what the plan makes of it.
func printSeats(line func(name, format string, args ...any), e pricing.Explanation) {
	for _, s := range e.Rounding.Seats {
		kind, counts := "shared", "anybody on duty who knows the queue keeps them, so they raise no queue by itself (--seats all)"
		if s.Dedicated {
			kind, counts = "dedicated", "people who serve nothing else, a floor of the heads"
		}
		switch {
		case e.Options.Seats == pricing.NoSeats:
			counts = "left out, as asked for"
		case e.Options.Method == pricing.PooledMethod && !s.Dedicated:
			counts = "kept by anybody of the pool who knows the queue"
		case e.Options.Seats == pricing.AllSeats:
			counts = "a floor of the heads"
		}
		line("seats", "%d %s of contract %s version %d, %s: %s", s.Count, kind, s.Contract, s.Version, s.Window, counts)
	}
}

func printTerm(line func(name, format string, args ...any), e pricing.Explanation) {
	if e.Agreed == nil {
		line("contract", "no term about first response: the target is assumed and a missed contact has no price")
		return
	}
	a := e.Agreed
	line("contract", "%s version %d, term %s: %s within %s, at least %.4g%% (%s)", a.Contract, a.Version, a.Term, a.Says.Metric, a.Says.Within, 100*a.Says.Target, a.Title)
	switch {
	case e.Options.TargetShare == 0:
	case e.Options.Method == pricing.MarginMethod:
		line("", "no slot may expect less than %.4g%% within it, as asked for", 100*e.Options.TargetShare)
	default:
		line("", "the target is %.4g%% instead, as asked for", 100*e.Options.TargetShare)
	}
	var steps []string
	for _, step := range a.Says.Ladder {
		steps = append(steps, fmt.Sprintf("%s from %.3g points on", step.Deduct, 100*step.Miss))
	}
	if len(steps) == 0 {
		line("ladder", "none: a miss is not deducted")
		return
	}
	line("ladder", "%s, of a monthly fee of %.0f yuan; %.2f yuan per contact that may just be missed", strings.Join(steps, ", "), a.FeeYuan, a.PerMissedYuan)
}
