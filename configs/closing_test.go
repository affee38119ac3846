package configs

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/kpi/chatlog"
)

// closingRule is the rule that is shipped.
func closingRule(t *testing.T) chatlog.ClosingRule {
	t.Helper()
	rule, err := Closing()
	require.NoError(t, err)
	require.Equal(t, "closing-1", rule.Version)
	return rule
}

// What buyers really write. The verdicts are a reader's: does this message ask for anything?
func TestClosingRule(t *testing.T) {
	closes := closingRule(t).Matcher()
	for _, text := range []string{
		"谢谢", "好的", "好的谢谢", "好的，谢谢", "嗯嗯", "ok", "OK", "收到", "没有了", "没有了，谢谢", "恩。谢谢", "好，谢谢", "哦哦", "噢。", "好吧", "没了",
		"ＯＫ", "Ok!", "嗯嗯嗯嗯嗯嗯嗯", "谢谢啦", "谢谢谢谢", "好的好的", "谢谢亲～～", "好的呢", "嗯好的", "哦哦好的，谢谢您了", "👌", "好的👌", "谢谢🙏🏻🙏🏻", "谢谢[玫瑰]",
		"[玫瑰][玫瑰][玫瑰]", "好滴~", "辛苦了！", "明白了", "我知道了", "再见", "拜拜", "88", "Thank you!", "THX", "没事了，谢谢", "好的哈", "谢谢/:087", "好的#E-s21", "　谢 谢　",
		"多谢谢谢你", "谢谢亲~", "好👌", "知道了，谢谢您", "不客气", "没有其他问题了", "先这样", "恩", "噢", "嗯呢", "多谢了", "就这样吧", "不用了，谢谢你", "okkkk",
	} {
		assert.True(t, closes(text), "%q closes", text)
	}
	for _, text := range []string{
		"好的那什么时候发货", "好的，怎么补", "好的稍等", "谢谢？", "好的?", "OK了吗", "ok?", "在吗", "你好", "是的", "对的", "没有", "可以", "?", "？？？", "。。。", "！！！", "好了吗", "没有号",
		"谢谢，再问下运费谁出", "嗯一共3个", "我不要了", "人呢", "好的[图片]", "[图片]", "[地址x]", "8", "1", "那算了", "好的 帮我改地址", "嗯建设银行", "收到了个坏的", "没问题吗", "谢谢你全家，三天了还没发货",
		"快点", "", "   ", "😡", "/:?", "#E-", "啊", "啊哈", "是这样的谢谢", "好的\x00", "好的\xff", "好的好的好的好的好的好的好的好的好的我等你", "行吗。", "行", "行的", "行吧", "收到了", "好的吗", "亲", "要", "好的 你看下我的订单", "没有收到", "嗯？", "⁉", "好的❓",
	} {
		assert.False(t, closes(text), "%q does not close", text)
	}
}

// Real dialogues: how many turns of buyers are marked, and which, to be read by a person.
func TestClosingOnRealDialogues(t *testing.T) {
	if os.Getenv("CI") == "true" {
		t.Skip("real files are never used in CI")
	}
	dir := os.Getenv("CHAOBAN_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
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
