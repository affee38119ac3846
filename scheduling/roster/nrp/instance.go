// Package nrp owns the employee shift scheduling benchmark of Curtois & Qu (2014) as a problem of
// its own: reading an instance, and solving it. It exists to hold the optimiser against published
// results; the product's own rosters are package roster.
//
// Solve anneals a first roster, then generates columns (rows of one employee, priced by dynamic
// programming) for the linear relaxation over everybody, which gives the bound and good multipliers,
// and ends with neighbourhoods: a group of employees, sometimes only some weeks of them, gets new
// rows by the same column generation and a dive that decides day by day. The masters are solved by an
// interior point method, since the simplex method drowns in their degeneracy.
//
// Days are indexes from 0; every instance starts on a Monday. A shift is one of the instance's
// types and has a length in minutes but no clock time.
package nrp

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/chaoban/chaoban/internal/fault"
)

// Off is a day without a shift in a Roster's integer form.
const Off = -1

// Instance is one benchmark problem.
type Instance struct {
	Days   int
	Shifts []Shift
	Staff  []Employee
	Cover  []Cover
}

// Shift is a shift type.
type Shift struct {
	ID      string
	Minutes int
	NotNext []bool // by shift index: may not be worked on the following day
}

// Employee is a member of staff with rules and wishes.
type Employee struct {
	ID                     string
	MaxShifts              []int // per shift type
	MaxMinutes, MinMinutes int
	MaxRun, MinRun, MinOff int // consecutive working days and days off; the minimums are met at the edges
	MaxWeekends            int
	DayOff                 []bool
	Wants, Avoids          [][]int // [day][shift]: weight of the request
}

// Cover is the wanted head count of one shift on one day.
type Cover struct {
	Day, Shift, Need, Under, Over int
}

// maxDays and maxItems keep a malformed file from asking for absurd memory.
const (
	maxDays  = 3660
	maxItems = 10000
	maxTold  = 200 // complaints about one file that are told one by one
)

// sections are those of the format.
var sections = []string{
	"SECTION_HORIZON", "SECTION_SHIFTS", "SECTION_STAFF", "SECTION_DAYS_OFF", "SECTION_SHIFT_ON_REQUESTS", "SECTION_SHIFT_OFF_REQUESTS", "SECTION_COVER",
}

// reader parses one file and collects every bad line.
type reader struct {
	file  string
	line  int
	inst  *Instance
	shift map[string]int
	staff map[string]int
	next  []string // forbidden successors, resolved at the end
	nextL []int
	bad   []fault.Field
	seen  map[string]bool
	early bool // it is told that a section stands before the horizon
}

// Parse reads an instance; file names it in errors. Every bad line is reported, of more than 200 the first 200.
func Parse(file string, in io.Reader) (*Instance, error) {
	raw, err := io.ReadAll(io.LimitReader(in, 64<<20))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "nrp.unreadable", "%s cannot be read", file)
	}
	r := &reader{file: file, inst: &Instance{}, shift: map[string]int{}, staff: map[string]int{}, seen: map[string]bool{}}
	scan := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))))
	scan.Buffer(nil, 1<<20)
	section := ""
	for scan.Scan() {
		r.line++
		text := strings.TrimSpace(scan.Text())
		switch {
		case text == "" || strings.HasPrefix(text, "#"):
		case strings.HasPrefix(text, "SECTION_"):
			section = text
			r.seen[section] = true
			if !slices.Contains(sections, section) {
				r.complain(section, "is not a section of this format, which has %s; what stands below it is not read", strings.Join(sections, ", "))
			}
		default:
			r.row(section, strings.Split(text, ","), text)
		}
	}
	if err := scan.Err(); err != nil {
		r.complain("", "the line is too long")
	}
	r.finish()
	if more := len(r.bad) - maxTold; more > 0 {
		r.bad = append(r.bad[:maxTold], fault.Field{File: file, Problem: fmt.Sprintf("and %d more places", more)})
	}
	if err := fault.Bad("nrp.invalid", "shift benchmark instance", r.bad); err != nil {
		return nil, err
	}
	return r.inst, nil
}

