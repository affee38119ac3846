package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Scenario is one what-if of staffing: plans that nobody works by. It is never changed; promoting it makes
// plans of it and leaves a row beside it.
type Scenario struct {
	ID         ids.Scenario    `json:"id"`
	Name       string          `json:"name"`  // unique among those that are there
	Dates      calendar.Dates  `json:"dates"` // local days; Until is given
	At         time.Time       `json:"at"`
	Author     ids.User        `json:"author"`
	AuthorName string          `json:"author_name"`
	Note       string          `json:"note,omitempty"`
	Asked      json.RawMessage `json:"asked,omitempty"`   // what it was made with
	Figures    json.RawMessage `json:"figures,omitempty"` // what it needs and costs
	SHA256     string          `json:"sha256"`            // of the plans' document
	Promoted   *Promotion      `json:"promoted,omitempty"`
	Plans      []Plan          `json:"plans,omitempty"` // without ids of their own; empty in lists
}

// Promotion tells when a scenario became plans.
type Promotion struct {
	At         time.Time  `json:"at"`
	Author     ids.User   `json:"author"`
	AuthorName string     `json:"author_name"`
	Reason     string     `json:"reason,omitempty"`
	Plans      []ids.Plan `json:"plans"`
}

type scenarioRow struct {
	bun.BaseModel `bun:"table:scenarios,alias:t"`
	ID            string `bun:",pk"`
	Name          string
	FromDay       string
	UntilDay      string
	At            int64
	Author        string
	AuthorName    string
	Note          string
	Asked         string
	Figures       string
	SHA256        string `bun:"sha256"`
	Body          []byte
}

type promotionRow struct {
	bun.BaseModel `bun:"table:scenario_promotions,alias:p"`
	Scenario      string `bun:",pk"`
	At            int64
	Author        string
	AuthorName    string
	Reason        string
	Plans         string
}

func (r scenarioRow) value() (Scenario, error) {
	s := Scenario{
		ID: ids.Scenario(r.ID), Name: r.Name, At: instant(r.At), Author: ids.User(r.Author), AuthorName: r.AuthorName, Note: r.Note,
		Asked: json.RawMessage(r.Asked), Figures: json.RawMessage(r.Figures), SHA256: r.SHA256,
	}
	var err error
	if s.Dates.From, err = calendar.ParseDate(r.FromDay); err != nil {
		return s, err
	}
	if s.Dates.Until, err = calendar.ParseDate(r.UntilDay); err != nil {
		return s, err
	}
	if r.Body != nil {
		s.Plans, err = unpack[[]Plan](r.Body)
	}
	return s, err
}

func (r promotionRow) value() (Promotion, error) {
	p := Promotion{At: instant(r.At), Author: ids.User(r.Author), AuthorName: r.AuthorName, Reason: r.Reason}
	var err error
	p.Plans, err = decode[[]ids.Plan](r.Plans)
	return p, err
}

