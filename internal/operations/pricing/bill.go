package pricing

import (
	"maps"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/staffing/exposure"
)

// bill adds up hours and wages by queue and by day, and shares the deductions out among them.
type bill struct {
	zone     *time.Location
	pay      payroll
	ordinary float64 // hours of those who know the queues
	overtime float64 // share of the planned hours beyond them
	queues   map[ids.Queue]*QueueCost
	days     map[calendar.Date]*DayCost
	at       map[time.Time]int // heads of all queues together
}

func newBill(zone *time.Location, pay payroll) *bill {
	return &bill{zone: zone, pay: pay, queues: map[ids.Queue]*QueueCost{}, days: map[calendar.Date]*DayCost{}, at: map[time.Time]int{}}
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

// measure finds how many of the planned hours nobody has in ordinary time.
func (b *bill) measure(plans []store.Plan, dates calendar.Dates, factor float64) {
	hours := 0.0
	var queues []ids.Queue
	for _, plan := range plans {
		queues = append(queues, plan.Queue)
		for _, n := range plan.Requirement.Needs {
			if b.pay.rate(calendar.DateOf(n.Start, b.zone)) == 1 {
				hours += paid(n.Heads, n.Paid, factor) * plan.Requirement.Slot.Hours()
			}
		}
	}
	b.ordinary = b.pay.capacity(queues, dates)
	if hours > b.ordinary {
		b.overtime = 1 - b.ordinary/hours
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
	hour := map[calendar.Date]float64{}
	length := plan.Requirement.Slot.Hours()
	for _, n := range plan.Requirement.Needs {
		day := calendar.DateOf(n.Start, b.zone)
		if _, known := hour[day]; !known {
			hour[day] = b.pay.hour(plan.Queue, day)
		}
		heads, hours := headsTimes(n.Heads, factor), paid(n.Heads, n.Paid, factor)*length
		b.at[n.Start.UTC()] += heads
		over, holiday, rate := hours*b.overtime, 0.0, 1.0
		if r := b.pay.rate(day); r > 1 {
			over, holiday, rate = 0, hours, r
		}
		wages := hour[day] * (hours*rate + over*(overtimeRate-1))
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

// served puts what comes and what is missed on the bill.
func (b *bill) served(pieces []piece) {
	courses := map[*Cost]exposure.Course{}
	for _, x := range pieces {
		for _, c := range b.lines(x.queue, "", x.day) {
			c.Contacts += x.contacts
			courses[c] = courses[c].Plus(x.course)
		}
	}
	for c, course := range courses {
		c.expect(course)
	}
}

// expect takes the expected figures of a course.
func (c *Cost) expect(course exposure.Course) {
	contacts, missed := course.Expected()
	c.ExpectedContacts, c.Missed, c.ExpectedShare = contacts, missed, 1
	if contacts > 0 {
		c.ExpectedShare = 1 - missed/contacts
	}
}

// deduct shares what a term deducts out by who misses its limit.
func (b *bill) deduct(pieces []piece, t TermCost) {
	queues, days := map[ids.Queue]exposure.Course{}, map[calendar.Date]exposure.Course{}
	for _, x := range pieces {
		if x.judged && x.part.Agreed != nil && *x.part.Agreed == t.AgreedTerm && x.day.MonthOf() == t.Month {
			queues[x.queue] = queues[x.queue].Plus(x.course)
			days[x.day] = days[x.day].Plus(x.course)
		}
	}
	for q, part := range shares(queues) {
		b.queues[q].PenaltyYuan += part * t.MeanYuan
	}
	for d, part := range shares(days) {
		b.days[d].PenaltyYuan += part * t.MeanYuan
	}
}

// shares are the parts of all missed contacts.
func shares[K comparable](courses map[K]exposure.Course) map[K]float64 {
	out, sum := map[K]float64{}, 0.0
	for k, c := range courses {
		_, out[k] = c.Expected()
	}
	for _, v := range slices.Sorted(maps.Values(out)) { // in one order, so that the sum is one
		sum += v
	}
	for k := range out {
		if sum > 0 {
			out[k] /= sum
		} else {
			out[k] = 1 / float64(len(out))
		}
	}
	return out
}

// finish is the price: queues and days in order, and their total.
func (b *bill) finish(pieces []piece, terms []TermCost, risk exposure.Risk) Price {
	b.served(pieces)
	for _, t := range terms {
		b.deduct(pieces, t)
	}
	for at, heads := range b.at {
		if day := b.days[calendar.DateOf(at, b.zone)]; day != nil {
			day.Peak = max(day.Peak, heads)
		}
	}
	out := Price{Terms: terms, Risk: risk, OrdinaryHours: b.ordinary, Queues: []QueueCost{}, Days: []DayCost{}}
	var whole exposure.Course
	for _, x := range pieces {
		whole = whole.Plus(x.course)
	}
	for _, q := range slices.Sorted(maps.Keys(b.queues)) {
		line := *b.queues[q]
		out.Queues = append(out.Queues, line)
		out.Total.add(line.Cost)
	}
	for _, d := range slices.SortedFunc(maps.Keys(b.days), func(x, y calendar.Date) int { return x.Sub(y) }) {
		out.Days = append(out.Days, *b.days[d])
		out.Total.Peak = max(out.Total.Peak, b.days[d].Peak)
	}
	out.Total.expect(whole)
	out.Total.PenaltyYuan = risk.MeanYuan
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
}
