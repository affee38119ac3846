package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/roster"
)

func newForecastCommand(s *settings) *cobra.Command {
	return family("forecast", "Demand per queue and slot, with quantiles", newForecastMake(s), newForecastList(s), newForecastPromotions(s), newForecastFileCommand(), newForecastBacktestCommand(),
		newForecastAdjust(s), newForecastWithdraw(s), newForecastLayers(s), newForecastLock(s), newForecastLocks(s), newForecastClient(s),
		newForecastCompare(s), newForecastAccuracy(s), newForecastReplay(s), newForecastDraw(s),
		newForecastExclude(s), newForecastFindings(s), newForecastAfterSales(s))
}

func newForecastMake(s *settings) *cobra.Command {
	var f struct {
		queues           []string
		merchant, origin string
		horizon, slot    string
		levels           string
		carry            bool
		demand           demandFlags
	}
	cmd := &cobra.Command{
		Use: "make", Short: "Forecast queues from their contact history and keep the versions", Args: cobra.NoArgs,
		Example: "  chaoban forecast make --merchant lumi --origin 2026-11-01 --horizon 14d",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				in := planning.ForecastInput{Queues: typed[ids.Queue](f.queues), Merchant: ids.Merchant(f.merchant), Carry: f.carry}
				var err error
				if in.Horizon, err = parseSpan(f.horizon); err != nil {
					return err
				}
				if f.slot != "" {
					if in.Slot, err = parseSpan(f.slot); err != nil {
						return err
					}
				}
				if in.Levels, err = parseLevels(f.levels); err != nil {
					return err
				}
				if in.Origin, err = parseInstant(f.origin, a.ops.Zone()); err != nil {
					return err
				}
				if err := f.demand.read(&in, a.ops.Zone()); err != nil {
					return err
				}
				made, err := a.ops.Planning.MakeForecasts(cmd.Context(), a.who, in)
				if err != nil {
					return flagged(err, makeFlagOf)
				}
				return s.print(cmd, made, func() {
					printForecasts(cmd, made, a.ops.Zone())
					for _, x := range made {
						for _, note := range planning.NotesOf(x) {
							fmt.Fprintf(cmd.OutOrStdout(), "note: %s: %s\n", x.Queue, note)
						}
					}
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.queues, "queue", nil, "queues (default: all of the merchant, or all)")
	flags.StringVar(&f.merchant, "merchant", "", "only queues of this merchant")
	flags.StringVar(&f.origin, "origin", "", "first instant to forecast, 2026-11-01 or 2026-11-01T08:00 (default: end of the history)")
	flags.StringVar(&f.horizon, "horizon", "14d", "how far ahead: 14d, 12w, 48h")
	flags.StringVar(&f.slot, "slot", "", "slot: 5m, 15m, 30m, 60m or 1d (default: 15m, or the grain of a coarser history)")
	flags.StringVar(&f.levels, "quantiles", "0.1,0.5,0.9", "quantile levels")
	flags.BoolVar(&f.carry, "carry", false, "carry the adjustments in force over from the newest version that has adjustments")
	f.demand.register(cmd)
	return cmd
}

// makeFlagOf names the flag of each field of a new forecast.
var makeFlagOf = map[string]string{
	"origin": "--origin", "horizon": "--horizon", "slot": "--slot", "levels": "--quantiles", "bot_changes": "--bot-change", "history_counts": "--history-counts",
}

// parseInstant reads a date or a local date and time; empty is the zero time.
func parseInstant(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fault.New(fault.Invalid, "cli.time", "%q is no time such as 2026-11-01 or 2026-11-01T08:00", text)
	}
	return t, nil
}

func printForecasts(cmd *cobra.Command, made []store.Forecast, zone *time.Location) {
	rows := make([]string, 0, len(made))
	var doubts, carried []string
	for _, f := range made {
		var figures forecast.Result
		_ = json.Unmarshal(f.Figures, &figures) // figures we wrote ourselves; without them the columns stay empty
		for _, d := range figures.Doubts {
			doubts = append(doubts, fmt.Sprintf("%s: %s", f.Queue, d))
		}
		if c := planning.CarriedOf(f); c != nil && c.Layers+len(c.Told) > 0 {
			carried = append(carried, fmt.Sprintf("%s: %d adjustments are carried over from %s", f.Queue, c.Layers, c.From))
			for _, told := range c.Told {
				carried = append(carried, fmt.Sprintf("%s: %s", f.Queue, told))
			}
		}
		mean, peak, at := 0.0, 0.0, time.Time{}
		for _, d := range figures.Days {
			mean += d.Mean
			if d.Mean > peak {
				peak, at = d.Mean, d.Start
			}
		}
		peakDay := "-"
		if !at.IsZero() {
			peakDay = at.In(zone).Format("01-02")
		}
		b := figures.Backtest
		rows = append(rows, fmt.Sprintf("%s\t%s\t%.0f\t%.0f\t%s\t%s\t%s", f.Queue, f.Range.Start.In(zone).Format("2006-01-02"),
			mean, peak, peakDay, percent(b.WAPE), percent(b.NaiveWAPE)))
	}
	table(cmd.OutOrStdout(), "QUEUE\tFROM\tCONTACTS\tPEAK DAY\tON\tSLOT WAPE\tNAIVE", rows)
	printBots(cmd.OutOrStdout(), made)
	for _, c := range carried {
		fmt.Fprintln(cmd.OutOrStdout(), c)
	}
	for _, d := range doubts {
		fmt.Fprintf(cmd.OutOrStdout(), "doubt: %s\n", d)
	}
}

func percent(v float64) string {
	if v <= 0 || v != v {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*v)
}

func newForecastList(s *settings) *cobra.Command {
	var queue string
	cmd := &cobra.Command{
		Use: "list", Short: "List stored forecasts, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				all, _, err := a.ops.Planning.Forecasts(cmd.Context(), a.who, store.ForecastFilter{Queue: ids.Queue(queue)}, store.Page{Limit: 50})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() { printForecasts(cmd, all, a.ops.Zone()) })
			})
		},
	}
	cmd.Flags().StringVar(&queue, "queue", "", "only this queue")
	return cmd
}

