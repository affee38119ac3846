package gate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
)

// mostNear is how many names are told beside one that nobody knows.
const mostNear = 3

// QueueProblem says that a queue is unknown, with the queues whose names are closest; "" for one that is there.
func QueueProblem(ctx context.Context, view *store.View, id ids.Queue) (string, error) {
	_, err := view.Queue(ctx, id)
	if err == nil || fault.KindOf(err) != fault.NotFound {
		return "", err
	}
	all, err := store.All(func(p store.Page) ([]store.Queue, string, error) { return view.Queues(ctx, store.QueueFilter{}, p) })
	if err != nil || len(all) == 0 {
		return "is no queue we know; there are none yet", err
	}
	near := make([]string, len(all))
	for i, q := range all {
		near[i] = string(q.ID)
	}
	slices.SortStableFunc(near, func(a, b string) int { return cmp.Compare(distance(a, string(id)), distance(b, string(id))) })
	return fmt.Sprintf("is no queue we know; close to it are %s", strings.Join(near[:min(mostNear, len(near))], ", ")), nil
}

// KnownQueue refuses a question about a queue that is not there. Errors: queue.unknown.
func KnownQueue(ctx context.Context, view *store.View, id ids.Queue) error {
	problem, err := QueueProblem(ctx, view, id)
	if err != nil || problem == "" {
		return err
	}
	return fault.Bad("queue.unknown", "", []fault.Field{{Path: "queue", Value: fault.Shorten(string(id)), Problem: problem}})
}

// distance is the fewest signs to put in, take out or change to make one text of the other (Levenshtein 1966).
func distance(a, b string) int {
	x, y := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	row := make([]int, len(y)+1)
	for k := range row {
		row[k] = k
	}
	for i, r := range x {
		corner := row[0]
		row[0] = i + 1
		for k, s := range y {
			change := corner
			if r != s {
				change++
			}
			corner = row[k+1]
			row[k+1] = min(change, row[k]+1, row[k+1]+1)
		}
	}
	return row[len(y)]
}
