package intake_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// sharedFile finds a real file that is measured with but not shipped.
func sharedFile(t *testing.T, name string) intake.Source {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Skip("real files are never used in CI")
	}
	dir := os.Getenv("CHAOBAN_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not there", name)
	}
	src, closer, err := intake.OpenFile(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, closer.Close()) })
	return src
}

func mappingFile(t *testing.T, name string) intake.Mapping {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	require.NoError(t, err)
	defer f.Close()
	m, err := intake.ParseMapping(name, f)
	require.NoError(t, err)
	return m
}

func scanAll[T intake.Event](t *testing.T, src intake.Source, m intake.Mapping, o intake.Options) ([]T, intake.Summary) {
	t.Helper()
	var out []T
	summary, err := intake.Scan(context.Background(), src, m, func(batch []T) error { out = append(out, batch...); return nil }, o)
	require.NoError(t, err)
	return out, summary
}

// The totals are those the publisher of the file gives, not ours.
func TestScanCallLog(t *testing.T) {
	src := sharedFile(t, "call_log/call_center_dataset.xlsx")
	for _, hold := range []int{0, 100} { // from memory, and by a second reading
		calls, summary := scanAll[chatlog.Conversation](t, src, mappingFile(t, "call_log.yaml"), intake.Options{HoldRows: hold})
		require.Len(t, calls, 5000)
		require.Equal(t, int64(5000), summary.Good)
		require.Equal(t, intake.XLSX, summary.Format)
		var answered, resolved, ratings, rated int
		var wait time.Duration
		for _, c := range calls {
			require.NoError(t, c.Validate())
			if !c.AnsweredAt.IsZero() {
				answered++
				wait += c.AnsweredAt.Sub(c.StartedAt)
			}
			if *c.Resolved {
				resolved++
			}
			if c.Rating != nil {
				ratings += *c.Rating
				rated++
			}
			require.Equal(t, c.AnsweredAt.IsZero(), c.Abandoned)
		}
		require.Equal(t, 4054, answered)
		require.Equal(t, 3646, resolved)
		require.InDelta(t, 67.52, wait.Seconds()/float64(answered), 0.005)
		require.InDelta(t, 3.403, float64(ratings)/float64(rated), 0.001) // published cut to three decimals: 13,798 / 4,054
		require.Equal(t, answered, rated)

		// The first data row, read in the sheet: 2021-01-01, 0.38400462962962961 of a day
		// (09:12:58), 109 s to answer, 1.6550925925925926E-3 of a day (143 s) of talk.
		zone, err := time.LoadLocation("Asia/Shanghai")
		require.NoError(t, err)
		first := calls[0]
		require.Equal(t, "ID0001", first.ID)
		require.Equal(t, time.Date(2021, 1, 1, 9, 12, 58, 0, zone).UTC(), first.StartedAt)
		require.Equal(t, 109*time.Second, first.AnsweredAt.Sub(first.StartedAt))
		require.Equal(t, 143*time.Second, first.HandleTime)
	}
}

func TestScanBankCalls(t *testing.T) {
	history, summary := scanAll[chatlog.Contacts](t, sharedFile(t, "bank_calls/bank_calls.csv"), mappingFile(t, "bank_calls.yaml"), intake.Options{})
	require.Len(t, history, 27716) // rows and limits as SOURCE.txt gives them
	require.Equal(t, intake.CSV, summary.Format)
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	require.Equal(t, time.Date(2003, 3, 3, 7, 0, 0, 0, zone).UTC(), history[0].Start)
	require.Equal(t, 111.0, history[0].Offered)
	require.Equal(t, time.Date(2003, 10, 24, 21, 0, 0, 0, zone).UTC(), history[len(history)-1].Start)
	require.Equal(t, 54.0, history[len(history)-1].Offered)
}
