package workbook

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/fault"
)

func writeRoster(t *testing.T, m exports.Roster) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Roster(&out, m))
	return out.Bytes()
}

func TestRosterReadsBack(t *testing.T) {
	m := weekRoster()
	m.Rows[0].Name = "=cmd()"
	m.Coverage[0].Values[2] = nil
	f := open(t, writeRoster(t, m))
	defer func() { _ = f.Close() }()
	g := sheetOf(t, f, SheetRoster)
	row := g.row(1, 1, "工号\nAgent")
	require.Positive(t, row)
	assert.Contains(t, g.at(4+3, row), "国庆节")
	for _, r := range m.Rows {
		row++
		assert.Equal(t, string(r.Agent), g.at(1, row))
		assert.Equal(t, guard(r.Name), g.at(2, row))
		for i, c := range r.Cells {
			assert.Equal(t, guard(c.Text), g.at(4+i, row))
		}
		hours := r.Work.Hours()
		same(t, &hours, g.at(4+len(m.Days), row), "hours")
	}
	for _, c := range m.Coverage {
		row++
		for i, v := range c.Values {
			same(t, v, g.at(4+i, row), c.Name)
		}
	}
	assert.Equal(t, m.Notes[0], g.at(1, row+1))
}

func TestSameRosterSameBytes(t *testing.T) {
	assert.True(t, bytes.Equal(writeRoster(t, weekRoster()), writeRoster(t, weekRoster())))
}

func TestInvalidRosterWritesNothing(t *testing.T) {
	m := weekRoster()
	m.Rows[4].Cells = nil
	m.Coverage[0].Values = nil
	m.Title = ""
	var out bytes.Buffer
	err := Roster(&out, m)
	assert.Equal(t, "roster.sheet", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 3)
	assert.Zero(t, out.Len())
}
