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

// Import reads a file of conversations, agent states, contact history or agents. Its rows are
// checked all-or-nothing unless Partial; the same file twice changes nothing. When it returns
// without an error every row is durable and counted.
//
// A long file of events becomes durable part by part. One that is cut off in between (a crash, the
// engine going down) leaves the parts that were acknowledged, and is listed with store.Unfinished
// rows until the same file is brought again: that goes on where it stopped. Agents are written in
// one transaction, each time the file differs from what is there: a file of last month that comes
// again after another one counts again.
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
	run := &importRun{Measuring: m, who: who, in: in, batch: ids.New[ids.Batch](m.deps.Now()), known: known}
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

	buyerKeys map[ids.Merchant][]byte
	failed    error // why a buyer could not be hashed
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
func (r *importRun) key(sha string) (string, error) {
	mapping, err := json.Marshal(r.in.Mapping)
	if err != nil {
		return "", fault.Wrap(err, fault.Internal, "import.key", "the import cannot be named")
	}
	sum := sha256.Sum256(fmt.Appendf(mapping, "%s %d %t", sha, ingestRows, r.in.Partial))
	return hex.EncodeToString(sum[:]), nil
}

// name digests the file and names the import.
func (r *importRun) name(ctx context.Context) (key, sha string, err error) {
	if sha, err = r.in.Source.Digest(ctx); err != nil {
		return "", "", err
	}
	key, err = r.key(sha)
	return key, sha, err
}

// before finds the acknowledged import of the same content.
func (r *importRun) before(ctx context.Context, key string) (Imported, bool, error) {
	old, err := r.deps.Store.In(access.Scope{Everything: true}).ImportByKey(ctx, string(r.in.Mapping.Kind), key)
	if err == nil {
		return Imported{Import: old, Already: true}, true, nil
	}
	if fault.KindOf(err) != fault.NotFound {
		return Imported{}, false, err
	}
	return Imported{}, false, nil
}

// partsName names the rows that this import takes of the file: with Partial they depend on the
// queues that are known, and another choice of rows must not pass for parts acknowledged before.
func (r *importRun) partsName(key string) string {
	h := sha256.New()
	fmt.Fprint(h, key)
	for _, id := range slices.Sorted(maps.Keys(r.known)) {
		fmt.Fprintf(h, "|%s %s %s", id, r.known[id].Merchant, r.known[id].Shop)
	}
	return hex.EncodeToString(h.Sum(nil)[:24])
}

func importEvents[T intake.Event](ctx context.Context, r *importRun, wrap func([]T) warehouse.Batch) (Imported, error) {
	key, sha, err := r.name(ctx)
	if err != nil {
		return Imported{}, err
	}
	done, already, err := r.before(ctx, key)
	if err != nil || already {
		return done, err
	}
	// A part is named by what it holds, so that an import which was cut off goes on where it
	// stopped: parts that were acknowledged are not written again.
	name, part := r.partsName(key), 0
	handle := func(rows []T) error {
		if r.failed != nil {
			return r.failed
		}
		if part == 0 {
			if err := r.begin(ctx, key, sha); err != nil {
				return err
			}
		}
		part++
		batch := wrap(rows)
		batch.ID = ids.Batch(fmt.Sprintf("%s-%d", name, part))
		_, err := r.deps.Warehouse.Ingest(ctx, batch)
		return err
	}
	summary, err := intake.Scan(ctx, r.in.Source, r.in.Mapping, handle, r.options(ctx, sha))
	if err == nil {
		err = r.failed
	}
	if err != nil {
		if part == 0 && fault.CodeOf(err) == store.ErrConflict.Code {
			return r.settled(ctx, key, summary, err)
		}
		return Imported{Summary: summary}, err
	}
	if _, err := r.deps.Warehouse.Refresh(ctx); err != nil {
		return Imported{Summary: summary}, err
	}
	done = Imported{Summary: summary, Import: r.record(key, sha, summary)}
	err = r.deps.Store.Change(ctx, r.who, done.Import.At, func(tx *store.Tx) error { return tx.AddImport(done.Import) })
	if err != nil && fault.CodeOf(err) == store.ErrConflict.Code {
		return r.settled(ctx, key, summary, err)
	}
	return done, err
}

// begin lists the import as unfinished before its first row is visible. One that was cut off keeps
// its batch.
func (r *importRun) begin(ctx context.Context, key, sha string) error {
	i := r.record(key, sha, intake.Summary{File: r.in.Source.Name})
	return r.deps.Store.Change(ctx, r.who, i.At, func(tx *store.Tx) (err error) {
		i.Batch, err = tx.BeginImport(i)
		r.batch = i.Batch
		return err
	})
}

