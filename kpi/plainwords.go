package kpi

import (
	"fmt"
	"slices"
	"strings"
)

// Words is one sentence or more in the two languages that people ask in.
type Words struct {
	English string `json:"en"`
	Chinese string `json:"zh"`
}

// add appends a sentence; the languages need their own arguments only where they name them.
func (w *Words) add(english, chinese string) {
	w.English = strings.TrimSpace(w.English + " " + english)
	w.Chinese += chinese
}

// Plain says what a definition counts, choice by choice, so that two people who read it compute the
// same figure. It is made from the data that the figure is made from and so cannot differ from it;
// Text is what the author of the pack wrote.
func (d Definition) Plain() Words {
	var w Words
	switch {
	case d.Rule == nil:
		d.sumWords(&w)
	case d.Base == BaseInquiry:
		d.inquiryWords(&w)
	case d.Base == BaseTicket:
		d.ticketWords(&w)
	default:
		d.replyWords(&w)
	}
	if len(d.Platforms) > 0 {
		w.add("It counts shops on "+strings.Join(d.Platforms, ", ")+".", "只统计平台 "+strings.Join(d.Platforms, "、")+" 的店铺。")
	}
	if len(d.Channels) > 0 {
		var english, chinese []string
		for _, channel := range d.Channels {
			english = append(english, channel+"s")
			chinese = append(chinese, map[string]string{"chat": "在线会话", "call": "电话"}[channel])
		}
		w.add("It counts "+strings.Join(english, " and ")+" only.", "只统计"+strings.Join(chinese, "、")+"。")
	}
	for _, e := range d.Exempt {
		last := e.Until.Add(-1)
		w.add(fmt.Sprintf("What is dated %s to %s is left out (%s).", e.From, last, e.Reason), fmt.Sprintf("%s 至 %s 不计（%s）。", e.From, last, e.Reason))
	}
	if d.MinSample > 0 {
		w.add(fmt.Sprintf("With fewer than %d in the denominator it is shown and not judged.", d.MinSample), fmt.Sprintf("分母少于 %d 时只展示、不考核。", d.MinSample))
	}
	return w
}

// askedSums are the sums that leave out conversations in which nobody asked.
var askedSums = []string{"offered", "answered", "abandoned", "first_response_seconds", "first_response_count", "within"}

func (d Definition) sumWords(w *Words) {
	d.addedWords(w)
	if slices.Contains(askedSums, d.Numerator) || slices.Contains(askedSums, d.Denominator) {
		w.add("A chat known by its messages in which no buyer wrote or entered the human stage is neither offered nor answered nor abandoned: an agent began it. Its messages and handling time count all the same.",
			"按消息记录的会话中，买家既未发言也未进入人工（客服主动发起）的，不计入咨询、接待、未接待；其消息数与处理时长照常统计。")
	}
}

func (d Definition) addedWords(w *Words) {
	if d.Denominator == "" {
		w.add(fmt.Sprintf("The sum of %s over conversations by their start.", d.Numerator), fmt.Sprintf("按会话开始时间累计 %s。", d.Numerator))
		return
	}
	w.add(fmt.Sprintf("The sum of %s over the sum of %s, of conversations by their start.", d.Numerator, d.Denominator),
		fmt.Sprintf("按会话开始时间累计：%s ÷ %s。", d.Numerator, d.Denominator))
}

// replyWords describes rules on rounds, sessions and buyer-days.
func (d Definition) replyWords(w *Words) {
	r := d.Rule.WithDefaults()
	who := choose(r.Stop, "human", Words{"a person", "人工"}, Words{"a person or a robot", "人工或机器人"})
	w.add(fmt.Sprintf("A round opens with the first unanswered message of a buyer and closes with the next reply by %s; an automatic welcome is no reply.", who.English),
		fmt.Sprintf("买家首条未回复消息开启一轮，下一条%s回复结束该轮；自动欢迎语不算回复。", who.Chinese))
	d.measureWords(w, r)
	d.clockWords(w, r)
	d.dateWords(w, r)
	d.exclusionWords(w, r)
}

