package workbook

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/chaoban/chaoban/internal/fault"
)

// The sample platform files that the tests of operations/intake read are written here, because only
// this package writes workbooks. CHAOBAN_PLATFORM_SAMPLES=1 writes them anew (but the one .xls); else
// the test reads what is there.
//
// Headers are those that real exports have; layouts are rebuilt from descriptions; figures are
// invented but agree with each other (a rate is the quotient of its counts). pdd_sales.xlsx is what
// the platform delivers under such a name: the sheet below, saved by LibreOffice as Excel 97-2003.
var samples = []struct {
	file   string
	rows   [][]any
	merged [][2]string
}{
	{"tmall_inquiry_20260417.xlsx", [][]any{
		{"日期", "询单人数", "当日询单人数", "当日付款人数", "当日付款金额", "最终付款人数", "最终付款金额", "询单当日付款转化率", "询单最终付款转化率"},
		{"2026-04-14", 120, 118, 41, 8123.5, 50, 9870, percent(41.0 / 120), percent(50.0 / 120)},
		{"汇总", 120, 118, 41, 8123.5, 50, 9870, percent(41.0 / 120), percent(50.0 / 120)},
		{"全店", 240, 236, 82, 16247, 100, 19740, percent(41.0 / 120), percent(50.0 / 120)},
		{"同行均值", 77, 75, 20, 4000, 25, 5000, percent(0.26), percent(0.32)},
	}, nil},
	{"tmall_reception_20260417.xlsx", [][]any{
		{
			"日期", "咨询人数", "接待人数", "未回复人数", "有效接待人数", "平均响应时长", "3分钟人工响应率", "咨询客服人次", "客服回复人次", "客服未回复人次", "旺旺回复率",
			"首次响应时长", "慢响应人数", "长接待人数", "买家发起人数", "客服主动跟进人数", "总消息数", "买家消息条数", "客服消息条数", "答问比", "客服字数", "平均接待时长",
		},
		{"2026/4/16", "1,230", "1,225", 5, 1100, 31.5, "95.30%", 1300, 1287, 13, "99.00%", 12.25, 20, 8, 1200, 30, 24000, 11000, 13000, "118.18%", 190000, 412},
		{"汇总", "1,230", "1,225", 5, 1100, 31.5, "95.30%", 1300, 1287, 13, "99.00%", 12.25, 20, 8, 1200, 30, 24000, 11000, 13000, "118.18%", 190000, 412},
		{"同行均值", 800, 790, 10, 700, 45, "90.00%", 850, 840, 10, "98.82%", 15, 30, 9, 780, 20, 15000, 7000, 8000, "114.29%", 100000, 450},
	}, nil},
	{"tmall_sales.xlsx", [][]any{
		{"日期", "销售额", "销售量", "销售人数", "客单价", "客件数", "件均价"},
		{"20260416", "￥12,600.00", 90, 60, "¥210.00", 1.5, "140.00元"},
	}, nil},
	{"tmall_ratings.xlsx", append(ratingsHeader(),
		[]any{
			"2026-04-16", 1225, 200, 120, 80, 30, 6, 3, 1, "16.33%", "60.00%", "91.67%", "4.54",
			150, 90, 60, 24, 4, 2, 0, "12.24%", "60.00%", "93.33%", "4.58", 50, 30, 20, 6, 2, 1, 1, "4.08%", "60.00%", "86.67%", "4.43",
		},
		[]any{"汇总", 1225, 200, 120, 80, 30, 6, 3, 1, "16.33%", "60.00%", "91.67%", "4.54"},
	), [][2]string{{"A1", "A2"}, {"B1", "B2"}, {"C1", "M1"}, {"N1", "X1"}, {"Y1", "AI1"}}},
	{"tmall_accounts_2026-04-16.xlsx", [][]any{
		{"旺旺昵称", "咨询人数", "有效接待人数", "询单人数", "下单人数", "下单金额", "销售人数", "销售额", "销售量", "订单量", "个人销售额占比", "成功退款金额", "净销售额"},
		{"示例店:小美", 410, 380, 90, 30, 6300, 28, 5880, 40, 29, "46.67%", 210, 5670},
		{"示例店:小强", 420, 400, 100, 40, 8400, 32, 6720, 50, 33, "53.33%", "--", 6720},
		{"汇总", 830, 780, 190, 70, 14700, 60, 12600, 90, 62, "100.00%", 210, 12390},
		{"均值", 415, 390, 95, 35, 7350, 30, 6300, 45, 31, "50.00%", 105, 6195},
	}, nil},
	{"tmall_overview_2026-04-16.xlsx", [][]any{
		{
			"客服销售额", "客服销售人数", "客服销售占比", "客服销售客单价", "成功退款金额", "净销售额", "咨询人数", "接待人数", "询单转化率", "平均响应时长（秒）", "客户满意率", "旺旺回复率",
			"仅退款自主完结时长（小时）", "退货退款完结时长（小时）", "平台求助率", "平台判责率",
		},
		{"12,600.00", 60, "31.50%", 210, 210, 12390, 1230, 1225, "31.58%", 31.5, "91.67%", "99.00%", 1.5, 36, "0.80%", "0.00%"},
	}, nil},
	{"jd_workload.xlsx", [][]any{
		{
			"日期", "在岗客服数", "登录时长h", "店铺服务时长h", "UPV", "咨询量", "接待量", "接通率", "应答率", "30s应答率", "满意率", "邀评率", "平均回复消息数", "超时回复数", "平均会话时长 min",
			"首次平均响应 s", "新平均响应 s", "留言咨询量", "留言分配量", "留言接待量", "留言应答率", "留言响应率", "商家留言率", "解决率",
		},
		{"汇总", 8, 64, 15, 3000, 500, 490, 98, 99, 92.5, 88, 60, 6.1, 12, 8.4, 14, 26, 20, 19, 19, 100, 95, 3.85, 90},
		{"均值", 4, 32, 7.5, 1500, 250, 245, 98, 99, 92.5, 88, 60, 6.1, 6, 8.4, 14, 26, 10, 9.5, 9.5, 100, 95, 3.85, 90},
		{"2026-04-15", 4, 32.5, 15, 1400, 240, 236, 98.33, 99.15, 91, 87.5, 58, 6, 7, 8.2, 15, 27, 12, 11, 11, 100, 96, 4.76, 89},
		{"2026-04-16", 4, 31.5, 15, 1600, 260, 254, 97.69, 98.82, 94, 88.4, 62, 6.2, 5, 8.6, 13, 25, 8, 8, 8, 100, 94, 0.8, 91},
	}, nil},
	{"jd_sales.xlsx", [][]any{
		{"日期", "在岗客服数", "售前接待人数", "下单人数", "出库人数", "下单数", "出库单数", "下单件数", "出库件数", "下单金额", "出库金额", "咨询→下单率", "咨询→出库率"},
		{46128, 4, 200, 50, 40, 52, 41, 70, 55, "15,000.00", "12,000.00", 0.25, 0.2},
		{46127, 4, 125, 25, 20, 26, 21, 35, 30, "7,500.00", "6,000.00", 0.2, 0.16},
	}, nil},
	{"pdd_service.xlsx", [][]any{
		{"客服_服务数据"},
		{"日期", "咨询人数", "需人工回复人数", "人工接待人数", "3分钟人工回复率(8:00–23:00)", "30秒应答率(8:00–23:00)", "平均人工响应时长(分钟)", "低评分订单", "纠纷退款数", "投诉客服人数", "其中", "", "", "", "投诉率", "近30日投诉率", "3分钟回复率(全天)", "30秒应答率(全天)"},
		{"", "", "", "", "", "", "", "", "", "", "长时间不回复", "态度差", "辱骂", "骚扰"},
		{"2026-04-15", 900, 600, 590, "98.50%", "90.00%", 0.75, 3, 1, 2, 1, 1, 0, 0, "0.22%", "0.15%", "97.00%", "85.00%"},
		{"2026-04-16", 950, 610, 605, "99.00%", "91.00%", "-", 2, 0, "-", "-", "-", "-", "-", "0.00%", "0.14%", "97.50%", "86.00%"},
	}, [][2]string{{"A1", "R1"}, {"K2", "N2"}, {"A2", "A3"}, {"B2", "B3"}, {"C2", "C3"}, {"D2", "D3"}, {"E2", "E3"}, {"F2", "F3"}}},
	{"pdd_sales.xlsx", [][]any{
		{"客服_销售数据"},
		{"日期", "咨询人数", "询单人数", "最终成团人数", "询单转化率", "客服销售额", "可提升销售额"},
		{"", "（人）", "（人）", "（人）", "", "（元）", "（元）"},
		{moment(46127), 900, 200, 60, percent(0.3), 5400.5, 1200},
		{moment(46128), 950, 250, 80, percent(0.32), 7200, 1500.25},
	}, [][2]string{{"A1", "G1"}}},
	{"douyin/2026-04-16/feige_performance.xlsx", [][]any{
		{
			"", "客服在线天数", "接待会话量", "待回复会话量", "已接待人数", "转出会话量", "有效评价数", "有效好评数", "有效差评数", "全天不满意率", "全天满意率", "全天平响时长", "全天首响时长", "全天3分钟回复率",
			"询单人数", "下单人数", "支付人数", "退款人数", "客服询单支付额", "退款金额", "退款后销售额", "询单转化率",
		},
		{"店铺汇总值", 6, 1500, 3, 1400, 40, 100, 92, 8, "-", "-", "7小时41分52秒", "5小时", "-", 500, 150, 140, 10, "28,000.00", 2000, 26000, "-"},
		{"店铺平均值", 1, 250, 0.5, 233.3, 6.7, 16.7, 15.3, 1.3, "8.00%", "92.00%", "2分30秒", "11秒", "97.20%", 83.3, 25, 23.3, 1.7, 4666.67, 333.33, 4333.33, "28.00%"},
		{"客服小丽", 1, 300, 0, 280, 8, 20, 19, 1, "5.00%", "95.00%", "1分58秒", "9秒", "98.00%", 100, 30, 28, 2, 5600, 400, 5200, "28.00%"},
	}, nil},
	{"kuaishou_assessment.xlsx", [][]any{
		{
			"日期", "三分钟回复率（人维度）", "三分钟回复率（会话）", "不服务率", "咨询人数", "咨询人次", "人工会话量", "人工平均回复时长", "好评率（人维度）", "好评率（会话）", "差评率（人维度）", "差评率（会话）",
			"IM不满意率（人维度）", "询单人数", "下单人数", "支付人数", "询单转化率", "询单客单价", "客服销售额",
		},
		{"2026年4月16日", "96.00%", "97.50%", "1.00%", 700, 760, 800, "35秒", "90.00%", "91.00%", "3.00%", "2.50%", "3.00%", 300, 90, 75, "25.00%", 88, 6600},
	}, nil},
	{"session_export.xlsx", [][]any{
		{"客服", "所在组织架构", "客户", "会话开始时间", "排队时长(秒)", "首次响应时长(秒)", "会话时长(秒)", "满意度评分", "是否已解决", "会话消息数", "客户首次发送消息时间", "会话记录"},
		{"A001", "售前一组", "买家甲", "2026-04-16 10:00:00", 3, 12, 300, 5, "是", 14, "2026-04-16 10:00:02", "你好"},
		{"A002", "售前一组", "买家乙", "2026-04-16 10:05:00", 0, 40, 620, "-", "否", 9, "2026-04-16 10:05:00", "在吗"},
		{"", "售前一组", "买家丙", "2026-04-16 23:59:10", 60, "--", "--", "--", "否", 1, "2026-04-16 23:59:10", "有人吗"},
	}, nil},
}

