package httpapi_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// The document holds to what OpenAPI 3.1 demands of every document: version and info, operation
// ids that are unique, path parameters that are declared and required, answers, and references
// and security schemes that exist.
func TestOpenAPIDocument(t *testing.T) {
	h := open(t, nil)
	var doc map[string]any
	h.send(t, "GET", "/openapi.json", nil).into(t, &doc)
	assert.Regexp(t, `^3\.1\.\d+$`, doc["openapi"])
	info := doc["info"].(map[string]any)
	assert.NotEmpty(t, info["title"])
	assert.Equal(t, "v0-test", info["version"])
	var fromYAML map[string]any
	require.NoError(t, yaml.Unmarshal(h.send(t, "GET", "/openapi.yaml", nil).body, &fromYAML))
	assert.Len(t, fromYAML["paths"], len(doc["paths"].(map[string]any)))

	refs(t, doc, doc)
	schemas := slices.Collect(maps.Keys(doc["components"].(map[string]any)["schemas"].(map[string]any)))
	for _, name := range []string{"OperationsApplied", "OperationsItem", "OperationsPromotion", "OperationsMonthCard", "IntakeSummary"} {
		assert.Contains(t, schemas, name, "names of schemas stay when the use cases are divided")
	}
	schemes := doc["components"].(map[string]any)["securitySchemes"].(map[string]any)
	for path, item := range doc["paths"].(map[string]any) {
		assert.True(t, strings.HasPrefix(path, "/v1/"), path)
		for method, value := range item.(map[string]any) {
			op := value.(map[string]any)
			name := strings.ToUpper(method) + " " + path
			assert.NotEmpty(t, op["summary"], name)
			assert.NotEmpty(t, op["tags"], name)
			assert.NotEmpty(t, op["responses"], name)
			assert.Contains(t, op["responses"], "default", "%s describes its problems", name)
			for _, requirement := range list(op["security"]) {
				for scheme := range requirement.(map[string]any) {
					assert.Contains(t, schemes, scheme, name)
				}
			}
			assert.ElementsMatch(t, placeholders(path), declared(t, op), name)
		}
	}
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

func placeholders(path string) (names []string) {
	for _, m := range placeholder.FindAllStringSubmatch(path, -1) {
		names = append(names, m[1])
	}
	return names
}

func declared(t *testing.T, op map[string]any) (names []string) {
	t.Helper()
	for _, p := range list(op["parameters"]) {
		parameter := p.(map[string]any)
		assert.NotEmpty(t, parameter["schema"], parameter["name"])
		if parameter["in"] == "path" {
			assert.Equal(t, true, parameter["required"])
			names = append(names, parameter["name"].(string))
		}
	}
	return names
}

// refs follows every $ref of a document.
func refs(t *testing.T, doc map[string]any, node any) {
	t.Helper()
	switch n := node.(type) {
	case map[string]any:
		if ref, ok := n["$ref"].(string); ok {
			var at any = doc
			for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
				m, ok := at.(map[string]any)
				require.True(t, ok, ref)
				at = m[step]
			}
			require.NotNil(t, at, "%s leads nowhere", ref)
		}
		for _, child := range n {
			refs(t, doc, child)
		}
	case []any:
		for _, child := range n {
			refs(t, doc, child)
		}
	}
}

// Every route under /v1 is in the document and every operation of the document has a route.
func TestDocumentListsEveryRoute(t *testing.T) {
	h := open(t, nil)
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	h.send(t, "GET", "/openapi.json", nil).into(t, &doc)
	var described []string
	for path, item := range doc.Paths {
		for method := range item {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(described)
	served := h.server.Routes()
	assert.Equal(t, described, slices.DeleteFunc(slices.Clone(served), func(r string) bool { return !strings.Contains(r, " /v1/") }))
	for _, plumbing := range []string{"GET /", "GET /docs", "GET /healthz", "GET /metrics", "GET /openapi.json", "GET /readyz"} {
		assert.Contains(t, served, plumbing)
	}
}
