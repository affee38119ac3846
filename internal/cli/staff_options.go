package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/operations/pricing"
)

// staffAssumed is the flags of plans and scenarios about people and tickets.
type staffAssumed struct {
	shrinkage, presence  float64
	people, seats        string
	noTickets            bool
	ticketWork, ticketBy time.Duration
}

func (f *staffAssumed) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Float64Var(&f.shrinkage, "shrinkage", 0, "share of paid time away from the queue, instead of the causes")
	flags.StringVar(&f.people, "people", "", "file with causes, absence, adherence and ramp, JSON or YAML (docs/staffing.md)")
	flags.Float64Var(&f.presence, "presence", 0, "least probability that enough of the rostered come, in whole people (default: absence counts with its mean)")
	flags.StringVar(&f.seats, "seats", "", "which seats of contracts are a floor of their queue: dedicated (the default), all, none")
	flags.BoolVar(&f.noTickets, "no-tickets", false, "leave after-sales tickets out of the plan")
	flags.DurationVar(&f.ticketWork, "ticket-aht", 0, "work in an after-sales ticket (default 6m)")
	flags.DurationVar(&f.ticketBy, "ticket-due", 0, "from opened to due of a ticket (default: as measured, else 24h)")
}

// onto puts what was typed into options.
func (f *staffAssumed) onto(cmd *cobra.Command, o *pricing.Options) error {
	if err := noZero(cmd, "shrinkage", "presence", "ticket-aht", "ticket-due"); err != nil {
		return err
	}
	o.Shrinkage, o.Seats = f.shrinkage, pricing.SeatRule(f.seats)
	if f.people != "" {
		o.People = &pricing.People{}
		if err := readProblem(cmd.InOrStdin(), "--people", f.people, o.People); err != nil {
			return err
		}
	}
	if f.presence != 0 {
		if o.People == nil {
			o.People = &pricing.People{}
		}
		o.People.Presence = f.presence
	}
	if f.noTickets || f.ticketWork != 0 || f.ticketBy != 0 {
		o.Tickets = &pricing.TicketOptions{Off: f.noTickets, HandleTime: f.ticketWork, Due: f.ticketBy}
	}
	return nil
}
