package operations

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// ingestRows is how many events one acknowledged batch of the warehouse holds.
const ingestRows = 50_000

// ImportInput is a file that somebody brings.
type ImportInput struct {
	Source   intake.Source
	Mapping  intake.Mapping // Kind says what the rows are
	Partial  bool           // import the good rows although others are bad
	RejectTo io.Writer      // with Partial: the rejected rows with their reasons
	Progress func(done, total int64)
}

// Imported says what an import did.
type Imported struct {
	Import  store.Import     `json:"import"`
	Already bool             `json:"already"` // the same file was imported before; nothing changed
	Agents  *store.PutResult `json:"agents,omitempty"`
	Summary intake.Summary   `json:"summary"`
}

// Import reads a file of conversations, agent states, contact history or agents. It is
// all-or-nothing unless Partial; the same file twice changes nothing. When it returns without an
// error every row is durable and counted.
func (m *Measuring) Import(ctx context.Context, who access.Principal, in ImportInput) (Imported, error) {
	perm := access.Ingest
	if in.Mapping.Kind == intake.Agents {
		perm = access.WriteAgents
	}
	scope, err := access.Decide(who, perm)
	if err != nil {
		return Imported{}, err
	}
	known, err := m.known(ctx, scope)
	if err != nil {
		return Imported{}, err
	}
	run := importRun{Measuring: m, who: who, in: in, batch: ids.New[ids.Batch](m.deps.Now()), known: known}
	switch in.Mapping.Kind {
	case intake.Agents:
		return run.people(ctx)
	case intake.Conversations:
		return importEvents(ctx, run, func(rows []chatlog.Conversation) warehouse.Batch {
			return warehouse.Batch{Conversations: rows}
		})
	case intake.States:
		return importEvents(ctx, run, func(rows []chatlog.AgentState) warehouse.Batch {
			return warehouse.Batch{States: rows}
		})
	case intake.History:
		return importEvents(ctx, run, func(rows []chatlog.Contacts) warehouse.Batch {
			return warehouse.Batch{Contacts: rows}
		})
	default:
		return Imported{}, fault.New(fault.Invalid, "intake.kind", "the kind of the rows must be one of %v", intake.Kinds)
	}
}

// importRun is one import in progress.
type importRun struct {
	*Measuring
	who   access.Principal
	in    ImportInput
	batch ids.Batch
	known map[ids.Queue]store.Queue
}

// known are the queues an import may name.
func (m *Measuring) known(ctx context.Context, scope access.Scope) (map[ids.Queue]store.Queue, error) {
	view := m.deps.Store.In(scope)
	all, err := store.All(func(p store.Page) ([]store.Queue, string, error) { return view.Queues(ctx, store.QueueFilter{}, p) })
	if err != nil {
		return nil, err
	}
	known := make(map[ids.Queue]store.Queue, len(all))
	for _, q := range all {
		known[q.ID] = q
	}
	return known, nil
}

// key names the import: the same content read by the same mapping into the same kind.
func (r importRun) key(sha string) (string, error) {
	mapping, err := json.Marshal(r.in.Mapping)
	if err != nil {
		return "", fault.Wrap(err, fault.Internal, "import.key", "the import cannot be named")
	}
	sum := sha256.Sum256(fmt.Appendf(mapping, "%s %d %t", sha, ingestRows, r.in.Partial))
	return hex.EncodeToString(sum[:]), nil
}

// before finds the acknowledged import of the same content.
func (r importRun) before(ctx context.Context) (Imported, string, bool, error) {
	sha, err := r.in.Source.Digest(ctx)
	if err != nil {
		return Imported{}, "", false, err
	}
	key, err := r.key(sha)
	if err != nil {
		return Imported{}, "", false, err
	}
	old, err := r.deps.Store.In(access.Scope{Everything: true}).ImportByKey(ctx, string(r.in.Mapping.Kind), key)
	if err == nil {
		return Imported{Import: old, Already: true}, key, true, nil
	}
	if fault.KindOf(err) != fault.NotFound {
		return Imported{}, "", false, err
	}
	return Imported{}, key, false, nil
}

// partsName names the rows that this import takes of the file: with Partial they depend on the
// queues that are known, and another choice of rows must not pass for parts acknowledged before.
func (r importRun) partsName(key string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s|%v", key, r.in.Partial)
	for _, id := range slices.Sorted(maps.Keys(r.known)) {
		fmt.Fprintf(h, "|%s %s %s", id, r.known[id].Merchant, r.known[id].Shop)
	}
	return hex.EncodeToString(h.Sum(nil)[:24])
}

