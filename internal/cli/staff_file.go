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
		return notOfThisForm(name, err)
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

// notOfThisForm names the field of a decoding error where it can.
func notOfThisForm(name string, err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if t.Field == "" {
			return unreadable(name, err, "it is "+t.Value+", not "+formOfField(t.Type))
		}
		return fault.Bad("staff.file", "input", []fault.Field{{File: name, Path: t.Field, Value: t.Value, Problem: "must be " + formOfField(t.Type)}})
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return unreadable(name, f, f.Message)
	}
	return unreadable(name, err, strings.TrimPrefix(err.Error(), "json: "))
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
