# `make` prints the targets. Running and testing need only Go; generating and linting also need Node, for buf.
# There is no root module: "work" below is Go's name for every package of every module in go.work.

MODULES := proto epcis ledger services loadtest
# Modules outside go.work: what they need must not raise a version of ours.
APART   := deploy tools

# What the tests run with, for example: make test PKG=./ledger/custody TESTFLAGS='-run Receive -count=10'
PKG       ?= work
TIMEOUT   ?= 15m
TESTFLAGS ?=
# The race detector needs a C compiler; Go says whether there is one.
RACE      ?= $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)
# One fuzz target, for a while: make fuzz FUZZ=ParseSGTIN FUZZTIME=5m
FUZZ      ?= .
FUZZTIME  ?= 20s
BENCH     ?= .
# Where `make run` keeps its network, and anything else to tell the command: make run ARGS='--ports-base 9000'
DATA      ?= data/network
ARGS      ?=
# The release that wire formats and golden vectors must stay compatible with.
BASE      ?= $(shell git describe --tags --abbrev=0 --match 'v*' 2>/dev/null)

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS   += --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

LINT       := bin/tools/golangci-lint
PROTOC_GEN := bin/tools/protoc-gen-go
TOTALS     := bin/tools/testtotals
BUF        := tools/node_modules/.bin/buf

# Modules that hold Go code, and those whose code is not all generated.
GO_MODULES   = $(foreach m,$(MODULES),$(if $(shell find $(m) -name '*.go' -print -quit),$(m)))
LINT_MODULES = $(filter-out proto,$(GO_MODULES)) $(APART)

# $(call each,modules,command) runs the command in every module, to the end, and fails if one did.
each = rc=0; for m in $(1); do echo "--- $$m"; (cd $$m; $(2)) || rc=1; done; exit $$rc

##@ Use

.PHONY: help
help: ## Print this
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: web-if-node build ## Start a whole network on this machine, with a national story on first start, kept in data/
	./bin/verilot demo --data $(DATA) $(ARGS)

.PHONY: demo
demo: build ## The same, thrown away when it stops
	./bin/verilot demo --ephemeral $(ARGS)

.PHONY: build
build: ## Build bin/verilot
	go build -o bin/ ./services/cmd/verilot

##@ Develop

.PHONY: test
test: $(TOTALS) ## Every test, with the race detector; needs nothing but Go
	@rm -f bin/test-totals
	@[ -n "$(RACE)" ] || echo "No C compiler: testing without the race detector."
	@{ \
		go test -json $(RACE) -shuffle=on -timeout=$(TIMEOUT) $(TESTFLAGS) $(PKG) || rc=1; \
		$(if $(filter work,$(PKG)),(cd tools && GOWORK=off go test -json -timeout=$(TIMEOUT) ./testtotals ./epcisreport ./aigen) || rc=1; \
		(cd deploy && GOWORK=off go test -json -timeout=$(TIMEOUT) ./...) || rc=1;) \
		exit $${rc:-0}; \
	} | $(TOTALS) -o bin/test-totals

# The long suites in slices, each of some minutes on two cores, without the race detector. What each slice runs follows from
# SLICE=i/n alone (seeds and rounds), so a failure is repeated with the same one. bin/test-long-done remembers, by commit
# and changes, which slices have passed: a run that was interrupted goes on where it was.
SLICES    ?= 8
SLICE     ?=
FRESH     ?=
LONG_PKGS := ./ledger/consensus ./epcis/epcisxml ./epcis/epcisdoc ./services/internal/node/replica ./services/cmd/verilot
LONG_RUN  := ^(TestSchedules|TestKillNine|TestKillAny|TestCutTwoTwo|TestCutThreeOne|TestCutOneWay|TestXMLLint|TestXMLLintTakesWhatIsWritten)$$

