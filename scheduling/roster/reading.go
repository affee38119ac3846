package roster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

const (
	maxFile = 1 << 30 // bytes of a problem file
	maxTold = 200     // complaints about one file that are told one by one
)

// ReadProblem reads the JSON form of a problem (schema: docs/roster-format.md). file names it in errors.
// leastViolating is Problem.LeastViolating.
//
// Errors: roster.file for what is no JSON, with the line; roster.problem for anything else that is wrong, all at
// once: unknown and repeated fields, wrong types, bad values, each with its path, what the file has there and
// what is allowed.
func ReadProblem(file string, in io.Reader, leastViolating bool) (Problem, error) {
	root, err := readTree(file, "roster problem", in)
	if err != nil {
		return Problem{}, err
	}
	var shape complaints
	fit(root, reflect.TypeFor[problemFile](), "", &shape)
	var text bytes.Buffer
	root.write(&text)
	var f problemFile
	if err := json.Unmarshal(text.Bytes(), &f); err != nil && len(shape) == 0 {
		return Problem{}, fault.Wrap(err, fault.Invalid, "roster.file", "%s cannot be read as a roster problem", file)
	}
	f.crowd(&shape)
	p, made, bad := f.problem()
	p.LeastViolating = leastViolating
	if err := p.Validate(); err != nil {
		for _, x := range inFile(fault.Of(err).Fields, made) {
			if p.Range != (calendar.Range{}) || x.Path != "until" { // what is wrong with it is told
				bad = append(bad, x)
			}
		}
	}
	if err := fault.Bad("roster.problem", "roster problem", told(file, root, shape, bad)); err != nil {
		return Problem{}, err
	}
	return p, nil
}

// ReadRoster reads a solution file, as `roster solve` writes it: the shifts, and where claims is not nil, into it
// what else the file says. Errors: roster.file for everything wrong with the file, all at once, as ReadProblem.
func ReadRoster(file string, in io.Reader, claims any) (scheduling.Roster, error) {
	var out struct {
		Roster scheduling.Roster `json:"roster"`
	}
	root, err := readTree(file, "roster file", in)
	if err != nil {
		return out.Roster, err
	}
	if at := root.at("roster"); root.kind == 'n' || root.kind == '{' && (at == nil || at.kind == 'n') {
		return out.Roster, fault.Bad("roster.file", "roster file", []fault.Field{{File: file, Path: "roster", Problem: "is missing; expected what roster solve writes"}})
	}
	if err := root.into(file, "roster file", reflect.TypeFor[Solution](), &out); err != nil || claims == nil {
		return out.Roster, err
	}
	return out.Roster, root.into(file, "roster file", reflect.TypeFor[Solution](), claims)
}

// ReadStrict reads JSON into a pointer to lists, objects, and maps by text; what names the whole in errors. Errors: as
// ReadRoster.
func ReadStrict(file, what string, in io.Reader, into any) error {
	root, err := readTree(file, what, in)
	if err != nil {
		return err
	}
	if root.kind == 'n' {
		return fault.Bad("roster.file", what, []fault.Field{{File: file, Row: 1, Value: "null", Problem: "holds nothing"}})
	}
	return root.into(file, what, reflect.TypeOf(into).Elem(), into)
}

// into reads a value that must have the shape of a type.
func (n *node) into(file, what string, t reflect.Type, into any) error {
	var bad complaints
	fit(n, t, "", &bad)
	if err := fault.Bad("roster.file", what, told(file, n, bad, nil)); err != nil {
		return err
	}
	var text bytes.Buffer
	n.write(&text)
	if err := json.Unmarshal(text.Bytes(), into); err != nil {
		return fault.Wrap(err, fault.Invalid, "roster.file", "%s cannot be read as a %s", file, what)
	}
	return nil
}

func readTree(file, what string, in io.Reader) (*node, error) {
	raw, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	switch {
	case err != nil:
		return nil, fault.Wrap(err, fault.Invalid, "roster.unreadable", "%s cannot be read", file)
	case len(raw) > maxFile:
		return nil, fault.New(fault.TooLarge, "roster.file_too_large", "%s is larger than 1 GiB", file)
	}
	return parse(file, what, bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))
}

// inFile gives complaints about a problem the paths of its file: a generated template is an entry of windows,
// and the range is from and until.
func inFile(fields []fault.Field, made []string) []fault.Field {
	asWindow := strings.NewReplacer(".code", ".prefix", ".start", ".from", ".length", ".lengths")
	for i, f := range fields {
		var n int
		switch _, err := fmt.Sscanf(f.Path, "templates[%d]", &n); {
		case err == nil && n < len(made):
			rest := strings.TrimPrefix(f.Path, fmt.Sprintf("templates[%d]", n))
			if strings.HasPrefix(made[n], "windows") && !strings.HasPrefix(rest, ".pauses") {
				rest = asWindow.Replace(rest)
			}
			fields[i].Path = made[n] + rest
		case f.Path == "range":
			fields[i].Path = "until"
		case f.Path == "range.start":
			fields[i].Path = "from"
		}
	}
	return fields
}

// unknownNames are the complaints that a name is unknown, with the places that names of that kind come from.
var unknownNames = map[string]*regexp.Regexp{
	"is not a template": regexp.MustCompile(`^(templates(\[\d+\](\.code)?)?$|windows)`),
	"is not a queue":    regexp.MustCompile(`^(demand|agents)(\[\d+\](\.queue|\.skills(\[\d+\](\.queue)?)?)?)?$`),
	"is not a site":     regexp.MustCompile(`^sites(\[\d+\](\.id)?)?$`),
	"is not an agent":   regexp.MustCompile(`^agents(\[\d+\](\.id)?)?$`),
}

// unread reports whether a complaint that a name is unknown only follows from one about the names themselves.
func unread(f fault.Field, shape []fault.Field) bool {
	for problem, names := range unknownNames {
		if strings.HasPrefix(f.Problem, problem) && slices.ContainsFunc(shape, func(s fault.Field) bool { return names.MatchString(s.Path) }) {
			return true
		}
	}
	return false
}

// told lists complaints for the user: those about the shape of the file, then those about its meaning that do not
// only follow from them, each once, with what the file has there.
func told(file string, root *node, shape, meaning complaints) (out []fault.Field) {
	judged := !slices.ContainsFunc(shape, func(f fault.Field) bool { // whether locked shifts were judged as written
		return slices.ContainsFunc([]string{"agents", "locked", "rules", "holidays", "from", "until", "location"}, func(root string) bool {
			return within(f.Path, root)
		})
	})
	all := slices.Clone(shape)
	for _, f := range meaning {
		if unread(f, shape) || followed(f.Path, shape) || !judged && strings.Contains(f.Problem, heldSays) {
			continue
		}
		all = append(all, f)
	}
	seen := map[fault.Field]bool{}
	for _, f := range all {
		if n := root.at(f.Path); n != nil && n.scalar() && n.kind != 'n' {
			f.Value = n.says()
		}
		f.File = file
		if !seen[f] {
			seen[f] = true
			out = append(out, f)
		}
	}
	if more := len(out) - maxTold; more > 0 {
		out = append(out[:maxTold], fault.Field{File: file, Problem: fmt.Sprintf("and %d more places", more)})
	}
	return out
}
