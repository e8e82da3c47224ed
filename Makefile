# Sets msctl up and runs it. `make help` lists what there is.

PYTHON ?=
export PYTHON
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup up test test-engines test-pythons soak check dashboards man bench clean

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup:  ## make .venv, install msctl, make sure a Docker engine and the base image are there
	@scripts/ensure-venv
	@scripts/ensure-engine
	@scripts/ensure-base-image

up: setup  ## set up, then bring up the stack in compose/stack.yaml
	@.venv/bin/msctl -f compose/stack.yaml up $(ARGS)

test:  ## set up, then run every test (ARGS="-k name" goes to pytest)
	@scripts/ensure-venv test
	@scripts/run-tests $(ARGS)

test-engines:  ## run the tests on an engine once more, on a newer one beside this machine's (as root)
	@scripts/ensure-venv test
	@scripts/second-engine run scripts/run-tests tests/integration $(ARGS)

test-pythons:  ## run unit, cli and contract tests with the Pythons of newer Debians (as root)
	@scripts/ensure-engine
	@scripts/ensure-base-image
	@for release in trixie sid; do scripts/newer-python $$release scripts/ensure-venv test && \
		scripts/newer-python $$release .venv/bin/python -m pytest -q \
		tests/unit tests/cli tests/contract $(ARGS) || exit; done

check:  ## lint, format, types and unit tests: fast, without an engine
	@scripts/ensure-venv dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy --strict msctl
	.venv/bin/python -m pytest -q tests/unit $(ARGS)

dashboards:  ## make Grafana's dashboard anew from grafana/dashboard.py
	@scripts/ensure-venv test
	.venv/bin/python grafana/dashboard.py

man:  ## make the manual page anew from the commands' help
	@scripts/ensure-venv
	.venv/bin/python man/page.py

soak: setup  ## make test, and the long tests: every change and kill under load
	@scripts/ensure-venv test
	@scripts/ensure-browser
	@MSCTL_TEST_SOAK=1 scripts/run-tests $(ARGS)

bench: setup  ## measure on the real engine
	@scripts/ensure-venv test
	.venv/bin/python -m pytest tests/bench -s $(ARGS)

clean:  ## remove .venv and caches; images, volumes and secrets stay
	rm -rf .venv .venv-checkov build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
