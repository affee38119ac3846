package icalendar_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/exports/icalendar"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

var (
	shanghai = time.FixedZone("CST", 8*3600)
	monday   = calendar.MakeDate(2026, time.November, 9)
)

func shift(day, from, until int, code string) scheduling.Shift {
	at := func(hour int) time.Time { return monday.Add(day).In(shanghai).Add(time.Duration(hour) * time.Hour) }
	return scheduling.Shift{
		Agent: "1001", Code: code, Start: at(from), End: at(until),
		Activities: []scheduling.Activity{{Kind: scheduling.Work, Start: at(from), End: at(until), Queue: "lumi-tmall/pre"}},
	}
}

func minute(n int) time.Time { return time.Date(2026, 11, 1, 0, n, 0, 0, time.UTC) }

func told(at int, roster ids.Roster, shifts ...scheduling.Shift) icalendar.Told {
	return icalendar.Told{At: minute(at), Roster: roster, Shifts: shifts}
}

// component is a part of a parsed calendar: its properties by name, and what is inside.
type component struct {
	name  string
	props map[string][]string
	parts []*component
}

// parse reads a calendar as RFC 5545 3.1 and 3.6 describe it, knowing nothing of how it was written.
func parse(text string) (*component, error) {
	if !strings.HasSuffix(text, "\r\n") {
		return nil, fmt.Errorf("the last line has no end")
	}
	var lines []string
	for i, raw := range strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		switch {
		case len(raw) > 75:
			return nil, fmt.Errorf("line %d has %d octets", i+1, len(raw))
		case !utf8.ValidString(raw):
			return nil, fmt.Errorf("line %d is cut inside a character", i+1)
		case strings.ContainsAny(raw, "\r\n"):
			return nil, fmt.Errorf("line %d has a bare line break", i+1)
		case strings.HasPrefix(raw, " ") || strings.HasPrefix(raw, "\t"):
			if len(lines) == 0 {
				return nil, fmt.Errorf("the first line is a continuation")
			}
			lines[len(lines)-1] += raw[1:]
		default:
			lines = append(lines, raw)
		}
	}
	top := &component{props: map[string][]string{}}
	stack := []*component{top}
	for _, l := range lines {
		head, value, ok := strings.Cut(l, ":")
		if !ok {
			return nil, fmt.Errorf("no colon in %q", l)
		}
		name, _, _ := strings.Cut(head, ";")
		now := stack[len(stack)-1]
		switch name {
		case "BEGIN":
			c := &component{name: value, props: map[string][]string{}}
			now.parts = append(now.parts, c)
			stack = append(stack, c)
		case "END":
			if now.name != value {
				return nil, fmt.Errorf("%s ends in %s", now.name, value)
			}
			stack = stack[:len(stack)-1]
		default:
			now.props[name] = append(now.props[name], value)
		}
	}
	if len(stack) != 1 || len(top.parts) != 1 || top.parts[0].name != "VCALENDAR" {
		return nil, fmt.Errorf("not one calendar")
	}
	return top.parts[0], nil
}

