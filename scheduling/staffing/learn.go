package staffing

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/chaoban/chaoban/internal/fault"
)

// Observation is one reply as it happened, or several of one agent at one level: work from our own events. Who wants
// the pace of queues rather than of agents names the queue as the agent.
type Observation struct {
	Agent       string  `json:"agent"`
	Open        int     `json:"open"`   // conversations the agent had open when it began the reply, this one included; 1 or more
	WorkSeconds float64 `json:"work_s"` // from turning to the question until the reply was sent, 0 or more; the mean of several
	LagSeconds  float64 `json:"lag_s"`  // from the buyer's question until the reply was sent, 0 or more; the mean of several

	Replies     int     `json:"replies,omitempty"`      // that the row stands for; 0 = one
	WorkSquares float64 `json:"work_squares,omitempty"` // sum of their squared distances to WorkSeconds, s^2
	LagSquares  float64 `json:"lag_squares,omitempty"`  // and to LagSeconds
}

// Level is what replies take with a number of conversations open.
type Level struct {
	Open        int     `json:"open"`
	WorkSeconds float64 `json:"work_s"` // mean work per reply; never falls with Open
	LagSeconds  float64 `json:"lag_s"`  // mean reply lag; never falls with Open
	Replies     int     `json:"replies"`
	Own         float64 `json:"own"` // weight of the agent's own mean of the work in WorkSeconds, [0,1]; the rest is the team's. 1 for the team
}

// Pace is AHT(c) and the reply lag by concurrency, of a team or of one agent, for 1 to most conversations open.
type Pace struct {
	Agent  string  `json:"agent,omitempty"` // empty = the team
	Levels []Level `json:"levels"`          // Open = 1, 2, ...
}

// leastWork is the work, in seconds, below which a reply tells nothing of how work grows.
const leastWork = 1e-3

// Slow is the table for Chats.Slow and Target.Slow: work at each level over that at the first. All are 1 when
// the first is below a millisecond.
func (p Pace) Slow() []float64 {
	out := make([]float64, len(p.Levels))
	for i, l := range p.Levels {
		out[i] = 1
		if first := p.Levels[0].WorkSeconds; i > 0 && first >= leastWork {
			out[i] = max(out[i-1], l.WorkSeconds/first)
		}
	}
	return out
}

// HandleTime is the handle time of a conversation with open others beside it in seconds: rounds replies and the
// buyer's pauses, which do not slow down. pause is the sum of those pauses in seconds.
func (p Pace) HandleTime(open int, rounds, pause float64) float64 {
	return rounds*p.Levels[min(max(open, 1), len(p.Levels))-1].WorkSeconds + pause
}

// Paces is what Learn finds.
type Paces struct {
	Team   Pace   `json:"team"`
	Agents []Pace `json:"agents"` // by name
}

// Learn measures work and reply lag by the number of conversations open, for 1 to most of them, for the team
// and for each agent.
//
// An agent's mean at a level is shrunk to the team's by the empirical Bayes rule of unequal variances: weight
// B = tau^2/(tau^2 + s^2/n) on its own mean, with s^2 the variance within agents and tau^2 the variance between
// them, estimated by moments and cut at 0 (DerSimonian & Laird, Control. Clin. Trials 7 (1986), eq. 8; Morris, JASA 78
// (1983), sec. 1: the James-Stein estimator when all n are alike). An agent who was never seen at a level has the
// team's. Means are then made monotone in the level by weighted least squares (pool adjacent violators; Barlow et
// al. 1972, sec. 1.2): who has more open never takes less per reply. A level that nobody was seen at repeats the
// level below.
//
// The order of the observations does not matter beyond the last digits. Errors: staffing.observations with every
// bad field of the first bad rows.
func Learn(observations []Observation, most int) (Paces, error) {
	if err := checkObservations(observations, most); err != nil {
		return Paces{}, err
	}
	rows := slices.Clone(observations)
	slices.SortStableFunc(rows, func(a, b Observation) int {
		return cmp.Or(cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Open, b.Open), cmp.Compare(a.WorkSeconds, b.WorkSeconds), cmp.Compare(a.LagSeconds, b.LagSeconds))
	})
	var agents []string
	for _, o := range rows {
		if len(agents) == 0 || agents[len(agents)-1] != o.Agent {
			agents = append(agents, o.Agent)
		}
	}
	work := gather(rows, agents, most, func(o Observation) (mean, square float64) { return o.WorkSeconds, o.WorkSquares })
	lag := gather(rows, agents, most, func(o Observation) (mean, square float64) { return o.LagSeconds, o.LagSquares })
	out := Paces{Team: pace("", work.team, lag.team, nil)}
	teamWork, teamLag := monotone(work.team), monotone(lag.team)
	for i, name := range agents {
		ownWork, weights := shrink(work.agents[i], work.team, teamWork, work.between, work.within)
		ownLag, _ := shrink(lag.agents[i], lag.team, teamLag, lag.between, lag.within)
		out.Agents = append(out.Agents, pace(name, ownWork, ownLag, weights))
		for j := range out.Agents[i].Levels {
			out.Agents[i].Levels[j].Replies = work.agents[i][j].count
		}
	}
	return out, nil
}

// cell is the replies of one agent, or of the team, at one level.
type cell struct {
	count  int
	mean   float64
	square float64 // sum of squared distances to the mean
	weight float64 // in monotone regression
}

// add takes in replies with a mean and a sum of squared distances to it (Chan, Golub & LeVeque 1979, eq. 1.5).
func (c *cell) add(count int, mean, square float64) {
	before := float64(c.count)
	c.count += count
	all, d := float64(c.count), mean-c.mean
	c.mean += d * float64(count) / all
	c.square += square + d*d*before*float64(count)/all
	c.weight = all
}