type (
	percent float64 // shown as 34.17%
	moment  float64 // shown as a date
)

func ratingsHeader() [][]any {
	top := []any{"日期", "接待人数"}
	below := []any{"", ""}
	for _, group := range []string{"总", "邀请", "自主"} {
		for i, h := range []string{"发出", "收到", "很满意", "满意", "一般", "不满", "很不满", "发送率", "返回率", "满意率", "服务度"} {
			if i > 0 {
				group = ""
			}
			top, below = append(top, group), append(below, h)
		}
	}
	return [][]any{top, below}
}

func sampleBook(t *testing.T, rows [][]any, merged [][2]string) []byte {
	t.Helper()
	return written(t, func(f *excelize.File) {
		asPercent, err := f.NewStyle(&excelize.Style{NumFmt: 10})
		require.NoError(t, err)
		asDate, err := f.NewStyle(&excelize.Style{NumFmt: 14})
		require.NoError(t, err)
		for i, row := range rows {
			for j, v := range row {
				name, err := excelize.CoordinatesToCellName(j+1, i+1)
				require.NoError(t, err)
				switch v := v.(type) {
				case percent:
					require.NoError(t, f.SetCellValue("Sheet1", name, float64(v)))
					require.NoError(t, f.SetCellStyle("Sheet1", name, name, asPercent))
				case moment:
					require.NoError(t, f.SetCellValue("Sheet1", name, float64(v)))
					require.NoError(t, f.SetCellStyle("Sheet1", name, name, asDate))
				case string:
					if v != "" {
						require.NoError(t, f.SetCellStr("Sheet1", name, v))
					}
				default:
					require.NoError(t, f.SetCellValue("Sheet1", name, v))
				}
			}
		}
		for _, m := range merged {
			require.NoError(t, f.MergeCell("Sheet1", m[0], m[1]))
		}
	})
}

