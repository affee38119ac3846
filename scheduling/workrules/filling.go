package workrules

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"
)

// blank is where a sentence of a rule names a setting: {rest_block}, or {night_run night shift} with what it counts.
var blank = regexp.MustCompile(`\{(\w+)(?: ([\w ]+))?\}`)

// filled is a sentence with the values of the settings that it names.
func (p Params) filled(t Text) Text {
	if !strings.Contains(t.ZH, "{") && !strings.Contains(t.EN, "{") {
		return t
	}
	fill := func(text string, length func(time.Duration) string) string {
		return blank.ReplaceAllStringFunc(text, func(hit string) string {
			parts := blank.FindStringSubmatch(hit)
			switch v := p.setting(parts[1]).(type) {
			case time.Duration:
				return length(v)
			case int:
				return counted(v, parts[2])
			}
			return hit // a test holds that there is none
		})
	}
	return Text{ZH: fill(t.ZH, lengthText), EN: fill(t.EN, lengthWords)}
}

// setting is the value of a parameter by its name, nil for none.
func (p Params) setting(name string) any {
	v := reflect.ValueOf(p)
	for i := range v.NumField() {
		if paramName(v.Type().Field(i)) == name {
			return v.Field(i).Interface()
		}
	}
	return nil
}

// counted is a number with what it counts, if anything.
func counted(n int, noun string) string {
	switch {
	case noun == "":
		return fmt.Sprint(n)
	case n == 1:
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// lengthWords is a length in whole minutes as "8 h", "30 minutes" or "165 h 20 minutes".
func lengthWords(d time.Duration) string {
	h, m := int(d/time.Hour), counted(int(d%time.Hour/time.Minute), "minute")
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", h)
	case h == 0:
		return m
	}
	return fmt.Sprintf("%d h %s", h, m)
}
