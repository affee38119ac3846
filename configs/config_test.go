package configs

import (
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/httpapi"
	"github.com/chaoban/chaoban/internal/jobs"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

func load(t *testing.T, text string, environ ...string) (Config, string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "site.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	c, err := Load(path, environ)
	return c, path, err
}

// fieldsOf are the bad fields of an error, "" for no error.
func fieldsOf(t *testing.T, err error) []fault.Field {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, "config.invalid", fault.CodeOf(err))
	return fault.Of(err).Fields
}

func paths(fields []fault.Field) string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Path)
	}
	return strings.Join(out, " ")
}

// The file that ships and the defaults in code must say the same.
func TestDefaultFileEqualsDefaultConfigs(t *testing.T) {
	c, err := Load("", nil)
	require.NoError(t, err)
	wantStore := store.DefaultConfig()
	wantStore.DSN = "" // the file lies below data_dir, which only the composition root knows
	assert.Equal(t, wantStore, c.Store)
	assert.Equal(t, operations.DefaultConfig(), c.Operations)
	assert.Equal(t, httpapi.DefaultConfig(), c.HTTP)
	assert.Equal(t, jobs.DefaultConfig(), c.Jobs)
	assert.Equal(t, warehouse.DefaultConfig(), c.Warehouse.Client(c.TimeZone))
	assert.Equal(t, "Asia/Shanghai", c.Zone().String())
}

// Whoever copies the file sees every setting there is.
func TestDefaultFileNamesEverySetting(t *testing.T) {
	var doc map[string]any
	require.NoError(t, yaml.Unmarshal(defaults, &doc))
	for i, key := range keysOf(reflect.TypeFor[Config]()) {
		require.Contains(t, doc, key)
		if part := reflect.TypeFor[Config]().Field(i).Type; part.Kind() == reflect.Struct {
			for _, name := range keysOf(part) {
				if key+"."+name != "jobs.schedules" { // shown as a comment: it has no default
					assert.Contains(t, doc[key], name)
				}
			}
		}
	}
}

func TestLaterSourcesWin(t *testing.T) {
	c, _, err := load(t, "http:\n  listen: 127.0.0.1:1\n  deadline: 1m\nlog: {level: debug}\n",
		"CHAOBAN__HTTP__LISTEN=:0", "CHAOBAN__JOBS__ENABLED=false", "CHAOBAN__ENGINE__MEMORY=4096",
		"CHAOBAN__JOBS__SCHEDULES__RETENTION=1 2 * * *", "CHAOBAN__OPERATIONS__LOGIN_WINDOW=20m",
		"CHAOBAN_ENGINE=/x", "PATH=/bin", "CHAOBAN__STORE__DSN=sqlite:a: b#{c}", "BROKEN")
	require.NoError(t, err)
	assert.Equal(t, ":0", c.HTTP.Listen, "the environment wins over the file")
	assert.Equal(t, time.Minute, c.HTTP.Deadline, "the file wins over the default")
	assert.Equal(t, int64(64<<20), c.HTTP.BodyLimit, "what nobody sets stays")
	assert.Equal(t, "debug", c.Log.Level)
	assert.False(t, c.Jobs.Enabled)
	assert.Equal(t, int64(4096), c.Engine.Memory)
	assert.Equal(t, map[string]string{"retention": "1 2 * * *"}, c.Jobs.Schedules)
	assert.Equal(t, 20*time.Minute, c.Operations.LoginWindow)
	assert.Equal(t, "sqlite:a: b#{c}", c.Store.DSN)
}

// A value of the environment is a text, not YAML.
func TestEnvironmentTextsAreTakenAsTheyAre(t *testing.T) {
	for _, text := range []string{"", "~", "null", "0123", "1e3", "yes", " x ", "[a", "{", "#c", "*a", "!t", "a: b", "- a", "x\ny", `"q"`, "潮"} {
		c := Config{DataDir: "before"}
		require.Empty(t, overlay([]string{"CHAOBAN__DATA_DIR=" + text}, &c))
		assert.Equal(t, text, c.DataDir)
	}
	c, _, err := load(t, "store: {dsn: sqlite:x.db}\n", "CHAOBAN__STORE__DSN=")
	require.NoError(t, err)
	assert.Empty(t, c.Store.DSN, "empty takes a setting of the file away")
}

func TestUnknownKeysAreRefusedWithFileAndLine(t *testing.T) {
	_, path, err := load(t, "http:\n  listen: :0\n  lissten: x\nstroe:\n  dsn: y\n")
	fields := fieldsOf(t, err)
	require.Len(t, fields, 2)
	assert.Equal(t, fault.Field{File: path, Row: 3, Problem: "field lissten not found"}, fields[0])
	assert.Equal(t, fault.Field{File: path, Row: 4, Problem: "field stroe not found"}, fields[1])
	assert.Contains(t, err.Error(), path+":3: field lissten not found")
}

func TestBrokenFilesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"wrong type":      "http:\n  body_limit: plenty\n",
		"group for value": "http: 3\n",
		"twice":           "log: {level: info}\nlog: {level: warn}\n",
		"syntax":          "http:\n  listen: [\n",
		"tab":             "http:\n\tlisten: x\n",
		"list":            "- http\n",
	} {
		_, path, err := load(t, text)
		fields := fieldsOf(t, err)
		assert.Equal(t, path, fields[0].File, name)
		assert.NotEmpty(t, fields[0].Problem, name)
		assert.NotZero(t, fields[0].Row, "%s: %s", name, fields[0].Problem)
	}
	for name, text := range map[string]string{
		"two documents":      "log: {level: info}\n---\nlog: {level: warn}\n",
		"a broken second":    "log: {level: info}\n---\n[\n",
		"an unknown second":  "log: {level: info}\n---\nstroe: 1\n",
		"an empty first one": "---\n---\nlog: {level: warn}\n",
	} {
		_, path, err := load(t, text)
		assert.Equal(t, []fault.Field{{File: path, Problem: "must hold one document"}}, fieldsOf(t, err), name)
	}
	for name, text := range map[string]string{"empty": "", "comments": "# nothing\n", "one document": "---\nlog: {level: warn}\n...\n", "empty group": "http:\n"} {
		c, _, err := load(t, text)
		require.NoError(t, err, name)
		assert.Equal(t, "127.0.0.1:8080", c.HTTP.Listen, name)
	}
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"), nil)
	require.Error(t, err)
	assert.Equal(t, "config.file", fault.CodeOf(err))
	assert.Contains(t, err.Error(), "none.yaml")
	_, err = Load(t.TempDir(), nil)
	assert.Equal(t, "config.file", fault.CodeOf(err), "a directory")
}

func TestBadEnvironmentNamesVariableAndPath(t *testing.T) {
	_, err := Load("", []string{
		"CHAOBAN__HTTP__LISSTEN=x", "CHAOBAN__STROE__DSN=y", "CHAOBAN__HTTP=z", "CHAOBAN__HTTP__LISTEN__PORT=1", "CHAOBAN__=1",
		"CHAOBAN__ENGINE__MEMORY=much", "CHAOBAN__JOBS__ENABLED=maybe", "CHAOBAN__HTTP__DEADLINE=30", "CHAOBAN__JOBS__SCHEDULES=x",
	})
	fields := fieldsOf(t, err)
	want := "http.lissten stroe.dsn http http.listen.port  engine.memory jobs.enabled http.deadline jobs.schedules"
	assert.Equal(t, want, paths(fields), "all of them, in order")
	for _, f := range fields {
		assert.True(t, strings.HasPrefix(f.File, "environment CHAOBAN__"), f.File)
		assert.Empty(t, f.Value, "a misplaced password is not repeated")
	}
	assert.Contains(t, fields[0].Problem, "listen, deadline, body_limit", "says what there is")
	assert.Contains(t, fields[7].Problem, "30s")
}

func TestValidateReportsEveryFieldByItsPath(t *testing.T) {
	_, _, err := load(t, `
data_dir: " "
time_zone: Mars/Olympus
log: {level: loud, format: xml}
store: {dsn: "mysql://u:hush@h/db", busy_timeout: 1h, readers: 5000}
warehouse: {dsn: "ftp://u:hush@h/db", connections: -1}
engine: {memory: 1}
operations: {session_lifetime: 1s, login_attempts: 0, login_window: 1ms, retention_years: 1}
http: {listen: nowhere, deadline: 0s, body_limit: 1}
jobs: {timeout: 1ms, schedules: {nightly: "0 0 * * *", retention: "x"}}
`)
	fields := fieldsOf(t, err)
	assert.Equal(t, "data_dir time_zone log.level log.format warehouse.dsn engine.memory "+
		"store.dsn store.busy_timeout store.readers warehouse.connections "+
		"operations.session_lifetime operations.login_attempts operations.login_window operations.retention_years "+
		"http.listen http.deadline http.body_limit jobs.timeout jobs.schedules.nightly jobs.schedules.retention", paths(fields))
	assert.NotContains(t, err.Error(), "hush")
	assert.Contains(t, err.Error(), "mysql://u:******@h/db")
	for _, z := range []string{"", "Local", "../etc/passwd"} {
		c, err := Load("", nil)
		require.NoError(t, err)
		c.TimeZone = z
		assert.Equal(t, "time_zone", paths(fieldsOf(t, c.Validate())), z)
	}
}

func TestWarehouseAddresses(t *testing.T) {
	for dsn, ok := range map[string]bool{
		"": true, "clickhouse://ch": true, "clickhouse://u:p@ch1:9000,ch2:9000/kpi?secure=true": true, "https://u@ch:8443": true,
		"tcp://ch:9000?username=a@b": true, "clickhouse://u:p@[::1]:9000/kpi": true, "clickhouse://u:p@x@ch/kpi": true,
		"ch:9000": false, "clickhouse://": false, "clickhouse:///kpi": false, "clickhouse://u:p@/kpi": false,
		"postgres://ch/kpi": false, "clickhouse://:9000": false, "clickhouse:ch": false,
	} {
		c, err := Load("", nil)
		require.NoError(t, err)
		c.Warehouse.DSN = dsn
		assert.Equal(t, ok, c.Validate() == nil, dsn)
	}
}

