package forecast

import (
	"fmt"
	"math"
)

// eventUplifts lists the occurrences that reach into the horizon.
func (e *engine) eventUplifts() []EventUplift {
	out := []EventUplift{}
	v := e.at(e.g.originDay)
	for _, o := range e.coming() {
		u := EventUplift{Family: o.family, Start: o.start, Peak: 1}
		var strongest source
		pooled := false
		for d := max(o.first, e.g.originDay); d < min(o.first+o.length, e.g.days); d++ {
			x := v.expect(o, d)
			u.Past, u.Own = max(u.Past, x.past), max(u.Own, x.own)
			u.Peak = max(u.Peak, math.Exp(x.uplift))
			strongest, pooled = max(strongest, x.source), pooled || x.pooled
		}
		u.Source = sourceName(strongest, u.Own > 0, pooled)
		if o.scale > 0 && o.scale != 1 {
			u.Scale = o.scale
			u.Elasticity, u.Learned = v.elasticity(o)
		}
		out = append(out, u)
	}
	return out
}

func sourceName(s source, own, pooled bool) string {
	switch {
	case s == fromFamily && own && pooled:
		return "family and pool"
	case s == fromFamily && own:
		return "family"
	case s == fromFamily:
		return "pool"
	case s == fromOthers:
		return "other families"
	case s == fromBelief:
		return "belief"
	}
	return "nothing"
}

// coming are the occurrences that reach into the horizon.
func (e *engine) coming() []occurrence {
	var out []occurrence
	for _, o := range e.occ {
		if o.first+o.length > e.g.originDay && o.first < e.g.days {
			out = append(out, o)
		}
	}
	return out
}

// eventDoubts says where the uplift of a coming event rests on little.
func (e *engine) eventDoubts() []string {
	var doubts []string
	say := func(format string, args ...any) { doubts = append(doubts, fmt.Sprintf(format, args...)) }
	coming := e.coming()
	for i, u := range e.eventUplifts() {
		o, at := coming[i], stamp(u.Start)
		if o.builtIn {
			continue
		}
		switch u.Source {
		case "pool":
			say("event %s from %s: this series has no past occurrence of its own; the uplift is that of other series", u.Family, at)
		case "other families":
			say("event %s from %s has no past occurrence; its uplift is borrowed from %d occurrences of other families", u.Family, at, u.Past)
		case "belief":
			say("event %s from %s has no past occurrence and no family like it; its uplift (up to %.1f times) is a rough figure of the trade, not of this data", u.Family, at, u.Peak)
		}
		if u.Scale > 0 && !u.Learned {
			say("event %s from %s is planned at %.2f times the past one; the elasticity %.2f that was applied is an assumption", u.Family, at, u.Scale, u.Elasticity)
		}
		for _, other := range coming[:i] {
			if !other.builtIn && o.first < other.first+other.length && other.first < o.first+o.length {
				say("events %s and %s overlap: on a shared day the stronger one counts, their uplifts are not multiplied", other.family, o.family)
			}
		}
	}
	return doubts
}
