# Python 3.11+, git and make are all that is needed; everything else goes into .venv.
.PHONY: help demo setup test lint audit bench soak lock wheel clean
.DEFAULT_GOAL := help

BIN := .venv/bin

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS='	' read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

demo: setup ## ask this project's own documentation, with citations
	@$(BIN)/lorekeeper demo

setup: ## make .venv with the lorekeeper command in it
	@.ci/setup

test: ## run the tests
	@.ci/setup test
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

lint: ## check style, types and import directions
	@.ci/setup test lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

audit: ## look the pinned packages up in the vulnerability database (needs the network)
	@.ci/setup lint
	@$(BIN)/pip-audit --disable-pip --require-hashes -r requirements/runtime.txt

bench: ## run the benchmarks (about an hour; QUICK=1: minutes, see docs/benchmarks.md)
	@.ci/setup test
	@$(BIN)/python -m tests.benchmarks $(if $(QUICK),--quick)

soak: ## break it in every way (an hour or two; SCALE=0.005: minutes, see docs/trust.md)
	@.ci/setup test
	@$(BIN)/python -m tests.soak $(if $(SCALE),--scale $(SCALE))

lock: ## pin the requirements again (UPGRADE=1: renew them)
	@.ci/setup
	@.ci/lock $(if $(UPGRADE),--upgrade)

wheel: ## build the wheel into dist/
	@.ci/setup
	@$(BIN)/hatchling build -t wheel

clean: ## remove .venv, the demo's data and caches
	@rm -rf .venv .lorekeeper build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
