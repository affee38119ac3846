package workbook

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/calendar"
)

// SheetRoster is the sheet of a printable roster.
const SheetRoster = "班表 Roster"

var cellFill = map[exports.CellKind]string{
	exports.CellWork:     "E4F0FB",
	exports.CellNight:    "DDD9F0",
	exports.CellTraining: "FFF3C4",
	exports.CellLeave:    "E6E6E6",
}

// Roster writes one roster as a sheet to print: agents down, days across, the cover of each day
// below. The model is validated first (roster.sheet); any other failure is workbook.write. The
// same model gives the same bytes: the file's dates are the start of the range.
func Roster(w io.Writer, model exports.Roster) error {
	if err := model.Validate(); err != nil {
		return err
	}
	b := newBook(model.Title, model.Range.Start)
	footer := model.Title
	if model.Simulated {
		footer += " · SIMULATED"
	}
	s := b.sheet(SheetRoster, page{footer: footer})
	last := 4 + len(model.Days)
	row := rosterTop(s, model, last)
	head := row
	rosterHead(s, head, model)
	for i, r := range model.Rows {
		row++
		rosterRow(s, row, r, i%2 == 1)
	}
	row = rosterCoverage(s, row, model)
	for _, n := range model.Notes {
		row++
		s.span(1, row, last, row, n, noteLook)
		s.height(row, 4+11*float64(lines(n, 14*float64(len(model.Days))+40)))
	}
	s.freeze(4, head+1)
	s.repeat(head)
	return b.write(w)
}

func rosterTop(s *sheet, m exports.Roster, last int) int {
	s.span(1, 1, last, 1, m.Title, titleLook)
	s.height(1, 27)
	span := fmt.Sprintf("%s – %s · %s · 夜班记在开始日 a night shift stands on the day it starts",
		m.Days[0].Date, m.Days[len(m.Days)-1].Date, m.TimeZone)
	s.span(1, 2, last, 2, span, subLook)
	legend := []struct {
		kind exports.CellKind
		name string
	}{{exports.CellWork, "日班 day"}, {exports.CellNight, "夜班 night"}, {exports.CellTraining, "培训 training"}, {exports.CellLeave, "请假 leave"}}
	for i, k := range legend {
		if 3+i <= last {
			s.text(3+i, 3, k.name, look{size: 8, align: "center", border: true, fill: cellFill[k.kind]})
		}
	}
	s.height(3, 16)
	if !m.Simulated {
		return 4
	}
	s.span(1, 4, last, 4, simulatedBanner, bannerLook)
	s.height(4, 20)
	return 5
}

func rosterHead(s *sheet, row int, m exports.Roster) {
	var agents, names, teams []string
	for _, r := range m.Rows {
		agents, names, teams = append(agents, string(r.Agent)), append(names, r.Name), append(teams, r.Team)
	}
	for i, c := range []struct {
		head  string
		width float64
	}{{"工号\nAgent", widest(agents, 9, 18)}, {"姓名\nName", widest(names, 9, 20)}, {"班组\nTeam", widest(teams, 11, 20)}} {
		s.text(i+1, row, c.head, headLook)
		s.width(i+1, c.width)
	}
	for i, d := range m.Days {
		text := fmt.Sprintf("%d/%d\n%s", int(d.Date.Month), d.Date.Day, weekdays[mondayFirst(d.Date.Weekday())])
		if d.Holiday != "" {
			text += "\n" + d.Holiday
		}
		s.text(4+i, row, text, dayHead(d))
		s.width(4+i, dayWidth(m.Rows, i))
	}
	s.text(4+len(m.Days), row, "工时\nHours", headLook)
	s.width(4+len(m.Days), 9)
	s.height(row, 42)
}

func dayHead(d exports.RosterDay) look {
	l := headLook
	switch {
	case d.Kind == calendar.Statutory:
		l.fill, l.ink = holiday, failInk
	case !d.Kind.Working():
		l.fill, l.ink = weekend, amberInk
	}
	return l
}

func dayWidth(rows []exports.RosterRow, day int) float64 {
	texts := make([]string, len(rows))
	for i, r := range rows {
		texts[i] = r.Cells[day].Text
	}
	return widest(texts, 9, 16)
}

func rosterRow(s *sheet, row int, r exports.RosterRow, odd bool) {
	base := cellLook
	if odd {
		base = base.on(band)
	}
	s.text(1, row, string(r.Agent), base)
	s.text(2, row, r.Name, base)
	s.text(3, row, r.Team, base)
	high := 1
	for i, c := range r.Cells {
		l := base.centred().wrapped()
		if fill := cellFill[c.Kind]; fill != "" {
			l.fill = fill
		}
		l.size = 8
		s.text(4+i, row, c.Text, l)
		high = max(high, lines(c.Text, 16))
	}
	hours := r.Work.Round(time.Minute).Hours()
	s.number(4+len(r.Cells), row, &hours, base.strong().as("0.0"))
	s.height(row, 5+11.5*float64(high))
}

func rosterCoverage(s *sheet, row int, m exports.Roster) int {
	for _, c := range m.Coverage {
		row++
		total := cellLook.strong().on(totalFill)
		s.span(1, row, 3, row, c.Name, total)
		format := "#,##0"
		for _, v := range c.Values {
			if v != nil && *v != math.Trunc(*v) {
				format = "#,##0.0"
			}
		}
		for i, v := range c.Values {
			s.number(4+i, row, v, total.as(format))
		}
		s.text(4+len(m.Days), row, "", total)
	}
	return row
}
