package cli

import (
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
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

func newRosterCommand(s *settings) *cobra.Command {
	return family("roster", "Rosters under Chinese labour law", newRosterMake(s), newRosterPublish(s), newRosterList(s), newRosterExport(s), newRosterPay(s),
		newRosterExplain(s), newRosterDiff(s), newRosterRevisions(s), newRosterEdit(s), newRosterRepair(s), newRosterAcknowledge(s), newRosterAcknowledgements(s),
		newRosterRules(s), newRosterSolveCommand(), newRosterCheckCommand())
}

func newRosterMake(s *settings) *cobra.Command {
	var f struct {
		from, title, day, of string
		days, iterations, th int
		limit                time.Duration
		seed                 uint64
		weights              map[string]string
		block                time.Duration
		past                 bool
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
					Title: f.title, Of: of, Past: f.past, From: from, Days: f.days, Seed: f.seed, Iterations: f.iterations, Time: f.limit, Threads: f.th, Weights: weights, MinBlock: block,
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
	flags.BoolVar(&f.past, "past", false, "with --day: the day may lie behind us; the revision is marked as a correction")
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
	switch {
	case m.Day.IsZero():
	case len(m.Changes) == 0:
		fmt.Fprintf(w, "%s stays as it was, and so does the roster: no lawful change saves twice what it costs\n", m.Day)
	default:
		fmt.Fprintf(w, "%s made anew: it is another day for %s\n", m.Day, counted(len(revise.Agents(m.Changes)), "agent", "agents"))
	}
	what := "cost"
	if day := m.Day; !day.IsZero() {
		what = "cost of " + day.String()
	}
	printCost(w, what, sol)
	printParts(w, sol.Parts)
	fmt.Fprintf(w, "%.0f of %.0f head-hours stay short in %s; soft rules break %s\n", sol.Missing, sol.Needed, counted(len(sol.Uncovered), "place", "places"), counted(len(sol.Violations), "time", "times"))
	printSoft(w, m.Soft, zone)
	printShort(w, sol.Uncovered, zone, top)
	printIdle(w, sol.Idle)
	printGaps(w, "no plan", m.Unplanned)
	printNotes(w, m.Notes)
}

// mostIdle is how many names a reason for working nothing lists.
const mostIdle = 12

// printIdle names who works no shift, by reason.
func printIdle(w io.Writer, all []roster.Idle) {
	var order []string
	by := map[string][]roster.Idle{}
	for _, x := range all {
		if by[x.Code] == nil {
			order = append(order, x.Code)
		}
		by[x.Code] = append(by[x.Code], x)
	}
	for _, code := range order {
		var names []string
		for _, x := range by[code][:min(len(by[code]), mostIdle)] {
			names = append(names, string(x.Agent))
		}
		if more := len(by[code]) - mostIdle; more > 0 {
			names = append(names, fmt.Sprintf("%d more", more))
		}
		says := by[code][0].Says
		fmt.Fprintf(w, "  no shift: %s: %s / %s\n", strings.Join(names, ", "), says.ZH, says.EN)
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
	var out, language string
	cmd := &cobra.Command{
		Use: "export ROSTER", Short: "Write a roster as an Excel workbook, or as CSV when --out ends in .csv", Args: cobra.ExactArgs(1),
		Example: "  chaoban roster export latest --out roster.xlsx\n  chaoban roster export latest --out roster.csv --language zh",
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, err := exportKind(out, ".xlsx", ".csv")
			if err != nil {
				return err
			}
			if kind == ".xlsx" && cmd.Flags().Changed("language") {
				return fault.New(fault.Invalid, "cli.usage", "--language is for .csv files; the workbook is in Chinese")
			}
			return s.with(cmd, needStore, func(a *app) error {
				id, err := newest(cmd, a, args[0], "")
				if err != nil {
					return err
				}
				var body []byte
				if kind == ".csv" {
					body, err = a.ops.Rostering.RosterCSV(cmd.Context(), a.who, id, rostering.Language(language))
				} else {
					body, err = a.ops.Rostering.RosterWorkbook(cmd.Context(), a.who, id)
				}
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
	cmd.Flags().StringVar(&language, "language", "en", "of the headings and parts of a .csv file: en or zh")
	return cmd
}

// exportKind is the ending of a file's name, which says what is written. Errors: cli.file for one that is not
// among those known, and for a folder that is not there.
func exportKind(name string, known ...string) (string, error) {
	kind := strings.ToLower(filepath.Ext(name))
	if !slices.Contains(known, kind) {
		return "", fault.New(fault.Invalid, "cli.file", "--out %s: nobody knows what to write into it; give a name that ends in %s", name, strings.Join(known, " or "))
	}
	return kind, folderOf("--out", name)
}
