package casefile

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every case of kpi/testdata/cases against the reference, under the rules as the files state them.
func TestCasesAgainstTheReference(t *testing.T) {
	suite, err := Load(os.DirFS("../testdata/cases"))
	require.NoError(t, err)
	for _, c := range suite.Cases {
		t.Run(c.String(), func(t *testing.T) {
			assert.NotEmpty(t, c.Source, "a case says what it rests on")
			assert.NotEmpty(t, c.Expects)
			for _, e := range c.Expects {
				got, err := Answer(c, e, suite.Rules)
				require.NoError(t, err, "%s:%d", e.File, e.Line)
				assert.Empty(t, e.Check(got))
			}
		})
	}
	t.Logf("%d cases", len(suite.Cases))
}
