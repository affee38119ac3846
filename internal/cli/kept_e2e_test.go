package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/exports/workbook"
	"github.com/chaoban/chaoban/internal/operations/demo"
)

// tmallLine is a merchant with one Tmall queue and one promise: the first reply within 20 s.
const tmallLine = `
merchants:
  - id: halo
    name: 光环家电
    shops:
      - id: halo-tmall
        name: 光环天猫旗舰店
        platform: tmall
        queues:
          - {id: halo-tmall/pre, skill: pre, channel: chat, hours: "Mon-Sun 09:00-23:00"}
contracts:
  - id: halo-2026
    merchant: halo
    title: 光环家电售前服务合同
    versions:
      - number: 1
        from: 2024-01-01
        tax_rate: 6%
        shops: [halo-tmall]
        terms:
          - {id: answer-20s, metric: answered_within, within: 20s, direction: at_least, target: 0.80, min_sample: 1}
`

// halo is a small, running outsourcer: three chats and one inquiry on one day of the month before this
// one. The day is late enough for the jobs to look at it and early enough for its conversion to be final.
//
//	E1 光环01 after 12 s, E2 光环02 after 10 min, E3 光环01 after 20 s; 张三 asked and paid a day later.
type halo struct {
	t          *testing.T
	data       string
	month, day string
}

func newHalo(t *testing.T) halo {
	t.Helper()
	zone := time.FixedZone("CST", 8*3600)
	now := time.Now().In(zone)
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, zone)
	day := first.AddDate(0, 0, -6)
	h := halo{t, phoneDataOf(t, tmallLine), day.Format("2006-01"), day.Format(time.DateOnly)}
	service := serve(t, h.data, "CHAOBAN__JOBS__ENABLED=false") // they would make up for what they missed, between two imports
	addUser(t, h.data, "boss", "administrator")
	service.login("boss", demo.Password)
	places := service.ask("PUT", "/v1/places", `{"sites":[{"id":"hz","name":"杭州"}],"teams":[{"id":"t1","name":"一组","site":"hz"}]}`)
	require.Equal(t, 204, places.status, places.body)
	h.bring("agents", "id,name,team,site,employment,hired,concurrency,wage", "B0001,李雷,t1,hz,standard,2024-01-01,3,30", "B0002,韩梅,t1,hz,standard,2024-01-01,3,30")
	must(t, h.data, "accounts", "import", h.file("平台,店铺,子账号,工号,开始日期", "tmall,halo-tmall,光环01,B0001,2024-01-01", "tmall,halo-tmall,光环02,B0002,2024-01-01"))
	talk := func(id, from, until, account, buyer string) string {
		return fmt.Sprintf("halo,halo-tmall,halo-tmall/pre,%[1]s,1,%[2]s %[3]s,买家,,%[6]s,在吗\nhalo,halo-tmall,halo-tmall/pre,%[1]s,2,%[2]s %[4]s,客服,%[5]s,%[6]s,在的",
			id, h.day, from, until, account, buyer)
	}
	h.bring("events", "商家,店铺,队列,会话ID,消息ID,时间,发送方,客服账号,买家,消息内容",
		talk("E1", "10:00:00", "10:00:12", "光环01", "张三"), talk("E2", "11:00:00", "11:10:00", "光环02", "李四"), talk("E3", "12:00:00", "12:00:20", "光环01", "王五"))
	h.bring("orders", "商家,店铺,队列,订单号,步骤,时间,客服账号,买家,金额",
		"halo,halo-tmall,halo-tmall/pre,,询单,"+h.day+" 10:00:00,光环01,张三,",
		"halo,halo-tmall,,P1,付款,"+day.AddDate(0, 0, 1).Format(time.DateOnly)+" 09:00:00,,张三,88.00")
	must(t, h.data, "import", "platform", "--shop", "halo-tmall", h.file("日期,咨询人数,3分钟人工响应率,旺旺回复率", h.day+",4,66.67%,100.00%"))
	return h
}

func (h halo) file(lines ...string) string {
	h.t.Helper()
	return write(h.t, "file.csv", []byte(strings.Join(lines, "\n")+"\n"))
}

// bring imports a file of a kind.
func (h halo) bring(kind string, lines ...string) {
	h.t.Helper()
	must(h.t, h.data, "import", kind, h.file(lines...))
}

// row is the cells of the printed line that begins with some cells.
func row(t *testing.T, text string, cells ...string) []string {
	t.Helper()
	for line := range strings.Lines(text) {
		found := strings.Fields(line)
		if len(found) >= len(cells) && assert.ObjectsAreEqual(cells, found[:len(cells)]) {
			return found
		}
	}
	require.Failf(t, "no such line", "%v in\n%s", cells, text)
	return nil
}

