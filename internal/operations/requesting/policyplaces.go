package requesting

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// knownPlaces are the sites and teams that a leave policy may name.
type knownPlaces struct {
	sites []ids.Site
	teams []ids.Team
}

func placesOf(ctx context.Context, view *store.View) (knownPlaces, error) {
	var k knownPlaces
	sites, err := store.All(func(p store.Page) ([]store.Stored[workforce.Site], string, error) { return view.Sites(ctx, p) })
	if err != nil {
		return k, err
	}
	teams, err := store.All(func(p store.Page) ([]store.Stored[workforce.Team], string, error) { return view.Teams(ctx, "", p) })
	for _, s := range sites {
		k.sites = append(k.sites, s.Value.ID)
	}
	for _, t := range teams {
		k.teams = append(k.teams, t.Value.ID)
	}
	return k, err
}

// check lists what a policy names and nobody knows, with what is known: such a quota or closed day would never bite,
// and nobody would see why.
func (k knownPlaces) check(p leave.Policy, promotions []leave.PromotionDays) (bad []fault.Field) {
	look := func(at string, site ids.Site, team ids.Team) {
		if site != "" && !slices.Contains(k.sites, site) {
			bad = append(bad, fault.Field{Path: at + "site", Value: string(site), Problem: "is no site we know; " + knownNames(k.sites)})
		}
		if team != "" && !slices.Contains(k.teams, team) {
			bad = append(bad, fault.Field{Path: at + "team", Value: string(team), Problem: "is no team we know; " + knownNames(k.teams)})
		}
	}
	for i, r := range p.Regions {
		for n, site := range r.Sites {
			if !slices.Contains(k.sites, site) {
				bad = append(bad, fault.Field{Path: fmt.Sprintf("regions[%d].sites[%d]", i, n), Value: string(site), Problem: "is no site we know; " + knownNames(k.sites)})
			}
		}
	}
	for i, q := range p.Quotas {
		look(fmt.Sprintf("quotas[%d].", i), q.Site, q.Team)
	}
	for i, c := range p.Closures {
		at := fmt.Sprintf("closures[%d].", i)
		look(at, c.Site, c.Team)
		bad = append(bad, unknownPromotion(at, c, promotions)...)
	}
	return bad
}

// unknownPromotion says that a closure names a promotion, or a phase of one, that is not in the calendar.
// Where no calendar of promotions is at hand nothing can be said.
func unknownPromotion(at string, c leave.Closure, promotions []leave.PromotionDays) (bad []fault.Field) {
	if c.Promotion == "" || len(promotions) == 0 {
		return nil
	}
	var families, phases []string
	for _, p := range promotions {
		families = append(families, p.Family)
		if p.Family == c.Promotion && p.Phase != "" {
			phases = append(phases, p.Phase)
		}
	}
	if !slices.Contains(families, c.Promotion) {
		return []fault.Field{{Path: at + "promotion", Value: c.Promotion, Problem: "is no promotion we know; " + knownNames(families)}}
	}
	for i, phase := range c.Phases {
		if !slices.Contains(phases, phase) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("%sphases[%d]", at, i), Value: phase, Problem: fmt.Sprintf("is no phase of %s; %s", c.Promotion, knownNames(phases))})
		}
	}
	return bad
}

// mostNamed is how many names an error lists; nobody reads more.
const mostNamed = 20

// knownNames is "known: a, b, c".
func knownNames[T ~string](all []T) string {
	names := make([]string, len(all))
	for i, a := range all {
		names[i] = string(a)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return "none is on file yet"
	}
	more := ""
	if n := len(names) - mostNamed; n > 0 {
		names, more = names[:mostNamed], fmt.Sprintf(" and %d more", n)
	}
	return "known: " + strings.Join(names, ", ") + more
}
