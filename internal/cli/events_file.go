package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// eventsFile is the events file: times are kept as text because one without a zone is on the
// local clock of the data it is used with.
type eventsFile struct {
	Events []struct {
		Family string `yaml:"family"`
		Start  string `yaml:"start"`
		End    string `yaml:"end"`
		Phases []struct {
			Kind  string `yaml:"kind"`
			Start string `yaml:"start"`
			End   string `yaml:"end"`
		} `yaml:"phases"`
		Openings []string `yaml:"openings"`
		Scale    float64  `yaml:"scale"`
		ScaleOf  string   `yaml:"scale_of"`
	} `yaml:"events"`
}

const maxEventsFile = 1 << 20

// parseEvents reads an events file strictly; unknown keys, bad times and overlaps of one family
// are one *fault.Error "forecast.events" that lists them all.
func parseEvents(name string, r io.Reader, style timeStyle) ([]forecast.Event, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxEventsFile+1))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "forecast.events", "%s cannot be read", name)
	}
	if len(body) > maxEventsFile {
		return nil, fault.New(fault.TooLarge, "forecast.events", "%s is larger than 1 MB", name)
	}
	var file eventsFile
	decoder := yaml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fault.Wrap(err, fault.Invalid, "forecast.events", "%s: %s", name, yamlProblem(err))
	}
	var bad []fault.Field
	read := func(where, text string) time.Time {
		if text == "" {
			return time.Time{} // forecast reports it as missing
		}
		t, err := style.instant(where, text)
		if err != nil {
			bad = append(bad, fault.Of(err).Fields...)
		}
		return t
	}
	var events []forecast.Event
	for i, e := range file.Events {
		where := fmt.Sprintf("events[%d]", i)
		event := forecast.Event{
			Family: e.Family, Start: read(where+".start", e.Start), End: read(where+".end", e.End), Scale: e.Scale, ScaleOf: e.ScaleOf,
		}
		for j, p := range e.Phases {
			at := fmt.Sprintf("%s.phases[%d]", where, j)
			event.Phases = append(event.Phases, forecast.Phase{Kind: p.Kind, Start: read(at+".start", p.Start), End: read(at+".end", p.End)})
		}
		for j, o := range e.Openings {
			event.Openings = append(event.Openings, read(fmt.Sprintf("%s.openings[%d]", where, j), o))
		}
		events = append(events, event)
	}
	if len(bad) == 0 {
		if err := forecast.ValidateEvents(events); err != nil {
			bad = fault.Of(err).Fields
		}
	}
	for i := range bad {
		bad[i].File = name
	}
	return events, fault.Bad("forecast.events", "events", bad)
}

// yamlProblem is the decoder's own text, which names line and key, without its Go type names.
func yamlProblem(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.ReplaceAll(text, "unmarshal errors:\n  ", "")
	if at := strings.Index(text, " not found in type"); at >= 0 {
		text = text[:at] + " is not known here"
	}
	return fault.Shorten(text)
}
