# The two commands: make demo, make test. The rest is for whoever works on Menshen.
#   make demo DEMO="--visits 50 --exit"     arguments for `menshen demo`
#   make test TEST="tests/sync -k chain"    arguments for pytest
#   make bench NAME=journal                 one benchmark of bench/; the last line is one JSON object
.PHONY: demo test lint bench docs lock
PYTHON ?= python3
export PYTHON

demo:
	@requirements/setup.sh demo
	@.venv/bin/menshen demo $(DEMO)

test:
	@requirements/setup.sh test
	@$(MAKE) --no-print-directory lint
	@.venv/bin/python -m pytest -n 2 --dist worksteal $(TEST)

lint:
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache

bench:
	@requirements/setup.sh test
	@.venv/bin/python -m bench.$(NAME) $(BENCH)

docs:
	@.venv/bin/python -m gateway.docs

lock:
	@requirements/lock.sh
