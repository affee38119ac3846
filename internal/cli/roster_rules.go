package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/rostering"
)

func newRosterRules(s *settings) *cobra.Command {
	var in rostering.HouseRulesInput
	var set []string
	var history, all bool
	var payFrom string
	cmd := &cobra.Command{
		Use: "rules", Short: "Show the parameters of the work rules and where each comes from; --set changes them", Args: cobra.NoArgs,
		Long: "Show the parameters of the work rules and where each comes from (docs/rules.md says what they are for); --set and --reset make a new\n" +
			"version of them, which holds at once for every roster, edit, swap and leave. LAW says which are statutory: those may be tightened, and a\n" +
			"value on the lax side is refused; 内部规定 is free. Published shifts from today on that break a rule by the change are named. Days that\n" +
			"are over keep their pay, unless --pay-from says that what is named holds for them too; whose pay that moves is told.",
		Example: "  chaoban roster rules --set special_dates=2026-11-10:2026-11-12 --reason 双11大促，已与工会协商\n" +
			"  chaoban roster rules --set rest_block=9h --set consecutive_days=5 --set shops_at_once=12 --reason 公司排班规定",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				rules, err := a.ops.Rostering.HouseRules(cmd.Context(), a.who)
				if err != nil {
					return err
				}
				if in.Set, err = valuesByName(set); err != nil {
					return err
				}
				if in.PayFrom, err = optionalDate(payFrom); err != nil {
					return err
				}
				if len(in.Set)+len(in.Reset) > 0 {
					in.Expect = rules.Version
					if rules, err = a.ops.Rostering.SetHouseRules(cmd.Context(), a.who, in); err != nil {
						return err
					}
				}
				return s.print(cmd, rules, func() {
					if history {
						printRuleChanges(cmd, a, rules)
						return
					}
					printRules(cmd, rules, all)
					printBroken(cmd.OutOrStdout(), rules.Broken, a.ops.Zone())
					printPayMoves(cmd.OutOrStdout(), rules.PayMoved)
				})
			})
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&set, "set", nil, "NAME=VALUE, several times; dates are FROM:TO, the last day included, with commas between several")
	flags.StringSliceVar(&in.Reset, "reset", nil, "names that go back to their defaults")
	flags.StringVar(&in.Reason, "reason", "", "why, kept with the version")
	flags.StringVar(&payFrom, "pay-from", "", "first day that is paid by what --set and --reset name, up to 366 days ago (default: today)")
	flags.BoolVar(&history, "history", false, "show the versions instead")
	flags.BoolVar(&all, "all", false, "show where the defaults come from as well")
	return cmd
}

func valuesByName(list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, text := range list {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fault.New(fault.Invalid, "cli.usage", "--set %s: give NAME=VALUE", fault.Shorten(text))
		}
		if _, twice := out[name]; twice {
			return nil, fault.New(fault.Invalid, "cli.usage", "--set names %s twice", fault.Shorten(name))
		}
		out[name] = value
	}
	return out, nil
}

func printRules(cmd *cobra.Command, rules rostering.HouseRules, all bool) {
	rows := make([]string, len(rules.Settings))
	for i, x := range rules.Settings {
		from := "default"
		if x.Version > 0 || all {
			from = x.Source
		}
		law := x.Law.Bound()
		if all {
			law = x.Law.String()
		}
		value := x.Value
		if value == "" {
			value = "none"
		}
		rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s", x.Name, value, law, x.Meaning, from)
	}
	table(cmd.OutOrStdout(), "SETTING\tVALUE\tLAW\tMEANING\tFROM", rows)
	for _, w := range rules.Warnings {
		fmt.Fprintf(cmd.OutOrStdout(), "warning: %s\n", w)
	}
}

func printRuleChanges(cmd *cobra.Command, a *app, rules rostering.HouseRules) {
	w := cmd.OutOrStdout()
	if len(rules.Changes) == 0 {
		fmt.Fprintln(w, "every parameter is at its default, and none was ever changed")
	}
	for _, c := range slices.Backward(rules.Changes) {
		fmt.Fprintf(w, "version %d, %s by %s: %s\n", c.Version, c.At.In(a.ops.Zone()).Format("2006-01-02 15:04"), c.Author, c.Reason)
		from := c.PaidFrom(a.ops.Zone())
		for _, name := range slices.Sorted(maps.Keys(c.Set)) {
			fmt.Fprintf(w, "  %s = %s, paid by from %s on\n", name, c.Set[name], from)
		}
		for _, name := range c.Reset {
			fmt.Fprintf(w, "  %s back to its default, paid by from %s on\n", name, from)
		}
	}
}

func newAgentsOvertime(s *settings) *cobra.Command {
	var agents []string
	var agreed, withdrawn bool
	cmd := &cobra.Command{
		Use: "overtime", Short: "Note that agents have agreed to overtime, or do so no longer", Args: cobra.NoArgs,
		Long: "Note that agents have agreed to overtime, or do so no longer. It holds at once; published shifts that break a rule by it are named.\n" +
			"Whom the law bars from overtime (late pregnancy, nursing, interns, minors) works none whatever was agreed, and is told so.",
		Example: "  chaoban agents overtime --agent A0061,A0062 --agreed",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if agreed == withdrawn {
				return fault.New(fault.Invalid, "cli.usage", "give --agreed or --withdrawn")
			}
			return s.with(cmd, needStore, func(a *app) error {
				done, err := a.ops.Requesting.PutOvertimeConsent(cmd.Context(), a.who, typed[ids.Agent](agents), agreed)
				return s.put(cmd, done, err, a.ops.Zone())
			})
		},
	}
	cmd.Flags().StringSliceVar(&agents, "agent", nil, "who")
	cmd.Flags().BoolVar(&agreed, "agreed", false, "they have agreed (劳动合同法 §31)")
	cmd.Flags().BoolVar(&withdrawn, "withdrawn", false, "they agree no longer")
	_ = cmd.MarkFlagRequired("agent") // the flag exists
	return cmd
}
