package arch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// forbidden are texts that belong to one machine or one network, not to the project. They are put
// together here so that this file does not match itself.
var forbidden = []*regexp.Regexp{
	// A directory of the machine that the project was written on.
	regexp.MustCompile(`(^|[^\w./*-])/` + `work/(main|shared|\.)`),
	regexp.MustCompile(`/tmp/` + `brief`),
	regexp.MustCompile(`shared/` + `(tools|hooks)\b`),
	regexp.MustCompile(`/(home|Users)/` + `[a-z][a-z0-9_-]*/`),
	// Hosts of package registries: go, npm and the user's settings choose them, never we.
	regexp.MustCompile(`registry\.` + `(npm|yarn)\w*\.`),
	regexp.MustCompile(`(proxy|sum)\.` + `golang\.org`),
	regexp.MustCompile(`goproxy\.` + `(cn|io)`),
	regexp.MustCompile(`files\.` + `pythonhosted\.org`),
}

// binaries are not text.
var binaries = map[string]bool{".png": true, ".jpg": true, ".ico": true, ".xlsx": true, ".xls": true, ".gz": true, ".zip": true, ".woff2": true}

func TestNoFileNamesAMachineOrARegistry(t *testing.T) {
	tree(t, func(p string) {
		if binaries[filepath.Ext(p)] {
			return
		}
		raw, err := os.ReadFile(filepath.Join(root, p))
		if os.IsNotExist(err) {
			return // a test of another package cleaned up while we walked
		}
		require.NoError(t, err)
		text := string(raw)
		for _, pattern := range forbidden {
			if at := pattern.FindStringIndex(text); at != nil {
				t.Errorf("%s:%d: says %q", p, 1+strings.Count(text[:at[0]], "\n"), text[at[0]:at[1]])
			}
		}
	})
}

// The engine is named in three places that cannot share a constant: npm's manifest, npm's lock file
// and the Go package that loads it.
func TestEngineIsPinnedOnce(t *testing.T) {
	var manifest struct {
		Version              string            `json:"version"`
		OptionalDependencies map[string]string `json:"optionalDependencies"`
	}
	readJSON(t, "tools/engine/package.json", &manifest)
	require.NotEmpty(t, manifest.OptionalDependencies)
	for name, version := range manifest.OptionalDependencies {
		assert.Equal(t, manifest.Version, version, name)
	}

	var lock struct {
		Packages map[string]map[string]any `json:"packages"`
	}
	readJSON(t, "tools/engine/package-lock.json", &lock)
	for name := range manifest.OptionalDependencies {
		assert.Contains(t, lock.Packages, "node_modules/"+name)
	}
	for place, entry := range lock.Packages {
		if place == "" {
			continue
		}
		assert.Equal(t, manifest.Version, entry["version"], place)
		assert.Regexp(t, `^sha512-[A-Za-z0-9+/]{86}==$`, entry["integrity"], place)
		assert.NotContains(t, entry, "resolved", "%s: the lock file names no registry", place)
		assert.NotEmpty(t, entry["os"], "%s: without it every platform would fetch it", place)
		assert.NotEmpty(t, entry["cpu"], "%s: without it every platform would fetch it", place)
	}

	assert.Equal(t, manifest.Version, engineVersion(t), "internal/clickhouseserver.Version")
}

func readJSON(t *testing.T, p string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, p))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, into), p)
}

// engineVersion reads the constant from the source: arch imports nothing of the project.
func engineVersion(t *testing.T) string {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^(?:const\s+|\t)Version\s*=\s*(".*")`)
	for _, f := range goFiles(t) {
		if f.dir() != "internal/clickhouseserver" || f.test() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, f.path))
		require.NoError(t, err)
		if found := declared.FindSubmatch(text); found != nil {
			version, err := strconv.Unquote(string(found[1]))
			require.NoError(t, err)
			return version
		}
	}
	return "not found"
}
