package platformfile

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

var zone = time.FixedZone("Asia/Shanghai", 8*3600)

func agentID(s string) ids.Agent { return ids.Agent(s) }

// Whatever the cells hold, the answer is good figures or a fault about the file.
func FuzzPlatformFile(f *testing.F) {
	f.Add(inquiryHeader+"2026-04-14|120|118|41|8123.5|50|9870|34.17%|41.67%\n汇总|1", uint8(0))
	f.Add(ratingsText, uint8(1))
	f.Add("|接待会话量|全天平响时长|全天3分钟回复率\n店铺汇总值|1|2|3\n店铺平均值|1|2分30秒|0.9", uint8(2))
	f.Add("日期|咨询量|UPV|留言咨询量|30s应答率\n46129|9|9|9|91\n", uint8(3))
	f.Fuzz(func(t *testing.T, text string, kinds uint8) {
		g := gridText(text)
		for i := range g.Rows {
			for j := range g.Rows[i].Cells {
				g.Rows[i].Cells[j].Kind = Kind((int(kinds) * (i + j)) % 4)
			}
		}
		g.Merged = []Area{{1, 0, 2, 0}, {int(kinds), 1, int(kinds) + 1, 3}}
		figures, sum, err := Decode(g, Options{Today: today, FileDate: date("2026-04-16")})
		if err != nil {
			e, ok := errors.AsType[*fault.Error](err)
			require.True(t, ok)
			require.Equal(t, fault.Invalid, e.Kind)
			require.Empty(t, figures)
			return
		}
		require.Equal(t, sum.Figures, len(figures))
		seen := map[[3]string]bool{}
		for _, x := range figures {
			key := [3]string{x.Date, x.Account, x.Item}
			require.False(t, seen[key])
			seen[key] = true
			require.False(t, math.IsNaN(x.Value) || math.IsInf(x.Value, 0))
			require.False(t, date(x.Date).After(today))
			switch x.Unit {
			case Share:
				require.True(t, x.Value >= 0 && x.Value <= 1)
			case Count, Seconds:
				require.GreaterOrEqual(t, x.Value, 0.0)
			}
		}
	})
}
