package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/operations/pricing"
)

// flatShare names a share that somebody gave instead of causes.
const flatShare = "as asked for"

// cause is one reason for paid time away from the queue, over the plans of several queues.
type cause struct {
	name        string
	least, most float64
	sources     []string
}

// shrinksText names the causes of several plans once each, with their shares and sources. Where queues differ it
// tells between which shares.
func shrinksText(all []pricing.Shrinkage) string {
	var causes []cause
	add := func(name string, share float64, source string) {
		i := slices.IndexFunc(causes, func(c cause) bool { return c.name == name })
		if i < 0 {
			i = len(causes)
			causes = append(causes, cause{name: name, least: share, most: share})
		}
		c := &causes[i]
		c.least, c.most = min(c.least, share), max(c.most, share)
		if source != "" && !slices.Contains(c.sources, source) {
			c.sources = append(c.sources, source)
		}
	}
	for _, s := range all {
		if s.Flat {
			add(flatShare, s.Share, "")
			continue
		}
		says := map[string]string{}
		for _, x := range s.Sources {
			says[x.Cause] = x.Says
		}
		for _, c := range s.Causes {
			add(c.Name, c.Share, says[c.Name])
		}
		add("absence", s.Absence.Share, says["absence"])
		if s.Adherence != 1 {
			add("adherence", s.Adherence, "")
		}
		if len(s.Ramp) > 0 {
			add("ramp", 0, says["ramp"])
		}
	}
	texts := make([]string, len(causes))
	for i, c := range causes {
		texts[i] = c.text()
	}
	return strings.Join(texts, ", ")
}

func (c cause) text() string {
	text := fmt.Sprintf("%s %.3g%%", c.name, 100*c.least)
	switch c.name {
	case "ramp":
		text = c.name
	case flatShare:
		text = fmt.Sprintf("%.3g%% %s", 100*c.least, c.name)
	}
	if c.least != c.most {
		text += fmt.Sprintf(" to %.3g%% by queue", 100*c.most)
	}
	switch len(c.sources) {
	case 0:
		return text
	case 1:
		return text + " (" + c.sources[0] + ")"
	}
	var kinds []string // "measured: 55 of 242 published shifts" differs from queue to queue
	for _, s := range c.sources {
		kind, _, _ := strings.Cut(s, ":")
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return text + " (" + strings.Join(kinds, " or ") + "; staff explain tells each)"
}
