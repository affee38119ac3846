package intake_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

const history = "merchant,queue,start,slot,offered\nm,q,2026-04-17 09:00,15m,3\nm,q,2026-04-17 09:15,15m,4.5\n"

func scanHistory(src intake.Source, m intake.Mapping, o intake.Options) ([]chatlog.Contacts, intake.Summary, error) {
	var out []chatlog.Contacts
	summary, err := intake.Scan(context.Background(), src, m, func(batch []chatlog.Contacts) error { out = append(out, batch...); return nil }, o)
	return out, summary, err
}

// zipOf makes a zip archive that is not a workbook unless it looks like one.
func zipOf(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, text := range parts {
		f, err := w.Create(name)
		require.NoError(t, err)
		_, err = f.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

const (
	contentTypes = `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`
	rootRels     = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	bookXML      = `<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="数据" sheetId="1" r:id="rId1"/></sheets></workbook>`
	bookRels     = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`
)

// xlsxOf makes the smallest workbook with inline strings.
func xlsxOf(t testing.TB, rows ...[]string) []byte {
	t.Helper()
	var sheet strings.Builder
	sheet.WriteString(`<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
	for i, row := range rows {
		fmt.Fprintf(&sheet, `<row r="%d">`, i+1)
		for _, cell := range row {
			fmt.Fprintf(&sheet, `<c t="inlineStr"><is><t>%s</t></is></c>`, cell)
		}
		sheet.WriteString(`</row>`)
	}
	sheet.WriteString(`</sheetData></worksheet>`)
	return zipOf(t, map[string]string{
		"[Content_Types].xml": contentTypes, "_rels/.rels": rootRels, "xl/workbook.xml": bookXML,
		"xl/_rels/workbook.xml.rels": bookRels, "xl/worksheets/sheet1.xml": sheet.String(),
	})
}

func gzipOf(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func encoded(t testing.TB, encoder interface{ Bytes([]byte) ([]byte, error) }, s string) []byte {
	t.Helper()
	b, err := encoder.Bytes([]byte(s))
	require.NoError(t, err)
	return b
}

// One table, the same two rows, in every wrapping that people bring.
func TestScanWrappings(t *testing.T) {
	zh := "商家,队列,开始时间,时段长度,咨询量\nm,队列一,2026-04-17 09:00,15m,3\nm,队列一,2026-04-17 09:15,15m,4.5\n"
	rows := [][]string{{"商家", "队列", "开始时间", "时段长度", "咨询量"}, {"m", "队列一", "2026-04-17 09:00", "15m", "3"}, {"m", "队列一", "46129.385416666664", "15m", "4.5"}}
	serial := append([][]string{}, rows...)
	serial[1] = []string{"m", "队列一", "46129.375", "15m", "3"}
	files := map[string][]byte{
		"plain":       []byte(zh),
		"bom":         []byte("\ufeff" + zh),
		"gbk":         encoded(t, simplifiedchinese.GBK.NewEncoder(), zh),
		"gb18030":     encoded(t, simplifiedchinese.GB18030.NewEncoder(), zh),
		"utf-16le":    encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), zh),
		"utf-16be":    encoded(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder(), zh),
		"crlf":        []byte(strings.ReplaceAll(zh, "\n", "\r\n")),
		"no last end": []byte(strings.TrimSuffix(zh, "\n")),
		"semicolon":   []byte(strings.ReplaceAll(zh, ",", ";")),
		"tab":         []byte(strings.ReplaceAll(zh, ",", "\t")),
		"gzip":        gzipOf(t, []byte(zh)),
		"gzip gbk":    gzipOf(t, encoded(t, simplifiedchinese.GBK.NewEncoder(), zh)),
		"quoted":      []byte("\"商家\",\"队列\",\"开始时间\",\"时段长度\",\"咨询量\"\n\"m\",\"队列一\",\"2026-04-17 09:00\",15m,\"3\"\nm,队列一,2026-04-17 09:15,15m,4.5"),
		"title above": []byte("咨询量报表\n\n" + zh),
		"trailing":    []byte(strings.ReplaceAll(zh, "\n", ",,\n")),
		"xlsx":        xlsxOf(t, serial...),
		"ndjson": []byte(`{"merchant":"m","queue":"队列一","start":"2026-04-17T09:00:00+08:00","slot":"15m","offered":3}
{"merchant":"m","queue":"队列一","start":"2026-04-17T01:15:00Z","slot":900000000000,"offered":4.5}`),
	}
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	for name, b := range files {
		t.Run(name, func(t *testing.T) {
			got, summary, err := scanHistory(intake.FromBytes("h", b), intake.DefaultMapping(intake.History), intake.Options{Zone: zone})
			require.NoError(t, err)
			require.Equal(t, []chatlog.Contacts{
				{Merchant: "m", Queue: "队列一", Start: time.Date(2026, 4, 17, 1, 0, 0, 0, time.UTC), Slot: 15 * time.Minute, Offered: 3},
				{Merchant: "m", Queue: "队列一", Start: time.Date(2026, 4, 17, 1, 15, 0, 0, time.UTC), Slot: 15 * time.Minute, Offered: 4.5},
			}, got)
			require.Equal(t, int64(2), summary.Good)
			require.Len(t, summary.SHA256, 64)
		})
	}
}

func TestScanBadFiles(t *testing.T) {
	wide := make([]string, 10_000)
	for i := range wide {
		wide[i] = fmt.Sprint("c", i)
	}
	broken := xlsxOf(t, []string{"a"})
	cases := map[string]struct {
		file []byte
		code string
		want []string
	}{
		"empty":               {nil, "intake.empty", []string{"f.csv: is empty"}},
		"only blanks":         {[]byte(" \n\n\t\n"), "intake.empty", []string{"is empty"}},
		"header only":         {[]byte("merchant,queue,start,slot,offered\n"), "intake.empty", []string{"no rows"}},
		"empty gzip":          {gzipOf(t, nil), "intake.empty", []string{"is empty"}},
		"old excel":           {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 more"), "workbook.corrupt", []string{"f.csv", ".xls"}},
		"picture":             {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00"), "intake.format", []string{"not a table"}},
		"duplicated header":   {[]byte("merchant,queue,start,slot,offered,queue\n"), "intake.header", []string{`f.csv:1`, `column "queue"`, "columns 2 and 6"}},
		"missing column":      {[]byte("merchant,start,slot,offered\nm,2026-04-17,15m,1\n"), "intake.header", []string{"queue", "merchant, start, slot, offered"}},
		"10,000 columns":      {[]byte(strings.Join(wide, ",") + "\n"), "intake.limit", []string{"10000 columns", "1024"}},
		"10,000 columns xlsx": {xlsxOf(t, wide), "intake.limit", []string{"10000 columns"}},
		"endless line":        {bytes.Repeat([]byte("x"), 2<<20), "intake.limit", []string{"longer than 1048576 bytes"}},
		"endless quote":       {[]byte(history + "m,\"q," + strings.Repeat("x,y\n", 1<<19)), "intake.limit", []string{"quote"}},
		"zip, not a workbook": {zipOf(t, map[string]string{"a.txt": "hello"}), "workbook.corrupt", []string{"f.csv", "not a readable .xlsx"}},
		"cut workbook":        {broken[:len(broken)-30], "workbook.corrupt", []string{"f.csv", "damaged"}},
		"cut gzip":            {gzipOf(t, bytes.Repeat([]byte(history), 1000))[:100], "intake.corrupt", []string{"damaged gzip"}},
		"zip bomb":            {zipOf(t, map[string]string{"xl/worksheets/sheet1.xml": strings.Repeat(" ", 17<<20)}), "workbook.bomb", []string{"times its size"}},
		"gzip bomb":           {gzipOf(t, append([]byte(history), bytes.Repeat([]byte("m,q,2026-04-17 09:15,15m,4.5\n"), 2_600_000)...)), "intake.limit", []string{"unpacks to more than"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if name == "gzip bomb" && testing.Short() {
				t.Skip("unpacks 64 MB")
			}
			_, _, err := scanHistory(intake.FromBytes("f.csv", c.file), intake.DefaultMapping(intake.History), intake.Options{})
			require.Error(t, err)
			require.Equal(t, c.code, fault.CodeOf(err), err)
			for _, want := range c.want {
				require.Contains(t, err.Error(), want)
			}
		})
	}
}

func TestScanBadRows(t *testing.T) {
	header := "merchant,queue,start,slot,offered,handle_time\n"
	good := "m,q,2026-04-17 09:00,15m,3,60\n"
	cases := map[string]struct {
		row  string
		want string
	}{
		"negative duration": {"m,q,2026-04-17 09:15,15m,3,-60", `f.csv:3: column "handle_time": is negative (got "-60")`},
		"absurd duration":   {"m,q,2026-04-17 09:15,15m,3,90000", `f.csv:3: column "handle_time": is longer than 24 hours (got "90000")`},
		"mixed dates":       {"m,q,2026/4/17 09:15,15m,3,60", `f.csv:3: column "start": is written like 2026/4/17, but row 2 of this column like 2026-04-17`},
		"not a number":      {"m,q,2026-04-17 09:15,15m,many,60", `f.csv:3: column "offered": is not a number (got "many")`},
		"negative count":    {"m,q,2026-04-17 09:15,15m,-1,60", `f.csv:3: column "offered": must be from 0 to 10000000 (got "-1")`},
		"odd slot":          {"m,q,2026-04-17 09:15,7m,3,60", `f.csv:3: column "slot": must be 5 to 60 minutes`},
		"off the grid":      {"m,q,2026-04-17 09:16,15m,3,60", `f.csv:3: column "start": is not on the grid of 15m0s slots`},
		"same slot again":   {"m,q,2026-04-17 09:00,15m,3,60", `f.csv:3: column "start": is the slot of the row before it again`},
		"too few cells":     {"m,q,2026-04-17 09:15", `f.csv:3: has 3 cells, the header has 6`},
		"too many cells":    {"m,q,2026-04-17 09:15,15m,3,60,oops", `f.csv:3: has 7 cells, the header has 6`},
		"open quote":        {`m,"q,2026-04-17 09:15,15m,3,60`, `f.csv:3: a quote is opened and never closed`},
		"text after quote":  {`m,"q"x,2026-04-17 09:15,15m,3,60`, `f.csv:3: has text after a closing quote`},
		"no data":           {"m,q,2026-04-17 09:15,15m,--,60", `f.csv:3: column "offered": is missing`},
		"bad id":            {"m,q q,2026-04-17 09:15,15m,3,60", `f.csv:3: column "queue": has the character ' '`},
		"huge cell":         {"m," + strings.Repeat("q", 70_000) + ",2026-04-17 09:15,15m,3,60", `f.csv:3: has a cell of 70000 bytes in column 2`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			src := intake.FromBytes("f.csv", []byte(header+good+c.row+"\n"))
			got, _, err := scanHistory(src, intake.DefaultMapping(intake.History), intake.Options{})
			require.Error(t, err)
			require.Equal(t, "intake.rows", fault.CodeOf(err))
			require.Contains(t, err.Error(), "1 of 2 rows are bad, nothing was imported")
			require.Contains(t, err.Error(), c.want)
			require.Empty(t, got, "nothing half-imported")

			var rejected bytes.Buffer
			got, summary, err := scanHistory(src, intake.DefaultMapping(intake.History), intake.Options{Partial: true, RejectTo: &rejected})
			require.NoError(t, err)
			require.Len(t, got, 1)
			require.Equal(t, int64(1), summary.Rejected)
			require.Len(t, summary.Problems, 1)
			lines, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(rejected.Bytes(), []byte("\ufeff")))).ReadAll()
			require.NoError(t, err)
			require.Len(t, lines, 2)
			require.Equal(t, []string{"reject_row", "reject_reason"}, lines[0][6:])
			require.Equal(t, "3", lines[1][6])
		})
	}
}

