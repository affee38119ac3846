package staffing

import (
	"fmt"
	"math"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// RushShape is how the crowd at an opening comes: the share of the contacts between the opening and the end of
// Over that comes beyond an even flow, at a rate that fades exponentially.
type RushShape struct {
	Share float64       `json:"share"` // [0,1]
	Decay time.Duration `json:"decay"` // time constant
}

// DefaultRush is a belief for a quarter hour, until openings of one's own are measured. It is the shape of sales
// after an opening: of Tmall's Double 11 2019 the first 10 billion yuan came within 1m36s, 50 within 12m49s and 100
// within 63m59s (CGTN, 2019-11-11), so about 53 within 15 minutes; a share of 0.5 with 5 minutes lies between what
// the two early marks ask for. Questions are taken to come as sales do.
func DefaultRush() RushShape { return RushShape{Share: 0.5, Decay: 5 * time.Minute} }

// RushFit is what measured openings say.
type RushFit struct {
	RushShape
	Contacts float64 `json:"contacts"` // that were counted
	// Own is the weight of what was counted against the belief, [0,1]; 0 = nothing was counted.
	Own float64 `json:"own"`
}

// rushBelief is how many contacts the belief counts for: with as many of one's own both weigh the same.
const rushBelief = 200.0

// rushDecays are the time constants that are tried, in parts of the time looked at. Beyond its whole length a
// fading flow cannot be told from an even one.
var rushDecays = func() (out []float64) {
	for part := 1.0 / 30; part <= 1; part *= 1.1 {
		out = append(out, part)
	}
	return out
}()

// FitRush estimates a rush from the contacts in equal steps after openings, counts of several openings added up.
// They are a mixture of an even flow and a fading one that ends with the last step. The estimate is the most
// likely one (a multinomial of the steps), with the belief added as 200 contacts of its shape, so that a
// few contacts of one's own do not decide alone. Errors: staffing.rush with every bad field.
func FitRush(counts []float64, step time.Duration, belief RushShape) (RushFit, error) {
	if err := checkRushCounts(counts, step, belief); err != nil {
		return RushFit{}, err
	}
	n := len(counts)
	prior := rushSteps(n, belief.Decay.Seconds()/step.Seconds())
	weighed, sum := make([]float64, n), 0.0
	for i, c := range counts {
		sum += c
		weighed[i] = c + rushBelief*((1-belief.Share)/float64(n)+belief.Share*prior[i])
	}
	best, found := math.Inf(-1), RushFit{RushShape: belief, Contacts: sum}
	if sum == 0 {
		return found, nil
	}
	for _, part := range append([]float64{belief.Decay.Seconds() / step.Seconds() / float64(n)}, rushDecays...) {
		decay := part * float64(n)
		fading := rushSteps(n, decay)
		share := likeliestShare(weighed, fading)
		if l := rushLikelihood(weighed, fading, share); l > best+1e-9 {
			best = l
			found.RushShape = RushShape{Share: share, Decay: time.Duration(decay * float64(step)).Round(time.Second)}
		}
	}
	found.Own = sum / (sum + rushBelief)
	return found, nil
}

// rushSteps is the part of a fading flow in each of n steps, a time constant of so many steps; the sum is 1.
func rushSteps(n int, decay float64) []float64 {
	out := make([]float64, n)
	whole := -math.Expm1(-float64(n) / decay)
	for i := range out {
		out[i] = math.Exp(-float64(i)/decay) * -math.Expm1(-1/decay) / whole
	}
	return out
}

// likeliestShare is the share of the fading flow; the likelihood is concave in it, so the zero of its slope is
// found by halves.
func likeliestShare(counts, fading []float64) float64 {
	even := 1 / float64(len(counts))
	slope := func(share float64) (s float64) {
		for i, c := range counts {
			s += c * (fading[i] - even) / (even + share*(fading[i]-even))
		}
		return s
	}
	low, high := 0.0, 1-1e-9
	if slope(low) <= 0 {
		return 0
	}
	for range 50 {
		if mid := (low + high) / 2; slope(mid) > 0 {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

func rushLikelihood(counts, fading []float64, share float64) (l float64) {
	even := 1 / float64(len(counts))
	for i, c := range counts {
		l += c * math.Log(even+share*(fading[i]-even))
	}
	return l
}

func checkRushCounts(counts []float64, step time.Duration, belief RushShape) error {
	var bad []fault.Field
	add := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
	}
	if len(counts) < 3 || len(counts) > 1440 {
		add("counts", len(counts), "must be 3 to 1440 steps")
	}
	for i, c := range counts {
		if !(c >= 0) || math.IsInf(c, 0) {
			add(fmt.Sprintf("counts[%d]", i), c, "must be a number, 0 or more")
			break
		}
	}
	if step < time.Second || step > time.Hour {
		add("step", step, "must be from 1s to 1h")
	}
	if !(belief.Share >= 0 && belief.Share <= 1) || belief.Decay < time.Second {
		add("belief", fmt.Sprint(belief.Share, " ", belief.Decay), "must have a share from 0 to 1 and a decay of 1s or more")
	}
	return fault.Bad("staffing.rush", "openings", bad)
}
