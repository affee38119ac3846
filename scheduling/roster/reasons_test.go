package roster_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/check"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// claims is what the file of a solution would state of itself.
func claims(s roster.Solution) check.Claims {
	return check.Claims{Roster: s.Roster, Cost: &s.Cost, Uncovered: &s.Uncovered, FixesFor: &s.FixesFor, Idle: &s.Idle, Violations: &s.Violations}
}

func falseFigures(p roster.Problem, s roster.Solution) []check.Figure {
	r := check.Roster(p, s.Roster.Shifts)
	r.Compare(p, claims(s), roster.Judge(p, s.Roster.Shifts))
	return r.False
}

// One agent has the skill and lacks what else the queue asks for. The reason is that, and the checker, which asks the
// problem by itself, knows it from a missing skill.
func TestWhatIsMissingBesidesTheSkillIsNamed(t *testing.T) {
	for rule, asks := range map[string]struct {
		terms workrules.QueueTerms
		most  int
	}{
		"certificate.merchant": {terms: workrules.QueueTerms{Queue: "q", Certificate: "c-q"}},
		"certificate.pack":     {terms: workrules.QueueTerms{Queue: "q", Packs: []workrules.Pack{{Code: "11-11"}}}},
		"shops.at_once":        {terms: workrules.QueueTerms{Queue: "q", Shops: 3}, most: 2},
	} {
		t.Run(rule, func(t *testing.T) {
			p := small(1)
			p.Rules.Queues, p.Rules.ShopsAtOnce = []workrules.QueueTerms{asks.terms}, asks.most
			need(&p, "q", 1, 9, 12, 0)
			s := solve(t, p, 20)
			require.Len(t, s.Uncovered, 1)
			require.Len(t, s.Uncovered[0].Reasons, 1)
			assert.Equal(t, rule, s.Uncovered[0].Reasons[0].Code)
			assert.Contains(t, s.Uncovered[0].Says.EN, "1 is held back by the rule: ")
			assert.Empty(t, falseFigures(p, s))

			s.Uncovered[0].Reasons[0].Code = "no_skill"
			assert.NotEmpty(t, falseFigures(p, s), "the skill is there")
			p.Agents[0].Person.Skills[0].Queue = ids.Queue("r")
			assert.Empty(t, falseFigures(p, roster.Solution{
				Roster: s.Roster, Cost: s.Cost, Uncovered: s.Uncovered, FixesFor: s.FixesFor,
				Idle: []roster.Idle{{Agent: "A0", Code: "no_demand"}},
			}), "without the skill it is the skill, whatever else is missing")
		})
	}
}

// Seven mornings of 8 h, and a day of at most 6: the sentence of the rule states the limit that is set.
func TestReasonsStateTheLimitsThatAreSet(t *testing.T) {
	p := small(1)
	p.Rules.NormalDay = 6 * time.Hour
	need(&p, "q", 1, 9, 12, 0)
	s := solve(t, p, 20)
	require.Len(t, s.Uncovered, 1)
	assert.Equal(t, "hours.daily", s.Uncovered[0].Reasons[0].Code)
	assert.Contains(t, s.Uncovered[0].Says.EN, "At most 6 h a day")
	assert.Contains(t, s.Uncovered[0].Says.ZH, "每日工作不超过6小时")
	require.Len(t, s.Idle, 1)
	assert.Contains(t, s.Idle[0].Says.EN, "At most 6 h a day")
}