// printGaps names the open days that a plan or roster leaves out.
func printGaps(w io.Writer, what string, gaps []gate.GapDays) {
	for _, g := range gaps {
		if n := len(g.Days); n > 0 {
			fmt.Fprintf(w, "  %s: %s, %d open days between %s and %s\n", what, g.Queue, n, g.Days[0], g.Days[n-1])
		}
	}
}

func newRosterCommand(s *settings) *cobra.Command {
	return family("roster", "Rosters under Chinese labour law", newRosterMake(s), newRosterPublish(s), newRosterList(s), newRosterExport(s),
		newRosterSolveCommand(), newRosterCheckCommand())
}

func newRosterMake(s *settings) *cobra.Command {
	var f struct {
		from, title          string
		days, iterations, th int
		limit                time.Duration
		seed                 uint64
	}
	cmd := &cobra.Command{
		Use: "make", Short: "Roster the newest plans and keep the result as a draft", Args: cobra.NoArgs,
		Example: "  chaoban roster make --from 2026-11-01 --days 14 --seed 1",
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, err := calendar.ParseDate(f.from)
			if err != nil {
				return err
			}
			return s.with(cmd, needStore, func(a *app) error {
				bar := newProgress(cmd.ErrOrStderr(), 1000, "rostering")
				made, err := a.ops.Rostering.MakeRoster(cmd.Context(), a.who, rostering.RosterInput{
					Title: f.title, From: from, Days: f.days, Seed: f.seed, Iterations: f.iterations, Time: f.limit, Threads: f.th,
					Progress: func(done, _ float64) { bar.set(int64(1000*done), 1000) },
				})
				bar.done()
				if err != nil {
					return err
				}
				return s.print(cmd, made, func() { printRoster(cmd, made, a.ops.Zone()) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "first day")
	flags.StringVar(&f.title, "title", "", "title")
	flags.IntVar(&f.days, "days", 14, "number of days")
	flags.IntVar(&f.iterations, "iterations", 0, "search steps (default 100000); the same seed and steps give the same roster")
	flags.DurationVar(&f.limit, "time", 0, "stop after this time instead")
	flags.Uint64Var(&f.seed, "seed", 1, "random seed")
	flags.IntVar(&f.th, "threads", 2, "parallel searches")
	_ = cmd.MarkFlagRequired("from") // the flag exists
	return cmd
}

func printRoster(cmd *cobra.Command, m rostering.RosterMade, zone *time.Location) {
	w := cmd.OutOrStdout()
	sol := m.Solution
	agents := map[ids.Agent]bool{}
	for _, x := range m.Roster.Shifts {
		agents[x.Agent] = true
	}
	fmt.Fprintf(w, "draft %s: %d shifts for %d agents\n", m.Roster.ID, len(m.Roster.Shifts), len(agents))
	fmt.Fprintf(w, "cost %.0f yuan, lower bound %.0f, gap %.1f%%; %.0f of %.0f head-hours stay short; %d soft rule warnings\n",
		sol.Cost, sol.Bound, 100*sol.Gap, sol.Missing, sol.Needed, len(sol.Violations))
	worst := slices.Clone(sol.Uncovered)
	slices.SortStableFunc(worst, func(a, b roster.Uncovered) int { return cmp.Compare(headHours(b), headHours(a)) })
	for _, u := range worst[:min(5, len(worst))] {
		fmt.Fprintf(w, "  short: %s %s-%s, %s\n", u.Queue, u.Range.Start.In(zone).Format("01-02 15:04"), u.Range.End.In(zone).Format("15:04"), u.Says.EN)
	}
	printGaps(w, "no plan", m.Unplanned)
}

func headHours(u roster.Uncovered) float64 { return float64(u.Missing) * u.Range.Duration().Hours() }

func newRosterPublish(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "publish ROSTER", Short: "Make a draft binding; older rosters of the same days are archived", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				id, err := newest(cmd, a, args[0], store.Draft)
				if err != nil {
					return err
				}
				r, err := a.ops.Rostering.PublishRoster(cmd.Context(), a.who, id, store.AnyVersion)
				if err != nil {
					return err
				}
				return s.print(cmd, r, func() { fmt.Fprintf(cmd.OutOrStdout(), "roster %s published: %d shifts\n", r.ID, len(r.Shifts)) })
			})
		},
	}
}

