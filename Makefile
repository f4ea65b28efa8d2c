# The commands of this repository. `make` alone lists them.
# They need rustup (or the toolchain that rust-toolchain.toml names), a C compiler, and python3 with pip, which
# downloads ONNX Runtime once.

CARGO ?= cargo
PYTHON ?= python3

CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := .tools/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny

CARGO_CYCLONEDX_VERSION := 0.5.9
CARGO_CYCLONEDX := .tools/cargo-cyclonedx-$(CARGO_CYCLONEDX_VERSION)/bin/cargo-cyclonedx

# The optional features of the program. `make serve` builds without them; tests, lints and docs are of the program with all of them.
FEATURES := c2pa object-store otlp

PROGRAM := $(or $(CARGO_TARGET_DIR),target)/release/faceplane
# The program that the tests use, with all features.
TESTED_PROGRAM := $(or $(CARGO_TARGET_DIR),target)/debug/faceplane

# If FACEPLANE_ONNXRUNTIME is set, that library is used, and nothing is downloaded.
ifndef FACEPLANE_ONNXRUNTIME
ONNXRUNTIME := .onnxruntime/libonnxruntime.so
FACEPLANE_ONNXRUNTIME := $(CURDIR)/$(ONNXRUNTIME)
endif
export FACEPLANE_ONNXRUNTIME

# ONNX Runtime's official builds send usage reports to Microsoft unless this is set.
export ORT_DISABLE_TELEMETRY ?= 1

FACEPLANE_LISTEN ?= 127.0.0.1:8080

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

##@ Run

.PHONY: serve
serve: setup build ## Build and run the service on 127.0.0.1:8080 (FACEPLANE_LISTEN, ARGS="--flag value …")
	FACEPLANE_LISTEN='$(FACEPLANE_LISTEN)' exec $(PROGRAM) serve $(ARGS)

.PHONY: build
build: ## Build the release program
	$(CARGO) build --locked --release

.PHONY: tested-program
tested-program: setup
	$(CARGO) test --locked --no-run --test main --features '$(FEATURES)'

.PHONY: setup
setup: $(ONNXRUNTIME) ## Download ONNX Runtime to .onnxruntime/, if it is not there

.onnxruntime/libonnxruntime.so: docker/onnxruntime/requirements.txt docker/onnxruntime/fetch.py
	$(PYTHON) docker/onnxruntime/fetch.py $(@D)

##@ Test

.PHONY: test
test: setup ## Run all tests (ARGS="NAME": only those with NAME in their name)
	$(CARGO) test --locked --features '$(FEATURES)' $(ARGS)

.PHONY: openapi
openapi: setup ## Write openapi/openapi.json again from the code
	FACEPLANE_UPDATE=1 $(CARGO) test --locked --features '$(FEATURES)' openapi

.PHONY: schemathesis
schemathesis: build setup ## Send the service requests generated from its OpenAPI document (ARGS="--max-examples 500")
	PYTHON='$(PYTHON)' tests/schemathesis/run $(PROGRAM) $(ARGS)

.PHONY: clients
clients: build setup ## Let generated clients call every operation of the service; needs Node and Java
	PYTHON='$(PYTHON)' tests/clients/run $(PROGRAM)

.PHONY: recipes
recipes: build setup ## Run the commands of README.md and docs/ as they are printed; needs curl (ARGS="docs/PAGE.md": only its commands)
	PYTHON='$(PYTHON)' tests/recipes/run $(PROGRAM) $(ARGS)

.PHONY: test-page
test-page: build setup ## Use the page as a newcomer does, in headless Chromium, also behind nginx; needs Node 20 (ARGS="FOLDER" for screenshots)
	tests/page/run $(PROGRAM) $(ARGS)

.PHONY: test-deployment
test-deployment: ## Render docker/kubernetes, and compare each resource with its published schema; needs kubectl or kustomize
	PYTHON='$(PYTHON)' tests/deployment/run

.PHONY: test-store
test-store: tested-program ## Let three services share a store, a folder and then a bucket, also while it fails (ARGS="node_modules/.bin/azurite-blob": Azure, too)
	PYTHON='$(PYTHON)' tests/store/run $(TESTED_PROGRAM) $(ARGS)

.PHONY: test-credentials
test-credentials: tested-program ## Read signed images with exiftool (Debian: libimage-exiftool-perl) and with C2PA's own reader for Python
	PYTHON='$(PYTHON)' tests/content_credentials/run $(TESTED_PROGRAM)

.PHONY: test-image
test-image: setup ## Assemble the cpu image's root folder from Debian's packages, and run the service in it; needs root
	$(CARGO) build --locked --release --features '$(FEATURES)'
	docker/root-folder/check $(PROGRAM)

.PHONY: fuzz
fuzz: ## Send damaged images to the decoder, or damaged checkpoints to the reader; needs cargo-fuzz and a nightly toolchain (TARGET=checkpoint|decode|jpeg|profile SECONDS=600)
	mkdir -p target/fuzz/corpus/$(or $(TARGET),decode)
	cd tests/fuzz && $(CARGO) +nightly fuzz run --fuzz-dir . --target-dir $(CURDIR)/target/fuzz $(or $(TARGET),decode) \
		$(CURDIR)/target/fuzz/corpus/$(or $(TARGET),decode) -- -artifact_prefix=$(CURDIR)/target/fuzz/ -max_total_time=$(or $(SECONDS),600) -rss_limit_mb=2048 -timeout=10

.PHONY: attack
attack: build setup ## Attack the program over loopback and print what it withstood (ARGS="--only NAME,…"); some ten minutes
	$(PYTHON) tests/attack/attack.py $(PROGRAM) $(ARGS)

