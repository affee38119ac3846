package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

// with composes the process, runs fn and closes what was opened.
func (s *settings) with(cmd *cobra.Command, what need, fn func(*app) error) error {
	a, err := s.open(cmd.Context(), cmd, what)
	if err != nil {
		return err
	}
	return errors.Join(fn(a), a.Close())
}

// print writes JSON with --json, else what text prints.
func (s *settings) print(cmd *cobra.Command, v any, text func()) error {
	if s.json {
		return printJSON(cmd.OutOrStdout(), v)
	}
	text()
	return nil
}
