package httpapi

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What is allowed is told to the end, however long the list; other words of the parser stay one short line.
func TestWhatIsAllowedIsNotCutOff(t *testing.T) {
	t.Parallel()
	kinds := "add, remove, move, resize, assign, swap, move_pause, put, retask, and one more that is longer"
	assert.Equal(t, "must be one of "+kinds, plain(`expected value to be one of "`+kinds+`"`))
	assert.Less(t, len([]rune(plain(strings.Repeat("x", 200)))), 81)
}