// A rejected file can be corrected and imported with the same mapping.
func TestScanRejectsAreImportable(t *testing.T) {
	var rejected bytes.Buffer
	_, _, err := scanHistory(intake.FromBytes("f.csv", []byte(history+"m,q,2026-04-17 09:30,15m,oops\n")), intake.DefaultMapping(intake.History),
		intake.Options{Partial: true, RejectTo: &rejected})
	require.NoError(t, err)
	fixed := strings.Replace(rejected.String(), "15m,oops", "15m,7", 1)
	got, _, err := scanHistory(intake.FromBytes("r.csv", []byte(fixed)), intake.DefaultMapping(intake.History), intake.Options{})
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, 7.0, got[0].Offered)
}

func TestScanManyBadRows(t *testing.T) {
	var b strings.Builder
	b.WriteString("merchant,queue,start,slot,offered\n")
	for range 500 {
		b.WriteString("m,q,never,15m,1\n")
	}
	_, summary, err := scanHistory(intake.FromBytes("f.csv", []byte(b.String())), intake.DefaultMapping(intake.History), intake.Options{Partial: true})
	require.ErrorContains(t, err, "500 of 500 rows are bad")
	e, ok := errors.AsType[*fault.Error](err)
	require.True(t, ok)
	require.Len(t, e.Fields, intake.MaxProblems)
	require.Equal(t, int64(500), summary.Rejected)
}

