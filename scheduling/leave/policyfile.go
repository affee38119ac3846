package leave

import (
	"encoding/json"

	"github.com/chaoban/chaoban/internal/fault"
)

// usualRule is the default rule of a kind, empty for a kind that is none.
func usualRule(k LeaveKind) KindRule {
	rule, _ := Policy{Kinds: DefaultKinds()}.RuleOf(k)
	return rule
}

// StartFrom sets the rule to the usual one of the kind that a file names, before the fields of the file are read: what
// the file leaves out stays as is usual and does not fall to nothing. name looks a key of the file up.
func (k *KindRule) StartFrom(name func(key string) string) {
	*k = usualRule(LeaveKind(name("kind")))
}

// UnmarshalJSON reads a rule over the usual one of its kind.
func (k *KindRule) UnmarshalJSON(raw []byte) error {
	type bare KindRule
	var named struct {
		Kind LeaveKind `json:"kind"`
	}
	if err := json.Unmarshal(raw, &named); err != nil {
		return err
	}
	k.StartFrom(func(string) string { return string(named.Kind) })
	return json.Unmarshal(raw, (*bare)(k))
}

// ReadStored reads a policy as the house keeps it. A kept rule is whole: older ones were kept without the fields that
// are false or nothing, so those are not the usual ones here. Errors: leave.policy_stored.
func ReadStored(raw []byte) (Policy, error) {
	type bareRule KindRule
	type barePolicy Policy
	var kept struct {
		barePolicy
		Kinds []bareRule `json:"kinds"`
	}
	if err := json.Unmarshal(raw, &kept); err != nil {
		return Policy{}, fault.Wrap(err, fault.Internal, "leave.policy_stored", "the stored leave policy cannot be read")
	}
	p := Policy(kept.barePolicy)
	for _, k := range kept.Kinds {
		p.Kinds = append(p.Kinds, KindRule(k))
	}
	return p.WithLaw(), nil
}
