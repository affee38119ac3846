package cli

import (
	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/clickhouseserver"
)

// newEngineChildCommand is the embedded ClickHouse: the service starts its own binary with it.
func newEngineChildCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "clickhouse",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE:               func(_ *cobra.Command, args []string) error { return clickhouseserver.Child(args) },
	}
}
