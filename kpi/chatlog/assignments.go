package chatlog

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Assignments answers who used a platform sub-account (子账号) at an instant. Accounts are shared and
// people change, so one account has many people over time and one person many accounts. It is not
// changed after NewAssignments and may be read concurrently.
type Assignments struct {
	periods map[accountKey][]Assignment // by From
	digest  string
}

type accountKey struct {
	platform string
	shop     ids.Shop
	account  string
}

// keyOf makes names of accounts comparable: platforms write 旗舰店:小美 in one file and 旗舰店：小美 in
// another.
func keyOf(platform string, shop ids.Shop, account string) accountKey {
	return accountKey{platform, shop, strings.TrimSpace(strings.ReplaceAll(account, "：", ":"))}
}

// NewAssignments checks every assignment and keeps them. Two people with one account at the same time
// are no error here, because it only matters when something happened then. Errors: assignment.invalid.
func NewAssignments(all []Assignment) (*Assignments, error) {
	var bad []fault.Field
	out := &Assignments{periods: map[accountKey][]Assignment{}}
	for i, a := range all {
		for _, f := range a.problems() {
			f.Path = fmt.Sprintf("assignments[%d].%s", i, f.Path)
			bad = append(bad, f)
		}
		k := keyOf(a.Platform, a.Shop, a.Account)
		out.periods[k] = append(out.periods[k], a)
	}
	if bad != nil {
		return nil, fault.Bad("assignment.invalid", "assignments of accounts", bad)
	}
	lines := make([]string, 0, len(all))
	for k, periods := range out.periods {
		slices.SortFunc(periods, func(a, b Assignment) int {
			return cmp.Or(a.From.Compare(b.From), a.Until.Compare(b.Until), cmp.Compare(a.Agent, b.Agent))
		})
		for _, a := range periods {
			lines = append(lines, fmt.Sprintf("%q %q %q %q %s %s\n", k.platform, k.shop, k.account, a.Agent, stamp(a.From), stamp(a.Until)))
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(lines), "")))
	out.digest = hex.EncodeToString(sum[:16])
	return out, nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Digest changes when any assignment does, whatever order they come in.
func (a *Assignments) Digest() string { return a.digest }

// AgentAt is who used the account at t, in periods that contain their first instant and not their last.
// Nobody is "" without a problem. Two people at the same time are "" with a problem that names both:
// giving the work to either would be a guess.
func (a *Assignments) AgentAt(platform string, shop ids.Shop, account string, t time.Time) (agent ids.Agent, problem string) {
	var found *Assignment
	periods := a.periods[keyOf(platform, shop, account)]
	for i := range periods {
		p := &periods[i]
		if p.From.After(t) {
			break
		}
		if !p.Until.IsZero() && !t.Before(p.Until) {
			continue
		}
		if found != nil && found.Agent != p.Agent {
			return "", fmt.Sprintf("belongs to two people at %s: %s and %s; correct the assignment of the account",
				t.UTC().Format(time.RFC3339), found.Agent, p.Agent)
		}
		found = p
	}
	if found == nil {
		return "", ""
	}
	return found.Agent, ""
}
