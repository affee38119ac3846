package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
)

// Scorecard is the figures of one agent on one business day, over everything the agent worked on.
// It is a copy of what was measured when it was made, with numerators and denominators, so that
// cards can be added up and shown again after the measurements are gone.
type Scorecard struct {
	Date      calendar.Date `json:"date"`
	Agent     ids.Agent     `json:"agent"`
	CreatedAt time.Time     `json:"created_at"` // when these figures were first computed
	Readings  []kpi.Reading `json:"readings"`
}

type scorecardRow struct {
	bun.BaseModel `bun:"table:scorecards,alias:t"`
	Day           string `bun:",pk"`
	Agent         string `bun:",pk"`
	CreatedAt     int64
	SHA256        string `bun:"sha256"`
	Body          []byte
}

func (r scorecardRow) value() (Scorecard, error) {
	date, err := calendar.ParseDate(r.Day)
	if err != nil {
		return Scorecard{}, err
	}
	readings, err := unpack[[]kpi.Reading](r.Body)
	return Scorecard{Date: date, Agent: ids.Agent(r.Agent), CreatedAt: instant(r.CreatedAt), Readings: readings}, err
}

// ScorecardFilter narrows a list of scorecards; empty fields do not.
type ScorecardFilter struct {
	Agent ids.Agent
	Dates calendar.Dates // the card's date lies in it; a zero From or Until is open
}

// Scorecards lists scorecards, newest day first. An agent sees its own; a merchant sees none, for a
// card is about all merchants together.
func (v *View) Scorecards(ctx context.Context, f ScorecardFilter, p Page) ([]Scorecard, string, error) {
	var rows []scorecardRow
	q := whereText(v.ofAgents(&rows, "agent"), "agent", string(f.Agent))
	if !f.Dates.From.IsZero() {
		q = q.Where("day >= ?", f.Dates.From.String())
	}
	if !f.Dates.Until.IsZero() {
		q = q.Where("day < ?", f.Dates.Until.String())
	}
	next, err := listPage(ctx, q, p, order{"scorecards", []string{"day", "agent"}, true}, &rows,
		func(r scorecardRow) []any { return []any{r.Day, r.Agent} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, scorecardRow.value)
	return list, next, err
}

// PutScorecards makes the cards the only ones of the date: agents that are not named lose theirs.
// The same content again changes nothing; a card whose figures are the same keeps its CreatedAt,
// the others get that of the change. An agent named twice, a card without an agent or of another
// date is the fault "store.invalid"; a change of a day whose month is frozen is ErrConflict.
func (tx *Tx) PutScorecards(date calendar.Date, cards []Scorecard) (PutResult, error) {
	var result PutResult
	rows, err := scorecardRows(date, cards, tx.now)
	if err != nil {
		return result, err
	}
	var have []scorecardRow
	if err := tx.q.NewSelect().Model(&have).ExcludeColumn("body").Where("day = ?", date.String()).Scan(tx.ctx); err != nil {
		return result, translate(err)
	}
	old, named := keyed(have, scorecardAgent), keyed(rows, scorecardAgent)
	var fresh []scorecardRow
	for _, r := range rows {
		was, had := old[r.Agent]
		switch {
		case had && was.SHA256 == r.SHA256:
			result.Unchanged++
		case had:
			result.Changed++
			if err := tx.write(&r, true); err != nil {
				return PutResult{}, err
			}
		default:
			result.Added++
			fresh = append(fresh, r)
		}
	}
	if err := insertMany(tx, fresh); err != nil {
		return PutResult{}, err
	}
	gone := 0
	for _, r := range have {
		if !has(named, r.Agent) {
			gone++
			if err := tx.remove(&r, "scorecard", r.Agent); err != nil {
				return PutResult{}, err
			}
		}
	}
	if result.Added+result.Changed+gone == 0 {
		return result, nil
	}
	frozen, err := tx.q.NewSelect().Model((*freezeRow)(nil)).Where("month = ?", date.MonthOf().String()).Count(tx.ctx)
	if err != nil {
		return PutResult{}, translate(err)
	}
	if frozen > 0 {
		return PutResult{}, fault.New(fault.Conflict, ErrConflict.Code, "the scorecards of %s are frozen", date.MonthOf())
	}
	// The audit chain is never erased, so it counts cards and holds no figure of a person.
	return result, tx.note("scorecards.put", "scorecards", date.String(), "", struct {
		PutResult
		Removed int `json:"removed"`
	}{result, gone})
}

func scorecardAgent(r scorecardRow) string { return r.Agent }

func scorecardRows(date calendar.Date, cards []Scorecard, now time.Time) ([]scorecardRow, error) {
	var bad []fault.Field
	if date.IsZero() {
		bad = append(bad, fault.Field{Path: "date", Problem: "is empty"})
	}
	rows := make([]scorecardRow, len(cards))
	seen := map[ids.Agent]bool{}
	for i, c := range cards {
		path := fmt.Sprintf("scorecards[%d]", i)
		switch {
		case c.Agent == "":
			bad = append(bad, fault.Field{Path: path + ".agent", Problem: "is empty"})
		case seen[c.Agent]:
			bad = append(bad, fault.Field{Path: path + ".agent", Value: string(c.Agent), Problem: "is named twice"})
		}
		if c.Date != date && !c.Date.IsZero() {
			bad = append(bad, fault.Field{Path: path + ".date", Value: c.Date.String(), Problem: "is not the date that is written"})
		}
		seen[c.Agent] = true
		body, sum, err := packDocument(c.Readings)
		if err != nil {
			return nil, err
		}
		rows[i] = scorecardRow{Day: date.String(), Agent: clean(string(c.Agent)), CreatedAt: micros(now), SHA256: sum, Body: body}
	}
	return rows, fault.Bad("store.invalid", "scorecards", bad)
}
