package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
)

// MonthCard is the score of one agent under one contract in one month. After the freeze of the
// month revision 0 is what was frozen; an amendment is a further revision with a reason, and
// nothing is ever replaced.
type MonthCard struct {
	Month      calendar.Month `json:"month"`
	Contract   ids.Contract   `json:"contract"`
	Merchant   ids.Merchant   `json:"merchant"`
	Agent      ids.Agent      `json:"agent"`
	Revision   int            `json:"revision"`
	Score      *float64       `json:"score"` // 0 to 100; nil when no term could be judged
	Parts      []ScorePart    `json:"parts"` // their points sum to the score
	At         time.Time      `json:"at,omitzero"`
	Author     ids.User       `json:"author,omitempty"`
	AuthorName string         `json:"author_name,omitempty"`
	Reason     string         `json:"reason,omitempty"` // of an amendment
}

// ScorePart is what one contract term adds to a score.
type ScorePart struct {
	ContractVersion int                 `json:"contract_version"`
	Dates           calendar.Dates      `json:"dates"` // in which it was measured
	Term            string              `json:"term"`
	Metric          kpi.Metric          `json:"metric"`
	Version         string              `json:"version,omitempty"` // of the metric's definition
	Direction       contracts.Direction `json:"direction"`
	Target          float64             `json:"target"`
	Weight          float64             `json:"weight"` // as agreed, times the days of the contract version
	Numerator       float64             `json:"numerator"`
	Denominator     float64             `json:"denominator"`
	Value           *float64            `json:"value"`
	Attained        *float64            `json:"attained"`           // 0 to 1; nil when it is left out
	Share           float64             `json:"share"`              // of the weights that count, 0 to 1
	Points          float64             `json:"points"`             // 100 x share x attained
	Left            string              `json:"left_out,omitempty"` // why it does not count
}

// cardBody is the part of a card that is kept as a document.
type cardBody struct {
	Score *float64    `json:"score"`
	Parts []ScorePart `json:"parts"`
}

// Freeze is the closing of a month: from then on its cards do not change.
type Freeze struct {
	Month      calendar.Month `json:"month"`
	At         time.Time      `json:"at"`
	Author     ids.User       `json:"author"`
	AuthorName string         `json:"author_name"`
	Cards      int            `json:"cards"`
	SHA256     string         `json:"sha256"` // over the digests of the cards, in their order
}

type freezeRow struct {
	bun.BaseModel `bun:"table:freezes,alias:t"`
	Month         string `bun:",pk"`
	At            int64
	Author        string
	AuthorName    string
	Cards         int
	SHA256        string `bun:"sha256"`
}

func (r freezeRow) value() (Freeze, error) {
	month, err := calendar.ParseMonth(r.Month)
	return Freeze{
		Month: month, At: instant(r.At), Author: ids.User(r.Author), AuthorName: r.AuthorName, Cards: r.Cards, SHA256: r.SHA256,
	}, err
}

type monthCardRow struct {
	bun.BaseModel `bun:"table:month_cards,alias:t"`
	Month         string `bun:",pk"`
	Contract      string `bun:",pk"`
	Agent         string `bun:",pk"`
	Revision      int    `bun:",pk"`
	Merchant      string
	At            int64
	Author        string
	AuthorName    string
	Reason        string
	SHA256        string `bun:"sha256"`
	Body          []byte
}

func (r monthCardRow) value() (MonthCard, error) {
	month, err := calendar.ParseMonth(r.Month)
	if err != nil {
		return MonthCard{}, err
	}
	body, err := unpack[cardBody](r.Body)
	return MonthCard{
		Month: month, Contract: ids.Contract(r.Contract), Merchant: ids.Merchant(r.Merchant), Agent: ids.Agent(r.Agent), Revision: r.Revision,
		Score: body.Score, Parts: body.Parts, At: instant(r.At), Author: ids.User(r.Author), AuthorName: r.AuthorName, Reason: r.Reason,
	}, err
}

// MonthCardFilter narrows a list of frozen cards; empty fields do not.
type MonthCardFilter struct {
	Month    calendar.Month
	Contract ids.Contract
	Agent    ids.Agent
}

