# Two commands do everything on a machine with Python 3.11 or newer and make:
#   make demo    sets up the runtime and judges the example pictures
#   make test    sets up everything for development and passes the tests
# Both install what they need into .venv (choose another place with VENV=...), pinned by version and hash.

PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11,$(shell $(p) -c 'import sys; sys.version_info >= (3, 11) and print("$(p)")' 2>/dev/null)))
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test lint docs lock clean
.DELETE_ON_ERROR:

# exit code 3 is expected: one of the examples has no face, and the command says so
demo: $(VENV)/.runtime
	$(BIN)/mesoscope detect examples --report demo/report.html --report demo/report.pdf --overlays demo/overlays || test $$? -eq 3
	@echo
	@echo "Open demo/report.html or demo/report.pdf; boxes and maps are in demo/overlays."

test: lint
	$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: $(VENV)/.dev
	$(BIN)/python scripts/write_cli_docs.py docs/cli.md

# versions and hashes for every platform; no address of any index is written
lock: $(VENV)/.dev
	$(PIP) install uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" \
		pyproject.toml requirements/build.in -c requirements/constraints.in -o requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" \
		--extra dev pyproject.toml requirements/build.in -c requirements/runtime.txt -o requirements/dev.txt

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found; name it: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(VENV)/bin/python requirements/runtime.txt pyproject.toml
	$(PIP) install --require-hashes -r requirements/runtime.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@echo "Installing the parts for development (torch among them, some gigabytes) ..."
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

clean:
	rm -rf demo build dist .mypy_cache .ruff_cache .pytest_cache
