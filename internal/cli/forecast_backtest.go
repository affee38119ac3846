package cli

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// backtestFlags are the flags of `chaoban forecast backtest` as typed.
type backtestFlags struct {
	forecastFlags
	step, from, to, trainUntil string
}

// newForecastBacktestCommand is `chaoban forecast backtest`: the forecasts that would have been
// made from past origins, and how good they were.
func newForecastBacktestCommand() *cobra.Command {
	f := &backtestFlags{}
	cmd := &cobra.Command{
		Use:   "backtest",
		Short: "Forecast a CSV history from past origins and score what would have been said",
		Long: `Forecast the contact history in a CSV file from every origin from --from on in steps of --step, while
origin + horizon lies inside the data (and not after --to). A forecast sees nothing after its origin;
events and holidays are known ahead, as they are to a planner. The scores stand beside those of the weekly
seasonal naive and of the mean of the last four weeks on the same slots; these two get quantiles
from their own errors in the year before --from.`,
		Example: `  chaoban forecast backtest --in calls.csv --time-col DateTime --value-col Calls --slot 60m --horizon 48h --step 12h \
    --from 2017-03-01 --quantiles 0.05,0.5,0.95 --out replayed.csv --plot replayed.svg`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.step, "step", "", "distance of origins: 12h, 1d, 1w (required)")
	flags.StringVar(&f.from, "from", "", "first origin (required)")
	flags.StringVar(&f.to, "to", "", "no forecast reaches beyond this instant (default: the end of the data)")
	flags.StringVar(&f.trainUntil, "train-until", "", "choose the model on data before this instant only; levels go on following the data")
	flags.StringVar(&f.out, "out", "", "origin, time, mean and quantiles, CSV (default: standard output, or none with --json)")
	flags.StringVar(&f.plot, "plot", "", "picture, SVG; of the largest series when there are several")
	flags.BoolVar(&f.json, "json", false, "print the scores as JSON")
	return cmd
}

func (f *backtestFlags) run(cmd *cobra.Command) error {
	options, protocol, err := f.protocol()
	if err != nil {
		return err
	}
	h, err := f.read(cmd)
	if err != nil {
		return err
	}
	if err := f.instants(h, &protocol); err != nil {
		return err
	}
	if options.Events, err = f.readEvents(h.style); err != nil {
		return err
	}
	if options.Exclude, err = f.readExclusions(h.style); err != nil {
		return err
	}
	b := &backtestRun{flags: f, h: h, options: options, protocol: protocol, all: forecast.NewBenchmark(options.Levels)}
	switch {
	case f.out != "":
		err = writeFile(f.out, func(w io.Writer) error { return b.replay(cmd, w) })
	case f.json:
		err = b.replay(cmd, io.Discard)
	default:
		out := bufio.NewWriter(cmd.OutOrStdout())
		if err = b.replay(cmd, out); err == nil {
			err = out.Flush()
		}
	}
	if err != nil {
		return err
	}
	if f.plot != "" {
		svg := forecast.PlotBacktest(h.series[b.largest], b.drawn, options.Events, plotTitle(f.in, h.series[b.largest]))
		if err := writeFile(f.plot, func(w io.Writer) error { _, err := w.Write(svg); return err }); err != nil {
			return err
		}
	}
	if f.json {
		return printJSON(cmd.OutOrStdout(), b.summary())
	}
	summary := cmd.OutOrStdout()
	if f.out == "" {
		summary = cmd.ErrOrStderr()
	}
	return b.print(summary)
}

// protocol reads the flags that need no file.
func (f *backtestFlags) protocol() (forecast.Options, forecast.Protocol, error) {
	var bad []fault.Field
	options, err := f.options()
	if err != nil {
		bad = fault.Of(err).Fields
	}
	for _, required := range [][2]string{{"--step", f.step}, {"--from", f.from}} {
		if required[1] == "" {
			bad = append(bad, fault.Field{Path: required[0], Problem: "is required"})
		}
	}
	p := forecast.Protocol{Horizon: options.Horizon}
	if f.step != "" {
		if p.Step, err = parseSpan(f.step); err != nil || p.Step < time.Minute {
			bad = append(bad, fault.Field{Path: "--step", Value: f.step, Problem: "must look like 12h, 1d or 1w and be a minute or more"})
		}
	}
	return options, p, fault.Bad("cli.flags", "flags", bad)
}

