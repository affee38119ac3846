package chatlog

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
)

// The quick reader of events may give up, but what it reads the slow reader must read the same.
func agreeEvent(t *testing.T, d *Decoder, line []byte) bool {
	var quick Event
	checked, ok := d.quickEvent(line, &quick)
	if !ok {
		return false
	}
	var slow Event
	require.Empty(t, decodeLine(line, &slow), "%s", line)
	slow.At = milli(slow.At)
	require.Equal(t, slow, quick, "%s", line)
	var want, got problems
	quick.check(&want, false)
	quick.check(&got, checked)
	require.Equal(t, want, got, "ids that were found good before are good: %s", line)
	return true
}

var quickEvents = []string{
	`{"merchant":"m","shop":"s","queue":"q","conversation":"c","id":"1","at":"2026-11-11T09:00:00.123+08:00","kind":"buyer","buyer":"b1","closing":true,"text":"谢谢","simulated":true}`,
	`{"merchant":"商家","shop":"","queue":"q q","conversation":"c","id":"2","at":"2026-11-11T01:00:00Z","kind":"rating","score":5,"invited":true}`,
	`{"merchant":"m","queue":"q","at":"2024-02-29T23:59:59.999999999-12:30","kind":"fax","agent":"a1","account":"旗舰店:小美"}`,
	`{"at":"2000-01-01T00:00:00+14:00"}`,
	`{"at":"2099-12-31T23:59:59-14:00"}`,
	` { "kind" : "agent" , "score" : 0 } `,
	`{}`,
}

func TestQuickReadsPlainEvents(t *testing.T) {
	d := &Decoder{}
	for range 2 { // the second time with all names known
		for _, line := range quickEvents {
			require.True(t, agreeEvent(t, d, []byte(line)), line)
		}
	}
}

func TestQuickGivesUpOnEvents(t *testing.T) {
	for _, line := range []string{
		`{"id":"1","id":"2"}`, `{"ID":"1"}`, `{"id":null}`, `{"id":"\u0041"}`, `{"score":5.0}`, `{"score":-1}`, `{"x":1}`, `{} {}`, `{`, `[]`, ``, `{"id":"1",}`,
		`{"at":"2026-11-11"}`, `{"at":"2026-02-29T00:00:00Z"}`, `{"at":"2026-13-01T00:00:00Z"}`, `{"at":"2026-11-11T24:00:00Z"}`, `{"at":"2026-11-11T23:59:60Z"}`,
		`{"at":"2026-11-11T00:00:00"}`, `{"at":"2026-11-11T00:00:00.Z"}`, `{"at":"2026-11-11T00:00:00.1234567890Z"}`, `{"at":"2026-11-11T00:00:00,5Z"}`, `{"at":"1999-11-11T00:00:00Z"}`,
		`{"at":"2026-11-11T00:00:00+15:00"}`, `{"at":"2026-11-11t00:00:00z"}`, `{"at":"20a6-11-11T00:00:00Z"}`, "{\"text\":\"\xff\"}", `{"text":{"a":1}}`,
	} {
		_, ok := (&Decoder{}).quickEvent([]byte(line), &Event{})
		require.False(t, ok, line)
	}
}

// Every second of a leap day and every day of the century come out as the standard library reads them.
func TestQuickInstants(t *testing.T) {
	check := func(want time.Time) {
		q := quick{b: []byte(want.Format(`"2006-01-02T15:04:05.000Z07:00"`))}
		var got time.Time
		require.True(t, q.milli(&got))
		if !want.Equal(got) {
			require.Equal(t, want, got)
		}
	}
	zone := time.FixedZone("", -7*3600-30*60)
	for at := time.Date(2024, 2, 29, 0, 0, 0, 7e6, zone); at.Day() == 29; at = at.Add(time.Second) {
		check(at)
	}
	for at := time.Date(2000, 1, 1, 23, 59, 59, 999e6, time.UTC); at.Year() < 2100; at = at.AddDate(0, 0, 1) {
		check(at)
	}
}

func FuzzQuickEvent(f *testing.F) {
	for _, line := range quickEvents {
		f.Add([]byte(line))
	}
	d := &Decoder{} // remembers names between inputs, as in an import
	f.Fuzz(func(t *testing.T, line []byte) { agreeEvent(t, d, line) })
}

