package measuring_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

func platformSample(t *testing.T, name string) measuring.PlatformInput {
	t.Helper()
	return measuring.PlatformInput{Source: intake.FromBytes(filepath.Base(name), operationstest.PlatformFile(t, name)), Path: name, Shop: "lumi-tmall"}
}

// platformFigures are the platform figures of a shop by date, account and item.
func (s *stack) platformFigures(t *testing.T, shop ids.Shop) map[string]float64 {
	t.Helper()
	figures, err := s.Warehouse.In(warehouse.Scope{Everything: true}).PlatformFigures(t.Context(), warehouse.FigureFilter{
		Dates: calendar.Dates{From: date("2026-01-01"), Until: date("2027-01-01")}, Shops: []ids.Shop{shop},
	})
	ok(t, err)
	out := map[string]float64{}
	for _, f := range figures {
		assert.Equal(t, ids.Merchant("lumi"), f.Merchant)
		out[strings.Join(strings.Fields(f.Date+" "+f.Account+" "+f.Item), " ")] = f.Value
	}
	require.Len(t, out, len(figures))
	return out
}

const salesHeader = "日期,销售额,销售量,销售人数,客单价,客件数,件均价\n"

func sales(rows ...string) measuring.PlatformInput {
	return measuring.PlatformInput{Source: operationstest.FileOf("sales.csv", salesHeader+strings.Join(rows, "\n")+"\n"), Shop: "lumi-tmall"}
}

// Traps 2 and 10: rolling files replace every day they hold, and the same file again changes nothing,
// not even after a later one.
func TestTrap02And10RollingFilesAndImportingAgain(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	first := sales("2026-06-01,100,2,1,100,2,50", "2026-06-02,200,2,1,200,2,100")
	done, err := s.Measuring.ImportPlatform(t.Context(), planner, first)
	ok(t, err)
	assert.Equal(t, []any{false, int64(12), "tmall.sales", ids.Merchant("lumi")}, []any{done.Already, done.Import.Rows, done.Summary.Format, done.Import.Merchant})
	require.Len(t, s.platformFigures(t, "lumi-tmall"), 12)

	later := sales("2026-06-02,250,2,1,250,2,125", "2026-06-03,300,3,1,300,3,100")
	_, err = s.Measuring.ImportPlatform(t.Context(), planner, later)
	ok(t, err)
	after := s.platformFigures(t, "lumi-tmall")
	require.Len(t, after, 18)
	assert.InDelta(t, 100, after["2026-06-01 sales_amount"], 0)
	assert.InDelta(t, 250, after["2026-06-02 sales_amount"], 0, "the later file counts")

	for _, again := range []measuring.PlatformInput{first, later} {
		done, err = s.Measuring.ImportPlatform(t.Context(), planner, again)
		ok(t, err)
		assert.True(t, done.Already)
		assert.Equal(t, after, s.platformFigures(t, "lumi-tmall"))
	}
	done, err = s.Measuring.ImportPlatform(t.Context(), planner, first)
	ok(t, err)
	assert.Equal(t, 3, done.Replaced, "amount, amount per buyer and per piece of the second day")
	sheet := first
	sheet.Sheet = "x"
	_, err = s.Measuring.ImportPlatform(t.Context(), planner, sheet)
	assert.Contains(t, refused(t, err, "workbook.sheet").Fields[0].Problem, "the file is text")
	list := s.imports(t)
	require.Len(t, list, 2)

	// The later file was wrong.
	again := first
	again.Again = true
	done, err = s.Measuring.ImportPlatform(t.Context(), planner, again)
	ok(t, err)
	assert.False(t, done.Already)
	assert.InDelta(t, 200, s.platformFigures(t, "lumi-tmall")["2026-06-02 sales_amount"], 0)
	later.Again = true
	_, err = s.Measuring.ImportPlatform(t.Context(), planner, later)
	ok(t, err)
	assert.Equal(t, after, s.platformFigures(t, "lumi-tmall"))
	assert.Equal(t, measuring.PlatformKind, list[0].Kind)

	// The same file for another day than its name says, for another shop, is another import.
	overview := platformSample(t, "tmall_overview_2026-04-16.xlsx")
	_, err = s.Measuring.ImportPlatform(t.Context(), planner, overview)
	ok(t, err)
	overview.Date = date("2026-04-15")
	done, err = s.Measuring.ImportPlatform(t.Context(), planner, overview)
	ok(t, err)
	assert.False(t, done.Already)
	assert.Contains(t, strings.Join(done.Summary.Notes, ""), "the latter counts")
	assert.InDelta(t, 12600, s.platformFigures(t, "lumi-tmall")["2026-04-15 service_sales_amount"], 0)
}

// The same file brought by many at once is imported once.
func TestPlatformFileBroughtByManyAtOnce(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	in := sales("2026-06-01,100,2,1,100,2,50")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			_, err := s.Measuring.ImportPlatform(t.Context(), planner, in)
			assert.NoError(t, err)
		})
	}
	wait.Wait()
	assert.Len(t, s.imports(t), 1)
	assert.Len(t, s.platformFigures(t, "lumi-tmall"), 6)
}

