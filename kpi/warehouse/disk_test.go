package warehouse

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
)

// TestDiskFull fills a small disk under the engine: the answer says so, nothing acknowledged is lost,
// and the same batch lands once there is room again.
func TestDiskFull(t *testing.T) {
	enginetest.Need(t)
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=96m"); err != nil {
		t.Skipf("needs the right to mount a small disk: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	server := enginetest.Own(t, enginetest.Config(filepath.Join(dir, "engine")))
	w, err := Open(t.Context(), DefaultConfig(), func() (string, bool) { e := server.Endpoint(); return e.DSN, e.Up }, neutral)
	require.NoError(t, explain(err))
	defer w.Close()

	truth := newWorld()
	ingest(t, w, killBatch(0))
	truth.ingest(killBatch(0))
	ballast := filepath.Join(dir, "ballast")
	full := fill(t, ballast)
	refused := 0
	for n := 1; n <= 3; n++ {
		_, err := w.Ingest(t.Context(), killBatch(n))
		if err == nil { // it found a corner
			truth.ingest(killBatch(n))
			continue
		}
		refused++
		require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", explain(err))
		assert.Equal(t, "warehouse.disk_full", fault.CodeOf(err), "%v", explain(err))
		assert.NotZero(t, fault.Of(err).RetryAfter)
		assert.NotContains(t, err.Error(), dir, "paths are for the log")
	}
	require.Positive(t, refused, "%d MB of ballast must fill the disk", full>>20)
	assert.Len(t, timelines(t, w, everything, Filter{Range: stepsSpan}, maxPage), len(truth.timelines(stepsSpan)), "reading goes on")

	require.NoError(t, os.Remove(ballast))
	for n := 1; n <= 3; n++ {
		require.Eventually(t, func() bool {
			_, err = w.Ingest(t.Context(), killBatch(n))
			return err == nil
		}, 20*time.Second, 50*time.Millisecond, "%v", explain(err))
		truth.ingest(killBatch(n))
	}
	refresh(t, w)
	rawIsExact(t, w, truth, stepsSpan, 200)
	check, err := w.Verify(t.Context(), Sample{Days: 100})
	require.NoError(t, explain(err))
	assert.Empty(t, check.Differences)
}

// fill writes a file until the disk has no room, and returns its length.
func fill(t *testing.T, name string) (length int64) {
	t.Helper()
	file, err := os.Create(name)
	require.NoError(t, err)
	defer file.Close()
	for _, size := range []int{1 << 20, 4096} {
		for block := make([]byte, size); ; {
			n, err := file.Write(block)
			length += int64(n)
			if err != nil {
				require.ErrorIs(t, err, syscall.ENOSPC)
				break
			}
		}
	}
	return length
}
