package clickhouseserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Deadlines of one process. Stopping takes at most the sum of the three stop deadlines.
const (
	startDeadline = 60 * time.Second // a cold 569 MB library on a slow disk
	killQueryWait = 2 * time.Second  // the engine waits for open connections; close clients first
	terminateWait = 2 * time.Second
	killWait      = 2 * time.Second
	pingDeadline  = 10 * time.Second
)

// process is one running child.
type process struct {
	address address
	command *exec.Cmd
	pipe    *os.File      // its closing tells the child to end
	exited  chan struct{} // closed when the child is gone
	failure error         // why it ended; read after exited
}

// startProcess writes the configuration and starts a child; it does not wait until it answers.
func startProcess(c Config) (*process, error) {
	where, err := newAddress()
	if err != nil {
		return nil, err
	}
	if err := writeFiles(c, where); err != nil {
		return nil, err
	}
	output, err := os.OpenFile(filepath.Join(c.Dir, "engine.out"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("engine output: %w", err)
	}
	defer output.Close()
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("engine pipe: %w", err)
	}
	defer reader.Close()

	args := append(append([]string{}, c.Arguments...), "--config", filepath.Join(c.Dir, "config.xml"), "--library", c.Library)
	command := exec.Command(c.Executable, args...)
	command.Dir = c.Dir
	command.Stdout, command.Stderr = output, output
	command.ExtraFiles = []*os.File{reader} // becomes descriptor 3, parentPipe
	// The library installs signal handlers that do not know Go's preemption signal.
	command.Env = append(append(os.Environ(), "GODEBUG=asyncpreemptoff=1"), c.Environment...)
	// Its own group: Ctrl-C on the terminal is for us, and we stop the child in order.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		_ = writer.Close()
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	p := &process{address: where, command: command, pipe: writer, exited: make(chan struct{})}
	go func() {
		if p.failure = command.Wait(); p.failure == nil {
			p.failure = errors.New("exit status 0")
		}
		_ = writer.Close()
		close(p.exited)
	}()
	return p, nil
}

// ready waits until the child answers a query with our password.
func (p *process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	for {
		if err := p.address.query(ctx, "SELECT 1", time.Second); err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("the engine ended while it started: %w", p.failure)
		case <-ctx.Done():
			return fmt.Errorf("the engine did not answer: %w", context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the child in an orderly way, then with growing force, and returns when it is gone.
func (p *process) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), killQueryWait)
	err := p.address.query(ctx, "KILL QUERY WHERE startsWith(query, '"+sleep+"') ASYNC", killQueryWait)
	if err == nil && p.gone(ctx) {
		cancel()
		return
	}
	cancel()
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGTERM, terminateWait}, {syscall.SIGKILL, killWait}} {
		_ = p.command.Process.Signal(step.signal) // fails only when the process is gone
		ctx, cancel := context.WithTimeout(context.Background(), step.wait)
		ended := p.gone(ctx)
		cancel()
		if ended {
			return
		}
	}
}

func (p *process) gone(ctx context.Context) bool {
	select {
	case <-p.exited:
		return true
	case <-ctx.Done():
		return false
	}
}

// probe is the client of pings and of the stop query: one connection per request, so that a dead
// engine leaves no pooled connection behind, and no proxy for a loopback address.
var probe = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// query runs one statement over HTTP; what it answers is not needed, only whether it succeeds.
func (a address) query(ctx context.Context, statement string, deadline time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	url := "http://127.0.0.1:" + strconv.Itoa(a.http) + "/"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(statement))
	if err != nil {
		return err
	}
	request.Header.Set("X-ClickHouse-User", user)
	request.Header.Set("X-ClickHouse-Key", a.password)
	response, err := probe.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return errors.New("engine: " + strings.TrimSpace(string(body)))
	}
	return nil
}
