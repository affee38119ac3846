package planning

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// A forecast of contacts becomes one of work: how long a contact takes in each slot, how many rounds it
// has, and how much of the volume a bot takes. What is known of that is in the contact history
// (handling time) and in the measured conversations (handling time, rounds, the bot).

// Where figures per contact come from.
const (
	fromHistory  = "contact history"
	fromMeasured = "measured conversations"
)

// botReach is how far back a bot's share is counted: each yearly sale happened once in it, and what a bot
// did before that says little of today's.
const botReach = 400 * 24 * time.Hour

// work is what is known of the work in a queue's contacts.
type work struct {
	Slot    time.Duration               // of Handle
	Source  string                      // of Handle
	Handle  []forecast.FigureRecord     // seconds per contact
	Rounds  []forecast.FigureRecord     // per conversation that a person answered, in slots of calendar.Slot
	Bot     []forecast.DeflectionRecord // in slots of calendar.Slot
	Counts  forecast.Counted
	Changes []forecast.DeflectionChange
}

// ContactWork is what a stored forecast says about the work in its contacts.
type ContactWork struct {
	HandleTime *ContactFigure `json:"handle_time,omitempty"` // seconds per contact; each slot's own is in the curve
	Rounds     *ContactFigure `json:"rounds,omitempty"`      // per conversation
	Bot        *BotShare      `json:"bot,omitempty"`
}

// ContactFigure is a figure per contact.
type ContactFigure struct {
	Source string               `json:"source"`
	Mean   float64              `json:"mean"` // over the contacts of the forecast
	Model  forecast.FigureModel `json:"model"`
	Doubts []string             `json:"doubts"`
}

// BotShare is what a bot takes of a forecast. The curve is what reaches people.
type BotShare struct {
	HistoryCounts forecast.Counted            `json:"history_counts"` // arrivals, people, or empty when it cannot be told
	Arrivals      float64                     `json:"arrivals"`       // over the horizon, the bot's own included
	Human         float64                     `json:"human"`          // of them reach a person
	Share         float64                     `json:"share"`
	Changes       []forecast.DeflectionChange `json:"changes,omitempty"` // that people planned
	Model         forecast.FigureModel        `json:"model"`
	Doubts        []string                    `json:"doubts"`
}

// checkBot reports every bad field about the bot.
func (in ForecastInput) checkBot() error {
	var bad []fault.Field
	if !slices.Contains([]forecast.Counted{"", forecast.CountsArrivals, forecast.CountsPeople}, in.HistoryCounts) {
		bad = append(bad, fault.Field{Path: "history_counts", Value: string(in.HistoryCounts), Problem: "must be arrivals or people, or empty to find out"})
	}
	for i, c := range in.BotChanges {
		path := fmt.Sprintf("bot_changes[%d]", i)
		if c.From.IsZero() {
			bad = append(bad, fault.Field{Path: path + ".from", Problem: "is needed"})
		}
		if !(c.Points > -1 && c.Points < 1) || c.Points == 0 {
			bad = append(bad, fault.Field{Path: path + ".points", Value: fmt.Sprint(c.Points), Problem: "must lie between -1 and 1 and not be 0: 0.10 is ten points more"})
		}
		if !(c.Doubt >= 0 && c.Doubt <= 1) {
			bad = append(bad, fault.Field{Path: path + ".doubt", Value: fmt.Sprint(c.Doubt), Problem: "must lie between 0 and 1"})
		}
		if strings.TrimSpace(c.Reason) == "" {
			bad = append(bad, fault.Field{Path: path + ".reason", Problem: "is needed: a later reader must know why"})
		}
	}
	return fault.Bad("forecast.bot", "bot", bad)
}

// doubtOfChange is the doubt of a planned change that names none, as a part of its points: nobody has
// seen the new bot yet.
const doubtOfChange = 0.5

// doubted gives planned changes without a doubt the usual one.
func doubted(changes []forecast.DeflectionChange) []forecast.DeflectionChange {
	changes = slices.Clone(changes)
	for i, c := range changes {
		if changes[i].From = c.From.UTC(); c.Doubt == 0 {
			changes[i].Doubt = doubtOfChange * math.Abs(c.Points)
		}
	}
	return changes
}

