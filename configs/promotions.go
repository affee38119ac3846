package configs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

const promotionFile = "calendars/promotions.yaml"

// beijing is the clock of every platform rule; China has had no clock change since 1991.
var beijing = time.FixedZone("UTC+8", 8*60*60)

// The marks of a date's quality.
const (
	QualityOfficial  = "A"   // statute, official text or real export
	QualityPress     = "B"   // press, or a copy of an official notice
	QualityMarketing = "C"   // marketing text
	QualityGeneral   = "GK"  // general knowledge without a source
	QualityInferred  = "INF" // inferred from a pattern that the file states
)

var dateMarks = []string{QualityOfficial, QualityPress, QualityMarketing, QualityGeneral, QualityInferred}

// PhaseKinds are the kinds of phase of a promotion, the one that wins first where phases overlap.
var PhaseKinds = []string{"spot", "balance", "presale", "warmup"}

// PromotionCalendar is the sales events of a file. It is editable reference data for planners, not a
// rule: the dates are announced, not measured.
type PromotionCalendar struct {
	Families   []PromotionFamily `json:"families"`
	Promotions []Promotion       `json:"promotions"` // in order of start
}

// PromotionFamily is what repeats from year to year.
type PromotionFamily struct {
	Family   string   `json:"family"`              // 618, double11
	Names    []string `json:"names"`               // as people say it: 双11, 双十一
	UsualEnd string   `json:"usual_end,omitempty"` // last day (month-day) that is assumed where an end is not known
	Habit    string   `json:"habit"`               // what the market usually does, for the planner
}

// Promotion is one occurrence of a family on one platform. What the file does not know is filled by
// the rules of resolve, each with a sentence in Unsure.
type Promotion struct {
	Family         string      `json:"family"`
	Name           string      `json:"name"`             // 双11
	Year           int         `json:"year"`             // the year it belongs to
	Platform       string      `json:"platform"`         // tmall, jd, pdd, douyin, kuaishou, xiaohongshu, vip; "all" = no platform named
	Start          time.Time   `json:"start"`            // first phase opens
	End            time.Time   `json:"end"`              // exclusive
	Phases         []Phase     `json:"phases,omitempty"` // may overlap: balance payment runs into spot sale
	Openings       []time.Time `json:"openings,omitempty"`
	ProtectedUntil time.Time   `json:"protected_until,omitzero"` // price protection (价保) ends, exclusive
	Approximate    bool        `json:"approximate"`              // something in Unsure
	Unsure         []string    `json:"unsure,omitempty"`         // what is not known, or known without a source
	Source         string      `json:"source"`
	Quality        string      `json:"quality"` // A, B, C, GK or INF: of every date without a mark of its own
	Note           string      `json:"note,omitempty"`
}

