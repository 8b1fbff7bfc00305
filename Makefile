# Set-up and the main jobs. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
SHELL := bash
RUNS ?= runs results/records
JOBS ?= 2
DEMO := output_dir=runs/demo meter.time_budget_s=25 meter.relative_error=0.05
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test check bench test-models lint tables figures report documents doctor slurm-status gpu-check gpu-table3 wheels mmcv-ops clean

help: ## list the targets
	@awk -F ':.*## ' '/^##@ / { print "\n" substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# STACK=new: PyTorch for current GPUs (Turing to Blackwell), else for V100 to H100
STACK ?= default
CONSTRAINTS := $(if $(filter new,$(STACK)),constraints-new.txt,constraints.txt)

# WHEELS=folder: install from wheels alone, without a network (make wheels fills the folder)
ifdef WHEELS
INSTALL := --no-index --find-links $(WHEELS) -c $(CONSTRAINTS) -e .
else
INSTALL := -c $(CONSTRAINTS) -e '.[dev]'
endif

# what pip does, on one line that is written over
ONE_LINE := awk '{ printf "\r\033[K%.78s", $$0; fflush() } END { print "" }'

.venv/.installed: pyproject.toml $(CONSTRAINTS)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv: a download of several GB where PyTorch is not there yet"
	@set -o pipefail; $(BIN)/python -m pip install $(INSTALL) | $(ONE_LINE)
	touch $@

##@ Begin (each target sets up .venv where it is missing)

demo: .venv/.installed ## run a small real sweep, print and write its table
	-$(BIN)/python -m metering.doctor
	$(BIN)/python run.py -m model=mobilenet_v2,resnet18 batch_size=8 $(DEMO)
	$(BIN)/python -m analysis tables runs/demo --own --out tables
	@echo "next: source .venv/bin/activate; python run.py model=resnet50; pages: docs/README.md"

doctor: .venv/.installed ## what this machine can measure, and what stands in the way
	$(BIN)/python -m metering.doctor

##@ Results

tables: .venv/.installed ## the paper's tables: published beside measured and estimated
	$(BIN)/python -m analysis tables $(RUNS) --out tables

figures: .venv/.installed ## the paper's figures, vector and PNG
	$(BIN)/python -m analysis figures $(RUNS) --out figures

report: .venv/.installed ## one HTML file that works offline: tables, figures, provenance
	$(BIN)/python -m analysis report $(RUNS) --out report

slurm-status: .venv/.installed ## what of a sweep is done, running, failed, missing: RUNS=runs
	$(BIN)/python -m launchers.status $(firstword $(RUNS))

##@ Develop

# JOBS: processes that test at once
# --timeout: a test that takes this long is to be marked `trains` or `slow`
check: lint ## before each commit: lint, types and the quick tests
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --timeout 30 \
	  -m 'not (models or gpu or slurm or browser or latex or trains or slow)'

test: .venv/.installed ## the whole suite
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m 'not models and not gpu'

lint: .venv/.installed ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-models: .venv/.installed ## step every model at its native size (an hour or two on 2 cores)
	$(BIN)/python -m pytest -m models --timeout 3600

bench: .venv/.installed ## our claims of speed as ratios, and endurance at full length (most of an hour)
	WATT_ENDURANCE=full $(BIN)/python -m pytest tests/endurance tests/launchers/test_slurm_sites.py::test_more_runs_than_an_array_holds_are_several_arrays --timeout 900
	$(BIN)/python -m benchmarks --out benchmarks/results/$$(date +%F)-$$(hostname -s)

documents: .venv/.installed ## the tables in RESULTS.md and docs/, as their commands print them now
	$(BIN)/python -m analysis.documents

##@ On a GPU machine

gpu-check: .venv/.installed ## the meter's claims on this machine's NVIDIA GPU, kept in benchmarks/results/
	$(BIN)/python -m benchmarks.gpu_check

GPU_TABLE3 ?= --out results/records/gpu-table3
gpu-table3: .venv/.installed ## all 67 rows of Table 3 on one GPU in 25 minutes (WHEELS=folder: offline)
	$(BIN)/python -m benchmarks.gpu_table3 $(GPU_TABLE3)

##@ Install and clean

wheels: ## fill WHEELS=folder with everything that an offline machine like this one installs
	test -n "$(WHEELS)"
	$(PYTHON) -m pip wheel -q -c $(CONSTRAINTS) -w $(WHEELS) . 'setuptools>=68' wheel

# mmcv compiles its GPU kernels where a GPU is visible. On a login node without one:
#   make mmcv-ops FORCE_CUDA=1 TORCH_CUDA_ARCH_LIST=8.0     (8.0: A100; CUDA's nvcc has to be there)
mmcv-ops: .venv/.installed ## replace mmcv-lite by the compiled mmcv (20 CPU minutes, more with CUDA)
	$(BIN)/python -m pip install -q 'setuptools<81' wheel ninja psutil
	$(BIN)/python -m pip uninstall -q -y mmcv-lite
	MMCV_WITH_OPS=1 $(BIN)/python -m pip install --no-build-isolation --no-deps --no-binary mmcv mmcv==2.1.0

clean: ## remove tables, figures and reports (records and .venv stay)
	rm -rf tables figures report build *.egg-info
