package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// editWords are the flags of edits in the order in which they are made, with the parts of each. A part in
// brackets may be left out.
var editWords = []struct {
	kind  revise.Kind
	flag  string
	parts string
	says  string
}{
	{revise.Remove, "remove", "AGENT,START", "the agent does not work this shift"},
	{revise.Move, "move", "AGENT,START,NEWSTART[,TO]", "the shift begins at another time, for another agent if one is given"},
	{revise.Resize, "resize", "AGENT,START,NEWSTART,NEWEND", "the shift has other ends"},
	{revise.Assign, "assign", "AGENT,START,TO", "somebody else works the shift"},
	{revise.Swap, "swap", "AGENT,START,TO,TOSTART", "two agents exchange shifts"},
	{revise.MovePause, "pause", "AGENT,START,PAUSE,NEWSTART", "a break or meal begins at another time"},
	{revise.Add, "add", "AGENT,START,END,QUEUE[,CODE]", "a new shift of work on a queue"},
}

func newRosterEdit(s *settings) *cobra.Command {
	var f struct {
		file, reason                 string
		dry, overrule, past, publish bool
	}
	typed := make([][]string, len(editWords))
	cmd := &cobra.Command{
		Use: "edit ROSTER", Short: "Edit shifts by hand; the rules judge first and say what would make a change legal", Args: cobra.ExactArgs(1),
		Long: "Edit shifts by hand. Times are such as 2026-11-11T09:00. Hard rules are never broken; soft ones only with --overrule.\n" +
			"A draft changes in place. A published roster changes at once with --publish, and otherwise a draft is made of it.\n" +
			"Hours that have passed change only with --past, as a correction whose reason stays in the trail.",
		Example: "  chaoban roster edit latest --move A0001,2026-11-11T09:00,2026-11-11T10:00 --dry\n" +
			"  chaoban roster edit latest --swap A0001,2026-11-11T09:00,A0002,2026-11-11T15:00 --reason 双方同意 --publish",
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				id, err := newest(cmd, a, args[0], "")
				if err != nil {
					return err
				}
				edits, err := readEdits(f.file, typed, a.ops.Zone(), cmd.InOrStdin())
				if err != nil {
					return err
				}
				if f.dry {
					v, err := a.ops.Rostering.JudgeEdit(cmd.Context(), a.who, id, edits)
					if err != nil {
						return err
					}
					return s.print(cmd, v, func() { printVerdict(cmd.OutOrStdout(), v, a.ops.Zone()) })
				}
				done, err := a.ops.Rostering.EditRoster(cmd.Context(), a.who, rostering.EditInput{
					Roster: id, Edits: edits, Reason: f.reason, Overrule: f.overrule, Past: f.past, Publish: f.publish,
				})
				if err != nil {
					return flagged(err, map[string]string{"reason": "--reason"})
				}
				return s.print(cmd, done, func() {
					done.Verdict.Past = nil // it was changed
					printVerdict(cmd.OutOrStdout(), done.Verdict, a.ops.Zone())
					printApplied(cmd.OutOrStdout(), done, a.ops.Zone())
				})
			})
		},
	}
	flags := cmd.Flags()
	for i, w := range editWords {
		flags.StringArrayVar(&typed[i], w.flag, nil, w.parts+": "+w.says)
	}
	flags.StringVar(&f.file, "file", "", "edits as a JSON list, as the API takes them; - reads them from the input")
	flags.BoolVar(&f.dry, "dry", false, "only say what the edits would do")
	flags.StringVar(&f.reason, "reason", "", "why, for the trail")
	flags.BoolVar(&f.overrule, "overrule", false, "soft rules may break")
	flags.BoolVar(&f.past, "past", false, "hours that have passed may change, as a correction")
	flags.BoolVar(&f.publish, "publish", false, "change a published roster at once")
	return cmd
}

// readEdits reads the edits of a file and then those of the flags.
func readEdits(file string, typed [][]string, zone *time.Location, stdin io.Reader) ([]revise.Edit, error) {
	var edits []revise.Edit
	if file != "" {
		var err error
		text := []byte(nil)
		if file == "-" {
			text, err = io.ReadAll(stdin)
		} else {
			text, err = os.ReadFile(file)
		}
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "cli.file", "the edits %s cannot be read", file)
		}
		if err := roster.ReadStrict(file, "edits", bytes.NewReader(text), &edits); err != nil {
			return nil, err
		}
	}
	for i, w := range editWords {
		for _, text := range typed[i] {
			e, err := parseEdit(w.kind, w.parts, text, zone)
			if err != nil {
				return nil, err
			}
			edits = append(edits, e)
		}
	}
	return edits, nil
}

