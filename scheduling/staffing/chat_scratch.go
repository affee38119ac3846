package staffing

// scratch is the memory that the chains of one table are solved in, so that a plan of many slots asks for it
// once. Seats, weights and balances lie in it and hold until the next are made. One goroutine at a time.
type scratch struct {
	seats               []seat
	chosen              [][]float64 // by open conversations, behind seat.chosen
	rates, weights      []float64   // of the chain of one agent
	asking, away, carry []float64
	starts, joins       []float64
	begun               []float64
	drive, alone        drive
	line, served        []float64
	pooled, counted     tally
	after               refilled
	// By number of conversations, grown as needed.
	spare, before       []float64
	right, pivot, upper []float64
	states              []loads
	deaths              []float64
}

// tally adds up, over a distribution of conversations, what the chain of one agent needs to know.
type tally struct {
	given  []float64 // weight x arrival rate, by open conversations of the agent chosen
	there  []float64 // weight x agents, by open conversations
	line   []float64 // weight x agents in line with the one chosen, by open conversations
	served []float64 // weight x rate at which that line moves
}

func newTally(k int) tally {
	return tally{given: make([]float64, k), there: make([]float64, k+1), line: make([]float64, k), served: make([]float64, k)}
}

func (t tally) clear() {
	clear(t.given)
	clear(t.there)
	clear(t.line)
	clear(t.served)
}

// newScratch is for agents with up to k conversations.
func newScratch(k int) *scratch {
	c := &scratch{
		seats: make([]seat, k+1), chosen: make([][]float64, k+1), weights: make([]float64, index(k, k)+1),
		asking: make([]float64, k), away: make([]float64, k), carry: make([]float64, k+1),
		starts: make([]float64, k+1), joins: make([]float64, k+1), begun: make([]float64, k+1),
		drive: newDrive(k), alone: newDrive(k), line: make([]float64, k), served: make([]float64, k),
		pooled: newTally(k), counted: newTally(k),
	}
	for open := range c.seats {
		c.seats[open].desk, c.seats[open].entry = make([]float64, open+1), make([]float64, open+1)
		c.chosen[open] = make([]float64, open+1)
	}
	return c
}

// sizedBuffer is a buffer of n entries whose contents do not matter; it replaces the one given when that is too short.
func sizedBuffer[T any](buffer *[]T, n int) []T {
	if cap(*buffer) < n {
		*buffer = make([]T, n+n/2)
	}
	*buffer = (*buffer)[:n]
	return *buffer
}
