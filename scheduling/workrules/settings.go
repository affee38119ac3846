package workrules

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// Setting is one parameter of the rules for people.
type Setting struct {
	Name     string   `json:"name"`
	Value    string   `json:"value"`   // as With takes it
	Default  string   `json:"default"` // the statutory limit, or that of the house where the law names none
	Meaning  string   `json:"meaning"`
	Law      Legal    `json:"law"`      // what is law of it and what the house may set
	Rules    []string `json:"rules"`    // codes of the rules that go by it
	Articles []string `json:"articles"` // on which they rest
}

// Settings lists the parameters that a house may set, in the order of docs/rules.md. What queues ask of their
// agents is set queue by queue and is none of them.
func (p Params) Settings() []Setting {
	var out []Setting
	now, usual := reflect.ValueOf(p), reflect.ValueOf(DefaultParams())
	for i := range now.NumField() {
		name := paramName(now.Type().Field(i))
		if name == "queues" {
			continue
		}
		s := Setting{Name: name, Value: settingText(now.Field(i)), Default: settingText(usual.Field(i)), Meaning: meanings[name], Law: LegalOf(name), Rules: []string{}, Articles: []string{}}
		for _, r := range Rules() {
			if slices.Contains(r.Params, name) {
				s.Rules = append(s.Rules, r.Code)
				if !slices.Contains(s.Articles, r.Article) {
					s.Articles = append(s.Articles, r.Article)
				}
			}
		}
		out = append(out, s)
	}
	return out
}

// Warnings are the values that no statute forbids and that take away what the others rest on, a sentence each.
func (p Params) Warnings() (out []string) {
	if p.RestBlock < DefaultParams().RestBlock {
		out = append(out, fmt.Sprintf("rest_block 为%s，两个8小时的班次可在24小时内先后排完：每日工时按班次开始之日计算，这时只有它限制跨日的连续工作 / "+
			"with rest_block %s two shifts of 8 h fit into less than 24 h: the hours of a day count on the day a shift starts, so nothing else limits work over midnight",
			lengthText(p.RestBlock), calendar.SlotName(p.RestBlock)))
	}
	return out
}

// settingText is a value as With takes it; dates are FROM:TO, the last day included.
func settingText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return calendar.SlotName(x)
	case []calendar.Dates:
		spans := make([]string, len(x))
		for i, d := range x {
			spans[i] = d.From.String() + ":"
			if !d.Until.IsZero() {
				spans[i] += d.Until.Add(-1).String()
			}
		}
		return strings.Join(spans, ",")
	}
	return fmt.Sprint(v.Interface())
}

// With lays values by name over the parameters: lengths of time as 9h or 30m, numbers, true and false, words, and
// dates as FROM:TO, the last day included, with commas between several. The fields name every value that cannot
// be read or that the law does not allow, as rules.NAME.
func (p Params) With(values map[string]string) (Params, []fault.Field) {
	var bad []fault.Field
	into := reflect.ValueOf(&p).Elem()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		problem, known := "", false
		for i := range into.NumField() {
			if n := paramName(into.Type().Field(i)); n == name && n != "queues" {
				problem, known = setField(into.Field(i), strings.TrimSpace(values[name])), true
			}
		}
		if !known {
			problem = fmt.Sprintf("is no setting; there are %s", strings.Join(settingNames(), ", "))
		}
		if problem != "" {
			bad = append(bad, fault.Field{Path: "rules." + fault.Shorten(name), Value: values[name], Problem: problem})
		}
	}
	if err := p.Validate(); err != nil {
		for _, f := range fault.Of(err).Fields {
			if text, set := values[strings.TrimPrefix(f.Path, "rules.")]; set {
				f.Value = text // as it was written
			}
			if !slices.ContainsFunc(bad, func(b fault.Field) bool { return b.Path == f.Path }) {
				bad = append(bad, f)
			}
		}
	}
	return p, bad
}

func settingNames() (names []string) {
	for _, s := range DefaultParams().Settings() {
		names = append(names, s.Name)
	}
	return names
}

// setField reads a value into a parameter and says what is wrong with it; "" when nothing is.
func setField(v reflect.Value, text string) string {
	switch v.Interface().(type) {
	case time.Duration:
		d, err := calendar.ParseLength(text)
		if err != nil {
			return "must be a length of time with its unit, such as 9h or 1h30m"
		}
		v.Set(reflect.ValueOf(d))
		return ""
	case []calendar.Dates:
		dates, ok := datesOf(text)
		if !ok {
			return "must be days as 2026-11-10:2026-11-12, the last one included, with commas between several"
		}
		v.Set(reflect.ValueOf(dates))
		return ""
	}
	switch v.Kind() {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return "must be true or false"
		}
		v.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return "must be a whole number"
		}
		v.SetInt(int64(n))
	default:
		v.SetString(text)
	}
	return ""
}

func datesOf(text string) (out []calendar.Dates, ok bool) {
	if text == "" {
		return nil, true
	}
	for span := range strings.SplitSeq(text, ",") {
		first, last, found := strings.Cut(strings.TrimSpace(span), ":")
		if !found {
			last = first
		}
		from, err := calendar.ParseDate(first)
		if err != nil {
			return nil, false
		}
		until, err := calendar.ParseDate(last)
		if err != nil || until.Before(from) {
			return nil, false
		}
		out = append(out, calendar.Dates{From: from, Until: until.Add(1)})
	}
	return out, true
}
