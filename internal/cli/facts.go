package cli

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// newFairnessCommand shows the fairness ledger.
func newFairnessCommand(s *settings) *cobra.Command {
	var from, to, agent string
	cmd := &cobra.Command{
		Use: "fairness", Short: "Nights, weekends, holidays, promotion days and unpopular shifts by agent; --agent opens into shifts", Args: cobra.NoArgs,
		Example: "  chaoban fairness --from 2026-09-01 --to 2026-11-30\n  chaoban fairness --from 2026-11-01 --to 2026-11-30 --agent 1001",
		RunE: func(cmd *cobra.Command, _ []string) error {
			days, err := dates(from, to)
			if err != nil {
				return err
			}
			return s.with(cmd, needStore, func(a *app) error {
				in := requesting.FairnessInput{Dates: days}
				if agent != "" {
					in.Agents = []ids.Agent{ids.Agent(agent)}
				}
				f, err := a.ops.Requesting.Fairness(cmd.Context(), a.who, in)
				if err != nil {
					return err
				}
				return s.print(cmd, f, func() { printFairness(cmd.OutOrStdout(), f, a.ops.Zone()) })
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "first day")
	cmd.Flags().StringVar(&to, "to", "", "last day")
	cmd.Flags().StringVar(&agent, "agent", "", "opens into the shifts of this agent")
	for _, name := range []string{"from", "to"} {
		_ = cmd.MarkFlagRequired(name) // the flags exist
	}
	return cmd
}

func printFairness(w io.Writer, f requesting.FairnessView, zone *time.Location) {
	rows := make([]string, 0, len(f.Agents)+1)
	for _, a := range f.Agents {
		row := fmt.Sprintf("%s\t%d\t%.4g", a.Agent, a.Shifts, a.Hours)
		for _, b := range leave.Burdens {
			row += fmt.Sprintf("\t%d", a.Counts[b])
		}
		rows = append(rows, row)
	}
	even := "even (1 = alike)\t\t"
	for _, b := range leave.Burdens {
		even += fmt.Sprintf("\t%.2f", f.Even[b])
	}
	table(w, "AGENT\tSHIFTS\tHOURS\tNIGHTS\tWEEKENDS\tHOLIDAYS\tPROMOTIONS\tUNPOPULAR", append(rows, even))
	if len(f.Rows) > 0 {
		lines := make([]string, len(f.Rows))
		for i, r := range f.Rows {
			names := make([]string, len(r.Burdens))
			for k, b := range r.Burdens {
				names[k] = string(b)
			}
			lines[i] = fmt.Sprintf("%s\t%s\t%s\t%s", clockOf(r.Start, zone), clockOf(r.End, zone), r.Code, cmp.Or(strings.Join(names, ", "), "-"))
		}
		table(w, "FROM\tTO\tCODE\tCOUNTS AS", lines)
	}
}

// newFactsCommand keeps what is on file about people.
func newFactsCommand(s *settings) *cobra.Command {
	return family("facts", "What is on file about people: certificates, packs read, agreements, sessions, carried hours, agency posts, careers, absences",
		newFactsList(s), newFactsAdd(s), newFactsImport(s), newFactsDelete(s), newFactsRead(s), newFactsTerms(s))
}

func newFactsList(s *settings) *cobra.Command {
	var agent, kind, code, ended string
	cmd := &cobra.Command{
		Use: "list", Short: "List facts by agent and kind", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f := store.FactFilter{Agent: ids.Agent(agent), Kind: workforce.FactKind(kind), Code: code}
			if ended != "" {
				var err error
				if f.EndedBy, err = calendar.ParseDate(ended); err != nil {
					return err
				}
			}
			return s.with(cmd, needStore, func(a *app) error {
				all, err := store.All(func(p store.Page) ([]store.Stored[workforce.Fact], string, error) {
					return a.ops.Requesting.Facts(cmd.Context(), a.who, f, p)
				})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, x := range all {
						v := x.Value
						from, to := clockOf(v.Range.Start, a.ops.Zone()), clockOf(v.Range.End, a.ops.Zone())
						if !v.Dates.From.IsZero() {
							from = v.Dates.From.String()
						}
						if !v.Dates.Until.IsZero() {
							to = v.Dates.Until.Add(-1).String()
						}
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s", v.Agent, v.Kind, cmp.Or(v.Code, "-"), from, to, v.ID, v.Note)
					}
					table(cmd.OutOrStdout(), "AGENT\tKIND\tCODE\tFROM\tTO\tID\tNOTE", rows)
				})
			})
		},
	}
	cmd.Flags().StringVar(&agent, "agent", "", "only of this agent")
	cmd.Flags().StringVar(&kind, "kind", "", "only "+fault.Names(workforce.FactKinds))
	cmd.Flags().StringVar(&code, "code", "", "only of this code")
	cmd.Flags().StringVar(&ended, "ended-by", "", "only what is no longer good on this day")
	return cmd
}

