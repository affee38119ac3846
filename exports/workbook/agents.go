package workbook

import (
	"cmp"
	"slices"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/kpi"
)

// agents lists the people with the most handled contacts first, and two totals: all agents
// merged (numerators and denominators added, never values averaged), and the whole month, which
// also has the contacts that no agent took.
func (l *layout) agents() {
	s := l.sheet(SheetAgents, l.page())
	last := 3 + len(l.columns)
	head := l.top(s, "客服明细 Agents", l.where(), max(last, 6))
	for i, h := range []string{"工号\nAgent", "姓名\nName", "班组\nTeam"} {
		s.text(i+1, head, h, headLook)
	}
	l.metricHead(s, 4, head)
	lines := l.sortedAgents()
	var idTexts, names, teams []string
	row := head
	for i, a := range lines {
		row++
		base := cellLook
		if i%2 == 1 {
			base = base.on(band)
		}
		s.text(1, row, string(a.Agent), base)
		s.text(2, row, a.Name, base)
		s.text(3, row, a.Team, base)
		l.figures(s, 4, row, a.Readings, base)
		idTexts, names, teams = append(idTexts, string(a.Agent)), append(names, a.Name), append(teams, a.Team)
	}
	s.width(1, widest(idTexts, 10, 24))
	s.width(2, widest(names, 10, 26))
	s.width(3, widest(teams, 10, 24))
	l.missedColours(s, 4, head+1, row)
	if len(lines) > 0 {
		s.filter(1, head, last, row)
	}
	total := cellLook.strong().on(totalFill)
	row++
	s.span(1, row, 3, row, "客服合计(合并,非平均) All agents, merged", total)
	l.figures(s, 4, row, l.mergedAgents(), total)
	row++
	s.span(1, row, 3, row, "全月 Whole month", total)
	l.figures(s, 4, row, l.report.Totals, total)
	row++
	s.span(1, row, max(last, 6), row, "全月含无客服接待的会话。红色 = 劣于合同目标,仅供参考:合同按月考核,不按人。 "+
		"The month includes contacts that no agent took. Red = worse than the contract's target, a hint only: the contract judges the month, not a person.", noteLook)
	s.height(row, 26)
	s.freeze(4, head+1)
	s.repeat(head)
}

func (l *layout) sortedAgents() []exports.AgentLine {
	handled, ok := l.find("handled")
	volume := func(a exports.AgentLine) float64 {
		if !ok || a.Readings[handled].Value == nil {
			return 0
		}
		return *a.Readings[handled].Value
	}
	out := slices.Clone(l.report.Agents)
	slices.SortStableFunc(out, func(a, b exports.AgentLine) int {
		return cmp.Or(cmp.Compare(volume(b), volume(a)), cmp.Compare(a.Agent, b.Agent))
	})
	return out
}

func (l *layout) mergedAgents() []kpi.Reading {
	out := make([]kpi.Reading, len(l.columns))
	for i, c := range l.columns {
		parts := make([]kpi.Reading, len(l.report.Agents))
		for j, a := range l.report.Agents {
			parts[j] = a.Readings[i]
		}
		out[i] = kpi.Merged(c.def.Unit, parts)
	}
	return out
}
