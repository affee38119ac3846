# Chaoban (潮班). `make` alone lists the targets.

GO              ?= go
BIN             := bin/chaoban
VERSION         ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
DATA            ?= ./data
PKG             ?= ./...
FUZZTIME        ?= 30s
BENCH           ?= .

# Size of the warehouse that bench-warehouse generates; 12 conversations have 100 messages.
CHAOBAN_MESSAGES ?= 100000000
GOLANGCI_LINT   := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# Pure Go: the engine is loaded without cgo, so a C compiler is never needed (only by `make race`).
export CGO_ENABLED ?= 0

# Packages tested at once. Several of them start a ClickHouse engine and a PostgreSQL each; more of
# those than cores starve one another, and timeouts then fail instead of faults.
TEST_PARALLEL   ?= 3
TEST_TIMEOUT    ?= 15m

LDFLAGS         := -X github.com/chaoban/chaoban/internal/cli.Version=$(VERSION)

.DEFAULT_GOAL := help
.PHONY: help build run demo test race integration fuzz bench bench-forecast bench-roster bench-staffing bench-warehouse lint fmt engine clean need-go

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: need-go ## build bin/chaoban
	@mkdir -p bin
	$(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/chaoban

run: engine build ## fetch what is missing, build, load the demo on the first start and serve on 127.0.0.1:8080
	@exec $(BIN) serve --data $(DATA) --demo

demo: engine build ## as run, on a fresh demo in bin/demo-data; ./data is not touched
	@rm -rf bin/demo-data
	@exec $(BIN) serve --data bin/demo-data --demo

test: engine need-go ## all tests (engine included; PostgreSQL too where it is installed)
	@$(GO) build ./...
	$(GO) test -p $(TEST_PARALLEL) -timeout $(TEST_TIMEOUT) $(PKG)

race: need-go ## tests under the race detector, in the packages that start no engine (needs a C compiler)
	@command -v cc >/dev/null || { echo 'make race needs a C compiler (cc)' >&2; exit 1; }
	@packages=$$(scripts/packages.sh without-engine) && \
		CGO_ENABLED=1 $(GO) test -race -timeout 20m $$packages

integration: engine need-go ## tests of the packages that need a server; a missing server is an error
	@packages=$$(scripts/packages.sh with-server) && \
		CI=true $(GO) test -count=1 -p $(TEST_PARALLEL) -timeout $(TEST_TIMEOUT) $$packages

fuzz: need-go ## each fuzz target for FUZZTIME (30s)
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

bench-roster: need-go ## rosters against published results; CHAOBAN_ROSTER_SECONDS=600 for the full bars
	$(GO) test -run '^$$' -bench . -benchtime 1x -benchmem -timeout 6h -v ./scheduling/roster/... ./internal/operations/rostering

bench: engine need-go ## benchmarks; BENCH=Erlang PKG=./scheduling/... narrows them down
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -p 1 -timeout 30m $(PKG)

bench-forecast: need-go ## accuracy and speed of forecasts beside the best peers (real data where they are: CHAOBAN_SHARED_DATA)
	$(GO) test -run '^$$' -bench Forecast -benchtime 1x -benchmem -timeout 30m -v ./scheduling/forecast

bench-staffing: need-go ## accuracy and speed of staffing beside the bars
	$(GO) test -run '^$$' -bench Staffing -benchtime 1x -benchmem -timeout 60m -v ./scheduling/staffing/...

bench-warehouse: engine need-go ## figures on 100 million messages (CHAOBAN_MESSAGES); make bench takes 2 million
	CHAOBAN_MESSAGES=$(CHAOBAN_MESSAGES) $(GO) test -run '^$$' -bench Scale -benchtime 1x -timeout 3h ./kpi/warehouse

lint: need-go ## go vet, formatting, golangci-lint (compiled on first use: about 2 minutes)
	$(GO) vet ./...
	@unformatted=$$(gofmt -l $$(scripts/gofiles.sh)); \
		if [ -n "$$unformatted" ]; then echo "not gofmt-ed (make fmt):"; echo "$$unformatted"; exit 1; fi
	$(GO) run $(GOLANGCI_LINT) run

fmt: need-go ## format the code as lint wants it
	gofmt -w $$(scripts/gofiles.sh)
	$(GO) run $(GOLANGCI_LINT) fmt

engine: ## fetch the embedded ClickHouse engine into the user cache (180 MB, once)
	@scripts/engine.sh

clean: ## delete what was built; data and caches stay
	rm -rf bin coverage.out

need-go:
	@scripts/need-go.sh $(GO)
