// Package cli owns the sub-commands and the composition root: it builds stores, engine,
// operations, jobs and doors from the configuration and connects them. It owns no rule of the
// trade; every use case is one call into operations, every file-to-file command one call into
// an engine.
//
// Times on the command line without a zone are in the business time zone; the file-to-file
// commands keep the local clock of their file.
package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
)

// Version is set by the linker.
var Version = "dev"

// Exit codes of the binary.
const (
	exitOK          = 0
	exitInternal    = 1
	exitInvalid     = 2
	exitNotFound    = 3
	exitForbidden   = 4
	exitUnavailable = 5
	exitInterrupted = 130
)

// Run executes one command line and returns the exit code. It is what main and the end-to-end
// tests call; SIGINT and SIGTERM cancel the context of the command.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := &checkedWriter{w: stdout}
	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = out.fault()
	}
	if err == nil {
		return exitOK
	}
	return report(stderr, cmd, slices.Contains(args, "--json"), err)
}

// checkedWriter remembers the first failure, so that a full disk behind a redirection is not taken
// for success.
type checkedWriter struct {
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err != nil && c.err == nil {
		c.err = err
	}
	return n, err
}

func (c *checkedWriter) fault() error {
	if c.err == nil {
		return nil
	}
	return fault.Wrap(c.err, fault.Unavailable, "cli.output", "the output cannot be written: %s", reason(c.err))
}

// reason is why the system refused a file, in words that are safe to show.
func reason(err error) string {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "it does not exist"
	case errors.Is(err, os.ErrPermission):
		return "permission denied"
	case errors.Is(err, syscall.ENOSPC):
		return "no space left on the disk"
	case errors.Is(err, syscall.EADDRINUSE):
		return "the address is in use"
	case errors.Is(err, syscall.EROFS):
		return "the disk is read-only"
	default:
		return "the system refused it"
	}
}

// report prints one clear error: the message, then one line per bad field.
func report(stderr io.Writer, cmd *cobra.Command, asJSON bool, err error) int {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "chaoban: interrupted")
		return exitInterrupted
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		f = usageFault(cmd, err)
	}
	message := cmp.Or(f.Message, "the input is not usable")
	if asJSON {
		_ = json.NewEncoder(stderr).Encode(map[string]any{"error": map[string]any{
			"code": f.Code, "kind": f.Kind.String(), "message": message, "fields": f.Fields,
		}})
		return exitCode(f.Kind)
	}
	fmt.Fprintf(stderr, "chaoban: %s\n", message)
	for _, field := range f.Fields {
		fmt.Fprintf(stderr, "  %s\n", field)
	}
	if f.Kind == fault.Internal && os.Getenv("CHAOBAN_DEBUG") != "" {
		fmt.Fprintf(stderr, "  (%s)\n", fault.InternalText(f))
	}
	return exitCode(f.Kind)
}

// usageFault tells cobra's own complaints (unknown flag, missing argument) from an error of ours
// that nobody classified: the text of the latter stays inside.
func usageFault(cmd *cobra.Command, err error) *fault.Error {
	if found := badValue.FindStringSubmatch(err.Error()); found != nil {
		flag := cmd.Flags().Lookup(found[2])
		if flag != nil && strings.HasSuffix(err.Error(), "value out of range") {
			return fault.New(fault.Invalid, "cli.usage", "--%s %s: is beyond what a number can be; see '%s --help'", flag.Name, found[1], cmd.CommandPath())
		}
		if flag != nil && formOf[flag.Value.Type()] != "" {
			return fault.New(fault.Invalid, "cli.usage", "--%s %s: must be %s; see '%s --help'", flag.Name, found[1], formOf[flag.Value.Type()], cmd.CommandPath())
		}
	}
	if found := argumentCount.FindStringSubmatch(err.Error()); found != nil {
		given, _ := strconv.Atoi(found[1]) // digits
		return fault.New(fault.Invalid, "cli.usage", "%s given; the command is '%s'; see '%s --help'", counted(given, "argument is", "arguments are"), strings.TrimSuffix(cmd.UseLine(), " [flags]"), cmd.CommandPath())
	}
	for _, sign := range []string{"unknown command", "unknown flag", "unknown shorthand", "required flag", "arg(s)", "invalid argument", "flag needs", "if any flags in the group", "bad flag syntax", "none of the others can be"} {
		if strings.Contains(err.Error(), sign) {
			return fault.New(fault.Invalid, "cli.usage", "%s; see '%s --help'", err, cmd.CommandPath())
		}
	}
	return fault.Of(err)
}

// argumentCount is how the flag library says that there are too many or too few arguments: how many there are.
var argumentCount = regexp.MustCompile(`arg\(s\), (?:only )?received (\d+)$`)

// badValue is how the flag library words a value of another form: the value, and the long name of the flag.
var badValue = regexp.MustCompile(`^invalid argument ("(?:[^"\\\\]|\\\\.)*") for "(?:-., )?--(.+)" flag: `)

// formOf says what a flag of a type takes.
var formOf = map[string]string{
	"duration": "a length of time with its unit, such as 30s, 15m or 1h30m", "float64": "a number", "bool": "true or false",
	"int": "a whole number", "uint64": "a whole number, 0 or more",
}

func exitCode(k fault.Kind) int {
	switch k {
	case fault.Invalid, fault.TooLarge, fault.Conflict:
		return exitInvalid
	case fault.NotFound:
		return exitNotFound
	case fault.Unauthenticated, fault.Forbidden:
		return exitForbidden
	case fault.Unavailable, fault.Timeout, fault.RateLimited:
		return exitUnavailable
	case fault.Canceled:
		return exitInterrupted
	default:
		return exitInternal
	}
}
