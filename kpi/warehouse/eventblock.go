package warehouse

import (
	"math"
	"time"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// EventBlock is a list of events as columns: a third of the memory of rows, without a pointer for the
// collector to follow, and filled by whoever decodes them, so that several processors share the work.
// The zero value is empty and ready. Not for concurrent use while it is filled.
type EventBlock struct {
	merchant, shop, queue, agent, account names
	conversation, buyer                   texts
	key                                   []uint64
	at                                    []int64 // Unix milliseconds
	kind, score                           []uint8
	closing, invited, simulated           []bool

	text    texts   // of the events that have one,
	textual []int32 // which are these rows
}

// MaxEventBlock is the most events of one block.
const MaxEventBlock = 1 << 16

// Len is how many events there are.
func (b *EventBlock) Len() int { return len(b.key) }

// Append adds an event. It returns what is wrong with one that the tables cannot hold, which is not
// added, and "" otherwise. A block of MaxEventBlock events takes no more.
func (b *EventBlock) Append(e *chatlog.Event) (problem string) {
	if problem = eventProblem(e); problem != "" {
		return problem
	}
	if b.Len() >= MaxEventBlock || len(b.text.bytes)+len(e.Text) > math.MaxUint32 {
		return "does not fit: the block is full"
	}
	b.merchant.add(string(e.Merchant))
	b.shop.add(string(e.Shop))
	b.queue.add(string(e.Queue))
	b.agent.add(string(e.Agent))
	b.account.add(e.Account)
	b.conversation.add(e.Conversation)
	b.buyer.add(e.Buyer)
	b.at = append(b.at, e.At.UnixMilli())
	b.kind = append(b.kind, eventKind(e.Kind))
	b.score = append(b.score, uint8(e.Score))
	b.closing = append(b.closing, e.Closing)
	b.invited = append(b.invited, e.Invited)
	b.simulated = append(b.simulated, e.Simulated)
	if e.Text != "" {
		b.text.add(e.Text)
		b.textual = append(b.textual, int32(b.Len()))
	}
	b.key = append(b.key, e.Key())
	return ""
}

// Place is where an event belongs: its merchant, its conversation, which is the block's own memory, and
// its Unix milliseconds.
func (b *EventBlock) Place(i int) (merchant ids.Merchant, conversation []byte, at int64) {
	return ids.Merchant(b.merchant.at(i)), b.conversation.at(i), b.at[i]
}

// Event reads an event back, without its text and with the id that stands for its key.
func (b *EventBlock) Event(i int) chatlog.Event {
	return chatlog.Event{
		Merchant: ids.Merchant(b.merchant.at(i)), Shop: ids.Shop(b.shop.at(i)), Queue: ids.Queue(b.queue.at(i)),
		Conversation: string(b.conversation.at(i)), ID: chatlog.KeyID(b.key[i]), At: time.UnixMilli(b.at[i]).UTC(),
		Kind: chatlog.Kinds[b.kind[i]-1], Agent: ids.Agent(b.agent.at(i)), Account: b.account.at(i), Buyer: string(b.buyer.at(i)),
		Closing: b.closing[i], Score: int(b.score[i]), Invited: b.invited[i], Simulated: b.simulated[i],
	}
}

// Reset forgets the events and keeps their memory.
func (b *EventBlock) Reset() {
	for _, n := range []*names{&b.merchant, &b.shop, &b.queue, &b.agent, &b.account} {
		n.reset()
	}
	for _, t := range []*texts{&b.conversation, &b.buyer, &b.text} {
		t.reset()
	}
	b.key, b.at, b.kind, b.score = b.key[:0], b.at[:0], b.kind[:0], b.score[:0]
	b.closing, b.invited, b.simulated, b.textual = b.closing[:0], b.invited[:0], b.simulated[:0], b.textual[:0]
}

// names is a column of few different texts.
type names struct {
	codes []uint16
	list  []string
	index map[string]uint16
}

func (n *names) add(s string) {
	if last := len(n.codes) - 1; last >= 0 && n.list[n.codes[last]] == s {
		n.codes = append(n.codes, n.codes[last])
		return
	}
	code, ok := n.index[s]
	if !ok {
		if n.index == nil {
			n.index = make(map[string]uint16)
		}
		code = uint16(len(n.list))
		n.list = append(n.list, s)
		n.index[s] = code
	}
	n.codes = append(n.codes, code)
}

func (n *names) at(i int) string { return n.list[n.codes[i]] }

func (n *names) appendTo(column []string) []string {
	for _, code := range n.codes {
		column = append(column, n.list[code])
	}
	return column
}

func (n *names) reset() {
	for name := range n.index {
		delete(n.index, name)
	}
	n.codes, n.list = n.codes[:0], n.list[:0]
}

// texts is a column of many different texts, one after the other.
type texts struct {
	bytes []byte
	ends  []uint32
}

func (t *texts) add(s string) {
	t.bytes = append(t.bytes, s...)
	t.ends = append(t.ends, uint32(len(t.bytes)))
}

func (t *texts) at(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return t.bytes[from:t.ends[i]]
}

// appendTo copies the bytes once for all texts.
func (t *texts) appendTo(column []string) []string {
	all, from := string(t.bytes), uint32(0)
	for _, end := range t.ends {
		column = append(column, all[from:end])
		from = end
	}
	return column
}

func (t *texts) reset() { t.bytes, t.ends = t.bytes[:0], t.ends[:0] }
