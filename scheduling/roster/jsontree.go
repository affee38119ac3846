package roster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/chaoban/chaoban/internal/fault"
)

// node is a JSON value of a file as it is written there, so that an error can repeat it.
type node struct {
	kind   byte // '{', '[', '"' text, '0' number, 't' true or false, 'n' null
	text   string
	keys   []string // of an object, in their order; a key may stand twice
	kids   []*node  // of an object or a list
	refuse bool     // does not fit its place and is read as if it were left out
}

// deepest is how many values of a file may lie in one another; a problem needs seven.
const deepest = 100

// parse reads one JSON value. Errors: roster.file with the line of what is no JSON.
func parse(file, what string, raw []byte) (*node, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	n, err := d.Token()
	var root *node
	if err == nil {
		root, err = grow(d, n, 0)
	}
	if err != nil {
		at := next(d, raw)
		return nil, place(file, what, raw, at, saysOf(err, raw, at))
	}
	end := next(d, raw)
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, place(file, what, raw, end, "there is text after the end of the JSON value")
	}
	return root, nil
}

// next is where the token begins that the decoder has not read: after an error the one that is wrong. The offset of a
// json.SyntaxError is no help, it leaves out the tokens that were read before.
func next(d *json.Decoder, raw []byte) int {
	at := int(d.InputOffset())
	return at + len(raw[at:]) - len(bytes.TrimLeft(raw[at:], " \t\r\n"))
}

// saysOf is what is wrong, with what stands at the place.
func saysOf(err error, raw []byte, at int) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || !json.Valid(raw) && strings.Contains(err.Error(), "unexpected end") {
		return "the JSON ends before it is complete"
	}
	if fault.KindOf(err) == fault.Invalid {
		return fault.Of(err).Message
	}
	if rest := raw[at:]; len(rest) > 0 {
		line, _, _ := bytes.Cut(rest[:min(len(rest), 30)], []byte("\n"))
		return fmt.Sprintf("is no JSON from %q on: a comma, a quote, a bracket or a number is wrong there or before", strings.ToValidUTF8(string(line), "�"))
	}
	return "is no JSON"
}

// place is an error at a byte of the file, told by its line.
func place(file, what string, raw []byte, offset int, problem string) error {
	line := bytes.Count(raw[:offset], []byte("\n")) + 1
	return fault.Bad("roster.file", what, []fault.Field{{File: file, Row: line, Problem: problem}})
}

// grow reads what a token begins.
func grow(d *json.Decoder, begin json.Token, depth int) (*node, error) {
	switch t := begin.(type) {
	case json.Delim:
		return growInside(d, byte(t), depth+1)
	case string:
		return &node{kind: '"', text: t}, nil
	case json.Number:
		return &node{kind: '0', text: t.String()}, nil
	case bool:
		return &node{kind: 't', text: strconv.FormatBool(t)}, nil
	}
	return &node{kind: 'n', text: "null"}, nil
}

func growInside(d *json.Decoder, kind byte, depth int) (*node, error) {
	if depth > deepest {
		return nil, fault.New(fault.Invalid, "roster.file", "more than %d values lie in one another", deepest)
	}
	n := &node{kind: kind}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		if key, ok := t.(string); ok && kind == '{' {
			n.keys = append(n.keys, key)
			if t, err = d.Token(); err != nil {
				return nil, err
			}
		}
		kid, err := grow(d, t, depth)
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, kid)
	}
	_, err := d.Token() // the end
	return n, err
}

// says is the value for an error: text without its quotes, and no whole objects.
func (n *node) says() string {
	switch n.kind {
	case '{':
		return fmt.Sprintf("{…} of %d fields", len(n.keys))
	case '[':
		return fmt.Sprintf("[…] of %d values", len(n.kids))
	}
	return fault.Shorten(n.text)
}

// scalar reports whether the value is text, a number, true, false or null.
func (n *node) scalar() bool { return n.kind != '{' && n.kind != '[' }

// at finds the value of a path such as agents[2].skills[0].queue; nil where the file has none.
func (n *node) at(path string) *node {
	for path != "" {
		if path[0] == '[' {
			number, rest, _ := strings.Cut(path[1:], "]")
			i, err := strconv.Atoi(number)
			if err != nil || n.kind != '[' || i < 0 || i >= len(n.kids) {
				return nil
			}
			n, path = n.kids[i], rest
			continue
		}
		path = strings.TrimPrefix(path, ".")
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			end = len(path)
		}
		i := n.field(path[:end])
		if i < 0 {
			return nil
		}
		n, path = n.kids[i], path[end:]
	}
	return n
}

// field is the last field of a name in an object, the one that counts; -1 for none.
func (n *node) field(name string) int {
	if n.kind == '{' {
		for i := len(n.keys) - 1; i >= 0; i-- {
			if n.keys[i] == name {
				return i
			}
		}
	}
	return -1
}

// write is the JSON of the value without what was refused.
func (n *node) write(out *bytes.Buffer) {
	switch {
	case n.refuse || n.kind == 'n':
		out.WriteString("null")
	case n.kind == '"':
		out.Write(quoted(n.text))
	case n.kind == '{' || n.kind == '[':
		out.WriteByte(n.kind)
		for i, kid := range n.kids {
			if i > 0 {
				out.WriteByte(',')
			}
			if n.kind == '{' {
				out.Write(append(quoted(n.keys[i]), ':'))
			}
			kid.write(out)
		}
		out.WriteByte(n.kind + 2) // ] and } stand two after [ and {
	default:
		out.WriteString(n.text)
	}
}

func quoted(text string) []byte {
	raw, _ := json.Marshal(text) // text has no value that cannot be written
	return raw
}
