# The two commands: make demo, make test. The rest is for whoever works on Menshen.
#   make demo DEMO="--visits 50 --exit"     arguments for `menshen demo`
#   make test TEST="tests/sync -k chain"    arguments for pytest; make test-all: the long ones of tests/long.py too
#   make bench NAME=journal                 one benchmark of bench/; the last line is one JSON object
#   make score NAME=dcc DATA=FOLDER         decisions on certificates with known answers; the last line is one JSON object
#   make fuzz NAME=pass TIME=60             one target of tests/fuzz under atheris for so many seconds (x86-64 only)
#   make faults ROUNDS=200                  faults on the real processes, judged record by record (docs/faults.md); also SEED=, ONLY=
.PHONY: demo test test-all lint bench score fuzz faults docs lock
PYTHON ?= python3
export PYTHON

demo:
	@requirements/setup.sh demo
	@.venv/bin/menshen demo $(DEMO)

# Most of a test is waiting for processes: one worker more than cores.
test:
	@requirements/setup.sh test
	@$(MAKE) --no-print-directory lint
	@.venv/bin/python -m pytest -n 3 --dist worksteal $(TEST)

test-all:
	@$(MAKE) --no-print-directory test TEST="--all $(TEST)"

lint:
	@requirements/setup.sh test
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache

bench:
	@requirements/setup.sh test
	@.venv/bin/python -m bench.$(NAME) $(if $(DATA),--data "$(DATA)") $(BENCH)

score:
	@requirements/setup.sh test
	@.venv/bin/python -m bench.score $(NAME) $(if $(DATA),--data "$(DATA)")

TIME ?= 60
fuzz:
	@requirements/setup.sh fuzz
	@.venv/bin/python -m tests.fuzz $(NAME) $(TIME)

ROUNDS ?= 200
faults:
	@requirements/setup.sh faults
	@.venv/bin/python -m tests.faults.rounds --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED)) $(addprefix --only ,$(ONLY))

docs:
	@requirements/setup.sh test
	@.venv/bin/python -m gateway.docs
	@.venv/bin/python -m gateway.config.office_keys && .venv/bin/ruff format -q sync/contract/policy_keys.py
	@.venv/bin/python -m sync.docs

lock:
	@requirements/lock.sh
