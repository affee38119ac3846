package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// The short way reads what the long way reads, whatever the names hold, and does read ordinary ones.
func TestActivitiesAreReadAsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		instant := rapid.Custom(func(t *rapid.T) time.Time {
			zone := time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "zone")*3600)
			return time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "at")).In(zone)
		})
		list := rapid.SliceOf(rapid.Custom(func(t *rapid.T) scheduling.Activity {
			return scheduling.Activity{
				Kind:  scheduling.ActivityKind(rapid.OneOf(rapid.Just("work"), rapid.String()).Draw(t, "kind")),
				Queue: ids.Queue(rapid.OneOf(rapid.Just("lumi-tmall/pre"), rapid.Just(""), rapid.Just(`a","x":"b`), rapid.String()).Draw(t, "queue")),
				Start: instant.Draw(t, "start"), End: instant.Draw(t, "end"),
			}
		})).Draw(t, "list")
		text, err := encode(list)
		require.NoError(t, err)
		long, err := decode[[]scheduling.Activity](text)
		require.NoError(t, err)
		got, err := activitiesOf(text)
		require.NoError(t, err)
		assert.Equal(t, long, got)
	})
	for text, plain := range map[string]bool{
		`[{"kind":"work","start":"2026-11-10T01:00:00Z","end":"2026-11-10T05:00:00.5Z","queue":"鹿米/pre"},{"kind":"meal","start":"2026-11-10T05:00:00Z","end":"2026-11-10T06:00:00Z"}]`: true,
		`[{"kind":"work","start":"2026-11-10T01:00:00+08:00","end":"2026-11-10T05:00:00Z"}]`:                                                                                           false,
		`[{"kind":"wo\u0072k","start":"2026-11-10T01:00:00Z","end":"2026-11-10T05:00:00Z"}]`:                                                                                           false,
		`[{"kind":"work","start":"2026-11-10T01:00:00Z","end":"2026-11-10T05:00:00Z","more":1}]`:                                                                                       false,
		`[{"start":"2026-11-10T01:00:00Z","kind":"work","end":"2026-11-10T05:00:00Z"}]`:                                                                                                false,
		`[{"kind":"work","start":"2026-11-10T01:00:00Z","end":"2026-11-10T05:00:00Z"}`:                                                                                                 false,
		`[]`: false, `null`: false, ``: false, `[`: false,
	} {
		_, ok := plainActivities(text)
		assert.Equal(t, plain, ok, text)
	}
}
