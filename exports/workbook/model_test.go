package workbook

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
)

// definition makes a definition with the texts a report shows.
func definition(metric, zh, en string, unit kpi.Unit, up bool, num, den string) kpi.Definition {
	return kpi.Definition{
		Metric: kpi.Metric(metric), Version: "neutral-1", Name: en, NameZH: zh, Unit: unit, HigherIsBetter: up,
		Base: "session", Numerator: num, Denominator: den, Quality: "B",
		Effective: calendar.Dates{From: calendar.Date{Year: 2020, Month: 1, Day: 1}},
		Text:      "Offered sessions whose first reply by a person came within the limit of the term, over all offered sessions; abandoned sessions count as missed.",
		Source:    "Service level of the call-centre literature; cut by session start as in JD 首次30秒应答率",
	}
}

func definitions() []kpi.Definition {
	return []kpi.Definition{
		definition("offered", "咨询量", "Offered", kpi.Count, true, "offered", ""),
		definition("handled", "接待量", "Handled", kpi.Count, true, "answered", ""),
		definition("abandonment", "未接待率", "Abandonment", kpi.Share, false, "abandoned", "offered"),
		definition("first_response", "平均首次响应时间", "First response time", kpi.Seconds, false, "first_response_seconds", "first_response_count"),
		definition("answered_within", "限时首次应答率", "Answered within", kpi.Share, true, "within", "offered"),
		definition("avg_response", "平均响应时间", "Average response time", kpi.Seconds, false, "round_response_seconds", "rounds_answered"),
		definition("round_within_60", "60秒轮次应答率", "Rounds answered within 60 s", kpi.Share, true, "rounds_within_60", "rounds"),
		definition("resolution", "解决率", "Resolution", kpi.Share, true, "resolved", "resolved_known"),
		definition("satisfaction", "满意度评分", "Satisfaction", kpi.Rating, true, "rating_sum", "rating_count"),
		definition("answer_question_ratio", "答问比", "Answer/question ratio", kpi.Ratio, true, "agent_messages", "buyer_messages"),
		definition("handle_time", "平均处理时长", "Handling time", kpi.Seconds, false, "handle_seconds", "answered"),
		definition("occupancy", "工时利用率", "Occupancy", kpi.Share, true, "busy_seconds", "on_seconds"),
	}
}

func reading(d kpi.Definition, num, den float64) kpi.Reading {
	r := kpi.Reading{Metric: d.Metric, Version: d.Version, Numerator: num, Denominator: den}
	switch {
	case d.Unit == kpi.Count:
		r.Denominator = 0
		r.Value = &num
	case den > 0:
		v := num / den
		r.Value = &v
	}
	return r
}

// plausible figures of n offered contacts.
func plausible(rng *rand.Rand, n float64) []kpi.Reading {
	n = math.Floor(n)
	handled := math.Floor(n * (0.94 + 0.05*rng.Float64()))
	share := func(of, lo, hi float64) float64 { return math.Floor(of * (lo + (hi-lo)*rng.Float64())) }
	rated := share(handled, 0.2, 0.3)
	pairs := [][2]float64{
		{n, 0},
		{handled, 0},
		{n - handled, n},
		{share(handled, 15, 28), handled},
		{share(n, 0.86, 0.96), n},
		{share(handled*4, 25, 38), handled * 4},
		{share(handled*4, 0.85, 0.96), handled * 4},
		{share(handled, 0.8, 0.9), handled},
		{share(rated, 4.2, 4.8), rated},
		{share(handled, 9, 11), share(handled, 7, 8)},
		{share(handled, 280, 360), handled},
		{share(28800, 0.6, 0.85), 28800},
	}
	out := make([]kpi.Reading, len(pairs))
	for i, d := range definitions() {
		out[i] = reading(d, pairs[i][0], pairs[i][1])
	}
	return out
}

