package operations

import (
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// The doors (httpapi, jobs) know operations only; these are the stored values and questions that
// pass through unchanged.
type (
	Page           = store.Page
	Meta           = store.Meta
	QueueFilter    = store.QueueFilter
	ContractFilter = store.ContractFilter
	AgentFilter    = store.AgentFilter
	AuditFilter    = store.AuditFilter
	AuditEntry     = store.AuditEntry
	AuditProof     = store.AuditProof
	ForecastFilter = store.ForecastFilter
	Forecast       = store.Forecast
	Plan           = store.Plan
	RosterFilter   = store.RosterFilter
	Roster         = store.Roster
	RosterState    = store.RosterState
	ShiftFilter    = store.ShiftFilter
	Shift          = store.Shift
	Revision       = store.Revision
	CalendarFeed   = store.CalendarFeed
	ReportFilter   = store.ReportFilter
	Report         = store.Report
	ImportFilter   = store.ImportFilter
	Import         = store.Import
	Account        = store.Account
	AccountFilter  = store.AccountFilter
	Quarantined    = store.Quarantined
	Scorecard      = store.Scorecard
	JobRun         = store.JobRun
	JobRunFilter   = store.JobRunFilter
	User           = store.User
	Token          = store.Token
	Queue          = store.Queue
	PutResult      = store.PutResult

	Acknowledgement = store.Acknowledgement
	Request         = store.Request
	RequestFilter   = store.RequestFilter
	LeaveFilter     = store.LeaveFilter
	FactFilter      = store.FactFilter

	ScorecardFilter  = store.ScorecardFilter
	QuarantineFilter = store.QuarantineFilter
	QuarantineState  = store.QuarantineState

	ConversationFilter = warehouse.Filter
	Freshness          = warehouse.Freshness
	Batch              = warehouse.Batch

	Source  = intake.Source
	Mapping = intake.Mapping
)

// Stored is a domain value with its version.
type Stored[T any] = store.Stored[T]

// What a change may expect of the version that is there.
const (
	AnyVersion = store.AnyVersion
	NewOnly    = store.NewOnly
)

// QuarantineWaiting is the state of a quarantined line that nothing has become of yet.
const QuarantineWaiting = store.Waiting
