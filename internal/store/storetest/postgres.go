package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// errNoPostgres says that the machine has no PostgreSQL programs.
var errNoPostgres = errors.New("no initdb and postgres in PATH or /usr/lib/postgresql/*/bin")

// server is the private PostgreSQL of this test binary.
type server struct {
	dir   string // holds the data and the socket
	stdin io.Closer
}

var (
	start     = sync.OnceValues(startServer)
	databases atomic.Int64
)

// PostgreSQLDSN makes an empty database on the private server and names it. Skips and fails as
// PostgreSQL does.
func PostgreSQLDSN(t testing.TB) string {
	t.Helper()
	s, err := start()
	if errors.Is(err, errNoPostgres) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("private PostgreSQL: %v", err)
	}
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if err := s.exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("private PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		if err := s.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("private PostgreSQL: %v", err)
		}
	})
	return s.dsn(name)
}

func (s *server) dsn(database string) string {
	q := url.Values{"host": {s.dir}, "user": {"chaoban"}, "sslmode": {"disable"}}
	return "postgres:///" + database + "?" + q.Encode()
}

// patience is for a machine under many times its load: a server that does not answer at all fails the test then.
const patience = 3 * time.Minute

func (s *server) exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := pgx.Connect(ctx, s.dsn("postgres"))
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, sql)
	return errors.Join(err, c.Close(ctx))
}

// watchdog runs the server and waits for the end of its standard input, which comes when the test
// binary ends, however it ends. Then it stops the server and removes the directory.
const watchdog = `"$1" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c full_page_writes=off \
  -c synchronous_commit=off -c autovacuum=off -c shared_buffers=16MB -c max_connections=60 >"$2/log" 2>&1 </dev/null &
server=$!
read -r line
kill -INT $server
wait $server
rm -rf "$2"`

func startServer() (*server, error) {
	initdb, postgres, err := programs()
	if err != nil {
		return nil, err
	}
	owner, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(socketRoot(), "chaoban-pg-")
	if err != nil {
		return nil, err
	}
	if owner != nil {
		if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
			return nil, err
		}
	}
	as := func(c *exec.Cmd) *exec.Cmd {
		// Its own process group: an interrupt at the terminal must reach the watchdog through its
		// standard input and not the server directly.
		c.Dir, c.SysProcAttr = dir, &syscall.SysProcAttr{Credential: owner, Setpgid: true}
		c.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC", "HOME=" + dir}
		return c
	}
	out, err := as(exec.Command(initdb, "-D", filepath.Join(dir, "data"), "-U", "chaoban", "-A", "trust",
		"-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")).CombinedOutput()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w: %s", err, out), os.RemoveAll(dir))
	}
	c := as(exec.Command("/bin/sh", "-c", watchdog, "watchdog", postgres, dir))
	stdin, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	s := &server{dir: dir, stdin: stdin}
	return s, s.wait()
}

// wait returns when the server answers.
func (s *server) wait() error {
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = s.exec("SELECT 1"); err == nil {
			return nil
		}
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "log")) // it only explains the error
	return errors.Join(err, fmt.Errorf("the server did not start: %s", log), s.stdin.Close())
}

// programs finds initdb and the postgres of the same version.
func programs() (initdb, postgres string, err error) {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	installed, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", "", err
	}
	slices.SortFunc(installed, func(a, b string) int { return majorOf(b) - majorOf(a) }) // newest first
	for _, dir := range slices.Concat(dirs, installed) {
		initdb, postgres = filepath.Join(dir, "initdb"), filepath.Join(dir, "postgres")
		if executable(initdb) && executable(postgres) {
			return initdb, postgres, nil
		}
	}
	return "", "", errNoPostgres
}

// majorOf reads 15 from /usr/lib/postgresql/15/bin; 0 when there is no number.
func majorOf(dir string) int {
	n, err := strconv.Atoi(strings.TrimSpace(filepath.Base(filepath.Dir(dir))))
	if err != nil {
		return 0
	}
	return n
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}

// unprivileged returns the user to run the server as: PostgreSQL refuses to run as root. Nil means
// the user of the test.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("root needs a user postgres or nobody to run PostgreSQL as")
}

// socketRoot is where the directory of the server goes: the path of a Unix socket must stay under
// 104 bytes, and an unprivileged user must be able to reach it.
func socketRoot() string {
	if root := os.TempDir(); len(root) < 50 && os.Geteuid() != 0 {
		return root
	}
	return "/tmp"
}
