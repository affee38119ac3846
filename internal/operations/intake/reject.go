package intake

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/chaoban/chaoban/internal/fault"
)

// rejects writes rows that were not imported: the cells as they came, then the row number and
// the reason, so that the file can be corrected and imported with the same mapping. It starts
// with a byte order mark, without which Excel reads Chinese text wrongly.
type rejects struct {
	out    *csv.Writer
	raw    io.Writer
	header []string
	opened bool
}

func newRejects[T Event](o Options, rows *rows[T]) *rejects {
	if o.RejectTo == nil {
		return &rejects{}
	}
	header := []string{"line"}
	if rows.table.Format != NDJSON {
		header = rows.table.Header
	}
	return &rejects{out: csv.NewWriter(o.RejectTo), raw: o.RejectTo, header: header}
}

func (w *rejects) write(r record, bad []fault.Field) error {
	if w.out == nil {
		return nil
	}
	if !w.opened {
		w.opened = true
		if _, err := w.raw.Write(utf8BOM); err != nil {
			return rejectFault(err)
		}
		if err := w.out.Write(append(append([]string(nil), w.header...), "reject_row", "reject_reason")); err != nil {
			return rejectFault(err)
		}
	}
	line := make([]string, len(w.header), len(w.header)+2)
	copy(line, r.cells)
	reasons := make([]string, len(bad))
	for i, f := range bad {
		f.File, f.Row = "", 0
		reasons[i] = f.String()
	}
	if err := w.out.Write(append(line, strconv.Itoa(r.number), strings.Join(reasons, "; "))); err != nil {
		return rejectFault(err)
	}
	return nil
}

func (w *rejects) flush() error {
	if w.out == nil {
		return nil
	}
	if w.out.Flush(); w.out.Error() != nil {
		return rejectFault(w.out.Error())
	}
	return nil
}

func rejectFault(err error) error {
	return fault.Wrap(err, fault.Internal, "intake.reject", "the file of rejected rows cannot be written")
}
