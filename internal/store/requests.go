package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// Request is a leave, swap, offer or bidding with its version.
type Request = Stored[leave.Request]

// RequestStep is one step that a request took: who, when, why, and the state before and after. The
// steps of a request are never changed.
type RequestStep struct {
	Request    ids.Request  `json:"request"`
	Seq        int          `json:"seq"` // from 1
	At         time.Time    `json:"at"`
	Author     ids.User     `json:"author"`
	AuthorName string       `json:"author_name,omitempty"`
	Agent      ids.Agent    `json:"agent,omitempty"` // for whom it was done
	Action     leave.Action `json:"action"`
	From       leave.State  `json:"from,omitempty"` // empty for the first step
	To         leave.State  `json:"to"`
	Reason     string       `json:"reason,omitempty"`
}

type requestRow struct {
	bun.BaseModel `bun:"table:requests,alias:t"`
	ID            string `bun:",pk"`
	Kind          string
	State         string
	Agent         string `bun:",nullzero"`
	Team          string
	Open          int
	StartAt       int64
	EndAt         int64
	ExpiresAt     int64
	CreatedAt     int64
	Doc           string
	stamp
}

func (r requestRow) stored() (Request, error) {
	v, err := decode[leave.Request](r.Doc)
	return Request{Value: v, Meta: r.meta()}, err
}

type requestPartyRow struct {
	bun.BaseModel `bun:"table:request_parties,alias:p"`
	Request       string `bun:",pk"`
	Agent         string `bun:",pk"`
}

type requestStepRow struct {
	bun.BaseModel `bun:"table:request_steps,alias:t"`
	Request       string `bun:",pk"`
	Seq           int    `bun:",pk"`
	At            int64
	Author        string
	AuthorName    string
	Agent         string
	Action        string
	FromState     string
	ToState       string
	Reason        string
}

func (r requestStepRow) value() RequestStep {
	return RequestStep{
		Request: ids.Request(r.Request), Seq: r.Seq, At: instant(r.At), Author: ids.User(r.Author), AuthorName: r.AuthorName, Agent: ids.Agent(r.Agent),
		Action: leave.Action(r.Action), From: leave.State(r.FromState), To: leave.State(r.ToState), Reason: r.Reason,
	}
}

// RequestFilter narrows a list of requests; empty fields do not.
type RequestFilter struct {
	Kind    leave.Kind
	State   leave.State
	Agent   ids.Agent      // whom it concerns
	Range   calendar.Range // shares an instant with it
	Expired time.Time      // expires by then
}

// requests starts a query of the requests that the scope sees. An agent sees what concerns itself, and
// what is open to it or its team.
func (v *View) requests(rows any) *bun.SelectQuery {
	q := v.q.NewSelect().Model(rows)
	switch {
	case v.everything():
		return q
	case v.scope.Agent == "":
		return q.Where("1 = 0")
	}
	me := v.scope.Agent
	return q.Where(`(EXISTS (SELECT 1 FROM request_parties AS p WHERE p.request = t.id AND p.agent = ?)
		OR (t.open = 1 AND t.state = ? AND EXISTS (SELECT 1 FROM agents AS a WHERE a.id = ? AND (t.team = '' OR a.team = t.team))))`, me, leave.Open, me)
}

