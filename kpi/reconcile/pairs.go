package reconcile

import (
	"time"

	"github.com/chaoban/chaoban/kpi"
)

// Pair says which of our metrics counts what a column of a platform's file counts. Not every column
// has one: what cannot be counted from events (登录时长, 平台求助率) is shown alone.
type Pair struct {
	Platform string        `json:"platform"` // of the file; shops on taobao get tmall's files
	Item     string        `json:"item"`     // canonical name of the column
	Metric   kpi.Metric    `json:"metric"`
	Within   time.Duration `json:"within,omitempty"` // parameter of the metric
	// Step is what the platform's format rounds to, in the unit of the figure: 0.0001 for a
	// percentage with two decimals, 1 for whole seconds. A difference below one step is none:
	// whether a platform rounds or cuts off is not documented.
	Step float64 `json:"step"`
	// Differs says why the two are not the same figure although they are as near as it gets.
	Differs string `json:"differs,omitempty"`
}

// Steps of the formats in the files that people send in: percentages with two decimals, durations
// in whole seconds or in minutes with two decimals, amounts in fen.
const (
	whole      = 0 // counts are exact
	hundredths = 0.0001
	second     = 1
	minute100  = 0.6 // 0.01 min
	fen        = 0.01
)

const (
	allDay   = "平台按全天，本方按 08:00-23:00 / the platform counts all day, ours counts 08:00 to 23:00"
	visits   = "平台按人次，本方按人 / the platform counts visits, ours counts buyers"
	duration = "平台未说明口径 / the platform does not say what it counts"
	buyers   = "平台按接待人数，本方按询单 / the platform divides by received buyers, ours by inquiries"
)

// Pairs is the table, in the order in which a report shows it.
func Pairs() []Pair {
	return []Pair{
		{Platform: "tmall", Item: "human_3min_rate", Metric: "tmall.human_3min", Step: hundredths},
		{Platform: "tmall", Item: "avg_response_time", Metric: "tmall.human_response_time", Step: second},
		{Platform: "tmall", Item: "wangwang_reply_rate", Metric: "tmall.wangwang_reply_rate", Step: hundredths, Differs: visits},
		{Platform: "tmall", Item: "first_response_time", Metric: "first_response", Step: second, Differs: duration},
		{Platform: "tmall", Item: "consult_buyers", Metric: "tmall.consult_buyers", Step: whole},
		{Platform: "tmall", Item: "received_buyers", Metric: "tmall.received_buyers", Step: whole},
		{Platform: "tmall", Item: "answer_question_ratio", Metric: "answer_question_ratio", Step: hundredths},
		{Platform: "tmall", Item: "inquiry_buyers", Metric: "tmall.inquiry_buyers", Step: whole},
		{Platform: "tmall", Item: "inquiry_conversion_same_day", Metric: "tmall.inquiry_conversion_same_day", Step: hundredths},
		{Platform: "tmall", Item: "inquiry_conversion_final", Metric: "tmall.inquiry_conversion_final", Step: hundredths},
		{Platform: "tmall", Item: "inquiry_paid_amount_final", Metric: "tmall.inquiry_sales", Step: fen},

		{Platform: "jd", Item: "first_30s_rate", Metric: "jd.first_30s", Step: hundredths},
		{Platform: "jd", Item: "first_response_time", Metric: "jd.first_response_time", Step: second},
		{Platform: "jd", Item: "avg_response_time", Metric: "jd.avg_response", Step: second},
		{Platform: "jd", Item: "satisfaction_rate", Metric: "satisfaction_share", Step: hundredths},
		{Platform: "jd", Item: "consult_sessions", Metric: "offered", Step: whole},
		{Platform: "jd", Item: "received_sessions", Metric: "handled", Step: whole},
		{Platform: "jd", Item: "consult_order_rate", Metric: "jd.consult_order_conversion", Step: hundredths, Differs: buyers},
		{Platform: "jd", Item: "consult_shipped_rate", Metric: "jd.consult_shipped_conversion", Step: hundredths, Differs: buyers},

		{Platform: "pdd", Item: "human_3min_rate", Metric: "pdd.human_3min", Step: hundredths},
		{Platform: "pdd", Item: "human_3min_rate_all_day", Metric: "pdd.human_3min_all_day", Step: hundredths},
		{Platform: "pdd", Item: "avg_human_response_time", Metric: "avg_response", Step: minute100, Differs: duration},

		{Platform: "douyin", Item: "human_3min_rate_all_day", Metric: "douyin.human_3min", Step: hundredths, Differs: allDay},
		{Platform: "douyin", Item: "first_response_time_all_day", Metric: "douyin.first_response", Step: second, Differs: allDay},
		{Platform: "douyin", Item: "avg_response_time_all_day", Metric: "douyin.avg_response", Step: second, Differs: allDay},
		{Platform: "douyin", Item: "received_sessions", Metric: "handled", Step: whole},

		{Platform: "kuaishou", Item: "human_3min_rate", Metric: "kuaishou.human_3min", Step: hundredths},
		{Platform: "kuaishou", Item: "human_sessions", Metric: "handled", Step: whole},
		{Platform: "kuaishou", Item: "avg_human_response_time", Metric: "avg_response", Step: second, Differs: duration},
	}
}

// FilesOf is the platform whose files a shop on a platform gets: Taobao shops use Tmall's tools.
func FilesOf(shopPlatform string) string {
	if shopPlatform == "taobao" {
		return "tmall"
	}
	return shopPlatform
}
