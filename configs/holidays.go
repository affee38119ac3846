package configs

import (
	"fmt"
	"slices"
	"sync"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

const holidayFile = "calendars/cn_holidays.yaml"

// holidayPack is the file form of the holiday table; dates are civil dates in China.
type holidayPack struct {
	Source  string        `yaml:"source"`
	Quality string        `yaml:"quality"`
	Years   []holidayYear `yaml:"years"`
}

// holidayYear is one yearly notice. Its dates may reach into the days before New Year.
type holidayYear struct {
	Year     int        `yaml:"year"`
	Notices  []string   `yaml:"notices"`
	Holidays []festival `yaml:"holidays"`
}

// festival is one holiday of one year: which dates are statutory (paid 300 %), which are off
// and which weekend days are worked instead.
type festival struct {
	Name      string          `yaml:"name"`
	Festival  calendar.Date   `yaml:"festival"` // the day itself where it moves from year to year
	Note      string          `yaml:"note"`
	Statutory []calendar.Date `yaml:"statutory"`
	Off       []dateSpan      `yaml:"off"`
	Work      []calendar.Date `yaml:"work"`
}

// dateSpan is inclusive at both ends, as the notices are written.
type dateSpan struct {
	From calendar.Date `yaml:"from"`
	To   calendar.Date `yaml:"to"`
}

// Holidays returns the Chinese public holidays of 2007 to 2026: statutory, bridge and make-up
// days, each with the name of its holiday, and the statutory days of the years after them, whose notices are
// not out. Source and rules stand in cn_holidays.yaml.
func Holidays() calendar.Holidays { return holidays() }

var holidays = sync.OnceValue(func() calendar.Holidays {
	table, err := loadHolidays()
	if err != nil {
		panic(err) // the file is compiled in and tested; a binary with a broken one must not plan
	}
	return table
})

func loadHolidays() (calendar.Holidays, error) {
	var pack holidayPack
	if err := readPack(holidayFile, &pack); err != nil {
		return calendar.Holidays{}, err
	}
	if err := pack.validate(); err != nil {
		return calendar.Holidays{}, err
	}
	return calendar.NewHolidays(pack.Source, pack.entries()).Known(), nil
}

// entries lists days off first, then make-up days, then statutory days, because the table keeps
// the last entry of a date: 中秋 inside a joint 国庆 holiday stays statutory under its own name.
// Days before the first year are left out: that year as a whole is not covered.
func (p holidayPack) entries() []calendar.Holiday {
	var off, work, statutory []calendar.Holiday
	for _, y := range p.Years {
		for _, h := range y.Holidays {
			for _, span := range h.Off {
				for d := span.From; !d.After(span.To); d = d.Add(1) {
					off = append(off, calendar.Holiday{Date: d, Kind: calendar.Bridge, Name: h.Name})
				}
			}
			for _, d := range h.Work {
				work = append(work, calendar.Holiday{Date: d, Kind: calendar.Makeup, Name: h.Name})
			}
			for _, d := range h.Statutory {
				statutory = append(statutory, calendar.Holiday{Date: d, Kind: calendar.Statutory, Name: h.Name})
			}
		}
	}
	all := slices.Concat(off, work, statutory)
	return slices.DeleteFunc(all, func(h calendar.Holiday) bool { return h.Date.Year < p.Years[0].Year })
}

func (p holidayPack) validate() error {
	var bad []fault.Field
	report := func(path, value, problem string) {
		bad = append(bad, fault.Field{File: holidayFile, Path: path, Value: value, Problem: problem})
	}
	if p.Source == "" || len(p.Years) == 0 {
		report("source", p.Source, "must name a source and list years")
	}
	for i, y := range p.Years {
		if i > 0 && y.Year != p.Years[i-1].Year+1 {
			report(fmt.Sprintf("years[%d].year", i), fmt.Sprint(y.Year), "must follow the year before it")
		}
		if len(y.Notices) == 0 {
			report(fmt.Sprintf("years[%d].notices", i), "", "must cite the notice")
		}
		off, statutory := y.dates()
		for _, d := range statutory {
			if d.Year != y.Year || !off[d] {
				report(fmt.Sprintf("years[%d]", i), d.String(), "a statutory day must be a day off of that year")
			}
		}
	}
	return fault.Bad("config.holidays", "holiday table", bad)
}

// dates collects the days off of the year as a set and the statutory days in file order.
func (y holidayYear) dates() (off map[calendar.Date]bool, statutory []calendar.Date) {
	off = map[calendar.Date]bool{}
	for _, h := range y.Holidays {
		statutory = append(statutory, h.Statutory...)
		for _, span := range h.Off {
			for d := span.From; !d.After(span.To); d = d.Add(1) {
				off[d] = true
			}
		}
	}
	return off, statutory
}
