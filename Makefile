# The two commands of the README are `make demo` and `make test`; `make help` lists the rest.
# Each does its own set-up in .venv: it needs Python 3.11-3.13 and make, no root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Both stamps are made again when the dependencies or their lock change.
DEPENDENCIES := pyproject.toml constraints.txt hatch_build.py $(wildcard monitorlab/static/src/*)
WORKERS ?= auto
# Notebooks that run at a time.
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test check format docs notebooks lab bench lock clean

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.installed ## replay the bundled recording and write build/demo/report.html
	$(BIN)/monitorlab demo --out build/demo

test: $(VENV)/.installed-test check ## lint, types, tests, doctests and notebooks
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --ignore tests/e2e
	$(BIN)/python -m pytest -q tests/e2e  # by itself: a browser wants the machine to itself
	$(MAKE) --no-print-directory notebooks

check: $(VENV)/.installed-test ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-test ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

notebooks: $(VENV)/.installed-test ## run every notebook again and compare each output with the stored one
	$(BIN)/monitorlab nbcheck notebooks --jobs $(JOBS)

docs: $(VENV)/.installed-docs ## build the site into build/docs; a warning or a broken link fails
	$(BIN)/python -m sphinx -b html -q -W --keep-going docs build/docs
	@echo "build/docs/index.html"

lab: $(VENV)/.installed-lab ## JupyterLab on the notebooks
	$(BIN)/jupyter lab --notebook-dir=notebooks

bench: $(VENV)/.installed-test ## speed and memory beside the peers, in one run
	$(BIN)/python -m pytest benchmarks -p no:xdist -q --benchmark-columns=median,ops --benchmark-json=benchmarks/results/speed.json

lock: $(VENV)/.installed-test ## choose the versions of constraints.txt anew
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --extra test --extra docs --no-header --no-annotate -q --upgrade pyproject.toml -o constraints.txt

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "monitorlab needs Python 3.11, 3.12 or 3.13; set PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(DEPENDENCIES) | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[all]'
	$(BIN)/python -m monitorlab.warmup
	@touch $@

$(VENV)/.installed-test: $(DEPENDENCIES) | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[test]'
	$(BIN)/python -m monitorlab.warmup
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: $(DEPENDENCIES) | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

$(VENV)/.installed-lab: $(VENV)/.installed
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[lab]'
	@touch $@

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
