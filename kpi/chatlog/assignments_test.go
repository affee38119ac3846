package chatlog_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

func day(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }

// Trap 12 of platform files: sub-account and person are many to many over time, because accounts are
// shared (子账号), so that only a dated assignment says who worked.
func TestTrapDatedSubAccountMapping(t *testing.T) {
	a, err := chatlog.NewAssignments([]chatlog.Assignment{
		{Platform: "tmall", Shop: "s", Account: "旗舰店:小美", Agent: "zhang", From: day(1), Until: day(10)},
		{Platform: "tmall", Shop: "s", Account: "旗舰店:小美", Agent: "li", From: day(10), Until: day(15)},
		{Platform: "tmall", Shop: "s", Account: "旗舰店:小美", Agent: "zhang", From: day(20)},
		{Platform: "tmall", Shop: "s", Account: "旗舰店:夜班", Agent: "zhang", From: day(1)},
		{Platform: "tmall", Shop: "s", Account: "旗舰店:夜班", Agent: "wang", From: day(12), Until: day(13)},
		{Platform: "tmall", Shop: "s", Account: "旗舰店:夜班", Agent: "zhang", From: day(12)}, // said twice
		{Platform: "jd", Shop: "s", Account: "旗舰店:小美", Agent: "zhao", From: day(1)},
		{Platform: "tmall", Shop: "s2", Account: "旗舰店:小美", Agent: "qian", From: day(1)},
	})
	require.NoError(t, err)
	for _, c := range []struct {
		name, platform, account string
		shop                    ids.Shop
		at                      time.Time
		want                    ids.Agent
		problem                 string
	}{
		{"before anybody", "tmall", "旗舰店:小美", "s", day(1).Add(-1), "", ""},
		{"the first instant counts", "tmall", "旗舰店:小美", "s", day(1), "zhang", ""},
		{"the last one does not", "tmall", "旗舰店:小美", "s", day(10), "li", ""},
		{"just before", "tmall", "旗舰店:小美", "s", day(10).Add(-1), "zhang", ""},
		{"a gap is nobody", "tmall", "旗舰店:小美", "s", day(17), "", ""},
		{"the same person again, open-ended", "tmall", "旗舰店:小美", "s", day(300), "zhang", ""},
		{"full-width colon and blanks", "tmall", " 旗舰店：小美 ", "s", day(2), "zhang", ""},
		{"one person, another account", "tmall", "旗舰店:夜班", "s", day(2), "zhang", ""},
		{"two people at once", "tmall", "旗舰店:夜班", "s", day(12), "", "belongs to two people at 2026-11-12T00:00:00Z: zhang and wang"},
		{"one person said twice is one", "tmall", "旗舰店:夜班", "s", day(13), "zhang", ""},
		{"another platform", "jd", "旗舰店:小美", "s", day(12), "zhao", ""},
		{"another shop", "tmall", "旗舰店:小美", "s2", day(12), "qian", ""},
		{"unknown account", "tmall", "旗舰店:小丽", "s", day(12), "", ""},
	} {
		agent, problem := a.AgentAt(c.platform, c.shop, c.account, c.at)
		require.Equal(t, c.want, agent, c.name)
		if c.problem == "" {
			require.Empty(t, problem, c.name)
		} else {
			require.Contains(t, problem, c.problem, c.name)
		}
	}
}

func TestAssignmentsValidate(t *testing.T) {
	_, err := chatlog.NewAssignments([]chatlog.Assignment{
		{Platform: "jd", Shop: "s", Account: "x", Agent: "a", From: day(1)},
		{Platform: "jd", Shop: "s", Account: "", Agent: "a", From: day(2), Until: day(1)},
	})
	require.Equal(t, []string{"assignments[1].account", "assignments[1].until"}, pathsOf(t, err))
	none, err := chatlog.NewAssignments(nil)
	require.NoError(t, err)
	agent, problem := none.AgentAt("jd", "s", "x", day(1))
	require.Empty(t, string(agent)+problem)
}

// However the assignments come in, the answer is that of looking at each of them; the digest is that
// of the set.
func TestAssignmentsProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chatlog.Assignment {
			a := chatlog.Assignment{
				Platform: "jd", Shop: "s", Account: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "account"),
				Agent: ids.Agent(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "agent")), From: day(rapid.IntRange(1, 9).Draw(t, "from")),
			}
			if rapid.Bool().Draw(t, "ends") {
				a.Until = a.From.AddDate(0, 0, rapid.IntRange(1, 5).Draw(t, "days"))
			}
			return a
		}), 0, 8).Draw(t, "all")
		built, err := chatlog.NewAssignments(all)
		require.NoError(t, err)
		shuffled, err := chatlog.NewAssignments(rapid.Permutation(all).Draw(t, "shuffled"))
		require.NoError(t, err)
		require.Equal(t, built.Digest(), shuffled.Digest())
		for d := range 20 {
			var who []ids.Agent
			for _, a := range all {
				if a.Account == "x" && !day(d).Before(a.From) && (a.Until.IsZero() || day(d).Before(a.Until)) && !slices.Contains(who, a.Agent) {
					who = append(who, a.Agent)
				}
			}
			agent, problem := built.AgentAt("jd", "s", "x", day(d))
			again, _ := shuffled.AgentAt("jd", "s", "x", day(d))
			require.Equal(t, agent, again)
			switch len(who) {
			case 0:
				require.Empty(t, string(agent)+problem)
			case 1:
				require.Equal(t, who[0], agent)
			default:
				require.Empty(t, agent)
				require.NotEmpty(t, problem)
			}
		}
		if len(all) > 0 {
			changed := slices.Clone(all)
			changed[0].Agent = "d"
			other, err := chatlog.NewAssignments(changed)
			require.NoError(t, err)
			require.NotEqual(t, built.Digest(), other.Digest())
		}
	})
}
