# `make up` and `make test` are all that is needed; both install what they need into .venv first.
PYTHON ?= python3
STACK ?= dev
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help up serve rotate gameday test check format docs bench soak lock clean

help: ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

# The same environment that Pulumi.yaml names, so `pulumi up` finds it. Hashes are checked.
.venv/installed: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' \
	  || { echo 'lambda-secrets needs Python 3.11 to 3.14: make PYTHON=/path/to/python3.13' >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo 'installing into .venv (once) ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --require-hashes -r requirements-dev.txt
	@touch $@

up: .venv/installed ## deploy STACK into the embedded AWS, invoke the function, prove what it promises
	@$(BIN)/python -m local up --stack '$(STACK)'

serve: .venv/installed ## the same, and stay: prints what the AWS CLI, boto3 or pulumi need to reach it
	@$(BIN)/python -m local serve --stack '$(STACK)'

rotate: .venv/installed ## deploy STACK (staging, prod) and rotate its secrets under traffic, as a live display
	@$(BIN)/python -m local rotate --stack '$(if $(filter dev,$(STACK)),staging,$(STACK))'

gameday: .venv/installed ## deploy prod, take its first region's Secrets Manager away under traffic, and bring it back
	@$(BIN)/python -m local gameday

test: check ## lint, types and every test
	$(BIN)/python -m pytest --cov

check: .venv/installed ## lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: .venv/installed ## format, and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/installed ## write the tables in README.md and Pulumi.yaml anew from infra/schema.py
	$(BIN)/python -m docs.generate

# The peers, where nothing but the benchmark sees them.
benchmarks/.venv/installed: benchmarks/requirements.txt
	@test -x benchmarks/$(BIN)/python || $(PYTHON) -m venv benchmarks/.venv
	@echo 'installing into benchmarks/.venv (once) ...'
	@benchmarks/$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --require-hashes -r benchmarks/requirements.txt
	@touch $@

bench: .venv/installed benchmarks/.venv/installed ## measure the client beside its peers into benchmarks/RESULTS.md, in 3 minutes
	@benchmarks/$(BIN)/python -m compileall -q benchmarks
	@$(BIN)/python -m benchmarks

soak: .venv/installed ## rotate each strategy 200 times under traffic, into benchmarks/RESULTS.md, in 5 minutes
	$(BIN)/python -m benchmarks.rotation

lock: .venv/installed ## resolve pyproject.toml anew into requirements*.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command 'make lock' --group dev pyproject.toml -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command 'make lock' -c requirements-dev.txt pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command 'make lock' --group bench -o benchmarks/requirements.txt

clean: ## remove .venv and every cache
	rm -rf .venv benchmarks/.venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
