package configs

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi/casefile"
)

// The shipped packs give the figures of every reviewed case, and a rule that a case file repeats is
// the one that ships.
func TestShippedPacksGiveTheFiguresOfTheCases(t *testing.T) {
	suite, err := casefile.Load(os.DirFS("../kpi/testdata/cases"))
	require.NoError(t, err)
	defs, proved := shipped(t), map[string]bool{}
	for _, stated := range suite.Rules {
		d, err := defs.Version(stated.Metric, stated.Version)
		if err != nil {
			defs = append(defs, stated) // a rule that no platform uses
			continue
		}
		require.NotNil(t, d.Rule, stated.Key())
		assert.Equal(t, d.Rule.WithDefaults(), stated.Rule.WithDefaults(), stated.Key())
		assert.Equal(t, []any{d.Base, d.MinSample, d.Platforms, d.Channels, d.Effective}, []any{stated.Base, stated.MinSample, stated.Platforms, stated.Channels, stated.Effective}, stated.Key())
	}
	for _, c := range suite.Cases {
		t.Run(c.String(), func(t *testing.T) {
			for _, e := range c.Expects {
				got, err := casefile.Answer(c, e, defs)
				require.NoError(t, err, "%s:%d %s", e.File, e.Line, fault.InternalText(err))
				assert.Empty(t, e.Check(got))
				proved[string(e.Metric)+"@"+e.Version] = true
			}
		})
	}
	for _, key := range []string{
		"taobao.wangwang_3min@v2020", "tmall.human_3min@v2023", "tmall.human_response_time@v2020", "jd.first_30s@v2021-11", "jd.first_30s@v2021-12",
		"pdd.human_3min@v2020-02", "pdd.effective_reply@v2019", "douyin.human_3min@v-conversation", "douyin.human_3min@v2025-12",
		"kuaishou.human_3min@v2018", "kuaishou.human_3min@v2023-03", "tmall.inquiry_conversion_final@v2020", "tmall.inquiry_net_sales@v2020",
	} {
		assert.True(t, proved[key], "no case proves %s", key)
	}
}
