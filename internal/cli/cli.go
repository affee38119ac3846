// Package cli owns the sub-commands and the composition root: it builds stores, engine,
// operations, jobs and doors from the configuration and connects them. It owns no rule of the
// trade; every use case is one call into operations, every file-to-file command one call into
// an engine.
//
// Times on the command line without a zone are in the business time zone; the file-to-file
// commands keep the local clock of their file.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
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
	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	return report(stderr, cmd, err)
}

// report prints one clear error: the message, then one line per bad field.
func report(stderr io.Writer, cmd *cobra.Command, err error) int {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "chaoban: interrupted")
		return exitInterrupted
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		f = usageFault(cmd, err)
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		_ = json.NewEncoder(stderr).Encode(map[string]any{"error": map[string]any{
			"code": f.Code, "kind": f.Kind.String(), "message": f.Message, "fields": f.Fields,
		}})
		return exitCode(f.Kind)
	}
	fmt.Fprintf(stderr, "chaoban: %s\n", f.Message)
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
	for _, sign := range []string{"unknown command", "unknown flag", "unknown shorthand", "required flag", "arg(s)", "invalid argument", "flag needs", "if any flags in the group", "bad flag syntax", "none of the others can be"} {
		if strings.Contains(err.Error(), sign) {
			return fault.New(fault.Invalid, "cli.usage", "%s; see '%s --help'", err, cmd.CommandPath())
		}
	}
	return fault.Of(err)
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
