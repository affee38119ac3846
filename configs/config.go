// Package configs owns what an operator may set: the default file, the loader and the data
// packs (holidays, promotions, metric definitions) that ship with the binary.
//
// A value comes from, later wins: the built-in default.yaml, one YAML file, the environment
// (CHAOBAN__HTTP__LISTEN sets http.listen). An unknown key anywhere is an error that names the file
// and line or the variable. Passwords occur in DSNs only; no error and no listing shows one.
package configs

import (
	_ "embed"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the business time zone must load on a machine without a zone database

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

// Config is the whole configuration of one process.
type Config struct {
	DataDir    string            `yaml:"data_dir"`    // embedded stores live here
	TimeZone   string            `yaml:"time_zone"`   // business time zone, IANA name
	MetricsDir string            `yaml:"metrics_dir"` // metric packs of the operator; empty = the shipped ones only
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

// Validate checks every component and reports all bad fields, in the order of the keys. No value
// in it holds a password. Errors: config.invalid.
func (c Config) Validate() error {
	return fault.Bad("config.invalid", "configuration", c.problems())
}

func (c Config) problems() []fault.Field {
	var bad []fault.Field
	report := func(path, value, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: value, Problem: problem})
	}
	if strings.TrimSpace(c.DataDir) == "" {
		report("data_dir", c.DataDir, "must name a directory")
	}
	zone := c.TimeZone
	if _, err := time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
		report("time_zone", zone, "is not an IANA time zone like Asia/Shanghai")
		zone = warehouse.DefaultConfig().TimeZone // so that the warehouse does not report it again
	}
	if new(slog.Level).UnmarshalText([]byte(c.Log.Level)) != nil {
		report("log.level", c.Log.Level, "must be debug, info, warn or error")
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		report("log.format", c.Log.Format, "must be text or json")
	}
	if !warehouseAddress(c.Warehouse.DSN) {
		report("warehouse.dsn", maskDSN(c.Warehouse.DSN), "must be like clickhouse://user:password@host:9000/database")
	}
	if c.Engine.Memory < 512 || c.Engine.Memory > maxEngineMemory {
		report("engine.memory", fmt.Sprint(c.Engine.Memory), fmt.Sprintf("must be from 512 to %d MiB", maxEngineMemory))
	}
	for _, part := range []struct {
		path string
		err  error
	}{
		{"store", c.Store.Validate()},
		{"warehouse", c.Warehouse.Client(zone).Validate()},
		{"operations", c.Operations.Validate()},
		{"http", c.HTTP.Validate()},
		{"jobs", c.Jobs.Validate()},
	} {
		if part.err == nil {
			continue
		}
		for _, f := range fault.Of(part.err).Fields {
			f.Path = part.path + "." + f.Path
			if f.Path == "store.dsn" {
				f.Value = maskDSN(c.Store.DSN)
			}
			bad = append(bad, f)
		}
	}
	return bad
}

// maxEngineMemory is 16 TiB in MiB, more than any machine has and far from an overflow.
const maxEngineMemory = 16 << 20

// warehouseSchemes are those that the ClickHouse client tells apart.
var warehouseSchemes = []string{"clickhouse", "tcp", "native", "http", "https"}

// warehouseAddress tells whether a DSN has a known scheme and a host; the client judges the rest when
// it connects. net/url is no judge of it: several hosts with ports, which the client takes, are not
// a URL.
func warehouseAddress(dsn string) bool {
	if dsn == "" { // the embedded engine
		return true
	}
	scheme, rest, _ := strings.Cut(dsn, "://")
	host := rest[strings.LastIndex(rest, "@")+1:]
	return slices.Contains(warehouseSchemes, scheme) && host != "" && !strings.ContainsAny(host[:1], "/?#:")
}

// Zone is the business time zone; Validate has proved that it loads.
func (c Config) Zone() *time.Location {
	loc, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// Masked renders the effective configuration as YAML with every password in it replaced.
func (c Config) Masked() string {
	c.Store.DSN, c.Warehouse.DSN = maskDSN(c.Store.DSN), maskDSN(c.Warehouse.DSN)
	text, err := yaml.Marshal(c)
	if err != nil {
		return ""
	}
	return string(text)
}
