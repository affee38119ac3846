package staffing

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// phrases are the parts of the reasons that are the same in every slot of an input.
type phrases struct {
	level, contacts string // how the volume is chosen, and over how long it is
	model           string // what the contacts are to the model
	own             string // chats: the agent's own part of the handle time
	within, cap     string // limit and target, the occupancy cap
	shrinkage       string
	handle          time.Duration // that of handled
	handled         []byte        // handle time and model in a slot
	buffer          []byte        // of the reason in the making
}

func (s *sizer) phrase() phrases {
	t := s.in.Target
	p := phrases{level: "mean", contacts: " contacts in " + length(s.in.Curve.Slot) + ", AHT ", model: s.describe()}
	if t.Level > 0 {
		p.level = fmt.Sprintf("P%g", 100*t.Level)
	}
	p.own = fmt.Sprintf("chats open that long, up to %d at once (%.3g%% = ", t.Concurrency, 100*t.Overhead)
	p.within = "% within " + length(t.Within)
	if t.Share > 0 {
		p.within += fmt.Sprintf(" (target %g%%)", 100*t.Share)
	}
	if t.OccupancyCap > 0 {
		p.cap = fmt.Sprintf(" (cap %g%%)", 100*t.OccupancyCap)
	}
	p.shrinkage = fmt.Sprintf("; shrinkage %g%% makes ", 100*s.in.Shrinkage)
	return p
}

// reason tells in one line how the number came about.
func (s *sizer) reason(g *sized) string {
	t, contacts, p := &s.in.Target, g.reached.Contacts, &s.phrases
	text := append(append(p.buffer[:0], p.level...), ' ')
	text = append(fixed(text, contacts, 1), p.contacts...)
	text = append(text, s.handled(g.reached.HandleTime)...)
	if contacts == 0 {
		text = append(text, "nothing to answer"...)
	} else {
		text = append(whole(text, g.heads), " rounded up"...)
		if g.reached.Heads != g.heads {
			text = whole(append(text, ", "...), g.reached.Heads)
		}
		text = append(fixed(append(text, " to reach "...), 100*g.reached.Share, 1), p.within...)
		text = append(fixed(append(text, ", occupancy "...), 100*g.reached.Occupancy, 0), '%')
		text = append(text, p.cap...)
	}
	text = append(text, g.carried...)
	if r := g.reached; r.TipsAt > 0 {
		text = whole(append(text, "; two regimes: "...), r.TipsAt)
		text = fixed(append(text, " conversations at once (here "...), held(r), 0)
		text = fixed(append(text, " on average) tip this desk over, then it stays full at "...), 100*r.TippedShare, 1)
		text = append(text, p.within...)
	}
	if t.PenaltyPerMissedContact > 0 && contacts > 0 {
		value := t.PenaltyPerMissedContact * contacts * max(0, g.reached.Share-g.fewer)
		text = append(fixed(append(text, "; the last head is worth "...), value, 2), " yuan"...)
	}
	switch {
	case g.reached.Heads > g.heads:
		floor := "; floor raises to "
		if s.promised(g.reached.Start) > s.in.MinHeads {
			floor = "; promised seats raise it to "
		}
		text = whole(append(text, floor...), g.reached.Heads)
	case g.reached.Heads < g.heads:
		text = whole(append(text, "; ceiling cuts to "...), g.reached.Heads)
		if !g.reached.Met {
			text = append(text, ", target missed"...)
		}
	}
	if s.in.Shrinkage > 0 {
		text = append(fixed(append(text, p.shrinkage...), float64(g.reached.Heads)/(1-s.in.Shrinkage), 1), " paid"...)
	}
	p.buffer = text
	return string(text)
}

func fixed(text []byte, v float64, decimals int) []byte {
	return strconv.AppendFloat(text, v, 'f', decimals, 64)
}

func whole(text []byte, n int) []byte { return strconv.AppendInt(text, int64(n), 10) }

// describe is what the queue's contacts are to the model, the same in every slot.
func (s *sizer) describe() string {
	t := s.in.Target
	switch {
	case t.Concurrency > 1:
		text := fmt.Sprintf(" own work, %g rounds", t.Rounds)
		switch {
		case len(t.Slow) > 0:
			text += fmt.Sprintf(", replies take x%.2f with %d open, measured", t.Slow[min(t.Concurrency, len(t.Slow))-1], t.Concurrency)
		case t.Slowdown > 0:
			text += fmt.Sprintf(", replies take x%.2f with %d open", 1+t.Slowdown*float64(t.Concurrency-1), t.Concurrency)
		}
		return text + fmt.Sprintf("), patience %s", length(t.Patience))
	case t.Patience > 0:
		return fmt.Sprintf("Erlang A, patience %s", length(t.Patience))
	default:
		return "Erlang C"
	}
}

// handled is the handle time of a slot and its model: of chats it also tells the agent's own work in the handle time.
func (s *sizer) handled(handle time.Duration) []byte {
	p := &s.phrases
	if p.handled != nil && p.handle == handle {
		return p.handled
	}
	text := append(append(p.handled[:0], length(handle.Round(time.Second))...), ", "...)
	if t := s.in.Target; t.Concurrency > 1 {
		own := time.Duration(t.Overhead * float64(handle)).Round(time.Second)
		text = append(append(text, p.own...), length(own)...)
	}
	p.handle, p.handled = handle, append(append(text, p.model...), ": "...)
	return p.handled
}

// length is a time without parts that are nothing: 15m, 4m20s.
func length(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	return strings.Replace(text, "h0m", "h", 1)
}
