package rostering

import (
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

// Language is that of the headings and words of a table.
type Language string

// The languages. Empty is English.
const (
	English Language = "en"
	Chinese Language = "zh"
)

// headings are those of the tables in Chinese, by their English names.
var headings = map[string]string{
	"agent": "工号", "name": "姓名", "team": "班组", "day": "日期", "start": "开始", "end": "结束", "code": "班次", "work_hours": "工时", "parts": "安排",
	"date": "日期", "hours_100": "100%工时", "hours_150": "150%工时", "hours_200": "200%工时", "hours_300": "300%工时", "night_hours": "夜班工时",
	"lieu_hours": "调休抵充工时", "unpaid_hours": "无薪工时", "wage": "时薪", "salaried": "月薪制", "yuan": "金额",
}

// kinds are the parts of a shift in Chinese.
var kinds = map[scheduling.ActivityKind]string{
	scheduling.Work: "上班", scheduling.Break: "小休", scheduling.Meal: "用餐", scheduling.Gap: "班间空档", scheduling.Training: "培训", scheduling.Meeting: "会议",
}

// check refuses a language that nobody speaks here. Errors: roster.language.
func (l Language) check() error {
	if l != "" && l != English && l != Chinese {
		return fault.New(fault.Invalid, "roster.language", "%q is no language of tables; there are en and zh", fault.Shorten(string(l)))
	}
	return nil
}

// head is the heading row of a table in a language.
func (l Language) head(names ...string) []string {
	if l == Chinese {
		for i, n := range names {
			names[i] = headings[n]
		}
	}
	return names
}

// kind names a part of a shift.
func (l Language) kind(k scheduling.ActivityKind) string {
	if l == Chinese {
		return kinds[k]
	}
	return string(k)
}

// yes is a truth value in a cell.
func (l Language) yes(v bool) string {
	switch {
	case l == Chinese && v:
		return "是"
	case l == Chinese:
		return "否"
	case v:
		return "true"
	}
	return "false"
}

// separator stands between the parts of a shift.
func (l Language) separator() string {
	if l == Chinese {
		return "；"
	}
	return "; "
}
