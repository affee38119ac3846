package chatlog

import "slices"

// BotOnly reports a conversation that a bot ended alone (机器人独立接待): the buyer asked, a bot replied, no person wrote,
// the buyer was handed to nobody, and the log does not say that the buyer gave up waiting for a
// person. header is what t was assembled from, nil for none. The warehouse's SQL repeats it.
func BotOnly(header *Conversation, t Timeline) bool {
	if !t.Asked() || header != nil && header.Abandoned || !t.AnsweredAt.IsZero() {
		return false
	}
	has := func(kinds ...EventKind) bool {
		return slices.ContainsFunc(t.Events, func(e Event) bool { return slices.Contains(kinds, e.Kind) })
	}
	return has(BotMessage) && !has(Handover, Transfer, AgentMessage)
}