.PHONY: soak
soak: build setup ## Run the program for some 40 minutes: mixed load, kill −9 a hundred times, rolling restarts (ARGS="--only load,kills,rolling"); needs HAProxy
	PYTHON='$(PYTHON)' tests/soak/run $(PROGRAM) $(ARGS)

.PHONY: bench
bench: setup ## Compare the service with a bare loop and other servers (benches/README.md; ARGS="--seconds 10")
	mkdir -p target/bench
	CARGO='$(CARGO)' $(PYTHON) benches/peers/run.py --json target/bench/serving.json $(ARGS)

.PHONY: bench-page
bench-page: build setup ## Measure how fast the page follows its sliders, and Lighthouse's scores, in headless Chromium; needs Node 20 and the network
	benches/page/run $(PROGRAM) $(ARGS)

# The phantom's truth is known, so that the methods of training are judged too. Some ten minutes on two cores.
.PHONY: judge
judge: build setup ## Judge all methods of editing, the phantom by its truth, and write the tables and curves of both cards, and the table of docs/judging.md
	$(PROGRAM) judge onnx/phantom --samples 10000 --seed 5 --faces 8 --truth onnx/phantom/truth.onnx --fit svm --fit regression \
		--output target/judge/phantom
	$(PROGRAM) judge onnx/portraits --seed 1 --faces 10 --output target/judge/portraits
	for model in phantom portraits; do cp target/judge/$$model/judging.md target/judge/$$model/*.svg onnx/$$model/card/ || exit 1; done
	$(PYTHON) benches/judging.py target/judge/phantom/judging.md

##@ Check

.PHONY: check
check: check-dependencies check-format lint check-default check-docs check-python ## Run all checks except the tests: format, lints, docs, dependencies, Python

.PHONY: format
format: ## Format the code
	$(CARGO) fmt

.PHONY: check-format
check-format: ## Check the formatting
	$(CARGO) fmt --check

.PHONY: lint
lint: ## Run clippy; warnings are errors
	$(CARGO) clippy --locked --all-targets --features '$(FEATURES)' -- -D warnings

.PHONY: check-default
check-default: ## Check that the program compiles without its optional features, too
	$(CARGO) check --locked

.PHONY: check-docs
check-docs: ## Build the docs; warnings are errors
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --features '$(FEATURES)'

.PHONY: check-monitoring
check-monitoring: ## Check the alert rules and what they say about series of metrics; needs promtool (Debian: prometheus)
	promtool check config docker/monitoring/prometheus.yml
	promtool test rules docker/monitoring/alerts_test.yaml

.PHONY: check-dependencies
check-dependencies: $(CARGO_DENY) ## Check licences, sources and bans of all dependencies (deny.toml)
	$(CARGO_DENY) --locked check --hide-inclusion-graph bans licenses sources

.PHONY: check-python
check-python: ## Check format, lints and types of all Python (ruff, mypy); onnx/tools/checks/run --fix repairs some
	PYTHON='$(PYTHON)' onnx/tools/checks/run

.PHONY: audit
audit: $(CARGO_DENY) ## Look for known vulnerabilities of all dependencies (downloads the advisory database)
	$(CARGO_DENY) --locked check advisories

# Built without optimisation: it runs for two seconds only, and an optimised build takes many minutes. The build
# folder stays until the end, so that an interrupted build continues.
$(CARGO_DENY):
	@echo 'Building cargo-deny $(CARGO_DENY_VERSION), once; this takes some minutes.'
	CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		$(CARGO) install --locked --quiet --root .tools/cargo-deny-$(CARGO_DENY_VERSION) \
		--target-dir .tools/cargo-deny-build cargo-deny --version $(CARGO_DENY_VERSION)
	rm -rf .tools/cargo-deny-build

$(CARGO_CYCLONEDX):
	@echo 'Building cargo-cyclonedx $(CARGO_CYCLONEDX_VERSION), once.'
	CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		$(CARGO) install --locked --quiet --root .tools/cargo-cyclonedx-$(CARGO_CYCLONEDX_VERSION) \
		--target-dir .tools/cargo-cyclonedx-build cargo-cyclonedx --version $(CARGO_CYCLONEDX_VERSION)
	rm -rf .tools/cargo-cyclonedx-build

##@ Release

TARGET ?= $(shell uname -m)-unknown-linux-gnu

.PHONY: sbom
sbom: setup $(CARGO_CYCLONEDX) ## Write target/sbom.cdx.json: the packages, libraries and models of the program, as CycloneDX
	mkdir -p target
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) CARGO_CYCLONEDX='$(CURDIR)/$(CARGO_CYCLONEDX)' $(PYTHON) release/sbom.py \
		--target $(TARGET) --features '$(FEATURES)' --onnxruntime '$(dir $(FACEPLANE_ONNXRUNTIME))' --output target/sbom.cdx.json

.PHONY: release
release: $(CARGO_CYCLONEDX) ## Build the archive of a release, with its SBOM and checksums, the same bytes each time (TARGET=aarch64-unknown-linux-gnu)
	CARGO_CYCLONEDX='$(CURDIR)/$(CARGO_CYCLONEDX)' PYTHON='$(PYTHON)' release/run $(TARGET)

##@ Other

.PHONY: clean
clean: ## Remove everything that was built or downloaded
	$(CARGO) clean
	rm -rf .onnxruntime .onnxruntime-cuda .tools

.PHONY: help
help: ## List these commands
	@awk 'BEGIN { FS = ":[^#]*## "; print "make TARGET" } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:[^#]*## / { printf "  %-20s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
