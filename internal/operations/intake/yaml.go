package intake

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/chaoban/chaoban/internal/fault"
)

const (
	maxYAML  = 4 << 20 // bytes of a mapping or contract file
	maxDepth = 32
)

// document is one YAML document decoded strictly: unknown and repeated keys and badly typed
// values are reported with their line, all at once.
type document struct {
	file  string
	root  *yaml.Node
	lines map[string]int // path -> line, to place later complaints about meaning
	bad   []fault.Field
}

// readYAML reads a whole file, drops a byte order mark, reads GBK as GBK, and splits documents.
func readYAML(name, code string, r io.Reader) ([]*document, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxYAML+1))
	if err != nil {
		return nil, unreadable(err, name)
	}
	if len(b) > maxYAML {
		return nil, refuse(fault.TooLarge, code, fault.Field{File: name, Problem: fmt.Sprintf("is larger than %d MB", maxYAML>>20)})
	}
	b = []byte(strings.TrimPrefix(string(b), string(utf8BOM)))
	if !utf8.Valid(b) {
		if b, err = simplifiedchinese.GB18030.NewDecoder().Bytes(b); err != nil {
			return nil, refuse(fault.Invalid, code, fault.Field{File: name, Problem: "is neither UTF-8 nor GBK text"})
		}
	}
	var out []*document
	decoder := yaml.NewDecoder(strings.NewReader(string(b)))
	for {
		var root yaml.Node
		err := decoder.Decode(&root)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, syntaxFault(name, code, err)
		}
		if root.Kind == yaml.DocumentNode && len(root.Content) == 1 && root.Content[0].Tag != "!!null" {
			out = append(out, &document{file: name, root: root.Content[0], lines: map[string]int{}})
		}
	}
	if len(out) == 0 {
		return nil, refuse(fault.Invalid, code, fault.Field{File: name, Problem: "is empty"})
	}
	return out, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func syntaxFault(name, code string, err error) error {
	place := fault.Field{File: name, Problem: "is not YAML: " + err.Error()}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		place.Row, _ = strconv.Atoi(m[1]) // 0 when the parser names no line
		place.Problem = "is not YAML: " + m[2]
	}
	return refuse(fault.Invalid, code, place)
}

// decode fills v, a pointer to a struct.
func (d *document) decode(v any) {
	d.value(d.root, reflect.ValueOf(v).Elem(), "", 0)
}

func (d *document) complain(n *yaml.Node, path, value, problem string) {
	d.bad = append(d.bad, fault.Field{File: d.file, Row: n.Line, Path: path, Value: fault.Shorten(value), Problem: problem})
}

// place gives complaints about meaning their file and line.
func (d *document) place(fields []fault.Field, prefix string) {
	for _, f := range fields {
		switch {
		case prefix == "" || f.Path == "":
			f.Path = prefix + f.Path
		default:
			f.Path = prefix + "." + f.Path
		}
		f.File = d.file
		for path := f.Path; f.Row == 0; {
			f.Row = d.lines[path]
			cut := strings.LastIndexAny(path, ".[")
			if cut < 0 {
				break
			}
			path = path[:cut]
		}
		d.bad = append(d.bad, f)
	}
}

func (d *document) value(n *yaml.Node, v reflect.Value, path string, depth int) {
	d.lines[path] = n.Line
	if n.Kind == yaml.AliasNode {
		d.complain(n, path, "*"+n.Value, "is an alias; write the value out")
		return
	}
	if depth > maxDepth {
		d.complain(n, path, "", "is nested too deeply")
		return
	}
	if n.Tag == "!!null" {
		return
	}
	if v.CanAddr() {
		if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
			d.text(n, u, path)
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		d.mapping(n, v, path, depth)
	case reflect.Slice:
		d.sequence(n, v, path, depth)
	case reflect.Map:
		d.table(n, v, path, depth)
	default:
		d.scalar(n, v, path)
	}
}

func (d *document) text(n *yaml.Node, u encoding.TextUnmarshaler, path string) {
	if n.Kind != yaml.ScalarNode {
		d.complain(n, path, "", "must be a single value")
		return
	}
	if err := u.UnmarshalText([]byte(n.Value)); err != nil {
		problem := "cannot be read"
		if e, ok := errors.AsType[*fault.Error](err); ok {
			problem = e.Message
		}
		d.complain(n, path, "", problem)
	}
}

func (d *document) scalar(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.complain(n, path, "", "must be a single value")
		return
	}
	if v.Kind() == reflect.String {
		v.SetString(n.Value)
		return
	}
	if !v.CanAddr() || n.Decode(v.Addr().Interface()) != nil {
		want := map[reflect.Kind]string{reflect.Bool: "true or false", reflect.Float64: "a number"}[v.Kind()]
		if want == "" {
			want = "a whole number"
		}
		d.complain(n, path, n.Value, "must be "+want)
	}
}

