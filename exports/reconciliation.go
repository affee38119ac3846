package exports

import (
	"fmt"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/reconcile"
)

// Reconciliation is what the platforms say about shops and days beside what we counted from raw
// events.
type Reconciliation struct {
	Shops       []ReconciledShop    `json:"shops"`
	Dates       calendar.Dates      `json:"dates"`
	TimeZone    string              `json:"time_zone"`
	GeneratedAt time.Time           `json:"generated_at"`
	Tolerance   float64             `json:"tolerance"` // relative; closed figures that differ by more are counted in Days
	Days        []reconcile.Summary `json:"days"`      // one per shop and day, in the order of Lines
	Lines       []reconcile.Line    `json:"lines"`
	Definitions []kpi.Definition    `json:"definitions,omitempty"` // of our figures in Lines
}

// ReconciledShop names a shop of a reconciliation.
type ReconciledShop struct {
	Shop     ids.Shop     `json:"shop"`
	Merchant ids.Merchant `json:"merchant"`
	Name     string       `json:"name"`
	Platform string       `json:"platform"`
}

// Rows that fit on one sheet of the workbook; a format limit is 1,048,576.
const maxReconciled = 200_000

// Validate reports every bad field as reconciliation.model.
func (r Reconciliation) Validate() error {
	c := check{}
	if _, err := time.LoadLocation(r.TimeZone); err != nil || r.TimeZone == "" {
		c.report("time_zone", r.TimeZone, "is not an IANA time zone")
	}
	if !r.Dates.From.Before(r.Dates.Until) {
		c.report("dates", r.Dates.From.String(), "must begin before they end")
	}
	if len(r.Lines) > maxReconciled {
		c.report("lines", fmt.Sprint(len(r.Lines)), fmt.Sprintf("are more than %d: ask for fewer days or shops", maxReconciled))
	}
	for i, l := range r.Lines {
		for _, v := range []*float64{l.PlatformValue, l.OurValue, l.Difference, l.Relative} {
			if v != nil && !finite(*v) {
				c.report(fmt.Sprintf("lines[%d]", i), fmt.Sprint(*v), "must be finite numbers or nothing")
			}
		}
	}
	return fault.Bad("reconciliation.model", "reconciliation", c.bad)
}
