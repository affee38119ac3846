package intake_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/internal/operations/intake"
)

func example(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/contracts.yaml")
	require.NoError(t, err)
	return string(b)
}

func faultOf(t *testing.T, err error) *fault.Error {
	t.Helper()
	e, ok := errors.AsType[*fault.Error](err)
	require.True(t, ok, "not a fault: %v", err)
	return e
}

func TestContractsExample(t *testing.T) {
	text := example(t)
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(text)
	require.NoError(t, err)
	for name, in := range map[string]string{"utf-8": text, "byte order mark": "\ufeff" + text, "gbk": gbk} {
		t.Run(name, func(t *testing.T) {
			merchants, agreed, err := intake.Contracts("contracts.yaml", strings.NewReader(in))
			require.NoError(t, err)
			require.Len(t, merchants, 1)
			require.Equal(t, "鹿米家居", merchants[0].Name)
			require.Len(t, agreed, 1)
			v, ok := agreed[0].VersionAt(calendar.MakeDate(2026, 6, 30))
			require.True(t, ok)
			require.Equal(t, 1, v.Number)
			require.Equal(t, money.Yuan(3500), v.Prices[0].Amount)
			require.Equal(t, money.Fen(70), v.Prices[1].Tiers[1].Amount)
			require.Equal(t, 6*money.Percent, v.TaxRate)
			v, ok = agreed[0].VersionAt(calendar.MakeDate(2026, 7, 1))
			require.True(t, ok)
			require.Equal(t, 2, v.Number)
			require.Equal(t, money.Yuan(24000), v.Prices[0].Amount)
			_, ok = agreed[0].VersionAt(calendar.MakeDate(2025, 12, 31))
			require.False(t, ok)
		})
	}
}

func TestContractsTextsAndPinnedDefinition(t *testing.T) {
	text := strings.NewReplacer("no_kpi_until: 2026-02-01", "texts: true\n        no_kpi_until: 2026-02-01", "metric: answered_within", "metric: jd.first_30s\n            version: v2021-12").Replace(example(t))
	_, agreed, err := intake.Contracts("c.yaml", strings.NewReader(text))
	require.NoError(t, err)
	require.True(t, agreed[0].Versions[0].Texts)
	require.False(t, agreed[0].Versions[1].Texts)
	require.Equal(t, "jd.first_30s", agreed[0].Versions[0].Terms[0].Metric)
	require.Equal(t, "v2021-12", agreed[0].Versions[0].Terms[0].Version)
	_, plain, err := intake.Contracts("c.yaml", strings.NewReader(example(t)))
	require.NoError(t, err)
	require.False(t, plain[0].Versions[0].Texts, "a contract that says nothing does not allow keeping texts")
}

func TestContractsSeveralDocuments(t *testing.T) {
	merchants, agreed, err := intake.Contracts("c.yaml", strings.NewReader(strings.Replace(example(t), "\ncontracts:", "\n---\ncontracts:", 1)))
	require.NoError(t, err)
	require.Len(t, merchants, 1)
	require.Len(t, agreed, 1)
}

func TestContractsComplaints(t *testing.T) {
	cases := map[string]struct {
		old, new string
		code     string
		want     []string // each must be in one message
	}{
		"unknown key":      {"target: 0.9", "targett: 0.9", "intake.contracts", []string{"c.yaml:42: contracts[0].versions[0].terms[0].targett", "not a known key"}},
		"key twice":        {"tax_rate: 6%\n        terms:\n          - id: first-30s", "tax_rate: 6%\n        tax_rate: 6%\n        terms:\n          - id: first-30s", "intake.contracts", []string{"tax_rate", "twice"}},
		"bad amount":       {"amount: 3500", "amount: 35.001", "intake.contracts", []string{"prices[0].amount", "35.001"}},
		"bad date":         {"from: 2026-07-01", "from: 2026-02-30", "intake.contracts", []string{"versions[1].from", "2026-02-30"}},
		"bad number":       {"count: 6", "count: six", "intake.contracts", []string{"seats[0].count", "whole number"}},
		"overlap":          {"until: 2026-07-01", "until: 2026-07-02", "contract.overlap", []string{"c.yaml:59", "version 2 (from 2026-07-01, open-ended) overlaps version 1 (2026-01-01 to before 2026-07-02)"}},
		"open-ended first": {"        until: 2026-07-01\n", "", "contract.overlap", []string{"version 1 (from 2026-01-01, open-ended)"}},
		"two at once":      {"platform: tmall", "platform: amazon", "intake.contracts", []string{"merchants[0].shops[0].platform", "amazon"}},
		"foreign shop":     {"shops: [lumi-tmall, lumi-jd]", "shops: [lumi-tmall, other]", "intake.contracts", []string{"versions[1].shops[1]", "not a shop of merchant lumi"}},
		"tab":              {"merchants:", "\tmerchants:", "intake.contracts", []string{"c.yaml:4", "not YAML"}},
		"alias":            {"title: 基础坐席费", "title: &a 基础坐席费", "", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(example(t), c.old, c.new, 1)
			require.NotEqual(t, example(t), text)
			_, _, err := intake.Contracts("c.yaml", strings.NewReader(text))
			if c.code == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, c.code, faultOf(t, err).Code)
			for _, want := range c.want {
				require.Contains(t, err.Error(), want)
			}
		})
	}
}

func TestContractsReportsEverythingAtOnce(t *testing.T) {
	text := strings.NewReplacer("target: 0.9", "target: -1", "window: \"09:00-24:00\"", "window: \"9\"", "miss: 0.05", "miss: 0").Replace(example(t))
	_, _, err := intake.Contracts("c.yaml", strings.NewReader(text))
	fields := faultOf(t, err).Fields
	require.Len(t, fields, 3)
	for _, f := range fields {
		require.Equal(t, "c.yaml", f.File)
		require.Positive(t, f.Row)
		line := strings.Split(text, "\n")[f.Row-1]
		key := f.Path[strings.LastIndexByte(f.Path, '.')+1:]
		require.Contains(t, line, key+":", "%s is not on line %d", f.Path, f.Row)
	}
}

func TestContractsEmpty(t *testing.T) {
	for _, in := range []string{"", "\n# nothing\n", "---\n---\n"} {
		_, _, err := intake.Contracts("c.yaml", strings.NewReader(in))
		require.ErrorContains(t, err, "c.yaml: is empty")
	}
}

func FuzzContractsYAML(f *testing.F) {
	f.Add([]byte(example(f)))
	f.Add([]byte("contracts: [{id: a, versions: [{from: 2026-01-01}]}]"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("? [a]\n: b"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, agreed, err := intake.Contracts("f.yaml", bytes.NewReader(b))
		if err != nil {
			require.NotEqual(t, fault.Internal, faultOf(t, err).Kind)
			return
		}
		for _, c := range agreed {
			require.NoError(t, c.Validate())
		}
	})
}
