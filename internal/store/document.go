package store

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// Meta is what a reader needs to notice changes and to change safely.
type Meta struct {
	Version   int       `json:"version"` // 1, 2, 3 ...; grows by one with every real change
	UpdatedAt time.Time `json:"updated_at"`
}

// ETag is the strong entity tag of the version, in quotes as HTTP wants it.
func (m Meta) ETag() string {
	return fmt.Sprintf("%q", fmt.Sprintf("%d-%d", m.Version, micros(m.UpdatedAt)))
}

// Stored is a domain value with its Meta.
type Stored[T any] struct {
	Value T `json:"value"`
	Meta
}

// What a change may expect of the version that is there.
const (
	AnyVersion = 0  // whatever is there, or nothing
	NewOnly    = -1 // nothing is there yet
)

// stamp is the columns of Meta.
type stamp struct {
	Version   int   `bun:"version"`
	UpdatedAt int64 `bun:"updated_at"`
}

func (s stamp) meta() Meta { return Meta{s.Version, instant(s.UpdatedAt)} }

// admit decides what a write means: an error when the expectation fails, no change when the
// document is the same, otherwise the next stamp. had tells whether old exists.
func admit(kind, id string, had bool, old stamp, same bool, expect int, now time.Time) (stamp, bool, error) {
	switch {
	case id == "":
		return stamp{}, false, fault.Bad("store.invalid", kind, []fault.Field{{Path: "id", Problem: "is empty"}})
	case expect == NewOnly && had:
		return stamp{}, false, fault.New(fault.Conflict, ErrConflict.Code, "the %s %q exists already", kind, id)
	case expect > 0 && !had:
		return stamp{}, false, missing(kind, id)
	case expect > 0 && old.Version != expect:
		return stamp{}, false, fault.New(fault.Conflict, ErrConflict.Code,
			"the %s %q is at version %d, the change was made from version %d", kind, id, old.Version, expect)
	case had && same:
		return old, false, nil
	}
	return stamp{old.Version + 1, micros(now)}, true, nil
}

// encode writes a document: JSON with every instant in UTC and cut to microseconds, so that equal
// values give equal text whatever zone they came in.
func encode[T any](v T) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "store.document", "this cannot be written as JSON")
	}
	var own T // a copy: the caller's value stays as it is
	if err := json.Unmarshal(raw, &own); err != nil {
		return "", fault.Wrap(err, fault.Invalid, "store.document", "this cannot be read back from JSON")
	}
	toUTC(reflect.ValueOf(&own).Elem())
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(own); err != nil {
		return "", fault.Wrap(err, fault.Invalid, "store.document", "this cannot be written as JSON")
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

func decode[T any](doc string) (T, error) {
	var v T
	if err := json.Unmarshal([]byte(doc), &v); err != nil {
		return v, fault.Wrap(err, fault.Internal, "store.document", "a stored document cannot be read")
	}
	return v, nil
}

var timeType = reflect.TypeFor[time.Time]()

// toUTC walks a value and puts every instant into UTC, cut to microseconds.
func toUTC(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == timeType {
			if v.CanSet() {
				v.Set(reflect.ValueOf(v.Interface().(time.Time).UTC().Truncate(time.Microsecond)))
			}
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				toUTC(v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		if k := v.Type().Elem().Kind(); k == reflect.Struct || k == reflect.Slice || k == reflect.Array || k == reflect.Pointer {
			for i := range v.Len() {
				toUTC(v.Index(i))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			toUTC(v.Elem())
		}
	}
}

// pack compresses a document; the same text gives the same bytes.
func pack(doc string) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, doc); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func unpack[T any](b []byte) (T, error) {
	var v T
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err == nil {
		err = json.NewDecoder(r).Decode(&v)
	}
	if err != nil {
		return v, fault.Wrap(err, fault.Internal, "store.document", "a stored document cannot be read")
	}
	return v, nil
}

// packDocument encodes and compresses, and returns the SHA-256 of the uncompressed text in hex.
func packDocument[T any](v T) (packed []byte, sum string, err error) {
	doc, err := encode(v)
	if err != nil {
		return nil, "", err
	}
	packed, err = pack(doc)
	return packed, digest(doc), err
}

// digest is the SHA-256 of a text in hex.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// changedFields names the top-level fields in which two documents differ, sorted.
func changedFields(before, after string) []string {
	var a, b map[string]json.RawMessage
	if json.Unmarshal([]byte(before), &a) != nil || json.Unmarshal([]byte(after), &b) != nil {
		return nil
	}
	var names []string
	for name, value := range b {
		if !bytes.Equal(a[name], value) {
			names = append(names, name)
		}
	}
	for name := range a {
		if _, ok := b[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// rawOrNull keeps JSON that a caller computed; empty becomes null, broken is refused.
func rawOrNull(raw json.RawMessage, what string) (string, error) {
	if len(raw) == 0 {
		return "null", nil
	}
	var out bytes.Buffer
	if err := json.Compact(&out, raw); err != nil {
		return "", fault.Wrap(err, fault.Invalid, "store.document", "%s is not JSON", what)
	}
	return out.String(), nil
}

// canonical is JSON that a caller computed in the one text that all equal documents share: keys
// sorted, no spaces, numbers as they were written. Empty or broken JSON is refused.
func canonical(raw json.RawMessage, what string) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var v any
	err := decoder.Decode(&v)
	if err != nil || decoder.More() {
		return "", fault.Wrap(err, fault.Invalid, "store.document", "%s is not JSON", what)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", fault.Wrap(err, fault.Invalid, "store.document", "%s cannot be written as JSON", what)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// forever is the Until of an open-ended period at rest, so that periods compare as text.
const forever = "9999-12-31"

// untilText is the end of a period at rest.
func untilText(d calendar.Date) string {
	if d.IsZero() {
		return forever
	}
	return d.String()
}

// clean makes a free text storable in both engines: valid UTF-8 without zero bytes.
func clean(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD")
}
