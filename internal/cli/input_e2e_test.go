package cli_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// callHeader and the rows below are a call log with the usual column names.
const callHeader = "merchant,shop,queue,id,channel,agent,started_at,wait,answered,handle_time,rating\n"

func callRow(id, started, wait, handle string) string {
	return "halo,halo-jd,halo-jd/after," + id + ",call,B0001," + started + "," + wait + ",true," + handle + ",5\n"
}

var twoCalls = callHeader + callRow("C1", "2026-11-02 09:03:11", "8", "205") + callRow("C2", "2026-11-02 09:05:40", "31", "362")

// badCase is a file that must not get in: what the error names, and nothing imported.
type badCase struct {
	name    string
	file    []byte
	command []string // before the file
	says    []string // parts of the one message
}

func badFiles(t *testing.T) []badCase {
	conversations := []string{"import", "conversations"}
	apply := []string{"contracts", "apply"}
	return []badCase{
		{
			"unknown-key.yaml", []byte(strings.Replace(phoneLine, "tax_rate: 6%", "tax_rat: 6%", 1)), apply,
			[]string{"unknown-key.yaml:", "tax_rat"},
		},
		{"overlap.yaml", []byte(phoneLine + `      - number: 2
        from: 2026-09-01
        tax_rate: 6%
        shops: [halo-jd]
        terms:
          - {id: answer-20s, metric: answered_within, within: 20s, direction: at_least, target: 0.80, min_sample: 5}
`), apply, []string{"overlap.yaml:", "overlap"}},
		{
			"double-header.csv", []byte(strings.Replace(twoCalls, "wait,answered", "wait,wait", 1)), conversations,
			[]string{"double-header.csv:1", `"wait"`, "same header"},
		},
		{
			"negative.csv", []byte(twoCalls + callRow("C3", "2026-11-02 09:10:00", "5", "-60")), conversations,
			[]string{"negative.csv:4", `"handle_time"`, "negative", `"-60"`},
		},
		{
			"absurd.csv", []byte(twoCalls + callRow("C3", "2026-11-02 09:10:00", "5", "900000")), conversations,
			[]string{"absurd.csv:4", `"handle_time"`, "longer than 24 hours", `"900000"`},
		},
		{
			"mixed-dates.csv", []byte(twoCalls + callRow("C3", "2026/11/2 09:10", "5", "60")), conversations,
			[]string{"mixed-dates.csv:4", `"started_at"`, "2026/11/2 09:10"},
		},
		{
			"unknown-queue.csv", []byte(strings.ReplaceAll(twoCalls, "halo-jd/after", "halo-jd/afte")), conversations,
			[]string{"unknown-queue.csv:2", `"queue"`, "no queue we know", `"halo-jd/afte"`},
		},
		{"empty.csv", nil, conversations, []string{"empty.csv", "is empty"}},
		{"header-only.csv", []byte(callHeader), conversations, []string{"header-only.csv", "no rows"}},
		{"wide.xlsx", wideBook(t, 10_000), conversations, []string{"wide.xlsx", "10000 columns"}},
		{
			"mangled-gbk.csv", append([]byte(twoCalls), []byte("halo,halo-jd,halo-jd/after,\xb9\xe2\xff\xff,call,B0001,2026-11-02 09:10:00,5,true,60,5\n")...), conversations,
			[]string{"mangled-gbk.csv"},
		},
	}
}

func TestBadInputIsOneClearErrorAndNothingImported(t *testing.T) {
	t.Parallel()
	data := phoneData(t)
	serve(t, data) // the commands share its engine, which is faster than one each
	for _, c := range badFiles(t) {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, c.name, c.file)
			args := append(append([]string{}, c.command...), path)
			plain := chaoban(t, data, args...)
			assert.Equal(t, 2, plain.code, plain.errors)
			assert.Empty(t, plain.out)
			assert.Equal(t, 1, strings.Count(plain.errors, "chaoban: "), "one message: %s", plain.errors)
			for _, want := range c.says {
				assert.Contains(t, plain.errors, want)
			}
			assert.NotContains(t, plain.errors, "goroutine")

			machine := chaoban(t, data, append(args, "--json")...)
			assert.Equal(t, 2, machine.code)
			assert.Empty(t, machine.out)
			problem := problemOf(t, machine.errors)
			assert.NotEmpty(t, problem.Code)
			assert.Contains(t, []string{"invalid", "too_large", "conflict"}, problem.Kind)
		})
	}
	assert.Equal(t, []string{"0"}, raw(t, data, "SELECT count() FROM conversations"))
	assert.NotContains(t, must(t, data, "contracts", "list"), "tax_rat")
}

type problem struct {
	Code, Kind, Message string
	Fields              []struct{ File, Column, Value, Problem string }
}

func problemOf(t *testing.T, text string) problem {
	t.Helper()
	var document struct{ Error problem }
	require.NoError(t, json.Unmarshal([]byte(text), &document), text)
	return document.Error
}

