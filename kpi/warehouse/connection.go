package warehouse

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/fault"
)

// attempt is one try to connect that everybody who waits for it shares: when a host does not
// answer, a hundred callers wait one dial time-out, not a hundred.
type attempt struct {
	done chan struct{}
	conn clickhouse.Conn
	err  error
}

// connection returns a connection pool to where the engine is now. When the DSN has changed it
// connects anew, migrates and checks the time zone first.
func (w *Warehouse) connection(ctx context.Context) (clickhouse.Conn, error) {
	dsn, up := w.source()
	if !up {
		return nil, w.down(errors.New("the source says that the engine is down"))
	}
	w.mu.Lock()
	if w.conn != nil && w.dsn == dsn {
		defer w.mu.Unlock()
		return w.conn, nil
	}
	try := w.trying
	if try == nil {
		try = &attempt{done: make(chan struct{})}
		w.trying = try
		// The attempt outlives its first caller, since others wait for it.
		go w.reconnect(context.WithoutCancel(ctx), dsn, try)
	}
	w.mu.Unlock()
	select {
	case <-try.done:
		return try.conn, try.err
	case <-ctx.Done():
		return nil, w.classify(ctx, ctx.Err())
	}
}

func (w *Warehouse) reconnect(ctx context.Context, dsn string, try *attempt) {
	ctx, cancel := context.WithTimeout(ctx, w.config.DialTimeout+migrationTime)
	defer cancel()
	conn, err := w.connect(ctx, dsn)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trying = nil
	defer close(try.done)
	if err != nil {
		if ctx.Err() != nil {
			err = w.down(err)
		}
		try.err = w.classify(ctx, err)
		return
	}
	if w.conn != nil {
		_ = w.conn.Close() // to an engine that is gone
	}
	w.conn, w.dsn, try.conn = conn, dsn, conn
}

// migrationTime bounds bringing the schema up to date; it only creates tables.
const migrationTime = time.Minute