// unescape reads a TEXT value (3.3.11) from left to right.
func unescape(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			if s[i] == 'n' || s[i] == 'N' {
				out.WriteByte('\n')
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

func events(t require.TestingT, entries []icalendar.Entry) (calendarOf *component, list []*component) {
	c, err := parse(string(icalendar.Text("潮班 1001", entries, shanghai)))
	require.NoError(t, err)
	for _, p := range c.parts {
		if p.name == "VEVENT" {
			list = append(list, p)
		}
	}
	return c, list
}

func TestCalendarIsWhatTheStandardAsksFor(t *testing.T) {
	c, none := events(t, nil)
	assert.Empty(t, none)
	assert.NotEmpty(t, c.parts, "a calendar has at least one component")
	for _, p := range []string{"VERSION", "PRODID", "METHOD"} {
		assert.Len(t, c.props[p], 1, p)
	}
	_, list := events(t, icalendar.Replay([]icalendar.Told{told(0, "r", shift(2, 9, 18, "早A; 售前, 一组\\新"))}, monday, shanghai))
	require.Len(t, list, 1)
	e := list[0].props
	for _, p := range []string{"UID", "DTSTAMP", "DTSTART", "DTEND", "SEQUENCE", "SUMMARY", "STATUS"} {
		assert.Len(t, e[p], 1, p)
	}
	assert.Equal(t, "20261111T010000Z", e["DTSTART"][0], "09:00 in Shanghai")
	assert.Equal(t, "20261111T100000Z", e["DTEND"][0])
	assert.Equal(t, "上班 早A; 售前, 一组\\新", unescape(e["SUMMARY"][0]))
	assert.Equal(t, "09:00-18:00 上班 lumi-tmall/pre", unescape(e["DESCRIPTION"][0]))
	assert.NotContains(t, e["UID"][0], "1001", "an address does not tell who it is")
}

// One duty through its life: published, moved, taken away, given back.
func TestSequenceGrowsWithWhatAReaderSees(t *testing.T) {
	early, late := shift(0, 9, 18, "早"), shift(0, 12, 21, "晚")
	other := shift(1, 9, 18, "早")
	steps := []icalendar.Told{
		told(0, "a", early, other),
		told(1, "a", late, other), // moved inside the day
		told(2, "a", other),       // taken away
		told(3, "a", early, other),
		{At: minute(4), Roster: "a", Ended: true}, // replaced by a copy without a change
		told(4, "b", early, other),
	}
	type seen struct {
		sequence  int
		cancelled bool
		hour      int
	}
	uids := map[string]bool{}
	for i, want := range []seen{{0, false, 9}, {1, false, 12}, {2, true, 12}, {3, false, 9}, {}, {3, false, 9}} {
		if i == 4 {
			continue // at the same instant as the last one
		}
		all := icalendar.Replay(steps[:i+1], monday, shanghai)
		require.Len(t, all, 2)
		e := all[0]
		uids[e.UID] = true
		assert.Equal(t, want, seen{e.Sequence, e.Cancelled, e.Shift.Start.In(shanghai).Hour()}, "step %d", i)
		assert.Equal(t, 0, all[1].Sequence, "the other duty never changed")
		_, list := events(t, all)
		assert.Equal(t, map[bool]string{true: "CANCELLED", false: "CONFIRMED"}[want.cancelled], list[0].props["STATUS"][0])
	}
	assert.Len(t, uids, 1, "one identity for life")
	gone := icalendar.Replay(append(steps, icalendar.Told{At: minute(9), Roster: "b", Ended: true}), monday, shanghai)
	for _, e := range gone {
		assert.True(t, e.Cancelled)
	}
	assert.Empty(t, icalendar.Replay(steps, monday.Add(2), shanghai), "days before the first are left out")
}

// Whatever is published, a reader that keeps the highest sequence of each UID sees exactly what counts.
func TestReaderEndsUpWithThePublishedShifts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []icalendar.Told
		kept := map[string]icalendar.Entry{} // what a subscriber holds
		for at := range rapid.IntRange(1, 8).Draw(t, "steps") {
			roster := ids.Roster(rapid.SampledFrom([]string{"week1", "week2"}).Draw(t, "roster"))
			first := map[ids.Roster]int{"week1": 0, "week2": 7}[roster]
			next := icalendar.Told{At: minute(at), Roster: roster, Ended: rapid.IntRange(0, 5).Draw(t, "ended") == 0}
			for day := range 7 {
				if !next.Ended && rapid.Bool().Draw(t, "works") {
					start := rapid.IntRange(0, 14).Draw(t, "start")
					next.Shifts = append(next.Shifts, shift(first+day, start, start+9, strings.Repeat("班", rapid.IntRange(0, 40).Draw(t, "code"))))
				}
			}
			all = append(all, next)
			entries := icalendar.Replay(all, monday, shanghai)
			_, list := events(t, entries)
			require.Len(t, list, len(entries))
			for i, e := range entries {
				sequence, err := strconv.Atoi(list[i].props["SEQUENCE"][0])
				require.NoError(t, err)
				had, known := kept[e.UID]
				if known {
					require.GreaterOrEqual(t, sequence, had.Sequence, "a sequence never goes back")
					if sequence == had.Sequence {
						require.Equal(t, had, e, "what looks the same is the same")
					}
				}
				kept[e.UID] = e
			}
		}
		live := map[ids.Roster][]scheduling.Shift{}
		for _, x := range all {
			live[x.Roster] = x.Shifts
		}
		want := map[time.Time]scheduling.Shift{}
		for _, shifts := range live {
			for _, s := range shifts {
				want[s.Start] = s
			}
		}
		got := map[time.Time]scheduling.Shift{}
		for _, e := range kept {
			if !e.Cancelled {
				got[e.Shift.Start] = e.Shift
			}
		}
		require.Equal(t, want, got)
	})
}
