package workrules

import (
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// serving is a 4 h shift on queue q1 on the 22nd.
func serving() []scheduling.Shift {
	return doing(shift(22, 9, 4), activity(scheduling.Work, shift(22, 9, 4), 0, 4, "q1"))
}

func terms(q QueueTerms) func(*Params) {
	q.Queue = "q1"
	return func(p *Params) { p.Queues = []QueueTerms{q} }
}

// packOf applies from 22 September to 11 November.
var packOf = terms(QueueTerms{Packs: []Pack{{Code: "D11", Dates: calendar.Dates{From: calendar.MakeDate(2026, 9, 22), Until: calendar.MakeDate(2026, 11, 12)}}}})

var serviceTables = map[string][]ruleCase{
	"fit.skill": {
		{
			name: "2 h on a strange queue", person: Person{Skills: []Skill{{Queue: "q1"}}}, want: []hit{{2, 21, 13, 21, 15}},
			shifts: doing(shift(21, 9, 6), activity(scheduling.Work, shift(21, 9, 6), 0, 4, "q1"), activity(scheduling.Work, shift(21, 9, 6), 4, 2, "q2")),
		},
		{name: "skill from a later date", person: Person{Skills: []Skill{{Queue: "q1", Dates: from(23)}}}, shifts: serving(), want: []hit{{4, 22, 9, 22, 13}}},
		{name: "skill from that date", person: Person{Skills: []Skill{{Queue: "q1", Dates: from(22)}}}, shifts: serving()},
		{name: "trained", person: Person{Skills: []Skill{{Queue: "q1"}}}, shifts: serving()},
	},
	"certificate.merchant": {
		{name: "no certificate", params: terms(QueueTerms{Certificate: "m1"}), shifts: serving(), want: []hit{{4, 22, 9, 22, 13}}},
		{
			name: "expired that day", params: terms(QueueTerms{Certificate: "m1"}), shifts: serving(), want: []hit{{4, 22, 9, 22, 13}},
			person: Person{Certificates: []Certificate{{Code: "m1", Dates: calendar.Dates{From: calendar.MakeDate(2025, 9, 22), Until: calendar.MakeDate(2026, 9, 22)}}}},
		},
		{
			name: "last valid day", params: terms(QueueTerms{Certificate: "m1"}), shifts: serving(),
			person: Person{Certificates: []Certificate{{Code: "m1", Dates: calendar.Dates{From: calendar.MakeDate(2025, 9, 23), Until: calendar.MakeDate(2026, 9, 23)}}}},
		},
		{name: "none asked for", params: terms(QueueTerms{}), shifts: serving()},
	},
	"certificate.pack": {
		{name: "not read", params: packOf, shifts: serving(), want: []hit{{4, 22, 9, 22, 13}}},
		{name: "read a day late", params: packOf, shifts: serving(), person: Person{Acknowledged: []Acknowledgement{{"D11", calendar.MakeDate(2026, 9, 23)}}}, want: []hit{{4, 22, 9, 22, 13}}},
		{name: "read that day", params: packOf, shifts: serving(), person: Person{Acknowledged: []Acknowledgement{{"D11", calendar.MakeDate(2026, 9, 22)}}}},
		{name: "another pack", params: packOf, shifts: serving(), person: Person{Acknowledged: []Acknowledgement{{"618", calendar.MakeDate(2026, 5, 1)}}}, want: []hit{{4, 22, 9, 22, 13}}},
		{name: "before the pack applies", params: packOf, shifts: doing(shift(21, 9, 4), activity(scheduling.Work, shift(21, 9, 4), 0, 4, "q1"))},
	},
	"shops.at_once": {
		{
			name: "three shops of two", shifts: serving(), want: []hit{{1, 22, 9, 22, 13}},
			params: func(p *Params) { p.ShopsAtOnce, p.Queues = 2, []QueueTerms{{Queue: "q1", Shops: 3}} },
		},
		{name: "exactly two", shifts: serving(), params: func(p *Params) { p.ShopsAtOnce, p.Queues = 2, []QueueTerms{{Queue: "q1", Shops: 2}} }},
		{name: "no limit", shifts: serving(), params: terms(QueueTerms{Shops: 9})},
		{name: "the person's own limit", person: Person{Shops: 1}, shifts: serving(), params: terms(QueueTerms{Shops: 2}), want: []hit{{1, 22, 9, 22, 13}}},
	},
	"meal.required": {
		{name: "8 h without a meal", shifts: doing(shift(21, 9, 8), activity(scheduling.Work, shift(21, 9, 8), 0, 8, "q1")), want: []hit{{0.5, 21, 9, 21, 17}}},
		{name: "15 minutes are not a meal", shifts: doing(shift(21, 9, 8), activity(scheduling.Meal, shift(21, 9, 8), 4, 0.25, "")), want: []hit{{0.25, 21, 9, 21, 17}}},
		{name: "6 h need none", shifts: doing(shift(21, 9, 6), activity(scheduling.Work, shift(21, 9, 6), 0, 6, "q1"))},
		{name: "half an hour", shifts: doing(shift(21, 9, 8), activity(scheduling.Meal, shift(21, 9, 8), 4, 0.5, ""))},
	},
	"breaks.stretch": {
		{
			name: "4.25 h and 4.5 h", want: []hit{{0.25, 21, 9, 21, 13.25}, {0.5, 21, 13.5, 21, 18}},
			shifts: doing(shift(21, 9, 9), activity(scheduling.Work, shift(21, 9, 9), 0, 4.25, "q1"), activity(scheduling.Break, shift(21, 9, 9), 4.25, 0.25, ""), activity(scheduling.Work, shift(21, 9, 9), 4.5, 4.5, "q1")),
		},
		{
			name:   "4 h and 4 h",
			shifts: doing(shift(21, 9, 8.25), activity(scheduling.Work, shift(21, 9, 8.25), 0, 4, "q1"), activity(scheduling.Break, shift(21, 9, 8.25), 4, 0.25, ""), activity(scheduling.Training, shift(21, 9, 8.25), 4.25, 4, "")),
		},
		{name: "not planned yet", shifts: days(9, 8, 21)},
	},
}
