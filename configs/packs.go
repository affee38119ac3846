package configs

import (
	"bytes"
	"embed"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/internal/fault"
)

//go:embed calendars/*.yaml metrics/*.yaml
var packs embed.FS

var (
	packLine = regexp.MustCompile(`line (\d+): (.*)`)
	packType = regexp.MustCompile(` in type .*`)
)

// readPack decodes one embedded data file into out. An unknown key, a second document and a
// value of the wrong type are errors that name the file and the line.
func readPack(name string, out any) error {
	text, err := packs.ReadFile(name)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "config.pack", "the data file %s is not in this binary", name)
	}
	return decodePack(name, text, out)
}

func decodePack(name string, text []byte, out any) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(out); err != nil {
		return packFault(name, err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return fault.Bad("config.pack", "data file", []fault.Field{{File: name, Problem: "must hold one document"}})
	}
	return nil
}

func packFault(name string, err error) error {
	var bad []fault.Field
	for _, m := range packLine.FindAllStringSubmatch(err.Error(), -1) {
		row, _ := strconv.Atoi(m[1])
		bad = append(bad, fault.Field{File: name, Row: row, Problem: packType.ReplaceAllString(m[2], "")})
	}
	if len(bad) == 0 {
		bad = []fault.Field{{File: name, Problem: strings.TrimPrefix(err.Error(), "yaml: ")}}
	}
	return fault.Bad("config.pack", "data file", bad)
}
