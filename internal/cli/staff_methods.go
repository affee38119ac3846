package cli

import (
	"fmt"
	"io"

	"github.com/chaoban/chaoban/internal/operations/pricing"
)

// printPooled tells what sharing agents saves.
func printPooled(w io.Writer, p pricing.Pooled) {
	judged := func(verified bool) string {
		if verified {
			return "yes"
		}
		return "NO"
	}
	var days, queues []string
	for _, d := range p.Days {
		days = append(days, fmt.Sprintf("%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%s\t%s", d.Date, d.PoolHours, d.EachHours, d.PartsHours, d.SeatHours, d.FurtherHours, judged(d.Verified), judged(d.Parts)))
	}
	fmt.Fprintln(w)
	table(w, "DAY\tPOOL HOURS\tEACH\tALONE WITH SEATS\tSEATS ONLY\tFURTHER PEOPLE\tPOOL VERIFIED\tALONE VERIFIED", days)
	for _, q := range p.Queues {
		queues = append(queues, fmt.Sprintf("%s\t%s\t%s\t%s\t%d\t%s\t%s\t%d", q.Queue, percent(q.Goal), percent(q.Pool.Share), percent(q.Pool.Low), q.Pool.ShortOf, percent(q.Parts.Share), percent(q.Parts.Low), q.Parts.ShortOf))
	}
	fmt.Fprintln(w)
	table(w, "QUEUE\tGOAL\tIN THE POOL\tAT LEAST\tSLOTS SHORT\tALONE\tAT LEAST\tSLOTS SHORT", queues)
	verified := "verified by simulation"
	if !p.Verified {
		verified = "NOT verified: some half hour misses its goal in simulation"
	}
	if !p.Parts {
		verified += "; alone some half hour still misses it, so the queues would need even more"
	}
	fmt.Fprintf(w, "pool %.1f head-hours with every promised seat; %s\n", p.PoolHours, verified)
	if p.EachHours > 0 { // older scenarios do not have it
		saved, share := "fewer", (p.EachHours-p.PoolHours)/p.EachHours
		if share < 0 {
			saved, share = "more", -share
		}
		fmt.Fprintf(w, "method each staffs these days with %.1f, where shared seats raise no queue: the pool has %s %s\n", p.EachHours, percent(share), saved)
	}
	fmt.Fprintf(w, "the queues alone, each with its seats, need %.1f: the pool saves %.1f (%s); %.1f of them are seats beyond the contacts\n", p.PartsHours, p.SavedHours, percent(p.SavedShare), p.SeatHours)
	if p.FurtherHours > 0 {
		fmt.Fprintf(w, "%.1f hours of the pool are beyond the people who know the queues\n", p.FurtherHours)
	}
}

// printMoney tells what a staffing for expected margin earns.
func printMoney(w io.Writer, m pricing.Money) {
	fmt.Fprintf(w, "\nmargin %.0f yuan (standard error %.0f) under fresh scenarios: revenue %.0f, wages %.0f, penalty %.0f (P50 %.0f, P90 %.0f, P95 %.0f)\n",
		m.MarginYuan, m.StandardErrorYuan, m.RevenueYuan, m.WageYuan, m.Penalty.Mean, m.Penalty.P50, m.Penalty.P90, m.Penalty.P95)
	var levels []string
	for _, l := range m.Levels {
		levels = append(levels, fmt.Sprintf("%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f", l.Name, l.HeadHours, l.WageYuan, l.RevenueYuan, l.Penalty.Mean, l.Penalty.P50, l.Penalty.P90, l.Penalty.P95, l.MarginYuan))
	}
	table(w, "STAFFING\tHEAD-HOURS\tWAGES\tREVENUE\tPENALTY\tP50\tP90\tP95\tMARGIN", levels)
}

// printWorth tells what single blocks are worth in a scenario, whatever its method, and what the money leaves out.
func printWorth(w io.Writer, p pricing.Price) {
	if len(p.More) > 0 && p.MorePay == 0 {
		fmt.Fprintln(w, "no further four hours of one agent pay; those that lose least:")
	}
	for _, text := range p.More {
		fmt.Fprintf(w, "more:  %s\n", text)
	}
	if len(p.Fewer) > 0 && p.FewerPay == 0 {
		fmt.Fprintln(w, "no agent of the plan can go for four hours without a loss; those who bring least:")
	}
	for _, text := range p.Fewer {
		fmt.Fprintf(w, "fewer: %s\n", text)
	}
	for _, text := range p.LeftOut {
		fmt.Fprintln(w, text)
	}
}
