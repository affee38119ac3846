package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// refOf resolves ID, ID@revision, latest or latest@revision.
func refOf(cmd *cobra.Command, a *app, text string) (rostering.Ref, error) {
	ref, err := rostering.ParseRef(text)
	if err == nil {
		ref.Roster, err = newest(cmd, a, string(ref.Roster), "")
	}
	return ref, err
}

func newRosterExplain(s *settings) *cobra.Command {
	var top int
	var ask roster.Question
	var queue, at string
	cmd := &cobra.Command{
		Use: "explain ROSTER", Short: "Say what a roster costs, what is short in it, why nobody fills it and what would", Args: cobra.ExactArgs(1),
		Example: "  chaoban roster explain latest --top 10\n  chaoban roster explain latest --queue muxi-tmall/pre --at '2026-11-11 20:00'",
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				ref, err := refOf(cmd, a, args[0])
				if err != nil {
					return err
				}
				if ask.Queue = ids.Queue(queue); at != "" {
					if ask.At, err = parseInstant(at, a.ops.Zone()); err != nil {
						return err
					}
				}
				x, err := a.ops.Rostering.ExplainRoster(cmd.Context(), a.who, ref, ask)
				if err != nil {
					return err
				}
				return s.print(cmd, x, func() { printExplained(cmd, x, ask, a.ops.Zone(), top) })
			})
		},
	}
	cmd.Flags().IntVar(&top, "top", 20, "how many stretches to show, the dearest first")
	cmd.Flags().StringVar(&queue, "queue", "", "only what is short on this queue")
	cmd.Flags().StringVar(&at, "at", "", "only what is short at this time, such as '2026-11-11 20:00'")
	cmd.Flags().BoolVar(&ask.AllFixes, "all-fixes", false, "fixes for every stretch, not for the dearest only; takes a while")
	return cmd
}

// printExplained tells a roster as it was made with its account, one that was changed since with what is
// short in it now; of stretches that somebody asked about only those.
func printExplained(cmd *cobra.Command, x rostering.RosterExplained, ask roster.Question, zone *time.Location, top int) {
	if narrowed := ask.Queue != "" || !ask.At.IsZero(); narrowed {
		printShort(cmd.OutOrStdout(), x.Uncovered, zone, top)
		if !ask.At.IsZero() {
			printEveryFix(cmd.OutOrStdout(), x.Uncovered)
			return
		}
		printFixes(cmd.OutOrStdout(), x.Solution)
		return
	}
	made := rostering.RosterMade{Roster: x.Head, Solution: x.Solution, Soft: x.Soft, Unplanned: x.Unplanned}
	w := cmd.OutOrStdout()
	if !x.Changed {
		printRosterTop(cmd, made, zone, top)
		printFixes(w, x.Solution)
		return
	}
	fmt.Fprintf(w, "%s %s, revision %d: %d shifts; changed since it was made, so what follows is of this revision, by the people and rules of now\n", x.Head.State, x.Head.ID, x.Revision, len(x.Head.Shifts))
	if x.Made != nil {
		fmt.Fprintf(w, "cost %s yuan\n", yuanText(x.Cost))
		printSalaries(w, x.Salaries)
		printParts(w, x.Parts)
		fmt.Fprintf(w, "%.0f of %.0f head-hours are short in %s; soft rules break %s\n", x.Missing, x.Needed, counted(len(x.Uncovered), "place", "places"), counted(breaches(x.Soft), "time", "times"))
		fmt.Fprintf(w, "as it was made it cost %s yuan with %.0f head-hours short, at least %s whatever one did\n", yuanText(x.Made.Cost), x.Made.Missing, yuanText(x.Made.Bound))
	}
	printSoft(w, x.Soft, zone)
	printRecorded(w, x.Recorded, x.Since, zone)
	printShort(w, x.Uncovered, zone, top)
	printFixes(w, x.Solution)
	printIdle(w, x.Idle)
	printGaps(w, "no plan", x.Unplanned)
}

func newRosterDiff(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "diff FROM TO", Short: "Compare two rosters, or revisions as ID@2: shifts, hours, coverage, cost", Args: cobra.ExactArgs(2),
		Example: "  chaoban roster diff latest@1 latest",
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				var refs [2]rostering.Ref
				for i := range refs {
					var err error
					if refs[i], err = refOf(cmd, a, args[i]); err != nil {
						return err
					}
				}
				d, err := a.ops.Rostering.DiffRosters(cmd.Context(), a.who, refs[0], refs[1])
				if err != nil {
					return err
				}
				return s.print(cmd, d, func() { printRosterDiff(cmd, d, a.ops.Zone()) })
			})
		},
	}
}

func printRosterDiff(cmd *cobra.Command, d rostering.RosterDiff, zone *time.Location) {
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "%s@%d -> %s@%d: %d shifts added, %d removed, %d moved, %d with other parts\n", d.From.Roster, d.From.Revision, d.To.Roster, d.To.Revision,
		len(d.Added), len(d.Removed), len(d.Moved), len(d.Retaken))
	for _, x := range d.Removed {
		fmt.Fprintf(w, "  - %s\n", oneShift(x, zone))
	}
	for _, x := range d.Added {
		fmt.Fprintf(w, "  + %s\n", oneShift(x, zone))
	}
	for _, c := range slices.Concat(d.Moved, d.Retaken) {
		fmt.Fprintf(w, "  %s\n", oneChange(c, zone))
	}
	for _, x := range d.Agents {
		fmt.Fprintf(w, "  %s: %.1f h -> %.1f h\n", x.Agent, x.Before, x.After)
	}
	fmt.Fprintf(w, "shifts %d -> %d, agents %d -> %d, hours %.1f -> %.1f\n", d.Before.Shifts, d.After.Shifts, d.Before.Agents, d.After.Agents, d.Before.Hours, d.After.Hours)
	if !d.Priced {
		return
	}
	fmt.Fprintf(w, "missing head-hours %.1f -> %.1f of %.1f; cost %.0f -> %.0f yuan (understaffing, overstaffing, wages; no fairness, soft rules, changes of queue)\n", d.Before.Missing, d.After.Missing, d.After.Needed, d.Before.Cost(), d.After.Cost())
	for _, q := range d.Cover {
		if q.Before != q.After {
			fmt.Fprintf(w, "  %s: %.1f -> %.1f of %.1f head-hours missing\n", q.Queue, q.Before, q.After, q.Needed)
		}
	}
}

