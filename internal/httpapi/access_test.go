package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/operations/administration"
)

// columns is the order of the expected statuses. Every request is about the merchant lumi and its
// agent 1001; agent-orca and client-orca are the others.
var columns = []string{"admin", "planner", "supervisor", "quality", "agent-lumi", "agent-orca", "client-lumi", "client-orca"}

// statuses of one operation, one per column.
type statuses [8]int

// row is one operation of the API: how to ask for it about lumi, and what each role hears.
type row struct {
	path string
	body any
	want statuses
	// each makes the path for one caller, when the request needs something fresh.
	each func(t *testing.T, h *house, login string) (path string)
}

const (
	merchantLumi  = `{"id":"lumi","name":"鹿米家居","shops":[{"id":"lumi-tmall","name":"鹿米天猫旗舰店","platform":"tmall","queues":[{"id":"lumi-tmall/pre","skill":"pre","channel":"chat","hours":"Mon-Sun 09:00-18:00"}]}]}`
	contractLumi  = `{"id":"lumi-2027","merchant":"lumi","title":"鹿米","versions":[{"number":1,"from":"2099-01-01","shops":["lumi-tmall"],"terms":[{"id":"a","metric":"answered_within","within":"30s","direction":"at_least","target":0.5}],"prices":[{"id":"p","title":"p","base":"contact","amount":"1.00"}],"tax_rate":"6%"}]}`
	agentLumi     = `{"agents":[{"id":"1001","name":"客服1001","team":"t1","site":"hz","employment":"standard","employed":{"from":"2026-01-01"},"concurrency":3,"wage":"30.00","skills":[{"queue":"lumi-tmall/pre","from":"2026-01-01","level":1}]}]}`
	accountLumi   = `{"accounts":[{"platform":"tmall","shop":"lumi-tmall","account":"鹿米:小鹿","agent":"1001","from":"2026-05-01T00:00:00Z"}]}`
	questionLumi  = `{"metrics":["handled"],"from":"2026-05-01T00:00:00Z","to":"2026-06-01T00:00:00Z","merchants":["lumi"]}`
	kpiLumi       = "metrics=handled&from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z&merchants=lumi"
	reconcileLumi = "from=2026-05-01&until=2026-05-04&shops=lumi-tmall"
	leavePolicy   = `{"kinds":[{"kind":"annual","name":{"zh":"年休假","en":"annual leave"},"balance":true}],"quotas":[],"closures":[],"day_minutes":480,"auto_yuan":0,"short_yuan":100,"carry_months":12,"lieu_months":6,"swap_approval":true,"swap_days":7,"offer_to":5,"fair_days":90,"early_until":480,"late_from":1440}`
	userBody      = `{"login":"admin","name":"管理员","role":"administrator"}`
	newUser       = `{"login":"%s","name":"x","role":"quality","password":"` + password + `"}`
)

// Who may, as statuses: 2xx or, where the engine is needed and the test has none, 503; 404 where
// the thing does not exist and 422 where a file is no good, which only those hear who may ask.
func all(n int) statuses { return statuses{n, n, n, n, n, n, n, n} }

