// Package intake owns reading files that people bring: it finds out what a file is, walks its
// rows in constant memory, maps columns to the canonical fields, and hands out typed events or
// one clear error with file, row, column and value. It also reads contracts from YAML.
//
// It does not own what a field means (kpi/chatlog, scheduling/workforce, contracts), where the
// events go (the caller's handle function), or permissions.
//
// Times in files are on the local clock of the mapping's time zone unless the text carries an
// offset; everything handed out is an instant in UTC, or a civil date.
package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/chaoban/chaoban/internal/fault"
)

// Source is a file to read. It is read more than once: first to check, then to hand out.
type Source struct {
	Name string // as the user gave it, for messages
	R    io.ReaderAt
	Size int64 // bytes
}

// OpenFile opens a file on disk. The caller closes the closer. Errors: intake.file.
func OpenFile(name string) (Source, io.Closer, error) {
	f, err := os.Open(name)
	if err != nil {
		kind, why := fault.Invalid, "the system refused it"
		switch {
		case errors.Is(err, os.ErrNotExist):
			kind, why = fault.NotFound, "it does not exist"
		case errors.Is(err, os.ErrPermission):
			why = "permission denied"
		}
		return Source{}, nil, fault.Wrap(err, kind, "intake.file", "the file %s cannot be opened: %s", name, why)
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		_ = f.Close() // nothing was written
		return Source{}, nil, fault.Wrap(err, fault.Invalid, "intake.file", "%s is not a regular file", name)
	}
	return Source{Name: filepath.Base(name), R: f, Size: info.Size()}, f, nil
}

// FromBytes makes a source of text in memory.
func FromBytes(name string, b []byte) Source {
	return Source{Name: name, R: bytes.NewReader(b), Size: int64(len(b))}
}

// Limits keep one file from taking the machine.
type Limits struct {
	Columns  int   // most columns of a table
	Cell     int   // most bytes of one cell
	Line     int   // most bytes of one record
	Unpacked int64 // most bytes a gzip file may unpack to
	Ratio    int64 // most unpacked bytes per packed byte, beyond the first 64 MiB
}

// DefaultLimits allow every sheet that people make by hand and every log of 10 million rows.
func DefaultLimits() Limits {
	return Limits{Columns: 1024, Cell: 64 << 10, Line: 1 << 20, Unpacked: 256 << 30, Ratio: 300}
}

// Digest is the SHA-256 of the file in hex. Errors: intake.read, intake.canceled.
func (s Source) Digest(ctx context.Context) (string, error) {
	hash := sha256.New()
	buffer := make([]byte, 1<<20)
	for at := int64(0); at < s.Size; {
		if err := ctx.Err(); err != nil {
			return "", canceled(err)
		}
		n, err := s.R.ReadAt(buffer[:min(int64(len(buffer)), s.Size-at)], at)
		hash.Write(buffer[:n])
		at += int64(n)
		if err != nil && (!errors.Is(err, io.EOF) || n == 0) {
			return "", unreadable(err, s.Name)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func unreadable(err error, name string) error {
	return fault.Wrap(err, fault.Internal, "intake.read", "%s cannot be read to its end", name)
}

func canceled(err error) error {
	kind := fault.Canceled
	if errors.Is(err, context.DeadlineExceeded) {
		kind = fault.Timeout
	}
	return fault.Wrap(err, kind, "intake.canceled", "reading the file was stopped")
}

// refuse is a fault about the file as a whole or one place in it.
func refuse(kind fault.Kind, code string, place fault.Field) error {
	return &fault.Error{Kind: kind, Code: code, Fields: []fault.Field{place}}
}