.PHONY: test-long
test-long: $(TOTALS) ## The long suites: those of SLICES slices not yet passed, or one (SLICE=3/8); FRESH=1 forgets; needs xmllint
	@command -v xmllint >/dev/null || { echo "test-long needs xmllint, to compare our reading of EPCIS XML with the official schemas: apt-get install libxml2-utils"; \
		[ "$${CI:-}" != true ] || exit 1; echo "Going on without that comparison."; }
	@done=bin/test-long-done; [ -z "$(FRESH)" ] || rm -f $$done; touch $$done; \
	key=$$( (git rev-parse HEAD; git diff HEAD; git ls-files -o --exclude-standard -- '*.go' | xargs -r cat) 2>/dev/null | sha256sum | cut -c1-16); \
	rc=0; \
	for s in $(if $(SLICE),$(SLICE),$(foreach i,$(shell seq $(SLICES)),$(i)/$(SLICES))); do \
		if [ -z "$(SLICE)" ] && grep -qxF "$$key $$s" $$done; then echo "--- slice $$s has passed before"; continue; fi; \
		echo "--- slice $$s"; start=$$SECONDS; log=bin/test-long-$${s/\//-of-}.json; ok=; \
		VERILOT_LONG=1 SLICE=$$s go test -json -count=1 -timeout=8m -run '$(LONG_RUN)' $(LONG_PKGS) | tee $$log | $(TOTALS) -o bin/test-long-totals && ok=1 || true; \
		sed -nE 's/.*"Output":"[^"]*(slice [0-9]+\/[0-9]+: [^"]*)\\n".*/\1/p' $$log; \
		if [ -n "$$ok" ]; then echo "$$key $$s" >> $$done; echo "slice $$s passed in $$((SECONDS - start)) s"; \
		else rc=1; echo "slice $$s FAILED; all of it again: SLICE=$$s make test-long"; fi; \
	done; exit $$rc

.PHONY: check
check: check-fmt check-generated check-proto compat check-tidy check-modules lint test check-web ## Exactly what CI runs

.PHONY: lint
lint: $(LINT) ## Lint every module
	@$(call each,$(LINT_MODULES),GOWORK=$$(case " $(APART) " in (*" $$m "*) echo off;; esac) ../$(LINT) run --allow-parallel-runners ./...)

.PHONY: fmt
fmt: $(LINT) ## Format the Go code
	@$(call each,$(LINT_MODULES),GOWORK=$$(case " $(APART) " in (*" $$m "*) echo off;; esac) ../$(LINT) fmt ./...)

.PHONY: generate
generate: $(BUF) $(PROTOC_GEN) ## Rewrite proto/gen from proto/verilot
	cd proto && ../$(BUF) generate

.PHONY: golden
golden: ## Rewrite golden files (tests that declare an "update" flag); say why in the commit
	@pkgs=$$(grep -rlE --include='*_test.go' 'flag\.Bool(Var)?\(.*"update"' $(MODULES) \
		| xargs -r -n1 dirname | sort -u | sed 's#^#./#' || true); \
	if [ -z "$$pkgs" ]; then echo "No test declares an update flag."; exit; fi; \
	set -x; go test $$pkgs -args -update

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME, or those whose name matches FUZZ
	@rc=0; n=0; \
	while read -r dir name; do \
		n=$$((n + 1)); echo "--- $$dir $$name"; \
		go test -run='^$$' -fuzz="^$$name\$$" -fuzztime=$(FUZZTIME) $$dir </dev/null || rc=1; \
	done < <(grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' $(MODULES) \
		| sed -E 's#^(.*)/[^/]*:func (Fuzz.*)#./\1 \2#' | sort -u | grep -E '$(FUZZ)'); \
	echo "$$n fuzz targets"; exit $$rc

.PHONY: bench
bench: ## Run the benchmarks that match BENCH
	go test -run='^$$' -bench='$(BENCH)' -benchmem $(PKG)

.PHONY: epcis-report
epcis-report: build ## Every shared EPCIS example and hash vector, expected and found; ARGS=--markdown for a page
	cd tools && GOWORK=off go run ./epcisreport -verilot ../bin/verilot $(ARGS) ../../shared/gs1

.PHONY: load
load: ## Build and run the load test
	@[ -n "$(wildcard loadtest/*.go)" ] || { echo "The load test is not written yet: see loadtest/README.md"; exit 1; }
	go build -o bin/ ./loadtest
	./bin/loadtest $(ARGS)

# The interface is built into the binary from where Go's embed can see it.
WEB_BUILT   := services/internal/edge/webapp/dist/index.html
WEB_SOURCES  = $(shell find web/src web/public web/scripts web/index.html web/*.json web/*.ts -type f 2>/dev/null)

.PHONY: web
web: $(WEB_BUILT) ## Build the web interface (needs Node and npm); the next build of bin/verilot has it

$(WEB_BUILT): $(WEB_SOURCES) web/node_modules/.package-lock.json
	cd web && npm run build
	find $(dir $@) -mindepth 1 ! -name .gitkeep -delete
	cp -R web/dist/. $(dir $@)
	@touch $@

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci
	@touch $@

.PHONY: web-if-node
web-if-node:
	@if command -v npm >/dev/null; then $(MAKE) web || echo "The web interface could not be built; the network runs without it."; \
	else echo "No Node here: the network runs without its web interface."; fi

.PHONY: screenshots
screenshots: check-web ## Pictures of every page, in web/screenshots; the journey makes them

.PHONY: clean
clean: ## Remove what was built; the tools in bin/tools and the network in data/ stay
	find bin -mindepth 1 -maxdepth 1 ! -name tools -exec rm -rf {} + 2>/dev/null || true
	rm -rf web/dist
	find services/internal/edge/webapp/dist -mindepth 1 ! -name .gitkeep -delete

##@ Parts of check

.PHONY: check-fmt
check-fmt: ## Everything is gofmt'ed
	@files=$$(gofmt -l $(MODULES) deploy tools/testtotals tools/epcisreport tools/aigen); \
	if [ -n "$$files" ]; then echo "Not formatted (make fmt):"; echo "$$files"; exit 1; fi

.PHONY: check-generated
check-generated: $(BUF) $(PROTOC_GEN) ## proto/gen is what its sources generate; writes nothing in the tree
	@tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	(cd proto && ../$(BUF) generate -o "$$tmp"); \
	diff -ru proto/gen "$$tmp/gen" || { echo "proto/gen is out of date: make generate"; exit 1; }

.PHONY: check-proto
check-proto: $(BUF) ## Lint the .proto files
	cd proto && ../$(BUF) lint

.PHONY: compat
compat: $(BUF) vectors-check ## Messages stay readable since the last release (BASE)
	@[ -n "$(BASE)" ] || { echo "compat: no release to compare with yet"; exit 0; }; \
	tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	git archive $(BASE) proto | tar -x -C "$$tmp"; \
	cd proto && ../$(BUF) breaking --against "$$tmp/proto"

.PHONY: vectors-check
vectors-check: ## No golden vector changed since the last release (BASE): a changed old vector is a fork
	@[ -n "$(BASE)" ] || { echo "vectors-check: no release to compare with yet"; exit 0; }; \
	git diff --exit-code --stat --diff-filter=a $(BASE) -- ledger/testdata/vectors

.PHONY: check-web
check-web: web build ## Lint, types and tests of the web interface, its journey in a browser (chromium, or what CHROMIUM names), and a foreign client
	cd web && npm run lint && npm test && npm run e2e
	cd tools/epcis2js && npm ci && npm test

.PHONY: check-tidy
check-tidy: ## Every go.mod is tidy
	@$(call each,$(MODULES) deploy,GOWORK=off go mod tidy -diff)

.PHONY: check-modules
check-modules: ## Every module builds and vets on its own, without go.work
	@$(call each,$(GO_MODULES),GOWORK=off go build -o /dev/null ./... && GOWORK=off go vet ./...)

##@ Tools, built once from the versions in tools/

.PHONY: tools
tools: $(LINT) $(PROTOC_GEN) $(TOTALS) $(BUF) ## Build them all (the linter takes some minutes)

tool = cd tools && GOWORK=off go build -o ../bin/tools/ $(1) && touch ../$@

$(LINT): tools/go.mod tools/go.sum
	$(call tool,github.com/golangci/golangci-lint/v2/cmd/golangci-lint)

$(PROTOC_GEN): tools/go.mod tools/go.sum
	$(call tool,google.golang.org/protobuf/cmd/protoc-gen-go)

$(TOTALS): $(wildcard tools/testtotals/*.go)
	@$(call tool,./testtotals)

$(BUF): tools/package.json tools/package-lock.json
	cd tools && npm ci
	@touch $@
