# One command runs everything on this machine, another tests it. Needs make and Python 3.11 to 3.14.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV ?= .venv
VAR := $(or $(VAR_DIR),var)
PY := $(VENV)/bin/python
MANAGE := $(PY) manage.py
KEYS := $(VAR)/keys/web.json
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))
CATALOGS = $(patsubst %.po,%.mo,$(wildcard locale*/*/LC_MESSAGES/*.po))
TEMPLATES = $(wildcard templates)
LONG := server or e2e or chaos or simulation or slow or early or waits
UNIT := "not ($(LONG) or pages)"
PYTHONS := 3.11 3.12 3.13 3.14
space := $(subst ,, )
# pyenv's own commands answer only for the versions that are switched on.
PYENV_PATH := $(subst $(space),:,$(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.1[1-4]*/bin))

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DJANGO_SETTINGS_MODULE := newsletter.settings

##@ Every day
.PHONY: help run unit test check
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nPORT=8000 chooses the port of the site; VAR_DIR=var where the data are.\n'

run: setup ## the whole program on this machine, with a sample newsroom (PORT=8000)
	@$(MANAGE) prepare
	@exec $(MANAGE) up

unit: $(VENV)/.dev $(CATALOGS) ## the tests of half a minute: no server, browser, page, process or simulation
	@$(PY) -m pytest -q -n 2 -m $(UNIT) --ignore=tests/e2e --ignore=tests/chaos $(ARGS)

# Three at a time, also on two cores: tests wait more than they work.
test: $(VENV)/.dev $(CATALOGS) ## all tests, on the database and broker that the environment names
	@$(PY) -m pytest -q -n 3 $(ARGS)

check: lint test ## what CI runs: lint, types, migrations, configuration, tests

.PHONY: matrix
matrix: export PATH := $(if $(PYENV_PATH),$(PYENV_PATH):)$(PATH)
matrix: $(VENV)/.dev $(CATALOGS) ## the short tests on every supported Python and Django that is here (NOX=)
	@$(PY) -m nox $(NOX) -- -n 2 -m "not ($(LONG))"; status=$$?; \
	for version in $(PYTHONS); do \
	  command -v python$$version >/dev/null || echo "Not tested: Python $$version is not installed here."; \
	done; exit $$status

.PHONY: bench
bench: $(VENV)/.run $(CATALOGS) ## measure on PostgreSQL (DATABASE_URL); QUICK=1: two minutes; GATE=1: CI's gates only
	@$(PY) -m benchmarks

.PHONY: chaos
chaos: $(VENV)/.dev $(CATALOGS) ## kill workers, broker and database in mid-send, and count (KILLS=20)
	@$(PY) -m tests.chaos --database sqlite --kills $(or $(KILLS),20)
	@$(PY) -m tests.chaos --database postgresql --kills $(or $(KILLS),20)

.PHONY: storm
storm: $(VENV)/.dev $(CATALOGS) ## send to 100,000 with 451 replies, and with the relay down a minute (READERS=)
	@$(PY) -m tests.chaos.storm --database postgresql --readers $(or $(READERS),100000)
	@$(PY) -m tests.chaos.storm --database sqlite --readers $(or $(READERS),100000)

##@ One's own newsroom
.PHONY: begin sample-remove
begin: setup ## remove the sample newsroom and begin your own
	@$(MANAGE) begin

sample-remove: setup ## remove the sample newsroom only
	@$(MANAGE) sample remove

##@ Parts
.PHONY: setup lint format lock clean
setup: $(VENV)/.run $(CATALOGS) $(KEYS) ## the environment, the keys, the catalogs of translations

lint: $(VENV)/.dev $(CATALOGS) $(KEYS) ## ruff, mypy, vulture, codespell, deptry, djlint, migrations, checks
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check . || \
	  { echo "Files are not formatted: make format." >&2; exit 1; }
	@$(PY) -m mypy --no-error-summary
	@$(VENV)/bin/vulture
	@$(VENV)/bin/codespell
	@$(VENV)/bin/deptry --no-ansi . >/dev/null 2>&1 || $(VENV)/bin/deptry --no-ansi .
	@$(VENV)/bin/djlint --quiet --lint $(TEMPLATES)
	@$(MANAGE) makemigrations --check --dry-run
	@$(MANAGE) check

format: $(VENV)/.dev ## format the Python files
	@$(VENV)/bin/ruff check --quiet --fix . ; $(VENV)/bin/ruff format --quiet .

lock: ## resolve the dependencies again (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header pyproject.toml \
	  --constraint .ci/lts.txt -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header pyproject.toml --group dev \
	  --constraint .ci/lts.txt -o requirements-dev.lock

clean: ## remove the environment and caches; the data in var/ stay
	rm -rf $(VENV) .nox .mypy_cache .ruff_cache .pytest_cache .hypothesis test-results
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# --- How the parts are made -------------------------------------------------------------------
$(VENV)/bin/python:
	@python="$(PYTHON)"; \
	if [ -z "$$python" ]; then \
	  for name in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	    if "$$name" -c '$(SUITABLE)' 2>/dev/null; then python="$$name"; break; fi; \
	  done; \
	fi; \
	if [ -z "$$python" ] || ! "$$python" -c '$(SUITABLE)'; then \
	  echo "Tydzen needs Python 3.11 to 3.14 with its venv module (on Debian: apt install" >&2; \
	  echo "python3-venv). Name it if it is elsewhere: make run PYTHON=/path/to/python3.12" >&2; \
	  exit 1; \
	fi; \
	echo "Making $(VENV) with $$python"; "$$python" -m venv $(VENV)

$(VENV)/.run: requirements.lock | $(VENV)/bin/python
	@echo "Installing the dependencies"
	@$(PY) -m pip install -qq --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing the dependencies and the tools of development"
	@$(PY) -m pip install -qq --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/.run

# Made once, worker.json along with it; never overwritten. A trial's readers are made up, so it
# has no recovery copy; docs/deploy.md says how a real newsroom gets one.
$(KEYS): | $(VENV)/.run
	@$(MANAGE) keys new --no-recovery

%.mo: %.po | $(VENV)/.run
	@$(VENV)/bin/pybabel --quiet compile --input-file $< --output-file $@
