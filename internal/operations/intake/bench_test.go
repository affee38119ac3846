package intake_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// benchScan reports rows per second over both readings of a file of 100,000 rows.
func benchScan(b *testing.B, header, row string) {
	const n = 100_000
	g := generated{header, row, n}
	src := intake.Source{Name: "bench", R: g, Size: int64(len(header)) + n*int64(len(row))}
	for b.Loop() {
		_, err := intake.Scan(context.Background(), src, intake.DefaultMapping(intake.Conversations),
			func([]chatlog.Conversation) error { return nil }, intake.Options{HoldRows: 1})
		require.NoError(b, err)
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkScanCSV(b *testing.B) {
	benchScan(b, "id,merchant,shop,queue,agent,started_at,wait,handle_time,answered,rating\n",
		"S2026041700000001,m,m-tmall,m-tmall/pre,agent-0017,2026-04-17 09:15:27,12,185,Y,5\n")
}

func BenchmarkScanNDJSON(b *testing.B) {
	at := time.Date(2026, 11, 11, 1, 0, 0, 0, time.UTC)
	c := chatlog.Conversation{
		Merchant: "m", Shop: "m-tmall", Queue: "m-tmall/pre", ID: "S2026041700000001", Channel: chatlog.Chat, Agent: "agent-0017",
		StartedAt: at, AnsweredAt: at.Add(12 * time.Second), EndedAt: at.Add(10 * time.Minute), AgentMessages: 6, BuyerMessages: 5, HandleTime: 185 * time.Second,
	}
	for i := range 5 {
		open := at.Add(time.Duration(i) * time.Minute)
		c.Rounds = append(c.Rounds, chatlog.Round{OpenedAt: open, AnsweredAt: open.Add(12 * time.Second), Agent: "agent-0017"})
	}
	line, err := json.Marshal(c)
	require.NoError(b, err)
	benchScan(b, "\n", string(line)+"\n")
}

// Events, also over both readings.
func BenchmarkScanEvents(b *testing.B) {
	const n = 100_000
	for name, file := range map[string]struct{ header, row string }{
		"CSV": {
			"merchant,shop,queue,conversation,at,kind,account,buyer,text\n",
			"lumi,lumi-tmall,lumi-tmall/pre,S2026111100000001,2026-11-11 09:15:27,buyer,,小明,您好，什么时候可以发货\n",
		},
		"NDJSON": {"\n", `{"merchant":"lumi","shop":"lumi-tmall","queue":"lumi-tmall/pre","conversation":"S2026111100000001","id":"1","at":"2026-11-11T01:15:27Z","kind":"buyer","buyer":"0123456789abcdef0123456789abcdef","text":"您好，什么时候可以发货"}` + "\n"},
	} {
		b.Run(name, func(b *testing.B) {
			src := intake.Source{Name: "bench", R: generated{file.header, file.row, n}, Size: int64(len(file.header)) + n*int64(len(file.row))}
			for b.Loop() {
				_, err := intake.Scan(context.Background(), src, intake.DefaultMapping(intake.Events), func([]chatlog.Event) error { return nil },
					intake.Options{HoldRows: 1, HashBuyer: func(_, buyer string) string { return buyer }})
				require.NoError(b, err)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
