package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/internal/fault"
)

const envPrefix = "CHAOBAN__"

// Load reads the default, an optional file and the environment, and validates the result. What is
// wrong with the file, with the environment and with the values is reported together.
// Errors: config.file, config.invalid.
func Load(path string, environ []string) (Config, error) {
	var c Config
	bad := decode("default.yaml", defaults, &c)
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return Config{}, fault.Wrap(err, fault.NotFound, "config.file", "the configuration file %s cannot be read", path)
		}
		bad = append(bad, decode(path, text, &c)...)
	}
	bad = append(bad, overlay(environ, &c)...)
	bad = append(bad, c.problems()...)
	if len(bad) > 0 {
		return Config{}, fault.Bad("config.invalid", "configuration", bad)
	}
	return c, nil
}

// decode reads one YAML document over c, refusing keys that c does not have and a second document.
// An empty document changes nothing.
func decode(name string, text []byte, c *Config) []fault.Field {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	switch err := d.Decode(c); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fault.Of(packFault(name, err)).Fields
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return []fault.Field{{File: name, Problem: "must hold one document"}}
	}
	return nil
}

// overlay sets what variables like CHAOBAN__A__B=value name: the key a.b.
func overlay(environ []string, c *Config) []fault.Field {
	var bad []fault.Field
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		rest, ok := strings.CutPrefix(name, envPrefix)
		if !ok {
			continue
		}
		path := strings.ReplaceAll(strings.ToLower(rest), "__", ".")
		if problem := set(reflect.ValueOf(c).Elem(), strings.Split(path, "."), value); problem != "" {
			bad = append(bad, fault.Field{File: "environment " + name, Path: path, Problem: problem})
		}
	}
	return bad
}

// set writes a value to the field that the keys lead to, and returns what is wrong with it. A text
// is taken as it is; it is never read as YAML, where a password may mean something else.
func set(at reflect.Value, keys []string, value string) (problem string) {
	switch at.Kind() {
	case reflect.Struct:
		names := keysOf(at.Type())
		if len(keys) == 0 {
			return "is a group; its settings are " + strings.Join(names, ", ")
		}
		i := slices.Index(names, keys[0])
		if i < 0 {
			return fmt.Sprintf("%q is not a setting; there are %s", keys[0], strings.Join(names, ", "))
		}
		return set(at.Field(i), keys[1:], value)
	case reflect.Map: // of texts by name, as in jobs.schedules
		if len(keys) != 1 {
			return "needs one name after it"
		}
		if at.IsNil() {
			at.Set(reflect.MakeMap(at.Type()))
		}
		at.SetMapIndex(reflect.ValueOf(keys[0]), reflect.ValueOf(value))
		return ""
	}
	if len(keys) > 0 {
		return fmt.Sprintf("%q is not a setting", keys[0])
	}
	return setScalar(at, value)
}

func setScalar(at reflect.Value, value string) (problem string) {
	if at.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(value)
		if err != nil {
			return "must be a duration like 30s or 12h"
		}
		at.SetInt(int64(d))
		return ""
	}
	switch at.Kind() {
	case reflect.String:
		at.SetString(value)
	case reflect.Bool:
		b, err := strconv.ParseBool(value)
		if err != nil {
			return "must be true or false"
		}
		at.SetBool(b)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(value, 10, at.Type().Bits())
		if err != nil {
			return "must be a whole number"
		}
		at.SetInt(n)
	default:
		return "cannot be set in the environment"
	}
	return ""
}

// keysOf lists the YAML keys of a struct, one per field.
func keysOf(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i], _, _ = strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
	}
	return names
}
