package intake

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/internal/fault"
)

// ToBeNamed stands in a saved mapping where the file says nothing and the user must. An import
// refuses it as a name nobody knows.
const ToBeNamed = "TO-BE-NAMED"

type savedMapping struct {
	Kind      Kind                   `yaml:"kind"`
	Sheet     string                 `yaml:"sheet,omitempty"`
	HeaderRow int                    `yaml:"header_row,omitempty"`
	DataRow   int                    `yaml:"data_row,omitempty"`
	Encoding  string                 `yaml:"encoding,omitempty"`
	Delimiter string                 `yaml:"delimiter,omitempty"`
	TimeZone  string                 `yaml:"time_zone,omitempty"`
	NoData    []string               `yaml:"no_data,omitempty,flow"`
	Skip      map[string][]string    `yaml:"skip,omitempty"`
	Columns   map[string]savedColumn `yaml:"columns,omitempty"`
	Constants map[string]string      `yaml:"constants,omitempty"`
}

type savedColumn struct {
	From    []string          `yaml:"from,flow"`
	Format  string            `yaml:"format,omitempty"`
	Unit    string            `yaml:"unit,omitempty"`
	Map     map[string]string `yaml:"map,omitempty"`
	Default string            `yaml:"default,omitempty"`
}

// Save writes a mapping as a file that ParseMapping reads, with what is doubtful as comments above.
// A constant without a value is written as ToBeNamed. Errors: intake.save.
func (m Mapping) Save(w io.Writer, doubts []string) error {
	saved := savedMapping{
		Kind: m.Kind, Sheet: m.Sheet, HeaderRow: m.HeaderRow, DataRow: m.DataRow, Encoding: m.Encoding, Delimiter: m.Delimiter, TimeZone: m.TimeZone,
		NoData: m.NoData, Skip: m.Skip, Columns: map[string]savedColumn{}, Constants: map[string]string{},
	}
	for field, c := range m.Columns {
		saved.Columns[field] = savedColumn(c)
	}
	for field, value := range m.Constants {
		if value == "" {
			value = ToBeNamed
		}
		saved.Constants[field] = value
	}
	var out bytes.Buffer
	for _, d := range doubts {
		fmt.Fprintf(&out, "# %s\n", strings.Map(func(r rune) rune {
			if r < ' ' || r == '\u0085' || r == '\u2028' || r == '\u2029' {
				return ' ' // a comment ends at the end of its line
			}
			return r
		}, d))
	}
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	err := encoder.Encode(saved)
	if err == nil {
		_, err = w.Write(out.Bytes())
	}
	if err != nil {
		return fault.Wrap(err, fault.Internal, "intake.save", "the mapping cannot be written")
	}
	return nil
}
