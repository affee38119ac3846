package workrules

import (
	"slices"
	"strings"
	"sync"

	"github.com/chaoban/chaoban/scheduling"
)

// Rule is one rule of the pack.
type Rule struct {
	Code    string   // stable, dotted
	Says    Text     // one sentence a planner can read, with the limits that are set
	Article string   // what it rests on; 内部规定 = house rule
	Hard    bool     // by default; see HardUnder
	Unit    string   // of Violation.Amount: hours, days, shifts, shops
	Params  []string // names of the Params (their yaml keys) that it reads
	// hardWith names the switch of Params that makes a soft rule hard; empty = none.
	hardWith string
	duties   bool // reads duties only, so an optimiser can ask it; such a hard rule must be kept by every subset of a legal roster

	// concerns says whether the rule can break for a person at all; nil = always.
	concerns func(j *Judge) bool
	judge    func(j *Judge, duties []Duty, shifts []scheduling.Shift, out *findings)
}

// HardUnder says whether the rule forbids under these parameters.
func (r *Rule) HardUnder(p Params) bool {
	switch r.hardWith {
	case "hard_meals":
		return p.HardMeals
	case "hard_care":
		return p.HardCare
	}
	return r.Hard
}

// ByLaw reports a rule that rests on more than the house.
func (r *Rule) ByLaw() bool { return !strings.HasPrefix(r.Article, "内部规定") }

// Rules returns the pack in a fixed order; its sentences state the default limits.
func Rules() []Rule { return slices.Clone(usualRules()) }

var usualRules = sync.OnceValue(func() []Rule { return RulesUnder(DefaultParams()) })

// RuleUnder is the rule of a code, its sentence with the limits of the parameters; ok is false when there is none.
func RuleUnder(code string, p Params) (r Rule, ok bool) {
	i := slices.IndexFunc(registry, func(r Rule) bool { return r.Code == code })
	if i < 0 {
		return Rule{}, false
	}
	r = registry[i]
	r.Says = p.filled(r.Says)
	return r, true
}

// RulesUnder returns the pack in a fixed order; its sentences state the limits of the parameters.
func RulesUnder(p Params) []Rule {
	out := slices.Clone(registry)
	for i := range out {
		out[i].Says = p.filled(out[i].Says)
	}
	return out
}

var registry = slices.Concat(shiftRules, protectedRules, hourRules, restRules, engagementRules, agreementRules, serviceRules)

func isStandard(j *Judge) bool      { return j.person.Regime == Standard }
func notAgreed(j *Judge) bool       { return isStandard(j) && !j.person.OvertimeAgreed }
func isComprehensive(j *Judge) bool { return j.person.Regime == Comprehensive }
func isPartTime(j *Judge) bool      { return j.person.Regime == PartTime }
func isIntern(j *Judge) bool        { return j.person.Engagement == Intern }
func isCloud(j *Judge) bool         { return j.person.Engagement == Cloud }
func hasAgreement(j *Judge) bool    { return len(j.agreements) > 0 }
func isShielded(j *Judge) bool      { return len(j.person.Conditions) > 0 || !j.person.Born.IsZero() }
