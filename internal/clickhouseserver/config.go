package clickhouseserver

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// user is the only account that can do anything; its password is new at every start.
const user = "chaoban"

// Config of a Server. Dir is required; the zero value of everything else is usable.
type Config struct {
	Dir         string   // everything of the engine lives here; created with mode 0700
	Executable  string   // binary that acts as the child; default: the running one
	Arguments   []string // arguments before --config; default: the hidden command "clickhouse"
	Environment []string // "KEY=value" added to the child's environment
	Library     string   // libchdb.so; default: LibraryPath()
	MemoryBytes int64    // limit of the engine's memory; default 2 GiB, at least 256 MiB

	// BackOff is the longest pause before a restart; pauses start at 100 ms and double, and begin
	// anew once a child has lived for a minute. Default 30 s.
	BackOff time.Duration

	// Log receives one event with key-value attributes, like slog.Logger.Info. Default: silent.
	Log func(message string, attributes ...any)
}

// DefaultConfig fills in what can be known without looking at the machine.
func DefaultConfig() Config {
	return Config{Arguments: []string{"clickhouse"}, MemoryBytes: 2 << 30, BackOff: 30 * time.Second}
}

// Validate reports every bad field at once.
func (c Config) Validate() error {
	var problems []error
	if c.Dir == "" {
		problems = append(problems, errors.New("dir is empty"))
	}
	if strings.ContainsAny(c.Dir, "\x00\n") {
		problems = append(problems, errors.New("dir has a line break or a null byte"))
	}
	if c.MemoryBytes != 0 && c.MemoryBytes < 256<<20 {
		problems = append(problems, fmt.Errorf("memory_bytes is %d, at least 256 MiB are needed", c.MemoryBytes))
	}
	if c.BackOff < 0 {
		problems = append(problems, errors.New("back_off is negative"))
	}
	return errors.Join(problems...)
}

// complete fills in the defaults that depend on the machine.
func (c Config) complete() (Config, error) {
	if err := c.Validate(); err != nil {
		return c, fmt.Errorf("engine configuration: %w", err)
	}
	var err error
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return c, fmt.Errorf("engine directory: %w", err)
	}
	if c.Executable == "" {
		if c.Executable, err = os.Executable(); err != nil {
			return c, fmt.Errorf("engine executable: %w", err)
		}
	}
	if c.Library == "" {
		if c.Library, err = LibraryPath(); err != nil {
			return c, err
		}
	}
	defaults := DefaultConfig()
	if c.Arguments == nil {
		c.Arguments = defaults.Arguments
	}
	if c.MemoryBytes == 0 {
		c.MemoryBytes = defaults.MemoryBytes
	}
	if c.BackOff == 0 {
		c.BackOff = defaults.BackOff
	}
	if c.Log == nil {
		c.Log = func(string, ...any) {}
	}
	return c, nil
}

// address is where one start of the engine listens, and its key.
type address struct {
	native, http int
	password     string
}

// newAddress picks two free loopback ports and a password. Another process may take a port
// before the engine does; the start then fails and is tried again with new ones.
func newAddress() (address, error) {
	var a address
	for _, port := range []*int{&a.native, &a.http} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return a, fmt.Errorf("find a free port: %w", err)
		}
		defer listener.Close() // held until both are chosen, so they differ
		*port = listener.Addr().(*net.TCPAddr).Port
	}
	var secret [24]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return a, fmt.Errorf("make a password: %w", err)
	}
	a.password = hex.EncodeToString(secret[:])
	return a, nil
}

// writeFiles renders config.xml and users.xml, readable by the owner only.
func writeFiles(c Config, a address) error {
	if err := os.MkdirAll(filepath.Join(c.Dir, "data"), 0o700); err != nil {
		return fmt.Errorf("engine directory: %w", err)
	}
	hash := sha256.Sum256([]byte(a.password))
	for name, text := range map[string]string{
		"config.xml": serverXML(c, a),
		"users.xml":  fmt.Sprintf(usersXML, user, hex.EncodeToString(hash[:]), user),
	} {
		if err := writePrivate(filepath.Join(c.Dir, name), []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// writePrivate replaces a file in one step with mode 0600.
func writePrivate(path string, content []byte) error {
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func serverXML(c Config, a address) string {
	in := func(name string) string {
		var b strings.Builder
		_ = xml.EscapeText(&b, []byte(filepath.Join(c.Dir, name))) // a strings.Builder cannot fail
		return b.String()
	}
	return fmt.Sprintf(configXML, in("engine.log"), in("engine-errors.log"), in("data"), in("data/tmp"),
		a.native, a.http, in("users.xml"), c.MemoryBytes)
}

// The engine keeps no system log tables (query_log and its kin are off unless configured, and
// they are not), sends nothing home, and keeps its pools and caches small: it shares a machine
// with the rest of the product. Caches are upper limits, not reservations.
const configXML = `<clickhouse>
  <logger><log>%s</log><errorlog>%s</errorlog><size>8M</size><count>2</count></logger>
  <path>%s/</path>
  <tmp_path>%s/</tmp_path>
  <listen_host>127.0.0.1</listen_host>
  <tcp_port>%d</tcp_port>
  <http_port>%d</http_port>
  <user_directories><users_xml><path>%s</path></users_xml></user_directories>
  <timezone>UTC</timezone>
  <max_server_memory_usage>%d</max_server_memory_usage>
  <mark_cache_size>268435456</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <mmap_cache_size>64</mmap_cache_size>
  <background_pool_size>4</background_pool_size>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <background_move_pool_size>1</background_move_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <background_message_broker_schedule_pool_size>1</background_message_broker_schedule_pool_size>
  <background_distributed_schedule_pool_size>1</background_distributed_schedule_pool_size>
  <max_connections>256</max_connections>
  <max_concurrent_queries>64</max_concurrent_queries>
  <keep_alive_timeout>30</keep_alive_timeout>
  <send_crash_reports><enabled>false</enabled></send_crash_reports>
  <merge_tree>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
</clickhouse>
`

// The library opens its own session as "default" from 127.0.0.1 with no password, and refuses to
// start without that account; users cannot be reloaded while it runs. So "default" stays, but can
// do nothing: it may open listeners (the start query's only need), sees no table, and its quota
// is used up by the start query's three statements for the next ten years.
const usersXML = `<clickhouse>
  <profiles><default/></profiles>
  <quotas>
    <default/>
    <spent><interval><duration>315360000</duration><queries>3</queries></interval></spent>
  </quotas>
  <users>
    <%s>
      <password_sha256_hex>%s</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </%s>
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>spent</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query></grants>
    </default>
  </users>
</clickhouse>
`
