package platformfile

import (
	"fmt"
	"math"
	"strings"
)

// maxConsistency is how many rows that contradict themselves are told.
const maxConsistency = 5

// noteContradictions tells of shares that are not the quotient of the counts beside them, and of parts that are
// larger than the whole: 99 payers of 12 inquirers. The figures are kept as the platform gave them, because ours are
// held against what it says; but somebody should look.
func (d *decoding) noteContradictions() {
	var told []string
	for i := range d.lines {
		l := &d.lines[i]
		for _, j := range d.columns() {
			c := d.match.Columns[j]
			share, ok := l.values[c.Item]
			if !ok || len(c.Of) == 0 {
				continue
			}
			if text := contradiction(c, share, l.values); text != "" {
				told = append(told, fmt.Sprintf("row %d: %s %.2f %% is %s", l.row.Number, d.match.Headers[j], 100*share, text))
			}
		}
	}
	if len(told) == 0 {
		return
	}
	more := ""
	if n := len(told) - maxConsistency; n > 0 {
		more = fmt.Sprintf("; and %d more", n)
		told = told[:maxConsistency]
	}
	d.note("the file contradicts itself, its figures are kept as they are: %s%s", strings.Join(told, "; "), more)
}

// contradiction is what a share is not, "" when one of its quotients fits or none is in the file. Platforms round to
// two decimals of a per cent, some cut.
func contradiction(c Column, share float64, values map[string]float64) string {
	said := ""
	for _, pair := range c.Of {
		part, ok1 := values[pair[0]]
		whole, ok2 := values[pair[1]]
		if !ok1 || !ok2 || whole <= 0 {
			continue
		}
		if part <= whole && math.Abs(part/whole-share) <= 1.01e-4 {
			return ""
		}
		said = fmt.Sprintf("not %g of %g", part, whole)
	}
	return said
}
