package configs

import (
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

const promotionFile = "calendars/promotions.yaml"

// beijing is the clock of every platform rule; China has had no clock change since 1991.
var beijing = time.FixedZone("UTC+8", 8*60*60)

// Promotion is one occurrence of a sales event on one platform or group of platforms. It is
// editable reference data for planners, not a rule: the dates are announced, not measured.
type Promotion struct {
	Family      string      `json:"family"`             // what repeats: "618", "double11"
	Year        int         `json:"year"`               // the year it belongs to
	Platform    string      `json:"platform"`           // tmall, jd, pdd, douyin, kuaishou, xiaohongshu; "all" = no platform named
	Start       time.Time   `json:"start"`              // first phase opens
	End         time.Time   `json:"end"`                // exclusive
	Phases      []Phase     `json:"phases,omitempty"`   // may overlap: balance payment runs into spot sale
	Openings    []time.Time `json:"openings,omitempty"` // instants when the crowd arrives at once
	Approximate bool        `json:"approximate"`        // dates are the habit of the market, not a notice
	Source      string      `json:"source"`
	Quality     string      `json:"quality"` // A, B, C, or GK for general knowledge
	Note        string      `json:"note,omitempty"`
}

// Phase is a part of a promotion with its own demand: half-open [Start, End).
type Phase struct {
	Kind  string    `json:"kind"` // presale, balance, spot, warmup
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

type promotionPack struct {
	Promotions []promotionEntry `yaml:"promotions"`
}

type promotionEntry struct {
	Family      string       `yaml:"family"`
	Year        int          `yaml:"year"`
	Platform    string       `yaml:"platform"`
	Start       wallClock    `yaml:"start"`
	End         wallClock    `yaml:"end"`
	Phases      []phaseEntry `yaml:"phases"`
	Openings    []wallClock  `yaml:"openings"`
	Approximate bool         `yaml:"approximate"`
	Source      string       `yaml:"source"`
	Quality     string       `yaml:"quality"`
	Note        string       `yaml:"note"`
}

type phaseEntry struct {
	Kind  string    `yaml:"kind"`
	Start wallClock `yaml:"start"`
	End   wallClock `yaml:"end"`
}

// wallClock is "2025-10-20 20:00" on the Beijing clock; "24:00" is the midnight that follows.
type wallClock struct{ time.Time }

// UnmarshalText reads the wall clock.
func (w *wallClock) UnmarshalText(b []byte) error {
	const layout = "2006-01-02 15:04"
	text, days := string(b), 0
	if len(text) == len(layout) && text[11:] == "24:00" {
		text, days = text[:11]+"00:00", 1
	}
	t, err := time.ParseInLocation(layout, text, beijing)
	if err != nil {
		return fault.New(fault.Invalid, "config.promotions", "%q is not a time like 2025-10-20 20:00", fault.Shorten(string(b)))
	}
	w.Time = t.AddDate(0, 0, days)
	return nil
}

// Promotions returns the known sales events of 2020 to 2026 in order of start, then family, then
// platform. A broken file is a config.pack or config.promotions fault with every bad field.
func Promotions() ([]Promotion, error) {
	var pack promotionPack
	if err := readPack(promotionFile, &pack); err != nil {
		return nil, err
	}
	return pack.promotions()
}

func (p promotionPack) promotions() ([]Promotion, error) {
	var bad []fault.Field
	out := make([]Promotion, 0, len(p.Promotions))
	for i, e := range p.Promotions {
		for _, f := range e.faults() {
			f.File, f.Path = promotionFile, fmt.Sprintf("promotions[%d].%s", i, f.Path)
			bad = append(bad, f)
		}
		out = append(out, e.promotion())
	}
	slices.SortStableFunc(out, func(a, b Promotion) int { return a.Start.Compare(b.Start) })
	last := map[[2]string]Promotion{}
	for _, e := range out {
		key := [2]string{e.Family, e.Platform}
		if before, ok := last[key]; ok && e.Start.Before(before.End) {
			bad = append(bad, fault.Field{File: promotionFile, Value: fmt.Sprintf("%s %s %d", e.Family, e.Platform, e.Year), Problem: fmt.Sprintf("overlaps the occurrence of %d", before.Year)})
		}
		last[key] = e
	}
	if err := fault.Bad("config.promotions", "promotion calendar", bad); err != nil {
		return nil, err
	}
	return out, nil
}

func (e promotionEntry) promotion() Promotion {
	p := Promotion{
		Family: e.Family, Year: e.Year, Platform: e.Platform, Start: e.Start.Time, End: e.End.Time,
		Approximate: e.Approximate, Source: e.Source, Quality: e.Quality, Note: e.Note,
	}
	for _, ph := range e.Phases {
		p.Phases = append(p.Phases, Phase{ph.Kind, ph.Start.Time, ph.End.Time})
	}
	for _, o := range e.Openings {
		p.Openings = append(p.Openings, o.Time)
	}
	return p
}

// faults reports what is wrong with one entry; paths are relative to it.
func (e promotionEntry) faults() []fault.Field {
	var bad []fault.Field
	report := func(path, value, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: value, Problem: problem})
	}
	for _, f := range [][2]string{{"family", e.Family}, {"platform", e.Platform}, {"source", e.Source}} {
		if f[1] == "" {
			report(f[0], "", "is missing")
		}
	}
	if !slices.Contains([]string{"A", "B", "C", "GK"}, e.Quality) {
		report("quality", e.Quality, "must be A, B, C or GK")
	}
	if !e.Start.Before(e.End.Time) || e.End.Sub(e.Start.Time) > 60*24*time.Hour {
		report("end", e.End.String(), "must be after the start and at most 60 days later")
	}
	if e.Start.Year() != e.Year {
		report("year", fmt.Sprint(e.Year), "must be the year of the start")
	}
	inside := func(t time.Time) bool { return !t.Before(e.Start.Time) && !t.After(e.End.Time) }
	for i, ph := range e.Phases {
		if !slices.Contains([]string{"presale", "balance", "spot", "warmup"}, ph.Kind) {
			report(fmt.Sprintf("phases[%d].kind", i), ph.Kind, "must be presale, balance, spot or warmup")
		}
		if !ph.Start.Before(ph.End.Time) || !inside(ph.Start.Time) || !inside(ph.End.Time) {
			report(fmt.Sprintf("phases[%d]", i), ph.Start.String(), "must lie inside the promotion and last more than nothing")
		}
	}
	for i, o := range e.Openings {
		if !inside(o.Time) {
			report(fmt.Sprintf("openings[%d]", i), o.String(), "must lie inside the promotion")
		}
	}
	return bad
}
