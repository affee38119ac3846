package stream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/stream"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// read collects what comes out of a text: the ids of the events in order, the refused lines with
// their reasons, and the content of each batch.
type read struct {
	ids      []string
	refused  map[int64]string
	contents []string
	rows     stream.Rows
	lines    int64
	err      error
}

func readAll(r io.Reader, o stream.Options) (got read) {
	got.refused = map[int64]string{}
	got.lines, got.err = stream.Read(context.Background(), r, o, func(b *stream.Batch) error {
		defer b.Release()
		got.ids = append(got.ids, idsOf(b)...)
		got.rows.Conversations = append(got.rows.Conversations, b.Conversations...)
		got.rows.States = append(got.rows.States, b.States...)
		got.rows.Orders = append(got.rows.Orders, b.Orders...)
		got.rows.Tickets = append(got.rows.Tickets, b.Tickets...)
		for _, f := range b.Refused {
			got.refused[f.Line] = f.Fields[0].Path + ":" + f.Fields[0].Problem
		}
		got.contents = append(got.contents, b.Content)
		return nil
	})
	return got
}

// known are the ids of the texts here by the ids of what comes out, which has only their keys.
var known = func() map[string]string {
	known := map[string]string{}
	for i := range 50_000 {
		id := fmt.Sprintf("e%d", i)
		known[chatlog.KeyID(chatlog.Event{ID: id}.Key())] = id
	}
	return known
}()

// idsOf are the ids of the events of a batch.
func idsOf(b *stream.Batch) (list []string) {
	for _, block := range b.Events {
		for i := range block.Len() {
			list = append(list, known[block.Event(i).ID])
		}
	}
	return list
}

func event(i int) string {
	at := time.Date(2026, 11, 11, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second).Format(time.RFC3339)
	return fmt.Sprintf(`{"merchant":"lumi","shop":"lumi-tmall","queue":"lumi-tmall/pre","conversation":"c%d","id":"e%d","at":"%s","kind":"buyer","buyer":"b%d"}`, i/5, i, at, i/5)
}

func events(from, until int) string {
	var b strings.Builder
	for i := from; i < until; i++ {
		b.WriteString(event(i) + "\n")
	}
	return b.String()
}

func TestEveryTypeOfRow(t *testing.T) {
	text := "\xef\xbb\xbf" + event(0) + "\n" +
		`{"type":"event",` + event(1)[1:] + "\r\n\n" +
		strings.TrimSuffix(event(2), "}") + `, "type" : "event"}` + "\n" +
		`{"type":"conversation","merchant":"lumi","shop":"lumi-tmall","queue":"lumi-tmall/pre","id":"c9","channel":"chat","started_at":"2026-11-11T09:00:00Z"}` + "\n" +
		`{"type":"state","agent":"1001","state":"ready","start":"2026-11-11T09:00:00Z","end":"2026-11-11T10:00:00Z"}` + "\n" +
		`{"type":"order","merchant":"lumi","shop":"lumi-tmall","buyer":"b1","order":"o1","kind":"payment","at":"2026-11-11T09:30:00Z","amount":"12.50"}` + "\n" +
		`{"type":"ticket","merchant":"lumi","shop":"lumi-tmall","queue":"lumi-tmall/pre","id":"t1","opened_at":"2026-11-11T09:30:00Z"}` + "\n" +
		`{"type":"refund","merchant":"lumi"}` + "\n" +
		`{"type":7}` + "\n" +
		strings.TrimSuffix(event(3), "}") + `,"text":"my \"type\" is"}` // no newline at the end
	got := readAll(strings.NewReader(text), stream.Options{})
	require.NoError(t, got.err)
	assert.Equal(t, []string{"e0", "e1", "e2", "e3"}, got.ids)
	assert.Equal(t, int64(11), got.lines, "the empty line counts as a line")
	require.Len(t, got.rows.Conversations, 1)
	require.Len(t, got.rows.States, 1)
	require.Len(t, got.rows.Orders, 1)
	assert.EqualValues(t, 1250, got.rows.Orders[0].Amount)
	require.Len(t, got.rows.Tickets, 1)
	assert.Equal(t, map[int64]string{
		9: "type:must be event, conversation, state, order or ticket", 10: "type:must be a text",
	}, got.refused)
}

