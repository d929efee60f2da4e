# The project's tasks. `make help` lists them.
RECIPE ?= fast-93
BIN := .venv/bin
RUN := $(BIN)/fashioncnn

.DEFAULT_GOAL := help
.PHONY: help set-up upgrade train check test bench docs format clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

set-up: ## Make .venv with everything that `make train` needs
	@python3 tools/set_up.py

upgrade: ## Install the newest versions of everything, and note them in constraints.txt
	@python3 tools/set_up.py --dev --upgrade

train: set-up ## Set up, get the data, train RECIPE (fast-93), write its page
	@$(RUN) data fetch
	@$(RUN) train $(RECIPE) --report

check: ## Linters, types, imports and the fast tests, for the hand
	@python3 tools/set_up.py --dev
	@$(BIN)/python tools/check.py

test: ## Set up, get the data, run every check and test
	@python3 tools/set_up.py --dev
	@$(RUN) data fetch
	@$(BIN)/python tools/check.py --all

bench: ## Measure the speed recipes against the ordinary way; about an hour on two cores
	@python3 tools/set_up.py --dev
	@$(RUN) data fetch
	$(RUN) bench speed fast-92 fast-93 fast-94 fast-95 --seeds 3 --against ordinary --out benchmarks/results
	$(RUN) bench speed fast-92 fast-93 fast-94 --against ordinary --peer-seeds 3 --out benchmarks/results --resume
	$(BIN)/python benchmarks/publish.py

docs: ## Write what documents take from the code anew; build the site in build/site
	@python3 tools/set_up.py --dev
	@$(BIN)/python tools/documents.py
	@$(RUN) data fetch
	@$(BIN)/sphinx-build --fail-on-warning --keep-going -q docs build/site
	@echo "The site: build/site/index.html"

format: ## Format and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove .venv and caches; runs stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
