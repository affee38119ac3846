package measuring

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
)

// Comparison is one metric over one range under two versions, whatever the dates on which they are in force.
type Comparison struct {
	Metric  kpi.Metric       `json:"metric"`
	Unit    kpi.Unit         `json:"unit"`
	Range   calendar.Range   `json:"range"`
	A       Explained        `json:"version_from"`
	B       Explained        `json:"version_to"`
	Figures []ComparedFigure `json:"figures"`
}

// ComparedFigure is the figure of one place under both versions and as it is in force.
type ComparedFigure struct {
	Merchant ids.Merchant `json:"merchant,omitempty"`
	Shop     ids.Shop     `json:"shop,omitempty"`
	Queue    ids.Queue    `json:"queue,omitempty"`
	Agent    ids.Agent    `json:"agent,omitempty"`
	Start    time.Time    `json:"start,omitzero"`
	Slot     int          `json:"slot,omitempty"`
	A        *kpi.Reading `json:"version_from"`       // null where the version counts nothing in the place
	B        *kpi.Reading `json:"version_to"`         // the same
	InForce  *kpi.Reading `json:"in_force,omitempty"` // missing when no version is in force on some day
	Delta    *float64     `json:"delta"`              // value of B minus value of A, in the metric's unit (a share: 0.01 is one point)
	Points   *float64     `json:"points,omitempty"`   // of a share: Delta in percentage points
}

// Compare computes one metric of a query under two of its versions and as it is in force. The query
// names one metric and no version. Permissions are those of Figures. Errors: kpi.compare.query,
// kpi.version.unknown, which lists the known versions, and those of Figures.
func (m *Measuring) Compare(ctx context.Context, who access.Principal, q kpi.Query, a, b string) (Comparison, error) {
	if len(q.Metrics) != 1 || q.Version != "" {
		return Comparison{}, fault.New(fault.Invalid, "kpi.compare.query", "a comparison is of one metric under two versions")
	}
	was, err := m.gate.Version(q.Metrics[0], a)
	if err != nil {
		return Comparison{}, err
	}
	then, err := m.gate.Version(q.Metrics[0], b)
	if err != nil {
		return Comparison{}, err
	}
	out := Comparison{Metric: was.Metric, Unit: was.Unit, Range: q.Range, A: explained(was), B: explained(then)}
	figures := map[cell]*ComparedFigure{}
	for i, version := range []string{a, b, ""} {
		q.Version = version
		readings, err := m.Figures(ctx, who, q)
		if err != nil && version == "" && fault.CodeOf(err) == "kpi.metric.not_effective" {
			break // nothing is in force on some day of the range: there is no such figure
		}
		if err != nil {
			return Comparison{}, err
		}
		for _, r := range readings {
			figure := figureAt(figures, r)
			*[]**kpi.Reading{&figure.A, &figure.B, &figure.InForce}[i] = &r
		}
	}
	for _, figure := range figures {
		figure.judge(out.Unit)
		out.Figures = append(out.Figures, *figure)
	}
	slices.SortFunc(out.Figures, compareFigures)
	return out, nil
}

// cell is the group and grain step that a reading belongs to.
type cell struct {
	merchant ids.Merchant
	shop     ids.Shop
	queue    ids.Queue
	agent    ids.Agent
	start    time.Time
	slot     int
}

func figureAt(figures map[cell]*ComparedFigure, r kpi.Reading) *ComparedFigure {
	at := cell{r.Merchant, r.Shop, r.Queue, r.Agent, r.Start, r.Slot}
	if figures[at] == nil {
		figures[at] = &ComparedFigure{Merchant: r.Merchant, Shop: r.Shop, Queue: r.Queue, Agent: r.Agent, Start: r.Start, Slot: r.Slot}
	}
	return figures[at]
}

// judge fills in the difference where both versions have a value.
func (f *ComparedFigure) judge(unit kpi.Unit) {
	if f.A == nil || f.B == nil || f.A.Value == nil || f.B.Value == nil {
		return
	}
	delta := *f.B.Value - *f.A.Value
	f.Delta = &delta
	if unit == kpi.Share {
		points := 100 * delta
		f.Points = &points
	}
}

func compareFigures(a, b ComparedFigure) int {
	for _, order := range []int{
		strings.Compare(string(a.Merchant), string(b.Merchant)), strings.Compare(string(a.Shop), string(b.Shop)),
		strings.Compare(string(a.Queue), string(b.Queue)), strings.Compare(string(a.Agent), string(b.Agent)), a.Start.Compare(b.Start),
	} {
		if order != 0 {
			return order
		}
	}
	return a.Slot - b.Slot
}
