# The project's tasks. `make help` lists them.
RECIPE ?= fast-93
RUN := .venv/bin/fashioncnn

.DEFAULT_GOAL := help
.PHONY: help set-up train test bench format clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

set-up: ## Make .venv with everything that `make train` needs
	@python3 tools/set_up.py

train: set-up ## Set up, get the data, train RECIPE (fast-93), write its page
	@$(RUN) data fetch
	@$(RUN) train $(RECIPE) --report

test: ## Set up, get the data, run every check and test
	@python3 tools/set_up.py --dev
	@$(RUN) data fetch
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/pytest

bench: ## Measure the speed recipes against the ordinary way; about two hours on two cores
	@python3 tools/set_up.py --dev
	@$(RUN) data fetch
	$(RUN) bench speed fast-92 fast-93 fast-94 --against ordinary --peer-seeds 3
	$(RUN) bench speed fast-95 --seeds 3 --against ordinary --out benchmarks/results/fast-95
	.venv/bin/python benchmarks/publish.py

format: ## Format and mend what ruff can mend
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

clean: ## Remove .venv and caches; runs stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
