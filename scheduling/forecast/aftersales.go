package forecast

import (
	"fmt"
	"math"
	"slices"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// After-sales contacts answer orders, not the promotion: somebody who ordered on day d asks where the
// parcel is on d+2 and returns it on d+10. For each tag of contact
//
//	contacts(t) = sum over k = 0..MaxLag of orders(t-k) p(k) + error,   p(k) >= 0
//
// p is the kernel: contacts per order, k days after it. It is fitted from daily orders and daily
// tagged contacts by regularised non-negative least squares (lagfit.go), shrunk to a labelled prior.
// The mass, sum of p, is contacts per order. Days are local days; there is no day of the week in it,
// orders bring their own.

// LagHistory is what the kernels are fitted to.
type LagHistory struct {
	First  calendar.Date // the day of the first value of every slice
	Orders []float64     // paid orders per day; NaN = not recorded
	Tags   []TagHistory
}

// TagHistory is the contacts of one tag per day from LagHistory.First on; NaN = not recorded.
type TagHistory struct {
	Tag      string
	Contacts []float64
}

// LagPrior is what is believed of a tag before its history speaks.
type LagPrior struct {
	Tag    string    `json:"tag"`    // 催发货
	Shape  []float64 `json:"shape"`  // by days after the order, from 0; any scale, 0 or more
	Mass   float64   `json:"mass"`   // contacts per order, worth massContacts contacts; 0 = not known
	Source string    `json:"source"` // where the shape is from
}

// massContacts is how many observed contacts a prior mass weighs as much as.
const massContacts = 20

// DefaultLagPriors are the shapes that ship. None has a mass: how many buyers ask differs too much
// between shops to be shipped, it comes from the history or from the caller.
func DefaultLagPriors() []LagPrior {
	return []LagPrior{
		{Tag: "催发货", Shape: flatShape(1, 5), Source: "general: logistics questions come on D+1 to D+5, no finer source"},
		{Tag: "退换货", Shape: peakShape(3, 10, 20), Source: "about 7 days after receipt, 7 to 15 days after Double 11 (08gf.com, quality C); 7 days to return (消保法 §25); receipt on D+3 is inferred"},
		PriceProtectionPrior(21),
		{Tag: "好评", Shape: flatShape(3, 15), Source: "inferred: after receipt, no source"},
	}
}

// PriceProtectionPrior is the prior of 价保 for a protection window of some days after the order.
func PriceProtectionPrior(days int) LagPrior {
	return LagPrior{Tag: "价保", Shape: flatShape(0, min(max(days, 1), maxLagLimit)), Source: fmt.Sprintf("any day of a price protection of %d days (windows end 1 to 3 weeks after a sale)", days)}
}

// flatShape is the same on every day from first to last.
func flatShape(first, last int) []float64 {
	s := make([]float64, last+1)
	for k := first; k <= last; k++ {
		s[k] = 1
	}
	return s
}

// peakShape rises from before first to peak and falls to after last, in straight lines.
func peakShape(first, peak, last int) []float64 {
	s := make([]float64, last+1)
	for k := first; k <= last; k++ {
		if k <= peak {
			s[k] = float64(k-first+1) / float64(peak-first+1)
		} else {
			s[k] = float64(last-k+1) / float64(last-peak+1)
		}
	}
	return s
}

// LagOptions says how far back orders matter and what is believed.
type LagOptions struct {
	MaxLag int        // days, 30 to 90; 0 = 45
	Priors []LagPrior // replace the shipped ones of the same tag
}

// The reach of a kernel in days.
const (
	minLagLimit   = 30
	usualLagLimit = 45
	maxLagLimit   = 90
)

// LagModel is the fitted kernels, as plain data.
type LagModel struct {
	MaxLag  int         `json:"max_lag"`
	Kernels []LagKernel `json:"kernels"` // in the order of the tags
}

// LagKernel is one tag's answer to orders.
type LagKernel struct {
	Tag         string    `json:"tag"`
	Shares      []float64 `json:"shares"` // contacts per order, k days after it; 0 or more
	Mass        float64   `json:"mass"`   // their sum
	Prior       string    `json:"prior"`  // source of the prior
	Days        int       `json:"days"`   // of history that taught it
	Contacts    float64   `json:"contacts"`
	Information float64   `json:"information"` // 0 = the shape is the prior's, 1 = the history's
	Dispersion  float64   `json:"dispersion"`  // variance over mean of a day's contacts; 1 = Poisson
	Relative    float64   `json:"relative"`    // relative standard deviation of a day beyond that
	Covariance  []float64 `json:"covariance"`  // of Shares, row by row
	Doubts      []string  `json:"doubts"`
}

// FitLags fits a kernel per tag. A thin history is not an error: the prior rules and Doubts says so.
// Errors: "forecast.aftersales" with every bad field; "forecast.no_history" for a tag that has
// neither contacts beside orders nor a prior mass.
func FitLags(h LagHistory, o LagOptions) (LagModel, error) {
	if o.MaxLag == 0 {
		o.MaxLag = usualLagLimit
	}
	if err := fault.Bad("forecast.aftersales", "after-sales history", append(h.problems(), o.problems()...)); err != nil {
		return LagModel{}, err
	}
	m := LagModel{MaxLag: o.MaxLag}
	orders, known := imputed(h.Orders, o.MaxLag)
	for _, t := range h.Tags {
		k, err := fitKernel(t, orders, known, o.prior(t.Tag), o.MaxLag)
		if err != nil {
			return LagModel{}, err
		}
		m.Kernels = append(m.Kernels, k)
	}
	return m, nil
}

// prior of a tag: the caller's, the shipped, or a plain fortnight; its shape cut to the reach and
// made to sum to one.
func (o LagOptions) prior(tag string) LagPrior {
	prior := LagPrior{Tag: tag, Shape: flatShape(0, 14), Source: "none for this tag: any day of a fortnight"}
	for _, p := range append(DefaultLagPriors(), o.Priors...) {
		if p.Tag == tag {
			prior = p
		}
	}
	shape := make([]float64, o.MaxLag+1)
	var sum float64
	for k := range min(len(shape), len(prior.Shape)) {
		shape[k] = prior.Shape[k]
		sum += shape[k]
	}
	for k := range shape {
		shape[k] /= sum
	}
	prior.Shape = shape
	return prior
}

func (h LagHistory) problems() []fault.Field {
	var bad []fault.Field
	report := func(path string, value any, problem string) {
		if len(bad) < 10 {
			bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
		}
	}
	if len(h.Orders) == 0 || h.First.IsZero() {
		report("orders", len(h.Orders), "must hold at least one day and have a first date")
	}
	const mostDays = 20 * 366
	if len(h.Orders) > mostDays {
		report("orders", len(h.Orders), "must not span more than 20 years")
	}
	for i, v := range h.Orders {
		if v < 0 || v > maxDaily {
			report(fmt.Sprintf("orders[%d]", i), v, "must be a number from 0 to 1e12")
		}
	}
	seen := map[string]bool{}
	for i, t := range h.Tags {
		path := fmt.Sprintf("tags[%d]", i)
		if t.Tag == "" || seen[t.Tag] {
			report(path+".tag", t.Tag, "must be a name of its own")
		}
		seen[t.Tag] = true
		if len(t.Contacts) > len(h.Orders) {
			report(path+".contacts", len(t.Contacts), "must not have more days than the orders")
		}
		for j, v := range t.Contacts {
			if v < 0 || v > maxDaily {
				report(fmt.Sprintf("%s.contacts[%d]", path, j), v, "must be a number from 0 to 1e12")
			}
		}
	}
	return bad
}

// maxDaily bounds a day's orders or contacts, so that sums of squares stay finite.
const maxDaily = 1e12

func (o LagOptions) problems() []fault.Field {
	var bad []fault.Field
	if o.MaxLag < minLagLimit || o.MaxLag > maxLagLimit {
		bad = append(bad, fault.Field{Path: "max_lag", Value: fmt.Sprint(o.MaxLag), Problem: "must be 30 to 90 days"})
	}
	for i, p := range o.Priors {
		var sum float64
		for k, v := range p.Shape {
			if !(v >= 0 && v <= 1e6) {
				bad = append(bad, fault.Field{Path: fmt.Sprintf("priors[%d].shape[%d]", i, k), Value: fmt.Sprint(v), Problem: "must be a number from 0 to 1e6"})
			}
			if k <= o.MaxLag {
				sum += v
			}
		}
		if !(sum > 1e-9) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("priors[%d].shape", i), Value: p.Tag, Problem: "must be above zero somewhere within the reach"})
		}
		if !(p.Mass >= 0 && p.Mass <= 1e3) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("priors[%d].mass", i), Value: fmt.Sprint(p.Mass), Problem: "must lie between 0 and 1000 contacts per order"})
		}
	}
	return bad
}

// imputed puts a run-up of MaxLag days in front of the orders and fills days without a record with
// the mean of the known days within two weeks (else of all); known says which are real.
func imputed(orders []float64, lead int) (filled []float64, known []bool) {
	all := nans(lead, len(orders))
	all = append(all, orders...)
	known = make([]bool, len(all))
	var total, n float64
	for i, v := range all {
		if known[i] = !math.IsNaN(v); known[i] {
			total += v
			n++
		}
	}
	filled = slices.Clone(all)
	for i := range filled {
		if known[i] {
			continue
		}
		from := max(i-14, 0)
		if i < lead {
			from = lead // the run-up looks like the first four weeks
		}
		var sum, count float64
		for j := from; j < min(max(i, lead+13)+15, len(all)); j++ {
			if known[j] {
				sum += all[j]
				count++
			}
		}
		switch {
		case count > 0:
			filled[i] = sum / count
		case n > 0:
			filled[i] = total / n
		default:
			filled[i] = 0
		}
	}
	return filled, known
}
