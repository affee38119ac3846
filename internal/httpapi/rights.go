package httpapi

import "github.com/chaoban/chaoban/internal/access"

// rights are what the routes of rosters, leave and requests need at the least. Whoever has not got it is refused
// before the body is read, so that nobody learns what a good body would be. The use cases decide again, and more
// closely; a route that is left out here leaves it to them.
var rights = map[string]access.Permission{
	"list-rosters":          access.ReadPlans,
	"get-roster-workbook":   access.ReadPlans,
	"get-roster-csv":        access.ReadPlans,
	"get-roster":            access.ReadPlans,
	"explain-roster":        access.ReadPlans,
	"make-roster":           access.WritePlans,
	"publish-roster":        access.WritePlans,
	"get-roster-pay":        access.WritePlans,
	"get-work-rules":        access.ReadPlans,
	"set-work-rules":        access.WriteAgents,
	"list-shifts":           access.ReadShifts,
	"list-roster-revisions": access.ReadPlans,
	"diff-rosters":          access.ReadPlans,
	"edit-roster":           access.WritePlans,
	"repair-roster":         access.WritePlans,
	"list-acknowledgements": access.ReadPlans,
	"acknowledge-roster":    access.ReadShifts,
	"get-calendar":          access.ReadShifts,
	"list-calendar-feeds":   access.ReadShifts,
	"add-calendar-feed":     access.ReadShifts,
	"revoke-calendar-feed":  access.ReadShifts,
	"get-leave-policy":      access.ReadRequests,
	"put-leave-policy":      access.WriteAgents,
	"list-leave-balances":   access.ReadRequests,
	"list-leave-entries":    access.ReadRequests,
	"grant-annual-leave":    access.DecideRequests,
	"earn-leave":            access.DecideRequests,
	"adjust-leave":          access.DecideRequests,
	"list-person-facts":     access.ReadRequests,
	"put-person-facts":      access.WriteAgents,
	"import-person-facts":   access.WriteAgents,
	"delete-person-fact":    access.WriteAgents,
	"acknowledge-pack":      access.MakeRequests,
	"get-queue-terms":       access.ReadRequests,
	"put-queue-terms":       access.WriteAgents,
	"list-requests":         access.ReadRequests,
	"get-request":           access.ReadRequests,
	"step-request":          access.MakeRequests,
	"ask-leave":             access.MakeRequests,
	"propose-swap":          access.MakeRequests,
	"give-shift":            access.MakeRequests,
	"offer-hours":           access.DecideRequests,
	"open-bidding":          access.DecideRequests,
	"get-fairness":          access.ReadRequests,
	"put-overtime-consents": access.WriteAgents,
}

// otherRights do as well as the one in rights.
var otherRights = map[string][]access.Permission{
	"delete-person-fact":    {access.DecideRequests},
	"put-overtime-consents": {access.DecideRequests},
}
