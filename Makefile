# `make help` lists the targets. Everything runs in .venv, which is made from requirements.lock on first use.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

STUDY ?= experiments/simba_resnet50.yaml
OUT ?= runs/$(basename $(notdir $(STUDY)))
ARGS ?=

# The interpreter that .venv is made with: the first of these that runs and is 3.11 to 3.13. PYTHON=... narrows the choice.
CANDIDATES = $(or $(PYTHON),python3 python3.13 python3.12 python3.11)
INTERPRETER = $(shell for python in $(CANDIDATES); do \
    "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { command -v "$$python"; break; }; done)
# uv installs several times faster than pip, from the same lock with the same hashes. `make venv UV=` uses pip all the same.
UV ?= $(shell uv --version >/dev/null 2>&1 && command -v uv)

VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.stamp-lock
INSTALLED := $(VENV)/.stamp-project
# What the browser tests look for faults of accessibility with; where there is no npm they skip that, and say so.
AXE := $(if $(shell command -v npm),$(VENV)/axe/.stamp)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: venv
venv: $(INSTALLED) ## Make .venv with the locked packages and the project itself

.PHONY: sweep
sweep: $(INSTALLED) ## Run STUDY (default experiments/simba_resnet50.yaml) into OUT (default runs/NAME OF THE STUDY)
	$(BIN)/dse sweep $(STUDY) --output $(OUT) $(ARGS)

# Those of docs/experiments.md. Schedules that two of them share are computed once and come from the cache.
EXPERIMENTS := dataflow_weight_stationary dataflow_output_stationary dataflow_row_stationary simba_array_or_buffers \
    edge_mobilenet_bert cloud_mobilenet_bert one_for_all gemmini_four_networks

.PHONY: experiments
experiments: $(INSTALLED) ## Run the co-design studies of docs/experiments.md into runs/; ARGS is passed to each sweep
	for study in $(EXPERIMENTS); do $(BIN)/dse sweep experiments/$$study.yaml --output runs/$$study $(ARGS); done

.PHONY: test
test: $(INSTALLED) $(AXE) ## Run the tests on every core, a file at a time; ARGS is passed to pytest
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: soak
soak: $(INSTALLED) ## Run the tests that take minutes
	$(BIN)/python -m pytest -m soak $(ARGS)

.PHONY: lint
lint: $(INSTALLED) ## Check style, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict dse

.PHONY: types
types: $(INSTALLED) ## Check types alone
	$(BIN)/mypy --strict dse

.PHONY: format
format: $(INSTALLED) ## Rewrite the sources as the linter wants them
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: bench
bench: $(INSTALLED) ## Run the benchmarks; ARGS is passed to them
	$(BIN)/python benchmarks/run.py $(ARGS)

.PHONY: cosa-table
cosa-table: $(INSTALLED) ## Reproduce CoSA's comparison of schedulers in runs/cosa_table; ARGS is passed to it
	$(BIN)/python experiments/cosa_table.py $(ARGS)

.PHONY: matrix
matrix: $(INSTALLED) ## Schedule every network on every template; ARGS is passed on (ARGS=--help lists what)
	$(BIN)/python benchmarks/matrix.py $(ARGS)

.PHONY: docs
docs: $(INSTALLED) ## Build the documentation into site/; warnings and broken links are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict $(ARGS)

.PHONY: check
check: lint test ## Everything that a change has to pass: lint, types, tests

.PHONY: lock
lock: ## Write requirements.lock for pyproject.toml (needs uv); ARGS=--upgrade takes the newest releases of all
	@test -n "$(UV)" || { echo "make lock: uv is not on PATH (pip install uv)" >&2; exit 2; }
	$(UV) pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --extra dev --extra docs \
	    --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
	    --output-file requirements.lock $(ARGS) pyproject.toml

.PHONY: clean
clean: ## Remove .venv, caches and build products; runs/ stays
	rm -rf $(VENV) build dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# All is compiled to bytecode at once: commands start in half the time even where Python is told to write none itself.
# Two stamps, so that an edit of pyproject.toml reinstalls the project (seconds) and not its dependencies (a minute).
$(LOCKED): requirements.lock
	@test -n "$(INTERPRETER)" || { echo "make: Python 3.11 to 3.13 is needed, and none of these is: $(CANDIDATES)" >&2; exit 2; }
ifneq ($(UV),)
	@$(BIN)/python -c '' 2>/dev/null || $(UV) venv --quiet --clear --no-python-downloads --python $(INTERPRETER) $(VENV)
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps --require-hashes -r requirements.lock
else
	@$(INTERPRETER) -c 'import ensurepip' 2>/dev/null || { \
	    echo "make: $(INTERPRETER) cannot make virtual environments (on Debian: apt-get install python3-venv)" >&2; exit 2; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(INTERPRETER) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
endif
	@touch $@

$(VENV)/axe/.stamp: tests/browser/package.json tests/browser/package-lock.json $(LOCKED)
	@mkdir -p $(@D)
	@cp $(filter %.json,$^) $(@D)
	@if npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error; then touch $@; \
	    else echo "make: axe-core cannot be fetched; its test is skipped" >&2; fi

$(INSTALLED): pyproject.toml $(LOCKED)
ifneq ($(UV),)
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
else
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endif
	@$(BIN)/python -m compileall -q dse
	@touch $@