// Whatever is wrong with lines, each is refused alone, and those around it are taken.
func TestPoisonedLinesAreRefusedAlone(t *testing.T) {
	const huge = 100 << 20
	deep := strings.Repeat(`{"a":`, 200_000)
	parts := []io.Reader{
		strings.NewReader(events(0, 3)),
		strings.NewReader(`{"merchant":"` + "\xff\xfe" + `"}` + "\n"),
		strings.NewReader("nonsense\n"), strings.NewReader("\x00\x00\n"),
		strings.NewReader(deep + "\n"),
		io.LimitReader(zeroes{}, huge), strings.NewReader("\n"),
		strings.NewReader(`{"merchant":"lumi","unknown":1}` + "\n"),
		strings.NewReader(events(3, 6)),
	}
	var lines []stream.Refused
	var ids []string
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n, err := stream.Read(t.Context(), io.MultiReader(parts...), stream.Options{}, func(b *stream.Batch) error {
		defer b.Release()
		lines = append(lines, b.Refused...)
		ids = append(ids, idsOf(b)...)
		return nil
	})
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	assert.Equal(t, int64(12), n)
	assert.Equal(t, []string{"e0", "e1", "e2", "e3", "e4", "e5"}, ids)
	require.Len(t, lines, 6)
	for i, want := range []int64{4, 5, 6, 7, 8, 9} {
		assert.Equal(t, want, lines[i].Line)
		assert.LessOrEqual(t, len(lines[i].Text), stream.MaxKept)
		assert.Len(t, lines[i].Digest, 64)
		assert.NotEmpty(t, lines[i].Fields)
	}
	assert.Equal(t, int64(len(deep)), lines[3].Bytes)
	assert.Equal(t, int64(huge), lines[4].Bytes)
	assert.Equal(t, "lumi", lines[5].Merchant)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20), "a line of 100 MB takes no memory of its size")
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

// A refused line is kept as it came, although its type was taken out in place.
func TestRefusedLineIsKeptAsItCame(t *testing.T) {
	line := `{"type":"ticket","merchant":"lumi","id":"t1"}`
	_, err := stream.Read(t.Context(), strings.NewReader(line), stream.Options{}, func(b *stream.Batch) error {
		defer b.Release()
		require.Len(t, b.Refused, 1)
		assert.Equal(t, line, string(b.Refused[0].Text))
		return nil
	})
	require.NoError(t, err)
}

func TestWhatIsNoNDJSON(t *testing.T) {
	for name, text := range map[string]string{
		"csv": "merchant,shop\nlumi,lumi-tmall\n", "array": "[" + event(0) + "]", "empty lines then text": "\n\n hello\n", "binary": strings.Repeat("\x00\x01", 2<<20),
	} {
		got := readAll(strings.NewReader(text), stream.Options{})
		require.ErrorIs(t, got.err, stream.ErrNotNDJSON, name)
		assert.Empty(t, got.contents, name)
	}
	got := readAll(strings.NewReader("garbage\n"+event(1)), stream.Options{})
	require.NoError(t, got.err, "one line of the beginning is an object")
	assert.Len(t, got.refused, 1)
	assert.Equal(t, []string{"e1"}, got.ids)
	got = readAll(strings.NewReader("\n\n"), stream.Options{})
	require.ErrorIs(t, got.err, stream.ErrNotNDJSON)
	got = readAll(strings.NewReader(""), stream.Options{})
	require.NoError(t, got.err)
	assert.Zero(t, got.lines)
}