// counted names the things counted.
func (d Definition) counted() Words {
	switch d.Base {
	case BaseSession:
		return Words{"sessions", "会话"}
	case BaseBuyerDay:
		return Words{"buyers of a day (one buyer of one shop counts once a day)", "人（同一店铺同一买家每天计一次）"}
	}
	return Words{"rounds", "轮次"}
}

func (d Definition) measureWords(w *Words, r Rule) {
	what := d.counted()
	judged := Words{"", ""}
	if d.Base != BaseRound {
		judged = choose(r.Judge, "first", Words{" by their first round", "（看首轮）"}, Words{" in every round", "（每一轮都须达标）"})
	}
	switch {
	case r.Measure == Items:
		w.add(fmt.Sprintf("The figure is the number of %s.", what.English), fmt.Sprintf("统计%s数。", what.Chinese))
	case r.Measure == Mean:
		w.add(fmt.Sprintf("The figure is the mean response time in seconds of %s%s.", what.English, judged.English), fmt.Sprintf("统计%s的平均响应秒数%s。", what.Chinese, judged.Chinese))
		if r.Cap > 0 {
			w.add(fmt.Sprintf("One counts at most %d s.", r.Cap), fmt.Sprintf("单次最多计 %d 秒。", r.Cap))
		}
	case r.Limit == 0:
		w.add(fmt.Sprintf("Numerator: %s answered at any time%s; denominator: all of them.", what.English, judged.English), fmt.Sprintf("分子：得到回复的%s%s，不限时长；分母：全部。", what.Chinese, judged.Chinese))
	default:
		w.add(fmt.Sprintf("Numerator: %s answered within %d s%s (exactly %d s counts); denominator: all of them.", what.English, r.Limit, judged.English, r.Limit),
			fmt.Sprintf("分子：%d 秒内（含）得到回复的%s%s；分母：全部。", r.Limit, what.Chinese, judged.Chinese))
	}
	switch {
	case r.Unanswered == "miss" && r.Measure == Within:
		w.add("Unanswered is missed.", "未回复计为未达标。")
	case r.Unanswered == "until_end" && r.Measure == Mean:
		w.add("An unanswered round counts until the end of its session, which is its last event where the log gives none; a round after which no end is known is left out.",
			"未回复的轮次计到会话结束（日志未记录结束时计到最后一个事件）；其后没有已知结束时间的轮次不计。")
	case r.Unanswered == "exclude" || r.Measure == Mean:
		w.add("Unanswered rounds are left out.", "未回复的轮次不计。")
	}
}

func (d Definition) clockWords(w *Words, r Rule) {
	if r.Measure == Items {
		return
	}
	if r.Start == "entry" {
		w.add("The clock of a session's first round starts when the buyer enters the human stage.", "会话首轮自进入人工起计时。")
	} else {
		w.add("The clock starts at the buyer's message.", "自买家消息起计时。")
	}
	if r.Hours != "" {
		w.add("It only runs in the hours "+r.Hours+".", "只在 "+r.Hours+" 内计时。")
	}
}

func (d Definition) dateWords(w *Words, r Rule) {
	by := choose(r.Cut, "event", Words{"the opening of the round", "轮次开始"}, Words{"the start of the session", "会话开始"})
	if r.Window == "" {
		w.add(fmt.Sprintf("It counts all day, dated by %s.", by.English), fmt.Sprintf("全天统计，按%s时间归日。", by.Chinese))
		return
	}
	from, until, _ := strings.Cut(r.Window, "-")
	w.add(fmt.Sprintf("It counts from %s to before %s, cut by %s.", from, until, by.English), fmt.Sprintf("统计时段 %s 至 %s（不含），按%s时间切分。", from, until, by.Chinese))
}

// exclusion is one value of a choice and what it means; a choice that changes nothing is not said.
type exclusion struct {
	value string
	words Words
}

