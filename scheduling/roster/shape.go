package roster

import (
	"cmp"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// shapes says what the values of a type look like in a file.
var shapes = map[reflect.Type]string{
	reflect.TypeFor[duration]():      `must be a length of time with its unit in quotes, such as "8h" or "1h30m"`,
	reflect.TypeFor[clockTime]():     `must be a clock time in quotes, such as "08:30"`,
	reflect.TypeFor[calendar.Date](): `must be a date in quotes, such as "2026-11-09"`,
	reflect.TypeFor[time.Time]():     `must be an instant with its offset in quotes, such as "2026-11-09T09:00:00+08:00"`,
}

// fitting walks values beside the types that they are read into, and complains of everything that does not fit:
// types, names that are no field, and names that stand twice. What does not fit is refused, so that the rest can be
// read.
type fitting struct {
	bad   *complaints
	known map[reflect.Type]shape
}

// shape is what is known of a type.
type shape struct {
	says  string // of values that read themselves
	alone bool   // it reads itself
	names []string
	types []reflect.Type
	at    map[string]int
}

// trail is where a value stands; it is put into words only for a complaint.
type trail struct {
	in    *trail
	name  string
	index int // of a list where name is empty
}

// String is the path, such as agents[2].skills[0].queue.
func (t *trail) String() string {
	switch {
	case t == nil:
		return ""
	case t.name == "":
		return fmt.Sprintf("%s[%d]", t.in, t.index)
	case t.in.String() == "":
		return t.name
	}
	return t.in.String() + "." + t.name
}

// fit complains of a value of a file and of all that lies in it. root is its path.
func fit(n *node, t reflect.Type, root string, bad *complaints) {
	f := fitting{bad: bad, known: map[reflect.Type]shape{}}
	var at *trail
	if root != "" {
		at = &trail{name: root}
	}
	f.fit(n, t, at)
}

func (f *fitting) fit(n *node, t reflect.Type, at *trail) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	shape := f.shapeOf(t)
	if n.kind == 'n' {
		// Lists and objects of nothing are how results write that there is none; a value of nothing is a mistake.
		if k := t.Kind(); shape.alone || k != reflect.Struct && k != reflect.Slice && k != reflect.Map {
			f.no(n, at, "must not be null: leave the field out, or give a value")
		}
		return
	}
	switch {
	case shape.alone:
		if into := reflect.New(t).Interface(); !n.scalar() || json.Unmarshal(n.raw(), into) != nil {
			f.no(n, at, shape.says)
		}
	case t.Kind() == reflect.Struct:
		f.fitStruct(n, shape, at)
	case t.Kind() == reflect.Slice:
		if n.kind != '[' {
			f.no(n, at, "must be a list in brackets: […]")
			return
		}
		for i, kid := range n.kids {
			f.fit(kid, t.Elem(), &trail{in: at, index: i})
		}
	case t.Kind() == reflect.Array:
		if n.kind != '[' || len(n.kids) != t.Len() {
			f.no(n, at, fmt.Sprintf("must be a list of %d values in brackets", t.Len()))
			return
		}
		for i, kid := range n.kids {
			f.fit(kid, t.Elem(), &trail{in: at, index: i})
		}
	case t.Kind() == reflect.Map:
		f.fitMap(n, t.Elem(), at)
	default:
		if says := fitScalar(n, t); says != "" {
			f.no(n, at, says)
		}
	}
}

// fitMap is for objects whose names the file chooses.
func (f *fitting) fitMap(n *node, t reflect.Type, at *trail) {
	if n.kind != '{' {
		f.no(n, at, "must be an object in braces: {…}")
		return
	}
	seen := map[string]bool{}
	for i, key := range n.keys {
		where := &trail{in: at, name: key}
		if seen[key] {
			f.bad.add(where.String(), n.kids[i].says(), "stands twice")
		}
		seen[key] = true
		f.fit(n.kids[i], t, where)
	}
}

func (f *fitting) no(n *node, at *trail, says string) {
	n.refuse = true
	f.bad.add(at.String(), n.says(), "%s", says)
}

func (f *fitting) shapeOf(t reflect.Type) shape {
	if s, ok := f.known[t]; ok {
		return s
	}
	pointer := reflect.PointerTo(t)
	s := shape{alone: pointer.Implements(reflect.TypeFor[json.Unmarshaler]()) || pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())}
	switch says, ok := shapes[t]; {
	case ok:
		s.says, s.alone = says, true
	case s.alone:
		s.says = "cannot be read"
	case t.Kind() == reflect.Struct:
		s.names, s.types = fieldsOf(t)
		s.at = map[string]int{}
		for i, name := range s.names {
			s.at[name] = i
		}
	}
	f.known[t] = s
	return s
}

func (n *node) raw() []byte {
	if n.kind == '"' {
		return quoted(n.text)
	}
	return []byte(n.text)
}

// fitScalar says what is wrong with a value of a plain type; "" when nothing is.
func fitScalar(n *node, t reflect.Type) string {
	switch k := t.Kind(); k {
	case reflect.String:
		if n.kind != '"' {
			return "must be text in quotes"
		}
	case reflect.Bool:
		if n.kind != 't' {
			return "must be true or false, without quotes"
		}
	case reflect.Float32, reflect.Float64:
		if n.kind != '0' {
			return "must be a number, without quotes"
		}
		if _, err := strconv.ParseFloat(n.text, t.Bits()); err != nil {
			return "is too large a number"
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if _, err := strconv.ParseInt(n.text, 10, t.Bits()); n.kind != '0' || err != nil {
			return "must be a whole number, without quotes"
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if _, err := strconv.ParseUint(n.text, 10, t.Bits()); n.kind != '0' || err != nil {
			return "must be a whole number of 0 or more, without quotes"
		}
	}
	return ""
}

func (f *fitting) fitStruct(n *node, s shape, at *trail) {
	if n.kind != '{' {
		f.no(n, at, "must be an object in braces: {…}")
		return
	}
	seen := make([]bool, len(s.names))
	for i, key := range n.keys {
		k, known := s.at[key]
		where := &trail{in: at, name: key}
		switch same := slices.IndexFunc(s.names, func(name string) bool { return strings.EqualFold(name, key) }); {
		case !known && same >= 0:
			n.kids[i].refuse = true
			f.bad.add(where.String(), n.kids[i].says(), "must be written %s", s.names[same])
			continue
		case !known:
			n.kids[i].refuse = true
			f.bad.add(where.String(), n.kids[i].says(), "is no field here; there are %s", strings.Join(s.names, ", "))
			continue
		case seen[k]:
			f.bad.add(where.String(), n.kids[i].says(), "stands twice")
		}
		seen[k] = true
		f.fit(n.kids[i], s.types[k], where)
	}
}

// fieldsOf lists the names of an object in files with their types; those of an embedded one are its own.
func fieldsOf(t reflect.Type) (names []string, types []reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			inner, its := fieldsOf(f.Type)
			names, types = append(names, inner...), append(types, its...)
		case f.IsExported() && name != "-":
			names, types = append(names, cmp.Or(name, f.Name)), append(types, f.Type)
		}
	}
	return names, types
}

// followed reports whether a complaint only follows from one about the shape of the same value, or of what it
// lies in or is made of.
func followed(path string, shape []fault.Field) bool {
	for _, f := range shape {
		if within(path, f.Path) {
			return true
		}
	}
	return false
}

// within reports whether a path is another one or lies in it.
func within(path, other string) bool {
	rest, ok := strings.CutPrefix(path, other)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
