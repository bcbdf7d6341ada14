# The commands of this project; every one installs what it needs first. See README.md.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help up dev images compose test all-tests check e2e bench soak figures agents agent-pin conformance setup setup-test lint lint-python lint-frontend
MAKEFLAGS += --no-print-directory
# Dozens of processes load the same modules: each would compile them again.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
PYTHON_FOLDERS := $(wildcard manage.py openagent sessions_app keys_app sidecar tests deploy)
TYPED := $(wildcard manage.py openagent sessions_app keys_app sidecar tests)
# pytest's workers, of which two have the products that many tests share, and the third everything else. They
# share a random order, whose seed a failing run prints.
WORKERS ?= 3
SEED ?= $(shell date +%s)
PYTEST := $(BIN)/python -m pytest -q --random-order-seed=$(SEED)

# What also runs where instances are containers.
ON_CONTAINERS := turn browser_main_job browser_turns browser_answers faults_of_instances faults_in_each_step
# What also runs with every agent.
MAIN_JOB := turn browser_main_job browser_turns browser_answers

help:
	@echo "make up      run OpenAgent: http://127.0.0.1:8000 (PORT=..., HOST=..., DATA_DIR=...)"
	@echo "make dev     the same with the frontend's sources served by Vite"
	@echo "make images  build the images of sidecar and box, as far as they changed"
	@echo "make compose prepare deploy/compose.yml (URL=https://agents.example.com DATA_DIR=...)"
	@echo "make check   everything that is quick to check"
	@echo "make test    everything, end to end too"
	@echo "make e2e     the end-to-end tests only"
	@echo "make bench   measure it under load"
	@echo "make soak    let it run for long, with faults (MINUTES=12 SEED=... SESSIONS=20 PAIRS=100)"
	@echo "make figures put what both measured into docs/figures.md"
	@echo "make agents  install GitHub Copilot CLI, Claude Code, Codex and Gemini CLI (1.3 GB; AGENTS='codex gemini' some)"
	@echo "make agent-pin AGENT=codex PACKAGE=@agentclientprotocol/codex-acp@2.6.1   move a pin"
	@echo "make conformance   every promise of an agent, checked on every agent, on both drivers (an hour)"

up: setup
	@exec $(BIN)/python manage.py up $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT)) $(if $(DATA_DIR),--data-dir $(DATA_DIR))

dev: setup
	@exec $(BIN)/python manage.py up --dev $(if $(PORT),--port $(PORT)) $(if $(DATA_DIR),--data-dir $(DATA_DIR))

images: setup
	@$(BIN)/python manage.py images

compose: setup
	@$(BIN)/python manage.py compose $(if $(URL),--url $(URL)) $(if $(DATA_DIR),--data-dir $(DATA_DIR))

# With a container engine, started for it if there is none and this is root.
test: setup-test
	@deploy/docker-engine $(MAKE) all-tests

# The images that some tests need are built beside the checks; whoever needs them before waits.
all-tests:
	@$(BIN)/python -m tests.build_images >.stamps/test-images.log 2>&1 & \
	$(MAKE) lint && $(PYTEST) -n $(WORKERS); result=$$?; wait; exit $$result

check: lint
	@$(PYTEST) -n $(WORKERS) -m "not slow and not end_to_end"

e2e: setup-test
	@deploy/docker-engine $(PYTEST) -m end_to_end

bench: setup-test
	@deploy/docker-engine $(BIN)/python -m tests.bench

soak: setup-test agents
	@deploy/install-packages soak >/dev/null
	@$(BIN)/python -m tests.soak --seed $(SEED) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SESSIONS),--sessions $(SESSIONS))
	@TERMINAL_CUTS=50 TERMINAL_BYTES=50000000 $(PYTEST) tests/end_to_end/test_browser_terminal.py -k flood
	@OPENAGENT_VARIANTS=1 deploy/docker-engine $(PYTEST) -m variant
	@OPENAGENT_VARIANTS=1 OPENAGENT_TEST_DRIVER=docker deploy/docker-engine $(PYTEST) $(ON_CONTAINERS:%=tests/end_to_end/test_%.py)
	@deploy/docker-engine $(BIN)/python -m tests.pairs $(if $(PAIRS),--pairs $(PAIRS))
	@IDLE_TRIALS=40 $(PYTEST) tests/end_to_end/test_idle.py --timeout=900

figures: setup-test
	@$(BIN)/python -m tests.figures

agents:
	@deploy/setup agents $(AGENTS)

agent-pin:
	@deploy/agents/pin $(AGENT) $(PACKAGE)
	@deploy/setup agents

conformance: setup-test agents
	@OPENAGENT_CONFORMANCE=1 OPENAGENT_VARIANTS=1 $(BIN)/python -m pytest -q -m slow tests/contract/agents tests/contract/errors --timeout=300
	@OPENAGENT_VARIANTS=1 $(PYTEST) tests/end_to_end/test_agents.py
	@OPENAGENT_VARIANTS=1 OPENAGENT_TEST_DRIVER=docker deploy/docker-engine $(PYTEST) tests/end_to_end/test_agents.py
	@for agent in copilot claude codex gemini; do \
	  echo "The main job with $$agent"; \
	  OPENAGENT_TEST_AGENT=$$agent $(PYTEST) $(MAIN_JOB:%=tests/end_to_end/test_%.py) || exit 1; \
	done

setup:
	@deploy/setup run

setup-test:
	@deploy/setup test

lint: setup-test
	@$(MAKE) --jobs=2 lint-python lint-frontend

lint-python:
	@deploy/checked "ruff" $(BIN)/ruff check $(PYTHON_FOLDERS)
	@deploy/checked "ruff format" $(BIN)/ruff format --check $(PYTHON_FOLDERS)
	@deploy/checked "mypy" $(BIN)/mypy $(TYPED)
	@deploy/checked "imports" $(BIN)/lint-imports

lint-frontend:
	@if [ -f frontend/package.json ]; then \
	  deploy/checked "frontend check" npm run check --prefix frontend && \
	  deploy/checked "frontend test" npm test --prefix frontend; \
	fi
