package intake

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// column is one canonical field bound to the columns of a file, or to a constant. It keeps the
// style of its dates.
type column struct {
	field  string
	at     []int // cell indexes; empty for a constant
	header string
	text   string // of a constant
	spec   Column
	noData []string
	zone   *time.Location
	epoch  bool // 1904
	style  style
	since  int // row that fixed the style
	row    int
}

// read returns the text of the field in a row; "" is no data.
func (c *column) read(r *record) string {
	text := c.text
	if len(c.at) > 0 {
		text = c.cell(r, c.at[0])
		if len(c.at) == 2 && text != "" {
			if second := c.cell(r, c.at[1]); second != "" {
				text += " " + second
			}
		}
		if mapped, ok := c.spec.Map[text]; ok {
			text = mapped
		}
	}
	if c.empty(text) {
		text = c.spec.Default
	}
	c.row = r.number
	return text
}

func (c *column) cell(r *record, i int) string {
	if i >= len(r.cells) {
		return ""
	}
	s := r.cells[i]
	if len(s) > 0 && (s[0] <= ' ' || s[len(s)-1] <= ' ' || s[0] > 0x7e) {
		s = strings.TrimSpace(strings.Trim(s, "　\u200b\ufeff"))
	}
	return s
}

func (c *column) empty(s string) bool {
	switch s {
	case "", "-", "--", "—", "——":
		return true
	}
	return len(c.noData) > 0 && slices.Contains(c.noData, s)
}

// moment reads a time on the file's clock, in the zone of the file.
func (c *column) moment(s string) (time.Time, string) {
	if c.spec.Format != "" {
		return c.formatted(s)
	}
	var m moment
	var problem string
	// Two columns are a date and a time of day; both may be Excel numbers.
	date, clock, two := strings.Cut(s, " ")
	if len(c.at) == 2 && two {
		if m, problem = parseMoment(date, c.epoch); problem == "" {
			var ok bool
			if m.clock, ok = parseClock(strings.TrimSpace(clock)); !ok {
				problem = clockWant
			}
		}
	} else {
		m, problem = parseMoment(s, c.epoch)
	}
	if problem != "" {
		return time.Time{}, problem
	}
	if c.style == "" {
		c.style, c.since = m.style, c.row
	}
	if m.style != c.style {
		return time.Time{}, fmt.Sprintf("is written like %s, but row %d of this column like %s: mixed styles may have day and month swapped", m.style, c.since, c.style)
	}
	return m.in(c.zone)
}

// formatted reads a time in the layout the mapping gives.
func (c *column) formatted(s string) (time.Time, string) {
	switch c.spec.Format {
	case "unix", "unix_ms":
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return time.Time{}, "is not a whole number of " + c.spec.Format
		}
		if c.spec.Format == "unix_ms" {
			return time.UnixMilli(n).In(c.zone), ""
		}
		return time.Unix(n, 0).In(c.zone), ""
	}
	t, err := time.ParseInLocation(c.spec.Format, s, c.zone)
	if err != nil {
		return time.Time{}, "is not a time of the format " + c.spec.Format
	}
	return t, ""
}

// date reads a civil date and writes it as 2006-01-02.
func (c *column) date(s string) (string, string) {
	t, problem := c.moment(s)
	if problem != "" {
		return "", problem
	}
	return t.Format(time.DateOnly), ""
}

// duration reads a length of time, whatever its sign; limits are the domain's.
func (c *column) duration(s string) (time.Duration, string) {
	negative := strings.HasPrefix(s, "-")
	body := strings.TrimPrefix(s, "-")
	d, problem := parseDuration(body, c.spec.Unit)
	if problem == "" && negative {
		d = -d
	}
	return d, problem
}

const durationWant = "is not a duration like 90, 00:01:30 or 1分30秒"

var perUnit = map[string]time.Duration{
	"": time.Second, "s": time.Second, "min": time.Minute, "ms": time.Millisecond, "h": time.Hour,
	"hms": 24 * time.Hour, "mm:ss": time.Second, "hh:mm": time.Second,
}

func parseDuration(s, unit string) (time.Duration, string) {
	if plainNumber(s) {
		f, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
		// An int64 of nanoseconds ends at 292 years; anything near it is absurd anyway.
		d := f * float64(perUnit[unit])
		if err != nil || math.Abs(d) > math.MaxInt64/4 {
			return 0, "is absurdly long"
		}
		if unit == "hms" {
			return ofDay(f), ""
		}
		return time.Duration(math.Round(d)), ""
	}
	if strings.Contains(s, ":") {
		return parseColons(s, unit)
	}
	return parseWords(s)
}