// Phase is a part of a promotion with its own demand: half-open [Start, End).
type Phase struct {
	Kind  string    `json:"kind"` // one of PhaseKinds
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

type promotionPack struct {
	Families   []familyEntry    `yaml:"families"`
	Promotions []promotionEntry `yaml:"promotions"`
}

type familyEntry struct {
	Family   string   `yaml:"family"`
	Names    []string `yaml:"names"`
	UsualEnd string   `yaml:"usual_end"`
	Habit    string   `yaml:"habit"`
}

type promotionEntry struct {
	Family         string       `yaml:"family"`
	Year           int          `yaml:"year"`
	Platform       string       `yaml:"platform"`
	Start          string       `yaml:"start"`
	End            string       `yaml:"end"`
	Phases         []phaseEntry `yaml:"phases"`
	Openings       []string     `yaml:"openings"`
	ProtectedUntil string       `yaml:"protected_until"`
	Source         string       `yaml:"source"`
	Quality        string       `yaml:"quality"`
	Note           string       `yaml:"note"`
}

type phaseEntry struct {
	Kind  string `yaml:"kind"`
	Start string `yaml:"start"`
	End   string `yaml:"end"`
}

// markedDate is a date of the file with what is known of it.
type markedDate struct {
	at          time.Time
	noHour      bool
	about       bool   // "~"
	quality     string // of the day; "" = the entry's
	hourQuality string // "" = that of the day
}

var markedForm = regexp.MustCompile(`^(~?)(\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2}))?(?: ([A-Z]+)(?:/([A-Z]+))?)?$`)

// parseMarked reads "[~]2022-05-26 [20:00] [B[/GK]]"; 24:00 is the midnight that follows.
func parseMarked(text string) (markedDate, error) {
	bad := fault.New(fault.Invalid, "config.promotions", "must look like 2022-05-26, 2022-05-26 20:00 or ~2022-05-26 20:00 B/GK")
	m := markedForm.FindStringSubmatch(text)
	if m == nil {
		return markedDate{}, bad
	}
	d := markedDate{about: m[1] != "", noHour: m[3] == "", quality: m[4], hourQuality: m[5]}
	hour, days := m[3], 0
	switch hour {
	case "":
		hour = "00:00"
	case "24:00":
		hour, days = "00:00", 1
	}
	t, err := time.ParseInLocation("2006-01-02 15:04", m[2]+" "+hour, beijing)
	if err != nil || d.noHour && d.hourQuality != "" {
		return markedDate{}, bad
	}
	for _, q := range []string{d.quality, d.hourQuality} {
		if q != "" && !slices.Contains(dateMarks, q) {
			return markedDate{}, fault.New(fault.Invalid, "config.promotions", "must be marked A, B, C, GK or INF")
		}
	}
	d.at = t.AddDate(0, 0, days)
	return d, nil
}

// Promotions returns the known sales events of 2020 to 2026 in order of start, then family, then
// platform. A broken file is a config.pack or config.promotions fault with every bad field.
func Promotions() ([]Promotion, error) {
	c, err := ShippedPromotions()
	return c.Promotions, err
}

// ShippedPromotions is the calendar that ships with the binary.
func ShippedPromotions() (PromotionCalendar, error) {
	text, err := packs.ReadFile(promotionFile)
	if err != nil {
		return PromotionCalendar{}, fault.Wrap(err, fault.Internal, "config.pack", "the data file %s is not in this binary", promotionFile)
	}
	return ParsePromotions(promotionFile, text)
}

// ParsePromotions reads a calendar in the form of the shipped file, which explains it; name is used
// in errors. Errors: config.pack (not YAML, unknown keys), config.promotions (every bad field).
func ParsePromotions(name string, text []byte) (PromotionCalendar, error) {
	var pack promotionPack
	if err := decodePack(name, text, &pack); err != nil {
		return PromotionCalendar{}, err
	}
	var out PromotionCalendar
	families, bad := pack.families()
	out.Families = families
	for i, e := range pack.Promotions {
		p, problems := e.resolve(families)
		for _, f := range problems {
			f.Path = fmt.Sprintf("promotions[%d].%s", i, f.Path)
			bad = append(bad, f)
		}
		if len(problems) == 0 {
			out.Promotions = append(out.Promotions, p)
		}
	}
	slices.SortStableFunc(out.Promotions, comparePromotions)
	bad = append(bad, overlaps(out.Promotions)...)
	for i := range bad {
		bad[i].File = name
	}
	return out, fault.Bad("config.promotions", "promotion calendar", bad)
}

func comparePromotions(a, b Promotion) int {
	if c := a.Start.Compare(b.Start); c != 0 {
		return c
	}
	return strings.Compare(a.Family+" "+a.Platform, b.Family+" "+b.Platform)
}

func overlaps(sorted []Promotion) (bad []fault.Field) {
	last := map[[2]string]Promotion{}
	for _, p := range sorted {
		key := [2]string{p.Family, p.Platform}
		before, ok := last[key]
		if ok && p.Start.Before(before.End) {
			bad = append(bad, fault.Field{
				Path: "promotions", Value: fmt.Sprintf("%s %s %d", p.Family, p.Platform, p.Year),
				Problem: fmt.Sprintf("overlaps the occurrence of %d", before.Year),
			})
		}
		if !ok || p.End.After(before.End) {
			last[key] = p
		}
	}
	return bad
}

func (p promotionPack) families() (out []PromotionFamily, bad []fault.Field) {
	for i, f := range p.Families {
		report := func(path, value, problem string) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("families[%d].%s", i, path), Value: value, Problem: problem})
		}
		same := func(o PromotionFamily) bool { return o.Family == f.Family }
		if f.Family == "" || slices.ContainsFunc(out, same) {
			report("family", f.Family, "must be a name of its own")
		}
		if len(f.Names) == 0 || slices.Contains(f.Names, "") {
			report("names", strings.Join(f.Names, ", "), "needs at least one name, none empty")
		}
		if f.Habit == "" {
			report("habit", "", "is missing")
		}
		if _, err := time.Parse("2006-01-02", "2024-"+f.UsualEnd); f.UsualEnd != "" && err != nil {
			report("usual_end", f.UsualEnd, "must be a month and day like 06-20")
		}
		out = append(out, PromotionFamily(f))
	}
	return out, bad
}
