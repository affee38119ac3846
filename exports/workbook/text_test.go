package workbook

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestGuardAgainstFormulas(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\t=1": "' =1", "\r\n@x": "' \n@x",
		"=1": "'=1", " =1": "' =1", "\u3000=1": "'\u3000=1",
		"a=b": "a=b", "": "", "—": "—", "王小明": "王小明", "10-20": "10-20", "'=1": "'=1",
		"a\x00b\x07": "ab", "\xff": "\uFFFD",
	} {
		assert.Equal(t, want, guard(in), "%q", in)
	}
}

func TestGuardedTextIsAlwaysASafeCell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := guard(rapid.String().Draw(t, "text"))
		assert.True(t, utf8.ValidString(s))
		trimmed := strings.TrimSpace(s)
		assert.False(t, trimmed != "" && strings.ContainsRune("=+-@", firstRune(trimmed)), "%q", s)
	})
}

func TestEscapesStayText(t *testing.T) {
	assert.Equal(t, "_x005F_x0041_", literal("_x0041_"))
	assert.Equal(t, "a_x005F_x0041_x005F_x0042_", literal("a_x0041_x0042_"))
	assert.Equal(t, "_x004_ _xyz", literal("_x004_ _xyz"))
}

func TestLongTextFitsACell(t *testing.T) {
	for _, s := range []string{strings.Repeat("x", 100_000), strings.Repeat("😀", 40_000), "=" + strings.Repeat("宽", 40_000)} {
		assert.LessOrEqual(t, len(utf16.Encode([]rune(guard(s)))), 32_767)
	}
}

func TestFooterCodesAreEscaped(t *testing.T) {
	assert.Equal(t, "A&&B &&P", footerText("A&B\n&P"))
	assert.LessOrEqual(t, len([]rune(footerText(strings.Repeat("&", 500)))), 160)
}

func TestWidths(t *testing.T) {
	assert.Equal(t, 6, units("ab班组"))
	assert.Equal(t, 2, lines("a\nb", 20))
	assert.Equal(t, 1, lines("", 20))
	assert.Equal(t, 10.0, widest(nil, 10, 20))
	assert.Equal(t, 20.0, widest([]string{strings.Repeat("长", 80)}, 10, 20))
}