// Every shape in which a password reaches a DSN; "hush" is in each and may be in no output.
var secretDSNs = []string{
	"postgres://chaoban:hush@db:5432/chaoban?sslmode=disable",
	"postgresql://chaoban:hush@db/chaoban",
	"postgres://:hush@db/chaoban",
	"postgres://u:p@hush@db/chaoban",
	"postgres://u:p:hush@db/chaoban",
	"postgres://u:p/hush@db/chaoban",
	"postgres://u:12/hush@db/chaoban",
	"postgres://u:p?hush@db/chaoban",
	"postgres://u:p#hush@db/chaoban",
	"postgres://u:p%40hush%2F@db/chaoban",
	"postgres://u:hush hush@db/chaoban",
	"postgres://u:pass://hush@db/chaoban",
	"postgres://db/chaoban?user=u&password=hush",
	"postgres://db/chaoban?PASSWORD=hush&sslmode=disable",
	"postgres://db/chaoban?pass%77ord=hush",
	"postgres://db/chaoban?password=p%20hush",
	"postgres://db/chaoban?sslpassword=hush&user=u",
	"postgres://db/chaoban?a=b;password=hush",
	"host=db user=u password=hush dbname=chaoban",
	"host=db user=u password = hush",
	"host=db password='two hush' user=u",
	`host=db password='it\'s hush' user=u`,
	"host=db password=a://hush user=u",
	"user=u password='no end hush",
	"clickhouse://default:hush@ch1:9000,ch2:9000/kpi?dial_timeout=5s",
	"clickhouse://ch:9000/kpi?username=u&password=hush",
	"https://u:hush@ch:8443/kpi",
	"http://ch:8123?token=hush",
	"tcp://ch:9000?username=u&password=hush#x",
	"mysql://u:hush@db/x",
}

func TestMaskedShowsNoPassword(t *testing.T) {
	for _, dsn := range secretDSNs {
		c, err := Load("", nil)
		require.NoError(t, err)
		c.Store.DSN, c.Warehouse.DSN = dsn, dsn
		assert.NotContains(t, c.Masked(), "hush", dsn)
		assert.Equal(t, 2, strings.Count(c.Masked(), mask), "one mask per address: %s\n%s", dsn, c.Masked())
		if err := c.Validate(); err != nil {
			assert.NotContains(t, err.Error(), "hush", dsn)
			assert.NotContains(t, fault.InternalText(err), "hush", dsn)
		}
	}
}

func TestMaskedKeepsTheRest(t *testing.T) {
	for dsn, want := range map[string]string{
		"":                         "",
		"sqlite:data/chaoban.db":   "sqlite:data/chaoban.db",
		"clickhouse://ch:9000/kpi": "clickhouse://ch:9000/kpi",
		"postgres://chaoban:p@db:5432/c?sslmode=disable": "postgres://chaoban:******@db:5432/c?sslmode=disable",
		"postgres://u@db/c?connect_timeout=5":            "postgres://u@db/c?connect_timeout=5",
		"postgres://db/c?user=u&password=p&x=1":          "postgres://db/c?user=u&password=******&x=1",
		"host=db password='a b' user=u":                  "host=db password=****** user=u",
	} {
		assert.Equal(t, want, maskDSN(dsn))
	}
	c, err := Load("", []string{"CHAOBAN__STORE__DSN=postgres://u:p@db/c"})
	require.NoError(t, err)
	var back Config
	require.Empty(t, decode("masked", []byte(c.Masked()), &back), "the listing is a configuration file")
	back.Store.DSN = c.Store.DSN
	assert.Equal(t, c, back)
}

func TestAnyPasswordIsMasked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		password := rapid.StringMatching(`[ -~]{0,8}hush[ -~]{0,8}`).Draw(t, "password")
		for _, dsn := range []string{
			"postgres://u:" + password + "@db:5432/chaoban",
			"clickhouse://" + url.UserPassword("u", password).String() + "@ch:9000/kpi?x=1",
			"postgres://db/chaoban?user=u&password=" + url.QueryEscape(password),
			"host=db password='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(password) + "' user=u",
		} {
			require.NotContains(t, maskDSN(dsn), "hush", dsn)
		}
	})
}

// A setting that is named like a secret must be one that Masked knows.
func TestMaskedKnowsEverySecret(t *testing.T) {
	known := []string{"store.dsn", "warehouse.dsn"}
	c := reflect.TypeFor[Config]()
	for i, key := range keysOf(c) {
		if c.Field(i).Type.Kind() != reflect.Struct {
			continue
		}
		for _, name := range keysOf(c.Field(i).Type) {
			if name == "dsn" || name == "url" || secretKey.MatchString(name) {
				assert.True(t, slices.Contains(known, key+"."+name), "%s.%s", key, name)
			}
		}
	}
}
