package pricing

import (
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

// Cost is what plans need and cost, in heads, hours and yuan.
type Cost struct {
	Contacts      float64 `json:"contacts" doc:"planned for: every slot at the level, added up, which a whole day does not bring; expected_contacts is what is expected"`
	Peak          int     `json:"peak" doc:"most heads in a slot: of one queue, or of all together"`
	HeadHours     float64 `json:"head_hours" doc:"on the queues"`
	PaidHours     float64 `json:"paid_hours" doc:"with shrinkage"`
	OvertimeHours float64 `json:"overtime_hours" doc:"of them beyond the ordinary hours of those who know the queues, at 150 %"`
	HolidayHours  float64 `json:"holiday_hours" doc:"of them on statutory holidays, at 300 %"`
	WagesYuan     float64 `json:"wages_yuan"`
	PenaltyYuan   float64 `json:"penalty_yuan" doc:"expected under the forecast distribution"`
	Unmet         int     `json:"unmet" doc:"slots in which the ceiling cut the need"`

	ExpectedContacts float64 `json:"expected_contacts"`
	Missed           float64 `json:"missed" doc:"of them, those expected outside the limit"`
	ExpectedShare    float64 `json:"share" doc:"of them within it"`
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
	Month    calendar.Month `json:"month"`
	Days     int            `json:"days" doc:"of the month that are planned: they stand for the whole of it"`
	FeeYuan  float64        `json:"fee_yuan" doc:"of these days"`
	Unit     TermUnit       `json:"unit,omitempty" doc:"of target, share and at_p50_demand: share, from 0 to 1, or seconds"`
	Target   float64        `json:"target"`
	Contacts float64        `json:"contacts" doc:"that the term counts, expected; 0 = nothing is expected, so there is no figure"`
	Share    *float64       `json:"share" doc:"the median over the scenarios of demand; none without contacts"`
	AtP50    *float64       `json:"at_p50_demand,omitempty" doc:"if every slot brought the contacts of its P50 and no more; none without contacts"`
	Kept     *float64       `json:"kept,omitempty" doc:"probability that the target is kept; none without contacts"`
	Risk
}

// TermUnit is what the figures of a term are counted in.
type TermUnit string

// The units.
const (
	InShares  TermUnit = "share"
	InSeconds TermUnit = "seconds"
)

// Earned is what stands against the costs of plans, expected over their days.
type Earned struct {
	RevenueYuan  float64 `json:"revenue_yuan" doc:"fees, prices per contact and hour, commission where sales are declared"`
	LostContacts float64 `json:"lost_contacts" doc:"buyers who leave before anybody answers"`
	LostYuan     float64 `json:"lost_yuan,omitempty" doc:"what they are declared to cost beside the contracts; in no deduction"`
}

// Price is what plans cost: by queue, by day, and what the contracts may deduct.
type Price struct {
	Total         Cost        `json:"total"`
	Risk          Risk        `json:"risk" doc:"of all deductions together"`
	Queues        []QueueCost `json:"queues"`
	Days          []DayCost   `json:"days"`
	Terms         []TermCost  `json:"terms"`
	OrdinaryHours float64     `json:"ordinary_hours" doc:"that those who know the queues have in these days"`

	Earned *Earned `json:"earned,omitempty" doc:"missing in scenarios of releases that did not keep it"`

	More     []string `json:"more" doc:"where one agent more earns most, one sentence each"`
	MorePay  int      `json:"more_pay" doc:"of these, how many earn more than they cost; they stand first"`
	Fewer    []string `json:"fewer" doc:"where an agent earns least"`
	FewerPay int      `json:"fewer_pay" doc:"of these, how many save more than they lose; they stand first"`
	LeftOut  []string `json:"left_out" doc:"of the contracts, what has no place in these figures"`

	Pooled *Pooled `json:"pooled,omitempty" doc:"of method pooled"`
	Money  *Money  `json:"money,omitempty" doc:"of method margin"`
}