// A row that is good in itself and that the warehouse cannot hold would make it refuse its batch: it is
// refused alone.
func TestRowsTheWarehouseCannotHoldAreRefusedAlone(t *testing.T) {
	conversation := `{"type":"conversation","merchant":"lumi","shop":"lumi-tmall","queue":"lumi-tmall/pre","id":"c%d","channel":"chat","started_at":"2026-11-11T09:00:00Z"}` + "\n"
	text := events(0, 5) + fmt.Sprintf(conversation, 1) + fmt.Sprintf(conversation, 2)
	got := readAll(strings.NewReader(text), stream.Options{
		Event: func(e *chatlog.Event) []fault.Field {
			if e.ID == "e3" {
				e.Score = 9
			}
			return nil
		},
		Conversation: func(c *chatlog.Conversation) []fault.Field {
			if c.ID == "c2" {
				c.HandleTime = -time.Second
			}
			return nil
		},
	})
	require.NoError(t, got.err)
	assert.Equal(t, []string{"e0", "e1", "e2", "e4"}, got.ids)
	assert.Len(t, got.rows.Conversations, 1)
	assert.Equal(t, map[int64]string{4: ":has a score outside 1 to 5", 7: ":has a duration that is negative or longer than 49 days"}, got.refused)
}

// A session id that comes again after months is refused where it does, whoever decodes it, and the
// same text is the same batch.
func TestSessionIDsUsedAgainAreRefused(t *testing.T) {
	late := strings.Replace(event(40_001), `"c8000"`, `"c1"`, 1)
	late = strings.Replace(late, `"at":"2026-11-11`, `"at":"2026-12-24`, 1)
	text := `{"type":"event",` + strings.TrimPrefix(events(0, 30_000), "{") + late + "\n" + events(30_000, 30_010)
	want := readAll(strings.NewReader(text), stream.Options{Workers: 1})
	require.NoError(t, want.err)
	require.Len(t, want.ids, 30_010)
	require.Len(t, want.refused, 1)
	assert.Contains(t, want.refused[30_001], "at:is more than 31 days from 2026-11-11T09:00:05Z")
	assert.Equal(t, want, readAll(iotest.HalfReader(strings.NewReader(text)), stream.Options{Workers: 4}))
	clean := readAll(strings.NewReader(strings.Replace(text, late+"\n", "\n", 1)), stream.Options{})
	assert.Equal(t, want.ids, clean.ids)
	assert.NotEqual(t, want.contents, clean.contents)
}

// The same text gives the same batches in the same order, whatever the pieces it comes in and
// however many decode it; and all rows come in order.
func TestBatchesDependOnTheTextAlone(t *testing.T) {
	text := events(0, 30_000) // more than three blocks
	text = strings.Replace(text, `"kind":"buyer","buyer":"b7"`, `"kind":"nothing","buyer":"b7"`, 1)
	want := readAll(strings.NewReader(text), stream.Options{Rows: 7000, Workers: 1})
	require.NoError(t, want.err)
	require.Greater(t, len(want.contents), 3)
	require.Len(t, want.ids, 30_000-1)
	assert.Len(t, want.refused, 1)
	for i := 1; i < len(want.ids); i++ {
		require.Less(t, number(want.ids[i-1]), number(want.ids[i]))
	}
	assert.Equal(t, want, readAll(iotest.HalfReader(strings.NewReader(text)), stream.Options{Rows: 7000, Workers: 8}))
	random := rand.New(rand.NewPCG(1, 2))
	assert.Equal(t, want, readAll(&pieces{r: strings.NewReader(text), n: func() int { return 1 + random.IntN(100_000) }}, stream.Options{Rows: 7000, Workers: 3}))
}

// What the decoder adds is part of what names a batch: after a corrected assignment the same text is
// another content, and nothing else changes it.
func TestContentTellsWhatWasAdded(t *testing.T) {
	text := strings.ReplaceAll(events(0, 10), `"kind":"buyer"`, `"kind":"agent","account":"小鹿"`)
	content := func(agent string, refuse bool, keep bool) string {
		got := readAll(strings.NewReader(text), stream.Options{
			Decoder: func() *chatlog.Decoder {
				return &chatlog.Decoder{AgentOf: agentOf(agent)}
			},
			Event: func(e *chatlog.Event) []fault.Field {
				if keep {
					e.Text = "x"
				}
				if refuse && e.ID == "e3" {
					return []fault.Field{{Problem: "no"}}
				}
				return nil
			},
		})
		require.NoError(t, got.err)
		require.Len(t, got.contents, 1)
		return got.contents[0]
	}
	base := content("1001", false, false)
	assert.Equal(t, base, content("1001", false, false))
	assert.NotEqual(t, base, content("1002", false, false))
	assert.NotEqual(t, base, content("1001", true, false))
	assert.NotEqual(t, base, content("1001", false, true))
}

