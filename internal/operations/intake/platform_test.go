package intake_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/chatlog/platformfile"
)

func sample(t *testing.T, name string) intake.Source {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "platform", name))
	require.NoError(t, err)
	return intake.FromBytes(filepath.Base(name), b)
}

// read decodes a sample as it is imported on 20 April 2026.
func read(t *testing.T, src intake.Source, path string, o platformfile.Options) (map[string]chatlog.DailyFigure, platformfile.Summary) {
	t.Helper()
	o.FileDate, o.Today = platformfile.DateInName(path), calendar.MakeDate(2026, 4, 20)
	figures, sum, err := intake.ReadPlatform(src, "", o)
	require.NoError(t, err)
	out := map[string]chatlog.DailyFigure{}
	for _, f := range figures {
		out[strings.TrimSpace(f.Date+" "+f.Account)+" "+f.Item] = f
	}
	require.Len(t, out, len(figures))
	return out, sum
}

// Every sample file is recognised by its headers, and its figures are those that a person reads in
// it. rows counts days and accounts, skipped the rows of sums, means and peers.
func TestEveryPlatformFile(t *testing.T) {
	for _, c := range []struct {
		file, format           string
		rows, skipped, figures int
		from, to               string
		values                 map[string]float64
	}{
		{"tmall_inquiry_20260417.xlsx", "tmall.inquiry", 1, 3, 8, "2026-04-14", "2026-04-14", map[string]float64{
			"2026-04-14 inquiry_buyers": 120, "2026-04-14 inquiry_paid_amount_final": 9870, "2026-04-14 inquiry_conversion_final": 50.0 / 120,
		}},
		{"tmall_reception_20260417.xlsx", "tmall.reception", 1, 2, 21, "2026-04-16", "2026-04-16", map[string]float64{
			"2026-04-16 consult_buyers": 1230, "2026-04-16 human_3min_rate": 0.953, "2026-04-16 avg_response_time": 31.5, "2026-04-16 answer_question_ratio": 1.1818,
		}},
		{"tmall_sales.xlsx", "tmall.sales", 1, 0, 6, "2026-04-16", "2026-04-16", map[string]float64{"2026-04-16 sales_amount": 12600, "2026-04-16 amount_per_item": 140}},
		{"tmall_ratings.xlsx", "tmall.ratings", 1, 1, 34, "2026-04-16", "2026-04-16", map[string]float64{
			"2026-04-16 ratings_all_received": 120, "2026-04-16 ratings_invited_satisfaction_rate": 0.9333, "2026-04-16 ratings_own_service_score": 4.43,
		}},
		{"tmall_accounts_2026-04-16.xlsx", "tmall.accounts", 2, 2, 23, "2026-04-16", "2026-04-16", map[string]float64{
			"2026-04-16 示例店:小美 sales_amount": 5880, "2026-04-16 示例店:小强 own_sales_share": 0.5333, "2026-04-16 示例店:小美 refunded_amount": 210,
		}},
		{"tmall_overview_2026-04-16.xlsx", "tmall.overview", 1, 0, 16, "2026-04-16", "2026-04-16", map[string]float64{
			"2026-04-16 refund_only_completion_time": 5400, "2026-04-16 platform_help_rate": 0.008, "2026-04-16 avg_response_time": 31.5,
		}},
		{"jd_workload.xlsx", "jd.workload", 2, 2, 46, "2026-04-15", "2026-04-16", map[string]float64{
			"2026-04-15 first_30s_rate": 0.91, "2026-04-16 offline_rate": 0.008, "2026-04-15 login_time": 32.5 * 3600, "2026-04-16 avg_session_time": 8.6 * 60,
			"2026-04-16 first_response_time": 13, "2026-04-15 offline_answer_rate": 1,
		}},
		{"jd_sales.xlsx", "jd.sales", 2, 0, 24, "2026-04-15", "2026-04-16", map[string]float64{
			"2026-04-16 consult_order_rate": 0.25, "2026-04-15 consult_shipped_rate": 0.16, "2026-04-16 order_amount": 15000,
		}},
		{"pdd_service.xlsx", "pdd.service", 2, 0, 17 + 11, "2026-04-15", "2026-04-16", map[string]float64{
			"2026-04-15 avg_human_response_time": 45, "2026-04-15 human_3min_rate": 0.985, "2026-04-15 human_3min_rate_all_day": 0.97, "2026-04-15 complaint_rate": 0.0022,
		}},
		{"pdd_sales.xlsx", "pdd.sales", 2, 0, 12, "2026-04-15", "2026-04-16", map[string]float64{
			"2026-04-15 inquiry_conversion_final": 0.3, "2026-04-16 potential_sales_amount": 1500.25,
		}},
		{"douyin/2026-04-16/feige_performance.xlsx", "douyin.performance", 3, 0, 21 + 21, "2026-04-16", "2026-04-16", map[string]float64{
			"2026-04-16 received_sessions": 1500, "2026-04-16 avg_response_time_all_day": 150, "2026-04-16 客服小丽 avg_response_time_all_day": 118,
			"2026-04-16 dissatisfaction_rate_all_day": 0.08, "2026-04-16 net_sales_amount": 26000,
		}},
		{"kuaishou_assessment.xlsx", "kuaishou.assessment", 1, 0, 18, "2026-04-16", "2026-04-16", map[string]float64{
			"2026-04-16 human_3min_rate": 0.96, "2026-04-16 human_3min_rate_session": 0.975, "2026-04-16 avg_human_response_time": 35,
		}},
	} {
		t.Run(c.format, func(t *testing.T) {
			figures, sum := read(t, sample(t, c.file), c.file, platformfile.Options{})
			assert.Equal(t, []any{c.format, c.rows, c.skipped, c.figures, c.from, c.to}, []any{sum.Format, sum.Rows, sum.Skipped, sum.Figures, sum.From, sum.To})
			assert.Empty(t, sum.Unknown)
			assert.Empty(t, sum.Missing)
			for key, want := range c.values {
				assert.InDelta(t, want, figures[key].Value, 1e-9, key)
				assert.NotEmpty(t, figures[key].Header, key)
			}
		})
	}
}

