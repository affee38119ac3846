package configs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// longestPromotion keeps a typing error in a year from becoming an event.
const longestPromotion = 60 * 24 * time.Hour

// resolver turns one entry of the file into a promotion. It collects bad fields, and a sentence for
// everything that is assumed or has no source.
type resolver struct {
	entry  promotionEntry
	out    Promotion
	bad    []fault.Field
	unsure []string
	told   map[string]bool // dates whose marks have been told: a start is often an opening too
}

// resolve fills what the entry leaves out:
//
//   - an end: the family's usual last day of that year;
//   - the hour of a start: midnight; of an end: the end of the day;
//   - a phase's start: the end of the phase above it;
//   - a phase's end: the start of the next phase that is not a balance payment; without one, the end
//     of the promotion for spot and balance, while a presale or warm-up is left out, because it
//     would make a presale of the whole event.
func (e promotionEntry) resolve(families []PromotionFamily) (Promotion, []fault.Field) {
	r := resolver{entry: e, told: map[string]bool{}, out: Promotion{Family: e.Family, Year: e.Year, Platform: e.Platform, Source: e.Source, Quality: e.Quality, Note: e.Note}}
	family := r.plain(families)
	if r.span(family) {
		r.phases()
		r.openings()
		r.protection()
	}
	r.out.Unsure, r.out.Approximate = r.unsure, len(r.unsure) > 0
	return r.out, r.bad
}

func (r *resolver) report(path, value, problem string) {
	r.bad = append(r.bad, fault.Field{Path: path, Value: fault.Shorten(value), Problem: problem})
}

func (r *resolver) doubt(format string, args ...any) {
	r.unsure = append(r.unsure, fmt.Sprintf(format, args...))
}

// plain checks the fields that are no dates.
func (r *resolver) plain(families []PromotionFamily) (family PromotionFamily) {
	e := r.entry
	at := slices.IndexFunc(families, func(f PromotionFamily) bool { return f.Family == e.Family })
	switch {
	case e.Family == "":
		r.report("family", "", "is missing")
	case at < 0:
		r.report("family", e.Family, "is not among the families of the file")
	default:
		family = families[at]
		if len(family.Names) > 0 {
			r.out.Name = family.Names[0]
		}
	}
	if e.Platform == "" {
		r.report("platform", "", "is missing")
	}
	if e.Source == "" {
		r.report("source", "", "is missing")
	}
	switch e.Quality {
	case QualityGeneral:
		r.doubt("every date is general knowledge without a source")
	case QualityMarketing:
		r.doubt("the source is a marketing text (quality C)")
	case QualityInferred:
		r.doubt("every date is inferred")
	case QualityOfficial, QualityPress:
	default:
		r.report("quality", e.Quality, "must be A, B, C, GK or INF")
	}
	return family
}

// date reads one date and says what is not sure of it.
func (r *resolver) date(path, what, text string) (markedDate, bool) {
	d, err := parseMarked(text)
	if err != nil {
		r.report(path, text, fault.Of(err).Message)
		return d, false
	}
	if r.told[text] {
		return d, true
	}
	r.told[text] = true
	day, _, _ := strings.Cut(strings.TrimPrefix(text, "~"), " ")
	if d.about {
		r.doubt("%s is about %s", what, day)
	}
	said := map[string]string{QualityGeneral: "general knowledge without a source", QualityInferred: "inferred", QualityMarketing: "from a marketing text (quality C)"}
	if why := said[d.quality]; why != "" && d.quality != r.entry.Quality {
		r.doubt("%s %s is %s", what, day, why)
	}
	if why := said[d.hourQuality]; why != "" && d.hourQuality != r.entry.Quality {
		r.doubt("the hour of %s %s is %s", what, day, why)
	}
	return d, true
}

// start reads a first instant.
func (r *resolver) start(path, what, text string) time.Time {
	d, ok := r.date(path, what, text)
	if ok && d.noHour {
		r.doubt("the hour of %s is not known, midnight is used", what)
	}
	return d.at
}

// end reads an exclusive end; a day without an hour is included, which is how notices are written.
func (r *resolver) end(path, what, text string) time.Time {
	d, ok := r.date(path, what, text)
	if ok && d.noHour {
		return d.at.AddDate(0, 0, 1)
	}
	return d.at
}

