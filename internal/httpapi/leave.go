package httpapi

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// addLeave registers balances, the house's policy and what is on file about people.
func (s *Server) addLeave() {
	const tag = "Leave"
	huma.Register(s.api, operation(http.MethodGet, "/v1/leave-policy", "get-leave-policy", tag, "Quotas, closed days and the rules of each kind of leave"), s.leavePolicy)
	huma.Register(s.api, operation(http.MethodPut, "/v1/leave-policy", "put-leave-policy", tag, "Replace the leave policy",
		describe("If-Match holds the version that was read. Annual leave and what else the law gives stay whatever kinds leaves out; left_out names the other kinds that it leaves out.")), s.putLeavePolicy)
	huma.Register(s.api, operation(http.MethodGet, "/v1/leave-balances", "list-leave-balances", tag, "Leave balances by agent and kind, with their lots"), s.leaveBalances)
	huma.Register(s.api, operation(http.MethodGet, "/v1/leave-entries", "list-leave-entries", tag, "The rows behind balances, oldest first"), s.leaveEntries)
	huma.Register(s.api, operation(http.MethodPost, "/v1/leave-grants", "grant-annual-leave", tag, "Book a year's annual leave: 5, 10 or 15 days by years of work",
		describe("An agent's year is booked once; the answer has the rows that are new."), status(http.StatusCreated), repeatable), s.grantLeave)
	huma.Register(s.api, operation(http.MethodPost, "/v1/leave-earnings", "earn-leave", tag, "Book time off in lieu for rest days that were worked", status(http.StatusCreated), repeatable), s.earnLeave)
	huma.Register(s.api, operation(http.MethodPost, "/v1/leave-adjustments", "adjust-leave", tag, "Change a balance by hand, with a reason", status(http.StatusCreated), repeatable), s.adjustLeave)
	const people = "Workforce"
	huma.Register(s.api, operation(http.MethodGet, "/v1/person-facts", "list-person-facts", people, "Certificates, packs read, agreements, sessions, carried hours, agency posts, careers and absences"), s.facts)
	huma.Register(s.api, operation(http.MethodPut, "/v1/person-facts", "put-person-facts", people, "Put facts on file; the same again replaces them",
		describe("For planners and administrators. The answer names the published shifts that break rules by it. With dry=true nothing is kept.")), s.putFacts)
	huma.Register(s.api, operation(http.MethodPost, "/v1/person-fact-files", "import-person-facts", people, "Put the rows of a CSV file on file, all or none",
		describe("Every fault is told with row and column; the answer names the published shifts that break rules by it. With dry=true nothing is kept. The body is UTF-8 CSV with the columns agent, kind, code, from, to, start, end, day_hours, week_hours, not_before, not_after, no_nights, days_off, hours, holiday_hours, note, or their Chinese names."), csvBody, s.bounded), s.importFacts)
	huma.Register(s.api, operation(http.MethodDelete, "/v1/person-facts/{fact}", "delete-person-fact", people, "Take a wrong fact off file", describe("Planners and administrators; supervisors for absences only."), status(http.StatusNoContent)), s.deleteFact)
	huma.Register(s.api, operation(http.MethodPost, "/v1/pack-acknowledgements", "acknowledge-pack", people, "Note that an agent has read a promotion pack today", repeatable), s.acknowledgePack)
	huma.Register(s.api, operation(http.MethodGet, "/v1/queue-terms", "get-queue-terms", people, "Certificate, promotion packs and shops that each queue asks of its agents"), s.queueTerms)
	huma.Register(s.api, operation(http.MethodPut, "/v1/queue-terms", "put-queue-terms", people, "Replace what each queue asks of its agents"), s.putQueueTerms)
}

// csvBody describes a body that is CSV text.
func csvBody(op *huma.Operation) {
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}}
	op.SkipValidateBody = true
}

// versionTag is the entity tag of a document that is a setting.
func versionTag(version int) string { return strconv.Quote(strconv.Itoa(version)) }

func (s *Server) leavePolicy(ctx context.Context, _ *struct{}) (*entity[requesting.LeavePolicy], error) {
	p, err := s.deps.Ops.Requesting.LeavePolicy(ctx, whoOf(ctx))
	if err != nil {
		return nil, err
	}
	return &entity[requesting.LeavePolicy]{ETag: versionTag(p.Version), Body: p}, nil
}

