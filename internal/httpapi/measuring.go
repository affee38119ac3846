package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

func (s *Server) addMeasuring() {
	const tag = "Measuring"
	text := describe("Each reading is a numerator over a denominator; add both to merge readings, never average values. " +
		"Figures by agent need their own permission; an agent gets its own. While the engine is down the answer is 503 with Retry-After.")
	huma.Register(s.api, operation(http.MethodGet, "/v1/kpi/query", "query-kpi", tag, "KPI figures", text), s.queryKPI)
	huma.Register(s.api, operation(http.MethodPost, "/v1/kpi/query", "post-kpi-query", tag, "KPI figures, for questions too long for an address", text), s.postKPI)
	huma.Register(s.api, operation(http.MethodGet, "/v1/kpi/metrics", "list-metrics", tag, "Metric definitions, every version"), s.metricList)
	huma.Register(s.api, operation(http.MethodGet, "/v1/metrics/{id}", "get-metric", tag, "One metric in full: every version in plain words",
		describe("What a reading's metric and version mean. A version joined with + is each of its parts in turn.")), s.metric)
	huma.Register(s.api, operation(http.MethodGet, "/v1/kpi/compare", "compare-kpi", tag, "One metric under two of its versions, with the difference",
		describe("Any period can be computed under any version. delta is the value under version_to minus that under version_from; for a share, points is the same in percentage points. "+
			"What no roll-up has is counted from raw events, which may take minutes."), long), s.compare)
	huma.Register(s.api, operation(http.MethodGet, "/v1/kpi/items", "list-kpi-items", tag, "What is behind a figure: each thing counted, or left out and why",
		describe("Conversation by conversation; a page may hold more than its limit. Of a metric that counts buyers of a day the lines are rounds: fold them by shop, date and buyer. Asking by agent needs the permission for figures by agent. Without it no agent is named; an agent gets its own."), long), s.items)
	huma.Register(s.api, operation(http.MethodGet, "/v1/conversations", "list-conversations", tag, "The conversations behind a figure, oldest first",
		describe("Asking by agent needs the permission for figures by agent. Without it no agent is named; an agent is not told of colleagues.")), s.conversations)
	huma.Register(s.api, operation(http.MethodGet, "/v1/kpi/freshness", "get-freshness", tag, "How new the figures are"), s.freshness)
	huma.Register(s.api, operation(http.MethodGet, "/v1/scorecards", "list-scorecards", tag, "Daily scorecards, newest day first; an agent sees its own"), s.scorecards)
}

// question is a KPI query as it travels, in a body.
type question struct {
	Metrics   []string  `json:"metrics" minItems:"1" maxItems:"50" doc:"ids of /v1/kpi/metrics"`
	Version   string    `json:"version,omitempty" maxLength:"64" doc:"pins the version of the definition, for any period; without it the one in force on each day"`
	Within    period    `json:"within,omitempty" doc:"limit of answered_within: 10s, 15s, 20s, 30s, 45s, 60s, 180s or 300s"`
	By        []string  `json:"by,omitempty" maxItems:"4" enum:"merchant,shop,queue,agent"`
	Grain     string    `json:"grain,omitempty" enum:"whole,slot,hour,day,month,slot_of_day" default:"whole"`
	From      time.Time `json:"from" doc:"first instant"`
	To        time.Time `json:"to" doc:"first instant that no longer counts"`
	Merchants []string  `json:"merchants,omitempty" maxItems:"1000"`
	Shops     []string  `json:"shops,omitempty" maxItems:"1000"`
	Queues    []string  `json:"queues,omitempty" maxItems:"1000"`
	Agents    []string  `json:"agents,omitempty" maxItems:"10000"`
	Window    string    `json:"window,omitempty" maxLength:"20" doc:"daily window 09:00-23:00, by start of the conversation"`
}

