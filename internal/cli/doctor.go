package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/configs"
	"github.com/chaoban/chaoban/internal/clickhouseserver"
	"github.com/chaoban/chaoban/internal/fault"
)

// finding is one line of the doctor.
type finding struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
	Fix  string `json:"fix,omitempty"`
}

func newDoctorCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Check every dependency and print the effective configuration, secrets masked", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.load()
			if err != nil {
				return err
			}
			checks := examine(cmd.Context(), c, cmd)
			bad := 0
			for _, k := range checks {
				if !k.OK {
					bad++
				}
			}
			err = s.print(cmd, map[string]any{"checks": checks, "configuration": c.Masked()}, func() {
				for _, k := range checks {
					mark := "ok  "
					if !k.OK {
						mark = "FAIL"
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%s  %-22s %s\n", mark, k.Name, k.Text)
					if k.Fix != "" {
						fmt.Fprintf(cmd.OutOrStdout(), "      %-22s %s\n", "", k.Fix)
					}
				}
				fmt.Fprintf(cmd.OutOrStdout(), "\neffective configuration:\n%s", c.Masked())
			})
			if err == nil && bad > 0 {
				err = fault.New(fault.Unavailable, "doctor.failed", "%d of %d checks failed", bad, len(checks))
			}
			return err
		},
	}
}

func examine(ctx context.Context, c configs.Config, cmd *cobra.Command) []finding {
	checks := []finding{dataDirectory(c), engineLibrary(c), holidayTable(c)}
	started := time.Now()
	a, err := compose(ctx, c, cmd.ErrOrStderr(), needEngine)
	if err != nil {
		return append(checks, finding{Name: "stores and engine", Text: fault.Of(err).Error()})
	}
	defer func() { _ = a.Close() }() // the checks are done; what cannot close is no finding
	for _, h := range a.health(ctx) {
		checks = append(checks, finding{Name: h.Name, OK: h.OK, Text: h.Detail})
	}
	proof, err := a.store.VerifyAudit(ctx)
	if err != nil {
		checks = append(checks, finding{Name: "audit chain", Text: fault.Of(err).Error()})
	} else {
		checks = append(checks, finding{Name: "audit chain", OK: true, Text: fmt.Sprintf("%d rows, unbroken", proof.Rows)})
	}
	return append(checks, finding{Name: "start-up", OK: true, Text: time.Since(started).Round(time.Millisecond).String()})
}

func dataDirectory(c configs.Config) finding {
	path, err := filepath.Abs(c.DataDir)
	if err == nil {
		err = os.MkdirAll(path, 0o700)
	}
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(path, ".doctor-*"); err == nil {
			_ = f.Close() // an empty probe
			err = os.Remove(f.Name())
		}
	}
	if err != nil {
		return finding{Name: "data directory", Text: path + " cannot be written", Fix: "set data_dir or --data to a directory you own"}
	}
	return finding{Name: "data directory", OK: true, Text: path}
}

func engineLibrary(c configs.Config) finding {
	if c.Warehouse.DSN != "" {
		return finding{Name: "engine library", OK: true, Text: "not needed: an external ClickHouse is configured"}
	}
	path, err := c.Engine.Library, error(nil)
	if path == "" {
		path, err = clickhouseserver.LibraryPath()
	}
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return finding{Name: "engine library", Text: err.Error(), Fix: "run `make engine`"}
	}
	return finding{Name: "engine library", OK: true, Text: clickhouseserver.Version + " " + path}
}

func holidayTable(c configs.Config) finding {
	year := time.Now().In(c.Zone()).Year()
	if !configs.Holidays().Covers(year) {
		return finding{Name: "holiday table", Text: fmt.Sprintf("%d is not covered: rosters would miss its holidays", year), Fix: "update configs/calendars/cn_holidays.yaml"}
	}
	return finding{Name: "holiday table", OK: true, Text: fmt.Sprintf("covers %d", year)}
}