// settled answers a conflict: the same file came twice at once and the other one was first.
func (r *importRun) settled(ctx context.Context, key string, s intake.Summary, conflict error) (Imported, error) {
	done, already, err := r.before(ctx, key)
	switch {
	case err != nil:
		return Imported{Summary: s}, err
	case !already:
		return Imported{Summary: s}, conflict
	}
	done.Summary = s
	return done, nil
}

// record is the import as it is acknowledged.
func (r *importRun) record(key, sha string, s intake.Summary) store.Import {
	return store.Import{
		Batch: r.batch, Kind: string(r.in.Mapping.Kind), Key: key, SHA256: sha, File: s.File,
		Merchant: ids.Merchant(r.in.Mapping.Constants["merchant"]), Rows: s.Good, Rejected: s.Rejected, At: r.deps.Now(), Author: r.who.User,
	}
}

func (r *importRun) options(ctx context.Context, sha string) intake.Options {
	return intake.Options{
		Partial: r.in.Partial, RejectTo: r.in.RejectTo, Zone: r.deps.Zone, BatchRows: ingestRows, Progress: r.in.Progress,
		Refers: r.refers, SHA256: sha,
		HashBuyer: func(merchant, buyer string) string {
			key := r.buyerKey(ctx, ids.Merchant(merchant))
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
func (r *importRun) refers(merchant ids.Merchant, shop ids.Shop, queue ids.Queue) []fault.Field {
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

// buyerKey is the key of a merchant's buyer hashes, made at first use; nil for a merchant that no
// queue belongs to, whose rows are refused anyway, and when failed says why there is none: a buyer is
// neither stored readable nor left out, the import fails.
func (r *importRun) buyerKey(ctx context.Context, merchant ids.Merchant) []byte {
	if key, ok := r.buyerKeys[merchant]; ok || r.failed != nil {
		return key
	}
	var key []byte
	for _, q := range r.known {
		if q.Merchant != merchant {
			continue
		}
		if key, r.failed = r.loadBuyerKey(ctx, merchant); r.failed != nil {
			return nil
		}
		break
	}
	if r.buyerKeys == nil {
		r.buyerKeys = map[ids.Merchant][]byte{}
	}
	r.buyerKeys[merchant] = key
	return key
}

// loadBuyerKey reads the key of a merchant or makes it; when two imports make it at once, both take
// the one that was first.
func (r *importRun) loadBuyerKey(ctx context.Context, merchant ids.Merchant) ([]byte, error) {
	name := "buyer-key:" + string(merchant)
	key, err := r.storedBuyerKey(ctx, name)
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
	err = r.deps.Store.Change(ctx, r.who, r.deps.Now(), func(tx *store.Tx) error {
		_, err := tx.PutSetting(name, value, store.NewOnly)
		return err
	})
	switch {
	case err == nil:
		return raw[:], nil
	case fault.CodeOf(err) == store.ErrConflict.Code:
		return r.storedBuyerKey(ctx, name)
	}
	return nil, err
}

func (r *importRun) storedBuyerKey(ctx context.Context, name string) ([]byte, error) {
	setting, err := r.deps.Store.In(access.Scope{Everything: true}).Setting(ctx, name)
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

// people writes agents. It asks the agents, not the list of imports, whether a file is new: after
// another file the same one changes them back, and is recorded again.
func (r *importRun) people(ctx context.Context) (Imported, error) {
	key, sha, err := r.name(ctx)
	if err != nil {
		return Imported{}, err
	}
	agents, summary, err := intake.ReadAgents(ctx, r.in.Source, r.in.Mapping, r.options(ctx, sha))
	if err != nil {
		return Imported{Summary: summary}, err
	}
	var done Imported
	now := r.deps.Now()
	err = r.deps.Store.Change(ctx, r.who, now, func(tx *store.Tx) error {
		done = Imported{Summary: summary, Import: r.record(key, sha, summary)}
		result, err := tx.PutAgents(agents)
		if err != nil {
			return err
		}
		done.Agents = &result
		old, err := tx.In(access.Scope{Everything: true}).ImportByKey(ctx, done.Import.Kind, key)
		switch {
		case err == nil && result.Added+result.Changed == 0:
			done.Import, done.Already = old, true
			return nil
		case err == nil:
			done.Import.Key += "-" + string(r.batch)
		case fault.KindOf(err) != fault.NotFound:
			return err
		}
		return tx.AddImport(done.Import)
	})
	return done, err
}

// Imports lists imports, newest first; one that was cut off has store.Unfinished rows.
func (m *Measuring) Imports(ctx context.Context, who access.Principal, f store.ImportFilter, p store.Page) ([]store.Import, string, error) {
	view, _, err := m.read(who, access.ReadKPI)
	if err != nil {
		return nil, "", err
	}
	return view.Imports(ctx, f, p)
}
