package cli

import (
	"bufio"
	"bytes"
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
	comma  rune // between the cells
}

// erlangReader holds what reading one file needs.
type erlangReader struct {
	file  string
	model staffing.Model
	at    map[string]int // column of each header, lower case
	units map[string]timeColumn
	loads bool // the load stands in offered_erlangs, not in calls and interval
	bad   []fault.Field
}

// timeColumn is where a length of time stands and in which unit.
type timeColumn struct {
	name string
	unit time.Duration
}

// erlangTimes lists, per length of time, the columns that may hold it; the first that is there counts.
var erlangTimes = map[string][]timeColumn{
	"aht":           {{"aht_s", time.Second}, {"aht_min", time.Minute}},
	"interval":      {{"interval_min", time.Minute}, {"interval_s", time.Second}},
	"patience":      {{"patience_s", time.Second}, {"patience_min", time.Minute}},
	"answer_within": {{"answer_within_s", time.Second}, {"answer_within_min", time.Minute}},
}

// maxErlangFaults bounds the list of bad cells that one answer shows.
const maxErlangFaults = 20

// readErlangGrid reads and evaluates every case, or reports up to 20 bad cells at once.
func readErlangGrid(source io.Reader, file string, model staffing.Model) (*erlangGrid, error) {
	if err := (staffing.Queue{Interval: 1, HandleTime: 1, Patience: 1}).Validate(model); err != nil {
		return nil, err
	}
	r := &erlangReader{file: file, model: model, at: map[string]int{}, units: map[string]timeColumn{}}
	text, err := decodedText(source, file)
	if err != nil {
		if e := fault.Of(err); len(e.Fields) > 0 {
			return nil, fault.Bad("staffing.grid", "cases", e.Fields)
		}
		return nil, err
	}
	c := csv.NewReader(text)
	c.Comma = separatorOf(text)
	c.FieldsPerRecord = -1 // rows are checked here, so that every bad one is named at once
	header, err := c.Read()
	if err != nil {
		return nil, r.broken(err)
	}
	g := &erlangGrid{header: slices.Clone(header), comma: c.Comma}
	if err := r.columns(g); err != nil {
		return nil, err
	}
	if err := r.cases(c, g, len(header)); err != nil {
		return nil, err
	}
	return g, nil
}

// separatorOf is what stands between the cells of the header: some spreadsheets write semicolons or tabs where others have commas. The
// results are written with the same.
func separatorOf(text *bufio.Reader) rune {
	head, _ := text.Peek(text.Size()) // what there is; a shorter file is no error here
	if end := bytes.IndexByte(head, '\n'); end >= 0 {
		head = head[:end]
	}
	best, most := ',', bytes.Count(head, []byte{','})
	for _, other := range []rune{';', '\t'} {
		if n := bytes.Count(head, []byte(string(other))); n > most {
			best, most = other, n
		}
	}
	return best
}

// cases reads and evaluates all rows but blank ones.
func (r *erlangReader) cases(c *csv.Reader, g *erlangGrid, width int) error {
	for len(r.bad) < maxErlangFaults {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r.broken(err)
		}
		line, _ := c.FieldPos(0)
		switch {
		case !slices.ContainsFunc(record, func(cell string) bool { return strings.TrimSpace(cell) != "" }):
			continue
		case len(record) != width:
			r.bad = append(r.bad, fault.Field{File: r.file, Row: line, Problem: fmt.Sprintf("has a different number of cells (%d) than the header (%d)", len(record), width)})
			continue
		case len(g.rows) == maxErlangCases:
			return fault.New(fault.TooLarge, "staffing.grid", "%s has more than %d cases; split it", r.file, maxErlangCases)
		}
		g.rows = append(g.rows, r.evaluate(g, record, line))
	}
	if len(r.bad) == 0 && len(g.rows) == 0 {
		r.bad = append(r.bad, fault.Field{File: r.file, Problem: "has a header and no case"})
	}
	return fault.Bad("staffing.grid", "cases", r.bad)
}

// columns finds the needed ones and adds the result columns that are not there yet.
func (r *erlangReader) columns(g *erlangGrid) error {
	if len(g.header) > maxErlangColumns {
		return fault.New(fault.TooLarge, "staffing.grid", "%s has %d columns; at most %d make sense", r.file, len(g.header), maxErlangColumns)
	}
	for i, name := range g.header {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := r.at[name]; twice && name != "" {
			r.bad = append(r.bad, fault.Field{File: r.file, Row: 1, Column: name, Problem: "stands twice in the header"})
		}
		r.at[name] = i
	}
	_, calls := r.at["calls"]
	_, r.loads = r.at["offered_erlangs"]
	r.loads = r.loads && !calls
	if !r.loads {
		r.need("calls")
		r.needTime("interval")
	}
	r.needTime("aht")
	r.need("agents")
	r.needTime("answer_within")
	if r.model == staffing.ModelA {
		r.needTime("patience")
	}
	for _, name := range erlangColumns {
		if _, ok := r.at[name]; !ok {
			r.at[name] = len(g.header)
			g.header = append(g.header, name)
		}
	}
	return fault.Bad("staffing.grid", "cases", r.bad)
}

