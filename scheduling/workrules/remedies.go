package workrules

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// RemedyKind is a way to make a roster legal again.
type RemedyKind string

// The kinds of remedy. The first ones change a shift, the last ones the person.
const (
	StartLater    RemedyKind = "start_later"
	EndEarlier    RemedyKind = "end_earlier"
	MoveLater     RemedyKind = "move_later"
	MoveEarlier   RemedyKind = "move_earlier"
	MoveDay       RemedyKind = "move_day" // works on another day of the week, so the rest day moves
	DropShifts    RemedyKind = "drop_shifts"
	PlanPause     RemedyKind = "plan_pause"
	ChangeQueue   RemedyKind = "change_queue"
	AgreeOvertime RemedyKind = "agree_overtime"
	WithdrawLeave RemedyKind = "withdraw_leave"
	PassExam      RemedyKind = "pass_exam"
	ReadPack      RemedyKind = "read_pack"
)

// ShiftChange is one shift before and after a remedy; an empty After drops it.
type ShiftChange struct {
	Before scheduling.Shift  `json:"before"`
	After  *scheduling.Shift `json:"after,omitempty"`
}

// Remedy is one change that makes a violation go away and breaks no other hard rule: it was tried
// and judged.
type Remedy struct {
	Kind    RemedyKind    `json:"kind"`
	By      time.Duration `json:"by"`    // how much time changes: cut, moved, dropped or planned
	Legal   bool          `json:"legal"` // afterwards the person breaks no hard rule at all
	Changes []ShiftChange `json:"changes,omitempty"`
	Says    Text          `json:"says"`
}

const (
	remedyStep   = 5 * time.Minute
	moveStep     = 30 * time.Minute
	moveFarthest = 6 * time.Hour
	shortest     = time.Hour // a shift is not cut below it
	mostShifts   = 8         // shifts tried per violation, the latest ones
)

// Remedies are the shortest changes of each kind that cure one violation of the case and leave no hard
// rule broken. Where none does so alone (another fault lies elsewhere), they are those that cure this
// one, with Legal false. The shortest comes first; what changes the person and needs a consent last. Each was judged by the whole pack: the violation is gone and no hard rule is
// newly broken or made worse. At most eight shifts, the latest ones, are tried. It is empty when
// the violation is not one of the case or when history alone breaks the rule.
func (c Case) Remedies(v Violation) []Remedy {
	frame := NewFrame(c.Range, c.Holidays, c.Location, c.Params)
	c.Shifts = c.own()
	s := &remedySearch{c: c, frame: frame, judge: NewJudge(frame, c.Person), violation: v}
	s.before = s.judge.Explain(c.Shifts)
	if !slices.ContainsFunc(s.before, s.same) {
		return nil
	}
	involved := s.involved()
	for _, i := range involved {
		s.cuts(i)
		s.moves(i)
		s.days(i)
		s.pauses(i)
		s.queues(i)
	}
	s.drops(involved)
	s.persons()
	// What leaves another hard rule broken is no advice beside what leaves none.
	if slices.ContainsFunc(s.found, func(r Remedy) bool { return r.Legal }) {
		s.found = slices.DeleteFunc(s.found, func(r Remedy) bool { return !r.Legal })
	}
	slices.SortStableFunc(s.found, func(a, b Remedy) int {
		return cmp.Or(cmp.Compare(illegal(a), illegal(b)), cmp.Compare(a.cost(), b.cost()))
	})
	return s.found
}

func illegal(r Remedy) int {
	if r.Legal {
		return 0
	}
	return 1
}

// cost orders remedies: minutes changed, a shift on another day or dropped counts in full, and
// what needs a person's consent is last.
func (r Remedy) cost() time.Duration {
	switch r.Kind {
	case DropShifts:
		return 24*time.Hour + r.By
	case AgreeOvertime, WithdrawLeave, PassExam, ReadPack:
		return 1000 * time.Hour
	}
	return r.By
}

// remedySearch tries changes of one case against one violation.
type remedySearch struct {
	c         Case
	frame     *Frame
	judge     *Judge
	violation Violation
	before    []Violation
	found     []Remedy
}