// whoMay is the table. It follows the roles as the founders describe them: an administrator may everything;
// a planner everything but users and audit; a supervisor reads and plans; quality reads and sees
// agents; an agent sees its own shifts and figures; a client its own merchant.
var whoMay = map[string]row{
	"me":                          {path: "/v1/me", want: all(200)},
	"login":                       {path: "/v1/session", body: `{"login":"admin","password":"` + password + `"}`, want: all(201)},
	"logout":                      {path: "/v1/session", want: all(204)},
	"list-merchants":              {path: "/v1/merchants", want: statuses{200, 200, 200, 200, 403, 403, 200, 200}},
	"get-merchant":                {path: "/v1/merchants/lumi", want: statuses{200, 200, 200, 200, 403, 403, 200, 404}},
	"put-merchant":                {path: "/v1/merchants/lumi", body: merchantLumi, want: statuses{200, 200, 403, 403, 403, 403, 403, 403}},
	"list-queues":                 {path: "/v1/queues", want: statuses{200, 200, 200, 200, 403, 403, 200, 200}},
	"list-contracts":              {path: "/v1/contracts", want: statuses{200, 200, 200, 200, 403, 403, 200, 200}},
	"get-contract":                {path: "/v1/contracts/lumi-2026", want: statuses{200, 200, 200, 200, 403, 403, 200, 404}},
	"put-contract":                {path: "/v1/contracts/lumi-2027", body: contractLumi, want: statuses{200, 200, 403, 403, 403, 403, 403, 403}},
	"apply-contracts":             {path: "/v1/contract-files", body: merchantsYAML, want: statuses{200, 200, 403, 403, 403, 403, 403, 403}},
	"list-sites":                  {path: "/v1/sites", want: statuses{200, 200, 200, 200, 403, 403, 403, 403}},
	"list-teams":                  {path: "/v1/teams", want: statuses{200, 200, 200, 200, 403, 403, 403, 403}},
	"put-places":                  {path: "/v1/places", body: `{"sites":[{"id":"hz","name":"杭州"}]}`, want: statuses{204, 204, 403, 403, 403, 403, 403, 403}},
	"list-agents":                 {path: "/v1/agents", want: statuses{200, 200, 200, 200, 403, 403, 403, 403}},
	"get-agent":                   {path: "/v1/agents/1001", want: statuses{200, 200, 200, 200, 403, 403, 403, 403}},
	"put-overtime-consents":       {path: "/v1/overtime-consents", body: `{"agents":["1001"],"agreed":true}`, want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"put-agents":                  {path: "/v1/agents", body: agentLumi, want: statuses{200, 200, 403, 403, 403, 403, 403, 403}},
	"list-forecasts":              {path: "/v1/forecasts", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"get-forecast":                {path: "/v1/forecasts/none", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"make-forecasts":              {path: "/v1/forecasts", body: `{"merchant":"lumi"}`, want: statuses{503, 503, 503, 403, 403, 403, 403, 403}},
	"get-adjusted-forecast":       {path: "/v1/forecasts/none/adjusted", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"draw-forecast":               {path: "/v1/forecasts/none/picture", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"adjust-forecast":             {path: "/v1/forecasts/none/layers", body: `{"kind":"percent","amount":10,"target":{"family":"618"},"reason":"x"}`, want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"list-forecast-layers":        {path: "/v1/forecast-layers", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"withdraw-forecast-layer":     {path: "/v1/forecast-layers/none/withdrawal", body: `{"reason":"x"}`, want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"lock-forecast":               {path: "/v1/forecasts/none/locks", body: `{"from":"2026-06-01","until":"2026-06-08","agreed_with":"Ms Chen"}`, want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"list-forecast-locks":         {path: "/v1/forecast-locks", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"get-forecast-lock":           {path: "/v1/forecast-locks/none", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"list-client-forecasts":       {path: "/v1/client-forecasts", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"get-client-forecast":         {path: "/v1/client-forecasts/none", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"import-client-forecast":      {path: "/v1/client-forecasts?name=x.csv", body: []byte("a,b\n1,2\n"), want: statuses{422, 422, 422, 403, 403, 403, 403, 403}},
	"compare-forecasts":           {path: "/v1/forecast-comparison?queue=lumi-tmall/pre&from=2026-06-01&until=2026-06-08", want: statuses{503, 503, 503, 403, 403, 403, 403, 403}},
	"measure-forecast-accuracy":   {path: "/v1/forecast-accuracy?queue=lumi-tmall/pre&from=2026-06-01&until=2026-06-08", want: statuses{503, 503, 503, 403, 403, 403, 403, 403}},
	"list-forecast-accuracy":      {path: "/v1/forecast-accuracy-records", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"list-backtests":              {path: "/v1/backtests", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"get-backtest":                {path: "/v1/backtests/none", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"run-backtest":                {path: "/v1/backtests", body: `{"queue":"lumi-tmall/pre","horizon":"48h","step":"24h","from":"2026-05-01T00:00:00Z"}`, want: statuses{503, 503, 503, 403, 403, 403, 403, 403}},
	"list-promotions":             {path: "/v1/promotions", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"put-promotions":              {path: "/v1/promotions", body: `{"items":[]}`, want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"list-plans":                  {path: "/v1/plans", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"get-plan":                    {path: "/v1/plans/none", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"make-plans":                  {path: "/v1/plans", body: `{"from":"2026-06-01","days":7}`, want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"explain-plan":                {path: "/v1/plans/none/explain?at=2026-06-01T02:00:00Z", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"draw-slot":                   {path: "/v1/plans/none/explain/picture?at=2026-06-01T02:00:00Z", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"draw-plan":                   {path: "/v1/plans/none/picture", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"list-scenarios":              {path: "/v1/scenarios", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"make-scenario":               {path: "/v1/scenarios", body: `{"name":"x","from":"2026-06-01","days":7}`, want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"get-scenario":                {path: "/v1/scenarios/none", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"delete-scenario":             {path: "/v1/scenarios/none", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"diff-scenarios":              {path: "/v1/scenarios/none/diff?other=none", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"draw-scenario":               {path: "/v1/scenarios/none/picture", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"promote-scenario":            {path: "/v1/scenarios/none/promote", body: `{}`, want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"list-rosters":                {path: "/v1/rosters", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"get-roster":                  {path: "/v1/rosters/none", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"get-roster-workbook":         {path: "/v1/rosters/none/workbook", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"make-roster":                 {path: "/v1/rosters", body: `{"from":"2026-06-01","days":7}`, want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"publish-roster":              {path: "/v1/rosters/none/publish", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"explain-roster":              {path: "/v1/rosters/none/explain?queue=lumi-tmall/pre", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"get-work-rules":              {path: "/v1/work-rules", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"set-work-rules":              {path: "/v1/work-rules", body: `{"set":{"rest_block":"9h"},"reason":"x"}`, want: statuses{200, 409, 403, 403, 403, 403, 403, 403}},
	"get-roster-pay":              {path: "/v1/rosters/none/pay?agent=1001", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"get-roster-csv":              {path: "/v1/rosters/none/csv", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"list-roster-revisions":       {path: "/v1/rosters/none/revisions", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"diff-rosters":                {path: "/v1/rosters/none/diff?other=none@2", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"edit-roster":                 {path: "/v1/rosters/none/shifts", body: `{"edits":[{"kind":"remove","agent":"1001","start":"2026-06-01T01:00:00Z"}],"reason":"x"}`, want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"repair-roster":               {path: "/v1/rosters/none/repair?dry=1", body: `{"past":true,"absent":[{"agent":"1001","from":"2026-06-01T00:00:00Z","to":"2026-06-02T00:00:00Z"}]}`, want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"list-acknowledgements":       {path: "/v1/rosters/none/acknowledgements", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"acknowledge-roster":          {path: "/v1/rosters/none/acknowledgements", body: `{"agent":"1001"}`, want: statuses{404, 404, 404, 403, 404, 403, 403, 403}},
	"get-calendar":                {path: "/v1/shifts/calendar?agent=1001", want: statuses{200, 200, 200, 403, 200, 403, 403, 403}},
	"list-calendar-feeds":         {path: "/v1/calendar-feeds", want: statuses{200, 200, 200, 403, 200, 200, 403, 403}},
	"add-calendar-feed":           {path: "/v1/calendar-feeds", body: `{"agent":"1001"}`, want: statuses{201, 201, 201, 403, 201, 403, 403, 403}},
	"revoke-calendar-feed":        {path: "/v1/calendar-feeds/none", want: statuses{404, 404, 404, 403, 404, 404, 403, 403}},
	"list-shifts":                 {path: "/v1/shifts", want: statuses{200, 200, 200, 403, 200, 200, 403, 403}},
	"list-requests":               {path: "/v1/requests", want: statuses{200, 200, 200, 403, 200, 200, 403, 403}},
	"get-request":                 {path: "/v1/requests/none", want: statuses{404, 404, 404, 403, 404, 404, 403, 403}},
	"step-request":                {path: "/v1/requests/none/steps", body: `{"action":"withdraw"}`, want: statuses{404, 404, 404, 403, 404, 404, 403, 403}},
	"ask-leave":                   {path: "/v1/leave-requests?dry=true", body: `{"agent":"1001","kind":"annual","first":"2030-01-04"}`, want: statuses{200, 200, 200, 403, 200, 403, 403, 403}},
	"propose-swap":                {path: "/v1/swaps?dry=true", body: `{"agent":"1001","start":"2030-01-04T01:00:00Z","other":"2001","other_start":"2030-01-05T01:00:00Z"}`, want: statuses{404, 404, 404, 403, 404, 403, 403, 403}},
	"give-shift":                  {path: "/v1/give-aways", body: `{"agent":"1001","start":"2030-01-04T01:00:00Z"}`, want: statuses{404, 404, 404, 403, 404, 403, 403, 403}},
	"offer-hours":                 {path: "/v1/offers?dry=true", body: `{"kind":"overtime","queue":"lumi-tmall/pre","from":"2030-01-04T01:00:00Z","to":"2030-01-04T02:00:00Z"}`, want: statuses{409, 409, 409, 403, 403, 403, 403, 403}},
	"open-bidding":                {path: "/v1/biddings", body: `{"method":"lottery","shifts":[{"start":"2030-01-04T01:00:00Z","end":"2030-01-04T05:00:00Z","queue":"lumi-tmall/pre"}]}`, want: statuses{409, 409, 409, 403, 403, 403, 403, 403}},
	"get-fairness":                {path: "/v1/fairness?from=2026-05-01&until=2026-05-08", want: statuses{200, 200, 200, 403, 200, 200, 403, 403}},
	"get-leave-policy":            {path: "/v1/leave-policy", want: statuses{200, 200, 200, 403, 200, 200, 403, 403}},
	"put-leave-policy":            {path: "/v1/leave-policy", body: leavePolicy, want: statuses{200, 200, 403, 403, 403, 403, 403, 403}},
	"list-leave-balances":         {path: "/v1/leave-balances", want: statuses{200, 200, 200, 403, 200, 200, 403, 403}},
	"list-leave-entries":          {path: "/v1/leave-entries", want: statuses{200, 200, 200, 403, 200, 200, 403, 403}},
	"grant-annual-leave":          {path: "/v1/leave-grants", body: `{"year":2026,"agents":["1001"]}`, want: statuses{201, 201, 201, 403, 403, 403, 403, 403}},
	"earn-leave":                  {path: "/v1/leave-earnings", body: `{"from":"2026-05-01","until":"2026-05-08"}`, want: statuses{201, 201, 201, 403, 403, 403, 403, 403}},
	"adjust-leave":                {path: "/v1/leave-adjustments", body: `{"agent":"1001","kind":"annual","minutes":60,"on":"2026-05-01","note":"x"}`, want: statuses{201, 201, 201, 403, 403, 403, 403, 403}},
	"list-person-facts":           {path: "/v1/person-facts", want: statuses{200, 200, 200, 403, 200, 200, 403, 403}},
	"put-person-facts":            {path: "/v1/person-facts", body: `{"facts":[{"agent":"1001","kind":"career","dates":{"from":"2015-01-01"}}]}`, want: statuses{200, 200, 403, 403, 403, 403, 403, 403}},
	"import-person-facts":         {path: "/v1/person-fact-files", body: []byte("agent,kind,code,from\n1001,certificate,lumi,2026-01-01\n"), want: statuses{200, 200, 403, 403, 403, 403, 403, 403}},
	"delete-person-fact":          {path: "/v1/person-facts/none", want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
	"acknowledge-pack":            {path: "/v1/pack-acknowledgements", body: `{"agent":"1001","pack":"none"}`, want: statuses{404, 404, 404, 403, 404, 403, 403, 403}},
	"get-queue-terms":             {path: "/v1/queue-terms", want: statuses{200, 200, 200, 403, 200, 200, 403, 403}},
	"put-queue-terms":             {path: "/v1/queue-terms", body: `{"terms":[]}`, want: statuses{200, 200, 403, 403, 403, 403, 403, 403}},
	"query-kpi":                   {path: "/v1/kpi/query?" + kpiLumi, want: statuses{503, 503, 503, 503, 503, 503, 503, 404}},
	"post-kpi-query":              {path: "/v1/kpi/query", body: questionLumi, want: statuses{503, 503, 503, 503, 503, 503, 503, 404}},
	"list-metrics":                {path: "/v1/kpi/metrics", want: all(200)},
	"get-metric":                  {path: "/v1/metrics/handled", want: all(200)},
	"compare-kpi":                 {path: "/v1/kpi/compare?metric=handled&version_from=neutral-1&version_to=neutral-1&from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z", want: all(503)},
	"list-kpi-items":              {path: "/v1/kpi/items?metric=ticket_on_time&from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z", want: all(503)},
	"get-freshness":               {path: "/v1/kpi/freshness", want: statuses{503, 503, 503, 503, 403, 403, 503, 503}},
	"list-conversations":          {path: "/v1/conversations?from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z", want: all(503)},
	"list-scorecards":             {path: "/v1/scorecards", want: statuses{200, 200, 200, 200, 200, 200, 403, 403}},
	"post-events":                 {path: "/v1/events", body: []byte("a,b\n"), want: statuses{400, 400, 403, 403, 403, 403, 403, 403}},
	"list-quarantine":             {path: "/v1/quarantine", want: statuses{200, 200, 403, 403, 403, 403, 403, 403}},
	"retry-quarantine":            {path: "/v1/quarantine/retry", body: `{}`, want: statuses{200, 200, 403, 403, 403, 403, 403, 403}},
	"drop-quarantine":             {path: "/v1/quarantine/none/drop", body: `{"reason":"x"}`, want: statuses{404, 404, 403, 403, 403, 403, 403, 403}},
	"list-accounts":               {path: "/v1/accounts", want: statuses{200, 200, 200, 200, 403, 403, 403, 403}},
	"put-accounts":                {path: "/v1/accounts", body: accountLumi, want: statuses{200, 200, 403, 403, 403, 403, 403, 403}},
	"delete-account":              {path: "/v1/accounts/none", want: statuses{404, 404, 403, 403, 403, 403, 403, 403}},
	"list-month-scorecards":       {path: "/v1/scorecards/months/2026-05", want: statuses{503, 503, 503, 503, 503, 503, 403, 403}},
	"freeze-scorecards":           {path: "/v1/scorecards/months/2026-05/freeze", want: statuses{503, 503, 403, 403, 403, 403, 403, 403}},
	"amend-scorecard":             {path: "/v1/scorecards/months/2026-05/amendments", body: `{"contract":"lumi-2026","agent":"1001","reason":"late data"}`, want: statuses{503, 503, 403, 403, 403, 403, 403, 403}},
	"list-freezes":                {path: "/v1/scorecards/freezes", want: statuses{200, 200, 200, 200, 200, 200, 403, 403}},
	"list-conversions":            {path: "/v1/kpi/conversions", want: statuses{200, 200, 200, 200, 403, 403, 200, 200}},
	"get-reconciliation":          {path: "/v1/kpi/reconciliation?" + reconcileLumi, want: statuses{503, 503, 503, 503, 403, 403, 503, 404}},
	"get-reconciliation-workbook": {path: "/v1/kpi/reconciliation/workbook?" + reconcileLumi, want: statuses{503, 503, 503, 503, 403, 403, 503, 404}},
	"list-reconciliations":        {path: "/v1/kpi/reconciliations", want: statuses{200, 200, 200, 200, 403, 403, 200, 200}},
	"preview-retention":           {path: "/v1/retention", want: statuses{503, 403, 403, 403, 403, 403, 403, 403}},
	"list-holds":                  {path: "/v1/retention/holds", want: statuses{503, 403, 403, 403, 403, 403, 403, 403}},
	"hold-retention":              {path: "/v1/retention/holds", body: `{"merchant":"lumi","reason":"dispute"}`, want: statuses{503, 403, 403, 403, 403, 403, 403, 403}},
	"release-retention":           {path: "/v1/retention/releases", body: `{"merchant":"lumi","reason":"over"}`, want: statuses{503, 403, 403, 403, 403, 403, 403, 403}},
	"list-deletions":              {path: "/v1/retention/deletions", want: statuses{503, 403, 403, 403, 403, 403, 403, 403}},
	"list-alerts":                 {path: "/v1/alerts", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"list-imports":                {path: "/v1/imports", want: statuses{200, 200, 200, 200, 403, 403, 200, 200}},
	"import-platform-file":        {path: "/v1/imports/platform?shop=lumi-tmall&name=x.csv", body: []byte("a,b\n1,2\n"), want: statuses{422, 422, 403, 403, 403, 403, 403, 403}},
	"list-platform-figures":       {path: "/v1/platform-figures?from=2026-05-01&until=2026-06-01", want: statuses{503, 503, 503, 503, 403, 403, 503, 503}},
	"import-file":                 {path: "/v1/imports/conversations?name=x.csv", body: []byte("a,b\n1,2\n"), want: statuses{422, 422, 403, 403, 403, 403, 403, 403}},
	"get-sla-report":              {path: "/v1/contracts/lumi-2026/reports/2026-05", want: statuses{503, 503, 503, 503, 403, 403, 503, 404}},
	"get-sla-workbook":            {path: "/v1/contracts/lumi-2026/reports/2026-05/workbook", want: statuses{503, 503, 503, 503, 403, 403, 503, 404}},
	"keep-sla-report":             {path: "/v1/contracts/lumi-2026/reports/2026-05", want: statuses{503, 503, 403, 403, 403, 403, 403, 403}},
	"list-reports":                {path: "/v1/reports", want: statuses{200, 200, 200, 200, 403, 403, 200, 200}},
	"get-report":                  {path: "/v1/reports/none", want: statuses{404, 404, 404, 404, 403, 403, 404, 404}},
	"get-report-workbook":         {path: "/v1/reports/none/workbook", want: statuses{404, 404, 404, 404, 403, 403, 404, 404}},
	"list-jobs":                   {path: "/v1/jobs", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"list-job-runs":               {path: "/v1/job-runs", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
	"run-job":                     {path: "/v1/jobs/count/runs", want: statuses{201, 201, 403, 403, 403, 403, 403, 403}},
	"list-users":                  {path: "/v1/users", want: statuses{200, 403, 403, 403, 403, 403, 403, 403}},
	"add-user":                    {path: "/v1/users", body: newUser, want: statuses{201, 403, 403, 403, 403, 403, 403, 403}},
	"put-user": {
		body: userBody, want: statuses{200, 403, 403, 403, 403, 403, 403, 403},
		each: func(t *testing.T, h *house, _ string) string { return "/v1/users/" + string(h.user(t, "admin")) },
	},
	"list-tokens": {path: "/v1/tokens", want: statuses{200, 403, 403, 403, 403, 403, 403, 403}},
	"issue-token": {path: "/v1/tokens", body: `{"name":"t","grants":["kpi:read"]}`, want: statuses{201, 403, 403, 403, 403, 403, 403, 403}},
	"revoke-token": {
		want: statuses{204, 403, 403, 403, 403, 403, 403, 403},
		each: func(t *testing.T, h *house, _ string) string {
			admin := access.Principal{User: h.user(t, "admin"), Role: access.Administrator}
			_, token, err := h.Administration.IssueToken(t.Context(), admin, administration.TokenInput{Name: "t", Grants: []access.Permission{access.ReadKPI}})
			require.NoError(t, err)
			return "/v1/tokens/" + string(token.ID)
		},
	},
	"list-audit":   {path: "/v1/audit", want: statuses{200, 403, 403, 403, 403, 403, 403, 403}},
	"verify-audit": {path: "/v1/audit/proof", want: statuses{200, 403, 403, 403, 403, 403, 403, 403}},
}

// methodsOf finds the method of each operation in the document that clients read.
func methodsOf(t *testing.T, h *house) map[string]string {
	t.Helper()
	methods := map[string]string{}
	for id, r := range routesOf(t, h) {
		methods[id] = r.method
	}
	return methods
}

// described is a route as the document has it.
type described struct {
	ID     string   `json:"operationId"`
	Tags   []string `json:"tags"`
	method string
}

func routesOf(t *testing.T, h *house) map[string]described {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]described `json:"paths"`
	}
	h.send(t, "GET", "/openapi.json", nil).into(t, &doc)
	routes := map[string]described{}
	for path, operations := range doc.Paths {
		for method, op := range operations {
			require.NotEmpty(t, op.ID, "%s %s", method, path)
			require.NotContains(t, routes, op.ID, "operation ids are unique")
			op.method = strings.ToUpper(method)
			routes[op.ID] = op
		}
	}
	return routes
}

// Every registered operation x every role x the own and the other merchant. An operation without
// a row fails, a row without an operation too.
func TestEveryOperationForEveryRole(t *testing.T) {
	h := open(t, nil)
	methods := methodsOf(t, h)
	h.user(t, "admin")
	for id := range whoMay {
		assert.Contains(t, methods, id, "the table has a row for an operation that is gone")
	}
	for id, method := range methods {
		r, ok := whoMay[id]
		if !ok {
			t.Errorf("operation %s (%s) has no row in the table of who may", id, method)
			continue
		}
		t.Run(id, func(t *testing.T) {
			if id != "login" {
				anonymous := h.send(t, method, address(t, h, r, "admin"), bodyFor(id, r, "nobody"))
				assert.Equal(t, http.StatusUnauthorized, anonymous.status, "without a login")
				assert.Contains(t, anonymous.header.Get("WWW-Authenticate"), "Bearer")
			}
			for i, login := range columns {
				a := h.ask(t, login, method, address(t, h, r, login), bodyFor(id, r, login))
				assert.Equal(t, r.want[i], a.status, "%s as %s: %s", id, login, a.body)
				if id == "logout" {
					delete(h.tokens, login)
				}
				if strings.HasSuffix(login, "-orca") && a.status < 300 {
					assert.NotContains(t, string(a.body), "lumi", "%s shows %s another merchant", id, login)
				}
				if a.status >= 400 {
					assert.NotEmpty(t, a.problem(t).Code)
				}
				if a.status == http.StatusServiceUnavailable {
					assert.NotEmpty(t, a.header.Get("Retry-After"))
				}
			}
		})
	}
}

// Whoever may not use a route hears that, and nothing of what is wrong with the body or the query: in the routes of
// rosters, leave and requests. Each of them says what right it needs.
func TestRightsComeBeforeTheBody(t *testing.T) {
	h := open(t, nil)
	h.user(t, "admin")
	asked := 0
	for id, route := range routesOf(t, h) {
		if !slices.ContainsFunc(route.Tags, func(tag string) bool { return tag == "Rosters" || tag == "Leave" || tag == "Requests" }) {
			continue
		}
		for i, login := range columns {
			role, _, _ := strings.Cut(login, "-") // whether one of a role may can hang on the agent in the body
			may := func(k int) bool {
				return strings.HasPrefix(columns[k], role) && whoMay[id].want[k] != http.StatusForbidden
			}
			if may(i) || may(max(0, i-1)) || may(min(len(columns)-1, i+1)) {
				continue
			}
			asked++
			path := address(t, h, whoMay[id], login)
			if route.method != http.MethodGet && route.method != http.MethodDelete {
				a := h.ask(t, login, route.method, path, `{"nonsense": [1}`)
				assert.Equal(t, http.StatusForbidden, a.status, "%s as %s: %s", id, login, a.body)
			}
			mark := "?"
			if strings.Contains(path, "?") {
				mark = "&"
			}
			a := h.ask(t, login, route.method, path+mark+"nonsense=1", bodyFor(id, whoMay[id], login))
			assert.Equal(t, http.StatusForbidden, a.status, "%s as %s: %s", id, login, a.body)
		}
	}
	assert.Greater(t, asked, 100)
}

func address(t *testing.T, h *house, r row, login string) string {
	t.Helper()
	if r.each != nil {
		return r.each(t, h, login)
	}
	return r.path
}

func bodyFor(id string, r row, login string) any {
	if id == "add-user" {
		return fmt.Sprintf(r.body.(string), "new-"+login)
	}
	return r.body
}

// A machine token carries its owner's role cut down to its grants.
func TestTokenCarriesOnlyItsGrants(t *testing.T) {
	h := open(t, nil)
	var issued struct {
		Secret string `json:"secret"`
	}
	h.ask(t, "admin", "POST", "/v1/tokens", map[string]any{"name": "bi", "user": h.user(t, "client-lumi"), "grants": []string{"contracts:read"}}).into(t, &issued)
	require.True(t, strings.HasPrefix(issued.Secret, "cbt_"))
	bearer := []string{"Authorization", "Bearer " + issued.Secret}
	for path, want := range map[string]int{
		"/v1/merchants/lumi": 200, "/v1/merchants/orca": 404, "/v1/reports": 403, "/v1/users": 403, "/v1/kpi/query?" + kpiLumi: 403,
	} {
		assert.Equal(t, want, h.send(t, "GET", path, nil, bearer...).status, path)
	}
	var tokens struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	h.ask(t, "admin", "GET", "/v1/tokens", nil).into(t, &tokens)
	require.Len(t, tokens.Items, 1)
	assert.Equal(t, 204, h.ask(t, "admin", "DELETE", "/v1/tokens/"+tokens.Items[0].ID, nil).status)
	assert.Equal(t, 401, h.send(t, "GET", "/v1/me", nil, bearer...).status, "revoked")
}
