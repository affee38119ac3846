package httpapi

import (
	"bytes"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/administration"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

func (s *Server) addContracts() {
	const tag = "Contracts"
	huma.Register(s.api, operation(http.MethodGet, "/v1/merchants", "list-merchants", tag, "Merchants by id"), s.merchants)
	huma.Register(s.api, operation(http.MethodGet, "/v1/merchants/{merchant}", "get-merchant", tag, "One merchant with shops and queues"), s.merchant)
	huma.Register(s.api, operation(http.MethodPut, "/v1/merchants/{merchant}", "put-merchant", tag, "Add or replace a merchant"), s.putMerchant)
	huma.Register(s.api, operation(http.MethodGet, "/v1/queues", "list-queues", tag, "Queues by id"), s.queues)
	huma.Register(s.api, operation(http.MethodGet, "/v1/contracts", "list-contracts", tag, "Contracts by id, each with all its versions"), s.contracts)
	huma.Register(s.api, operation(http.MethodGet, "/v1/contracts/{contract}", "get-contract", tag, "One contract with all its versions"), s.contract)
	huma.Register(s.api, operation(http.MethodPut, "/v1/contracts/{contract}", "put-contract", tag, "Add or replace a contract",
		describe("A version that is in force keeps its terms: end it and add a new one, or the answer is 409 contract.effective. Versions never overlap.")), s.putContract)
	huma.Register(s.api, operation(http.MethodPost, "/v1/contract-files", "apply-contracts", tag, "Apply a YAML file of merchants and contracts",
		describe("One transaction; the same file twice changes nothing. The body is the YAML text."), yamlBody, s.bounded), s.applyContracts)
}

// yamlBody describes a body that is YAML text.
func yamlBody(op *huma.Operation) {
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/yaml": {Schema: &huma.Schema{Type: huma.TypeString}},
	}}
	op.SkipValidateBody = true
}

// bounded lets the body be as long as the configuration says.
func (s *Server) bounded(op *huma.Operation) { op.MaxBodyBytes = s.cfg.BodyLimit }

type (
	merchantDoc = operations.Stored[contracts.Merchant]
	contractDoc = operations.Stored[contracts.Contract]
	agentDoc    = operations.Stored[agentView]
)

// agentView is an agent as a reader may see it: what is withheld is left out, which 0 would not say.
type agentView struct {
	workforce.Agent
	Wage     *money.Fen `json:"wage,omitempty" doc:"per ordinary hour"`
	Withheld []string   `json:"withheld,omitempty" doc:"fields that are left out because the reader may not see them"`
}

// agentSeen is how a principal sees a stored agent.
func agentSeen(who access.Principal, a operations.Stored[workforce.Agent]) agentDoc {
	doc := agentDoc{Value: agentView{Agent: a.Value}, Meta: a.Meta}
	if who.SeesTerms() {
		doc.Value.Wage = &a.Value.Wage
	} else {
		doc.Value.Withheld = []string{"wage", "conditions", "unavailable"}
	}
	return doc
}

func (s *Server) merchants(ctx context.Context, in *Paging) (*list[merchantDoc], error) {
	items, next, err := s.deps.Ops.Administration.Merchants(ctx, whoOf(ctx), in.page())
	return paged(ctx, items, next, err)
}

// MerchantPath is the address of a merchant.
type MerchantPath struct {
	Merchant string `path:"merchant" maxLength:"64"`
}

func (s *Server) merchant(ctx context.Context, in *MerchantPath) (*entity[merchantDoc], error) {
	m, err := s.deps.Ops.Administration.Merchant(ctx, whoOf(ctx), ids.Merchant(in.Merchant))
	if err != nil {
		return nil, err
	}
	return &entity[merchantDoc]{ETag: m.ETag(), Body: m}, nil
}

type putMerchantInput struct {
	MerchantPath
	Precondition
	Body contracts.Merchant
}

func (s *Server) putMerchant(ctx context.Context, in *putMerchantInput) (*entity[merchantDoc], error) {
	expect, err := in.expect()
	if err == nil {
		err = sameID(in.Merchant, string(in.Body.ID))
	}
	if err != nil {
		return nil, err
	}
	meta, err := s.deps.Ops.Administration.PutMerchant(ctx, whoOf(ctx), in.Body, expect)
	if err != nil {
		return nil, in.failed(err)
	}
	return &entity[merchantDoc]{ETag: meta.ETag(), Body: merchantDoc{Value: in.Body, Meta: meta}}, nil
}

