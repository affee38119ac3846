package roster_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/roster"
)

// edit is one place of the example in other words.
type edit struct{ from, to string }

// told is one complaint: where, what the file has there, and a word of what is allowed.
type told struct{ path, got, says string }

func badFile(t *testing.T, edits ...edit) []fault.Field {
	t.Helper()
	raw, err := os.ReadFile("testdata/example.json")
	require.NoError(t, err)
	text := string(raw)
	for _, e := range edits {
		require.Contains(t, text, e.from)
		text = strings.Replace(text, e.from, e.to, 1)
	}
	_, err = roster.ReadProblem("bad.json", strings.NewReader(text), false)
	require.Error(t, err)
	assert.Equal(t, fault.Invalid, fault.KindOf(err))
	return fault.Of(err).Fields
}

var faults = map[string]struct {
	edits []edit
	want  told
}{
	"heads as text":            {[]edit{{`"heads": 1, "paid": 1.2`, `"heads": "one", "paid": 1.2`}}, told{"demand[0].needs[0].heads", "one", "whole number"}},
	"heads of a half":          {[]edit{{`"heads": 1, "paid": 1.2`, `"heads": 1.5, "paid": 1.2`}}, told{"demand[0].needs[0].heads", "1.5", "whole number"}},
	"heads below nobody":       {[]edit{{`"heads": 1, "paid": 1.2`, `"heads": -1, "paid": 1.2`}}, told{"demand[0].needs[0].heads", "-1", "0 to 30000"}},
	"paid below nothing":       {[]edit{{`"paid": 1.2`, `"paid": -2`}}, told{"demand[0].needs[0].paid", "-2", "0 to 30000"}},
	"a value below nothing":    {[]edit{{`"value": 60`, `"value": -5`}}, told{"demand[0].needs[0].value", "-5", "0 to 100000 yuan"}},
	"a value beyond money":     {[]edit{{`"value": 60`, `"value": 1e308`}}, told{"demand[0].needs[0].value", "1e308", "0 to 100000 yuan"}},
	"a curve beyond money":     {[]edit{{`"heads": 1, "value": 160`, `"heads": 1, "value": 1e12`}}, told{"demand[0].needs[2].worth[0].value", "1e12", "0 to 100000 yuan"}},
	"a weight beyond money":    {[]edit{{`"short": 120`, `"short": 1e300`}}, told{"weights.short", "1e300", "0 to 100000 yuan"}},
	"a factor beyond reason":   {[]edit{{`"short": 120`, `"depth": 11`}}, told{"weights.depth", "11", "0 to 10"}},
	"a wage beyond money":      {[]edit{{`"wage": 25`, `"wage": 1e9`}}, told{"agents[2].wage", "1e9", "0 to 100000 yuan an hour"}},
	"a wish beyond money":      {[]edit{{`"weight": 30`, `"weight": -1e15`}}, told{"agents[3].preferences[0].weight", "-1e15", "-100000 to 100000 yuan"}},
	"hours beyond the dates":   {[]edit{{`"wage": 25`, `"min_work": "9999h"`}}, told{"agents[2].min_work", "9999h", "0 to 2184h"}},
	"a ledger beyond a life":   {[]edit{{`"weekends": 2`, `"weekends": 9000000000000000000`}}, told{"agents[0].ledger", "", "0 to 10000"}},
	"a temp for days":          {[]edit{{`"version": 1`, `"relief": {"temp_hours": 25}, "version": 1`}}, told{"relief.temp_hours", "25", "0 to 24 hours"}},
	"a value beyond numbers":   {[]edit{{`"value": 60`, `"value": 1e999`}}, told{"demand[0].needs[0].value", "1e999", "too large"}},
	"a start off the grid":     {[]edit{{`2026-11-09T09:00:00+08:00", "heads": 1, "paid"`, `2026-11-09T09:03:00+08:00", "heads": 1, "paid"`}}, told{"demand[0].needs[0].start", "2026-11-09T09:03:00+08:00", "multiple of 5 minutes"}},
	"a start without a zone":   {[]edit{{`2026-11-09T09:00:00+08:00", "heads": 1, "paid"`, `2026-11-09 09:00", "heads": 1, "paid"`}}, told{"demand[0].needs[0].start", "2026-11-09 09:00", "instant"}},
	"a need before the dates":  {[]edit{{`2026-11-09T09:00:00+08:00", "heads": 1, "paid"`, `2026-11-08T09:00:00+08:00", "heads": 1, "paid"`}}, told{"demand[0].needs[0].start", "2026-11-08T09:00:00+08:00", "outside the dates"}},
	"needs out of order":       {[]edit{{`2026-11-10T20:00:00+08:00`, `2026-11-09T08:00:00+08:00`}}, told{"demand[0].needs[2].start", "2026-11-09T08:00:00+08:00", "one slot after"}},
	"a slot as a number":       {[]edit{{`"slot": "30m"`, `"slot": 30`}}, told{"demand[0].slot", "30", `"8h" or "1h30m"`}},
	"a slot off the grid":      {[]edit{{`"slot": "30m"`, `"slot": "7m"`}}, told{"demand[0].slot", "7m", "5m to 24h"}},
	"a queue named badly":      {[]edit{{`"queue": "lumi-tmall/pre", "slot"`, `"queue": "", "slot"`}}, told{"demand[0].queue", "", "empty"}},
	"a rising curve":           {[]edit{{`{"heads": 2, "value": 45}`, `{"heads": 2, "value": 450}`}}, told{"demand[0].needs[2].worth[1].value", "450", ""}},
	"a zone of Mars":           {[]edit{{`"Asia/Shanghai"`, `"Mars/X"`}}, told{"location", "Mars/X", "time zone name"}},
	"a zone as a number":       {[]edit{{`"Asia/Shanghai"`, `8`}}, told{"location", "8", "text in quotes"}},
	"a version to come":        {[]edit{{`"version": 1`, `"version": 2`}}, told{"version", "2", "must be 1"}},
	"a day that is none":       {[]edit{{`"from": "2026-11-09"`, `"from": "2026-02-30"`}}, told{"from", "2026-02-30", `"2026-11-09"`}},
	"no last day":              {[]edit{{`"until": "2026-11-12",`, ``}}, told{"until", "", "is missing"}},
	"dates the wrong way":      {[]edit{{`"until": "2026-11-12"`, `"until": "2026-11-01"`}}, told{"until", "2026-11-01", "after it begins"}},
	"a clock that is none":     {[]edit{{`"start": "08:30"`, `"start": "25:99"`}}, told{"templates[0].start", "25:99", `"08:30"`}},
	"a length as a number":     {[]edit{{`"length": "9h"`, `"length": 9`}}, told{"templates[0].length", "9", "with its unit"}},
	"a length without a unit":  {[]edit{{`"length": "9h"`, `"length": "9"`}}, told{"templates[0].length", "9", "with its unit"}},
	"a shift of 14 hours":      {[]edit{{`"length": "9h"`, `"length": "14h"`}}, told{"templates[0].length", "14h", "11h a day"}},
	"a day of the week":        {[]edit{{`"mon", "tue"`, `"montag", "tue"`}}, told{"templates[0].weekdays[0]", "montag", "mon, tue"}},
	"a pause that is work":     {[]edit{{`"kind": "meal", "length": "1h"`, `"kind": "work", "length": "1h"`}}, told{"templates[0].pauses[0].kind", "work", "meal, break or gap"}},
	"a pause after the end":    {[]edit{{`"latest": "5h"`, `"latest": "9h"`}}, told{"templates[0].pauses[0].latest", "9h", "at most 8h"}},
	"a pause backwards":        {[]edit{{`"earliest": "3h"`, `"earliest": "6h"`}}, told{"templates[0].pauses[0].latest", "5h", "before earliest"}},
	"a code of nothing":        {[]edit{{`"code": "D"`, `"code": ""`}, {`"template": "D", "weight"`, `"weight"`}}, told{"templates[0].code", "", "is empty"}},
	"a code as a number":       {[]edit{{`"code": "D"`, `"code": 7`}}, told{"templates[0].code", "7", "text in quotes"}},
	"a template twice":         {[]edit{{`"windows": [`, `"windows": [{"prefix": "L", "from": "14:00", "until": "14:00", "step": "30m", "lengths": ["8h30m"]},`}}, told{"windows[2].prefix", "L", "used twice"}},
	"a rest above the warning": {[]edit{{`"rest_block": "8h"`, `"rest_block": "12h"`}}, told{"rules.rest_block", "12h", "at most rest_warn, which is 11h unless it is set"}},
	"a warning below the rest": {[]edit{{`"rest_block": "8h"`, `"rest_block": "12h", "rest_warn": "10h"`}}, told{"rules.rest_warn", "10h", "at least rest_block, 12h"}},
	"an agent with dots":       {[]edit{{`"id": "K003"`, `"id": "../../x"`}}, told{"agents[2].id", "../../x", "begins with '.'"}},
	"a length twice":           {[]edit{{`"lengths": ["8h"]`, `"lengths": ["8h", "8h"]`}}, told{"windows[0].lengths[1]", "8h", "the same length as lengths[0]"}},
	"a window without lengths": {[]edit{{`"lengths": ["8h"]`, `"lengths": []`}}, told{"windows[0].lengths", "", "at least one"}},
	// 288 starts of 115 lengths are 33120 shifts, with D and the three of window L.
	"more shifts than numbers": {[]edit{{`"from": "08:30", "until": "08:30", "step": "30m", "lengths": ["8h"]`, `"from": "00:00", "until": "23:55", "step": "5m", "lengths": [` + strings.Repeat(`"8h", `, 114) + `"8h"]`}}, told{"windows[0].lengths", "", "generate 33120 of 33124 templates, and 32767 are possible"}},
	"a window backwards":       {[]edit{{`"from": "14:00", "until": "15:00"`, `"from": "15:00", "until": "14:00"`}}, told{"windows[1].until", "14:00", "before from"}},
	"a window without a step":  {[]edit{{`"step": "30m", "lengths": ["8h"]`, `"step": "0m", "lengths": ["8h"]`}}, told{"windows[0].step", "0m", "multiple of 5"}},
	"an unknown field":         {[]edit{{`"code": "D"`, `"foo": 1, "code": "D"`}}, told{"templates[0].foo", "1", "weekdays"}},
	"an unknown top field":     {[]edit{{`"version": 1`, `"horizon": 3, "version": 1`}}, told{"horizon", "3", "templates"}},
	"a field twice":            {[]edit{{`"code": "D"`, `"code": "E", "code": "D"`}}, told{"templates[0].code", "D", "twice"}},
	"a regime of its own":      {[]edit{{`"regime": "part_time"`, `"regime": "flex"`}}, told{"agents[2].regime", "flex", "comprehensive"}},
	"an engagement of its own": {[]edit{{`"regime": "part_time"`, `"engagement": "robot"`}}, told{"agents[2].engagement", "robot", "cloud"}},
	"a condition of its own":   {[]edit{{`"kind": "nursing"`, `"kind": "tired"`}}, told{"agents[3].conditions[0].kind", "tired", "nursing"}},
	"a wage below nothing":     {[]edit{{`"wage": 25`, `"wage": -25`}}, told{"agents[2].wage", "-25", "0 to 100000 yuan an hour"}},
	"hours as a number":        {[]edit{{`"wage": 25`, `"min_work": 40`}}, told{"agents[2].min_work", "40", "with its unit"}},
	"more than the most":       {[]edit{{`"wage": 25`, `"min_work": "40h", "max_work": "20h"`}}, told{"agents[2].min_work", "40h", "at most max_work, 20h"}},
	"an agent twice":           {[]edit{{`"id": "K002"`, `"id": "K001"`}}, told{"agents[1].id", "K001", "used twice"}},
	"an agent without skills":  {[]edit{{`"skills": [{"queue": "lumi-tmall/pre"}],`, `"skills": [],`}}, told{"agents[1].skills", "", "without a skill"}},
	"agreed, in quotes":        {[]edit{{`"overtime_agreed": true`, `"overtime_agreed": "yes"`}}, told{"agents[0].overtime_agreed", "yes", "true or false"}},
	"a wish for no template":   {[]edit{{`"template": "D", "weight"`, `"template": "Z", "weight"`}}, told{"agents[3].preferences[0].template", "Z", "not a template"}},
	"history of another":       {[]edit{{`"history": [{"agent": "K004"`, `"history": [{"agent": "K001"`}}, told{"agents[3].history[0]", "", "this agent"}},
	"a ledger below nothing":   {[]edit{{`"weekends": 2`, `"weekends": -2`}}, told{"agents[0].ledger", "", "0 to 10000"}},
	"a relaxed law":            {[]edit{{`"rest_block": "8h"`, `"overtime_month": "80h"`}}, told{"rules.overtime_month", "80h", "at most 36h by 劳动法 §41"}},
	"a narrowed legal night":   {[]edit{{`"rest_block": "8h"`, `"night_until": "5h"`}}, told{"rules.night_until", "5h", "女职工劳动保护特别规定"}},
	"care made soft":           {[]edit{{`"rest_block": "8h"`, `"hard_care": false`}}, told{"rules.hard_care", "false", "女职工劳动保护特别规定"}},
	"a rule nobody knows":      {[]edit{{`"rest_block": "8h"`, `"naps": true`}}, told{"rules.naps", "true", "rest_block"}},
	"special dates backwards":  {[]edit{{`"until": "2026-11-13"}]`, `"until": "2026-11-01"}]`}}, told{"rules.special_dates[0]", "", "end after it"}},
	"a weight below nothing":   {[]edit{{`"short": 120`, `"short": -1`}}, told{"weights.short", "-1", "0 to 100000 yuan"}},
	"a relief below nothing":   {[]edit{{`"version": 1`, `"relief": {"temp": -1}, "version": 1`}}, told{"relief.temp", "-1", "0 to 100000 yuan"}},
	"a holiday twice": {
		[]edit{{`"version": 1`, `"holidays": [{"date": "2026-11-09", "kind": "statutory"}, {"date": "2026-11-09", "kind": "makeup"}], "version": 1`}},
		told{"holidays[1].date", "2026-11-09", "holidays[0]"},
	},
	"a holiday of its own": {[]edit{{`"version": 1`, `"holidays": [{"date": "2026-11-09", "kind": "feast"}], "version": 1`}}, told{"holidays[0].kind", "feast", "statutory"}},
	"a queue twice":        {[]edit{{`"queue": "lumi-tmall/after", "slot"`, `"queue": "lumi-tmall/pre", "slot"`}}, told{"demand[1].queue", "lumi-tmall/pre", "twice"}},
	"demand when closed": {[]edit{{`"slot": "1h",`, `"slot": "1h", "hours": "Daily 11:00-20:00",`}, {`"2026-11-10T10:00`, `"2026-11-10T12:00`}, {`"2026-11-11T10:00:00+08:00", "heads": 2}
    ]}
  ]`, `"2026-11-11T12:00:00+08:00", "heads": 2}]}]`}}, told{"demand[1].needs[0].start", "2026-11-09T10:00:00+08:00", "outside the open hours"}},
	"hours that are none":          {[]edit{{`"slot": "1h",`, `"slot": "1h", "hours": "always",`}}, told{"demand[1].hours", "always", "Mon-Fri"}},
	"a site nobody knows":          {[]edit{{`"wage": 25`, `"site": "moon"`}}, told{"agents[2].site", "moon", "not a site"}},
	"a site twice":                 {[]edit{{`"version": 1`, `"sites": [{"id": "wh", "seats": 3}, {"id": "wh", "seats": 4}], "version": 1`}}, told{"sites[1].id", "wh", "used twice"}},
	"a site without seats":         {[]edit{{`"version": 1`, `"sites": [{"id": "wh"}], "version": 1`}}, told{"sites[0].seats", "", "1 to"}},
	"a block off the grid":         {[]edit{{`"version": 1`, `"min_block": "7m", "version": 1`}}, told{"min_block", "7m", "steps of 5 minutes"}},
	"agents as an object":          {[]edit{{`"agents": [`, `"locked": {}, "agents": [`}}, told{"locked", "", "a list"}},
	"a template as text":           {[]edit{{`"windows": [`, `"windows": ["early",`}}, told{"windows[0]", "early", "an object"}},
	"a stranger locked in":         {[]edit{{`"demand": [`, `"locked": [{"agent": "K999", "start": "2026-11-10T09:00:00+08:00", "end": "2026-11-10T15:00:00+08:00"}], "demand": [`}}, told{"locked[0].agent", "K999", "not an agent"}},
	"a shift of no time":           {[]edit{{`"demand": [`, `"locked": [{"agent": "K001", "start": "2026-11-10T09:00:00+08:00", "end": "2026-11-10T09:00:00+08:00"}], "demand": [`}}, told{"locked[0]", "", "positive length"}},
	"a locked activity of its own": {[]edit{{`"demand": [`, `"locked": [{"agent": "K001", "start": "2026-11-10T09:00:00+08:00", "end": "2026-11-10T15:00:00+08:00", "activities": [{"kind": "workX", "queue": "lumi-tmall/pre", "start": "2026-11-10T09:00:00+08:00", "end": "2026-11-10T15:00:00+08:00"}]}], "demand": [`}}, told{"locked[0].activities[0].kind", "workX", "work, meal, break or gap"}},
	"locked after the end":         {[]edit{{`"demand": [`, `"locked": [{"agent": "K001", "start": "2026-11-20T09:00:00+08:00", "end": "2026-11-20T15:00:00+08:00"}], "demand": [`}}, told{"locked[0].start", "2026-11-20T09:00:00+08:00", "in the range"}},
	"two shifts at a time":         {[]edit{{`"demand": [`, `"locked": [{"agent": "K001", "start": "2026-11-09T09:00:00+08:00", "end": "2026-11-09T14:00:00+08:00"}, {"agent": "K001", "start": "2026-11-09T13:00:00+08:00", "end": "2026-11-09T17:00:00+08:00"}], "demand": [`}}, told{"locked[1].start", "2026-11-09T13:00:00+08:00", "K001 breaks shift.overlap"}},
	"an old shift of a stranger":   {[]edit{{`"demand": [`, `"previous": [{"agent": "K999", "start": "2026-11-10T09:00:00+08:00", "end": "2026-11-10T15:00:00+08:00"}], "demand": [`}}, told{"previous[0].agent", "K999", "not an agent"}},
	"an old shift backwards":       {[]edit{{`"demand": [`, `"previous": [{"agent": "K001", "start": "2026-11-10T15:00:00+08:00", "end": "2026-11-10T09:00:00+08:00"}], "demand": [`}}, told{"previous[0]", "", "positive length"}},
	"a wish before the dates":      {[]edit{{`"preferences": [{"date": "2026-11-11"`, `"preferences": [{"date": "2026-11-08"`}}, told{"agents[3].preferences[0].date", "2026-11-08", "2026-11-09 to 2026-11-11"}},
	"a wish after the dates":       {[]edit{{`"preferences": [{"date": "2026-11-11"`, `"preferences": [{"date": "2026-11-12"`}}, told{"agents[3].preferences[0].date", "2026-11-12", "2026-11-09 to 2026-11-11"}},
	"a wish for no day":            {[]edit{{`"preferences": [{"date": "2026-11-11", `, `"preferences": [{`}}, told{"agents[3].preferences[0].date", "", "is missing"}},
	"a wage that shouts":           {[]edit{{`"wage": 25`, `"WAGE": 25`}}, told{"agents[2].WAGE", "25", "must be written wage"}},
	"agents with a capital":        {[]edit{{`"version": 1`, `"Holidays": [], "version": 1`}}, told{"Holidays", "[…] of 0 values", "must be written holidays"}},
	"a rule with a capital":        {[]edit{{`"rest_block": "8h"`, `"rest_Block": "8h"`}}, told{"rules.rest_Block", "8h", "must be written rest_block"}},
	"a post without dates":         {[]edit{{`"wage": 25`, `"engagement": "agency"`}}, told{"agents[2].assigned", "", "agency worker's post"}},
	"a salary by the hour":         {[]edit{{`"wage": 25`, `"wage": 25, "salaried": true`}}, told{"agents[2].salaried", "true", "part_time is paid by the hour"}},
	"a salary of an intern":        {[]edit{{`"regime": "part_time", "wage": 25`, `"engagement": "intern", "salaried": true`}}, told{"agents[2].salaried", "true", "intern is paid by the hour"}},
	"a shift of history twice":     {[]edit{{`"history": [`, `"history": [{"agent": "K004", "start": "2026-11-08T08:30:00+08:00", "end": "2026-11-08T16:30:00+08:00"}, `}}, told{"agents[3].history[1].start", "2026-11-08T08:30:00+08:00", "history[0]"}},
	"history in two places":        {[]edit{{`"history": [`, `"history": [{"agent": "K004", "start": "2026-11-08T16:00:00+08:00", "end": "2026-11-08T20:00:00+08:00"}, `}}, told{"agents[3].history[0].start", "2026-11-08T16:00:00+08:00", "history[1], which ends at 2026-11-08T16:30:00+08:00"}},
	"a wish twice":                 {[]edit{{`"preferences": [`, `"preferences": [{"date": "2026-11-11", "template": "D", "weight": 10}, `}}, told{"agents[3].preferences[1].date", "2026-11-11", "preferences[0]"}},
	"a skill twice":                {[]edit{{`"skills": [{"queue": "lumi-tmall/pre"}, `, `"skills": [{"queue": "lumi-tmall/after"}, `}}, told{"agents[0].skills[1].queue", "lumi-tmall/after", "skills[0]"}},
	"terms of no queue":            {[]edit{{`"rest_block": "8h"`, `"queues": [{"queue": "lumi-jd/pre", "shops": 2}]`}}, told{"rules.queues[0].queue", "lumi-jd/pre", "not a queue of the demand"}},
	"heads of null":                {[]edit{{`"heads": 1, "paid": 1.2`, `"heads": null, "paid": 1.2`}}, told{"demand[0].needs[0].heads", "null", "must not be null"}},
	"a length of null":             {[]edit{{`"rest_block": "8h"`, `"rest_block": null`}}, told{"rules.rest_block", "null", "must not be null"}},
	"somebody not yet born":        {[]edit{{`"wage": 25`, `"born": "2039-01-01"`}}, told{"agents[2].born", "2039-01-01", "begin on 2026-11-09"}},
	"away without a start":         {[]edit{{`"wage": 25`, `"unavailable": [{"end": "2026-11-09T18:00:00+08:00"}]`}}, told{"agents[2].unavailable[0].start", "", "is missing"}},
	"away backwards":               {[]edit{{`"wage": 25`, `"unavailable": [{"start": "2026-11-09T18:00:00+08:00", "end": "2026-11-09T17:00:00+08:00"}]`}}, told{"agents[2].unavailable[0].end", "2026-11-09T17:00:00+08:00", "must be after the start"}},
	"training on a full day": {
		[]edit{{`"wage": 25`, `"sessions": [{"kind": "training", "range": {"start": "2026-11-09T09:00:00+08:00", "end": "2026-11-09T18:00:00+08:00"}}]`}},
		told{"agents[2].sessions", "", "hours.part_time_daily"},
	},
}