// Trap 3, the number format of cells: the fractions that a sheet shows as 34.17 % need no question.
func TestTrap03NumberFormatsTell(t *testing.T) {
	figures, _ := read(t, sample(t, "tmall_inquiry_20260417.xlsx"), "", platformfile.Options{})
	assert.InDelta(t, 41.0/120, figures["2026-04-14 inquiry_conversion_same_day"].Value, 1e-12)
}

// Trap 7: the bytes tell what a file is, never its name; text may be GBK, or UTF-8 with a mark.
func TestTrap07MagicBytesAndEncodings(t *testing.T) {
	text := "日期,询单人数,当日询单人数,当日付款人数,当日付款金额,最终付款人数,最终付款金额,询单当日付款转化率,询单最终付款转化率\n" +
		"2026/4/14,120,118,41,\"8,123.50\",50,\"9,870.00\",34.17%,41.67%\n汇总,120,118,41,\"8,123.50\",50,\"9,870.00\",34.17%,41.67%\n"
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(text)
	require.NoError(t, err)
	for name, content := range map[string][]byte{
		"gbk": []byte(gbk), "utf-8": []byte(text), "bom": append([]byte("\xef\xbb\xbf"), text...), "tabs": []byte(strings.NewReplacer(",", "\t", "\"8\t123.50\"", "8123.5").Replace(strings.ReplaceAll(strings.ReplaceAll(text, "\"8,123.50\"", "8123.50"), "\"9,870.00\"", "9870"))),
		"gzip": gzipOf(t, []byte(text)),
	} {
		t.Run(name, func(t *testing.T) {
			figures, sum := read(t, intake.FromBytes("业绩询单.xlsx", content), "", platformfile.Options{})
			assert.Equal(t, 1, sum.Rows)
			assert.InDelta(t, 8123.5, figures["2026-04-14 inquiry_paid_amount_same_day"].Value, 1e-9)
			assert.InDelta(t, 0.3417, figures["2026-04-14 inquiry_conversion_same_day"].Value, 1e-12)
		})
	}
	old := sample(t, "pdd_sales.xlsx")
	head := make([]byte, 4)
	_, err = old.R.ReadAt(head, 0)
	require.NoError(t, err)
	require.Equal(t, []byte{0xd0, 0xcf, 0x11, 0xe0}, head, "the sample is an .xls under the name .xlsx")
	_, sum := read(t, old, "", platformfile.Options{})
	assert.Equal(t, "pdd.sales", sum.Format)
}

func TestPlatformFilesThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		content []byte
		code    string
	}{
		"empty":      {nil, "intake.empty"},
		"binary":     {[]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08"), "intake.format"},
		"other":      {[]byte("a,b\n1,2\n"), "platform.format"},
		"lines":      {[]byte("{\"a\":1}\n"), "platform.format"},
		"quote":      {[]byte("日期,咨询人数\n\"2026-04-16,1\n"), "intake.format"},
		"half .xls":  {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 more"), "workbook.corrupt"},
		"half .xlsx": {[]byte("PK\x03\x04 more than that"), "workbook.corrupt"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := intake.ReadPlatform(intake.FromBytes("f.xlsx", c.content), "", platformfile.Options{})
			require.Error(t, err)
			require.Equal(t, c.code, faultOf(t, err).Code, err)
			require.ErrorContains(t, err, "f.xlsx")
		})
	}
}

// The session-level export becomes conversations by the shipped mapping.
func TestSessionExport(t *testing.T) {
	var got []chatlog.Conversation
	summary, err := intake.Scan(t.Context(), sample(t, "session_export.xlsx"), intake.SessionExport("m", "s", "q"),
		func(batch []chatlog.Conversation) error { got = append(got, batch...); return nil },
		intake.Options{Zone: beijing, HashBuyer: func(m, b string) string { return m + "/" + b }})
	require.NoError(t, err)
	require.EqualValues(t, 3, summary.Good)
	first := got[0]
	assert.Equal(t, []any{"m", "s", "q", "A001", "m/买家甲", "chat"}, []any{string(first.Merchant), string(first.Shop), string(first.Queue), string(first.Agent), first.Buyer, first.Channel})
	assert.Equal(t, "2026-04-16T02:00:00Z", first.StartedAt.Format("2006-01-02T15:04:05Z07:00"))
	assert.Equal(t, 12.0, first.AnsweredAt.Sub(first.StartedAt).Seconds())
	assert.Equal(t, 5, *first.Rating)
	assert.True(t, *first.Resolved)
	assert.Nil(t, got[1].Rating)
	assert.True(t, got[2].AnsweredAt.IsZero(), "nobody answered")
}

func FuzzPlatformBytes(f *testing.F) {
	names, err := filepath.Glob("testdata/platform/*.xlsx")
	require.NoError(f, err)
	for _, name := range names {
		b, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte("日期,询单人数,最终付款人数\n2026-04-14,1,2\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, err := intake.ReadPlatform(intake.FromBytes("f", b), "", platformfile.Options{Today: calendar.MakeDate(2026, 4, 20)})
		if err != nil {
			_ = faultOf(t, err)
		}
		found, err := intake.Inspect(t.Context(), intake.FromBytes("f", b), intake.InspectOptions{})
		if err == nil && found.Mapping.Kind != "" {
			var out bytes.Buffer
			require.NoError(t, found.Mapping.Save(&out, found.Doubts))
			_, err = intake.ParseMapping("saved", &out)
			require.NoError(t, err, "what is saved can be read")
		}
	})
}

var beijing = time.FixedZone("Asia/Shanghai", 8*3600)

// What a file says against itself is told and kept: it is what the platform says.
func TestPlatformFileThatContradictsItself(t *testing.T) {
	read := func(rows string) platformfile.Summary {
		_, sum, err := intake.ReadPlatform(intake.FromBytes("t.csv", []byte("日期,询单人数,当日付款人数,最终付款人数,询单当日付款转化率\n"+rows)), "", platformfile.Options{})
		require.NoError(t, err)
		return sum
	}
	assert.Contains(t, strings.Join(read("2026-04-16,12,99,5,33.33%\n").Notes, ""), "row 2: 询单当日付款转化率 33.33 % is not 99 of 12")
	assert.Empty(t, read("2026-04-16,12,4,5,33.33%\n").Notes)
}

// Some platforms hand out a web page under the name .xls.
func TestPageNamedExcel(t *testing.T) {
	_, err := intake.Inspect(t.Context(), intake.FromBytes("t.xls", []byte("\n<html><table><tr><td>日期</td></tr></table></html>")), intake.InspectOptions{})
	require.Error(t, err)
	assert.Contains(t, faultOf(t, err).Fields[0].Problem, "web page")
}
