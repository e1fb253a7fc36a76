# `make demo` runs a network of Warren nodes on this machine; `make test` runs every test.
# Both build with cargo's dev profile, so that RocksDB's C++ is compiled once.

CARGO ?= cargo
ARGS ?=
BUILD = sh scripts/build.sh
# The build's LIBCLANG_PATH, where one must be set, has to hold for every later cargo command too.
CLANG = path=$$(sh scripts/libclang.sh) && { [ -z "$$path" ] || export LIBCLANG_PATH="$$path"; }

.PHONY: help demo test build bench lint docs

help:
	@echo 'make demo     build everything, run a network of 12 nodes, open it in the browser'
	@echo '              options: make demo ARGS="--nodes 20 --data-dir demo-data --no-open"'
	@echo 'make test     run every test'
	@echo 'make bench    measure speeds on this machine'
	@echo 'make build    build the programs only'
	@echo 'make lint     formatting and lints, warnings denied'
	@echo 'make docs     the documentation of the code, warnings denied'

build:
	@$(BUILD)

# `exec`: Ctrl-C reaches the demo itself, which stops its nodes in order.
demo:
	@programs=$$($(BUILD)) && exec "$$programs/warren" demo $(ARGS)

bench:
	@programs=$$($(BUILD)) && exec "$$programs/warren" bench $(ARGS)

test:
	@$(BUILD) >/dev/null
	@$(CLANG) && $(CARGO) test --workspace --locked --no-fail-fast $(ARGS)

lint:
	@$(CARGO) fmt --all -- --check
	@$(CLANG) && $(CARGO) clippy --workspace --all-targets --locked -- -D warnings

docs:
	@$(CLANG) && RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items --locked
