# memup: everything is installed into .venv from requirements/*.txt.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help setup test lint demo docs bench clean

help:
	@echo "make setup   .venv with the pinned requirements; .venv/bin/memup works after it"
	@echo "make demo    train MemUP on Noisy T-Maze-1000 beside its controls; table and report.html"
	@echo "make test    the whole test suite, the linters and the layering check"
	@echo "make lint    ruff (style and format)"
	@echo "make docs    the documentation as a site in site/"
	@echo "make bench   the quick benchmarks of benchmarks/"

setup: $(VENV)/.installed

# uv installs the same pins several times faster; plain pip is the fallback.
$(VENV)/.installed: requirements/core.txt requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9 || true
	if test -x $(BIN)/uv; then \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements/dev.txt && \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Two workers: most of a test is compiling, which uses one core.
test: lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

demo: setup
	$(BIN)/memup demo

docs: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/docs.txt
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: setup
	for suite in speed lstm-kernel; do $(BIN)/python -m benchmarks run $$suite --quick || exit 1; done

clean:
	rm -rf $(VENV) site .pytest_cache .ruff_cache
