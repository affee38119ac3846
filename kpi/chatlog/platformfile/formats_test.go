package platformfile

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The number of columns that each export has (with its date or account column).
func TestFormatsHaveTheirColumns(t *testing.T) {
	want := map[string]int{
		"tmall.inquiry": 9, "tmall.reception": 22, "tmall.sales": 7, "tmall.ratings": 35, "tmall.accounts": 13, "tmall.overview": 16 + 1,
		"jd.workload": 24, "jd.sales": 13, "pdd.service": 18, "pdd.sales": 7, "douyin.performance": 21 + 1, "kuaishou.assessment": 18 + 1,
	}
	for _, f := range Formats() {
		assert.Len(t, f.Columns, want[f.ID]-1, f.ID)
		delete(want, f.ID)
	}
	assert.Empty(t, want)
}

// Within a platform an item means one thing: the store keys figures by it.
func TestItemsMeanOneThing(t *testing.T) {
	type meaning struct{ unit, base string }
	seen := map[string]meaning{}
	units := []string{Count, Share, Seconds, Yuan, Ratio}
	for _, f := range Formats() {
		inFormat := map[string]string{}
		for _, c := range f.Columns {
			key := f.Platform + "." + c.Item
			m := meaning{c.Unit, c.Base}
			if before, ok := seen[key]; ok {
				assert.Equal(t, before, m, key)
			}
			seen[key] = m
			assert.Empty(t, inFormat[c.Item], "%s: %s twice", f.ID, c.Item)
			inFormat[c.Item] = c.Header
			assert.Contains(t, units, c.Unit)
			if c.Unit == Seconds {
				assert.Contains(t, perUnit, c.FileUnit, key)
			}
			for _, pair := range c.Of {
				assert.True(t, hasItem(f, pair[0]) && hasItem(f, pair[1]), "%s: %v", key, pair)
			}
		}
		for _, h := range f.Needed {
			name, _ := normal(h)
			_, ok := indexOf(f).columns[name]
			assert.True(t, ok, "%s needs %s", f.ID, h)
		}
	}
}

func hasItem(f Format, item string) bool {
	for _, c := range f.Columns {
		if c.Item == item {
			return true
		}
	}
	return false
}

// Trap 9: one name on several bases stays apart, each with its base.
func TestTrap09SameNameDifferentBaseIsKeptWithItsBase(t *testing.T) {
	base := map[string]string{}
	for _, f := range Formats() {
		for _, c := range f.Columns {
			if strings.HasPrefix(c.Item, "human_3min_rate") {
				base[f.Platform+"."+c.Item] = c.Base
			}
		}
	}
	require.Equal(t, map[string]string{
		"tmall.human_3min_rate":            Round,    // 轮次
		"pdd.human_3min_rate":              BuyerDay, // 人, 8-23
		"pdd.human_3min_rate_all_day":      BuyerDay,
		"douyin.human_3min_rate_all_day":   Round,
		"kuaishou.human_3min_rate":         BuyerDay, // 人维度
		"kuaishou.human_3min_rate_session": Session,  // 会话
	}, base)
}

// Trap 11: a consult is no inquiry; no header of one becomes an item of the other.
func TestTrap11ConsultIsNotInquiry(t *testing.T) {
	for _, f := range Formats() {
		for _, c := range f.Columns {
			consult, inquiry := strings.Contains(c.Item, "consult"), strings.Contains(c.Item, "inquiry")
			assert.False(t, consult && inquiry, c.Item)
			if strings.HasPrefix(c.Header, "询单") || strings.HasPrefix(c.Header, "当日询单") || strings.HasPrefix(c.Header, "客服询单") {
				assert.True(t, inquiry, "%s %s -> %s", f.ID, c.Header, c.Item)
				assert.Equal(t, Inquiry, c.Base)
			}
			if strings.Contains(c.Header, "咨询") {
				assert.True(t, consult, "%s %s -> %s", f.ID, c.Header, c.Item)
				assert.NotEqual(t, Inquiry, c.Base)
			}
		}
	}
}
