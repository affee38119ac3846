package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/internal/fault"
)

// readProblem reads the input of an engine from a file, JSON or YAML, "-" being standard input. The names
// of the fields are those of its JSON; one that there is not is refused, so that a misspelt one is not
// silently ignored. Errors: cli.file, staff.file.
func readProblem(in io.Reader, flag, name string, into any) error {
	if name == "" {
		return fault.New(fault.Invalid, "cli.file", "%s names the file to read", flag)
	}
	raw, err := os.ReadFile(name)
	if name == "-" {
		raw, err = io.ReadAll(in)
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "cli.file", "%s %s: cannot be read: %s", flag, name, reason(err))
	}
	if name == "-" {
		name = "standard input"
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	written := raw
	if text := bytes.TrimSpace(raw); len(text) == 0 || text[0] != '{' {
		var doc yaml.Node
		if err := yaml.Unmarshal(raw, &doc); err != nil {
			return unreadable(name, err, strings.TrimPrefix(err.Error(), "yaml: "))
		}
		if len(doc.Content) == 0 {
			return unreadable(name, nil, "it is empty")
		}
		value, bad := plainValue(doc.Content[0], "")
		if bad != nil {
			bad.File = name
			return fault.Bad("staff.file", "input", []fault.Field{*bad})
		}
		if raw, err = json.Marshal(value); err != nil {
			return unreadable(name, err, "it holds what JSON cannot")
		}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return notOfThisForm(name, written, raw, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return unreadable(name, nil, "there is more after the document")
	}
	return nil
}

func unreadable(name string, err error, why string) error {
	if err == nil {
		return fault.New(fault.Invalid, "staff.file", "%s: %s", name, why)
	}
	return fault.Wrap(err, fault.Invalid, "staff.file", "%s: %s", name, why)
}

// notOfThisForm names the field and the line of a decoding error where it can. written is the file, document the same as JSON.
func notOfThisForm(name string, written, document []byte, err error) error {
	place := func(path, value, problem string) error {
		key := path[strings.LastIndexByte(path, '.')+1:]
		key, _, _ = strings.Cut(key, "[")
		return fault.Bad("staff.file", "input", []fault.Field{{File: name, Row: lineOf(written, key, value), Path: path, Value: fault.Shorten(value), Problem: problem}})
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if t.Field == "" {
			return unreadable(name, err, fmt.Sprintf("it holds %s where a group of fields (name: value) belongs", formOfValue(t.Value)))
		}
		path, value := t.Field, formOfValue(t.Value)
		if at, text := leaf(document, func(at, text string) bool { return plainPath(at) == t.Field && !json.Valid([]byte(text)) }); at != "" {
			path, value = at, text
		}
		return place(path, value, "must be "+formOfField(t.Type))
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		wrong, _, _ := strings.Cut(strings.TrimPrefix(f.Message, `"`), `"`)
		if at, text := leaf(document, func(_, text string) bool { return text == wrong }); at != "" {
			return place(at, text, strings.TrimPrefix(strings.TrimPrefix(f.Message, `"`+wrong+`"`), " "))
		}
		return unreadable(name, f, f.Message)
	}
	if key, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		key = strings.Trim(key, `"`)
		return place(key, "", "is no field of this document")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return unreadable(name, err, "it ends in the middle: a bracket, a brace or a quote is not closed")
	}
	return unreadable(name, err, strings.TrimPrefix(err.Error(), "json: "))
}

// lineOf is the first line of a file that has a key and a value; 0 = none has.
func lineOf(written []byte, key, value string) int {
	n := 0
	for line := range bytes.Lines(written) {
		if n++; bytes.Contains(line, []byte(key)) && bytes.Contains(line, []byte(value)) {
			return n
		}
	}
	return 0
}

// leaf is the first value of a document, in its order, that is looked for: its path, such as a.b[2].c, and its text.
func leaf(document []byte, wanted func(at, text string) bool) (at, text string) {
	var root yaml.Node
	if yaml.Unmarshal(document, &root) != nil || len(root.Content) == 0 {
		return "", ""
	}
	var walk func(n *yaml.Node, path string) bool
	walk = func(n *yaml.Node, path string) bool {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if walk(n.Content[i+1], strings.TrimPrefix(path+"."+n.Content[i].Value, ".")) {
					return true
				}
			}
		case yaml.SequenceNode:
			for i, item := range n.Content {
				if walk(item, fmt.Sprintf("%s[%d]", path, i)) {
					return true
				}
			}
		case yaml.ScalarNode:
			if wanted(path, n.Value) {
				at, text = path, n.Value
				return true
			}
		}
		return false
	}
	walk(root.Content[0], "")
	return at, text
}

// plainPath is a path without the numbers of lists, as decoders tell it.
func plainPath(at string) string {
	for {
		before, rest, found := strings.Cut(at, "[")
		if !found {
			return at
		}
		_, after, _ := strings.Cut(rest, "]")
		at = before + after
	}
}

// formOfValue is what JSON calls a kind of value, in words.
func formOfValue(kind string) string {
	switch kind {
	case "string":
		return "a text"
	case "array":
		return "a list"
	case "object":
		return "a group of fields"
	case "bool":
		return "true or false"
	default:
		return kind
	}
}

// formOfField says what a field takes, without the names that the program has for it.
func formOfField(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Pointer:
		return formOfField(t.Elem())
	default:
		return "a group of fields"
	}
}

// plainValue is a YAML document as JSON knows values: dates stay text. bad is the first field that cannot be read.
func plainValue(n *yaml.Node, path string) (value any, bad *fault.Field) {
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			at := strings.TrimPrefix(path+"."+key, ".")
			if _, twice := out[key]; twice {
				return nil, &fault.Field{Row: n.Content[i].Line, Path: at, Problem: "is there twice"}
			}
			if out[key], bad = plainValue(n.Content[i+1], at); bad != nil {
				return nil, bad
			}
		}
		return out, nil
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, item := range n.Content {
			if out[i], bad = plainValue(item, fmt.Sprintf("%s[%d]", path, i)); bad != nil {
				return nil, bad
			}
		}
		return out, nil
	case yaml.AliasNode:
		return plainValue(n.Alias, path)
	}
	return plainScalar(n, path)
}

func plainScalar(n *yaml.Node, path string) (value any, bad *fault.Field) {
	no := func(problem string) (any, *fault.Field) {
		return nil, &fault.Field{Row: n.Line, Path: path, Value: n.Value, Problem: problem}
	}
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true"), nil
	case "!!int", "!!float":
		var v float64
		if err := n.Decode(&v); err != nil {
			return no("is no number")
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return no("must be a finite number")
		}
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value), nil
		}
		return v, nil
	default:
		return n.Value, nil
	}
}
