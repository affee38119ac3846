package intake

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Kind is what the rows of a file are.
type Kind string

// The kinds.
const (
	Conversations Kind = "conversations"
	States        Kind = "states"
	History       Kind = "contacts" // contact history: contacts per slot
	Agents        Kind = "agents"
	Events        Kind = "events"   // messages and other events of conversations
	Orders        Kind = "orders"   // inquiries and the steps of orders
	Tickets       Kind = "tickets"  // deferred work
	Accounts      Kind = "accounts" // who used a platform's sub-account when
)

// Kinds in the order they are listed to people.
var Kinds = []Kind{Conversations, States, History, Agents, Events, Orders, Tickets, Accounts}

// Mapping says which column of a file is which canonical field. The zero Columns mean: the
// headers are the canonical names, or their usual Chinese names.
type Mapping struct {
	Kind      Kind     `yaml:"kind"`
	Sheet     string   `yaml:"sheet"`      // of a workbook; empty = the first visible one
	HeaderRow int      `yaml:"header_row"` // 1-based; 0 = the first of 20 rows that has every mapped column
	DataRow   int      `yaml:"data_row"`   // 1-based first row of data, when headers span several rows; 0 = the row below the header
	Encoding  string   `yaml:"encoding"`   // utf-8, gbk, gb18030 or utf-16; empty = sniffed
	Delimiter string   `yaml:"delimiter"`  // one of , ; | or tab; empty = sniffed
	TimeZone  string   `yaml:"time_zone"`  // of local times in the file; empty = the business time zone
	NoData    []string `yaml:"no_data"`    // texts that mean "no data" beside "", "-" and "--"
	// Skip names rows that are not data, such as totals: header -> the texts of such rows.
	Skip      map[string][]string `yaml:"skip"`
	Columns   map[string]Column   `yaml:"columns"`   // canonical field -> where it comes from
	Constants map[string]string   `yaml:"constants"` // canonical field -> the same value in every row
}

// Column says where a field comes from and how its cells are written.
type Column struct {
	From    []string          `yaml:"from"`    // header, or two headers of a date and a time of day
	Format  string            `yaml:"format"`  // Go layout of a time ("02/01/2006 15:04"), or unix, unix_ms; empty = found out
	Unit    string            `yaml:"unit"`    // of a plain number that is a duration: s (default), min, ms, h, or hms (Excel fraction of a day); mm:ss and hh:mm say what a text with one colon is
	Map     map[string]string `yaml:"map"`     // cell text -> value
	Default string            `yaml:"default"` // value of a cell without data
}

// Units of durations in a mapping.
var units = []string{"", "s", "min", "ms", "h", "hms", "mm:ss", "hh:mm"}

// ParseMapping reads a mapping file strictly: unknown keys fail, every bad key is reported
// with its line. Errors: intake.mapping.
func ParseMapping(name string, r io.Reader) (Mapping, error) {
	documents, err := readYAML(name, "intake.mapping", r)
	if err != nil {
		return Mapping{}, err
	}
	d := documents[0]
	var m Mapping
	d.decode(&m)
	if len(documents) > 1 {
		d.complain(documents[1].root, "", "", "a second document; a mapping file has one")
	}
	if len(d.bad) == 0 {
		if e, ok := errors.AsType[*fault.Error](m.Validate()); ok {
			d.place(e.Fields, "")
		}
	}
	if err := fault.Bad("intake.mapping", "mapping", d.bad); err != nil {
		return Mapping{}, err
	}
	return m, nil
}

// DefaultMapping expects the canonical field names or their usual Chinese names as headers.
func DefaultMapping(kind Kind) Mapping { return Mapping{Kind: kind} }

// Validate reports every bad field. Errors: intake.mapping.
func (m Mapping) Validate() error {
	var bad []fault.Field
	complain := func(path, value, format string, args ...any) {
		bad = append(bad, fault.Field{Path: path, Value: value, Problem: fmt.Sprintf(format, args...)})
	}
	if !slices.Contains(Kinds, m.Kind) {
		complain("kind", string(m.Kind), "must be one of %s", fault.Names(Kinds))
		return fault.Bad("intake.mapping", "mapping", bad)
	}
	if m.HeaderRow < 0 || m.HeaderRow > 1000 {
		complain("header_row", fmt.Sprint(m.HeaderRow), "must be from 1 to 1000, or 0 to find it")
	}
	if m.DataRow < 0 || m.DataRow > 1000 || m.DataRow > 0 && m.DataRow <= m.HeaderRow {
		complain("data_row", fmt.Sprint(m.DataRow), "must be below header_row and at most 1000, or 0")
	}
	if !slices.Contains([]string{"", utf8Name, "utf8", gbkName, "gb2312", gb18030Name, utf16Name, "utf-16le"}, strings.ToLower(m.Encoding)) {
		complain("encoding", m.Encoding, "must be utf-8, gbk, gb18030 or utf-16")
	}
	if !slices.Contains([]string{"", ",", ";", "|", "\t", "tab"}, m.Delimiter) {
		complain("delimiter", m.Delimiter, "must be , ; | or tab")
	}
	if _, err := m.location(time.UTC); err != nil {
		complain("time_zone", m.TimeZone, "is not a time zone like Asia/Shanghai")
	}
	known := fieldNames(m.Kind)
	for _, field := range sortedKeys(m.Columns) {
		if !slices.Contains(known, field) {
			complain("columns."+field, "", "is not a field of %s; fields are %s", m.Kind, strings.Join(known, ", "))
			continue
		}
		m.Columns[field].check("columns."+field, complain)
	}
	for _, field := range sortedKeys(m.Constants) {
		_, mapped := m.Columns[field]
		switch {
		case !slices.Contains(known, field):
			complain("constants."+field, "", "is not a field of %s; fields are %s", m.Kind, strings.Join(known, ", "))
		case mapped:
			complain("constants."+field, m.Constants[field], "is given by columns too")
		}
	}
	return fault.Bad("intake.mapping", "mapping", bad)
}

func (c Column) check(path string, complain func(path, value, format string, args ...any)) {
	if len(c.From) < 1 || len(c.From) > 2 {
		complain(path+".from", "", "must name one header, or two of a date and a time of day")
	}
	for _, h := range c.From {
		if strings.TrimSpace(h) == "" {
			complain(path+".from", h, "must not be empty")
		}
	}
	if !slices.Contains(units, c.Unit) {
		complain(path+".unit", c.Unit, "must be one of s, min, ms, h, hms, mm:ss, hh:mm")
	}
}

func (m Mapping) location(business *time.Location) (*time.Location, error) {
	if m.TimeZone == "" {
		return business, nil
	}
	// "Local" is the zone of the machine, which is not a property of the file.
	if m.TimeZone == "Local" {
		return nil, fault.New(fault.Invalid, "intake.mapping", "time_zone must not be Local")
	}
	return time.LoadLocation(m.TimeZone)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
