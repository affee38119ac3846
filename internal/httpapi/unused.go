package httpapi

import (
	"net"
	"sync"
	"time"
)

// unused are the connections that have not carried a request yet. A browser opens some in reserve;
// the server would wait for their first byte and a stop would last until their read timeout.
type unused struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
}

// watched is a listener whose connections are unused until their first byte.
type watched struct {
	net.Listener
	unused *unused
}

// Accept implements net.Listener.
func (w watched) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	w.unused.add(c)
	return &watchedConn{Conn: c, unused: w.unused}, nil
}

// watchedConn is read by one goroutine at a time, as the server does.
type watchedConn struct {
	net.Conn
	unused *unused
	used   bool
}

// Read implements net.Conn.
func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.used && (n > 0 || err != nil) {
		c.used = true
		c.unused.remove(c.Conn)
	}
	return n, err
}

func (u *unused) add(c net.Conn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.conns == nil {
		u.conns = map[net.Conn]bool{}
	}
	u.conns[c] = true
}

func (u *unused) remove(c net.Conn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.conns, c)
}

// watch closes unused connections, now and while a stop goes on, until it is told to end.
func (u *unused) watch() (end func()) {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			u.close()
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(done) }
}

func (u *unused) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		_ = c.Close() // nothing was sent either way
		delete(u.conns, c)
	}
}
