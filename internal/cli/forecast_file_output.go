package cli

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
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

// write puts out the table, the picture and the summary.
func (f *forecastFlags) write(cmd *cobra.Command, h history, o forecast.Options, batch forecast.Batch) error {
	outcomes := batch.Outcomes
	table := func(w io.Writer) error { return f.writeTable(w, h, o.Levels, outcomes) }
	switch {
	case f.out != "":
		if err := writeFile(f.out, table); err != nil {
			return err
		}
	case !f.json:
		if err := table(cmd.OutOrStdout()); err != nil {
			return fault.Wrap(err, fault.Internal, "cli.output", "the forecast cannot be printed")
		}
	}
	if f.plot != "" {
		if err := f.writePlot(h, o, outcomes); err != nil {
			return err
		}
	}
	if f.json {
		return f.writeJSON(cmd.OutOrStdout(), h, batch)
	}
	summary := cmd.OutOrStdout()
	if f.out == "" {
		summary = cmd.ErrOrStderr()
	}
	return f.writeSummary(summary, h, batch)
}

// writeTable writes group columns, time, mean and one column per level.
func (f *forecastFlags) writeTable(w io.Writer, h history, levels []float64, outcomes []forecast.Outcome) error {
	out := csv.NewWriter(w)
	row := append(slices.Clone(f.groupCols), "time", "mean")
	for _, q := range levels {
		row = append(row, "q"+strconv.FormatFloat(q, 'g', -1, 64))
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for i, o := range outcomes {
		for _, p := range o.Result.Curve.Points {
			row = append(row[:0], h.groups[i]...)
			row = append(row, h.style.format(p.Start), figure(p.Mean))
			for _, q := range p.Quantiles {
				row = append(row, figure(q))
			}
			if err := out.Write(row); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// figure writes a number with four decimals at most.
func figure(v float64) string { return strconv.FormatFloat(math.Round(v*1e4)/1e4, 'f', -1, 64) }

// writeFile writes through a temporary file, so that a failure leaves no half a forecast. An error
// that says itself what is wrong, as those of a computation do, stays as it is.
func writeFile(path string, fill func(io.Writer) error) error {
	failed := func(err error) error {
		if known, ok := errors.AsType[*fault.Error](err); ok {
			return known
		}
		if at, ok := errors.AsType[*fs.PathError](err); ok {
			err = at.Err // its path is the temporary one
		}
		return fault.Wrap(err, fault.Invalid, "cli.output", "%s cannot be written: %s", path, err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return failed(err)
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone already after the rename
	buffer := bufio.NewWriter(file)
	if err = fill(buffer); err == nil {
		err = buffer.Flush()
	}
	if err == nil {
		err = file.Chmod(0o644)
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return failed(err)
	}
	return nil
}

// writePlot draws the series with the most contacts.
func (f *forecastFlags) writePlot(h history, o forecast.Options, outcomes []forecast.Outcome) error {
	best, most := -1, -1.0
	for i, out := range outcomes {
		var sum float64
		for _, p := range out.Result.Curve.Points {
			sum += p.Mean
		}
		if out.Err == nil && sum > most {
			best, most = i, sum
		}
	}
	svg := forecast.Plot(h.series[best], outcomes[best].Result, o.Events, plotTitle(f.in, h.series[best]))
	return writeFile(f.plot, func(w io.Writer) error { _, err := w.Write(svg); return err })
}

// seriesSummary is one series in the JSON summary.
type seriesSummary struct {
	Group    map[string]string        `json:"group,omitempty"`
	Points   int                      `json:"points"`
	Mean     float64                  `json:"mean_total"` // contacts expected over the whole horizon
	Hours    string                   `json:"hours,omitempty"`
	Model    *forecast.Model          `json:"model,omitempty"`
	Backtest *forecast.Backtest       `json:"backtest,omitempty"`
	Doubts   []string                 `json:"doubts"`
	Findings []forecast.Finding       `json:"findings,omitempty"`
	Excluded []forecast.Excluded      `json:"excluded,omitempty"`
	Error    string                   `json:"error,omitempty"`
	Events   []forecast.EventForecast `json:"events,omitempty"` // totals of coming events and phases, with quantiles of their own
	Days     []scheduling.Point       `json:"days,omitempty"`   // totals of whole days; the curve is that for slots of a day
	Curve    []scheduling.Point       `json:"curve,omitempty"`
}

// sumSummary is the forecast of a sum of series in the JSON summary.
type sumSummary struct {
	Path   []string                 `json:"path"` // of its labels; empty = all series
	Mean   float64                  `json:"mean_total"`
	Events []forecast.EventForecast `json:"events,omitempty"`
	Days   []scheduling.Point       `json:"days"`
}

func (f *forecastFlags) writeJSON(w io.Writer, h history, batch forecast.Batch) error {
	summary := struct {
		Origin  string          `json:"origin"`
		Horizon string          `json:"horizon"`
		Slot    string          `json:"slot"`
		Levels  []float64       `json:"levels"`
		Out     string          `json:"out,omitempty"`
		Notes   []string        `json:"notes"`
		Series  []seriesSummary `json:"series"`
		Totals  []sumSummary    `json:"totals,omitempty"`
	}{Horizon: f.horizon, Slot: f.slot, Out: f.out, Notes: append([]string{}, h.notes...)}
	for i, o := range batch.Outcomes {
		s := seriesSummary{Doubts: append([]string{}, o.Result.Doubts...), Points: len(o.Result.Curve.Points)}
		if len(f.groupCols) > 0 {
			s.Group = map[string]string{}
		}
		for j, c := range f.groupCols {
			s.Group[c] = h.groups[i][j]
		}
		if o.Err != nil {
			s.Error = fault.Of(o.Err).Error()
		} else {
			r := o.Result
			summary.Origin, summary.Levels = h.style.format(r.Origin), r.Curve.Levels
			s.Mean, s.Hours, s.Model, s.Backtest, s.Findings, s.Excluded = total(r), r.Hours, &r.Model, &r.Backtest, r.Findings, r.Excluded
			s.Events = r.Events
			if f.slotLength < 24*time.Hour {
				s.Days = r.Days
			}
			if f.out == "" {
				s.Curve = r.Curve.Points
			}
		}
		summary.Series = append(summary.Series, s)
	}
	for _, t := range batch.Totals {
		summary.Totals = append(summary.Totals, sumSummary{append([]string{}, t.Path...), total(t.Result), t.Result.Events, t.Result.Days})
	}
	return printJSON(w, summary)
}

func total(r forecast.Result) (sum float64) {
	for _, p := range r.Curve.Points {
		sum += p.Mean
	}
	return sum
}

// shown is how many of many things a person is told of.
const shown = 5

// writeSummary tells a person what was done, how good it is and what to doubt.
func (f *forecastFlags) writeSummary(w io.Writer, h history, batch forecast.Batch) error {
	var b strings.Builder
	outcomes := batch.Outcomes
	for _, n := range h.notes {
		fmt.Fprintln(&b, "note:", n)
	}
	for i, o := range outcomes {
		if i == shown {
			fmt.Fprintf(&b, "... and %d more series (--json lists them all)\n", len(outcomes)-shown)
			break
		}
		name := strings.Join(h.groups[i], "/")
		if name == "" {
			name = filepath.Base(f.in)
		}
		if o.Err != nil {
			fmt.Fprintf(&b, "%s: no forecast: %s\n", name, fault.Of(o.Err).Error())
			continue
		}
		fmt.Fprintf(&b, "%s: %d slots from %s, %.0f contacts expected\n", name, len(o.Result.Curve.Points), h.style.format(o.Result.Origin), total(o.Result))
		writeSeries(&b, o.Result, h.style)
	}
	for i, t := range batch.Totals {
		if i == shown {
			fmt.Fprintf(&b, "... and %d more sums (--json lists them all)\n", len(batch.Totals)-shown)
			break
		}
		fmt.Fprintf(&b, "%s: %.0f contacts expected\n", strings.Join(append([]string{"all"}, t.Path...), "/"), total(t.Result))
		writeEvents(&b, t.Result, h.style)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fault.Wrap(err, fault.Internal, "cli.output", "the summary cannot be printed")
	}
	return nil
}

// tieTold is the share of ties from which coverage is told without them too.
const tieTold = 0.01

// amount is a number of things, in words that fit one.
func amount(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// writeSeries tells of one series how good it is and what to doubt.
func writeSeries(w io.Writer, r forecast.Result, style timeStyle) {
	fmt.Fprintf(w, "  model: %s\n", r.Model.Summary)
	if t := r.Backtest; t.Origins > 0 {
		fmt.Fprintf(w, "  back-test over %s, %s ahead: WAPE %.1f %% (weekly naive %.1f %%), bias %+.1f %%, pinball %.3g\n",
			amount(t.Origins, "origin"), amount(t.HorizonDays, "day"), 100*t.WAPE, 100*t.NaiveWAPE, 100*t.Bias, t.Pinball)
		tied := false
		for j, q := range r.Curve.Levels {
			fmt.Fprintf(w, "  P%g covered %.1f %%", 100*q, 100*t.Coverage[j])
			if math.Abs(t.Coverage[j]-t.Reached[j]) >= tieTold {
				tied = true
				fmt.Fprintf(w, " (with ties shared %.1f %%)", 100*t.Reached[j])
			}
			fmt.Fprintln(w)
		}
		if tied {
			fmt.Fprintln(w, "  counts are small whole numbers: many equal a quantile, so a right one covers more than its level; with ties shared it covers just that")
		}
	}
	writeEvents(w, r, style)
	for _, d := range r.Doubts {
		fmt.Fprintln(w, "  doubt:", d)
	}
	for j, found := range r.Findings {
		if j == shown {
			fmt.Fprintf(w, "  ... and %d more findings (--json lists them)\n", len(r.Findings)-shown)
			break
		}
		fmt.Fprintf(w, "  found: %s It %s.\n", found.Text, found.Handling)
	}
}

// writeEvents tells the totals of coming events and their phases, and the highest day.
func writeEvents(w io.Writer, r forecast.Result, style timeStyle) {
	spread := func(p scheduling.Point) string {
		text := fmt.Sprintf("%.0f contacts", p.Mean)
		for i, q := range p.Quantiles {
			text += fmt.Sprintf(", P%g %.0f", 100*r.Curve.Levels[i], q)
		}
		return text
	}
	for _, e := range r.Events {
		fmt.Fprintf(w, "  event %s, %s: %s\n", e.Family, countedText(e.From, e.Until, e.WholeDays, style.loc), spread(e.Total))
		for _, p := range e.Phases {
			fmt.Fprintf(w, "    %s, %s: %s\n", p.Kind, countedText(p.From, p.Until, e.WholeDays, style.loc), spread(p.Total))
		}
	}
	if len(r.Days) > 1 {
		peak := slices.MaxFunc(r.Days, func(a, b scheduling.Point) int { return cmp.Compare(a.Mean, b.Mean) })
		fmt.Fprintf(w, "  highest day %s: %s\n", style.format(peak.Start), spread(peak))
	}
}

// countedText says what the total of an event or a phase counts: instants, or the days whose noon lies in it.
func countedText(from, until time.Time, wholeDays bool, zone *time.Location) string {
	from, until = from.In(zone), until.In(zone)
	if last := until.AddDate(0, 0, -1); wholeDays && last.Equal(from) {
		return "all of " + from.Format(time.DateOnly)
	} else if wholeDays {
		return "whole days " + from.Format(time.DateOnly) + " to " + last.Format(time.DateOnly)
	}
	return from.Format("2006-01-02 15:04") + " to " + until.Format("2006-01-02 15:04")
}
