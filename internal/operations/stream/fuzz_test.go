package stream_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/operations/stream"
)

// Whatever bytes come: every line that is not empty is taken or refused, and neither the pieces they
// come in nor the number of workers changes anything.
func FuzzStream(f *testing.F) {
	f.Add([]byte(event(0) + "\n" + event(1) + "\r\n\n" + event(1)))
	f.Add([]byte("\xef\xbb\xbf" + `{"type":"event",` + event(2)[1:] + "\n}{\n"))
	f.Add([]byte(`{"type":"order","merchant":"lumi","shop":"lumi-tmall","buyer":"b1","order":"o1","kind":"payment","at":"2026-11-11T09:30:00Z","amount":"12.50"}` + "\n\x00\n"))
	f.Add([]byte(event(0) + "\n" + strings.Replace(event(1), "2026-11-11", "2026-01-01", 1) + "\n"))
	f.Add([]byte(`{"type":"ticket","type":"event"}` + "\n" + `{"type":7}` + "\n{\"merchant\":\"\xff\"}\n" + strings.Repeat(`{"a":`, 50)))
	f.Add([]byte("merchant,shop\n1,2\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<16 {
			t.Skip("longer texts find nothing that shorter ones do not")
		}
		want := readAll(bytes.NewReader(text), stream.Options{Rows: 3, Workers: 1})
		got := readAll(iotest.HalfReader(bytes.NewReader(text)), stream.Options{Rows: 3, Workers: 3})
		require.Equal(t, want, got)
		if want.err != nil {
			require.True(t, errors.Is(want.err, stream.ErrNotNDJSON), "%v", want.err)
			require.Empty(t, want.contents)
			return
		}
		full := 0
		for line := range bytes.Lines(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))) {
			if len(bytes.TrimSpace(line)) > 0 {
				full++
			}
		}
		rows := len(want.ids) + want.rows.Len()
		require.Equal(t, full, rows+len(want.refused))
	})
}
