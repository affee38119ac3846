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
	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// newLeaveCommand asks for leave and keeps its balances.
func newLeaveCommand(s *settings) *cobra.Command {
	return family("leave", "Leave (请假): ask, balances, quotas and closed days",
		newLeaveAsk(s), newLeaveBalances(s), newLeaveEntries(s), newLeaveGrant(s), newLeaveEarn(s), newLeaveAdjust(s), newLeavePolicy(s))
}

func newLeaveAsk(s *settings) *cobra.Command {
	var f struct{ agent, kind, from, to, start, end, reason, proof string }
	var dry bool
	cmd := &cobra.Command{
		Use: "ask", Short: "Ask for leave; it is granted at once when quota, closed days, balance and coverage allow", Args: cobra.NoArgs,
		Example: "  chaoban leave ask --agent 1001 --kind annual --from 2026-11-16 --to 2026-11-17 --dry-run\n" +
			"  chaoban leave ask --agent 1001 --kind personal --start '2026-11-16 14:00' --end '2026-11-16 18:00'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				in := requesting.LeaveInput{Agent: ids.Agent(f.agent), Kind: leave.LeaveKind(f.kind), Reason: f.reason, Proof: f.proof, Dry: dry}
				if f.from != "" {
					var err error
					if in.Dates, err = dates(f.from, cmp.Or(f.to, f.from)); err != nil {
						return err
					}
				}
				if err := instants(a.ops.Zone(), instantFlag{f.start, &in.Range.Start}, instantFlag{f.end, &in.Range.End}); err != nil {
					return err
				}
				done, err := a.ops.Requesting.AskLeave(cmd.Context(), a.who, in)
				if err != nil {
					return err
				}
				return s.print(cmd, done, func() {
					printDecision(cmd.OutOrStdout(), done.Decision, done.Charge)
					if done.Request != nil {
						fmt.Fprintf(cmd.OutOrStdout(), "leave %s is %s\n", done.Request.Value.ID, done.Request.Value.State)
					}
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.agent, "agent", "", "for whom")
	flags.StringVar(&f.kind, "kind", "", "annual, compensatory, personal, sick, marriage, maternity, paternity, child_care or bereavement")
	flags.StringVar(&f.from, "from", "", "first day")
	flags.StringVar(&f.to, "to", "", "last day (default: the first)")
	flags.StringVar(&f.start, "start", "", "instead of days: 2026-11-16 14:00")
	flags.StringVar(&f.end, "end", "", "end of the part of a day")
	flags.StringVar(&f.reason, "reason", "", "why; kept in the trail")
	flags.StringVar(&f.proof, "proof", "", "number or name of the document")
	flags.BoolVar(&dry, "dry-run", false, "only say what would come of it")
	for _, name := range []string{"agent", "kind"} {
		_ = cmd.MarkFlagRequired(name) // the flags exist
	}
	return cmd
}

func printDecision(w io.Writer, d leave.Decision, charge []leave.Charge) {
	minutes := 0
	for _, c := range charge {
		minutes += c.Minutes
	}
	fmt.Fprintf(w, "takes %.4g h on %s, loses %s yuan of coverage: %s\n", float64(minutes)/60, counted(len(charge), "day", "days"), lostText(d.LostYuan), d.Outcome)
	rows := make([]string, len(d.Days))
	for i, v := range d.Days {
		quota := "-"
		if v.Heads >= 0 {
			quota = fmt.Sprintf("%s %d of %d", v.Quota, v.Away, v.Heads)
		}
		rows[i] = fmt.Sprintf("%s\t%.4g\t%s\t%s\t%s", v.Date, float64(v.Minutes)/60, quota, lostText(v.LostYuan), yesNo(v.Known))
	}
	table(w, "DAY\tHOURS\tQUOTA\tLOSES\tPLANNED", rows)
	for _, x := range d.Findings {
		fmt.Fprintf(w, "%s: %s / %s\n", x.Code, x.Says.ZH, x.Says.EN)
	}
}

// lostText is an amount of yuan, or a dash where none is told.
func lostText(yuan *float64) string {
	if yuan == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *yuan)
}

func newLeaveBalances(s *settings) *cobra.Command {
	var agent, on string
	cmd := &cobra.Command{
		Use: "balances", Short: "List leave balances with their lots", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				day := calendar.DateOf(a.ops.Now(), a.ops.Zone())
				if on != "" {
					var err error
					if day, err = calendar.ParseDate(on); err != nil {
						return err
					}
				}
				all, err := a.ops.Requesting.LeaveBalances(cmd.Context(), a.who, ids.Agent(agent), day)
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					var rows []string
					for _, b := range all {
						rows = append(rows, fmt.Sprintf("%s\t%s\t\t%.4g\t\t%.4g", b.Agent, b.Kind, float64(b.Available)/60, float64(b.Lapsed)/60))
						for _, l := range b.Lots {
							until := "-"
							if !l.Until.IsZero() {
								until = l.Until.Add(-1).String()
							}
							rows = append(rows, fmt.Sprintf("\t\t%s\t%.4g\t%s\t", l.Name, float64(l.Left)/60, until))
						}
					}
					table(cmd.OutOrStdout(), "AGENT\tKIND\tLOT\tHOURS\tGOOD UNTIL\tLAPSED", rows)
				})
			})
		},
	}
	cmd.Flags().StringVar(&agent, "agent", "", "only this agent")
	cmd.Flags().StringVar(&on, "on", "", "day (default: today)")
	return cmd
}

