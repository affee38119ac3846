// Package matsp owns the multi-activity shift scheduling benchmark of Qu & Curtois: reading an
// instance, and solving it. It exists to hold shift design and task assignment against a public
// set; the product's own rosters are package roster.
//
// Time is counted in 15-minute periods from 06:00 on day 1, the first instant of the horizon; the
// horizon is a whole number of days, so it ends at 06:00 too. Days in files are civil days from 1.
package matsp

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/chaoban/chaoban/internal/fault"
)

// The grid and the shift rules of the benchmark, in 15-minute periods.
const (
	PerDay      = 96
	dayOne      = 24 // 06:00 on day 1, after its midnight
	ShortShift  = 24 // 6 h
	LongShift   = 40 // 10 h
	ShortTask   = 4  // 1 h
	LeastRest   = 56 // 14 h
	MostDaysRun = 5
)

// Instance is one benchmark problem.
type Instance struct {
	Days  int
	Tasks int
	Staff []Employee
	Min   [][]int16 // [period][task]: hard minimum
	Max   [][]int16 // [period][task]: more than this costs 1 each
}

// Employee is a member of staff with total minutes over the horizon.
type Employee struct {
	ID                     string
	MinMinutes, MaxMinutes int
}

// Periods of the horizon.
func (in *Instance) Periods() int { return in.Days * PerDay }

// Clock returns the civil day (from 1) and the minutes after its midnight of a period.
func Clock(period int) (day, minutes int) {
	p := period + dayOne
	return p/PerDay + 1, p % PerDay * 15
}

// PeriodAt is the inverse of Clock; minutes must be a multiple of 15.
func PeriodAt(day, minutes int) int { return (day-1)*PerDay + minutes/15 - dayOne }

// MayStart reports whether shifts may start in a period: 00:00, 06:00-10:00, 14:00-18:00 and
// 20:00-23:45.
func MayStart(period int) bool {
	_, m := Clock(period)
	h := m / 60
	return m == 0 || m >= 360 && m <= 600 || m >= 840 && m <= 1080 || h >= 20
}

// maxTold is how many complaints about one file are told one by one.
const maxTold = 200

type reader struct {
	file string
	line int
	in   *Instance
	set  [][]bool
	ids  map[string]bool
	bad  []fault.Field
	lost bool // the size of the cover is not known
}

// Parse reads an instance; file names it in errors. Every bad line is reported, of more than 200 the first 200.
func Parse(file string, src io.Reader) (*Instance, error) {
	raw, err := io.ReadAll(io.LimitReader(src, 64<<20))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "matsp.unreadable", "%s cannot be read", file)
	}
	r := &reader{file: file, in: &Instance{}, ids: map[string]bool{}}
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
		default:
			r.row(section, text)
		}
	}
	if scan.Err() != nil {
		r.complain("", "the line is too long")
	}
	r.finish()
	if more := len(r.bad) - maxTold; more > 0 {
		r.bad = append(r.bad[:maxTold], fault.Field{File: file, Problem: fmt.Sprintf("and %d more places", more)})
	}
	if err := fault.Bad("matsp.invalid", "multi-activity instance", r.bad); err != nil {
		return nil, err
	}
	return r.in, nil
}

func (r *reader) complain(value, format string, args ...any) {
	r.bad = append(r.bad, fault.Field{File: r.file, Row: r.line, Value: value, Problem: fmt.Sprintf(format, args...)})
}

func (r *reader) number(what, s string, least, most int) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < least || n > most {
		r.complain(s, "%s must be a whole number from %d to %d", what, least, most)
		return least
	}
	return n
}

func (r *reader) row(section, text string) {
	f := strings.Split(text, ",")
	switch section {
	case "SECTION_HORIZON":
		defer r.sized(len(r.bad))
		r.in.Days = r.number("the number of days of SECTION_HORIZON", text, 1, 60)
	case "SECTION_TASKS":
		defer r.sized(len(r.bad))
		r.in.Tasks = r.number("the number of tasks of SECTION_TASKS", text, 1, 100)
	case "SECTION_STAFF":
		if len(f) != 3 {
			r.complain(text, "must be id,min minutes,max minutes")
			return
		}
		if r.ids[f[0]] {
			r.complain(f[0], "employee is defined twice")
		}
		r.ids[f[0]] = true
		e := Employee{ID: f[0], MinMinutes: r.number("the fewest minutes", f[1], 0, 1e6), MaxMinutes: r.number("the most minutes", f[2], 0, 1e6)}
		if e.MinMinutes > e.MaxMinutes {
			r.complain(text, "the minimum is above the maximum")
		}
		r.in.Staff = append(r.in.Staff, e)
	case "SECTION_COVER":
		r.coverRow(f, text)
	default:
		r.complain(text, "is not inside a known SECTION_")
	}
}