func (r *reader) complain(value, format string, args ...any) {
	r.bad = append(r.bad, fault.Field{File: r.file, Row: r.line, Value: value, Problem: fmt.Sprintf(format, args...)})
}

func (r *reader) row(section string, f []string, text string) {
	for i := range f {
		f[i] = strings.TrimSpace(f[i])
	}
	if section != "SECTION_HORIZON" && section != "" && !r.seen["SECTION_HORIZON"] && !r.early {
		r.early = true
		r.complain(text, "SECTION_HORIZON with the number of days must come first")
	}
	switch section {
	case "SECTION_HORIZON":
		if n, ok := r.ranged("the number of days of SECTION_HORIZON", text, 1, maxDays); ok {
			r.inst.Days = n
		}
	case "SECTION_SHIFTS":
		r.shiftRow(f, text)
	case "SECTION_STAFF":
		r.staffRow(f, text)
	case "SECTION_DAYS_OFF":
		if e := r.employee(f[0]); e != nil {
			for _, d := range f[1:] {
				if day, ok := r.day(d); ok {
					e.DayOff[day] = true
				}
			}
		}
	case "SECTION_SHIFT_ON_REQUESTS", "SECTION_SHIFT_OFF_REQUESTS":
		r.requestRow(f, text, section == "SECTION_SHIFT_ON_REQUESTS")
	case "SECTION_COVER":
		if len(f) != 5 {
			r.complain(text, "must be day,shift,requirement,weight under,weight over")
			return
		}
		r.coverRow(f, text)
	case "":
		r.complain(text, "is not inside a SECTION_")
	}
}

func (r *reader) coverRow(f []string, text string) {
	day, known := r.day(f[0])
	c := Cover{
		Day: day, Shift: r.shiftIndex(f[1]), Need: r.number("the requirement", f[2], 0, maxItems),
		Under: r.number("the weight under", f[3], 0, 1e6), Over: r.number("the weight over", f[4], 0, 1e6),
	}
	if known && slices.ContainsFunc(r.inst.Cover, func(x Cover) bool { return x.Day == c.Day && x.Shift == c.Shift }) {
		r.complain(text, "this day and shift already has a requirement")
	}
	r.inst.Cover = append(r.inst.Cover, c)
}

func (r *reader) shiftRow(f []string, text string) {
	if len(f) < 2 || len(f) > 3 || f[0] == "" {
		r.complain(text, "must be id,minutes,forbidden successors separated by |")
		return
	}
	if _, dup := r.shift[f[0]]; dup {
		r.complain(f[0], "shift is defined twice")
	}
	r.shift[f[0]] = len(r.inst.Shifts)
	r.inst.Shifts = append(r.inst.Shifts, Shift{ID: f[0], Minutes: r.number("the length in minutes", f[1], 1, 1440)})
	r.next, r.nextL = append(r.next, ""), append(r.nextL, r.line)
	if len(f) == 3 {
		r.next[len(r.next)-1] = f[2]
	}
}

func (r *reader) staffRow(f []string, text string) {
	if len(f) != 8 || f[0] == "" {
		r.complain(text, "must be id,max shifts,max minutes,min minutes,max run,min run,min days off,max weekends")
		return
	}
	if _, dup := r.staff[f[0]]; dup {
		r.complain(f[0], "employee is defined twice")
	}
	n, days := len(r.inst.Shifts), r.inst.Days
	e := Employee{ID: f[0], MaxShifts: make([]int, n), DayOff: make([]bool, days), Wants: make([][]int, days), Avoids: make([][]int, days)}
	for d := range days {
		e.Wants[d], e.Avoids[d] = make([]int, n), make([]int, n)
	}
	for _, part := range strings.Split(f[1], "|") {
		id, count, ok := strings.Cut(part, "=")
		if !ok {
			r.complain(part, "max shifts must look like E=14|L=14")
			continue
		}
		if s := r.shiftIndex(id); s < n {
			e.MaxShifts[s] = r.number("the most shifts "+id, count, 0, maxDays)
		}
	}
	faults := len(r.bad)
	e.MaxMinutes, e.MinMinutes = r.number("the most minutes", f[2], 0, 1<<30), r.number("the fewest minutes", f[3], 0, 1<<30)
	e.MaxRun, e.MinRun = r.number("the most working days in a row", f[4], 0, maxDays), r.number("the fewest working days in a row", f[5], 0, maxDays)
	if e.MinMinutes > e.MaxMinutes && len(r.bad) == faults {
		r.complain(text, "MinTotalMinutes %d is above MaxTotalMinutes %d", e.MinMinutes, e.MaxMinutes)
	}
	e.MinOff = r.number("the fewest days off in a row", f[6], 0, maxDays)
	e.MaxWeekends = r.number("the most weekends", f[7], 0, maxDays)
	r.staff[e.ID] = len(r.inst.Staff)
	r.inst.Staff = append(r.inst.Staff, e)
}

