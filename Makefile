# `make book` and `make test` do everything on a fresh machine with Python 3.11 and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: book test matrix lint lock bench clean

book: $(READY)  ## fetch the model, run the notebooks on the laptop profile, build the site
	$(BIN)/attribook models fetch
	$(BIN)/attribook run --profile laptop --site

# Tiny models gain nothing from threads, and two processes with two threads each get into each other's way.
test: export OMP_NUM_THREADS := 1
test: $(READY)  ## all tests, every notebook on tiny models, and a build of the book from those
	$(BIN)/python -m pytest -n 2 --dist worksteal
	$(BIN)/attribook run --profile smoke --site

matrix: export OMP_NUM_THREADS := 1
matrix: $(READY)  ## write down which method works on which family, from the tests that say so
	$(BIN)/python -m pytest -n 2 tests/parity/test_matrix.py --write-matrix

lint: $(READY)  ## lint, format, types, import direction
	$(BIN)/ruff check src tests notebooks tools
	$(BIN)/ruff format --check src tests notebooks tools
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## speed against captum, Inseq and the machine's limit
	$(BIN)/attribook bench

lock: $(READY)  ## write the lock files anew from pyproject.toml
	$(BIN)/python tools/lock.py

$(READY): requirements.lock requirements-torch.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "attribook needs Python 3.11 or newer: make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-torch.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(READY)

clean:  ## forget the environment and everything built
	rm -rf $(VENV) _build
