package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/fault"
)

// Limits of one page.
const (
	DefaultLimit = 100
	MaxLimit     = 500
)

// Page asks for a part of a list. The zero Page is the first DefaultLimit rows.
type Page struct {
	Cursor string // what the page before returned as next; empty for the first
	Limit  int    // rows, 1 to MaxLimit; 0 means DefaultLimit
}

// All reads a list to its end, for planning engines that need the whole. Call it inside DB.Read to
// see one moment.
//
//	agents, err := store.All(func(p store.Page) ([]store.Stored[workforce.Agent], string, error) {
//		return view.Agents(ctx, filter, p)
//	})
func All[T any](list func(Page) (rows []T, next string, err error)) ([]T, error) {
	var all []T
	page := Page{Limit: MaxLimit}
	for {
		rows, next, err := list(page)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		if next == "" {
			return all, nil
		}
		page.Cursor = next
	}
}

// order is the sort of a list: the columns together are unique, all in one direction, so that a
// page can start after a row by comparing row values.
type order struct {
	list    string // names the list; a cursor of another list is refused
	columns []string
	down    bool
}

// cursor is what a Cursor string holds.
type cursor struct {
	List string `json:"l"`
	Keys []any  `json:"k"`
}

// listPage runs a query for one page. key returns the values of the order's columns of a row, each
// a string or an int64.
func listPage[R any](ctx context.Context, q *bun.SelectQuery, p Page, o order, rows *[]R, key func(R) []any) (string, error) {
	limit := p.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	if limit < 1 || limit > MaxLimit {
		return "", badPage("limit", "must be between 1 and 500")
	}
	direction, comparison := " ASC", " > "
	if o.down {
		direction, comparison = " DESC", " < "
	}
	if p.Cursor != "" {
		var zero R
		after, err := readCursor(p.Cursor, o, key(zero))
		if err != nil {
			return "", err
		}
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(after)), ", ")
		q = q.Where("("+strings.Join(o.columns, ", ")+")"+comparison+"("+marks+")", after...)
	}
	for _, c := range o.columns {
		q = q.OrderExpr(c + direction)
	}
	if err := q.Limit(int64(limit) + 1).Scan(ctx); err != nil {
		return "", translate(err)
	}
	if len(*rows) <= limit {
		return "", nil
	}
	*rows = (*rows)[:limit]
	return writeCursor(o, key((*rows)[limit-1])), nil
}

func writeCursor(o order, keys []any) string {
	b, err := json.Marshal(cursor{o.list, keys})
	if err != nil {
		panic(err) // strings and integers always marshal
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// readCursor accepts only keys of the same kinds as example, so that a made-up cursor is an
// Invalid fault and not a failing statement.
func readCursor(text string, o order, example []any) ([]any, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, badPage("cursor", "is not one of ours")
	}
	decoder := json.NewDecoder(strings.NewReader(string(b)))
	decoder.UseNumber()
	var c cursor
	if err := decoder.Decode(&c); err != nil || c.List != o.list || len(c.Keys) != len(example) {
		return nil, badPage("cursor", "is not one of this list")
	}
	for i, k := range c.Keys {
		if n, ok := k.(json.Number); ok {
			v, err := n.Int64()
			if err != nil {
				return nil, badPage("cursor", "is not one of this list")
			}
			c.Keys[i] = v
		}
		if reflect.TypeOf(c.Keys[i]) != reflect.TypeOf(example[i]) {
			return nil, badPage("cursor", "is not one of this list")
		}
		if s, ok := c.Keys[i].(string); ok && strings.ContainsRune(s, 0) {
			return nil, badPage("cursor", "is not one of this list")
		}
	}
	return c.Keys, nil
}

func badPage(path, problem string) error {
	return &fault.Error{
		Kind: ErrBadPage.Kind, Code: ErrBadPage.Code, Message: "page",
		Fields: []fault.Field{{Path: path, Problem: problem}},
	}
}

// micros is an instant at rest; 0 is the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant is the way back, in UTC.
func instant(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
