package cli

import (
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// timeStyle is one way of writing instants in a file. A file keeps one style; the first row
// decides, and the output is written in the same one.
type timeStyle struct {
	layout string
	zoned  bool // the text carries its offset
	clock  bool // the text carries a time of day
	loc    *time.Location
}

var timeStyles = []timeStyle{
	{layout: "2006-01-02 15:04:05", clock: true},
	{layout: "2006-01-02T15:04:05", clock: true},
	{layout: time.RFC3339, clock: true, zoned: true},
	{layout: "2006-01-02 15:04:05Z07:00", clock: true, zoned: true},
	{layout: "2006-01-02 15:04", clock: true},
	{layout: "2006-01-02T15:04", clock: true},
	{layout: "2006-01-02T15:04Z07:00", clock: true, zoned: true},
	{layout: "2006-01-02"},
	{layout: "2006/1/2 15:04:05", clock: true},
	{layout: "2006/1/2 15:04", clock: true},
	{layout: "2006/1/2"},
	{layout: "20060102 15:04:05", clock: true},
	{layout: "20060102"},
	{layout: "2006年1月2日 15:04:05", clock: true},
	{layout: "2006年1月2日 15:04", clock: true},
	{layout: "2006年1月2日"},
}

const timeExamples = "write times like 2026-11-11 20:00:00, 2026-11-11T20:00:00+08:00, 2026/11/11 20:00 or 2026-11-11"

// styleOf finds the style of a text. A text without a zone is on the local clock of its file,
// which is kept as UTC: no clock change can happen to it.
func styleOf(text string) (timeStyle, time.Time, bool) {
	for _, s := range timeStyles {
		t, err := time.Parse(s.layout, text)
		if err != nil {
			continue
		}
		s.loc = time.UTC
		if s.zoned && !strings.HasSuffix(text, "Z") {
			_, offset := t.Zone()
			s.loc = time.FixedZone(t.Format("-07:00"), offset)
		}
		return s, t.In(s.loc), true
	}
	return timeStyle{}, time.Time{}, false
}

// parse reads one more text of the style.
func (s timeStyle) parse(text string) (time.Time, error) {
	if s.zoned {
		return time.Parse(s.layout, text)
	}
	return time.ParseInLocation(s.layout, text, s.loc)
}

// format writes an instant in the style.
func (s timeStyle) format(t time.Time) string { return t.In(s.loc).Format(s.layout) }

// instant reads a time from a flag or an events file in any style: without a zone it is on the
// local clock of the data; with a zone the data must have zones too.
func (s timeStyle) instant(where, text string) (time.Time, error) {
	bad := func(problem string) (time.Time, error) {
		return time.Time{}, fault.Bad("forecast.time", "time", []fault.Field{{Path: where, Value: text, Problem: problem}})
	}
	style, t, ok := styleOf(strings.TrimSpace(text))
	switch {
	case !ok:
		return bad(timeExamples)
	case style.zoned && !s.zoned:
		return bad("has a zone, but the times of the data have none: leave it out")
	case style.zoned:
		return t.In(s.loc), nil
	}
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), s.loc), nil
}
