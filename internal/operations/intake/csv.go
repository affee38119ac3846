package intake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/chaoban/chaoban/internal/fault"
)

// lines reads lines with their number and cuts endless ones, so that a damaged file cannot fill the
// memory.
type lines struct {
	r      *bufio.Reader
	file   string
	number int // of the line returned last
	limit  int
	long   bool // the line returned last was longer than limit; it is only the beginning
	done   bool
}

// longShown is how much of an endless line is kept to show it.
const longShown = 1 << 10

// next returns a line without its end; the bytes are valid until the next call.
func (l *lines) next() ([]byte, error) {
	if l.done {
		return nil, io.EOF
	}
	line, err := l.r.ReadSlice('\n')
	l.number++
	if l.long = errors.Is(err, bufio.ErrBufferFull) || len(line) > l.limit+1; l.long {
		line = bytes.Clone(line[:min(longShown, len(line))])
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = l.r.ReadSlice('\n')
		}
	}
	switch {
	case ended(err):
		l.done = true
		if len(line) == 0 {
			return nil, io.EOF
		}
	case err != nil:
		if _, ok := errors.AsType[*fault.Error](err); ok {
			return nil, err
		}
		return nil, unreadable(err, l.file)
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\r'}), nil
}

func (l *lines) tooLong() error {
	return refuse(fault.TooLarge, "intake.limit", fault.Field{File: l.file, Row: l.number, Problem: "the record " + l.longProblem()})
}

func (l *lines) longProblem() string {
	return fmt.Sprintf("is longer than %d bytes; is a quote not closed, or is this not a table?", l.limit)
}

// csvReader splits delimited text (RFC 4180, with a delimiter of the file's choice and quotes
// in the middle of an unquoted cell taken as they are).
type csvReader struct {
	lines lines
	comma byte
	cells []string
}

// next returns the cells of a record and the line it starts on. A record with broken quotes
// comes with a problem and its raw text as its only cell.
func (c *csvReader) next() (number int, cells []string, problem string, err error) {
	for {
		line, err := c.lines.next()
		if err != nil {
			return 0, nil, "", err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		number = c.lines.number
		if c.lines.long {
			return number, []string{strings.ToValidUTF8(string(line), "�")}, c.lines.longProblem(), nil
		}
		text := string(line)
		var clean bool
		if strings.IndexByte(text, '"') < 0 {
			cells, clean = c.split(text), readable(text)
		} else if cells, clean, problem, err = c.quoted(text); err != nil {
			return 0, nil, "", err
		}
		if !clean && problem == "" {
			problem = unreadableCell(cells)
		}
		if problem != "" {
			cells = []string{strings.ToValidUTF8(text, "�")}
		}
		return number, cells, problem, nil
	}
}

// readable is text that can be handed on as it is: UTF-8 without NUL.
func readable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func unreadableCell(cells []string) string {
	for i, cell := range cells {
		if !utf8.ValidString(cell) {
			return fmt.Sprintf("has bytes in column %d that are not UTF-8 text; for a GBK file set encoding: gbk in the mapping", i+1)
		}
		if at := strings.IndexByte(cell, 0); at >= 0 {
			return fmt.Sprintf("has a NUL byte in column %d", i+1)
		}
	}
	return "is not UTF-8 text" // not reached: what is unreadable lies in a cell
}

func (c *csvReader) split(text string) []string {
	c.cells = c.cells[:0]
	for {
		i := strings.IndexByte(text, c.comma)
		if i < 0 {
			c.cells = append(c.cells, text)
			return c.cells
		}
		c.cells = append(c.cells, text[:i])
		text = text[i+1:]
	}
}

// quoted splits a record that has quotes and may go on over several lines. clean says that all of
// them are readable.
func (c *csvReader) quoted(text string) (cells []string, clean bool, problem string, err error) {
	c.cells = c.cells[:0]
	clean = readable(text)
	total := len(text)
	for {
		if !strings.HasPrefix(text, `"`) {
			i := strings.IndexByte(text, c.comma)
			if i < 0 {
				return append(c.cells, text), clean, "", nil
			}
			c.cells = append(c.cells, text[:i])
			text = text[i+1:]
			continue
		}
		var cell strings.Builder
		text = text[1:]
		for {
			i := strings.IndexByte(text, '"')
			if i < 0 {
				cell.WriteString(text)
				line, err := c.lines.next()
				if ended(err) {
					return nil, clean, "a quote is opened and never closed", nil
				}
				if err != nil {
					return nil, false, "", err
				}
				// Where such a record ends is a guess, so the rows it swallowed cannot be told apart.
				if total += len(line); c.lines.long || total > c.lines.limit {
					return nil, false, "", c.lines.tooLong()
				}
				cell.WriteByte('\n')
				text = string(line)
				clean = clean && readable(text)
				continue
			}
			cell.WriteString(text[:i])
			text = text[i+1:]
			if !strings.HasPrefix(text, `"`) {
				break
			}
			cell.WriteByte('"')
			text = text[1:]
		}
		c.cells = append(c.cells, cell.String())
		switch {
		case text == "":
			return c.cells, clean, "", nil
		case text[0] != c.comma:
			return nil, clean, "has text after a closing quote", nil
		}
		text = text[1:]
	}
}

// sniffComma picks the delimiter that splits the first lines best: the one whose count is the
// most regular, and among those the highest.
func sniffComma(head []byte) byte {
	rows := bytes.Split(head, []byte{'\n'})
	if len(rows) > 1 {
		rows = rows[:len(rows)-1] // the window may cut the last line
	}
	rows = rows[:min(len(rows), 20)]
	best, bestScore := byte(','), 0
	for _, comma := range []byte{',', '\t', ';', '|'} {
		counts := map[int]int{}
		for _, row := range rows {
			if n := countOutside(row, comma); n > 0 {
				counts[n]++
			}
		}
		score := 0
		for n, times := range counts {
			score = max(score, times*1000+min(n, 999))
		}
		if score > bestScore {
			best, bestScore = comma, score
		}
	}
	return best
}

// countOutside counts delimiters outside quotes.
func countOutside(row []byte, comma byte) int {
	n, quoted := 0, false
	for _, b := range row {
		switch b {
		case '"':
			quoted = !quoted
		case comma:
			if !quoted {
				n++
			}
		}
	}
	return n
}
