package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/configs"
	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// desk is a data directory with four agents and a published week that begins next month.
type desk struct {
	t    *testing.T
	data string
	zone *time.Location
	day  calendar.Date // the Monday of the week
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	d := &desk{t: t, data: t.TempDir(), zone: zone, day: calendar.DateOf(time.Now(), zone).Add(28)}
	for d.day.Weekday() != time.Monday || !ordinary(d.day) {
		d.day = d.day.Add(1)
	}
	db, err := store.Open(t.Context(), store.Config{DSN: "sqlite:" + storeFile(configs.Config{DataDir: d.data})})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	require.NoError(t, db.Change(t.Context(), access.System("test"), time.Now(), d.seed))
	return d
}

// ordinary reports a week without holidays and make-up days from a Monday on.
func ordinary(monday calendar.Date) bool {
	for i := range 7 {
		want := calendar.Workday
		if i > 4 {
			want = calendar.RestDay
		}
		if configs.Holidays().Kind(monday.Add(i)) != want {
			return false
		}
	}
	return true
}

func (d *desk) seed(tx *store.Tx) error {
	_, err := tx.PutMerchant(contracts.Merchant{ID: "lumi", Name: "鹿米", Shops: []contracts.Shop{{
		ID: "lumi-tmall", Name: "x", Platform: contracts.Tmall, Queues: []contracts.Queue{{ID: "lumi-tmall/pre", Skill: "pre", Channel: "chat", Hours: "Mon-Sun 09:00-18:00"}},
	}}}, store.AnyVersion)
	if err != nil {
		return err
	}
	if _, err := tx.PutSite(workforce.Site{ID: "hz", Name: "杭州"}, store.AnyVersion); err != nil {
		return err
	}
	if _, err := tx.PutTeam(workforce.Team{ID: "t1", Name: "一组", Site: "hz"}, store.AnyVersion); err != nil {
		return err
	}
	from := calendar.Dates{From: calendar.MakeDate(2020, time.January, 1)}
	for _, id := range []ids.Agent{"1001", "1002", "1003", "1004"} {
		_, err := tx.PutAgent(workforce.Agent{
			ID: id, Name: "客服" + string(id), Team: "t1", Site: "hz", Employment: workforce.Standard, Employed: from, Concurrency: 3, Wage: 3000,
			Skills: []workforce.Skill{{Queue: "lumi-tmall/pre", Dates: from, Level: 1}},
		}, store.AnyVersion)
		if err != nil {
			return err
		}
	}
	shift := func(agent ids.Agent, day, hour int) scheduling.Shift {
		start := d.day.Add(day).In(d.zone).Add(time.Duration(hour) * time.Hour)
		at := func(h int) time.Time { return start.Add(time.Duration(h) * time.Hour) }
		return scheduling.Shift{Agent: agent, Code: "D", Start: start, End: at(9), Activities: []scheduling.Activity{
			{Kind: scheduling.Work, Start: start, End: at(4), Queue: "lumi-tmall/pre"}, {Kind: scheduling.Meal, Start: at(4), End: at(5)}, {Kind: scheduling.Work, Start: at(5), End: at(9), Queue: "lumi-tmall/pre"},
		}}
	}
	span := calendar.Range{Start: d.day.In(d.zone), End: d.day.Add(7).In(d.zone)}
	_, err = tx.AddRoster(store.Roster{ID: "week", Title: "week", Range: span, Shifts: []scheduling.Shift{
		shift("1001", 0, 9), shift("1002", 0, 9), shift("1002", 1, 9), shift("1003", 2, 9), shift("1001", 5, 9),
	}})
	if err == nil {
		_, err = tx.SetRosterState("week", store.Published, store.AnyVersion)
	}
	if err != nil {
		return err
	}
	requirement := scheduling.Requirement{Queue: "lumi-tmall/pre", Slot: time.Hour}
	for hour := 9; hour < 19; hour++ {
		requirement.Needs = append(requirement.Needs, scheduling.Need{Start: d.day.In(d.zone).Add(time.Duration(hour) * time.Hour), Heads: 1, Value: 80})
	}
	return tx.AddPlan(store.Plan{ID: "p", Queue: "lumi-tmall/pre", Range: calendar.Day(d.day, d.zone), Requirement: requirement})
}

// run runs a command line that must succeed; DAY+n stands for the n-th day of the week.
func (d *desk) run(line ...string) string {
	d.t.Helper()
	code, out, errs := typedLine(d.t, d.line(line)...)
	require.Equal(d.t, exitOK, code, "%v: %s", line, errs)
	return out
}

