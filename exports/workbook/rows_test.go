package workbook

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/chaoban/chaoban/internal/fault"
)

func written(t *testing.T, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var out bytes.Buffer
	require.NoError(t, f.Write(&out))
	return out.Bytes()
}

func readSheet(t *testing.T, b []byte, sheet string) (rows map[int][]string, book *Rows) {
	t.Helper()
	r, err := OpenRows(bytes.NewReader(b), int64(len(b)), sheet)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	rows = map[int][]string{}
	for {
		n, cells, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, r
		}
		require.NoError(t, err)
		rows[n] = cells
	}
}

func TestRowsAsStored(t *testing.T) {
	b := written(t, func(f *excelize.File) {
		require.NoError(t, f.SetSheetRow("Sheet1", "A1", &[]any{"日期", "时长", "备注"}))
		require.NoError(t, f.SetSheetRow("Sheet1", "A3", &[]any{46129.5, 0.25, "ok"}))
		date, err := f.NewStyle(&excelize.Style{NumFmt: 22})
		require.NoError(t, err)
		require.NoError(t, f.SetCellStyle("Sheet1", "A3", "B3", date))
	})
	rows, book := readSheet(t, b, "")
	require.Equal(t, map[int][]string{1: {"日期", "时长", "备注"}, 3: {"46129.5", "0.25", "ok"}}, rows)
	require.Equal(t, 3, book.Last())
	require.Equal(t, "Sheet1", book.Sheet())
	require.False(t, book.Date1904())
}

func TestRowsChoosesSheet(t *testing.T) {
	b := written(t, func(f *excelize.File) {
		for _, name := range []string{"第二", "第三"} {
			_, err := f.NewSheet(name)
			require.NoError(t, err)
			require.NoError(t, f.SetCellStr(name, "A1", name))
		}
		require.NoError(t, f.SetCellStr("Sheet1", "A1", "hidden"))
		require.NoError(t, f.MoveSheet("第三", "Sheet1")) // the order of sheets is not the order of parts
		f.SetActiveSheet(1)
		require.NoError(t, f.SetSheetVisible("Sheet1", false))
	})
	rows, book := readSheet(t, b, "")
	require.Equal(t, "第三", book.Sheet())
	require.Equal(t, []string{"第三"}, rows[1])
	rows, _ = readSheet(t, b, " 第二 ")
	require.Equal(t, []string{"第二"}, rows[1])
	_, err := OpenRows(bytes.NewReader(b), int64(len(b)), "第四")
	require.Equal(t, "workbook.sheet", fault.CodeOf(err))
	require.Contains(t, err.Error(), "第二")
}

func TestRowsDate1904(t *testing.T) {
	yes := true
	b := written(t, func(f *excelize.File) {
		require.NoError(t, f.SetCellInt("Sheet1", "A1", 1))
		require.NoError(t, f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}))
	})
	_, book := readSheet(t, b, "")
	require.True(t, book.Date1904())
}

// replaced returns the archive with one part changed.
func replaced(t *testing.T, b []byte, name string, change func(string) string) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, part := range in.File {
		r, err := part.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		if part.Name == name {
			text = []byte(change(string(text)))
		}
		f, err := w.Create(part.Name)
		require.NoError(t, err)
		_, err = f.Write(text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// The decoder ends quietly at broken XML; half a sheet must not pass for a whole one.
func TestRowsBrokenXML(t *testing.T) {
	b := written(t, func(f *excelize.File) {
		for i := range 50 {
			require.NoError(t, f.SetCellInt("Sheet1", fmt.Sprintf("A%d", i+1), int64(i)))
		}
	})
	b = replaced(t, b, "xl/worksheets/sheet1.xml", func(s string) string { return strings.Replace(s, `<row r="20"`, `</sheetDat><row r="20"`, 1) })
	r, err := OpenRows(bytes.NewReader(b), int64(len(b)), "")
	for err == nil {
		_, _, err = r.Next()
	}
	require.NotErrorIs(t, err, io.EOF)
	require.Equal(t, "workbook.corrupt", fault.CodeOf(err))
	require.NoError(t, r.Close())
}

func TestRowsBombs(t *testing.T) {
	many := func(parts, size int) []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		for i := range parts {
			f, err := w.Create(fmt.Sprintf("xl/worksheets/sheet%d.xml", i))
			require.NoError(t, err)
			_, err = f.Write(bytes.Repeat([]byte{' '}, size))
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
		return out.Bytes()
	}
	for name, b := range map[string][]byte{"ratio": many(1, ratioFrom+1), "parts": many(maxParts+1, 0)} {
		t.Run(name, func(t *testing.T) {
			_, err := OpenRows(bytes.NewReader(b), int64(len(b)), "")
			require.Equal(t, "workbook.bomb", fault.CodeOf(err))
			require.Equal(t, fault.TooLarge, fault.KindOf(err))
		})
	}
}

// A directory that lies about sizes is found out before anything is kept in memory.
func TestRowsLyingDirectory(t *testing.T) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, err := w.CreateRaw(&zip.FileHeader{Name: "xl/workbook.xml", Method: zip.Store, CompressedSize64: 100, UncompressedSize64: 10})
	require.NoError(t, err)
	_, err = f.Write(bytes.Repeat([]byte{'x'}, 100))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	_, err = OpenRows(bytes.NewReader(out.Bytes()), int64(out.Len()), "")
	require.Equal(t, "workbook.corrupt", fault.CodeOf(err))
}
