package intake

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/chaoban/chaoban/kpi/chatlog/platformfile"
)

// hints are parts of headers that suggest a field when no usual name fits, the strongest first.
var hints = map[string][]string{
	"id": {"id", "编号", "单号", "流水"}, "conversation": {"会话", "session", "chatid", "conversation"}, "merchant": {"商家", "merchant", "品牌"}, "shop": {"店铺", "shop", "store"},
	"queue": {"技能组", "队列", "queue", "分组", "skill"}, "channel": {"渠道", "channel"}, "agent": {"客服", "坐席", "工号", "agent", "员工"},
	"account": {"子账号", "旺旺", "账号", "account"}, "buyer": {"买家", "客户", "顾客", "buyer", "customer", "用户"},
	"started_at": {"开始时间", "来电时间", "进线时间", "接入时间", "start", "datetime", "date", "日期", "时间"}, "answered_at": {"接通时间", "首次响应时间", "首次回复时间", "answeredat"},
	"ended_at": {"结束时间", "挂断时间", "end"}, "wait": {"speedofanswer", "等待时长", "排队时长", "响应时长", "等待", "排队", "wait"},
	"handle_time": {"通话时长", "会话时长", "处理时长", "talkduration", "talktime", "handle", "duration", "aht", "时长"}, "answered": {"answered", "是否接", "接通", "接听"},
	"abandoned": {"放弃", "abandon"}, "resolved": {"解决", "resolved"}, "rating": {"满意度", "评分", "rating", "satisfaction"}, "score": {"满意度", "评分", "rating", "score"},
	"agent_messages": {"客服消息"}, "buyer_messages": {"客户消息", "买家消息"}, "state": {"状态", "state", "status"}, "start": {"开始", "start", "datetime", "时间", "date", "日期"},
	"end": {"结束", "end"}, "length": {"时长", "duration", "length"}, "slot": {"时段", "slot", "interval"}, "offered": {"咨询量", "来电量", "进线量", "offered", "calls", "contacts", "volume", "数量"},
	"at": {"消息时间", "发送时间", "时间", "time", "timestamp", "日期"}, "kind": {"发送方", "发送者", "角色", "sender", "role", "类型", "from"}, "text": {"内容", "content", "message", "text", "消息"},
	"order": {"订单", "order"}, "amount": {"金额", "amount", "price"}, "tag": {"标签", "类型", "tag", "topic"}, "opened_at": {"创建", "提交", "opened", "created"},
	"due_at": {"截止", "due", "deadline"}, "closed_at": {"完成", "关闭", "完结", "closed"}, "name": {"姓名", "name"}, "site": {"职场", "site"}, "team": {"班组", "团队", "team"},
	"hired": {"入职", "hired"}, "left": {"离职", "left"}, "skills": {"技能", "skill"}, "platform": {"平台", "platform"}, "from": {"开始", "启用", "from"}, "until": {"停用", "失效", "until"},
	"last": {"结束", "最后", "last"},
}

// valueKind is how the cells of a field must read.
var valueKind = map[string]string{
	"started_at": "time", "answered_at": "time", "bot_answered_at": "time", "ended_at": "time", "start": "time", "end": "time", "at": "time", "opened_at": "time",
	"due_at": "time", "closed_at": "time", "from": "time", "until": "time", "last": "time", "hired": "time", "left": "time",
	"wait": "duration", "handle_time": "duration", "length": "duration", "slot": "duration",
	"answered": "truth", "abandoned": "truth", "resolved": "truth", "closing": "truth", "invited": "truth", "simulated": "truth",
	"rating": "grade", "score": "grade", "agent_messages": "number", "buyer_messages": "number", "concurrency": "number", "offered": "number", "amount": "number", "wage": "number",
}

// emptyWords are texts that files write for "no data".
var emptyWords = []string{"NA", "N/A", "n/a", "null", "NULL", "NaN", "无", "暂无", "未评价", "None"}

// totalWords are those of rows that are no data.
var totalWords = []string{"合计", "总计", "汇总", "小计", "均值", "平均", "Total"}

// tableGuess is the reading of a table as one kind.
type tableGuess struct {
	kind    Kind
	header  int // index of the row
	score   float64
	columns []InspectedField
	spec    map[string]Column
	missing []string
	doubts  []string
	noData  []string
	skip    map[string][]string
	slot    string // found out, of a contact history
	channel string // assumed, of conversations that do not name one
	session bool
}

// candidate is one field for one column.
type candidate struct {
	column     int
	field      string
	confidence float64
	reading    reading
}

// reading is how the cells of a column read.
type reading struct {
	unit, format string
	doubts       []string
}

