# What one does with this checkout. `make help` lists it.

.DEFAULT_GOAL := help
.PHONY: help install build tools demo test chaos bench lint generate docs clean

TOOLS := .tmp/tools
INSTALLED := node_modules/.package-lock.json

help: ## Show this list
	@echo "usage: make TARGET [VARIABLE=value]"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Install what package-lock.json names (npm ci)

$(INSTALLED): package-lock.json
	@echo "Installing dependencies ..."
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

build: $(INSTALLED) ## Compile the product to dist/
	@echo "Compiling ..."
	@npm run --silent build

tools: $(INSTALLED)
	@node_modules/.bin/tsc -p tsconfig.tools.json

demo: build tools ## See it work for a while  [DEMO_SECONDS=15, 0: until Ctrl-C]
	@node $(TOOLS)/bench/demo/demo.js

test: build ## Run all tests, a short chaos run among them  [ONLY=test/some/path]
	@node_modules/.bin/vitest run $(ONLY)

chaos: build tools ## Kill everything at random, then count the lines  [ROUNDS=20 SEED=n]
	@ROUNDS=$(ROUNDS) SEED=$(SEED) node $(TOOLS)/bench/chaos/main.js

bench: build tools ## Measure against rsyslog and syslog-ng  [BENCH_MB=400 BENCH_ROUNDS=3 BENCH_ONLY=... WRITE=1: into docs/performance.md]
	@node $(TOOLS)/bench/bench.js $(if $(WRITE),--write)

lint: $(INSTALLED) ## Check types, format, rules, and that generated code is fresh
	@node_modules/.bin/tsc --noEmit
	@npm run --silent lint
	@node proto/generate.mjs --check

generate: $(INSTALLED) ## Write src/records/gen/ from proto/
	@node proto/generate.mjs

docs: $(INSTALLED) ## Check that every link in the documentation leads somewhere
	@node_modules/.bin/vitest run test/docs

clean: ## Remove everything that was made here, node_modules too
	rm -rf dist coverage .tmp node_modules
