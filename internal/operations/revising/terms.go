package revising

import (
	"context"
	"encoding/json"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// Terms are what a roster was priced by when it was made. They stay with it, so that a change is priced
// as the roster was.
type Terms struct {
	Weights  roster.Weights  `json:"weights"`
	MinBlock calendar.Length `json:"min_block"` // least time on one queue, 0 = none
}

// HouseTerms are those of a roster for which nobody asked others.
func HouseTerms() Terms {
	t := Terms{Weights: roster.DefaultWeights(), MinBlock: calendar.Length(roster.HouseBlock)}
	t.Weights.Switch = roster.HouseSwitch
	return t
}

// With lays weights by name and a least block (nil: as it is) over terms. The fields name what is wrong.
func (t Terms) With(weights map[string]float64, block *time.Duration) (Terms, []fault.Field) {
	var bad []fault.Field
	t.Weights, bad = t.Weights.With(weights)
	if block != nil {
		t.MinBlock = calendar.Length(*block)
		if *block < 0 || *block > 12*time.Hour || *block%(5*time.Minute) != 0 {
			bad = append(bad, fault.Field{Path: "min_block", Value: block.String(), Problem: "must be 0 (off) to 12h in steps of 5 minutes"})
		}
	}
	return t, bad
}

// TermsOf are the terms of a stored roster. One that was made before they were kept had the default
// weights and no least block.
func TermsOf(head store.Roster) (Terms, error) {
	kept, err := KeptTerms(head)
	if err != nil || kept == nil {
		return Terms{Weights: roster.DefaultWeights()}, err
	}
	return *kept, nil
}

// KeptTerms are the terms that were kept with a roster; nil when none were.
func KeptTerms(head store.Roster) (*Terms, error) {
	var figures struct {
		Terms *Terms `json:"terms"`
	}
	if len(head.Figures) > 0 {
		if err := json.Unmarshal(head.Figures, &figures); err != nil {
			return nil, fault.Wrap(err, fault.Internal, "roster.figures", "the stored figures of roster %s cannot be read", head.ID)
		}
	}
	return figures.Terms, nil
}

// Sites are the sites whose seats are limited, by id.
func (d *Desk) Sites(ctx context.Context, view *store.View) ([]roster.Site, error) {
	all, err := store.All(func(p store.Page) ([]store.Stored[workforce.Site], string, error) { return view.Sites(ctx, p) })
	if err != nil {
		return nil, err
	}
	var out []roster.Site
	for _, s := range all {
		if s.Value.Seats == 0 {
			continue
		}
		site := roster.Site{ID: s.Value.ID, Seats: s.Value.Seats}
		for _, w := range s.Value.Windows {
			from, until, _ := w.Hours() // checked when the site was put
			site.Windows = append(site.Windows, roster.SeatWindow{From: from, Until: until, Seats: w.Seats})
		}
		out = append(out, site)
	}
	return out, nil
}

// Seat fills the sites of a problem and leaves those of its people empty whose site is not limited.
func (d *Desk) Seat(ctx context.Context, view *store.View, p *roster.Problem) error {
	var err error
	if p.Sites, err = d.Sites(ctx, view); err != nil {
		return err
	}
	limited := map[ids.Site]bool{}
	for _, s := range p.Sites {
		limited[s.ID] = true
	}
	for i := range p.Agents {
		if !limited[p.Agents[i].Site] {
			p.Agents[i].Site = ""
		}
	}
	return nil
}
