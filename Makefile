# `make run` runs everything on this machine, `make test` tests it. Needs make and Python 3.11–3.14.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV ?= .venv
VAR := $(or $(VAR_DIR),var)
PY := $(VENV)/bin/python
MANAGE := $(PY) manage.py
NEW_KEYS := $(VAR)/keys/web.json
# If the environment names other keys, none are created: a second pair would only cause confusion.
KEYS := $(if $(value WEB_KEYS)$(WEB_KEYS_FILE),,$(NEW_KEYS))
CATALOGS = $(patsubst %.po,%.mo,$(wildcard locale*/*/LC_MESSAGES/*.po))
TEMPLATES = $(wildcard templates)
LONG := server or e2e or chaos or simulation or slow or early or waits
UNIT := "not ($(LONG) or pages)"
PYTHONS := 3.11 3.12 3.13 3.14
space := $(subst ,, )
# pyenv's shims work only for the versions that are switched on, so use the interpreters themselves.
PYENV_PATH := $(subst $(space),:,$(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.1[1-4]*/bin))

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DJANGO_SETTINGS_MODULE := newsletter.settings

##@ Everyday work
.PHONY: help run unit test check
help: ## list these targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nVariables: PORT (8000) is the site'\''s port, VAR_DIR (var) the folder for data, ARGS goes to pytest.\n'

run: setup ## run the whole site on this machine, with a sample newsroom
	@$(MANAGE) prepare
	@exec $(MANAGE) up

unit: $(VENV)/.dev $(CATALOGS) ## run the fast tests (half a minute): no servers, browsers or simulation
	@$(PY) -m pytest -q -n 2 -p no:playwright -m $(UNIT) --ignore=tests/e2e --ignore=tests/chaos $(ARGS)

# Three processes even on two cores: tests wait more than they work.
test: $(VENV)/.dev $(CATALOGS) ## run all tests, or some: ARGS="tests/digest -k year"
	@$(PY) -m pytest -q -n 3 $(ARGS)

check: lint test ## run lint and all tests, as CI does

.PHONY: matrix bench chaos storm
matrix: export PATH := $(if $(PYENV_PATH),$(PYENV_PATH):)$(PATH)
matrix: $(VENV)/.dev $(CATALOGS) ## run the short tests on each supported Python and Django (NOX=… to nox)
	@$(PY) -m nox $(NOX) -- -n 2 -m "not ($(LONG))"; status=$$?; \
	for version in $(PYTHONS); do \
	  command -v python$$version >/dev/null || echo "Skipped: Python $$version isn't installed."; \
	done; exit $$status

bench: $(VENV)/.run $(CATALOGS) ## measure on PostgreSQL (DATABASE_URL); QUICK=1 is short, GATE=1 checks CI's gates
	@$(PY) -m benchmarks

chaos: $(VENV)/.dev $(CATALOGS) ## kill workers, broker and database while they send (KILLS=20)
	@$(PY) -m tests.chaos --database sqlite --kills $(or $(KILLS),20)
	@$(PY) -m tests.chaos --database postgresql --kills $(or $(KILLS),20)

storm: $(VENV)/.dev $(CATALOGS) ## send to a relay that replies 451, and to one that is down (READERS=100000)
	@$(PY) -m tests.chaos.storm --database postgresql --readers $(or $(READERS),100000)
	@$(PY) -m tests.chaos.storm --database sqlite --readers $(or $(READERS),100000)

##@ Your own newsroom
.PHONY: begin sample-remove
begin: setup ## replace the sample newsroom with your own
	@$(MANAGE) begin

sample-remove: setup ## remove the sample newsroom
	@$(MANAGE) sample remove

##@ Single steps
.PHONY: setup lint format lock clean
setup: $(VENV)/.run $(CATALOGS) $(KEYS) ## create the environment and keys, compile the translations

lint: $(VENV)/.dev $(CATALOGS) $(KEYS) ## run all linters, and check types, imports, migrations and settings
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check . || \
	  { echo "Some files aren't formatted. Run: make format" >&2; exit 1; }
	@$(PY) -m mypy --no-error-summary
	@$(VENV)/bin/lint-imports >/dev/null 2>&1 || $(VENV)/bin/lint-imports
	@$(VENV)/bin/vulture
	@$(VENV)/bin/codespell
	@$(VENV)/bin/deptry --no-ansi . >/dev/null 2>&1 || $(VENV)/bin/deptry --no-ansi .
	@$(VENV)/bin/djlint --quiet --lint $(TEMPLATES)
	@$(MANAGE) makemigrations --check --dry-run
	@$(MANAGE) check

format: $(VENV)/.dev ## format the Python files and apply ruff's fixes
	@$(VENV)/bin/ruff check --quiet --fix . ; $(VENV)/bin/ruff format --quiet .

lock: ## update the lock files (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header pyproject.toml \
	  --constraint .ci/lts.txt -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header pyproject.toml --group dev \
	  --constraint .ci/lts.txt -o requirements-dev.lock

clean: ## remove the environment and caches, but no data
	rm -rf $(VENV) .nox .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# --- Files ------------------------------------------------------------------------------------
$(VENV)/bin/python:
	@python="$$(PYTHON='$(PYTHON)' sh newsletter/local/python.sh)" || exit 1; \
	echo "Creating $(VENV) with $$python"; "$$python" -m venv $(VENV)

$(VENV)/.run: requirements.lock | $(VENV)/bin/python
	@echo "Installing the dependencies"
	@$(PY) -m pip install -qq --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing the dependencies and the development tools"
	@$(PY) -m pip install -qq --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/.run

# Creates worker.json too, and never overwrites either. A trial has no real readers, so it needs no
# recovery copy; docs/deploy.md says how a real newsroom makes one.
$(NEW_KEYS): | $(VENV)/.run
	@$(MANAGE) keys new --no-recovery

%.mo: %.po | $(VENV)/.run
	@$(VENV)/bin/pybabel --quiet compile --input-file $< --output-file $@
