package leave

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Method is how the order of bidders is found.
type Method string

// The methods.
const (
	BySeniority Method = "seniority" // who is employed longest comes first
	ByScore     Method = "score"     // who has the highest score comes first
	Lottery     Method = "lottery"   // a draw from a seed
)

// Round is a set of open shifts that agents bid for.
type Round struct {
	Roster ids.Roster         `json:"roster"`
	Shifts []scheduling.Shift `json:"shifts"` // without agents; a shift for two comes twice
	Method Method             `json:"method"`
	Seed   string             `json:"seed,omitempty"` // of a lottery; told in full with the result
	Most   int                `json:"most,omitempty"` // shifts that one agent may win; 0 = no limit

	Scores  map[ids.Agent]float64 `json:"scores,omitempty"`  // of the method score, for one agent at least; who is not in it has 0
	Order   []Place               `json:"order,omitempty"`   // of the draw
	Results []Award               `json:"results,omitempty"` // one per bid, in the order in which they were decided
}

// Validate reports every bad field. Errors: bidding.round.
func (r Round) Validate() error {
	var bad []fault.Field
	report := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
	}
	if len(r.Shifts) == 0 || len(r.Shifts) > 500 {
		report("shifts", len(r.Shifts), "must be 1 to 500 open shifts")
	}
	if r.Method != BySeniority && r.Method != ByScore && r.Method != Lottery {
		report("method", r.Method, "must be seniority, score or lottery")
	}
	if (r.Method == Lottery) != (r.Seed != "") {
		report("seed", r.Seed, "belongs to a lottery, which needs one")
	}
	if (r.Method == ByScore) != (len(r.Scores) > 0) {
		report("scores", len(r.Scores), "belong to the method score, which needs them: without any all bidders are alike")
	}
	if r.Most < 0 {
		report("most", r.Most, "must be 0 (no limit) or more")
	}
	for i, s := range r.Shifts {
		if err := (scheduling.Roster{Shifts: []scheduling.Shift{s}}).Validate(); err != nil {
			report(fmt.Sprintf("shifts[%d]", i), s.Start.Format(time.RFC3339), "must last more than nothing and at most 24 h, with its activities inside and in order")
		}
		if s.Agent != "" {
			report(fmt.Sprintf("shifts[%d].agent", i), s.Agent, "must be open")
		}
	}
	return fault.Bad("bidding.round", "bidding", bad)
}

// Bidder is one who bids.
type Bidder struct {
	Agent  ids.Agent
	Since  calendar.Date // first day employed
	Score  float64
	Wishes []int          // indexes of shifts, the dearest first
	Case   workrules.Case // the person with its shifts; its range covers the open shifts
}

// Place is one agent's place in the order of a draw with what it rests on.
type Place struct {
	Agent ids.Agent `json:"agent"`
	Key   string    `json:"key"` // first day employed, score, or the hash of a lottery
}

// Award is what became of one bid.
type Award struct {
	Agent  ids.Agent `json:"agent"`
	Shift  int       `json:"shift"` // index; of a shift for several, the head that was won
	Won    bool      `json:"won"`
	Turn   int       `json:"turn"` // of the agent, from 1
	Reason string    `json:"reason"`
	Says   Text      `json:"says"`
}

// ForOthers is an award as the other bidders read it: a rule that keeps somebody from a shift is his own affair.
func (a Award) ForOthers() Award {
	switch a.Reason {
	case "unknown", "most", "taken", "range", "won":
		return a
	}
	a.Reason, a.Says = "rules", text("排班规则不允许", "the rules of rosters do not allow it")
	return a
}

// LotteryKey is the place of an agent in a lottery: the SHA-256 of seed, a colon and the agent's id,
// in hex; the smallest goes first. Anybody can check it: printf 'seed:agent' | sha256sum. It does not
// depend on who else bids, so nobody gains by bringing others along.
func LotteryKey(seed string, a ids.Agent) string {
	sum := sha256.Sum256([]byte(seed + ":" + string(a)))
	return hex.EncodeToString(sum[:])
}

