package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/operations/demo"
)

// eventFile is a chat log as a platform prints it: a buyer's question, the account's reply after 12 s,
// and a closing message.
const eventFile = "商家,店铺,队列,会话ID,消息ID,时间,发送方,客服账号,买家,消息内容\n" +
	"halo,halo-jd,halo-jd/after,E1,1,2026-10-12 10:00:00,买家,,张三,什么时候发货\n" +
	"halo,halo-jd,halo-jd/after,E1,2,2026-10-12 10:00:12,客服,光环01,张三,今天发\n" +
	"halo,halo-jd,halo-jd/after,E1,3,2026-10-12 10:00:40,买家,,张三,好的谢谢\n"

// Texts of messages are kept only while a contract version allows it; buyers are never readable.
func TestImportEventsFollowsTheContract(t *testing.T) {
	t.Parallel()
	data := phoneData(t)
	serve(t, data)
	file := write(t, "events.csv", []byte(eventFile))
	assert.Contains(t, must(t, data, "import", "events", file), "3 rows imported")
	assert.Equal(t, []string{"3"}, raw(t, data, "SELECT count() FROM events FINAL"))
	assert.Equal(t, []string{"0"}, raw(t, data, "SELECT count() FROM texts"))
	assert.Equal(t, []string{"1"}, raw(t, data, "SELECT count() FROM events FINAL WHERE closing"), "谢谢 closes, by the shipped rule")
	assert.Equal(t, []string{"0"}, raw(t, data, "SELECT count() FROM events WHERE buyer = '张三' OR buyer = ''"))
	assert.Contains(t, must(t, data, "import", "events", file), "was imported before")

	allowed := strings.Replace(phoneLine, "        tax_rate: 6%", "        texts: true\n        tax_rate: 6%", 1)
	require.NotEqual(t, phoneLine, allowed)
	fresh := phoneDataOf(t, allowed)
	serve(t, fresh)
	must(t, fresh, "import", "events", file)
	assert.Equal(t, []string{"3"}, raw(t, fresh, "SELECT count() FROM texts FINAL"))
}

// The commands around accounts and the quarantine.
func TestAccountsAndQuarantineCommands(t *testing.T) {
	t.Parallel()
	data := phoneData(t)
	service := serve(t, data)
	addUser(t, data, "boss", "administrator")
	service.login("boss", demo.Password)
	places := service.ask("PUT", "/v1/places", `{"sites":[{"id":"hz","name":"杭州"}],"teams":[{"id":"t1","name":"一组","site":"hz"}]}`)
	require.Equal(t, 204, places.status, places.body)
	must(t, data, "import", "agents", write(t, "agents.csv", []byte("id,name,team,site,employment,hired,concurrency,wage\nB0001,张三,t1,hz,standard,2026-01-01,3,30\n")))
	accounts := write(t, "accounts.csv", []byte("平台,店铺,子账号,工号,开始日期,结束日期\njd,halo-jd,光环01,B0001,2026-10-01,2026-10-31\n"))
	assert.Contains(t, must(t, data, "accounts", "import", accounts), "1 added")
	assert.Contains(t, must(t, data, "import", "accounts", accounts), "was imported before")
	list := mustJSON[[]struct{ ID, Agent, Until string }](t, data, "accounts", "list", "--at", "2026-10-31 23:59")
	require.Len(t, list, 1)
	assert.Equal(t, "B0001", list[0].Agent)
	assert.Empty(t, mustJSON[[]struct{ ID string }](t, data, "accounts", "list", "--at", "2026-11-01"))
	assert.Contains(t, must(t, data, "accounts", "list"), "2026-11-01 00:00")
	for _, unknown := range [][]string{{"accounts", "list", "--shop", "halo-jb"}, {"accounts", "list", "--agent", "B9"}, {"quarantine", "list", "--merchant", "hallo"}, {"quarantine", "retry", "--all", "--merchant", "hallo"}} {
		a := chaoban(t, data, unknown...)
		assert.Equal(t, 3, a.code, unknown)
		assert.Contains(t, a.errors, "there is no "+strings.TrimPrefix(unknown[len(unknown)-2], "--"), unknown)
		assert.Contains(t, a.errors, unknown[len(unknown)-1])
	}
	must(t, data, "accounts", "delete", list[0].ID)
	assert.Equal(t, 3, chaoban(t, data, "accounts", "delete", list[0].ID).code)

	bad := strings.Repeat("x", 100) + "\n{}\n"
	a := service.ask("POST", "/v1/events?source=erp", bad)
	require.Equal(t, 200, a.status, a.body)
	lines := mustJSON[[]struct{ ID, Source, Reason, Text string }](t, data, "quarantine", "list", "--lines")
	require.Len(t, lines, 2)
	assert.Equal(t, "erp", lines[0].Source)
	assert.Contains(t, must(t, data, "quarantine", "list"), "erp:1")
	again := chaoban(t, data, "quarantine", "retry", lines[0].ID)
	assert.Equal(t, 2, again.code, "nothing was taken in")
	assert.Contains(t, again.out, "1 refused again")
	assert.Contains(t, again.out, lines[0].ID+": erp:")
	assert.Contains(t, must(t, data, "quarantine", "drop", lines[0].ID, "--reason", "测试"), "dropped")
	assert.Contains(t, must(t, data, "quarantine", "list", "--state", "dropped"), "测试")
	assert.Equal(t, 3, chaoban(t, data, "quarantine", "drop", "none", "--reason", "测试").code)
	assert.Equal(t, 2, chaoban(t, data, "quarantine", "drop", "none").code)
	assert.Equal(t, 2, chaoban(t, data, "quarantine", "retry").code)
	assert.Contains(t, chaoban(t, data, "quarantine", "retry", "--all").out, "0 landed, 1 refused again")
}