const sampleDirectory = "../../internal/operations/intake/testdata/platform"

func TestSamplesAreWhatIsDescribed(t *testing.T) {
	for _, s := range samples {
		t.Run(s.file, func(t *testing.T) {
			name := filepath.Join(sampleDirectory, s.file)
			book := sampleBook(t, s.rows, s.merged)
			if os.Getenv("CHAOBAN_PLATFORM_SAMPLES") != "" && s.file != "pdd_sales.xlsx" {
				require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
				require.NoError(t, os.WriteFile(name, book, 0o644))
			}
			want, err := ReadGrid(bytes.NewReader(book), int64(len(book)), "")
			require.NoError(t, err)
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			got, err := ReadGrid(bytes.NewReader(b), int64(len(b)), "")
			require.NoError(t, err)
			require.Equal(t, want.Rows, got.Rows)
			require.ElementsMatch(t, want.Merged, got.Merged)
		})
	}
}

// oldRows are the cells of testdata/old.xls: texts of one and two bytes a character, so many that
// the table of texts goes on in several records, numbers of every packing, and stored results.
func oldRows() [][]any {
	rows := [][]any{{"文本 text", "数", "-", "", "末"}}
	for i := range 300 {
		text := strings.Repeat("a", i%50) + strconv.Itoa(i)
		if i%3 == 0 {
			text = strings.Repeat("潮班", i%40) + strconv.Itoa(i)
		}
		rows = append(rows, []any{text, float64(i), -float64(i) / 100, float64(i) * 12345.678901, float64(i) / 3})
	}
	return rows
}

