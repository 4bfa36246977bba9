# Two commands do everything: make demo, make test. What they need beyond Go,
# Python 3.11 and Node 20 is installed into .tools, pinned here.

GOLANGCI_LINT_VERSION = v2.15.0

TOOLS  = $(CURDIR)/.tools
BIN    = $(CURDIR)/bin
PYTHON = $(TOOLS)/venv/bin/python
LAKE  ?= ./lake
DEMO   = ./demo

.PHONY: all build demo test lint unit notebook geo bench fuzz clean

all: build

build: ## the program, in bin/boon
	go build -o $(BIN)/boon ./cmd/boon

demo: build ## a synthetic day of 300,000 events, from raw logs to a site
	$(BIN)/boon demo --dir $(DEMO)

test: lint unit notebook ## everything that must hold before a change lands

lint: $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
	go vet ./...
	$(TOOLS)/bin/golangci-lint run ./...
	CGO_ENABLED=0 go vet ./cmd/boon

unit: $(TOOLS)/venv.done
	BOON_PYTHON=$(PYTHON) go test -race -timeout 20m ./...

notebook: build $(TOOLS)/venv.done
	rm -rf $(DEMO)/notebook-lake
	$(BIN)/boon synth --lake $(DEMO)/notebook-lake --days 2 --events 60000 --seed 7
	$(BIN)/boon etl --lake $(DEMO)/notebook-lake
	BOON_LAKE=$(abspath $(DEMO))/notebook-lake PATH=$(BIN):$$PATH $(PYTHON) -m pytest -q --nbmake notebooks

geo: ## freely licensed place databases, with their attribution, into LAKE/geo
	internal/geo/fetch.sh $(LAKE)/geo

bench: ## the figures of README
	go test -run '^$$' -bench . -benchmem ./internal/rawlog ./etl/... ./queries

fuzz: ## each fuzz test for a while
	@for p in $$(grep -rl --include=*_test.go '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for f in $$(grep -ho '^func Fuzz[A-Za-z0-9]*' $$p/*_test.go | cut -d' ' -f2); do \
			echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime 20s -fuzzminimizetime 1x $$p || exit 1; \
		done; \
	done

$(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION):
	GOBIN=$(TOOLS)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	touch $@

$(TOOLS)/venv.done: notebooks/requirements.txt
	python3 -m venv $(TOOLS)/venv
	$(TOOLS)/venv/bin/pip install --quiet --disable-pip-version-check -r notebooks/requirements.txt
	touch $@

clean:
	rm -rf $(BIN) $(DEMO)

# Labelled names besides those in etl/release/eval/testdata: a folder of NDJSON files.
BOON_NAMES ?=
LABELLED = etl/release/eval/testdata/*.txt $(if $(BOON_NAMES),$(BOON_NAMES)/*.ndjson)

.PHONY: eval-names bench-names

eval-names: ## how well names are read, and the worst misses
	go run ./etl/release/eval -worst 10 $(LABELLED)

bench-names: $(TOOLS)/names.done ## the same names read by go-ptt, rls and guessit
	go build -C bench/names -o $(BIN)/names .
	go build -o $(BIN)/eval ./etl/release/eval
	@PYTHON=$(TOOLS)/names/bin/python BIN=$(BIN) bench/names/table.sh $(LABELLED)

$(TOOLS)/names.done: bench/names/requirements.txt
	python3 -m venv $(TOOLS)/names
	$(TOOLS)/names/bin/pip install --quiet --disable-pip-version-check -r bench/names/requirements.txt
	touch $@

VERSITYGW_VERSION = v1.8.0

# A real S3 server, for the tests of lakes on S3.
unit test-s3: $(TOOLS)/versitygw-$(VERSITYGW_VERSION)

$(TOOLS)/versitygw-$(VERSITYGW_VERSION):
	GOBIN=$(TOOLS)/bin go install github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW_VERSION)
	touch $@

# DuckDB's extension for S3, where the Python package of it has put it.
unit test-s3: export BOON_HTTPFS = $(TOOLS)/venv/lib

.PHONY: test-s3

test-s3: $(TOOLS)/venv.done ## the whole way on a lake on S3, its faults, and the same bytes as in a folder
	BOON_S3_FAULTS=1 go test -p 1 -count 1 -timeout 10m -run S3 -v ./internal/lake ./internal/duck ./cmd/boon

LIBTORRENT_VERSION = 2.1.1

.PHONY: test-swarm

test-swarm: $(TOOLS)/libtorrent-$(LIBTORRENT_VERSION) ## the collector among other programs: a swarm of anacrolix nodes, libtorrent clients
	BOON_SWARM=1 BOON_PYTHON=$(PYTHON) go test -count 1 -v -run 'TakesPart|Libtorrent' ./collect

$(TOOLS)/libtorrent-$(LIBTORRENT_VERSION): $(TOOLS)/venv.done
	$(TOOLS)/venv/bin/pip install --quiet --disable-pip-version-check libtorrent==$(LIBTORRENT_VERSION)
	touch $@