// gathered is one measure by agent and level with its variances.
type gathered struct {
	agents  [][]cell
	team    []cell
	within  []float64 // by level: variance of a reply within an agent
	between []float64 // by level: variance of the agents' true means
}

func gather(rows []Observation, agents []string, most int, value func(Observation) (mean, square float64)) gathered {
	g := gathered{agents: make([][]cell, len(agents)), team: make([]cell, most), within: make([]float64, most), between: make([]float64, most)}
	for i := range g.agents {
		g.agents[i] = make([]cell, most)
	}
	for _, o := range rows {
		i, _ := slices.BinarySearch(agents, o.Agent)
		j := min(o.Open, most) - 1
		mean, square := value(o)
		g.agents[i][j].add(max(1, o.Replies), mean, square)
		g.team[j].add(max(1, o.Replies), mean, square)
	}
	for j := range most {
		g.within[j], g.between[j] = variances(g.agents, j)
	}
	return g
}

// variances within and between agents at a level, by the method of moments.
func variances(agents [][]cell, level int) (within, between float64) {
	var square, count, squares, seen, mean float64
	for _, a := range agents {
		c := a[level]
		n := float64(c.count)
		square += c.square
		count += n
		squares += n * n
		mean += n * c.mean
		if c.count > 0 {
			seen++
		}
	}
	if count <= seen {
		return 0, 0 // one reply each, or none: nothing tells noise from difference
	}
	within = square / (count - seen)
	if seen < 2 {
		return within, 0
	}
	mean /= count
	spread := 0.0
	for _, a := range agents {
		spread += float64(a[level].count) * (a[level].mean - mean) * (a[level].mean - mean)
	}
	return within, max(0, (spread-(seen-1)*within)/(count-squares/count))
}

// shrink pulls an agent's means to the team's. The weights say how much is the agent's own.
func shrink(own, team []cell, teamMeans, between, within []float64) (out []cell, weights []float64) {
	out, weights = make([]cell, len(own)), make([]float64, len(own))
	for j, c := range own {
		if c.count > 0 && between[j] > 0 {
			weights[j] = between[j] / (between[j] + within[j]/float64(c.count))
		}
		out[j] = cell{count: c.count, mean: weights[j]*c.mean + (1-weights[j])*teamMeans[j]}
		// Precision of the shrunk mean, in replies: what the team knows counts for thin agents too.
		out[j].weight = math.Max(float64(c.count), 1)
		if team[j].count == 0 {
			out[j].weight = 0
		}
	}
	return out, weights
}

// monotone is the weighted least squares fit that never falls (pool adjacent violators). Levels without weight
// take the level below, the first ones the first that has any.
func monotone(cells []cell) []float64 {
	type block struct {
		mean, weight float64
		size         int
	}
	var blocks []block
	for _, c := range cells {
		b := block{c.mean, c.weight, 1}
		if c.weight == 0 && len(blocks) > 0 {
			blocks[len(blocks)-1].size++
			continue
		}
		blocks = append(blocks, b)
		for n := len(blocks); n > 1 && (blocks[n-2].weight == 0 || blocks[n-2].mean > blocks[n-1].mean); n = len(blocks) {
			x, y := blocks[n-2], blocks[n-1]
			x.mean = (x.mean*x.weight + y.mean*y.weight) / (x.weight + y.weight)
			x.weight += y.weight
			x.size += y.size
			blocks = append(blocks[:n-2], x)
		}
	}
	var out []float64
	for _, b := range blocks {
		for range b.size {
			out = append(out, b.mean)
		}
	}
	return out
}

func pace(agent string, work, lag []cell, weights []float64) Pace {
	p := Pace{Agent: agent, Levels: make([]Level, len(work))}
	works, lags := monotone(work), monotone(lag)
	for j := range p.Levels {
		p.Levels[j] = Level{Open: j + 1, WorkSeconds: works[j], LagSeconds: lags[j], Replies: work[j].count, Own: 1}
		if weights != nil {
			p.Levels[j].Own = weights[j]
		}
	}
	return p
}

// checkObservations reports the bad fields of at most ten rows.
func checkObservations(rows []Observation, most int) error {
	var bad []fault.Field
	add := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
	}
	if most < 1 || most > MaxConcurrency {
		add("most", most, fmt.Sprintf("must be 1 to %d conversations", MaxConcurrency))
	}
	if len(rows) == 0 {
		add("observations", 0, "must hold at least one reply")
	}
	const shown = 10
	for i, o := range rows {
		path := fmt.Sprintf("observations[%d]", i)
		if o.Open < 1 {
			add(path+".open", o.Open, "must be 1 or more: the conversation replied to is open")
		}
		if !(o.WorkSeconds >= 0) || math.IsInf(o.WorkSeconds, 0) {
			add(path+".work_s", o.WorkSeconds, "must be a number, 0 or more")
		}
		if !(o.LagSeconds >= 0) || math.IsInf(o.LagSeconds, 0) {
			add(path+".lag_s", o.LagSeconds, "must be a number, 0 or more")
		}
		if o.Replies < 0 {
			add(path+".replies", o.Replies, "must be 0 or more")
		}
		if !(o.WorkSquares >= 0 && o.LagSquares >= 0) || math.IsInf(o.WorkSquares+o.LagSquares, 0) {
			add(path+".work_squares", fmt.Sprint(o.WorkSquares, " ", o.LagSquares), "and lag_squares must be numbers, 0 or more")
		}
		if len(bad) >= shown {
			break
		}
	}
	return fault.Bad("staffing.observations", "replies", bad)
}
