package intake

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// style is how a date is written. A column keeps one style: a column that mixes them was
// edited by a spreadsheet that understood some cells and not others, and those it understood
// may have day and month swapped.
type style string

const (
	dashed  style = "2026-04-17"
	slashed style = "2026/4/17"
	dotted  style = "2026.4.17"
	chinese style = "2026年4月17日"
	compact style = "20260417"
	serial  style = "Excel serial number"
	zoned   style = "2026-04-17T09:00:00+08:00"
)

// moment is a date and a time of day as written.
type moment struct {
	style   style
	y, m, d int
	clock   time.Duration
	offset  *time.Location // set when the text carries one
}

const (
	clockWant = "is not a time of day like 09:30:00"
	dateWant  = "is not a date like 2026-04-17; for another order of day and month set format"
)

// parseMoment reads a date, or a date and a time of day. base1904 is the serial epoch.
func parseMoment(s string, base1904 bool) (moment, string) {
	var m moment
	n := digits(s)
	switch {
	case n == 8 && (len(s) == 8 || s[8] == ' ' || s[8] == 'T'):
		m.style = compact
		m.y, m.m, m.d = number(s[:4]), number(s[4:6]), number(s[6:8])
		s = s[8:]
	case n == 5 && (len(s) == 5 || s[5] == '.'):
		return parseSerial(s, base1904)
	case n == 4 && len(s) > 4:
		rest, ok := m.separated(s)
		if !ok {
			return m, dateWant
		}
		s = rest
	default:
		return m, dateWant
	}
	if m.m < 1 || m.m > 12 || m.d < 1 || m.d > daysIn(m.y, m.m) {
		return m, "is not a day of the calendar"
	}
	s = strings.TrimLeft(strings.TrimPrefix(s, "T"), " ")
	if s == "" {
		return m, ""
	}
	return m.timeOfDay(s)
}

// separated reads year, month and day with separators and returns the rest.
func (m *moment) separated(s string) (string, bool) {
	m.y = number(s[:4])
	first, second := "-", "-"
	switch {
	case s[4] == '-':
		m.style = dashed
	case s[4] == '/':
		m.style, first, second = slashed, "/", "/"
	case s[4] == '.':
		m.style, first, second = dotted, ".", "."
	case strings.HasPrefix(s[4:], "年"):
		m.style, first, second = chinese, "年", "月"
	default:
		return "", false
	}
	s = s[4+len(first):]
	n := digits(s)
	if n < 1 || n > 2 || !strings.HasPrefix(s[n:], second) {
		return "", false
	}
	m.m, s = number(s[:n]), s[n+len(second):]
	if n = digits(s); n < 1 || n > 2 {
		return "", false
	}
	m.d, s = number(s[:n]), s[n:]
	if m.style == chinese {
		s = strings.TrimPrefix(s, "日")
	}
	return s, s == "" || s[0] == ' ' || s[0] == 'T' || m.style == chinese
}

// timeOfDay reads the clock and an offset behind the date.
func (m moment) timeOfDay(s string) (moment, string) {
	at := strings.IndexAny(s, "Zz+-")
	if at > 0 {
		offset, ok := parseOffset(s[at:])
		if !ok {
			return m, "has a time zone offset that is not like +08:00"
		}
		m.offset, m.style, s = offset, zoned, strings.TrimRight(s[:at], " ")
	}
	clock, ok := parseClock(s)
	if !ok {
		return m, clockWant
	}
	m.clock = clock
	return m, ""
}

func parseOffset(s string) (*time.Location, bool) {
	if s == "Z" || s == "z" {
		return time.UTC, true
	}
	hm := strings.Replace(s[1:], ":", "", 1)
	if len(hm) != 4 || digits(hm) != 4 || number(hm[:2]) > 14 || number(hm[2:]) > 59 {
		return nil, false
	}
	seconds := number(hm[:2])*3600 + number(hm[2:])*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return time.FixedZone("", seconds), true
}

var clockMarks = strings.NewReplacer("时", ":", "点", ":", "分", ":", "秒", "", "：", ":")

// parseClock reads 9:30, 09:30:00, 09:30:00.250, 9时30分, or an Excel fraction of a day.
func parseClock(s string) (time.Duration, bool) {
	if len(s) > 1 && s[0] == '0' && s[1] == '.' || s == "0" {
		f, err := strconv.ParseFloat(s, 64)
		return ofDay(f), err == nil
	}
	if strings.IndexByte(s, ':') < 0 || s[len(s)-1] > 0x7f {
		s = strings.TrimSuffix(clockMarks.Replace(s), ":")
	}
	var parts [3]int
	rest := s
	for i := range parts {
		n := digits(rest)
		if n < 1 || n > 2 {
			return 0, false
		}
		parts[i], rest = number(rest[:n]), rest[n:]
		if rest == "" && i > 0 {
			break
		}
		if i < 2 {
			if len(rest) == 0 || rest[0] != ':' {
				return 0, false
			}
			rest = rest[1:]
		}
	}
	if parts[0] > 23 || parts[1] > 59 || parts[2] > 59 {
		return 0, false
	}
	d := time.Duration(parts[0])*time.Hour + time.Duration(parts[1])*time.Minute + time.Duration(parts[2])*time.Second
	if rest == "" {
		return d, true
	}
	n := digits(rest[1:])
	if rest[0] != '.' || n == 0 || n > 9 || n != len(rest)-1 {
		return 0, false
	}
	fraction, err := strconv.ParseFloat("0"+rest, 64)
	return d + time.Duration(math.Round(fraction*1e6))*time.Microsecond, err == nil
}

// parseSerial reads an Excel serial date: days since 1899-12-30 (which makes the numbers after
// Excel's invented 1900-02-29 right), or since 1904-01-01. The limits are 1954 and 2119.
func parseSerial(s string, base1904 bool) (moment, string) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 20000 || f >= 80000 {
		return moment{}, dateWant
	}
	day := math.Floor(f)
	clock := ofDay(f - day)
	base := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if base1904 {
		base = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	// Rounding to milliseconds can carry into the next day.
	t := base.AddDate(0, 0, int(day)).Add(clock)
	y, m, d := t.Date()
	return moment{style: serial, y: y, m: int(m), d: d, clock: t.Sub(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))}, ""
}

// ofDay turns a fraction of a day into a duration. Excel keeps about 15 digits, which at
// today's serial numbers is 1 µs; milliseconds remove the noise.
func ofDay(f float64) time.Duration {
	return time.Duration(math.Round(f*86_400_000)) * time.Millisecond
}

// in makes the instant on the local clock of a zone; a time that the zone's clock skips is
// refused.
func (m moment) in(zone *time.Location) (time.Time, string) {
	if m.offset != nil {
		zone = m.offset
	}
	c := m.clock
	t := time.Date(m.y, time.Month(m.m), m.d, int(c/time.Hour), int(c/time.Minute)%60, int(c/time.Second)%60, int(c%time.Second), zone)
	if t.Hour() != int(c/time.Hour) || t.Minute() != int(c/time.Minute)%60 {
		return t, fmt.Sprintf("does not exist on the clock of %s: it was moved forward", zone)
	}
	return t, ""
}

// digits counts the leading decimal digits.
func digits(s string) int {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return i
		}
	}
	return len(s)
}

// number reads a few decimal digits.
func number(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func daysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
