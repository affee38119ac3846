package kpi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/kpi"
)

func TestPlainSaysEveryChoice(t *testing.T) {
	d := kpi.Definition{
		Metric: "x.human", Version: "v1", Unit: kpi.Share, Platforms: []string{"jd"}, Base: kpi.BaseRound, MinSample: 100,
		Rule:   &kpi.Rule{Measure: kpi.Within, Limit: 180, Window: "09:00-23:00"},
		Exempt: []kpi.Exemption{{Dates: calendar.Dates{From: calendar.MakeDate(2024, time.February, 4), Until: calendar.MakeDate(2024, time.February, 18)}, Reason: "春节"}},
	}
	words := d.Plain()
	assert.Equal(t, "A round opens with the first unanswered message of a buyer and closes with the next reply by a person; an automatic welcome is no reply. "+
		"Numerator: rounds answered within 180 s (exactly 180 s counts); denominator: all of them. Unanswered is missed. "+
		"The clock starts at the buyer's message. It counts from 09:00 to before 23:00, cut by the opening of the round. "+
		"A closing message (谢谢, 好的) opens no round. It counts shops on jd. "+
		"What is dated 2024-02-04 to 2024-02-17 is left out (春节). With fewer than 100 in the denominator it is shown and not judged.", words.English)
	for _, part := range []string{"180 秒内（含）", "09:00 至 23:00", "按轮次开始时间切分", "2024-02-04 至 2024-02-17 不计", "少于 100"} {
		assert.Contains(t, words.Chinese, part)
	}
}

// Two rules that differ in any choice differ in their words: nothing that changes a figure is left unsaid.
func TestPlainTellsRulesApart(t *testing.T) {
	base := kpi.Definition{Base: kpi.BaseSession, Rule: &kpi.Rule{Measure: kpi.Within, Limit: 30}}
	seen := map[string]string{base.Plain().English: "the plain rule"}
	chinese := map[string]string{base.Plain().Chinese: "the plain rule"}
	for name, change := range map[string]func(*kpi.Definition, *kpi.Rule){
		"limit":         func(_ *kpi.Definition, r *kpi.Rule) { r.Limit = 60 },
		"no limit":      func(_ *kpi.Definition, r *kpi.Rule) { r.Limit = 0 },
		"mean":          func(_ *kpi.Definition, r *kpi.Rule) { r.Measure = kpi.Mean },
		"mean to end":   func(_ *kpi.Definition, r *kpi.Rule) { r.Measure, r.Unanswered = kpi.Mean, "until_end" },
		"channel":       func(d *kpi.Definition, _ *kpi.Rule) { d.Channels = []string{"chat"} },
		"channels":      func(d *kpi.Definition, _ *kpi.Rule) { d.Channels = []string{"chat", "call"} },
		"cap":           func(_ *kpi.Definition, r *kpi.Rule) { r.Measure, r.Cap = kpi.Mean, 600 },
		"count":         func(_ *kpi.Definition, r *kpi.Rule) { r.Measure = kpi.Items },
		"judge":         func(_ *kpi.Definition, r *kpi.Rule) { r.Judge = "every" },
		"start":         func(_ *kpi.Definition, r *kpi.Rule) { r.Start = "entry" },
		"stop":          func(_ *kpi.Definition, r *kpi.Rule) { r.Stop = "any" },
		"hours":         func(_ *kpi.Definition, r *kpi.Rule) { r.Hours = "Mon-Fri 09:00-17:00" },
		"window":        func(_ *kpi.Definition, r *kpi.Rule) { r.Window = "09:00-23:00" },
		"cut":           func(_ *kpi.Definition, r *kpi.Rule) { r.Cut = "session" },
		"closing":       func(_ *kpi.Definition, r *kpi.Rule) { r.Closing = "open" },
		"zero second":   func(_ *kpi.Definition, r *kpi.Rule) { r.ZeroSecond = "exclude" },
		"cross-day":     func(_ *kpi.Definition, r *kpi.Rule) { r.CrossDay = "miss" },
		"cross-day out": func(_ *kpi.Definition, r *kpi.Rule) { r.CrossDay = "exclude" },
		"transfer":      func(_ *kpi.Definition, r *kpi.Rule) { r.Transferred = "restart" },
		"transfer out":  func(_ *kpi.Definition, r *kpi.Rule) { r.Transferred = "exclude" },
		"unanswered":    func(_ *kpi.Definition, r *kpi.Rule) { r.Unanswered = "exclude" },
		"rounds":        func(d *kpi.Definition, _ *kpi.Rule) { d.Base = kpi.BaseRound },
		"buyers":        func(d *kpi.Definition, _ *kpi.Rule) { d.Base = kpi.BaseBuyerDay },
		"same day":      inquiry(0, false, kpi.Converted, "payment"),
		"three days":    inquiry(3, false, kpi.Converted, "payment"),
		"shipped":       inquiry(3, false, kpi.Converted, "shipment"),
		"sales":         inquiry(3, false, kpi.Amount, "payment"),
		"net sales":     inquiry(3, true, kpi.Amount, "payment"),
		"inquiries":     inquiry(0, false, kpi.Items, ""),
		"tickets":       func(d *kpi.Definition, r *kpi.Rule) { d.Base = kpi.BaseTicket },
		"in time":       func(d *kpi.Definition, r *kpi.Rule) { d.Base, r.Limit = kpi.BaseTicket, 0 },
		"to close":      func(d *kpi.Definition, r *kpi.Rule) { d.Base, r.Measure = kpi.BaseTicket, kpi.Mean },
		"no rule": func(d *kpi.Definition, _ *kpi.Rule) {
			d.Rule, d.Numerator, d.Denominator = nil, "rating_good", "rating_count"
		},
		"no rule count": func(d *kpi.Definition, _ *kpi.Rule) { d.Rule, d.Numerator = nil, "offered" },
	} {
		d, r := base, *base.Rule
		d.Rule = &r
		change(&d, &r)
		words := d.Plain()
		if other, twice := seen[words.English]; twice {
			t.Errorf("%s and %s read the same: %s", name, other, words.English)
		}
		if other, twice := chinese[words.Chinese]; twice {
			t.Errorf("%s and %s read the same: %s", name, other, words.Chinese)
		}
		seen[words.English], chinese[words.Chinese] = name, name
	}
}

func inquiry(days int, net bool, measure kpi.Measure, order string) func(*kpi.Definition, *kpi.Rule) {
	return func(d *kpi.Definition, r *kpi.Rule) {
		d.Base = kpi.BaseInquiry
		*r = kpi.Rule{Measure: measure, Order: order, CloseDays: days, Net: net}
	}
}
