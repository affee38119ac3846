package measuring

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// dailySample is how many merchant-days of each kind the daily verification recomputes.
const dailySample = 25

// The alerts about what jobs found.
const (
	alertRollups        = "rollup-verification"
	alertReconciliation = "reconciliation"
)

// VerifyRollups recomputes random days from the raw events and compares them with their roll-ups;
// due chooses which, so that a run can be repeated. Days that differ are computed again at once,
// and an alert tells of them until a run finds none. rows is how many days were compared.
func (m *Measuring) VerifyRollups(ctx context.Context, who access.Principal, due time.Time) (rows int64, err error) {
	if _, err := access.Decide(who, access.RunJobs); err != nil {
		return 0, err
	}
	if _, err := m.gate.Warehouse.Refresh(ctx); err != nil {
		return 0, err
	}
	check, err := m.gate.Warehouse.Verify(ctx, warehouse.Sample{Days: dailySample, Seed: uint64(due.Unix())})
	if err != nil {
		return int64(check.Checked), err
	}
	var texts []string
	for _, d := range check.Differences {
		texts = append(texts, d.String())
	}
	if len(texts) > 0 {
		if _, err := m.gate.Warehouse.Refresh(ctx); err != nil {
			return int64(check.Checked), err
		}
	}
	text := fmt.Sprintf("%d of %d days differed from their raw events and were computed again: %s", len(texts), check.Checked, strings.Join(texts[:min(len(texts), 5)], "; "))
	return int64(check.Checked), m.gate.Found(ctx, alertRollups, len(texts), text)
}
