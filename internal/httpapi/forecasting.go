package httpapi

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// addForecasting registers what happens to a forecast after it was made.
func (s *Server) addForecasting() {
	const tag = "Forecasting"
	huma.Register(s.api, operation(http.MethodGet, "/v1/forecasts/{forecast}/adjusted", "get-adjusted-forecast", tag, "One forecast with its adjustments on"), s.adjusted)
	huma.Register(s.api, operation(http.MethodGet, "/v1/forecasts/{forecast}/picture", "draw-forecast", tag, "One forecast as a picture (SVG), with what was adjusted, agreed, said by the client and what came", picture), s.drawForecast)
	huma.Register(s.api, operation(http.MethodPost, "/v1/forecasts/{forecast}/layers", "adjust-forecast", tag, "Adjust a forecast by percent, by contacts or to a total",
		describe("The version itself does not change: the adjustment lies on top of it, in order, and can be withdrawn."), status(http.StatusCreated), repeatable), s.adjust)
	huma.Register(s.api, operation(http.MethodGet, "/v1/forecast-layers", "list-forecast-layers", tag, "Adjustments by forecast, in their order, withdrawn ones included"), s.layers)
	huma.Register(s.api, operation(http.MethodPost, "/v1/forecast-layers/{layer}/withdrawal", "withdraw-forecast-layer", tag, "Take an adjustment back; it stays on record", repeatable), s.withdraw)
	huma.Register(s.api, operation(http.MethodPost, "/v1/forecasts/{forecast}/locks", "lock-forecast", tag, "Keep a forecast with its adjustments as agreed with the client for some days",
		describe("Nothing changes what was agreed. A later lock of the same days counts instead of it and needs a reason."), status(http.StatusCreated), repeatable), s.lockForecast)
	huma.Register(s.api, operation(http.MethodGet, "/v1/forecast-locks", "list-forecast-locks", tag, "What was agreed with clients, newest first, without the figures"), s.locks)
	huma.Register(s.api, operation(http.MethodGet, "/v1/forecast-locks/{lock}", "get-forecast-lock", tag, "What was agreed, with its figures"), s.lock)
	huma.Register(s.api, operation(http.MethodGet, "/v1/client-forecasts", "list-client-forecasts", tag, "What clients expect, newest first, without the curves"), s.clientForecasts)
	huma.Register(s.api, operation(http.MethodGet, "/v1/client-forecasts/{client_forecast}", "get-client-forecast", tag, "One client's forecast with its curve"), s.clientForecast)
	huma.Register(s.api, operation(http.MethodPost, "/v1/client-forecasts", "import-client-forecast", tag, "Import what a client expects",
		describe("A file in rows of a contact history (queue, start, slot, offered), as the whole body or as the part file of a form whose part mapping comes first. "+
			"Each queue in it gets its next version, unless the newest one says the same."), long), s.importClientForecast)
	describeUpload(s.api.OpenAPI().Paths["/v1/client-forecasts"].Post)
	huma.Register(s.api, operation(http.MethodGet, "/v1/forecast-comparison", "compare-forecasts", tag, "What the client expected, what was agreed, what we expected and what came"), s.compareForecasts)
	huma.Register(s.api, operation(http.MethodGet, "/v1/forecast-accuracy", "measure-forecast-accuracy", tag, "How good the forecasts of a queue were by how long before they were known", long), s.measureAccuracy)
	huma.Register(s.api, operation(http.MethodGet, "/v1/forecast-accuracy-records", "list-forecast-accuracy", tag, "What the nightly job measured, newest day first"), s.accuracies)
	huma.Register(s.api, operation(http.MethodGet, "/v1/backtests", "list-backtests", tag, "Back-tests, newest first, without their forecasts"), s.backtests)
	huma.Register(s.api, operation(http.MethodGet, "/v1/backtests/{backtest}", "get-backtest", tag, "One back-test with its forecasts"), s.backtest)
	huma.Register(s.api, operation(http.MethodPost, "/v1/backtests", "run-backtest", tag, "Forecast a queue from past origins and keep how good that was", status(http.StatusCreated), long, repeatable), s.runBacktest)
}

const pictureType = "image/svg+xml"

