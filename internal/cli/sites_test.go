package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A supervisor enters the seats of a site; from then on nobody is rostered or edited onto a seat that is not
// there, and a roster keeps the prices it was asked to be made by.
func TestSitesByCommand(t *testing.T) {
	d := newDesk(t)
	file := filepath.Join(d.data, "sites.yaml")
	put := func(text string) (int, string) {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		code, out, errs := typedLine(t, d.line([]string{"sites", "put", file})...)
		return code, out + errs
	}
	code, out := put("sites:\n- {id: hz, name: 杭州, seats: 1, windows: [{from: \"20:00\", until: \"08:00\", seats: 0}]}\n")
	require.Equal(t, exitOK, code, out)
	assert.Contains(t, d.run("sites", "list"), "1, 20:00-08:00 0")
	add := "1003,DAY+1T09:00,DAY+1T13:00,lumi-tmall/pre"
	out = d.run("roster", "edit", "week", "--add", add, "--dry")
	assert.Contains(t, out, "breaks site.seats (hard) for 1003")
	assert.Contains(t, out, "not legal")

	made := d.run("roster", "make", "--from", "DAY+0", "--days", "1", "--iterations", "50", "--min-block", "0s", "--weight", "switch=0,over=2", "--json")
	assert.Contains(t, made, `"terms"`)
	assert.Contains(t, made, `"over": 2,`)
	code, _, errs := typedLine(t, d.line([]string{"roster", "make", "--from", "DAY+0", "--weight", "shorts=1"})...)
	assert.Equal(t, exitInvalid, code)
	assert.Contains(t, errs, "weights.shorts")
	code, _, errs = typedLine(t, d.line([]string{"roster", "repair", "week", "--absent", "1002:DAY+0", "--record-leave", "sick"})...)
	assert.Equal(t, exitInvalid, code)
	assert.Contains(t, errs, "--record-leave")

	for text, want := range map[string]string{
		"sites:\n- {id: hz, name: 杭州, seats: -1}\n":                                        "seats",
		"sites:\n- {id: hz, name: 杭州}\n- {id: hz, name: 杭州}\n":                             "is given twice",
		"sites:\n- {id: hz, name: 杭州, seats: 2, chairs: 3}\n":                              "chairs",
		"teams:\n- {id: t9, name: 九组, site: nowhere}\n":                                    "does not exist",
		"sites:\n- {id: hz, name: 杭州, windows: [{from: \"8\", until: \"9\", seats: 1}]}\n": "windows[0]",
	} {
		code, out := put(text)
		assert.NotEqual(t, exitOK, code, text)
		assert.Contains(t, out, want)
	}
	code, out = put("sites:\n- {id: hz, name: 杭州}\n")
	require.Equal(t, exitOK, code, out)
	assert.Contains(t, d.run("sites", "list"), "not limited")
	assert.NotContains(t, d.run("roster", "edit", "week", "--add", add, "--dry"), "site.seats")
}
