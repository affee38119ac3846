package platformfile

import (
	"fmt"
	"math"
	"strings"

	"github.com/chaoban/chaoban/internal/fault"
)

// shares is a column of shares while its scale is being decided.
type shares struct {
	column int
	plain  []plainShare // cells without a per cent sign or format
}

type plainShare struct {
	line  int // of the lines decoded so far
	value float64
}

// scaleOf decides how the plain numbers of a column of shares are written: by what the user says of
// this column, the header's unit, the largest number of the whole column, the counts beside it, and
// at last by what the user says of all columns. A number of at most 1 alone decides nothing: 0.8 is
// 80 % or 0.8 %.
func (d *decoding) scaleOf(s shares, c Column) (Scale, *fault.Field) {
	if said := d.said(s.column, c); said != "" {
		return said, nil
	}
	if d.match.units[s.column] == "%" {
		return Hundred, nil
	}
	largest := 0.0
	for _, v := range s.plain {
		largest = max(largest, v.value)
	}
	switch {
	case largest == 0:
		return Fraction, nil // zero is zero
	case largest > 1:
		return Hundred, nil
	}
	for _, pair := range c.Of {
		if scale := d.quotient(s, pair); scale != "" {
			return scale, nil
		}
	}
	if said := d.options.Percent[""]; said != "" {
		return said, nil
	}
	return "", &fault.Field{
		File: d.grid.Name, Column: d.match.Headers[s.column], Value: fmt.Sprint(largest),
		Problem: fmt.Sprintf("may be fractions (%g is %g%%) or percentages (%g%%): say --percent %q=fraction or =number", largest, 100*largest, largest, c.Header),
	}
}

// said is the scale that the user gave for a column, by its header in the file or in the format.
func (d *decoding) said(j int, c Column) Scale {
	for header, scale := range d.options.Percent {
		name, _ := normal(header)
		in, _ := normal(d.match.Headers[j])
		known, _ := normal(c.Header)
		if header != "" && (name == in || name == known) {
			return scale
		}
	}
	return ""
}

// quotient compares a column with a quotient of two counts of the same rows. It decides only when one
// reading agrees within the rounding of a percentage and the other is far off.
func (d *decoding) quotient(s shares, pair [2]string) Scale {
	asFraction, asHundred, n := 0.0, 0.0, 0.0
	for _, v := range s.plain {
		values := d.lines[v.line].values
		numerator, ok1 := values[pair[0]]
		denominator, ok2 := values[pair[1]]
		if !ok1 || !ok2 || denominator <= 0 || v.value == 0 {
			continue
		}
		q := numerator / denominator
		asFraction += math.Abs(v.value - q)
		asHundred += math.Abs(v.value/100 - q)
		n++
	}
	const rounding, apart = 0.006, 0.0005 // mean differences
	switch {
	case n == 0:
		return ""
	case asFraction <= rounding*n && asHundred > max(3*asFraction, apart*n):
		return Fraction
	case asHundred <= rounding*n && asFraction > max(3*asHundred, apart*n):
		return Hundred
	}
	return ""
}

// ParseScales reads the words of --percent: "fraction", "number", or "HEADER=fraction".
// Errors: platform.percent.
func ParseScales(words []string) (map[string]Scale, error) {
	out := map[string]Scale{}
	var bad []fault.Field
	for _, w := range words {
		header, scale := "", w
		if at := strings.LastIndexByte(w, '='); at >= 0 {
			header, scale = w[:at], w[at+1:]
		}
		switch s := Scale(strings.TrimSpace(scale)); s {
		case Fraction, Hundred:
			out[strings.TrimSpace(header)] = s
		default:
			bad = append(bad, fault.Field{Path: "percent", Value: w, Problem: "must be fraction (0.95), number (95), or HEADER=fraction"})
		}
	}
	return out, fault.Bad("platform.percent", "percent", bad)
}
