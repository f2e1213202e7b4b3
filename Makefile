# What one does with this checkout. `make help` lists it.

.DEFAULT_GOAL := help
.PHONY: help install build tools demo test test-clickhouse chaos bench bench-light bench-filters bench-fleet bench-page screenshots fuzz figures gelf-send lint generate docs deb clean

TOOLS := .tmp/tools
INSTALLED := node_modules/.package-lock.json

help: ## Show this list
	@echo "usage: make TARGET [VARIABLE=value]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Install what package-lock.json names

NPM_FLAGS := --no-audit --no-fund --loglevel=error
$(INSTALLED): package-lock.json
	@echo "Installing dependencies ..."
	@npm ci $(NPM_FLAGS)
	@touch $@

build: $(INSTALLED) ## Compile the product to dist/
	@echo "Compiling ..."
	@npm run --silent build

tools: $(INSTALLED)
	@node_modules/.bin/tsc -p tsconfig.tools.json

demo: build tools ## See it work for a while  [DEMO_SECONDS=15, 0: until Ctrl-C]
	@node $(TOOLS)/bench/demo/demo.js

test: build tools ## Install what the tests need, run all of them, a short chaos run too  [ONLY=test/some/path]
	@node $(TOOLS)/bench/peers/prepare.js
	@node_modules/.bin/vitest run --reporter=default --reporter=json --outputFile.json=.tmp/test-report.json $(ONLY)

CHDB := .tmp/chdb
CHDB_VERSION := 3.4.0
$(CHDB)/node_modules/chdb/package.json:
	@echo "Installing the engine of ClickHouse (546 MB) ..."
	@npm install --prefix $(CHDB) --no-save $(NPM_FLAGS) chdb@$(CHDB_VERSION)

test-clickhouse: build tools $(CHDB)/node_modules/chdb/package.json ## Install an engine of ClickHouse for the tests, and run those of its store
	@node_modules/.bin/vitest run -t ClickHouse

chaos: build tools ## Kill everything at random, then count the lines  [ROUNDS=n SEED=n STORE=duckdb|postgres|timescaledb|clickhouse AGGREGATORS=2 LOSE_STATE=1 FILTER=1 SYSLOG=mark|identity RABBITMQ=1|keep ROTATE=gz]
	@ROTATE=$(ROTATE) RABBITMQ=$(RABBITMQ) SYSLOG=$(SYSLOG) STORE=$(STORE) AGGREGATORS=$(AGGREGATORS) LOSE_STATE=$(LOSE_STATE) FILTER=$(FILTER) ROUNDS=$(ROUNDS) SEED=$(SEED) node $(TOOLS)/bench/chaos/main.js

fuzz: $(INSTALLED) ## Compile and run random filters on random lines: none throws, none takes more than 100 ms  [RUNS=1000000 SEED=n]
	@FUZZ_RUNS=$(or $(RUNS),1000000) $(if $(SEED),FUZZ_SEED=$(SEED)) node_modules/.bin/vitest run --maxWorkers=1 test/filters/filter-fuzz.test.ts

bench: build tools ## Measure against other collectors  [BENCH_MB=1000 BENCH_ROUNDS=3 BENCH_ONLY=... WRITE=1: into docs and README]
	@node $(TOOLS)/bench/bench.js $(if $(WRITE),--write)

bench-light: build tools ## Measure start, memory and idle CPU  [LIGHT_ONLY=commands,services,duckdb,files,transfer LIGHT_IDLE_SECONDS=60]
	@LIGHT_ONLY=$(LIGHT_ONLY) LIGHT_IDLE_SECONDS=$(LIGHT_IDLE_SECONDS) node $(TOOLS)/bench/light/main.js

bench-filters: build tools ## Measure filters: records per second on one thread
	@node $(TOOLS)/bench/filters/main.js

bench-fleet: build tools ## Measure an aggregator with thousands of simulated collectors  [FLEET=5000 STREAMS=20 LEDGER=10000000 FLEET_ONLY=fleet,ledger]
	@FLEET=$(FLEET) STREAMS=$(STREAMS) LEDGER=$(LEDGER) FLEET_ONLY=$(FLEET_ONLY) node $(TOOLS)/bench/fleet/main.js

screenshots: build tools ## Write docs/images/ with the pages of an aggregator (needs Chromium)
	@node $(TOOLS)/bench/screenshots/main.js

bench-page: build tools ## Measure the page in a browser  [PAGE_ROWS=100000 PAGE_TAIL_SECONDS=60; PAGE_STORE_ROWS=10000000: searches on so many stored rows]
	@PAGE_STORE_ROWS=$(PAGE_STORE_ROWS) PAGE_ROWS=$(PAGE_ROWS) PAGE_TAIL_SECONDS=$(PAGE_TAIL_SECONDS) node $(TOOLS)/bench/page/main.js

figures: tools ## Print figures of the source code
	@node $(TOOLS)/bench/figures/main.js

gelf-send: build tools ## Send the GELF fixtures to a server  [ADDRESS=udp://host:12201 DELIMITER=null]
	@node $(TOOLS)/bench/gelf-send.js $(ADDRESS) $(DELIMITER)

lint: build ## Check types, format, rules, unused code, and that what is generated is fresh
	@npm run --silent typecheck
	@npm run --silent lint
	@node_modules/.bin/knip
	@node proto/generate.mjs --check
	@node docs/generate-configuration.mjs --check
	@node docs/generate-metrics.mjs --check
	@node docs/generate-openapi.mjs --check
	@node packaging/check.mjs

generate: $(INSTALLED) ## Write src/records/gen/ from proto/
	@node proto/generate.mjs

docs: build ## Write docs/configuration.md and docs/openapi.json from what the code reads
	@node docs/generate-configuration.mjs
	@node docs/generate-metrics.mjs
	@node docs/generate-openapi.mjs

deb: build ## Build a package for Debian and Ubuntu  [NODE_BINARY=path of the Node.js to include, empty: none; OUTPUT=. COMPRESSION=xz]
	@node packaging/deb/build.mjs

clean: ## Remove everything that was made here, node_modules too
	rm -rf dist coverage .tmp node_modules
