# Each target is one plain command; README.md shows them for a control machine without make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := PYTHONPATH=.:maild/src $(BIN)/python
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help deploy plan test lint bench show defects lab lab-stop lab-reset agekey backup restore rollback uninstall selftest

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(STAMP): requirements/dev.txt requirements/control.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@

deploy: $(STAMP) ## deploys to the hosts of inventory.py; starts the lab when that is where it goes
	$(RUN) -m lab ensure
	$(RUN) -m pyinfra -y inventory.py deploy.py

plan: $(STAMP) ## shows what a deploy would change
	$(RUN) -m pyinfra_winrm plan inventory.py deploy.py

test: $(STAMP) ## runs every ring that this machine has the programs for
	$(RUN) -m tests.rings

lint: $(STAMP) ## formatting, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(RUN) -m mypy
	PYTHONPATH=.:maild/src $(BIN)/lint-imports

bench: $(STAMP) ## prints every figure of the docs as ratios measured in one run
	$(RUN) -m bench

bench-%: $(STAMP)
	$(RUN) -m bench $*

show: $(STAMP) ## make show WHAT=name: shows one promise at full size
	$(RUN) -m tests.show $(WHAT)

defects: $(STAMP) ## seeds every known defect and sees its promise turn red
	$(RUN) -m tests.defects $(WHAT)

lab: $(STAMP) ## starts the lab
	$(RUN) -m lab start

lab-stop: $(STAMP) ## stops the lab
	$(RUN) -m lab stop

lab-reset: $(STAMP) ## back to a bare server
	$(RUN) -m lab reset

backup: $(STAMP) ## pulls a backup to ./backups
	$(RUN) -m pyinfra -y inventory.py operate/backup.py

agekey: $(STAMP) ## make agekey FILE=~/mailhost.agekey: the key that opens backups, and its public half for the settings
	$(RUN) -m tasks.agekey $(FILE)

restore: $(STAMP) ## make restore FROM=file IDENTITY=agekey
	$(RUN) -m pyinfra -y inventory.py operate/restore.py --data restore_from=$(FROM) --data restore_identity=$(IDENTITY)

rollback: $(STAMP) ## back to the release before
	$(RUN) -m pyinfra -y inventory.py operate/rollback.py

uninstall: $(STAMP) ## make uninstall [PURGE=1]
	$(RUN) -m pyinfra -y inventory.py operate/uninstall.py $(if $(PURGE),--data uninstall_purge=true)

selftest: $(STAMP) ## make selftest HOST=@winrm/server: the contract ring on a real host
	$(RUN) -m tests.selftest $(HOST)
