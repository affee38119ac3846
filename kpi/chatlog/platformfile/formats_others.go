package platformfile

// pdd are the files of 拼多多商家后台, with three header rows. Rates count buyers of a day; two of them
// exist for 08:00-23:00 and for the whole day.
func pdd() []Format {
	const p = "pdd"
	return []Format{
		{
			ID: "pdd.service", Platform: p, Title: "客服_服务数据", Date: dateHeaders, Needed: []string{"需人工回复人数", "人工接待人数"},
			Columns: []Column{
				count("咨询人数", "consult_buyers", BuyerDay),
				count("需人工回复人数", "human_needed_buyers", BuyerDay),
				count("人工接待人数", "human_received_buyers", BuyerDay),
				share("3分钟人工回复率(8-23)", "human_3min_rate", BuyerDay).also("3分钟人工回复率/8-23", "3分钟人工回复率"),
				share("30秒应答率(8-23)", "first_30s_rate", BuyerDay).also("30秒应答率/8-23", "30秒应答率"),
				seconds("平均人工响应时长", "avg_human_response_time", Unsaid).in("min"),
				count("低评分订单", "low_rated_orders", Order).also("低评分订单数"),
				count("纠纷退款数", "dispute_refunds", Order),
				count("投诉客服人数", "complaint_buyers", BuyerDay),
				count("其中/长时间不回复", "complaint_slow_buyers", BuyerDay).also("长时间不回复", "投诉客服人数/长时间不回复"),
				count("其中/态度差", "complaint_attitude_buyers", BuyerDay).also("态度差", "投诉客服人数/态度差"),
				count("其中/辱骂", "complaint_abuse_buyers", BuyerDay).also("辱骂", "投诉客服人数/辱骂"),
				count("其中/骚扰", "complaint_harassment_buyers", BuyerDay).also("骚扰", "投诉客服人数/骚扰"),
				share("投诉率", "complaint_rate", BuyerDay),
				share("近30日投诉率", "complaint_rate_30d", BuyerDay).also("近30天投诉率"),
				share("3分钟回复率(全天)", "human_3min_rate_all_day", BuyerDay).also("3分钟人工回复率(全天)", "3分钟人工回复率/全天", "3分钟回复率/全天"),
				share("30秒应答率(全天)", "first_30s_rate_all_day", BuyerDay).also("30秒应答率/全天"),
			},
		},
		{
			ID: "pdd.sales", Platform: p, Title: "客服_销售数据", Date: dateHeaders, Needed: []string{"最终成团人数", "可提升销售额"},
			Columns: []Column{
				count("咨询人数", "consult_buyers", BuyerDay),
				count("询单人数", "inquiry_buyers", Inquiry),
				count("最终成团人数", "inquiry_grouped_buyers_final", Inquiry).closes(finalDays),
				share("询单转化率", "inquiry_conversion_final", Inquiry).of("inquiry_grouped_buyers_final", "inquiry_buyers").closes(finalDays),
				yuan("客服销售额", "service_sales_amount", Inquiry).closes(finalDays),
				yuan("可提升销售额", "potential_sales_amount", Inquiry).closes(finalDays),
			},
		},
	}
}

// douyin is 飞鸽_客服表现: one day per file, its date nowhere in the table; a row of sums and a row of
// means of the shop, and rows of accounts.
func douyin() []Format {
	return []Format{{
		ID: "douyin.performance", Platform: "douyin", Title: "飞鸽_客服表现", Date: dateHeaders,
		Account: append([]string{"店铺", "类型", "名称", "维度"}, accountHeaders...),
		Totals:  []string{"店铺汇总值"}, Means: []string{"店铺平均值"},
		Needed: []string{"接待会话量", "全天平响时长", "全天3分钟回复率"},
		Columns: []Column{
			count("客服在线天数", "online_days", Agents),
			count("接待会话量", "received_sessions", Session),
			count("待回复会话量", "waiting_sessions", Session),
			count("已接待人数", "received_buyers", BuyerDay),
			count("转出会话量", "transferred_sessions", Session),
			count("有效评价数", "valid_ratings", Rating),
			count("有效好评数", "good_ratings", Rating),
			count("有效差评数", "bad_ratings", Rating),
			share("全天不满意率", "dissatisfaction_rate_all_day", Rating).of("bad_ratings", "valid_ratings"),
			share("全天满意率", "satisfaction_rate_all_day", Rating).of("good_ratings", "valid_ratings"),
			seconds("全天平响时长", "avg_response_time_all_day", Round),
			seconds("全天首响时长", "first_response_time_all_day", Session),
			share("全天3分钟回复率", "human_3min_rate_all_day", Round),
			count("询单人数", "inquiry_buyers", Inquiry),
			count("下单人数", "order_buyers", Inquiry),
			count("支付人数", "paid_buyers", Inquiry),
			count("退款人数", "refunded_buyers", Inquiry),
			yuan("客服询单支付额", "inquiry_paid_amount", Inquiry),
			yuan("退款金额", "refunded_amount", Inquiry),
			yuan("退款后销售额", "net_sales_amount", Inquiry),
			share("询单转化率", "inquiry_conversion", Inquiry).of("paid_buyers", "inquiry_buyers"),
		},
	}}
}

// kuaishou is 客服_考核数据. The same rate stands there on two bases, by buyer and by session.
func kuaishou() []Format {
	return []Format{{
		ID: "kuaishou.assessment", Platform: "kuaishou", Title: "客服_考核数据", Date: dateHeaders, Account: accountHeaders,
		Needed: []string{"三分钟回复率(人维度)", "三分钟回复率(会话)"},
		Columns: []Column{
			share("三分钟回复率(人维度)", "human_3min_rate", BuyerDay),
			share("三分钟回复率(会话)", "human_3min_rate_session", Session),
			share("不服务率", "no_service_rate", Unsaid),
			count("咨询人数", "consult_buyers", BuyerDay),
			count("咨询人次", "consult_visits", Visit),
			count("人工会话量", "human_sessions", Session),
			seconds("人工平均回复时长", "avg_human_response_time", Unsaid),
			share("好评率(人维度)", "good_rating_rate", BuyerDay),
			share("好评率(会话)", "good_rating_rate_session", Session),
			share("差评率(人维度)", "bad_rating_rate", BuyerDay),
			share("差评率(会话)", "bad_rating_rate_session", Session),
			share("IM不满意率(人维度)", "dissatisfaction_rate", BuyerDay),
			count("询单人数", "inquiry_buyers", Inquiry),
			count("下单人数", "order_buyers", Inquiry),
			count("支付人数", "paid_buyers", Inquiry),
			share("询单转化率", "inquiry_conversion", Inquiry).of("paid_buyers", "inquiry_buyers"),
			yuan("询单客单价", "inquiry_amount_per_buyer", Inquiry),
			yuan("客服销售额", "service_sales_amount", Inquiry),
		},
	}}
}