type leavePolicyInput struct {
	Precondition
	Body leave.Policy
}

func (s *Server) putLeavePolicy(ctx context.Context, in *leavePolicyInput) (*entity[requesting.LeavePolicy], error) {
	expect, err := in.expect()
	if err != nil {
		return nil, err
	}
	p, err := s.deps.Ops.Requesting.PutLeavePolicy(ctx, whoOf(ctx), in.Body, expect)
	if err != nil {
		return nil, in.failed(err)
	}
	return &entity[requesting.LeavePolicy]{ETag: versionTag(p.Version), Body: p}, nil
}

type balancesInput struct {
	Agent string        `query:"agent" maxLength:"64"`
	On    calendar.Date `query:"on" doc:"today unless given"`
}

func (s *Server) leaveBalances(ctx context.Context, in *balancesInput) (*one[page[leave.Balance]], error) {
	on := in.On
	if on.IsZero() {
		on = calendar.DateOf(s.deps.Ops.Now(), s.deps.Ops.Zone())
	}
	all, err := s.deps.Ops.Requesting.LeaveBalances(ctx, whoOf(ctx), ids.Agent(in.Agent), on)
	return answered(page[leave.Balance]{Items: all}, err)
}

type entriesInput struct {
	Paging
	Agent   string `query:"agent" maxLength:"64"`
	Kind    string `query:"kind" enum:"annual,compensatory"`
	Request string `query:"request" maxLength:"64"`
}

func (s *Server) leaveEntries(ctx context.Context, in *entriesInput) (*list[leave.Entry], error) {
	items, next, err := s.deps.Ops.Requesting.LeaveEntries(ctx, whoOf(ctx), operations.LeaveFilter{
		Agent: ids.Agent(in.Agent), Kind: leave.LeaveKind(in.Kind), Request: ids.Request(in.Request),
	}, in.page())
	return paged(ctx, items, next, err)
}

// booked is the answer with new rows of the leave ledger.
func booked(rows []leave.Entry, err error) (*one[page[leave.Entry]], error) {
	if rows == nil {
		rows = []leave.Entry{}
	}
	return answered(page[leave.Entry]{Items: rows}, err)
}

type grantInput struct {
	Body struct {
		Year   int      `json:"year"`
		Agents []string `json:"agents,omitempty" maxItems:"10000" doc:"everybody unless given"`
	}
}

func (s *Server) grantLeave(ctx context.Context, in *grantInput) (*one[page[leave.Entry]], error) {
	return booked(s.deps.Ops.Requesting.GrantAnnualLeave(ctx, whoOf(ctx), in.Body.Year, typed[ids.Agent](in.Body.Agents)))
}

type earnInput struct {
	Body struct {
		From   calendar.Date `json:"from" doc:"first day"`
		Until  calendar.Date `json:"until" doc:"first day that no longer counts, at most today"`
		Agents []string      `json:"agents,omitempty" maxItems:"10000" doc:"everybody unless given"`
	}
}

func (s *Server) earnLeave(ctx context.Context, in *earnInput) (*one[requesting.LieuEarned], error) {
	done, err := s.deps.Ops.Requesting.EarnLieu(ctx, whoOf(ctx), calendar.Dates{From: in.Body.From, Until: in.Body.Until}, typed[ids.Agent](in.Body.Agents))
	if done.Rows == nil {
		done.Rows = []leave.Entry{}
	}
	return answered(done, err)
}

type adjustLeaveInput struct {
	Body struct {
		Agent   string         `json:"agent" maxLength:"64"`
		Kind    string         `json:"kind" enum:"annual,compensatory"`
		Minutes int            `json:"minutes" doc:"below 0 takes away"`
		Lot     string         `json:"lot,omitempty" maxLength:"64" doc:"a new one unless given"`
		On      calendar.Date  `json:"on"`
		Until   *calendar.Date `json:"until,omitempty" doc:"first day on which a new lot lapses"`
		Note    string         `json:"note" maxLength:"1000"`
	}
}

