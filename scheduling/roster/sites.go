package roster

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Site is a place of work whose seats are limited. Whoever has a shift there holds a seat from its start
// to its end: a break, a meal and the gap of a split shift keep it.
type Site struct {
	ID      ids.Site
	Seats   int          // most people at once, 1 or more
	Windows []SeatWindow // hours with fewer or more of them; of several the fewest
}

// SeatWindow is a stretch of the clock with its own number of seats, every day.
type SeatWindow struct {
	From, Until time.Duration // after local midnight; Until before From runs over midnight
	Seats       int           // 0 = closed
}

// At is the number of seats at an instant by the clock of a zone.
func (s *Site) At(t time.Time, zone *time.Location) int {
	local := t.In(zone)
	clock := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
	seats, inside := s.Seats, false
	for _, w := range s.Windows {
		in := w.From <= clock && clock < w.Until
		if w.Until <= w.From {
			in = clock >= w.From || clock < w.Until
		}
		if in && (!inside || w.Seats < seats) {
			seats, inside = w.Seats, true
		}
	}
	return seats
}

// mostSeats is the largest number that validation takes.
const mostSeats = 30000

// problems reports every bad field of a site under a path.
func (s Site) problems(at string, bad *complaints) {
	if problem := ids.Check(string(s.ID)); problem != "" {
		bad.add(at+".id", s.ID, "%s", problem)
	}
	if s.Seats < 1 || s.Seats > mostSeats {
		bad.add(at+".seats", s.Seats, "must be 1 to %d", mostSeats)
	}
	for i, w := range s.Windows {
		where := fmt.Sprintf("%s.windows[%d]", at, i)
		if w.Seats < 0 || w.Seats > mostSeats {
			bad.add(where+".seats", w.Seats, "must be 0 to %d", mostSeats)
		}
		for name, t := range map[string]time.Duration{".from": w.From, ".until": w.Until} {
			if t < 0 || t > 24*time.Hour || !onGrid(t) {
				bad.add(where+name, t, "must be from 0 to 24 h in steps of 5 minutes")
			}
		}
		if w.From == w.Until {
			bad.add(where+".until", w.Until, "must differ from from")
		}
	}
}

// validateSites checks the sites, who works at them, and the least block of a queue.
func (p Problem) validateSites(bad *complaints) {
	seen := map[ids.Site]bool{}
	for i, s := range p.Sites {
		at := fmt.Sprintf("sites[%d]", i)
		s.problems(at, bad)
		if seen[s.ID] {
			bad.add(at+".id", s.ID, "is used twice")
		}
		seen[s.ID] = true
	}
	for i, a := range p.Agents {
		if a.Site != "" && !seen[a.Site] {
			bad.add(fmt.Sprintf("agents[%d].site", i), a.Site, "is not a site of this problem; leave it empty where no seat is needed")
		}
	}
	longest := time.Duration(0)
	for _, t := range p.Templates {
		longest = max(longest, t.Length)
	}
	switch {
	case p.MinBlock < 0 || !onGrid(p.MinBlock):
		bad.add("min_block", p.MinBlock, "must be 0 (off) or more in steps of 5 minutes")
	case p.MinBlock > longest && longest > 0:
		bad.add("min_block", p.MinBlock, "is longer than the longest shift (%s)", hourText(longest))
	}
}

// validateLockedSeats refuses locked shifts that need more seats than there are.
func (p Problem) validateLockedSeats(bad *complaints) {
	for _, x := range p.lockedOverfull() {
		i := slices.IndexFunc(p.Locked, func(s scheduling.Shift) bool { return p.SiteOf()(s.Agent) == x.Site && s.Range().Overlaps(x.Range) })
		bad.add(fmt.Sprintf("locked[%d].start", i), p.Locked[i].Start, "is one of %d people on the %d seats of %s at %s %s",
			x.Seated, x.Seats, x.Site, x.Range.Start.In(p.Location).Format(minuteLayout), heldSays)
	}
}