// span reads start and end and reports whether they can be used.
func (r *resolver) span(family PromotionFamily) bool {
	e, before := r.entry, len(r.bad)
	if e.Start == "" {
		r.report("start", "", "is missing")
		return false
	}
	r.out.Start = r.start("start", "the start", e.Start)
	switch {
	case e.End != "":
		r.out.End = r.end("end", "the end", e.End)
	case family.UsualEnd != "":
		r.doubt("the end is not known, the usual %s of the family is used", family.UsualEnd)
		r.out.End = r.end("end", "the end", fmt.Sprintf("%d-%s", e.Year, family.UsualEnd))
	default:
		r.report("end", "", "is missing and the family has no usual end")
	}
	if len(r.bad) > before {
		return false
	}
	if !r.out.Start.Before(r.out.End) || r.out.End.Sub(r.out.Start) > longestPromotion {
		r.report("end", r.out.End.Format(time.DateTime), "must be after the start and at most 60 days later")
	}
	if r.out.Start.Year() != e.Year && r.out.End.Add(-1).Year() != e.Year {
		r.report("year", fmt.Sprint(e.Year), "must be the year of the start or of the end")
	}
	return len(r.bad) == before
}

func (r *resolver) phases() {
	starts := make([]time.Time, len(r.entry.Phases))
	var before time.Time // end of the phase above
	for i, ph := range r.entry.Phases {
		path, what := fmt.Sprintf("phases[%d]", i), "the "+ph.Kind+" phase's"
		if !slices.Contains(PhaseKinds, ph.Kind) {
			r.report(path+".kind", ph.Kind, "must be one of "+strings.Join(PhaseKinds, ", "))
		}
		switch {
		case ph.Start != "":
			starts[i] = r.start(path+".start", what+" start", ph.Start)
		case before.IsZero():
			r.report(path+".start", "", "is missing, and the phase above has no end")
		default:
			r.doubt("%s start is not known, the end of the phase above is used", what)
			starts[i] = before
		}
		before = time.Time{}
		if d, err := parseMarked(ph.End); err == nil {
			before = d.at
			if d.noHour {
				before = d.at.AddDate(0, 0, 1)
			}
		}
	}
	for i, ph := range r.entry.Phases {
		path, what := fmt.Sprintf("phases[%d]", i), "the "+ph.Kind+" phase's"
		end := time.Time{}
		if ph.End != "" {
			end = r.end(path+".end", what+" end", ph.End)
		} else if end = r.endOfPhase(i, starts); end.IsZero() {
			r.doubt("%s end is not known, so it is left out", what)
			continue
		} else {
			r.doubt("%s end is not known, %s is used", what, end.Format("01-02 15:04"))
		}
		if !starts[i].Before(end) || starts[i].Before(r.out.Start) || end.After(r.out.End) {
			r.report(path, ph.Start+" to "+ph.End, "must lie inside the promotion and last more than nothing")
		}
		r.out.Phases = append(r.out.Phases, Phase{ph.Kind, starts[i], end})
	}
}

// endOfPhase is where a phase without an end is taken to end; zero = nowhere.
func (r *resolver) endOfPhase(i int, starts []time.Time) time.Time {
	var next time.Time
	for j, other := range r.entry.Phases {
		if other.Kind != "balance" && starts[j].After(starts[i]) && (next.IsZero() || starts[j].Before(next)) {
			next = starts[j]
		}
	}
	if next.IsZero() && (r.entry.Phases[i].Kind == "spot" || r.entry.Phases[i].Kind == "balance") {
		return r.out.End
	}
	return next
}

func (r *resolver) openings() {
	for i, text := range r.entry.Openings {
		path := fmt.Sprintf("openings[%d]", i)
		d, ok := r.date(path, "the opening of", text)
		if !ok {
			continue
		}
		if d.noHour || d.at.Before(r.out.Start) || !d.at.Before(r.out.End) {
			r.report(path, text, "must have an hour and lie inside the promotion")
		}
		if n := len(r.out.Openings); n > 0 && !d.at.After(r.out.Openings[n-1]) {
			r.report(path, text, "must be after the opening above it")
		}
		r.out.Openings = append(r.out.Openings, d.at)
	}
}

func (r *resolver) protection() {
	if r.entry.ProtectedUntil == "" {
		return
	}
	r.out.ProtectedUntil = r.end("protected_until", "the end of price protection", r.entry.ProtectedUntil)
	if r.out.ProtectedUntil.Before(r.out.Start) || r.out.ProtectedUntil.Sub(r.out.Start) > 2*longestPromotion {
		r.report("protected_until", r.entry.ProtectedUntil, "must be after the start and at most 120 days later")
	}
}
