package forecast

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKernelsInWords(t *testing.T) {
	k := LagKernel{Tag: "退换货", Shares: []float64{0, 0.002, 0.006, 0.012, 0.012, 0.006, 0.002}, Mass: 0.04, Contacts: 480, Days: 60, Information: 0.9, Prior: "a rule"}
	assert.Equal(t, "退换货: 4.0 of 100 orders ask; most on D+3, half by D+3, eight of ten from D+2 to D+5 after the order; learned from 480 contacts on 60 days, when they come is learned too", k.Says())
	k.Information = 0.1
	assert.Contains(t, k.Says(), "mostly assumed (a rule)")
	k.Information = 0.5
	assert.Contains(t, k.Says(), "half assumed")
	assert.Equal(t, "价保: orders bring none", LagKernel{Tag: "价保", Shares: []float64{0}}.Says())
	for x, want := range map[float64]string{0.0312: "0.031", 3.12: "3.1", 31.2: "31", 312: "312"} {
		assert.Equal(t, want, rate(x))
	}
}
