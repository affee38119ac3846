package planning

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
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
	Author    ids.User    `json:"author"`
	At        time.Time   `json:"at"`
	Withdrawn *Withdrawal `json:"withdrawn,omitempty"`
}

// Withdrawal says who took something back, when and why.
type Withdrawal struct {
	Author ids.User  `json:"author"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
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

// Exclude takes a stretch of a queue's history out of what teaches its forecasts. Errors: exclusion.input
// (every bad field); exclusion.exists when the same stretch is taken out already.
func (p *Planning) Exclude(ctx context.Context, who access.Principal, queue ids.Queue, x forecast.Exclusion) (Exclusion, error) {
	view, _, err := p.gate.Read(who, access.WritePlans)
	if err != nil {
		return Exclusion{}, err
	}
	q, err := view.Queue(ctx, queue)
	if err != nil {
		return Exclusion{}, err
	}
	if err := checkExclusion(x); err != nil {
		return Exclusion{}, err
	}
	now := p.gate.Now()
	x.From, x.To, x.Reason = x.From.UTC(), x.To.UTC(), strings.TrimSpace(x.Reason)
	entered := Exclusion{ID: ids.New[ids.Exclusion](now), Queue: q.ID, Exclusion: x, Author: who.User, At: now.UTC()}
	err = p.changeExclusions(ctx, who, q.ID, func(list []Exclusion) ([]Exclusion, error) {
		for _, other := range list {
			if other.Withdrawn == nil && other.From.Equal(x.From) && other.To.Equal(x.To) {
				return nil, fault.New(fault.Conflict, "exclusion.exists", "%s takes out the same stretch of queue %s already: %s", other.ID, q.ID, other.Reason)
			}
		}
		return append(slices.Clone(list), entered), nil
	})
	return entered, err
}

func checkExclusion(x forecast.Exclusion) error {
	var bad []fault.Field
	if x.From.IsZero() || x.To.IsZero() {
		bad = append(bad, fault.Field{Path: "from", Problem: "from and to are needed"})
	} else if !x.From.Before(x.To) {
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
			list[i].Withdrawn = &Withdrawal{Author: who.User, At: now.UTC(), Reason: reason}
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
