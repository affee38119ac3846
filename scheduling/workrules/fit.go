package workrules

import (
	"github.com/chaoban/chaoban/scheduling"
)

// employedDates: a shift needs a running contract on the day it starts.
func employedDates(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	for _, d := range duties {
		if j.employed[d.Day] || !d.Judged {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(j.frame.span(d.Start, d.End), 1,
			say("%s 不在合同期内", "no contract runs on %s", j.frame.date[d.Day]),
			say("改派他人", "give the shift to somebody else"))
	}
}

// available: leave (劳动法 §45 and its kin) and declared unavailability are kept free.
func available(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	if len(j.away) == 0 {
		return
	}
	for _, d := range duties {
		for _, a := range j.away {
			start, end := max(d.Start, a.start), min(d.End, a.end)
			if start >= end || !d.Judged || d.Session {
				continue
			}
			if out.quickly() {
				return
			}
			out.add(j.frame.span(start, end), hours(end-start),
				say("班次与请假、缺勤或不可用时段重叠%.4g小时", "the shift overlaps leave, an absence or unavailability by %.4g h", hours(end-start)),
				say("改派他人，或撤回请假、撤销缺勤登记", "give the shift to somebody else, or withdraw the leave or the absence on file"))
		}
	}
}

// sessionOverlap: training, meetings and prenatal checks outside the shifts are working time
// (劳动法 §3, §68; 女职工劳动保护特别规定 §6): they count in every sum, and nobody works a shift meanwhile.
func sessionOverlap(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	for _, d := range duties {
		if d.Session {
			continue
		}
		for _, s := range j.sessions {
			start, end := max(d.Start, s.Start), min(d.End, s.End)
			if start >= end || !d.Judged && !s.Judged {
				continue
			}
			if out.quickly() {
				return
			}
			out.add(j.frame.span(start, end), hours(end-start),
				say("班次与培训、会议或产前检查重叠%.4g小时", "the shift overlaps training, a meeting or a prenatal check by %.4g h", hours(end-start)),
				say("调整班次，或改到班次内培训", "move the shift, or train inside it"))
		}
	}
}
