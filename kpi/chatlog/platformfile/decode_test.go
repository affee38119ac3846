package platformfile

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

func date(s string) calendar.Date {
	d, err := calendar.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

var today = date("2026-04-20")

// gridText makes a grid of lines with cells between "|".
func gridText(text string) Grid {
	g := Grid{Name: "f.xlsx"}
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		row := Row{Number: i + 1}
		for cell := range strings.SplitSeq(line, "|") {
			row.Cells = append(row.Cells, Cell{Text: strings.TrimSpace(cell)})
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// values is what was decoded by "date account item".
func values(figures []chatlog.DailyFigure) map[string]float64 {
	out := map[string]float64{}
	for _, f := range figures {
		out[strings.TrimSpace(f.Date+" "+f.Account)+" "+f.Item] = f.Value
	}
	return out
}

func decode(t *testing.T, text string, o Options) (map[string]float64, Summary) {
	t.Helper()
	if o.Today.IsZero() {
		o.Today = today
	}
	figures, sum, err := Decode(gridText(text), o)
	require.NoError(t, err)
	return values(figures), sum
}

func refused(t *testing.T, text string, o Options, code string) string {
	t.Helper()
	if o.Today.IsZero() {
		o.Today = today
	}
	figures, _, err := Decode(gridText(text), o)
	require.Error(t, err)
	require.Empty(t, figures)
	require.Equal(t, code, fault.CodeOf(err), err)
	return err.Error()
}

const inquiryHeader = "日期|询单人数|当日询单人数|当日付款人数|当日付款金额|最终付款人数|最终付款金额|询单当日付款转化率|询单最终付款转化率\n"

// Trap 1: the date column is the business date, not the file's; and a final conversion stands only
// three days later, seen from when the file was made.
func TestTrap01BusinessDateIsNotFileDate(t *testing.T) {
	const rows = inquiryHeader + "2026-04-14|120|118|41|8123.5|50|9870|34.17%|41.67%\n2026-04-16|100|100|30|100|33|200|30.00%|33.00%"
	figures, sum, err := Decode(gridText(rows), Options{FileDate: date("2026-04-17"), Today: date("2026-05-30")})
	require.NoError(t, err)
	assert.Equal(t, []string{"2026-04-14", "2026-04-16", DatedByColumn}, []string{sum.From, sum.To, sum.Dated})
	closed := map[string]bool{}
	for _, f := range figures {
		closed[f.Date+" "+f.Item] = f.Closed
	}
	assert.True(t, closed["2026-04-14 inquiry_paid_buyers_final"], "17 April is three days later")
	assert.False(t, closed["2026-04-16 inquiry_paid_buyers_final"], "it still changed when the file was made, whenever it is imported")
	assert.True(t, closed["2026-04-16 inquiry_paid_buyers_same_day"])
	assert.Equal(t, 3, sum.Open)

	// --date does not move a file that has dates.
	got, sum := decode(t, rows, Options{Date: date("2026-04-19")})
	assert.Contains(t, got, "2026-04-14 inquiry_buyers")
	assert.Contains(t, strings.Join(sum.Notes, " "), "not --date")
}

// Trap 2: a file of the last 30 days gives every day, so that a later one replaces them all.
func TestTrap02RollingFilesHoldEveryDay(t *testing.T) {
	var b strings.Builder
	b.WriteString("日期|销售额|销售量|销售人数|客单价|客件数|件均价\n")
	for i := range 30 {
		b.WriteString(date("2026-03-21").Add(i).String() + "|100|2|1|100|2|50\n")
	}
	got, sum := decode(t, b.String(), Options{})
	assert.Equal(t, 30, sum.Rows)
	assert.Len(t, got, 30*6)
	assert.Equal(t, []string{"2026-03-21", "2026-04-19"}, []string{sum.From, sum.To})
}

// Trap 3: how percentages are written is a matter of the whole column, never of one cell.
func TestTrap03PercentScaleIsDecidedPerColumn(t *testing.T) {
	const header = "日期|咨询量|UPV|留言咨询量|30s应答率|满意率|应答率|商家留言率\n"
	got, _ := decode(t, header+"2026-04-15|9|9|9|91|95.5%|0.99%|0.8\n2026-04-16|9|9|9|0.8|1%|100%|1.2", Options{})
	assert.InDelta(t, 0.91, got["2026-04-15 first_30s_rate"], 1e-12)
	assert.InDelta(t, 0.008, got["2026-04-16 first_30s_rate"], 1e-12, "0.8 beside 91 is 0.8 %")
	assert.InDelta(t, 0.01, got["2026-04-16 satisfaction_rate"], 1e-12, "1% is 1 %")
	assert.InDelta(t, 0.0099, got["2026-04-15 answer_rate"], 1e-12)
	assert.InDelta(t, 0.008, got["2026-04-15 offline_rate"], 1e-12, "0.8 beside 1.2 is 0.8 %")
	assert.InDelta(t, 0.012, got["2026-04-16 offline_rate"], 1e-12)

	// Nothing in the file tells: it is asked, and the answer is per column.
	ambiguous := header + "2026-04-15|9|9|9|0.91|1|-|-"
	message := refused(t, ambiguous, Options{}, "platform.percent")
	assert.Contains(t, message, "30s应答率")
	assert.Contains(t, message, "满意率", "1 may be 100 % or 1 %")
	got, _ = decode(t, ambiguous, Options{Percent: map[string]Scale{"30s应答率": Fraction, "满意率": Hundred}})
	assert.InDelta(t, 0.91, got["2026-04-15 first_30s_rate"], 1e-12)
	assert.InDelta(t, 0.01, got["2026-04-15 satisfaction_rate"], 1e-12)

	// A number format tells: 0.8 shown as 80 % is a fraction.
	g := gridText(ambiguous)
	g.Rows[1].Cells[4].Kind, g.Rows[1].Cells[5].Kind = Percent, Percent
	figures, _, err := Decode(g, Options{Today: today})
	require.NoError(t, err)
	assert.InDelta(t, 1, values(figures)["2026-04-15 satisfaction_rate"], 1e-12)

	// The counts beside it tell: 41 of 120 are 34 %.
	got, _ = decode(t, inquiryHeader+"2026-04-14|120|118|41|8|50|9|0.3417|0.4167", Options{})
	assert.InDelta(t, 0.4167, got["2026-04-14 inquiry_conversion_final"], 1e-12)
	got, _ = decode(t, inquiryHeader+"2026-04-14|1000|1000|8|8|9|9|0.8|0.9", Options{})
	assert.InDelta(t, 0.008, got["2026-04-14 inquiry_conversion_same_day"], 1e-12, "8 of 1000 are 0.8 %")
	assert.InDelta(t, 0.009, got["2026-04-14 inquiry_conversion_final"], 1e-12)

	assert.Contains(t, refused(t, header+"2026-04-15|9|9|9|101%|1%|1%|1%", Options{}, "platform.rows"), "0% and 100%")
}

// Trap 4: a cell without data is no figure. It is not zero.
func TestTrap04NoDataIsNotZero(t *testing.T) {
	got, sum := decode(t, inquiryHeader+"2026-04-14|120|-|--||0|—|暂无|0.00%", Options{})
	assert.Equal(t, map[string]float64{
		"2026-04-14 inquiry_buyers": 120, "2026-04-14 inquiry_paid_buyers_final": 0, "2026-04-14 inquiry_conversion_final": 0,
	}, got)
	assert.Equal(t, 5, sum.NoData)
}

// Trap 5: thousand commas, currency signs, 元 and 万.
func TestTrap05NumbersAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]float64{
		"1,234.50": 1234.5, "¥1,234.50": 1234.5, "￥ 99": 99, "99元": 99, "3.2万": 32000, "1.05万元": 10500, "-12.5": -12.5, "¥-3": -3, "-¥3": -3,
		"１２３": 123, "1234567": 1234567, "1.5E3": 1500, "0.5": 0.5, "12人": 12, ".5": 0.5,
	} {
		got, _, problem := number(text)
		assert.Empty(t, problem, text)
		assert.InDelta(t, want, got, 1e-9, text)
	}
	for _, text := range []string{"1,5", "12,34", "1,234,5", "0x10", "1_000", "Inf", "NaN", "1e", "--5", "abc", "1.2.3", "1 2", "¥", "%", "1e999"} {
		_, _, problem := number(text)
		assert.NotEmpty(t, problem, text)
	}
	got, _ := decode(t, "日期|销售额|销售量|销售人数|客单价(元)|客件数|件均价\n2026-04-14|￥12,600.00|90|60|210.00元|1.5|1.4万", Options{})
	assert.InDelta(t, 12600, got["2026-04-14 sales_amount"], 1e-9)
	assert.InDelta(t, 14000, got["2026-04-14 amount_per_item"], 1e-9)
	got, _ = decode(t, "日期|销售额（万元）|销售量|销售人数|客单价|客件数|件均价\n2026-04-14|1.26|90|60|210|1.5|140", Options{})
	assert.InDelta(t, 12600, got["2026-04-14 sales_amount"], 1e-9)
}

const ratingsText = `
日期|接待人数|总|||||||||||邀请|||||||||||自主
||发出|收到|很满意|满意|一般|不满|很不满|发送率|返回率|满意率|服务度|发出|收到|很满意|满意|一般|不满|很不满|发送率|返回率|满意率|服务度|发出|收到|很满意|满意|一般|不满|很不满|发送率|返回率|满意率|服务度
2026-04-16|1225|200|120|80|30|6|3|1|16.33%|60%|91.67%|4.54|150|90|60|24|4|2|0|12.24%|60%|93.33%|4.58|50|30|20|6|2|1|1|4.08%|60%|86.67%|4.43
汇总|1225|200|120|80|30|6|3|1|16.33%|60%|91.67%|4.54|150|90|60|24|4|2|0|12.24%|60%|93.33%|4.58|50|30|20|6|2|1|1|4.08%|60%|86.67%|4.43
同行均值|900|100
`

// Trap 6: two and three header rows, merged cells; rows of sums, means and peers are never added.
func TestTrap06SeveralHeaderRowsAndSummaryRows(t *testing.T) {
	got, sum := decode(t, ratingsText, Options{})
	assert.Equal(t, []any{"tmall.ratings", 1, 2, 34}, []any{sum.Format, sum.Rows, sum.Skipped, len(got)})
	assert.InDelta(t, 200, got["2026-04-16 ratings_all_sent"], 0)
	assert.InDelta(t, 150, got["2026-04-16 ratings_invited_sent"], 0)
	assert.InDelta(t, 1, got["2026-04-16 ratings_own_very_dissatisfied"], 0)
	assert.Empty(t, sum.Unknown)
	assert.Empty(t, sum.Missing)

	got, sum = decode(t, `
客服_服务数据
日期|咨询人数|需人工回复人数|人工接待人数|3分钟人工回复率(8:00–23:00)|30秒应答率(8:00–23:00)|投诉客服人数|其中||3分钟回复率(全天)
|||||||长时间不回复|态度差|
2026-04-15|900|600|590|98.50%|90.00%|2|1|1|97.00%
合计|900|600|590|98.50%|90.00%|2|1|1|97.00%`, Options{})
	assert.Equal(t, []any{"pdd.service", 1, 1}, []any{sum.Format, sum.Rows, sum.Skipped})
	assert.InDelta(t, 0.985, got["2026-04-15 human_3min_rate"], 1e-12)
	assert.InDelta(t, 0.97, got["2026-04-15 human_3min_rate_all_day"], 1e-12)
	assert.InDelta(t, 1, got["2026-04-15 complaint_attitude_buyers"], 0)
	assert.InDelta(t, 2, got["2026-04-15 complaint_buyers"], 0)

	// JD: data in row index 3 when it starts with a date, else in row index 1.
	const jd = "日期|在岗客服数|售前接待人数|下单人数|出库人数\n"
	for _, rows := range []string{"汇总|9|9|9|9\n均值|9|9|9|9\n2026-04-15|4|200|50|40", "2026-04-15|4|200|50|40\n汇总|9|9|9|9"} {
		got, _ = decode(t, jd+rows, Options{})
		assert.Equal(t, map[string]float64{
			"2026-04-15 agents_on_duty": 4, "2026-04-15 presale_received_buyers": 200, "2026-04-15 order_buyers": 50, "2026-04-15 shipped_buyers": 40,
		}, got)
	}
	// A label beside a date is one too, and a row that says nothing we know is no guess.
	_, sum = decode(t, "店铺|"+jd+"本店|2026-04-15|4|200|50|40\n同行均值|2026-04-15|3|100|20|10", Options{})
	assert.Equal(t, 1, sum.Skipped)
	assert.Contains(t, refused(t, jd+"2026-04-15|4|200|50|40\n第一周|9|9|9|9", Options{}, "platform.rows"), "第一周")
	assert.Contains(t, refused(t, jd+"2026-04-01~2026-04-30|4|200|50|40", Options{}, "platform.rows"), "one day")
	assert.Contains(t, refused(t, jd+"2026-04-15|4|200|50|40\n2026-04-15|4|200|51|40", Options{}, "platform.rows"), "differs from row 2")
}

// Douyin: counts from the row of sums, shares and times from the row of means.
func TestDouyinTakesCountsFromSumsAndAveragesFromMeans(t *testing.T) {
	const file = `
|接待会话量|有效评价数|全天满意率|全天平响时长|全天首响时长|全天3分钟回复率|客服询单支付额
店铺汇总值|1500|100|-|7小时41分52秒|5小时|-|28,000.00
店铺平均值|250|16.7|92.00%|2分30秒|11秒|97.20%|4666.67
客服小丽|300|20|95.00%|1分58秒|9秒|98.00%|5600`
	got, sum := decode(t, file, Options{FileDate: date("2026-04-16")})
	assert.Equal(t, map[string]float64{
		"2026-04-16 received_sessions": 1500, "2026-04-16 valid_ratings": 100, "2026-04-16 inquiry_paid_amount": 28000,
		"2026-04-16 satisfaction_rate_all_day": 0.92, "2026-04-16 avg_response_time_all_day": 150, "2026-04-16 first_response_time_all_day": 11,
		"2026-04-16 human_3min_rate_all_day": 0.972,
		"2026-04-16 客服小丽 received_sessions":  300, "2026-04-16 客服小丽 valid_ratings": 20, "2026-04-16 客服小丽 inquiry_paid_amount": 5600,
		"2026-04-16 客服小丽 satisfaction_rate_all_day": 0.95, "2026-04-16 客服小丽 avg_response_time_all_day": 118,
		"2026-04-16 客服小丽 first_response_time_all_day": 9, "2026-04-16 客服小丽 human_3min_rate_all_day": 0.98,
	}, got)
	assert.Equal(t, DatedByName, sum.Dated)
	assert.Contains(t, refused(t, file, Options{}, "platform.date"), "--date")
}

// Trap 7, the part about dates.
func TestTrap07DatesInEveryStyle(t *testing.T) {
	want := date("2026-04-17")
	for _, s := range []string{
		"2026-04-17", "2026/4/17", "2026/04/17", "2026.4.17", "20260417", "2026年4月17日", "2026年04月17日", "2026-04-17 00:00:00", "2026-04-17T00:00:00Z",
		"46129", "2026-04-17~2026-04-17", "2026-04-17 至 2026-04-17", " 2026-04-17\u3000",
	} {
		got, ok := day(Cell{Text: s}, false)
		assert.True(t, ok, s)
		assert.Equal(t, want, got, s)
	}
	for _, s := range []string{"2026-02-30", "17/4/2026", "04-17", "2026-13-01", "1", "46129.5", "2026-04-17 08:00", "2026-04-17~2026-04-18", "1999-01-01", "20261301", ""} {
		_, ok := day(Cell{Text: s}, false)
		assert.False(t, ok, s)
	}
	got, ok := day(Cell{Text: "44667"}, true)
	assert.True(t, ok)
	assert.Equal(t, want, got, "44,667 days after 1904-01-01")

	for name, want := range map[string]string{
		"飞鸽_客服表现_20260417.xlsx": "2026-04-17", "/data/2026-04-17/飞鸽_客服表现.xlsx": "2026-04-17", `D:\抖音\2026年4月17日\a.xlsx`: "2026-04-17",
		"飞鸽_20260401-20260430.xlsx": "", "report.xlsx": "", "2026-04-17/b_20260418.xlsx": "2026-04-18", "12345678.xlsx": "", "x_20260417_20260417.xlsx": "2026-04-17",
	} {
		assert.Equal(t, want, DateInName(name).String(), name)
	}
}

// Trap 8: minutes and seconds, hours too; the header's unit counts before the format's usual one.
func TestTrap08MinutesAndSeconds(t *testing.T) {
	const pdd = "日期|咨询人数|需人工回复人数|人工接待人数|%s\n2026-04-15|900|600|590|0.75"
	for header, want := range map[string]float64{"平均人工响应时长": 45, "平均人工响应时长(分钟)": 45, "平均人工响应时长(秒)": 0.75, "平均人工响应时长 min": 45, "平均人工响应时长s": 0.75} {
		got, _ := decode(t, strings.Replace(pdd, "%s", header, 1), Options{})
		assert.InDelta(t, want, got["2026-04-15 avg_human_response_time"], 1e-9, header)
	}
	for text, want := range map[string]float64{"11秒": 11, "2分30秒": 150, "7小时41分52秒": 27712, "1天": 86400, "00:02:30": 150, "1.5小时": 5400, "90": 90, "2分钟": 120} {
		got, problem := duration(Cell{}, text, "s")
		assert.Empty(t, problem, text)
		assert.InDelta(t, want, got, 1e-9, text)
	}
	for _, text := range []string{"2:30", "30秒2分", "秒", "5小时5小时", "-3", "1:60:00", "5%", "a", "1e400秒"} {
		_, problem := duration(Cell{}, text, "s")
		assert.NotEmpty(t, problem, text)
	}
	got, problem := duration(Cell{Kind: Moment}, "0.00173611111111111", "min")
	assert.Empty(t, problem)
	assert.InDelta(t, 150, got, 1e-9, "Excel's 00:02:30")
}

// Trap 10: the key of a figure is platform, shop, date, account and item, and does not depend on how
// often or in which order files come.
func TestTrap10SameFileSameKeys(t *testing.T) {
	const rows = inquiryHeader + "2026-04-14|120|118|41|8123.5|50|9870|34.17%|41.67%"
	first, _ := decode(t, rows, Options{})
	again, _ := decode(t, rows+"\n2026-04-14|120|118|41|8123.5|50|9870|34.17%|41.67%", Options{})
	assert.Equal(t, first, again, "the same row twice is one row")
}

// Trap 12: whose figure an account's is depends on the day.
func TestTrap12AccountsAreMappedByDate(t *testing.T) {
	at := func(s string) calendar.Range {
		return calendar.Range{Start: date(s).In(zone), End: date(s).Add(1).In(zone)}
	}
	assigned := func(agent, from, until string) chatlog.Assignment {
		a := chatlog.Assignment{Platform: "tmall", Shop: "s", Account: "店:小美", Agent: agentID(agent), From: date(from).In(zone)}
		if until != "" {
			a.Until = date(until).In(zone)
		}
		return a
	}
	book := []chatlog.Assignment{assigned("A1", "2026-01-01", "2026-04-10"), assigned("A2", "2026-04-10", ""), assigned("A3", "2026-04-15", "2026-04-16")}
	for day, want := range map[string]string{"2026-04-09": "A1", "2026-04-10": "A2", "2026-04-15": "", "2026-04-16": "A2", "2025-12-31": ""} {
		got, problem := Person(book, chatlog.DailyFigure{Platform: "tmall", Shop: "s", Account: "店:小美", Date: day}, at(day))
		assert.Equal(t, want, string(got), day)
		assert.Equal(t, want == "", problem != "", problem)
	}
	_, problem := Person(book, chatlog.DailyFigure{Platform: "tmall", Shop: "s", Account: "店:小美", Date: "2026-04-15"}, at("2026-04-15"))
	assert.Contains(t, problem, "A2 and A3")
	_, problem = Person(book, chatlog.DailyFigure{Platform: "tmall", Shop: "other", Account: "店:小美", Date: "2026-04-16"}, at("2026-04-16"))
	assert.NotEmpty(t, problem)
}

func TestUnknownColumnsAreReportedAndNotStored(t *testing.T) {
	got, sum := decode(t, "日期|销售额|销售量|销售人数|客件数|件均价|神秘指标\n2026-04-14|1|1|1|1|1|77", Options{})
	assert.Equal(t, []string{"神秘指标"}, sum.Unknown)
	assert.Equal(t, []string{"客单价"}, sum.Missing)
	assert.Len(t, got, 5)
	assert.Contains(t, refused(t, "a|b\n1|2", Options{}, "platform.format"), "咨询接待")
	assert.Contains(t, refused(t, "日期|销售额|销售量\n2026-04-14|1|1", Options{}, "platform.format"), "销售人数")
	refused(t, inquiryHeader+"汇总|1", Options{}, "platform.empty")
	assert.Contains(t, refused(t, inquiryHeader+"2027-01-01|1", Options{}, "platform.rows"), "future")
}

// Adding rows of sums and peers, empty rows and a title never changes the figures.
func TestNoiseChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rows := []string{"2026-04-14|120|118|41|8123.5|50|9870|34.17%|41.67%", "2026-04-15|100|99|20|800|-|--|20.00%|-"}
		var text []string
		if rapid.Bool().Draw(rt, "title") {
			text = append(text, "业绩询单")
		}
		text = append(text, strings.TrimSpace(inquiryHeader))
		for _, r := range rows {
			text = append(text, rapid.SliceOfN(rapid.SampledFrom([]string{"汇总|1|1", "|", "同行均值|5|5|5", "全店|9|9|9|9|9|9|9%|9%"}), 0, 3).Draw(rt, "noise")...)
			text = append(text, r)
		}
		want, _, err := Decode(gridText(inquiryHeader+strings.Join(rows, "\n")), Options{Today: today})
		require.NoError(rt, err)
		got, _, err := Decode(gridText(strings.Join(text, "\n")), Options{Today: today})
		require.NoError(rt, err)
		require.Equal(rt, want, got)
	})
}
