package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// fileClock watches how a file tells time: how far apart its records lie, and on which offsets.
type fileClock struct {
	grain   int64     // seconds: the largest step from midnight that meets every time of day seen; 0 = only midnight
	rows    int       // with another time than the row before
	last    time.Time // of the row before
	first   int64     // second of the day of the first row
	several bool      // more than one time of day
	offsets []string  // as written, in order of appearance
	offset  int       // seconds, of the row before
}

const (
	leastGrain     = 5 * time.Minute // finer records fall into any slot well enough
	grainRows      = 48              // fewer could lie on a coarse grain by chance
	leastDailyRows = 3
	offsetsListed  = 5
)

// see notes the time of one more row.
func (c *fileClock) see(t time.Time, style timeStyle) {
	if t.Equal(c.last) && c.rows > 0 {
		return
	}
	c.last = t
	local := t.In(style.loc)
	second := int64(local.Hour()*3600 + local.Minute()*60 + local.Second())
	if c.rows == 0 {
		c.first = second
	}
	c.rows++
	c.several = c.several || second != c.first
	for a := second; a != 0; {
		c.grain, a = a, c.grain%a
	}
	if !style.zoned {
		return
	}
	if _, offset := t.Zone(); len(c.offsets) == 0 || offset != c.offset {
		c.offset = offset
		if name := t.Format("-07:00"); !slices.Contains(c.offsets, name) {
			c.offsets = append(c.offsets, name)
		}
	}
}

// misfit says why the records of the file cannot be put into slots of this length; "" = they can.
// One time of day other than midnight may be a queue that is open for one slot: that is let pass.
func (c *fileClock) misfit(slot time.Duration) string {
	grain := time.Duration(c.grain) * time.Second
	switch {
	case slot == 24*time.Hour:
		return ""
	case !c.several && c.first == 0 && c.rows >= leastDailyRows:
		return "holds one record a day at midnight: use --slot 24h, not " + spanText(slot)
	case !c.several || c.rows < grainRows || grain < leastGrain || slot%grain == 0:
		return ""
	}
	grain = gcd(grain, 24*time.Hour)
	if slot%grain == 0 {
		return ""
	}
	fits := []string{}
	for _, s := range forecastSlots {
		if s%grain == 0 {
			fits = append(fits, spanText(s))
		}
	}
	return fmt.Sprintf("holds a record every %s, which do not fill slots of %s: use --slot %s", spanText(grain), spanText(slot), strings.Join(fits, " or "))
}

func gcd(a, b time.Duration) time.Duration {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// spanText writes a slot as the flags take it.
func spanText(d time.Duration) string {
	switch {
	case d == 24*time.Hour:
		return "24h"
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

// offsetNote tells that a file uses several offsets and on which clock its days are read.
func (c *fileClock) offsetNote(style timeStyle) string {
	if len(c.offsets) < 2 {
		return ""
	}
	names := slices.Clone(c.offsets)
	if len(names) > offsetsListed {
		names = append(names[:offsetsListed], "...")
	}
	return fmt.Sprintf("the times carry %d different offsets (%s); every day and hour is read on the clock of the first row, %s",
		len(c.offsets), strings.Join(names, ", "), c.last.In(style.loc).Format("-07:00"))
}