// decodes holds a decoder to its promise: what it passes is valid and comes back the same from its own
// JSON; what it refuses is refused in short and readable words.
func decodes[T interface{ Validate() error }](t *testing.T, line []byte, decode func([]byte) (T, []fault.Field)) {
	v, bad := decode(line)
	for _, f := range bad {
		require.NotEmpty(t, f.Problem)
		require.True(t, utf8.ValidString(f.String()), "%q", f.String())
		require.Less(t, len(f.String()), 2000)
	}
	if len(bad) > 0 {
		return
	}
	require.NoError(t, v.Validate())
	again, err := json.Marshal(v)
	require.NoError(t, err)
	w, bad := decode(again)
	require.Empty(t, bad, "%s", again)
	require.Equal(t, v, w)
}

func zoneOfFuzz() *time.Location { return time.FixedZone("CST", 8*3600) }

func FuzzDecodeEvent(f *testing.F) {
	for _, line := range quickEvents {
		f.Add([]byte(line))
	}
	f.Add([]byte(`{"merchant":"m","queue":"q","at":"2026-11-11T01:00:00Z","kind":"buyer","buyer":"b","text":"\ud83d\ude00 \ud83d"}`))
	f.Add([]byte(strings.Repeat(`{"a":[`, 50)))
	f.Fuzz(func(t *testing.T, line []byte) {
		decodes(t, line, func(line []byte) (Event, []fault.Field) { return DecodeEvent(line, zoneOfFuzz()) })
	})
}

func FuzzDecodeOrder(f *testing.F) {
	f.Add([]byte(`{"merchant":"m","shop":"s","buyer":"b","order":"1","kind":"payment","at":"2026-11-11T09:00:00+08:00","amount":"1,234.50"}`))
	f.Add([]byte(`{"merchant":"m","shop":"s","buyer":"b","kind":"inquiry","queue":"q","agent":"a","at":"2026-11-11T09:00:00Z","simulated":true}`))
	f.Add([]byte(`{"merchant":"m","shop":"s","buyer":"b","order":"1","kind":"refund","at":"2026-11-11T09:00:00Z","amount":"-0"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		decodes(t, line, func(line []byte) (OrderEvent, []fault.Field) { return DecodeOrder(line, zoneOfFuzz()) })
	})
}

func FuzzDecodeTicket(f *testing.F) {
	f.Add([]byte(`{"merchant":"m","shop":"s","queue":"q","id":"1","tag":"催发货","agent":"a","buyer":"b","opened_at":"2026-11-11T09:00:00+08:00","due_at":"2026-11-12T09:00:00+08:00","closed_at":"2026-11-11T10:00:00Z"}`))
	f.Add([]byte(`{"merchant":"m","queue":"q","id":"1","opened_at":"0001-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, line []byte) { decodes(t, line, DecodeTicket) })
}

func FuzzDecodeAssignment(f *testing.F) {
	f.Add([]byte(`{"platform":"tmall","shop":"s","account":"旗舰店:小美","agent":"a","from":"2026-11-01T00:00:00+08:00","until":"2026-12-01T00:00:00+08:00"}`))
	f.Add([]byte(`{"platform":"jd","shop":"s","account":"x","agent":"a","from":"2026-11-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, line []byte) { decodes(t, line, DecodeAssignment) })
}

func FuzzDecodeConversation(f *testing.F) {
	for _, line := range quickLines {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) { decodes(t, line, DecodeConversation) })
}

func FuzzClosing(f *testing.F) {
	rule := ClosingRule{Version: "v1", MaxRunes: 8, Phrases: []string{"谢谢", "好的", "ok", "👌", "88"}}
	require.NoError(f, rule.Validate())
	closes := rule.Matcher()
	for _, text := range []string{"好的谢谢", "/:087好的", "#E-s21", "[玫瑰]", "好的?", "👌🏻", "\xff", "ＯＫ～"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if closes(text) {
			require.True(t, utf8.ValidString(text))
			require.False(t, strings.ContainsAny(text, "?？"))
			require.False(t, closes(text+"什么时候发货"))
			require.False(t, closes(text+"?"))
		}
	})
}
