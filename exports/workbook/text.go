package workbook

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// cellLimit is what one cell of the format can hold, in UTF-16 units; a rune has at most two.
const cellLimit = 32_767 / 2

// Column widths count digits of the default 11 point font. The text of a table has 9 points, and
// words do not break inside, so a wrapped line ends a little before the column does.
const (
	textScale = 9.0 / 11 * 1.03
	padding   = 2.5 // indent and cell margins
)

// guard makes a text safe as a cell: no control characters, valid UTF-8, within the limit of a
// cell, and never something that a spreadsheet would run as a formula. A text that begins with
// = + - @ (also their full-width forms) or had a tab or line break in front gets an apostrophe
// before it. Source: OWASP, CSV Injection.
func guard(s string) string {
	s = plain(s)
	trimmed := strings.TrimSpace(s)
	if trimmed != "" && strings.ContainsRune("=+-@=+-@", firstRune(trimmed)) {
		return "'" + s
	}
	return s
}

// escaped is how the format writes a character as text: _x0041_ is A (ECMA-376 part 1, 22.9.2.19).
var escaped = regexp.MustCompile(`^_x[0-9A-Fa-f]{4}_`)

// literal keeps a text that looks like such an escape as it is, by escaping its first underscore.
// excelize v2.11.0 does so for inline strings but not for shared ones; the read-back test tells
// when that changes.
func literal(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var out strings.Builder
	for i := range len(s) {
		if s[i] == '_' && escaped.MatchString(s[i:]) {
			out.WriteString("_x005F")
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// plain drops what XML cannot hold and shortens to the limit of a cell.
func plain(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\r':
			return ' '
		case r != '\n' && r < 0x20, r == 0x7f, r == 0xFFFE, r == 0xFFFF:
			return -1
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) < cellLimit {
		return s
	}
	return string([]rune(s)[:cellLimit-1]) + "…"
}

// footerText keeps a text from being read as a code of the page footer, which is at most 255
// characters in all.
func footerText(s string) string {
	runes := []rune(strings.ReplaceAll(plain(s), "\n", " "))
	if len(runes) > 80 {
		runes = append(runes[:79], '…')
	}
	return strings.ReplaceAll(string(runes), "&", "&&")
}

// units is the width of a text in columns of a latin digit: Chinese characters take two.
func units(s string) int {
	n := 0
	for _, r := range s {
		if r >= 0x1100 {
			n++
		}
		n++
	}
	return n
}

// lines is how many lines a wrapped text needs in a column of so many digits.
func lines(s string, width float64) int {
	n := 0
	for part := range strings.SplitSeq(s, "\n") {
		n += max(1, int(math.Ceil(float64(units(part))*textScale/(width-padding))))
	}
	return n
}

// widest is the width that shows every text on one line, within limits.
func widest(texts []string, least, most float64) float64 {
	w := least
	for _, t := range texts {
		for part := range strings.SplitSeq(t, "\n") {
			w = max(w, float64(units(part))*textScale+padding)
		}
	}
	return min(w, most)
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func itoa(n int) string { return strconv.Itoa(n) }
