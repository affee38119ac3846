package casefile

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

func TestParseReadsEveryStatement(t *testing.T) {
	suite, err := Parse("x.txt", "\ufeff"+`# a comment
rule a.b@v1 base=round measure=mean cap_s=600 hours=Mon-Fri_09:00-17:00 platforms=jd,tmall effective=2021-12-01.. exempt=2024-02-04..2024-02-18 min_sample=5
case one
source somewhere
zone Europe/Berlin
platform jd
closing 谢谢
conversation c# merchant=lumi shop=s1 queue=pre agent=a1 buyer=b# started=2026-07-01T10:00:00 ended=2026-07-01T11:00:00 rating=4 repeat=2 step=24h
round 2026-07-01T10:00:00 2026-07-01T10:00:30.5 agent:a2
2026-07-01 10:00:00.250 buyer 你好 # said kindly
2026-07-01 10:00:01 buyer 谢谢!
2026-07-01 10:00:02 rating:5
2026-07-01 12:00:00 payment buyer=b1 order=o1 amount=199.00
ticket t1 opened=2026-07-01T10:00:00 due=2026-07-01T11:00:00
expect a.b@v1 1200.5/2 seconds agent=a1 from=2026-07-01 to=2026-07-31 too_few
`)
	require.NoError(t, err)
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	ten := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC) // UTC+2 in summer
	d := suite.Rules[0]
	assert.Equal(t, kpi.Rule{Measure: kpi.Mean, Cap: 600, Hours: "Mon-Fri 09:00-17:00"}, *d.Rule)
	assert.Equal(t, []string{"jd", "tmall"}, d.Platforms)
	assert.Equal(t, calendar.Dates{From: calendar.Date{Year: 2021, Month: 12, Day: 1}}, d.Effective)
	assert.True(t, d.Exempted(calendar.Date{Year: 2024, Month: 2, Day: 17}))
	assert.Equal(t, kpi.Seconds, d.Unit)
	assert.Equal(t, 5, d.MinSample)

	require.Len(t, suite.Cases, 1)
	c := suite.Cases[0]
	assert.Equal(t, "x.txt:3 one", c.String())
	assert.Equal(t, "somewhere", c.Source)
	require.Len(t, c.Conversations, 2)
	second := c.Conversations[1]
	assert.Equal(t, "c2", second.ID)
	assert.Equal(t, "b2", second.Buyer)
	assert.Equal(t, ten.Add(24*time.Hour), second.StartedAt)
	assert.Equal(t, []chatlog.Round{{OpenedAt: ten.Add(24 * time.Hour), AnsweredAt: ten.Add(24*time.Hour + 30500*time.Millisecond), Agent: "a2"}}, second.Rounds)
	assert.Equal(t, 4, *second.Rating)
	require.Len(t, c.Events, 6)
	assert.Equal(t, chatlog.Event{
		Merchant: "lumi", Shop: "s1", Queue: "pre", Conversation: "c1", ID: "0001", At: ten.Add(250 * time.Millisecond),
		Kind: chatlog.BuyerMessage, Buyer: "b1", Text: "你好",
	}, c.Events[0])
	assert.True(t, c.Events[1].Closing)
	assert.Equal(t, 5, c.Events[2].Score)
	require.Len(t, c.Timelines, 2)
	assert.Equal(t, 5, *c.Timelines[0].Rating, "the rating event wins over the header's")
	assert.EqualValues(t, 19900, c.Orders[0].Amount)
	assert.True(t, c.Tickets[0].ClosedAt.IsZero())
	assert.Equal(t, map[string]string{"s1": "jd", "s": "jd"}, func() map[string]string {
		shops := map[string]string{}
		for shop, platform := range c.Shops() {
			shops[string(shop)] = platform
		}
		return shops
	}())

	e := c.Expects[0]
	assert.Equal(t, 1200.5, e.Numerator)
	assert.Equal(t, 2., e.Denominator)
	assert.True(t, e.TooFew)
	assert.Equal(t, []kpi.Dimension{kpi.ByAgent}, e.Query.By)
	assert.Equal(t, calendar.Month{Year: 2026, Month: 7}.Range(berlin), e.Query.Range)
}

