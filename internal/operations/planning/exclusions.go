package planning

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// Exclusion is a stretch of a queue's history that a person took out of what teaches. It is kept for
// good: a withdrawn one stays on record.
type Exclusion struct {
	ID    ids.Exclusion `json:"id"`
	Queue ids.Queue     `json:"queue"`
	forecast.Exclusion
	Author     ids.User    `json:"author"`
	AuthorName string      `json:"author_name,omitempty"`
	At         time.Time   `json:"at"`
	Withdrawn  *Withdrawal `json:"withdrawn,omitempty"`
}

// Withdrawal says who took something back, when and why.
type Withdrawal struct {
	Author     ids.User  `json:"author"`
	AuthorName string    `json:"author_name,omitempty"`
	At         time.Time `json:"at"`
	Reason     string    `json:"reason"`
}

// ExclusionDone is a new exclusion and what it takes out of the history.
type ExclusionDone struct {
	Exclusion
	Records  int      `json:"records"`  // slots with a record in the stretch
	Contacts float64  `json:"contacts"` // in them
	Notes    []string `json:"notes"`    // what the person who did it should know
}

// exclusionsKey begins the key of the setting that holds the exclusions of a queue.
const exclusionsKey = "exclusions/"

// exclusionsOf reads all exclusions of a queue and the version they are at; 0 = none was ever entered.
func (p *Planning) exclusionsOf(ctx context.Context, queue ids.Queue) ([]Exclusion, int, error) {
	setting, err := p.gate.Everything().Setting(ctx, exclusionsKey+string(queue))
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			err = nil
		}
		return nil, 0, err
	}
	list, err := readExclusions(setting)
	return list, setting.Version, err
}

func readExclusions(setting store.Setting) (list []Exclusion, err error) {
	if err := json.Unmarshal(setting.Value, &list); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "exclusion.stored", "the stored exclusions cannot be read")
	}
	return list, nil
}

// excluded is what must not teach the forecasts of a queue, by time.
func (p *Planning) excluded(ctx context.Context, queue ids.Queue) ([]forecast.Exclusion, error) {
	list, _, err := p.exclusionsOf(ctx, queue)
	if err != nil {
		return nil, err
	}
	var out []forecast.Exclusion
	for _, x := range list {
		if x.Withdrawn == nil {
			out = append(out, x.Exclusion)
		}
	}
	slices.SortStableFunc(out, func(a, b forecast.Exclusion) int {
		return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To), strings.Compare(a.Reason, b.Reason))
	})
	return out, nil
}

// changeExclusions writes what a change makes of the exclusions of a queue. Two people at once do not
// overwrite each other: the second one changes what the first one left.
func (p *Planning) changeExclusions(ctx context.Context, who access.Principal, queue ids.Queue, change func([]Exclusion) ([]Exclusion, error)) error {
	const tries = 5
	for try := 1; ; try++ {
		list, version, err := p.exclusionsOf(ctx, queue)
		if err != nil {
			return err
		}
		if version == 0 {
			version = store.NewOnly
		}
		if list, err = change(list); err != nil {
			return err
		}
		text, err := json.Marshal(list)
		if err != nil {
			return fault.Wrap(err, fault.Internal, "exclusion.stored", "the exclusions cannot be stored")
		}
		err = p.gate.Store.Change(ctx, who, p.gate.Now(), func(tx *store.Tx) error {
			_, err := tx.PutSetting(exclusionsKey+string(queue), text, version)
			return err
		})
		if err == nil || fault.KindOf(err) != fault.Conflict || try == tries {
			return err
		}
	}
}

// Exclude takes a stretch of a queue's history out of what teaches its forecasts. Its records are
// looked up; while the warehouse is down they are not, and a note says so. Errors: exclusion.input
// (every bad field; a stretch outside the history); exclusion.exists when the same stretch is taken
// out already, exclusion.overlaps when a part of it is.
func (p *Planning) Exclude(ctx context.Context, who access.Principal, queue ids.Queue, x forecast.Exclusion) (ExclusionDone, error) {
	view, scope, err := p.gate.Read(who, access.WritePlans)
	if err != nil {
		return ExclusionDone{}, err
	}
	q, err := view.Queue(ctx, queue)
	if err != nil {
		return ExclusionDone{}, err
	}
	if err := checkExclusion(x); err != nil {
		return ExclusionDone{}, err
	}
	done := ExclusionDone{Notes: []string{}}
	if err := p.takenOut(ctx, scope, q, x, &done); err != nil {
		return ExclusionDone{}, err
	}
	now := p.gate.Now()
	x.From, x.To, x.Reason = x.From.UTC(), x.To.UTC(), strings.TrimSpace(x.Reason)
	done.Exclusion = Exclusion{ID: ids.New[ids.Exclusion](now), Queue: q.ID, Exclusion: x, Author: who.User, AuthorName: who.Name, At: now.UTC()}
	err = p.changeExclusions(ctx, who, q.ID, func(list []Exclusion) ([]Exclusion, error) {
		for _, other := range list {
			if other.Withdrawn != nil || !other.From.Before(x.To) || !x.From.Before(other.To) {
				continue
			}
			if other.From.Equal(x.From) && other.To.Equal(x.To) {
				return nil, fault.New(fault.Conflict, "exclusion.exists", "%s takes out the same stretch of queue %s already: %s", other.ID, q.ID, other.Reason)
			}
			return nil, fault.New(fault.Conflict, "exclusion.overlaps", "%s takes %s to %s out of queue %s already: %s; name what lies outside of it, or withdraw it first",
				other.ID, other.From.In(p.gate.Zone).Format(minuteLayout), other.To.In(p.gate.Zone).Format(minuteLayout), q.ID, other.Reason)
		}
		return append(slices.Clone(list), done.Exclusion), nil
	})
	return done, err
}

