package operations

import (
	"context"
	"encoding/json"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/store"
)

// DemoLoaded reports whether the stores hold a complete demo, and whether they hold one at all:
// a load that was cut off can be told from a customer's data.
func (o *Operations) DemoLoaded(ctx context.Context) (complete, known bool) {
	setting, err := o.deps.Store.In(access.Scope{Everything: true}).Setting(ctx, demoKey)
	return err == nil && string(setting.Value) == `"complete"`, err == nil
}

// MarkDemo records that the stores hold the demo.
func (o *Operations) MarkDemo(ctx context.Context, who access.Principal, complete bool) error {
	if _, err := access.Decide(who, access.ManageUsers); err != nil {
		return err
	}
	value := json.RawMessage(`"loading"`)
	if complete {
		value = json.RawMessage(`"complete"`)
	}
	return o.deps.Store.Change(ctx, who, o.deps.Now(), func(tx *store.Tx) error {
		_, err := tx.PutSetting(demoKey, value, store.AnyVersion)
		return err
	})
}

const demoKey = "demo"
