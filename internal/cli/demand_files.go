package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// readSmall reads a file of at most 1 MB without its byte order mark.
func readSmall(code, name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fault.Wrap(err, fault.NotFound, code, "%s cannot be opened", name)
	}
	defer func() { _ = file.Close() }() // read only: nothing can be lost
	body, err := io.ReadAll(io.LimitReader(file, maxEventsFile+1))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, code, "%s cannot be read", name)
	}
	if len(body) > maxEventsFile {
		return nil, fault.New(fault.TooLarge, code, "%s is larger than 1 MB", name)
	}
	return bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), nil
}

// exclusionsFile is the file of `forecast file --exclude`; times are text as in the events file, but a
// last day without an hour is included, as with --to.
type exclusionsFile struct {
	Exclude []struct {
		From   string `yaml:"from"`
		To     string `yaml:"to"`
		Reason string `yaml:"reason"`
	} `yaml:"exclude"`
}

// readExclusions reads the stretches that must not teach; "" is none.
func (f *forecastFlags) readExclusions(style timeStyle) ([]forecast.Exclusion, error) {
	if f.exclude == "" {
		return nil, nil
	}
	body, err := readSmall("forecast.exclude", f.exclude)
	if err != nil {
		return nil, err
	}
	return parseExclusions(f.exclude, body, style)
}

// parseExclusions reads strictly; all that is wrong is one *fault.Error "forecast.exclude".
func parseExclusions(name string, body []byte, style timeStyle) ([]forecast.Exclusion, error) {
	var file exclusionsFile
	decoder := yaml.NewDecoder(bytes.NewReader(body))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fault.Wrap(err, fault.Invalid, "forecast.exclude", "%s: %s", name, yamlProblem(err))
	}
	var bad []fault.Field
	var out []forecast.Exclusion
	for i, x := range file.Exclude {
		where := "exclude[" + strconv.Itoa(i) + "]"
		one := forecast.Exclusion{Reason: strings.TrimSpace(x.Reason)}
		for _, part := range []struct {
			at   *time.Time
			text string
			path string
		}{{&one.From, x.From, where + ".from"}, {&one.To, x.To, where + ".to"}} {
			if part.text == "" {
				bad = append(bad, fault.Field{File: name, Path: part.path, Problem: "is required"})
				continue
			}
			t, err := style.instant(part.path, part.text)
			if err != nil {
				for _, field := range fault.Of(err).Fields {
					field.File = name
					bad = append(bad, field)
				}
				continue
			}
			if _, err := calendar.ParseDate(part.text); err == nil && part.at == &one.To {
				t = t.AddDate(0, 0, 1)
			}
			*part.at = t
		}
		if !one.From.IsZero() && !one.To.IsZero() && !one.From.Before(one.To) {
			bad = append(bad, fault.Field{File: name, Path: where + ".to", Value: x.To, Problem: "must be after from " + x.From})
		}
		if one.Reason == "" {
			bad = append(bad, fault.Field{File: name, Path: where + ".reason", Problem: "is required: a later reader must know why"})
		}
		out = append(out, one)
	}
	return out, fault.Bad("forecast.exclude", "exclusions", bad)
}

// readSalesPlan reads orders per day from CSV or JSON; "" is no plan.
func readSalesPlan(name string) ([]planning.PlannedOrders, error) {
	if name == "" {
		return nil, nil
	}
	body, err := readSmall("cli.sales_plan", name)
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(filepath.Ext(name), ".json") {
		return salesPlanJSON(name, body)
	}
	return salesPlanCSV(name, body)
}

func salesPlanJSON(name string, body []byte) ([]planning.PlannedOrders, error) {
	var plan []planning.PlannedOrders
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&plan); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "cli.sales_plan", `%s must be a list like [{"day": "2026-11-11", "orders": 5200}]`, name)
	}
	return plan, nil
}

// The headers that a sales plan may have.
var (
	dayHeaders    = []string{"day", "date", "日期"}
	ordersHeaders = []string{"orders", "订单", "订单数", "订单量"}
)

func salesPlanCSV(name string, body []byte) ([]planning.PlannedOrders, error) {
	reader := csv.NewReader(bytes.NewReader(body))
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "cli.sales_plan", "%s: broken quoting", name)
	}
	find := func(headers []string) int {
		if len(rows) == 0 {
			return -1
		}
		return slices.IndexFunc(rows[0], func(h string) bool { return slices.Contains(headers, strings.ToLower(strings.TrimSpace(h))) })
	}
	day, orders := find(dayHeaders), find(ordersHeaders)
	if day < 0 || orders < 0 {
		return nil, fault.New(fault.Invalid, "cli.sales_plan", "%s needs a first line with the columns day and orders", name)
	}
	var bad []fault.Field
	var plan []planning.PlannedOrders
	for i, row := range rows[1:] {
		cell := func(at int) string {
			if at < len(row) {
				return strings.TrimSpace(row[at])
			}
			return ""
		}
		date, err := calendar.ParseDate(cell(day))
		if err != nil {
			bad = append(bad, fault.Field{File: name, Row: i + 2, Column: rows[0][day], Value: cell(day), Problem: "must be a day such as 2026-11-11"})
		}
		n, err := strconv.ParseFloat(cell(orders), 64)
		if err != nil || !(n >= 0) || math.IsInf(n, 0) {
			bad = append(bad, fault.Field{File: name, Row: i + 2, Column: rows[0][orders], Value: cell(orders), Problem: "must be a number of 0 or more"})
		}
		plan = append(plan, planning.PlannedOrders{Date: date, Orders: n})
	}
	return plan, fault.Bad("cli.sales_plan", "sales plan", bad)
}