func (w *Warehouse) connect(ctx context.Context, dsn string) (clickhouse.Conn, error) {
	options, err := w.options(dsn)
	if err != nil {
		return nil, err
	}
	db := clickhouse.OpenDB(options)
	defer db.Close()
	if err := migrate(ctx, db); err != nil {
		return nil, err
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, err
	}
	if err := w.checkZone(ctx, conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	if err := w.checkDefinitions(ctx, conn, false); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

func (w *Warehouse) options(dsn string) (*clickhouse.Options, error) {
	options, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		// The parser's text may repeat the DSN, which holds the password.
		return nil, fault.New(fault.Invalid, "warehouse.dsn", "the warehouse address is not like clickhouse://user:password@host:9000/database")
	}
	options.DialTimeout = w.config.DialTimeout
	options.MaxOpenConns = w.config.Connections
	options.MaxIdleConns = min(w.config.Connections, 4)
	options.ClientInfo.Products = append(options.ClientInfo.Products, struct{ Name, Version string }{"chaoban", "1"})
	options.Settings = clickhouse.Settings{"join_use_nulls": 0} // the roll-up journal counts on zeros
	if w.config.Threads > 0 {
		options.Settings["max_threads"] = w.config.Threads
	}
	return options, nil
}

// session is one connection of its own: what is temporary on it lives as long as it. The pool must not be
// used for that: it may take a second connection between two statements, even with a limit of one.
type session struct {
	db   *sql.DB
	conn *sql.Conn
}

// session connects to where the engine is now.
func (w *Warehouse) session(ctx context.Context) (*session, error) {
	w.mu.Lock()
	dsn := w.dsn
	w.mu.Unlock()
	options, err := w.options(dsn)
	if err != nil {
		return nil, err
	}
	db := clickhouse.OpenDB(options)
	conn, err := db.Conn(ctx)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return &session{db, conn}, nil
}

func (s *session) exec(ctx context.Context, statement string) error {
	_, err := s.conn.ExecContext(ctx, statement)
	return err
}

// close ends the connection, and with it what is temporary on it. What goes wrong there was read or
// written before, or has failed already.
func (s *session) close() { _, _ = s.conn.Close(), s.db.Close() }

// checkZone remembers the business time zone at the first start and refuses another one later:
// the stored days were cut by it.
func (w *Warehouse) checkZone(ctx context.Context, conn clickhouse.Conn) error {
	var stored string
	err := conn.QueryRow(ctx, "SELECT argMin(value, at) FROM facts WHERE name = 'time_zone'").Scan(&stored)
	if err != nil {
		return err
	}
	switch stored {
	case "":
		return conn.Exec(ctx, "INSERT INTO facts (name, value) VALUES ('time_zone', ?)", w.config.TimeZone)
	case w.config.TimeZone:
		return nil
	}
	return fault.New(fault.Conflict, "warehouse.time_zone",
		"the warehouse was created with business time zone %s, the configuration says %s", stored, w.config.TimeZone)
}

func (w *Warehouse) down(cause error) error {
	e := fault.Wrap(cause, fault.Unavailable, "warehouse.down", "the measurement database is not available at the moment")
	e.RetryAfter = w.config.RetryAfter
	return e
}

// Engine error codes that mean "not now" or "stopped" rather than "wrong".
// https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
var (
	engineBusy    = map[int32]bool{202: true, 241: true, 252: true} // too many queries, memory, too many parts
	engineStopped = map[int32]bool{32: true, 209: true, 210: true, 236: true, 394: true, 425: true, 516: true}
)

const (
	engineTimeout = 159
	engineNoSpace = 243 // NOT_ENOUGH_SPACE: it could not reserve room for a part
)

// diskFull reports that the engine had no room to write: it says so before it writes, or the operating
// system says so (ENOSPC) while it does, under one of several codes.
func diskFull(exception *clickhouse.Exception) bool {
	return exception.Code == engineNoSpace || strings.Contains(exception.Message, "No space left on device")
}

// classify turns whatever the client returned into a fault; nil stays nil.
func (w *Warehouse) classify(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	switch {
	case timedOut(ctx, err):
		return fault.Wrap(err, fault.Timeout, "warehouse.timeout", "the measurement database took too long")
	case errors.Is(ctx.Err(), context.Canceled):
		return fault.Wrap(err, fault.Canceled, "canceled", "the request was canceled")
	}
	if exception, ok := errors.AsType[*clickhouse.Exception](err); ok {
		switch {
		case diskFull(exception):
			e := fault.Wrap(err, fault.Unavailable, "warehouse.disk_full",
				"the disk of the measurement database is full; nothing was acknowledged, send it again when there is room")
			e.RetryAfter = w.config.RetryAfter
			return e
		case exception.Code == engineTimeout:
			return fault.Wrap(err, fault.Timeout, "warehouse.timeout", "the measurement database took too long")
		case engineBusy[exception.Code], engineStopped[exception.Code]:
			return w.down(err)
		}
		return fault.Wrap(err, fault.Internal, "warehouse.query", "the measurement database refused a statement")
	}
	if disconnected(err) {
		return w.down(err)
	}
	return fault.Wrap(err, fault.Internal, "warehouse.query", "the measurement database failed")
}

// timedOut reports that the deadline of a call passed. The connection has the same deadline and may be the first
// to notice: then the context is not done yet, and the error looks like one of a broken network.
func timedOut(ctx context.Context, err error) bool {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	deadline, has := ctx.Deadline()
	return has && errors.Is(err, os.ErrDeadlineExceeded) && time.Until(deadline) < time.Second
}

func disconnected(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, sign := range []error{
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, driver.ErrBadConn, sql.ErrConnDone,
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE,
		clickhouse.ErrAcquireConnTimeout, clickhouse.ErrAcquireConnNoAddress, clickhouse.ErrConnectionClosed,
	} {
		if errors.Is(err, sign) {
			return true
		}
	}
	return false
}
