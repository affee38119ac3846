package workbook

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWriteSamples leaves the files in CHAOBAN_SAMPLES so that a person can look at them.
func TestWriteSamples(t *testing.T) {
	dir := os.Getenv("CHAOBAN_SAMPLES")
	if dir == "" {
		t.Skip("set CHAOBAN_SAMPLES to a directory to get sample workbooks")
	}
	var sla, roster bytes.Buffer
	require.NoError(t, SLA(&sla, november()))
	require.NoError(t, os.WriteFile(dir+"/sla.xlsx", sla.Bytes(), 0o600))
	require.NoError(t, Roster(&roster, weekRoster()))
	require.NoError(t, os.WriteFile(dir+"/roster.xlsx", roster.Bytes(), 0o600))
}
