package measuring

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
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
	NoRounds bool           // conversations without rounds may take the place of stored ones that have rounds
	Again    bool           // import a file that was imported before once more, so that its rows win over what came since
	RejectTo io.Writer      // with Partial: the rejected rows with their reasons
	Progress func(done, total int64)
	PayFrom  calendar.Date // of agents: first day that changed wages hold for; zero: today
}

// Imported says what an import did.
type Imported struct {
	Import   store.Import     `json:"import"`
	Already  bool             `json:"already"`                 // the same file was imported before; nothing changed
	Later    []store.Import   `json:"later_imports,omitempty"` // with Already: what came since and may have replaced rows of it, newest first
	Agents   *store.PutResult `json:"agents,omitempty"`
	Accounts *store.PutResult `json:"accounts,omitempty"`
	Unknown  []AgentRows      `json:"unknown_agents,omitempty"` // agents of accepted rows that nobody has entered
	Notes    []string         `json:"notes,omitempty"`          // of assignments: what is accepted and will not work
	Broken   []gate.Break     `json:"broken,omitempty"`         // of agents: rules that published shifts from today on break by it
	PayMoved []gate.PayMove   `json:"pay_moved,omitempty"`      // of agents: whose pay of days that are over is another by it
	Summary  intake.Summary   `json:"summary"`
}

// Import reads a file of conversations, their events, agent states, contact history, orders, tickets,
// agents or assignments of accounts. Its rows are
// checked all-or-nothing unless Partial; the same file twice changes nothing unless Again. When it returns
// without an error every row is durable and counted.
//
// A long file of events becomes durable part by part. One that is cut off in between (a crash, the
// engine going down) leaves the parts that were acknowledged, and is listed with store.Unfinished
// rows until the same file is brought again: that goes on where it stopped. Agents are written in
// one transaction, each time the file differs from what is there: a file of last month that comes
// again after another one counts again.
func (m *Measuring) Import(ctx context.Context, who access.Principal, in ImportInput) (Imported, error) {
	perm := access.Ingest
	if ofPeople(in.Mapping.Kind) {
		perm = access.WriteAgents
	}
	scope, err := access.Decide(who, perm)
	if err != nil {
		return Imported{}, err
	}
	rules, err := m.admit(ctx, who, scope)
	if err != nil {
		return Imported{}, err
	}
	run := &importRun{Measuring: m, who: who, in: in, batch: ids.New[ids.Batch](m.gate.Now()), rules: rules}
	switch in.Mapping.Kind {
	case intake.Agents:
		return run.people(ctx)
	case intake.Accounts:
		return run.assignments(ctx)
	case intake.Events:
		return importEvents(ctx, run, func(rows []chatlog.Event) warehouse.Batch {
			for i := range rows {
				run.rules.settle(&rows[i])
			}
			return warehouse.Batch{Events: rows}
		})
	case intake.Orders:
		return importEvents(ctx, run, func(rows []chatlog.OrderEvent) warehouse.Batch {
			return warehouse.Batch{Orders: rows}
		})
	case intake.Tickets:
		return importEvents(ctx, run, func(rows []chatlog.Ticket) warehouse.Batch {
			return warehouse.Batch{Tickets: rows}
		})
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
		return Imported{}, fault.New(fault.Invalid, "intake.kind", "the kind of the rows must be one of %s", fault.Names(intake.Kinds))
	}
}

// ofPeople reports whether rows of a kind are about our own people: they go into the operational
// store, and who may change agents may bring them.
func ofPeople(kind intake.Kind) bool { return kind == intake.Agents || kind == intake.Accounts }

// importRun is one import in progress.
type importRun struct {
	*Measuring
	who   access.Principal
	in    ImportInput
	batch ids.Batch
	rules *admission
}

