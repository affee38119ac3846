package staffing

import (
	"math"
	"strconv"

	"github.com/chaoban/chaoban/scheduling"
)

// Worth is what each of some heads saves, as a falling curve: the least concave curve over what n of them save, at n = 0
// and where worthPoints looks. A service level first falls off slowly when heads are missing, then off a cliff, and then there is
// little left to lose; on the way down from the cliff every head counts the same, as the mean of all on that way. From nobody to
// all heads the curve adds up to what they save. saved is asked for the points only; it need not be monotone, and counts as 0 for
// nobody.
func Worth(heads int, saved func(heads int) float64) []scheduling.Step {
	points := worthPoints(heads, worthParts)
	values := make([]float64, len(points))
	for i, n := range points {
		values[i] = saved(n)
	}
	return envelope(points, values)
}

// worthParts are the parts of all heads at which a curve of worth is looked at, beside all of them and one fewer. With them the
// curve is nowhere more than a twentieth of the whole below the one through every number (test).
var worthParts = []float64{0.3, 0.5, 0.7, 0.85, 0.95}

// halfWorth are those of slots that are followed only for what the slot before left: every point is another hour to follow.
var halfWorth = []float64{0.5}

// worthPoints are the numbers of heads, ascending, at which a curve of worth is looked at.
func worthPoints(heads int, parts []float64) (out []int) {
	last := 0
	for _, part := range parts {
		if n := int(math.Round(part * float64(heads))); n > last && n < heads-1 {
			out, last = append(out, n), n
		}
	}
	for n := max(1, heads-1); n <= heads; n++ {
		out = append(out, n)
	}
	return out
}

// few is the share within the limit that fewer heads reach, at the points of a curve of worth up to two heads less than all.
type few struct {
	parts  []float64
	shares []float64
}

// few asks for these shares; none without a price.
func (s *sizer) few(heads int, parts []float64, share func(heads int) float64) few {
	out := few{parts: parts}
	if s.in.Target.PenaltyPerMissedContact == 0 {
		return out
	}
	for _, n := range worthPoints(heads, parts) {
		if n < heads-1 {
			out.shares = append(out.shares, share(n))
		}
	}
	return out
}

// between stands in for f on [low, high] with the straight line between its ends.
func between(low, high float64, f func(float64) few) func(float64) few {
	from, to := f(low), f(high)
	return func(x float64) few {
		out, part := few{from.parts, make([]float64, len(from.shares))}, (x-low)/(high-low)
		for i := range out.shares {
			out.shares[i] = (1-part)*from.shares[i] + part*to.shares[i]
		}
		return out
	}
}

// worth is the curve of a sized slot.
func (s *sizer) worth(g *sized) []scheduling.Step {
	heads, price := g.reached.Heads, s.in.Target.PenaltyPerMissedContact*g.reached.Contacts
	if price == 0 || heads == 0 {
		return nil
	}
	points := worthPoints(heads, g.few.parts)
	saved := append(make([]float64, 0, len(points)), g.few.shares...)
	if heads > 1 {
		saved = append(saved, g.fewer)
	}
	saved = append(saved, g.reached.Share)
	for i := range saved {
		saved[i] *= price
	}
	return envelope(points, saved)
}

// envelope is the upper concave hull of the points with the origin (Andrew's monotone chain), without what falls.
func envelope(heads []int, saved []float64) []scheduling.Step {
	type point struct {
		heads int
		saved float64
	}
	hull := []point{{}}
	for i, n := range heads {
		p := point{n, max(saved[i], hull[len(hull)-1].saved)}
		for len(hull) > 1 {
			a, b := hull[len(hull)-2], hull[len(hull)-1]
			if (b.saved-a.saved)*float64(p.heads-a.heads) > (p.saved-a.saved)*float64(b.heads-a.heads) {
				break
			}
			hull = hull[:len(hull)-1]
		}
		hull = append(hull, p)
	}
	var out []scheduling.Step
	for i := 1; i < len(hull); i++ {
		out = extend(out, hull[i].heads, (hull[i].saved-hull[i-1].saved)/float64(hull[i].heads-hull[i-1].heads))
	}
	if len(out) > 0 && out[0].Value == 0 {
		return nil // nothing to lose
	}
	return out
}

// onTop is the sum of two curves over the same heads: each head saves in both.
func onTop(a, b []scheduling.Step) (out []scheduling.Step) {
	for len(a)+len(b) > 0 {
		var s scheduling.Step
		for _, c := range [][]scheduling.Step{a, b} {
			if len(c) > 0 {
				s.Value += c[0].Value
				if s.Heads == 0 || c[0].Heads < s.Heads {
					s.Heads = c[0].Heads
				}
			}
		}
		for _, c := range []*[]scheduling.Step{&a, &b} {
			if len(*c) > 0 && (*c)[0].Heads == s.Heads {
				*c = (*c)[1:]
			}
		}
		out = extend(out, s.Heads, s.Value)
	}
	return out
}

// beside is the curve of a need with extra heads that save as much as the mean of its own.
func beside(n scheduling.Need, extra int) (out []scheduling.Step) {
	mean, before, moved := n.Saved(float64(n.Heads))/float64(n.Heads), 0, 0
	for _, s := range n.Worth {
		if s.Value < mean && moved == 0 {
			out, moved = extend(out, before+extra, mean), extra
		}
		out, before = extend(out, s.Heads+moved, s.Value), s.Heads
	}
	if moved == 0 && len(n.Worth) > 0 { // all are worth the mean
		out = extend(out, before+extra, mean)
	}
	return out
}

// apart is the curve of one of equal parts of a slot.
func apart(c []scheduling.Step, parts int) (out []scheduling.Step) {
	for _, s := range c {
		out = extend(out, s.Heads, s.Value/float64(parts))
	}
	return out
}

// extend appends a step with six digits of its value: more is noise, and a plan stores thousands of steps.
func extend(c []scheduling.Step, heads int, value float64) []scheduling.Step {
	value, _ = strconv.ParseFloat(strconv.FormatFloat(value, 'g', 6, 64), 64)
	if k := len(c); k > 0 && c[k-1].Value == value {
		c[k-1].Heads = heads
		return c
	}
	return append(c, scheduling.Step{Heads: heads, Value: value})
}
