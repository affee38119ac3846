package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// waitShown is how long an answer may take before a terminal is told that it is being worked on.
const waitShown = 2 * time.Second

// waiting tells a terminal what a slow command is doing and for how long, on a line that is gone when the returned
// function has been called; anything but a terminal is told nothing.
func waiting(cmd *cobra.Command, what string) (done func()) {
	out, ok := cmd.ErrOrStderr().(*os.File)
	if !ok || !term.IsTerminal(int(out.Fd())) {
		return func() {}
	}
	return waitingLine(out, what)
}

// waitingLine is the line of waiting on whatever is written to.
func waitingLine(out io.Writer, what string) (done func()) {
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		began, tick := time.Now(), time.NewTicker(time.Second)
		defer tick.Stop()
		shown := false
		for {
			select {
			case <-stop:
				if shown {
					fmt.Fprint(out, "\r\x1b[K")
				}
				return
			case now := <-tick.C:
				if waited := now.Sub(began); waited >= waitShown {
					shown = true
					fmt.Fprintf(out, "\r\x1b[K%s, %.0f s …", what, waited.Seconds())
				}
			}
		}
	})
	return func() { close(stop); running.Wait() }
}
