package workbook

import (
	"fmt"
	"time"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// weekRoster is two weeks around National Day with day, late and night shifts.
func weekRoster() exports.Roster {
	loc := time.FixedZone("Asia/Shanghai", 8*3600)
	first := calendar.Date{Year: 2026, Month: 9, Day: 28}
	r := scheduling.Roster{Range: calendar.Range{Start: first.In(loc), End: first.Add(14).In(loc)}}
	var people []exports.RosterPerson
	codes := []struct {
		code       string
		start, len time.Duration
	}{{"早A", 9 * time.Hour, 9 * time.Hour}, {"晚B", 15 * time.Hour, 9 * time.Hour}, {"夜C", 22 * time.Hour, 8 * time.Hour}}
	for i := range 18 {
		id := ids.Agent(fmt.Sprintf("A%04d", 1000+i))
		people = append(people, exports.RosterPerson{Agent: id, Name: []string{"王小明", "李婷", "欧阳静怡"}[i%3], Team: []string{"天猫一组", "京东组"}[i%2]})
		for d := range 14 {
			if (d+i)%7 >= 5 {
				continue
			}
			c := codes[(i/2)%3]
			start := first.Add(d).In(loc).Add(c.start)
			s := scheduling.Shift{Agent: id, Code: c.code, Start: start, End: start.Add(c.len)}
			if c.len > 8*time.Hour {
				s.Activities = []scheduling.Activity{{Kind: scheduling.Meal, Start: start.Add(4 * time.Hour), End: start.Add(5 * time.Hour)}}
			}
			r.Shifts = append(r.Shifts, s)
		}
	}
	holidays := calendar.NewHolidays("test", []calendar.Holiday{{Date: calendar.Date{Year: 2026, Month: 10, Day: 1}, Kind: calendar.Statutory, Name: "国庆节"}})
	out := exports.RosterOf("露米天猫 9/28–10/11 班表", r, people, holidays, loc)
	out.Simulated = true
	out.Notes = []string{"10/1 20:00 缺 2 人:夜班人数已到上限,详见求解说明。"}
	return out
}
