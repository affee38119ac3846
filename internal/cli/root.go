package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
)

// settings are the flags every command shares.
type settings struct {
	config string
	data   string
	json   bool
}

func newRootCommand() *cobra.Command {
	s := &settings{}
	root := &cobra.Command{
		Use:           "chaoban",
		Short:         "Chaoban 潮班: forecast, staff, roster, measure and report outsourced customer service",
		Version:       Version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&s.config, "config", "", "configuration file (YAML); see configs/default.yaml")
	flags.StringVar(&s.data, "data", "", "data directory, replaces data_dir of the configuration")
	flags.BoolVar(&s.json, "json", false, "print one JSON document instead of text")
	root.AddGroup(
		&cobra.Group{ID: "service", Title: "Service:"},
		&cobra.Group{ID: "job", Title: "Main job:"},
		&cobra.Group{ID: "admin", Title: "Administration:"},
	)
	root.AddCommand(
		grouped("service", newServeCommand(s)), grouped("service", newDoctorCommand(s)), grouped("service", newDemoCommand(s)),
		grouped("job", newContractsCommand(s)), grouped("job", newAgentsCommand(s)), grouped("job", newSitesCommand(s)), grouped("job", newAccountsCommand(s)), grouped("job", newImportCommand(s)),
		grouped("job", newQuarantineCommand(s)),
		grouped("job", newForecastCommand(s)), grouped("job", newStaffCommand(s)), grouped("job", newRosterCommand(s)),
		grouped("job", newShiftsCommand(s)), grouped("job", newLeaveCommand(s)), grouped("job", newSwapsCommand(s)), grouped("job", newOffersCommand(s)),
		grouped("job", newBidsCommand(s)), grouped("job", newRequestsCommand(s)), grouped("job", newFairnessCommand(s)), grouped("job", newFactsCommand(s)),
		grouped("job", newKPICommand(s)), grouped("job", newReportCommand(s)),
		grouped("admin", newJobsCommand(s)), grouped("admin", newUsersCommand(s)), grouped("admin", newTokensCommand(s)),
		grouped("admin", newAuditCommand(s)), grouped("admin", newScorecardsCommand(s)), grouped("admin", newRetentionCommand(s)),
		newEngineChildCommand(),
	)
	return root
}

func grouped(id string, cmd *cobra.Command) *cobra.Command {
	cmd.GroupID = id
	return cmd
}

// family is a command that only carries sub-commands.
func family(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return fault.New(fault.Invalid, "cli.usage", "say which: %s", strings.Join(childNames(children), ", "))
	}}
	cmd.AddCommand(children...)
	return cmd
}

func childNames(children []*cobra.Command) []string {
	names := make([]string, len(children))
	for i, c := range children {
		names[i] = c.CommandPath()
	}
	return names
}

// printJSON writes one indented document.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fault.Wrap(err, fault.Internal, "cli.output", "the result cannot be printed")
	}
	return nil
}

// table prints aligned columns; a row is one tab-separated line.
func table(w io.Writer, header string, rows []string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, header)
	for _, r := range rows {
		fmt.Fprintln(t, r)
	}
	_ = t.Flush()
}
