# Everything a developer does; `make help` lists it. A fresh Debian needs python3 (3.11 or newer), python3-venv, make and git.
PYTHON ?= python3
DATA ?= data
HOST ?= 0.0.0.0
PORT ?= 8080
ROUNDS ?= 40
SECONDS ?= 600
FUZZ_SECONDS ?= 120
FUZZ_COUNT ?= 0
FUZZ_SEED ?= 0
# Outside the hashed locks: the file that this version of torch comes in differs from machine to machine.
TORCH ?= torch==2.13.0

# Processes that are killed or starved again and again, and long lists of bad input: with the faults, not in the quick run.
SLOW := work/test_worker.py work/test_seeing.py work/test_memory.py work/test_rest.py work/test_limits.py end_to_end/test_faults.py \
	end_to_end/test_bad_input.py end_to_end/test_bad_http.py end_to_end/test_memory.py end_to_end/test_recognising.py \
	modelstore/test_interrupted.py systemd/test_setup_script.py help/test_box.py

# The quick run makes libraries by the thousand, and would wait for the disk: they lie in memory where there is room.
IN_MEMORY = $(shell [ $$(df --output=avail /dev/shm 2>/dev/null | tail -n 1) -gt 2000000 ] 2>/dev/null \
	&& ! findmnt -no OPTIONS /dev/shm | grep -q noexec && echo PYTEST_DEBUG_TEMPROOT=/dev/shm)

BIN := .venv/bin
MODELS_BIN := .venv-models/bin
OPENVINO_BIN := .venv-openvino/bin
RECOGNISER_BIN := .venv-recogniser/bin
# Mounting small file systems takes root, or a namespace of its own in which one is root.
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || echo unshare --user --map-root-user --mount)
PIP := -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: setup-test help install run test test-units test-oracle test-openvino test-api test-browser test-faults test-hub test-tus
.PHONY: test-arm64
.PHONY: test-recogniser chaos fuzz idle load bench bench-library arm64-counts lint check format lock screenshots sample-model
.PHONY: train-sample recogniser clean image image-test image-test-raspi3b sentences

help: ## List what make can do
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

install: .venv/installed ## Make .venv with the locked dependencies and the shoebox command

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Shoebox needs Python 3.11 or newer.")'
	$(PYTHON) -m venv .venv || { echo "Install it with: apt-get install python3-venv"; exit 1; }
	$(BIN)/python $(PIP) --require-hashes -r requirements.lock
	$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/tested: .venv/installed tests/requirements.lock
	$(BIN)/python $(PIP) --require-hashes -r tests/requirements.lock
	@touch $@

