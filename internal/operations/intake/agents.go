package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// maxAgents keeps a conversation log that is imported as agents out of memory.
const maxAgents = 200_000

// dateFields of an agent row are brought to 2006-01-02 before the row is understood.
var dateFields = map[string]bool{"hired": true, "left": true, "until": true, "skill_from": true, "skill_until": true}

// ReadAgents reads a whole agent file, one row per agent or per agent and skill. It is
// all-or-nothing: half a team would be planned as if the other half had left. NDJSON is one
// workforce.Agent per line.
//
// Errors: those of Open; intake.mapping, intake.kind; agents.rows with every bad cell, cut to
// MaxProblems.
func ReadAgents(ctx context.Context, src Source, m Mapping, o Options) ([]workforce.Agent, Summary, error) {
	o = o.withDefaults()
	summary := Summary{File: src.Name}
	if err := m.Validate(); err != nil {
		return nil, summary, err
	}
	if m.Kind != Agents {
		return nil, summary, fault.New(fault.Invalid, "intake.kind", "the mapping is for %s, but the import is of %s", m.Kind, Agents)
	}
	digest, err := o.digest(ctx, src)
	if err != nil {
		return nil, summary, err
	}
	summary.SHA256 = digest
	table, err := Open(src, m, o.Limits)
	if err != nil {
		return nil, summary, err
	}
	defer func() { _ = table.Close() }() // read only
	summary.Format = table.Format
	var agents []workforce.Agent
	if table.Format == NDJSON {
		agents, err = agentLines(table, o.Limits)
		summary.Rows = int64(len(agents))
	} else {
		agents, summary.Rows, err = agentTable(ctx, table, m, o)
	}
	if err != nil {
		return nil, summary, shortened(err)
	}
	if len(agents) == 0 {
		return nil, summary, refuse(fault.Invalid, "intake.empty", fault.Field{File: src.Name, Problem: "has a header and no rows"})
	}
	summary.Good = summary.Rows
	return agents, summary, nil
}

// shortened keeps a message about a wholly wrong file readable.
func shortened(err error) error {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || len(e.Fields) <= MaxProblems {
		return err
	}
	short := *e
	short.Message = fmt.Sprintf("%s: %d bad cells, nothing was imported; the first %d", e.Message, len(e.Fields), MaxProblems)
	short.Fields = e.Fields[:MaxProblems]
	return &short
}

// agentTable joins the complaints about cells with those about meaning, in the order of rows.
func agentTable(ctx context.Context, table *Table, m Mapping, o Options) ([]workforce.Agent, int64, error) {
	records, bad, err := agentRecords(ctx, table, m, o)
	if err != nil {
		return nil, 0, err
	}
	agents, err := workforce.AgentsFromRecords(table.source.Name, records)
	if e, ok := errors.AsType[*fault.Error](err); ok {
		bad = append(bad, e.Fields...)
	}
	slices.SortStableFunc(bad, func(a, b fault.Field) int { return a.Row - b.Row })
	return agents, int64(len(records)), fault.Bad("agents.rows", "agents", bad)
}

// agentRecords returns the rows whose cells can be read, and what is wrong with the others.
func agentRecords(ctx context.Context, table *Table, m Mapping, o Options) (records []workforce.Record, bad []fault.Field, err error) {
	zone, err := m.location(o.Zone)
	if err != nil {
		return nil, nil, err
	}
	bound, _ := bind(m, table.Header)
	columns := map[string]string{}
	for _, c := range bound {
		c.zone, c.epoch = zone, table.book != nil && table.book.Date1904()
		columns[c.field] = c.header
	}
	for {
		r, err := table.nextChecked()
		if ended(err) {
			return records, bad, nil
		}
		if err != nil {
			return nil, nil, table.named(err)
		}
		if r.problem != "" {
			bad = append(bad, table.complaint(r))
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, canceled(err)
		}
		if len(records) == maxAgents {
			return nil, nil, refuse(fault.TooLarge, "intake.limit",
				fault.Field{File: table.source.Name, Problem: fmt.Sprintf("has more than %d rows of agents", maxAgents)})
		}
		values, problems := agentValues(table.source.Name, &r, bound)
		if bad = append(bad, problems...); len(problems) == 0 {
			records = append(records, workforce.Record{Row: r.number, Values: values, Columns: columns})
		}
	}
}

func agentValues(file string, r *record, bound []*column) (values map[string]string, bad []fault.Field) {
	values = map[string]string{}
	for _, c := range bound {
		given := c.read(r)
		text, problem := given, ""
		if text != "" && dateFields[c.field] {
			text, problem = c.date(text)
		}
		if problem != "" {
			bad = append(bad, fault.Field{File: file, Row: r.number, Column: c.header, Value: fault.Shorten(given), Problem: problem})
		}
		if text != "" {
			values[c.field] = text
		}
	}
	return values, bad
}

func agentLines(table *Table, limits Limits) ([]workforce.Agent, error) {
	in := &lines{r: table.text.r, file: table.source.Name, limit: limits.Line}
	var agents []workforce.Agent
	var bad []fault.Field
	for {
		line, err := in.next()
		if ended(err) {
			return agents, fault.Bad("agents.rows", "agents", bad)
		}
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			continue
		}
		if in.long {
			return nil, in.tooLong()
		}
		a, problems := decodeAgent(line)
		for _, f := range problems {
			f.File, f.Row = table.source.Name, in.number
			bad = append(bad, f)
		}
		if agents = append(agents, a); len(agents) > maxAgents {
			return nil, refuse(fault.TooLarge, "intake.limit", fault.Field{File: table.source.Name, Problem: fmt.Sprintf("has more than %d agents", maxAgents)})
		}
	}
}

func decodeAgent(line []byte) (workforce.Agent, []fault.Field) {
	var a workforce.Agent
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return a, []fault.Field{{Value: fault.Shorten(string(line)), Problem: "is not one agent as JSON: " + jsonProblem(err)}}
	}
	if e, ok := errors.AsType[*fault.Error](a.Validate()); ok {
		return a, e.Fields
	}
	return a, nil
}

// jsonProblem says in words what a line of JSON has wrong.
func jsonProblem(err error) string {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("%s holds %s, which does not belong there", t.Field, t.Value)
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Message
	}
	if key, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return "there is no field " + key
	}
	return "a comma, a quote or a bracket is wrong"
}
