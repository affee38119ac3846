// Package simulate is a deterministic discrete-event simulator of an agent pool.
//
// It owns arrivals (rates per slot, spikes, explicit instants), routing (least loaded, then without a ticket
// in hand, then longest idle, among agents on duty with the skill and room for the shop), conversations made
// of rounds, patience, transfers, silent buyers, deferred tickets, and the figures a pool reaches. It is the oracle of the models in package staffing
// and the source of the demo data. A phone call is a conversation of one round with an agent limit
// of one. It does no I/O and does not own forecasts, targets or metrics definitions.
//
// Every time is a time.Duration since the caller's start of the simulation; -1ns (Never) says that
// something did not happen. The same Config gives the same stream on every machine: each queue has
// its own arrival stream and each conversation its own stream of draws, so that two runs which
// differ only in the agents see the same buyers (common random numbers).
package simulate

import "time"

// Never marks an instant that did not come.
const Never time.Duration = -1

// Config is one simulation.
type Config struct {
	Seed    uint64
	Horizon time.Duration // arrivals come in [0, Horizon); what is open then is worked to its end
	Slot    time.Duration // length of one entry of Queue.Rates; needed when any queue has rates
	WarmUp  time.Duration // conversations that arrive earlier are streamed but not counted in Summary
	Queues  []Queue
	Tickets []Tickets // deferred work, done between live conversations
	Agents  []Agent
}

// Shape of a random span.
type Shape uint8

// The shapes.
const (
	Exponential Shape = iota
	Lognormal         // with coefficient of variation Span.CV
	Constant
)

// Span is a random duration. A zero Mean is always 0.
type Span struct {
	Mean  time.Duration
	Shape Shape
	CV    float64 // standard deviation over mean, Lognormal only
}

// Spike is a burst on top of the rates: Contacts on average from At on, fading exponentially.
type Spike struct {
	At       time.Duration
	Contacts float64       // mean number in the whole burst
	Decay    time.Duration // time constant; 63 % of the burst comes within one Decay
}

// Queue is one stream of conversations.
type Queue struct {
	Rates    []float64       // mean arrivals per slot; slots after the last have none
	Spikes   []Spike         // on top of Rates
	Instants []time.Duration // explicit arrivals on top of both, ascending
	Shop     int             // whose queue it is, for Agent.MaxShops; any number
	Priority int             // a freed agent takes the highest priority first, then the longest wait

	Rounds float64 // mean rounds per conversation, geometric from 1; 0 means 1
	Work   Span    // agent's own attention per round: read, look up, write
	Think  Span    // buyer's pause between a reply and the next question
	Linger Span    // how long a finished conversation still occupies the agent's slot

	LongPause     float64       // share of pauses that are long ones, e.g. the buyer compares shops
	LongPauseTime Span          // the extra time of a long pause
	Silent        float64       // share of replies after which an unfinished buyer never comes back
	SilentTimeout time.Duration // how long such a conversation holds its slot before it is closed

	Patience           Span // until a conversation is taken up; zero Mean = for ever
	PatienceUntilReply bool // patience runs until the first reply is being written, not only until assignment

	Transfer   float64 // share of conversations handed to queue TransferTo after their first reply
	TransferTo int     // index of that queue

	BuyerMessages float64 // mean messages of the buyer per round, at least 1; 0 means 1
	AgentMessages float64 // mean messages of the agent per reply, at least 1; 0 means 1

	Rated          float64       // share of ended conversations that leave a rating
	Satisfied      float64       // share of ratings of 4 or 5 when the first reply is immediate
	WaitAnnoyance  float64       // log-odds of a good rating (and of resolution) lost per minute of mean reply time
	Resolved       float64       // share resolved when replies are immediate
	FirstWithin    time.Duration // limit of the first-response share in Summary
	ResponseWithin time.Duration // limit of the every-round share in Summary
}

// Interval is a half-open span of the simulation, [Start, End).
type Interval struct{ Start, End time.Duration }

// Agent is one server.
type Agent struct {
	Queues   []int      // indices of the queues the agent can serve
	Tickets  []int      // indices of the ticket streams the agent works on between replies
	Limit    int        // most conversations open at once; 0 means 1
	Duty     []Interval // ascending, disjoint; nil = always. Off duty takes nothing new but finishes what is open
	Overflow []int      // of further queues, served only while nobody whose Queues hold them has room
	Speed    float64    // multiplies work time (1.3 = a third slower); 0 means 1
	Slowdown float64    // work time grows by this share per further open conversation
	// Pace multiplies work time while 1, 2, ... conversations are open; the last entry holds for more.
	// It is AHT(c) as measured and stands in place of Slowdown; nil = Slowdown.
	Pace     []float64
	MaxShops int // most shops with open conversations at once; 0 = no limit
}

// Outcome says how a conversation ended.
type Outcome uint8

// The outcomes.
const (
	Completed Outcome = iota // all rounds answered
	WentQuiet                // the buyer never came back after a reply
	Abandoned                // the buyer left while waiting to be taken up
	Unserved                 // nobody on duty ever took it and the buyer never left
)

// Round is one question and its reply.
type Round struct {
	Opened        time.Duration // buyer's first message of the round
	Started       time.Duration // agent turns to it; Never when it was not answered
	Answered      time.Duration // reply sent; Never when it was not answered
	Agent         int           // who answered; -1 = nobody
	BuyerMessages int
	AgentMessages int
}

// Conversation is one record of the stream, in order of ending. Rounds is only valid during the
// callback: copy it to keep it.
type Conversation struct {
	Queue         int // that it arrived in
	Number        int // 0-based order of arrival within its queue
	Agent         int // last agent; -1 = never taken up
	FirstAgent    int // differs from Agent only after a transfer
	Outcome       Outcome
	Arrived       time.Duration
	Assigned      time.Duration // first taken up; Never when it was not
	Transferred   time.Duration // handed over; Never when it was not
	Ended         time.Duration
	OpenAtStart   int // conversations its first agent had open, itself included
	Rounds        []Round
	BuyerMessages int
	AgentMessages int
	Rating        int // 1 to 5, 0 = not rated
	Resolved      bool
}

// FirstResponse is the time from arrival to the first reply, or Never.
func (c *Conversation) FirstResponse() time.Duration {
	if len(c.Rounds) == 0 || c.Rounds[0].Answered == Never {
		return Never
	}
	return c.Rounds[0].Answered - c.Arrived
}
