package margin

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/chaoban/chaoban/internal/fault"
)

// maxInput is the largest file that ReadInput takes, bytes.
const maxInput = 256 << 20

// ReadInput reads one JSON document; DESIGN.md of staffing and the types document every field. An unknown field
// is an error, so that a misspelt one is not silently ignored. It does not validate. Errors: margin.format.
func ReadInput(r io.Reader) (Input, error) {
	d := json.NewDecoder(io.LimitReader(r, maxInput))
	d.DisallowUnknownFields()
	var in Input
	if err := d.Decode(&in); err != nil {
		e := fault.Wrap(err, fault.Invalid, "margin.format", "not an input of this form: %s", fault.Shorten(err.Error()))
		if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			e.Fields = []fault.Field{{Path: t.Field, Value: t.Value, Problem: "must be a " + t.Type.String()}}
		}
		return Input{}, e
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Input{}, fault.New(fault.Invalid, "margin.format", "there is more after the document")
	}
	return in, nil
}
