package cli

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/chaoban/chaoban/configs"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// forecastFlags are the flags of `chaoban forecast file` as typed.
type forecastFlags struct {
	in, timeCol, valueCol  string
	groupCols, pathCols    []string
	categoryCol            string
	slot, horizon          string
	origin, hours, missing string
	events, calendar       string
	exclude                string
	quantiles              string
	out, plot              string
	json                   bool
	slotLength             time.Duration
}

// newForecastFileCommand is `chaoban forecast file`: CSV history in, CSV demand curve out, with
// no server and no database.
func newForecastFileCommand() *cobra.Command {
	f := &forecastFlags{}
	cmd := &cobra.Command{
		Use:   "file",
		Short: "Forecast the contact history in a CSV file",
		Long: `Forecast the contact history in a CSV file, one series per group.

History is every slot that has ended by the origin; later rows are not looked at. The forecast
covers each open slot that starts at or after the origin, up to origin + horizon. Rows of one
group in one slot are summed. Times without a zone stay on the local clock of the file.

Several series teach each other what events do; those of one --category-col first, so a new
merchant borrows from merchants like it. They add up to the forecasts of their sums: of all, and
of each label of --path-cols, as in --group-cols merchant,shop,queue --path-cols merchant,shop.

Events may carry a planned size, scale: 1.3 with scale_of: sales, orders or budget, as a ratio to
the past occurrence of the family.`,
		Example: `  chaoban forecast file --in calls.csv --time-col DateTime --value-col Calls --slot 30m --horizon 5d \
    --hours "Mon-Fri 07:00-21:00" --calendar none --out forecast.csv --plot forecast.svg`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	f.register(cmd)
	flags.StringVar(&f.origin, "origin", "", "instant the forecast starts from (default: the end of the data)")
	flags.StringVar(&f.out, "out", "", "forecast, CSV (default: standard output)")
	flags.StringSliceVar(&f.pathCols, "path-cols", nil, "group columns whose values are sums of series, from the top down: merchant,shop")
	flags.StringVar(&f.categoryCol, "category-col", "", "column that says which series are alike; a new one borrows its events from those")
	flags.StringVar(&f.plot, "plot", "", "picture, SVG; of the largest series when there are several")
	flags.BoolVar(&f.json, "json", false, "print a JSON summary (with the points when --out is absent)")
	return cmd
}

// register defines the flags that say how a history is read and forecast.
func (f *forecastFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.in, "in", "", "history, CSV in UTF-8 or GBK (required)")
	flags.StringVar(&f.timeCol, "time-col", "", "column with the time of each row (required)")
	flags.StringVar(&f.valueCol, "value-col", "", "column with the contacts of each row (required)")
	flags.StringSliceVar(&f.groupCols, "group-cols", nil, "columns that tell series apart, comma separated")
	flags.StringVar(&f.slot, "slot", "30m", "slot length: 5m, 15m, 30m, 60m or 24h; finer rows are summed")
	flags.StringVar(&f.horizon, "horizon", "", "how far ahead: 120h, 5d, 12w (required)")
	flags.StringVar(&f.hours, "hours", "", `open hours, "Mon-Fri 07:00-21:00; Sat 09:00-18:00" (default: learned from the data)`)
	flags.StringVar(&f.missing, "missing", "closed", "what an open slot without a row means: closed or zero")
	flags.StringVar(&f.events, "events", "", "events file (YAML)")
	flags.StringVar(&f.exclude, "exclude", "", "stretches that must not teach, YAML: exclude: [{from: 2026-10-12T09:00, to: ..., reason: ...}]; a day as to is included")
	flags.StringVar(&f.calendar, "calendar", "cn", "holidays: cn or none")
	flags.StringVar(&f.quantiles, "quantiles", "0.1,0.5,0.9", "quantile levels")
}

func (f *forecastFlags) run(cmd *cobra.Command) error {
	options, err := f.options()
	if err != nil {
		return err
	}
	h, err := f.read(cmd)
	if err != nil {
		return err
	}
	options.Origin = h.origin
	if options.Events, err = f.readEvents(h.style); err != nil {
		return err
	}
	if options.Exclude, err = f.readExclusions(h.style); err != nil {
		return err
	}
	bar := newProgress(cmd.ErrOrStderr(), int64(len(h.series)), "forecasting")
	batch, err := forecast.RunBatch(cmd.Context(), h.series, options, func() { bar.add(1) })
	bar.done()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(batch.Outcomes, func(o forecast.Outcome) bool { return o.Err == nil }) {
		return batch.Outcomes[0].Err
	}
	return f.write(cmd, h, options, batch)
}

