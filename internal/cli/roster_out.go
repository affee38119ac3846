package cli

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/chaoban/chaoban/internal/fault"
)

// rosterOut is where a roster goes: standard output, an ordinary file that is replaced in one step, or what cannot
// be replaced and is written through (a device, a pipe).
type rosterOut struct {
	name string // as it was given
	path string // of the ordinary file, behind all links; "" for the others
}

// rosterTarget looks at --out before anything is solved.
//
// Errors: roster.out for no name, the problem file itself, or a folder; cli.file for a folder that is not there.
func rosterTarget(in, name string) (rosterOut, error) {
	bad := func(format string, args ...any) (rosterOut, error) {
		return rosterOut{}, fault.New(fault.Invalid, "roster.out", format, args...)
	}
	switch name {
	case "":
		return bad("--out names the roster file to write")
	case "-":
		return rosterOut{name: name}, nil
	}
	there, err := os.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if _, err := os.Lstat(name); err == nil { // a link to what is not there yet
			return rosterOut{name: name}, nil
		}
		return rosterOut{name: name, path: name}, folderOf("--out", name)
	case err != nil:
		return bad("--out %s cannot be used: %s", name, reason(err))
	case there.IsDir():
		return bad("--out %s is a folder; name the file to write", name)
	case !there.Mode().IsRegular():
		return rosterOut{name: name}, nil
	}
	if problem, err := os.Stat(in); err == nil && os.SameFile(problem, there) {
		return bad("--out %s is the problem file of --in, which it would replace; name another file", name)
	}
	path, err := filepath.EvalSymlinks(name)
	if err != nil {
		return bad("--out %s cannot be used: %s", name, reason(err))
	}
	return rosterOut{name: name, path: path}, nil
}

// standard reports that the roster goes to standard output.
func (o rosterOut) standard() bool { return o.name == "-" }

// atomic reports an ordinary file, which is replaced in one step.
func (o rosterOut) atomic() bool { return o.path != "" }

// write writes a value as JSON; an ordinary file is replaced, so that an interrupt never leaves half a roster.
func (o rosterOut) write(stdout io.Writer, value any) error {
	raw, err := json.MarshalIndent(value, "", " ")
	raw = append(raw, '\n')
	switch {
	case err != nil:
	case o.standard():
		_, err = stdout.Write(raw)
	case !o.atomic():
		err = writeThrough(o.name, raw)
	default:
		return writeFile(o.path, func(w io.Writer) error {
			_, err := w.Write(raw)
			return err
		})
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "roster.out", "%s cannot be written: %s", o.name, reason(err))
	}
	return nil
}

func writeThrough(name string, raw []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(raw)
	return errors.Join(err, file.Close())
}
