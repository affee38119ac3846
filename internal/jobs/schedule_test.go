package jobs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
)

func zone(t require.TestingT, name string) *time.Location {
	z, err := time.LoadLocation(name)
	require.NoError(t, err)
	return z
}

// at reads "2026-03-01 06:30:00" in a zone, with an offset when the wall clock is ambiguous.
func at(t require.TestingT, z *time.Location, text string) time.Time {
	layout := "2006-01-02 15:04:05"
	if len(text) > len(layout) {
		layout += " -0700"
	}
	v, err := time.ParseInLocation(layout, text, z)
	require.NoError(t, err)
	return v
}

// The expected instants are read off a wall calendar.
func TestLastDueOfEverySchedule(t *testing.T) {
	cases := []struct{ job, now, want string }{
		{"rollup-check", "2026-11-22 15:18:32", "2026-11-22 15:15:00"},
		{"rollup-check", "2026-11-22 15:15:00", "2026-11-22 15:15:00"},
		{"rollup-check", "2026-12-01 00:00:00", "2026-12-01 00:00:00"},
		{"rollup-check", "2026-12-01 00:14:59", "2026-12-01 00:00:00"},
		{"rollup-verification", "2026-11-22 04:29:59", "2026-11-21 04:30:00"},
		{"rollup-verification", "2026-11-22 04:30:00", "2026-11-22 04:30:00"},
		{"conversion-closing", "2026-11-22 06:44:00", "2026-11-21 06:45:00"},
		{"conversion-closing", "2026-11-22 07:00:00", "2026-11-22 06:45:00"},
		{"reconciliation", "2026-12-01 07:29:00", "2026-11-30 07:30:00"},
		{"reconciliation", "2026-12-01 07:30:00", "2026-12-01 07:30:00"},
		{"scorecard-freeze", "2026-12-05 07:59:59", "2026-12-04 08:00:00"},
		{"scorecard-freeze", "2026-12-05 08:00:00", "2026-12-05 08:00:00"},
		{"daily-scorecards", "2026-11-22 06:29:59", "2026-11-21 06:30:00"},
		{"daily-scorecards", "2026-11-22 06:30:00", "2026-11-22 06:30:00"},
		{"daily-scorecards", "2026-12-01 06:00:00", "2026-11-30 06:30:00"},
		{"daily-scorecards", "2027-01-01 00:00:00", "2026-12-31 06:30:00"},
		{"monthly-sla-reports", "2026-11-22 12:00:00", "2026-11-02 07:00:00"},
		{"monthly-sla-reports", "2026-12-02 06:59:59", "2026-11-02 07:00:00"},
		{"monthly-sla-reports", "2026-12-02 07:00:00", "2026-12-02 07:00:00"},
		{"monthly-sla-reports", "2026-03-01 23:59:59", "2026-02-02 07:00:00"},
		{"monthly-sla-reports", "2027-01-01 10:00:00", "2026-12-02 07:00:00"},
		{"retention", "2026-11-22 03:14:59", "2026-11-21 03:15:00"},
		{"retention", "2028-03-01 03:00:00", "2028-02-29 03:15:00"},
		{"forecast-refresh", "2026-11-22 04:59:59", "2026-11-21 05:00:00"},
		{"forecast-accuracy", "2026-11-22 05:45:00", "2026-11-22 05:45:00"},
		{"forecast-drift", "2026-11-22 06:14:00", "2026-11-21 06:15:00"},
		{"request-expiry", "2026-11-22 06:14:00", "2026-11-22 06:00:00"},
		{"housekeeping", "2026-11-22 23:59:59", "2026-11-22 03:45:00"},
		{"housekeeping", "2026-03-01 00:00:00", "2026-02-28 03:45:00"},
	}
	f := newFixture(t)
	table := New(DefaultConfig(), f.node("n1"), f.zone, f.log).Jobs()
	seen := map[string]bool{}
	for _, c := range cases {
		i := slices.IndexFunc(table, func(j Job) bool { return j.Name == c.job })
		require.GreaterOrEqual(t, i, 0)
		seen[c.job] = true
		s := &Scheduler{zone: f.zone}
		assert.Equal(t, at(t, f.zone, c.want), s.lastDue(table[i], at(t, f.zone, c.now)), "%s at %s", c.job, c.now)
	}
	for _, j := range table {
		assert.True(t, seen[j.Name], "%s has a case", j.Name)
	}
}

