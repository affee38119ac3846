// Package platformfile owns the daily figure files that people export from the platforms (生意参谋,
// 京东客服管家, 拼多多商家后台, 抖店飞鸽, 快手小店): what each file looks like, as data, and how a grid of
// cells becomes chatlog.DailyFigure.
//
// A format is recognised from its headers alone. The business date is that of the date column; the
// date in a file's name is when somebody downloaded it, and stands in only for files without such a
// column. A cell without data is no figure, never a zero. Rows of sums, means and peers beside the
// days (汇总, 均值, 同行) are no days and are never added to them.
//
// It does not own reading bytes (operations/intake, exports/workbook), storing figures
// (kpi/warehouse), or comparing them with our own.
package platformfile

import (
	"github.com/chaoban/chaoban/internal/calendar"
)

// Kind is what a cell says about its text.
type Kind uint8

// The kinds of cells. A cell of a text file is Text whatever it holds.
const (
	Text    Kind = iota
	Number       // a stored number, as the file keeps it
	Percent      // a stored fraction that the sheet shows as a percentage
	Moment       // a stored serial number that the sheet shows as a date or a time
)

// Cell is one cell as stored.
type Cell struct {
	Text string
	Kind Kind
}

// Row is one row with its 1-based number in the file.
type Row struct {
	Number int
	Cells  []Cell
}

// Area is a merged area, by 1-based row numbers and 0-based columns, all inclusive.
type Area struct{ FromRow, FromColumn, ToRow, ToColumn int }

// Grid is a sheet or a text table, rows in ascending order.
type Grid struct {
	Name     string // of the file, for messages
	Rows     []Row
	Merged   []Area
	Date1904 bool // serial dates count from 1904-01-01
}

// Units of figures.
const (
	Count   = "count"
	Share   = "share"   // 0..1
	Seconds = "seconds" //
	Yuan    = "yuan"
	Ratio   = "ratio" // any number without a unit, per cent read as hundredths
)

// Bases of figures beside those of kpi (round, session, buyer-day, inquiry).
const (
	BuyerDay = "buyer-day" // 人
	Session  = "session"   // 会话
	Round    = "round"     // 轮次
	Inquiry  = "inquiry"   // 询单人
	Visit    = "visit"     // 人次: one buyer with one account
	Rating   = "rating"    // 评价
	Message  = "message"   // 消息
	Order    = "order"     // 订单
	Agents   = "agent"     // 客服
	Unsaid   = ""          // the file does not say
)

// Column is one column of a format: a new column is a new line.
type Column struct {
	Header string // as the platform writes it; several header rows are joined with "/"
	Also   []string
	Item   string
	Unit   string
	Base   string
	// FileUnit is that of plain numbers in a column of seconds when the header says none: s, min or h.
	FileUnit string
	// CloseDays is how many days after its date the platform may still change the figure.
	CloseDays int
	// Of are the pairs of items of the same row that the share may be a quotient of; they settle
	// whether 0.8 means 80 % or 0.8 %.
	Of [][2]string
}

// Format is one kind of file.
type Format struct {
	ID       string // "tmall.reception"
	Platform string
	Title    string // 咨询接待
	Date     []string
	Account  []string // headers of the sub-account column; empty = figures of the whole shop
	// Totals names, for files that have both, the row of sums and the row of means of the shop: counts
	// and amounts come from the first, shares and times from the second.
	Totals, Means []string
	Needed        []string // headers that no other format has together
	Columns       []Column
}

// Scale says how plain numbers of a column of shares are written.
type Scale string

// The scales.
const (
	Fraction Scale = "fraction" // 0.95 is 95 %
	Hundred  Scale = "number"   // 95 is 95 %
)

// Options of decoding.
type Options struct {
	Date     calendar.Date    // what the user says, for files without a date column
	FileDate calendar.Date    // what the file's name or folder says
	Percent  map[string]Scale // header (or "" for every column) -> scale, where the file does not tell
	Today    calendar.Date    // business date of the import
}

// Formats lists every format, in a fixed order.
func Formats() []Format {
	var all []Format
	all = append(all, tmall()...)
	all = append(all, jd()...)
	all = append(all, pdd()...)
	all = append(all, douyin()...)
	return append(all, kuaishou()...)
}

// The words of the tables.

func count(header, item, base string) Column {
	return Column{Header: header, Item: item, Unit: Count, Base: base}
}

func share(header, item, base string) Column {
	return Column{Header: header, Item: item, Unit: Share, Base: base}
}

func seconds(header, item, base string) Column {
	return Column{Header: header, Item: item, Unit: Seconds, Base: base, FileUnit: "s"}
}

func yuan(header, item, base string) Column {
	return Column{Header: header, Item: item, Unit: Yuan, Base: base}
}

func ratio(header, item, base string) Column {
	return Column{Header: header, Item: item, Unit: Ratio, Base: base}
}

func (c Column) also(headers ...string) Column { c.Also = headers; return c }
func (c Column) in(unit string) Column         { c.FileUnit = unit; return c }
func (c Column) closes(days int) Column        { c.CloseDays = days; return c }
func (c Column) of(numerator string, denominators ...string) Column {
	for _, d := range denominators {
		c.Of = append(c.Of, [2]string{numerator, d})
	}
	return c
}

var (
	dateHeaders    = []string{"日期", "统计日期", "数据日期", "时间", "统计时间", "date"}
	accountHeaders = []string{"旺旺昵称", "旺旺", "客服昵称", "客服账号", "子账号", "客服", "客服名称", "客服姓名", "账号"}
)