func TestFailuresStopTheReading(t *testing.T) {
	failure := fault.New(fault.Unavailable, "warehouse.down", "down")
	endless := &pieces{r: repeat(events(0, 5000)), n: func() int { return 64 << 10 }}
	batches := 0
	_, err := stream.Read(t.Context(), endless, stream.Options{Rows: 5000}, func(b *stream.Batch) error {
		defer b.Release()
		if batches++; batches == 3 {
			return failure
		}
		return nil
	})
	require.ErrorIs(t, err, failure)
	assert.Equal(t, 3, batches)

	broken := errors.New("cut off")
	got := readAll(io.MultiReader(strings.NewReader(events(0, 20_000)), iotest.ErrReader(broken)), stream.Options{Rows: 4000})
	require.ErrorIs(t, got.err, broken)
	assert.NotEmpty(t, got.ids, "what came before is handed out")

	got = readAll(io.MultiReader(strings.NewReader(events(0, 10)+"{"), iotest.ErrReader(io.ErrUnexpectedEOF)), stream.Options{})
	require.ErrorIs(t, got.err, io.ErrUnexpectedEOF, "a compressed text that breaks off has not ended")
	assert.Empty(t, got.refused, "and what was half there is no line")

	ctx, cancel := context.WithCancel(t.Context())
	_, err = stream.Read(ctx, repeat(events(0, 5000)), stream.Options{Rows: 5000}, func(b *stream.Batch) error {
		defer b.Release()
		cancel()
		return nil
	})
	require.Error(t, err)
	assert.Equal(t, fault.Canceled, fault.KindOf(err))
}

// Random texts of good, bad, empty and over-long lines: every non-empty line is taken or refused,
// under its own number.
func TestEveryLineIsTakenOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfN(rapid.IntRange(0, 5), 1, 40).Draw(t, "lines")
		kinds[0] = 0
		var text strings.Builder
		var good []string
		bad := map[int64]bool{}
		for i, kind := range kinds {
			switch kind {
			case 0, 1:
				text.WriteString(event(i))
				good = append(good, fmt.Sprintf("e%d", i))
			case 2:
				text.WriteString("  ")
			case 3:
				text.WriteString(`{"merchant":"lumi"}`)
				bad[int64(i+1)] = true
			case 4:
				text.WriteString(`{"` + strings.Repeat("x", stream.MaxLine+rapid.IntRange(-20, 20).Draw(t, "length")) + `"}`)
				bad[int64(i+1)] = true
			case 5:
				text.WriteString("}{")
				bad[int64(i+1)] = true
			}
			text.WriteString("\n")
		}
		got := readAll(&pieces{r: strings.NewReader(text.String()), n: func() int { return rapid.IntRange(1, 1<<20).Draw(t, "piece") }}, stream.Options{Rows: 7, Workers: 2})
		require.NoError(t, got.err)
		require.Equal(t, good, got.ids)
		require.Equal(t, int64(len(kinds)), got.lines)
		require.Len(t, got.refused, len(bad))
		for line := range bad {
			require.Contains(t, got.refused, line)
		}
	})
}

func number(id string) (n int) {
	_, _ = fmt.Sscanf(id, "e%d", &n)
	return n
}

func agentOf(agent string) func(shop shopID, account string, at time.Time) (agentID, string) {
	return func(shopID, string, time.Time) (agentID, string) { return agentID(agent), "" }
}

// pieces gives a text in pieces of changing length.
type pieces struct {
	r io.Reader
	n func() int
}

func (p *pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.n())]) }

type (
	shopID  = ids.Shop
	agentID = ids.Agent
)

type repeated struct {
	text string
	at   int
}

// repeat is a text again and again, without end.
func repeat(text string) io.Reader { return &repeated{text: text} }

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}