// Each file is the example with one fault, and that one is told: where, what is written there, what is allowed.
func TestOneFaultIsOneComplaint(t *testing.T) {
	require.GreaterOrEqual(t, len(faults), 40)
	for name, c := range faults {
		t.Run(name, func(t *testing.T) {
			bad := badFile(t, c.edits...)
			require.Len(t, bad, 1, "%v", bad)
			assert.Equal(t, c.want.path, bad[0].Path)
			if c.want.got != "" {
				assert.Equal(t, c.want.got, bad[0].Value)
			}
			assert.Contains(t, bad[0].Problem, c.want.says)
			assert.Equal(t, "bad.json", bad[0].File)
		})
	}
}

// Twenty faults of all kinds in one file are twenty complaints, the same ones as alone.
func TestAllFaultsAreToldAtOnce(t *testing.T) {
	var edits []edit
	var want []string
	taken := map[string]bool{}
	for _, name := range []string{
		"heads below nobody", "paid below nothing", "a value below nothing", "a slot off the grid", "a rising curve", "a clock that is none", "a shift of 14 hours",
		"a day of the week", "a pause that is work", "a window without lengths", "a window backwards", "a regime of its own", "a condition of its own",
		"hours as a number", "an agent twice", "a wish for no template", "a ledger below nothing", "a relaxed law", "a weight below nothing", "special dates backwards",
		"a relief below nothing", "agreed, in quotes", "demand when closed",
	} {
		c, ok := faults[name]
		require.True(t, ok, name)
		require.False(t, taken[c.edits[0].from], name)
		taken[c.edits[0].from] = true
		edits, want = append(edits, c.edits...), append(want, c.want.path)
	}
	var got []string
	for _, f := range badFile(t, edits...) {
		got = append(got, f.Path)
	}
	slices.Sort(got)
	for _, path := range want {
		assert.Contains(t, got, path)
	}
	assert.LessOrEqual(t, len(got), len(want)+3, "a fault may be seen from a second place: %v", got)
}

