package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/scheduling/roster"
)

func (s *Server) addRosters() {
	const tag = "Rosters"
	huma.Register(s.api, operation(http.MethodGet, "/v1/rosters", "list-rosters", tag, "Rosters, newest first, without their shifts"), s.rosters)
	huma.Register(s.api, operation(http.MethodGet, "/v1/rosters/{roster}/workbook", "get-roster-workbook", tag, "One roster as xlsx", workbook), s.rosterWorkbook)
	huma.Register(s.api, operation(http.MethodGet, "/v1/rosters/{roster}/csv", "get-roster-csv", tag, "One roster as CSV, a row for each shift", csvFile), s.rosterCSV)
	huma.Register(s.api, operation(http.MethodGet, "/v1/rosters/{roster}", "get-roster", tag, "One roster with its shifts and what stays short; with revision as it was then. The figures are those it was made with"), s.roster)
	huma.Register(s.api, operation(http.MethodGet, "/v1/rosters/{roster}/explain", "explain-roster", tag, "What is short in a roster as it is, why nobody fills it and what would",
		describe("Reasons for every stretch that is short; fixes for the dearest, or for every one that is asked about with queue and at, or for all with all_fixes, which takes a while."), long), s.explainRoster)
	huma.Register(s.api, operation(http.MethodPost, "/v1/rosters", "make-roster", tag, "Solve a roster and keep it as a draft",
		status(http.StatusCreated), long, repeatable), s.makeRoster)
	huma.Register(s.api, operation(http.MethodPost, "/v1/rosters/{roster}/publish", "publish-roster", tag, "Make a draft binding",
		describe("Every shift is judged by the rules once more; published rosters of the same days are archived. The answer tells the soft rules that break; "+
			"new breaches of those that rest on law, as work on a statutory holiday without agreement, need overrule and a reason. A roster that takes the place of another one, of which it is no copy and to which something was done since, "+
			"is refused (409 roster.replaces) with what would be lost, until replace and a reason say that it is meant.")), s.publishRoster)
	huma.Register(s.api, operation(http.MethodGet, "/v1/rosters/{roster}/pay", "get-roster-pay", tag, "Hours of a roster at 100, 150, 200 and 300 % of the wage by agent and date, with yuan",
		describe("Each day by the rules and the wage that held on it. A salary pays the hours at 100 %, so its yuan are what comes on top (劳动法 §44), less hours that it is cut for; rest-day work that is given back as time off is not paid 200 %.")), s.rosterPay)
	huma.Register(s.api, operation(http.MethodGet, "/v1/work-rules", "get-work-rules", tag, "The parameters of the rules, where each value comes from, and every version of them"), s.workRules)
	huma.Register(s.api, operation(http.MethodPatch, "/v1/work-rules", "set-work-rules", tag, "Set parameters of the rules by name, or put them back to their defaults",
		describe("For planners and administrators. Such as special_dates 2026-11-10:2026-11-12 (the last day included), rest_block 9h, consecutive_days 5, shops_at_once 12. Each setting says what is law of it (law): a value on the lax side is refused. "+
			"It holds at once for every roster, edit, swap and leave that is judged from then on; the answer names the published shifts from today on that break rules by it (broken).")), s.setWorkRules)
	s.addRosterLife()
	huma.Register(s.api, operation(http.MethodGet, "/v1/shifts", "list-shifts", tag, "Shifts by start; an agent sees its own published ones"), s.shifts)
}

type rostersInput struct {
	Paging
	Span
	State string `query:"state" enum:"draft,published,archived"`
}