// takenOut looks up what a stretch takes out of a history, and refuses one outside of it. A stretch
// may end with the last day of the history or today, but not later: what will come is not known to be wrong.
func (p *Planning) takenOut(ctx context.Context, scope access.Scope, q store.Queue, x forecast.Exclusion, done *ExclusionDone) error {
	series, _, err := p.history(ctx, scope, q, 0, time.Time{})
	switch {
	case err != nil && fault.CodeOf(err) == "warehouse.down":
		done.Notes = append(done.Notes, "the warehouse is down: whether the history has records there was not looked up")
		return nil
	case err != nil:
		return err
	}
	dayAfter := func(t time.Time) time.Time { return calendar.DateOf(t, p.gate.Zone).Add(1).In(p.gate.Zone) }
	begins, ends := series.First.In(p.gate.Zone), series.End()
	end := dayAfter(ends.Add(-1))
	latest := end
	if today := dayAfter(p.gate.Now()); today.After(latest) {
		latest = today
	}
	var bad []fault.Field
	told := fmt.Sprintf("the history of %s goes from %s to %s", q.ID, begins.Format(minuteLayout), ends.In(p.gate.Zone).Format(minuteLayout))
	if !x.To.After(begins) || !x.From.Before(end) {
		bad = append(bad, fault.Field{Path: "from", Value: x.From.In(p.gate.Zone).Format(minuteLayout), Problem: "lies outside the history with all of the stretch: " + told})
	} else if x.To.After(latest) {
		bad = append(bad, fault.Field{Path: "to", Value: x.To.In(p.gate.Zone).Format(minuteLayout), Problem: "lies in the future: " + told})
	}
	if err := fault.Bad("exclusion.input", "exclusion", bad); err != nil {
		return err
	}
	for _, r := range series.Marks(x.From.Add(-series.Slot+1), x.To) { // a slot is out when any part of it is
		done.Records, done.Contacts = done.Records+1, done.Contacts+r.Mean
	}
	if done.Records == 0 {
		done.Notes = append(done.Notes, "the history has no record there: what counted as nobody came counts as not known from now on")
	}
	return nil
}

func checkExclusion(x forecast.Exclusion) error {
	var bad []fault.Field
	if x.From.IsZero() {
		bad = append(bad, fault.Field{Path: "from", Problem: "is needed"})
	}
	if x.To.IsZero() {
		bad = append(bad, fault.Field{Path: "to", Problem: "is needed"})
	}
	if len(bad) == 0 && !x.From.Before(x.To) {
		bad = append(bad, fault.Field{Path: "to", Value: x.To.Format(time.RFC3339), Problem: "must be after from " + x.From.Format(time.RFC3339)})
	}
	if strings.TrimSpace(x.Reason) == "" {
		bad = append(bad, fault.Field{Path: "reason", Problem: "is needed: a later reader must know why"})
	}
	return fault.Bad("exclusion.input", "exclusion", bad)
}

// WithdrawExclusion lets a stretch teach again; it stays on record. Errors: exclusion.unknown,
// exclusion.withdrawn, exclusion.input.
func (p *Planning) WithdrawExclusion(ctx context.Context, who access.Principal, id ids.Exclusion, reason string) (Exclusion, error) {
	view, _, err := p.gate.Read(who, access.WritePlans)
	if err != nil {
		return Exclusion{}, err
	}
	if reason = strings.TrimSpace(reason); reason == "" {
		return Exclusion{}, fault.Bad("exclusion.input", "exclusion", []fault.Field{{Path: "reason", Problem: "is needed: a later reader must know why"}})
	}
	all, err := p.allExclusions(ctx, view)
	if err != nil {
		return Exclusion{}, err
	}
	at := slices.IndexFunc(all, func(x Exclusion) bool { return x.ID == id })
	if at < 0 {
		return Exclusion{}, fault.New(fault.NotFound, "exclusion.unknown", "there is no exclusion %q", id)
	}
	now := p.gate.Now()
	var done Exclusion
	err = p.changeExclusions(ctx, who, all[at].Queue, func(list []Exclusion) ([]Exclusion, error) {
		list = slices.Clone(list)
		for i := range list {
			if list[i].ID != id {
				continue
			}
			if w := list[i].Withdrawn; w != nil {
				return nil, fault.New(fault.Conflict, "exclusion.withdrawn", "exclusion %s was withdrawn on %s already", id, w.At.In(p.gate.Zone).Format("2006-01-02 15:04"))
			}
			list[i].Withdrawn = &Withdrawal{Author: who.User, AuthorName: who.Name, At: now.UTC(), Reason: reason}
			done = list[i]
		}
		return list, nil
	})
	return done, err
}