func newFactsAdd(s *settings) *cobra.Command {
	var f struct {
		agent, kind, code, from, to, start, end, note string
		agreed                                        workrules.Agreement
		hours, holiday                                float64
	}
	var dry bool
	cmd := &cobra.Command{
		Use: "add", Short: "Put one fact on file; the same again replaces it", Args: cobra.NoArgs,
		Example: "  chaoban facts add --agent 1001 --kind certificate --code lumi-2026 --from 2026-01-01 --to 2026-12-31\n" +
			"  chaoban facts add --agent 1002 --kind agreement --from 2026-09-01 --no-nights --day-hours 6",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				fact := workforce.Fact{Agent: ids.Agent(f.agent), Kind: workforce.FactKind(f.kind), Code: f.code, Hours: f.hours, HolidayHours: f.holiday, Note: f.note}
				var err error
				if fact.Dates, err = dates(f.from, f.to); err != nil {
					return err
				}
				if err := instants(a.ops.Zone(), instantFlag{f.start, &fact.Range.Start}, instantFlag{f.end, &fact.Range.End}); err != nil {
					return err
				}
				if fact.Kind == workforce.AgreementFact {
					fact.Agreement = &f.agreed
				}
				done, err := a.ops.Requesting.PutFacts(cmd.Context(), a.who, []workforce.Fact{fact}, dry)
				return s.put(cmd, done, err, a.ops.Zone())
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.agent, "agent", "", "about whom")
	flags.StringVar(&f.kind, "kind", "", fault.Names(workforce.FactKinds))
	flags.StringVar(&f.code, "code", "", "exam, pack, or kind of session: training, meeting, prenatal_check")
	flags.StringVar(&f.from, "from", "", "first day")
	flags.StringVar(&f.to, "to", "", "last day (default: open)")
	flags.StringVar(&f.start, "start", "", "of a session or an absence: 2026-11-16 14:00")
	flags.StringVar(&f.end, "end", "", "of a session or an absence")
	flags.Float64Var(&f.agreed.DayHours, "day-hours", 0, "agreed most hours a day")
	flags.Float64Var(&f.agreed.WeekHours, "week-hours", 0, "agreed most hours a week")
	flags.Float64Var(&f.agreed.NotBefore, "not-before", 0, "agreed earliest start in clock hours, 8.5 = 08:30")
	flags.Float64Var(&f.agreed.NotAfter, "not-after", 0, "agreed latest end in clock hours")
	flags.BoolVar(&f.agreed.NoNights, "no-nights", false, "agreed: no night shifts")
	flags.StringSliceVar(&f.agreed.DaysOff, "day-off", nil, "agreed fixed days off: sunday")
	flags.Float64Var(&f.hours, "hours", 0, "carried hours without statutory holidays")
	flags.Float64Var(&f.holiday, "holiday-hours", 0, "carried hours on statutory holidays")
	flags.StringVar(&f.note, "note", "", "note")
	flags.BoolVar(&dry, "dry-run", false, "only say what would come of it")
	for _, name := range []string{"agent", "kind"} {
		_ = cmd.MarkFlagRequired(name) // the flags exist
	}
	return cmd
}

