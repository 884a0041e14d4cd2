# One command each. Every target creates and uses .venv, pinned by constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ZOO ?= .venv-zoo
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# Whole runs go through these. Shapes of arrays in the rooms below are checked by the tests of those rooms; to check
# them again for every picture and every step of every run would double the time.
DOORS := tests/classifier tests/cli tests/export tests/serving tests/test_memory.py tests/test_patient_data.py tests/test_recipes.py
ABOVE := striate.classifier,striate.export,striate.run,striate.serving,beartype.beartype

.PHONY: demo docs lessons test test-slow test-zoo lint format bench recipes pictures clean

demo: $(VENV)/core  ## set up, train on the embedded digits, print the verdict, write the report
	@rm -rf runs/demo
	$(BIN)/striate train digits --epochs 20 --seed 0 --out runs/demo
	$(BIN)/striate evaluate runs/demo

test: lint  ## everything that must hold, in under ten minutes on two cores; a worker a core, each with one thread
	$(BIN)/python -m pytest -n auto --dist worksteal $(DOORS:%=--ignore=%)
	$(BIN)/python -m pytest -n auto --dist worksteal $(DOORS) --jaxtyping-packages=$(ABOVE)

test-slow: lint  ## the tests that take minutes, with new random examples
	STRIATE_EXAMPLES=new $(BIN)/python -m pytest -n auto --dist worksteal -m slow

test-zoo: $(ZOO)/dev  ## timm's networks and torchvision's, in an environment of about 5 GB of its own
	$(ZOO)/bin/python -m pytest -m zoo tests/zoo

lint: $(VENV)/dev  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright --level error

docs: $(VENV)/dev  ## the site, in build/docs: every snippet and lesson is run, links and pages are tested
	$(BIN)/python docs/site/build.py
	$(BIN)/python -m pytest tests/test_site.py -m "slow or not slow" -n auto --dist worksteal

lessons: $(VENV)/core  ## every lesson in its full form, on named data where it is at hand; what they say and draw in build/lessons
	$(BIN)/python lessons/__main__.py

format: $(VENV)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/dev  ## every figure that the README claims
	$(BIN)/python -m bench

recipes: $(VENV)/core  ## every promised number; `make recipes NAME=lenet5_mnist` runs that one again
	$(BIN)/python -m recipes $(NAME)

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

# The registry's default torch beside the torchvision built for it, so constraints.txt does not apply.
$(ZOO)/dev: pyproject.toml
	$(PYTHON) -m venv $(ZOO)
	$(ZOO)/bin/python -m pip install --quiet --disable-pip-version-check torch torchvision -e ".[dev,zoo]"
	@touch $@

clean:
	rm -rf $(VENV) $(ZOO) build dist runs .pytest_cache .ruff_cache .hypothesis