func TestScanHandleErrorPasses(t *testing.T) {
	stop := errors.New("stop")
	_, err := intake.Scan(context.Background(), intake.FromBytes("f.csv", []byte(history)), intake.DefaultMapping(intake.History),
		func([]chatlog.Contacts) error { return stop }, intake.Options{})
	require.Equal(t, stop, err)
}

func TestScanCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := intake.Scan(ctx, intake.FromBytes("f.csv", []byte(history)), intake.DefaultMapping(intake.History),
		func([]chatlog.Contacts) error { return nil }, intake.Options{})
	require.Equal(t, fault.Canceled, fault.KindOf(err))
}

func TestScanWrongKind(t *testing.T) {
	_, err := intake.Scan(context.Background(), intake.FromBytes("f.csv", []byte(history)), intake.DefaultMapping(intake.States),
		func([]chatlog.Contacts) error { return nil }, intake.Options{})
	require.Equal(t, "intake.kind", fault.CodeOf(err))
}

func TestScanBuyers(t *testing.T) {
	file := "merchant,queue,started_at,wait,buyer,channel\nm,q,2026-04-17 09:00,5,张三,call\n"
	src, m := intake.FromBytes("f.csv", []byte(file)), intake.DefaultMapping(intake.Conversations)
	calls, _ := scanAll[chatlog.Conversation](t, src, m, intake.Options{})
	require.Empty(t, calls[0].Buyer, "a name never gets in without a key")
	calls, _ = scanAll[chatlog.Conversation](t, src, m, intake.Options{HashBuyer: func(merchant, buyer string) string {
		require.Equal(t, "m", merchant)
		require.Equal(t, "张三", buyer)
		return "k1"
	}})
	require.Equal(t, "k1", calls[0].Buyer)
}

