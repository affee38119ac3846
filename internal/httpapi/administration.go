package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/administration"
)

func (s *Server) addJobs() {
	const tag = "Jobs"
	huma.Register(s.api, operation(http.MethodGet, "/v1/jobs", "list-jobs", tag, "Scheduled jobs with their last run"), s.jobs)
	huma.Register(s.api, operation(http.MethodGet, "/v1/alerts", "list-alerts", tag, "What goes wrong with the house's own work: jobs that fail, and what jobs found"), s.alerts)
	huma.Register(s.api, operation(http.MethodGet, "/v1/job-runs", "list-job-runs", tag, "Runs of jobs, newest first"), s.jobRuns)
	huma.Register(s.api, operation(http.MethodPost, "/v1/jobs/{job}/runs", "run-job", tag, "Run one job now and wait for it", status(http.StatusCreated), long), s.runJob)
}

// jobRow is a job as the API shows it.
type jobRow struct {
	Name     string             `json:"name"`
	Schedule string             `json:"schedule" doc:"cron, five fields, in the business time zone"`
	Timeout  period             `json:"timeout"`
	Last     *operations.JobRun `json:"last,omitempty"`
	Success  *operations.JobRun `json:"last_success,omitempty"`
	Alert    *operations.Alert  `json:"alert,omitempty" doc:"missing when it never failed"`
}

func (s *Server) jobs(ctx context.Context, _ *struct{}) (*one[page[jobRow]], error) {
	rows := []jobRow{}
	var table []Job
	if s.deps.JobTable != nil {
		table = s.deps.JobTable()
	}
	if len(table) == 0 { // still ask, so that who may not read jobs hears it
		table = nil
		if _, _, err := s.deps.Ops.JobRuns(ctx, whoOf(ctx), operations.JobRunFilter{}, operations.Page{Limit: 1}); err != nil {
			return nil, err
		}
	}
	for _, j := range table {
		state, err := s.deps.Ops.JobState(ctx, whoOf(ctx), j.Name)
		if err != nil {
			return nil, err
		}
		rows = append(rows, jobRow{
			Name: j.Name, Schedule: j.Schedule, Timeout: period{j.Timeout}, Last: state.Last, Success: state.LastSuccess, Alert: state.Alert,
		})
	}
	return &one[page[jobRow]]{Body: page[jobRow]{Items: rows}}, nil
}

type alertsInput struct {
	Paging
	State string `query:"state" enum:"quiet,firing,resolved"`
}

func (s *Server) alerts(ctx context.Context, in *alertsInput) (*list[operations.Alert], error) {
	items, next, err := s.deps.Ops.Alerts(ctx, whoOf(ctx), operations.AlertState(in.State), in.page())
	return paged(ctx, items, next, err)
}

type jobRunsInput struct {
	Paging
	Span
	Job string `query:"job" maxLength:"64"`
}

func (s *Server) jobRuns(ctx context.Context, in *jobRunsInput) (*list[operations.JobRun], error) {
	r, err := in.toRange()
	if err != nil {
		return nil, err
	}
	items, next, err := s.deps.Ops.JobRuns(ctx, whoOf(ctx), operations.JobRunFilter{Job: in.Job, Range: r}, in.page())
	return paged(ctx, items, next, err)
}

type jobPath struct {
	Job string `path:"job" maxLength:"64"`
}

func (s *Server) runJob(ctx context.Context, in *jobPath) (*one[operations.JobRun], error) {
	// The permission first: who may not run jobs does not learn which there are.
	if _, err := access.Decide(whoOf(ctx), access.RunJobs); err != nil {
		return nil, err
	}
	if s.deps.Jobs == nil {
		return nil, fault.New(fault.NotFound, "jobs.unknown", "there is no job %q", in.Job)
	}
	spec, err := s.deps.Jobs.Spec(in.Job)
	if err != nil {
		return nil, err
	}
	run, err := s.deps.Ops.RunJob(ctx, whoOf(ctx), spec)
	if err != nil {
		return nil, err
	}
	return &one[operations.JobRun]{Body: run}, nil
}

func (s *Server) addAdministration() {
	const tag = "Administration"
	huma.Register(s.api, operation(http.MethodGet, "/v1/users", "list-users", tag, "Users by login"), s.users)
	huma.Register(s.api, operation(http.MethodPost, "/v1/users", "add-user", tag, "Add a user", status(http.StatusCreated), repeatable), s.addUser)
	huma.Register(s.api, operation(http.MethodPut, "/v1/users/{user}", "put-user", tag, "Replace a user; without a password the old one stays"), s.putUser)
	huma.Register(s.api, operation(http.MethodGet, "/v1/tokens", "list-tokens", tag, "Machine tokens, newest first, without their secrets"), s.tokens)
	huma.Register(s.api, operation(http.MethodPost, "/v1/tokens", "issue-token", tag, "Issue a machine token; its secret is shown once", status(http.StatusCreated)), s.issueToken)
	huma.Register(s.api, operation(http.MethodDelete, "/v1/tokens/{token}", "revoke-token", tag, "End a machine token", status(http.StatusNoContent)), s.revokeToken)
	huma.Register(s.api, operation(http.MethodGet, "/v1/audit", "list-audit", tag, "Audit rows, newest first"), s.audit)
	huma.Register(s.api, operation(http.MethodGet, "/v1/audit/proof", "verify-audit", tag, "Walk the hash chain of the audit trail", long), s.verifyAudit)
}

