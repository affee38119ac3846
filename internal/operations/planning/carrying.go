package planning

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// Carried is what became of the adjustments on the version before.
type Carried struct {
	From   ids.Forecast `json:"from"`
	Layers int          `json:"layers"` // that lie on the new version
	Told   []string     `json:"told"`   // of those that changed on the way or were left behind
}

// CarriedOf is what a stored forecast says about the adjustments it took over; nil when none were asked for.
func CarriedOf(f store.Forecast) *Carried {
	var figures struct {
		Carried *Carried `json:"carried"`
	}
	_ = json.Unmarshal(f.Figures, &figures) // one that was not made here says nothing
	return figures.Carried
}

// NotesOf is what a planner should know of how a stored forecast was made: adjustments that stay behind, or come
// from a version that is not the one before.
func NotesOf(f store.Forecast) []string {
	var figures struct {
		Notes []string `json:"notes"`
	}
	_ = json.Unmarshal(f.Figures, &figures) // one that was not made here says nothing
	return figures.Notes
}

// previous are the versions of a queue, in one slot, that matter to a new one.
type previous struct {
	newest   *store.Forecast // nil = there is none
	adjusted *store.Forecast // whose adjustments are carried; nil = no version has one
}

// searchedVersions is how many versions back adjustments are looked for.
const searchedVersions = 100

// previous finds what comes before a new version. Adjustments are those of the newest version that has any on
// record, so that a version that was made without them does not lose them for good; one whose adjustments were all
// withdrawn has the last word. With justBefore only the version directly before is asked: a night must not
// bring back what somebody left behind.
func (p *Planning) previous(ctx context.Context, view *store.View, made store.Forecast, justBefore bool) (found previous, err error) {
	list, _, err := view.Forecasts(ctx, store.ForecastFilter{Queue: made.Queue}, store.Page{Limit: searchedVersions})
	if err != nil {
		return found, err
	}
	for _, f := range list {
		if figures, known := gate.ForecastFigures(f); !known || figures.Curve.Slot != made.Curve.Slot {
			continue
		}
		if found.newest == nil {
			found.newest = &f
		}
		if justBefore {
			found.adjusted = &f
			break
		}
		layers, err := gate.Layers(ctx, view, f.ID)
		if err != nil {
			return found, err
		}
		if len(layers) > 0 {
			found.adjusted = &f
			break
		}
	}
	return found, nil
}

// addVersion adds a new version with the adjustments before it, and says in it what became of them; or without
// them, and says how many stay behind.
func (p *Planning) addVersion(ctx context.Context, tx *store.Tx, before previous, made *store.Forecast, carry bool) error {
	from := before.adjusted
	if from == nil && carry {
		from = before.newest
	}
	if from == nil {
		return tx.AddForecast(*made)
	}
	on, err := p.adjusted(ctx, tx.In(access.Scope{Everything: true}), from.ID)
	if err != nil {
		return err
	}
	layers, told := forecast.Carry(on.Curve, p.gate.Zone, gate.PlainLayers(on.Layers), made.Curve)
	var notes []string
	if carry {
		if err := addFigure(made, "carried", Carried{From: from.ID, Layers: len(layers), Told: append([]string{}, told...)}); err != nil {
			return err
		}
		if from.ID != before.newest.ID && len(layers) > 0 {
			notes = append(notes, fmt.Sprintf("the version before, %s, has no adjustments: those of %s, made %s, are carried over",
				before.newest.ID, from.ID, from.CreatedAt.In(p.gate.Zone).Format(minuteLayout)))
		}
	} else if n := len(layers); n > 0 {
		form := "%d adjustments of %s, made %s, stay behind; make --carry takes them over"
		if n == 1 {
			form = "%d adjustment of %s, made %s, stays behind; make --carry takes it over"
		}
		notes = append(notes, fmt.Sprintf(form, n, from.ID, from.CreatedAt.In(p.gate.Zone).Format(minuteLayout)))
		layers = nil
	}
	if len(notes) > 0 {
		if err := addFigure(made, "notes", notes); err != nil {
			return err
		}
	}
	if err := tx.AddForecast(*made); err != nil {
		return err
	}
	for _, l := range layers {
		l.ID = ids.New[ids.Layer](p.gate.Now())
		if _, err := tx.AddLayer(made.ID, l); err != nil {
			return err
		}
	}
	return nil
}