func (s *remedySearch) same(v Violation) bool {
	return v.Rule == s.violation.Rule && v.Range.Overlaps(s.violation.Range)
}

// involved is the judged shifts at the place of the violation, the latest first.
func (s *remedySearch) involved() (out []int) {
	r := s.violation.Range
	for i := len(s.c.Shifts) - 1; i >= 0 && len(out) < mostShifts; i-- {
		sh := s.c.Shifts[i]
		if s.c.Range.Contains(sh.Start) && !sh.End.Before(r.Start) && !sh.Start.After(r.End) {
			out = append(out, i)
		}
	}
	return out
}

// cures reports that the shifts as changed no longer break the rule at its place and break no
// other hard rule that they did not break before; legal that they break no hard rule any more.
func (s *remedySearch) cures(judge *Judge, shifts []scheduling.Shift) (ok, legal bool) {
	now := judge.Explain(shifts)
	if slices.ContainsFunc(now, s.same) {
		return false, false
	}
	for _, v := range Worse(now, s.before) {
		if v.Hard || v.Rule == s.violation.Rule {
			return false, false
		}
	}
	return true, !HasHard(now)
}

// with is the shifts with one of them replaced.
func (s *remedySearch) with(i int, sh scheduling.Shift) []scheduling.Shift {
	out := slices.Clone(s.c.Shifts)
	out[i] = sh
	slices.SortStableFunc(out, func(a, b scheduling.Shift) int { return a.Start.Compare(b.Start) })
	return out
}

// offer keeps the shortest remedy of each kind.
func (s *remedySearch) offer(r Remedy) {
	i := slices.IndexFunc(s.found, func(o Remedy) bool { return o.Kind == r.Kind })
	switch {
	case i < 0:
		s.found = append(s.found, r)
	case r.Legal != s.found[i].Legal:
		if r.Legal {
			s.found[i] = r
		}
	case r.By < s.found[i].By:
		s.found[i] = r
	}
}

// change offers a shift's replacement when it cures, and reports that no hard rule is left broken.
func (s *remedySearch) change(kind RemedyKind, i int, after scheduling.Shift, by time.Duration, says Text) bool {
	if !s.c.Range.Contains(after.Start) {
		return false
	}
	ok, legal := s.cures(s.judge, s.with(i, after))
	if ok {
		s.offer(Remedy{Kind: kind, By: by, Legal: legal, Changes: []ShiftChange{{s.c.Shifts[i], &after}}, Says: says})
	}
	return ok && legal
}

// cuts finds how much a shift must start later or end earlier.
func (s *remedySearch) cuts(i int) {
	sh := s.c.Shifts[i]
	most := int((sh.End.Sub(sh.Start) - shortest) / remedyStep)
	for _, kind := range []RemedyKind{StartLater, EndEarlier} {
		cut := func(steps int) scheduling.Shift {
			by := time.Duration(steps) * remedyStep
			if kind == StartLater {
				return sh.Within(sh.Start.Add(by), sh.End)
			}
			return sh.Within(sh.Start, sh.End.Add(-by))
		}
		steps := s.least(most, func(steps int) (ok, legal bool) {
			after := cut(steps)
			ok, legal = s.cures(s.judge, s.with(i, after))
			return ok && s.c.Range.Contains(after.Start), legal
		})
		if steps == 0 {
			continue
		}
		by := time.Duration(steps) * remedyStep
		says := say("%s 的班次推迟%s开始", "start the shift of %s %s later", s.clock(sh), by)
		if kind == EndEarlier {
			says = say("%s 的班次提前%s结束", "end the shift of %s %s earlier", s.clock(sh), by)
		}
		s.change(kind, i, cut(steps), by, says)
	}
}

// least is the smallest cut that leaves no hard rule broken, else the smallest that cures, or 0.
func (s *remedySearch) least(most int, try func(steps int) (ok, legal bool)) int {
	if steps := s.leastCut(most, func(steps int) bool { ok, legal := try(steps); return ok && legal }); steps > 0 {
		return steps
	}
	return s.leastCut(most, func(steps int) bool { ok, _ := try(steps); return ok })
}

