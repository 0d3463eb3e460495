# Everything happens in .venv, which every target makes or refreshes by itself when
# requirements.lock or pyproject.toml changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Superset holds back pandas, numpy and Flask: it lives in an environment of its own.
BI := .venv-bi
BI_PYTHON ?= python3.11
# chdb and Polars, which only the benchmarks need.
BENCH := .venv-bench
# PySpark, which is larger than all the rest, lies beside .venv.
SPARK := .venv-spark

export PATH := $(abspath $(BIN)):$(PATH)
export DO_NOT_TRACK = 1
export DBT_SEND_ANONYMOUS_USAGE_STATS = false
export GX_ANALYTICS_ENABLED = false
export SQLFLUFF_PROGRESS = false

.PHONY: setup demo test help soak chaos lint check dbt gate dev bench study docs picture readme bi-test spark-test clean lock

help:  ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(STAMP)  ## make .venv and install the locked dependencies

$(STAMP): requirements.lock pyproject.toml
	@echo "Installing $$(grep -c == requirements.lock) packages into $(VENV): about two minutes, 1.6 GB."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: setup  ## simulate a shop and run the whole nightly job on it
	$(BIN)/sluice demo

test: setup  ## all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# SEEDS=200 runs more of them; `.venv/bin/python -m tests.soak --seed 17` one again.
SEEDS ?= 60
soak: setup  ## nights against a server that misbehaves at random, judged by the truth; under an hour
	$(BIN)/python -m tests.soak --seeds $(SEEDS)

# Another SEED, other moments.
KILLS ?= 100
SEED ?= 1
chaos: setup  ## kills, readers, full disks and other limits against homes; half an hour
	$(BIN)/python -m tests.chaos --kills $(KILLS) --seed $(SEED)

lint: setup  ## ruff, mypy, sqlfluff, yamllint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint dbt_project
	$(BIN)/yamllint --strict .

check: setup  ## what to run before every commit: the fast part of `lint` and of the unit tests; 80 seconds
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/yamllint --strict .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/unit -m "not slow" -n 2 --dist loadfile

# The build database that `make dbt` and `make gate` work on; dbt needs it with its whole path.
HERE = $(if $(filter /%,$(SLUICE_HOME)),,$(CURDIR)/)
DATABASE = $(HERE)$(or $(SLUICE_HOME),data)/build.duckdb
RUN ?= list --resource-type model
dbt: setup  ## any dbt command on ./data (or SLUICE_HOME): make dbt RUN="build --select fct_leak"
	DBT_SLUICE_DATABASE="$(DATABASE)" $(BIN)/dbt $(RUN) --project-dir dbt_project --profiles-dir dbt_project

GATE ?= marts
gate: setup  ## one gate over what the newest run left in ./data: make gate GATE=marts
	$(BIN)/python -m data_checks $(GATE) "$(DATABASE)"

dev: setup  ## Dagster's UI on the project
	umask 077; DAGSTER_HOME=$$($(BIN)/python -m pipelines.orchestration.dagster_home) $(BIN)/dagster dev -w workspace.yaml

bench: setup $(BENCH)/.installed  ## speed and memory as ratios, measured side by side; writes docs/benchmarks.md
	$(BIN)/python -m tests.perf

$(BENCH)/.installed: tests/perf/requirements.lock
	test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

study: setup  ## simulate the statistics and write docs/study.md; minutes
	$(BIN)/python -m tests.study

docs: setup  ## write what is made of the YAML anew, and dbt's documentation to build/docs
	$(BIN)/python -m pipelines.reference_docs

bi-test: setup $(BI)/.installed  ## the dashboard of docs/bi in a real Superset, compared with SQL; minutes
	$(BIN)/python -m pytest tests/bi/check_superset.py

$(BI)/.installed: tests/bi/requirements.lock
	test -x $(BI)/bin/python || $(BI_PYTHON) -m venv $(BI)
	$(BI)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

spark-test: setup $(SPARK)/.installed  ## event exports counted by Spark, compared with DuckDB (needs Java 17); minutes
	PYTHONPATH=$(abspath $(SPARK)) $(BIN)/python -m pytest tests/spark/check_engine.py

$(SPARK)/.installed: tests/spark/requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --upgrade --target $(SPARK) -r $<
	touch $@

picture: setup  ## docs/images/report-light.png of the page that `make demo` published (needs chromium)
	$(BIN)/python -m tests.browser data/published/current/report.html

readme: setup  ## run the demo and put what it prints into README.md
	$(BIN)/python -m tests.e2e.readme

clean:  ## remove everything that was made, but no data
	rm -rf $(VENV) $(BI) $(BENCH) $(SPARK) build dbt_project/target dbt_project/logs *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock:  ## pin again what pyproject.toml asks for (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-strip-extras -o requirements.lock
	uv pip compile tests/bi/requirements.in --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-strip-extras -o tests/bi/requirements.lock
	uv pip compile tests/perf/requirements.in --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-strip-extras -o tests/perf/requirements.lock
	uv pip compile tests/spark/requirements.in --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-strip-extras -o tests/spark/requirements.lock
