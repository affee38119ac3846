package jobs

import (
	"errors"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// earliest is how long before its due time a tick may come. Timers follow the monotonic clock, the
// schedule the wall clock: while the latter is slewed (500 ppm at most) they drift apart by up to
// 43 s in a day.
const earliest = time.Minute

var (
	fiveFields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

	errExpression = errors.New("is not a cron expression of five fields: minute hour day month weekday")
	errNever      = errors.New("never comes: there is no such day")
)

// parse reads a schedule. Zones (CRON_TZ=) are refused because the business time zone rules, and
// descriptors like @every because their due times would depend on when a node was started.
func parse(expression string) (cron.Schedule, error) {
	if strings.Contains(expression, "=") {
		return nil, errExpression
	}
	schedule, err := fiveFields.Parse(expression)
	if err != nil {
		return nil, errExpression
	}
	if schedule.Next(time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errNever
	}
	return schedule, nil
}

// dueOf is the due time that a tick at now stands for: the last one, or the next one when the tick
// came a little early. A tick that came late, however late, stands for the last one.
func (s *Scheduler) dueOf(job Job, now time.Time) time.Time {
	last := s.lastDue(job, now)
	schedule, err := parse(job.Schedule)
	if err != nil {
		return now // Start has refused such a schedule
	}
	if next := schedule.Next(now.In(s.zone)); next.Sub(now) <= earliest && next.Sub(now) < now.Sub(last) {
		return next
	}
	return last
}

// looks are how far back lastDue looks for a due time, one after the other: most schedules come
// within an hour or a day, and 29 February comes every four years.
var looks = []time.Duration{time.Hour, 25 * time.Hour, 32 * 24 * time.Hour, 367 * 24 * time.Hour, 1462 * 24 * time.Hour}

// lastDue is the newest due time at or before now; zero when there was none in four years. Cron has
// no "previous", so it is found by walking forward from a start that lies far enough back.
func (s *Scheduler) lastDue(job Job, now time.Time) time.Time {
	schedule, err := parse(job.Schedule)
	if err != nil {
		return time.Time{} // Start has refused such a schedule
	}
	now = now.In(s.zone)
	for _, back := range looks {
		var last time.Time
		for t := schedule.Next(now.Add(-back)); !t.IsZero() && !t.After(now); t = schedule.Next(t) {
			last = t
		}
		if !last.IsZero() {
			return last
		}
	}
	return time.Time{}
}