// The same calls as Chinese and Windows programs write them, and again as the first did: each new
// file replaces the same two calls, so two calls stay.
func TestEncodingsAndRepeatsImportTheSameCalls(t *testing.T) {
	t.Parallel()
	data := phoneData(t)
	serve(t, data)
	chinese := strings.Replace(twoCalls, callHeader, "商家,店铺,队列,会话ID,渠道,客服,开始时间,排队时长,是否接通,通话时长,满意度评分\n", 1)
	gbk, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(chinese))
	require.NoError(t, err)
	for name, content := range map[string][]byte{
		"plain.csv": []byte(twoCalls), "bom.csv": []byte("\ufeff" + twoCalls), "gbk.csv": gbk,
		"crlf.csv": []byte(strings.ReplaceAll(twoCalls, "\n", "\r\n")),
	} {
		path := write(t, name, content)
		assert.Contains(t, must(t, data, "import", "conversations", path), "2 rows imported", name)
		assert.Contains(t, must(t, data, "import", "conversations", path), "nothing changed", name)
	}
	figures := mustJSON[[]reading](t, data, "kpi", "query", "--metric", "offered,first_response,satisfaction", "--month", "2026-11")
	require.Len(t, figures, 3)
	assert.Equal(t, 2.0, figures[0].Numerator)
	assert.Equal(t, 39.0, figures[1].Numerator, "8 s and 31 s")
	assert.Equal(t, []string{"2", "2"}, raw(t, data, "SELECT count(), uniqExact(id) FROM conversations FINAL"))
}

func TestPartialImportsTheGoodRowsAndWritesTheOthers(t *testing.T) {
	t.Parallel()
	data := phoneData(t)
	serve(t, data)
	path := write(t, "calls.csv", []byte(twoCalls+callRow("C3", "2026-11-02 09:10:00", "5", "-60")+
		callRow("C4", "2026-11-02 09:11:00", "5", "61")+strings.Replace(callRow("C5", "2026-11-02 09:12:00", "5", "62"), "halo-jd/after", "nowhere", 1)))
	rejects := filepath.Join(t.TempDir(), "rejects.csv")
	said := must(t, data, "import", "conversations", path, "--partial", "--rejects", rejects)
	assert.Contains(t, said, "3 rows imported")
	assert.Contains(t, said, "2 rows rejected")
	text, err := os.ReadFile(rejects)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Len(t, lines, 3, "a header and the two bad rows")
	assert.Contains(t, lines[0], "reject_row,reject_reason")
	assert.Contains(t, lines[1], "C3")
	assert.Contains(t, lines[1], ",4,")
	assert.Contains(t, lines[1], "negative")
	assert.Contains(t, lines[2], "C5")
	assert.Contains(t, lines[2], "no queue we know")
	assert.Equal(t, []string{"C1,C2,C4"}, raw(t, data, "SELECT arrayStringConcat(arraySort(groupArray(id)), ',') FROM conversations FINAL"))

	assert.Contains(t, must(t, data, "import", "conversations", path, "--partial", "--rejects", rejects), "nothing changed")
	same, err := os.ReadFile(rejects)
	require.NoError(t, err)
	assert.Equal(t, string(text), string(same), "the only copy of the rejected rows stays")
	assert.NotZero(t, chaoban(t, data, "import", "conversations", write(t, "broken.csv", []byte("a,b\n1,2\n")), "--partial", "--rejects", rejects).code)
	same, err = os.ReadFile(rejects)
	require.NoError(t, err)
	assert.Equal(t, string(text), string(same), "a file that cannot be read rejects no rows")
	left, err := os.ReadDir(filepath.Dir(rejects))
	require.NoError(t, err)
	assert.Len(t, left, 1, "no temporary file is left")
	assert.Equal(t, []string{"3"}, raw(t, data, "SELECT count() FROM conversations FINAL"))
}

// wideBook is a workbook whose one sheet has a header of n columns.
func wideBook(t *testing.T, n int) []byte {
	t.Helper()
	const types = `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`
	const rels = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" Target="%s"/></Relationships>`
	const book = `<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="数据" sheetId="1" r:id="rId1"/></sheets></workbook>`
	var sheet strings.Builder
	sheet.WriteString(`<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">`)
	for i := range n {
		fmt.Fprintf(&sheet, `<c t="inlineStr"><is><t>c%d</t></is></c>`, i)
	}
	sheet.WriteString(`</row></sheetData></worksheet>`)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range map[string]string{
		"[Content_Types].xml": types, "_rels/.rels": fmt.Sprintf(rels, "officeDocument", "xl/workbook.xml"), "xl/workbook.xml": book,
		"xl/_rels/workbook.xml.rels": fmt.Sprintf(rels, "worksheet", "worksheets/sheet1.xml"), "xl/worksheets/sheet1.xml": sheet.String(),
	} {
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = w.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return out.Bytes()
}
