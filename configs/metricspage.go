package configs

import (
	"fmt"
	"strings"

	"github.com/chaoban/chaoban/kpi"
)

// pageHead is the part of docs/metrics.md that people wrote.
const pageHead = `# Metric definitions

Made from the packs in configs/metrics by ` + "`chaoban kpi metrics --markdown > docs/metrics.md`" + `; a test keeps it current.

One line per version. A figure over any period is the sum of its numerators over the sum of its
denominators. A version is in force from its first day up to, but not on, its "until" day; where a version
changes inside a period, the figure is the sum of its parts, each under the version of its days, unless
the question or the contract term names a version. Quality: A statute, official text or real export
files; B press or a copy of an official notice; C a page that nobody confirmed; GK general practice. Every
threshold, window and date is a setting: put versions of your own into a directory and name it as
` + "`metrics_dir`" + ` in the configuration.

Not here, because conversations, orders and tickets do not tell them: JD's 留言率 and 缺陷率 points, PDD's
最终成团 conversion, Douyin's IM不满意率 and the experience scores. They can be imported as the platform
exports them.
`

// MetricsPage is docs/metrics.md: every version of every metric in a table, then each in plain words.
func MetricsPage(definitions kpi.Definitions) string {
	var page strings.Builder
	page.WriteString(pageHead)
	page.WriteString("\n| metric | version | name | base | unit | window | in force | quality | source |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, d := range definitions {
		window := "all day"
		if d.Rule != nil && d.Rule.Window != "" {
			window = d.Rule.Window
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s<br>%s | %s | %s | %s | %s | %s | %s |\n", d.Metric, d.Version, d.NameZH, d.Name,
			d.Base, d.Unit, window, inForce(d), d.Quality, cell(d.Source))
	}
	page.WriteString("\n## In words\n")
	for _, d := range definitions {
		words := d.Plain()
		fmt.Fprintf(&page, "\n### %s %s\n\n%s\n\n%s\n\n%s\n", d.Metric, d.Version, d.Text, words.English, words.Chinese)
	}
	return page.String()
}

// inForce is the period of a version; what was always meant so has no first day worth telling.
func inForce(d kpi.Definition) string {
	from := d.Effective.From.String()
	if d.Effective.From.Year <= 2000 {
		from = "always"
	}
	if d.Effective.Until.IsZero() {
		if from == "always" {
			return from
		}
		return "from " + from
	}
	return fmt.Sprintf("%s until %s", from, d.Effective.Until)
}

// cell keeps a text inside one cell of a table.
func cell(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "|", "\\|"), "\n", " ") }