// MonthCards lists frozen cards with all their revisions, newest month first, the newest revision
// of a card before the older ones. An agent sees its own; a merchant sees none.
func (v *View) MonthCards(ctx context.Context, f MonthCardFilter, p Page) ([]MonthCard, string, error) {
	var rows []monthCardRow
	q := whereText(whereText(v.ofAgents(&rows, "agent"), "contract", string(f.Contract)), "agent", string(f.Agent))
	if f.Month != (calendar.Month{}) {
		q = whereText(q, "month", f.Month.String())
	}
	next, err := listPage(ctx, q, p, order{"month_cards", []string{"month", "contract", "agent", "revision"}, true}, &rows,
		func(r monthCardRow) []any { return []any{r.Month, r.Contract, r.Agent, int64(r.Revision)} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, monthCardRow.value)
	return list, next, err
}

// Freezes lists the frozen months, newest first.
func (v *View) Freezes(ctx context.Context, p Page) ([]Freeze, string, error) {
	var rows []freezeRow
	next, err := listPage(ctx, v.general(&rows), p, order{"freezes", []string{"month"}, true}, &rows,
		func(r freezeRow) []any { return []any{r.Month} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, freezeRow.value)
	return list, next, err
}

// Freeze reads how a month was frozen; ErrNotFound when it was not.
func (v *View) Freeze(ctx context.Context, month calendar.Month) (Freeze, error) {
	var row freezeRow
	if err := v.general(&row).Where("month = ?", month.String()).Scan(ctx); err != nil {
		return Freeze{}, found(err, "freeze of the month", month.String())
	}
	return row.value()
}

// FreezeMonth keeps the cards of a month for ever; At and Author are those of the change. Cards of
// another month, without an agent or contract, or twice are the fault "store.invalid"; ErrConflict
// when the month is frozen already.
func (tx *Tx) FreezeMonth(month calendar.Month, cards []MonthCard) (Freeze, error) {
	rows := make([]monthCardRow, len(cards))
	sums := make([]string, len(cards))
	type key struct {
		contract ids.Contract
		agent    ids.Agent
	}
	seen := map[key]bool{}
	var bad []fault.Field
	for i, c := range cards {
		path := fmt.Sprintf("cards[%d]", i)
		switch {
		case c.Month != month || c.Agent == "" || c.Contract == "":
			bad = append(bad, fault.Field{Path: path, Problem: "must name the month, an agent and a contract"})
		case seen[key{c.Contract, c.Agent}]:
			bad = append(bad, fault.Field{Path: path, Value: string(c.Agent), Problem: "is there twice"})
		}
		seen[key{c.Contract, c.Agent}] = true
		var err error
		if rows[i], err = tx.monthCardRow(c, 0, ""); err != nil {
			return Freeze{}, err
		}
		sums[i] = rows[i].Contract + " " + rows[i].Agent + " " + rows[i].SHA256
	}
	slices.Sort(sums)
	if err := fault.Bad("store.invalid", "scorecards", bad); err != nil {
		return Freeze{}, err
	}
	freeze := freezeRow{
		Month: month.String(), At: micros(tx.now), Author: string(tx.actor.User), AuthorName: clean(tx.actor.Name),
		Cards: len(cards), SHA256: digest(strings.Join(sums, "\n")),
	}
	if err := tx.insert(&freeze); err != nil {
		if errors.Is(err, ErrConflict) {
			return Freeze{}, fault.Wrap(err, fault.Conflict, ErrConflict.Code, "the scorecards of %s are frozen already", month)
		}
		return Freeze{}, err
	}
	if err := insertMany(tx, rows); err != nil {
		return Freeze{}, err
	}
	value, err := freeze.value()
	if err != nil {
		return Freeze{}, err
	}
	return value, tx.note("scorecards.freeze", "scorecards", month.String(), "", struct {
		Cards  int    `json:"cards"`
		SHA256 string `json:"sha256"`
	}{freeze.Cards, freeze.SHA256})
}

// AmendMonthCard adds a revision to a card of a frozen month and returns it. reason must not be
// empty. ErrNotFound when the month is not frozen.
func (tx *Tx) AmendMonthCard(c MonthCard, reason string) (MonthCard, error) {
	if strings.TrimSpace(reason) == "" {
		return MonthCard{}, fault.Bad("store.invalid", "amendment", []fault.Field{{Path: "reason", Problem: "is empty: say why the card changes"}})
	}
	freezes, err := tx.q.NewSelect().Model((*freezeRow)(nil)).Where("month = ?", c.Month.String()).Count(tx.ctx)
	if err != nil {
		return MonthCard{}, translate(err)
	}
	if freezes == 0 {
		return MonthCard{}, missing("freeze of the month", c.Month.String())
	}
	revisions, err := tx.q.NewSelect().Model((*monthCardRow)(nil)).
		Where("month = ? AND contract = ? AND agent = ?", c.Month.String(), clean(string(c.Contract)), clean(string(c.Agent))).Count(tx.ctx)
	if err != nil {
		return MonthCard{}, translate(err)
	}
	row, err := tx.monthCardRow(c, max(int(revisions), 1), clean(strings.TrimSpace(reason)))
	if err != nil {
		return MonthCard{}, err
	}
	if err := tx.insert(&row); err != nil {
		return MonthCard{}, err
	}
	value, err := row.value()
	if err != nil {
		return MonthCard{}, err
	}
	// The audit chain is never erased, so it holds no figure of a person.
	return value, tx.note("scorecards.amend", "scorecards", c.Month.String(), c.Merchant, struct {
		Contract ids.Contract `json:"contract"`
		Agent    ids.Agent    `json:"agent"`
		Revision int          `json:"revision"`
		Reason   string       `json:"reason"`
		SHA256   string       `json:"sha256"`
	}{c.Contract, c.Agent, row.Revision, row.Reason, row.SHA256})
}

func (tx *Tx) monthCardRow(c MonthCard, revision int, reason string) (monthCardRow, error) {
	body, sum, err := packDocument(cardBody{c.Score, c.Parts})
	return monthCardRow{
		Month: c.Month.String(), Contract: clean(string(c.Contract)), Agent: clean(string(c.Agent)), Revision: revision, Merchant: clean(string(c.Merchant)),
		At: micros(tx.now), Author: string(tx.actor.User), AuthorName: clean(tx.actor.Name), Reason: reason, SHA256: sum, Body: body,
	}, err
}
