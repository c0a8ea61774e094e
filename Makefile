# `make up` and `make test` are all you need. Each first installs its requirements into .venv.
PYTHON ?= python3
BIN := .venv/bin
# How many tests run at once: one more than there are cores, because some wait for a server.
export WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

# STACK and ENGINE reach the commands through the environment, so that neither make nor a shell expands them.
override STACK := $(value STACK)
override ENGINE := $(value ENGINE)
export STACK ENGINE
unexport PYTHONSAFEPATH # it would hide the modules of the checkout from Python

.DEFAULT_GOAL := help
.PHONY: help up up-large serve rotate lifecycle gameday pulumi test test-fast test-all test-flaky test-pythons test-lowest \
  check coverage format docs picture bench bench-install bench-deploy bench-scale soak lock clean

help: ## show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

# Pulumi.yaml names the same environment, so `pulumi up` finds it. uv installs exactly what is locked:
# it resolves and builds nothing, and checks every hash. It uses the same package index as pip.
.venv/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' \
	  || { echo 'lambda-secrets needs Python 3.11 to 3.14: make PYTHON=/path/to/python3.13' >&2; exit 1; }
	@echo 'installing into .venv (once) ...'
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip .venv
	@python=$(PYTHON); $$python -c 'import pip' 2>/dev/null \
	  || { $$python -m venv .venv && python=$(BIN)/python; }; \
	rm -rf $@.new; PIP_ROOT_USER_ACTION=ignore $$python -m pip install --quiet \
	  --disable-pip-version-check --target $@.new --only-binary :all: --no-deps --require-hashes -r $<
	@rm -rf $@; mv $@.new $@; touch $@

UV = .venv/uv/bin/uv
PIP_FILES = /etc/pip.conf "$$HOME/.pip/pip.conf" "$$HOME/.config/pip/pip.conf" "$$PIP_CONFIG_FILE"
INDEX = $$(sed -nE 's/^ *index-url *[=:] *//p' $(PIP_FILES) 2>/dev/null | tail -n 1)
SYNC = VIRTUAL_ENV=$(1) UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$(INDEX)}}" \
  $(UV) pip sync --quiet --require-hashes --no-build $(2)

# An environment that already has the test requirements keeps them.
.venv/local: requirements/local.txt .venv/uv
	@$(call SYNC,.venv,$(if $(wildcard .venv/test),requirements/test.txt,$<))
	@touch $@

.venv/test: requirements/test.txt .venv/uv
	@$(call SYNC,.venv,$<)
	@touch .venv/local $@

up: .venv/local ## deploy STACK to the embedded AWS, call its functions, run every check, and stop
	@$(BIN)/python -m local up

up-large: .venv/local ## the same for 500 secrets, 300 of which rotate, in about 40 minutes
	@mkdir -p .jobs; $(BIN)/python -m benchmarks.large .jobs/large.yaml
	@$(BIN)/python -m local up --stack dev --config-file .jobs/large.yaml

serve: .venv/local ## the same as up, but keep running; prints how to reach it with the AWS CLI, boto3 or pulumi
	@$(BIN)/python -m local serve

rotate: .venv/local ## deploy STACK (staging, prod) and rotate its secrets under traffic, with a live display
	@$(BIN)/python -m local rotate

lifecycle: .venv/local ## deploy STACK (prod) by Pulumi's engine, and make each change of its config alone and back
	@$(BIN)/python -m local lifecycle

gameday: .venv/local ## deploy prod, cut off Secrets Manager in its first region under traffic, and restore it
	@$(BIN)/python -m local gameday

pulumi: .venv/local ## build the Pulumi CLI from its Go modules if it is not installed (once, a few minutes)
	@$(BIN)/python -m tools.build_pulumi

test: .venv/test ## lint, check types, and run every test except the exhaustive ones, in 5 minutes
	@mkdir -p .jobs; $(MAKE) --no-print-directory check >.jobs/check.log 2>&1 & checking=$$!; \
	$(BIN)/python -m pytest --numprocesses $(WORKERS); tested=$$?; \
	wait $$checking; checked=$$?; cat .jobs/check.log; exit $$((tested | checked))

coverage: .venv/test ## run the same tests and measure their coverage
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --cov

test-fast: .venv/test ## run the tests that start no server (unit, components, program), in a minute
	$(BIN)/python -m pytest --numprocesses $(WORKERS) tests/unit tests/components tests/program tests/provider/test_facts.py

test-all: check ## run every test, in an hour; if interrupted, run it again to resume
	@WORKERS=1 $(BIN)/python -m tools.everything $(WORKERS)

test-flaky: .venv/test ## repeat the tests on a busy machine, in random order; if interrupted, run it again to resume
	@$(BIN)/python -m tools.flaky

test-pythons: .venv/test ## run the fast tests with every installed Python from 3.11 to 3.14
	@$(BIN)/python -m tools.pythons

test-lowest: .venv/test ## run the fast tests with the lowest versions that pyproject.toml allows
	@$(BIN)/python -m tools.lowest

check: .venv/test ## lint and check types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: .venv/test ## format the code and apply ruff's fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/test ## generate docs/config.md, docs/emulator-operations.md and the declarations in Pulumi.yaml
	$(BIN)/python -m docs.generate

picture: .venv/local ## record the README's picture from a run of `make up`
	@$(BIN)/python -m tools.picture

# The peers have an environment of their own, which only the benchmark uses.
benchmarks/.venv/installed: benchmarks/requirements.txt .venv/uv
	@test -x benchmarks/$(BIN)/python || $(PYTHON) -m venv --without-pip benchmarks/.venv
	@echo 'installing into benchmarks/.venv (once) ...'
	@$(call SYNC,benchmarks/.venv,$<)
	@touch $@

bench: .venv/local benchmarks/.venv/installed ## compare the client with its peers, into benchmarks/RESULTS.md, in 3 minutes
	@benchmarks/$(BIN)/python -m compileall -q benchmarks
	@$(BIN)/python -m benchmarks

bench-install: .venv/local ## time a fresh clone up to its first result, into benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks.install

bench-deploy: .venv/local ## time deployments by both engines, into benchmarks/RESULTS.md, in 5 minutes
	@$(BIN)/python -m benchmarks.deployment

bench-scale: .venv/local ## time and memory for 1, 10, 100 and 500 secrets, into benchmarks/RESULTS.md, in 20 minutes
	@$(BIN)/python -m benchmarks.scale

soak: .venv/local ## rotate each strategy 200 times under traffic, into benchmarks/RESULTS.md, in 5 minutes
	$(BIN)/python -m benchmarks.rotation

LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --no-build --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

lock: .venv/uv ## resolve pyproject.toml into requirements.txt, requirements/ and benchmarks/
	$(LOCK) --group test pyproject.toml -o requirements/test.txt
	$(LOCK) -c requirements/test.txt --group local pyproject.toml -o requirements/local.txt
	$(LOCK) -c requirements/test.txt pyproject.toml -o requirements.txt
	$(LOCK) --group bench -o benchmarks/requirements.txt
	$(LOCK) --group uv -o requirements/uv.txt

clean: ## remove .venv and every cache
	rm -rf .venv .pythons .jobs .packages benchmarks/.venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
