package measuring_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

const chatHeader = "merchant,shop,queue,id,channel,agent,started_at,answered,wait,handle_time,resolved,rating\n"

// fourChats: three answered after 10, 20 and 40 s, one lost.
const fourChats = chatHeader +
	"lumi,lumi-tmall,lumi-tmall/pre,c1,chat,1001,2026-05-04 10:00:00,Y,10,120,Y,5\n" +
	"lumi,lumi-tmall,lumi-tmall/pre,c2,chat,1001,2026-05-04 10:05:00,Y,20,180,N,4\n" +
	"lumi,lumi-tmall,lumi-tmall/pre,c3,chat,1002,2026-05-05 11:00:00,Y,40,60,Y,\n" +
	"lumi,lumi-tmall,lumi-tmall/pre,c4,chat,,2026-05-05 11:30:00,N,,,,\n"

func chats(text string) measuring.ImportInput {
	return measuring.ImportInput{Source: operationstest.FileOf("chats.csv", text), Mapping: operations.DefaultMapping(operations.ImportConversations)}
}

// figure asks for one metric of May 2026 as an administrator.
func (s *stack) figure(t *testing.T, metric kpi.Metric) kpi.Reading {
	t.Helper()
	got, err := s.Measuring.Figures(t.Context(), admin, kpi.Query{
		Metrics: []kpi.Metric{metric}, Within: 30 * time.Second, Grain: kpi.Whole, Range: may.Range(shanghai),
	})
	ok(t, err)
	require.Len(t, got, 1)
	return got[0]
}

func (s *stack) counts(t *testing.T) warehouse.Counts {
	t.Helper()
	c, err := s.Warehouse.In(warehouse.Scope{Everything: true}).Counts(t.Context())
	ok(t, err)
	return c
}

func (s *stack) imports(t *testing.T) []operations.Import {
	t.Helper()
	list, _, err := s.Measuring.Imports(t.Context(), admin, operations.ImportFilter{}, operations.Page{})
	ok(t, err)
	return list
}

func TestImportTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	var steps []int64
	in := chats(fourChats)
	in.Progress = func(done, _ int64) { steps = append(steps, done) }
	done, err := s.Measuring.Import(t.Context(), planner, in)
	ok(t, err)
	assert.False(t, done.Already)
	assert.Equal(t, int64(4), done.Import.Rows)
	assert.NotEmpty(t, steps)
	check := func() {
		t.Helper()
		assert.Equal(t, uint64(4), s.counts(t).Conversations)
		assert.InDelta(t, 4, s.figure(t, "offered").Numerator, 0)
		mean := s.figure(t, "first_response")
		assert.InDelta(t, 70, mean.Numerator, 0)
		assert.InDelta(t, 3, mean.Denominator, 0)
		share := s.figure(t, "answered_within")
		assert.InDelta(t, 2, share.Numerator, 0)
		assert.InDelta(t, 4, share.Denominator, 0, "who gave up counts as not answered in time")
		assert.InDelta(t, 4.5, *s.figure(t, "satisfaction").Value, 0)
	}
	check()
	again, err := s.Measuring.Import(t.Context(), planner, chats(fourChats))
	ok(t, err)
	assert.True(t, again.Already)
	assert.Equal(t, done.Import.Batch, again.Import.Batch)
	assert.Len(t, s.imports(t), 1)
	check()

	// Another file that holds one of the chats again, corrected, and a new one.
	s.Clock = s.Clock.Add(time.Minute)
	_, err = s.Measuring.Import(t.Context(), planner, chats(chatHeader+
		"lumi,lumi-tmall,lumi-tmall/pre,c3,chat,1002,2026-05-05 11:00:00,Y,25,60,Y,\n"+
		"lumi,lumi-tmall,lumi-tmall/pre,c5,chat,1002,2026-05-06 11:00:00,Y,5,60,Y,\n"))
	ok(t, err)
	assert.Equal(t, uint64(5), s.counts(t).Conversations)
	assert.InDelta(t, 10+20+25+5, s.figure(t, "first_response").Numerator, 0)

	// The correction was wrong: the first file says who replaced it, and wins when asked to, each time.
	again, err = s.Measuring.Import(t.Context(), planner, chats(fourChats))
	ok(t, err)
	assert.True(t, again.Already)
	require.Len(t, again.Later, 1)
	assert.Equal(t, s.imports(t)[0].Batch, again.Later[0].Batch)
	for range 2 {
		s.Clock = s.Clock.Add(time.Minute)
		in = chats(fourChats)
		in.Again = true
		again, err = s.Measuring.Import(t.Context(), planner, in)
		ok(t, err)
		assert.False(t, again.Already)
		assert.InDelta(t, 70+5, s.figure(t, "first_response").Numerator, 0, "c3 waits 40 s again, c5 stays")
	}
	assert.Len(t, s.imports(t), 4)
	again, err = s.Measuring.Import(t.Context(), planner, chats(fourChats))
	ok(t, err)
	assert.Equal(t, []any{true, s.imports(t)[0].Batch, 0}, []any{again.Already, again.Import.Batch, len(again.Later)}, "the last time it was imported")
}

func TestImportIsAllOrNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	bad := fourChats +
		"lumi,lumi-tmall,lumi-tmall/pre,c6,chat,1001,yesterday,Y,10,120,Y,5\n" +
		"lumi,lumi-tmall,lumi-tmall/pre,c7,chat,1001,2026-05-04 12:00:00,Y,-3,120,Y,5\n" +
		"lumi,lumi-tmall,lumi-tmall/nowhere,c8,chat,1001,2026-05-04 12:00:00,Y,3,120,Y,5\n" +
		"orca,lumi-tmall,lumi-tmall/pre,c9,chat,1001,2026-05-04 12:00:00,Y,3,120,Y,5\n"
	_, err := s.Measuring.Import(t.Context(), planner, chats(bad))
	e := refused(t, err, "intake.rows")
	places := map[int]string{}
	for _, f := range e.Fields {
		assert.Equal(t, "chats.csv", f.File)
		if places[f.Row] == "" { // a negative wait spoils the instant of the answer too
			places[f.Row] = f.Column + "=" + f.Value
		}
	}
	assert.Equal(t, map[int]string{
		6: "started_at=yesterday", 7: "wait=-3", 8: "queue=lumi-tmall/nowhere", 9: "merchant=orca",
	}, places, "one clear place per bad row")
	assert.Zero(t, s.counts(t))
	assert.Empty(t, s.imports(t))

	var rejected bytes.Buffer
	in := chats(bad)
	in.Partial, in.RejectTo = true, &rejected
	done, err := s.Measuring.Import(t.Context(), planner, in)
	ok(t, err)
	assert.Equal(t, int64(4), done.Import.Rows)
	assert.Equal(t, int64(4), done.Import.Rejected)
	assert.InDelta(t, 4, s.figure(t, "offered").Numerator, 0)
	rows, err := csv.NewReader(&rejected).ReadAll()
	ok(t, err)
	require.Len(t, rows, 5, "a header and the four rejected rows")
	assert.Contains(t, strings.Join(rows[1], "|"), "yesterday")
}

func TestImportWhileTheEngineIsDown(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.SetEngine(false)
	_, err := s.Measuring.Import(t.Context(), planner, chats(fourChats))
	e := refused(t, err, "warehouse.down")
	assert.Equal(t, fault.Unavailable, e.Kind)
	assert.Positive(t, e.RetryAfter)
	require.Len(t, s.imports(t), 1, "it began")
	assert.Equal(t, int64(store.Unfinished), s.imports(t)[0].Rows, "what is not durable is not acknowledged")
	_, err = s.Measuring.Figures(t.Context(), admin, kpi.Query{Metrics: []kpi.Metric{"offered"}, Grain: kpi.Whole, Range: may.Range(shanghai)})
	_ = refused(t, err, "warehouse.down")
	s.AddPeople(t, 1001, 2, "lumi-tmall/pre") // people need no engine

	s.SetEngine(true)
	done, err := s.Measuring.Import(t.Context(), planner, chats(fourChats))
	ok(t, err)
	assert.False(t, done.Already)
	assert.InDelta(t, 4, s.figure(t, "offered").Numerator, 0)
}

// A file of more rows than one acknowledged batch holds arrives whole: 50,100 slots of 5 minutes,
// in which 1, 2, 3, 1, 2, 3 ... contacts came.
func TestImportOfSeveralBatches(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	const rows = 50_100
	var text strings.Builder
	text.WriteString("merchant,queue,start,slot,offered\n")
	start, want := at("2025-06-01", "00:00:00"), 0.0
	for i := range rows {
		fmt.Fprintf(&text, "lumi,lumi-tmall/pre,%s,5m,%d\n", start.Add(time.Duration(i)*5*time.Minute).In(shanghai).Format("2006-01-02 15:04"), 1+i%3)
		want += float64(1 + i%3)
	}
	done, err := s.Measuring.Import(t.Context(), admin, measuring.ImportInput{
		Source: operationstest.FileOf("history.csv", text.String()), Mapping: operations.DefaultMapping(operations.ImportHistory),
	})
	ok(t, err)
	assert.Equal(t, int64(rows), done.Import.Rows)
	series, err := s.Warehouse.In(warehouse.Scope{Everything: true}).Series(t.Context(), "lumi-tmall/pre",
		calendar.Range{Start: start, End: start.AddDate(1, 0, 0)}, time.Hour)
	ok(t, err)
	got := 0.0
	for _, p := range series {
		got += p.Offered
	}
	assert.InDelta(t, want, got, 0)
	assert.Equal(t, uint64(rows), s.counts(t).Contacts)
}

