# Two commands do everything: make demo, make test. What they need beyond Go,
# Python 3.11 and Node 20 is installed into .tools, pinned here.

GOLANGCI_LINT_VERSION = v2.15.0

TOOLS  = $(CURDIR)/.tools
BIN    = $(CURDIR)/bin
PYTHON = $(TOOLS)/venv/bin/python
LAKE  ?= ./lake
DEMO   = ./demo

.PHONY: all help build demo test lint unit notebook geo bench bench-resolve fuzz clean

all: build

help: ## what there is to make
	@grep -hE '^[a-z0-9 -]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+)[^#]*## /\1\t/' | sort | awk -F'\t' '{ printf "%-14s %s\n", $$1, $$2 }'

build: ## the program, in bin/boon
	go build -o $(BIN)/boon ./cmd/boon

demo: build ## a synthetic day of 300,000 events, from raw logs to a site
	$(BIN)/boon demo --dir $(DEMO)

test: lint unit notebook ## everything that must hold before a change lands

lint: $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
	go vet ./...
	$(TOOLS)/bin/golangci-lint run ./...
	CGO_ENABLED=0 go vet ./cmd/boon

# Tests that do less where the race detector is at work (internal/racetest).
IN_FULL = ^Test(StoreFaults|FullAfterAnyNumberOfBytes|KilledAnywhere|CommitOfWhatIsDamaged|WorksRankAsInTruth)$$