// guessTable reads a table as a kind, with the row as header whose names fit best.
func guessTable(grid platformfile.Grid, kind Kind, constants map[string]string) *tableGuess {
	best, bestNames := 0, -1.0
	for i, r := range grid.Rows[:min(headerRows, len(grid.Rows)-1)] {
		sum := 0.0
		for _, c := range r.Cells {
			most := 0.0
			for _, field := range fieldNames(kind) {
				most = max(most, nameScore(kind, field, c.Text))
			}
			sum += most
		}
		if sum > bestNames+1e-9 {
			best, bestNames = i, sum
		}
	}
	g := &tableGuess{kind: kind, header: best, spec: map[string]Column{}, skip: map[string][]string{}}
	g.assign(grid, constants)
	return g
}

// nameScore is how well a header names a field: 1 for its own name, a little less for each of the
// usual names after the first.
func nameScore(kind Kind, field, header string) float64 {
	name := normal(header)
	if name == "" {
		return 0
	}
	at := map[string]int{name: 0}
	if _, ok := usualColumn(kind, field, []string{header}, at); ok {
		plain, _, _ := strings.Cut(name, "(")
		i := slices.IndexFunc(usual[kind][field], func(h string) bool { return normal(h) == name || normal(h) == plain })
		return 1 - 0.01*float64(max(i, 0))
	}
	most := 0.0
	for i, hint := range hints[field] {
		if strings.Contains(name, hint) {
			most = max(most, 0.4+0.4*float64(len(hint))/float64(len(name))-0.01*float64(i))
		}
	}
	return min(most, 0.9)
}

// blindScore is what values alone are worth: only times and numbers that the kind cannot do without
// are taken under a header that says nothing.
func blindScore(kind Kind, field string) float64 {
	if slices.Contains(needed[kind], field) && (valueKind[field] == "time" || valueKind[field] == "number") {
		return 0.3
	}
	return 0
}

// assign gives every field its best column, the surest first.
func (g *tableGuess) assign(grid platformfile.Grid, constants map[string]string) {
	header := grid.Rows[g.header]
	data := grid.Rows[g.header+1:]
	names := make([]string, len(header.Cells))
	var all []candidate
	for j, c := range header.Cells {
		names[j] = cleanHeader(c.Text)
		g.columns = append(g.columns, InspectedField{Header: names[j], Samples: samplesOf(grid, g.header+1, j)})
		cells, kinds := g.cellsOf(data, j, names[j])
		for _, field := range fieldNames(g.kind) {
			if _, given := constants[field]; given {
				continue
			}
			name := nameScore(g.kind, field, c.Text)
			blind := name == 0
			if blind {
				name = blindScore(g.kind, field)
			}
			if name == 0 {
				continue
			}
			read, fits := readAs(field, names[j], cells, kinds, grid.Date1904)
			if fits < 0.8 || blind && len(cells) == 0 {
				continue
			}
			if blind {
				read.doubts = append(read.doubts, "guessed by its values alone")
			}
			all = append(all, candidate{j, field, name * (0.7 + 0.3*fits), read})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		switch {
		case a.confidence > b.confidence:
			return -1
		case a.confidence < b.confidence:
			return 1
		}
		return 0
	})
	g.take(all, names)
	g.joinClock(grid, data, names)
	g.session = isSessionExport(names)
	g.sum(data, constants)
}

// cellsOf are the cells of a column that hold data. Words that only say there is none are noted.
func (g *tableGuess) cellsOf(data []platformfile.Row, j int, header string) (cells []string, kinds []platformfile.Kind) {
	empty := &column{}
	for _, r := range data {
		if j >= len(r.Cells) {
			continue
		}
		s := cleanHeader(r.Cells[j].Text)
		switch {
		case empty.empty(s):
		case slices.Contains(emptyWords, s):
			if !slices.Contains(g.noData, s) {
				g.noData = append(g.noData, s)
			}
		case slices.Contains(totalWords, s):
			if !slices.Contains(g.skip[header], s) {
				g.skip[header] = append(g.skip[header], s)
			}
		default:
			cells, kinds = append(cells, s), append(kinds, r.Cells[j].Kind)
		}
	}
	return cells, kinds
}

func (g *tableGuess) take(all []candidate, names []string) {
	usedColumn, usedField := map[int]bool{}, map[string]float64{}
	for _, c := range all {
		if before, ok := usedField[c.field]; ok {
			if before-c.confidence < 0.15 && !usedColumn[c.column] {
				g.doubt(c.field, fmt.Sprintf("column %q may be it too", names[c.column]))
			}
			continue
		}
		f := &g.columns[c.column]
		if usedColumn[c.column] {
			if f.Confidence-c.confidence < 0.1 {
				f.Doubts = append(f.Doubts, "may be "+c.field+" as well")
			}
			continue
		}
		usedColumn[c.column], usedField[c.field] = true, c.confidence
		f.Field, f.Confidence, f.Unit, f.Format = c.field, c.confidence, c.reading.unit, c.reading.format
		f.Doubts = append(f.Doubts, c.reading.doubts...)
		g.spec[c.field] = Column{From: []string{names[c.column]}, Unit: c.reading.unit, Format: c.reading.format}
	}
}