func parseColons(s, unit string) (time.Duration, string) {
	parts := strings.Split(s, ":")
	if len(parts) == 2 {
		switch unit {
		case "mm:ss":
			parts = append([]string{"0"}, parts...)
		case "hh:mm":
			parts = append(parts, "0")
		default:
			return 0, "may be minutes and seconds or hours and minutes: write HH:MM:SS, or set unit: mm:ss or hh:mm"
		}
	}
	if len(parts) != 3 {
		return 0, durationWant
	}
	whole := len(parts[0]) >= 1 && len(parts[0]) <= 6 && digits(parts[0]) == len(parts[0]) && digits(parts[1]) == len(parts[1])
	seconds, err := strconv.ParseFloat(parts[2], 64)
	if !whole || err != nil || !plainNumber(parts[2]) || seconds >= 60 || len(parts[1]) < 1 || len(parts[1]) > 3 {
		return 0, durationWant
	}
	minutes := number(parts[1])
	if minutes > 59 && unit != "mm:ss" {
		return 0, durationWant
	}
	return time.Duration(number(parts[0]))*time.Hour + time.Duration(minutes)*time.Minute +
		time.Duration(math.Round(seconds*1e3))*time.Millisecond, ""
}

// words from long to short, so that 分钟 is not read as 分.
var durationWords = []struct {
	word string
	unit time.Duration
}{
	{"小时", time.Hour},
	{"分钟", time.Minute},
	{"毫秒", time.Millisecond},
	{"天", 24 * time.Hour},
	{"时", time.Hour},
	{"分", time.Minute},
	{"秒", time.Second},
	{"min", time.Minute},
	{"sec", time.Second},
	{"ms", time.Millisecond},
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
}

// parseWords reads 7小时41分52秒, 1m30s or 2.5 min: units in descending order, each once.
func parseWords(s string) (time.Duration, string) {
	var total time.Duration
	last := time.Duration(math.MaxInt64)
	for rest := strings.TrimSpace(s); rest != ""; rest = strings.TrimSpace(rest) {
		n := 0
		for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == '.') {
			n++
		}
		f, err := strconv.ParseFloat(rest[:n], 64)
		if err != nil || n > 12 {
			return 0, durationWant
		}
		rest = strings.TrimSpace(rest[n:])
		i := slices.IndexFunc(durationWords, func(w struct {
			word string
			unit time.Duration
		},
		) bool {
			return strings.HasPrefix(rest, w.word)
		})
		if i < 0 || durationWords[i].unit >= last {
			return 0, durationWant
		}
		last = durationWords[i].unit
		part := f * float64(last)
		if part > math.MaxInt64/4 {
			return 0, "is absurdly long"
		}
		total += time.Duration(math.Round(part))
		rest = rest[len(durationWords[i].word):]
	}
	if last == math.MaxInt64 {
		return 0, durationWant
	}
	return total, ""
}

// plainNumber reports decimal digits with at most one point, grouping commas and an exponent,
// which excludes the names, hexadecimal and underscores that strconv also reads. A comma must
// group three digits: "1,5" is a decimal comma somewhere and 15 nowhere.
func plainNumber(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		switch b := s[i]; {
		case b >= '0' && b <= '9', b == '.':
		case b == ',' && i > 0 && digits(s[i+1:]) == 3 && !strings.Contains(s[:i], "."):
		case (b == 'E' || b == 'e') && i > 0 && i < len(s)-1:
		case (b == '-' || b == '+') && i > 0 && (s[i-1] == 'E' || s[i-1] == 'e'):
		default:
			return false
		}
	}
	return true
}

// decimal reads a number with grouping commas.
func decimal(s string) (float64, string) {
	if !plainNumber(strings.TrimPrefix(s, "-")) {
		return 0, "is not a number"
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
	if err != nil {
		return 0, "is not a number"
	}
	return f, ""
}

// whole reads a whole number; 3.0 is one, because spreadsheets write it so.
func whole(s string) (int, string) {
	f, problem := decimal(s)
	if problem != "" || f != math.Trunc(f) || math.Abs(f) > 1e9 {
		return 0, "is not a whole number"
	}
	return int(f), ""
}

// truth reads yes and no in the ways exports write them.
func truth(s string) (bool, string) {
	switch strings.ToLower(s) {
	case "y", "yes", "true", "t", "1", "是", "已解决", "已接通", "已接", "接通", "已放弃":
		return true, ""
	case "n", "no", "false", "f", "0", "否", "未解决", "未接通", "未接", "未放弃":
		return false, ""
	}
	return false, "is not yes or no; set map for other words"
}
