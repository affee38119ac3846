package demo

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// lagKernel is the share of a day's orders that ask for after-sales help k days later: first
// logistics, then returns about a week after receipt (domain facts, lag section).
var lagKernel = [...]float64{0.10, 0.14, 0.13, 0.10, 0.08, 0.07, 0.08, 0.09, 0.07, 0.05, 0.04, 0.02, 0.02, 0.01}

var weekdayFactor = [7]float64{1.06, 1.02, 0.98, 0.97, 0.97, 0.96, 1.04} // Sunday first

// hourly intraday shapes, relative weights per hour of day: the double hump of shop chats.
var shapes = map[scheduling.SkillKind][24]float64{
	scheduling.PreSale:   {6: .1, 7: .2, 8: .6, 9: 1, 10: 1.35, 11: 1.3, 12: 1.2, 13: 1.25, 14: 1.2, 15: 1.15, 16: 1.1, 17: .95, 18: .9, 19: 1.2, 20: 1.7, 21: 1.8, 22: 1.35, 23: .7},
	scheduling.AfterSale: {7: .2, 8: .8, 9: 1.5, 10: 1.7, 11: 1.5, 12: 1.1, 13: 1.2, 14: 1.4, 15: 1.4, 16: 1.3, 17: 1, 18: .8, 19: .9, 20: 1, 21: .9, 22: .6, 23: .3},
}

// demand is the hidden truth of one queue: the expected contacts of any quarter hour.
type demand struct {
	queue    ids.Queue
	kind     scheduling.SkillKind
	base     float64 // contacts of an ordinary day at the start of the demo
	open     [96]bool
	strength float64 // how strongly promotions move this shop
	waves    []wave
	zone     *time.Location
	seed     uint64
}

// wave is one opening of a promotion: demand jumps at Opening and decays until End.
type wave struct {
	opening time.Time
	end     time.Time
	height  float64 // multiple of an ordinary day on the opening day, before strength
}

// dayRNG is the random source of one queue and day, so that any slot can be drawn alone.
func (d demand) dayRNG(date calendar.Date) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(string(d.queue) + date.String()))
	return rand.New(rand.NewPCG(d.seed, h.Sum64()))
}

// promotion is the multiple of an ordinary day.
func (d demand) promotion(date calendar.Date) float64 {
	f := 1.0
	noon := date.In(d.zone).Add(12 * time.Hour)
	for _, w := range d.waves {
		open := calendar.DateOf(w.opening, d.zone)
		switch {
		case date.Before(open), !noon.Before(w.end.Add(7 * 24 * time.Hour)):
		case noon.Before(w.end):
			f = max(f, 1+(w.height-1)*d.strength*math.Exp(-0.8*float64(date.Sub(open))), 1+0.45*d.strength)
		default:
			f *= 1 - 0.12*d.strength*math.Exp(-noon.Sub(w.end).Hours()/72)
		}
	}
	return f
}

// orders is the day level of pre-sales demand without noise.
func (d demand) orders(date calendar.Date) float64 {
	days := float64(date.Sub(calendar.Date{Year: 2024, Month: time.October, Day: 1}))
	trend := 1 + 0.18*days/365
	season := 1 + 0.07*math.Cos(2*math.Pi*(days-45)/365.25)
	return trend * season * weekdayFactor[date.Weekday()] * d.promotion(date) * springFestival(date)
}

// springFestival is the dip around Chinese New Year; first days from the State Council notices.
func springFestival(date calendar.Date) float64 {
	for _, eve := range []calendar.Date{{Year: 2025, Month: time.January, Day: 28}, {Year: 2026, Month: time.February, Day: 16}} {
		switch n := date.Sub(eve); {
		case n >= -6 && n < 0:
			return 0.75
		case n >= 0 && n < 5:
			return 0.35
		case n >= 5 && n < 9:
			return 0.65
		}
	}
	return 1
}

// level is the expected contacts of a day, noise of the day included.
func (d demand) level(date calendar.Date) float64 {
	noise := math.Exp(0.07*d.dayRNG(date).NormFloat64() - 0.07*0.07/2)
	if d.kind == scheduling.PreSale {
		return d.base * d.orders(date) * noise
	}
	sum := 0.0
	for k, share := range lagKernel {
		sum += share * d.orders(date.Add(-k))
	}
	return d.base * sum * noise
}

// slots returns the expected contacts of the 96 quarter hours of a day; closed ones are 0.
func (d demand) slots(date calendar.Date) [96]float64 {
	var out [96]float64
	shape, total := shapes[d.kind], 0.0
	for i := range out {
		if !d.open[i] {
			continue
		}
		hour, part := i/4, float64(i%4)/4
		out[i] = (shape[hour]*(1-part) + shape[(hour+1)%24]*part + 0.02) * d.spike(date, i)
		total += out[i]
	}
	level := d.level(date)
	for i := range out {
		out[i] *= level / total
	}
	return out
}

// spike lifts the first quarter hours after an opening instant (20:00 or 00:00).
func (d demand) spike(date calendar.Date, slot int) float64 {
	at := date.In(d.zone).Add(time.Duration(slot) * calendar.Slot)
	for _, w := range d.waves {
		if since := at.Sub(w.opening); since >= 0 && since < 4*time.Hour && d.kind == scheduling.PreSale {
			return 1 + 3*d.strength*math.Exp(-since.Hours())
		}
	}
	return 1
}

// draw returns counts of the 96 quarter hours of a day: Poisson around a gamma-mixed rate, so
// that slots vary more than Poisson as real chats do.
func (d demand) draw(date calendar.Date) [96]int {
	rng := d.dayRNG(date)
	rng.NormFloat64() // the day's noise, used by level
	var out [96]int
	for i, rate := range d.slots(date) {
		if rate > 0 {
			out[i] = poisson(rng, rate*math.Exp(0.08*rng.NormFloat64()-0.0032))
		}
	}
	return out
}

// poisson draws by inversion below 30 and by rounding a normal above, where they agree closely.
func poisson(rng *rand.Rand, mean float64) int {
	if mean > 30 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())))
	}
	n, p := 0, math.Exp(-mean)
	for u, cum := rng.Float64(), p; u > cum && n < 1000; cum += p {
		n++
		p *= mean / float64(n)
	}
	return n
}
