package chatlog_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/kpi/chatlog"
)

// closingRule is a short rule of the test's own; the one that is shipped is tested in configs.
func closingRule(t testing.TB) chatlog.ClosingRule {
	t.Helper()
	r := chatlog.ClosingRule{Version: "v1", MaxRunes: 12, Phrases: []string{
		"谢谢", "谢谢你", "谢谢您", "谢谢亲", "多谢", "好", "好的", "好的呢", "嗯", "哦", "ok", "收到", "没有了", "明白了", "我知道了", "辛苦了", "再见", "88", "thank you", "thx",
		"[玫瑰]", "👌", "🙏",
	}}
	require.NoError(t, r.Validate())
	return r
}

// How a message is taken apart: width, case, repetition, decoration, particles, codes of emoji.
func TestClosingMessages(t *testing.T) {
	closes := closingRule(t).Matcher()
	for _, text := range []string{
		"谢谢", "好的，谢谢", "嗯嗯嗯嗯嗯嗯嗯", "ＯＫ", "Ok!", "okkkk", "谢谢啦", "谢谢谢谢", "哦哦好的，谢谢您", "好的👌", "谢谢🙏🏻🙏🏻", "谢谢[玫瑰]", "[玫瑰][玫瑰][玫瑰]", "Thank you!", "好的哈",
		"谢谢/:087", "好的#E-s21", "　谢 谢　", "多谢谢谢你", "88", "嗯好的",
	} {
		assert.True(t, closes(text), "%q closes", text)
	}
	for _, text := range []string{
		"好的那什么时候发货", "好的稍等", "谢谢？", "好的?", "好的❓", "⁉", "嗯建设银行", "收到了个坏的", "8", "", "   ", "。。。", "😡", "/:?", "#E-", "啊", "啊哈", "[图片]", "好的[图片]",
		"好的\x00", "好的\xff", "好的好的好的好的好的好的好的好的好的我等你",
	} {
		assert.False(t, closes(text), "%q does not close", text)
	}
	assert.False(t, closes(strings.Repeat("谢谢", 1000)), "nobody writes that; it is not looked at")
}

func TestClosingRuleValidate(t *testing.T) {
	good := chatlog.ClosingRule{Version: "v1", MaxRunes: 4, Phrases: []string{"谢谢", "👌"}}
	require.NoError(t, good.Validate())
	bad := chatlog.ClosingRule{Version: "", MaxRunes: 0, Phrases: []string{"OK", "ok", "好吗?", "...", "非常非常感谢"}}
	require.Equal(t, []string{"version", "max_runes", "phrases[0]", "phrases[1]", "phrases[2]", "phrases[3]", "phrases[4]"}, pathsOf(t, bad.Validate())[:7])
	require.Equal(t, []string{"version", "max_runes", "phrases"}, pathsOf(t, chatlog.ClosingRule{}.Validate()))
	require.False(t, chatlog.ClosingRule{}.Closes("谢谢"), "without a rule nothing closes")
}

// Decoration changes nothing, a question mark changes everything, and two closing messages in one are one.
func TestClosingProperties(t *testing.T) {
	rule := closingRule(t)
	closes := rule.Matcher()
	words := []string{}
	for _, p := range rule.Phrases {
		if utf8.RuneCountInString(p) <= rule.MaxRunes/2 && strings.IndexFunc(p, func(r rune) bool { return r > 0x1f000 }) < 0 {
			words = append(words, p)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SampledFrom(words).Draw(t, "a"), rapid.SampledFrom(words).Draw(t, "b")
		mark := rapid.SampledFrom([]string{"，", "！", "~", " ", "。。", "😊", "❤️", "…", "/:087", "（）"}).Draw(t, "mark")
		both := a + mark + b
		require.True(t, closes(both), both)
		require.True(t, closes(mark+both+mark), both)
		require.True(t, closes(strings.ToUpper(both)), both)
		require.True(t, closes(wide(a)+mark+wide(b)), both)
		at := rapid.IntRange(0, utf8.RuneCountInString(a)).Draw(t, "at")
		for _, q := range []string{"?", "？"} {
			runes := []rune(a)
			require.False(t, closes(string(runes[:at])+q+string(runes[at:])+mark+b))
		}
		require.False(t, closes(a+mark+"发货"+b), "a word that is no phrase")
	})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		require.Equal(t, closes(text), closes(text))
		require.False(t, closes(text+"?"))
	})
}

// wide is the full-width form of ASCII.
func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r - '!' + '！'
		}
		return r
	}, s)
}