func TestPlatformFileRefused(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	bad := sales("2026-06-01,100,2,1,100,2,50", "2026-06-02,1,two,1,1,1,1")
	other := sales("2026-06-01,100,2,1,100,2,50")
	other.Shop = "nowhere"
	foreign := sales("2026-06-01,100,2,1,100,2,50")
	foreign.Merchant = "orca"
	jd := sales("2026-06-01,100,2,1,100,2,50")
	jd.Shop = "orca-jd"
	scale := sales("2026-06-01,100,2,1,100,2,50")
	scale.Percent = []string{"maybe"}
	for name, c := range map[string]struct {
		in   measuring.PlatformInput
		code string
	}{
		"one bad cell": {bad, "platform.rows"}, "unknown shop": {other, "platform.shop"}, "another merchant's shop": {foreign, "platform.shop"},
		"another platform": {jd, "platform.shop"}, "scale": {scale, "platform.percent"},
	} {
		_, err := s.Measuring.ImportPlatform(t.Context(), planner, c.in)
		assert.Equal(t, c.code, fault.CodeOf(err), "%s: %v", name, err)
	}
	assert.Empty(t, s.platformFigures(t, "lumi-tmall"))
	assert.Empty(t, s.imports(t))
}

// A figure that the platform could still change when the file was made is marked so, and a file made
// later closes it.
func TestTrap01FinalConversionClosesWithALaterFile(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	const header = "日期,询单人数,当日询单人数,当日付款人数,当日付款金额,最终付款人数,最终付款金额,询单当日付款转化率,询单最终付款转化率\n"
	in := measuring.PlatformInput{Shop: "lumi-tmall", Source: operationstest.FileOf("业绩询单_20260609.csv", header+"2026-06-08,100,99,30,1,31,2,30%,31%\n"), Path: "业绩询单_20260609.csv"}
	done, err := s.Measuring.ImportPlatform(t.Context(), planner, in)
	ok(t, err)
	assert.Equal(t, 3, done.Summary.Open)
	s.Clock = s.Clock.Add(48 * time.Hour)
	in.Source, in.Path = operationstest.FileOf("业绩询单_20260611.csv", header+"2026-06-08,100,99,30,1,35,2,30%,35%\n"), "业绩询单_20260611.csv"
	done, err = s.Measuring.ImportPlatform(t.Context(), planner, in)
	ok(t, err)
	assert.Zero(t, done.Summary.Open)
	assert.InDelta(t, 0.35, s.platformFigures(t, "lumi-tmall")["2026-06-08 inquiry_conversion_final"], 1e-12)
}

// Trap 12: a sub-account's figure is the person's who used it on that day, and nobody's when two did.
func TestTrap12FiguresOfAccountsBelongToPeopleByDate(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 2, "lumi-tmall/pre")
	put := func(agent ids.Agent, from, until string) {
		_, err := s.Administration.PutAccounts(t.Context(), planner, []chatlog.Assignment{{
			Platform: "tmall", Shop: "lumi-tmall", Account: "示例店:小美", Agent: agent, From: at(from, "00:00:00"), Until: at(until, "00:00:00"),
		}})
		ok(t, err)
	}
	put("1001", "2026-04-01", "2026-04-16")
	put("1002", "2026-04-16", "2026-05-01")
	put("1001", "2026-04-18", "2026-04-19")
	for _, day := range []string{"2026-04-15", "2026-04-16", "2026-04-18"} {
		in := platformSample(t, "tmall_accounts_2026-04-16.xlsx")
		in.Date = date(day)
		_, err := s.Measuring.ImportPlatform(t.Context(), planner, in)
		ok(t, err)
	}
	ask := measuring.PlatformFigureQuery{Dates: calendar.Dates{From: date("2026-04-01"), Until: date("2026-05-01")}, ByAccount: true}
	figures, err := s.Measuring.PlatformFigures(t.Context(), admin, ask)
	ok(t, err)
	people := map[string]string{}
	for _, f := range figures {
		if f.Item == "sales_amount" {
			people[f.Date+" "+f.Account] = string(f.Agent) + "|" + f.Doubt
		}
	}
	assert.Equal(t, map[string]string{
		"2026-04-15 示例店:小美": "1001|", "2026-04-16 示例店:小美": "1002|", "2026-04-18 示例店:小美": "|the account 示例店:小美 was used by 1001 and 1002 on 2026-04-18",
		"2026-04-15 示例店:小强": "|the account 示例店:小强 belongs to nobody on 2026-04-15", "2026-04-16 示例店:小强": "|the account 示例店:小强 belongs to nobody on 2026-04-16",
		"2026-04-18 示例店:小强": "|the account 示例店:小强 belongs to nobody on 2026-04-18",
	}, people)

	ask.ByAccount = false
	figures, err = s.Measuring.PlatformFigures(t.Context(), clientLumi, ask)
	ok(t, err)
	assert.Empty(t, figures, "figures of accounts are not those of the shop")
	ask.ByAccount = true
	_, err = s.Measuring.PlatformFigures(t.Context(), clientLumi, ask)
	assert.Equal(t, fault.Forbidden, fault.KindOf(err))
	ask.Dates.Until = date("2027-01-01")
	_, err = s.Measuring.PlatformFigures(t.Context(), admin, ask)
	assert.Equal(t, "kpi.list.invalid", fault.CodeOf(err))
}
