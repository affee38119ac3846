package platformfile

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// The search for the header: it begins within the first rows, below titles, and spans at most three.
const (
	headerSearch = 10
	headerDepth  = 3
	maxColumns   = 500 // of a grid that are looked at
)

// Match says how a grid is read: its format and which column is what.
type Match struct {
	Format  Format
	First   int            // index of the first header row
	Depth   int            // header rows
	Headers []string       // of every column, parts joined with "/"
	Columns map[int]Column // column of the grid -> what it is
	Date    int            // column, -1 = none
	Account int            // column, -1 = none
	Unknown []string       // headers that the format does not know
	Missing []string       // headers of the format that the grid does not have

	units map[int]string // unit that a header carries
}

// Detect recognises a format from the headers. ok is false when no format fits; the match is then the
// nearest one, without columns when there is none.
func Detect(g Grid) (best Match, ok bool) {
	formats, indexes := Formats(), indexes()
	bestScore := 0.0
	for first := 0; first < min(headerSearch, len(g.Rows)); first++ {
		for depth := 1; depth <= headerDepth && first+depth <= len(g.Rows); depth++ {
			headers := named(g.paths(first, depth))
			for i, f := range formats {
				if known := indexes[i].known(headers); known == 0 {
					continue
				}
				m, fits := indexes[i].match(f, headers)
				// Among formats with as many known headers the one that expects the fewest wins; fewer header
				// rows before more.
				score := float64(len(m.Columns)) + 0.5*float64(len(m.Columns))/float64(len(f.Columns)) - 0.001*float64(depth)
				if fits {
					score += 1000
				}
				if len(m.Columns) > 0 && score > bestScore {
					m.First, m.Depth = first, depth
					best, bestScore, ok = m, score, fits
				}
			}
		}
	}
	best.takeUnits(g)
	return best, ok
}

// takeUnits takes a row of nothing but units, （人） or （元）, that stands below the header into it.
func (m *Match) takeUnits(g Grid) {
	below := m.First + m.Depth
	if below >= len(g.Rows) || len(m.Columns) == 0 {
		return
	}
	found := map[int]string{}
	for j, c := range g.Rows[below].Cells {
		text := clean(c.Text)
		if text == "" {
			continue
		}
		_, unit := normal("单位" + text)
		if unit == "" {
			return
		}
		found[j] = unit
	}
	if len(found) == 0 {
		return
	}
	m.Depth++
	for j, unit := range found {
		if _, known := m.Columns[j]; known && m.units[j] == "" {
			m.units[j] = unit
		}
	}
}

// index finds what a normal header is in a format: a column, or the date or account.
type index struct {
	columns map[string]int
	date    []string
	account []string
	needed  []int
}

var indexes = sync.OnceValue(func() []index {
	var all []index
	for _, f := range Formats() {
		all = append(all, indexOf(f))
	}
	return all
})

// heading is the header of one column: its parts as they are, and the keys it is looked up by.
type heading struct {
	text string // parts joined
	leaf string // normal name of the last part
	unit string
	keys []string // from the most to the least specific
}

// named prepares headers for being looked up. A header is looked up by all its parts, by the last
// two, and by the last one alone; the first part alone is the name of a group, not of a column.
func named(paths [][]string) []heading {
	out := make([]heading, len(paths))
	for j, path := range paths {
		if len(path) == 0 {
			continue
		}
		h := heading{text: strings.Join(path, "/")}
		names := make([]string, len(path))
		for k, part := range path {
			name, unit := normal(part)
			if names[k] = name; unit != "" {
				h.unit = unit
			}
		}
		h.leaf = names[len(names)-1]
		h.keys = []string{strings.Join(names, "/")}
		if n := len(names); n > 1 {
			h.keys = append(h.keys, names[n-2]+"/"+h.leaf, names[n-2]+h.leaf, h.leaf)
		}
		out[j] = h
	}
	return out
}

// known counts the headers of a format, which is less work than a match.
func (x index) known(headers []heading) int {
	n := 0
	for _, h := range headers {
		if _, ok := x.find(h); ok {
			n++
		}
	}
	return n
}

func indexOf(f Format) index {
	x := index{columns: map[string]int{}}
	for i, c := range f.Columns {
		for _, h := range append([]string{c.Header}, c.Also...) {
			name, _ := normal(h)
			x.columns[name] = i
		}
	}
	for _, h := range f.Date {
		name, _ := normal(h)
		x.date = append(x.date, name)
	}
	for _, h := range f.Account {
		name, _ := normal(h)
		x.account = append(x.account, name)
	}
	for _, h := range f.Needed {
		name, _ := normal(h)
		x.needed = append(x.needed, x.columns[name])
	}
	return x
}