func TestParseNamesEveryBadLine(t *testing.T) {
	const open = "case x\nconversation c\n"
	for _, c := range []struct {
		name, text string
		row        int
		problem    string
	}{
		{"before a case", "conversation c1", 1, "before the first case"},
		{"nameless case", "case", 1, "needs a name"},
		{"no statement", "case x\nhello", 2, "is no statement"},
		{"unknown sender", open + "2026-07-01 10:00:00 robot hi", 3, "must be buyer"},
		{"nobody's message", open + "2026-07-01 10:00:00 agent: hi", 3, "must name a person"},
		{"no conversation", "case x\n2026-07-01 10:00:00 buyer hi", 2, "no conversation is open"},
		{"bad time", open + "2026-07-01 25:00:00 buyer hi", 3, "must be a time"},
		{"long ago", open + "1926-07-01 10:00:00 buyer hi", 3, "must be a time"},
		{"bad rating", open + "2026-07-01 10:00:00 rating:6", 3, "from 1 to 5"},
		{"unknown option", "case x\nconversation c byer=b", 2, "is no choice here"},
		{"option twice", "case x\nconversation c buyer=b buyer=c", 2, "is said twice"},
		{"header without start", "case x\nconversation c answered=2026-07-01T10:00:00", 2, "needs started="},
		{"ends before it starts", "case x\nconversation c started=2026-07-01T10:00:00 ended=2026-07-01T09:00:00", 2, "is before"},
		{"round without header", open + "round 2026-07-01T10:00:00 -", 3, "must be: round"},
		{"repeat without #", "case x\nconversation c repeat=3", 2, "needs a #"},
		{"too many", "case x\nconversation c# repeat=9999999", 2, "must be from 1"},
		{"zone", "case x\nzone Mars/Base", 2, "is not a time zone"},
		{"zone too late", open + "zone Asia/Tokyo", 3, "before anything has a time"},
		{"figure", "case x\nexpect a@v1 half", 2, "must be N/D"},
		{"dates", "case x\nexpect a@v1 1/2 from=2026-07-01", 2, "say date="},
		{"dates turned", "case x\nexpect a@v1 1/2 from=2026-07-02 to=2026-07-01", 2, "is before from="},
		{"rule without version", "rule a base=round measure=within", 1, "metric@version"},
		{"rule on no base", "rule a@v1 base=moon measure=within", 1, "must be one of"},
		{"rule's choice", "rule a@v1 base=round measure=within stop=never", 1, "must be one of human, any"},
		{"rule's window", "rule a@v1 base=round measure=within window=9-23", 1, "must be a window"},
		{"rule twice", "rule a@v1 base=round measure=within\nrule a@v1 base=round measure=within", 2, "already"},
		{"period", "rule a@v1 base=round measure=within effective=2021", 1, "must be a period"},
		{"ticket", "case x\nticket t1", 2, "needs opened="},
		{"buyer of an order", "case x\n2026-07-01 10:00:00 payment order=o1", 2, "needs buyer="},
		{"amount", "case x\n2026-07-01 10:00:00 payment buyer=b amount=much", 2, "must be an amount"},
		{"empty conversation", open + "conversation d\n2026-07-01 10:00:00 buyer hi", 3, "has neither"},
	} {
		_, err := Parse("x.txt", c.text)
		require.Error(t, err, c.name)
		f := fault.Of(err)
		assert.Equal(t, "kpi.case.invalid", f.Code, c.name)
		assert.Equal(t, "x.txt", f.Fields[0].File, c.name)
		assert.Equal(t, c.row, f.Fields[0].Row, c.name)
		assert.Contains(t, f.Fields[0].String(), c.problem, c.name)
	}
}

func TestLoadRefusesARuleOfTwoFiles(t *testing.T) {
	const rule = "rule a@v1 base=round measure=within"
	_, err := Load(fstest.MapFS{"a.txt": {Data: []byte(rule)}, "b.txt": {Data: []byte(rule)}})
	require.ErrorContains(t, err, "b.txt")
	require.ErrorContains(t, err, "another file")
}

func TestAnswerNamesAnUnknownMetric(t *testing.T) {
	suite, err := Parse("x.txt", "case x\nexpect a@v1 0/0")
	require.NoError(t, err)
	_, err = Answer(suite.Cases[0], suite.Cases[0].Expects[0], nil)
	require.Error(t, err)
	assert.Equal(t, "kpi.metric.unknown", fault.CodeOf(err))
}

// Whatever the text, it is read or refused with a line, and what is read can be counted.
func FuzzParse(f *testing.F) {
	names, err := os.ReadDir("../testdata/cases")
	require.NoError(f, err)
	for _, name := range names {
		text, err := os.ReadFile("../testdata/cases/" + name.Name())
		require.NoError(f, err)
		for _, part := range strings.Split(string(text), "\ncase ") {
			f.Add("case " + part)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "repeat") > 1 || len(text) > 4000 {
			t.Skip("a repetition of thousands is valid and slow")
		}
		suite, err := Parse("x.txt", text)
		if err != nil {
			for _, field := range fault.Of(err).Fields {
				assert.Equal(t, "x.txt", field.File)
				assert.Positive(t, field.Row)
			}
			return
		}
		for _, c := range suite.Cases {
			for _, e := range c.Expects {
				if _, err := Answer(c, e, suite.Rules); err != nil {
					assert.Contains(t, []string{"kpi.metric.unknown", "kpi.query.grain"}, fault.CodeOf(err))
				}
			}
		}
	})
}
