package workrules

import (
	"time"

	"github.com/chaoban/chaoban/scheduling"
)

// shiftOverlap: one shift at a time. Not law, arithmetic.
func shiftOverlap(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	for i := 1; i < len(duties); i++ {
		a, b := &duties[i-1], &duties[i]
		if b.Start >= a.End || !a.Judged && !b.Judged || a.Session || b.Session {
			continue
		}
		if out.quickly() {
			return
		}
		end := min(a.End, b.End)
		out.add(j.frame.span(b.Start, end), hours(end-b.Start),
			say("两个班次重叠%.4g小时", "two shifts overlap by %.4g h", hours(end-b.Start)),
			say("取消其中一个班次", "drop one of the two shifts"))
	}
}

// restBlock: house rule; there is no national statutory minimum between shifts.
func restBlock(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	restBetween(j, duties, 0, int32(j.frame.params.RestBlock/time.Minute), out)
}

// restWarn: house rule, soft: above the block, below the recommended 11 h.
func restWarn(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	restBetween(j, duties, int32(j.frame.params.RestBlock/time.Minute), int32(j.frame.params.RestWarn/time.Minute), out)
}

func restBetween(j *Judge, duties []Duty, least, below int32, out *findings) {
	for i := 1; i < len(duties); i++ {
		a, b := &duties[i-1], &duties[i]
		gap := b.Start - a.End
		if a.Day == b.Day && (a.Session || b.Session) {
			continue // training before or after work on the same day is one long day, not a short night
		}
		if gap < least || gap >= below || gap < 0 || !a.Judged && !b.Judged {
			continue
		}
		if out.quickly() {
			return
		}
		if out.counting {
			continue // spares the texts: an optimiser counts this one all the time
		}
		out.add(j.frame.span(a.End, b.Start), hours(below-gap),
			say("两班之间只休息%.4g小时，应不少于%.4g小时", "only %.4g h of rest between two shifts, %.4g h are due", hours(gap), hours(below)),
			say("后一班推迟%.4g小时，或改派他人", "start the later shift %.4g h later or give it to somebody else", hours(below-gap)))
	}
}

// weeklyRestDay: 劳动法 §38. A rest day is a civil day without a minute of work, so the morning
// after a night shift is not one.
func weeklyRestDay(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	f := j.frame
	for i := 0; i < len(duties); {
		week := f.week[duties[i].Day]
		var worked uint8
		judged := false
		if i > 0 { // the tail of a shift that began in the week before
			tail := j.touched(duties[i-1], week)
			worked, judged = tail, tail != 0 && duties[i-1].Judged
		}
		k := i
		for ; k < len(duties) && f.week[duties[k].Day] == week; k++ {
			worked |= j.touched(duties[k], week)
			judged = judged || duties[k].Judged
		}
		if worked == 0x7f && judged {
			if out.quickly() {
				return
			}
			out.add(j.weekRange(duties[i].Day), 1,
				say("%s 所在周没有休息日", "week of %s has no rest day", j.weekFirst(duties[i].Day)),
				say("取消其中一天的班次", "take one day's shift away"))
		}
		i = k
	}
}

// touched is the set of a week's days (bit 0 = first) on which a duty has a minute of work.
func (j *Judge) touched(d Duty, week int32) (set uint8) {
	f := j.frame
	for day := d.Day; int(day) < len(f.date) && f.dayStart[day] < d.End; day++ {
		if f.week[day] != week {
			continue
		}
		set |= 1 << f.ofWeek[day]
	}
	return set
}

// consecutiveDays: house rule; counts civil days on which a shift starts.
func consecutiveDays(j *Judge, _ []Duty, _ []scheduling.Shift, out *findings) {
	limit := int32(j.frame.params.ConsecutiveDays)
	for i := 0; i < len(j.days); {
		k, judged := i+1, j.days[i].judged
		for k < len(j.days) && j.days[k].day == j.days[k-1].day+1 {
			judged = judged || j.days[k].judged
			k++
		}
		if run := int32(k - i); run > limit && judged {
			if out.quickly() {
				return
			}
			out.add(j.frame.span(j.days[i].start, j.days[k-1].end), float64(run-limit),
				say("连续上班%d天，上限%d天", "%d working days in a row, the ceiling is %d", run, limit),
				say("在其中安排至少一天休息", "put a day off inside the run"))
		}
		i = k
	}
}

// nightRun: house rule: not too many night shifts in a row. Civil days on which they start count.
func nightRun(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	limit := int32(j.frame.params.NightRun)
	for i := 0; i < len(duties); {
		if !duties[i].Night {
			i++
			continue
		}
		first, last, run, judged := duties[i], duties[i], int32(1), duties[i].Judged
		for i++; i < len(duties); i++ {
			d := duties[i]
			if d.Day > last.Day+1 {
				break
			}
			if !d.Night {
				continue
			}
			run += d.Day - last.Day
			last, judged = d, judged || d.Judged
		}
		if run <= limit || !judged {
			continue
		}
		if out.quickly() {
			return
		}
		if out.counting {
			continue
		}
		out.add(j.frame.span(first.Start, last.End), float64(run-limit),
			say("连续%d个夜班，上限%d个", "%d night shifts in a row, the ceiling is %d", run, limit),
			say("在其中安排白班或休息", "put a day shift or a day off inside the run"))
	}
}

// holidayAgreed: 劳动法 §40, §44: statutory holidays are days off; work on them is paid 300 % and,
// like overtime, rests on agreement (劳动合同法 §31). Soft: the consent may still be asked for.
func holidayAgreed(j *Judge, duties []Duty, _ []scheduling.Shift, out *findings) {
	for _, d := range duties {
		if !d.Judged {
			continue
		}
		at, minutes, ok := j.statutory(d)
		if !ok {
			continue
		}
		if out.quickly() {
			return
		}
		out.add(at, hours(minutes),
			say("法定节假日上班%.4g小时，尚未同意加班", "%.4g h on a statutory holiday without agreed overtime", hours(minutes)),
			say("先征得同意（按300%%支付），或换到其他日期", "ask for agreement (paid 300%%), or move it to another day"))
	}
}
