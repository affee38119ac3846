package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// CalendarFeed is the right to read one agent's published shifts with a secret in the address.
type CalendarFeed struct {
	ID         ids.Feed  `json:"id"`
	Agent      ids.Agent `json:"agent"`
	SecretHash string    `json:"-"` // filled on the way in only
	CreatedAt  time.Time `json:"created_at"`
	Author     ids.User  `json:"author"`
	RevokedAt  time.Time `json:"revoked_at,omitzero"` // zero = in force
}

type feedRow struct {
	bun.BaseModel `bun:"table:calendar_feeds,alias:t"`
	ID            string `bun:",pk"`
	Agent         string
	TokenHash     string
	CreatedAt     int64
	Author        string
	RevokedAt     int64
}

func (r feedRow) value() CalendarFeed {
	return CalendarFeed{ID: ids.Feed(r.ID), Agent: ids.Agent(r.Agent), CreatedAt: instant(r.CreatedAt), Author: ids.User(r.Author), RevokedAt: instant(r.RevokedAt)}
}

// CalendarFeeds lists feeds, newest first, revoked ones too. An agent sees its own.
func (v *View) CalendarFeeds(ctx context.Context, agent ids.Agent, p Page) ([]CalendarFeed, string, error) {
	var rows []feedRow
	q := whereText(v.ofAgents(&rows, "agent"), "agent", string(agent))
	next, err := listPage(ctx, q, p, order{"calendar_feeds", []string{"created_at", "id"}, true}, &rows,
		func(r feedRow) []any { return []any{r.CreatedAt, r.ID} })
	return mapped(rows, feedRow.value), next, err
}

// CalendarFeed reads one feed. An agent sees its own.
func (v *View) CalendarFeed(ctx context.Context, id ids.Feed) (CalendarFeed, error) {
	var row feedRow
	if err := v.ofAgents(&row, "agent").Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return CalendarFeed{}, found(err, "calendar feed", string(id))
	}
	return row.value(), nil
}

// AddCalendarFeed adds a feed; CreatedAt and Author are those of the change. ErrReference for an unknown
// agent.
func (tx *Tx) AddCalendarFeed(f CalendarFeed) (CalendarFeed, error) {
	row := feedRow{ID: clean(string(f.ID)), Agent: clean(string(f.Agent)), TokenHash: f.SecretHash, CreatedAt: micros(tx.now), Author: string(tx.actor.User)}
	if err := tx.insertNamed(&row, "calendar feed", row.ID); err != nil {
		return CalendarFeed{}, err
	}
	return row.value(), tx.note("calendar_feed.add", "calendar_feed", row.ID, "", struct {
		Agent string `json:"agent"`
	}{row.Agent})
}

// RevokeCalendarFeed ends a feed; one that is revoked already stays as it is.
func (tx *Tx) RevokeCalendarFeed(id ids.Feed) error {
	var row feedRow
	had, err := tx.load(&row, clean(string(id)))
	if err != nil {
		return err
	}
	if !had {
		return missing("calendar feed", string(id))
	}
	if row.RevokedAt != 0 {
		return nil
	}
	row.RevokedAt = micros(tx.now)
	if err := tx.write(&row, true); err != nil {
		return err
	}
	return tx.note("calendar_feed.revoke", "calendar_feed", row.ID, "", struct {
		Agent string `json:"agent"`
	}{row.Agent})
}

// FeedAgent is whose shifts a secret may read. ErrNotFound when there is no such feed or it was revoked.
func (db *DB) FeedAgent(ctx context.Context, secretHash string) (ids.Agent, error) {
	var row feedRow
	err := db.read.NewSelect().Model(&row).Where("token_hash = ? AND revoked_at = 0", clean(secretHash)).Scan(ctx)
	if err != nil {
		return "", found(err, "calendar feed", "")
	}
	return ids.Agent(row.Agent), nil
}