func TestImportOfAgents(t *testing.T) {
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 3, "lumi-tmall/pre", "lumi-tmall/after")
	people, _, err := s.Administration.Agents(t.Context(), planner, operations.AgentFilter{Queue: "lumi-tmall/after"}, operations.Page{})
	ok(t, err)
	require.Len(t, people, 3)
	assert.Equal(t, 4, people[0].Value.Concurrency)

	in := measuring.ImportInput{
		Source:  operationstest.FileOf("agents.csv", "id,name,site,team,hired\n1001,改名,hefei,t1,2025-01-01\n1004,新人,nowhere,t1,2026-01-01\n"),
		Mapping: operations.DefaultMapping(operations.ImportAgents),
	}
	_, err = s.Measuring.Import(t.Context(), planner, in)
	require.Error(t, err)
	assert.Equal(t, fault.Invalid, fault.KindOf(err))
	one, err := s.Administration.Agent(t.Context(), planner, "1001")
	ok(t, err)
	assert.Equal(t, "客服1001", one.Value.Name, "nothing of the file was taken")
}

func TestImportRefusesAnotherKind(t *testing.T) {
	s := newStoreStack(t)
	_, err := s.Measuring.Import(t.Context(), admin, measuring.ImportInput{Source: operationstest.FileOf("x.csv", "a\n1\n")})
	_ = refused(t, err, "intake.kind")
}

// An import that was cut off after its rows were durable goes on without doubling them; when it
// knows more queues by then, the rows it now takes are written too.
func TestImportThatWasCutOffGoesOn(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	in := chats(fourChats + "lumi,lumi-tmall,lumi-tmall/new,c5,chat,1001,2026-05-04 12:00:00,Y,10,120,Y,5\n")
	in.Partial = true
	in.Progress = func(done, total int64) { s.SetEngine(done < total) } // down just before the roll-ups
	_, err := s.Measuring.Import(t.Context(), planner, in)
	_ = refused(t, err, "warehouse.down")
	list := s.imports(t)
	require.Len(t, list, 1)
	assert.Equal(t, int64(store.Unfinished), list[0].Rows, "its rows are visible, so it is listed")

	s.SetEngine(true)
	in.Progress = nil
	s.ApplyContracts(t, strings.Replace(operationstest.MerchantsYAML, "          - {id: lumi-tmall/after,",
		"          - {id: lumi-tmall/new, skill: pre, channel: chat, hours: \"Mon-Sun 09:00-18:00\"}\n          - {id: lumi-tmall/after,", 1))
	done, err := s.Measuring.Import(t.Context(), planner, in)
	ok(t, err)
	assert.Equal(t, int64(5), done.Import.Rows)
	assert.Equal(t, list[0].Batch, done.Import.Batch, "it is the same import")
	list = s.imports(t)
	require.Len(t, list, 1)
	assert.Equal(t, int64(5), list[0].Rows)
	assert.Equal(t, uint64(5), s.counts(t).Conversations)
	assert.InDelta(t, 5, s.figure(t, "offered").Numerator, 0)
}

// The same file at once, as an impatient client sends it, is imported once and nobody is told off.
func TestSameImportAtOnce(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	var fresh, already atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			done, err := s.Measuring.Import(t.Context(), planner, chats(fourChats))
			switch {
			case !assert.NoError(t, err):
			case done.Already:
				already.Add(1)
			default:
				fresh.Add(1)
			}
		})
	}
	wg.Wait()
	assert.Equal(t, [2]int64{1, 3}, [2]int64{fresh.Load(), already.Load()})
	assert.Len(t, s.imports(t), 1)
	assert.Equal(t, uint64(4), s.counts(t).Conversations)
}

func buyers(i int) measuring.ImportInput {
	return chats("merchant,shop,queue,id,channel,agent,buyer,started_at,answered,wait,handle_time\n" +
		fmt.Sprintf("lumi,lumi-tmall,lumi-tmall/pre,b%d,chat,1001,买家甲,2026-05-04 10:00:00,Y,10,120\n", i))
}