// parseEdit reads one edit by the names of its parts.
func parseEdit(kind revise.Kind, names, text string, zone *time.Location) (revise.Edit, error) {
	e := revise.Edit{Kind: kind}
	wanted := strings.Split(strings.NewReplacer("[", "", "]", "").Replace(names), ",")
	given := strings.Split(text, ",")
	least := strings.Count(strings.Split(names, "[")[0], ",") + 1
	if len(given) < least || len(given) > len(wanted) {
		return e, fault.New(fault.Invalid, "cli.edit", "%q is not %s", text, names)
	}
	shift := scheduling.Shift{}
	queue := ids.Queue("")
	times := map[string]*time.Time{
		"START": &e.Start, "NEWSTART": &e.NewStart, "NEWEND": &e.NewEnd, "TOSTART": &e.ToStart, "PAUSE": &e.Pause, "END": &shift.End,
	}
	for i, part := range given {
		switch name := wanted[i]; name {
		case "AGENT":
			e.Agent = ids.Agent(part)
		case "TO":
			e.To = ids.Agent(part)
		case "QUEUE":
			queue = ids.Queue(part)
		case "CODE":
			shift.Code = part
		default:
			at, err := parseInstant(part, zone)
			if err != nil {
				return e, err
			}
			*times[name] = at
		}
	}
	if kind == revise.Add {
		shift.Agent, shift.Start, e.Start = e.Agent, e.Start, time.Time{}
		shift.Activities = []scheduling.Activity{{Kind: scheduling.Work, Queue: queue, Start: shift.Start, End: shift.End}}
		e.Shift = &shift
	}
	return e, nil
}

func printVerdict(w io.Writer, v revising.Verdict, zone *time.Location) {
	if len(v.Changes) == 0 {
		fmt.Fprintln(w, "these edits change nothing: the shifts are so already")
		return
	}
	for _, c := range v.Changes {
		fmt.Fprintf(w, "  %s\n", oneChange(c, zone))
	}
	told := map[string]bool{}
	for _, b := range v.Broken {
		kind := "soft"
		if b.Hard {
			kind = "hard"
		}
		line := fmt.Sprintf("breaks %s (%s) for %s: %s / %s\n", b.Rule, kind, b.Agent, b.Sentence.ZH, b.Sentence.EN)
		if told[line] {
			continue // in another part of the shift alike
		}
		told[line] = true
		fmt.Fprint(w, line)
		for _, r := range b.Remedies {
			told := "legal if"
			if !r.Legal {
				told = "a part of it (other rules stay broken)"
			}
			fmt.Fprintf(w, "  %s: %s / %s\n", told, r.Says.ZH, r.Says.EN)
		}
	}
	for _, c := range v.Cured {
		fmt.Fprintf(w, "cures %s for %s\n", c.Rule, c.Agent)
	}
	if c := v.Cost; c != nil {
		fmt.Fprintf(w, "cost %+.0f yuan: understaffing %+.0f, overstaffing %+.0f, wages %+.2f%s, changes of queue %+.0f, soft rules %+.0f\n", c.Total, c.Short, c.Over, c.Wages, paidAt(c.Pay), c.Switches, c.SoftRules)
		if c.MinWork != 0 {
			fmt.Fprintf(w, "  with it %+.2f yuan for hours of the contract\n", c.MinWork)
		}
		if c.PayWhy.EN != "" {
			fmt.Fprintf(w, "  %s / %s\n", c.PayWhy.ZH, c.PayWhy.EN)
		}
	}
	for _, c := range v.Past {
		fmt.Fprintf(w, "has begun: %s; to change it needs --past\n", oneChange(c, zone))
	}
	if v.Allowed {
		fmt.Fprintln(w, "legal: no hard rule breaks")
	} else {
		fmt.Fprintln(w, "not legal; hours that were worked all the same are entered with --past --overrule")
	}
}

func printApplied(w io.Writer, done revising.Applied, zone *time.Location) {
	if !done.Verdict.Allowed {
		fmt.Fprintln(w, "entered as worked: the breach is on record ('chaoban roster explain'), and the hours are paid ('chaoban roster pay')")
	}
	printAbsent(w, done.Absent, zone)
	fmt.Fprintf(w, "%s roster %s is at revision %d now\n", done.Roster.State, done.Roster.ID, done.Roster.Revision)
	if done.Roster.ID != done.Verdict.Roster {
		fmt.Fprintf(w, "it is a copy of the published one; 'chaoban roster publish %s' puts it in its place\n", done.Roster.ID)
	}
}

