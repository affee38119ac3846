package forecast

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Hours are the weekly open hours on the local clock. The zero value means "not given".
type Hours struct {
	spans [7][]span // by time.Weekday, sorted, not touching
}

// span is [from, to) in minutes of the day.
type span struct{ from, to int }

const dayMinutes = 24 * 60

var weekdayNames = [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

var chineseDays = strings.NewReplacer("周日", "Sun", "周天", "Sun", "周一", "Mon", "周二", "Tue", "周三", "Wed",
	"周四", "Thu", "周五", "Fri", "周六", "Sat", "每天", "Daily", "至", "-", "，", ",", "；", ";", "：", ":")

// ParseHours reads clauses such as "Mon-Fri 07:00-21:00; Sat,Sun 09:00-18:00". Clauses are
// separated by ';' or ','. A clause with days only shares the times of the next one; a clause
// with times only is a further window of the same days. "Daily" is every day, an end of 24:00
// is midnight, and a window whose end is not after its start runs into the next day. Chinese
// day names (周一-周五, 每天) are read too. Errors: "forecast.hours".
func ParseHours(text string) (Hours, error) {
	var h Hours
	var days []time.Weekday // of the running clause
	open := true            // the clause still collects days
	bad := func(clause, problem string) (Hours, error) {
		return Hours{}, fault.Bad("forecast.hours", "open hours", []fault.Field{{Value: clause, Problem: problem}})
	}
	clauses := strings.FieldsFunc(chineseDays.Replace(text), func(r rune) bool { return r == ';' || r == ',' })
	for _, clause := range clauses {
		for _, word := range strings.Fields(clause) {
			if word[0] < '0' || word[0] > '9' {
				if !open {
					days, open = nil, true
				}
				more, ok := parseDays(word)
				if !ok {
					return bad(clause, "days must look like Mon-Fri, Sat or Daily")
				}
				days = append(days, more...)
				continue
			}
			s, ok := parseSpan(word)
			if !ok {
				return bad(clause, "times must look like 07:00-21:00")
			}
			if len(days) == 0 {
				return bad(clause, "names no day: write it like Mon-Fri 07:00-21:00")
			}
			open = false
			h.add(days, s)
		}
	}
	if h.IsZero() || open {
		return bad(text, "must look like Mon-Fri 07:00-21:00; Sat 09:00-18:00")
	}
	return h, nil
}

// AlwaysOpen is every day around the clock.
func AlwaysOpen() Hours {
	var h Hours
	for w := range h.spans {
		h.spans[w] = []span{{0, dayMinutes}}
	}
	return h
}

func parseDays(word string) ([]time.Weekday, bool) {
	if strings.EqualFold(word, "daily") || strings.EqualFold(word, "everyday") {
		return []time.Weekday{0, 1, 2, 3, 4, 5, 6}, true
	}
	from, to, isRange := strings.Cut(word, "-")
	a, ok := parseDay(from)
	if !ok || !isRange {
		return []time.Weekday{a}, ok
	}
	b, ok := parseDay(to)
	if !ok {
		return nil, false
	}
	days := []time.Weekday{a}
	for a != b {
		a = (a + 1) % 7
		days = append(days, a)
	}
	return days, true
}

func parseDay(s string) (time.Weekday, bool) {
	for w, name := range weekdayNames {
		if strings.EqualFold(s, name) || strings.EqualFold(s, time.Weekday(w).String()) {
			return time.Weekday(w), true
		}
	}
	return 0, false
}

func parseSpan(word string) (span, bool) {
	from, to, ok := strings.Cut(word, "-")
	a, okA := parseMinute(from)
	b, okB := parseMinute(to)
	if !ok || !okA || !okB || a >= dayMinutes {
		return span{}, false
	}
	return span{a, b}, true
}

func parseMinute(s string) (int, bool) {
	hour, minute, ok := strings.Cut(s, ":")
	h, errH := strconv.Atoi(hour)
	m, errM := strconv.Atoi(minute)
	if !ok || errH != nil || errM != nil || h < 0 || m < 0 || m > 59 || h*60+m > dayMinutes {
		return 0, false
	}
	return h*60 + m, true
}

func (h *Hours) add(days []time.Weekday, s span) {
	for _, w := range days {
		if s.to > s.from {
			h.spans[w] = joined(append(h.spans[w], s))
			continue
		}
		h.spans[w] = joined(append(h.spans[w], span{s.from, dayMinutes}))
		if next := (w + 1) % 7; s.to > 0 {
			h.spans[next] = joined(append(h.spans[next], span{0, s.to}))
		}
	}
}

// joined sorts spans and merges those that touch.
func joined(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	out := spans[:0:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// IsZero reports that no hours are given.
func (h Hours) IsZero() bool {
	for _, s := range h.spans {
		if len(s) > 0 {
			return false
		}
	}
	return true
}

// Open reports whether a minute of the local day, 0 to 1439, lies in the open hours.
func (h Hours) Open(w time.Weekday, minute int) bool {
	for _, s := range h.spans[w] {
		if minute >= s.from && minute < s.to {
			return true
		}
	}
	return false
}

// String writes the hours in the form ParseHours reads, Monday first, equal days together.
func (h Hours) String() string {
	var clauses []string
	for i := 1; i <= 7; {
		j := i
		for j < 7 && slices.Equal(h.spans[(j+1)%7], h.spans[i%7]) {
			j++
		}
		if spans := h.spans[i%7]; len(spans) > 0 {
			days := weekdayNames[i%7]
			if j > i {
				days += "-" + weekdayNames[j%7]
			}
			var times []string
			for _, s := range spans {
				times = append(times, fmt.Sprintf("%02d:%02d-%02d:%02d", s.from/60, s.from%60, s.to/60, s.to%60))
			}
			clauses = append(clauses, days+" "+strings.Join(times, ","))
		}
		i = j + 1
	}
	return strings.Join(clauses, "; ")
}