// A file with a fault in every need is told with a count, not with a thousand lines.
func TestManyFaultsAreCounted(t *testing.T) {
	var needs []string
	for i := range 1000 {
		needs = append(needs, fmt.Sprintf(`{"start": "2026-11-10T%02d:%02d:00+08:00", "heads": -1}`, i/60, i%60/5*5))
	}
	bad := badFile(t, edit{`{"start": "2026-11-11T10:00:00+08:00", "heads": 2}
    ]}
  ]`, strings.Join(needs, ",") + "]}]"})
	assert.Len(t, bad, 201)
	assert.Contains(t, bad[200].Problem, "more places")
}

// Clocks in Berlin fall back on 25 October 2026 at 03:00, and 00:30 to 02:55 UTC holds 02:30 twice. A file across
// that night, and across a year end, is read; open hours go by the clock on the wall: 09:00 is open on both days,
// 08:30 on neither.
func TestZonesAndYearEndsAreRead(t *testing.T) {
	file := func(zone, from, until, needs string) (roster.Problem, error) {
		return roster.ReadProblem("z.json", strings.NewReader(fmt.Sprintf(`{"version": 1, "location": %q, "from": %q, "until": %q,
			"templates": [{"code": "D", "start": "09:00", "length": "8h"}], "agents": [{"id": "A", "skills": [{"queue": "q"}]}],
			"demand": [{"queue": "q", "slot": "30m", "hours": "Daily 02:00-03:00,Daily 09:00-18:00", "needs": [%s]}]}`, zone, from, until, needs)), false)
	}
	p, err := file("Europe/Berlin", "2026-10-24", "2026-10-27", `{"start": "2026-10-24T09:00:00+02:00", "heads": 1}, {"start": "2026-10-25T02:30:00+02:00", "heads": 1},
		{"start": "2026-10-25T02:30:00+01:00", "heads": 1}, {"start": "2026-10-25T09:00:00+01:00", "heads": 1}`)
	require.NoError(t, err)
	assert.Equal(t, 73*time.Hour, p.Range.Duration(), "three days and the hour that comes twice")
	_, err = file("Europe/Berlin", "2026-10-24", "2026-10-27", `{"start": "2026-10-24T08:30:00+02:00", "heads": 1}, {"start": "2026-10-25T09:00:00+02:00", "heads": 1}`)
	require.Error(t, err)
	assert.Len(t, fault.Of(err).Fields, 2, "%v", err)
	_, err = file("Asia/Kathmandu", "2026-12-28", "2027-01-04", `{"start": "2027-01-01T09:00:00+05:45", "heads": 1}`)
	assert.NoError(t, err)
}