// sameID refuses a body that is about something else than its address.
func sameID(path, body string) error {
	if path == body {
		return nil
	}
	return misshapen(fault.Field{Path: "id", Value: body, Problem: "must be the id in the address"})
}

type queuesInput struct {
	Paging
	Merchant string `query:"merchant" maxLength:"64"`
	Shop     string `query:"shop" maxLength:"64"`
	Channel  string `query:"channel" enum:"chat,call"`
}

func (s *Server) queues(ctx context.Context, in *queuesInput) (*list[operations.Queue], error) {
	filter := operations.QueueFilter{Merchant: ids.Merchant(in.Merchant), Shop: ids.Shop(in.Shop), Channel: in.Channel}
	items, next, err := s.deps.Ops.Administration.Queues(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}

type contractsInput struct {
	Paging
	Merchant string        `query:"merchant" maxLength:"64"`
	Shop     string        `query:"shop" maxLength:"64" doc:"some version covers this shop"`
	On       calendar.Date `query:"on" doc:"some version is in force on this date"`
}

func (s *Server) contracts(ctx context.Context, in *contractsInput) (*list[contractDoc], error) {
	filter := operations.ContractFilter{Merchant: ids.Merchant(in.Merchant), Shop: ids.Shop(in.Shop), On: in.On}
	items, next, err := s.deps.Ops.Administration.Contracts(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}

// ContractPath is the address of a contract.
type ContractPath struct {
	Contract string `path:"contract" maxLength:"64"`
}

func (s *Server) contract(ctx context.Context, in *ContractPath) (*entity[contractDoc], error) {
	c, err := s.deps.Ops.Administration.Contract(ctx, whoOf(ctx), ids.Contract(in.Contract))
	if err != nil {
		return nil, err
	}
	return &entity[contractDoc]{ETag: c.ETag(), Body: c}, nil
}

type putContractInput struct {
	ContractPath
	Precondition
	Body contracts.Contract
}

func (s *Server) putContract(ctx context.Context, in *putContractInput) (*entity[contractDoc], error) {
	expect, err := in.expect()
	if err == nil {
		err = sameID(in.Contract, string(in.Body.ID))
	}
	if err != nil {
		return nil, err
	}
	meta, err := s.deps.Ops.Administration.PutContract(ctx, whoOf(ctx), in.Body, expect)
	if err != nil {
		return nil, in.failed(err)
	}
	return &entity[contractDoc]{ETag: meta.ETag(), Body: contractDoc{Value: in.Body, Meta: meta}}, nil
}

type rawInput struct {
	Name    string `query:"name" maxLength:"255" default:"request.yaml" doc:"name of the file, for messages"`
	RawBody []byte
}

func (s *Server) applyContracts(ctx context.Context, in *rawInput) (*one[administration.Applied], error) {
	done, err := s.deps.Ops.Administration.ApplyContracts(ctx, whoOf(ctx), in.Name, bytes.NewReader(in.RawBody))
	if err != nil {
		return nil, err
	}
	return &one[administration.Applied]{Body: done}, nil
}

func (s *Server) addWorkforce() {
	const tag = "Workforce"
	huma.Register(s.api, operation(http.MethodGet, "/v1/sites", "list-sites", tag, "Sites (职场) by id"), s.sites)
	huma.Register(s.api, operation(http.MethodGet, "/v1/teams", "list-teams", tag, "Teams (班组) by id"), s.teams)
	huma.Register(s.api, operation(http.MethodPut, "/v1/places", "put-places", tag, "Add or replace sites and teams", status(http.StatusNoContent)), s.putPlaces)
	huma.Register(s.api, operation(http.MethodGet, "/v1/agents", "list-agents", tag, "Agents (客服) by id",
		describe("Wages, protected states and absences are for those who keep people on file, plan or decide requests; others hear which fields are withheld.")), s.agents)
	huma.Register(s.api, operation(http.MethodGet, "/v1/agents/{agent}", "get-agent", tag, "One agent"), s.agent)
	huma.Register(s.api, operation(http.MethodPut, "/v1/overtime-consents", "put-overtime-consents", tag, "Note that agents have agreed to overtime, or do so no longer",
		describe("For supervisors, planners and administrators. Holds for what is rostered, edited and offered from then on (劳动合同法 §31). The answer names the published shifts from today on that break rules by it (broken), and whose consent has no effect because the law bars the overtime itself (notes): late pregnancy, nursing, interns, minors.")), s.putConsents)
	huma.Register(s.api, operation(http.MethodPut, "/v1/agents", "put-agents", tag, "Add or replace agents; those not named stay", s.bounded,
		describe("The answer names the published shifts from today on that break rules by it.")), s.putAgents)
}

func (s *Server) sites(ctx context.Context, in *Paging) (*list[operations.Stored[workforce.Site]], error) {
	items, next, err := s.deps.Ops.Administration.Sites(ctx, whoOf(ctx), in.page())
	return paged(ctx, items, next, err)
}

type teamsInput struct {
	Paging
	Site string `query:"site" maxLength:"64"`
}

func (s *Server) teams(ctx context.Context, in *teamsInput) (*list[operations.Stored[workforce.Team]], error) {
	items, next, err := s.deps.Ops.Administration.Teams(ctx, whoOf(ctx), ids.Site(in.Site), in.page())
	return paged(ctx, items, next, err)
}

type placesInput struct {
	Body struct {
		Sites []workforce.Site `json:"sites,omitempty" maxItems:"1000"`
		Teams []workforce.Team `json:"teams,omitempty" maxItems:"10000"`
	}
}

func (s *Server) putPlaces(ctx context.Context, in *placesInput) (*struct{}, error) {
	return nil, s.deps.Ops.Administration.PutPlaces(ctx, whoOf(ctx), in.Body.Sites, in.Body.Teams)
}

type agentsInput struct {
	Paging
	Site  string        `query:"site" maxLength:"64"`
	Team  string        `query:"team" maxLength:"64"`
	Queue string        `query:"queue" maxLength:"64" doc:"holds a skill for this queue"`
	On    calendar.Date `query:"on" doc:"employed on this date"`
}

func (s *Server) agents(ctx context.Context, in *agentsInput) (*list[agentDoc], error) {
	filter := operations.AgentFilter{Site: ids.Site(in.Site), Team: ids.Team(in.Team), Queue: ids.Queue(in.Queue), On: in.On}
	items, next, err := s.deps.Ops.Administration.Agents(ctx, whoOf(ctx), filter, in.page())
	seen := make([]agentDoc, len(items))
	for i := range items {
		seen[i] = agentSeen(whoOf(ctx), items[i])
	}
	return paged(ctx, seen, next, err)
}

type agentPath struct {
	Agent string `path:"agent" maxLength:"64"`
}

func (s *Server) agent(ctx context.Context, in *agentPath) (*entity[agentDoc], error) {
	a, err := s.deps.Ops.Administration.Agent(ctx, whoOf(ctx), ids.Agent(in.Agent))
	if err != nil {
		return nil, err
	}
	return &entity[agentDoc]{ETag: a.ETag(), Body: agentSeen(whoOf(ctx), a)}, nil
}

type putAgentsInput struct {
	Body struct {
		Agents  []workforce.Agent `json:"agents" minItems:"1" maxItems:"20000"`
		PayFrom calendar.Date     `json:"pay_from,omitzero" required:"false" doc:"first day that changed wages and employments are paid by, up to 366 days ago; today unless given. Days before it keep their pay"`
	}
}

func (s *Server) putAgents(ctx context.Context, in *putAgentsInput) (*one[administration.AgentsPut], error) {
	return answered(s.deps.Ops.Administration.PutAgentsFrom(ctx, whoOf(ctx), in.Body.Agents, in.Body.PayFrom))
}

type consentsInput struct {
	Body struct {
		Agents []string `json:"agents" minItems:"1" maxItems:"20000"`
		Agreed bool     `json:"agreed"`
	}
}

func (s *Server) putConsents(ctx context.Context, in *consentsInput) (*one[requesting.FactsPut], error) {
	return answered(s.deps.Ops.Requesting.PutOvertimeConsent(ctx, whoOf(ctx), typed[ids.Agent](in.Body.Agents), in.Body.Agreed))
}