// key names the import: the same content read by the same mapping into the same kind.
func (r *importRun) key(sha string) (string, error) {
	mapping, err := json.Marshal(r.in.Mapping)
	if err != nil {
		return "", fault.Wrap(err, fault.Internal, "import.key", "the import cannot be named")
	}
	text := fmt.Appendf(mapping, "%s %d %t", sha, ingestRows, r.in.Partial)
	switch r.in.Mapping.Kind { // what they become depends on more than the file
	case intake.Events, intake.Orders, intake.Tickets:
		text = append(text, r.rules.digest()...)
	}
	sum := sha256.Sum256(text)
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

// before finds the last acknowledged import of the same content, and names the next one.
func (r *importRun) before(ctx context.Context, key string) (done Imported, next string, err error) {
	old, next, err := r.importedBefore(ctx, string(r.in.Mapping.Kind), key)
	if err != nil || old == nil {
		return Imported{}, next, err
	}
	done = Imported{Import: *old, Already: true}
	done.Later, err = r.importsSince(ctx, *old)
	return done, next, err
}

// importedBefore finds the last acknowledged import of a kind and key, nil when there is none, and the
// key that the next one is recorded under: the same content may be brought again on purpose.
func (m *Measuring) importedBefore(ctx context.Context, kind, key string) (old *store.Import, next string, err error) {
	next = key
	for n := 2; ; n++ {
		i, err := m.gate.Everything().ImportByKey(ctx, kind, next)
		if err != nil && fault.KindOf(err) == fault.NotFound {
			return old, next, nil
		}
		if err != nil {
			return nil, "", err
		}
		old, next = &i, fmt.Sprintf("%s-%d", key, n)
	}
}

// maxLater is how many imports an answer names that came after the one that was asked for.
const maxLater = 5

// importsSince are the newest acknowledged imports of the same kind after one, of its merchant or of
// several.
func (m *Measuring) importsSince(ctx context.Context, old store.Import) (later []store.Import, err error) {
	list, _, err := m.gate.Everything().Imports(ctx, store.ImportFilter{Kind: old.Kind}, store.Page{Limit: store.MaxLimit})
	for _, i := range list {
		same := i.Merchant == old.Merchant || i.Merchant == "" || old.Merchant == ""
		if i.At.After(old.At) && i.Rows != store.Unfinished && same && len(later) < maxLater {
			later = append(later, i)
		}
	}
	return later, err
}

// partsName names the rows that this import takes of the file: with Partial they depend on the
// queues that are known and on what still lies ahead, and another choice of rows must not pass for parts
// acknowledged before.
func (r *importRun) partsName(key string) string {
	h := sha256.New()
	fmt.Fprint(h, key)
	for _, id := range slices.Sorted(maps.Keys(r.rules.queues)) {
		fmt.Fprintf(h, "|%s %s %s", id, r.rules.queues[id].Merchant, r.rules.queues[id].Shop)
	}
	if r.in.Partial {
		fmt.Fprintf(h, "|%d", r.rules.latest.Unix())
	}
	return hex.EncodeToString(h.Sum(nil)[:24])
}

// importEvents takes in the rows of a file part by part, after all of them were looked at.
func importEvents[T intake.Event](ctx context.Context, r *importRun, wrap func([]T) warehouse.Batch) (Imported, error) {
	key, sha, err := r.name(ctx)
	if err != nil {
		return Imported{}, err
	}
	done, next, err := r.before(ctx, key)
	if err != nil || done.Already && !r.in.Again {
		return done, err
	}
	key = next
	// A part is named by what it holds, so that an import which was cut off goes on where it
	// stopped: parts that were acknowledged are not written again.
	name, part := r.partsName(key), 0
	agents := namedAgents{}
	losing := roundLoss{run: r}
	handle := func(rows []T) error {
		if err := r.rules.failure(); err != nil {
			return err
		}
		if part == 0 {
			if err := losing.refusal(); err != nil {
				return err
			}
			// Listed, also when the engine is down: who looks sees that it is to be brought again.
			if err := r.begin(ctx, key, sha); err != nil {
				return err
			}
			if losing.failed != nil {
				return losing.failed
			}
		}
		batch := wrap(rows)
		part++
		batch.ID = ids.Batch(fmt.Sprintf("%s-%d", name, part))
		agents.count(batch)
		_, err := r.gate.Warehouse.Ingest(ctx, batch)
		return err
	}
	summary, err := intake.ScanLooking(ctx, r.in.Source, r.in.Mapping, looking[T](ctx, &losing), handle, r.options(ctx, sha))
	if err == nil {
		err = r.rules.failure()
	}
	if err != nil {
		if part == 0 && fault.CodeOf(err) == store.ErrConflict.Code {
			return r.settled(ctx, key, summary, err)
		}
		return Imported{Summary: summary}, err
	}
	if _, err := r.gate.Warehouse.Refresh(ctx); err != nil {
		return Imported{Summary: summary}, err
	}
	done = Imported{Summary: summary, Import: r.record(key, sha, summary)}
	if done.Unknown, err = r.strangers(ctx, agents); err != nil {
		return done, err
	}
	err = r.gate.Store.Change(ctx, r.who, done.Import.At, func(tx *store.Tx) error { return tx.AddImport(done.Import) })
	if err != nil && fault.CodeOf(err) == store.ErrConflict.Code {
		return r.settled(ctx, key, summary, err)
	}
	return done, err
}

// begin lists the import as unfinished before its first row is visible. One that was cut off keeps
// its batch.
func (r *importRun) begin(ctx context.Context, key, sha string) error {
	i := r.record(key, sha, intake.Summary{File: r.in.Source.Name})
	return r.gate.Store.Change(ctx, r.who, i.At, func(tx *store.Tx) (err error) {
		i.Batch, err = tx.BeginImport(i)
		r.batch = i.Batch
		return err
	})
}

// settled answers a conflict: the same file came twice at once and the other one was first.
func (r *importRun) settled(ctx context.Context, key string, s intake.Summary, conflict error) (Imported, error) {
	old, _, err := r.importedBefore(ctx, string(r.in.Mapping.Kind), key)
	switch {
	case err != nil:
		return Imported{Summary: s}, err
	case old == nil:
		return Imported{Summary: s}, conflict
	}
	return Imported{Import: *old, Already: true, Summary: s}, nil
}

// record is the import as it is acknowledged.
func (r *importRun) record(key, sha string, s intake.Summary) store.Import {
	return store.Import{
		Batch: r.batch, Kind: string(r.in.Mapping.Kind), Key: key, SHA256: sha, File: s.File,
		Merchant: ids.Merchant(r.in.Mapping.Constants["merchant"]), Rows: s.Good, Rejected: s.Rejected, At: r.gate.Now(), Author: r.who.User,
	}
}

func (r *importRun) options(ctx context.Context, sha string) intake.Options {
	o := intake.Options{
		Partial: r.in.Partial, RejectTo: r.in.RejectTo, Zone: r.gate.Zone, BatchRows: ingestRows, Progress: r.in.Progress,
		Refers: r.rules.refers, SHA256: sha, HashBuyer: r.rules.hasher(ctx), HashLines: true,
		AgentOf: r.rules.agentOf, Closes: r.rules.closes, Latest: r.rules.latest,
	}
	if r.in.Mapping.Kind != intake.Agents && len(r.in.Mapping.Columns) == 0 {
		o.HashBuyer = r.rules.lineHasher(ctx)
	}
	return o
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
	return r.keep(ctx, key, sha, summary, func(tx *store.Tx, done *Imported) (store.PutResult, error) {
		put, err := r.policy.PutAgents(ctx, tx, agents, r.in.PayFrom)
		done.Agents, done.Broken, done.PayMoved = &put.PutResult, put.Broken, put.PayMoved
		return put.PutResult, err
	})
}

// keep writes what a file says and records the import in one transaction.
func (r *importRun) keep(ctx context.Context, key, sha string, summary intake.Summary, put func(*store.Tx, *Imported) (store.PutResult, error)) (done Imported, err error) {
	err = r.gate.Store.Change(ctx, r.who, r.gate.Now(), func(tx *store.Tx) error {
		done = Imported{Summary: summary, Import: r.record(key, sha, summary)}
		result, err := put(tx, &done)
		if err != nil {
			return err
		}
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
	view, scope, err := m.gate.Read(who, access.ReadKPI)
	if err != nil {
		return nil, "", err
	}
	if err := m.gate.Named(ctx, scope, gate.Names{Merchants: gate.One(f.Merchant)}); err != nil {
		return nil, "", err
	}
	return view.Imports(ctx, f, p)
}

// assignments writes who used which account when, like people.
func (r *importRun) assignments(ctx context.Context) (Imported, error) {
	key, sha, err := r.name(ctx)
	if err != nil {
		return Imported{}, err
	}
	var all []chatlog.Assignment
	var rows []int // of the assignments, in the file
	o := r.options(ctx, sha)
	o.Row = func(number int) { rows = append(rows, number) }
	summary, err := intake.Scan(ctx, r.in.Source, r.in.Mapping, func(some []chatlog.Assignment) error {
		all = append(all, some...)
		return nil
	}, o)
	if err != nil {
		return Imported{Summary: summary}, err
	}
	done, err := r.keep(ctx, key, sha, summary, func(tx *store.Tx, done *Imported) (store.PutResult, error) {
		result, err := gate.PutAccounts(ctx, tx, all)
		done.Accounts = &result
		return result, placed(err, r.in.Source.Name, rows)
	})
	if err == nil {
		done.Notes, err = gate.Doubled(ctx, r.gate.Everything(), all)
	}
	return done, err
}

// placed names the file and row of what is wrong with accounts[i].
func placed(err error, file string, rows []int) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != "assignment.invalid" {
		return err
	}
	said := *f
	said.Fields = slices.Clone(f.Fields)
	for i := range said.Fields {
		x := &said.Fields[i]
		var n int
		if _, bad := fmt.Sscanf(x.Path, "accounts[%d].", &n); bad == nil && n < len(rows) {
			_, name, _ := strings.Cut(x.Path, ".")
			x.File, x.Row, x.Column, x.Path = file, rows[n], name, ""
		}
	}
	return &said
}