func (g *tableGuess) doubt(field, text string) {
	for i := range g.columns {
		if g.columns[i].Field == field {
			g.columns[i].Doubts = append(g.columns[i].Doubts, text)
		}
	}
}

// joinClock finds the time of day that stands in a column of its own beside a column of dates.
func (g *tableGuess) joinClock(grid platformfile.Grid, data []platformfile.Row, names []string) {
	for i := range g.columns {
		f := &g.columns[i]
		if valueKind[f.Field] != "time" || f.Format != "" || len(g.spec[f.Field].From) != 1 {
			continue
		}
		cells, _ := g.cellsOf(data, i, names[i])
		if !onlyDates(cells, grid.Date1904) {
			continue
		}
		for j := range g.columns {
			clocks, _ := g.cellsOf(data, j, names[j])
			if j == i || g.columns[j].Field != "" || len(clocks) == 0 || !slices.ContainsFunc([]string{"time", "时间", "时刻"}, func(w string) bool { return strings.Contains(normal(names[j]), w) }) {
				continue
			}
			if slices.ContainsFunc(clocks, func(s string) bool { _, ok := parseClock(s); return !ok }) {
				continue
			}
			g.columns[j].Field, g.columns[j].Confidence = f.Field, f.Confidence
			g.spec[f.Field] = Column{From: []string{names[i], names[j]}}
			break
		}
		if len(g.spec[f.Field].From) == 1 {
			f.Doubts = append(f.Doubts, datesOnly)
		}
	}
}

// datesOnly is the doubt about a time that reads as a whole day.
const datesOnly = "has dates without a time of day"

func onlyDates(cells []string, base1904 bool) bool {
	for _, s := range cells {
		m, problem := parseMoment(s, base1904)
		if problem != "" || m.clock != 0 || strings.ContainsAny(s, ":时点") {
			return false
		}
	}
	return len(cells) > 0
}

// sum adds up how well the kind fits, and finds what is missing.
func (g *tableGuess) sum(data []platformfile.Row, constants map[string]string) {
	for _, f := range g.columns {
		if f.Field != "" {
			g.score += f.Confidence
		}
		if f.Field == "offered" && f.Confidence > 0.9 {
			g.score++ // a count of contacts stands in no other kind of rows
		}
	}
	if g.kind == Conversations && g.spec["channel"].From == nil && constants["channel"] == "" && !g.session {
		g.findChannel()
	}
	if g.kind == History && g.spec["slot"].From == nil && constants["slot"] == "" {
		g.findSlot(data)
	}
	for _, name := range needed[g.kind] {
		if _, ok := g.spec[name]; ok {
			g.score++
			continue
		}
		if constants[name] == "" && (name != "slot" || g.slot == "") {
			g.missing = append(g.missing, name)
		}
		if !slices.Contains([]string{"merchant", "shop", "queue", "platform", "slot"}, name) {
			g.score -= 2 // these cannot be the same in every row
		}
	}
}

// readAs tries the cells of a column as a field and says which share of them reads.
func readAs(field, header string, cells []string, kinds []platformfile.Kind, base1904 bool) (reading, float64) {
	if len(cells) == 0 {
		return reading{doubts: []string{"has no data in the rows that were looked at"}}, 1
	}
	share := func(ok func(string) bool) float64 {
		n := 0
		for _, s := range cells {
			if ok(s) {
				n++
			}
		}
		return float64(n) / float64(len(cells))
	}
	switch valueKind[field] {
	case "time":
		return readTimes(cells, base1904, share)
	case "duration":
		return readDurations(header, cells, kinds, share)
	case "truth":
		return reading{}, share(func(s string) bool { _, p := truth(s); return p == "" })
	case "grade":
		return reading{}, share(func(s string) bool { n, p := whole(s); return p == "" && n >= 1 && n <= 5 })
	case "number":
		return reading{}, share(func(s string) bool { _, p := decimal(strings.Trim(s, "¥￥元 ")); return p == "" })
	}
	// A name is rarely a number with a point, a date or a length of time.
	r := reading{}
	if share(func(s string) bool { _, p := parseMoment(s, base1904); return p == "" && digits(s) < 5 }) > 0.8 {
		return r, 0
	}
	return r, 1
}

