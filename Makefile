# Two commands do everything on a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# One environment: the platform alone, which `demo` and `up` need; then what tests and checks need beside it.
RUNS := $(VENV)/.runs
INSTALLED := $(VENV)/.installed
UV := $(shell command -v uv)
# uv is quicker; it reads none of pip's settings, so pip takes over where uv finds no registry.
install = $(if $(UV),$(UV) pip install -q --python $(BIN)/python -c constraints.txt $(1) ||) \
	$(BIN)/python -m pip install -q -c constraints.txt $(1)
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadgroup

.PHONY: demo test test-nightly test-fast check docs bench up format clean help

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(RUNS) ## Environment, then raw videos → AVA dataset on the embedded default
	$(BIN)/ava demo

test: $(INSTALLED) ## Environment, then the tests
	$(PYTEST) -m "not nightly"

test-nightly: $(INSTALLED) ## The rest of the tests; of properties ten times as many examples
	$(PYTEST) -m "nightly or hypothesis" --hypothesis-profile nightly

test-fast: $(INSTALLED) ## The tests that need no real server and no real run
	$(PYTEST) -m "not slow and not nightly"

check: $(INSTALLED) docs ## Static checks: format, lint, types, package rules, the Dagster definitions, spelling, the image, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/hadolint docker/Dockerfile
	$(BIN)/dagster definitions validate -w workspace.yaml

docs: $(INSTALLED) ## The docs site, in out/site; fails on a link that leads nowhere
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(INSTALLED) ## All benchmarks, each beside what it is compared with; JSON in out/bench
	$(call install,-e '.[bench]')
	@mkdir -p out/bench
	@for file in benchmarks/[a-z]*.py; do \
		name=$$(basename $$file .py); echo "== $$name"; \
		$(BIN)/python -m benchmarks.$$name --json out/bench/$$name.json || exit 1; \
	done

up: $(RUNS) ## Start everything on this machine
	$(BIN)/ava up

format: $(INSTALLED) ## Let ruff mend format and imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(RUNS): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=…") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(call install,-e .)
	@touch $@

$(INSTALLED): $(RUNS)
	$(call install,-e '.[dev]')
	@touch $@

clean: ## Remove the environment and caches
	rm -rf $(VENV) out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
