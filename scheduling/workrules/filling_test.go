package workrules

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func saysOf(p Params, code string) Text {
	r, _ := RuleUnder(code, p)
	return r.Says
}

// Every blank of every sentence is a setting that the rule goes by, in both languages, and nothing is left blank.
func TestEverySentenceIsFilled(t *testing.T) {
	for i, r := range registry {
		named := func(text string) (out []string) {
			for _, hit := range blank.FindAllStringSubmatch(text, -1) {
				assert.Contains(t, r.Params, hit[1], r.Code)
				if !slices.Contains(out, hit[1]) {
					out = append(out, hit[1])
				}
			}
			return out
		}
		assert.Equal(t, named(r.Says.ZH), named(r.Says.EN), r.Code)
		says := Rules()[i].Says
		assert.NotContains(t, says.ZH+says.EN, "{", r.Code)
	}
}

// The sentence states the limit of the house; with the limits of the law it states those of domain notes section 5.
func TestSentencesStateTheLimitsThatAreSet(t *testing.T) {
	p := DefaultParams()
	assert.Equal(t, Text{"两班之间至少休息8小时", "At least 8 h between two shifts"}, saysOf(p, "rest.between_block"))
	assert.Equal(t, Text{"连续上班不超过6天", "At most 6 working days in a row"}, saysOf(p, "days.consecutive"))
	p.RestBlock, p.ConsecutiveDays, p.OvertimeMonth, p.MealLength = 10*time.Hour+30*time.Minute, 1, 10*time.Hour, 45*time.Minute
	assert.Equal(t, Text{"两班之间至少休息10小时30分钟", "At least 10 h 30 minutes between two shifts"}, saysOf(p, "rest.between_block"))
	assert.Equal(t, "At most 1 working day in a row", saysOf(p, "days.consecutive").EN)
	assert.Equal(t, "Overtime at most 10 h a month", saysOf(p, "hours.overtime_monthly").EN)
	assert.Equal(t, "Shifts over 6 h hold a meal of at least 45 minutes", saysOf(p, "meal.required").EN)
	assert.Equal(t, saysOf(p, "night.run"), RulesUnder(p)[slices.IndexFunc(registry, func(r Rule) bool { return r.Code == "night.run" })].Says)
	_, known := RuleUnder("naps", p)
	assert.False(t, known)
	grouped := ByRule([]Violation{{Rule: "rest.between_block"}}, p, 1)
	assert.Contains(t, grouped[0].Says.EN, "10 h 30 minutes")
}

// Skill, exam, pack and shops are asked for in this order.
func TestTheFirstThingThatKeepsFromAQueueIsNamed(t *testing.T) {
	p := DefaultParams()
	p.ShopsAtOnce = 2
	p.Queues = []QueueTerms{{Queue: "q", Shops: 3, Certificate: "c", Packs: []Pack{{Code: "k"}}}}
	person := Person{ID: "a"}
	kept := func() string {
		frame := NewFrame(testRange, testDays, shanghai, p)
		return NewJudge(frame, person).Barred("q", frame.date[0])
	}
	assert.Equal(t, "fit.skill", kept())
	person.Skills = []Skill{{Queue: "q"}}
	assert.Equal(t, "certificate.merchant", kept())
	person.Certificates = []Certificate{{Code: "c"}}
	assert.Equal(t, "certificate.pack", kept())
	p.Queues[0].Packs = nil
	assert.Equal(t, "shops.at_once", kept())
	person.Shops = 3
	assert.Empty(t, kept())
}