func (d *document) sequence(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.Kind == yaml.ScalarNode && v.Type().Elem().Kind() == reflect.String {
		v.Set(reflect.MakeSlice(v.Type(), 1, 1)) // one value where a list may stand
		d.value(n, v.Index(0), path, depth+1)
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.complain(n, path, "", "must be a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		d.value(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i), depth+1)
	}
}

func (d *document) table(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.Kind != yaml.MappingNode {
		d.complain(n, path, "", "must be a mapping of names to values")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, item := n.Content[i], n.Content[i+1]
		at := join(path, key.Value)
		k := reflect.ValueOf(key.Value).Convert(v.Type().Key())
		if v.MapIndex(k).IsValid() {
			d.complain(key, at, "", "is given twice")
			continue
		}
		e := reflect.New(v.Type().Elem()).Elem()
		d.value(item, e, at, depth+1)
		v.SetMapIndex(k, e)
	}
}

func (d *document) mapping(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.Kind != yaml.MappingNode {
		d.complain(n, path, n.Value, "must be a mapping of keys to values")
		return
	}
	if v.CanAddr() {
		if u, ok := v.Addr().Interface().(startsFrom); ok {
			u.StartFrom(func(key string) string { return valueOf(n, key) })
		}
	}
	known := map[string]reflect.Value{}
	fieldsOf(v, known)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, item := n.Content[i], n.Content[i+1]
		field, ok := known[key.Value]
		switch {
		case !ok:
			d.complain(key, join(path, key.Value), "", "is not a known key; known are "+strings.Join(names(known), ", "))
		case seen[key.Value]:
			d.complain(key, join(path, key.Value), "", "is given twice")
		default:
			seen[key.Value] = true
			d.value(item, field, join(path, key.Value), depth+1)
		}
	}
}

// startsFrom is a struct whose fields that a file leaves out depend on what the file names.
type startsFrom interface {
	StartFrom(name func(key string) string)
}

// valueOf is the plain value of a key of a mapping, empty for none.
func valueOf(n *yaml.Node, key string) string {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key && n.Content[i+1].Kind == yaml.ScalarNode {
			return n.Content[i+1].Value
		}
	}
	return ""
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func names(known map[string]reflect.Value) []string {
	out := make([]string, 0, len(known))
	for name := range known {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// fieldsOf lists the yaml keys of a struct, those of inlined structs included.
func fieldsOf(v reflect.Value, known map[string]reflect.Value) {
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if name == "" && v.Type().Field(i).IsExported() && v.Type().Field(i).Tag.Get("yaml") == "" {
			name = strings.ToLower(v.Type().Field(i).Name) // as the YAML library names it
		}
		switch {
		case options == "inline":
			fieldsOf(v.Field(i), known)
		case name != "" && name != "-":
			known[name] = v.Field(i)
		}
	}
}

// Document is a YAML file that was read into a value, with what is wrong with it so far.
type Document struct{ d *document }

// ReadYAML reads a file of one document strictly into a pointer: keys that are not known or given twice and values of
// the wrong kind are kept with their lines, for Err. What the file leaves out stays as it is; lists are replaced.
// Errors: code, for what is no YAML at all.
func ReadYAML(name, code string, r io.Reader, into any) (Document, error) {
	documents, err := readYAML(name, code, r)
	if err != nil {
		return Document{}, err
	}
	d := documents[0]
	d.decode(into)
	if len(documents) > 1 {
		d.complain(documents[1].root, "", "", "is a second document; the file may hold one")
	}
	return Document{d}, nil
}

// Err is everything wrong with the file: its shape, and what meaning, the error of a Validate of the value, adds
// where the shape is right. Both keep the code of meaning where there is one.
func (x Document) Err(code string, meaning error) error {
	d := x.d
	shape := len(d.bad)
	if meaning != nil {
		e := fault.Of(meaning)
		if len(e.Fields) == 0 && shape == 0 {
			return meaning
		}
		d.place(e.Fields, "")
		code = e.Code
	}
	followed := func(f fault.Field) bool {
		return slices.ContainsFunc(d.bad[:shape], func(s fault.Field) bool {
			rest, ok := strings.CutPrefix(f.Path, s.Path)
			return s.Path != "" && ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
		})
	}
	told := slices.Clone(d.bad[:shape])
	for _, f := range d.bad[shape:] {
		if !followed(f) {
			told = append(told, f)
		}
	}
	return fault.Bad(code, x.d.file, told)
}