func importEvents[T intake.Event](ctx context.Context, r importRun, wrap func([]T) warehouse.Batch) (Imported, error) {
	done, key, already, err := r.before(ctx)
	if err != nil || already {
		return done, err
	}
	// A part is named by what it holds, so that an import which was cut off goes on where it
	// stopped: parts that were acknowledged are not written again.
	name, part := r.partsName(key), 0
	handle := func(rows []T) error {
		part++
		batch := wrap(rows)
		batch.ID = ids.Batch(fmt.Sprintf("%s-%d", name, part))
		_, err := r.deps.Warehouse.Ingest(ctx, batch)
		return err
	}
	summary, err := intake.Scan(ctx, r.in.Source, r.in.Mapping, handle, r.options(ctx))
	if err != nil {
		return Imported{Summary: summary}, err
	}
	if _, err := r.deps.Warehouse.Refresh(ctx); err != nil {
		return Imported{Summary: summary}, err
	}
	return r.acknowledge(ctx, key, summary, nil)
}

func (r importRun) options(ctx context.Context) intake.Options {
	keys := map[string][]byte{}
	return intake.Options{
		Partial: r.in.Partial, RejectTo: r.in.RejectTo, Zone: r.deps.Zone, BatchRows: ingestRows, Progress: r.in.Progress,
		Refers: r.refers,
		HashBuyer: func(merchant, buyer string) string {
			key, ok := keys[merchant]
			if !ok {
				key = r.buyerKey(ctx, ids.Merchant(merchant))
				keys[merchant] = key
			}
			if key == nil {
				return ""
			}
			h := hmac.New(sha256.New, key)
			h.Write([]byte(buyer))
			return hex.EncodeToString(h.Sum(nil)[:16])
		},
	}
}

// refers checks that a row names a queue we know and that belongs to the merchant and shop it names.
func (r importRun) refers(merchant ids.Merchant, shop ids.Shop, queue ids.Queue) []fault.Field {
	q, ok := r.known[queue]
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

// buyerKey is the key of a merchant's buyer hashes, made at first use. Without a key (the store
// is busy) buyers are left out rather than stored readable.
func (r importRun) buyerKey(ctx context.Context, merchant ids.Merchant) []byte {
	name := "buyer-key:" + string(merchant)
	view := r.deps.Store.In(access.Scope{Everything: true})
	var text string
	if setting, err := view.Setting(ctx, name); err == nil && json.Unmarshal(setting.Value, &text) == nil {
		if key, err := hex.DecodeString(text); err == nil {
			return key
		}
	}
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return nil
	}
	value, err := json.Marshal(hex.EncodeToString(raw[:]))
	if err != nil {
		return nil
	}
	err = r.deps.Store.Change(ctx, r.who, r.deps.Now(), func(tx *store.Tx) error {
		_, err := tx.PutSetting(name, value, store.NewOnly)
		return err
	})
	if err != nil {
		return nil
	}
	return raw[:]
}

func (r importRun) people(ctx context.Context) (Imported, error) {
	done, key, already, err := r.before(ctx)
	if err != nil || already {
		return done, err
	}
	agents, summary, err := intake.ReadAgents(ctx, r.in.Source, r.in.Mapping, r.options(ctx))
	if err != nil {
		return Imported{Summary: summary}, err
	}
	return r.acknowledge(ctx, key, summary, func(tx *store.Tx) (*store.PutResult, error) {
		result, err := tx.PutAgents(agents)
		return &result, err
	})
}

// acknowledge records the import, together with what belongs into the same transaction.
func (r importRun) acknowledge(ctx context.Context, key string, s intake.Summary, also func(*store.Tx) (*store.PutResult, error)) (Imported, error) {
	now := r.deps.Now()
	done := Imported{Summary: s, Import: store.Import{
		Batch: r.batch, Kind: string(r.in.Mapping.Kind), Key: key, SHA256: s.SHA256, File: s.File,
		Merchant: ids.Merchant(r.in.Mapping.Constants["merchant"]), Rows: s.Good, Rejected: s.Rejected, At: now, Author: r.who.User,
	}}
	err := r.deps.Store.Change(ctx, r.who, now, func(tx *store.Tx) (err error) {
		if also != nil {
			if done.Agents, err = also(tx); err != nil {
				return err
			}
		}
		return tx.AddImport(done.Import)
	})
	return done, err
}

// Imports lists acknowledged imports, newest first.
func (m *Measuring) Imports(ctx context.Context, who access.Principal, f store.ImportFilter, p store.Page) ([]store.Import, string, error) {
	view, _, err := m.read(who, access.ReadKPI)
	if err != nil {
		return nil, "", err
	}
	return view.Imports(ctx, f, p)
}