// Publication is what one agent could read about a range of days from an instant on: all its shifts of a
// roster, none when it was archived.
type Publication struct {
	Agent  ids.Agent
	At     time.Time
	Roster ids.Roster
	Range  calendar.Range // of the roster
	Ended  bool           // archived at that instant; what the others say about the range holds
	Shifts []scheduling.Shift
}

// Publications tells what one agent could read about rosters that share an instant with a range, in
// order of time: each publication, each revision of a published roster that changed something for the
// agent, and each end. An agent sees its own.
func (v *View) Publications(ctx context.Context, agent ids.Agent, r calendar.Range) ([]Publication, error) {
	var out []Publication
	if !v.everything() && (v.scope.Agent == "" || v.scope.Agent != agent) {
		return nil, nil
	}
	err := v.moment(ctx, func(v *View) error {
		var rows []rosterRow
		q := whereOverlaps(v.q.NewSelect().Model(&rows).ExcludeColumn("figures", "plans"), r).Where("published_at > 0").OrderExpr("published_at, id")
		if err := q.Scan(ctx); err != nil {
			return translate(err)
		}
		for _, row := range rows {
			told, err := v.publicationsOf(ctx, row, agent)
			if err != nil {
				return err
			}
			out = append(out, told...)
		}
		return nil
	})
	// At one instant an old roster ends before the new one begins.
	slices.SortStableFunc(out, func(a, b Publication) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return cmp.Compare(begins(a), begins(b))
	})
	return out, err
}

func begins(p Publication) int {
	if p.Ended {
		return 0
	}
	return 1
}

// publicationsOf walks the revisions of one roster back to its publication.
func (v *View) publicationsOf(ctx context.Context, row rosterRow, agent ids.Agent) ([]Publication, error) {
	var rows []shiftRow
	if err := v.q.NewSelect().Model(&rows).Where("roster = ? AND agent = ?", row.ID, agent).OrderExpr("start_at").Scan(ctx); err != nil {
		return nil, translate(err)
	}
	shifts, err := mappedOr(rows, shiftRow.shift)
	if err != nil {
		return nil, err
	}
	newer, err := v.changesOf(ctx, row.ID, agent)
	if err != nil {
		return nil, err
	}
	about := Publication{Agent: agent, Roster: ids.Roster(row.ID), Range: calendar.Range{Start: instant(row.StartAt), End: instant(row.EndAt)}}
	var out []Publication
	if RosterState(row.State) == Archived {
		ended := about
		ended.At, ended.Ended = instant(cmp.Or(row.ArchivedAt, row.UpdatedAt)), true
		out = append(out, ended)
	}
	for _, n := range newer {
		if n.State != Published {
			break
		}
		told := about
		told.At, told.Shifts = n.At, shifts
		out = append(out, told)
		if shifts, err = undo(shifts, []Revision{n}); err != nil {
			return nil, err
		}
	}
	first := about
	first.At, first.Shifts = instant(row.PublishedAt), shifts
	out = append(out, first)
	slices.Reverse(out)
	return out, nil
}

// changesOf are the revisions of a roster that touch one agent, newest first, with the agent's changes only.
func (v *View) changesOf(ctx context.Context, roster string, agent ids.Agent) ([]Revision, error) {
	var changes []changeRow
	err := v.q.NewSelect().Model(&changes).Where("roster = ? AND agent = ?", roster, agent).OrderExpr("revision DESC, seq").Scan(ctx)
	if err != nil || len(changes) == 0 {
		return nil, translate(err)
	}
	numbers := make([]int, len(changes))
	for i, c := range changes {
		numbers[i] = c.Revision
	}
	var rows []revisionRow
	err = v.q.NewSelect().Model(&rows).Where("roster = ? AND revision IN (?)", roster, bun.List(numbers)).OrderExpr("revision DESC").Scan(ctx)
	if err != nil {
		return nil, translate(err)
	}
	list := mapped(rows, revisionRow.value)
	return list, attach(list, changes)
}
