package store_test

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/internal/store/storetest"
)

var update = flag.Bool("update", false, "record the schema of this version in testdata/states")

// schemaOf dumps what makes the schema of a SQLite database, as statements that make it again.
func schemaOf(t *testing.T, db *store.DB) string {
	t.Helper()
	rows, err := db.Raw().QueryContext(t.Context(), `SELECT sql FROM sqlite_master
		WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, rowid`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var out strings.Builder
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		out.WriteString(text + ";\n")
	}
	require.NoError(t, rows.Err())
	return out.String()
}

// TestHistoricSchemas migrates every schema that was ever released, and each ends up as a new
// database does. Add a state with -update when a migration is added; never edit one.
func TestHistoricSchemas(t *testing.T) {
	fresh := storetest.SQLite(t)
	want := schemaOf(t, fresh)
	version, err := fresh.SchemaVersion(t.Context())
	require.NoError(t, err)
	newest := filepath.Join("testdata", "states", fmt.Sprintf("%05d.sql", version))
	if *update {
		var history strings.Builder
		for v := int64(0); v <= version; v++ {
			fmt.Fprintf(&history, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, 1);\n", v)
		}
		history.WriteString("INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '');\n")
		require.NoError(t, os.WriteFile(newest, []byte(want+history.String()), 0o600))
	}
	require.FileExists(t, newest, "record the state of this schema with -update")
	states, err := filepath.Glob("testdata/states/*.sql")
	require.NoError(t, err)
	for _, state := range states {
		t.Run(filepath.Base(state), func(t *testing.T) {
			text, err := os.ReadFile(state)
			require.NoError(t, err)
			dsn := storetest.SQLiteDSN(t)
			old, err := sql.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
			require.NoError(t, err)
			_, err = old.ExecContext(t.Context(), string(text))
			require.NoError(t, err)
			require.NoError(t, old.Close())
			db := storetest.Open(t, dsn)
			spaces := regexp.MustCompile(`\s+`)
			assert.Equal(t, spaces.ReplaceAllString(want, " "), spaces.ReplaceAllString(schemaOf(t, db), " "))
			seed(t, db)
		})
	}
}

// TestSameColumns compares the columns of both engines.
func TestSameColumns(t *testing.T) {
	columns := func(db *store.DB, query string) []string {
		var list []string
		require.NoError(t, db.Raw().NewRaw(query).Scan(t.Context(), &list))
		return list
	}
	lite := columns(storetest.SQLite(t), `SELECT m.name || '.' || c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'goose_db_version' ORDER BY 1`)
	postgres := columns(storetest.PostgreSQL(t), `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name <> 'goose_db_version' ORDER BY 1`)
	assert.ElementsMatch(t, lite, postgres)
	assert.Greater(t, len(lite), 100)
}
