# Two commands do everything, set-up included: see README.md.

.PHONY: help demo test build format clean

help:
	@echo "make demo    the image server at work on a real Debian tree (as root; says what it installs)"
	@echo "make test    format, lints, every test, dependency rules (as root, so that none is skipped)"
	@echo "make build   release programs in target/release"
	@echo "make format  cargo fmt"
	@echo "make clean   remove target/, the Debian tree kept there included"

demo:
	@scripts/demo.sh

test:
	@scripts/test.sh

build:
	cargo build --release --workspace --bins

format:
	cargo fmt --all

clean:
	cargo clean
