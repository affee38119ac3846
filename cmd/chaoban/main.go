// Command chaoban is the one binary of Chaoban (潮班): service, jobs and every command.
package main

import (
	"context"
	"os"

	"github.com/chaoban/chaoban/internal/cli"
)

func main() {
	os.Exit(cli.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
