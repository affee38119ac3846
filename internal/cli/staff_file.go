package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"
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
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if text := bytes.TrimSpace(raw); len(text) == 0 || text[0] != '{' {
		var doc yaml.Node
		if err := yaml.Unmarshal(raw, &doc); err != nil {
			return unreadable(name, err, strings.TrimPrefix(err.Error(), "yaml: "))
		}
		if len(doc.Content) == 0 {
			return unreadable(name, nil, "it is empty")
		}
		value, err := plainValue(doc.Content[0])
		if err != nil {
			return unreadable(name, err, err.Error())
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
		return fault.Bad("staff.file", "input", []fault.Field{{File: name, Path: t.Field, Value: t.Value, Problem: "must be a " + t.Type.String()}})
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return unreadable(name, f, f.Message)
	}
	return unreadable(name, err, strings.TrimPrefix(err.Error(), "json: "))
}

// plainValue is a YAML document as JSON knows values: dates stay text.
func plainValue(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if _, twice := out[key]; twice {
				return nil, fault.New(fault.Invalid, "staff.file", "line %d: %s is there twice", n.Content[i].Line, key)
			}
			v, err := plainValue(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			out[key] = v
		}
		return out, nil
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, item := range n.Content {
			v, err := plainValue(item)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	case yaml.AliasNode:
		return plainValue(n.Alias)
	}
	return plainScalar(n)
}

func plainScalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		return strconv.ParseBool(strings.ToLower(n.Value))
	case "!!int", "!!float":
		var v float64
		if err := n.Decode(&v); err != nil {
			return nil, fault.New(fault.Invalid, "staff.file", "line %d: %q is no number", n.Line, n.Value)
		}
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value), nil
		}
		return v, nil
	default:
		return n.Value, nil
	}
}