.venv-models/installed: requirements.lock tests/requirements.lock models/requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv-models
	$(MODELS_BIN)/python $(PIP) --require-hashes -r requirements.lock -r tests/requirements.lock -r models/requirements.lock
	$(MODELS_BIN)/python $(PIP) '$(TORCH)'
	$(MODELS_BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# As README tells people with a graphics card: the one package out, the other in.
.venv-openvino/installed: requirements.lock tests/requirements.lock systemd/setup/openvino.lock pyproject.toml
	$(PYTHON) -m venv .venv-openvino
	$(OPENVINO_BIN)/python $(PIP) --require-hashes -r requirements.lock -r tests/requirements.lock
	$(OPENVINO_BIN)/python -m pip uninstall --quiet --yes onnxruntime
	$(OPENVINO_BIN)/python $(PIP) --require-hashes -r systemd/setup/openvino.lock
	$(OPENVINO_BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# Two packages more, without what they ask for: torch is there already.
.venv-recogniser/installed: requirements.lock tests/requirements.lock models/requirements.lock models/recogniser/requirements.lock
	$(PYTHON) -m venv .venv-recogniser
	$(RECOGNISER_BIN)/python $(PIP) --require-hashes -r requirements.lock -r tests/requirements.lock -r models/requirements.lock
	$(RECOGNISER_BIN)/python $(PIP) '$(TORCH)'
	$(RECOGNISER_BIN)/python $(PIP) --no-deps --require-hashes -r models/recogniser/requirements.lock
	$(RECOGNISER_BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# Photographs whose names tell what they show, for calibrating and measuring (Debian 12, 205 MB).
build/recogniser/unpacked:
	mkdir -p build/recogniser
	cd build/recogniser && apt-get download tuxpaint-stamps-default gcompris-qt-data
	cd build/recogniser && for package in tuxpaint-stamps-default gcompris-qt-data; do dpkg -x $${package}_*.deb $$package; done
	@touch $@

run: install ## Start the whole appliance on port 8080 with its library in ./data (DATA, HOST, PORT)
	@SHOEBOX_STATE="$${SHOEBOX_STATE:-build/state}" $(BIN)/shoebox run --data $(DATA) --host $(HOST) --port $(PORT)

test: .venv/tested ## Run the tests (no torch, no browser)
	$(IN_MEMORY) $(BIN)/python -m pytest -n 2 --dist loadfile $(addprefix --ignore tests/,setup api oracle openvino arm64 image browser faults chaos fuzz hub tus $(SLOW))

test-faults: .venv/tested ## Faults of disk, card, database, processes and input; takes longer and needs strace
	$(AS_ROOT) $(BIN)/python -m pytest tests/faults $(addprefix tests/,$(SLOW))

test-units: .venv/tested ## Score and verify the services, their scripts and the socket (apt-get install systemd)
	$(BIN)/python -m pytest tests/systemd tests/device/test_listening.py tests/device/test_service.py tests/work/test_asked.py

test-hub: .venv/tested ## Install BLIP-base at full size, with random weights, from a hub on this machine (4 GB of disk, 5 minutes)
	$(BIN)/python -m pytest -s tests/hub

chaos: .venv/tested ## Upload without a pause while everything is killed at random (ROUNDS=40, SEED)
	ROUNDS=$(ROUNDS) SEED=$(SEED) $(BIN)/python -m pytest tests/chaos

test-oracle: .venv-models/installed ## Compare models, pixels and captions with torch and transformers
	$(MODELS_BIN)/python -m pytest -m oracle tests/oracle

test-openvino: .venv-openvino/installed ## Describe on another execution provider, OpenVINO on the processor (x86-64 only)
	$(OPENVINO_BIN)/python -m pytest tests/openvino

test-api: .venv/tested ## Send a running box whatever its API's document allows, and what it does not (EXAMPLES, SEED)
	$(BIN)/python -m pytest tests/api

test-browser: .venv/tested ## Drive the page in Chromium (apt-get install chromium)
	$(BIN)/python -m pytest -m browser tests/browser

screenshots: .venv/tested ## Take README's pictures of every page, on phone and desktop, light and dark
	$(BIN)/python -m pytest tests/browser/screenshots.py

test-tus: .venv/tested tests/tus/node_modules/installed ## Send 1 GB with tus-js-client and tuspy, cut off and killed on the way (apt-get install nodejs npm; TUS_BYTES)
	$(BIN)/python -m pytest tests/tus

tests/tus/node_modules/installed: tests/tus/package-lock.json
	cd tests/tus && npm ci --no-audit --no-fund --silent
	@touch $@

test-arm64: .venv/tested build/arm64/key ## The same answers on a Pi 4's and a Pi 5's core, emulated (apt-get install qemu-user-static)
	$(BIN)/python -m pytest tests/arm64

build/arm64/key: tests/arm64/machine.py image/release.py requirements.lock .venv/installed
	PYTHONPATH=image $(BIN)/python tests/arm64/machine.py build/arm64
	@touch $@

arm64-counts: build/arm64/key build/arm64-emulator/counter.so ## Count a Pi's instructions for BLIP-base's products in each number format (MODELS="NAME=FOLDER ...")
	$(BIN)/python models/arm64/counts.py build/arm64 build/arm64-emulator $(addprefix --model ,$(MODELS))

build/arm64-emulator/counter.so: models/arm64/emulator.py models/arm64/counter.c .venv/installed
	$(BIN)/python models/arm64/emulator.py build/arm64-emulator

setup-test: .venv/tested ## Install, upgrade, go back and uninstall in a Debian with systemd (as root; apt-get install mmdebstrap; SUITE=trixie)
	$(BIN)/python -m pytest -v --timeout 900 tests/setup

image: .venv/installed ## Build the SD card's image for Pi 4 and 5 in build/image, as root (README, "Flash it"; MODEL, FRESH=1 for Debian anew)
	$(BIN)/python image/build.py build/image

image-test: .venv/tested ## Look into the image, and start it on a Pi 4's and a Pi 5's core, emulated (IDLE_MINUTES=5)
	$(BIN)/python -m pytest -s tests/image/test_card.py tests/image/test_files.py tests/image/test_boot.py tests/image/test_usb_disk.py tests/image/test_upgrade.py

image-test-raspi3b: .venv/tested ## Start the image on a whole emulated Pi, a 3B, from its card (5 minutes)
	$(BIN)/python -m pytest -s tests/image/test_raspi3b.py

fuzz: .venv/tested ## Mutate files of every format and feed them in, for FUZZ_SECONDS, or FUZZ_COUNT files of each format
	FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_COUNT=$(FUZZ_COUNT) FUZZ_SEED=$(FUZZ_SEED) $(BIN)/python -m pytest -s tests/fuzz

bench: .venv-models/installed ## Compare speed and memory with transformers, torch and the usual ONNX route (models/PERFORMANCE.md)
	$(MODELS_BIN)/python models/benchmark/bench.py

idle: .venv/tested ## Measure what the appliance costs while nobody wants anything of it (SECONDS, by default ten minutes)
	$(BIN)/python tests/end_to_end/idle.py $(SECONDS)

load: .venv/tested ## Measure how quickly the page answers at rest and while the worker is at full load
	$(BIN)/python tests/end_to_end/load.py

bench-library: .venv/tested ## Measure the page with 1,000, 10,000 and 100,000 items, and how it grows (ROUNDS=40)
	$(BIN)/python tests/end_to_end/library_bench.py $(ROUNDS)

lint: .venv/tested ## Format, lint, types and layers, without the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test ## The gate: format, lint, types, layers, tests

format: .venv/tested ## Format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

sentences: .venv/tested ## Gather every sentence that Python says in web/sentences/shoebox.pot, for translators
	$(BIN)/python tests/web/catalogue.py

lock: .venv/tested ## Lock the dependencies again, with hashes and without addresses
	$(BIN)/python $(PIP) uv
	$(LOCK) pyproject.toml --group build -o requirements.lock
	$(LOCK) --group test -c requirements.lock -o tests/requirements.lock
	$(LOCK) --group models -c requirements.lock -o models/requirements.lock
	$(LOCK) --group openvino -c requirements.lock -o systemd/setup/openvino.lock
	$(LOCK) --group nvidia -c requirements.lock -o systemd/setup/nvidia.lock
	$(LOCK) --group recogniser --no-deps -o models/recogniser/requirements.lock

LOCK := $(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

sample-model: .venv/installed ## Build the shipped sample model (int8 ONNX) from its checkpoint
	$(BIN)/python models/sample/convert.py

train-sample: .venv-models/installed ## Train the sample model's checkpoint again (40 minutes on two cores; PHOTOS=DIR)
	$(MODELS_BIN)/python models/sample/train.py --out models/sample/checkpoint --work build/sample --steps 5000 --seed 1 \
		--bfloat16 $(if $(PHOTOS),--photos $(PHOTOS))

recogniser: .venv-recogniser/installed build/recogniser/unpacked ## Make the shipped recogniser (int8 ONNX) again from its weights and labels
	$(RECOGNISER_BIN)/python models/recogniser/make_recogniser.py --packages build/recogniser

test-recogniser: .venv-recogniser/installed build/recogniser/unpacked ## Compare the recogniser with its torch original on 464 photographs
	$(RECOGNISER_BIN)/python models/recogniser/measure.py --packages build/recogniser

clean: ## Remove what was built and installed here; the library in ./data stays
	rm -rf .venv .venv-* build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
