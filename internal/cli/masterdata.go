package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

func newContractsCommand(s *settings) *cobra.Command {
	apply := &cobra.Command{
		Use: "apply FILE.yaml", Short: "Read merchants and contracts from YAML, all or nothing", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return fault.Wrap(err, fault.NotFound, "cli.file", "the file %s cannot be read", args[0])
			}
			defer f.Close()
			return s.with(cmd, needStore, func(a *app) error {
				done, err := a.ops.Administration.ApplyContracts(cmd.Context(), a.who, filepath.Base(args[0]), f)
				if err != nil {
					return err
				}
				return s.print(cmd, done, func() {
					fmt.Fprintf(cmd.OutOrStdout(), "merchants: %s\ncontracts: %s\n", counts(done.Merchants), counts(done.Contracts))
				})
			})
		},
	}
	return family("contracts", "Merchants, shops and contract versions", beginning(apply), newContractsList(s), newMerchantsList(s))
}

func newContractsList(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List contracts with the version in force", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				all, err := store.All(func(p store.Page) ([]store.Stored[contracts.Contract], string, error) {
					return a.ops.Administration.Contracts(cmd.Context(), a.who, store.ContractFilter{}, p)
				})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, 0, len(all))
					for _, c := range all {
						last := c.Value.Versions[len(c.Value.Versions)-1]
						rows = append(rows, fmt.Sprintf("%s\t%s\t%d\t%s\t%d\t%s", c.Value.ID, c.Value.Merchant, last.Number, last.From, len(last.Terms), c.Value.Title))
					}
					table(cmd.OutOrStdout(), "CONTRACT\tMERCHANT\tVERSION\tFROM\tTERMS\tTITLE", rows)
				})
			})
		},
	}
}

func counts(r store.PutResult) string {
	return fmt.Sprintf("%d added, %d changed, %d unchanged", r.Added, r.Changed, r.Unchanged)
}

func newAgentsCommand(s *settings) *cobra.Command {
	var filter struct{ site, team, queue string }
	list := &cobra.Command{
		Use: "list", Short: "List agents", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				all, err := store.All(func(p store.Page) ([]store.Stored[workforce.Agent], string, error) {
					return a.ops.Administration.Agents(cmd.Context(), a.who, store.AgentFilter{
						Site: ids.Site(filter.site), Team: ids.Team(filter.team), Queue: ids.Queue(filter.queue),
					}, p)
				})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, 0, len(all))
					for _, x := range all {
						agent := x.Value
						skills := make([]string, len(agent.Skills))
						for i, k := range agent.Skills {
							skills[i] = string(k.Queue)
						}
						rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%d\t%s", agent.ID, agent.Name, agent.Team, agent.Employment, agent.Concurrency, strings.Join(skills, " ")))
					}
					table(cmd.OutOrStdout(), "AGENT\tNAME\tTEAM\tEMPLOYMENT\tCHATS\tSKILLS", rows)
				})
			})
		},
	}
	list.Flags().StringVar(&filter.site, "site", "", "only this site")
	list.Flags().StringVar(&filter.team, "team", "", "only this team")
	list.Flags().StringVar(&filter.queue, "queue", "", "only agents with the skill for this queue")
	return family("agents", "Sites, teams, agents and their skills", list, newAgentsOvertime(s))
}

// newImportCommand reads files of every kind: `import conversations FILE --mapping M.yaml`.
func newImportCommand(s *settings) *cobra.Command {
	kinds := map[intake.Kind]string{
		intake.Conversations: "Conversations and calls (NDJSON, CSV, xlsx)",
		intake.States:        "Agent states (NDJSON, CSV, xlsx)",
		intake.History:       "Contact history per queue and slot (CSV, xlsx)",
		intake.Agents:        "Agents with skills and employment (CSV, xlsx)",
		intake.Events:        "Messages and other events of conversations (NDJSON, CSV, xlsx)",
		intake.Orders:        "Inquiries and the steps of orders (NDJSON, CSV, xlsx)",
		intake.Tickets:       "Tickets (NDJSON, CSV, xlsx)",
		intake.Accounts:      "Who uses which platform sub-account when (NDJSON, CSV, xlsx)",
	}
	names := map[intake.Kind]string{intake.History: "history"}
	var children []*cobra.Command
	for _, kind := range intake.Kinds {
		name := names[kind]
		if name == "" {
			name = string(kind)
		}
		children = append(children, newImportKind(s, kind, name, kinds[kind]))
	}
	children = append(children, beginning(newImportPlatform(s)), newImportInspect(s), newImportList(s))
	return family("import", "Read files: agents, contact history, conversations and their events, agent states, orders, tickets, accounts", children...)
}