func TestLastDueOfRareSchedules(t *testing.T) {
	s := &Scheduler{zone: zone(t, "Asia/Shanghai")}
	for _, c := range []struct{ schedule, now, want string }{
		{"0 0 31 * *", "2026-03-01 00:00:00", "2026-01-31 00:00:00"},
		{"0 8 1 1 *", "2026-12-31 23:59:59", "2026-01-01 08:00:00"},
		{"0 0 29 2 *", "2028-02-28 12:00:00", "2024-02-29 00:00:00"},
		{"30 9 * * 1", "2026-11-22 12:00:00", "2026-11-16 09:30:00"}, // the 22nd is a Sunday
	} {
		assert.Equal(t, at(t, s.zone, c.want), s.lastDue(Job{Schedule: c.schedule}, at(t, s.zone, c.now)), c.schedule)
	}
}

// New York in 2026: the hour from 2:00 is skipped on 8 March and the one from 1:00 comes twice on
// 1 November.
func TestLastDueAcrossSummerTime(t *testing.T) {
	s := &Scheduler{zone: zone(t, "America/New_York")}
	for _, c := range []struct{ schedule, now, want string }{
		{"30 2 * * *", "2026-03-08 12:00:00", "2026-03-07 02:30:00"}, // there is no 2:30 that day
		{"30 2 * * *", "2026-03-09 02:30:00", "2026-03-09 02:30:00"},
		{"30 6 * * *", "2026-03-08 06:29:59", "2026-03-07 06:30:00"}, // 23 hours apart
		{"30 6 * * *", "2026-11-01 06:29:59", "2026-10-31 06:30:00"}, // 25 hours apart
		{"30 1 * * *", "2026-11-01 01:10:00 -0500", "2026-11-01 01:30:00 -0400"},
		{"30 1 * * *", "2026-11-01 12:00:00", "2026-11-01 01:30:00 -0500"},
	} {
		got := s.lastDue(Job{Schedule: c.schedule}, at(t, s.zone, c.now))
		assert.True(t, got.Equal(at(t, s.zone, c.want)), "%s at %s: %s", c.schedule, c.now, got)
	}
}

// Nothing may be due between the last due time and now: checked minute by minute.
func TestLastDueIsTheLast(t *testing.T) {
	zones := []*time.Location{zone(t, "Asia/Shanghai"), zone(t, "America/New_York"), zone(t, "Asia/Kathmandu")}
	rapid.Check(t, func(t *rapid.T) {
		s := &Scheduler{zone: rapid.SampledFrom(zones).Draw(t, "zone")}
		minute, hour := rapid.IntRange(0, 59).Draw(t, "minute"), rapid.IntRange(0, 23).Draw(t, "hour")
		job := Job{Schedule: fmt.Sprintf("%d %d * * *", minute, hour)}
		now := time.Unix(rapid.Int64Range(1_700_000_000, 1_900_000_000).Draw(t, "now"), 0)
		last := s.lastDue(job, now)
		require.False(t, last.IsZero())
		require.False(t, last.After(now))
		require.Equal(t, []int{hour, minute, 0}, []int{last.Hour(), last.Minute(), last.Second()})
		for m := last.Add(time.Minute); !m.After(now); m = m.Add(time.Minute) {
			require.False(t, m.Hour() == hour && m.Minute() == minute, "%s is later", m)
		}
	})
}

