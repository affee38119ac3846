package requesting

import (
	"context"
	"fmt"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// PutOvertimeConsent notes that agents have agreed to overtime, or do so no longer (劳动合同法 §31: nobody may be
// made to work it). It holds for what is rostered, edited and offered from then on; the answer tells the published
// shifts that break rules by it, and whose consent has no effect because the law bars the overtime itself: the consent
// is kept, since most bars end. Who decides requests may note it too, since it is the supervisor who asks an agent.
//
// Errors: consent.agents for none, store.not_found for an agent nobody knows; then nothing is changed.
func (q *Requesting) PutOvertimeConsent(ctx context.Context, who access.Principal, agents []ids.Agent, agreed bool) (FactsPut, error) {
	done := FactsPut{Broken: []gate.Break{}}
	if _, err := access.DecideAny(who, access.WriteAgents, access.DecideRequests); err != nil {
		return done, err
	}
	if len(agents) == 0 {
		return done, fault.New(fault.Invalid, "consent.agents", "name at least one agent")
	}
	err := q.gate.Store.Change(ctx, who, q.gate.Now(), func(tx *store.Tx) error {
		view, today := tx.In(everything), calendar.DateOf(tx.Now(), q.gate.Zone)
		var changed []workforce.Agent
		for _, id := range agents {
			agent, err := view.Agent(ctx, id)
			if err != nil {
				return err
			}
			agent.Value.OvertimeAgreed = agreed
			changed = append(changed, agent.Value)
			if note := withoutEffect(agent.Value, today); agreed && note != "" {
				done.Notes = append(done.Notes, note)
			}
		}
		put, err := q.desk.PutAgents(ctx, tx, changed, calendar.Date{})
		done.PutResult, done.Broken = put.PutResult, put.Broken
		return err
	})
	return done, err
}

// withoutEffect says why an agent's consent to overtime changes nothing, and until when; "" when it does.
func withoutEffect(a workforce.Agent, today calendar.Date) string {
	says, dates, barred := revising.OvertimeBar(a, today)
	switch {
	case !barred:
		return ""
	case today.Before(dates.From):
		return fmt.Sprintf("%s: 自 %s 起%s，届时同意不生效 / from %[2]s on %[4]s: the consent has no effect then", a.ID, dates.From, says.ZH, says.EN)
	case dates.Until.IsZero():
		return fmt.Sprintf("%s: %s，同意不生效 / %s: the consent has no effect", a.ID, says.ZH, says.EN)
	}
	return fmt.Sprintf("%s: %s，同意自 %s 起生效 / %s: the consent has no effect before %[3]s", a.ID, says.ZH, dates.Until, says.EN)
}
