package cli

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/calendar"
)

// The line comes after two seconds, counts them, and is gone with the answer; what is quick, or no terminal, is told nothing.
func TestWaitingLine(t *testing.T) {
	said := func(lasts time.Duration) (text string) {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			done := waitingLine(&out, "counting")
			time.Sleep(lasts)
			done()
			text = out.String()
		})
		return text
	}
	assert.Empty(t, said(1900*time.Millisecond))
	assert.Equal(t, "\r\x1b[Kcounting, 2 s …\r\x1b[Kcounting, 3 s …\r\x1b[K", said(3500*time.Millisecond))

	var out bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetErr(&out)
	waiting(cmd, "counting")()
	assert.Empty(t, out.String())
}

// The end of the bar of an import is not the end of its work: the line in between is said once, at the end, and only to
// who sees the bar.
func TestProgressSaysWhatComesAfterTheBar(t *testing.T) {
	said := 0
	var out bytes.Buffer
	report := progress{progressbar.NewOptions64(100, progressbar.OptionSetWriter(&out))}.until(func() { said++ })
	for _, done := range []int64{10, 99} {
		report(done, 100)
	}
	assert.Zero(t, said)
	report(100, 100)
	report(100, 100)
	assert.Equal(t, 1, said)

	report = newProgress(&out, 100, "importing").until(func() { said++ })
	report(100, 100)
	assert.Equal(t, 1, said, "a file is no terminal")
}

// What a report of November says beside its title, by the day on which it is made. The demo is no exception.
func TestReportNotes(t *testing.T) {
	zone := time.FixedZone("UTC+8", 8*3600)
	for _, c := range []struct {
		made      time.Time
		simulated bool
		want      []string
	}{
		{time.Date(2026, 10, 31, 23, 59, 0, 0, zone), false, []string{"the month has not begun: there is nothing to report"}},
		{time.Date(2026, 11, 22, 12, 0, 0, 0, zone), false, []string{"provisional: the month is not over"}},
		{time.Date(2026, 11, 22, 12, 0, 0, 0, zone), true, []string{"simulated data", "provisional: the month is not over"}},
		{time.Date(2026, 12, 1, 0, 0, 0, 0, zone), true, []string{"simulated data"}},
		{time.Date(2026, 12, 1, 0, 0, 0, 0, zone), false, nil},
	} {
		month := calendar.Month{Year: 2026, Month: time.November}
		r := exports.SLAReport{Month: month, GeneratedAt: c.made, Simulated: c.simulated, Provisional: c.made.Before(month.Range(zone).End)}
		assert.Equal(t, c.want, reportNotes(r, zone), c.made)
	}
}
