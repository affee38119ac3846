package pricing

import "github.com/chaoban/chaoban/internal/calendar"

// TicketDemand is the after-sales tickets that are expected.
type TicketDemand struct {
	Days   []TicketDay `json:"days"` // ascending
	Doubts []string    `json:"doubts,omitempty"`
}

// TicketDay is the tickets that open on one day.
type TicketDay struct {
	Date  calendar.Date `json:"date"`
	Count float64       `json:"count"` // at the level that is staffed
}