var foreignDate = regexp.MustCompile(`^(\d{1,2})([/.-])(\d{1,2})[/.-]\d{4}( \d{1,2}:\d{2}(:\d{2})?)?$`)

// readTimes also knows dates that begin with the day or the month, when the values tell which.
func readTimes(cells []string, base1904 bool, share func(func(string) bool) float64) (reading, float64) {
	fits := share(func(s string) bool {
		_, p := parseMoment(s, base1904)
		if p != "" {
			n, err := strconv.ParseInt(s, 10, 64)
			return err == nil && n > 1e9 && n < 1e13
		}
		return true
	})
	if fits >= 0.8 {
		r := reading{}
		if _, p := parseMoment(cells[0], base1904); p != "" {
			if r.format = "unix"; len(cells[0]) > 10 {
				r.format = "unix_ms"
			}
		}
		return r, fits
	}
	dayFirst, monthFirst, layout := false, false, ""
	fits = share(func(s string) bool {
		m := foreignDate.FindStringSubmatch(s)
		if m == nil {
			return false
		}
		first, second := number(m[1]), number(m[3])
		dayFirst, monthFirst = dayFirst || first > 12, monthFirst || second > 12
		layout = "1" + m[2] + "2" + m[2] + "2006"
		if dayFirst || !monthFirst {
			layout = "2" + m[2] + "1" + m[2] + "2006"
		}
		switch {
		case m[5] != "":
			layout += " 15:04:05"
		case m[4] != "":
			layout += " 15:04"
		}
		return true
	})
	r := reading{format: layout}
	switch {
	case fits < 0.8:
	case dayFirst && monthFirst:
		return r, 0
	case !dayFirst && !monthFirst:
		r.doubts = []string{"day and month cannot be told apart in these rows: set format to 2/1/2006 or 1/2/2006"}
	}
	return r, fits
}

func readDurations(header string, cells []string, kinds []platformfile.Kind, share func(func(string) bool) float64) (reading, float64) {
	r := reading{unit: headerUnit(header)}
	plain, moments, colons, largest := 0, 0, 0, 0.0
	for i, s := range cells {
		f, problem := decimal(s)
		switch {
		case problem == "" && kinds[i] == platformfile.Moment:
			moments++
		case problem == "":
			plain, largest = plain+1, max(largest, f)
		case strings.Count(s, ":") == 1:
			colons++
		}
	}
	switch {
	case moments > 0 && plain == 0, plain > 0 && largest < 1 && r.unit == "" && largest > 0:
		r.unit = "hms"
	case plain > 0 && r.unit == "":
		r.unit = "s"
		r.doubts = append(r.doubts, "plain numbers without a unit: seconds are assumed; set unit to min or h if not")
	case colons > 0 && r.unit == "":
		r.unit = "mm:ss"
		r.doubts = append(r.doubts, "one colon may be minutes and seconds (assumed) or hours and minutes: set unit")
	}
	return r, share(func(s string) bool { _, p := parseDuration(s, r.unit); return p == "" })
}

// headerUnit is the unit that a header names: in brackets, or as a word in English.
func headerUnit(header string) string {
	name := normal(header)
	for _, u := range unitMarks {
		if strings.HasSuffix(name, "("+u.mark+")") || len(u.mark) > 3 && strings.HasSuffix(name, u.mark) {
			return u.unit
		}
	}
	return ""
}

// mapping is the guess as a mapping file would say it.
func (g *tableGuess) mapping(layout Layout, constants map[string]string) Mapping {
	m := Mapping{Kind: g.kind, Columns: g.spec, Constants: map[string]string{}, NoData: g.noData}
	if g.session && g.kind == Conversations {
		m = SessionExport("", "", "")
	}
	if layout.Encoding != utf8Name {
		m.Encoding = layout.Encoding
	}
	if layout.Delimiter != "" && layout.Delimiter != "," {
		if m.Delimiter = layout.Delimiter; m.Delimiter == "\t" {
			m.Delimiter = "tab"
		}
	}
	m.Sheet = ""
	if len(layout.Sheets) > 1 {
		m.Sheet = layout.Sheet
	}
	if len(g.skip) > 0 {
		m.Skip = g.skip
	}
	if g.slot != "" {
		m.Constants["slot"] = g.slot
	}
	if g.channel != "" {
		m.Constants["channel"] = g.channel
	}
	for _, name := range g.missing {
		m.Constants[name] = ""
	}
	for field, value := range constants {
		if value != "" && slices.Contains(fieldNames(g.kind), field) {
			m.Constants[field] = value
		}
	}
	for field := range m.Constants {
		delete(m.Columns, field)
	}
	return m
}
