# Everything a developer runs. `make run` and `make test` work on a machine that has git, make and Python >= 3.11 alone.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python
ENGINE := engine/.venv/bin/python
UV := .uv/bin/uv
MODEL := models/waypoint.tar.gz

# Not empty when a Node.js that can build the widget is here. The built widget is committed, so running needs none.
NODE := $(shell npm --version >/dev/null 2>&1 && node --version 2>/dev/null | grep -E '^v(2[0-9]|[3-9][0-9])\.')

# Folders are listed too, so that removing a file counts as a change.
TRAINING := config.yml domain.yml $(shell find data -type d -o -name '*.yml' 2>/dev/null) $(wildcard engine/*.py engine/assets/*)

.PHONY: help
help: ## Say what can be run
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: run
run: .venv/.stamp $(MODEL) ## Start everything on http://127.0.0.1:8080 (PORT=... for another port)
	@$(PYTHON) scripts/run.py

# Two files of tests at a time: the suite waits for disks and processes as long as it computes.
.PHONY: test
test: .venv/.stamp $(MODEL) ## Run all tests
	@status=0; \
	$(ENGINE) -m pytest -c engine/pyproject.toml engine/tests || status=1; \
	$(PYTHON) -m pytest --numprocesses 2 --dist loadfile || status=1; \
	exit $$status

.PHONY: bench
bench: .venv/.stamp $(MODEL) ## Measure turns, memory and start beside a stock Rasa (ARGS=--quick for a few minutes)
	@$(PYTHON) -m bench $(ARGS)

.PHONY: chaos
chaos: .venv/.stamp $(MODEL) ## Kill, freeze and hinder the processes while people talk (ARGS="--kills 20"; two hours without)
	@$(PYTHON) -m chaos $(ARGS)

.PHONY: fuzz
fuzz: .venv/.stamp $(MODEL) ## Try a million pieces of nonsense at every edge (ARGS="--cases 20000 --seed 7")
	@$(PYTHON) -m fuzz $(ARGS)

.PHONY: evaluate
evaluate: .venv/.stamp $(MODEL) ## Judge what is understood (DATA=file.tsv OUT=folder for your own messages; ARGS=--help)
	@$(PYTHON) -m evaluation $(if $(DATA),--data "$(DATA)") $(if $(OUT),--out "$(OUT)") $(ARGS)

.PHONY: chat
chat: .venv/.stamp ## Talk to a running Waypoint in the terminal (ARGS=--ids shows the guide's ids)
	@$(PYTHON) scripts/chat.py $(ARGS)

.PHONY: doctor
doctor: .venv/.stamp ## See whether the bot and the coordinators' group are set up (ARGS=--try opens a topic, too)
	@$(PYTHON) -m bot.doctor $(ARGS)

.PHONY: outbox
outbox: .venv/.stamp ## List what could not be delivered (RETRY=all sends it again, DROP=12 lets go of it; or numbers)
	@$(PYTHON) -m bot.outbox $(if $(RETRY),--retry $(RETRY)) $(if $(DROP),--drop $(DROP))

.PHONY: backup
backup: .venv/.stamp ## Keep the database and the files in one archive, while everything runs (TO=file)
	@$(PYTHON) -m bot.backup $(if $(TO),--to "$(TO)")

.PHONY: restore
restore: .venv/.stamp ## Bring back what an archive holds, while everything runs (FROM=file)
	@$(PYTHON) -m bot.backup --restore "$(FROM)"

.PHONY: rekey
rekey: .venv/.stamp ## Exchange DATA_KEY while everything runs (docs/decisions/0009: DATA_KEY_OLD first)
	@$(PYTHON) -m bot.rekey

.PHONY: train
train: $(MODEL) ## Train the engine's model, if anything that it learns from changed

.PHONY: tune
tune: engine/.venv/.stamp ## Teach the sentence encoder anew from data/nlu (half an hour; then put its hash into engine/encoder.py)
	@$(ENGINE) -m engine.tune

.PHONY: check
check: check-style check-types check-engine check-imports check-guide check-prose check-widget audit ## Run all static checks (make -k check: go on after a failure)

.PHONY: check-style check-types check-engine check-imports check-guide check-prose check-widget
check-style: .venv/.stamp
	.venv/bin/ruff check
	.venv/bin/ruff format --check
check-types: .venv/.stamp
	.venv/bin/mypy
check-engine: engine/.venv/.stamp # it has a Python of its own; its data is checked when it is trained
	engine/.venv/bin/ruff check --config engine/pyproject.toml engine
	engine/.venv/bin/ruff format --check --config engine/pyproject.toml engine
	engine/.venv/bin/mypy --config-file engine/pyproject.toml engine
check-imports: .venv/.stamp
	.venv/bin/lint-imports
check-guide: .venv/.stamp
	$(PYTHON) -m bot.guide check
check-prose: .venv/.stamp
	$(PYTHON) scripts/prose.py
ifdef NODE
check-widget: widget/node_modules/.stamp
	npm --prefix widget run check
else
check-widget:
	@echo "SKIPPED: the checks of the widget need Node.js 20 or newer and npm, which are not installed here."
endif

# Known faults of what is locked. Part of `make check`; without the network it says that nothing was looked up.
.PHONY: audit
audit: .venv/.stamp engine/.venv/.stamp ## Look every locked package up in databases of known faults (AUDIT=required: or fail)
	@$(PYTHON) -m scripts.audit

SBOM := build/sbom
.PHONY: sbom
sbom: .venv/.stamp ## List what the images and the widget are made of, as CycloneDX, in build/sbom (SBOM=folder)
	@mkdir -p $(SBOM)
	@$(PYTHON) deploy/production.py pyproject.toml requirements.txt \
		| $(LIST) --pyproject pyproject.toml -o $(SBOM)/app.cdx.json -
	@$(PYTHON) deploy/production.py engine/pyproject.toml engine/requirements.txt \
		| $(LIST) --pyproject engine/pyproject.toml -o $(SBOM)/engine.cdx.json -
ifdef NODE
	@npm --prefix widget sbom --package-lock-only --sbom-format cyclonedx >$(SBOM)/widget.cdx.json
endif
	@echo "Written: $(SBOM)"

LIST := $(PYTHON) -W ignore -m cyclonedx_py requirements --output-reproducible

.PHONY: widget
widget: widget/node_modules/.stamp ## Build the website's widget into bot/static (needs Node.js 20)
	npm --prefix widget run build

.PHONY: lock
lock: .uv/.stamp ## Write both locks anew after a change of dependencies (ARGS=--upgrade for newer releases)
	$(COMPILE) --python-version 3.12 --all-extras pyproject.toml -o requirements.txt $(ARGS)
	$(COMPILE) --project engine --python-version 3.10 --all-extras engine/pyproject.toml -o engine/requirements.txt $(ARGS)

COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --custom-compile-command 'make lock'

.PHONY: clean
clean: ## Remove environments, model and caches; var/, where the data is, stays
	rm -rf .venv engine/.venv .uv models .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .rasa
	find . -name __pycache__ -not -path '*/node_modules/*' -prune -exec rm -rf {} +

.uv/.stamp: scripts/uv.txt
	@scripts/get-uv
	@touch $@

.venv/.stamp: requirements.txt | .uv/.stamp
	@echo "Installing what the assistant needs into .venv (Python 3.12, about 1 minute) ..."
	@scripts/environment .venv 3.12 requirements.txt

engine/.venv/.stamp: engine/requirements.txt | .uv/.stamp
	@echo "Installing the dialogue engine into engine/.venv (Python 3.10 and TensorFlow: 1 GB to fetch, a few minutes) ..."
	@scripts/environment engine/.venv 3.10 engine/requirements.txt

widget/node_modules/.stamp: widget/package-lock.json
	@echo "Installing what builds the widget (about 10 seconds) ..."
	@npm --prefix widget ci --silent --no-audit --no-fund
	@touch $@

$(MODEL): $(TRAINING) bot/tripwire.py bot/wording.py engine/.venv/.stamp .venv/.stamp
	@echo "Training the model (about 5 minutes) ..."
	@$(ENGINE) -m engine.train
	@$(PYTHON) -m bot.tripwire
	@touch $@
