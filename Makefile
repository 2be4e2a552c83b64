# `make` lists the tasks. PORT=, VAR=, CITY=, REPLAY= can be set; several run side by side.
PYTHON ?= python3
CITY ?= kranj
PORT ?= 8000
VAR ?= var
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check prove bench format lock docs frontend texts clean

help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/run.done texts ## set up what is needed and run a demo city at http://127.0.0.1:8000 (Ctrl-C stops it)
	@$(BIN)/krog demo $(CITY) --port $(PORT) --var $(VAR) $(if $(REPLAY),--replay $(REPLAY))

test: $(VENV)/test.done ## set up what the tests need and run all checks and tests
	@$(BIN)/python tools/check.py

check: $(VENV)/test.done ## only the quick checks: format, types, floors, texts
	@$(BIN)/python tools/check.py --quick

prove: $(VENV)/test.done ## the long proofs: many kills, many hostile inputs (an hour or more)
	@KROG_PROVE=1 $(BIN)/python tools/check.py

bench: $(VENV)/test.done ## measure, print JSON
	@for bench in benchmarks/bench_*.py; do echo "# $$bench" >&2; $(BIN)/python -m benchmarks.$$(basename $$bench .py) || exit 1; done

format: $(VENV)/test.done ## format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: $(VENV)/run.done ## lock the dependencies anew, with hashes
	@for name in build run test; do $(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --no-emit-find-links requirements/$$name.in -o requirements/$$name.txt || exit 1; done

docs: $(VENV)/run.done ## write the reference pages anew from the code
	@$(BIN)/python tools/reference.py

texts: $(VENV)/run.done ## compile the translated texts
	@$(BIN)/python tools/texts.py compile

frontend: $(VENV)/test.done ## build the browser bundle anew
	@$(BIN)/python tools/build_frontend.py

clean: ## remove the environment and everything that was built
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/uv: requirements/build.txt
	@echo "Setting up Python's environment in $(VENV) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Krog needs Python 3.11 or newer; set PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv is missing. On Debian: sudo apt-get install python3-venv python3-pip"; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/build.txt
	@touch $@

$(VENV)/run.done: $(VENV)/bin/uv requirements/run.txt pyproject.toml
	@echo "Installing what Krog needs (about 1 minute the first time) …"
	@$(BIN)/uv pip install -q -p $(VENV) --require-hashes -r requirements/run.txt
	@$(BIN)/uv pip install -q -p $(VENV) --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/test.done: $(VENV)/run.done requirements/test.txt
	@echo "Installing what the tests need …"
	@$(BIN)/uv pip install -q -p $(VENV) --require-hashes -r requirements/test.txt
	@touch $@
