package calendar

import "time"

// lunarYear holds the dates of a year that follow the moon and the sun.
type lunarYear struct {
	spring [2]int // 正月初一: month, day
	qing   [2]int // 清明: the sun at 15 degrees of longitude
	dragon [2]int // 五月初五
	autumn [2]int // 八月十五
}

// lunarFrom is the first year of lunarYears.
const lunarFrom = 2025

// lunarYears are the festivals of 2025 to 2035 by the Gregorian-Lunar Calendar Conversion Table of the Hong Kong
// Observatory (GB/T 33661-2017 sets the rules). It is a table and not computed, because a new moon close to
// midnight, such as that of 2027-02-06 at 23:56, makes simple astronomy wrong by a day.
var lunarYears = [...]lunarYear{
	{[2]int{1, 29}, [2]int{4, 4}, [2]int{5, 31}, [2]int{10, 6}},
	{[2]int{2, 17}, [2]int{4, 5}, [2]int{6, 19}, [2]int{9, 25}},
	{[2]int{2, 6}, [2]int{4, 5}, [2]int{6, 9}, [2]int{9, 15}},
	{[2]int{1, 26}, [2]int{4, 4}, [2]int{5, 28}, [2]int{10, 3}},
	{[2]int{2, 13}, [2]int{4, 4}, [2]int{6, 16}, [2]int{9, 22}},
	{[2]int{2, 3}, [2]int{4, 5}, [2]int{6, 5}, [2]int{9, 12}},
	{[2]int{1, 23}, [2]int{4, 5}, [2]int{6, 24}, [2]int{10, 1}},
	{[2]int{2, 11}, [2]int{4, 4}, [2]int{6, 12}, [2]int{9, 19}},
	{[2]int{1, 31}, [2]int{4, 4}, [2]int{6, 1}, [2]int{9, 8}},
	{[2]int{2, 19}, [2]int{4, 5}, [2]int{6, 20}, [2]int{9, 27}},
	{[2]int{2, 8}, [2]int{4, 5}, [2]int{6, 10}, [2]int{9, 16}},
}

// StatutoryDays lists the statutory holidays of a year from 2025 on by
// 全国年节及纪念日放假办法 (State Council order 795 of 2024-11-10, §2): 元旦 1, 春节 4 from the eve, 清明 1, 劳动节 2,
// 端午 1, 中秋 1, 国庆 3. One date may carry two of them (中秋 2031 is 1 October). complete is false beyond 2035,
// where only those on fixed dates are given; years before 2025 followed other texts and give nothing.
//
// They are paid 300 % whether or not the yearly notice, which only places bridge and make-up days, is out.
func StatutoryDays(year int) (days []Holiday, complete bool) {
	if year < lunarFrom {
		return nil, false
	}
	add := func(name string, first Date, n int) {
		for i := range n {
			days = append(days, Holiday{Date: first.Add(i), Kind: Statutory, Name: name})
		}
	}
	at := func(d [2]int) Date { return Date{year, time.Month(d[0]), d[1]} }
	complete = year-lunarFrom < len(lunarYears)
	add("元旦", Date{year, time.January, 1}, 1)
	if complete {
		l := lunarYears[year-lunarFrom]
		add("春节", at(l.spring).Add(-1), 4)
		add("清明节", at(l.qing), 1)
		add("端午节", at(l.dragon), 1)
		add("中秋节", at(l.autumn), 1)
	}
	add("劳动节", Date{year, time.May, 1}, 2)
	add("国庆节", Date{year, time.October, 1}, 3)
	return days, complete
}
