// Package reconcile owns the comparison of what platforms say about a day with what we counted from
// raw events: which column stands beside which metric, the difference, and whether it means
// anything.
//
// It does not own the figures of either side (chatlog.DailyFigure, kpi.Reading), how files are read
// (kpi/chatlog/platformfile), or storing and telling (operations). Dates are business dates.
package reconcile

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Verdict is what a line says.
type Verdict string

// The verdicts. Only Equal and Different compare two figures of one kind.
const (
	Equal        Verdict = "equal"         // within the rounding of the platform's format
	Different    Verdict = "different"     //
	OnlyPlatform Verdict = "only_platform" // we counted nothing
	OnlyOurs     Verdict = "only_ours"     // the platform's file was not imported or has no value
	OtherBase    Verdict = "other_base"    // the two do not count the same thing: shown, not compared
	Unpaired     Verdict = "unpaired"      // we have no metric for it
)

// Own is one of our readings with the day and shop it is about.
type Own struct {
	Date    calendar.Date
	Reading kpi.Reading // Merchant and Shop are set
}

// Line is one item of one shop and day.
type Line struct {
	Date          calendar.Date `json:"date"`
	Merchant      ids.Merchant  `json:"merchant"`
	Shop          ids.Shop      `json:"shop"`
	Platform      string        `json:"platform"`
	Item          string        `json:"item"`
	Header        string        `json:"header,omitempty"` // as in the platform's file
	Unit          string        `json:"unit"`
	Base          string        `json:"base,omitempty"` // the platform's counting base
	PlatformValue *float64      `json:"platform_value"`
	Closed        bool          `json:"closed"` // neither side can still change
	Metric        kpi.Metric    `json:"metric,omitempty"`
	Version       string        `json:"version,omitempty"`
	OurBase       string        `json:"our_base,omitempty"`
	OurValue      *float64      `json:"our_value"`
	Numerator     float64       `json:"numerator"`
	Denominator   float64       `json:"denominator"`
	Difference    *float64      `json:"difference"` // ours minus the platform's
	Relative      *float64      `json:"relative"`   // of the platform's value; 1 when that is 0 and ours is not
	Verdict       Verdict       `json:"verdict"`
	Reason        string        `json:"reason"` // one sentence, Chinese then English
}

// place is where a line belongs.
type place struct {
	date     calendar.Date
	merchant ids.Merchant
	shop     ids.Shop
	platform string
	item     string
}

// Compare lines up the figures of platforms with our own readings, by date, merchant, shop and in
// the order of the pairs; items without a pair come after them by name. figures of sub-accounts are
// left out: they are not the shop's. A reading of ours without a figure of the platform is a line
// too. platformOf says which platform's files a shop gets.
func Compare(pairs []Pair, figures []chatlog.DailyFigure, own []Own, definitions kpi.Definitions, platformOf map[ids.Shop]string) ([]Line, error) {
	lines := map[place]Line{}
	byItem := map[[2]string]Pair{}
	for _, p := range pairs {
		byItem[[2]string{p.Platform, p.Item}] = p
	}
	for _, f := range figures {
		if f.Account != "" {
			continue
		}
		date, err := calendar.ParseDate(f.Date)
		if err != nil {
			return nil, err
		}
		value := f.Value
		lines[place{date, f.Merchant, f.Shop, f.Platform, f.Item}] = Line{
			Date: date, Merchant: f.Merchant, Shop: f.Shop, Platform: f.Platform, Item: f.Item, Header: f.Header, Unit: f.Unit, Base: f.Base,
			PlatformValue: &value, Closed: f.Closed, Metric: byItem[[2]string{f.Platform, f.Item}].Metric,
		}
	}
	for _, o := range own {
		platform := FilesOf(platformOf[o.Reading.Shop])
		for _, p := range pairs {
			if p.Platform != platform || p.Metric != o.Reading.Metric {
				continue
			}
			at := place{o.Date, o.Reading.Merchant, o.Reading.Shop, platform, p.Item}
			line, had := lines[at]
			if !had && o.Reading.Value == nil {
				continue // nobody has anything
			}
			d, err := definitions.Version(o.Reading.Metric, o.Reading.Version)
			if err != nil {
				return nil, err
			}
			if !had {
				line = Line{Date: o.Date, Merchant: at.merchant, Shop: at.shop, Platform: platform, Item: p.Item, Unit: string(d.Unit), Closed: true}
			}
			lines[at] = line.with(o.Reading, d)
		}
	}
	out := make([]Line, 0, len(lines))
	for _, l := range lines {
		p, paired := byItem[[2]string{l.Platform, l.Item}]
		out = append(out, l.judged(p, paired))
	}
	sortLines(out, pairs)
	return out, nil
}

func (l Line) with(r kpi.Reading, d kpi.Definition) Line {
	l.Metric, l.Version, l.OurBase, l.Numerator, l.Denominator, l.OurValue = r.Metric, r.Version, d.Base, r.Numerator, r.Denominator, r.Value
	l.Closed = l.Closed && !r.Provisional
	return l
}

