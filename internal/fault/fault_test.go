package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
)

func TestFieldOnOneLine(t *testing.T) {
	for _, c := range []struct {
		field fault.Field
		want  string
	}{
		{fault.Field{Problem: "is missing"}, "is missing"},
		{fault.Field{Path: "terms[2].target", Value: "-1", Problem: "must be 0 or more"}, `terms[2].target: must be 0 or more (got "-1")`},
		{fault.Field{File: "agents.csv", Row: 12, Column: "工号", Value: "a b", Problem: "has a space"}, `agents.csv:12: column "工号": has a space (got "a b")`},
		{fault.Field{File: "agents.csv", Problem: "is empty"}, "agents.csv: is empty"},
		{fault.Field{Row: 3, Column: "B", Problem: "is no number"}, `row 3: column "B": is no number`},
		{fault.Field{Problem: "is odd", Value: "a\nb"}, `is odd (got "a\nb")`}, // never a second line
	} {
		assert.Equal(t, c.want, c.field.String())
	}
}

func TestErrorListsEveryField(t *testing.T) {
	fields := []fault.Field{{Path: "a", Problem: "is bad"}, {Path: "b", Problem: "is worse"}}
	err := fault.Bad("thing.invalid", "thing", fields)
	require.EqualError(t, err, "thing: a: is bad; b: is worse")
	require.EqualError(t, fault.Bad("thing.invalid", "", fields), "a: is bad; b: is worse")
	assert.Equal(t, fault.Invalid, fault.KindOf(err))
	assert.Equal(t, "thing.invalid", fault.CodeOf(err))

	fields[0].Problem = "changed afterwards"
	assert.NotContains(t, err.Error(), "changed")
	// A Validate method returns this as an error: it must be a nil interface.
	require.NoError(t, fault.Bad("thing.invalid", "thing", nil))
}

func TestTheCauseIsForTheLogOnly(t *testing.T) {
	secret := errors.New("dial tcp 10.0.0.7:9000: password rejected")
	err := fault.Wrap(secret, fault.Unavailable, "warehouse.down", "measurements are not available")
	assert.NotContains(t, err.Error(), "10.0.0.7")
	assert.ErrorIs(t, err, secret)
	assert.Equal(t, "measurements are not available: dial tcp 10.0.0.7:9000: password rejected", fault.InternalText(err))

	outer := fault.Wrap(fmt.Errorf("page 3: %w", err), fault.Internal, "report.failed", "the report failed")
	assert.Equal(t, "the report failed", outer.Error())
	assert.Equal(t, "the report failed: page 3: measurements are not available: dial tcp 10.0.0.7:9000: password rejected", fault.InternalText(outer))
	assert.Empty(t, fault.InternalText(nil))
}

func TestOf(t *testing.T) {
	ours := fault.New(fault.Conflict, "contract.overlap", "versions %d and %d overlap", 1, 2)
	for _, c := range []struct {
		err  error
		kind fault.Kind
		code string
	}{
		{ours, fault.Conflict, "contract.overlap"},
		{fmt.Errorf("import: %w", ours), fault.Conflict, "contract.overlap"},
		{errors.Join(io.EOF, ours), fault.Conflict, "contract.overlap"},
		{io.ErrUnexpectedEOF, fault.Internal, "internal"},
		{fmt.Errorf("query: %w", context.DeadlineExceeded), fault.Timeout, "timeout"},
		{context.Canceled, fault.Canceled, "canceled"},
	} {
		got := fault.Of(c.err)
		assert.Equal(t, c.kind, got.Kind, c.err)
		assert.Equal(t, c.code, got.Code, c.err)
		if got != ours {
			assert.ErrorIs(t, got, c.err, "the cause stays reachable")
		}
	}
	assert.NotContains(t, fault.Of(errors.New("secret")).Error(), "secret")
	assert.Nil(t, fault.Of(nil))
}

func TestIsComparesCodes(t *testing.T) {
	sentinel := fault.New(fault.NotFound, "store.not_found", "")
	err := fmt.Errorf("agent: %w", fault.New(fault.NotFound, "store.not_found", "no agent 7"))
	assert.ErrorIs(t, err, sentinel)
	assert.NotErrorIs(t, err, fault.New(fault.NotFound, "store.other", ""))
	assert.NotErrorIs(t, err, io.EOF)
}

func TestKindNames(t *testing.T) {
	seen := map[string]bool{}
	for k := fault.Internal; k <= fault.Canceled; k++ {
		assert.False(t, seen[k.String()], k.String())
		assert.Equal(t, strings.ToLower(k.String()), k.String())
		seen[k.String()] = true
	}
	assert.Equal(t, "internal", fault.Kind(200).String(), "an unknown kind is never shown")
}

func TestShorten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringN(0, 200, -1).Draw(t, "s")
		got := fault.Shorten(s)
		assert.LessOrEqual(t, utf8.RuneCountInString(got), 80)
		assert.True(t, utf8.ValidString(got))
		if utf8.RuneCountInString(s) <= 80 {
			assert.Equal(t, s, got)
		} else {
			assert.True(t, strings.HasPrefix(s, strings.TrimSuffix(got, "…")))
		}
	})
}
