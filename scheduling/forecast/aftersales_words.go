package forecast

import (
	"fmt"
	"math"
)

// Says describes a kernel to a planner: how many contacts an order brings, when they come, and whether
// that is learned from the history or assumed.
func (k LagKernel) Says() string {
	if !(k.Mass > 0) {
		return fmt.Sprintf("%s: orders bring none", k.Tag)
	}
	peak, most := 0, 0.0
	for lag, p := range k.Shares {
		if p > most {
			peak, most = lag, p
		}
	}
	who := "when they come is learned too"
	switch {
	case k.Information < 1.0/3:
		who = "when they come is mostly assumed (" + k.Prior + ")"
	case k.Information < 2.0/3:
		who = "when they come is half learned, half assumed (" + k.Prior + ")"
	}
	return fmt.Sprintf("%s: %s of 100 orders ask; most on %s, half by %s, eight of ten from %s to %s after the order; learned from %.0f contacts on %d days, %s",
		k.Tag, rate(100*k.Mass), dayAfter(peak), dayAfter(k.by(0.5)), dayAfter(k.by(0.1)), dayAfter(k.by(0.9)), k.Contacts, k.Days, who)
}

// by is the day after the order by which a part of the contacts has come.
func (k LagKernel) by(part float64) int {
	sum := 0.0
	for lag, p := range k.Shares {
		if sum += p; sum >= part*k.Mass*(1-1e-12) {
			return lag
		}
	}
	return len(k.Shares) - 1
}

func dayAfter(lag int) string { return fmt.Sprintf("D+%d", lag) }

// rate writes two digits that matter.
func rate(x float64) string {
	if x <= 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return fmt.Sprint(x)
	}
	decimals := max(0, 1-int(math.Floor(math.Log10(x))))
	return fmt.Sprintf("%.*f", min(decimals, 6), x)
}