// measure adds what the measured conversations know up to an instant.
func (p *Planning) measure(ctx context.Context, scope access.Scope, q ids.Queue, until time.Time, in ForecastInput, w *work) error {
	reader, until := p.gate.Measured(scope), until.Truncate(calendar.Slot)
	slots, err := reader.Work(ctx, warehouse.Filter{Range: calendar.Range{Start: until.Add(-historyReach), End: until}, Queues: []ids.Queue{q}})
	if err != nil {
		return err
	}
	measured := len(w.Handle) == 0
	if measured {
		w.Slot, w.Source = calendar.Slot, fromMeasured
	}
	for _, s := range slots {
		if s.Handled > 0 && s.Rounds > 0 {
			w.Rounds = append(w.Rounds, forecast.FigureRecord{Start: s.Start, Contacts: s.Handled, Mean: s.Rounds / s.Handled})
		}
		if measured && s.Handled > 0 && s.Handle > 0 {
			w.Handle = append(w.Handle, forecast.FigureRecord{Start: s.Start, Contacts: s.Handled, Mean: s.Handle.Seconds() / s.Handled})
		}
	}
	bots, err := reader.Bots(ctx, q, calendar.Range{Start: until.Add(-botReach), End: until})
	if err != nil {
		return err
	}
	for _, s := range bots {
		w.Bot = append(w.Bot, forecast.DeflectionRecord{Start: s.Start, Arrivals: s.Arrivals, Deflected: s.BotOnly})
	}
	w.Counts, w.Changes = in.HistoryCounts, doubted(in.BotChanges)
	return nil
}

// without leaves out what excluded stretches would teach.
func (w work) without(excluded []forecast.Exclusion) work {
	out := func(start time.Time, slot time.Duration) bool {
		return slices.ContainsFunc(excluded, func(x forecast.Exclusion) bool { return start.Before(x.To) && start.Add(slot).After(x.From) })
	}
	if len(excluded) > 0 {
		w.Handle = slices.DeleteFunc(slices.Clone(w.Handle), func(r forecast.FigureRecord) bool { return out(r.Start, w.Slot) })
		w.Rounds = slices.DeleteFunc(slices.Clone(w.Rounds), func(r forecast.FigureRecord) bool { return out(r.Start, calendar.Slot) })
		w.Bot = slices.DeleteFunc(slices.Clone(w.Bot), func(r forecast.DeflectionRecord) bool { return out(r.Start, calendar.Slot) })
	}
	return w
}

// apply makes a forecast net of the bot and gives each slot its handling time.
func (w work) apply(s forecast.Series, o forecast.Options, r *forecast.Result) (done ContactWork, err error) {
	w = w.without(o.Exclude)
	if len(w.Bot) > 0 || len(w.Changes) > 0 {
		if done.Bot, err = w.human(s, o, r); err != nil {
			return done, err
		}
	}
	var seconds forecast.RatioForecast
	if seconds, done.HandleTime, err = figure(w.Handle, w.Slot, w.Source, r.Curve, s.Location, o, 0); err != nil {
		return done, err
	}
	if done.HandleTime != nil {
		if r.Curve, err = forecast.WithHandleTime(r.Curve, seconds); err != nil {
			return done, err
		}
	}
	if _, done.Rounds, err = figure(w.Rounds, calendar.Slot, fromMeasured, r.Curve, s.Location, o, 1); err != nil {
		return done, err
	}
	for _, said := range []struct {
		what   string
		figure *ContactFigure
	}{{"handling time", done.HandleTime}, {"rounds", done.Rounds}} {
		if said.figure != nil {
			r.Doubts = append(r.Doubts, prefixed(said.what, said.figure.Doubts)...)
		}
	}
	if done.Bot != nil {
		r.Doubts = append(r.Doubts, prefixed("bot", done.Bot.Doubts)...)
	}
	return done, nil
}

func prefixed(what string, doubts []string) []string {
	out := make([]string, len(doubts))
	for i, d := range doubts {
		out[i] = what + ": " + d
	}
	return out
}

// human replaces the volume of a forecast by what the bot leaves of it.
func (w work) human(s forecast.Series, o forecast.Options, r *forecast.Result) (*BotShare, error) {
	h := forecast.DeflectionHistory{Slot: calendar.Slot, Location: s.Location, Records: w.Bot}
	f, err := forecast.ForecastHuman(s, *r, h, w.Counts, forecast.DeflectionOptions{Events: o.Events, Holidays: o.Holidays, Changes: w.Changes})
	if err != nil {
		return nil, err
	}
	if err := w.late(s, r.Origin, f.Counts); err != nil {
		return nil, err
	}
	r.Curve, r.Days, r.Events = f.Curve, f.Days, f.Events
	return &BotShare{
		HistoryCounts: f.Counts, Arrivals: f.Arrivals, Human: f.Human, Share: f.Share, Changes: w.Changes, Model: learned(f.Model), Doubts: f.Doubts,
	}, nil
}