func (s *Server) rosters(ctx context.Context, in *rostersInput) (*list[operations.Roster], error) {
	r, err := in.toRange()
	if err != nil {
		return nil, err
	}
	filter := operations.RosterFilter{State: operations.RosterState(in.State), Range: r}
	items, next, err := s.deps.Ops.Rostering.Rosters(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}

// RosterPath is the address of a roster.
type RosterPath struct {
	Roster string `path:"roster" maxLength:"64"`
}

type rosterAtInput struct {
	RosterPath
	Revision int `query:"revision" minimum:"0" doc:"0 or missing: the newest"`
}

func (s *Server) roster(ctx context.Context, in *rosterAtInput) (*entity[operations.Roster], error) {
	r, err := s.deps.Ops.Rostering.RosterAt(ctx, whoOf(ctx), ids.Roster(in.Roster), in.Revision)
	if err != nil {
		return nil, err
	}
	return &entity[operations.Roster]{ETag: r.ETag(), Body: r}, nil
}

func (s *Server) rosterWorkbook(ctx context.Context, in *RosterPath) (*file, error) {
	body, err := s.deps.Ops.Rostering.RosterWorkbook(ctx, whoOf(ctx), ids.Roster(in.Roster))
	return attachment("roster-"+in.Roster+".xlsx", body, err)
}

type rosterCSVInput struct {
	RosterPath
	Language string `query:"language" enum:"en,zh" doc:"of the headings and parts; en unless given"`
}

func (s *Server) rosterCSV(ctx context.Context, in *rosterCSVInput) (*file, error) {
	body, err := s.deps.Ops.Rostering.RosterCSV(ctx, whoOf(ctx), ids.Roster(in.Roster), rostering.Language(in.Language))
	answer, err := attachment("roster-"+in.Roster+".csv", body, err)
	if err == nil {
		answer.ContentType = csvType
	}
	return answer, err
}

const csvType = "text/csv; charset=utf-8"

// csvFile describes an answer that is a table as text.
func csvFile(op *huma.Operation) { textAnswer(op, csvType, "A table") }

// textAnswer describes an answer that is a text of some type.
func textAnswer(op *huma.Operation, kind, what string) {
	op.Responses = map[string]*huma.Response{"200": {
		Description: what, Content: map[string]*huma.MediaType{kind: {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
}

type rosterInput struct {
	Body struct {
		Title      string             `json:"title,omitempty" maxLength:"200"`
		From       calendar.Date      `json:"from" doc:"first day"`
		Days       int                `json:"days" doc:"1 to 62"`
		Of         string             `json:"of,omitempty" maxLength:"64" doc:"make only these days of this roster anew; its other days stay"`
		Past       bool               `json:"past,omitempty" doc:"with of: a day that has begun may be made anew, as a correction"`
		Plans      []string           `json:"plans,omitempty" maxItems:"1000" doc:"empty: the newest plan of every queue for the days"`
		Seed       uint64             `json:"seed,omitempty"`
		Iterations int                `json:"iterations,omitempty" minimum:"0" maximum:"100000000" doc:"search budget; the same seed and iterations give the same roster"`
		Time       period             `json:"time,omitempty" doc:"stop after this, at most 9m"`
		Threads    int                `json:"threads,omitempty" doc:"2 unless given"`
		Weights    map[string]float64 `json:"weights,omitempty" doc:"short, depth, over, wage, min_work, fairness, preference, stability, soft_rule or switch in yuan; others are the house's. They stay with the roster and price what changes it"`
		MinBlock   *period            `json:"min_block,omitempty" doc:"least time on one queue between two pauses or changes of queue, 1h unless given; 0s = none"`
	}
}

// rosterTime keeps a search within the deadline of a long operation.
const rosterTime = 9 * time.Minute

func (s *Server) makeRoster(ctx context.Context, in *rosterInput) (*one[rostering.RosterMade], error) {
	b := in.Body
	if d := b.Time.d; d < 0 || d > rosterTime {
		return nil, fault.Bad("roster.input", "roster", []fault.Field{{Path: "time", Value: d.String(), Problem: "must be from 0s to 9m"}})
	}
	var block *time.Duration
	if b.MinBlock != nil {
		block = &b.MinBlock.d
	}
	made, err := s.deps.Ops.Rostering.MakeRoster(ctx, whoOf(ctx), rostering.RosterInput{
		Title: b.Title, Of: ids.Roster(b.Of), Past: b.Past, From: b.From, Days: b.Days, Plans: typed[ids.Plan](b.Plans), Seed: b.Seed, Iterations: b.Iterations,
		Time: b.Time.d, Threads: b.Threads, Weights: b.Weights, MinBlock: block,
	})
	if err != nil {
		return nil, err
	}
	return &one[rostering.RosterMade]{Body: made}, nil
}

type publishInput struct {
	RosterPath
	Precondition
	Body *struct {
		Overrule bool   `json:"overrule,omitempty" doc:"publish although soft rules that rest on law break"`
		Replace  bool   `json:"replace,omitempty" doc:"archive the published roster of these days although swaps, edits, repairs or acknowledgements of it are lost"`
		Reason   string `json:"reason,omitempty" maxLength:"2000" doc:"needed with overrule and replace; kept in the trail"`
	}
}

func (s *Server) publishRoster(ctx context.Context, in *publishInput) (*entity[rostering.Published], error) {
	expect, err := in.expect()
	if err != nil {
		return nil, err
	}
	ask := rostering.PublishInput{Roster: ids.Roster(in.Roster), Expect: expect}
	if in.Body != nil {
		ask.Overrule, ask.Replace, ask.Reason = in.Body.Overrule, in.Body.Replace, in.Body.Reason
	}
	r, err := s.deps.Ops.Rostering.PublishRoster(ctx, whoOf(ctx), ask)
	if err != nil {
		return nil, in.failed(err)
	}
	return &entity[rostering.Published]{ETag: r.ETag(), Body: r}, nil
}

type rosterPayInput struct {
	RosterPath
	Revision int    `query:"revision" minimum:"0" doc:"0 or missing: the newest"`
	Agent    string `query:"agent" maxLength:"64" doc:"empty: all who work in it"`
}

func (s *Server) rosterPay(ctx context.Context, in *rosterPayInput) (*one[rostering.RosterPay], error) {
	p, err := s.deps.Ops.Rostering.PayRoster(ctx, whoOf(ctx), rostering.Ref{Roster: ids.Roster(in.Roster), Revision: in.Revision}, ids.Agent(in.Agent))
	if err != nil {
		return nil, err
	}
	return &one[rostering.RosterPay]{Body: p}, nil
}

type shiftsInput struct {
	Paging
	Span
	Roster string `query:"roster" maxLength:"64"`
	State  string `query:"state" enum:"draft,published,archived" doc:"of the roster"`
	Agent  string `query:"agent" maxLength:"64"`
	Site   string `query:"site" maxLength:"64"`
	Team   string `query:"team" maxLength:"64"`
}

func (s *Server) shifts(ctx context.Context, in *shiftsInput) (*list[operations.Shift], error) {
	r, err := in.toRange()
	if err != nil {
		return nil, err
	}
	filter := operations.ShiftFilter{
		Roster: ids.Roster(in.Roster), State: operations.RosterState(in.State), Agent: ids.Agent(in.Agent), Site: ids.Site(in.Site),
		Team: ids.Team(in.Team), Range: r,
	}
	items, next, err := s.deps.Ops.Rostering.Shifts(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}

func (s *Server) workRules(ctx context.Context, _ *struct{}) (*entity[rostering.HouseRules], error) {
	rules, err := s.deps.Ops.Rostering.HouseRules(ctx, whoOf(ctx))
	if err != nil {
		return nil, err
	}
	return &entity[rostering.HouseRules]{ETag: versionTag(rules.Version), Body: rules}, nil
}

type workRulesInput struct {
	Precondition
	Body struct {
		Set    map[string]string `json:"set,omitempty" doc:"values by name, as GET shows them"`
		Reset  []string          `json:"reset,omitempty" maxItems:"100" doc:"names that go back to their defaults"`
		Reason string            `json:"reason" minLength:"1" maxLength:"500" doc:"kept with the version"`

		PayFrom calendar.Date `json:"pay_from,omitzero" required:"false" doc:"first day that is paid by what set and reset name, up to 366 days ago; today unless given. Days before it keep their pay, and all other settings pay as they did on each day"`
	}
}

func (s *Server) setWorkRules(ctx context.Context, in *workRulesInput) (*entity[rostering.HouseRules], error) {
	expect, err := in.expect()
	if err != nil {
		return nil, err
	}
	rules, err := s.deps.Ops.Rostering.SetHouseRules(ctx, whoOf(ctx), rostering.HouseRulesInput{
		Set: in.Body.Set, Reset: in.Body.Reset, Reason: in.Body.Reason, Expect: expect, PayFrom: in.Body.PayFrom,
	})
	if err != nil {
		return nil, in.failed(err)
	}
	return &entity[rostering.HouseRules]{ETag: versionTag(rules.Version), Body: rules}, nil
}

type explainRosterInput struct {
	RosterPath
	Revision int       `query:"revision" minimum:"0" doc:"0 or missing: the newest"`
	Queue    string    `query:"queue" maxLength:"64" doc:"only what is short on this queue"`
	At       time.Time `query:"at" doc:"only what is short at this instant"`
	AllFixes bool      `query:"all_fixes" doc:"fixes for every stretch"`
}

func (s *Server) explainRoster(ctx context.Context, in *explainRosterInput) (*one[rostering.RosterExplained], error) {
	return answered(s.deps.Ops.Rostering.ExplainRoster(ctx, whoOf(ctx), rostering.Ref{Roster: ids.Roster(in.Roster), Revision: in.Revision},
		roster.Question{Queue: ids.Queue(in.Queue), At: in.At, AllFixes: in.AllFixes}))
}
