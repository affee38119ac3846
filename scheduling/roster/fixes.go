package roster

import (
	"fmt"
	"math"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Fix is one way to cover a short stretch with one more head. What it saves is all that it covers and uncovers, in the
// stretch and elsewhere, for every kind; its price is all the rest. So two fixes compare line by line.
type Fix struct {
	Kind     string               `json:"kind"`               // "shift", "overtime", "swap" (of a rest day), "seat" (a shift with one more seat) or "temp"
	Agent    ids.Agent            `json:"agent,omitempty"`    // empty for a temp
	Date     calendar.Date        `json:"date,omitzero"`      // on which the shift starts
	Template string               `json:"template,omitempty"` // of that shift
	Off      calendar.Date        `json:"off,omitzero"`       // swap: the day that becomes free
	Hours    float64              `json:"hours"`              // hours beyond the normal ones, or paid hours of the temps
	Pay      []workrules.PayShare `json:"pay,omitempty"`      // the agent's working time that it adds, by percentage of the wage
	Paid     float64              `json:"paid"`               // yuan that somebody gets for it, on top of a salary; below 0: gets less
	Price    float64              `json:"price"`              // yuan: pay, seat, disturbance, soft rules and other of Parts
	Saves    float64              `json:"saves"`              // yuan of coverage: stretch and elsewhere of Parts
	Pays     bool                 `json:"pays"`               // it saves more than its price
	Parts    FixParts             `json:"parts,omitzero"`     // what price and saving are made of
	Range    calendar.Range       `json:"range,omitzero"`     // a temp's: what it works of the hours it is paid for; in a repair what a fix covers of the stretch
	Says     workrules.Text       `json:"says"`               // what it is, what is paid and what the house gains or loses
}

// FixParts is what a fix brings and costs, in yuan by the weights of the problem.
type FixParts struct {
	Stretch     float64 `json:"stretch"`     // coverage of the stretch that it saves
	Elsewhere   float64 `json:"elsewhere"`   // coverage saved in other slots and queues, below 0 where more is lost
	Pay         float64 `json:"pay"`         // wages and premiums
	Seat        float64 `json:"seat"`        // one more seat
	Disturbance float64 `json:"disturbance"` // days that change
	SoftRules   float64 `json:"soft_rules"`  // that it breaks, less those that it mends
	Other       float64 `json:"other"`       // wishes, nights and weekends, hours owed
}

// plus adds two of them up.
func (p FixParts) plus(q FixParts) FixParts {
	return FixParts{
		p.Stretch + q.Stretch, p.Elsewhere + q.Elsewhere, p.Pay + q.Pay, p.Seat + q.Seat,
		p.Disturbance + q.Disturbance, p.SoftRules + q.SoftRules, p.Other + q.Other,
	}
}

// Brings is what a fix saves beyond its price.
func (f *Fix) Brings() float64 { return f.Saves - f.Price }

// sum sets price and saving from the parts, and sheds the rounding of large numbers.
func (f *Fix) sum() {
	p := &f.Parts
	for _, v := range []*float64{&p.Stretch, &p.Elsewhere, &p.Pay, &p.Seat, &p.Disturbance, &p.SoftRules, &p.Other} {
		*v = math.Round(*v*1e6)/1e6 + 0 // no -0
	}
	f.Saves = p.Stretch + p.Elsewhere
	f.Price = p.Pay + p.Seat + p.Disturbance + p.SoftRules + p.Other
}

// Tell sets price, saving and the sentence of an agent's fix from its parts and shares of pay: what it is, what is paid
// at which rate, and apart from that what the house gains or loses and what that is made of. Overtime of somebody whose
// wage is not known is reckoned from that of the relief.
func (f *Fix) Tell(what workrules.Text, a Agent, r Relief) {
	f.sum()
	wage, salaried := a.Wage, a.Salaried
	if wage == 0 && f.Kind == "overtime" {
		wage, salaried = r.Hour, true
	}
	var paid, covered []workrules.PayShare
	f.Paid = 0
	for _, s := range f.Pay {
		if salaried && s.Percent == workrules.PayNormal {
			covered = append(covered, s)
			continue
		}
		paid = append(paid, s)
		f.Paid += wage * float64(s.Percent) / 100 * float64(s.Minutes) / 60
	}
	f.Paid = math.Round(f.Paid*1e6)/1e6 + 0
	f.say(what, paidText(f.Paid, wage, paid, covered))
}

// paidText says what somebody gets: hours by percentage of the wage, and those that a salary pays.
func paidText(yuan, wage float64, paid, covered []workrules.PayShare) workrules.Text {
	salary := workrules.Text{}
	if len(covered) > 0 {
		salary = workrules.Text{ZH: "，" + payText(covered).ZH + "已在工资内", EN: "; " + payText(covered).EN + " by the salary"}
	}
	switch {
	case wage == 0 && len(paid) > 0:
		return workrules.Text{ZH: "付" + payText(paid).ZH + "，无工资标准" + salary.ZH, EN: "paid " + payText(paid).EN + " of a wage that is not known" + salary.EN}
	case len(paid) == 0 && len(covered) == 0:
		return workrules.Text{ZH: "不加付工资", EN: "nobody is paid more"}
	case len(paid) == 0:
		return workrules.Text{ZH: "不加付工资（" + payText(covered).ZH + "已在工资内）", EN: "nobody is paid more (" + payText(covered).EN + " by the salary)"}
	}
	much := workrules.Text{ZH: fmt.Sprintf("付%.2f元", yuan), EN: fmt.Sprintf("paid %.2f yuan", yuan)}
	if yuan < 0 {
		much = workrules.Text{ZH: fmt.Sprintf("少付%.2f元", -yuan), EN: fmt.Sprintf("paid %.2f yuan less", -yuan)}
	}
	return workrules.Text{
		ZH: fmt.Sprintf("%s（时薪%.2f元，%s%s）", much.ZH, wage, payText(paid).ZH, salary.ZH),
		EN: fmt.Sprintf("%s (%s of %.2f%s)", much.EN, payText(paid).EN, wage, salary.EN),
	}
}

// say joins the sentence.
func (f *Fix) say(what, paid workrules.Text) {
	whole := f.whole()
	f.Says = workrules.Text{ZH: what.ZH + "，" + paid.ZH + "；" + whole.ZH, EN: what.EN + ", " + paid.EN + "; " + whole.EN}
}

// whole is what the house gains or loses, and what that is made of.
func (f *Fix) whole() workrules.Text {
	p := &f.Parts
	var zh, en string
	for _, part := range []struct {
		zh, en string
		yuan   float64
	}{
		{"本时段", "here", p.Stretch},
		{"其他时段", "elsewhere", p.Elsewhere},
		{"工资", "pay", -p.Pay},
		{"座位", "seat", -p.Seat},
		{"调班打扰", "disturbance", -p.Disturbance},
		{"软规则", "soft rules", -p.SoftRules},
		{"意愿、公平与应得工时", "wishes, fairness and hours owed", -p.Other},
	} {
		if math.Abs(part.yuan) < 0.005 {
			continue
		}
		if en != "" {
			zh, en = zh+"，", en+", "
		}
		zh, en = zh+fmt.Sprintf("%s%+.2f", part.zh, part.yuan), en+fmt.Sprintf("%s %+.2f", part.en, part.yuan)
	}
	t := workrules.Text{ZH: fmt.Sprintf("总账赚%.2f元", f.Brings()), EN: fmt.Sprintf("on the whole the house gains %.2f yuan", f.Brings())}
	if f.Brings() < 0 {
		t = workrules.Text{ZH: fmt.Sprintf("总账亏%.2f元", -f.Brings()), EN: fmt.Sprintf("on the whole the house loses %.2f yuan", -f.Brings())}
	}
	if en != "" {
		t.ZH, t.EN = t.ZH+"（"+zh+"）", t.EN+" ("+en+")"
	}
	return t
}

// payText tells hours by percentage of the wage: "8 h at 200 %, 1 h less at 100 %".
func payText(shares []workrules.PayShare) (t workrules.Text) {
	for i, p := range shares {
		sepZH, sepEN, lessZH, lessEN := "、", ", ", "", ""
		if i == 0 {
			sepZH, sepEN = "", ""
		}
		h := float64(p.Minutes) / 60
		if h < 0 {
			h, lessZH, lessEN = -h, "少", " less"
		}
		t.ZH += fmt.Sprintf("%s%s%.4g小时按%d%%", sepZH, lessZH, h, p.Percent)
		t.EN += fmt.Sprintf("%s%.4g h%s at %d %%", sepEN, h, lessEN, p.Percent)
	}
	return t
}