// Scenarios lists scenarios, newest first, without their plans. They may be about several merchants, so
// only a scope of everything sees any.
func (v *View) Scenarios(ctx context.Context, p Page) ([]Scenario, string, error) {
	var rows []scenarioRow
	next, err := listPage(ctx, v.general(&rows).ExcludeColumn("body"), p, order{"scenarios", []string{"at", "id"}, true}, &rows,
		func(r scenarioRow) []any { return []any{r.At, r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, scenarioRow.value)
	if err != nil {
		return nil, "", err
	}
	for i := range list {
		if list[i].Promoted, err = v.promotion(ctx, list[i].ID); err != nil {
			return nil, "", err
		}
	}
	return list, next, nil
}

// Scenario reads one scenario with its plans, by its id or its name.
func (v *View) Scenario(ctx context.Context, key string) (Scenario, error) {
	var row scenarioRow
	key = clean(key)
	err := v.general(&row).Where("id = ? OR name = ?", key, key).OrderExpr("CASE WHEN id = ? THEN 0 ELSE 1 END", key).Limit(1).Scan(ctx)
	if err != nil {
		return Scenario{}, found(err, "scenario", key)
	}
	s, err := row.value()
	if err != nil {
		return s, err
	}
	s.Promoted, err = v.promotion(ctx, s.ID)
	return s, err
}

// promotion is nil for a scenario that was not promoted.
func (v *View) promotion(ctx context.Context, id ids.Scenario) (*Promotion, error) {
	var rows []promotionRow
	if err := v.general(&rows).Where("scenario = ?", string(id)).Scan(ctx); err != nil || len(rows) == 0 {
		return nil, translate(err)
	}
	p, err := rows[0].value()
	return &p, err
}

// AddScenario keeps a scenario and returns it; At, Author and SHA256 are filled in. ErrConflict when its
// name is taken, "store.invalid" for bad days or an empty name.
func (tx *Tx) AddScenario(s Scenario) (Scenario, error) {
	var bad []fault.Field
	if problem := ids.Check(s.Name); problem != "" {
		bad = append(bad, fault.Field{Path: "name", Value: fault.Shorten(s.Name), Problem: problem})
	}
	if d := s.Dates; d.From.IsZero() || d.Until.IsZero() || !d.From.Before(d.Until) {
		bad = append(bad, fault.Field{Path: "dates", Problem: "must have a first day and a later day before which they end"})
	}
	if err := fault.Bad("store.invalid", "scenario", bad); err != nil {
		return Scenario{}, err
	}
	body, sum, err := packDocument(append([]Plan{}, s.Plans...))
	if err != nil {
		return Scenario{}, err
	}
	row := scenarioRow{
		ID: clean(string(s.ID)), Name: s.Name, FromDay: s.Dates.From.String(), UntilDay: s.Dates.Until.String(), At: micros(tx.now),
		Author: string(tx.actor.User), AuthorName: clean(tx.actor.Name), Note: clean(s.Note), SHA256: sum, Body: body,
	}
	if row.Asked, err = rawOrNull(s.Asked, "asked"); err != nil {
		return Scenario{}, err
	}
	if row.Figures, err = rawOrNull(s.Figures, "figures"); err != nil {
		return Scenario{}, err
	}
	if taken, err := tx.q.NewSelect().Model((*scenarioRow)(nil)).Where("name = ?", s.Name).Exists(tx.ctx); err != nil || taken {
		if err != nil {
			return Scenario{}, translate(err)
		}
		return Scenario{}, fault.New(fault.Conflict, ErrConflict.Code, "there is a scenario %q already; take another name or delete it", s.Name)
	}
	if err := tx.insertNamed(&row, "scenario", row.ID); err != nil {
		return Scenario{}, err
	}
	kept, err := row.value()
	if err != nil {
		return Scenario{}, err
	}
	return kept, tx.note("scenario.add", "scenario", row.ID, "", struct {
		Name   string          `json:"name"`
		Asked  json.RawMessage `json:"asked"`
		SHA256 string          `json:"sha256"`
	}{s.Name, json.RawMessage(row.Asked), sum})
}

// PromoteScenario notes that plans were made of a scenario. ErrNotFound, ErrConflict when that was done
// before.
func (tx *Tx) PromoteScenario(id ids.Scenario, reason string, plans []ids.Plan) (Promotion, error) {
	row, before, err := tx.scenario(id)
	if err != nil {
		return Promotion{}, err
	}
	if before != nil {
		return Promotion{}, fault.New(fault.Conflict, ErrConflict.Code, "the scenario %q was promoted at %s by %s already",
			row.Name, before.At.Format(time.RFC3339), before.AuthorName)
	}
	done := promotionRow{Scenario: row.ID, At: micros(tx.now), Author: string(tx.actor.User), AuthorName: clean(tx.actor.Name), Reason: clean(reason)}
	if done.Plans, err = encode(append([]ids.Plan{}, plans...)); err != nil {
		return Promotion{}, err
	}
	if err := tx.insert(&done); err != nil {
		return Promotion{}, err
	}
	p, err := done.value()
	if err != nil {
		return Promotion{}, err
	}
	return p, tx.note("scenario.promote", "scenario", row.ID, "", struct {
		Name   string     `json:"name"`
		Reason string     `json:"reason,omitempty"`
		Plans  []ids.Plan `json:"plans"`
	}{row.Name, p.Reason, p.Plans})
}

// DeleteScenario takes a scenario away. ErrNotFound; ErrConflict for one that was promoted: its plans rest
// on it.
func (tx *Tx) DeleteScenario(id ids.Scenario) error {
	row, promoted, err := tx.scenario(id)
	if err != nil {
		return err
	}
	if promoted != nil {
		return fault.New(fault.Conflict, ErrConflict.Code, "the scenario %q was promoted; plans rest on it, so it stays", row.Name)
	}
	if _, err := tx.clear((*scenarioRow)(nil), "id", row.ID); err != nil {
		return err
	}
	return tx.note("scenario.delete", "scenario", row.ID, "", struct {
		Name   string `json:"name"`
		SHA256 string `json:"sha256"`
	}{row.Name, row.SHA256})
}

// scenario reads a scenario without its plans, and its promotion.
func (tx *Tx) scenario(id ids.Scenario) (scenarioRow, *Promotion, error) {
	var row scenarioRow
	if err := tx.q.NewSelect().Model(&row).ExcludeColumn("body").Where("id = ?", clean(string(id))).Scan(tx.ctx); err != nil {
		return row, nil, found(err, "scenario", string(id))
	}
	var done []promotionRow
	if err := tx.q.NewSelect().Model(&done).Where("scenario = ?", row.ID).Scan(tx.ctx); err != nil || len(done) == 0 {
		return row, nil, translate(err)
	}
	p, err := done[0].value()
	return row, &p, err
}
