package platformfile

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
)

// noData reports a cell that says nothing. It is never a zero.
func noData(s string) bool {
	switch s {
	case "", "-", "--", "---", "—", "——", "–", "/", "\\", "N/A", "n/a", "NA", "null", "NULL", "暂无", "暂无数据", "无", "无数据", "NaN", "#DIV/0!", "#N/A":
		return true
	}
	return false
}

var fullWidth = strings.NewReplacer("％", "%", "，", ",", "．", ".", "－", "-", "：", ":", "０", "0", "１", "1", "２", "2", "３", "3", "４", "4", "５", "5",
	"６", "6", "７", "7", "８", "8", "９", "9")

// suffixes are the units behind numbers, with what they multiply, longest first.
var suffixes = []struct {
	text   string
	factor float64
}{{"万元", 1e4}, {"亿元", 1e8}, {"人次", 1}, {"万", 1e4}, {"亿", 1e8}, {"元", 1}, {"人", 1}, {"次", 1}, {"个", 1}, {"件", 1}, {"条", 1}, {"单", 1}, {"天", 1}, {"字", 1}, {"笔", 1}}

// number reads 1,234.5, ¥1,234.50, 3.2万, 95.3%. percent says that a per cent sign was there; the
// value is then as written, 95.3.
func number(s string) (v float64, percent bool, problem string) {
	const want = "is not a number"
	s = strings.TrimSpace(fullWidth.Replace(s))
	body, negative := strings.CutPrefix(s, "-")
	body = strings.TrimSpace(strings.TrimLeft(body, "¥￥"))
	if rest, ok := strings.CutPrefix(body, "-"); ok && !negative {
		body, negative = rest, true
	}
	factor := 1.0
	if body, percent = strings.CutSuffix(body, "%"); !percent {
		for _, u := range suffixes {
			if rest, ok := strings.CutSuffix(body, u.text); ok {
				body, factor = rest, u.factor
				break
			}
		}
	}
	body = strings.TrimSpace(body)
	if !plain(body) {
		return 0, false, want
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(body, ",", ""), 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) || v > 1e15 {
		return 0, false, want
	}
	if v *= factor; negative {
		v = -v
	}
	return v, percent, ""
}

// plain reports digits with at most one point, grouping commas in front of three digits, and the
// exponent that spreadsheets store. "1,5" is no number: elsewhere it is one and a half.
func plain(s string) bool {
	mantissa, exponent, scientific := strings.Cut(strings.ToUpper(s), "E")
	if scientific {
		exponent = strings.TrimLeft(exponent, "+-")
		if exponent == "" || len(exponent) > 3 || digits(exponent) != len(exponent) {
			return false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if digits(fraction) != len(fraction) || whole == "" && fraction == "" {
		return false
	}
	groups := strings.Split(whole, ",")
	for i, g := range groups {
		if digits(g) != len(g) || i > 0 && len(g) != 3 || i == 0 && len(groups) > 1 && (g == "" || len(g) > 3) {
			return false
		}
	}
	return true
}

func digits(s string) int {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return i
		}
	}
	return len(s)
}

var perUnit = map[string]float64{"s": 1, "min": 60, "h": 3600}

// durationWords in descending order, each at most once in a text.
var durationWords = []struct {
	text    string
	seconds float64
}{{"天", 86400}, {"小时", 3600}, {"时", 3600}, {"分钟", 60}, {"分", 60}, {"秒", 1}}

// duration reads 11秒, 2分30秒, 7小时41分52秒, 00:02:30, or a plain number of the column's unit.
func duration(c Cell, s, unit string) (seconds float64, problem string) {
	const want = "is not a duration like 90, 2分30秒 or 00:02:30"
	if c.Kind == Moment {
		if v, err := strconv.ParseFloat(s, 64); err == nil && v >= 0 && v < 1000 {
			return math.Round(v*86400*1000) / 1000, "" // Excel keeps times as fractions of a day
		}
	}
	s = strings.TrimSpace(fullWidth.Replace(s))
	if parts := strings.Split(s, ":"); len(parts) > 1 {
		if len(parts) != 3 {
			return 0, "may be minutes and seconds or hours and minutes"
		}
		total := 0.0
		for i, p := range parts {
			v, err := strconv.ParseFloat(p, 64)
			if err != nil || !plain(p) || i > 0 && v >= 60 {
				return 0, want
			}
			total = total*60 + v
		}
		return total, ""
	}
	if v, percent, problem := number(s); problem == "" && !percent && v >= 0 && plain(s) {
		return v * perUnit[unit], ""
	}
	total, last := 0.0, math.Inf(1)
	for rest := s; rest != ""; {
		n := 0
		for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == '.') {
			n++
		}
		v, err := strconv.ParseFloat(rest[:n], 64)
		if err != nil || v > 1e9 {
			return 0, want
		}
		rest = strings.TrimLeft(rest[n:], " ")
		found := false
		for _, w := range durationWords {
			if after, ok := strings.CutPrefix(rest, w.text); ok && w.seconds < last {
				total, last, rest, found = total+v*w.seconds, w.seconds, strings.TrimLeft(after, " "), true
				break
			}
		}
		if !found {
			return 0, want
		}
	}
	if math.IsInf(last, 1) {
		return 0, want
	}
	return total, ""
}