// Several first imports of a merchant at once agree on the key of its buyers: one buyer stays one.
func TestFirstImportsAgreeOnTheBuyer(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			_, err := s.Measuring.Import(t.Context(), planner, buyers(i))
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	rows, _, err := s.Measuring.Conversations(t.Context(), planner, operations.ConversationFilter{Range: may.Range(shanghai)}, operations.Page{})
	ok(t, err)
	require.Len(t, rows, 6)
	assert.Len(t, rows[0].Buyer, 32)
	for _, r := range rows {
		assert.Equal(t, rows[0].Buyer, r.Buyer)
	}
}

// Without a key of its buyers a file is not imported: leaving them out would go unnoticed for good.
func TestImportFailsWithoutABuyerKey(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		_, err := tx.PutSetting("buyer-key:lumi", []byte(`"no key"`), store.NewOnly)
		return err
	}))
	_, err := s.Measuring.Import(t.Context(), planner, buyers(1))
	_ = refused(t, err, "import.buyer_key")
	assert.Zero(t, s.counts(t).Conversations)
	assert.Empty(t, s.imports(t))
}

// Agents as they were, then changed, then as they were again: the third file counts too.
func TestAgentsOfAnEarlierFileComeBack(t *testing.T) {
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 1, "lumi-tmall/pre")
	file := func(name string) measuring.ImportInput {
		return measuring.ImportInput{
			Source:  operationstest.FileOf("agents.csv", "id,name,site,team,hired,employment,concurrency,wage\n1001,"+name+",hefei,t1,2025-01-01,standard,3,30\n"),
			Mapping: operations.DefaultMapping(operations.ImportAgents),
		}
	}
	before := len(s.imports(t))
	for i, step := range []struct {
		name    string
		already bool
	}{{"甲", false}, {"甲", true}, {"乙", false}, {"甲", false}, {"甲", true}, {"乙", false}} {
		done, err := s.Measuring.Import(t.Context(), planner, file(step.name))
		ok(t, err)
		assert.Equal(t, step.already, done.Already, i)
		one, err := s.Administration.Agent(t.Context(), planner, "1001")
		ok(t, err)
		assert.Equal(t, step.name, one.Value.Name, i)
	}
	assert.Len(t, s.imports(t), before+4)
}

// A mapping that forgets the channel makes chats without rounds of calls: what is there stays.
func TestImportDoesNotTakeRoundsAway(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	row := "lumi,lumi-tmall,lumi-tmall/pre,%s,%s,1001,2026-05-04 09:00:00,Y,10,120,Y,5\n"
	calls := chatHeader + fmt.Sprintf(row, "k1", "call") + fmt.Sprintf(row, "k2", "call")
	_, err := s.Measuring.Import(t.Context(), planner, chats(calls))
	ok(t, err)
	assert.InDelta(t, 2, s.figure(t, "avg_response").Denominator, 0)

	forgotten := chats(chatHeader + fmt.Sprintf(row, "k1", "") + fmt.Sprintf(row, "k3", ""))
	_, err = s.Measuring.Import(t.Context(), planner, forgotten)
	message := refused(t, err, "import.rounds").Message
	assert.Contains(t, message, "1 conversations (k1, ...)")
	assert.Contains(t, message, "channel: call")
	assert.Len(t, s.imports(t), 1)
	assert.InDelta(t, 2, s.figure(t, "offered").Numerator, 0)
	assert.InDelta(t, 2, s.figure(t, "avg_response").Denominator, 0)

	// Of a file in several parts nothing is taken in either when only the last row would lose rounds.
	var long strings.Builder
	long.WriteString(chatHeader)
	for i := range 50_000 {
		fmt.Fprintf(&long, row, fmt.Sprintf("n%d", i), "chat")
	}
	fmt.Fprintf(&long, row, "k2", "")
	_, err = s.Measuring.Import(t.Context(), planner, chats(long.String()))
	message = refused(t, err, "import.rounds").Message
	assert.Contains(t, message, "1 conversations (k2, ...)")
	assert.Contains(t, message, "Nothing was imported")
	assert.Len(t, s.imports(t), 1)
	assert.InDelta(t, 2, s.figure(t, "offered").Numerator, 0)

	forgotten.NoRounds = true
	_, err = s.Measuring.Import(t.Context(), planner, forgotten)
	ok(t, err)
	assert.InDelta(t, 1, s.figure(t, "avg_response").Denominator, 0)
}
