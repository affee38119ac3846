package platformfile

// jd are the files of 京东客服管家. 咨询量 and 接待量 are sessions; the 30-second rate is of the first
// reply of sessions.
func jd() []Format {
	const p = "jd"
	return []Format{
		{
			ID: "jd.workload", Platform: p, Title: "服务工作量", Date: dateHeaders, Needed: []string{"30s应答率", "留言咨询量", "UPV"},
			Columns: []Column{
				count("在岗客服数", "agents_on_duty", Agents),
				seconds("登录时长", "login_time", Agents).in("h"),
				seconds("店铺服务时长", "shop_service_time", Unsaid).in("h"),
				count("UPV", "upv", Unsaid),
				count("咨询量", "consult_sessions", Session),
				count("接待量", "received_sessions", Session),
				share("接通率", "connect_rate", Session),
				share("应答率", "answer_rate", Session),
				share("30s应答率", "first_30s_rate", Session).also("30秒应答率", "首次30秒应答率", "咚咚首次30秒应答率"),
				share("满意率", "satisfaction_rate", Rating).also("满意度"),
				share("邀评率", "invite_rate", Rating),
				ratio("平均回复消息数", "avg_reply_messages", Session),
				count("超时回复数", "late_replies", Session),
				seconds("平均会话时长", "avg_session_time", Session).in("min"),
				seconds("首次平均响应", "first_response_time", Session).also("首次平均响应时间", "首次平均响应时长"),
				seconds("新平均响应", "avg_response_time", Round).also("新平均响应时间", "新平均响应时长"),
				count("留言咨询量", "offline_consult_sessions", Session),
				count("留言分配量", "offline_assigned_sessions", Session),
				count("留言接待量", "offline_received_sessions", Session),
				share("留言应答率", "offline_answer_rate", Session),
				share("留言响应率", "offline_response_rate", Session),
				share("商家留言率", "offline_rate", Session).closes(2),
				share("解决率", "resolution_rate", Session),
			},
		},
		{
			ID: "jd.sales", Platform: p, Title: "销售绩效", Date: dateHeaders, Needed: []string{"售前接待人数", "出库人数"},
			Columns: []Column{
				count("在岗客服数", "agents_on_duty", Agents),
				count("售前接待人数", "presale_received_buyers", BuyerDay),
				count("下单人数", "order_buyers", BuyerDay),
				count("出库人数", "shipped_buyers", BuyerDay),
				count("下单数", "orders", Order),
				count("出库单数", "shipped_orders", Order),
				count("下单件数", "order_items", Order),
				count("出库件数", "shipped_items", Order),
				yuan("下单金额", "order_amount", Order),
				yuan("出库金额", "shipped_amount", Order),
				share("咨询→下单率", "consult_order_rate", BuyerDay).also("咨询下单率", "咨询-下单率", "咨询->下单率", "咨询→下单转化率").of("order_buyers", "presale_received_buyers"),
				share("咨询→出库率", "consult_shipped_rate", BuyerDay).also("咨询出库率", "咨询-出库率", "咨询->出库率", "咨询→出库转化率").of("shipped_buyers", "presale_received_buyers"),
			},
		},
	}
}