func (r *erlangReader) need(column string) {
	if _, ok := r.at[column]; !ok {
		r.bad = append(r.bad, fault.Field{File: r.file, Row: 1, Column: column, Problem: "is missing from the header"})
	}
}

func (r *erlangReader) needTime(what string) {
	for _, c := range erlangTimes[what] {
		if _, ok := r.at[c.name]; ok {
			r.units[what] = c
			return
		}
	}
	first, second := erlangTimes[what][0].name, erlangTimes[what][1].name
	r.bad = append(r.bad, fault.Field{File: r.file, Row: 1, Column: first, Problem: fmt.Sprintf("is missing from the header, and so is %q", second)})
}

// evaluate reads one case and returns its row with the results; bad cells are noted in r.
func (r *erlangReader) evaluate(g *erlangGrid, record []string, line int) []string {
	before := len(r.bad)
	q, load := r.queue(record, line)
	agents := r.number(record, line, "agents", 0, staffing.MaxAgents)
	within, _ := r.span(record, line, "answer_within", true)
	if len(r.bad) > before {
		return nil
	}
	if err := q.ValidateAt(r.model, agents, within); err != nil {
		r.bad = append(r.bad, fault.Field{File: r.file, Row: line, Column: load, Value: record[r.at[load]], Problem: fault.Of(err).Fields[0].Problem})
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

// queue reads the load of a case and names the column that it stands in. Lengths of time are kept to the
// nanosecond; what that rounds off a case with more digits goes into the contacts, so that the load is exact.
func (r *erlangReader) queue(record []string, line int) (q staffing.Queue, load string) {
	var long, wide float64
	q.HandleTime, long = r.span(record, line, "aht", false)
	if r.model == staffing.ModelA {
		q.Patience, _ = r.span(record, line, "patience", false)
	}
	if r.loads {
		q.Contacts, q.Interval = r.number(record, line, "offered_erlangs", 0, math.MaxFloat64), q.HandleTime
		return q, "offered_erlangs"
	}
	q.Interval, wide = r.span(record, line, "interval", false)
	q.Contacts = r.number(record, line, "calls", 0, math.MaxFloat64) * (long / wide)
	return q, "calls"
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
			problem = fmt.Sprintf("must be a number from %g to %.0f", least, most)
		}
		r.bad = append(r.bad, fault.Field{File: r.file, Row: line, Column: column, Value: text, Problem: problem})
		return 0
	}
	return v
}

// span reads a length of time of at most 100 years in the unit of its column. left is what the cell says over
// what a Duration holds of it: 1 unless the cell has digits below a nanosecond.
func (r *erlangReader) span(record []string, line int, what string, zero bool) (d time.Duration, left float64) {
	const longest = 100 * 365 * 24 * time.Hour
	c := r.units[what]
	text := strings.TrimSpace(record[r.at[c.name]])
	v, err := strconv.ParseFloat(text, 64)
	ns := math.Round(v * float64(c.unit))
	if err != nil || !(ns >= 0 && ns <= float64(longest)) || ns == 0 && !zero {
		problem := "must be a number above 0, at most 100 years"
		if zero {
			problem = "must be a number, 0 or more, at most 100 years"
		}
		r.bad = append(r.bad, fault.Field{File: r.file, Row: line, Column: c.name, Value: text, Problem: problem})
		return 0, 1
	}
	// Within 1e-14 the cell is a decimal such as 4.1 min that float64 cannot hold: the nanoseconds are right.
	if left = v * float64(c.unit) / ns; ns == 0 || math.Abs(left-1) < 1e-14 {
		left = 1
	}
	return time.Duration(ns), left
}

// broken turns a CSV error into one with file and row.
func (r *erlangReader) broken(err error) error {
	field := fault.Field{File: r.file, Problem: "cannot be read as CSV"}
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		field.Row, field.Problem = parse.Line, parse.Err.Error()
	case errors.Is(err, errLongLine):
		field.Problem = fmt.Sprintf("has a line of more than %d bytes: not a file of cases", maxLineBytes)
	}
	return fault.Bad("staffing.grid", "cases", []fault.Field{field})
}

// write prints the grid as CSV.
func (g *erlangGrid) write(w io.Writer) error {
	c := csv.NewWriter(w)
	c.Comma = g.comma
	err := c.Write(g.header)
	if err == nil {
		err = c.WriteAll(g.rows)
	}
	if err != nil {
		return fault.Wrap(err, fault.Internal, "cli.output", "the result cannot be written")
	}
	return nil
}
