package contracts

import (
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Window is a daily window on the local clock, [Start, End) from midnight. End may reach past
// 24 h: "21:00-02:00" is 21 h to 26 h, the night after the day it is counted in.
type Window struct {
	Start, End time.Duration
}

// ParseWindow reads "09:00-24:00". A window whose end is not after its start runs past midnight.
// Errors: contract.window.
func ParseWindow(text string) (Window, error) {
	from, to, ok := strings.Cut(strings.TrimSpace(text), "-")
	start, okStart := parseClock(from)
	end, okEnd := parseClock(to)
	if !ok || !okStart || !okEnd || start == 24*time.Hour {
		return Window{}, fault.New(fault.Invalid, "contract.window", "%q is not a daily window like 09:00-24:00", fault.Shorten(text))
	}
	if end <= start {
		end += 24 * time.Hour
	}
	return Window{start, end}, nil
}

// Contains reports whether a clock time since midnight lies in the window.
func (w Window) Contains(clock time.Duration) bool {
	return clock >= w.Start && clock < w.End || clock+24*time.Hour < w.End
}

func parseClock(s string) (time.Duration, bool) {
	hour, minute, ok := strings.Cut(strings.TrimSpace(s), ":")
	h, errHour := strconv.ParseUint(hour, 10, 8)
	m, errMinute := strconv.ParseUint(minute, 10, 8)
	if !ok || errHour != nil || errMinute != nil || len(minute) != 2 || m > 59 || h*60+m > 24*60 {
		return 0, false
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute, true
}

var dayWords = map[string]bool{
	"mon": true, "tue": true, "wed": true, "thu": true, "fri": true, "sat": true, "sun": true,
	"monday": true, "tuesday": true, "wednesday": true, "thursday": true, "friday": true, "saturday": true, "sunday": true,
	"周一": true, "周二": true, "周三": true, "周四": true, "周五": true, "周六": true, "周日": true, "周天": true,
}

var hoursMarks = strings.NewReplacer("；", ";", "，", ",", "：", ":", "至", "-")

// hoursProblem says what is wrong with weekly open hours such as "Mon-Fri 09:00-23:00; Sat,Sun
// 10:00-18:00", or "". What the hours mean is the forecast's business; a contract only checks
// that they can be read before they are signed.
func hoursProblem(text string) string {
	const want = "must look like Mon-Sun 09:00-23:00; several clauses with ;"
	days, windows := false, 0
	clauses := strings.FieldsFunc(hoursMarks.Replace(text), func(r rune) bool { return r == ';' || r == ',' })
	for _, clause := range clauses {
		for _, word := range strings.Fields(clause) {
			if word[0] >= '0' && word[0] <= '9' {
				if _, err := ParseWindow(word); err != nil || !days {
					return want
				}
				windows++
				continue
			}
			if !isDays(word) {
				return want
			}
			days = true
		}
	}
	if windows == 0 {
		return want
	}
	return ""
}

func isDays(word string) bool {
	switch word = strings.ToLower(word); word {
	case "daily", "everyday", "每天":
		return true
	}
	from, to, isRange := strings.Cut(word, "-")
	return dayWords[from] && (!isRange || dayWords[to])
}
