# One command each. Every target creates and uses .venv, pinned by constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test test-slow lint format bench pictures clean

demo: $(VENV)/core  ## set up, train on the embedded digits, print the verdict, write the report
	@rm -rf runs/demo
	$(BIN)/striate train digits --epochs 20 --seed 0 --out runs/demo
	$(BIN)/striate evaluate runs/demo

test: lint  ## everything that must hold, in under ten minutes on two cores
	$(BIN)/python -m pytest

test-slow: lint  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/dev  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright --level error

format: $(VENV)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/dev  ## every figure that the README claims
	$(BIN)/python -m bench

pictures: demo  ## the pictures of README and docs; needs chromium
	$(BIN)/python docs/pictures.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# torch by itself first: asked for by name and version it installs as the CPU build where one is at hand.
$(VENV)/core: $(VENV)/bin/python constraints.txt pyproject.toml
	$(INSTALL) torch==$$(sed -n 's/^torch==//p' constraints.txt)
	$(INSTALL) -e .
	@touch $@

$(VENV)/dev: $(VENV)/core
	$(INSTALL) -e ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) build dist runs .pytest_cache .ruff_cache .hypothesis