// late reports planned changes that would do nothing, because they lie before the origin. Only where the history
// counts all arrivals does a change inside the records of the bot still teach its share.
func (w work) late(s forecast.Series, origin time.Time, counts forecast.Counted) error {
	var bad []fault.Field
	for i, c := range w.Changes {
		taught := counts == forecast.CountsArrivals && len(w.Bot) > 0 && w.Bot[0].Start.Before(c.From)
		if c.From.Before(origin) && !taught {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("bot_changes[%d].from", i), Value: c.From.In(s.Location).Format(minuteLayout), Problem: fmt.Sprintf(
				"lies before the origin of the forecast of %s, %s, and would do nothing: what the bot did until then is in the history", s.Queue, origin.In(s.Location).Format(minuteLayout))})
		}
	}
	return fault.Bad("forecast.bot", "bot", bad)
}

// figure forecasts a figure per contact for the points of a curve; nil when nothing is known of it.
func figure(records []forecast.FigureRecord, slot time.Duration, source string, c scheduling.Curve, loc *time.Location, o forecast.Options, floor float64) (f forecast.RatioForecast, said *ContactFigure, err error) {
	if len(records) == 0 {
		return f, nil, nil
	}
	f, err = forecast.ForecastRatio(forecast.RatioHistory{Slot: slot, Location: loc, Records: records}, c,
		forecast.RatioOptions{Origin: o.Origin, Events: o.Events, Holidays: o.Holidays, Floor: floor})
	if err != nil {
		if fault.CodeOf(err) == "forecast.no_history" {
			err = nil
		}
		return f, nil, err
	}
	var sum, contacts float64
	for i, p := range f.Points {
		sum += p.Mean * c.Points[i].Mean
		contacts += c.Points[i].Mean
	}
	said = &ContactFigure{Source: source, Mean: f.Points[0].Mean, Model: learned(f.Model), Doubts: f.Doubts}
	if contacts > 0 {
		said.Mean = sum / contacts
	}
	return f, said, nil
}

// learned leaves out effects that nothing taught.
func learned(m forecast.FigureModel) forecast.FigureModel {
	m.Effects = slices.DeleteFunc(slices.Clone(m.Effects), func(e forecast.FigureEffect) bool { return e.Contacts == 0 })
	return m
}

// digest names everything in it.
func (w work) digest() (string, error) {
	h := sha256.New()
	err := gate.AddJSON(h, struct {
		Slot    time.Duration
		Source  string
		Counts  forecast.Counted
		Changes []forecast.DeflectionChange
		Sizes   [3]int
	}{w.Slot, w.Source, w.Counts, w.Changes, [3]int{len(w.Handle), len(w.Rounds), len(w.Bot)}})
	if err != nil {
		return "", err
	}
	var bits []byte
	add := func(at time.Time, a, b float64) {
		bits = binary.LittleEndian.AppendUint64(bits, uint64(at.UnixNano()))
		bits = binary.LittleEndian.AppendUint64(bits, math.Float64bits(a))
		bits = binary.LittleEndian.AppendUint64(bits, math.Float64bits(b))
	}
	for _, records := range [][]forecast.FigureRecord{w.Handle, w.Rounds} {
		for _, r := range records {
			add(r.Start, r.Contacts, r.Mean)
		}
	}
	for _, r := range w.Bot {
		add(r.Start, r.Arrivals, r.Deflected)
	}
	h.Write(bits)
	return hex.EncodeToString(h.Sum(nil)), nil
}

// addFigure writes something about a forecast beside its other figures.
func addFigure(f *store.Forecast, name string, value any) error {
	failed := func(err error) error {
		return fault.Wrap(err, fault.Internal, "forecast.figures", "the forecast of %s cannot be stored", f.Queue)
	}
	figures := map[string]json.RawMessage{}
	if err := json.Unmarshal(f.Figures, &figures); err != nil {
		return failed(err)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return failed(err)
	}
	figures[name] = text
	if f.Figures, err = json.Marshal(figures); err != nil {
		return failed(err)
	}
	return nil
}

// WorkOf reads what a stored forecast says about the work in its contacts; empty for one that says nothing.
func WorkOf(f store.Forecast) ContactWork {
	var figures struct {
		Work ContactWork `json:"work"`
	}
	_ = json.Unmarshal(f.Figures, &figures) // one that was not made here says nothing
	return figures.Work
}
