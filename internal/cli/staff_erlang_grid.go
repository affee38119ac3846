package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// erlangColumns are the columns that a file of cases gains.
var erlangColumns = []string{"p_wait", "p_abandon", "occupancy", "asa_s", "avg_queue", "service_level"}

// Limits of a file of cases: beyond them it is not one.
const (
	maxErlangCases   = 1_000_000
	maxErlangColumns = 1000
)

// erlangGrid is a file of cases with its results: the user's cells as they were, six columns more.
type erlangGrid struct {
	header []string
	rows   [][]string
}

// erlangReader holds what reading one file needs.
type erlangReader struct {
	file  string
	model staffing.Model
	at    map[string]int // column of each header
	bad   []fault.Field
}

// maxErlangFaults bounds the list of bad cells that one answer shows.
const maxErlangFaults = 20

// readErlangGrid reads and evaluates every case, or reports up to 20 bad cells at once.
func readErlangGrid(source io.Reader, file string, model staffing.Model) (*erlangGrid, error) {
	if err := (staffing.Queue{Interval: 1, HandleTime: 1, Patience: 1}).Validate(model); err != nil {
		return nil, err
	}
	text, err := decodedText(source, file)
	if err != nil {
		return nil, err
	}
	r := &erlangReader{file: file, model: model, at: map[string]int{}}
	c := csv.NewReader(text)
	header, err := c.Read()
	if err != nil {
		return nil, r.broken(err)
	}
	g := &erlangGrid{header: slices.Clone(header)}
	if err := r.columns(g); err != nil {
		return nil, err
	}
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, r.broken(err)
		}
		if len(g.rows) == maxErlangCases {
			return nil, fault.New(fault.TooLarge, "staffing.grid", "%s has more than %d cases; split it", file, maxErlangCases)
		}
		line, _ := c.FieldPos(0)
		g.rows = append(g.rows, r.evaluate(g, record, line))
		if len(r.bad) >= maxErlangFaults {
			break
		}
	}
	if len(r.bad) == 0 && len(g.rows) == 0 {
		r.bad = append(r.bad, fault.Field{File: file, Problem: "has a header and no case"})
	}
	if err := fault.Bad("staffing.grid", "cases", r.bad); err != nil {
		return nil, err
	}
	return g, nil
}

// columns finds the needed ones and adds the result columns that are not there yet.
func (r *erlangReader) columns(g *erlangGrid) error {
	if len(g.header) > maxErlangColumns {
		return fault.New(fault.TooLarge, "staffing.grid", "%s has %d columns; at most %d make sense", r.file, len(g.header), maxErlangColumns)
	}
	for i, name := range g.header {
		name = strings.TrimSpace(name)
		if _, twice := r.at[name]; twice {
			r.bad = append(r.bad, fault.Field{File: r.file, Row: 1, Column: name, Problem: "stands twice in the header"})
		}
		r.at[name] = i
	}
	needed := []string{"calls", "aht_s", "interval_min", "agents", "answer_within_s"}
	if r.model == staffing.ModelA {
		needed = append(needed, "patience_s")
	}
	for _, name := range needed {
		if _, ok := r.at[name]; !ok {
			r.bad = append(r.bad, fault.Field{File: r.file, Row: 1, Column: name, Problem: "is missing from the header"})
		}
	}
	for _, name := range erlangColumns {
		if _, ok := r.at[name]; !ok {
			r.at[name] = len(g.header)
			g.header = append(g.header, name)
		}
	}
	return fault.Bad("staffing.grid", "cases", r.bad)
}

// evaluate reads one case and returns its row with the results; bad cells are noted in r.
func (r *erlangReader) evaluate(g *erlangGrid, record []string, line int) []string {
	before := len(r.bad)
	q := staffing.Queue{
		Contacts: r.number(record, line, "calls", 0, math.MaxFloat64), HandleTime: r.span(record, line, "aht_s", time.Second, false),
		Interval: r.span(record, line, "interval_min", time.Minute, false),
	}
	if r.model == staffing.ModelA {
		q.Patience = r.span(record, line, "patience_s", time.Second, false)
	}
	agents := r.number(record, line, "agents", 0, staffing.MaxAgents)
	within := r.span(record, line, "answer_within_s", time.Second, true)
	if len(r.bad) > before {
		return nil
	}
	if err := q.Validate(r.model); err != nil {
		r.bad = append(r.bad, fault.Field{File: r.file, Row: line, Column: "calls", Value: record[r.at["calls"]], Problem: fault.Of(err).Fields[0].Problem})
		return nil
	}
	p := staffing.Evaluate(r.model, q, agents, within)
	row := make([]string, len(g.header))
	copy(row, record)
	for i, v := range []float64{p.Wait, p.Abandon, p.Occupancy, p.ASASeconds, p.AverageQueue, p.ServiceLevel} {
		row[r.at[erlangColumns[i]]] = plainFigure(v)
	}
	return row
}

func plainFigure(v float64) string {
	if math.IsInf(v, 1) {
		return "inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func (r *erlangReader) number(record []string, line int, column string, least, most float64) float64 {
	text := strings.TrimSpace(record[r.at[column]])
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= least && v <= most) {
		problem := fmt.Sprintf("must be a number, %g or more", least)
		if most < math.MaxFloat64 {
			problem = fmt.Sprintf("must be a number from %g to %g", least, most)
		}
		r.bad = append(r.bad, fault.Field{File: r.file, Row: line, Column: column, Value: text, Problem: problem})
		return 0
	}
	return v
}

// span reads a length of time of at most 100 years in the unit of its column.
func (r *erlangReader) span(record []string, line int, column string, unit time.Duration, zero bool) time.Duration {
	const longest = 100 * 365 * 24 * time.Hour
	text := strings.TrimSpace(record[r.at[column]])
	v, err := strconv.ParseFloat(text, 64)
	ns := math.Round(v * float64(unit))
	if err != nil || !(ns >= 0 && ns <= float64(longest)) || ns == 0 && !zero {
		problem := "must be a number above 0"
		if zero {
			problem = "must be a number, 0 or more"
		}
		r.bad = append(r.bad, fault.Field{File: r.file, Row: line, Column: column, Value: text, Problem: problem})
		return 0
	}
	return time.Duration(ns)
}

// broken turns a CSV error into one with file and row.
func (r *erlangReader) broken(err error) error {
	field := fault.Field{File: r.file, Problem: "cannot be read as CSV"}
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		field.Row, field.Problem = parse.Line, parse.Err.Error()
		if errors.Is(err, csv.ErrFieldCount) {
			field.Problem = "has a different number of cells than the header"
		}
	}
	return fault.Bad("staffing.grid", "cases", []fault.Field{field})
}

// write prints the grid as CSV.
func (g *erlangGrid) write(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write(g.header); err != nil {
		return fault.Wrap(err, fault.Internal, "cli.output", "the result cannot be written")
	}
	if err := c.WriteAll(g.rows); err != nil {
		return fault.Wrap(err, fault.Internal, "cli.output", "the result cannot be written")
	}
	return nil
}
