package chatlog_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/kpi/chatlog"
)

// eventLines are canonical lines of conversations of nine messages, as a platform's log has them.
func eventLines(b *testing.B, n int, texts bool) [][]byte {
	lines := make([][]byte, n)
	for i := range lines {
		e := chatlog.Event{
			Merchant: "lumi", Shop: "lumi-tmall", Queue: "lumi-tmall/pre", Conversation: fmt.Sprintf("S20261111%08d", i/9), ID: fmt.Sprint(i),
			At: at.Add(time.Duration(i) * 7 * time.Second), Kind: chatlog.BuyerMessage, Buyer: fmt.Sprintf("%032x", i/9),
		}
		if i%9 != 0 && i%2 == 0 {
			e.Kind, e.Agent, e.Account = chatlog.AgentMessage, "agent-0017", "旗舰店:小美"
		}
		if texts {
			e.Text = "您好，请问这件衣服有没有黑色的L码，什么时候可以发货"
		}
		line, err := json.Marshal(e)
		require.NoError(b, err)
		lines[i] = line
	}
	return lines
}

// BenchmarkDecodeEvent is rows per second on one core; the bar is set by the insert behind it.
func BenchmarkDecodeEvent(b *testing.B) {
	for _, c := range []struct {
		name  string
		texts bool
		slow  bool
	}{{"plain", false, false}, {"texts", true, false}, {"encoding/json", false, true}} {
		b.Run(c.name, func(b *testing.B) {
			lines := eventLines(b, 10_000, c.texts)
			d := &chatlog.Decoder{Zone: time.UTC}
			bytes, i := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				line := lines[i%len(lines)]
				bytes += len(line)
				i++
				if c.slow {
					var e chatlog.Event
					require.NoError(b, json.Unmarshal(line, &e))
					continue
				}
				if _, bad := d.Event(line); bad != nil {
					b.Fatal(bad)
				}
			}
			b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(bytes)/1e6/b.Elapsed().Seconds(), "MB/s")
		})
	}
}

func BenchmarkClosing(b *testing.B) {
	closes := closingRule(b).Matcher()
	texts := []string{"好的，谢谢", "您好，请问这件衣服有没有黑色的L码，什么时候可以发货", "嗯嗯", "在吗"}
	i := 0
	for b.Loop() {
		closes(texts[i%len(texts)])
		i++
	}
}