func (s *Server) users(ctx context.Context, in *Paging) (*list[operations.User], error) {
	items, next, err := s.deps.Ops.Administration.Users(ctx, whoOf(ctx), in.page())
	return paged(ctx, items, next, err)
}

// userBody is a user as an administrator enters one.
type userBody struct {
	Login    string      `json:"login" maxLength:"64"`
	Name     string      `json:"name" maxLength:"200"`
	Role     access.Role `json:"role" enum:"administrator,planner,supervisor,quality,agent,client"`
	Merchant string      `json:"merchant,omitempty" maxLength:"64" doc:"of a client"`
	Agent    string      `json:"agent,omitempty" maxLength:"64" doc:"staff number of an agent"`
	Password string      `json:"password,omitempty" maxLength:"1024" format:"password"`
	Disabled bool        `json:"disabled,omitempty"`
}

func (b userBody) input(id ids.User) administration.UserInput {
	return administration.UserInput{
		ID: id, Login: b.Login, Name: b.Name, Role: b.Role, Merchant: ids.Merchant(b.Merchant), Agent: ids.Agent(b.Agent),
		Password: b.Password, Disabled: b.Disabled,
	}
}

type addUserInput struct{ Body userBody }

func (s *Server) addUser(ctx context.Context, in *addUserInput) (*entity[operations.User], error) {
	return s.keepUser(ctx, in.Body.input(""))
}

type putUserInput struct {
	User string `path:"user" maxLength:"64"`
	Body userBody
}

func (s *Server) putUser(ctx context.Context, in *putUserInput) (*entity[operations.User], error) {
	return s.keepUser(ctx, in.Body.input(ids.User(in.User)))
}

func (s *Server) keepUser(ctx context.Context, in administration.UserInput) (*entity[operations.User], error) {
	u, err := s.deps.Ops.Administration.PutUser(ctx, whoOf(ctx), in)
	if err != nil {
		return nil, err
	}
	return &entity[operations.User]{ETag: u.ETag(), Body: u}, nil
}

func (s *Server) tokens(ctx context.Context, in *Paging) (*list[operations.Token], error) {
	items, next, err := s.deps.Ops.Administration.Tokens(ctx, whoOf(ctx), in.page())
	return paged(ctx, items, next, err)
}

type tokenInput struct {
	Body struct {
		Name    string              `json:"name" maxLength:"200"`
		User    string              `json:"user,omitempty" maxLength:"64" doc:"whose role and scope it carries; empty: the caller's"`
		Grants  []access.Permission `json:"grants" maxItems:"64" doc:"what of the role it may use"`
		Expires time.Time           `json:"expires,omitempty" doc:"never unless given"`
	}
}

type issued struct {
	Secret string           `json:"secret" doc:"for Authorization: Bearer; shown once"`
	Token  operations.Token `json:"token"`
}

func (s *Server) issueToken(ctx context.Context, in *tokenInput) (*one[issued], error) {
	b := in.Body
	secret, token, err := s.deps.Ops.Administration.IssueToken(ctx, whoOf(ctx), administration.TokenInput{
		Name: b.Name, User: ids.User(b.User), Grants: b.Grants, Expires: b.Expires,
	})
	if err != nil {
		return nil, err
	}
	return &one[issued]{Body: issued{Secret: secret, Token: token}}, nil
}

type tokenPath struct {
	Token string `path:"token" maxLength:"64"`
}

func (s *Server) revokeToken(ctx context.Context, in *tokenPath) (*struct{}, error) {
	return nil, s.deps.Ops.Administration.RevokeToken(ctx, whoOf(ctx), ids.Token(in.Token))
}

type auditInput struct {
	Paging
	Span
	Actor  string `query:"actor" maxLength:"64"`
	Kind   string `query:"kind" maxLength:"64"`
	Entity string `query:"entity" maxLength:"128"`
}

func (s *Server) audit(ctx context.Context, in *auditInput) (*list[operations.AuditEntry], error) {
	r, err := in.toRange()
	if err != nil {
		return nil, err
	}
	filter := operations.AuditFilter{Actor: ids.User(in.Actor), Kind: in.Kind, Entity: in.Entity, Range: r}
	items, next, err := s.deps.Ops.Administration.Audit(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}

func (s *Server) verifyAudit(ctx context.Context, _ *struct{}) (*one[operations.AuditProof], error) {
	proof, err := s.deps.Ops.Administration.VerifyAudit(ctx, whoOf(ctx))
	if err != nil {
		return nil, err
	}
	return &one[operations.AuditProof]{Body: proof}, nil
}