// allExclusions are the exclusions of every queue in a view, by queue and time.
func (p *Planning) allExclusions(ctx context.Context, view *store.View) ([]Exclusion, error) {
	queues, err := store.All(func(page store.Page) ([]store.Queue, string, error) {
		return view.Queues(ctx, store.QueueFilter{}, page)
	})
	if err != nil {
		return nil, err
	}
	seen := map[ids.Queue]bool{}
	for _, q := range queues {
		seen[q.ID] = true
	}
	settings, err := store.All(func(page store.Page) ([]store.Setting, string, error) { return p.gate.Everything().Settings(ctx, page) })
	if err != nil {
		return nil, err
	}
	var out []Exclusion
	for _, s := range settings {
		queue, ours := strings.CutPrefix(s.Key, exclusionsKey)
		if !ours || !seen[ids.Queue(queue)] {
			continue
		}
		list, err := readExclusions(s)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	slices.SortStableFunc(out, func(a, b Exclusion) int {
		return cmp.Or(cmp.Compare(a.Queue, b.Queue), a.From.Compare(b.From), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// Exclusions lists the exclusions in scope by queue and time; an empty queue lists those of all queues.
func (p *Planning) Exclusions(ctx context.Context, who access.Principal, queue ids.Queue, withdrawn bool) ([]Exclusion, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, err
	}
	if queue != "" {
		if _, err := view.Queue(ctx, queue); err != nil {
			return nil, err
		}
	}
	all, err := p.allExclusions(ctx, view)
	return slices.DeleteFunc(all, func(x Exclusion) bool {
		return queue != "" && x.Queue != queue || !withdrawn && x.Withdrawn != nil
	}), err
}

// FindingsInput asks what looks wrong with a history.
type FindingsInput struct {
	Queue  ids.Queue
	Slot   time.Duration // as in ForecastInput
	Origin time.Time     // the history ends here; zero = the end of the data
}

// QueueFinding is a finding with the exclusion that it would become.
type QueueFinding struct {
	forecast.Finding
	Exclusion forecast.Exclusion `json:"exclusion"`
	Excluded  ids.Exclusion      `json:"excluded,omitempty"` // what covers all of it already
}

// Findings inspects the contact history of a queue, as it was before exclusions, by time. Errors: as
// MakeForecasts.
func (p *Planning) Findings(ctx context.Context, who access.Principal, in FindingsInput) ([]QueueFinding, error) {
	view, scope, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, err
	}
	q, platform, err := p.queueAt(ctx, view, in.Queue)
	if err != nil {
		return nil, err
	}
	series, _, err := p.history(ctx, scope, q, in.Slot, in.Origin)
	if err != nil {
		return nil, err
	}
	entered, err := p.entered(ctx, p.gate.Everything())
	if err != nil {
		return nil, err
	}
	o := forecast.Options{
		Origin: in.Origin, Missing: forecast.MissingZero, Events: eventsFor(entered, p.policy.Promotions, platform), Holidays: p.policy.Holidays,
	}
	if q.Hours != "" && series.Slot < 24*time.Hour { // a day as a whole has no hours
		if o.Hours, err = forecast.ParseHours(q.Hours); err != nil {
			return nil, err
		}
	}
	all, _, err := p.exclusionsOf(ctx, q.ID)
	if err != nil {
		return nil, err
	}
	var out []QueueFinding
	for _, f := range forecast.Inspect(series, o) {
		one := QueueFinding{Finding: f, Exclusion: f.Exclusion()}
		for _, x := range all {
			if x.Withdrawn == nil && !x.From.After(f.From) && !x.To.Before(f.To) {
				one.Excluded = x.ID
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// queueAt is a queue in a view and the platform of its shop.
func (p *Planning) queueAt(ctx context.Context, view *store.View, id ids.Queue) (store.Queue, contracts.Platform, error) {
	queues, platforms, err := p.queues(ctx, view, ForecastInput{Queues: []ids.Queue{id}})
	if err != nil {
		return store.Queue{}, "", err
	}
	return queues[0], platforms[queues[0].Shop], nil
}