// lockedOverfull lists where locked shifts, together with what is worked around the range, need more seats than there
// are. A stretch begins in the range, and one without a locked shift is not held against them.
func (p Problem) lockedOverfull() (out []Overfull) {
	if len(p.Locked) == 0 {
		return nil
	}
	siteOf, all := p.SiteOf(), slices.Clone(p.Locked)
	for i := range p.Agents {
		all = append(append(all, p.Agents[i].History...), p.Agents[i].Later...)
	}
	for _, x := range OverSeated(p.Sites, siteOf, all, p.Location) {
		if x.Range.Start.Before(p.Range.Start) {
			x.Range.Start = p.Range.Start.In(p.Location)
		}
		if slices.ContainsFunc(p.Locked, func(s scheduling.Shift) bool { return siteOf(s.Agent) == x.Site && s.Range().Overlaps(x.Range) }) {
			out = append(out, x)
		}
	}
	return out
}

// SeatsRule is the code under which violations name too few seats. It is no rule of the pack: it binds a site, and the
// agent of a violation is who came last.
const SeatsRule = "site.seats"

const minuteLayout = "2006-01-02 15:04"

// seatless are the violations of locked shifts that need more seats than there are, each of the agent whose shift
// begins last of those in the stretch.
func (p Problem) seatless() (out []workrules.Violation) {
	siteOf := p.SiteOf()
	for _, x := range p.lockedOverfull() {
		last := scheduling.Shift{}
		for _, s := range p.Locked {
			later := cmp.Or(s.Start.Compare(last.Start), cmp.Compare(s.Agent, last.Agent)) > 0
			if siteOf(s.Agent) == x.Site && s.Range().Overlaps(x.Range) && (last.Agent == "" || later) {
				last = s
			}
		}
		from, until := x.Range.Start.In(p.Location).Format(minuteLayout), x.Range.End.In(p.Location).Format(minuteLayout)
		out = append(out, workrules.Violation{
			Rule: SeatsRule, Agent: last.Agent, Range: x.Range, Hard: true, Amount: float64(x.Seated - x.Seats),
			Sentence: workrules.Text{
				ZH: fmt.Sprintf("职场 %s 在 %s 至 %s 有 %d 人，只有 %d 个座位", x.Site, from, until, x.Seated, x.Seats),
				EN: fmt.Sprintf("site %s has %d people on %d seats from %s to %s", x.Site, x.Seated, x.Seats, from, until),
			},
			Fix: workrules.Text{ZH: "换时间、换其他职场或居家的人，或增加座位", EN: "another time, somebody of another site or at home, or one more seat"},
		})
	}
	return out
}

// SiteOf tells where an agent of the problem sits.
func (p Problem) SiteOf() func(ids.Agent) ids.Site {
	at := make(map[ids.Agent]ids.Site, len(p.Agents))
	for _, a := range p.Agents {
		at[a.Person.ID] = a.Site
	}
	return func(id ids.Agent) ids.Site { return at[id] }
}

// Overfull is a stretch in which more people sit at a site than it has seats.
type Overfull struct {
	Site   ids.Site
	Range  calendar.Range
	Seats  int // the fewest of the stretch
	Seated int // the most of the stretch
}

// OverSeated lists where shifts need more seats than their sites have, by site as given, then time.
// siteOf is the site of an agent; shifts of agents elsewhere are left out.
func OverSeated(sites []Site, siteOf func(ids.Agent) ids.Site, shifts []scheduling.Shift, zone *time.Location) (out []Overfull) {
	own := map[ids.Site][]scheduling.Shift{}
	for _, s := range shifts {
		if site := siteOf(s.Agent); site != "" {
			own[site] = append(own[site], s)
		}
	}
	for i := range sites {
		out = append(out, sites[i].overSeated(own[sites[i].ID], zone)...)
	}
	return out
}

func (s *Site) overSeated(shifts []scheduling.Shift, zone *time.Location) (out []Overfull) {
	change := map[time.Time]int{}
	var times []time.Time
	for _, x := range shifts {
		change[x.Start.UTC()]++
		change[x.End.UTC()]--
		times = append(times, x.Start.UTC(), x.End.UTC())
	}
	slices.SortFunc(times, time.Time.Compare)
	times = slices.Compact(times)
	seated := 0
	for i, t := range times {
		if seated += change[t]; i == len(times)-1 || seated <= s.least() {
			continue
		}
		for from := t; from.Before(times[i+1]); { // seats change on multiples of the finest step
			until := from.Add(finest).Truncate(finest)
			if until.After(times[i+1]) {
				until = times[i+1]
			}
			if seats := s.At(from, zone); seated > seats {
				out = overfull(out, Overfull{s.ID, calendar.Range{Start: from.In(zone), End: until.In(zone)}, seats, seated})
			}
			from = until
		}
	}
	return out
}

