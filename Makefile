# County Twin: what a person types. `make run` on a fresh machine needs Python 3.11+ and make.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
ARGS ?=

.PHONY: help run demo doctor test lint types imports pytest bench clean system-packages

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST)

run: $(RUNTIME) ## start everything; options: make run ARGS="--port 8060"
	@exec $(BIN)/python -m app run $(ARGS)

demo: $(RUNTIME) ## start with the demo devices; options: make demo ARGS="--speed 10"
	@exec $(BIN)/python -m app demo $(ARGS)

doctor: $(RUNTIME) ## look for what would keep it from running, and say the mend
	@$(BIN)/python -m app doctor $(ARGS)

test: system-packages lint types imports pytest ## everything that must hold

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV)
	$(BIN)/mypy

imports: $(DEV)
	$(BIN)/lint-imports

pytest: $(DEV)
	$(BIN)/python -m pytest -n 2 --dist loadscope $(ARGS)

bench: $(DEV) ## measure and print the figures of the README
	$(BIN)/python -m bench.end_to_end $(ARGS)

clean: ## remove the environment and caches; the data folder var/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

system-packages:
	@.ci/system_packages.sh

$(BIN)/python:
	@.ci/make_venv.sh $(VENV)

$(RUNTIME): requirements.txt $(wildcard constraints.txt) | $(BIN)/python
	@echo "installing the packages of requirements.txt into $(VENV) (once; some minutes)"
	@$(BIN)/python -m pip install --quiet -r requirements.txt
	@$(BIN)/python -m twin.heat
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	@echo "installing the packages of requirements-dev.txt into $(VENV)"
	@$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@