// oneShift is "A0001 11-11 Wed 09:00-18:00 D0900-9h".
func oneShift(x scheduling.Shift, zone *time.Location) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s-%s %s", x.Agent, x.Start.In(zone).Format("01-02 Mon 15:04"), x.End.In(zone).Format("15:04"), x.Code))
}

// oneChange is one change for people.
func oneChange(c revise.Change, zone *time.Location) string {
	switch {
	case c.After == nil:
		return "- " + oneShift(*c.Before, zone)
	case c.Before == nil:
		return "+ " + oneShift(*c.After, zone)
	}
	if c.Before.Start.Equal(c.After.Start) && c.Before.End.Equal(c.After.End) {
		return "~ " + oneShift(*c.After, zone) + ": " + parts(newParts(c), zone)
	}
	return "~ " + oneShift(*c.Before, zone) + " -> " + oneShift(*c.After, zone)
}

// newParts are the parts of a shift that it did not have before.
func newParts(c revise.Change) []scheduling.Activity {
	return slices.DeleteFunc(slices.Clone(c.After.Activities), func(a scheduling.Activity) bool {
		return slices.ContainsFunc(c.Before.Activities, func(b scheduling.Activity) bool {
			return a.Kind == b.Kind && a.Queue == b.Queue && !a.Start.Before(b.Start) && !a.End.After(b.End)
		})
	})
}

func newRosterRevisions(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "revisions ROSTER", Short: "List the changes of a roster, newest first, with who made them and why", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				id, err := newest(cmd, a, args[0], "")
				if err != nil {
					return err
				}
				all, err := store.All(func(p store.Page) ([]store.Revision, string, error) {
					return a.ops.Rostering.Revisions(cmd.Context(), a.who, id, p)
				})
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					if len(all) == 0 {
						fmt.Fprintln(cmd.OutOrStdout(), "not changed since it was made")
					}
					for _, r := range all {
						fmt.Fprintf(cmd.OutOrStdout(), "revision %d, %s by %s, %s of a %s roster: %s\n", r.Revision, r.At.In(a.ops.Zone()).Format("2006-01-02 15:04"),
							r.AuthorName, r.Why, r.State, r.Reason)
						for _, c := range r.Changes {
							fmt.Fprintf(cmd.OutOrStdout(), "  %s\n", oneChange(c, a.ops.Zone()))
						}
					}
				})
			})
		},
	}
}

func newRosterAcknowledge(s *settings) *cobra.Command {
	var in struct {
		agent, note string
		revision    int
	}
	cmd := &cobra.Command{
		Use: "acknowledge ROSTER", Short: "Note that an agent has seen a published roster", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				id, err := newest(cmd, a, args[0], store.Published)
				if err != nil {
					return err
				}
				made, err := a.ops.Rostering.Acknowledge(cmd.Context(), a.who, rostering.AcknowledgeInput{
					Roster: id, Revision: in.revision, Agent: ids.Agent(in.agent), Note: in.note,
				})
				if err != nil {
					return err
				}
				return s.print(cmd, made, func() {
					fmt.Fprintf(cmd.OutOrStdout(), "%s has seen roster %s at revision %d\n", made.Agent, made.Roster, made.Revision)
				})
			})
		},
	}
	cmd.Flags().StringVar(&in.agent, "agent", "", "who has seen it")
	cmd.Flags().StringVar(&in.note, "note", "", "how it is known, such as: signed on paper")
	cmd.Flags().IntVar(&in.revision, "revision", 0, "what was seen (default: the newest)")
	_ = cmd.MarkFlagRequired("agent") // the flag exists
	return cmd
}

func newRosterAcknowledgements(s *settings) *cobra.Command {
	var pending bool
	cmd := &cobra.Command{
		Use: "acknowledgements ROSTER", Short: "List who has seen a roster, and who is to be reminded", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				id, err := newest(cmd, a, args[0], store.Published)
				if err != nil {
					return err
				}
				all, err := a.ops.Rostering.Acknowledgements(cmd.Context(), a.who, id, pending)
				if err != nil {
					return err
				}
				return s.print(cmd, all, func() {
					rows := make([]string, len(all))
					for i, x := range all {
						at := "-"
						if !x.At.IsZero() {
							at = x.At.In(a.ops.Zone()).Format("2006-01-02 15:04") + " by " + x.By
						}
						rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s", x.Agent, x.Name, x.Team, x.Seen, at)
					}
					table(cmd.OutOrStdout(), "AGENT\tNAME\tTEAM\tSEEN\tWHEN", rows)
				})
			})
		},
	}
	cmd.Flags().BoolVar(&pending, "pending", false, "only who has not seen it as it is")
	return cmd
}