func (q question) query() (kpi.Query, error) {
	r, err := Span{From: q.From, To: q.To}.toRange()
	return kpi.Query{
		Metrics: typed[kpi.Metric](q.Metrics), Version: q.Version, Within: q.Within.d, By: typed[kpi.Dimension](q.By), Grain: kpi.Grain(q.Grain), Range: r,
		Merchants: typed[ids.Merchant](q.Merchants), Shops: typed[ids.Shop](q.Shops), Queues: typed[ids.Queue](q.Queues),
		Agents: typed[ids.Agent](q.Agents), Window: q.Window,
	}, err
}

// kpiInput is the same question in an address; lists are separated by commas.
type kpiInput struct {
	Metrics   []string  `query:"metrics" required:"true" minItems:"1" maxItems:"50"`
	Version   string    `query:"version" maxLength:"64" doc:"pins the version of the definition, for any period; without it the one in force on each day"`
	Within    period    `query:"within"`
	By        []string  `query:"by" enum:"merchant,shop,queue,agent"`
	Grain     string    `query:"grain" enum:"whole,slot,hour,day,month,slot_of_day" default:"whole"`
	From      time.Time `query:"from" required:"true"`
	To        time.Time `query:"to" required:"true"`
	Merchants []string  `query:"merchants"`
	Shops     []string  `query:"shops"`
	Queues    []string  `query:"queues"`
	Agents    []string  `query:"agents"`
	Window    string    `query:"window" maxLength:"20"`
}

func (s *Server) queryKPI(ctx context.Context, in *kpiInput) (*one[page[kpi.Reading]], error) {
	return s.figures(ctx, question(*in))
}

type postKPIInput struct{ Body question }

func (s *Server) postKPI(ctx context.Context, in *postKPIInput) (*one[page[kpi.Reading]], error) {
	return s.figures(ctx, in.Body)
}

func (s *Server) figures(ctx context.Context, q question) (*one[page[kpi.Reading]], error) {
	query, err := q.query()
	if err != nil {
		return nil, err
	}
	if query.Version != "" { // outside of its dates it is counted from raw events
		var done context.CancelFunc
		ctx, done = s.longer(ctx)
		defer done()
	}
	readings, err := s.deps.Ops.Measuring.Figures(ctx, whoOf(ctx), query)
	if err != nil {
		return nil, err
	}
	if readings == nil {
		readings = []kpi.Reading{}
	}
	return &one[page[kpi.Reading]]{Body: page[kpi.Reading]{Items: readings}}, nil
}

func (s *Server) metricList(ctx context.Context, _ *struct{}) (*one[page[kpi.Definition]], error) {
	all, err := s.deps.Ops.Measuring.Metrics(ctx, whoOf(ctx))
	if err != nil {
		return nil, err
	}
	return &one[page[kpi.Definition]]{Body: page[kpi.Definition]{Items: all}}, nil
}

type metricInput struct {
	ID      string `path:"id" maxLength:"64"`
	Version string `query:"version" maxLength:"64" doc:"only this version"`
}

func (s *Server) metric(ctx context.Context, in *metricInput) (*one[page[measuring.Explained]], error) {
	found, err := s.deps.Ops.Measuring.Metric(ctx, whoOf(ctx), kpi.Metric(in.ID), in.Version)
	if err != nil {
		return nil, err
	}
	return &one[page[measuring.Explained]]{Body: page[measuring.Explained]{Items: found}}, nil
}

type compareInput struct {
	Metric    string    `query:"metric" required:"true" maxLength:"64"`
	Was       string    `query:"version_from" required:"true" maxLength:"64"`
	Then      string    `query:"version_to" required:"true" maxLength:"64"`
	Within    period    `query:"within"`
	By        []string  `query:"by" enum:"merchant,shop,queue,agent"`
	Grain     string    `query:"grain" enum:"whole,slot,hour,day,month,slot_of_day" default:"whole"`
	From      time.Time `query:"from" required:"true"`
	To        time.Time `query:"to" required:"true"`
	Merchants []string  `query:"merchants"`
	Shops     []string  `query:"shops"`
	Queues    []string  `query:"queues"`
	Agents    []string  `query:"agents"`
}