// The commands that show what is kept about figures: scores, conversions, reconciliation, alerts,
// retention, sub-accounts. Expected values are counted by hand from the three chats of newHalo.
func TestCommandsAroundKeptFigures(t *testing.T) {
	t.Parallel()
	h := newHalo(t)
	run := func(args ...string) string { t.Helper(); return must(t, h.data, args...) }

	accounts := run("accounts", "list", "--account", "光环01")
	assert.Equal(t, []string{"tmall", "halo-tmall", "光环01", "B0001", "2024-01-01", "00:00", "-"}, row(t, accounts, "tmall")[:7])
	assert.NotContains(t, accounts, "B0002")

	scores := run("kpi", "scorecards", "--month", h.month)
	assert.Contains(t, scores, h.month+": open")
	assert.Equal(t, "100.0000", row(t, scores, "halo-2026", "B0001")[2], "2 of 2 chats within 20 s")
	assert.Equal(t, "0.0000", row(t, scores, "answer-20s", "0.0000")[1], "韩梅 needed 10 minutes")
	assert.Contains(t, run("scorecards", "freeze", "--month", h.month), "2 scorecards frozen")
	assert.Contains(t, run("kpi", "scorecards", "--month", h.month, "--contract", "halo-2026"), h.month+": frozen ")
	assert.Equal(t, h.month, row(t, run("scorecards", "list"), h.month)[0])
	again := chaoban(t, h.data, "scorecards", "freeze", "--month", h.month)
	assert.Equal(t, 2, again.code)
	assert.Contains(t, again.errors, "frozen")

	run("jobs", "run", "conversion-closing")
	conversion := run("kpi", "conversion", "--shop", "halo-tmall", "--from", h.day, "--to", h.day)
	assert.Equal(t, []string{"final", "0.0000", "0", "1"}, row(t, conversion, h.day, "halo-tmall", "tmall.inquiry_conversion_same_day")[3:7], "paid a day later")
	assert.Equal(t, []string{"final", "1.0000", "1", "1"}, row(t, conversion, h.day, "halo-tmall", "tmall.inquiry_conversion_final")[3:7])

	book := filepath.Join(t.TempDir(), "check.xlsx")
	beside := run("kpi", "reconcile", "--shop", "halo-tmall", "--from", h.day, "--to", h.day, "--xlsx", book)
	assert.Equal(t, []string{"4", "3"}, row(t, beside, h.day, "halo-tmall", "consult_buyers")[3:5])
	assert.Equal(t, []string{"0.6667", "0.6667"}, row(t, beside, h.day, "halo-tmall", "human_3min_rate")[3:5])
	assert.Contains(t, beside, "2 items compared, 1 equal; 1 closed ones differ", "旺旺回复率 counts visits: it is shown, not judged")
	sheetsOf(t, book)

	assert.Contains(t, run("jobs", "run", "reconciliation"), "succeeded")
	alert := run("jobs", "alerts")
	assert.Equal(t, "firing", row(t, alert, "reconciliation")[1])
	assert.Contains(t, alert, "consult_buyers of halo-tmall on "+h.day)

	preview := run("retention", "--dry-run")
	assert.Contains(t, preview, "nothing was deleted")
	assert.Equal(t, "0", row(t, preview, "events")[1], "nothing is three years old")
	run("retention", "hold", "--merchant", "halo", "--case", "案件1", "--reason", "结算争议")
	run("retention", "hold", "--merchant", "halo", "--case", "案件2", "--reason", "投诉")
	run("retention", "release", "--merchant", "halo", "--case", "案件2", "--reason", "和解")
	assert.Contains(t, run("retention", "list"), "结算争议", "the other case is open")
	assert.Contains(t, run("retention", "--dry-run"), "held: halo")
	run("retention", "release", "--merchant", "halo", "--reason", "和解")
	assert.NotContains(t, run("retention", "list"), "结算争议")
	assert.Equal(t, 3, chaoban(t, h.data, "retention", "hold", "--merchant", "nobody", "--reason", "x").code)

	// A day of which the platform has figures and we have nothing is no day without differences.
	gap, err := time.Parse(time.DateOnly, h.day)
	require.NoError(t, err)
	before := gap.AddDate(0, 0, -1).Format(time.DateOnly)
	run("import", "platform", "--shop", "halo-tmall", h.file("日期,咨询人数,3分钟人工响应率,旺旺回复率", before+",7,50.00%,100.00%"))
	assert.Contains(t, run("kpi", "reconcile", "--shop", "halo-tmall", "--from", before, "--to", before), "nothing of "+before+" was imported for halo-tmall: the platform has ")

	talks := run("kpi", "conversations", "--shop", "halo-tmall", "--from", h.day, "--to", h.day, "--limit", "2")
	assert.Contains(t, talks, "RATING  ABANDONED")
	assert.Contains(t, talks, "these are the first 2; more: --cursor ")

	for line, says := range map[string]string{
		"kpi query --metric offered --month 9999-12":                                                           "must lie between 2000 and 2100",
		"kpi query --metric offered --month 2026-10 --shop nosuch":                                             `there is no shop "nosuch"`,
		"kpi query --metric offered --month 2026-10 --agent nosuch":                                            `there is no agent "nosuch"`,
		"kpi reconcile --month 2026-10 --xlsx a.pdf":                                                           "ends in .xlsx",
		"report sla --contract halo-2026 --month 2026-10 --out /nosuch/q.xlsx":                                 "the folder /nosuch cannot be used: it does not exist",
		"scorecards freeze --month 2020-01":                                                                    "nobody has a scorecard of 2020-01",
		"kpi compare --metric jd.first_30s --from v2021-11 --to v2021-12":                                      "give --month, or --first and --last",
		"kpi compare --metric jd.first_30s --from v2021-11 --to v2021-12 --first 2026-11-02 --last 2026-11-01": "--last 2026-11-01 lies before --first 2026-11-02",
		"kpi reconcile --month 2026-10 --from 2026-10-01":                                                      "not both",
		"kpi items --metric tmall.human_3min --month 2026-10 --limit -1":                                       "--limit must be 1 or more",
		"jobs run nothing": "jobs are rollup-check, ",
	} {
		r := chaoban(t, h.data, strings.Fields(line)...)
		assert.NotZero(t, r.code, line)
		assert.Contains(t, r.errors, says, line)
	}
}

// sheetsOf opens a workbook and needs something in it.
func sheetsOf(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	rows, err := workbook.OpenRows(f, info.Size(), "")
	require.NoError(t, err)
	defer rows.Close()
	_, cells, err := rows.Next()
	require.NoError(t, err)
	require.NotEmpty(t, cells)
}