// judged settles difference, verdict and reason.
func (l Line) judged(p Pair, paired bool) Line {
	if l.PlatformValue != nil && l.OurValue != nil {
		difference := *l.OurValue - *l.PlatformValue
		relative := 0.0
		switch {
		case *l.PlatformValue != 0:
			relative = difference / math.Abs(*l.PlatformValue)
		case difference != 0:
			relative = math.Copysign(1, difference)
		}
		l.Difference, l.Relative = &difference, &relative
	}
	switch {
	case !paired:
		l.Verdict, l.Reason = Unpaired, "没有对应的本方指标 / none of our metrics counts this"
	case l.OurValue == nil:
		l.Verdict, l.Reason = OnlyPlatform, "本方无数据 / we counted nothing"
	case l.PlatformValue == nil:
		l.Verdict, l.Reason = OnlyOurs, "平台无数据 / the platform says nothing"
	case p.Differs != "":
		l.Verdict, l.Reason = OtherBase, p.Differs
	case l.Base != "" && l.Base != l.OurBase:
		l.Verdict, l.Reason = OtherBase, fmt.Sprintf("平台按 %s，本方按 %s / the platform counts %s, ours counts %s", l.Base, l.OurBase, l.Base, l.OurBase)
	case within(*l.Difference, p.Step, *l.PlatformValue):
		l.Verdict, l.Reason = Equal, "一致（平台格式的舍入以内） / equal within the platform's rounding"
	default:
		l.Verdict, l.Reason = Different, "不一致 / different"
	}
	return l
}

// within reports whether a difference is less than a step, or nothing but the rounding of floats.
func within(difference, step, value float64) bool {
	size := math.Abs(difference)
	noise := 1e-9 * math.Max(1, math.Abs(value))
	return size <= noise || size < step-noise
}

func sortLines(lines []Line, pairs []Pair) {
	rank := func(l Line) int {
		i := slices.IndexFunc(pairs, func(p Pair) bool { return p.Platform == l.Platform && p.Item == l.Item })
		if i < 0 {
			return len(pairs)
		}
		return i
	}
	slices.SortFunc(lines, func(a, b Line) int {
		return cmp.Or(a.Date.Sub(b.Date), cmp.Compare(a.Merchant, b.Merchant), cmp.Compare(a.Shop, b.Shop), cmp.Compare(a.Platform, b.Platform),
			cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Item, b.Item))
	})
}

// Summary counts the lines of one shop and day.
type Summary struct {
	Date      calendar.Date `json:"date"`
	Merchant  ids.Merchant  `json:"merchant"`
	Shop      ids.Shop      `json:"shop"`
	Platform  string        `json:"platform"`
	Closed    bool          `json:"closed"`    // every compared line is
	Compared  int           `json:"compared"`  // Equal + Different
	Equal     int           `json:"equal"`     //
	Different int           `json:"different"` //
	Beyond    int           `json:"beyond"`    // closed and different by more than the tolerance
	Missing   int           `json:"missing"`   // paired, and only one side has it or the bases differ
	Unseen    int           `json:"unseen"`    // of Missing: closed ones that only the platform has
	Worst     float64       `json:"worst"`     // largest relative difference without its sign
	WorstItem string        `json:"worst_item,omitempty"`
}

// NotImported reports a day of which the platform has figures and we have none at all: nothing of it was
// imported.
func (s Summary) NotImported() bool { return s.Compared == 0 && s.Unseen > 0 && s.Unseen == s.Missing }

// Summarize counts lines by date, shop and platform, in the order of the lines. tolerance is a
// relative difference: 0.01 is one per cent of the platform's figure.
func Summarize(lines []Line, tolerance float64) []Summary {
	var out []Summary
	for _, l := range lines {
		n := len(out) - 1
		if n < 0 || out[n].Date != l.Date || out[n].Shop != l.Shop || out[n].Merchant != l.Merchant || out[n].Platform != l.Platform {
			out = append(out, Summary{Date: l.Date, Merchant: l.Merchant, Shop: l.Shop, Platform: l.Platform, Closed: true})
			n++
		}
		s := &out[n]
		switch l.Verdict {
		case Equal:
			s.Compared, s.Equal = s.Compared+1, s.Equal+1
			s.Closed = s.Closed && l.Closed
		case Different:
			s.Compared, s.Different = s.Compared+1, s.Different+1
			s.Closed = s.Closed && l.Closed
			size := math.Abs(*l.Relative)
			if l.Closed && size > tolerance {
				s.Beyond++
			}
			if size > s.Worst {
				s.Worst, s.WorstItem = size, l.Item
			}
		case OnlyOurs, OnlyPlatform, OtherBase:
			s.Missing++
			if l.Verdict == OnlyPlatform && l.Closed {
				s.Unseen++
			}
		case Unpaired:
		}
	}
	return out
}