func TestScanStates(t *testing.T) {
	file := "工号,状态,开始时间,时长(分钟)\na1,就绪,2026-04-17 09:00:00,30\na1,小休,2026-04-17 09:30:00,10\n"
	states, _ := scanAll[chatlog.AgentState](t, intake.FromBytes("f.csv", []byte(file)), intake.DefaultMapping(intake.States), intake.Options{})
	start := time.Date(2026, 4, 17, 9, 0, 0, 0, time.UTC)
	require.Equal(t, []chatlog.AgentState{
		{Agent: "a1", State: chatlog.Ready, Start: start, End: start.Add(30 * time.Minute)},
		{Agent: "a1", State: chatlog.OnBreak, Start: start.Add(30 * time.Minute), End: start.Add(40 * time.Minute)},
	}, states)
}

// Our own JSON is the canonical form: writing and reading changes nothing.
func TestScanCanonicalRoundTrip(t *testing.T) {
	at := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	yes, five := true, 5
	want := chatlog.Conversation{
		Merchant: "m", Shop: "s", Queue: "s/pre", ID: "c1", Channel: chatlog.Chat, Agent: "a1", Buyer: "ab12",
		StartedAt: at, AnsweredAt: at.Add(8 * time.Second), EndedAt: at.Add(10 * time.Minute), Resolved: &yes, Rating: &five,
		AgentMessages: 4, BuyerMessages: 3, HandleTime: 95 * time.Second, Simulated: true,
		Rounds: []chatlog.Round{{OpenedAt: at, AnsweredAt: at.Add(8 * time.Second), Agent: "a1"}, {OpenedAt: at.Add(time.Minute)}},
	}
	b, err := json.Marshal(want)
	require.NoError(t, err)
	got, summary := scanAll[chatlog.Conversation](t, intake.FromBytes("c.ndjson", append(b, '\n')), intake.DefaultMapping(intake.Conversations), intake.Options{})
	require.Equal(t, []chatlog.Conversation{want}, got)
	require.Equal(t, intake.NDJSON, summary.Format)
}