unit: export GORACE = atexit_sleep_ms=20 # a second for each process that tests start
unit: $(TOOLS)/venv.done
	BOON_PYTHON=$(PYTHON) go test -race -timeout 20m ./...
	go test -run '$(IN_FULL)' ./etl ./queries
	node --test report/web/js/test/*.test.js

notebook: build $(TOOLS)/venv.done
	rm -rf $(DEMO)/notebook-lake
	$(BIN)/boon synth --lake $(DEMO)/notebook-lake --days 2 --events 60000 --seed 7
	$(BIN)/boon etl --lake $(DEMO)/notebook-lake
	BOON_LAKE=$(abspath $(DEMO))/notebook-lake PATH=$(BIN):$$PATH $(PYTHON) -m pytest -q --nbmake notebooks

geo: ## freely licensed place databases, with their attribution, into LAKE/geo
	internal/geo/fetch.sh $(LAKE)/geo

bench: ## the figures of README
	go test -run '^$$' -bench . -benchmem ./internal/rawlog ./etl/... ./queries

bench-resolve: ## fetching info dictionaries, beside anacrolix/torrent's Client
	cd bench && go test ./resolver -count 1 -v -timeout 30m

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
	BOON_S3_FAULTS=1 go test -p 1 -count 1 -timeout 10m -run S3 -v ./internal/lake ./internal/duck ./etl ./cmd/boon

LIBTORRENT_VERSION = 2.1.1

.PHONY: test-swarm

test-swarm: $(TOOLS)/libtorrent-$(LIBTORRENT_VERSION) clients ## among other programs: anacrolix nodes, libtorrent, aria2, transmission
	BOON_SWARM=1 BOON_PYTHON=$(PYTHON) go test -count 1 -v -run 'TakesPart|Libtorrent|ProbesASwarm' ./collect
	BOON_SWARM=1 BOON_PYTHON=$(PYTHON) go test -count 1 -v -run 'RealClients' ./resolve/fetch
	BOON_SWARM=1 BOON_PYTHON=$(PYTHON) go test -count 1 -v -run 'LibtorrentResolved' ./cmd/boon

.PHONY: clients

clients: # Debian's aria2 and transmission; elsewhere their tests are skipped
	@{ command -v aria2c && command -v transmission-daemon; } >/dev/null || { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends aria2 transmission-daemon; } || \
		echo "aria2 or transmission is not installed: tests with them are skipped"

$(TOOLS)/libtorrent-$(LIBTORRENT_VERSION): $(TOOLS)/venv.done
	$(TOOLS)/venv/bin/pip install --quiet --disable-pip-version-check libtorrent==$(LIBTORRENT_VERSION)
	touch $@

.PHONY: coast

coast: report/e2e/node_modules ## the map's coastlines, from the npm package world-atlas
	go run ./report/web/gen coast report/e2e/node_modules/world-atlas/countries-110m.json

report/e2e/node_modules: report/e2e/package-lock.json
	cd report/e2e && npm ci --no-audit --no-fund --ignore-scripts
	touch $@

# Runs a command and says what it took.
MEASURED = python3 -c 'import resource, subprocess, sys, time; t = time.time(); code = subprocess.call(sys.argv[1:]); \
	u = resource.getrusage(resource.RUSAGE_CHILDREN); \
	print(f"{time.time() - t:.0f} s, {u.ru_utime + u.ru_stime:.0f} CPU-s, {u.ru_maxrss / 1e6:.2f} GB"); sys.exit(code)'

.PHONY: bench-report bench-year

bench-report: build ## the site of a million torrents and forty million files: time and memory
	rm -rf $(DEMO)/many
	go run ./report/bench -lake $(DEMO)/many/lake
	$(MEASURED) $(BIN)/boon report --lake $(DEMO)/many/lake --out $(DEMO)/many/site

YEAR = $(DEMO)/year

bench-year: build ## a site of 364 days (20,000 queries each), a day added to it, and a build where nothing changed
	rm -rf $(YEAR)
	$(BIN)/boon synth --lake $(YEAR)/lake --days 365 --events 7300000 --torrents 50000 --seed 3 --start 2026-01-01
	$(BIN)/boon etl --lake $(YEAR)/lake >/dev/null
	for t in $(YEAR)/lake/tables/*/day=2026-12-31; do mkdir -p $(YEAR)/last/$$(basename $$(dirname $$t)) && mv $$t $(YEAR)/last/$$(basename $$(dirname $$t))/; done
	$(MEASURED) $(BIN)/boon report --lake $(YEAR)/lake --out $(YEAR)/site
	cp -r $(YEAR)/last/* $(YEAR)/lake/tables/
	$(MEASURED) $(BIN)/boon report --lake $(YEAR)/lake --out $(YEAR)/site
	$(MEASURED) $(BIN)/boon report --lake $(YEAR)/lake --out $(YEAR)/site

# A real Chromium looks at a synthetic site: see report/e2e.
CHROMIUM ?= /usr/bin/chromium
E2E = $(CURDIR)/demo/e2e

.PHONY: test-site bench-site site-to-test

test-site: site-to-test report/e2e/node_modules $(CHROMIUM) ## the site in Chromium: map, live view, pages without JavaScript, policy, axe, Lighthouse
	cd report/e2e && BOON=$(BIN)/boon BOON_SITE=$(E2E)/site BOON_LAKE=$(E2E)/lake BOON_SCREENSHOTS=$(E2E)/screenshots CHROMIUM=$(CHROMIUM) \
		node --test --test-concurrency=1 --test-reporter=spec

bench-site: export BOON_TIMES = 1
bench-site: site-to-test report/e2e/node_modules $(CHROMIUM) ## Lighthouse and the frames of the map, held to what README says: on a machine that does nothing else
	cd report/e2e && BOON=$(BIN)/boon BOON_SITE=$(E2E)/site BOON_LAKE=$(E2E)/lake CHROMIUM=$(CHROMIUM) \
		node --test --test-concurrency=1 --test-reporter=spec lighthouse.test.mjs map.test.mjs

site-to-test: build
	rm -rf $(E2E)
	$(BIN)/boon synth --lake $(E2E)/lake --days 2 --events 600000 --torrents 6000 --seed 4
	$(BIN)/boon etl --lake $(E2E)/lake
	$(BIN)/boon report --lake $(E2E)/lake --out $(E2E)/site

# Names that bench-search makes, and where.
TORRENTS ?= 1000000
SEARCH_BENCH = $(DEMO)/search-$(TORRENTS)

.PHONY: bench-search

bench-search: site-to-test report/e2e/node_modules $(CHROMIUM) ## what a thousand queries of a search index transfer, by the page's own client; its first result in Chromium
	rm -rf $(SEARCH_BENCH)
	go run ./report/search/bench -out $(SEARCH_BENCH) -torrents $(TORRENTS)
	node report/web/js/test/bench.js $(SEARCH_BENCH) 10
	node report/web/js/test/bench.js $(SEARCH_BENCH) 50
	cd report/e2e && BOON_SITE=$(E2E)/site CHROMIUM=$(CHROMIUM) node first-result.mjs $(abspath $(SEARCH_BENCH))

$(CHROMIUM):
	apt-get update -qq && apt-get install -y -qq chromium

# Where bench-etl keeps its lakes, and how large a day it makes.
BENCH  ?= bench/lakes
EVENTS ?= 10000000

.PHONY: bench-etl

bench-etl: build $(TOOLS)/venv.done $(TOOLS)/versitygw-$(VERSITYGW_VERSION) ## boon etl beside DuckDB's COPY of the same day, and on S3
	go build -C bench -o $(BIN)/bench-etl ./etl
	BIN=$(BIN) TOOLS=$(TOOLS) PYTHON=$(PYTHON) BENCH=$(BENCH) EVENTS=$(EVENTS) bench/etl/run.sh

.PHONY: bench-queries

bench-queries: build $(TOOLS)/venv.done ## each question of boon query on that day, and rankings over thirty
	$(PYTHON) bench/queries/run.py $(BIN)/boon $(BENCH) $(EVENTS)

READERS = polars==2.1.0 pyspark==4.3.0

.PHONY: test-etl

test-etl: $(TOOLS)/readers.done java ## every table by five readers, a day shared by Spark; needs Java 17
	BOON_READERS=$(PYTHON) go test -count 1 -timeout 10m -v -run TestReaders ./etl
	BOON_SPARK=$(PYTHON) go test -count 1 -timeout 10m -v -run TestSparkScripts ./cmd/boon

.PHONY: java

java: # Debian's, for Spark
	@command -v java >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless; }

$(TOOLS)/readers.done: $(TOOLS)/venv.done
	$(TOOLS)/venv/bin/pip install --quiet --disable-pip-version-check $(READERS)
	touch $@