// DrawRound decides a round: in turns, each agent in order gets the dearest of its wishes that is
// still open and legal beside what it has and has won; one shift per turn, until a turn gives nothing.
// With a lottery this is random serial dictatorship (Abdulkadiroğlu and Sönmez, Econometrica 66, 1998)
// repeated per turn: in its first turn nobody gains by ranking its wishes untruly.
func DrawRound(r Round, bidders []Bidder) Round {
	bidders = slices.Clone(bidders)
	key := func(b Bidder) string {
		switch r.Method {
		case Lottery:
			return LotteryKey(r.Seed, b.Agent)
		case ByScore:
			return fmt.Sprintf("%g", b.Score)
		}
		return b.Since.String()
	}
	slices.SortStableFunc(bidders, func(a, b Bidder) int {
		if r.Method == ByScore {
			return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Agent, b.Agent))
		}
		return cmp.Or(cmp.Compare(key(a), key(b)), cmp.Compare(a.Agent, b.Agent))
	})
	out := r
	out.Order, out.Results = nil, nil
	for _, b := range bidders {
		out.Order = append(out.Order, Place{b.Agent, key(b)})
	}
	owner := make([]ids.Agent, len(r.Shifts))
	won := make([]int, len(bidders))
	decided := make([]map[int]bool, len(bidders)) // wishes that need no further look
	for i := range bidders {
		decided[i] = map[int]bool{}
	}
	for turn, more := 1, true; more; turn++ {
		more = false
		for i := range bidders {
			if award, ok := r.next(&bidders[i], owner, decided[i], won[i], turn, &out); ok {
				owner[award] = bidders[i].Agent
				won[i]++
				more = true
			}
		}
	}
	return out
}

// next gives a bidder the dearest wish that is open and legal, and notes why the ones before it are not.
func (r Round) next(b *Bidder, owner []ids.Agent, decided map[int]bool, won, turn int, out *Round) (shift int, ok bool) {
	note := func(w, shift int, won bool, reason string, says Text) {
		decided[w] = true
		out.Results = append(out.Results, Award{Agent: b.Agent, Shift: shift, Won: won, Turn: turn, Reason: reason, Says: says})
	}
	for _, w := range b.Wishes {
		switch {
		case decided[w]:
			continue
		case w < 0 || w >= len(r.Shifts):
			note(w, w, false, "unknown", text("没有这个班次", "there is no such shift"))
			continue
		case r.Most > 0 && won >= r.Most:
			note(w, w, false, "most", text("已达每人上限%d个", "has the %d shifts that one may win", r.Most))
			continue
		}
		k := r.free(w, owner)
		if k < 0 {
			note(w, w, false, "taken", text("已由顺位在前的 %s 获得", "went to %s, who came first", owner[w]))
			continue
		}
		s := r.Shifts[k]
		s.Agent = b.Agent
		o, err := b.Case.Try(workrules.Change{Add: []scheduling.Shift{s}})
		if err != nil {
			note(w, w, false, "range", text("班次不在可排日期内", "the shift lies outside the days that are judged"))
			continue
		}
		if i := slices.IndexFunc(o.New, func(v workrules.Violation) bool { return v.Hard }); i >= 0 {
			note(w, w, false, o.New[i].Rule, o.New[i].Sentence)
			continue
		}
		b.Case = o.After
		note(w, k, true, "won", text("第%d轮获得", "won in turn %d", turn))
		return k, true
	}
	return 0, false
}

// free is the wished shift, or another open one that is the same: a wish for one head of a shift is a
// wish for any. It is -1 when all of them have an owner.
func (r Round) free(w int, owner []ids.Agent) int {
	if owner[w] == "" {
		return w
	}
	for k := range r.Shifts {
		if owner[k] == "" && SameShift(r.Shifts[k], r.Shifts[w]) {
			return k
		}
	}
	return -1
}

// RoundEffect is the shifts that a draw gives to their winners.
func RoundEffect(r Round) Effect {
	e := Effect{Roster: r.Roster}
	for _, a := range r.Results {
		if a.Won {
			s := r.Shifts[a.Shift]
			s.Agent = a.Agent
			e.Add = append(e.Add, s)
		}
	}
	return e
}