// put prints what became of facts.
func (s *settings) put(cmd *cobra.Command, done requesting.FactsPut, err error, zone *time.Location) error {
	if err != nil {
		return err
	}
	return s.print(cmd, done, func() {
		w, tried := cmd.OutOrStdout(), ""
		if done.Dry {
			tried = " (tried only, nothing is kept)"
		}
		fmt.Fprintf(w, "%d added, %d changed, %d as they were%s\n", done.Added, done.Changed, done.Unchanged, tried)
		for _, n := range done.Notes {
			fmt.Fprintf(w, "note: %s\n", n)
		}
		printBroken(w, done.Broken, zone)
	})
}

func newFactsImport(s *settings) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Put the rows of a CSV file on file, all or none", Args: cobra.ExactArgs(1),
		Long: "Put the rows of a CSV file on file, all or none, and say which published shifts break rules by it; every fault of the file is told with row and column; UTF-8, GBK and GB18030 are told apart. Columns: agent 工号, kind 类型, code 代码, from 开始日期, to 结束日期, start 开始时间, end 结束时间, " +
			"day_hours 每日工时, week_hours 每周工时, not_before 最早上班, not_after 最晚下班, no_nights 不上夜班, days_off 固定休息日, hours 工时, holiday_hours 节假日工时, note 备注.",
		Example: "  chaoban facts import certificates.csv --dry-run",
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return fault.Wrap(err, fault.NotFound, "cli.file", "the file %s cannot be read", args[0])
			}
			defer f.Close()
			return s.with(cmd, needStore, func(a *app) error {
				done, err := a.ops.Requesting.ImportFacts(cmd.Context(), a.who, filepath.Base(args[0]), f, dry)
				return s.put(cmd, done, err, a.ops.Zone())
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would come of it")
	return cmd
}

func newFactsDelete(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "delete ID", Short: "Take a wrong fact off file", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				if err := a.ops.Requesting.DeleteFact(cmd.Context(), a.who, args[0]); err != nil {
					return err
				}
				return s.print(cmd, map[string]string{"deleted": args[0]}, func() { fmt.Fprintf(cmd.OutOrStdout(), "fact %s deleted\n", args[0]) })
			})
		},
	}
}

func newFactsRead(s *settings) *cobra.Command {
	var agent string
	cmd := &cobra.Command{
		Use: "read PACK", Short: "Note that an agent has read a promotion pack today", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				done, err := a.ops.Requesting.AcknowledgePack(cmd.Context(), a.who, ids.Agent(agent), args[0])
				return s.put(cmd, done, err, a.ops.Zone())
			})
		},
	}
	cmd.Flags().StringVar(&agent, "agent", "", "who has read it")
	_ = cmd.MarkFlagRequired("agent") // the flag exists
	return cmd
}

// newFactsTerms shows what queues ask of their agents as YAML, or replaces it by a file.
func newFactsTerms(s *settings) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "terms", Short: "Show which certificate, packs and shops each queue asks for, as YAML; --set replaces them by a file", Args: cobra.NoArgs,
		Example: "  chaoban facts terms --set terms.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				now, err := a.ops.Requesting.QueueTerms(cmd.Context(), a.who)
				if err != nil {
					return err
				}
				if file != "" {
					now.Terms = nil
					if err := readYAML(file, &now.Terms, nil); err != nil {
						return err
					}
					if now, err = a.ops.Requesting.PutQueueTerms(cmd.Context(), a.who, now.Terms, store.AnyVersion); err != nil {
						return err
					}
				}
				return s.print(cmd, now, func() {
					writeYAML(cmd.OutOrStdout(), now.Terms)
					printBroken(cmd.ErrOrStderr(), now.Broken, a.ops.Zone())
				})
			})
		},
	}
	cmd.Flags().StringVar(&file, "set", "", "file (YAML): a list of queue, certificate, packs (code, dates) and shops")
	return cmd
}