func (r *reader) requestRow(f []string, text string, on bool) {
	if len(f) != 4 {
		r.complain(text, "must be employee,day,shift,weight")
		return
	}
	e, s, w := r.employee(f[0]), r.shiftIndex(f[2]), r.number("the weight", f[3], 0, 1e6)
	d, known := r.day(f[1])
	if e == nil || s >= len(r.inst.Shifts) || !known {
		return
	}
	if on {
		e.Wants[d][s] += w
	} else {
		e.Avoids[d][s] += w
	}
}

// number reads what a place holds; what is wrong counts as the least.
func (r *reader) number(what, s string, least, most int) int {
	n, ok := r.ranged(what, s, least, most)
	if !ok {
		return least
	}
	return n
}

func (r *reader) ranged(what, s string, least, most int) (int, bool) {
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		r.complain(s, "%s must be a whole number from %d to %d", what, least, most)
		return 0, false
	}
	return n, true
}

// day is false for one outside the horizon, and where nobody knows the horizon.
func (r *reader) day(s string) (int, bool) {
	if r.inst.Days == 0 {
		r.ranged("the day", s, 0, maxDays)
		return 0, false
	}
	n, ok := r.ranged(fmt.Sprintf("the day, counted from 0 over the %d days of the horizon,", r.inst.Days), s, 0, r.inst.Days-1)
	return n, ok
}

func (r *reader) employee(id string) *Employee {
	i, ok := r.staff[id]
	if !ok {
		r.complain(id, "is not an employee of SECTION_STAFF")
		return nil
	}
	return &r.inst.Staff[i]
}

func (r *reader) shiftIndex(id string) int {
	i, ok := r.shift[id]
	if !ok {
		r.complain(id, "is not a shift of SECTION_SHIFTS")
		return len(r.inst.Shifts)
	}
	return i
}

func (r *reader) finish() {
	in := r.inst
	for i := range in.Shifts {
		in.Shifts[i].NotNext = make([]bool, len(in.Shifts))
		for _, id := range strings.Split(r.next[i], "|") {
			if id == "" {
				continue
			}
			r.line = r.nextL[i]
			if s := r.shiftIndex(strings.TrimSpace(id)); s < len(in.Shifts) {
				in.Shifts[i].NotNext[s] = true
			}
		}
	}
	r.line = 0
	for _, s := range []string{"SECTION_HORIZON", "SECTION_SHIFTS", "SECTION_STAFF", "SECTION_COVER"} {
		if !r.seen[s] {
			r.complain(s, "this section is missing")
		}
	}
	if len(r.bad) == 0 && (in.Days == 0 || len(in.Shifts) == 0 || len(in.Staff) == 0) {
		r.complain("", "the horizon, shifts and staff must not be empty")
	}
}

// Named turns an integer roster into the file form {employee: [shift or "" per day]}.
func (in *Instance) Named(roster [][]int) map[string][]string {
	out := make(map[string][]string, len(in.Staff))
	for e := range in.Staff {
		row := make([]string, in.Days)
		for d, s := range roster[e] {
			if s != Off {
				row[d] = in.Shifts[s].ID
			}
		}
		out[in.Staff[e].ID] = row
	}
	return out
}