// generated is a file of n rows that is never in memory.
type generated struct {
	header, row string
	n           int64
}

func (g generated) ReadAt(p []byte, off int64) (int, error) {
	size := int64(len(g.header)) + g.n*int64(len(g.row))
	n := 0
	for n < len(p) && off < size {
		part := g.header[min(off, int64(len(g.header))):]
		if part == "" {
			part = g.row[(off-int64(len(g.header)))%int64(len(g.row)):]
		}
		c := copy(p[n:], part[:min(int64(len(part)), size-off)])
		n, off = n+c, off+int64(c)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Memory must not grow with the file. 300,000 rows by default, 10 million with CHAOBAN_LONG=1.
func TestScanConstantMemory(t *testing.T) {
	n := int64(300_000)
	if os.Getenv("CHAOBAN_LONG") == "1" {
		n = 10_000_000
	}
	g := generated{
		"id,merchant,shop,queue,agent,started_at,wait,handle_time,answered,rating\n",
		"S2026041700000001,m,m-tmall,m-tmall/pre,agent-0017,2026-04-17 09:15:27,12,185,Y,5\n", n,
	}
	src := intake.Source{Name: "big.csv", R: g, Size: int64(len(g.header)) + n*int64(len(g.row))}
	var peak uint64
	var rows int64
	began := time.Now()
	summary, err := intake.Scan(context.Background(), src, intake.DefaultMapping(intake.Conversations), func(batch []chatlog.Conversation) error {
		rows += int64(len(batch))
		if rows%100_000 == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
		return nil
	}, intake.Options{HoldRows: 1000})
	require.NoError(t, err)
	require.Equal(t, n, rows)
	require.Equal(t, n, summary.Good)
	require.Less(t, peak, uint64(64<<20), "live heap while batches are handed out")
	t.Logf("%d rows in %s, two readings; live heap at most %d MB", n, time.Since(began).Round(time.Millisecond), peak>>20)
}

func TestScanProgress(t *testing.T) {
	last, total := int64(-1), int64(0)
	_, _, err := scanHistory(intake.FromBytes("f.csv", []byte(history)), intake.DefaultMapping(intake.History), intake.Options{
		HoldRows: 1, BatchRows: 1,
		Progress: func(done, of int64) {
			require.GreaterOrEqual(t, done, last)
			last, total = done, of
		},
	})
	require.NoError(t, err)
	require.Equal(t, total, last)
	require.Positive(t, total)
}