func (s *Server) adjustLeave(ctx context.Context, in *adjustLeaveInput) (*one[leave.Entry], error) {
	b := in.Body
	ask := requesting.AdjustInput{Agent: ids.Agent(b.Agent), Kind: leave.LeaveKind(b.Kind), Minutes: b.Minutes, Lot: b.Lot, On: b.On, Note: b.Note}
	if b.Until != nil {
		ask.Until = *b.Until
	}
	return answered(s.deps.Ops.Requesting.AdjustLeave(ctx, whoOf(ctx), ask))
}

type factsInput struct {
	Paging
	Agent   string        `query:"agent" maxLength:"64"`
	Kind    string        `query:"kind" enum:"certificate,acknowledgement,agreement,session,carried,post,career,absence"`
	Code    string        `query:"code" maxLength:"64"`
	EndedBy calendar.Date `query:"ended_by" doc:"only what is no longer good on this date"`
}

type factDoc = operations.Stored[workforce.Fact]

func (s *Server) facts(ctx context.Context, in *factsInput) (*list[factDoc], error) {
	items, next, err := s.deps.Ops.Requesting.Facts(ctx, whoOf(ctx), operations.FactFilter{
		Agent: ids.Agent(in.Agent), Kind: workforce.FactKind(in.Kind), Code: in.Code, EndedBy: in.EndedBy,
	}, in.page())
	return paged(ctx, items, next, err)
}

type putFactsInput struct {
	Dry
	Body struct {
		Facts []workforce.Fact `json:"facts" maxItems:"10000"`
	}
}

func (s *Server) putFacts(ctx context.Context, in *putFactsInput) (*one[requesting.FactsPut], error) {
	return answered(s.deps.Ops.Requesting.PutFacts(ctx, whoOf(ctx), in.Body.Facts, in.Dry.Dry))
}

type factFileInput struct {
	Dry
	Name    string `query:"name" maxLength:"200" default:"facts.csv" doc:"for messages"`
	RawBody []byte
}

func (s *Server) importFacts(ctx context.Context, in *factFileInput) (*one[requesting.FactsPut], error) {
	return answered(s.deps.Ops.Requesting.ImportFacts(ctx, whoOf(ctx), strings.Clone(in.Name), bytes.NewReader(in.RawBody), in.Dry.Dry))
}

type factPath struct {
	Fact string `path:"fact" maxLength:"64"`
}

func (s *Server) deleteFact(ctx context.Context, in *factPath) (*struct{}, error) {
	return nil, s.deps.Ops.Requesting.DeleteFact(ctx, whoOf(ctx), in.Fact)
}

type packInput struct {
	Body struct {
		Agent string `json:"agent,omitempty" maxLength:"64" doc:"who has read it, when a supervisor enters it"`
		Pack  string `json:"pack" maxLength:"64"`
	}
}

func (s *Server) acknowledgePack(ctx context.Context, in *packInput) (*one[requesting.FactsPut], error) {
	return answered(s.deps.Ops.Requesting.AcknowledgePack(ctx, whoOf(ctx), ids.Agent(in.Body.Agent), in.Body.Pack))
}

func (s *Server) queueTerms(ctx context.Context, _ *struct{}) (*entity[requesting.QueueTerms], error) {
	t, err := s.deps.Ops.Requesting.QueueTerms(ctx, whoOf(ctx))
	if err != nil {
		return nil, err
	}
	return &entity[requesting.QueueTerms]{ETag: versionTag(t.Version), Body: t}, nil
}

type queueTermsInput struct {
	Precondition
	Body struct {
		Terms []workrules.QueueTerms `json:"terms" maxItems:"10000"`
	}
}

func (s *Server) putQueueTerms(ctx context.Context, in *queueTermsInput) (*entity[requesting.QueueTerms], error) {
	expect, err := in.expect()
	if err != nil {
		return nil, err
	}
	t, err := s.deps.Ops.Requesting.PutQueueTerms(ctx, whoOf(ctx), in.Body.Terms, expect)
	if err != nil {
		return nil, in.failed(err)
	}
	return &entity[requesting.QueueTerms]{ETag: versionTag(t.Version), Body: t}, nil
}