func (d Definition) exclusionWords(w *Words, r Rule) {
	for _, e := range []struct {
		value string
		says  []exclusion
	}{
		{r.Closing, []exclusion{
			{"ignore", Words{"A closing message (谢谢, 好的) opens no round.", "买家结束语（谢谢、好的）不开启轮次。"}},
			{"open", Words{"A closing message (谢谢, 好的) opens a round like any other.", "买家结束语（谢谢、好的）与其他消息一样开启轮次。"}},
		}},
		{r.ZeroSecond, []exclusion{{"exclude", Words{"Replies in less than a second are left out.", "不足 1 秒的回复不计。"}}}},
		{r.CrossDay, []exclusion{
			{"exclude", Words{"Rounds answered on a later day are left out.", "跨天回复的轮次不计。"}},
			{"miss", Words{"A reply on a later day is none.", "跨天回复视为未回复。"}},
		}},
		{r.Transferred, []exclusion{
			{"exclude", Words{"Rounds open during a transfer are left out.", "转接期间未回复的轮次不计。"}},
			{"restart", Words{"A transfer restarts the clock for who receives it.", "转接后对接收人重新计时。"}},
		}},
	} {
		for _, x := range e.says {
			if x.value == e.value {
				w.add(x.words.English, x.words.Chinese)
			}
		}
	}
}

func (d Definition) inquiryWords(w *Words) {
	r := d.Rule.WithDefaults()
	w.add("An inquiry is a buyer's pre-sale consult; one buyer of one shop counts once a day.", "询单：买家售前咨询，同一店铺同一买家每天计一次。")
	if r.Measure == Items {
		w.add("The figure is the number of inquiries.", "统计询单人数。")
		return
	}
	step := map[string]Words{"order": {"ordered", "下单"}, "payment": {"paid", "付款"}, "shipment": {"had goods shipped", "出库"}}[r.Order]
	span := Words{"on the same day", "当日"}
	if r.CloseDays > 0 {
		span = Words{fmt.Sprintf("on the same day or the %d days after", r.CloseDays), fmt.Sprintf("当日及其后 %d 天内", r.CloseDays)}
	}
	if r.Measure == Converted {
		w.add(fmt.Sprintf("Numerator: inquiries whose buyer %s after it %s; denominator: all inquiries.", step.English, span.English),
			fmt.Sprintf("分子：询单后%s%s的买家；分母：全部询单买家。", span.Chinese, step.Chinese))
	} else {
		w.add(fmt.Sprintf("The figure is the yuan of what these buyers %s after it %s; each order belongs to the latest inquiry before it.", step.English, span.English),
			fmt.Sprintf("统计询单买家询单后%s%s金额（元），每单归属其之前最近一次询单。", span.Chinese, step.Chinese))
	}
	if r.Net {
		w.add("Refunds in the same time are subtracted.", "扣除同期退款。")
	}
	if r.CloseDays > 0 {
		w.add("Until then the figure is provisional.", "到期前为暂定值。")
	}
}

func (d Definition) ticketWords(w *Words) {
	r := d.Rule.WithDefaults()
	switch {
	case r.Measure == Items:
		w.add("The figure is the number of tickets.", "统计工单数。")
	case r.Measure == Mean:
		w.add("The figure is the mean time in seconds from opening to closing of closed tickets.", "统计已完结工单从创建到完结的平均秒数。")
	case r.Limit == 0:
		w.add("Numerator: tickets closed at or before their deadline; denominator: tickets with a deadline. An open one is missed.",
			"分子：在截止时间前（含）完结的工单；分母：有截止时间的工单，未完结计为未达标。")
	default:
		w.add(fmt.Sprintf("Numerator: tickets closed within %d s after they were opened; denominator: all tickets. An open one is missed.", r.Limit),
			fmt.Sprintf("分子：创建后 %d 秒内完结的工单；分母：全部工单，未完结计为未达标。", r.Limit))
	}
	w.add("It is dated by the opening of the ticket.", "按工单创建时间归日。")
}

func choose(value, first string, a, b Words) Words {
	if value == first {
		return a
	}
	return b
}