// least is the fewest seats of any hour.
func (s *Site) least() int {
	n := s.Seats
	for _, w := range s.Windows {
		n = min(n, w.Seats)
	}
	return n
}

// overfull adds a stretch and joins it to the one before when they touch.
func overfull(out []Overfull, x Overfull) []Overfull {
	if n := len(out); n > 0 && out[n-1].Site == x.Site && out[n-1].Range.End.Equal(x.Range.Start) {
		last := &out[n-1]
		last.Range.End, last.Seats, last.Seated = x.Range.End, min(last.Seats, x.Seats), max(last.Seated, x.Seated)
		return out
	}
	return append(out, x)
}

// compileSites counts the seats that are free for the optimiser: those of the site less those of locked
// shifts and of what lies around the range.
func (m *model) compileSites() {
	index := map[ids.Site]int{}
	for i := range m.p.Sites {
		index[m.p.Sites[i].ID] = i
		row := make([]int16, m.slots)
		for t := range row {
			row[t] = int16(m.p.Sites[i].At(m.at(t), m.p.Location))
		}
		m.free = append(m.free, row)
	}
	m.siteOf = make([]int, len(m.agents))
	siteOf := map[ids.Agent]int{}
	for a := range m.p.Agents {
		agent := &m.p.Agents[a]
		m.siteOf[a] = -1
		if i, ok := index[agent.Site]; ok {
			m.siteOf[a], siteOf[agent.Person.ID] = i, i
		}
		for _, s := range slices.Concat(agent.History, agent.Later) {
			m.takeSeat(m.siteOf[a], s)
		}
	}
	for _, s := range m.p.Locked {
		if i, ok := siteOf[s.Agent]; ok {
			m.takeSeat(i, s)
		}
	}
}

// takeSeat takes the seat of a shift that nobody can change.
func (m *model) takeSeat(site int, s scheduling.Shift) {
	if site < 0 {
		return
	}
	from := int(s.Start.Sub(m.p.Range.Start) / m.grid)
	until := int((s.End.Sub(m.p.Range.Start) + m.grid - 1) / m.grid)
	for t := max(0, from); t < min(until, m.slots); t++ {
		m.free[site][t]--
	}
}

// sit takes (by 1) or gives back (by -1) the seat of a shift.
func (s *state) sit(a int, o *occurrence, by int16) {
	site := s.m.siteOf[a]
	if site < 0 {
		return
	}
	for t := o.start; t < o.start+o.len; t++ {
		s.seated[site][t] += by
	}
}

// fillFull counts the slots of [lo, hi) in which an agent's site is full, as prefix sums; nil where no
// seat is needed.
func (s *state) fillFull(a, lo, hi int) []int16 {
	site := s.m.siteOf[a]
	if site < 0 {
		return nil
	}
	s.full = append(s.full[:0], 0)
	sum := int16(0)
	for t := lo; t < hi; t++ {
		if s.seated[site][t] >= s.m.free[site][t] {
			sum++
		}
		s.full = append(s.full, sum)
	}
	return s.full
}

// room reports whether an agent has a seat for a shift.
func (s *state) room(a int, o *occurrence) bool {
	site := s.m.siteOf[a]
	if site < 0 {
		return true
	}
	for t := o.start; t < o.start+o.len; t++ {
		if s.seated[site][t] >= s.m.free[site][t] {
			return false
		}
	}
	return true
}

// siteName is where an agent sits.
func (s *state) siteName(id ids.Agent) ids.Site {
	for i := range s.m.p.Agents {
		if s.m.p.Agents[i].Person.ID == id {
			return s.m.p.Agents[i].Site
		}
	}
	return ""
}
