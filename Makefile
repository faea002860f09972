# The one word for each job. Each first makes .venv and installs what it needs, when that is missing or outdated.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
READER := tests/papers/node

.PHONY: demo test lint docs bench bench-marks bench-copies models clean

demo: $(STAMP)
	$(BIN)/limner demo --to demo

# As many at once as there are cores, with one thread each; what a file's tests share is made once.
test: $(STAMP) $(READER)/node_modules/.package-lock.json
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# The second reader of C2PA needs Node; without it its two tests are skipped, and fail on CI.
$(READER)/node_modules/.package-lock.json: $(READER)/package-lock.json
	@npm ci --ignore-scripts --no-audit --no-fund --silent --prefix $(READER) && touch $@ \
		|| echo "The second reader of C2PA is not installed: it needs Node 20, npm and the network."

docs: $(STAMP)
	$(BIN)/python scripts/write_commands.py
	$(BIN)/python scripts/gallery.py

lint: $(STAMP)
	$(BIN)/ruff check src tests bench scripts
	$(BIN)/ruff format --check src tests bench scripts
	$(BIN)/mypy

# What people use today is installed beside limner only when YES=1 says so; without it the bench tells what it would fetch.
MINUTES ?= 20
bench: $(STAMP)
	$(BIN)/python -m bench quality --minutes $(MINUTES) $(if $(YES),--yes)

# limner's watermark beside three others, its false alarms, its removal. PHOTOGRAPHS=folder of photographs, beside the paintings.
bench-marks: $(STAMP)
	$(BIN)/python -m bench marks $(if $(PHOTOGRAPHS),--photographs $(PHOTOGRAPHS)) $(if $(YES),--yes)

# limner's copy gate beside others, on 2,000 planted copies of each of two sets. DATA=folder of the paintings and emoji.
DATA ?= ../shared/data
bench-copies: $(STAMP)
	$(BIN)/python -m bench copies --data $(DATA) $(if $(YES),--yes)

# Hours: the models that ship with limner, trained anew where they are not done yet. EMOJI=folder of the emoji and their table.
EMOJI ?= ../shared/data/emoji-styles

models: $(STAMP)
	$(BIN)/python scripts/train_models.py --emoji $(EMOJI)

# torch first and by its exact version: pip then takes a CPU build where one is at hand, and nothing after it asks for another.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $$(grep '^torch==' constraints.txt)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,lint]'
	@touch $@

clean:
	rm -rf .venv demo