// Timers tick early or late; the run is still the one of the due time.
func TestATickStandsForItsDueTime(t *testing.T) {
	s := &Scheduler{zone: zone(t, "Asia/Shanghai")}
	daily, quarter, minutely := Job{Schedule: "30 6 * * *"}, Job{Schedule: "*/15 * * * *"}, Job{Schedule: "* * * * *"}
	due := at(t, s.zone, "2026-11-22 06:30:00")
	for _, off := range []time.Duration{0, time.Millisecond, -time.Millisecond, 3 * time.Second, -3 * time.Second, -45 * time.Second} {
		assert.Equal(t, due, s.dueOf(daily, due.Add(off)), off)
		assert.Equal(t, due, s.dueOf(quarter, due.Add(off)), off)
	}
	for _, off := range []time.Duration{-20 * time.Second, -time.Millisecond, time.Millisecond, 20 * time.Second} {
		assert.Equal(t, due, s.dueOf(minutely, due.Add(off)), off)
	}
	// A machine that slept through the day ticks late, and must not take tomorrow's run.
	assert.Equal(t, due, s.dueOf(daily, due.Add(14*time.Hour)))
	assert.Equal(t, due, s.dueOf(daily, due.Add(23*time.Hour)))
	assert.Equal(t, due.Add(5*time.Hour), s.dueOf(quarter, due.Add(5*time.Hour+4*time.Minute)))
}

func TestValidateRefusesWhatCannotRun(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	good := Config{Timeout: time.Hour, Schedules: map[string]string{"retention": "*/5 1-4 * JAN-DEC mon,FRI"}}
	require.NoError(t, good.Validate())

	for _, expression := range []string{
		"", "soon", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "*/0 * * * *",
		"@daily", "@every 5m", "TZ=", "CRON_TZ=Asia/Tokyo 0 6 * * *", "5-1 * * * *", "0 0 30 2 *",
	} {
		err := Config{Timeout: time.Hour, Schedules: map[string]string{"retention": expression}}.Validate()
		require.Error(t, err, expression)
		require.Len(t, fault.Of(err).Fields, 1, expression)
		assert.Equal(t, "schedules.retention", fault.Of(err).Fields[0].Path)
		assert.Equal(t, expression, fault.Of(err).Fields[0].Value)
	}

	bad := Config{Timeout: time.Millisecond, Attempts: 11, Backoff: time.Millisecond, Schedules: map[string]string{"nightly": "0 0 * * *", "backup": "never", "retention": "x"}}
	err := bad.Validate()
	assert.Equal(t, "jobs.config", fault.CodeOf(err))
	var paths []string
	for _, f := range fault.Of(err).Fields {
		paths = append(paths, f.Path)
	}
	assert.Equal(t, "timeout attempts backoff schedules.backup schedules.backup schedules.nightly schedules.retention", strings.Join(paths, " "),
		"every bad field, in the same order each time")
}

func TestTableAndNamesAgree(t *testing.T) {
	f := newFixture(t)
	cfg := DefaultConfig()
	cfg.Timeout, cfg.Schedules = 5*time.Minute, map[string]string{"retention": "1 2 * * *"}
	table := New(cfg, f.node("n1"), f.zone, f.log).Jobs()
	var names []string
	for _, j := range table {
		names = append(names, j.Name)
		_, err := parse(j.Schedule)
		require.NoError(t, err, j.Name)
		assert.NotNil(t, j.Run, j.Name)
		assert.Equal(t, 5*time.Minute, j.Timeout, "the configured limit holds for %s", j.Name)
		assert.Equal(t, j.Name == "retention", j.Schedule == "1 2 * * *")
	}
	assert.Equal(t, Names(), names)
	for _, j := range New(DefaultConfig(), f.node("n1"), f.zone, f.log).Jobs() {
		assert.Equal(t, j.Name == "rollup-check", j.Timeout == 10*time.Minute, "a job's own limit is shorter")
	}
}
