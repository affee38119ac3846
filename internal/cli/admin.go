package cli

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/administration"
	"github.com/chaoban/chaoban/internal/store"
)

func newJobsCommand(s *settings) *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "List jobs with schedule and last run", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				var rows []string
				type row struct {
					Name, Schedule string
					Timeout        time.Duration
					Last           *store.JobRun `json:"last,omitempty"`
					LastSuccess    *store.JobRun `json:"last_success,omitempty"`
					Alert          *store.Alert  `json:"alert,omitempty"`
				}
				var all []row
				when := func(r *store.JobRun) string {
					if r == nil {
						return "never"
					}
					return r.StartedAt.In(a.ops.Zone()).Format("2006-01-02 15:04")
				}
				for _, j := range a.jobs.Jobs() {
					state, err := a.ops.JobState(cmd.Context(), a.who, j.Name)
					if err != nil {
						return err
					}
					last, alert := "never", "-"
					if state.Last != nil {
						last = fmt.Sprintf("%s %s", state.Last.State, when(state.Last))
					}
					if state.Alert != nil {
						alert = string(state.Alert.State)
						if state.Alert.State == store.Firing {
							alert = fmt.Sprintf("FIRING: %d in a row since %s", state.Alert.Failures, state.Alert.Since.In(a.ops.Zone()).Format("2006-01-02 15:04"))
						}
					}
					all = append(all, row{Name: j.Name, Schedule: j.Schedule, Timeout: j.Timeout, Last: state.Last, LastSuccess: state.LastSuccess, Alert: state.Alert})
					rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", j.Name, j.Schedule, j.Timeout, last, when(state.LastSuccess), alert))
				}
				return s.print(cmd, all, func() { table(cmd.OutOrStdout(), "JOB\tSCHEDULE\tTIMEOUT\tLAST RUN\tLAST SUCCESS\tALERT", rows) })
			})
		},
	}
	run := &cobra.Command{
		Use: "run NAME", Short: "Run one job now and wait for it", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needEngine, func(a *app) error {
				spec, err := a.jobs.Spec(args[0])
				if err != nil {
					return err
				}
				done, err := a.ops.RunJob(cmd.Context(), a.who, spec)
				if err != nil {
					return err
				}
				return s.print(cmd, done, func() {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, %d rows in %s\n", done.Job, done.State, done.Rows, done.FinishedAt.Sub(done.StartedAt).Round(time.Millisecond))
				})
			})
		},
	}
	return family("jobs", "Scheduled jobs and their runs", list, run, newJobsHistory(s), newJobsAlerts(s))
}

func newJobsHistory(s *settings) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "history", Short: "List the newest runs", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				runs, _, err := a.ops.JobRuns(cmd.Context(), a.who, store.JobRunFilter{Job: name}, store.Page{Limit: 50})
				if err != nil {
					return err
				}
				return s.print(cmd, runs, func() {
					rows := make([]string, len(runs))
					for i, r := range runs {
						took := "-"
						if !r.FinishedAt.IsZero() {
							took = r.FinishedAt.Sub(r.StartedAt).Round(time.Millisecond).String()
						}
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%d\t%s\t%d\t%s\t%s", r.StartedAt.In(a.ops.Zone()).Format("2006-01-02 15:04:05"), r.Job,
							r.ScheduledFor.In(a.ops.Zone()).Format("2006-01-02 15:04"), r.Attempt, r.State, r.Rows, took, r.Error)
					}
					table(cmd.OutOrStdout(), "STARTED\tJOB\tDUE\tATTEMPT\tSTATE\tROWS\tTOOK\tERROR", rows)
				})
			})
		},
	}
	cmd.Flags().StringVar(&name, "job", "", "only this job")
	return cmd
}

func newJobsAlerts(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "alerts", Short: "List what goes wrong: jobs that fail, and what jobs found", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				alerts, _, err := a.ops.Alerts(cmd.Context(), a.who, "", store.Page{Limit: 500})
				if err != nil {
					return err
				}
				return s.print(cmd, alerts, func() {
					rows := make([]string, len(alerts))
					for i, x := range alerts {
						rows[i] = fmt.Sprintf("%s\t%s\t%d\t%s\t%s", x.Name, x.State, x.Failures, x.UpdatedAt.In(a.ops.Zone()).Format("2006-01-02 15:04"), x.Text)
					}
					table(cmd.OutOrStdout(), "ALERT\tSTATE\tFAILURES\tUPDATED\tTEXT", rows)
				})
			})
		},
	}
}

