package intake

import (
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/chatlog/platformfile"
)

// What headers say when they are about calls, and when about chats.
var (
	callSigns = []string{"通话", "来电", "呼入", "电话", "接通", "接听", "挂断", "call", "phone", "talk", "speedofanswer"}
	chatSigns = []string{"会话", "消息", "留言", "chat", "message", "session"}
)

// findChannel decides what conversations without a channel are, because an import takes them for chats,
// of which a row tells no rounds, and a call without its round is missing in every mean over rounds.
func (g *tableGuess) findChannel() {
	says := func(signs []string) bool {
		return slices.ContainsFunc(g.columns, func(f InspectedField) bool {
			return slices.ContainsFunc(signs, func(s string) bool { return strings.Contains(normal(f.Header), s) })
		})
	}
	call, chat := says(callSigns), says(chatSigns)
	switch {
	case call && !chat:
		g.channel = chatlog.Call
		g.doubts = append(g.doubts, "nothing gives channel: call is assumed, by the headers; the wait of a call counts as its one round. Set it to chat if these are chats")
	case chat && !call:
		g.channel = chatlog.Chat
		g.doubts = append(g.doubts, "nothing gives channel: chat is assumed, by the headers; a row of a chat tells no rounds, so means over rounds leave it out. Set it to call if these are calls")
	default:
		g.missing = append(g.missing, "channel")
	}
}

// findSlot takes the smallest step between two rows as the length of a slot.
func (g *tableGuess) findSlot(data []platformfile.Row) {
	from := g.spec["start"].From
	if len(from) != 1 {
		return
	}
	j := slices.IndexFunc(g.columns, func(f InspectedField) bool { return f.Header == from[0] })
	cells, _ := g.cellsOf(data, j, from[0])
	smallest := time.Duration(0)
	var last time.Time
	for _, s := range cells {
		m, problem := parseMoment(s, false)
		t, bad := m.in(time.UTC)
		if problem != "" || bad != "" {
			return
		}
		if step := t.Sub(last); !last.IsZero() && step > 0 && (smallest == 0 || step < smallest) {
			smallest = step
		}
		last = t
	}
	if smallest >= 5*time.Minute && smallest <= 24*time.Hour {
		g.slot = calendar.SlotName(smallest)
		g.doubts = append(g.doubts, "the slots seem to be "+g.slot+" long")
	}
	if f := &g.columns[j]; smallest == 24*time.Hour {
		f.Doubts = slices.DeleteFunc(f.Doubts, func(s string) bool { return s == datesOnly })
	}
}

// figureSigns are parts of headers of figures that are made of many conversations.
var figureSigns = []string{"平均", "率", "人数", "占比", "average", "rate"}

// figures are the headers of such figures when the rows stand for whole days, which makes them no
// conversations and no messages, and when each is of one agent no contact history; empty otherwise.
func (g *tableGuess) figures() (out []string) {
	has := func(ok func(InspectedField) bool) bool { return slices.ContainsFunc(g.columns, ok) }
	switch g.kind {
	case Conversations, Events:
		if !has(func(f InspectedField) bool { return slices.Contains(f.Doubts, datesOnly) }) {
			return nil
		}
	case History:
		if !has(func(f InspectedField) bool { return nameScore(Conversations, "agent", f.Header) > 0.9 }) {
			return nil
		}
	default:
		return nil
	}
	for _, f := range g.columns {
		if slices.ContainsFunc(figureSigns, func(s string) bool { return strings.Contains(normal(f.Header), s) }) {
			out = append(out, f.Header)
		}
	}
	return out
}
