// Package calendar owns civil dates, half-open ranges of instants, slots and the kinds of day.
//
// Instants are time.Time in UTC at rest. A Date has no time zone; it becomes an instant only
// together with a *time.Location (the business time zone, default Asia/Shanghai). A business
// day is the civil day in that zone, 00:00 to 24:00.
package calendar

import (
	"fmt"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Date is a civil date, comparable and usable as a map key. The zero Date is "no date".
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the civil date of an instant in a zone.
func DateOf(t time.Time, loc *time.Location) Date {
	y, m, d := t.In(loc).Date()
	return Date{y, m, d}
}

// MakeDate normalises like time.Date does.
func MakeDate(year int, month time.Month, day int) Date {
	return DateOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC), time.UTC)
}

// ParseDate reads "2026-11-11".
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fault.New(fault.Invalid, "calendar.date", "%q is not a date like 2026-11-11", fault.Shorten(s))
	}
	return DateOf(t, time.UTC), nil
}

// String renders "2026-11-11"; the zero Date renders "".
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// IsZero reports "no date".
func (d Date) IsZero() bool { return d == Date{} }

// In returns the first instant of the date in a zone: midnight, or the instant at which the
// clocks jump over midnight.
func (d Date) In(loc *time.Location) time.Time {
	t := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, loc)
	if t.Hour() == 23 { // midnight does not exist and time.Date fell back into the day before
		_, t = t.ZoneBounds()
	}
	return t
}

// Add returns the date n days later.
func (d Date) Add(n int) Date { return MakeDate(d.Year, d.Month, d.Day+n) }

// Sub returns the number of days from o to d.
func (d Date) Sub(o Date) int { return int(d.In(time.UTC).Sub(o.In(time.UTC)) / (24 * time.Hour)) }

// Before reports d < o.
func (d Date) Before(o Date) bool { return d.Sub(o) < 0 }

// After reports d > o.
func (d Date) After(o Date) bool { return o.Before(d) }

// Weekday of the date.
func (d Date) Weekday() time.Weekday { return d.In(time.UTC).Weekday() }

// MonthOf returns the month the date lies in.
func (d Date) MonthOf() Month { return Month{d.Year, d.Month} }

// MarshalText writes "2026-11-11" for JSON and YAML.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads "2026-11-11"; empty text is the zero Date.
func (d *Date) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	*d, err = ParseDate(string(b))
	return err
}

// Month is a civil month.
type Month struct {
	Year  int
	Month time.Month
}

// ParseMonth reads "2026-11".
func ParseMonth(s string) (Month, error) {
	t, err := time.Parse("2006-01", s)
	if err != nil {
		return Month{}, fault.New(fault.Invalid, "calendar.month", "%q is not a month like 2026-11", fault.Shorten(s))
	}
	return Month{t.Year(), t.Month()}, nil
}

// String renders "2026-11".
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m.Year, int(m.Month)) }

// First is the first date of the month.
func (m Month) First() Date { return Date{m.Year, m.Month, 1} }

// Next is the following month.
func (m Month) Next() Month { return m.First().Add(31).MonthOf() }

// Days is the number of days in the month.
func (m Month) Days() int { return m.Next().First().Sub(m.First()) }

// Range of the month in a zone.
func (m Month) Range(loc *time.Location) Range {
	return Range{m.First().In(loc), m.Next().First().In(loc)}
}

// MarshalText writes "2026-11".
func (m Month) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads "2026-11".
func (m *Month) UnmarshalText(b []byte) (err error) { *m, err = ParseMonth(string(b)); return err }