// sized notes whether the size of the cover was told without a fault.
func (r *reader) sized(faults int) { r.lost = r.lost || len(r.bad) > faults }

func (r *reader) coverRow(f []string, text string) {
	if !r.lost && (r.in.Days == 0 || r.in.Tasks == 0) {
		r.complain(text, "SECTION_HORIZON and SECTION_TASKS must come before the cover")
		r.lost = true
	}
	if r.lost {
		return // nobody knows which days and tasks there are
	}
	if r.in.Min == nil {
		for range r.in.Periods() {
			r.in.Min = append(r.in.Min, make([]int16, r.in.Tasks))
			r.in.Max = append(r.in.Max, make([]int16, r.in.Tasks))
			r.set = append(r.set, make([]bool, r.in.Tasks))
		}
	}
	if len(f) != 5 {
		r.complain(text, "must be day,HH:MM-HH:MM,task,min,max")
		return
	}
	from, to, _ := strings.Cut(f[1], "-")
	minutes, ok := ParseClock(from)
	until, also := ParseClock(to)
	if !ok || !also || until != (minutes+15)%(24*60) {
		r.complain(f[1], "must be a quarter hour like 06:15-06:30, one in each row")
		return
	}
	period := PeriodAt(r.number("the day", f[0], 1, r.in.Days+1), minutes)
	if period < 0 || period >= r.in.Periods() {
		r.complain(text, "lies outside the horizon (06:00 of day 1 to 06:00 of day %d)", r.in.Days+1)
		return
	}
	task := r.number("the task", f[2], 1, r.in.Tasks) - 1
	if r.set[period][task] {
		r.complain(text, "this period and task already has a cover")
	}
	r.set[period][task] = true
	faults := len(r.bad)
	least, most := r.number("the fewest heads", f[3], 0, 10000), r.number("the most heads", f[4], 0, 10000)
	if least > most && len(r.bad) == faults {
		r.complain(text, "the fewest heads, %d, are above the most, %d", least, most)
	}
	r.in.Min[period][task], r.in.Max[period][task] = int16(least), int16(most)
}

// ParseClock reads "06:15" as minutes after midnight; only quarter hours are good.
func ParseClock(s string) (minutes int, ok bool) {
	h, m, found := strings.Cut(strings.TrimSpace(s), ":")
	hours, err1 := strconv.Atoi(h)
	mins, err2 := strconv.Atoi(m)
	ok = found && err1 == nil && err2 == nil && hours >= 0 && hours < 24 && mins >= 0 && mins < 60 && mins%15 == 0
	return hours*60 + mins, ok
}

func (r *reader) finish() {
	r.line = 0
	if len(r.bad) == 0 && (r.in.Min == nil || len(r.in.Staff) == 0) {
		r.complain("", "the horizon, tasks, staff and cover must not be empty")
	}
}

// Shift is one shift of a roster in file form.
type Shift struct {
	Day   int    `json:"day"`   // civil day from 1
	Start string `json:"start"` // "HH:MM"
	Tasks []Task `json:"tasks"`
}

// Task is a block of work: [task from 1, minutes].
type Task [2]int

// Named turns shifts into the file form {employee: [shift]}.
func (in *Instance) Named(roster [][]Duty) map[string][]Shift {
	out := make(map[string][]Shift, len(in.Staff))
	for e := range in.Staff {
		list := []Shift{}
		for _, d := range roster[e] {
			day, minutes := Clock(d.Start)
			s := Shift{Day: day, Start: fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)}
			for i := 0; i < len(d.Tasks); {
				k := i
				for k < len(d.Tasks) && d.Tasks[k] == d.Tasks[i] {
					k++
				}
				s.Tasks = append(s.Tasks, Task{int(d.Tasks[i]) + 1, (k - i) * 15})
				i = k
			}
			list = append(list, s)
		}
		out[in.Staff[e].ID] = list
	}
	return out
}
