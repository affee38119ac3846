package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/kpi/chatlog/platformfile"
)

const percentHelp = "how percentages are written where the file does not tell: fraction (0.95), number (95), or HEADER=fraction; may be repeated"

func newImportPlatform(s *settings) *cobra.Command {
	var in measuring.PlatformInput
	var shop, merchant, date string
	cmd := &cobra.Command{
		Use: "platform FILE", Short: "Daily figures as platforms export them (生意参谋, 京东客服管家, 拼多多, 飞鸽, 快手; xlsx, xls, CSV)", Args: cobra.ExactArgs(1),
		Long: "Reads a file of daily figures. Which file it is, its headers say. All or nothing; the same file twice changes nothing, and a\n" +
			"later file replaces the days it holds. The date column is the business date, whatever the file's name says; a file without\n" +
			"one needs a date in its name or folder, or --date.",
		RunE: func(cmd *cobra.Command, args []string) error {
			day, err := optionalDate(date)
			if err != nil {
				return err
			}
			source, closer, err := intake.OpenFile(args[0])
			if err != nil {
				return err
			}
			defer closer.Close()
			in.Source, in.Path, in.Date, in.Shop, in.Merchant = source, args[0], day, ids.Shop(shop), ids.Merchant(merchant)
			return s.with(cmd, needEngine, func(a *app) error {
				done, err := a.ops.Measuring.ImportPlatform(cmd.Context(), a.who, in)
				if err != nil {
					return err
				}
				return s.print(cmd, done, func() { printPlatformImported(cmd.OutOrStdout(), done, a.ops.Zone()) })
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "the shop that the figures are of")
	cmd.Flags().StringVar(&merchant, "merchant", "", "the merchant of the shop (the shop tells it too)")
	cmd.Flags().StringVar(&date, "date", "", "business date of a file that has no date column")
	cmd.Flags().StringArrayVar(&in.Percent, "percent", nil, percentHelp)
	cmd.Flags().StringVar(&in.Sheet, "sheet", "", "sheet of a workbook (default: the first visible one)")
	cmd.Flags().BoolVar(&in.Again, "again", false, againHelp)
	_ = cmd.MarkFlagRequired("shop") // it is defined above
	return cmd
}

func optionalDate(text string) (calendar.Date, error) {
	if text == "" {
		return calendar.Date{}, nil
	}
	return calendar.ParseDate(text)
}

func printPlatformImported(out io.Writer, done measuring.PlatformImported, zone *time.Location) {
	if done.Already {
		fmt.Fprintf(out, "%s was imported before, at %s as batch %s: nothing changed\n", done.Import.File, done.Import.At.In(zone).Format("2006-01-02 15:04"), done.Import.Batch)
		if done.Replaced > 0 {
			fmt.Fprintf(out, "%d of its %d figures have other values now, from a later file; with --again %s wins\n", done.Replaced, done.Import.Rows, done.Import.File)
		}
		return
	}
	printPlatformSummary(out, done.Summary)
	fmt.Fprintf(out, "imported as batch %s\n", done.Import.Batch)
}

func printPlatformSummary(out io.Writer, u platformfile.Summary) {
	fmt.Fprintf(out, "%s %s: %s to %s (%s), %d rows, %d items, %d figures", u.Platform, u.Title, u.From, u.To, u.Dated, u.Rows, u.Items, u.Figures)
	if u.Accounts > 0 {
		fmt.Fprintf(out, " of %d accounts", u.Accounts)
	}
	fmt.Fprintf(out, "\n%d rows of sums and means left out, %d cells without data, %d figures the platform may still change\n", u.Skipped, u.NoData, u.Open)
	for _, n := range u.Notes {
		fmt.Fprintf(out, "note: %s\n", n)
	}
	if len(u.Unknown) > 0 {
		fmt.Fprintf(out, "columns we do not know, left out: %s\n", strings.Join(u.Unknown, ", "))
	}
	if len(u.Missing) > 0 {
		fmt.Fprintf(out, "columns that the file does not have: %s\n", strings.Join(u.Missing, ", "))
	}
}

// newImportInspect is the mapping wizard. It needs neither store nor engine: nothing is imported.
func newImportInspect(s *settings) *cobra.Command {
	var kind, save, date string
	var percent []string
	var o intake.InspectOptions
	constants := map[string]*string{"merchant": new(string), "shop": new(string), "queue": new(string), "channel": new(string)}
	cmd := &cobra.Command{
		Use: "inspect FILE", Short: "Say what a file is and guess its mapping, importing nothing", Args: cobra.ExactArgs(1),
		Long: "Looks at the beginning of a file, says what it is and which column seems to be which field, with samples and doubts, and\n" +
			"saves the guess as a mapping that the other import commands read with --mapping.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := inspectOptions(&o, kind, args[0], date, percent, constants); err != nil {
				return err
			}
			c, err := s.load()
			if err != nil {
				return err
			}
			o.Platform.Today = calendar.DateOf(time.Now(), c.Zone()) // days to come are refused, as by the import
			source, closer, err := intake.OpenFile(args[0])
			if err != nil {
				return err
			}
			defer closer.Close()
			found, err := intake.Inspect(cmd.Context(), source, o)
			if err != nil {
				return err
			}
			if save != "" {
				if err := saveMapping(save, found); err != nil {
					return err
				}
			}
			return s.print(cmd, found, func() { printInspection(cmd.OutOrStdout(), found, args[0], save) })
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "", "what the rows are, instead of a guess: conversations, events, states, contacts, agents, orders, tickets or accounts")
	cmd.Flags().StringVar(&save, "save", "", "write the mapping to this file (YAML)")
	cmd.Flags().StringVar(&o.Sheet, "sheet", "", "sheet of a workbook (default: the first visible one)")
	cmd.Flags().StringVar(&date, "date", "", "business date of a platform file that has no date column")
	cmd.Flags().StringArrayVar(&percent, "percent", nil, percentHelp)
	for _, name := range []string{"merchant", "shop", "queue", "channel"} {
		cmd.Flags().StringVar(constants[name], name, "", "the "+name+" of every row, for files that do not name it")
	}
	return cmd
}

func inspectOptions(o *intake.InspectOptions, kind, path, date string, percent []string, constants map[string]*string) error {
	if o.Kind = intake.Kind(kind); kind == "history" {
		o.Kind = intake.History
	}
	if kind != "" {
		if err := intake.DefaultMapping(o.Kind).Validate(); err != nil {
			return err
		}
	}
	var err error
	if o.Platform.Date, err = optionalDate(date); err != nil {
		return err
	}
	if o.Platform.Percent, err = platformfile.ParseScales(percent); err != nil {
		return err
	}
	o.Platform.FileDate = platformfile.DateInName(path)
	o.Constants = map[string]string{}
	for name, value := range constants {
		if *value != "" {
			o.Constants[name] = *value
		}
	}
	return nil
}

func saveMapping(name string, found intake.Inspection) error {
	if found.Mapping.Kind == "" {
		return fault.New(fault.Invalid, "cli.inspect", "%s needs no mapping, none was written", found.File)
	}
	var out bytes.Buffer
	if err := found.Mapping.Save(&out, found.Doubts); err != nil {
		return err
	}
	if err := os.WriteFile(name, out.Bytes(), 0o644); err != nil { //nolint:gosec // a mapping holds no secret
		return fault.Wrap(err, fault.Invalid, "cli.file", "the mapping cannot be written to %s", name)
	}
	return nil
}

func printInspection(out io.Writer, found intake.Inspection, path, saved string) {
	l := found.Layout
	about := []string{string(l.Format)}
	if l.Old {
		about[0] = "xls (Excel 97-2003, whatever the name says)"
	}
	for _, part := range [][2]string{{"encoding", l.Encoding}, {"delimiter", map[string]string{"\t": "tab"}[l.Delimiter]}, {"sheet", l.Sheet}} {
		if part[1] != "" {
			about = append(about, part[0]+" "+part[1])
		}
	}
	if l.Delimiter != "" && l.Delimiter != "\t" {
		about = append(about, "delimiter "+l.Delimiter)
	}
	fmt.Fprintf(out, "%s: %s\n", found.File, strings.Join(about, ", "))
	switch {
	case found.Platform != nil:
		fmt.Fprintf(out, "a platform file: %s %s. Import it with: chaoban import platform %s --shop SHOP\n", found.Platform.Platform, found.Platform.Title, path)
	case found.Kind != "":
		fmt.Fprintf(out, "rows of the kind %s\n", found.Kind)
	}
	if found.Header > 0 {
		fmt.Fprintf(out, "header in row %d, data from row %d\n", found.Header, found.Data)
	}
	rows := make([]string, 0, len(found.Columns))
	for _, c := range found.Columns {
		what := c.Field
		if c.Item != "" {
			what = c.Item
		}
		if what == "" {
			what = "-"
		}
		more := strings.TrimSpace(c.Unit + " " + c.Format)
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%.0f%%\t%s\t%s", c.Header, what, more, 100*c.Confidence, strings.Join(c.Samples, " | "), strings.Join(c.Doubts, "; ")))
	}
	if len(rows) > 0 {
		table(out, "COLUMN\tFIELD\tUNIT\tSURE\tSAMPLES\tDOUBTS", rows)
	}
	for _, d := range found.Doubts {
		fmt.Fprintf(out, "doubt: %s\n", d)
	}
	if p := found.Platform; p != nil {
		if p.Problem != "" {
			fmt.Fprintf(out, "as it is it cannot be imported: %s\n", p.Problem)
		} else if p.Summary != nil {
			printPlatformSummary(out, *p.Summary)
		}
	}
	if saved != "" {
		fmt.Fprintf(out, "mapping written to %s\n", saved)
	}
}