func newUsersCommand(s *settings) *cobra.Command {
	var in struct{ name, role, merchant, agent string }
	add := &cobra.Command{
		Use: "add LOGIN", Short: "Add a user; the password is read from standard input", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
			if err != nil && line == "" {
				return fault.New(fault.Invalid, "cli.password", "give the password on standard input")
			}
			return s.with(cmd, needStore, func(a *app) error {
				user, err := a.ops.Administration.PutUser(cmd.Context(), a.who, administration.UserInput{
					Login: args[0], Name: in.name, Role: access.Role(in.role), Merchant: ids.Merchant(in.merchant), Agent: ids.Agent(in.agent),
					Password: strings.TrimRight(line, "\r\n"),
				})
				if err != nil {
					return err
				}
				return s.print(cmd, user, func() { fmt.Fprintf(cmd.OutOrStdout(), "user %s added as %s\n", user.Login, user.Role) })
			})
		},
	}
	add.Flags().StringVar(&in.name, "name", "", "name of the person")
	add.Flags().StringVar(&in.role, "role", "", fmt.Sprintf("one of %v", access.Roles))
	add.Flags().StringVar(&in.merchant, "merchant", "", "merchant of a client")
	add.Flags().StringVar(&in.agent, "agent", "", "staff number of an agent")
	list := &cobra.Command{
		Use: "list", Short: "List users", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				users, err := store.All(func(p store.Page) ([]store.User, string, error) {
					return a.ops.Administration.Users(cmd.Context(), a.who, p)
				})
				if err != nil {
					return err
				}
				return s.print(cmd, users, func() {
					rows := make([]string, len(users))
					for i, u := range users {
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s%s\t%t", u.Login, u.Name, u.Role, u.Merchant, u.Agent, u.Disabled)
					}
					table(cmd.OutOrStdout(), "LOGIN\tNAME\tROLE\tOF\tDISABLED", rows)
				})
			})
		},
	}
	return family("users", "People who log in", beginning(add), list)
}

func newTokensCommand(s *settings) *cobra.Command {
	var in struct {
		login  string
		grants []string
		days   int
	}
	add := &cobra.Command{
		Use: "add NAME", Short: "Issue a machine token; its secret is printed once", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				users, err := store.All(func(p store.Page) ([]store.User, string, error) {
					return a.ops.Administration.Users(cmd.Context(), a.who, p)
				})
				if err != nil {
					return err
				}
				i := slices.IndexFunc(users, func(u store.User) bool { return u.Login == in.login })
				if i < 0 {
					return fault.New(fault.NotFound, "user.unknown", "there is no user %q", in.login)
				}
				input := administration.TokenInput{Name: args[0], User: users[i].ID, Grants: typed[access.Permission](in.grants)}
				if in.days > 0 {
					input.Expires = a.ops.Now().AddDate(0, 0, in.days)
				}
				secret, token, err := a.ops.Administration.IssueToken(cmd.Context(), a.who, input)
				if err != nil {
					return err
				}
				return s.print(cmd, map[string]any{"secret": secret, "token": token}, func() { fmt.Fprintln(cmd.OutOrStdout(), secret) })
			})
		},
	}
	add.Flags().StringVar(&in.login, "user", "", "login whose role and scope the token carries")
	add.Flags().StringSliceVar(&in.grants, "grant", nil, fmt.Sprintf("permissions: %v", access.Permissions))
	add.Flags().IntVar(&in.days, "days", 365, "days until it expires; 0 = never")
	revoke := &cobra.Command{
		Use: "revoke ID", Short: "End a token", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				return a.ops.Administration.RevokeToken(cmd.Context(), a.who, ids.Token(args[0]))
			})
		},
	}
	list := &cobra.Command{
		Use: "list", Short: "List tokens, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				tokens, _, err := a.ops.Administration.Tokens(cmd.Context(), a.who, store.Page{Limit: 200})
				if err != nil {
					return err
				}
				return s.print(cmd, tokens, func() {
					rows := make([]string, len(tokens))
					for i, t := range tokens {
						state := "in force"
						if !t.RevokedAt.IsZero() {
							state = "revoked"
						}
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%v", t.ID, t.Name, state, t.Grants)
					}
					table(cmd.OutOrStdout(), "TOKEN\tNAME\tSTATE\tGRANTS", rows)
				})
			})
		},
	}
	return family("tokens", "Scoped tokens for machines", add, list, revoke)
}

func newAuditCommand(s *settings) *cobra.Command {
	verify := &cobra.Command{
		Use: "verify", Short: "Walk the hash chain of the audit trail", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				proof, err := a.ops.Administration.VerifyAudit(cmd.Context(), a.who)
				if err != nil {
					return err
				}
				return s.print(cmd, proof, func() { fmt.Fprintf(cmd.OutOrStdout(), "%d rows, unbroken; head %s\n", proof.Rows, proof.Head) })
			})
		},
	}
	list := &cobra.Command{
		Use: "list", Short: "List the newest audit rows", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				rows, _, err := a.ops.Administration.Audit(cmd.Context(), a.who, store.AuditFilter{}, store.Page{Limit: 50})
				if err != nil {
					return err
				}
				return s.print(cmd, rows, func() {
					lines := make([]string, len(rows))
					for i, r := range rows {
						lines[i] = fmt.Sprintf("%d\t%s\t%s\t%s\t%s", r.Seq, r.At.In(a.ops.Zone()).Format("2006-01-02 15:04:05"), r.ActorName, r.Action, r.Entity)
					}
					table(cmd.OutOrStdout(), "SEQ\tAT\tWHO\tACTION\tENTITY", lines)
				})
			})
		},
	}
	return family("audit", "The hash-chained audit trail", verify, list)
}
