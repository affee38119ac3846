package pricing

import (
	"context"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// A plan learns from what was measured before it: how long replies take, how contacts come after an opening, who is
// absent. Nothing of the days that are planned is looked at, also where they are past, and a plan keeps what it
// used. Where figures are not there, assumptions stand in and a doubt says so.

// asker is who asks for plans, with the views that go with it.
type asker struct {
	who   access.Principal
	view  *store.View
	scope access.Scope
}

// past is the measured time that plans from a day on may learn from.
type past struct {
	reader warehouse.Reader
	until  time.Time // midnight of the first planned day, or of today
	zone   *time.Location
}

// assumed is the source of a figure that nobody measured.
const assumed = "assumed"

func (p *Pricing) past(scope access.Scope, from calendar.Date) past {
	until := from
	if today := calendar.DateOf(p.gate.Now(), p.gate.Zone); today.Before(until) {
		until = today
	}
	return past{reader: p.gate.Measured(scope), until: until.In(p.gate.Zone), zone: p.gate.Zone}
}

// last is the business days before the end.
func (h past) last(days int) calendar.Range {
	return calendar.Range{Start: calendar.DateOf(h.until, h.zone).Add(-days).In(h.zone), End: h.until}
}

// unmeasured tells what stands in when the figures cannot be had now; other errors stay errors.
func unmeasured(err error) (doubt string, _ error) {
	if kind := fault.KindOf(err); kind == fault.Unavailable || kind == fault.Timeout {
		return "measured figures cannot be had now", nil
	}
	return "", err
}

// history is everything that plans of some days learn from it.
type history struct {
	before past
	paces  paces
	rushes rushes
	staff  staff
}

func (p *Pricing) history(ctx context.Context, by asker, in PlanInput, pay payroll) (out history, err error) {
	out.before = p.past(by.scope, in.From)
	if out.paces, err = out.before.paces(ctx); err != nil {
		return out, err
	}
	if out.rushes, err = p.rushes(ctx, by, out.before); err != nil {
		return out, err
	}
	out.staff, err = p.staff(ctx, by, out.before, pay, calendar.Dates{From: in.From, Until: in.From.Add(in.Days)})
	return out, err
}
