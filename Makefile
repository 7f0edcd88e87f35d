# `make book` and `make test` do everything on a fresh machine with Python 3.11 to 3.14 and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Which build of torch: nothing for the one that pip's own index has (on Linux that is CUDA's), or the name of a folder of
# PyTorch's index, as in `make book TORCH=cpu`. An environment keeps the build that it was made with.
TORCH_HERE := $(shell cat $(VENV)/.torch 2>/dev/null)
TORCH ?= $(TORCH_HERE)
TORCH_INDEX ?= https://download.pytorch.org/whl

.PHONY: book test matrix lint lock bench clean

book: $(READY)  ## fetch the model, run the notebooks on the laptop profile, build the site
	$(BIN)/attribook models fetch
	$(BIN)/attribook run --profile laptop --site

# Tiny models gain nothing from threads, and two processes with two threads each get into each other's way.
test: export OMP_NUM_THREADS := 1
test: $(READY)  ## all tests, every notebook on tiny models, a build of the book from those, and that in a browser
	$(BIN)/python -m pytest -n 2 --dist worksteal --ignore tests/browser
	$(BIN)/attribook run --profile smoke --site
	$(BIN)/python -m pytest -n 2 tests/browser

matrix: export OMP_NUM_THREADS := 1
matrix: $(READY)  ## write down which method works on which family, from the tests that say so
	$(BIN)/python -m pytest -n 2 tests/parity/test_matrix.py --write-matrix

lint: $(READY)  ## lint, format, types, import direction
	$(BIN)/ruff check src tests notebooks tools
	$(BIN)/ruff format --check src tests notebooks tools
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/actionlint -shellcheck= -pyflakes= .github/workflows/*.yml

bench: $(READY)  ## speed against captum, Inseq and the machine's limit
	$(BIN)/attribook bench

lock: $(READY)  ## write the lock files anew from pyproject.toml, and check them; UPGRADE="--upgrade-package NAME"
	$(BIN)/python tools/lock.py $(UPGRADE)

$(READY): requirements.lock requirements-torch.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14) and "attribook needs Python 3.11 to 3.14, and $(PYTHON) is another: make PYTHON=...")'
	@test -x $(BIN)/python || $(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo '$(PYTHON) cannot make environments. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --no-deps --only-binary :all: --require-hashes -r requirements.lock
	$(PIP_INSTALL) $(if $(TORCH),--index-url $(TORCH_INDEX)/$(TORCH)) -r requirements-torch.txt $(if $(TORCH),|| { echo "$$NO_TORCH" >&2; exit 1; })
	$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	echo '$(TORCH)' > $(VENV)/.torch
	touch $(READY)

define NO_TORCH
There is no $(TORCH) build of torch for this machine under $(TORCH_INDEX), or that address is not reached from here.
TORCH_INDEX=... names a copy of it; without TORCH=..., the index is asked that pip is set up for.
endef
export NO_TORCH

ifneq ($(TORCH),$(TORCH_HERE))
ifneq ($(wildcard $(READY)),)
$(READY): other-torch
endif
endif
.PHONY: other-torch
other-torch:
	@echo 'TORCH=$(TORCH), but $(VENV) was made with TORCH=$(TORCH_HERE). Another build needs another environment: make clean' >&2; exit 1

clean:  ## forget the environment and everything built
	rm -rf $(VENV) _build
