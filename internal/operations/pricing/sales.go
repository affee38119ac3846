package pricing

import (
	"fmt"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/scheduling/staffing/margin"
)

// Sales is what conversations sell and what a lost one is worth. Contracts do not say it, so it is declared with the question; nothing
// is assumed. With it commission on sales has a price, which a slow first reply lowers.
type Sales struct {
	BasketYuan      float64 `json:"basket_yuan,omitempty"`       // mean order of a buyer who asked, net of refunds; 0 = sales are not priced
	Conversion      float64 `json:"conversion,omitempty"`        // share of those answered who buy, at ReferenceS
	ReferenceS      float64 `json:"reference_s,omitempty"`       // mean first reply in seconds at which Conversion was seen
	Elasticity      float64 `json:"elasticity,omitempty"`        // per cent of conversion lost per per cent of first reply time
	LostContactYuan float64 `json:"lost_contact_yuan,omitempty"` // value of the relationship with a buyer who leaves unanswered, beside what contracts deduct
}

func (s Sales) problems() (bad []fault.Field) {
	check := func(path string, v, most float64) {
		if !(v >= 0 && v <= most) {
			bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(v), Problem: fmt.Sprintf("must be a number from 0 to %g", most)})
		}
	}
	check("basket_yuan", s.BasketYuan, 1e6)
	check("conversion", s.Conversion, 1)
	check("reference_s", s.ReferenceS, 86400)
	check("elasticity", s.Elasticity, 10)
	check("lost_contact_yuan", s.LostContactYuan, 1e5)
	if s.BasketYuan > 0 != (s.Conversion > 0) {
		bad = append(bad, fault.Field{Path: "conversion", Value: fmt.Sprint(s.Conversion), Problem: "and basket_yuan need each other"})
	}
	if s.Elasticity > 0 && s.ReferenceS == 0 {
		bad = append(bad, fault.Field{Path: "reference_s", Value: "0", Problem: "is needed with an elasticity"})
	}
	return bad
}

// commission puts a share of sales on queues, where it is declared what they sell.
func (l *ledgers) commission(f inForce, price contracts.Price, queues []*moneyQueue) {
	s := l.ask.options.Sales
	if s.BasketYuan == 0 {
		l.leave(f, "price "+price.ID, "commission on sales needs what a conversation sells (basket_yuan and conversion)")
		return
	}
	rate := float64(price.Rate) / float64(money.Whole)
	for _, q := range queues {
		if q.Commission == nil {
			q.Commission = &margin.Commission{BasketYuan: s.BasketYuan, Conversion: s.Conversion, ReferenceS: s.ReferenceS, Elasticity: s.Elasticity}
		}
		q.Commission.Rate = min(1, q.Commission.Rate+rate)
	}
}

// lost prices every buyer who leaves unanswered.
func (l *ledgers) lost() {
	if l.ask.options.LostContactYuan == 0 {
		return
	}
	for _, q := range l.queues {
		q.Terms = append(q.Terms, lostContacts(l.ask.options.LostContactYuan))
	}
}

// lostContacts prices buyers who leave unanswered.
func lostContacts(yuan float64) margin.Term {
	return margin.Term{ID: "lost-contacts", Metric: margin.Abandoned, Period: margin.Average, PerMissedYuan: yuan}
}
