// Package icalendar owns the calendar of one agent: what was published to the agent, replayed into
// entries that keep their identity, and the text of RFC 5545 that calendar programs subscribe to.
//
// It does not own who may read it, nor what is published. Instants are written in UTC, so no reader
// needs the rules of a time zone; a day is a civil day in the business time zone.
package icalendar

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// Told is what one agent could read of one roster from an instant on.
type Told struct {
	At     time.Time
	Roster ids.Roster
	Ended  bool // the roster counts no more
	Shifts []scheduling.Shift
}

// Entry is one duty in a calendar. The n-th duty of an agent on a day keeps its UID for ever: a duty at
// another time of the day is the same entry moved, one on another day is another entry.
type Entry struct {
	UID       string
	Sequence  int       // grows by one with every change that a reader could see (RFC 5545 3.8.7.4)
	Changed   time.Time // of the last change
	Cancelled bool
	Shift     scheduling.Shift // as it is, or was when it was cancelled
}

// Replay turns everything that was told, in order of time, into the entries of days from a date on, by
// start. The same history gives the same entries, whenever it is read.
func Replay(told []Told, from calendar.Date, zone *time.Location) []Entry {
	live := map[ids.Roster][]scheduling.Shift{}
	entries := map[string]*Entry{}
	for i, t := range told {
		if live[t.Roster] = t.Shifts; t.Ended {
			delete(live, t.Roster)
		}
		if i+1 == len(told) || !told[i+1].At.Equal(t.At) {
			update(entries, visible(live, zone), t.At)
		}
	}
	var out []Entry
	for _, e := range entries {
		if !calendar.DateOf(e.Shift.Start, zone).Before(from) {
			out = append(out, *e)
		}
	}
	slices.SortFunc(out, func(a, b Entry) int { return cmp.Or(a.Shift.Start.Compare(b.Shift.Start), cmp.Compare(a.UID, b.UID)) })
	return out
}

// visible names every duty that counts.
func visible(live map[ids.Roster][]scheduling.Shift, zone *time.Location) map[string]scheduling.Shift {
	var all []scheduling.Shift
	for _, id := range slices.Sorted(maps.Keys(live)) {
		all = append(all, live[id]...)
	}
	slices.SortStableFunc(all, func(a, b scheduling.Shift) int { return a.Start.Compare(b.Start) })
	out := map[string]scheduling.Shift{}
	for _, s := range all {
		for n := 1; ; n++ {
			if uid := uidOf(s.Agent, calendar.DateOf(s.Start, zone), n); out[uid].Start.IsZero() {
				out[uid] = s
				break
			}
		}
	}
	return out
}

// uidOf is the name of an agent's n-th duty of a day, without telling who it is.
func uidOf(agent ids.Agent, day calendar.Date, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", agent, day, n))
	return hex.EncodeToString(sum[:16]) + "@chaoban"
}

func update(entries map[string]*Entry, now map[string]scheduling.Shift, at time.Time) {
	for uid, s := range now {
		e, known := entries[uid]
		switch {
		case !known:
			entries[uid] = &Entry{UID: uid, Changed: at, Shift: s}
		case e.Cancelled || !revise.Same(e.Shift, s):
			e.Sequence, e.Changed, e.Cancelled, e.Shift = e.Sequence+1, at, false, s
		}
	}
	for uid, e := range entries {
		if _, there := now[uid]; !there && !e.Cancelled {
			e.Sequence, e.Changed, e.Cancelled = e.Sequence+1, at, true
		}
	}
}

// ContentType of a calendar.
const ContentType = "text/calendar; charset=utf-8"

// Text is a calendar (RFC 5545) with a title. It is never without a component, as the grammar of 3.6
// demands, because it declares the zone that its instants are in.
func Text(title string, entries []Entry, zone *time.Location) []byte {
	var w writer
	w.line("BEGIN:VCALENDAR")
	w.line("VERSION:2.0")
	w.line("PRODID:-//Chaoban//Roster//ZH")
	w.line("CALSCALE:GREGORIAN")
	w.line("METHOD:PUBLISH")
	w.text("X-WR-CALNAME", title)
	w.line("REFRESH-INTERVAL;VALUE=DURATION:PT1H") // RFC 7986 5.7
	for _, l := range []string{
		"BEGIN:VTIMEZONE", "TZID:UTC", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0000", "TZOFFSETTO:+0000", "END:STANDARD", "END:VTIMEZONE",
	} {
		w.line(l)
	}
	for _, e := range entries {
		w.event(e, zone)
	}
	w.line("END:VCALENDAR")
	return []byte(w.out.String())
}

// instantLayout is DATE-TIME form 2 of 3.3.5.
const instantLayout = "20060102T150405Z"

type writer struct{ out strings.Builder }

func (w *writer) event(e Entry, zone *time.Location) {
	w.line("BEGIN:VEVENT")
	w.line("UID:" + e.UID)
	w.line("DTSTAMP:" + e.Changed.UTC().Format(instantLayout))
	w.line("LAST-MODIFIED:" + e.Changed.UTC().Format(instantLayout))
	w.line(fmt.Sprintf("SEQUENCE:%d", e.Sequence))
	w.line("DTSTART:" + e.Shift.Start.UTC().Format(instantLayout))
	w.line("DTEND:" + e.Shift.End.UTC().Format(instantLayout))
	w.text("SUMMARY", summary(e.Shift))
	if parts := description(e.Shift, zone); parts != "" {
		w.text("DESCRIPTION", parts)
	}
	if e.Cancelled {
		w.line("STATUS:CANCELLED")
		w.line("TRANSP:TRANSPARENT")
	} else {
		w.line("STATUS:CONFIRMED")
		w.line("TRANSP:OPAQUE")
	}
	w.line("END:VEVENT")
}

func summary(s scheduling.Shift) string {
	if s.Code == "" {
		return "上班"
	}
	return "上班 " + s.Code
}

// kindNames are the parts of a shift for people.
var kindNames = map[scheduling.ActivityKind]string{
	scheduling.Work: "上班", scheduling.Break: "小休", scheduling.Meal: "用餐", scheduling.Training: "培训", scheduling.Meeting: "会议",
}

func description(s scheduling.Shift, zone *time.Location) string {
	lines := make([]string, len(s.Activities))
	for i, a := range s.Activities {
		lines[i] = strings.TrimSpace(fmt.Sprintf("%s-%s %s %s", a.Start.In(zone).Format("15:04"), a.End.In(zone).Format("15:04"), cmp.Or(kindNames[a.Kind], string(a.Kind)), a.Queue))
	}
	return strings.Join(lines, "\n")
}

// escapes of TEXT (3.3.11). Other control characters have no place in it.
var escapes = strings.NewReplacer("\\", "\\\\", ";", "\\;", ",", "\\,", "\r\n", "\\n", "\n", "\\n", "\r", "\\n")

func (w *writer) text(name, value string) {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(value, "\uFFFD"))
	w.line(name + ":" + escapes.Replace(clean))
}

// longestLine is in octets, without the line break (3.1).
const longestLine = 75

// line writes a content line, folded between characters.
func (w *writer) line(s string) {
	room := longestLine
	used := 0
	for _, r := range s {
		n := len(string(r))
		if used+n > room {
			w.out.WriteString("\r\n ")
			used, room = 0, longestLine-1
		}
		w.out.WriteRune(r)
		used += n
	}
	w.out.WriteString("\r\n")
}