func TestXLSOfEveryKindOfCell(t *testing.T) {
	want := oldRows()
	if os.Getenv("CHAOBAN_PLATFORM_SAMPLES") != "" { // to be saved as .xls by hand
		require.NoError(t, os.WriteFile(filepath.Join(os.TempDir(), "old.xlsx"), sampleBook(t, want, nil), 0o644))
	}
	b, err := os.ReadFile("testdata/old.xls")
	require.NoError(t, err)
	grid, err := ReadGrid(bytes.NewReader(b), int64(len(b)), "")
	require.NoError(t, err)
	require.Len(t, grid.Rows, len(want))
	for i, row := range want {
		require.Equal(t, i+1, grid.Rows[i].Number)
		for j, v := range row {
			got := grid.Rows[i].Cells[j]
			if f, ok := v.(float64); ok {
				value, err := strconv.ParseFloat(got.Text, 64)
				require.NoError(t, err)
				require.InDelta(t, f, value, 1e-9*max(1, f), "row %d column %d", i+1, j+1)
				require.Equal(t, NumberCell, got.Kind)
				continue
			}
			require.Equal(t, Cell{v.(string), TextCell}, got, "row %d column %d", i+1, j+1)
		}
	}
}

// Damage anywhere is a fault about the file, never a panic, and never half a sheet in silence.
func TestDamagedXLS(t *testing.T) {
	whole, err := os.ReadFile("testdata/old.xls")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		damage func(b []byte) []byte
		code   string
	}{
		"header only":    {func(b []byte) []byte { return b[:512] }, "workbook.corrupt"},
		"half":           {func(b []byte) []byte { return b[:len(b)/2] }, "workbook.corrupt"},
		"tables too big": {func(b []byte) []byte { copy(b[44:], "\xff\xff\xff\x0f"); return b }, "workbook.corrupt"},
		"not a workbook": {func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte("W\x00o\x00r\x00k"), []byte("X\x00o\x00r\x00k"))
		}, "workbook.corrupt"},
		"Excel 95": {func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte("\x09\x08\x10\x00\x00\x06\x05"), []byte("\x09\x08\x10\x00\x00\x05\x05"))
		}, "workbook.corrupt"},
	} {
		t.Run(name, func(t *testing.T) {
			b := c.damage(bytes.Clone(whole))
			_, err := ReadGrid(bytes.NewReader(b), int64(len(b)), "")
			require.Error(t, err)
			require.Equal(t, c.code, fault.CodeOf(err), err)
		})
	}
	_, err = ReadGrid(bytes.NewReader(whole), int64(len(whole)), "nowhere")
	require.Equal(t, "workbook.sheet", fault.CodeOf(err))
	require.ErrorContains(t, err, "Sheet1")
	_, err = ReadGrid(bytes.NewReader(whole), maxXLS+1, "")
	require.Equal(t, "workbook.bomb", fault.CodeOf(err))
}