// Requests lists requests, newest first.
func (v *View) Requests(ctx context.Context, f RequestFilter, p Page) ([]Request, string, error) {
	var rows []requestRow
	q := whereText(v.requests(&rows), "kind", string(f.Kind))
	q = whereOverlaps(whereText(q, "state", string(f.State)), f.Range)
	if f.Agent != "" {
		q = q.Where("EXISTS (SELECT 1 FROM request_parties AS p WHERE p.request = t.id AND p.agent = ?)", clean(string(f.Agent)))
	}
	if !f.Expired.IsZero() {
		q = q.Where("expires_at > 0 AND expires_at <= ?", micros(f.Expired))
	}
	next, err := listPage(ctx, q, p, order{"requests", []string{"created_at", "id"}, true}, &rows,
		func(r requestRow) []any { return []any{r.CreatedAt, r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, requestRow.stored)
	return list, next, err
}

// Request reads one request.
func (v *View) Request(ctx context.Context, id ids.Request) (Request, error) {
	var row requestRow
	if err := v.requests(&row).Where("t.id = ?", clean(string(id))).Scan(ctx); err != nil {
		return Request{}, found(err, "request", string(id))
	}
	return row.stored()
}

// RequestSteps lists the steps of a request that the scope sees, in order.
func (v *View) RequestSteps(ctx context.Context, id ids.Request) ([]RequestStep, error) {
	if _, err := v.Request(ctx, id); err != nil {
		return nil, err
	}
	var rows []requestStepRow
	if err := v.q.NewSelect().Model(&rows).Where("request = ?", clean(string(id))).OrderExpr("seq").Scan(ctx); err != nil {
		return nil, translate(err)
	}
	return mapped(rows, requestStepRow.value), nil
}

// AddRequest keeps a new request and its first step. CreatedAt is that of the change. ErrReference when
// an agent is unknown.
func (tx *Tx) AddRequest(r leave.Request, step RequestStep) (Request, error) {
	r.CreatedAt = tx.now
	row, err := requestRowOf(r, stamp{1, micros(tx.now)})
	if err != nil {
		return Request{}, err
	}
	if err := tx.insertNamed(&row, "request", row.ID); err != nil {
		return Request{}, err
	}
	if err := tx.requestParties(r); err != nil {
		return Request{}, err
	}
	step.From, step.To = "", r.State
	if err := tx.requestStep(row, step); err != nil {
		return Request{}, err
	}
	return row.stored()
}

// StepRequest keeps what a step made of a request. before is the request as it was read: ErrConflict
// when it is at another version by now.
func (tx *Tx) StepRequest(before Request, after leave.Request, step RequestStep) (Request, error) {
	var old requestRow
	had, err := tx.load(&old, clean(string(before.Value.ID)))
	if err != nil {
		return Request{}, err
	}
	next, _, err := admit("request", string(before.Value.ID), had, old.stamp, false, before.Version, tx.now)
	if err != nil {
		return Request{}, err
	}
	after.ID, after.Kind, after.CreatedAt = before.Value.ID, before.Value.Kind, before.Value.CreatedAt
	row, err := requestRowOf(after, next)
	if err != nil {
		return Request{}, err
	}
	if err := tx.write(&row, true); err != nil {
		return Request{}, err
	}
	if _, err := tx.clear((*requestPartyRow)(nil), "request", row.ID); err != nil {
		return Request{}, err
	}
	if err := tx.requestParties(after); err != nil {
		return Request{}, err
	}
	step.From, step.To = before.Value.State, after.State
	if err := tx.requestStep(row, step); err != nil {
		return Request{}, err
	}
	return row.stored()
}

func requestRowOf(r leave.Request, s stamp) (requestRow, error) {
	r.Reason = clean(r.Reason)
	doc, err := encode(r)
	row := requestRow{
		ID: clean(string(r.ID)), Kind: string(r.Kind), State: string(r.State), Agent: string(r.Agent), Team: string(r.Team), StartAt: micros(r.Range.Start), EndAt: micros(r.Range.End),
		ExpiresAt: micros(r.ExpiresAt), CreatedAt: micros(r.CreatedAt), Doc: doc, stamp: s,
	}
	if r.Open {
		row.Open = 1
	}
	return row, err
}

// requestParties writes whom a request concerns.
func (tx *Tx) requestParties(r leave.Request) error {
	seen := map[ids.Agent]bool{"": true}
	var rows []requestPartyRow
	add := func(a ids.Agent) {
		if !seen[a] {
			seen[a] = true
			rows = append(rows, requestPartyRow{Request: string(r.ID), Agent: string(a)})
		}
	}
	add(r.Agent)
	add(r.Other)
	for _, p := range r.Parties {
		add(p.Agent)
	}
	return insertMany(tx, rows)
}

// requestStep writes a step and its audit row. The reason may tell of somebody's health, so the audit
// chain, which is never erased, has the digest of the document only.
func (tx *Tx) requestStep(row requestRow, s RequestStep) error {
	if s.Action == "" {
		return fault.New(fault.Internal, "store.invalid", "a step of a request needs its action")
	}
	step := requestStepRow{
		Request: row.ID, Seq: row.Version, At: micros(tx.now), Author: string(tx.actor.User), AuthorName: clean(tx.actor.Name), Agent: string(s.Agent),
		Action: string(s.Action), FromState: string(s.From), ToState: string(s.To), Reason: clean(s.Reason),
	}
	if err := tx.insert(&step); err != nil {
		return err
	}
	return tx.note("request."+string(s.Action), "request", row.ID, "", struct {
		Version int         `json:"version"`
		Kind    string      `json:"kind"`
		From    leave.State `json:"from,omitempty"`
		To      leave.State `json:"to"`
		SHA256  string      `json:"sha256"`
	}{row.Version, row.Kind, s.From, s.To, digest(row.Doc)})
}
