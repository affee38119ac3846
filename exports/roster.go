package exports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// Roster is a printable roster: agents down, civil days across. A night shift stands on the day
// it starts.
type Roster struct {
	Title     string         `json:"title"`
	Range     calendar.Range `json:"range"`     // whole civil days of TimeZone
	TimeZone  string         `json:"time_zone"` // IANA name
	Simulated bool           `json:"simulated"`
	Days      []RosterDay    `json:"days"` // ascending, one per column
	Rows      []RosterRow    `json:"rows"`
	Coverage  []CoverageRow  `json:"coverage,omitempty"`
	Notes     []string       `json:"notes,omitempty"`
}

// RosterDay is one column.
type RosterDay struct {
	Date    calendar.Date    `json:"date"`
	Kind    calendar.DayKind `json:"kind"`
	Holiday string           `json:"holiday,omitempty"`
}

// RosterRow is one agent; one cell per day.
type RosterRow struct {
	Agent ids.Agent     `json:"agent"`
	Name  string        `json:"name"`
	Team  string        `json:"team,omitempty"`
	Cells []RosterCell  `json:"cells"`
	Work  time.Duration `json:"work"` // paid work time in the range
}

// CellKind colours a cell.
type CellKind string

// The kinds of cell.
const (
	CellOff      CellKind = ""         // nothing planned
	CellWork     CellKind = "work"     // a shift that ends by midnight
	CellNight    CellKind = "night"    // a shift that crosses midnight or starts before 06:00
	CellTraining CellKind = "training" // nothing but training or meetings
	CellLeave    CellKind = "leave"    // leave or another fixed absence
)

// RosterCell is one agent's day: the code over the times, several shifts one below the other.
type RosterCell struct {
	Text string   `json:"text"`
	Kind CellKind `json:"kind,omitempty"`
}

// CoverageRow is one figure per day under the roster, e.g. people on duty; nil = not known.
type CoverageRow struct {
	Name   string     `json:"name"`
	Values []*float64 `json:"values"`
}

// RosterPerson names an agent of a roster, in the order in which the rows shall stand.
type RosterPerson struct {
	Agent ids.Agent
	Name  string
	Team  string
}

// RosterOf lays a roster out for printing, with a row for everybody in people and after them
// anybody else who has a shift, by id. The coverage rows are people on duty and paid hours per
// day, both counted on the day a shift starts.
func RosterOf(title string, r scheduling.Roster, people []RosterPerson, holidays calendar.Holidays, loc *time.Location) Roster {
	out := Roster{Title: title, Range: r.Range, TimeZone: loc.String()}
	column := map[calendar.Date]int{}
	for d := range r.Range.Dates(loc) {
		column[d] = len(out.Days)
		out.Days = append(out.Days, RosterDay{Date: d, Kind: holidays.Kind(d), Holiday: holidays.Name(d)})
	}
	row := map[ids.Agent]int{}
	add := func(p RosterPerson) {
		if _, ok := row[p.Agent]; ok {
			return
		}
		row[p.Agent] = len(out.Rows)
		out.Rows = append(out.Rows, RosterRow{Agent: p.Agent, Name: p.Name, Team: p.Team, Cells: make([]RosterCell, len(out.Days))})
	}
	for _, p := range people {
		add(p)
	}
	sorted := scheduling.Roster{Range: r.Range, Shifts: slices.Clone(r.Shifts)}
	sorted.Sort()
	heads, hours := make([]float64, len(out.Days)), make([]float64, len(out.Days))
	for _, s := range sorted.Shifts {
		i, ok := column[calendar.DateOf(s.Start, loc)]
		if !ok {
			continue // a shift of the week before that only reaches into the range
		}
		add(RosterPerson{Agent: s.Agent, Name: string(s.Agent)})
		line := &out.Rows[row[s.Agent]]
		if line.Cells[i].Text == "" {
			heads[i]++
		}
		line.Cells[i] = line.Cells[i].with(s, loc)
		line.Work += s.WorkTime()
		hours[i] += s.WorkTime().Hours()
	}
	out.Coverage = []CoverageRow{{Name: "上班人数 People", Values: pointers(heads)}, {Name: "计薪工时 Paid hours", Values: pointers(hours)}}
	return out
}

func (c RosterCell) with(s scheduling.Shift, loc *time.Location) RosterCell {
	start, end := s.Start.In(loc), s.End.In(loc)
	finish := end.Format("15:04")
	midnight := calendar.DateOf(start, loc).Add(1).In(loc)
	if end.Equal(midnight) {
		finish = "24:00"
	}
	text := strings.TrimSpace(s.Code + "\n" + start.Format("15:04") + "-" + finish)
	if c.Text != "" {
		text = c.Text + "\n" + text
	}
	kind := CellWork
	switch {
	case end.After(midnight) || start.Hour() < 6:
		kind = CellNight
	case onlyTraining(s):
		kind = CellTraining
	}
	return RosterCell{Text: text, Kind: kind}
}

func onlyTraining(s scheduling.Shift) bool {
	training := false
	for _, a := range s.Activities {
		switch a.Kind {
		case scheduling.Work:
			return false
		case scheduling.Training, scheduling.Meeting:
			training = true
		}
	}
	return training
}

func pointers(values []float64) []*float64 {
	out := make([]*float64, len(values))
	for i := range values {
		out[i] = &values[i]
	}
	return out
}

// Validate checks that every row fits the columns and reports every bad field as roster.sheet.
func (r Roster) Validate() error {
	c := check{}
	c.need("title", r.Title)
	if _, err := time.LoadLocation(r.TimeZone); err != nil || r.TimeZone == "" {
		c.report("time_zone", r.TimeZone, "is not an IANA time zone")
	}
	if len(r.Days) == 0 || len(r.Days) > 366 {
		c.report("days", fmt.Sprint(len(r.Days)), "must be 1 to 366")
	}
	for i, d := range r.Days {
		if i > 0 && !r.Days[i-1].Date.Before(d.Date) {
			c.report(fmt.Sprintf("days[%d]", i), d.Date.String(), "is not after the day before it")
		}
	}
	for i, row := range r.Rows {
		if len(row.Cells) != len(r.Days) {
			c.report(fmt.Sprintf("rows[%d].cells", i), fmt.Sprint(len(row.Cells)), "must be one per day")
		}
	}
	for i, row := range r.Coverage {
		if len(row.Values) != len(r.Days) {
			c.report(fmt.Sprintf("coverage[%d].values", i), fmt.Sprint(len(row.Values)), "must be one per day")
		}
		for j, v := range row.Values {
			if v != nil && !finite(*v) {
				c.report(fmt.Sprintf("coverage[%d].values[%d]", i, j), fmt.Sprint(*v), "must be a finite number or nothing")
			}
		}
	}
	return fault.Bad("roster.sheet", "printable roster", c.bad)
}