// picture describes an answer that is an SVG file.
func picture(op *huma.Operation) {
	op.Responses = map[string]*huma.Response{"200": {
		Description: "A picture", Content: map[string]*huma.MediaType{pictureType: {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
}

func (s *Server) adjusted(ctx context.Context, in *forecastPath) (*one[planning.AdjustedForecast], error) {
	f, err := s.deps.Ops.Planning.Adjusted(ctx, whoOf(ctx), ids.Forecast(in.Forecast))
	if err != nil {
		return nil, err
	}
	return &one[planning.AdjustedForecast]{Body: f}, nil
}

func (s *Server) drawForecast(ctx context.Context, in *forecastPath) (*drawing, error) {
	svg, err := s.deps.Ops.Planning.DrawForecast(ctx, whoOf(ctx), ids.Forecast(in.Forecast))
	if err != nil {
		return nil, err
	}
	return &drawing{ContentType: pictureType, Body: svg}, nil
}

// drawing is an answer that is a picture.
type drawing struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// target is which slots an adjustment touches.
type target struct {
	From   *time.Time     `json:"from,omitempty" doc:"first instant; with to"`
	To     *time.Time     `json:"to,omitempty" doc:"first instant that is not touched"`
	Day    *calendar.Date `json:"day,omitempty" doc:"first day; with until"`
	Until  *calendar.Date `json:"until,omitempty" doc:"first day that is not touched"`
	Family string         `json:"family,omitempty" maxLength:"100" doc:"an event that the forecast knows"`
	Start  *time.Time     `json:"start,omitempty" doc:"which occurrence, when there are several"`
	Phase  string         `json:"phase,omitempty" maxLength:"100" doc:"only this phase of the event"`
	Nth    int            `json:"nth,omitempty" minimum:"0" maximum:"100" doc:"only the n-th phase of the kind, from 1"`
}

func (t target) value() forecast.Target {
	return forecast.Target{
		Range: calendar.Range{Start: orZero(t.From), End: orZero(t.To)}, Days: calendar.Dates{From: orZero(t.Day), Until: orZero(t.Until)},
		Family: t.Family, Start: orZero(t.Start), Phase: t.Phase, Nth: t.Nth,
	}
}

func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

type adjustInput struct {
	Forecast string `path:"forecast" maxLength:"64"`
	Body     struct {
		Kind   string  `json:"kind" enum:"percent,absolute,set" doc:"percent: of every slot; absolute: contacts added; set: contacts there shall be"`
		Amount float64 `json:"amount" doc:"percent, or contacts"`
		Per    string  `json:"per,omitempty" enum:"target,day,slot" doc:"what an absolute or set amount is for; the whole target unless given"`
		Target target  `json:"target" doc:"exactly one of from and to, day and until, and family"`
		Reason string  `json:"reason" minLength:"1" maxLength:"2000"`
	}
}

func (s *Server) adjust(ctx context.Context, in *adjustInput) (*one[planning.Adjustment], error) {
	b := in.Body
	done, err := s.deps.Ops.Planning.Adjust(ctx, whoOf(ctx), planning.AdjustInput{
		Forecast: ids.Forecast(in.Forecast), Kind: forecast.LayerKind(b.Kind), Amount: b.Amount, Per: forecast.LayerPer(b.Per), Target: b.Target.value(), Reason: b.Reason,
	})
	if err != nil {
		return nil, err
	}
	return &one[planning.Adjustment]{Body: done}, nil
}

type layersInput struct {
	Paging
	Merchant string `query:"merchant" maxLength:"64"`
	Queue    string `query:"queue" maxLength:"64"`
	Forecast string `query:"forecast" maxLength:"64"`
}

func (s *Server) layers(ctx context.Context, in *layersInput) (*list[operations.ForecastLayer], error) {
	items, next, err := s.deps.Ops.Planning.Layers(ctx, whoOf(ctx), operations.LayerFilter{
		Merchant: ids.Merchant(in.Merchant), Queue: ids.Queue(in.Queue), Forecast: ids.Forecast(in.Forecast),
	}, in.page())
	return paged(ctx, items, next, err)
}

type withdrawInput struct {
	Layer string `path:"layer" maxLength:"64"`
	Body  struct {
		Reason string `json:"reason" minLength:"1" maxLength:"2000"`
	}
}

func (s *Server) withdraw(ctx context.Context, in *withdrawInput) (*one[planning.Adjustment], error) {
	done, err := s.deps.Ops.Planning.Withdraw(ctx, whoOf(ctx), ids.Layer(in.Layer), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &one[planning.Adjustment]{Body: done}, nil
}

type lockInput struct {
	Forecast string `path:"forecast" maxLength:"64"`
	Body     struct {
		From       calendar.Date  `json:"from" doc:"first day"`
		Until      calendar.Date  `json:"until" doc:"first day that no longer counts"`
		AgreedOn   *calendar.Date `json:"agreed_on,omitempty" doc:"today unless given; before the end of the days"`
		AgreedWith string         `json:"agreed_with,omitempty" maxLength:"200" doc:"who agreed for the client; required"`
		Note       string         `json:"note,omitempty" maxLength:"2000"`
		Reason     string         `json:"reason,omitempty" maxLength:"2000" doc:"needed when some of the days are locked already"`
	}
}

func (s *Server) lockForecast(ctx context.Context, in *lockInput) (*one[operations.ForecastLock], error) {
	b := in.Body
	kept, err := s.deps.Ops.Planning.LockForecast(ctx, whoOf(ctx), planning.LockInput{
		Forecast: ids.Forecast(in.Forecast), Dates: calendar.Dates{From: b.From, Until: b.Until}, AgreedOn: orZero(b.AgreedOn),
		AgreedWith: b.AgreedWith, Note: b.Note, Reason: b.Reason,
	})
	if err != nil {
		return nil, err
	}
	return &one[operations.ForecastLock]{Body: kept}, nil
}

type locksInput struct {
	Paging
	Merchant string        `query:"merchant" maxLength:"64"`
	Queue    string        `query:"queue" maxLength:"64"`
	From     calendar.Date `query:"from" doc:"first day"`
	Until    calendar.Date `query:"until" doc:"first day that no longer counts"`
}

func (s *Server) locks(ctx context.Context, in *locksInput) (*list[operations.ForecastLock], error) {
	items, next, err := s.deps.Ops.Planning.Locks(ctx, whoOf(ctx), operations.LockFilter{
		Merchant: ids.Merchant(in.Merchant), Queue: ids.Queue(in.Queue), Dates: calendar.Dates{From: in.From, Until: in.Until},
	}, in.page())
	return paged(ctx, items, next, err)
}

type lockPath struct {
	Lock string `path:"lock" maxLength:"64"`
}

func (s *Server) lock(ctx context.Context, in *lockPath) (*one[operations.ForecastLock], error) {
	l, err := s.deps.Ops.Planning.Lock(ctx, whoOf(ctx), ids.Lock(in.Lock))
	if err != nil {
		return nil, err
	}
	return &one[operations.ForecastLock]{Body: l}, nil
}

func (s *Server) clientForecasts(ctx context.Context, in *forecastsInput) (*list[operations.ClientForecast], error) {
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	items, next, err := s.deps.Ops.Planning.ClientForecasts(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}

type clientForecastPath struct {
	ClientForecast string `path:"client_forecast" maxLength:"64"`
}

func (s *Server) clientForecast(ctx context.Context, in *clientForecastPath) (*one[operations.ClientForecast], error) {
	f, err := s.deps.Ops.Planning.ClientForecast(ctx, whoOf(ctx), ids.ClientForecast(in.ClientForecast))
	if err != nil {
		return nil, err
	}
	return &one[operations.ClientForecast]{Body: f}, nil
}

// clientImport has no Body, as importInput has none.
type clientImport struct {
	Name     string    `query:"name" maxLength:"255" doc:"name of the file when the body is the file"`
	Queue    string    `query:"queue" maxLength:"64" doc:"of every row, for a file without a column for it"`
	Slot     string    `query:"slot" maxLength:"20" doc:"of every row, for a file without a column for it: 15m, 1h, 24h"`
	StatedAt time.Time `query:"stated_at" doc:"when the client said it; now unless given"`
	Note     string    `query:"note" maxLength:"2000"`
	Type     string    `header:"Content-Type"`
	Encoding string    `header:"Content-Encoding" enum:"identity,gzip"`

	body io.Reader
}

// Resolve is called by huma before the handler.
func (in *clientImport) Resolve(ctx huma.Context) []error {
	in.body = ctx.BodyReader()
	if deadline, ok := ctx.Context().Deadline(); ok {
		_ = ctx.SetReadDeadline(deadline) // a connection without deadlines is bounded by the context
	}
	return nil
}

func (s *Server) importClientForecast(ctx context.Context, in *clientImport) (*one[planning.ClientForecasted], error) {
	// Who may not plan does not fill the disk; the use case decides again.
	if _, err := access.Decide(whoOf(ctx), access.WritePlans); err != nil {
		return nil, err
	}
	var slot period
	if in.Slot != "" {
		if err := slot.UnmarshalText([]byte(in.Slot)); err != nil {
			return nil, err
		}
	}
	up := upload{limit: s.cfg.BodyLimit, mapping: operations.DefaultMapping(operations.ImportHistory)}
	defer up.Close()
	if err := up.receive(&importInput{Name: in.Name, Type: in.Type, Encoding: in.Encoding, body: in.body}); err != nil {
		return nil, err
	}
	done, err := s.deps.Ops.Planning.ImportClientForecast(ctx, whoOf(ctx), planning.ClientForecastInput{
		Source: up.source, Mapping: up.mapping, Queue: ids.Queue(in.Queue), Slot: slot.d, StatedAt: in.StatedAt, Note: in.Note,
	})
	if err != nil {
		return nil, err
	}
	return &one[planning.ClientForecasted]{Body: done}, nil
}

type comparisonInput struct {
	Queue    string        `query:"queue" required:"true" maxLength:"64"`
	From     calendar.Date `query:"from" required:"true" doc:"first day"`
	Until    calendar.Date `query:"until" required:"true" doc:"first day that no longer counts, at most 100 days after from"`
	By       string        `query:"by" enum:"day,slot" default:"day"`
	Forecast string        `query:"forecast" maxLength:"64" doc:"only this one; else for each time the newest that covers it"`
	Client   string        `query:"client_forecast" maxLength:"64" doc:"only this one; else for each time the newest that covers it"`
}

func (s *Server) compareForecasts(ctx context.Context, in *comparisonInput) (*one[planning.ForecastComparison], error) {
	c, err := s.deps.Ops.Planning.CompareForecasts(ctx, whoOf(ctx), planning.CompareInput{
		Queue: ids.Queue(in.Queue), Dates: calendar.Dates{From: in.From, Until: in.Until}, BySlot: in.By == "slot",
		Forecast: ids.Forecast(in.Forecast), Client: ids.ClientForecast(in.Client),
	})
	if err != nil {
		return nil, err
	}
	return &one[planning.ForecastComparison]{Body: c}, nil
}

type accuracyInput struct {
	Queue string        `query:"queue" required:"true" maxLength:"64"`
	From  calendar.Date `query:"from" required:"true" doc:"first day whose contacts are compared"`
	Until calendar.Date `query:"until" required:"true" doc:"first day that no longer counts, at most 100 days after from"`
}

func (s *Server) measureAccuracy(ctx context.Context, in *accuracyInput) (*one[operations.ForecastAccuracy], error) {
	a, err := s.deps.Ops.Planning.MeasureAccuracy(ctx, whoOf(ctx), planning.AccuracyInput{Queue: ids.Queue(in.Queue), Dates: calendar.Dates{From: in.From, Until: in.Until}})
	if err != nil {
		return nil, err
	}
	return &one[operations.ForecastAccuracy]{Body: a}, nil
}

type accuraciesInput struct {
	Paging
	Merchant string        `query:"merchant" maxLength:"64"`
	Queue    string        `query:"queue" maxLength:"64"`
	From     calendar.Date `query:"from" doc:"first day"`
	Until    calendar.Date `query:"until" doc:"first day that no longer counts"`
	Drifting bool          `query:"drifting" doc:"only those that found drift"`
}

func (s *Server) accuracies(ctx context.Context, in *accuraciesInput) (*list[operations.ForecastAccuracy], error) {
	items, next, err := s.deps.Ops.Planning.ForecastAccuracies(ctx, whoOf(ctx), operations.AccuracyFilter{
		Merchant: ids.Merchant(in.Merchant), Queue: ids.Queue(in.Queue), Dates: calendar.Dates{From: in.From, Until: in.Until}, Drifting: in.Drifting,
	}, in.page())
	return paged(ctx, items, next, err)
}

func (s *Server) backtests(ctx context.Context, in *forecastsInput) (*list[operations.ForecastBacktest], error) {
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	items, next, err := s.deps.Ops.Planning.Backtests(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}

type backtestPath struct {
	Backtest string `path:"backtest" maxLength:"64"`
}

func (s *Server) backtest(ctx context.Context, in *backtestPath) (*one[operations.ForecastBacktest], error) {
	b, err := s.deps.Ops.Planning.KeptBacktest(ctx, whoOf(ctx), ids.Backtest(in.Backtest))
	if err != nil {
		return nil, err
	}
	return &one[operations.ForecastBacktest]{Body: b}, nil
}

type backtestInput struct {
	Body struct {
		Queue      string    `json:"queue" maxLength:"64"`
		Slot       period    `json:"slot,omitempty" doc:"15m, or the grain of a coarser history"`
		Horizon    period    `json:"horizon" doc:"48h, 14d"`
		Step       period    `json:"step" doc:"distance of origins: 12h"`
		From       time.Time `json:"from" doc:"first origin"`
		To         time.Time `json:"to,omitempty" doc:"no forecast reaches beyond; the end of the data unless given"`
		TrainUntil time.Time `json:"train_until,omitempty" doc:"choose the model on data before it only"`
		Levels     []float64 `json:"levels,omitempty" maxItems:"19" doc:"quantiles; 0.1, 0.5 and 0.9 unless given"`
	}
}

func (s *Server) runBacktest(ctx context.Context, in *backtestInput) (*one[operations.ForecastBacktest], error) {
	b := in.Body
	kept, err := s.deps.Ops.Planning.Backtest(ctx, whoOf(ctx), planning.BacktestInput{
		Queue: ids.Queue(b.Queue), Slot: b.Slot.d, Horizon: b.Horizon.d, Step: b.Step.d, From: b.From, To: b.To, TrainUntil: b.TrainUntil, Levels: b.Levels,
	})
	if err != nil {
		return nil, err
	}
	return &one[operations.ForecastBacktest]{Body: kept}, nil
}
