# Every wish has one command. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

.PHONY: run
run: $(VENV)/.installed ## install, make the database, load a made-up population and serve everything
	$(BIN)/wegwijs serve --demo

.PHONY: test
test: $(VENV)/.installed-dev ## install what the tests need and run them all
	$(BIN)/python -m pytest -n auto --dist loadfile

.PHONY: test-browser
test-browser: $(VENV)/.installed-dev ## the pages in a real browser: every page with axe, keyboard, no script, two browsers at once
	scripts/need_chromium.sh
	$(BIN)/python -m pytest tests/browser

.PHONY: screenshots
screenshots: $(VENV)/.installed-dev ## pictures of the pages into var/screenshots (wide, phone, English)
	scripts/need_chromium.sh
	$(BIN)/python -m tests.browser.screenshots var/screenshots

.PHONY: install
install: $(VENV)/.installed ## install the service into .venv

.PHONY: check
check: $(VENV)/.installed-dev ## style, types, import rules and content
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/wegwijs content check

.PHONY: format
format: $(VENV)/.installed-dev ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: theme
theme: $(VENV)/.installed ## fetch the municipality's colours and fonts for the pages (needs npm)
	$(BIN)/python scripts/vendor_assets.py --theme

.PHONY: assets
assets: $(VENV)/.installed ## fetch the style sheets and the script that are in the repository anew (needs npm)
	$(BIN)/python scripts/vendor_assets.py

QUERIES ?= ../shared/queries_dev.jsonl
.PHONY: evaluate
evaluate: $(VENV)/.installed ## measure the answering on a labelled file (QUERIES=file.jsonl)
	$(BIN)/wegwijs evaluate $(QUERIES)

.PHONY: bench
bench: $(VENV)/.installed-dev ## measure speed: accepting against a no-op endpoint, then the whole service under load
	$(BIN)/wegwijs bench --seconds 2
	$(BIN)/python -m scripts.load all

.PHONY: bench-monitoring
bench-monitoring: $(VENV)/.installed-dev ## time the figures of surveys: 10,000 and 1,000,000 answers, and the page that shows them
	$(BIN)/python scripts/bench_monitoring.py

.PHONY: chaos
chaos: $(VENV)/.installed-dev ## kill -9 the server at random moments under load and count what was lost
	$(BIN)/python scripts/chaos.py
	$(BIN)/python scripts/chaos.py --postgresql

.PHONY: rolling
rolling: $(VENV)/.installed-dev ## restart two processes on PostgreSQL one after the other under load and count what was lost
	$(BIN)/python scripts/rolling.py

EXAMPLES ?= 2000
.PHONY: fuzz
fuzz: $(VENV)/.installed-dev ## junk at every route, file and form, for long (EXAMPLES=2000 of each property)
	FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/test_fuzz.py

.PHONY: audit
audit: ## known holes in the locked libraries, and what bandit sees in the code (needs the network and pipx)
	pipx run pip-audit --strict --disable-pip --require-hashes -r requirements.txt
	pipx run bandit -q -r bot webhooks --severity-level medium

.PHONY: simulate
simulate: $(VENV)/.installed-dev ## a year of surveys with 5,000 invented people: limits, nights, funnels
	$(BIN)/python -m tests.surveys.simulate

.PHONY: chat
chat: $(VENV)/.installed ## talk to the service in the terminal
	$(BIN)/wegwijs chat

.PHONY: lock
lock: ## write the lock files anew (needs uv)
	uv pip compile -q pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --no-header --no-annotate --upgrade -o requirements.txt
	uv pip compile -q pyproject.toml --group build --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --no-header --no-annotate -c requirements.txt -o requirements-dev.txt

.PHONY: clean
clean: ## remove what can be made again (not the database)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed; name it: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

# pip builds nothing and fetches nothing but what the lock files name; the project itself is put in place as a link.
$(VENV)/.installed: $(BIN)/python requirements.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@