func FuzzXLS(f *testing.F) {
	for _, name := range []string{"testdata/old.xls", filepath.Join(sampleDirectory, "pdd_sales.xlsx")} {
		b, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(b[:min(len(b), 16<<10)])
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 8 || !isXLS(b) {
			b = append([]byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}, b[min(8, len(b)):]...)
		}
		grid, err := ReadGrid(bytes.NewReader(b), int64(len(b)), "")
		if err != nil {
			e, ok := errors.AsType[*fault.Error](err)
			require.True(t, ok, "%T: %v", err, err)
			require.NotEqual(t, fault.Internal, e.Kind)
			return
		}
		for i, row := range grid.Rows {
			require.NotEmpty(t, row.Cells)
			require.True(t, i == 0 || row.Number > grid.Rows[i-1].Number)
		}
	})
}

// The records inside are fuzzed without the container too: a damaged container hides them.
func FuzzXLSRecords(f *testing.F) {
	b, err := os.ReadFile(filepath.Join(sampleDirectory, "pdd_sales.xlsx"))
	require.NoError(f, err)
	stream, err := workbookStream(bytes.NewReader(b), int64(len(b)))
	require.NoError(f, err)
	f.Add(stream)
	f.Fuzz(func(t *testing.T, b []byte) {
		book := &xlsBook{stream: b, formats: map[int]string{}}
		if book.globals() != nil {
			return
		}
		for _, s := range book.sheets {
			_, _ = book.read(s) // the point is that it returns
		}
	})
}

// An .xls reads like the .xlsx it was saved from: texts, numbers, percentages, dates, merged cells.
func TestXLSReadsLikeXLSX(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(sampleDirectory, "pdd_sales.xlsx"))
	require.NoError(t, err)
	require.True(t, isXLS(b[:8]), "the file is BIFF in spite of its name")
	grid, err := ReadGrid(bytes.NewReader(b), int64(len(b)), "Sheet1")
	require.NoError(t, err)
	require.Equal(t, []string{"Sheet1"}, grid.Sheets)
	require.Equal(t, GridRow{4, []Cell{
		{"46127", MomentCell}, {"900", NumberCell}, {"200", NumberCell}, {"60", NumberCell}, {"0.3", PercentCell}, {"5400.5", NumberCell}, {"1200", NumberCell},
	}}, grid.Rows[3])
	require.Equal(t, []Area{{1, 0, 1, 6}}, grid.Merged)

	rows, book := readSheet(t, b, "")
	require.Equal(t, []string{"46127", "900", "200", "60", "0.3", "5400.5", "1200"}, rows[4])
	require.Equal(t, 5, book.Last())
}
