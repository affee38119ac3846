package intake_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Whatever comes in, the answer is valid events or a fault about the input; never a panic, never
// an internal error, and never an event before the whole file was found good.
func fuzzScan[T intake.Event](t *testing.T, b []byte, m intake.Mapping, validate func(T) error) {
	var got []T
	summary, err := intake.Scan(t.Context(), intake.FromBytes("f", b), m, func(batch []T) error { got = append(got, batch...); return nil },
		intake.Options{HoldRows: 2})
	if err != nil {
		require.NotEqual(t, fault.Internal, faultOf(t, err).Kind, err)
		require.Empty(t, got)
		return
	}
	require.Len(t, got, int(summary.Good))
	require.NotEmpty(t, got)
	for _, e := range got {
		require.NoError(t, validate(e))
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte(history))
	f.Add([]byte("\ufeffmerchant;queue;start;slot;offered\nm;q;46129.5;1h;3\n"))
	f.Add([]byte("merchant\tqueue\tstart\tslot\toffered\nm\tq\t2026年4月17日 9时\t24h\t1,000\n"))
	f.Add([]byte("merchant,queue,start,slot,offered\n\"m\",\"q\"\"\n\",\n"))
	f.Add([]byte("\xff\xfem\x00"))
	f.Add(gzipOf(f, []byte(history)))
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzzScan(t, b, intake.DefaultMapping(intake.History), chatlog.Contacts.Validate)
	})
}

func FuzzXLSX(f *testing.F) {
	f.Add(xlsxOf(f, []string{"agent", "state", "start", "end"}, []string{"a", "busy", "46129.5", "46129.6"}))
	f.Add(zipOf(f, map[string]string{"xl/workbook.xml": "<workbook/>"}))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzzScan(t, b, intake.DefaultMapping(intake.States), chatlog.AgentState.Validate)
	})
}

func FuzzNDJSON(f *testing.F) {
	f.Add([]byte(`{"merchant":"m","shop":"s","queue":"q","id":"1","channel":"chat","started_at":"2026-11-11T00:00:00+08:00","handle_time":"90s"}`))
	f.Add([]byte(`{"merchant":"m","queue":"q","channel":"call","started_at":"2026-11-11T00:00:00Z","rounds":[{"opened_at":"2026-11-11T00:00:01Z"}]}`))
	f.Add([]byte(`{"started_at":"0000-01-01T00:00:00Z","handle_time":1}`))
	f.Add([]byte("{\n}\n{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzzScan(t, b, intake.DefaultMapping(intake.Conversations), chatlog.Conversation.Validate)
	})
}

func FuzzMapping(f *testing.F) {
	for _, name := range []string{"call_log.yaml", "bank_calls.yaml"} {
		b, err := os.ReadFile("testdata/" + name)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte("kind: agents\ncolumns: {id: {from: [a, b, c]}}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := intake.ParseMapping("f.yaml", bytes.NewReader(b))
		if err != nil {
			require.NotEqual(t, fault.Internal, faultOf(t, err).Kind)
			return
		}
		require.NoError(t, m.Validate())
	})
}

// Chat logs, orders, tickets and accounts as tables and as lines: one target, the first byte says which.
func FuzzEvents(f *testing.F) {
	f.Add(append([]byte{0}, chatLog...))
	f.Add(append([]byte{0}, `{"merchant":"m","queue":"q","at":"2026-11-11T01:00:00Z","kind":"buyer","buyer":"b","text":"\ud83d\ude00"}`...))
	f.Add(append([]byte{0}, "merchant,queue,conversation,at,kind,text\nm,q,c,2026-11-11 09:00:00,buyer,\"a\nb\x00\"\n"...))
	f.Add(append([]byte{1}, "商家,店铺,买家昵称,订单号,步骤,时间,金额(元)\nm,s,b,1,付款,2026-11-11 09:00:01,¥1\n"...))
	f.Add(append([]byte{2}, "商家,队列,工单编号,创建时间,完成时间\nm,q,W1,2026/11/11 9:00,2026/11/11 18:00\n"...))
	f.Add(append([]byte{3}, "平台,店铺,子账号,工号,开始日期,结束日期\n天猫,s,店:小美,a17,2026-11-01,2026-11-10\n"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		kind := []intake.Kind{intake.Events, intake.Orders, intake.Tickets, intake.Accounts}[b[0]%4]
		switch m := intake.DefaultMapping(kind); kind {
		case intake.Events:
			fuzzScan(t, b[1:], m, chatlog.Event.Validate)
		case intake.Orders:
			fuzzScan(t, b[1:], m, chatlog.OrderEvent.Validate)
		case intake.Tickets:
			fuzzScan(t, b[1:], m, chatlog.Ticket.Validate)
		default:
			fuzzScan(t, b[1:], m, chatlog.Assignment.Validate)
		}
	})
}
