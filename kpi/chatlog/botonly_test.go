package chatlog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestBotOnly(t *testing.T) {
	at := time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)
	events := func(kinds ...EventKind) (out []Event) {
		for i, k := range kinds {
			out = append(out, Event{Merchant: "m", Conversation: "c", At: at.Add(time.Duration(i) * time.Second), Kind: k})
		}
		return out
	}
	head := func(change func(*Conversation)) *Conversation {
		c := Conversation{Merchant: "m", ID: "c", StartedAt: at, BotAnsweredAt: at.Add(time.Second)}
		change(&c)
		return &c
	}
	for name, c := range map[string]struct {
		header *Conversation
		events []Event
		want   bool
	}{
		"buyer and bot":               {nil, events(BuyerMessage, BotMessage, BuyerMessage, BotMessage, Ended), true},
		"a person too":                {nil, events(BuyerMessage, BotMessage, AgentMessage), false},
		"handed over, nobody came":    {nil, events(BuyerMessage, BotMessage, Handover, Ended), false},
		"transferred":                 {nil, events(BuyerMessage, BotMessage, Transfer), false},
		"a welcome is no bot":         {nil, events(BuyerMessage, Welcome, Ended), false},
		"nobody":                      {nil, events(BuyerMessage, Ended), false},
		"a header with the bot alone": {head(func(*Conversation) {}), nil, true},
		"a header that was answered":  {head(func(c *Conversation) { c.AnsweredAt = at.Add(time.Minute) }), nil, false},
		"gave up waiting":             {head(func(c *Conversation) { c.Abandoned = true }), nil, false},
		"a round that was answered":   {head(func(c *Conversation) { c.Rounds = []Round{{OpenedAt: at, AnsweredAt: at.Add(time.Minute)}} }), nil, false},
		"messages win over a header":  {head(func(*Conversation) {}), events(BuyerMessage, Ended), false},
	} {
		assert.Equal(t, c.want, BotOnly(c.header, Assemble(c.header, c.events)), name)
	}
}
