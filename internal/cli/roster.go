package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster"
)

func newRosterCommand(s *settings) *cobra.Command {
	return family("roster", "Rosters under Chinese labour law", newRosterMake(s), newRosterPublish(s), newRosterList(s), newRosterExport(s), newRosterPay(s),
		newRosterExplain(s), newRosterDiff(s), newRosterRevisions(s), newRosterEdit(s), newRosterRepair(s), newRosterAcknowledge(s), newRosterAcknowledgements(s),
		newRosterSolveCommand(), newRosterCheckCommand())
}

func newRosterMake(s *settings) *cobra.Command {
	var f struct {
		from, title, day, of string
		days, iterations, th int
		limit                time.Duration
		seed                 uint64
		weights              map[string]string
		block                time.Duration
	}
	cmd := &cobra.Command{
		Use: "make", Short: "Roster the newest plans and keep the result as a draft", Args: cobra.NoArgs,
		Example: "  chaoban roster make --from 2026-11-01 --days 14 --seed 1\n  chaoban roster make --day 2026-11-11 --of latest",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (f.day == "") == (f.from == "") || (f.day == "") != (f.of == "") {
				return fault.New(fault.Invalid, "cli.usage", "give --from for a new roster, or --day with --of for one day of a roster")
			}
			if f.day != "" {
				f.from, f.days = f.day, 1
			}
			from, err := calendar.ParseDate(f.from)
			if err != nil {
				return err
			}
			return s.with(cmd, needStore, func(a *app) error {
				of := ids.Roster("")
				if f.of != "" {
					if of, err = newest(cmd, a, f.of, ""); err != nil {
						return err
					}
				}
				weights, err := yuanByName(f.weights)
				if err != nil {
					return err
				}
				var block *time.Duration
				if cmd.Flags().Changed("min-block") {
					block = &f.block
				}
				bar := newProgress(cmd.ErrOrStderr(), 1000, "rostering")
				made, err := a.ops.Rostering.MakeRoster(cmd.Context(), a.who, rostering.RosterInput{
					Title: f.title, Of: of, From: from, Days: f.days, Seed: f.seed, Iterations: f.iterations, Time: f.limit, Threads: f.th, Weights: weights, MinBlock: block,
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
	flags.StringVar(&f.from, "from", "", "first day of a new roster")
	flags.StringVar(&f.day, "day", "", "make this day of the roster --of anew; its other days stay")
	flags.StringVar(&f.of, "of", "", "roster whose day is made anew")
	flags.StringVar(&f.title, "title", "", "title")
	flags.IntVar(&f.days, "days", 14, "number of days")
	flags.IntVar(&f.iterations, "iterations", 0, "search steps (default 100000); the same seed and steps give the same roster")
	flags.DurationVar(&f.limit, "time", 0, "stop after this time instead")
	flags.Uint64Var(&f.seed, "seed", 1, "random seed")
	flags.IntVar(&f.th, "threads", 2, "parallel searches")
	flags.StringToStringVar(&f.weights, "weight", nil, "prices in yuan by name, such as short=120,switch=5: short, depth, over, wage, min_work, fairness, preference, stability, soft_rule, switch; they stay with the roster")
	flags.DurationVar(&f.block, "min-block", roster.HouseBlock, "least time on one queue between two pauses or changes of queue; 0 = none")
	return cmd
}

// yuanByName reads prices given by name.
func yuanByName(words map[string]string) (map[string]float64, error) {
	out := map[string]float64{}
	var bad []fault.Field
	for _, name := range slices.Sorted(maps.Keys(words)) {
		v, err := strconv.ParseFloat(words[name], 64)
		if err != nil {
			bad = append(bad, fault.Field{Path: "--weight " + name, Value: fault.Shorten(words[name]), Problem: "is not a number"})
		}
		out[name] = v
	}
	return out, fault.Bad("roster.input", "roster", bad)
}

func printRoster(cmd *cobra.Command, m rostering.RosterMade, zone *time.Location) {
	printRosterTop(cmd, m, zone, 5)
}

func printRosterTop(cmd *cobra.Command, m rostering.RosterMade, zone *time.Location, top int) {
	w := cmd.OutOrStdout()
	sol := m.Solution
	agents := map[ids.Agent]bool{}
	for _, x := range m.Roster.Shifts {
		agents[x.Agent] = true
	}
	fmt.Fprintf(w, "%s %s: %d shifts for %d agents\n", m.Roster.State, m.Roster.ID, len(m.Roster.Shifts), len(agents))
	what := "cost"
	if day := m.Day; !day.IsZero() {
		what = "cost of " + day.String()
	}
	fmt.Fprintf(w, "%s %.0f yuan, lower bound %.0f, gap %.1f%%; %.0f of %.0f head-hours stay short; %d soft rule warnings\n",
		what, sol.Cost, sol.Bound, 100*sol.Gap, sol.Missing, sol.Needed, len(sol.Violations))
	printShort(w, sol.Uncovered, zone, top)
	printGaps(w, "no plan", m.Unplanned)
	printNotes(w, m.Notes)
}

// printShort lists the stretches that miss most head-hours.
func printShort(w io.Writer, uncovered []roster.Uncovered, zone *time.Location, top int) {
	worst := slices.Clone(uncovered)
	slices.SortStableFunc(worst, func(a, b roster.Uncovered) int { return cmp.Compare(headHours(b), headHours(a)) })
	for _, u := range worst[:max(0, min(top, len(worst)))] {
		fmt.Fprintf(w, "  short: %s %s-%s, %s\n", u.Queue, u.Range.Start.In(zone).Format("01-02 15:04"), u.Range.End.In(zone).Format("15:04"), u.Says.EN)
	}
}

func headHours(u roster.Uncovered) float64 { return float64(u.Missing) * u.Range.Duration().Hours() }

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
		Use: "export ROSTER", Short: "Write a roster as an Excel workbook, or as CSV when --out ends in .csv", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				id, err := newest(cmd, a, args[0], "")
				if err != nil {
					return err
				}
				write := a.ops.Rostering.RosterWorkbook
				if strings.EqualFold(filepath.Ext(out), ".csv") {
					write = a.ops.Rostering.RosterCSV
				}
				body, err := write(cmd.Context(), a.who, id)
				if err != nil {
					return err
				}
				if err := os.WriteFile(out, body, 0o600); err != nil {
					return fault.Wrap(err, fault.Invalid, "cli.file", "the file %s cannot be written", out)
				}
				return s.print(cmd, map[string]any{"roster": id, "file": out}, func() { fmt.Fprintf(cmd.OutOrStdout(), "written to %s\n", out) })
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "roster.xlsx", "file to write: .xlsx or .csv")
	return cmd
}