// leastCut is the smallest number of steps from 1 to most that works, or 0. Cutting more keeps what
// cutting less keeps, so it bisects; only the whole slots of cloud agents are not like that.
func (s *remedySearch) leastCut(most int, works func(steps int) bool) int {
	if s.c.Person.Engagement == Cloud {
		for steps := 1; steps <= most; steps++ {
			if works(steps) {
				return steps
			}
		}
		return 0
	}
	if most < 1 || !works(most) {
		return 0
	}
	low, high := 0, most // low does not work, high does
	for high-low > 1 {
		if mid := (low + high) / 2; works(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// moves shifts a whole shift by the clock, its length kept.
func (s *remedySearch) moves(i int) {
	sh := s.c.Shifts[i]
	for by := moveStep; by <= moveFarthest; by += moveStep {
		if s.change(MoveLater, i, sh.Moved(by), by, say("%s 的班次整体推迟%s", "move the shift of %s %s later", s.clock(sh), by)) {
			break
		}
	}
	for by := moveStep; by <= moveFarthest; by += moveStep {
		if s.change(MoveEarlier, i, sh.Moved(-by), by, say("%s 的班次整体提前%s", "move the shift of %s %s earlier", s.clock(sh), by)) {
			break
		}
	}
}

// days moves a shift to the nearest free day of its week at the same clock time: the rest day of
// the week is swapped.
func (s *remedySearch) days(i int) {
	sh := s.c.Shifts[i]
	local := sh.Start.In(s.c.Location)
	date := calendar.DateOf(sh.Start, s.c.Location)
	day := date.Sub(s.frame.date[0])
	if day < 0 || day >= len(s.frame.date) {
		return
	}
	worked := map[calendar.Date]bool{}
	for _, o := range s.c.Shifts {
		worked[calendar.DateOf(o.Start, s.c.Location)] = true
	}
	first := -int(s.frame.ofWeek[day])
	for _, k := range []int{1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6} {
		to := date.Add(k)
		if k < first || k > first+6 || worked[to] {
			continue
		}
		at := time.Date(to.Year, to.Month, to.Day, local.Hour(), local.Minute(), local.Second(), 0, s.c.Location)
		if s.change(MoveDay, i, sh.Moved(at.Sub(sh.Start)), sh.End.Sub(sh.Start), say("%s 的班次换到 %s", "move the shift of %s to %s", s.clock(sh), to)) {
			return
		}
	}
}

// drops takes away the shortest single shift that cures, or else the latest ones until it does.
func (s *remedySearch) drops(involved []int) {
	for _, i := range involved {
		sh := s.c.Shifts[i]
		if ok, legal := s.cures(s.judge, slices.Delete(slices.Clone(s.c.Shifts), i, i+1)); ok {
			s.offer(Remedy{
				Kind: DropShifts, Legal: legal, By: sh.End.Sub(sh.Start), Changes: []ShiftChange{{Before: sh}},
				Says: say("取消或改派 %s 的班次", "drop the shift of %s or give it to somebody else", s.clock(sh)),
			})
		}
	}
	if slices.ContainsFunc(s.found, func(r Remedy) bool { return r.Kind == DropShifts }) {
		return
	}
	all := Remedy{Kind: DropShifts}
	rest := slices.Clone(s.c.Shifts)
	for _, i := range involved { // descending, so earlier indexes stay true
		sh := s.c.Shifts[i]
		rest = slices.Delete(rest, i, i+1)
		all.Changes, all.By = append(all.Changes, ShiftChange{Before: sh}), all.By+sh.End.Sub(sh.Start)
		if ok, legal := s.cures(s.judge, rest); ok {
			all.Legal = legal
			n := len(all.Changes)
			all.Says = say("取消或改派 %s 起的%d个班次", "drop %[2]d shifts from %[1]s on or give them to others", s.clock(sh), n)
			s.offer(all)
			return
		}
	}
}

func (s *remedySearch) clock(sh scheduling.Shift) string {
	return sh.Start.In(s.c.Location).Format("2006-01-02 15:04")
}

// clockText is a length in whole minutes as "1h30m", "2h" or "45m".
func clockText(d time.Duration) string {
	text := strings.TrimSuffix(d.String(), "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
