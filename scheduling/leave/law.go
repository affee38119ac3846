package leave

import (
	"fmt"
	"slices"

	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Law is what the law leaves of a kind of leave to the house.
type Law struct {
	Granted   bool   `json:"granted"`              // the law grants it: it is protected, and no balance bounds it
	Kept      bool   `json:"kept"`                 // the law gives it to whoever has earned it: a policy has it whatever a file leaves out
	LeastDays int    `json:"least_days,omitempty"` // most_days may not be below it
	Article   string `json:"article,omitempty"`    // empty: the house's own
	Says      Text   `json:"says"`
}

// laws says of every kind of leave what is law and what is house; a test holds that none is missing. Prenatal checks
// and nursing time are no leave but working time (女职工劳动保护特别规定 §6 §9): the work rules have them.
var laws = map[LeaveKind]Law{
	Annual:       {Kept: true, Article: "职工带薪年休假条例 §3 §5", Says: Text{ZH: "天数由法律规定，由单位统筹安排", EN: "the law sets the days, the house arranges them"}},
	Compensatory: {Kept: true, Article: "劳动法 §44(2)", Says: Text{ZH: "以休息日加班换得", EN: "earned by work on rest days"}},
	Personal:     {Says: Text{ZH: "由单位自定", EN: "the house's own"}},
	Sick:         {Granted: true, Kept: true, Article: "劳部发[1994]479 §3; 劳动合同法 §42(3)", Says: Text{ZH: "医疗期不以余额为限", EN: "the medical period is not bounded by a balance"}},
	Marriage:     {Granted: true, Kept: true, Article: "劳动法 §51; (80)劳总薪字29号 §1", Says: Text{ZH: "婚假依法享有", EN: "the law grants it"}},
	Maternity: {
		Granted: true, Kept: true, LeastDays: MaternityDays, Article: "女职工劳动保护特别规定 §7",
		Says: Text{ZH: "产假不少于98天", EN: "the law grants 98 days at least"},
	},
	Paternity:   {Granted: true, Kept: true, Article: "人口与计划生育法 §25; 各省条例", Says: Text{ZH: "由各省条例规定", EN: "provinces grant it"}},
	ChildCare:   {Granted: true, Kept: true, Article: "人口与计划生育法 §25; 各省条例", Says: Text{ZH: "由各省条例规定", EN: "provinces grant it"}},
	Bereavement: {Granted: true, Kept: true, Article: "劳动法 §51; (80)劳总薪字29号 §1", Says: Text{ZH: "丧假依法享有", EN: "the law grants it"}},
}

// LawOf is where a kind of leave stands in law; the zero value for a kind that is none.
func LawOf(k LeaveKind) Law { return laws[k] }

// DayMinutesBounds are the least and the most minutes that a day of leave may count: it is a working day of some
// regime. The shortest is the day of part-time work (劳动合同法 §68), the longest that of comprehensive hours.
func DayMinutesBounds() (least, most int) {
	p := workrules.DefaultParams()
	return int(p.PartTimeDay.Minutes()), int(p.ComprehensiveDay.Minutes())
}

// law reports what a rule takes away that the law grants.
func (c *policyCheck) law(at string, r KindRule) {
	law := LawOf(r.Kind)
	if !law.Granted {
		return
	}
	by := fmt.Sprintf("%s: %s / %s", law.Article, law.Says.ZH, law.Says.EN)
	if !r.Protected {
		c.report(at+"protected", r.Protected, "must be true, for the law grants "+string(r.Kind)+" leave ("+by+")")
	}
	if r.Balance {
		c.report(at+"balance", r.Balance, "must be false, for the law grants "+string(r.Kind)+" leave whatever a balance says ("+by+")")
	}
}

// WithLaw gives a policy what the law gives and it leaves out, for it may have been kept before that was asked:
// whole kinds (annual leave is the house's to arrange and not to drop: 职工带薪年休假条例 §2 §3; time off in lieu stands
// in place of pay: 劳动法 §44(2)), their protection, and that no balance bounds them. A kind without a name has its usual one.
func (p Policy) WithLaw() Policy {
	p.Kinds = slices.Clone(p.Kinds)
	for i, r := range p.Kinds {
		usual := usualRule(r.Kind)
		if r.Name == (Text{}) {
			r.Name = usual.Name
		}
		if LawOf(r.Kind).Granted {
			r.Protected, r.Balance = true, false
		}
		p.Kinds[i] = r
	}
	for _, k := range DefaultKinds() {
		if _, known := p.RuleOf(k.Kind); !known && LawOf(k.Kind).Kept {
			p.Kinds = append(p.Kinds, k)
		}
	}
	return p
}

// LeftOut is the kinds of leave that nobody can ask for, because the policy has no rule of them.
func (p Policy) LeftOut() []LeaveKind {
	var out []LeaveKind
	for _, k := range LeaveKinds {
		if _, known := p.RuleOf(k); !known {
			out = append(out, k)
		}
	}
	return out
}
