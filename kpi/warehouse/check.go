package warehouse

import (
	"fmt"
	"math"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

const (
	maxFields = 100                   // bad rows listed in one error
	firstUnix = 0                     // 1970, the first instant a day column can hold
	lastUnix  = int64(math.MaxUint32) // 2106, the last instant a slot column can hold
	longest   = unknown*time.Millisecond - 1
)

// check refuses what the tables cannot hold; the domain's own rules are chatlog's Validate.
func (b Batch) check() error {
	if b.ID == "" {
		return fault.New(fault.Invalid, "warehouse.batch", "the batch has no id")
	}
	events, _ := b.eventCount()
	if max(len(b.Conversations), len(b.States), len(b.Contacts), events, len(b.Orders), len(b.Tickets), len(b.Figures)) > maxRows {
		return fault.New(fault.TooLarge, "warehouse.batch_size", "a batch holds at most %d rows of a kind; split it", maxRows)
	}
	var bad []fault.Field
	note := func(kind string, row int, problem string) {
		if problem != "" && len(bad) < maxFields {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("%s[%d]", kind, row), Problem: problem})
		}
	}
	for i := range b.Conversations {
		note("conversations", i, Problem(&b.Conversations[i]))
	}
	for i := range b.States {
		note("states", i, Problem(&b.States[i]))
	}
	for i := range b.Contacts {
		note("contacts", i, Problem(&b.Contacts[i]))
	}
	for i := range b.Events {
		note("events", i, Problem(&b.Events[i]))
	}
	for i := range b.Orders {
		note("orders", i, Problem(&b.Orders[i]))
	}
	for i := range b.Tickets {
		note("tickets", i, Problem(&b.Tickets[i]))
	}
	for i := range b.Figures {
		note("figures", i, Problem(&b.Figures[i]))
	}
	return fault.Bad("warehouse.batch", "batch", bad)
}

// Problem says why the tables cannot hold a row, which may be good in itself: Ingest refuses a batch
// with such a row as a whole. "" means that they can. row points to one of the kinds of rows of a Batch.
func Problem(row any) string {
	switch row := row.(type) {
	case *chatlog.Conversation:
		return conversationProblem(row)
	case *chatlog.AgentState:
		return stateProblem(row)
	case *chatlog.Contacts:
		return contactsProblem(row)
	case *chatlog.Event:
		return eventProblem(row)
	case *chatlog.OrderEvent:
		return orderProblem(row)
	case *chatlog.Ticket:
		return ticketProblem(row)
	case *chatlog.DailyFigure:
		return figureProblem(row)
	}
	return "is of no kind that is known here"
}

func stateProblem(s *chatlog.AgentState) string {
	switch length := s.End.Sub(s.Start); {
	case s.Agent == "" || s.State == "":
		return "has no agent or no state"
	case length < 0 || length > longest:
		return "ends before it starts or lasts more than 49 days"
	}
	return instantProblem(s.Start)
}

func contactsProblem(c *chatlog.Contacts) string {
	switch {
	case c.Merchant == "" || c.Queue == "":
		return "has no merchant or no queue"
	case c.Slot < time.Second || c.Slot > longest || c.HandleTime < 0 || c.HandleTime > longest || !(c.Offered >= 0):
		return "has a slot, handling time or count out of range"
	}
	return instantProblem(c.Start)
}

func conversationProblem(c *chatlog.Conversation) string {
	fits := func(d time.Duration) bool { return d >= 0 && d <= longest }
	switch {
	case c.Merchant == "" || c.ID == "":
		return "has no merchant or no id"
	case !c.AnsweredAt.IsZero() && !fits(c.AnsweredAt.Sub(c.StartedAt)),
		!c.EndedAt.IsZero() && !fits(c.EndedAt.Sub(c.StartedAt)), !fits(c.HandleTime):
		return "has a duration that is negative or longer than 49 days"
	case !c.BotAnsweredAt.IsZero() && !fits(c.BotAnsweredAt.Sub(c.StartedAt).Abs()):
		return "has a reply by a bot more than 49 days from its start"
	case uint(c.AgentMessages) > math.MaxUint32 || uint(c.BuyerMessages) > math.MaxUint32:
		return "has a message count out of range"
	case c.Rating != nil && (*c.Rating < 1 || *c.Rating > 5):
		return "has a rating outside 1 to 5"
	}
	for _, r := range c.Rounds {
		if !fits(r.OpenedAt.Sub(c.StartedAt)) || !r.AnsweredAt.IsZero() && !fits(r.AnsweredAt.Sub(r.OpenedAt)) {
			return "has a round out of order"
		}
	}
	return instantProblem(c.StartedAt)
}

func eventProblem(e *chatlog.Event) string {
	switch {
	case e.Merchant == "" || e.Conversation == "" || e.ID == "":
		return "has no merchant, no conversation or no id"
	case eventKind(e.Kind) == 0:
		return "has an unknown kind"
	case e.Score < 0 || e.Score > 5 || e.Kind == chatlog.RatingGiven && e.Score == 0:
		return "has a score outside 1 to 5"
	}
	return instantProblem(e.At)
}

func orderProblem(o *chatlog.OrderEvent) string {
	switch {
	case o.Merchant == "" || o.Buyer == "":
		return "has no merchant or no buyer"
	case orderKind(o.Kind) == 0:
		return "has an unknown kind"
	}
	return instantProblem(o.At)
}

func ticketProblem(t *chatlog.Ticket) string {
	if t.Merchant == "" || t.ID == "" {
		return "has no merchant or no id"
	}
	for _, at := range []time.Time{t.DueAt, t.ClosedAt} {
		if problem := instantProblem(at); !at.IsZero() && problem != "" {
			return problem
		}
	}
	return instantProblem(t.OpenedAt)
}

func instantProblem(t time.Time) string {
	if seconds := t.Unix(); seconds < firstUnix || seconds > lastUnix-49*86400 {
		return "has an instant outside 1970 to 2105"
	}
	return ""
}
