# The same commands for people and CI; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test test-all check format services services-bench bench bench-alerts bench-reports tune-alerts chaos coverage lock docs clean

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)

help:  ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | \
		while IFS='|' read -r name text; do printf '  make %-15s %s\n' "$$name" "$$text"; done

# The environment is made again only when the lock or the project's own description changed.
$(READY): requirements.txt pyproject.toml
	@if [ ! -x $(BIN)/python ]; then \
		if [ -z "$(PYTHON)" ]; then \
			echo "Periscope needs Python 3.11 or later; install it, or name it with: make PYTHON=/path/to/python3 ..." >&2; exit 1; fi; \
		echo "Creating $(VENV) with $(PYTHON)"; \
		$(PYTHON) -m venv $(VENV) || { \
			echo "Python cannot create an environment; on Debian and Ubuntu install python3-venv, then run this again." >&2; \
			rm -rf $(VENV); exit 1; }; fi
	@echo "Installing the locked dependencies"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)  ## The whole system on this machine, with six simulated cities, until Ctrl-C
	@exec $(BIN)/periscope demo

test: $(READY)  ## All tests but the long forms (at most 10 minutes on 2 cores)
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

test-all: $(READY)  ## All tests, long forms too
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m ""

check: $(READY)  ## Format, lint, types, architecture, configuration
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/periscope lint

format: $(READY)  ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

services:  ## Install what tests of real services need: Mosquitto, Chromium, InfluxDB 2.7
	@bash tests/services/install.sh

services-bench:  ## Install what `make bench` compares with: Telegraf 1.37
	@bash tests/services/bench.sh

bench: $(READY)  ## Benchmarks beside a bare subscriber and Telegraf; writes build/bench.json
	@$(BIN)/python -m tests.benchmarks.run

bench-alerts: $(READY)  ## The detector of drop-off beside rules written by hand, on simulated pilots; writes build/dropoff.json
	@$(BIN)/python -m tests.benchmarks.dropoff

bench-reports: $(READY)  ## The same evidence on ten years of civic reports; needs PERISCOPE_DATA
	@$(BIN)/python -m tests.benchmarks.dropoff.reports

tune-alerts: $(READY)  ## Thresholds of the compared rules, on seeds that no table uses
	@$(BIN)/python -m tests.benchmarks.dropoff.tune

chaos: $(READY)  ## The fault matrix: kills, outages, lost sessions; prints a table, writes build/chaos.json
	@$(BIN)/python -m tests.chaos

coverage: $(READY)  ## How often intervals hold the truth and tests reject nothing; writes docs/coverage.md
	@$(BIN)/python -m tests.coverage

docs: $(READY)  ## Write the generated pages again
	@$(BIN)/python -m tests.test_docs

lock:  ## Resolve the dependencies again (needs uv)
	@uv pip compile pyproject.toml --extra demo --extra oidc --extra alerts --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.txt

clean:  ## Remove what can be made again, the environment included
	@rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
