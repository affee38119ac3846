package operationstest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/intake"
)

// source is a path in the source tree.
func source(t testing.TB, parts ...string) string {
	t.Helper()
	_, here, _, ok := runtime.Caller(0)
	require.True(t, ok)
	return filepath.Join(append([]string{filepath.Dir(here), "..", "..", ".."}, parts...)...)
}

// PlatformFile reads a platform's own export of the test data of intake.
func PlatformFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(source(t, "internal", "operations", "intake", "testdata", "platform", name))
	require.NoError(t, err)
	return text
}

// SharedFile reads a real file that is measured with but not shipped; the test skips without it.
func SharedFile(t testing.TB, name string) []byte {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Skip("real files are never used in CI")
	}
	dir := os.Getenv("CHAOBAN_SHARED_DATA")
	if dir == "" {
		dir = source(t, "..", "shared", "data")
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Skipf("%s is not there", name)
	}
	return text
}

// FileOf is an uploaded file with a text.
func FileOf(name, text string) operations.Source { return intake.FromBytes(name, []byte(text)) }

// MappingFile is a mapping of the test data of intake.
func MappingFile(t testing.TB, name string) operations.Mapping {
	t.Helper()
	f, err := os.Open(source(t, "internal", "operations", "intake", "testdata", name))
	require.NoError(t, err)
	defer f.Close()
	m, err := operations.ParseMapping(name, f)
	require.NoError(t, err)
	return m
}

// HotlineYAML is a call centre with one queue, as in the call logs among the shared files.
const HotlineYAML = `
merchants:
  - id: demo
    name: 示例热线
    shops:
      - id: demo-hotline
        name: 热线
        platform: other
        queues: [{id: demo-hotline/after, skill: after, channel: call, hours: "Mon-Fri 07:00-21:15"}]
contracts:
  - id: demo-calls
    merchant: demo
    title: 热线外包
    versions:
      - number: 1
        from: 2021-01-01
        shops: [demo-hotline]
        terms: [{id: speed, metric: first_response, direction: at_most, target: 60}, {id: rating, metric: satisfaction, direction: at_least, target: 3.4}]
        prices: [{id: call, title: 按通, base: contact, amount: 3}]
        tax_rate: 6%
`