func newLeaveEntries(s *settings) *cobra.Command {
	var agent, kind string
	cmd := &cobra.Command{
		Use: "entries", Short: "Open balances into the rows of the ledger", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				all, err := store.All(func(p store.Page) ([]leave.Entry, string, error) {
					return a.ops.Requesting.LeaveEntries(cmd.Context(), a.who, store.LeaveFilter{Agent: ids.Agent(agent), Kind: leave.LeaveKind(kind)}, p)
				})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() { printEntries(cmd, all, a.ops.Zone()) })
			})
		},
	}
	cmd.Flags().StringVar(&agent, "agent", "", "only this agent")
	cmd.Flags().StringVar(&kind, "kind", "", "only annual or compensatory")
	return cmd
}

func printEntries(cmd *cobra.Command, all []leave.Entry, zone *time.Location) {
	rows := make([]string, len(all))
	for i, e := range all {
		rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%+.4g\t%s\t%s", clockOf(e.At, zone), e.Agent, e.Kind, e.Lot, e.On, float64(e.Minutes)/60, e.Cause, cmp.Or(string(e.Request), e.Note, "-"))
	}
	table(cmd.OutOrStdout(), "AT\tAGENT\tKIND\tLOT\tDAY\tHOURS\tCAUSE\tREQUEST", rows)
}

func newLeaveGrant(s *settings) *cobra.Command {
	var year int
	var agents []string
	cmd := &cobra.Command{
		Use: "grant", Short: "Book a year's annual leave: 5, 10 or 15 days by years of work", Args: cobra.NoArgs,
		Long: "Book a year's annual leave: 5, 10 or 15 days by years of work (职工带薪年休假条例 §3), with the share of the year for who joins or leaves. " +
			"The years count from the fact career, or from the employment. An agent's year is booked once.",
		Example: "  chaoban leave grant --year 2026",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.booked(cmd, func(a *app) ([]leave.Entry, error) {
				return a.ops.Requesting.GrantAnnualLeave(cmd.Context(), a.who, year, typed[ids.Agent](agents))
			})
		},
	}
	cmd.Flags().IntVar(&year, "year", 0, "calendar year")
	cmd.Flags().StringSliceVar(&agents, "agent", nil, "only these agents (default: all)")
	_ = cmd.MarkFlagRequired("year") // the flag exists
	return cmd
}

// booked runs what adds rows to the ledger and prints them.
func (s *settings) booked(cmd *cobra.Command, book func(*app) ([]leave.Entry, error)) error {
	return s.with(cmd, needStore, func(a *app) error {
		rows, err := book(a)
		if err != nil {
			return err
		}
		return s.print(cmd, rows, func() {
			printEntries(cmd, rows, a.ops.Zone())
			fmt.Fprintf(cmd.OutOrStdout(), "%s booked\n", counted(len(rows), "row", "rows"))
		})
	})
}