func newImportKind(s *settings, kind intake.Kind, name, short string) *cobra.Command {
	var mapping, rejects, payFrom string
	var partial, again, noRounds bool
	cmd := &cobra.Command{
		Use: name + " FILE", Short: short, Args: cobra.ExactArgs(1),
		Long: short + ".\n\nAll or nothing: one bad row and nothing is imported, unless --partial, which imports the good rows\nand writes the others to --rejects. The same file twice changes nothing, unless --again, or what decides about its rows\nhas changed since, such as who used an account.",
		RunE: func(cmd *cobra.Command, args []string) error {
			what := needEngine
			if kind == intake.Agents || kind == intake.Accounts {
				what = needStore
			}
			m, err := readMapping(mapping, kind)
			if err != nil {
				return err
			}
			source, closer, err := intake.OpenFile(args[0])
			if err != nil {
				return err
			}
			defer closer.Close()
			in := measuring.ImportInput{Source: source, Mapping: m, Partial: partial, NoRounds: noRounds, Again: again}
			if in.PayFrom, err = optionalDate(payFrom); err != nil {
				return err
			}
			return s.with(cmd, what, func(a *app) error {
				var out rejectsFile
				if partial {
					if err := out.open(rejectsName(rejects, args[0])); err != nil {
						return err
					}
					defer out.discard()
					in.RejectTo = out.f
				}
				bar := newProgress(cmd.ErrOrStderr(), 2*source.Size, "importing")
				in.Progress = bar.until(func() { fmt.Fprintln(cmd.ErrOrStderr(), "all rows are written; counting the days they touched") })
				done, err := a.ops.Measuring.Import(cmd.Context(), a.who, in)
				bar.done()
				if err != nil {
					cutOff(cmd.ErrOrStderr(), s.json, err, source.Name)
					return err
				}
				if !done.Already && done.Import.Rejected > 0 {
					if err := out.keep(); err != nil {
						return err
					}
				}
				return s.print(cmd, done, func() { printImported(cmd.OutOrStdout(), done, rejectsName(rejects, args[0]), a.ops.Zone()) })
			})
		},
	}
	cmd.Flags().StringVar(&mapping, "mapping", "", "mapping file (YAML): which column is which field")
	cmd.Flags().BoolVar(&partial, "partial", false, "import the good rows although others are bad")
	if kind != intake.Agents && kind != intake.Accounts { // these always say what is now
		cmd.Flags().BoolVar(&again, "again", false, againHelp)
	}
	if kind == intake.Agents {
		cmd.Flags().StringVar(&payFrom, "pay-from", "", "first day that changed wages and employments are paid by, up to 366 days ago (default: today); days before it keep their pay")
	}
	if kind == intake.Conversations {
		cmd.Flags().BoolVar(&noRounds, "no-rounds", false, "rows without rounds may take the place of stored conversations that have rounds")
	}
	cmd.Flags().StringVar(&rejects, "rejects", "", "with --partial: file for rejected rows (default FILE.rejected.csv)")
	return beginning(cmd)
}

// rejectsFile takes rejected rows under a temporary name beside the file they are for. That file is
// replaced only by rows that a finished import did reject: those of an earlier run may be all that is
// left of them.
type rejectsFile struct {
	f    *os.File
	name string // what f becomes; empty when f is written in place or nothing is to be done
}

// open fails before anything is imported when the rows could not be kept.
func (r *rejectsFile) open(name string) (err error) {
	if info, missing := os.Stat(name); missing == nil && !info.Mode().IsRegular() { // a pipe or a device
		r.f, err = os.OpenFile(name, os.O_WRONLY, 0)
	} else {
		r.name = name
		r.f, err = os.CreateTemp(filepath.Dir(name), ".rejected-*.csv")
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "cli.file", "the file for rejected rows %s cannot be written: %s", name, reason(err))
	}
	return nil
}