// instants reads the flags that are times, in the style of the file.
func (f *backtestFlags) instants(h history, p *forecast.Protocol) error {
	var bad []fault.Field
	for _, flag := range []struct {
		name, text string
		at         *time.Time
	}{{"--from", f.from, &p.From}, {"--to", f.to, &p.To}, {"--train-until", f.trainUntil, &p.TrainUntil}} {
		if flag.text == "" {
			continue
		}
		t, err := h.style.instant(flag.name, flag.text)
		if err != nil {
			bad = append(bad, fault.Of(err).Fields...)
			continue
		}
		*flag.at = t
	}
	return fault.Bad("forecast.time", "time", bad)
}

// backtestRun is a back-test in progress.
type backtestRun struct {
	flags    *backtestFlags
	h        history
	options  forecast.Options
	protocol forecast.Protocol
	all      *forecast.Benchmark
	each     []backtestSeries
	largest  int // index of the series that is drawn
	drawn    []forecast.Version
	most     float64
}

// backtestSeries is one series in the JSON summary.
type backtestSeries struct {
	Group  map[string]string    `json:"group,omitempty"`
	Scores *forecast.Benchmarks `json:"scores,omitempty"`
	Error  string               `json:"error,omitempty"`
}

// replay forecasts one series after the other and writes the rows.
func (b *backtestRun) replay(cmd *cobra.Command, w io.Writer) error {
	out := csv.NewWriter(w)
	row := append(slices.Clone(b.flags.groupCols), "origin", "time", "mean")
	for _, q := range b.options.Levels {
		row = append(row, "q"+strconv.FormatFloat(q, 'g', -1, 64))
	}
	if err := out.Write(row); err != nil {
		return err
	}
	bar := newProgress(cmd.ErrOrStderr(), int64(len(b.h.series)), "replaying")
	defer bar.done()
	var first error
	good := false
	for i, s := range b.h.series {
		replayed, err := forecast.Replay(cmd.Context(), s, b.options, b.protocol)
		bar.add(1)
		if err != nil && fault.CodeOf(err) == "forecast.canceled" {
			return err
		}
		one := backtestSeries{Group: b.group(i)}
		if err != nil {
			one.Error = fault.Of(err).Error()
			b.each = append(b.each, one)
			if first == nil {
				first = err
			}
			continue
		}
		good = true
		versions := make([]forecast.Version, len(replayed))
		for j, r := range replayed {
			versions[j] = forecast.Version{Origin: r.Origin, Curve: scheduling.Curve{Queue: s.Queue, Slot: s.Slot, Levels: b.options.Levels, Points: r.Points}, Days: r.Days}
			for _, p := range r.Points {
				row = append(row[:0], b.h.groups[i]...)
				row = append(row, b.h.style.format(r.Origin), b.h.style.format(p.Start), figure(p.Mean))
				for _, q := range p.Quantiles {
					row = append(row, figure(q))
				}
				if err := out.Write(row); err != nil {
					return err
				}
			}
		}
		b.score(i, s, versions, &one)
	}
	out.Flush()
	if !good {
		return first
	}
	return out.Error()
}

// score adds one series to the scores and keeps the largest for the picture.
func (b *backtestRun) score(i int, s forecast.Series, versions []forecast.Version, one *backtestSeries) {
	b.all.Add(s, b.options.Missing, versions)
	own := forecast.NewBenchmark(b.options.Levels)
	own.Add(s, b.options.Missing, versions)
	scores := own.Scores()
	one.Scores = &scores
	b.each = append(b.each, *one)
	if b.drawn == nil || scores.Ours.Forecast > b.most {
		b.largest, b.drawn, b.most = i, versions, scores.Ours.Forecast
	}
}

func (b *backtestRun) group(i int) map[string]string {
	if len(b.flags.groupCols) == 0 {
		return nil
	}
	group := map[string]string{}
	for j, c := range b.flags.groupCols {
		group[c] = b.h.groups[i][j]
	}
	return group
}

