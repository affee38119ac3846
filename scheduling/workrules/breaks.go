package workrules

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// mealRequired: house rule: a long shift holds one meal of at least the minimum length. A shift
// whose activities are not planned yet is not judged.
func mealRequired(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	after, due := int32(j.frame.params.MealAfter/time.Minute), int32(j.frame.params.MealLength/time.Minute)
	for _, d := range duties {
		if !d.Judged || d.Session || d.Pause == notPlanned || d.End-d.Start <= after || d.Meal >= due {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.span(d.Start, d.End), hours(due-d.Meal),
			say("%.4g小时的班次没有足够的用餐时间", "a shift of %.4g h lacks a meal", hours(d.End-d.Start)),
			say("安排%d分钟用餐", "plan a meal of %d minutes", due))
	}
}

// workStretch: house rule: nobody works longer than the stretch without a pause. Time of a shift
// that no activity names is work. A shift whose activities are not planned yet is not judged.
func workStretch(j *Judge, duties []Duty, shifts []scheduling.Shift, out *findings) {
	limit := j.frame.params.WorkStretch
	for i, s := range shifts {
		if !duties[i].Judged || duties[i].Pause == notPlanned || duties[i].Session {
			continue
		}
		at := s.Start
		check := func(until time.Time) (stop bool) {
			r := calendar.Range{Start: at, End: until}
			if r.Duration() <= limit {
				return false
			}
			if out.quickly() {
				return true
			}
			out.add(r, (r.Duration() - limit).Hours(),
				say("连续工作%.4g小时没有休息，上限%.4g小时", "%.4g h of work without a pause, the ceiling is %.4g h", r.Duration().Hours(), limit.Hours()),
				say("在其中安排一次休息", "plan a break inside it"))
			return false
		}
		for _, a := range s.Activities {
			if a.Kind != scheduling.Break && !a.Kind.Unpaid() {
				continue
			}
			if check(a.Start) {
				return
			}
			at = a.End
		}
		if check(s.End) {
			return
		}
	}
}
