package rostering

import (
	"context"
	"crypto/rand"

	"github.com/chaoban/chaoban/exports/icalendar"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
)

// calendarPast and calendarFuture are how far a calendar reaches.
const (
	calendarPast   = 31 // days
	calendarFuture = 366
)

// FeedMade is a new feed with its secret, which is shown once.
type FeedMade struct {
	store.CalendarFeed
	Secret string `json:"secret"`
	Path   string `json:"path"` // of the address that a calendar program subscribes to
}

// FeedPath is where the calendar of a secret is read.
const FeedPath = "/calendar/"

// AddCalendarFeed gives an agent an address under which a calendar program may read its shifts without a
// login, until it is revoked. An agent gets its own. Errors: access.forbidden, store.reference.
func (r *Rostering) AddCalendarFeed(ctx context.Context, who access.Principal, agent ids.Agent) (FeedMade, error) {
	scope, err := access.Decide(who, access.AcknowledgeShifts)
	if err != nil {
		return FeedMade{}, err
	}
	if agent, err = ownAgent(scope, agent); err != nil {
		return FeedMade{}, err
	}
	now, secret := r.gate.Now(), rand.Text() // 130 bits
	var made store.CalendarFeed
	err = r.gate.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		made, err = tx.AddCalendarFeed(store.CalendarFeed{ID: ids.New[ids.Feed](now), Agent: agent, SecretHash: store.SecretHash(secret)})
		return err
	})
	return FeedMade{CalendarFeed: made, Secret: secret, Path: FeedPath + secret + ".ics"}, err
}

// CalendarFeeds lists feeds, newest first, revoked ones too; an agent sees its own.
func (r *Rostering) CalendarFeeds(ctx context.Context, who access.Principal, agent ids.Agent, page store.Page) ([]store.CalendarFeed, string, error) {
	view, _, err := r.gate.Read(who, access.AcknowledgeShifts)
	if err != nil {
		return nil, "", err
	}
	return view.CalendarFeeds(ctx, agent, page)
}

// RevokeCalendarFeed ends a feed: its address answers no more. An agent ends its own. Errors:
// store.not_found.
func (r *Rostering) RevokeCalendarFeed(ctx context.Context, who access.Principal, id ids.Feed) error {
	scope, err := access.Decide(who, access.AcknowledgeShifts)
	if err != nil {
		return err
	}
	return r.gate.Store.Change(ctx, who, r.gate.Now(), func(tx *store.Tx) error {
		if _, err := tx.In(scope).CalendarFeed(ctx, id); err != nil {
			return err
		}
		return tx.RevokeCalendarFeed(id)
	})
}

// Calendar is the calendar of one agent's published shifts (RFC 5545): the last month and what is to
// come, what was taken away as cancelled. An agent reads its own.
func (r *Rostering) Calendar(ctx context.Context, who access.Principal, agent ids.Agent) ([]byte, error) {
	view, scope, err := r.gate.Read(who, access.ReadShifts)
	if err != nil {
		return nil, err
	}
	if agent, err = ownAgent(scope, agent); err != nil {
		return nil, err
	}
	if scope.Agent == "" {
		if _, err := view.Agent(ctx, agent); err != nil {
			return nil, err
		}
	}
	return r.calendar(ctx, view, agent)
}

// FeedCalendar is the calendar that the secret of a feed opens. Errors: store.not_found for a secret
// that opens none any more.
func (r *Rostering) FeedCalendar(ctx context.Context, secret string) ([]byte, error) {
	agent, err := r.gate.Store.FeedAgent(ctx, store.SecretHash(secret))
	if err != nil {
		return nil, err
	}
	return r.calendar(ctx, r.gate.Store.In(access.Scope{Agent: agent}), agent)
}

func (r *Rostering) calendar(ctx context.Context, view *store.View, agent ids.Agent) ([]byte, error) {
	from := calendar.DateOf(r.gate.Now(), r.gate.Zone).Add(-calendarPast)
	reach := calendar.Range{Start: from.In(r.gate.Zone), End: from.Add(calendarPast + calendarFuture).In(r.gate.Zone)}
	published, err := view.Publications(ctx, agent, reach)
	if err != nil {
		return nil, err
	}
	told := make([]icalendar.Told, len(published))
	for i, p := range published {
		told[i] = icalendar.Told{At: p.At, Roster: p.Roster, Ended: p.Ended, Shifts: p.Shifts}
	}
	return icalendar.Text("潮班 "+string(agent), icalendar.Replay(told, from, r.gate.Zone), r.gate.Zone), nil
}