func (d *desk) line(line []string) []string {
	args := make([]string, 0, len(line)+2)
	for _, a := range line {
		for n := range 7 {
			a = strings.ReplaceAll(a, "DAY+"+string(rune('0'+n)), d.day.Add(n).String())
		}
		args = append(args, a)
	}
	return append(args, "--data", d.data)
}

// id runs a command with --json and returns the id of the request in its answer.
func (d *desk) id(line ...string) string {
	d.t.Helper()
	var answer struct {
		Value   struct{ ID string }
		Request *struct{ Value struct{ ID string } }
	}
	require.NoError(d.t, json.Unmarshal([]byte(d.run(append(line, "--json")...)), &answer))
	if answer.Request != nil {
		return answer.Request.Value.ID
	}
	return answer.Value.ID
}

// The guide docs/leave-and-swaps.md in commands: a supervisor's day.
func TestRequestsByCommand(t *testing.T) {
	d := newDesk(t)
	assert.Contains(t, d.run("leave", "grant", "--year", d.day.String()[:4]), "4 rows booked")
	out := d.run("leave", "ask", "--agent", "1002", "--kind", "annual", "--from", "DAY+0", "--dry-run")
	assert.Contains(t, out, "takes 8 h on 1 day, loses 0.00 yuan of coverage: grant", "one head is needed and two are there")
	out = d.run("leave", "ask", "--agent", "1002", "--kind", "annual", "--from", "DAY+0")
	assert.Contains(t, out, "is approved")
	assert.Contains(t, d.run("leave", "entries", "--agent", "1002"), "-8")
	out = d.run("leave", "ask", "--agent", "1001", "--kind", "personal", "--from", "DAY+0")
	assert.Contains(t, out, "loses 640.00 yuan of coverage: ask", "now nobody else is there: eight hours of 80 yuan")
	list := d.run("requests", "list", "--state", "waiting")
	require.Equal(t, 2, strings.Count(list, "\n"), list)
	id := strings.Fields(strings.Split(list, "\n")[1])[0]
	assert.Contains(t, d.run("requests", "refuse", id, "--reason", "双人在岗"), "is refused")
	assert.Contains(t, d.run("requests", "show", id), "双人在岗")

	// The shift of Monday goes to Wednesday's and back, the one of Saturday is given away.
	swap := d.id("swaps", "propose", "--agent", "1001", "--shift", "DAY+0 09:00", "--with", "1003", "--for", "DAY+2 09:00")
	d.run("requests", "accept", swap, "--agent", "1003")
	assert.Contains(t, d.run("requests", "approve", swap), "is done")
	code, _, errs := typedLine(t, d.line([]string{"swaps", "propose", "--agent", "1002", "--shift", "DAY+1 09:00", "--with", "1003", "--for", "DAY+1 09:00"})...)
	assert.Equal(t, exitNotFound, code)
	assert.Contains(t, errs, "1003 has no published shift")
	give := d.id("swaps", "give", "--agent", "1001", "--shift", "DAY+5 09:00")
	d.run("requests", "take", give, "--agent", "1004")
	d.run("requests", "approve", give)
	assert.Contains(t, d.run("fairness", "--from", "DAY+0", "--to", "DAY+6", "--agent", "1004"), "weekend")

	// From 18 to 19 o'clock nobody works: an hour is worth 80 yuan.
	hours := []string{"offers", "overtime", "--queue", "lumi-tmall/pre", "--from", "DAY+0 18:00", "--to", "DAY+0 19:00"}
	out = d.run(append(hours, "--dry-run")...)
	assert.Contains(t, out, "1 h at 150%")
	offer := d.id(append(hours, "--agent", "1003")...)
	assert.Contains(t, d.run("requests", "accept", offer, "--agent", "1003"), "is filled")
	assert.Contains(t, d.run("requests", "show", offer), "19:00")

	bid := d.id("bids", "open", "--method", "lottery", "--seed", "s", "--shift", "DAY+4 09:00-18:00 lumi-tmall/pre x2 meal60")
	d.run("bids", "place", bid, "--agent", "1001", "--wish", "0")
	d.run("bids", "place", bid, "--agent", "1002", "--wish", "1,0")
	d.run("bids", "place", bid, "--agent", "1003", "--wish", "0")
	d.run("bids", "take-back", bid, "--agent", "1003")
	code, _, errs = typedLine(t, "bids", "draw", bid, "--data", d.data)
	assert.Equal(t, exitInvalid, code)
	assert.Contains(t, errs, "--early")
	assert.Equal(t, 2, strings.Count(d.run("bids", "draw", bid, "--early", "--reason", "全员已投"), "won in turn 1"))
	assert.Contains(t, d.run("requests", "show", bid), "全员已投 [提前开奖")
	assert.Contains(t, d.run("requests", "expire"), "0 requests expired")
}

