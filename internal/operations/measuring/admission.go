package measuring

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// admission is what rows are judged by on their way in: which merchants, shops and queues there are,
// who used which account when, whose texts may be kept, and the keys of buyers. It is read once per
// import; its methods may be called concurrently.
type admission struct {
	gate     gate.Gate
	closing  chatlog.ClosingRule
	who      access.Principal
	queues   map[ids.Queue]store.Queue
	shops    map[ids.Shop]store.Shop
	accounts *chatlog.Assignments
	texts    map[ids.Merchant][]keeping
	closes   func(text string) bool
	latest   time.Time // last instant anything may have happened

	mu     sync.Mutex
	keys   map[ids.Merchant][]byte
	failed error // why a buyer could not be hashed
}

// keeping is a period in which the texts of some shops may be kept.
type keeping struct {
	calendar.Dates
	shops []ids.Shop
}

// admit reads the rules of an import at one moment.
func (m *Measuring) admit(ctx context.Context, who access.Principal, scope access.Scope) (*admission, error) {
	a := &admission{
		gate: m.gate, closing: m.policy.Closing, who: who, queues: map[ids.Queue]store.Queue{}, shops: map[ids.Shop]store.Shop{}, texts: map[ids.Merchant][]keeping{},
		closes: m.policy.Closing.Matcher(), latest: m.gate.Now().Add(chatlog.ClockSkew), keys: map[ids.Merchant][]byte{},
	}
	var assigned []store.Account
	err := m.gate.Store.Read(ctx, scope, func(view *store.View) error {
		queues, err := store.All(func(p store.Page) ([]store.Queue, string, error) { return view.Queues(ctx, store.QueueFilter{}, p) })
		if err != nil {
			return err
		}
		for _, q := range queues {
			a.queues[q.ID] = q
		}
		shops, err := store.All(func(p store.Page) ([]store.Shop, string, error) { return view.Shops(ctx, "", p) })
		if err != nil {
			return err
		}
		for _, s := range shops {
			a.shops[s.ID] = s
		}
		agreed, err := store.All(func(p store.Page) ([]store.Stored[contracts.Contract], string, error) {
			return view.Contracts(ctx, store.ContractFilter{}, p)
		})
		if err != nil {
			return err
		}
		a.keepTexts(agreed)
		assigned, err = store.All(func(p store.Page) ([]store.Account, string, error) {
			return view.Accounts(ctx, store.AccountFilter{}, p)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	assignments := make([]chatlog.Assignment, len(assigned))
	for i, x := range assigned {
		assignments[i] = x.Assignment
	}
	a.accounts, err = chatlog.NewAssignments(assignments)
	return a, err
}

func (a *admission) keepTexts(agreed []store.Stored[contracts.Contract]) {
	for _, c := range agreed {
		for _, v := range c.Value.Versions {
			if v.Texts {
				a.texts[c.Value.Merchant] = append(a.texts[c.Value.Merchant], keeping{v.Dates, v.Shops})
			}
		}
	}
}

// digest names everything that decides what becomes of a row, except the rows' own queues: after a
// corrected assignment the same file is another import.
func (a *admission) digest() string {
	h := sha256.New()
	fmt.Fprint(h, a.accounts.Digest(), "|", a.closing.Version)
	for _, m := range slices.Sorted(maps.Keys(a.texts)) {
		for _, k := range a.texts[m] {
			fmt.Fprintf(h, "|%s %s %s %v", m, k.From, k.Until, k.shops)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// refers checks that a row names a queue we know and that belongs to the merchant and shop it names;
// without a queue, as steps of orders may come, the shop is looked at.
func (a *admission) refers(merchant ids.Merchant, shop ids.Shop, queue ids.Queue) []fault.Field {
	if queue == "" && shop != "" {
		s, ok := a.shops[shop]
		switch {
		case !ok:
			return []fault.Field{{Path: "shop", Value: string(shop), Problem: "is no shop we know; add it to the merchant's contract file first"}}
		case s.Merchant != merchant:
			return []fault.Field{{Path: "merchant", Value: string(merchant), Problem: fmt.Sprintf("the shop %s belongs to the merchant %s", shop, s.Merchant)}}
		}
		return nil
	}
	q, ok := a.queues[queue]
	switch {
	case !ok:
		return []fault.Field{{Path: "queue", Value: string(queue), Problem: "is no queue we know; add it to the merchant's contract file first"}}
	case q.Merchant != merchant:
		return []fault.Field{{Path: "merchant", Value: string(merchant), Problem: fmt.Sprintf("the queue %s belongs to the merchant %s", queue, q.Merchant)}}
	case shop != "" && q.Shop != shop:
		return []fault.Field{{Path: "shop", Value: string(shop), Problem: fmt.Sprintf("the queue %s belongs to the shop %s", queue, q.Shop)}}
	}
	return nil
}

// agentOf is who used a sub-account at an instant.
func (a *admission) agentOf(shop ids.Shop, account string, at time.Time) (ids.Agent, string) {
	return a.accounts.AgentAt(string(a.shops[shop].Platform), shop, account, at)
}

// settle makes of an event what may be kept of it: without its text where the merchant's contract in
// force on the day does not allow it.
func (a *admission) settle(e *chatlog.Event) {
	if e.Text != "" && !a.keepsText(e.Merchant, cmp.Or(e.Shop, a.queues[e.Queue].Shop), e.At) {
		e.Text = ""
	}
}

func (a *admission) keepsText(merchant ids.Merchant, shop ids.Shop, at time.Time) bool {
	periods := a.texts[merchant]
	if len(periods) == 0 {
		return false
	}
	day := calendar.DateOf(at, a.gate.Zone)
	for _, p := range periods {
		if p.Contains(day) && slices.Contains(p.shops, shop) {
			return true
		}
	}
	return false
}

// hasher is the keyed hash of buyers for one goroutine: it keeps the prepared keys. The empty hash
// means that there is no key, see failure.
func (a *admission) hasher(ctx context.Context) func(merchant, buyer string) string {
	prepared := map[string]hash.Hash{}
	return func(merchant, buyer string) string {
		h, ok := prepared[merchant]
		if !ok {
			key := a.buyerKey(ctx, ids.Merchant(merchant))
			if key == nil {
				return ""
			}
			h = hmac.New(sha256.New, key)
			prepared[strings.Clone(merchant)] = h
		}
		h.Reset()
		_, _ = h.Write([]byte(buyer)) // a hash takes everything
		return hex.EncodeToString(h.Sum(nil)[:16])
	}
}

// lineHasher is hasher for canonical lines, which carry the keyed hash already, or the name of
// somebody who does not know our keys: 32 hexadecimal digits are taken for the former and stay.
func (a *admission) lineHasher(ctx context.Context) func(merchant, buyer string) string {
	keyed := a.hasher(ctx)
	return func(merchant, buyer string) string {
		if hashed(buyer) {
			return buyer
		}
		return keyed(merchant, buyer)
	}
}

func hashed(buyer string) bool {
	if len(buyer) != 32 {
		return false
	}
	for i := range len(buyer) {
		if c := buyer[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// failure is why a buyer could not be hashed: it is neither stored readable nor left out, so the
// import fails.
func (a *admission) failure() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failed
}

// buyerKey is the key of a merchant's buyer hashes, made at first use; nil for a merchant that no
// queue belongs to, whose rows are refused anyway, and when failure says why there is none.
func (a *admission) buyerKey(ctx context.Context, merchant ids.Merchant) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if key, ok := a.keys[merchant]; ok || a.failed != nil {
		return key
	}
	var key []byte
	for _, q := range a.queues {
		if q.Merchant != merchant {
			continue
		}
		if key, a.failed = a.loadBuyerKey(ctx, merchant); a.failed != nil {
			return nil
		}
		break
	}
	a.keys[merchant] = key
	return key
}

// loadBuyerKey reads the key of a merchant or makes it; when two imports make it at once, both take
// the one that was first.
func (a *admission) loadBuyerKey(ctx context.Context, merchant ids.Merchant) ([]byte, error) {
	name := "buyer-key:" + string(merchant)
	key, err := a.storedBuyerKey(ctx, name)
	if err == nil || fault.KindOf(err) != fault.NotFound {
		return key, err
	}
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "import.buyer_key", "the key of the buyers of %s cannot be made", merchant)
	}
	value, err := json.Marshal(hex.EncodeToString(raw[:]))
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "import.buyer_key", "the key of the buyers of %s cannot be made", merchant)
	}
	err = a.gate.Store.Change(ctx, a.who, a.gate.Now(), func(tx *store.Tx) error {
		_, err := tx.PutSetting(name, value, store.NewOnly)
		return err
	})
	switch {
	case err == nil:
		return raw[:], nil
	case fault.CodeOf(err) == store.ErrConflict.Code:
		return a.storedBuyerKey(ctx, name)
	}
	return nil, err
}

func (a *admission) storedBuyerKey(ctx context.Context, name string) ([]byte, error) {
	setting, err := a.gate.Everything().Setting(ctx, name)
	if err != nil {
		return nil, err
	}
	var text string
	err = json.Unmarshal(setting.Value, &text)
	key, bad := hex.DecodeString(text)
	if err != nil || bad != nil || len(key) == 0 {
		return nil, fault.New(fault.Internal, "import.buyer_key", "the setting %s is no key", name)
	}
	return key, nil
}
