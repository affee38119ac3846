package people

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// report takes one bad field.
type report func(path string, value any, problem string)

// Validate reports every bad field of the input at once.
func (in Input) Validate() error {
	var bad []fault.Field
	add := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
	}
	in.checkNeeds(add)
	if in.Rule != Additive && in.Rule != Multiplicative {
		add("rule", in.Rule, "must be additive or multiplicative")
	}
	if !(in.Adherence > 0 && in.Adherence <= 1) {
		add("adherence", in.Adherence, "must be a share above 0, at most 1")
	}
	if !(in.OccupancyCap >= 0 && in.OccupancyCap <= 1) {
		add("occupancy_cap", in.OccupancyCap, "must be a share from 0 (none) to 1")
	}
	in.checkCauses(add)
	in.Absence.check(add)
	if in.Shared && in.Absence.Level > 0 {
		add("absence.level", in.Absence.Level, "does not go with shared: a probability of enough people needs whole people")
	}
	in.Ramp.Check("ramp", add)
	heads := 0.0
	for i, c := range in.Team {
		if !(c.Heads >= 0) || math.IsInf(c.Heads, 0) {
			add(fmt.Sprintf("team[%d].heads", i), c.Heads, "must be 0 or more")
		} else if c.TenureWeeks >= 0 {
			heads += c.Heads
		}
	}
	if len(in.Team) > 0 && heads == 0 {
		add("team", len(in.Team), "must have somebody on the queue (tenure_weeks 0 or more), or be left out")
	}
	return fault.Bad("people.input", "people", bad)
}

func (in Input) checkNeeds(add report) {
	for i, n := range in.Needs {
		path := fmt.Sprintf("needs[%d]", i)
		if i > 0 && !in.Needs[i-1].Start.Before(n.Start) {
			add(path+".start", n.Start.Format(time.RFC3339), "is not after the need before it")
		}
		if n.Heads < 0 || n.Heads > MaxHeads {
			add(path+".heads", n.Heads, fmt.Sprintf("must be 0 to %d", MaxHeads))
		}
		if !(n.LoadErlangs >= 0 && n.LoadErlangs <= MaxHeads/10) {
			add(path+".load_erlangs", n.LoadErlangs, fmt.Sprintf("must be 0 to %d", MaxHeads/10))
		}
	}
}

// reserved are the names of lines that are not causes of the input.
var reserved = []string{"required", "occupancy", "ramp", "adherence", "whole people", "absence", "absence reserve"}

func (in Input) checkCauses(add report) {
	names := map[string]bool{}
	for i, c := range in.Causes {
		path := fmt.Sprintf("causes[%d]", i)
		if c.Name == "" || names[c.Name] || slices.Contains(reserved, c.Name) {
			add(path+".name", c.Name, "must be given, unique, and none of the plan's own lines (absence and adherence have fields of their own)")
		}
		names[c.Name] = true
		if c.Stage != InShift && c.Stage != OutOfShift {
			add(path+".stage", c.Stage, "must be in_shift or out_of_shift")
		}
		checkShares(path, c.Share, c.Windows, add)
	}
	if in.Rule != Additive {
		return
	}
	for _, n := range in.Needs {
		total := map[Stage]float64{}
		for _, c := range in.Causes {
			total[c.Stage] += in.local(n.Start).share(c.Share, c.Windows)
		}
		for _, stage := range []Stage{InShift, OutOfShift} {
			if total[stage] > maxShare {
				add("causes", total[stage], fmt.Sprintf("%s shares add up to more than %v at %s: too few would be left; use smaller shares or the multiplicative rule", stage, maxShare, n.Start.Format(time.RFC3339)))
				return
			}
		}
	}
}

// maxShare is the largest part of the people that may be away.
const maxShare = 0.95

func (a Absence) check(add report) {
	checkShares("absence", a.Share, a.Windows, add)
	if !(a.Correlation >= 0 && a.Correlation < 1) {
		add("absence.correlation", a.Correlation, "must be from 0 to below 1")
	}
	if !(a.Level >= 0 && a.Level < 1) {
		add("absence.level", a.Level, "must be a probability from 0 (mean rule) to below 1; no roster is enough for certain")
	}
}

// checkShares reports bad shares and windows.
func checkShares(path string, share float64, windows []Window, add report) {
	check := func(path string, share float64) {
		if !(share >= 0 && share <= maxShare) {
			add(path+".share", share, fmt.Sprintf("must be a share from 0 to %v", maxShare))
		}
	}
	check(path, share)
	for i, w := range windows {
		at := fmt.Sprintf("%s.windows[%d]", path, i)
		check(at, w.Share)
		for _, d := range w.Weekdays {
			if !slices.ContainsFunc(week, func(day time.Weekday) bool { return isWeekday(d, day) }) {
				add(at+".weekdays", d, "must be days such as monday or 周一")
			}
		}
		if _, ok := clock(w.From); w.From != "" && !ok {
			add(at+".from", w.From, "must be a time such as 09:30")
		}
		if _, ok := clock(w.Until); w.Until != "" && !ok {
			add(at+".until", w.Until, "must be a time such as 18:00, at most 24:00")
		}
		if w.From != "" && w.From == w.Until {
			add(at+".until", w.Until, "must differ from from; leave both out for the whole day")
		}
		for j, d := range w.Dates {
			if d.From.IsZero() || !d.Until.IsZero() && !d.From.Before(d.Until) {
				add(fmt.Sprintf("%s.dates[%d]", at, j), fmt.Sprint(d.From, "/", d.Until), "must begin, and before its until")
			}
		}
	}
}

var week = []time.Weekday{time.Sunday, time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday}

// Check reports every bad step of a ramp under a path.
func (r Ramp) Check(path string, add func(path string, value any, problem string)) {
	for i, s := range r {
		at := fmt.Sprintf("%s[%d]", path, i)
		if i > 0 && r[i-1].FromWeek >= s.FromWeek || s.FromWeek < 0 {
			add(at+".from_week", s.FromWeek, "must be 0 or more and above the step before it")
		}
		if !(s.Speed > 0 && s.Speed <= 1.5) {
			add(at+".speed", s.Speed, "must be above 0, at most 1.5")
		}
		if !(s.Complaints > 0 && s.Complaints <= 100) {
			add(at+".complaints", s.Complaints, "must be above 0, at most 100")
		}
	}
}
