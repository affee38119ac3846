package platformfile

// finalDays is after how many days the platforms' "final" conversion stands: files of 业绩询单 arrive
// with a business date three days back.
const finalDays = 3

// tmall are the files of 生意参谋 / 千牛客服绩效. 人 is a buyer-day, 人次 a buyer with one account; the
// 3-minute rate counts rounds.
func tmall() []Format {
	const p = "tmall"
	return []Format{
		{
			ID: "tmall.inquiry", Platform: p, Title: "业绩询单", Date: dateHeaders, Needed: []string{"询单人数", "最终付款人数"},
			Columns: []Column{
				count("询单人数", "inquiry_buyers", Inquiry),
				count("当日询单人数", "inquiry_buyers_same_day", Inquiry),
				count("当日付款人数", "inquiry_paid_buyers_same_day", Inquiry),
				yuan("当日付款金额", "inquiry_paid_amount_same_day", Inquiry),
				count("最终付款人数", "inquiry_paid_buyers_final", Inquiry).closes(finalDays),
				yuan("最终付款金额", "inquiry_paid_amount_final", Inquiry).closes(finalDays),
				share("询单当日付款转化率", "inquiry_conversion_same_day", Inquiry).of("inquiry_paid_buyers_same_day", "inquiry_buyers", "inquiry_buyers_same_day"),
				share("询单最终付款转化率", "inquiry_conversion_final", Inquiry).of("inquiry_paid_buyers_final", "inquiry_buyers").closes(finalDays),
			},
		},
		{
			ID: "tmall.reception", Platform: p, Title: "咨询接待", Date: dateHeaders, Needed: []string{"咨询人数", "3分钟人工响应率", "旺旺回复率"},
			Columns: []Column{
				count("咨询人数", "consult_buyers", BuyerDay),
				count("接待人数", "received_buyers", BuyerDay),
				count("未回复人数", "unreplied_buyers", BuyerDay),
				count("有效接待人数", "effective_received_buyers", BuyerDay),
				seconds("平均响应时长", "avg_response_time", Round),
				share("3分钟人工响应率", "human_3min_rate", Round),
				count("咨询客服人次", "consult_visits", Visit),
				count("客服回复人次", "replied_visits", Visit),
				count("客服未回复人次", "unreplied_visits", Visit),
				share("旺旺回复率", "wangwang_reply_rate", Visit).of("replied_visits", "consult_visits"),
				seconds("首次响应时长", "first_response_time", Unsaid),
				count("慢响应人数", "slow_response_buyers", BuyerDay),
				count("长接待人数", "long_service_buyers", BuyerDay),
				count("买家发起人数", "buyer_started_buyers", BuyerDay),
				count("客服主动跟进人数", "agent_started_buyers", BuyerDay),
				count("总消息数", "messages", Message),
				count("买家消息条数", "buyer_messages", Message),
				count("客服消息条数", "agent_messages", Message),
				ratio("答问比", "answer_question_ratio", Message),
				count("客服字数", "agent_characters", Message),
				seconds("平均接待时长", "avg_service_time", Unsaid),
			},
		},
		{
			ID: "tmall.sales", Platform: p, Title: "客单价客服", Date: dateHeaders, Needed: []string{"销售人数", "客件数", "件均价"},
			Columns: []Column{
				yuan("销售额", "sales_amount", BuyerDay),
				count("销售量", "sales_items", Order),
				count("销售人数", "sales_buyers", BuyerDay),
				yuan("客单价", "amount_per_buyer", BuyerDay),
				ratio("客件数", "items_per_buyer", BuyerDay),
				yuan("件均价", "amount_per_item", Order),
			},
		},
		{
			ID: "tmall.ratings", Platform: p, Title: "接待评价", Date: dateHeaders, Needed: []string{"总/发出", "邀请/发出", "自主/发出"},
			Columns: append([]Column{count("接待人数", "received_buyers", BuyerDay)}, ratings()...),
		},
		{
			ID: "tmall.accounts", Platform: p, Title: "客服个人业绩", Date: dateHeaders, Account: accountHeaders, Needed: []string{"有效接待人数", "个人销售额占比"},
			Columns: []Column{
				count("咨询人数", "consult_buyers", BuyerDay),
				count("有效接待人数", "effective_received_buyers", BuyerDay),
				count("询单人数", "inquiry_buyers", Inquiry),
				count("下单人数", "order_buyers", BuyerDay),
				yuan("下单金额", "order_amount", BuyerDay),
				count("销售人数", "sales_buyers", BuyerDay),
				yuan("销售额", "sales_amount", BuyerDay),
				count("销售量", "sales_items", Order),
				count("订单量", "orders", Order),
				share("个人销售额占比", "own_sales_share", Unsaid),
				yuan("成功退款金额", "refunded_amount", Order),
				yuan("净销售额", "net_sales_amount", Order),
			},
		},
		{
			ID: "tmall.overview", Platform: p, Title: "客服概况", Date: dateHeaders, Needed: []string{"客服销售占比", "平台求助率"},
			Columns: []Column{
				yuan("客服销售额", "service_sales_amount", BuyerDay),
				count("客服销售人数", "service_sales_buyers", BuyerDay),
				share("客服销售占比", "service_sales_share", Unsaid),
				yuan("客服销售客单价", "service_amount_per_buyer", BuyerDay),
				yuan("成功退款金额", "refunded_amount", Order),
				yuan("净销售额", "net_sales_amount", Order),
				count("咨询人数", "consult_buyers", BuyerDay),
				count("接待人数", "received_buyers", BuyerDay),
				share("询单转化率", "inquiry_conversion", Inquiry),
				seconds("平均响应时长", "avg_response_time", Round),
				share("客户满意率", "satisfaction_rate", Rating),
				share("旺旺回复率", "wangwang_reply_rate", Visit),
				seconds("仅退款自主完结时长", "refund_only_completion_time", Order).in("h"),
				seconds("退货退款完结时长", "return_refund_completion_time", Order).in("h"),
				share("平台求助率", "platform_help_rate", Order),
				share("平台判责率", "platform_liability_rate", Order),
			},
		},
	}
}

// ratings are the three groups of 接待评价: all, those asked for, those of the buyer's own accord.
func ratings() []Column {
	var all []Column
	for _, g := range []struct{ name, prefix string }{{"总", "ratings_all_"}, {"邀请", "ratings_invited_"}, {"自主", "ratings_own_"}} {
		one := []Column{
			count("发出", "sent", Rating),
			count("收到", "received", Rating),
			count("很满意", "very_satisfied", Rating),
			count("满意", "satisfied", Rating),
			count("一般", "neutral", Rating),
			count("不满", "dissatisfied", Rating).also("不满意"),
			count("很不满", "very_dissatisfied", Rating).also("很不满意"),
			share("发送率", "sent_rate", Rating),
			share("返回率", "return_rate", Rating).of(g.prefix+"received", g.prefix+"sent"),
			share("满意率", "satisfaction_rate", Rating),
			ratio("服务度", "service_score", Rating),
		}
		for _, c := range one {
			c.Item = g.prefix + c.Item
			for i := range c.Also {
				c.Also[i] = g.name + "/" + c.Also[i]
			}
			c.Header = g.name + "/" + c.Header
			all = append(all, c)
		}
	}
	return all
}