// keep gives the file its name.
func (r *rejectsFile) keep() error {
	err := r.f.Close()
	if r.name != "" && err == nil {
		err = os.Rename(r.f.Name(), r.name)
	}
	if err != nil {
		place := r.f.Name()
		r.name = "" // what was written is left there
		return fault.Wrap(err, fault.Internal, "cli.file", "the good rows are imported, but the rejected ones may be incomplete in %s", place)
	}
	r.name = ""
	return nil
}

// discard removes what was not kept; after keep it does nothing.
func (r *rejectsFile) discard() {
	_ = r.f.Close() // closed already after keep
	if r.name != "" {
		_ = os.Remove(r.f.Name()) // a hidden leftover is no reason to fail
	}
}

func rejectsName(name, file string) string {
	if name != "" {
		return name
	}
	return file + ".rejected.csv"
}

func readMapping(name string, kind intake.Kind) (intake.Mapping, error) {
	if name == "" {
		return intake.DefaultMapping(kind), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return intake.Mapping{}, fault.Wrap(err, fault.NotFound, "cli.file", "the mapping file %s cannot be read", name)
	}
	defer f.Close()
	m, err := intake.ParseMapping(filepath.Base(name), f)
	if err == nil && m.Kind != kind {
		return m, fault.Bad("intake.mapping", "mapping", []fault.Field{{
			File: filepath.Base(name), Path: "kind", Value: string(m.Kind), Problem: fmt.Sprintf("the mapping reads %s, but this command imports %s", m.Kind, kind),
		}})
	}
	return m, err
}

// shownUnknown is how many unknown agents are named on the screen.
const shownUnknown = 10

func printUnknownAgents(out io.Writer, unknown []measuring.AgentRows) {
	if len(unknown) == 0 {
		return
	}
	names := make([]string, min(len(unknown), shownUnknown))
	for i := range names {
		names[i] = fmt.Sprintf("%s (%d rows)", unknown[i].Agent, unknown[i].Rows)
	}
	more := ""
	if n := len(unknown) - len(names); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	fmt.Fprintf(out, "warning: nobody has entered these agents: %s%s. Their rows count; enter them with 'chaoban import agents', or correct the file\n", strings.Join(names, ", "), more)
}

// cutOff says what an import that ended in between leaves: the parts of a long file that were acknowledged, under
// an unfinished import, which counts as one only when the file has come to its end.
func cutOff(out io.Writer, quiet bool, err error, file string) {
	kind := fault.KindOf(err)
	if !quiet && (errors.Is(err, context.Canceled) || kind == fault.Canceled || kind == fault.Unavailable || kind == fault.Timeout) {
		fmt.Fprintf(out, "chaoban: the import of %s is not finished and is not acknowledged: import the same file again, it goes on where it stopped\n", file)
	}
}

const againHelp = "import a file that was imported before once more, so that it wins over what came since"

func printImported(out io.Writer, done measuring.Imported, rejects string, zone *time.Location) {
	switch {
	case done.Already:
		fmt.Fprintf(out, "%s was imported before, at %s as batch %s: nothing changed\n", done.Import.File, done.Import.At.In(zone).Format("2006-01-02 15:04"), done.Import.Batch)
		for _, l := range done.Later {
			fmt.Fprintf(out, "  since then: %s at %s as batch %s\n", l.File, l.At.In(zone).Format("2006-01-02 15:04"), l.Batch)
		}
		if len(done.Later) > 0 {
			fmt.Fprintf(out, "rows that these hold too have the later values; with --again %s wins\n", done.Import.File)
		}
		return
	case done.Agents != nil:
		fmt.Fprintf(out, "agents: %s\n", counts(*done.Agents))
	case done.Accounts != nil:
		fmt.Fprintf(out, "accounts: %s\n", counts(*done.Accounts))
	default:
		fmt.Fprintf(out, "%s: %d rows imported as batch %s\n", done.Import.File, done.Import.Rows, done.Import.Batch)
	}
	printUnknownAgents(out, done.Unknown)
	printBroken(out, done.Broken, zone)
	printPayMoves(out, done.PayMoved)
	for _, n := range done.Notes {
		fmt.Fprintf(out, "warning: %s\n", localTimes(n, zone))
	}
	if done.Import.Rejected > 0 {
		fmt.Fprintf(out, "%d rows rejected, written with reasons to %s\n", done.Import.Rejected, rejects)
		for _, p := range done.Summary.Problems {
			fmt.Fprintf(out, "  %s\n", p)
		}
	}
}
