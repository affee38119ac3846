package leave

import (
	"cmp"
	"slices"

	"github.com/chaoban/chaoban/internal/ids"
)

// LeaveKind is a kind of absence.
type LeaveKind string

// The kinds of leave.
const (
	Annual       LeaveKind = "annual"       // 年休假
	Sick         LeaveKind = "sick"         // 病假
	Personal     LeaveKind = "personal"     // 事假
	Marriage     LeaveKind = "marriage"     // 婚假
	Maternity    LeaveKind = "maternity"    // 产假
	Paternity    LeaveKind = "paternity"    // 陪产假（护理假）
	ChildCare    LeaveKind = "child_care"   // 育儿假
	Bereavement  LeaveKind = "bereavement"  // 丧假
	Compensatory LeaveKind = "compensatory" // 调休
)

// Unpaid reports leave for which no wage is paid: personal leave. Annual leave, time off in lieu, marriage, bereavement
// and the leave of parents are paid (劳动法 §51; 职工带薪年休假条例 §2; 工资支付暂行规定 §11); of sick leave the province
// says how much (劳部发[1995]309 §59), and no salary is cut for it here.
func (k LeaveKind) Unpaid() bool { return k == Personal }

// LeaveKinds is every kind, in the order they are listed to people.
var LeaveKinds = []LeaveKind{Annual, Compensatory, Personal, Sick, Marriage, Maternity, Paternity, ChildCare, Bereavement}

// KindRule is what holds for one kind of leave. All of it is data: provinces and houses differ, within what LawOf
// leaves to them. A file that names a kind and leaves fields out has the usual ones (StartFrom).
type KindRule struct {
	Kind      LeaveKind `json:"kind" yaml:"kind"`
	Name      Text      `json:"name" yaml:"name" required:"false"`
	Balance   bool      `json:"balance" yaml:"balance" required:"false"`     // taken from a balance, which is never overdrawn
	Protected bool      `json:"protected" yaml:"protected" required:"false"` // the law grants it: quotas and closed days only warn
	Calendar  bool      `json:"calendar" yaml:"calendar" required:"false"`   // every day counts, not only days of work
	Auto      bool      `json:"auto" yaml:"auto" required:"false"`           // granted by itself when nothing speaks against it
	MostDays  int       `json:"most_days" yaml:"most_days" required:"false"` // longer needs a decision; 0 = no limit
	Yearly    bool      `json:"yearly" yaml:"yearly" required:"false"`       // most_days are of a calendar year, all requests together; otherwise of one request
	Proof     bool      `json:"proof" yaml:"proof" required:"false"`         // without a document it needs a decision
	Notice    int       `json:"notice" yaml:"notice" required:"false"`       // days ahead; later needs a decision
	Article   string    `json:"article,omitempty" yaml:"article,omitempty"`
}

// Region is what a province grants beyond the national rule, for the sites that lie in it. Provinces set it
// in their 人口与计划生育条例 on the ground of 人口与计划生育法 §25 (2021) and change it every few years, so it
// is the house's to enter, with the article it rests on.
type Region struct {
	Name     string     `json:"name" yaml:"name"` // 湖北
	Sites    []ids.Site `json:"sites" yaml:"sites"`
	Kind     LeaveKind  `json:"kind" yaml:"kind"`
	MostDays int        `json:"most_days" yaml:"most_days"` // instead of that of the kind; for maternity never below 98
	Article  string     `json:"article,omitempty" yaml:"article,omitempty"`
}

// MaternityDays is the national minimum of maternity leave in calendar days, 15 of them before the birth; 15
// more for a difficult birth and for each further child (女职工劳动保护特别规定 §7).
const MaternityDays = 98

// DefaultKinds are the national rules and usual house settings. The state grants neither paternity nor child
// care leave itself: provinces do, mostly 15 calendar days, and 10 working days a year for each parent until
// the child is three; these stand for a site whose region is not entered.
func DefaultKinds() []KindRule {
	return []KindRule{
		{Kind: Annual, Name: Text{ZH: "年休假", EN: "annual leave"}, Balance: true, Auto: true, Notice: 3, Article: "职工带薪年休假条例 §3 §5"},
		{Kind: Compensatory, Name: Text{ZH: "调休", EN: "time off in lieu"}, Balance: true, Auto: true, Notice: 1, Article: "劳动法 §44(2)"},
		{Kind: Personal, Name: Text{ZH: "事假", EN: "personal leave"}, Auto: true, MostDays: 3, Notice: 1, Article: "内部规定"},
		{Kind: Sick, Name: Text{ZH: "病假", EN: "sick leave"}, Protected: true, Proof: true, Article: "劳部发[1994]479 §3; 劳动合同法 §42(3)"},
		{Kind: Marriage, Name: Text{ZH: "婚假", EN: "marriage leave"}, Protected: true, Proof: true, MostDays: 3, Article: "劳动法 §51; (80)劳总薪字29号 §1"},
		{Kind: Maternity, Name: Text{ZH: "产假", EN: "maternity leave"}, Protected: true, Proof: true, Calendar: true, MostDays: MaternityDays, Article: "女职工劳动保护特别规定 §7"},
		{Kind: Paternity, Name: Text{ZH: "陪产假", EN: "paternity leave"}, Protected: true, Proof: true, Calendar: true, MostDays: 15, Article: "人口与计划生育法 §25; 各省条例"},
		{Kind: ChildCare, Name: Text{ZH: "育儿假", EN: "child care leave"}, Protected: true, Proof: true, MostDays: 10, Yearly: true, Article: "人口与计划生育法 §25; 各省条例"},
		{Kind: Bereavement, Name: Text{ZH: "丧假", EN: "bereavement leave"}, Protected: true, MostDays: 3, Article: "劳动法 §51; (80)劳总薪字29号 §1"},
	}
}

// RuleOf finds what holds for a kind of leave by the national rule and the house.
func (p Policy) RuleOf(k LeaveKind) (KindRule, bool) {
	i := slices.IndexFunc(p.Kinds, func(r KindRule) bool { return r.Kind == k })
	if i < 0 {
		return KindRule{}, false
	}
	return p.Kinds[i], true
}

// RuleAt finds what holds for a kind of leave at a site: what its region grants stands before the rule of
// the house. region is its name, empty without one.
func (p Policy) RuleAt(k LeaveKind, site ids.Site) (rule KindRule, region string, known bool) {
	rule, known = p.RuleOf(k)
	for _, r := range p.Regions {
		if known && r.Kind == k && slices.Contains(r.Sites, site) {
			rule.MostDays, rule.Article = r.MostDays, cmp.Or(r.Article, rule.Article)
			return rule, r.Name, true
		}
	}
	return rule, "", known
}
