package leave

import "slices"

// LeaveKind is a kind of absence.
type LeaveKind string

// The kinds of leave.
const (
	Annual       LeaveKind = "annual"       // 年休假
	Sick         LeaveKind = "sick"         // 病假
	Personal     LeaveKind = "personal"     // 事假
	Marriage     LeaveKind = "marriage"     // 婚假
	Maternity    LeaveKind = "maternity"    // 产假
	Bereavement  LeaveKind = "bereavement"  // 丧假
	Compensatory LeaveKind = "compensatory" // 调休
)

// KindRule is what holds for one kind of leave. All of it is data: provinces and houses differ.
type KindRule struct {
	Kind      LeaveKind `json:"kind" yaml:"kind"`
	Name      Text      `json:"name" yaml:"name"`
	Balance   bool      `json:"balance,omitempty" yaml:"balance,omitempty"`     // taken from a balance, which is never overdrawn
	Protected bool      `json:"protected,omitempty" yaml:"protected,omitempty"` // the law grants it: quotas and closed days only warn
	Calendar  bool      `json:"calendar,omitempty" yaml:"calendar,omitempty"`   // every day counts, not only days of work
	Auto      bool      `json:"auto,omitempty" yaml:"auto,omitempty"`           // granted by itself when nothing speaks against it
	MostDays  int       `json:"most_days,omitempty" yaml:"most_days,omitempty"` // longer needs a decision; 0 = no limit
	Proof     bool      `json:"proof,omitempty" yaml:"proof,omitempty"`         // without a document it needs a decision
	Notice    int       `json:"notice,omitempty" yaml:"notice,omitempty"`       // days ahead; later needs a decision
	Article   string    `json:"article,omitempty" yaml:"article,omitempty"`
}

// DefaultKinds are the national rules and usual house settings. Provinces grant more days for
// marriage and maternity: those are settings of the house.
func DefaultKinds() []KindRule {
	return []KindRule{
		{Kind: Annual, Name: Text{ZH: "年休假", EN: "annual leave"}, Balance: true, Auto: true, Notice: 3, Article: "职工带薪年休假条例 §3 §5"},
		{Kind: Compensatory, Name: Text{ZH: "调休", EN: "time off in lieu"}, Balance: true, Auto: true, Notice: 1, Article: "劳动法 §44(2)"},
		{Kind: Personal, Name: Text{ZH: "事假", EN: "personal leave"}, Auto: true, MostDays: 3, Notice: 1, Article: "内部规定"},
		{Kind: Sick, Name: Text{ZH: "病假", EN: "sick leave"}, Protected: true, Proof: true, Article: "劳部发[1994]479 §3; 劳动合同法 §42(3)"},
		{Kind: Marriage, Name: Text{ZH: "婚假", EN: "marriage leave"}, Protected: true, Proof: true, MostDays: 3, Article: "劳动法 §51; (80)劳总薪字29号 §1"},
		{Kind: Maternity, Name: Text{ZH: "产假", EN: "maternity leave"}, Protected: true, Proof: true, Calendar: true, MostDays: 98, Article: "女职工劳动保护特别规定 §7"},
		{Kind: Bereavement, Name: Text{ZH: "丧假", EN: "bereavement leave"}, Protected: true, MostDays: 3, Article: "劳动法 §51; (80)劳总薪字29号 §1"},
	}
}

// RuleOf finds what holds for a kind of leave.
func (p Policy) RuleOf(k LeaveKind) (KindRule, bool) {
	i := slices.IndexFunc(p.Kinds, func(r KindRule) bool { return r.Kind == k })
	if i < 0 {
		return KindRule{}, false
	}
	return p.Kinds[i], true
}
