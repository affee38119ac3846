package chatlog_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/kpi/chatlog"
)

// closingRule reads testdata/closing.yaml, whose form is plain enough to be read without a library.
func closingRule(t testing.TB) chatlog.ClosingRule {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "closing.yaml"))
	require.NoError(t, err)
	var r chatlog.ClosingRule
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if phrase, ok := strings.CutPrefix(line, "- "); ok {
			r.Phrases = append(r.Phrases, strings.Trim(phrase, `"`))
		} else if version, ok := strings.CutPrefix(line, "version: "); ok {
			r.Version = version
		} else if n, ok := strings.CutPrefix(line, "max_runes: "); ok {
			r.MaxRunes, err = strconv.Atoi(n)
			require.NoError(t, err)
		}
	}
	require.NoError(t, r.Validate())
	return r
}

// What buyers really write. The verdicts are a reader's: does this message ask for anything?
func TestClosingPhrases(t *testing.T) {
	closes := closingRule(t).Matcher()
	for _, text := range []string{
		"谢谢", "好的", "好的谢谢", "好的，谢谢", "嗯嗯", "ok", "OK", "收到", "没有了", "没有了，谢谢", "恩。谢谢", "好，谢谢", "哦哦", "噢。", "好吧", "没了",
		"ＯＫ", "Ok!", "嗯嗯嗯嗯嗯嗯嗯", "谢谢啦", "谢谢谢谢", "好的好的", "谢谢亲～～", "好的呢", "嗯好的", "哦哦好的，谢谢您了", "👌", "好的👌", "谢谢🙏🏻🙏🏻", "谢谢[玫瑰]",
		"[玫瑰][玫瑰][玫瑰]", "好滴~", "辛苦了！", "明白了", "我知道了", "再见", "拜拜", "88", "Thank you!", "THX", "没事了，谢谢", "好的哈", "谢谢/:087", "好的#E-s21", "　谢 谢　",
		"多谢谢谢你", "没有其他问题了", "就这样吧", "不用了，谢谢你", "okkkk",
	} {
		assert.True(t, closes(text), "%q closes", text)
	}
	for _, text := range []string{
		"好的那什么时候发货", "好的，怎么补", "好的稍等", "谢谢？", "好的?", "OK了吗", "ok?", "在吗", "你好", "是的", "对的", "没有", "可以", "?", "？？？", "。。。", "！！！", "好了吗", "没有号",
		"谢谢，再问下运费谁出", "嗯一共3个", "我不要了", "人呢", "好的[图片]", "[图片]", "[地址x]", "8", "1", "那算了", "好的 帮我改地址", "嗯建设银行", "收到了个坏的", "没问题吗", "谢谢你全家，三天了还没发货",
		"快点", "", "   ", "😡", "/:?", "#E-", "啊", "啊哈", "是这样的谢谢", "好的\x00", "好的\xff", "好的好的好的好的好的好的好的好的好的我等你", "行吗。", "嗯？", "⁉", "好的❓",
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

// Real dialogues: how many turns of buyers are marked, and which, to be read by a person.
func TestClosingOnRealDialogues(t *testing.T) {
	if os.Getenv("CI") == "true" {
		t.Skip("real files are never used in CI")
	}
	dir := os.Getenv("CHAOBAN_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(dir, "jd_dialogues", "valid_jddc.txt"))
	if err != nil {
		t.Skip("the dialogues are not there")
	}
	defer f.Close()
	closes := closingRule(t).Matcher()
	dialogues := dialoguesOf(t, f)
	turns, marked, last, lastMarked := 0, 0, 0, 0
	found := map[string]int{}
	for _, d := range dialogues {
		for i, text := range d {
			turns++
			if i == len(d)-1 {
				last++
			}
			if closes(text) {
				marked++
				found[text]++
				if i == len(d)-1 {
					lastMarked++
				}
			}
		}
	}
	require.Greater(t, turns, 1000)
	share := float64(marked) / float64(turns)
	t.Logf("%d dialogues, %d turns of buyers, %d marked (%.1f %%); of %d last turns %d (%.1f %%)", len(dialogues), turns, marked, 100*share, last, lastMarked,
		100*float64(lastMarked)/float64(last))
	for text, n := range found {
		t.Logf("%3d %q", n, text)
	}
	require.InDelta(t, 0.1, share, 0.09, "more or less than this is a rule gone wrong")
}

// dialoguesOf reads each dialogue once: the file has every beginning of it as a line of its own.
func dialoguesOf(t *testing.T, f *os.File) [][]string {
	t.Helper()
	var lines []string
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		text, _, _ := strings.Cut(in.Text(), "]\t")
		lines = append(lines, strings.TrimPrefix(text, "["))
	}
	require.NoError(t, in.Err())
	var out [][]string
	for i, line := range lines {
		// The last turn of a beginning has no answer yet, so the next line differs behind it.
		if i+1 < len(lines) && strings.HasPrefix(lines[i+1], strings.TrimRight(line, `'"|`)) {
			continue
		}
		var turns []string
		for _, turn := range strings.Split(line, "|||") {
			// 'user|||system', 'user|||system': behind each system part stands the next user part.
			if at := max(strings.LastIndex(turn, `', '`), strings.LastIndex(turn, `", '`), strings.LastIndex(turn, `', "`)); at >= 0 {
				turn = turn[at+4:]
			} else if len(turns) > 0 {
				continue
			}
			if turn = strings.Trim(turn, `'"`); turn != "" && turn != "OVERALL" {
				turns = append(turns, turn)
			}
		}
		out = append(out, turns)
	}
	return out
}
