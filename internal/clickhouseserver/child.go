package clickhouseserver

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
)

// parentPipe is the file descriptor whose end-of-file tells the child that its parent is gone.
const parentPipe = 3

// sleep keeps the process a server for as long as it runs, about thirty years; killing it is the
// orderly way to stop. It naps a tenth of a second at a time, because it is only seen to be killed
// between two naps.
const sleep = "SELECT sleepEachRow(0.1) FROM numbers(10000000000)"

const startQuery = "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP; " +
	sleep + " SETTINGS function_sleep_max_microseconds_per_block=0, max_block_size=1 FORMAT Null"

// Child is the body of the hidden command that Server starts: it loads the library and serves
// until its parent stops it or dies. args are `--config FILE --library FILE`. It returns when the
// engine ends, with the engine's message unless it was stopped in an orderly way.
func Child(args []string) error {
	flags := flag.NewFlagSet("clickhouse", flag.ContinueOnError)
	config := flags.String("config", "", "configuration `file` written by the parent")
	library := flags.String("library", "", "engine library `file`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *config == "" || *library == "" || flags.NArg() > 0 {
		return fmt.Errorf("clickhouse: this command is started by chaoban itself; it needs --config and --library")
	}
	absolute, err := filepath.Abs(*config)
	if err != nil {
		return fmt.Errorf("clickhouse: %w", err)
	}
	go endWithParent(os.Getppid())
	return serve(*library, absolute)
}

// endWithParent ends this process at once when the parent does. Dying hard is safe, the engine's
// tables survive kill -9. The pipe is immediate; the poll covers a parent that passed no pipe.
func endWithParent(parent int) {
	go func() {
		for os.Getppid() == parent {
			time.Sleep(500 * time.Millisecond)
		}
		os.Exit(3)
	}()
	pipe := os.NewFile(parentPipe, "parent")
	if info, err := pipe.Stat(); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return
	}
	var b [1]byte
	_, _ = pipe.Read(b[:]) // blocks until the last writer, our parent, is gone
	os.Exit(3)
}

// serve calls chdb_query_cmdline, the library's `clickhouse local`.
func serve(library, config string) error {
	handle, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return fmt.Errorf("clickhouse: load %s: %w", library, err)
	}
	var run func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	var failure func(result unsafe.Pointer) string
	purego.RegisterLibFunc(&run, handle, "chdb_query_cmdline")
	purego.RegisterLibFunc(&failure, handle, "chdb_result_error")

	args := []string{"clickhouse", "--config-file=" + config, "--log-level=warning", "--query=" + startQuery}
	pins := &runtime.Pinner{}
	defer pins.Unpin()
	argv := make([]*byte, len(args)+1) // C wants a trailing null pointer
	for i, arg := range args {
		text := append([]byte(arg), 0)
		argv[i] = &text[0]
		pins.Pin(argv[i])
	}
	pins.Pin(&argv[0])
	result := run(int32(len(args)), unsafe.Pointer(&argv[0]))
	if result == nil {
		return fmt.Errorf("clickhouse: the engine returned nothing")
	}
	if message := failure(result); message != "" {
		return fmt.Errorf("clickhouse: %s", message)
	}
	return nil
}