// Text that is no JSON is told by its line; nothing else can be said of it.
func TestWhatIsNoJSONIsToldByItsLine(t *testing.T) {
	for name, c := range map[string]struct {
		text, says string
		row        int
	}{
		"nothing":      {"", "ends before it is complete", 1},
		"a cut file":   {"{\n\"version\": 1,\n\"agents\": [", "ends before it is complete", 3},
		"a comma":      {"{\n\"version\": 1,\n}", "from \"}\" on", 3},
		"two values":   {"{}\n{}", "after the end", 2},
		"not a number": {"{\n\"agents\": [\n{\"id\": \"A\", \"site\": \"s\",\n\"ledger\": {},\n\n\"wage\":\n  NaN},\n{}]}", "from \"NaN},\" on", 7},
		"half a word":  {"[1,\n2,\n\n[true, tru ],\n3]", "from \"tru ],\" on", 4},
		"two commas":   {"{\"a\": 1,\n\"b\": [1,\n,2]}", "from \",2]}\" on", 3},
		"no colon":     {"{\n\"a\": 1,\n\"b\"\n3}", "from \"3}\" on", 4},
		"a bare key":   {"{\n\"a\": 1,\n\nb: 3}", "from \"b: 3}\" on", 4},
		"more values":  {"{}\n\nNaN", "after the end", 3},
		"a bottomless": {strings.Repeat("[", 100000), "in one another", 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := roster.ReadProblem("bad.json", strings.NewReader(c.text), false)
			require.Error(t, err)
			bad := fault.Of(err).Fields
			require.Len(t, bad, 1)
			assert.Contains(t, bad[0].Problem, c.says)
			assert.Equal(t, c.row, bad[0].Row)
		})
	}
}

