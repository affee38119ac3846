package calendar_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
)

var beijing = time.FixedZone("CST", 8*3600)

// julian turns a Julian day of terrestrial time into an instant; the clock is 69 seconds behind it.
func julian(jd float64) time.Time {
	return time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration((jd-2451545)*24*float64(time.Hour)) - 69*time.Second)
}

func sin(degrees float64) float64 { return math.Sin(degrees * math.Pi / 180) }

// newMoon is the k-th new moon since January 2000 (Meeus, Astronomical Algorithms, ch. 49, the terms above two
// minutes).
func newMoon(k float64) time.Time {
	t := k / 1236.85
	sun, moon := 2.5534+29.1053567*k, 201.5643+385.81693528*k
	node := 160.7108 + 390.67050284*k
	e := 1 - 0.002516*t
	jd := 2451550.09766 + 29.530588861*k + 0.00015437*t*t
	jd += -0.4072*sin(moon) + 0.17241*e*sin(sun) + 0.01608*sin(2*moon) + 0.01039*sin(2*node) + 0.00739*e*sin(moon-sun) -
		0.00514*e*sin(moon+sun) + 0.00208*e*e*sin(2*sun)
	return julian(jd)
}

// sunAt is the apparent longitude of the sun in degrees (Meeus, ch. 25).
func sunAt(jd float64) float64 {
	t := (jd - 2451545) / 36525
	m := 357.52911 + 35999.05029*t
	l := 280.46646 + 36000.76983*t + (1.914602-0.004817*t)*sin(m) + 0.019993*sin(2*m) - 0.00569 - 0.00478*sin(125.04-1934.136*t)
	return math.Mod(l, 360)
}

// The table against the sky: months begin on the Beijing day of a new moon, 清明 is the day on which the sun
// passes 15 degrees. Ten minutes around midnight are left to the observatory.
func TestLunarFestivalsAgreeWithTheSky(t *testing.T) {
	firstOfMonth := map[string]int{"春节": 1, "端午节": -4, "中秋节": -14}
	for year := 2025; year <= 2035; year++ {
		days, complete := calendar.StatutoryDays(year)
		require.True(t, complete)
		seen := map[string]bool{}
		for _, d := range days {
			shift, lunar := firstOfMonth[d.Name]
			if seen[d.Name] || !lunar && d.Name != "清明节" {
				continue
			}
			seen[d.Name] = true
			if !lunar {
				from := float64(d.Date.Sub(calendar.MakeDate(2000, 1, 1))) + 2451544.5 - 8.0/24
				assert.True(t, sunAt(from) < 15 && sunAt(from+1) > 15, "清明 %s", d.Date)
				continue
			}
			first := d.Date.Add(shift)
			k := math.Round(float64(first.Sub(calendar.MakeDate(2000, 1, 6))) / 29.530588861)
			moon := newMoon(k)
			near := calendar.DateOf(moon.Add(-10*time.Minute), beijing) == first || calendar.DateOf(moon.Add(10*time.Minute), beijing) == first
			assert.True(t, near, "%s %s: new moon at %s", d.Name, d.Date, moon.In(beijing))
		}
		assert.Len(t, seen, 4)
	}
}

func TestStatutoryDaysOfOtherYears(t *testing.T) {
	days, complete := calendar.StatutoryDays(2036)
	assert.False(t, complete)
	assert.Len(t, days, 6, "1 + 2 + 3 on fixed dates")
	days, complete = calendar.StatutoryDays(2024)
	assert.False(t, complete)
	assert.Empty(t, days, "eleven days by the text before")
	days, _ = calendar.StatutoryDays(2030)
	assert.Len(t, days, 13)
}
