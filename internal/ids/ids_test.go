package ids_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/ids"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct{ id, says string }{
		{"lumi-tmall/pre", ""},
		{"0042", ""},
		{"客服_7@上海:早.A", ""},
		{"𠮷野", ""}, // outside the basic plane
		{strings.Repeat("a", 64), ""},
		{"", "is empty"},
		{strings.Repeat("a", 65), "is longer than 64 bytes"},
		{strings.Repeat("客", 22), "is longer than 64 bytes"}, // 66 bytes of UTF-8
		{"-rf", `begins with '-', must begin with a letter or digit`},
		{"../etc", `begins with '.', must begin with a letter or digit`},
		{"a b", `has the character ' '`},
		{"a\x00", `has the character '\x00'`},
		{"a\u202e", `has the character '\u202e'`}, // turns the rest of the line around
		{"a'--", `has the character '\''`},
		{"a\xff", `has the character '` + "\uFFFD"},
	} {
		got := ids.Check(c.id)
		if c.says == "" {
			assert.Empty(t, got, "%q", c.id)
		} else {
			assert.True(t, strings.HasPrefix(got, c.says), "%q: %s", c.id, got)
		}
	}
}

func TestNewSortsByTimeAndNeverRepeats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// 48 bits of milliseconds reach past the year 10000.
		ms := rapid.Int64Range(0, 1<<47)
		a, b := ms.Draw(t, "a"), ms.Draw(t, "b")
		x, y := ids.New[ids.Batch](time.UnixMilli(a)), ids.New[ids.Batch](time.UnixMilli(b))
		assert.Len(t, string(x), 26)
		assert.Empty(t, ids.Check(string(x)))
		assert.NotEqual(t, x, y)
		if a != b {
			assert.Equal(t, a < b, x < y, "%d %s, %d %s", a, x, b, y)
		}
	})
}
