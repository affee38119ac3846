package calendar

import (
	"encoding/json"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Slot is the finest planning grain: 15 minutes. Coarser slots are multiples of it.
const Slot = 15 * time.Minute

// SlotName is the length of a slot without empty minutes and seconds: 24h, 1h30m, 30m.
func SlotName(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Length is a length of time that is text outside of Go: "30m", "24h", never a bare number.
type Length time.Duration

// MarshalText writes it as SlotName does.
func (l Length) MarshalText() ([]byte, error) { return []byte(SlotName(time.Duration(l))), nil }

// UnmarshalText reads what ParseLength reads.
func (l *Length) UnmarshalText(text []byte) error {
	d, err := ParseLength(string(text))
	*l = Length(d)
	return err
}

// UnmarshalJSON reads text, or the whole nanoseconds of documents that were stored before.
func (l *Length) UnmarshalJSON(raw []byte) error {
	var text string
	if len(raw) == 0 || raw[0] != '"' {
		return json.Unmarshal(raw, (*int64)(l))
	}
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	return l.UnmarshalText([]byte(text))
}

// ParseLength reads a length of time: 90m, 120h, 1.5h, 5d, 12w, 1w3d. A day has 24 hours. Errors:
// calendar.length.
func ParseLength(text string) (time.Duration, error) {
	bad := fault.New(fault.Invalid, "calendar.length", "must look like 30m, 120h, 5d or 12w")
	var total float64
	rest := text
	for rest != "" {
		at := strings.IndexFunc(rest, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if at <= 0 {
			return 0, bad
		}
		unit := rest[at:]
		if end := strings.IndexFunc(unit, func(r rune) bool { return r == '.' || r >= '0' && r <= '9' }); end > 0 {
			unit = unit[:end]
		}
		n, err := strconv.ParseFloat(rest[:at], 64)
		size, ok := units[unit]
		if err != nil || !ok {
			return 0, bad
		}
		total += n * float64(size)
		rest = rest[at+len(unit):]
	}
	if text == "" || total > float64(math.MaxInt64)/2 {
		return 0, bad
	}
	return time.Duration(total), nil
}

// units are those that ParseLength knows.
var units = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// Range is a half-open span of instants [Start, End).
type Range struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Day is the range of one civil date in a zone: 23, 24 or 25 hours where clocks change.
func Day(d Date, loc *time.Location) Range { return Range{d.In(loc), d.Add(1).In(loc)} }

// Duration of the range; negative when it is not Valid.
func (r Range) Duration() time.Duration { return r.End.Sub(r.Start) }

// Valid reports Start < End.
func (r Range) Valid() bool { return r.Start.Before(r.End) }

// Contains reports Start <= t < End.
func (r Range) Contains(t time.Time) bool { return !t.Before(r.Start) && t.Before(r.End) }

// Overlaps reports a common instant of two valid ranges.
func (r Range) Overlaps(o Range) bool { return r.Start.Before(o.End) && o.Start.Before(r.End) }

// Overlap returns how long the two ranges share, at least 0.
func (r Range) Overlap(o Range) time.Duration {
	return max(0, Earlier(r.End, o.End).Sub(Later(r.Start, o.Start)))
}

// Earlier is the first of two instants.
func Earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Later is the last of two instants.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Slots yields the consecutive slots of the given length that start inside the range.
// The caller aligns Start; the last slot may reach past End. A length of 0 or less yields none.
func (r Range) Slots(length time.Duration) iter.Seq[Range] {
	return func(yield func(Range) bool) {
		if length <= 0 {
			return
		}
		for t := r.Start; t.Before(r.End); t = t.Add(length) {
			if !yield(Range{t, t.Add(length)}) {
				return
			}
		}
	}
}

// Dates yields the civil dates that the range touches in a zone; none when it is not Valid.
func (r Range) Dates(loc *time.Location) iter.Seq[Date] {
	return func(yield func(Date) bool) {
		if !r.Valid() {
			return
		}
		for d := DateOf(r.Start, loc); d.In(loc).Before(r.End); d = d.Add(1) {
			if !yield(d) {
				return
			}
		}
	}
}

// Dates is an effective-dating period of civil dates [From, Until); a zero Until is open-ended.
type Dates struct {
	From  Date `json:"from" yaml:"from"`
	Until Date `json:"until,omitzero" yaml:"until,omitempty"`
}

// Contains reports From <= d < Until.
func (p Dates) Contains(d Date) bool {
	return !d.Before(p.From) && (p.Until.IsZero() || d.Before(p.Until))
}

// Overlaps reports a common date.
func (p Dates) Overlaps(o Dates) bool {
	return (o.Until.IsZero() || p.From.Before(o.Until)) && (p.Until.IsZero() || o.From.Before(p.Until))
}

// FloorSlot rounds an instant down to a multiple of length since the zone's midnight.
// length must be whole seconds and divide 24 h. Where clocks change between that wall-clock time
// and t, the result is the instant at which the clocks showed it.
func FloorSlot(t time.Time, length time.Duration, loc *time.Location) time.Time {
	l := t.In(loc)
	_, offset := l.Zone()
	wall := l.Unix() + int64(offset)
	step := int64(length / time.Second)
	floor := wall - ((wall%step)+step)%step
	at := time.Unix(floor-int64(offset), 0).In(loc)
	if _, then := at.Zone(); then != offset {
		w := time.Unix(floor, 0).UTC()
		at = time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), 0, loc)
	}
	return at
}
