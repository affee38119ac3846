package cli

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// requireInputFault: whatever comes in, a failure is about the input, never an internal error.
func requireInputFault(t *testing.T, err error) {
	t.Helper()
	require.NotEqual(t, fault.Internal, fault.KindOf(err), err)
	require.NotEmpty(t, fault.CodeOf(err))
}

// FuzzHistoryCSV reads any bytes as a history: valid series or a fault about the input. The first
// byte picks slot, groups and origin.
func FuzzHistoryCSV(f *testing.F) {
	for _, body := range []string{
		"at,n\n2026-03-02 09:00:00,1\n2026-03-02 10:00:00,-4\n",
		"\ufeffshop;at;n\n一号;2026-11-11T20:00:00+08:00;3.5\n二号;2026-11-11T20:00:00+08:00;--\n",
		"at\tn\n2026/3/2 9:00\t1e3\n2026/3/2 9:05\tNaN\n",
		"n,at,shop\n\"1\",\"2026年3月2日\",\"a\"\"b\"\n1,20260303,\n",
		"at,n\n0001-01-01,1\n9999-12-31,1\n",
		"at,n\n2026-03-02 09:00:00,1e999\n",
		"\xca\xb1\xbc\xe4,\xc1\xbf\n2026-03-02,1\n",
		"at,n\n\"2026-03-02",
	} {
		for pick := range byte(4) {
			f.Add(pick, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, pick byte, body []byte) {
		spec := historySpec{file: "f.csv", timeCol: "at", valueCol: "n", slot: []time.Duration{day24, time.Hour, 5 * time.Minute}[pick%3]}
		if pick&4 != 0 {
			spec.groupCols = []string{"shop"}
		}
		if pick&8 != 0 {
			spec.origin = "2026-03-02 09:30"
		}
		if len(body) > 1<<16 {
			return
		}
		h, err := readHistory(t.Context(), bytes.NewReader(body), spec)
		if err != nil {
			requireInputFault(t, err)
			return
		}
		require.NotEmpty(t, h.series)
		require.Len(t, h.groups, len(h.series))
		for _, s := range h.series {
			require.NoError(t, s.Validate())
			require.False(t, math.IsNaN(s.Values[0]) && len(s.Values) == 1)
		}
		if s := h.series[0]; len(s.Values) < 3000 && len(body) < 2000 {
			r, err := forecast.Run(s, forecast.Options{Horizon: 30 * time.Hour})
			if err != nil {
				requireInputFault(t, err)
				return
			}
			require.NoError(t, r.Curve.Validate())
		}
	})
}

const day24 = 24 * time.Hour

// FuzzEventsFile reads any bytes as an events file: valid events or a fault about the input.
func FuzzEventsFile(f *testing.F) {
	for _, body := range []string{
		"events:\n  - {family: live, start: 2026-04-06T09:00:00, end: 2026-04-07}\n",
		"events:\n  - family: double11\n    start: 2021-10-20T20:00:00\n    end: 2021-11-14\n    phases: [{kind: presale, start: 2021-10-20T20:00:00, end: 2021-10-31}]\n    openings: [2021-11-01]\n",
		"events: [{family: a, start: 0001-01-01, end: 9999-12-31}]",
		"events:\n  - &a {family: x, start: 2026-01-01, end: 2026-01-02}\n  - *a\n",
		"events: {}\n---\nevents: []\n",
		"a: &a [*a]",
		"\ufeffevents:\n- family: !!binary aGk=\n",
	} {
		f.Add(false, []byte(body))
		f.Add(true, []byte(body))
	}
	f.Fuzz(func(t *testing.T, zoned bool, body []byte) {
		example := "2026-01-01 00:00:00"
		if zoned {
			example = "2026-01-01T00:00:00+08:00"
		}
		style, _, ok := styleOf(example)
		require.True(t, ok)
		events, err := parseEvents("f.yaml", bytes.NewReader(body), style)
		if err != nil {
			requireInputFault(t, err)
			return
		}
		require.NoError(t, forecast.ValidateEvents(events))
	})
}
