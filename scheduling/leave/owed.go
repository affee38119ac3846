package leave

import (
	"slices"

	"github.com/chaoban/chaoban/internal/fault"
)

// Owed reports that leave must be granted, and by which law: the law grants its kind, its document is there, it is no
// longer than the kind is for, and nothing makes it impossible. d is what Decide found about the same case.
func (c Case) Owed(d Decision) (Law, bool) {
	law := LawOf(c.Kind)
	beyond := slices.ContainsFunc(d.Findings, func(f Finding) bool { return f.Stops || f.Code == "leave.length" })
	return law, law.Granted && c.Proof != "" && !beyond
}

// MayRefuse says whether a supervisor may refuse leave. Leave that is owed may only be refused because its document
// does not prove it (unproven). What the law gives but lets the house arrange or put off (annual leave, time off in
// lieu, what has no document or is longer), needs a reason; what the house gives itself needs none.
//
// Errors: leave.owed with the article; leave.reason when the reason is missing.
func (c Case) MayRefuse(d Decision, reason string, unproven bool) error {
	law, owed := c.Owed(d)
	if owed && !unproven {
		return fault.New(fault.Conflict, "leave.owed",
			"依法必须批准，不得拒绝（%s）；材料不能证明的，注明 unproven 和理由 / the law grants this leave and it cannot be refused (%[1]s); a document that does not prove it is refused with unproven and a reason", law.Article)
	}
	return c.Kind.NeedsReason(reason)
}

// NeedsReason refuses that leave which the law gives is withheld or taken back by the house without a word. Errors:
// leave.reason.
func (k LeaveKind) NeedsReason(reason string) error {
	law := LawOf(k)
	if law.Article == "" || reason != "" {
		return nil
	}
	return fault.Bad("leave.reason", "refusal", []fault.Field{{
		Path: "reason", Problem: "缺少理由：这种假以法律为据 / is missing: the law gives this leave (" + law.Article + ")",
	}})
}