func TestFactsAndPolicyByCommand(t *testing.T) {
	d := newDesk(t)
	file := func(name, text string) string {
		path := filepath.Join(d.data, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	d.run("facts", "terms", "--set", file("terms.yaml", "- queue: lumi-tmall/pre\n  certificate: lumi-2026\n  packs:\n    - code: d11\n      dates: {from: 2020-01-01}\n"))
	assert.Contains(t, d.run("facts", "terms"), "certificate: lumi-2026")
	assert.Contains(t, d.run("facts", "import", file("f.csv", "工号,类型,代码,开始日期,结束日期\n1002,认证,lumi-2026,2020-01-01,2099-12-31\n")), "1 added")
	assert.Contains(t, d.run("facts", "read", "d11", "--agent", "1002"), "1 added")
	d.run("facts", "add", "--agent", "1003", "--kind", "agreement", "--from", "2020-01-01", "--no-nights", "--day-hours", "6")
	assert.Equal(t, 4, strings.Count(d.run("facts", "list"), "\n"))
	give := d.id("swaps", "give", "--agent", "1001", "--shift", "DAY+5 09:00")
	code, _, errs := typedLine(t, d.line([]string{"requests", "take", give, "--agent", "1003"})...)
	assert.Equal(t, exitInvalid, code)
	assert.Contains(t, errs, "lumi-2026")
	assert.Contains(t, errs, "agreement")
	d.run("requests", "take", give, "--agent", "1002")
	code, _, errs = typedLine(t, d.line([]string{"facts", "import", file("bad.csv", "agent,kind,code,from\n1002,certificate,,soon\n")})...)
	assert.Equal(t, exitInvalid, code)
	assert.Contains(t, errs, `bad.csv:2: column "from"`)

	policy := d.run("leave", "policy")
	assert.Contains(t, policy, "day_minutes: 480")
	d.run("leave", "policy", "--set", file("policy.yaml", policy))
	d.run("leave", "policy", "--set", file("policy.yaml", "swap_approval: false\nclosures:\n  - {name: 双11, promotion: double11, phases: [spot]}\nquotas:\n  - {name: 一组每日, team: t1, heads: 2}\n"))
	again := d.run("leave", "policy")
	assert.Contains(t, again, "swap_approval: false")
	assert.Contains(t, again, "day_minutes: 480", "what a file leaves out stays")
	told := d.run("leave", "policy", "--set", file("policy.yaml", "kinds:\n  - {kind: maternity, most_days: 158}\n  - {kind: annual, auto: false}\n"))
	assert.Contains(t, told, "# 没有列出，无人可请：事假 / left out, so nobody can ask for it: personal (personal leave)\n")
	again = d.run("leave", "policy")
	for _, line := range []string{"zh: 产假", "protected: true", "most_days: 158", "auto: false", "zh: 病假", "zh: 年休假"} {
		assert.Contains(t, again, line)
	}
	assert.Equal(t, again, d.run("leave", "policy", "--set", file("policy.yaml", again)), "what is shown is read the same")
	code, _, errs = typedLine(t, d.line([]string{"leave", "policy", "--set", file("policy.yaml", "kinds:\n  - {kind: sick, balance: true}\n  - kind: maternity\n    protected: false\n")})...)
	assert.Equal(t, exitInvalid, code)
	assert.Contains(t, errs, "policy.yaml:2: kinds[0].balance: must be false")
	assert.Contains(t, errs, "policy.yaml:4: kinds[1].protected: must be true")
	assert.Contains(t, errs, "女职工劳动保护特别规定 §7")
	code, _, errs = typedLine(t, d.line([]string{"leave", "policy", "--set", file("policy.yaml", "quota: 2\n")})...)
	assert.Equal(t, exitInvalid, code)
	assert.Contains(t, errs, "policy.yaml")
	d.run("leave", "adjust", "--agent", "1001", "--kind", "annual", "--hours", "16", "--note", "上家单位结转")
	assert.Contains(t, d.run("leave", "balances", "--agent", "1001"), "16")
	assert.Contains(t, d.run("leave", "earn", "--from", "2026-01-05", "--to", "2026-01-11"), "0 rows booked")

	earlier := calendar.DateOf(time.Now(), d.zone).Add(-3).String()
	rule := []string{"roster", "rules", "--set", "rest_block=9h", "--reason", "公司规定", "--pay-from"}
	d.run(append(rule, earlier)...)
	assert.Contains(t, d.run("roster", "rules", "--history"), "rest_block = 9h, paid by from "+earlier+" on")
	code, _, errs = typedLine(t, d.line(append(rule, "DAY+6"))...)
	assert.Equal(t, exitInvalid, code)
	assert.Contains(t, errs, "pay_from")
}
