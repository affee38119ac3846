package pricing

import (
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

// Cost is what plans need and cost, in heads, hours and yuan.
type Cost struct {
	Contacts      float64 `json:"contacts"`       // planned for, at the level of the plan
	Peak          int     `json:"peak"`           // most heads in a slot: of one queue, or of all together
	HeadHours     float64 `json:"head_hours"`     // on the queues
	PaidHours     float64 `json:"paid_hours"`     // with shrinkage
	OvertimeHours float64 `json:"overtime_hours"` // of them beyond the ordinary hours of those who know the queues, at 150 %
	HolidayHours  float64 `json:"holiday_hours"`  // of them on statutory holidays, at 300 %
	WagesYuan     float64 `json:"wages_yuan"`
	PenaltyYuan   float64 `json:"penalty_yuan"` // expected under the forecast distribution
	Unmet         int     `json:"unmet"`        // slots in which the ceiling cut the need

	ExpectedContacts float64 `json:"expected_contacts"`
	Missed           float64 `json:"missed"` // of them, those expected outside the limit
	ExpectedShare    float64 `json:"share"`  // of them within it
}

// TotalYuan is wages and expected penalty.
func (c Cost) TotalYuan() float64 { return c.WagesYuan + c.PenaltyYuan }

// QueueCost is the cost of one queue.
type QueueCost struct {
	Queue    ids.Queue    `json:"queue"`
	Merchant ids.Merchant `json:"merchant"`
	Cost
}

// DayCost is the cost of one business day.
type DayCost struct {
	Date calendar.Date `json:"date"`
	Cost
}

// TermCost is what one contract term is expected to deduct.
type TermCost struct {
	AgreedTerm
	Month   calendar.Month `json:"month"`
	Days    int            `json:"days"`     // of the month that are planned: they stand for the whole of it
	FeeYuan float64        `json:"fee_yuan"` // of these days
	Target  float64        `json:"target"`
	Share   float64        `json:"share"` // its median; of mean times seconds
	Risk
}

// Price is what plans cost: by queue, by day, and what the contracts may deduct.
type Price struct {
	Total         Cost        `json:"total"`
	Risk          Risk        `json:"risk"` // of all deductions together
	Queues        []QueueCost `json:"queues"`
	Days          []DayCost   `json:"days"`
	Terms         []TermCost  `json:"terms"`
	OrdinaryHours float64     `json:"ordinary_hours"` // that those who know the queues have in these days

	More    []string `json:"more"`     // where one agent more earns most, one sentence each
	Fewer   []string `json:"fewer"`    // where an agent earns least
	LeftOut []string `json:"left_out"` // of the contracts, what has no place in these figures

	Pooled *Pooled `json:"pooled,omitempty"` // of method pooled
	Money  *Money  `json:"money,omitempty"`  // of method margin
}
