package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Two people cannot fill three places a day, so the search never proves its roster and runs on.
const shortOfPeople = `SECTION_HORIZON
14
SECTION_SHIFTS
E,480,
L,480,E
SECTION_STAFF
A,E=14|L=5,4800,960,5,2,2,1
B,E=14|L=4,4800,960,5,2,2,1
SECTION_SHIFT_ON_REQUESTS
A,3,L,2
B,4,L,3
SECTION_COVER
0,E,1,100,1
1,L,1,7,1
3,E,1,9,1
4,E,1,5,1
5,L,2,3,1
8,E,1,7,1
9,L,1,9,2
10,E,2,5,1
12,L,2,3,1
`

// A real process gets a real interrupt and still writes a roster that the checker accepts.
func TestRosterSolveProcessInterrupted(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.txt")
	require.NoError(t, os.WriteFile(in, []byte(shortOfPeople), 0o600))
	for format, file := range map[string]string{"nrp": in, "json": "../../scheduling/roster/testdata/example.json"} {
		t.Run(format, func(t *testing.T) {
			path, err := filepath.Abs(file)
			require.NoError(t, err)
			roster := filepath.Join(dir, format+".json")
			cmd := command(dir, nil, "roster", "solve", "--format", format, "--in", path, "--out", roster, "--time", "1h")
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			require.NoError(t, cmd.Start())
			time.Sleep(time.Second)
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
			timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
			require.NoError(t, cmd.Wait(), out.String())
			require.True(t, timer.Stop())
			assert.Contains(t, out.String(), "stopped early")
			check := finish(t, command(dir, nil, "roster", "check", "--format", format, "--in", path, "--roster", roster))
			assert.Zero(t, check.code, check.errors)
		})
	}
}
