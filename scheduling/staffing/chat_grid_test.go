package staffing_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/chaoban/chaoban/scheduling/staffing"
)

// accuracyCase is one case of the grid on which the fast chat model is held against the simulator.
type accuracyCase struct {
	number int
	seed   uint64
	agents int
	load   float64 // arrivals over what the agents can finish when they are always full
	chats  staffing.Chats
	shape  dayShape // none for a steady case
	long   bool     // a steady case that forgets slowly, see oracle
}

// The grid is an additive recurrence (Roberts 2018, "The unreasonable effectiveness of quasirandom
// sequences": steps 1/g, 1/g^2, ... with g the real root of g^9 = g + 1), a low-discrepancy set chosen by
// its number of cases alone: nothing in it can be moved to suit a result.
const (
	steadyCases = 160
	movingCases = 80
	gridDims    = 8
	lookedAt    = 1000     // the points after it were looked at while the model was made
	mendedBy    = 2000     // those after it showed the desks with two regimes, for which it was mended
	drawnCases  = 9000     // numbers of the drawn cases
	drawnSeed   = 20261123 // of the grid that was drawn when the model was finished
)

func point(i int) (u [gridDims]float64) {
	g := 1.5
	for range 60 {
		g = math.Pow(1+g, 1.0/(gridDims+1))
	}
	step := 1.0
	for d := range u {
		step /= g
		_, u[d] = math.Modf(0.5 + float64(i)*step)
	}
	return u
}

func geometric(lo, hi, u float64) float64 { return lo * math.Pow(hi/lo, u) }

// accuracyGrid is the cases after a number of points of the sequence.
func accuracyGrid(after int) []accuracyCase {
	var grid []accuracyCase
	for i := range steadyCases + movingCases {
		grid = append(grid, gridCase(after+i+1, i, point(after+i+1)))
	}
	return grid
}

// drawnGrid is the cases of a seed, each drawn by itself: a grid that shares nothing with the sequence.
func drawnGrid(seed uint64) []accuracyCase {
	random := rand.New(rand.NewPCG(seed, 0))
	var grid []accuracyCase
	for i := range steadyCases + movingCases {
		var u [gridDims]float64
		for d := range u {
			u[d] = random.Float64()
		}
		grid = append(grid, gridCase(drawnCases+i+1, i, u))
	}
	return grid
}

// gridCase is the i-th case of a grid from a point of the unit cube.
func gridCase(number, i int, u [gridDims]float64) accuracyCase {
	c := accuracyCase{
		number: number, seed: uint64(1000 * number),
		agents: int(math.Round(geometric(1, 200, u[1]))), load: 0.5 + 0.7*u[2],
		chats: staffing.Chats{
			Interval: time.Hour, Concurrency: 1 + int(8*u[0]),
			HandleTime: seconds(math.Round(geometric(120, 900, u[3]))),
			Overhead:   math.Round(100*(0.1+0.7*u[4])) / 100,
			Rounds:     math.Round(10*geometric(1, 12, u[5])) / 10,
			Patience:   seconds(math.Round(geometric(30, 600, u[6]))),
			Slowdown:   []float64{0, 0.03, 0.08}[int(3*u[7])],
		},
	}
	c.chats.Contacts = c.load * float64(c.agents) * 3600 * c.chats.Capacity()
	if i >= steadyCases {
		c.shape = dayShapes[i%len(dayShapes)]
	}
	return c
}

func (c accuracyCase) String() string {
	return fmt.Sprintf("#%d k=%d agents=%d load=%.2f AHT=%s own=%.2f rounds=%.1f patience=%s slow=%.2f",
		c.number, c.chats.Concurrency, c.agents, c.load, c.chats.HandleTime, c.chats.Overhead, c.chats.Rounds, c.chats.Patience, c.chats.Slowdown)
}

const daySlot = 15 * time.Minute

// daySlotShape is one quarter of an hour of a moving case; shares are of the case's volume and agents.
type daySlotShape struct {
	rate  float64
	spike float64 // contacts of a burst over the slot's volume at rate 1
	after time.Duration
	decay time.Duration
	staff float64
}

func (s daySlotShape) heads(agents int) int { return max(1, int(math.Round(s.staff*float64(agents)))) }

type dayShape []daySlotShape

// The shapes: a hump under constant heads, an opening burst, a burst of three minutes under heads that rise
// for it, and heads that fall by half with the volume (a shift that ends).
var dayShapes = []dayShape{
	{{rate: 0.6, staff: 1}, {rate: 0.8, staff: 1}, {rate: 1.1, staff: 1}, {rate: 1.3, staff: 1}, {rate: 1.1, staff: 1}, {rate: 0.8, staff: 1}, {rate: 0.6, staff: 1}, {rate: 0.4, staff: 1}},
	{{rate: 0.5, spike: 0.5, decay: 2 * time.Minute, staff: 1}, {rate: 0.8, staff: 1}, {rate: 0.8, staff: 1}, {rate: 0.8, staff: 1}},
	{{rate: 0.5, staff: 0.6}, {rate: 0.5, staff: 0.6}, {rate: 0.7, spike: 0.6, after: 0, decay: 3 * time.Minute, staff: 1}, {rate: 0.8, staff: 1}, {rate: 0.6, staff: 0.7}, {rate: 0.5, staff: 0.6}},
	{{rate: 1, staff: 1}, {rate: 1, staff: 1}, {rate: 0.9, staff: 1}, {rate: 0.6, staff: 0.5}, {rate: 0.5, staff: 0.5}, {rate: 0.4, spike: 0.2, after: 5 * time.Minute, decay: time.Minute, staff: 0.5}},
}
