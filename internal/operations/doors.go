package operations

import (
	"context"
	"io"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/store"
)

// ImportKind is what the rows of an uploaded file are.
type ImportKind = intake.Kind

// The kinds of rows a file may hold.
const (
	ImportConversations = intake.Conversations
	ImportStates        = intake.States
	ImportHistory       = intake.History
	ImportAgents        = intake.Agents
	ImportEvents        = intake.Events
	ImportOrders        = intake.Orders
	ImportTickets       = intake.Tickets
	ImportAccounts      = intake.Accounts
)

// ParseMapping reads a mapping file strictly. Errors: intake.mapping.
func ParseMapping(name string, r io.Reader) (Mapping, error) { return intake.ParseMapping(name, r) }

// DefaultMapping expects the canonical field names, or their usual Chinese names, as headers.
func DefaultMapping(kind ImportKind) Mapping { return intake.DefaultMapping(kind) }

// Reply is the remembered answer to a request that carried an idempotency key.
type Reply = store.Reply

// keepReplies is how long a repeated request gets the first answer.
const keepReplies = 24 * time.Hour

// Once begins a request that carries an idempotency key. A nil reply means the work is the
// caller's to do, who then calls done exactly once: with the answer to remember, or with nil when
// the request may be tried again. A reply is the answer to the same request before. Conflict when
// the key belongs to another request or the first one is still being worked on.
func (o *Operations) Once(ctx context.Context, who access.Principal, key, requestHash string) (reply *Reply, done func(context.Context, *Reply) error, err error) {
	if who.User == "" {
		return nil, nil, fault.New(fault.Unauthenticated, "access.unauthenticated", "log in first")
	}
	db, owner, now := o.deps.Store, string(who.User)+"/"+string(who.Token), o.deps.Now()
	reply, err = db.ClaimKey(ctx, owner, key, requestHash, now, keepReplies)
	if err != nil || reply != nil {
		return reply, nil, err
	}
	stop := o.keepClaim(ctx, owner, key, now)
	return nil, func(ctx context.Context, answer *Reply) error {
		stop()
		if answer == nil {
			return db.ReleaseKey(ctx, owner, key)
		}
		return db.CompleteKey(ctx, owner, key, *answer)
	}, nil
}

// keepClaim renews the claim on a key until stop, where the store wants that, so that a dead process loses it soon. It
// ends by itself when the request must have ended.
func (o *Operations) keepClaim(ctx context.Context, owner, key string, last time.Time) (stop func()) {
	lease := o.deps.Store.ClaimLease()
	if lease == 0 {
		return func() {}
	}
	work, stop := context.WithTimeout(context.WithoutCancel(ctx), store.ClaimLimit(ctx))
	go func() {
		defer stop()
		tick := time.NewTicker(lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-work.Done():
				return
			case <-tick.C:
			}
			now := o.deps.Now()
			held, err := o.deps.Store.RenewKey(work, owner, key, last, now)
			if err == nil && !held {
				return
			}
			if err == nil { // otherwise the store was away: the next round tries again
				last = now
			}
		}
	}()
	return stop
}