// printAbsent tells whom nothing calls in any more.
func printAbsent(w io.Writer, absent []revise.Absence, zone *time.Location) {
	if len(absent) == 0 {
		return
	}
	fmt.Fprintln(w, "not called in any more then; on file once it is published ('chaoban facts list --kind absence'), and 'facts delete' takes it back:")
	for _, x := range absent {
		fmt.Fprintf(w, "  %s %s to %s\n", x.Agent, x.Range.Start.In(zone).Format("2006-01-02 15:04"), x.Range.End.In(zone).Format("2006-01-02 15:04"))
	}
}

// absencePattern is AGENT:DAY, AGENT:FROM:TO with days or times.
var absencePattern = regexp.MustCompile(`^(.+?):(\d{4}-\d\d-\d\d(?:T\d\d:\d\d)?)(?::(\d{4}-\d\d-\d\d(?:T\d\d:\d\d)?))?$`)

// parseAbsence reads an absence; a day as its end is absent as a whole.
func parseAbsence(text string, zone *time.Location) (revise.Absence, error) {
	m := absencePattern.FindStringSubmatch(text)
	if m == nil {
		return revise.Absence{}, fault.New(fault.Invalid, "cli.absence", "%q is no absence", text)
	}
	if m[3] == "" {
		m[3] = m[2][:len(time.DateOnly)]
	}
	from, err := parseInstant(m[2], zone)
	if err != nil {
		return revise.Absence{}, err
	}
	to, err := parseInstant(m[3], zone)
	if err != nil {
		return revise.Absence{}, err
	}
	if len(m[3]) == len(time.DateOnly) {
		to = calendar.DateOf(to, zone).Add(1).In(zone)
	}
	return revise.Absence{Agent: ids.Agent(m[1]), Range: calendar.Range{Start: from, End: to}}, nil
}

// parseAbsences reads absences and tells all that cannot be read.
func parseAbsences(texts []string, zone *time.Location) (out []revise.Absence, _ error) {
	var bad []fault.Field
	for _, text := range texts {
		x, err := parseAbsence(text, zone)
		if err != nil {
			bad = append(bad, fault.Field{Path: "--absent", Value: fault.Shorten(text), Problem: "must be AGENT:DAY or AGENT:FROM:TO with days or times, such as A0001:2026-11-11:2026-11-12"})
		}
		out = append(out, x)
	}
	return out, fault.Bad("cli.absence", "absences", bad)
}

// asGiven tells which absence of the command line a fault is of, as it was written there.
func asGiven(err error, texts []string) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	said := *f
	said.Fields = slices.Clone(f.Fields)
	for i, field := range said.Fields {
		for n, text := range texts {
			if strings.HasPrefix(field.Path, fmt.Sprintf("absent[%d].", n)) {
				said.Fields[i].Path, said.Fields[i].Value = "--absent", text
				if field.Path == fmt.Sprintf("absent[%d].agent", n) {
					said.Fields[i].Problem = "the agent " + field.Problem
				}
			}
		}
	}
	return &said
}