// november is a plausible month with one empty day, one empty night and one odd name.
func november() exports.SLAReport {
	rng := rand.New(rand.NewPCG(1, 2))
	month := calendar.Month{Year: 2026, Month: 11}
	r := exports.SLAReport{
		Merchant: contracts.Merchant{ID: "lumi", Name: "露米家居旗舰店", Shops: []contracts.Shop{{ID: "lumi-tmall", Name: "露米天猫店", Platform: contracts.Tmall}, {ID: "lumi-jd", Name: "露米京东店", Platform: contracts.JD}}},
		Contract: contracts.Contract{ID: "LUMI-2026", Merchant: "lumi", Title: "露米 2026 年度客服外包合同"},
		Version:  contracts.Version{Number: 3, Dates: calendar.Dates{From: calendar.Date{Year: 2026, Month: 7, Day: 1}}},
		Month:    month, TimeZone: "Asia/Shanghai", Simulated: true, Within: 30 * time.Second,
		GeneratedAt: time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC), DataThrough: time.Date(2026, 11, 30, 15, 59, 0, 0, time.UTC),
		Definitions: definitions(),
		Heat:        exports.HeatMap{Metric: "answered_within"}, Volume: exports.HeatMap{Metric: "handled"},
		Provenance: []exports.Provenance{
			{What: "查询 Query", Text: "kpi query --metric answered_within --within 30s --merchant lumi --from 2026-11-01 --to 2026-11-30"},
			{What: "明细行数 Conversations", Text: "41,207 conversations in 30 imports, newest 01HF6Z9K"},
		},
	}
	for d := month.First(); d.MonthOf() == month; d = d.Add(1) {
		n := 900 + 300*rng.Float64()
		if d.Day >= 10 && d.Day <= 12 {
			n *= 4
		}
		line := exports.DayLine{Date: d, Readings: plausible(rng, n)}
		if d.Day == 20 {
			line.Readings = noData()
		}
		r.Daily = append(r.Daily, line)
	}
	r.Totals = plausible(rng, 41_207)
	for i := range 24 {
		a := exports.AgentLine{Agent: ids.Agent(fmt.Sprintf("A%04d", 1000+i)), Name: []string{"王小明", "李婷", "欧阳静怡"}[i%3], Team: []string{"天猫一组", "京东组"}[i%2], Readings: plausible(rng, 900+900*rng.Float64())}
		if i == 7 {
			a.Name = "=HYPERLINK(\"http://x\")"
		}
		if i == 9 {
			a.Readings = noData()
		}
		r.Agents = append(r.Agents, a)
	}
	for w := range 7 {
		for s := 4 * 8; s < 96; s++ {
			hour := float64(s) / 4
			volume := math.Round(20 * (math.Exp(-(hour-13)*(hour-13)/8) + 1.4*math.Exp(-(hour-20.5)*(hour-20.5)/5) + 0.15))
			share := 0.98 - 0.004*volume - 0.05*rng.Float64()
			r.Volume.Cells[w][s], r.Heat.Cells[w][s] = &volume, &share
		}
	}
	r.Lines = novemberTerms(r)
	return r
}

func noData() []kpi.Reading {
	out := make([]kpi.Reading, 0, 12)
	for _, d := range definitions() {
		out = append(out, kpi.Reading{Metric: d.Metric, Version: d.Version})
	}
	return out
}

func novemberTerms(r exports.SLAReport) []exports.TermLine {
	d := definitions()
	terms := []contracts.Term{
		{ID: "first-30s", Metric: "answered_within", Within: "30s", Direction: contracts.AtLeast, Target: 0.9, MinSample: 100},
		{ID: "first-30s-evening", Metric: "answered_within", Within: "30s", Skill: "pre", Window: "19:00-23:00", Direction: contracts.AtLeast, Target: 0.9, MinSample: 100},
		{ID: "art", Metric: "avg_response", Direction: contracts.AtMost, Target: 35},
		{ID: "csat", Metric: "satisfaction", Direction: contracts.AtLeast, Target: 4.5, MinSample: 50},
		{ID: "fcr", Metric: "resolution", Direction: contracts.AtLeast, Target: 0.85, MinSample: 50_000},
	}
	values := []kpi.Reading{reading(d[4], 37_911, 41_207), reading(d[4], 9_120, 10_880), reading(d[5], 4_912_000, 158_800), reading(d[8], 43_120, 9_410), reading(d[7], 33_400, 39_100)}
	out := make([]exports.TermLine, len(terms))
	for i, t := range terms {
		v, why := exports.Judge(t, values[i], false)
		out[i] = exports.TermLine{Term: t, Reading: values[i], Verdict: v, Reason: why}
	}
	return out
}
