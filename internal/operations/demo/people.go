package demo

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

const (
	agentCount  = 120
	teamsOfSite = 3
)

var (
	sites = []workforce.Site{
		{ID: "wuhan", Name: "武汉职场", City: "武汉"},
		{ID: "chengdu", Name: "成都职场", City: "成都"},
		{ID: "shenyang", Name: "沈阳职场", City: "沈阳"},
	}
	families = []string{"李", "王", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "马", "罗"}
	givens   = []string{"晓雯", "佳怡", "志强", "雨桐", "浩然", "欣妍", "俊杰", "梦琪", "子涵", "丽娜", "思远", "海燕", "文博", "静怡", "宇航", "婷婷", "建国", "雪梅", "嘉豪", "秀英", "明轩", "春华", "云飞", "若曦"}
)

// people makes sites, teams and 120 agents. Every agent knows two to four queues of one or two
// shops; each shop gets agents in proportion to its demand.
func people(seed uint64, queues []demand, shops []contracts.Shop) ([]workforce.Team, []workforce.Agent) {
	rng := rand.New(rand.NewPCG(seed, 0x70656f706c65))
	var teams []workforce.Team
	for _, s := range sites {
		for n := 1; n <= teamsOfSite; n++ {
			teams = append(teams, workforce.Team{ID: ids.Team(fmt.Sprintf("%s-%d", s.ID, n)), Name: fmt.Sprintf("%s%d组", s.City, n), Site: s.ID})
		}
	}
	weights := shopWeights(queues, shops)
	agents := make([]workforce.Agent, agentCount)
	for i := range agents {
		team := teams[i%len(teams)]
		first := pick(rng, weights)
		agents[i] = workforce.Agent{
			ID: ids.Agent(fmt.Sprintf("A%04d", i+1)), Name: families[rng.IntN(len(families))] + givens[rng.IntN(len(givens))],
			Team: team.ID, Site: team.Site, Employment: workforce.Standard,
			Employed:    calendar.Dates{From: calendar.MakeDate(2023, time.January, 1).Add(rng.IntN(900))},
			Concurrency: 3 + rng.IntN(4), Wage: money.Yuan(int64(22 + rng.IntN(9))),
			Skills: skills(rng, shops, first, weights),
		}
	}
	agents[17].Conditions = []workforce.Conditional{{Condition: workforce.Nursing, Dates: calendar.Dates{From: calendar.MakeDate(2026, time.March, 1), Until: calendar.MakeDate(2027, time.February, 1)}}}
	agents[58].Conditions = []workforce.Conditional{{Condition: workforce.Pregnant7, Dates: calendar.Dates{From: calendar.MakeDate(2026, time.October, 1), Until: calendar.MakeDate(2027, time.January, 15)}}}
	return teams, agents
}

// skills gives both queues of the first shop and, to two agents of three, one or two of another.
func skills(rng *rand.Rand, shops []contracts.Shop, first int, weights []float64) []workforce.Skill {
	since := calendar.MakeDate(2025, time.January, 1)
	var out []workforce.Skill
	add := func(q contracts.Queue, level float64) {
		out = append(out, workforce.Skill{Queue: q.ID, Dates: calendar.Dates{From: since}, Level: level})
	}
	for _, q := range shops[first].Queues {
		add(q, 1)
	}
	if second := pick(rng, weights); second != first && rng.IntN(3) > 0 {
		other := shops[second].Queues
		add(other[rng.IntN(len(other))], 0.9)
	}
	return out
}

func shopWeights(queues []demand, shops []contracts.Shop) []float64 {
	weights := make([]float64, len(shops))
	for i, s := range shops {
		for _, q := range s.Queues {
			for _, d := range queues {
				if d.queue == q.ID {
					weights[i] += d.base
				}
			}
		}
	}
	return weights
}

// pick draws an index in proportion to its weight.
func pick(rng *rand.Rand, weights []float64) int {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	at := rng.Float64() * total
	for i, w := range weights {
		if at -= w; at < 0 {
			return i
		}
	}
	return len(weights) - 1
}