// newest resolves the word "latest" to the newest roster, in a state when one is given.
func newest(cmd *cobra.Command, a *app, id string, state store.RosterState) (ids.Roster, error) {
	if id != "latest" {
		return ids.Roster(id), nil
	}
	all, _, err := a.ops.Rostering.Rosters(cmd.Context(), a.who, store.RosterFilter{State: state}, store.Page{Limit: 1})
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", fault.New(fault.NotFound, "roster.none", "there is no %s", strings.TrimSpace(string(state)+" roster"))
	}
	return all[0].ID, nil
}

func newRosterList(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List rosters, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				all, _, err := a.ops.Rostering.Rosters(cmd.Context(), a.who, store.RosterFilter{}, store.Page{Limit: 50})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, r := range all {
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s", r.ID, r.State, r.Range.Start.In(a.ops.Zone()).Format(time.DateOnly), r.Range.End.In(a.ops.Zone()).Format(time.DateOnly), r.Title)
					}
					table(cmd.OutOrStdout(), "ROSTER\tSTATE\tFROM\tUNTIL\tTITLE", rows)
				})
			})
		},
	}
}

func newRosterExport(s *settings) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "export ROSTER", Short: "Write a roster as an Excel workbook", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				id, err := newest(cmd, a, args[0], "")
				if err != nil {
					return err
				}
				book, err := a.ops.Rostering.RosterWorkbook(cmd.Context(), a.who, id)
				if err != nil {
					return err
				}
				if err := os.WriteFile(out, book, 0o600); err != nil {
					return fault.Wrap(err, fault.Invalid, "cli.file", "the workbook %s cannot be written", out)
				}
				return s.print(cmd, map[string]any{"roster": id, "file": out}, func() { fmt.Fprintf(cmd.OutOrStdout(), "written to %s\n", out) })
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "roster.xlsx", "workbook to write")
	return cmd
}

func newShiftsCommand(s *settings) *cobra.Command {
	var f struct{ agent, from, to string }
	list := &cobra.Command{
		Use: "list", Short: "List published shifts", Args: cobra.NoArgs,
		Example: "  chaoban shifts list --agent A0001 --from 2026-11-10 --to 2026-11-12",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				span, err := spanNames{noMonth: true}.dayRange(f.from, f.to, "", a.ops.Zone())
				if err != nil {
					return err
				}
				all, err := store.All(func(p store.Page) ([]store.Shift, string, error) {
					return a.ops.Rostering.Shifts(cmd.Context(), a.who, store.ShiftFilter{State: store.Published, Agent: ids.Agent(f.agent), Range: span}, p)
				})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, x := range all {
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s", x.Agent, x.Start.In(a.ops.Zone()).Format("2006-01-02 Mon 15:04"), x.End.In(a.ops.Zone()).Format("15:04"), x.Code, parts(x.Activities, a.ops.Zone()))
					}
					table(cmd.OutOrStdout(), "AGENT\tSTART\tEND\tCODE\tPARTS", rows)
				})
			})
		},
	}
	list.Flags().StringVar(&f.agent, "agent", "", "only this agent")
	list.Flags().StringVar(&f.from, "from", "", "first day")
	list.Flags().StringVar(&f.to, "to", "", "last day, included")
	return family("shifts", "Published shifts", list)
}

func parts(activities []scheduling.Activity, zone *time.Location) string {
	var out []string
	for _, x := range activities {
		what := string(x.Kind)
		if x.Queue != "" {
			what = string(x.Queue)
		}
		out = append(out, x.Start.In(zone).Format("15:04")+" "+what)
	}
	return strings.Join(out, ", ")
}
