package configs

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClosingRule(t *testing.T) {
	rule, err := Closing()
	require.NoError(t, err)
	assert.Equal(t, "closing-1", rule.Version)
	for _, text := range []string{"谢谢", "好的", "好的谢谢", "嗯嗯", "OK", "ＯＫ", "收到", "没有了", "谢谢亲~", "[玫瑰]", "好👌", "知道了，谢谢您"} {
		assert.True(t, rule.Closes(text), text)
	}
	for _, text := range []string{"好的那什么时候发货", "好的吗", "谢谢？", "在吗", "亲", "可以", "1", "", "好的 你看下我的订单", "没有收到"} {
		assert.False(t, rule.Closes(text), text)
	}
}
