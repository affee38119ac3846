package measuring

import (
	"context"
	"strings"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// roundLoss finds the conversations of a file that would take stored rounds away: a mapping that forgets the channel makes
// chats without rounds of calls. It judges the file as a whole, so that none of it is taken in when one of them is in the
// last part.
type roundLoss struct {
	run    *importRun
	count  int
	names  []string // of the first ones
	chats  bool     // the first one comes as a chat
	failed error    // why it could not be found out, such as the engine being down
}

const shownLosses = 3

// looking looks at the rows of an import that may lose rounds; nil for the others.
func looking[T intake.Event](ctx context.Context, l *roundLoss) func([]T) {
	if l.run.in.NoRounds {
		return nil
	}
	look := func(rows []chatlog.Conversation) { l.look(ctx, rows) }
	of, _ := any(look).(func([]T)) // rows of another kind have no rounds
	return of
}

func (l *roundLoss) look(ctx context.Context, rows []chatlog.Conversation) {
	if l.failed != nil {
		return
	}
	lost, err := l.run.gate.Warehouse.LosingRounds(ctx, rows)
	if l.failed = err; len(lost) == 0 {
		return
	}
	if l.count == 0 {
		l.chats = lost[0].Channel == chatlog.Chat
	}
	l.count += len(lost)
	for _, c := range lost {
		if len(l.names) < shownLosses {
			l.names = append(l.names, fault.Shorten(c.ID))
		}
	}
}

// refusal is the error of a file that would take rounds away. Errors: import.rounds.
func (l *roundLoss) refusal() error {
	if l.count == 0 {
		return nil
	}
	hint := ""
	if l.chats {
		hint = "; if they are calls, the mapping lacks channel: call"
	}
	return fault.New(fault.Conflict, "import.rounds",
		"%d conversations (%s, ...) are stored with their rounds and come without any: means over rounds would lose them%s. Nothing was imported. Say so (no rounds) to import them all the same",
		l.count, strings.Join(l.names, ", "), hint)
}