// options reads the flags that need no file and reports every bad one at once.
func (f *forecastFlags) options() (o forecast.Options, err error) {
	var bad []fault.Field
	check := func(flag, value string, err error) {
		if err != nil {
			problem := fault.Of(err).Error()
			if fields := fault.Of(err).Fields; len(fields) == 1 {
				problem, value = fields[0].Problem, fields[0].Value
			}
			bad = append(bad, fault.Field{Path: flag, Value: value, Problem: problem})
		}
	}
	for _, required := range [][2]string{{"--in", f.in}, {"--time-col", f.timeCol}, {"--value-col", f.valueCol}, {"--horizon", f.horizon}} {
		if required[1] == "" {
			bad = append(bad, fault.Field{Path: required[0], Problem: "is required"})
		}
	}
	if f.slotLength, err = parseSpan(f.slot); err != nil || !slices.Contains(forecastSlots, f.slotLength) {
		bad = append(bad, fault.Field{Path: "--slot", Value: f.slot, Problem: "must be 5m, 10m, 15m, 20m, 30m, 60m or 24h"})
	}
	if f.horizon != "" {
		o.Horizon, err = parseSpan(f.horizon)
		if err == nil && (o.Horizon <= 0 || o.Horizon > forecast.MaxHorizon) {
			err = fault.New(fault.Invalid, "forecast.horizon", "must be more than nothing and at most 64 weeks")
		}
		check("--horizon", f.horizon, err)
	}
	if f.hours != "" {
		o.Hours, err = forecast.ParseHours(f.hours)
		check("--hours", f.hours, err)
	}
	o.Missing, err = forecast.ParseMissing(f.missing)
	check("--missing", f.missing, err)
	o.Levels, err = parseLevels(f.quantiles)
	check("--quantiles", f.quantiles, err)
	switch f.calendar {
	case "cn":
		o.Holidays = configs.Holidays()
	case "none":
		o.Holidays = calendar.Holidays{}
	default:
		bad = append(bad, fault.Field{Path: "--calendar", Value: f.calendar, Problem: "must be cn or none"})
	}
	for i, c := range f.groupCols {
		if c == f.timeCol || c == f.valueCol || slices.Contains(f.groupCols[:i], c) {
			bad = append(bad, fault.Field{Path: "--group-cols", Value: c, Problem: "is named twice"})
		}
	}
	for i, c := range f.pathCols {
		if !slices.Contains(f.groupCols, c) || slices.Contains(f.pathCols[:i], c) {
			bad = append(bad, fault.Field{Path: "--path-cols", Value: c, Problem: "must name columns of --group-cols, each once"})
		}
	}
	if c := f.categoryCol; c != "" && (c == f.timeCol || c == f.valueCol) {
		bad = append(bad, fault.Field{Path: "--category-col", Value: c, Problem: "is the column of times or values"})
	}
	return o, fault.Bad("cli.flags", "flags", bad)
}

var forecastSlots = []time.Duration{
	5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour, 24 * time.Hour,
}

// parseSpan reads a length of time as a flag: 90m, 120h, 5d, 12w, 1w3d.
func parseSpan(text string) (time.Duration, error) {
	d, err := calendar.ParseLength(text)
	if err != nil {
		return 0, fault.New(fault.Invalid, "cli.duration", "%s", fault.Of(err).Message)
	}
	return d, nil
}

func parseLevels(text string) ([]float64, error) {
	var levels []float64
	for _, part := range strings.Split(text, ",") {
		q, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || !(q > 0 && q < 1) {
			return nil, fault.New(fault.Invalid, "forecast.levels", "must be levels between 0 and 1 like 0.1,0.5,0.9")
		}
		levels = append(levels, q)
	}
	slices.Sort(levels)
	if len(slices.Compact(slices.Clone(levels))) != len(levels) {
		return nil, fault.New(fault.Invalid, "forecast.levels", "names a level twice")
	}
	return levels, nil
}

// read reads the history with a progress bar over its bytes.
func (f *forecastFlags) read(cmd *cobra.Command) (history, error) {
	file, err := os.Open(f.in)
	if err != nil {
		return history{}, fault.Wrap(err, fault.NotFound, "forecast.file", "%s cannot be opened", f.in)
	}
	defer func() { _ = file.Close() }() // read only: nothing can be lost
	size := int64(-1)
	if info, err := file.Stat(); err == nil {
		if info.IsDir() {
			return history{}, fault.New(fault.Invalid, "forecast.file", "%s is a directory", f.in)
		}
		size = info.Size()
	}
	bar := newProgress(cmd.ErrOrStderr(), size, "reading "+filepath.Base(f.in))
	defer bar.done()
	return readHistory(cmd.Context(), bar.reader(file), historySpec{
		file: f.in, timeCol: f.timeCol, valueCol: f.valueCol, groupCols: f.groupCols, pathCols: f.pathCols, categoryCol: f.categoryCol,
		slot: f.slotLength, origin: f.origin,
	})
}

func (f *forecastFlags) readEvents(style timeStyle) ([]forecast.Event, error) {
	if f.events == "" {
		return nil, nil
	}
	file, err := os.Open(f.events)
	if err != nil {
		return nil, fault.Wrap(err, fault.NotFound, "forecast.events", "%s cannot be opened", f.events)
	}
	defer func() { _ = file.Close() }()
	return parseEvents(f.events, file, style)
}

// progress is a bar on a terminal and nothing anywhere else.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(w io.Writer, size int64, what string) progress {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return progress{}
	}
	return progress{progressbar.NewOptions64(size, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))}
}

func (p progress) add(n int) {
	if p.bar != nil {
		_ = p.bar.Add(n) // a bar that cannot be drawn must not stop the work
	}
}

// set moves the bar to an absolute place; the total is that of newProgress.
func (p progress) set(done, _ int64) {
	if p.bar != nil {
		_ = p.bar.Set64(done) // as above
	}
}

// until is set that also tells when the end of the bar is not yet the end of the work.
func (p progress) until(full func()) func(done, total int64) {
	said := false
	return func(done, total int64) {
		p.set(done, total)
		if p.bar != nil && done >= total && !said {
			said = true
			full()
		}
	}
}

func (p progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

func (p progress) reader(r io.Reader) io.Reader {
	if p.bar == nil {
		return r
	}
	reader := progressbar.NewReader(r, p.bar)
	return &reader
}
