// Package warehouse owns the measurements in ClickHouse: schema, import, 15-minute roll-ups and
// every question asked of them. It is the only importer of the ClickHouse client.
//
// It does not own the server process (clickhouseserver), file formats (kpi/chatlog), metric
// definitions (data in kpi) or contract terms: a limit or a window is a parameter of a question.
//
// Times: instants are stored in UTC to the millisecond, a finer part is cut off. A conversation,
// with all its rounds, counts in the 15-minute slot and business day of its StartedAt; time in an
// agent state counts in the slots it covers. A business day is the civil day in the business time
// zone, which is fixed when the warehouse is created. How an acknowledged batch comes to be there
// exactly once is told, crash by crash, in DESIGN.md.
//
// Nothing is read through the Warehouse itself, only through In(scope).
package warehouse

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi"
)

// Config of a Warehouse.
type Config struct {
	TimeZone    string        `json:"time_zone"`    // business time zone, default Asia/Shanghai
	Connections int           `json:"connections"`  // most open connections, default 16
	DialTimeout time.Duration `json:"dial_timeout"` // default 5 s
	RetryAfter  time.Duration `json:"retry_after"`  // told to callers while the engine is down, default 2 s
	Threads     int           `json:"threads"`      // most engine threads of one question, default 0 = its cores
}

// DefaultConfig is one that works.
func DefaultConfig() Config {
	return Config{TimeZone: "Asia/Shanghai", Connections: 16, DialTimeout: 5 * time.Second, RetryAfter: 2 * time.Second}
}

// Validate reports every bad field. Errors: warehouse.config.
func (c Config) Validate() error {
	var bad []fault.Field
	if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "" || c.TimeZone == "Local" {
		bad = append(bad, fault.Field{Path: "time_zone", Value: c.TimeZone, Problem: "must be a zone like Asia/Shanghai"})
	}
	if c.Connections < 1 || c.Connections > 1000 {
		bad = append(bad, fault.Field{Path: "connections", Problem: "must be from 1 to 1000"})
	}
	if c.DialTimeout <= 0 {
		bad = append(bad, fault.Field{Path: "dial_timeout", Problem: "must be more than 0"})
	}
	if c.RetryAfter < time.Second {
		bad = append(bad, fault.Field{Path: "retry_after", Problem: "must be at least 1 s"})
	}
	if c.Threads < 0 {
		bad = append(bad, fault.Field{Path: "threads", Problem: "must not be negative"})
	}
	return fault.Bad("warehouse.config", "warehouse configuration", bad)
}

// Source tells where the engine is now; the DSN may change at each restart. It must not block.
// The DSN is clickhouse://user:password@host:port/database.
type Source func() (dsn string, up bool)

// Fixed is the Source of an external server.
func Fixed(dsn string) Source { return func() (string, bool) { return dsn, true } }

// Warehouse is a handle for writing and upkeep; reading goes through In. It is safe for
// concurrent use.
type Warehouse struct {
	config      Config
	zone        *time.Location
	source      Source
	definitions kpi.Definitions

	mu     sync.Mutex // guards the three below
	dsn    string
	conn   clickhouse.Conn
	trying *attempt

	rules atomic.Pointer[ruleset]
	turns chan struct{} // holds one for each statement over raw events that runs

	beginning  sync.Mutex // one batch at a time takes a turn
	refreshing sync.Mutex // a second Refresh would only repeat the work; guards the one below
	unswept    int        // days recomputed since the last sweep
}

// Open makes a Warehouse. It connects and migrates when the engine is up; when it is down the
// first call after it comes up does. Errors: warehouse.config, warehouse.schema_newer,
// warehouse.time_zone, kpi.definition.changed; a down engine is not an error.
func Open(ctx context.Context, config Config, source Source, definitions kpi.Definitions) (*Warehouse, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(config.TimeZone)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "warehouse.config", "unknown time zone %q", config.TimeZone)
	}
	w := &Warehouse{config: config, zone: zone, source: source, definitions: definitions, turns: make(chan struct{}, refreshers(math.MaxInt))}
	w.SetShops(nil)
	if err := w.Ready(ctx); err != nil && fault.KindOf(err) != fault.Unavailable {
		return nil, err
	}
	return w, nil
}

// Zone is the business time zone.
func (w *Warehouse) Zone() *time.Location { return w.zone }

// Ready reports whether a question would be answered now. Errors: warehouse.down and those of Open.
func (w *Warehouse) Ready(ctx context.Context) error {
	conn, err := w.connection(ctx)
	if err != nil {
		return err
	}
	return w.classify(ctx, conn.Ping(ctx))
}

// Close gives the connections back.
func (w *Warehouse) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil {
		return nil
	}
	err := w.conn.Close()
	w.conn, w.dsn = nil, ""
	return err
}