// Whatever is read is a problem or an Invalid error that says where; nothing else, and no panic. A problem has a
// roster whose file is written, read again and found honest.
func FuzzReadProblem(f *testing.F) {
	raw, err := os.ReadFile("testdata/example.json")
	require.NoError(f, err)
	f.Add(string(raw))
	for _, c := range faults {
		f.Add(strings.Replace(string(raw), c.edits[0].from, c.edits[0].to, 1))
	}
	for _, text := range []string{"", "null", "[]", "{}", `{"version":1,"agents":[null],"demand":[null],"templates":[null]}`, `{"locked":[{}],"sites":[{}],"windows":[{}]}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := roster.ReadProblem("f.json", strings.NewReader(text), false)
		if err == nil {
			assert.NoError(t, p.Validate())
			if p.Range.Duration() <= 7*24*time.Hour && len(p.Agents) <= 6 && len(p.Templates) <= 60 {
				s, err := roster.Solve(t.Context(), p, roster.Options{Seed: 1, Iterations: 2, Threads: 1})
				require.NoError(t, err)
				require.LessOrEqual(t, s.Bound, s.Cost)
				requireHonest(t, p, s)
			}
			return
		}
		assert.Equal(t, fault.Invalid, fault.KindOf(err))
		assert.NotEmpty(t, fault.Of(err).Fields)
	})
}

// Terms of a queue that is needed are no fault, even where nobody has its skill yet.
func TestTermsOfAQueueThatNobodyServes(t *testing.T) {
	raw, err := os.ReadFile("testdata/example.json")
	require.NoError(t, err)
	p, err := roster.ReadProblem("example.json", strings.NewReader(string(raw)), false)
	require.NoError(t, err)
	q := string(p.Demand[0].Queue)
	text := strings.ReplaceAll(string(raw), `{"queue": "`+q+`"}`, `{"queue": "other"}`)
	text = strings.Replace(text, `"rest_block": "8h"`, `"queues": [{"queue": "`+q+`", "shops": 2}]`, 1)
	p, err = roster.ReadProblem("terms.json", strings.NewReader(text), false)
	require.NoError(t, err)
	for _, a := range p.Agents {
		for _, s := range a.Person.Skills {
			require.NotEqual(t, q, string(s.Queue))
		}
	}
	assert.Equal(t, q, string(p.Rules.Queues[0].Queue))
}
