# Everything from a bare machine: Python 3.11 or 3.12 with its headers, a C++ compiler, make. CMake and Ninja come from PyPI.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := $(VENV)/.tools
PACKAGES := $(VENV)/.packages
CORE := $(VENV)/.core
DEV := $(VENV)/.dev
PIP := $(BIN)/python -m pip --disable-pip-version-check

CPP := $(shell find kernels -name '*.cpp' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh')
BUILD_FILES := pyproject.toml CMakeLists.txt $(shell find kernels -name CMakeLists.txt) $(CPP)

PORTRAIT ?= sample:mira

.PHONY: venv demo test test-timed test-computing test-serve test-rest test-latency test-bench test-export test-kernels
.PHONY: test-full lint lint-format lint-types format bench bench-full bench-readme wheel clean

venv: $(DEV)

$(BIN)/python:
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if v in ((3, 11), (3, 12)) else f"Python must be 3.11 or 3.12, got {v[0]}.{v[1]}; try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

# ninja: what nncf takes, lest it is replaced while it runs.
$(TOOLS): $(BIN)/python pyproject.toml
	$(PIP) install --quiet 'scikit-build-core>=0.11' 'nanobind>=2.4' 'cmake>=3.22' 'ninja>=1.10,<1.14'
	@touch $@

# What `DEV` needs of others. On a bare machine this and the linters are done while the wheel's kernels compile.
$(PACKAGES): $(TOOLS) .ci/requirements.py
	mkdir -p build
	$(BIN)/python .ci/requirements.py dev train cpu live > build/requirements.txt
	$(PIP) install --quiet --requirement build/requirements.txt
	@touch $@

$(CORE): $(TOOLS) $(BUILD_FILES)
	$(PIP) install --quiet --no-build-isolation --editable '.[cpu]'
	@touch $@

$(DEV): $(PACKAGES) $(BUILD_FILES)
	$(PIP) install --quiet --no-build-isolation --editable '.[dev,train,cpu,live]'
	@touch $(CORE) $@

demo: $(CORE)
	$(BIN)/mien reenact $(PORTRAIT) --driver sample:driver --output demo.mp4 --sheet demo.png
	@echo 'demo.mp4 is the moving portrait, demo.png a contact sheet of it'

# Two parts side by side, and the other two as those end: all have tests that wait for sockets, browsers and real time.
# What only computes, training, kernels and mypy, goes beside them at the lowest priority. What failed beside others is
# run again alone.
test:
	$(MAKE) --jobs 2 --output-sync=target wheel lint-format
	rm -rf $(CACHES)
	$(MAKE) --jobs 2 --output-sync=target test-timed test-computing
	$(BIN)/python .ci/again.py $(CACHES)

test-timed: $(DEV)
	$(MAKE) --jobs 2 --output-sync=target test-serve test-rest test-latency test-bench

# One thread each: threads of OpenMP spin where they wait for one that has no processor.
test-computing: $(DEV)
	OMP_NUM_THREADS=1 nice -n 19 $(MAKE) --output-sync=target test-export test-kernels lint-types

CACHES := build/tests
LATENCY := tests/bench/latency tests/bench/live tests/bench/load
ELSEWHERE := tests/engine/serve tests/bench tests/export tests/kernels
# pytest's code 1: tests failed
part = $(BIN)/python -m pytest -m 'not long' -o cache_dir=$(CACHES)/$(1) $(2) || test $$? -eq 1

test-serve: $(DEV)
	$(call part,serve,tests/engine/serve)

test-rest: $(DEV)
	$(call part,rest,$(ELSEWHERE:%=--ignore %))

test-export: $(DEV)
	$(call part,export,tests/export)

test-kernels: $(DEV)
	$(call part,kernels,tests/kernels)

test-latency: $(DEV)
	$(call part,latency,$(LATENCY))

test-bench: $(DEV)
	$(call part,bench,tests/bench $(LATENCY:%=--ignore %))

test-full: lint wheel $(DEV)
	@test -n "$$MIEN_DATA" || { echo 'MIEN_DATA must name the folder with faces, clips and ict'; exit 2; }
	$(BIN)/python -m pytest
	PYTHON=$(BIN)/python kernels/check_sanitizers.sh
	$(BIN)/mien bench follow
	$(BIN)/mien bench still
	$(BIN)/mien bench long

lint: lint-format lint-types

lint-format: $(PACKAGES)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/clang-format --dry-run --Werror $(CPP)

lint-types: $(PACKAGES)
	$(BIN)/mypy

format: $(PACKAGES)
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(CPP)

wheel: $(TOOLS)
	rm -rf build/wheel
	$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir build/wheel .
	$(BIN)/python .ci/check_wheel.py build/wheel/*.whl

# The machine must have nothing else to do; each file says whether it had.
bench: $(DEV)
	$(BIN)/mien bench all --json bench.json --html bench.html

# PEERS names a folder with checkouts of other engines (see `mien bench all --help`).
bench-full: $(DEV)
	$(BIN)/mien bench all --profile full --json bench.json --html bench.html $(if $(PEERS),--peers $(PEERS))

# docs/latency.svg and the table of docs/figures.md, from what `make bench` wrote. NOISY=1 allows a machine that was busy.
bench-readme: $(DEV)
	@test -e bench.json || { echo 'bench.json is missing; make bench writes it'; exit 2; }
	$(BIN)/mien bench readme bench.json --figures docs/figures.md $(if $(NOISY),--noisy)

clean:
	rm -rf build dist demo.mp4 demo.png bench.json bench.html .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -f $(TOOLS) $(PACKAGES) $(CORE) $(DEV)
