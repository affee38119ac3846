package pricing

import (
	"maps"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/staffing/margin"
)

// bill adds up hours and wages by queue and by day, at the prices of the engine, and puts service and deductions beside them.
type bill struct {
	ask     question
	zone    *time.Location
	hour    map[ids.Queue]float64     // yuan of an ordinary hour, by queue
	mean    float64                   // and of all queues together
	regular float64                   // ordinary hours of a day of those who know the queues
	over    map[calendar.Date]float64 // share of the paid hours of a day beyond them
	queues  map[ids.Queue]*QueueCost
	days    map[calendar.Date]*DayCost
	at      map[time.Time]int // heads of all queues together
}

func newBill(ask question) *bill {
	return &bill{
		ask: ask, zone: ask.zone, hour: map[ids.Queue]float64{}, over: map[calendar.Date]float64{},
		queues: map[ids.Queue]*QueueCost{}, days: map[calendar.Date]*DayCost{}, at: map[time.Time]int{},
	}
}

// lines are the lines of a queue and a day, made when they are new.
func (b *bill) lines(queue ids.Queue, merchant ids.Merchant, day calendar.Date) []*Cost {
	if b.queues[queue] == nil {
		b.queues[queue] = &QueueCost{Queue: queue, Merchant: merchant}
	}
	if b.days[day] == nil {
		b.days[day] = &DayCost{Date: day}
	}
	return []*Cost{&b.queues[queue].Cost, &b.days[day].Cost}
}

// measure finds what an hour costs, and how many of the planned hours of each day nobody has in ordinary time.
func (b *bill) measure(plans []store.Plan, factor float64) {
	hours := map[calendar.Date]float64{}
	var queues []ids.Queue
	for _, plan := range plans {
		queues = append(queues, plan.Queue)
		b.hour[plan.Queue] = b.ask.pay.mean([]ids.Queue{plan.Queue}, b.ask.dates)
		for _, n := range plan.Requirement.Needs {
			if day := calendar.DateOf(n.Start, b.zone); b.ask.pay.rate(day) == 1 {
				hours[day] += paid(n.Heads, n.Paid, factor) * plan.Requirement.Slot.Hours()
			}
		}
	}
	b.mean, b.regular = b.ask.pay.mean(queues, b.ask.dates), b.ask.pay.regular(queues, b.ask.dates)
	for day, h := range hours {
		if h > b.regular {
			b.over[day] = 1 - b.regular/h
		}
	}
}

// paid is what a need times a factor costs in paid heads.
func paid(heads int, stored, factor float64) float64 {
	if heads == 0 {
		return 0
	}
	return stored / float64(heads) * float64(headsTimes(heads, factor))
}

// hours puts the needs of a plan on the bill.
func (b *bill) hours(plan store.Plan, factor float64) {
	length := plan.Requirement.Slot.Hours()
	for _, n := range plan.Requirement.Needs {
		day := calendar.DateOf(n.Start, b.zone)
		heads, hours := headsTimes(n.Heads, factor), paid(n.Heads, n.Paid, factor)*length
		b.at[n.Start.UTC()] += heads
		over, holiday, rate := hours*b.over[day], 0.0, 1.0
		if r := b.ask.pay.rate(day); r > 1 {
			over, holiday, rate = 0, hours, r
		}
		wages := b.hour[plan.Queue]*hours*rate + b.mean*over*(overtimeRate-1)
		for _, c := range b.lines(plan.Queue, plan.Merchant, day) {
			c.HeadHours += float64(heads) * length
			c.PaidHours += hours
			c.OvertimeHours += over
			c.HolidayHours += holiday
			c.WagesYuan += wages
		}
		b.queues[plan.Queue].Peak = max(b.queues[plan.Queue].Peak, heads)
	}
	for _, r := range FiguresOf(plan).Reached {
		if !r.Met {
			for _, c := range b.lines(plan.Queue, plan.Merchant, calendar.DateOf(r.Start, b.zone)) {
				c.Unmet++
			}
		}
	}
}

// planned puts the contacts on the bill that the plans are made for.
func (b *bill) planned(plans []store.Plan) {
	merchants := map[ids.Queue]ids.Merchant{}
	for _, plan := range plans {
		merchants[plan.Queue] = plan.Merchant
	}
	for _, s := range b.ask.all {
		for _, x := range s.curve.Points {
			contacts, _ := s.curve.At(x, b.ask.options.Level)
			for _, c := range b.lines(s.queue.ID, merchants[s.queue.ID], calendar.DateOf(x.Start, b.zone)) {
				c.Contacts += contacts
			}
		}
	}
}

// served puts on the bill what a queue of the engine is expected to see, miss and deduct.
func (b *bill) served(queue ids.Queue, o margin.QueueOutcome) {
	for _, d := range o.Days {
		if d.Contacts == 0 && d.PenaltyYuan == 0 {
			continue
		}
		for _, c := range b.lines(queue, "", d.Date) {
			c.ExpectedContacts += d.Contacts
			c.Missed += max(0, d.Contacts-d.Met)
			c.PenaltyYuan += d.PenaltyYuan
		}
	}
}

// share is what is expected within the limit.
func (c *Cost) share() {
	if c.ExpectedShare = 1; c.ExpectedContacts > 0 {
		c.ExpectedShare = 1 - c.Missed/c.ExpectedContacts
	}
}

// finish is the price: queues and days in order, and their total.
func (b *bill) finish(o margin.Outcome) Price {
	for at, heads := range b.at {
		if day := b.days[calendar.DateOf(at, b.zone)]; day != nil {
			day.Peak = max(day.Peak, heads)
		}
	}
	days := float64(b.ask.dates.Until.Sub(b.ask.dates.From))
	out := Price{Risk: riskOf(o.Penalty), OrdinaryHours: b.regular * max(0, days-b.ask.pay.statutory(b.ask.dates)), Queues: []QueueCost{}, Days: []DayCost{}}
	for _, q := range slices.Sorted(maps.Keys(b.queues)) {
		line := *b.queues[q]
		line.share()
		out.Queues = append(out.Queues, line)
		out.Total.add(line.Cost)
	}
	for _, d := range slices.SortedFunc(maps.Keys(b.days), func(x, y calendar.Date) int { return x.Sub(y) }) {
		line := *b.days[d]
		line.share()
		out.Days = append(out.Days, line)
		out.Total.Peak = max(out.Total.Peak, line.Peak)
	}
	out.Total.share()
	out.Total.PenaltyYuan = out.Risk.MeanYuan
	return out
}

// add sums what adds up; peaks and shares do not.
func (c *Cost) add(o Cost) {
	c.Contacts += o.Contacts
	c.HeadHours += o.HeadHours
	c.PaidHours += o.PaidHours
	c.OvertimeHours += o.OvertimeHours
	c.HolidayHours += o.HolidayHours
	c.WagesYuan += o.WagesYuan
	c.Unmet += o.Unmet
	c.ExpectedContacts += o.ExpectedContacts
	c.Missed += o.Missed
}
