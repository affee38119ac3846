package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// newSitesCommand keeps the places of work with their seats.
func newSitesCommand(s *settings) *cobra.Command {
	return family("sites", "Sites with their seats, and the teams at them", newSitesList(s), newSitesPut(s))
}

func newSitesList(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List sites with their seats", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				all, err := store.All(func(p store.Page) ([]store.Stored[workforce.Site], string, error) {
					return a.ops.Administration.Sites(cmd.Context(), a.who, p)
				})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, x := range all {
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s", x.Value.ID, x.Value.Name, x.Value.City, seatsText(x.Value))
					}
					table(cmd.OutOrStdout(), "SITE\tNAME\tCITY\tSEATS", rows)
				})
			})
		},
	}
}

// seatsText is "120, 22:00-08:00 30".
func seatsText(site workforce.Site) string {
	if site.Seats == 0 {
		return "not limited"
	}
	parts := []string{fmt.Sprint(site.Seats)}
	for _, w := range site.Windows {
		parts = append(parts, fmt.Sprintf("%s-%s %d", w.From, w.Until, w.Seats))
	}
	return strings.Join(parts, ", ")
}

func newSitesPut(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "put FILE", Short: "Add or replace the sites and teams of a YAML file; those not named stay", Args: cobra.ExactArgs(1),
		Long: "Add or replace the sites and teams of a YAML file; those not named stay.\n\n" +
			"sites:\n- id: wuhan\n  name: 武汉职场\n  city: 武汉\n  seats: 120            # most people at work at once; 0 or missing = not limited\n" +
			"  windows:\n  - {from: \"22:00\", until: \"08:00\", seats: 30}\nteams:\n- {id: wuhan-1, name: 武汉1组, site: wuhan}",
		Example: "  chaoban sites put sites.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			var file struct {
				Sites []workforce.Site `yaml:"sites"`
				Teams []workforce.Team `yaml:"teams"`
			}
			if err := readYAML(args[0], &file, nil); err != nil {
				return err
			}
			return s.with(cmd, needStore, func(a *app) error {
				if err := a.ops.Administration.PutPlaces(cmd.Context(), a.who, file.Sites, file.Teams); err != nil {
					return err
				}
				done := map[string]int{"sites": len(file.Sites), "teams": len(file.Teams)}
				return s.print(cmd, done, func() {
					fmt.Fprintf(cmd.OutOrStdout(), "%d sites and %d teams put\n", done["sites"], done["teams"])
				})
			})
		},
	}
}
