package operationstest

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"io"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Sheets reads a workbook by nothing but its XML, so that what it says is independent of the
// library that wrote it: sheet -> rows -> cells by column, 0 = A.
func Sheets(t testing.TB, book []byte) map[string][][]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	require.NoError(t, err)
	read := func(name string, into any) bool {
		f, err := archive.Open(name)
		if err != nil {
			return false
		}
		defer f.Close()
		text, err := io.ReadAll(f)
		require.NoError(t, err)
		require.NoError(t, xml.Unmarshal(text, into), name)
		return true
	}
	var shared struct {
		Items []struct {
			Text string `xml:"t"`
			Runs []struct {
				Text string `xml:"t"`
			} `xml:"r"`
		} `xml:"si"`
	}
	read("xl/sharedStrings.xml", &shared)
	texts := make([]string, len(shared.Items))
	for i, item := range shared.Items {
		texts[i] = item.Text
		for _, r := range item.Runs {
			texts[i] += r.Text
		}
	}
	var index struct {
		Sheets []struct {
			Name string `xml:"name,attr"`
			ID   string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
		} `xml:"sheets>sheet"`
	}
	require.True(t, read("xl/workbook.xml", &index))
	var relations struct {
		All []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	require.True(t, read("xl/_rels/workbook.xml.rels", &relations))
	target := map[string]string{}
	for _, r := range relations.All {
		target[r.ID] = strings.TrimPrefix(path.Join("/xl", strings.TrimPrefix(r.Target, "/xl/")), "/")
	}
	sheets := map[string][][]string{}
	for _, s := range index.Sheets {
		var data sheetXML
		require.True(t, read(target[s.ID], &data), s.Name)
		sheets[s.Name] = data.cells(texts)
	}
	return sheets
}

type sheetXML struct {
	Rows []struct {
		Cells []struct {
			At     string `xml:"r,attr"`
			Type   string `xml:"t,attr"`
			Value  string `xml:"v"`
			Inline string `xml:"is>t"`
		} `xml:"c"`
	} `xml:"sheetData>row"`
}

func (x sheetXML) cells(shared []string) [][]string {
	rows := make([][]string, len(x.Rows))
	for i, r := range x.Rows {
		for _, c := range r.Cells {
			column := 0
			for _, letter := range strings.TrimRight(c.At, "0123456789") {
				column = column*26 + int(letter-'A') + 1
			}
			for len(rows[i]) < column {
				rows[i] = append(rows[i], "")
			}
			text := c.Value + c.Inline
			if n, err := strconv.Atoi(c.Value); err == nil && c.Type == "s" {
				text = shared[n]
			}
			rows[i][column-1] = text
		}
	}
	return rows
}
