package calendar

import (
	"maps"
	"time"
)

// DayKind separates the days that Chinese labour law pays differently (劳动法 §44).
type DayKind uint8

// The kinds of day. Only Statutory is paid 300 %; Bridge and RestDay are paid 200 % or
// compensated by rest; Makeup is a Saturday or Sunday that is an ordinary workday.
const (
	Workday   DayKind = iota
	RestDay           // ordinary weekend
	Statutory         // 法定节假日
	Bridge            // 调休放假: a day off that belongs to a holiday but is not statutory
	Makeup            // 调休上班
)

var dayKindNames = [...]string{"workday", "rest_day", "statutory", "bridge", "makeup"}

// String is the stable name used in files.
func (k DayKind) String() string { return dayKindNames[k] }

// Working reports whether an office works on such a day.
func (k DayKind) Working() bool { return k == Workday || k == Makeup }

// Holiday is one special date.
type Holiday struct {
	Date Date
	Kind DayKind // Statutory, Bridge or Makeup
	Name string  // 春节
}

// Holidays answers what kind of day a date is. The zero value knows weekends only.
type Holidays struct {
	days   map[Date]Holiday
	first  int // first and last year covered
	last   int
	source string
}

// NewHolidays builds the table. Later entries win over earlier ones for the same date.
func NewHolidays(source string, days []Holiday) Holidays {
	h := Holidays{days: make(map[Date]Holiday, len(days)), source: source}
	for _, d := range days {
		h.days[d.Date] = d
		if h.first == 0 || d.Date.Year < h.first {
			h.first = d.Date.Year
		}
		h.last = max(h.last, d.Date.Year)
	}
	return h
}

// Kind of a date.
func (h Holidays) Kind(d Date) DayKind {
	if s, ok := h.days[d]; ok {
		return s.Kind
	}
	if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
		return RestDay
	}
	return Workday
}

// Name of the holiday a date belongs to, or "".
func (h Holidays) Name(d Date) string { return h.days[d].Name }

// Source says where the table was published.
func (h Holidays) Source() string { return h.source }

// Covers reports whether the year's table is published; outside it only weekends are known, and the statutory
// days when the table was extended by Known.
func (h Holidays) Covers(year int) bool { return h.first != 0 && year >= h.first && year <= h.last }

// Known returns the table with the statutory days of the next fifty years after the last that was published
// (see StatutoryDays). Covers stays as it was: their bridge and make-up days are not known.
func (h Holidays) Known() Holidays {
	if h.first == 0 {
		return h
	}
	h.days = maps.Clone(h.days)
	for year := h.last + 1; year <= h.last+50; year++ {
		days, _ := StatutoryDays(year)
		for _, d := range days {
			h.days[d.Date] = d
		}
	}
	return h
}

// Unannounced are the years of a range whose bridge and make-up days the table does not know, in order; none
// for a table without any year, which claims nothing.
func (h Holidays) Unannounced(r Range, loc *time.Location) (years []int) {
	if h.first == 0 {
		return nil
	}
	last := DateOf(r.End.Add(-1), loc).Year
	for year := DateOf(r.Start, loc).Year; year <= last; year++ {
		if !h.Covers(year) {
			years = append(years, year)
		}
	}
	return years
}
