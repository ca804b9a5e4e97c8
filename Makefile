# The fast loop. `make` is on every developer's machine; on Windows the lines below work one by one.
PYTHON = .venv/bin/python

help:                  ## this list
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## /\1: /p' Makefile

setup:                 ## install everything, with pip
	python3 start.py setup

setup-uv:              ## the same by uv, in the exact versions and hashes of packaging/lock.txt
	uv venv --allow-existing --seed .venv
	uv pip sync --python .venv packaging/lock.txt
	uv pip install --python .venv --no-deps --requirement packaging/no-deps.txt --editable .

hooks:                 ## run the linter before every commit (needs pre-commit)
	pre-commit install

format:                ## sort imports, lay out code and documents
	$(PYTHON) -m ruff check --fix --quiet .
	$(PYTHON) -m ruff format .
	$(PYTHON) -m tools.wrap_documents

lint:                  ## style, complexity, layout, types, import walls, spelling
	$(PYTHON) -m tests.checks lint

test-fast:             ## a minute of tests: no window, no session, no training, no real pictures
	UNDERSTUDY_DATA=none $(PYTHON) -m pytest -q -x tests/test_*.py tests/engine --ignore=tests/engine/live $(ARGS)

test:                  ## every test; ARGS are those of pytest: make test ARGS='-k recording'
	$(PYTHON) -m tests.checks test $(ARGS)

e2e:                   ## the real window on a virtual display (needs Xvfb, xdotool and xrandr)
	$(PYTHON) -m pytest tests/e2e $(ARGS)

golden:                ## write the golden files again, after a model or the training was changed on purpose
	$(PYTHON) -m tests.golden.write
	$(PYTHON) -m tests.golden.loss_curve

lock:                  ## bring packaging/lock.txt in line with pyproject.toml and the constraints (needs uv)
	uv pip compile pyproject.toml --extra dev --extra trainer --constraint packaging/constraints.txt \
	    --universal --python-version 3.11 --generate-hashes --no-annotate --quiet \
	    --custom-compile-command "make lock" --output-file packaging/lock.txt

.PHONY: help setup setup-uv hooks format lint test-fast test e2e golden lock