func newLeaveEarn(s *settings) *cobra.Command {
	var from, to string
	var agents []string
	cmd := &cobra.Command{
		Use: "earn", Short: "Book time off in lieu (调休) for rest days that were worked", Args: cobra.NoArgs,
		Long: "Book time off in lieu (调休) for rest days that were worked (劳动法 §44(2)): from then on pay has no 200 % for these hours. Where less was\n" +
			"worked on such a day than is booked for it, the rest is taken back, as far as it was not taken as time off already.",
		Example: "  chaoban leave earn --from 2026-11-02 --to 2026-11-15 --agent 1001",
		RunE: func(cmd *cobra.Command, _ []string) error {
			days, err := dates(from, to)
			if err != nil {
				return err
			}
			return s.with(cmd, needStore, func(a *app) error {
				done, err := a.ops.Requesting.EarnLieu(cmd.Context(), a.who, days, typed[ids.Agent](agents))
				if err != nil {
					return err
				}
				return s.print(cmd, done, func() {
					printEntries(cmd, done.Rows, a.ops.Zone())
					fmt.Fprintf(cmd.OutOrStdout(), "%s booked\n", counted(len(done.Rows), "row", "rows"))
					printNotes(cmd.OutOrStdout(), done.Notes)
				})
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "first day")
	cmd.Flags().StringVar(&to, "to", "", "last day, before today")
	cmd.Flags().StringSliceVar(&agents, "agent", nil, "only these agents (default: all)")
	for _, name := range []string{"from", "to"} {
		_ = cmd.MarkFlagRequired(name) // the flags exist
	}
	return cmd
}

func newLeaveAdjust(s *settings) *cobra.Command {
	var f struct {
		agent, kind, lot, on, until, note string
		hours                             float64
	}
	cmd := &cobra.Command{
		Use: "adjust", Short: "Change a balance by hand, with a reason", Args: cobra.NoArgs,
		Example: "  chaoban leave adjust --agent 1001 --kind annual --hours 16 --until 2027-03-31 --note 上家单位结转",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.booked(cmd, func(a *app) ([]leave.Entry, error) {
				in := requesting.AdjustInput{
					Agent: ids.Agent(f.agent), Kind: leave.LeaveKind(f.kind), Minutes: int(f.hours * 60), Lot: f.lot, Note: f.note, On: calendar.DateOf(a.ops.Now(), a.ops.Zone()),
				}
				if f.on != "" {
					var err error
					if in.On, err = calendar.ParseDate(f.on); err != nil {
						return nil, err
					}
				}
				if f.until != "" {
					last, err := calendar.ParseDate(f.until)
					if err != nil {
						return nil, err
					}
					in.Until = last.Add(1)
				}
				row, err := a.ops.Requesting.AdjustLeave(cmd.Context(), a.who, in)
				if err != nil {
					return nil, err
				}
				return []leave.Entry{row}, nil
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.agent, "agent", "", "whose balance")
	flags.StringVar(&f.kind, "kind", "", "annual or compensatory")
	flags.Float64Var(&f.hours, "hours", 0, "hours to add; below 0 takes away")
	flags.StringVar(&f.lot, "lot", "", "lot to change (default: a new one)")
	flags.StringVar(&f.on, "on", "", "first day on which a new lot can be taken (default: today)")
	flags.StringVar(&f.until, "until", "", "last day of a new lot (default: it never lapses)")
	flags.StringVar(&f.note, "note", "", "why; kept in the ledger")
	for _, name := range []string{"agent", "kind", "hours", "note"} {
		_ = cmd.MarkFlagRequired(name) // the flags exist
	}
	return cmd
}

// newLeavePolicy shows the policy as YAML, or replaces it by a file.
func newLeavePolicy(s *settings) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "policy", Short: "Show quotas, closed days and the rules of leave as YAML; --set replaces them by a file", Args: cobra.NoArgs,
		Example: "  chaoban leave policy > policy.yaml\n  chaoban leave policy --set policy.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				now, err := a.ops.Requesting.LeavePolicy(cmd.Context(), a.who)
				if err != nil {
					return err
				}
				if file != "" {
					if err := readYAML(file, &now.Policy, func() error { return now.Policy.Validate() }); err != nil {
						return err
					}
					if now, err = a.ops.Requesting.PutLeavePolicy(cmd.Context(), a.who, now.Policy, store.AnyVersion); err != nil {
						return err
					}
				}
				return s.print(cmd, now, func() {
					tellLeftOut(cmd.OutOrStdout(), now.LeftOut)
					writeYAML(cmd.OutOrStdout(), now.Policy)
				})
			})
		},
	}
	cmd.Flags().StringVar(&file, "set", "", "policy file (YAML); what it leaves out stays as it is, lists are replaced as a whole; kinds of leave that kinds leaves out are told, and what the law gives stays")
	return cmd
}

// tellLeftOut names the kinds of leave that a policy has no rule of, as a comment, so that the output stays a policy file.
func tellLeftOut(w io.Writer, kinds []leave.LeaveKind) {
	if len(kinds) == 0 {
		return
	}
	usual := leave.DefaultPolicy()
	var zh, en []string
	for _, k := range kinds {
		rule, _ := usual.RuleOf(k)
		zh, en = append(zh, rule.Name.ZH), append(en, fmt.Sprintf("%s (%s)", k, rule.Name.EN))
	}
	_, _ = fmt.Fprintf(w, "# 没有列出，无人可请：%s / left out, so nobody can ask for it: %s\n", strings.Join(zh, "、"), strings.Join(en, ", "))
}

// readYAML reads a file strictly into a value; judge, where there is one, adds what is wrong with the value itself.
func readYAML(name string, into any, judge func() error) error {
	f, err := os.Open(name)
	if err != nil {
		return fault.Wrap(err, fault.NotFound, "cli.file", "the file %s cannot be read", name)
	}
	defer f.Close()
	doc, err := intake.ReadYAML(filepath.Base(name), "cli.file", f, into)
	if err != nil {
		return err
	}
	if judge == nil {
		return doc.Err("cli.file", nil)
	}
	return doc.Err("cli.file", judge())
}

func writeYAML(w io.Writer, v any) {
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	_ = e.Encode(v) // plain values always encode
	_ = e.Close()
}