// day reads a business date: 2026-04-17, 2026/4/17, 2026.4.17, 20260417, 2026年4月17日, each with or
// without a midnight behind it, a range of one day, or a serial number.
func day(c Cell, base1904 bool) (calendar.Date, bool) {
	s := strings.TrimSpace(fullWidth.Replace(clean(c.Text)))
	if d, rest, ok := leadingDate(s); ok {
		rest = strings.TrimSpace(rest)
		if rest == "" || strings.Trim(rest, "0:.TZ ") == "" {
			return d, true
		}
		second, after, ok := leadingDate(strings.TrimLeft(rest, "~-至到 "))
		return d, ok && second == d && strings.TrimSpace(after) == ""
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v < 36526 || v >= 73051 || v != math.Trunc(v) { // 2000-01-01 to 2100
		return calendar.Date{}, false
	}
	epoch := calendar.MakeDate(1899, time.December, 30)
	if base1904 {
		epoch = calendar.MakeDate(1904, time.January, 1)
	}
	return epoch.Add(int(v)), true
}

// leadingDate reads a date at the start of a text.
func leadingDate(s string) (d calendar.Date, rest string, ok bool) {
	var y, m, dd string
	if digits(s) == 8 {
		y, m, dd, rest = s[:4], s[4:6], s[6:8], s[8:]
	} else {
		if digits(s) != 4 {
			return d, s, false
		}
		y, rest = s[:4], s[4:]
		first, second := "", ""
		for _, marks := range [][2]string{{"-", "-"}, {"/", "/"}, {".", "."}, {"年", "月"}} {
			if strings.HasPrefix(rest, marks[0]) {
				first, second = marks[0], marks[1]
			}
		}
		if first == "" {
			return d, s, false
		}
		rest = rest[len(first):]
		n := digits(rest)
		if n < 1 || n > 2 || !strings.HasPrefix(rest[n:], second) {
			return d, s, false
		}
		m, rest = rest[:n], rest[n+len(second):]
		if n = digits(rest); n < 1 || n > 2 {
			return d, s, false
		}
		dd, rest = rest[:n], strings.TrimPrefix(rest[n:], "日")
	}
	yy, _ := strconv.Atoi(y) // digits only
	mm, _ := strconv.Atoi(m)
	day, _ := strconv.Atoi(dd)
	d = calendar.MakeDate(yy, time.Month(mm), day)
	return d, rest, d.Year == yy && int(d.Month) == mm && d.Day == day && yy >= 2000 && yy < 2100
}

// DateInName finds the one date that a file name or folder names: 飞鸽_客服表现_20260417.xlsx,
// 2026-04-17/飞鸽_客服表现.xlsx. Several different dates are none: a figure of a period is no daily
// figure. The last part of the path that names a date counts.
func DateInName(path string) calendar.Date {
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' })
	for i := len(parts) - 1; i >= 0; i-- {
		var found calendar.Date
		several := false
		for s := parts[i]; s != ""; {
			at := strings.IndexFunc(s, func(r rune) bool { return r >= '0' && r <= '9' })
			if at < 0 {
				break
			}
			s = s[at:]
			if d, rest, ok := leadingDate(s); ok {
				several = several || !found.IsZero() && found != d
				found, s = d, rest
				continue
			}
			s = s[digits(s):]
		}
		if several {
			return calendar.Date{}
		}
		if !found.IsZero() {
			return found
		}
	}
	return calendar.Date{}
}