// summary is what --json prints.
func (b *backtestRun) summary() any {
	instant := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return b.h.style.format(t)
	}
	return struct {
		From       string              `json:"from"`
		To         string              `json:"to,omitempty"`
		TrainUntil string              `json:"train_until,omitempty"`
		Horizon    string              `json:"horizon"`
		Step       string              `json:"step"`
		Slot       string              `json:"slot"`
		Levels     []float64           `json:"levels"`
		Out        string              `json:"out,omitempty"`
		Notes      []string            `json:"notes"`
		Scores     forecast.Benchmarks `json:"scores"` // of all series together
		Series     []backtestSeries    `json:"series"`
	}{
		instant(b.protocol.From), instant(b.protocol.To), instant(b.protocol.TrainUntil), b.flags.horizon, b.flags.step, b.flags.slot,
		b.options.Levels, b.flags.out, append([]string{}, b.h.notes...), b.all.Scores(), b.each,
	}
}

// print shows a person the scores.
func (b *backtestRun) print(w io.Writer) error {
	var text strings.Builder
	for _, n := range b.h.notes {
		fmt.Fprintln(&text, "note:", n)
	}
	scores := b.all.Scores()
	failed := 0
	for _, s := range b.each {
		if s.Error != "" {
			if failed++; failed <= 5 {
				fmt.Fprintf(&text, "no forecast: %s\n", s.Error)
			}
		}
	}
	fmt.Fprintf(&text, "%d origins from %s, %s ahead, every %s; %d series; %d slots scored\n",
		scores.Origins, b.h.style.format(b.protocol.From), b.flags.horizon, b.flags.step, len(b.each)-failed, scores.Ours.Points)
	writeScores(&text, scores)
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fault.Wrap(err, fault.Internal, "cli.output", "the summary cannot be printed")
	}
	return nil
}

// writeScores is the table of a back-test.
func writeScores(w io.Writer, scores forecast.Benchmarks) {
	rows := []string{scoreRow("ours", scores.Ours)}
	if days := scores.Days.Points; days > 0 && days < scores.Ours.Points {
		rows = append(rows, scoreRow("ours, whole days", scores.Days))
	}
	for _, r := range scores.Rivals {
		rows = append(rows, scoreRow(r.Name, r.Its))
	}
	table(w, "FORECAST\tWAPE\tMASE\tPINBALL\tBIAS\tCOVERAGE", rows)
	for _, r := range scores.Rivals {
		if r.Its.Points != scores.Ours.Points {
			fmt.Fprintf(w, "%s knows only %d slots; on them ours has WAPE %s\n", r.Name, r.Its.Points, share(r.Ours.WAPE))
		}
	}
	if at := tiedLevel(scores.Ours); at >= 0 {
		fmt.Fprintf(w, "many counts equal a quantile: %.1f %% lie below P%g and %.1f %% at or below it; for a right one the level lies between\n",
			100*scores.Ours.Below[at], 100*scores.Ours.Levels[at], 100*scores.Ours.Coverage[at])
	}
	if scores.NaiveWins {
		fmt.Fprintln(w, "repeating last week does better here than our forecast")
	}
}

// tiedLevel is the highest level whose quantile equals many counts, or -1.
func tiedLevel(s forecast.Score) int {
	for i := len(s.Coverage) - 1; i >= 0; i-- {
		if s.Coverage[i]-s.Below[i] >= 2*tieTold {
			return i
		}
	}
	return -1
}

func scoreRow(name string, s forecast.Score) string {
	var covered []string
	for i, c := range s.Coverage {
		covered = append(covered, fmt.Sprintf("P%g %.1f%%", 100*s.Levels[i], 100*c))
	}
	if len(covered) > 5 {
		covered = []string{covered[0], covered[len(covered)/2], covered[len(covered)-1]}
	}
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", name, share(s.WAPE), number(s.MASE), number(s.Pinball), signed(s.Bias), strings.Join(covered, " "))
}

func share(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f%%", 100**v)
}

func signed(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%+.2f%%", 100**v)
}

func number(v *float64) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'g', 4, 64)
}

// plotTitle names the file and the series.
func plotTitle(file string, s forecast.Series) string {
	title := filepath.Base(file)
	if s.Queue != "" {
		title += " · " + string(s.Queue)
	}
	return title
}
