package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
)

// with composes the process, runs fn and closes what was opened.
func (s *settings) with(cmd *cobra.Command, what need, fn func(*app) error) error {
	a, err := s.open(cmd.Context(), cmd, what)
	if err != nil {
		return err
	}
	err = fn(a)
	if !s.json {
		err = inZone(err, a.ops.Zone())
	}
	return errors.Join(err, a.Close())
}

// workbookName refuses, before anything is computed, a name that says the file is of another kind, and a folder
// that is not there. "" is no file.
func workbookName(flag, name string) error {
	if name == "" {
		return nil
	}
	if ext := strings.ToLower(filepath.Ext(name)); ext != ".xlsx" {
		return fault.New(fault.Invalid, "cli.file", "%s %s: what is written is an Excel workbook; give a name that ends in .xlsx", flag, name)
	}
	return folderOf(flag, name)
}

// folderOf refuses a file whose folder is not there.
func folderOf(flag, name string) error {
	dir := filepath.Dir(name)
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return fault.New(fault.Invalid, "cli.file", "%s %s: %s is no folder", flag, name, dir)
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "cli.file", "%s %s: the folder %s cannot be used: %s", flag, name, dir, reason(err))
	}
	return nil
}

var utcInstant = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)

// inZone words the instants of an error in the business time zone, in which the files and flags that it is
// about are written. JSON keeps UTC.
func inZone(err error, zone *time.Location) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	local := func(text string) string { return localTimes(text, zone) }
	said := *f
	said.Message, said.Fields = local(f.Message), slices.Clone(f.Fields)
	for i := range said.Fields {
		said.Fields[i].Value, said.Fields[i].Problem = local(said.Fields[i].Value), local(said.Fields[i].Problem)
	}
	return &said
}

// print writes JSON with --json, else what text prints.
func (s *settings) print(cmd *cobra.Command, v any, text func()) error {
	if s.json {
		return printJSON(cmd.OutOrStdout(), v)
	}
	text()
	return nil
}

// localTimes words the UTC instants of a text in a zone.
func localTimes(text string, zone *time.Location) string {
	return utcInstant.ReplaceAllStringFunc(text, func(s string) string {
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return s
		}
		return t.In(zone).Format("2006-01-02 15:04:05.999")
	})
}

// flagged names the flags of a command instead of the fields that its use case reports. What stands behind the
// name of a field, [0].from, is told as a part of it.
func flagged(err error, flags map[string]string) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	said := *f
	said.Fields = slices.Clone(f.Fields)
	for i, field := range said.Fields {
		name, rest, listed := strings.Cut(field.Path, "[")
		flag, known := flags[name]
		if !known {
			continue
		}
		said.Fields[i].Path = flag
		if _, part, deeper := strings.Cut(rest, "]."); listed && deeper {
			said.Fields[i].Problem = part + " " + field.Problem
		}
	}
	return &said
}

// paysText says whether something saves more than it costs.
func paysText(pays bool) string {
	if pays {
		return "pays"
	}
	return "does not pay"
}

// counted is a number with the noun that goes with it.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// lengthText is a length of time without parts that are nothing: 15m, 4h, 1h30m.
func lengthText(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