// match reads the headers of a grid. It fits when the columns that tell this format from the others
// are there.
func (x index) match(f Format, headers []heading) (Match, bool) {
	m := Match{Format: f, Columns: map[int]Column{}, Date: -1, Account: -1, units: map[int]string{}}
	taken := map[int]bool{}
	for j, h := range headers {
		m.Headers = append(m.Headers, h.text)
		if h.text == "" {
			continue
		}
		i, known := x.find(h)
		switch {
		case known && !taken[i]:
			m.Columns[j], taken[i] = f.Columns[i], true
			m.units[j] = h.unit
		case m.Date < 0 && slices.Contains(x.date, h.leaf):
			m.Date = j
		case m.Account < 0 && slices.Contains(x.account, h.leaf):
			m.Account = j
		default:
			m.Unknown = append(m.Unknown, h.text)
		}
	}
	for i, c := range f.Columns {
		if !taken[i] {
			m.Missing = append(m.Missing, c.Header)
		}
	}
	fits := !slices.ContainsFunc(x.needed, func(i int) bool { return !taken[i] })
	return m, fits
}

// find looks up a header.
func (x index) find(h heading) (column int, ok bool) {
	for _, key := range h.keys {
		if i, known := x.columns[key]; known {
			return i, true
		}
	}
	return 0, false
}

// paths are the parts of every column's header, top to bottom. A part without text is that of the
// merged area it lies in, or, above a part with text, that of the group to its left.
func (g Grid) paths(first, depth int) [][]string {
	rows := g.Rows[first : first+depth]
	width := 0
	for _, r := range rows {
		width = max(width, len(r.Cells))
	}
	width = min(width, maxColumns)
	grouped := make([]string, depth) // running group of each row
	out := make([][]string, width)
	for j := range out {
		below := false
		texts := make([]string, depth)
		for k := depth - 1; k >= 0; k-- {
			own := clean(g.header(rows[k], j))
			switch {
			case own != "" && below:
				grouped[k] = own
			case own != "":
				grouped[k] = ""
			case below:
				own = grouped[k]
			default:
				grouped[k] = ""
			}
			texts[k], below = own, below || own != ""
		}
		for k, text := range texts {
			if text != "" && (k == 0 || len(out[j]) == 0 || out[j][len(out[j])-1] != text) {
				out[j] = append(out[j], text)
			}
		}
	}
	return out
}

// header is the text of a cell, or of the merged area around it.
func (g Grid) header(r Row, j int) string {
	if j < len(r.Cells) && r.Cells[j].Text != "" {
		return r.Cells[j].Text
	}
	for _, a := range g.Merged {
		if r.Number < a.FromRow || r.Number > a.ToRow || j < a.FromColumn || j > a.ToColumn {
			continue
		}
		i, found := slices.BinarySearchFunc(g.Rows, a.FromRow, func(r Row, n int) int { return r.Number - n })
		if found && a.FromColumn >= 0 && a.FromColumn < len(g.Rows[i].Cells) {
			return g.Rows[i].Cells[a.FromColumn].Text
		}
	}
	return ""
}

// clean takes the noise off a text: spaces of all kinds at the ends, marks of byte order, lines.
func clean(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b' || r == '\u3000'
	}), " ")
}

var headerMarks = strings.NewReplacer(
	" ", "", "_", "", "（", "(", "）", ")", "【", "(", "】", ")", "[", "(", "]", ")", "–", "-", "—", "-", "~", "-", "～", "-", "至", "-",
	":00", "", "：00", "", "％", "%", "：", ":",
)

// The units that headers carry, in brackets or bare behind a Chinese name.
var headerUnits = map[string]string{
	"秒": "s", "s": "s", "sec": "s", "分": "min", "分钟": "min", "min": "min", "小时": "h", "时": "h", "h": "h",
	"元": "yuan", "万元": "wan", "%": "%", "人": "n", "次": "n", "人次": "n", "个": "n", "件": "n", "条": "n", "单": "n", "天": "n", "数": "n",
}

// normal makes headers comparable and takes off the unit they carry.
func normal(h string) (name, unit string) {
	name = headerMarks.Replace(strings.ToLower(clean(h)))
	if open := strings.LastIndexByte(name, '('); open > 0 && strings.HasSuffix(name, ")") {
		if u, ok := headerUnits[name[open+1:len(name)-1]]; ok {
			return name[:open], u
		}
	}
	for _, bare := range []string{"min", "h", "s"} {
		if rest, ok := strings.CutSuffix(name, bare); ok {
			if r, _ := utf8.DecodeLastRuneInString(rest); unicode.Is(unicode.Han, r) {
				return rest, bare
			}
		}
	}
	return name, ""
}
