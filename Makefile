# The only list of commands; .ci/run calls these too. `make` alone prints them.
# Written for GNU Make 3.81, which is what macOS has.

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq install
RECEIVERS := src/codometer/intake/receivers

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run demo test check format bench prove e2e audit bill lock docs proto screenshots clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@echo 'Options of the command behind a target: make run ARGS="--port 5000"'

run: $(VENV)/runtime ## Start the server on this machine (data in ./codometer-data)
	@$(BIN)/codometer serve $(ARGS)

demo: $(VENV)/runtime ## Start it with a simulated fleet, on a throw-away folder
	@$(BIN)/codometer demo $(ARGS)

# A module's tests run together, so that what its fixtures build is built once.
test: $(VENV)/dev ## Run the tests
	@$(BIN)/python -m pytest -n auto --dist=loadscope --cov=codometer $(ARGS)

check: $(VENV)/dev ## Format, lint, types, imports, spelling, dependencies, licences
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@git ls-files -z --cached --others --exclude-standard | \
		xargs -0 $(BIN)/codespell --dictionary - --dictionary .codespell-british
	@$(BIN)/deptry src
	@$(BIN)/python -m tools.supply licences

format: $(VENV)/dev ## Format the code and mend what ruff can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/dev ## Measure: ingest, queries, memory
	@$(BIN)/python -m tests.bench $(ARGS)

prove: $(VENV)/dev ## Run the long property tests
	@$(BIN)/python -m pytest -m prove -n 0 --hypothesis-profile=prove $(ARGS)

e2e: $(VENV)/dev ## Run the tests with real clients, and say why any is left out
	@$(BIN)/python -m pytest -m e2e -rs $(ARGS)

# Fails where the advisories cannot be asked, too: silence is not safety.
audit: $(VENV)/dev ## Ask PyPI for known weaknesses of all that is pinned
	@for lock in requirements.lock requirements-dev.lock; do \
		$(BIN)/pip-audit --progress-spinner off --disable-pip --require-hashes --strict \
			--requirement $$lock $(ARGS) || exit 1; done

bill: $(VENV)/dev ## Print the bill of materials of what is installed to run (CycloneDX)
	@$(BIN)/python -m tools.supply bill

lock: $(VENV)/dev ## Pin the dependencies again; newer ones with ARGS=--upgrade
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --custom-compile-command 'make lock' --group build \
		--output-file requirements.lock $(ARGS) pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --custom-compile-command 'make lock' --group dev --constraint requirements.lock \
		--output-file requirements-dev.lock $(ARGS) pyproject.toml

docs: $(VENV)/dev ## Write the generated pages of docs/reference
	@$(BIN)/python -m codometer.analysis.measures.reference > docs/reference/measures.md
	@$(BIN)/python -m codometer.store.reference > docs/reference/tables.md
	@$(BIN)/python -m codometer.access.reference > docs/reference/access.md

proto: $(VENV)/dev ## Generate the protobuf modules
	@cd $(RECEIVERS) && "$(CURDIR)/$(BIN)/python" -m grpc_tools.protoc \
		--proto_path=. --python_out=. --pyi_out=. otlp_wire.proto otlp_content.proto

screenshots: $(VENV)/dev ## Make the pictures in docs/images, with Chromium
	@$(BIN)/python -m tests.browser.screenshots

clean: ## Remove the environment, caches and build results, never data
	@rm -rf $(VENV) build dist .coverage .coverage.* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment, in three steps, each with a stamp so that the second time takes no time:
# an empty one, what `make run` needs, and what everything else needs.

$(VENV)/made:
	@command -v $(PYTHON) >/dev/null || { \
		echo "make: there is no $(PYTHON); install Python 3.11 or newer," >&2; \
		echo "      or name one: make PYTHON=python3.13 …" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "make: $(PYTHON) is `$(PYTHON) -V 2>&1`, and Codometer needs 3.11 or newer;" >&2; \
		echo "      name one: make PYTHON=python3.13 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "make: $(PYTHON) cannot make environments here;" >&2; \
		echo "      on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/runtime: $(VENV)/made requirements.lock pyproject.toml
	@echo "Installing what Codometer runs on into $(VENV) …"
	@$(PIP) --require-hashes --requirement requirements.lock
	@$(PIP) --no-build-isolation --no-deps --no-index --editable .
	@touch $@

$(VENV)/dev: $(VENV)/runtime requirements-dev.lock
	@echo "Installing what tests and checks need into $(VENV) …"
	@$(PIP) --require-hashes --requirement requirements-dev.lock
	@touch $@
