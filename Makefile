# For POSIX systems (GNU make, a shell). On Windows use pip: `pip install .` works anywhere, and
# `python tools\setup.py` builds the same .venv as `make setup`.

VENV := .venv/bin
# The first Python on PATH that is new enough; `make PYTHON=…` overrides it.
PYTHON ?= $(shell for p in python3 python3.13 python3.14 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
PYTEST_ARGS ?=
# Servers mostly wait, models compute on one thread (tests/conftest.py). Editors do not like company.
TWO_AT_ONCE := --numprocesses 2 --dist loadfile --no-loadscope-reorder
# How pytest exits where PYTEST_ARGS chose no test.
NONE_CHOSEN := 5
# Where the real editors of tests and pictures are unpacked, beside the system.
EDITORS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/midfill-ci/editors

.DEFAULT_GOAL := help
.PHONY: help setup model demo check fix vsix helix test test-editors pictures verify-codellama clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
	@echo '  benchmarks: a table, and benchmarks/results/NAME.json'
	@for f in $$(grep -ls '__main__' benchmarks/*.py | grep -v /demo.py); do \
		printf '  make bench-%-8s %s\n' "$$(basename "$$f" .py)" "$$(sed -n '1s/^"""//;1s/"""$$//;1p' "$$f")"; done

setup: ## .venv with Midfill and the dev tools; nothing to do when nothing changed
	@test -n "$(PYTHON)" || { echo 'Midfill needs Python 3.11 or later; name one: make PYTHON=/path/to/python3'; exit 1; }
	@$(PYTHON) tools/setup.py

model: setup ## the default model (491 MB), fetched once into the user's cache
	@$(VENV)/python tools/fetch_default_model.py

demo: setup model ## the main job on real files: what was typed, what was suggested, how long it took
	@$(VENV)/python -m benchmarks.demo

check: setup ## ruff, formatting, mypy
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy

fix: setup ## let ruff repair and format what it can; write the settings where editors and docs have them
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .
	$(VENV)/python -m tools.write_settings

vsix: setup ## dist/midfill-VERSION.vsix: the VS Code extension, with the server's wheel inside (needs Node 18 or later)
	@$(VENV)/python -m tools.build_vsix

helix: setup ## Midfill in your Helix: languages.toml gets the server of this checkout
	@$(VENV)/midfill editor helix --write

# Without the weights, tests that need them skip and say why: that is no failure of the suite.
test: setup ## every test, real editors and the real model included where they can be had
	@$(VENV)/python tools/fetch_default_model.py || echo 'no default model here: tests that need it will skip'
	$(VENV)/pytest tests --ignore tests/editors $(TWO_AT_ONCE) $(PYTEST_ARGS); most=$$?; \
		$(VENV)/pytest tests/editors $(PYTEST_ARGS); editors=$$?; \
		test $$most != $(NONE_CHOSEN) || exit $$editors; \
		test $$editors != $(NONE_CHOSEN) || exit $$most; \
		exit $$((most ? most : editors))

test-editors: setup ## only the tests that drive a real editor
	@$(VENV)/python tools/fetch_default_model.py || echo 'no default model here: tests that need it will skip'
	@.ci/get-editors "$(EDITORS)" || echo 'no Neovim, or no Helix, here: their tests will skip'
	@.ci/get-vscode "$(EDITORS)" || echo 'no VS Code here: its tests will skip'
	PATH="$(EDITORS)/bin:$$PATH" $(VENV)/pytest tests/editors $(PYTEST_ARGS)

pictures: setup model ## docs/pictures, from the real editors and the default model; look at them before you commit
	@.ci/get-editors "$(EDITORS)" || true
	@.ci/get-vscode "$(EDITORS)" || true
	PATH="$(EDITORS)/bin:$$PATH" $(VENV)/python -m tools.pictures

verify-codellama: setup ## genuine Code Llama 7B against what is known of it: MODEL=/path/to/CodeLlama-7b-hf
	@$(VENV)/python -m tools.verify_codellama "$(MODEL)"

bench-%: setup
	@$(VENV)/python -m benchmarks.$*

clean: ## remove .venv and every cache in the checkout (models in the user's cache stay)
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