func newRosterRepair(s *settings) *cobra.Command {
	var f struct {
		absent             []string
		reason             string
		dry, past, publish bool
		leave              string
		top                int
	}
	cmd := &cobra.Command{
		Use: "repair ROSTER", Short: "Fill the gaps of absences with the least change that pays", Args: cobra.ExactArgs(1),
		Example: "  chaoban roster repair latest --absent A0001:2026-11-11 --absent A0007:2026-11-10:2026-11-12 --publish\n" +
			"  chaoban roster repair latest --absent A0001:2026-11-11 --record-leave sick --publish",
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.with(cmd, needStore, func(a *app) error {
				id, err := newest(cmd, a, args[0], "")
				if err != nil {
					return err
				}
				in := rostering.RepairInput{Roster: id, Dry: f.dry, Past: f.past, Publish: f.publish, Reason: f.reason, RecordLeave: leave.LeaveKind(f.leave), Expect: store.AnyVersion}
				if in.Absences, err = parseAbsences(f.absent, a.ops.Zone()); err != nil {
					return err
				}
				made, err := a.ops.Rostering.RepairRoster(cmd.Context(), a.who, in)
				if err != nil {
					return flagged(asGiven(err, f.absent), map[string]string{"absent": "--absent", "reason": "--reason", "record_leave": "--record-leave"})
				}
				return s.print(cmd, made, func() { printRepair(cmd.OutOrStdout(), made, f.top, a.ops.Zone()) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.absent, "absent", nil, "AGENT:DAY or AGENT:FROM:TO, days or times, the last day included; give it once for each absence")
	flags.BoolVar(&f.dry, "dry", false, "only propose")
	flags.IntVar(&f.top, "top", 10, "how many of the stretches that stay short to show, the dearest first")
	flags.BoolVar(&f.publish, "publish", false, "change a published roster at once")
	flags.BoolVar(&f.past, "past", false, "repair hours that have passed too, to enter what was done; needs --reason")
	flags.StringVar(&f.reason, "reason", "", "why, for the trail (default: names the number of absences)")
	flags.StringVar(&f.leave, "record-leave", "", "enter the absences as granted leave of this kind, such as sick or personal; with --publish")
	return cmd
}

func printRepair(w io.Writer, m rostering.RepairMade, top int, zone *time.Location) {
	if len(m.Absent) == 0 && len(m.Leave) == 0 {
		fmt.Fprintln(w, "whoever is absent has no shift of this roster then, so there is nothing to repair")
		printAbsent(w, m.Noted, zone)
		if m.Applied == nil && len(m.Noted) == 0 {
			fmt.Fprintln(w, "nothing was kept; --publish on a published roster notes the absence, so that nobody is called in then")
		}
		return
	}
	fmt.Fprintf(w, "absent:\n")
	for _, c := range m.Absent {
		fmt.Fprintf(w, "  %s\n", oneChange(c, zone))
	}
	if len(m.Moves) == 0 {
		fmt.Fprintln(w, "no step is lawful and pays: nobody else's day changes")
	} else {
		fmt.Fprintf(w, "%s:\n", counted(len(m.Moves), "step", "steps"))
	}
	for _, move := range m.Moves {
		for _, c := range move.Changes {
			fmt.Fprintf(w, "  %-8s %s\n", move.Kind, oneChange(c, zone))
		}
		fmt.Fprintf(w, "           saves %.0f yuan of coverage for %.0f of wages, soft rules and disturbance\n", move.Saves, move.Costs)
		for _, v := range move.Soft {
			fmt.Fprintf(w, "           breaks soft rule %s for %s on %s: %s / %s\n", v.Rule, v.Agent, v.Range.Start.In(zone).Format("01-02"), v.Sentence.ZH, v.Sentence.EN)
		}
	}
	if len(m.Moves) > 0 {
		if len(m.Soft) == 0 {
			fmt.Fprintln(w, "no step breaks a soft rule")
		} else {
			fmt.Fprintf(w, "the steps break soft rules %s that were not broken so before; each is in the price of its step\n", counted(len(m.Soft), "time", "times"))
		}
	}
	fmt.Fprintf(w, "the whole roster, %s to %s, as 'roster diff' counts it (understaffing, overstaffing, wages):\n",
		calendar.DateOf(m.Range.Start, zone), calendar.DateOf(m.Range.End.Add(-1), zone))
	fmt.Fprintf(w, "missing head-hours: %.1f planned, %.1f without a repair, %.1f repaired, of %.1f\n", m.Planned.Missing, m.Without.Missing, m.After.Missing, m.After.Needed)
	fmt.Fprintf(w, "cost in yuan:       %.0f planned, %.0f without a repair, %.0f repaired\n", m.Planned.Cost(), m.Without.Cost(), m.After.Cost())
	left := slices.Clone(m.Left)
	slices.SortStableFunc(left, func(a, b revise.Left) int { return cmp.Compare(b.Worth, a.Worth) })
	lost := 0.0
	for _, x := range left {
		lost += x.Worth
	}
	if len(left) == 0 {
		fmt.Fprintln(w, "nothing that the absences took away stays short")
	} else {
		fmt.Fprintf(w, "still short: %s worth %.0f yuan\n", counted(len(left), "stretch", "stretches"), lost)
	}
	for _, left := range left[:max(0, min(top, len(left)))] {
		reasons := make([]string, len(left.Reasons))
		for i, r := range left.Reasons {
			reasons[i] = fmt.Sprintf("%d %s", r.Count, r.Says.EN)
		}
		fmt.Fprintf(w, "  %s %s-%s, %s, %.0f yuan: %s\n", left.Queue, left.Range.Start.In(zone).Format("01-02 15:04"), left.Range.End.In(zone).Format("15:04"),
			counted(left.Missing, "head", "heads"), left.Worth, strings.Join(reasons, ", "))
		for _, f := range left.Fixes {
			fmt.Fprintf(w, "      for one head: %s / %s; %s\n", f.Says.ZH, f.Says.EN, paysText(f.Pays))
		}
	}
	for _, id := range m.Leave {
		fmt.Fprintf(w, "recorded as leave: request %s\n", id)
	}
	if m.Applied != nil {
		printApplied(w, *m.Applied, zone)
	}
}