func (s *Server) compare(ctx context.Context, in *compareInput) (*one[measuring.Comparison], error) {
	query, err := question{
		Metrics: []string{in.Metric}, Within: in.Within, By: in.By, Grain: in.Grain, From: in.From, To: in.To,
		Merchants: in.Merchants, Shops: in.Shops, Queues: in.Queues, Agents: in.Agents,
	}.query()
	if err != nil {
		return nil, err
	}
	c, err := s.deps.Ops.Measuring.Compare(ctx, whoOf(ctx), query, in.Was, in.Then)
	if err != nil {
		return nil, err
	}
	return &one[measuring.Comparison]{Body: c}, nil
}

type itemsInput struct {
	Paging
	Metric    string    `query:"metric" required:"true" maxLength:"64"`
	Version   string    `query:"version" maxLength:"64" doc:"without it the version in force on each day"`
	From      time.Time `query:"from" required:"true" doc:"by the instant that dates an item"`
	To        time.Time `query:"to" required:"true" doc:"at most 31 days after from"`
	Merchants []string  `query:"merchants"`
	Shops     []string  `query:"shops"`
	Queues    []string  `query:"queues"`
	Agents    []string  `query:"agents" doc:"who the item belongs to; needs the permission for figures by agent"`
}

func (s *Server) items(ctx context.Context, in *itemsInput) (*list[measuring.Item], error) {
	r, err := Span{From: in.From, To: in.To}.toRange()
	if err != nil {
		return nil, err
	}
	items, next, err := s.deps.Ops.Measuring.Items(ctx, whoOf(ctx), measuring.ItemQuery{
		Metric: kpi.Metric(in.Metric), Version: in.Version, Range: r, Merchants: typed[ids.Merchant](in.Merchants), Shops: typed[ids.Shop](in.Shops),
		Queues: typed[ids.Queue](in.Queues), Agents: typed[ids.Agent](in.Agents),
	}, in.page())
	return paged(ctx, items, next, err)
}

type conversationsInput struct {
	Paging
	From      time.Time `query:"from" required:"true" doc:"by start of the conversation"`
	To        time.Time `query:"to" required:"true" doc:"at most 92 days after from"`
	Merchants []string  `query:"merchants"`
	Shops     []string  `query:"shops"`
	Queues    []string  `query:"queues"`
	Agents    []string  `query:"agents" doc:"who answered first; needs the permission for figures by agent"`
}

func (s *Server) conversations(ctx context.Context, in *conversationsInput) (*list[chatlog.Conversation], error) {
	r, err := Span{From: in.From, To: in.To}.toRange()
	if err != nil {
		return nil, err
	}
	filter := operations.ConversationFilter{
		Range: r, Merchants: typed[ids.Merchant](in.Merchants), Shops: typed[ids.Shop](in.Shops), Queues: typed[ids.Queue](in.Queues),
		Agents: typed[ids.Agent](in.Agents),
	}
	items, next, err := s.deps.Ops.Measuring.Conversations(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}

func (s *Server) freshness(ctx context.Context, _ *struct{}) (*one[operations.Freshness], error) {
	f, err := s.deps.Ops.Measuring.Freshness(ctx, whoOf(ctx))
	if err != nil {
		return nil, err
	}
	return &one[operations.Freshness]{Body: f}, nil
}

type scorecardsInput struct {
	Paging
	Agent string        `query:"agent" maxLength:"64"`
	From  calendar.Date `query:"from" doc:"first day"`
	Until calendar.Date `query:"until" doc:"first day that no longer counts"`
}

func (s *Server) scorecards(ctx context.Context, in *scorecardsInput) (*list[operations.Scorecard], error) {
	filter := operations.ScorecardFilter{Agent: ids.Agent(in.Agent), Dates: calendar.Dates{From: in.From, Until: in.Until}}
	items, next, err := s.deps.Ops.Settling.Scorecards(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}
