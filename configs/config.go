// Package configs owns what an operator may set: the default file, the loader and the data
// packs (holidays, promotions, metric definitions) that ship with the binary.
//
// A value comes from, later wins: the built-in default.yaml, one YAML file, the environment
// (CHAOBAN__HTTP__LISTEN sets http.listen). An unknown key anywhere is an error.
package configs

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/httpapi"
	"github.com/chaoban/chaoban/internal/jobs"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

//go:embed default.yaml
var defaults []byte

const envPrefix = "CHAOBAN__"

// Config is the whole configuration of one process.
type Config struct {
	DataDir    string            `yaml:"data_dir"`  // embedded stores live here
	TimeZone   string            `yaml:"time_zone"` // business time zone, IANA name
	Log        Log               `yaml:"log"`
	Store      store.Config      `yaml:"store"`
	Warehouse  Warehouse         `yaml:"warehouse"`
	Engine     Engine            `yaml:"engine"`
	Operations operations.Config `yaml:"operations"`
	HTTP       httpapi.Config    `yaml:"http"`
	Jobs       jobs.Config       `yaml:"jobs"`
}

// Log says what is logged and how.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // text or json
}

// Warehouse says where the measurements live.
type Warehouse struct {
	DSN         string `yaml:"dsn"`         // empty = the embedded engine
	Connections int    `yaml:"connections"` // most open connections
}

// Client is the configuration of the ClickHouse client in a business time zone.
func (w Warehouse) Client(zone string) warehouse.Config {
	c := warehouse.DefaultConfig()
	c.TimeZone, c.Connections = zone, w.Connections
	return c
}

// Engine sets up the embedded ClickHouse; it is not started when warehouse.dsn is set.
type Engine struct {
	Library string `yaml:"library"` // path of libchdb.so; empty = the user cache directory
	Memory  int64  `yaml:"memory"`  // upper limit in MiB
}

// Load reads the default, an optional file and the environment, and validates the result.
func Load(path string, environ []string) (Config, error) {
	var c Config
	if err := decode("default.yaml", bytes.NewReader(defaults), &c); err != nil {
		return Config{}, err
	}
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return Config{}, fault.Wrap(err, fault.NotFound, "config.file", "the configuration file %s cannot be read", path)
		}
		defer f.Close()
		if err := decode(filepath.Base(path), f, &c); err != nil {
			return Config{}, err
		}
	}
	if err := overlay(environ, &c); err != nil {
		return Config{}, err
	}
	return c, c.Validate()
}

var lineOf = regexp.MustCompile(`line (\d+): (.*)`)

// decode reads one YAML document over c, refusing keys that c does not have.
func decode(name string, r io.Reader, c *Config) error {
	d := yaml.NewDecoder(r)
	d.KnownFields(true)
	err := d.Decode(c)
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	var fields []fault.Field
	for _, m := range lineOf.FindAllStringSubmatch(err.Error(), -1) {
		row, _ := strconv.Atoi(m[1])
		problem := regexp.MustCompile(` in type .*`).ReplaceAllString(m[2], "")
		fields = append(fields, fault.Field{File: name, Row: row, Problem: problem})
	}
	if len(fields) == 0 {
		fields = []fault.Field{{File: name, Problem: strings.TrimPrefix(err.Error(), "yaml: ")}}
	}
	return fault.Bad("config.invalid", "configuration", fields)
}

// overlay turns CHAOBAN__A__B=value into the document {a: {b: value}} and decodes it like a file.
func overlay(environ []string, c *Config) error {
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		rest, ok := strings.CutPrefix(name, envPrefix)
		if !ok {
			continue
		}
		var doc any = &yaml.Node{Kind: yaml.ScalarNode, Value: value}
		keys := strings.Split(strings.ToLower(rest), "__")
		for i := len(keys) - 1; i >= 0; i-- {
			doc = map[string]any{keys[i]: doc}
		}
		text, err := yaml.Marshal(doc)
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "config.invalid", "the environment variable %s cannot be used", name)
		}
		if err := decode("environment "+name, bytes.NewReader(text), c); err != nil {
			return err
		}
	}
	return nil
}

// Validate checks every component and reports all bad fields.
func (c Config) Validate() error {
	var bad []fault.Field
	if c.DataDir == "" {
		bad = append(bad, fault.Field{Path: "data_dir", Problem: "must name a directory"})
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "" {
		bad = append(bad, fault.Field{Path: "time_zone", Value: c.TimeZone, Problem: "is not an IANA time zone"})
	}
	if c.Engine.Memory < 512 {
		bad = append(bad, fault.Field{Path: "engine.memory", Value: fmt.Sprint(c.Engine.Memory), Problem: "must be at least 512 MiB"})
	}
	for path, err := range map[string]error{
		"store": c.Store.Validate(), "warehouse": c.Warehouse.Client(c.TimeZone).Validate(),
		"operations": c.Operations.Validate(), "http": c.HTTP.Validate(), "jobs": c.Jobs.Validate(),
	} {
		if err == nil {
			continue
		}
		for _, f := range fault.Of(err).Fields {
			f.Path = path + "." + f.Path
			bad = append(bad, f)
		}
	}
	return fault.Bad("config.invalid", "configuration", bad)
}

// Zone is the business time zone; Validate has proved that it loads.
func (c Config) Zone() *time.Location {
	loc, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return time.UTC
	}
	return loc
}

var secretInDSN = regexp.MustCompile(`(://[^:/@\s]*:)[^@\s]*(@)`)

// Masked renders the effective configuration as YAML with passwords in DSNs replaced.
func (c Config) Masked() string {
	text, err := yaml.Marshal(c)
	if err != nil {
		return ""
	}
	masked := secretInDSN.ReplaceAllString(string(text), "${1}******${2}")
	return regexp.MustCompile(`(?im)((?:password|secret|token)[a-z_]*[=:]\s*)[^\s&]+`).ReplaceAllString(masked, "${1}******")
}