// manyEvents is n lines of events, eight to a conversation.
func manyEvents(n int) string {
	var b strings.Builder
	start := time.Date(2026, 10, 12, 1, 0, 0, 0, time.UTC)
	for i := range n {
		kind, rest := "buyer", `,"buyer":"0123456789abcdef0123456789abcdef"`
		if i%2 == 1 {
			kind, rest = "agent", `,"agent":"B0001"`
		}
		fmt.Fprintf(&b, `{"merchant":"halo","shop":"halo-jd","queue":"halo-jd/after","conversation":"m%d","id":"%d","at":%q,"kind":%q%s}`+"\n",
			i/8, i%8, start.Add(time.Duration(i)*10*time.Millisecond).Format(time.RFC3339Nano), kind, rest)
	}
	return b.String()
}

// heldBack gives a text and then nothing more, without an end.
type heldBack struct {
	text io.Reader
	done <-chan struct{}
}

func (h heldBack) Read(p []byte) (int, error) {
	if n, err := h.text.Read(p); err == nil {
		return n, nil
	}
	<-h.done
	return 0, io.ErrUnexpectedEOF
}

// The service dies when the rows of a stream are in the warehouse and before the client hears of it,
// and once more somewhere in the middle. Whoever sends everything again has it exactly once.
func TestStreamKilledBetweenInsertAndAcknowledgement(t *testing.T) {
	t.Parallel()
	const n = 130_000 // more than one batch
	data := phoneData(t)
	text := manyEvents(n)
	s := serve(t, data)
	addUser(t, data, "boss", "administrator")
	for _, written := range []string{
		"SELECT countIf(rank % 2 = 1) FROM marks FINAL WHERE kind = 'batch'", // a batch is complete, unacknowledged
		"SELECT count() FROM marks FINAL WHERE kind = 'batch' AND rank % 2 = 0 AND batch NOT IN (SELECT batch FROM marks WHERE rank % 2 = 1)",
	} {
		s.login("boss", demo.Password)
		lost := make(chan error, 1)
		go func() {
			_, err := s.try(http.MethodPost, "/v1/events", heldBack{strings.NewReader(text), s.ended})
			lost <- err
		}()
		eventually(t, time.Minute, func() bool {
			answer, err := tryRaw(data, written)
			return err == nil && answer[0] != "0"
		}, "nothing is written")
		s.kill()
		require.Error(t, <-lost, "the client never heard")
		s = serve(t, data)
		if strings.HasPrefix(written, "SELECT count()") {
			break
		}
		require.NotEqual(t, []string{"0"}, raw(t, data, "SELECT count() FROM events FINAL"), "but rows are there")
		text += strings.ReplaceAll(text, `"conversation":"m`, `"conversation":"n`)
	}
	s.login("boss", demo.Password)
	type streamed struct{ Rows, Duplicates int }
	for i := range 2 {
		a := s.ask(http.MethodPost, "/v1/events", text)
		require.Equal(t, http.StatusOK, a.status, a.body)
		var done streamed
		require.NoError(t, json.Unmarshal([]byte(a.body), &done))
		assert.Equal(t, 2*n, done.Rows)
		assert.GreaterOrEqual(t, done.Duplicates, []int{50_000, 2 * n}[i])
		assert.Equal(t, []string{fmt.Sprint(2 * n)}, raw(t, data, "SELECT count() FROM events FINAL"))
		assert.Equal(t, []string{fmt.Sprint(2 * n)}, raw(t, data, "SELECT uniqExact(conversation, id) FROM events"))
	}
}
