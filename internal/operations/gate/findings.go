package gate

import (
	"context"

	"github.com/chaoban/chaoban/internal/store"
)

// Found tells, or takes back, what a job found wrong.
func (g Gate) Found(ctx context.Context, name string, problems int, text string) error {
	now := g.Now()
	if problems == 0 {
		_, resolved, err := g.Store.SettleAlert(ctx, name, now)
		if resolved {
			g.Log.InfoContext(ctx, "a finding is gone", "alert", name)
		}
		return err
	}
	_, fired, err := g.Store.RaiseAlert(ctx, name, store.AlertFinding, text, 1, now)
	g.Log.ErrorContext(ctx, "ALERT: a job found something wrong", "alert", name, "problems", problems, "new", fired, "text", text)
	return err
}
