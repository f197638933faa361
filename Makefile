# Two commands do everything, set-up included: see README.md.

.PHONY: help demo test test-long build deb install documents format clean

help:
	@echo "make demo    both daemons at work on real Debian trees (as root; says what it installs)"
	@echo "make test    format, lints, every test, dependency rules (as root, so that none is skipped)"
	@echo "make test-long   the long forms of the tests of faults and of the model, and fuzzing (as root; hours)"
	@echo "make build   release programs in target/release"
	@echo "make deb     a Debian package in target/deb"
	@echo "make install below /usr/local, or PREFIX=... DESTDIR=..."
	@echo "make documents  man pages and shell completions in target/documents"
	@echo "make format  cargo fmt"
	@echo "make clean   remove target/, the Debian tree kept there included"

demo:
	@scripts/demo.sh

test:
	@scripts/test.sh

test-long:
	@scripts/test-long.sh

build:
	cargo build --release --workspace --bins

deb:
	@scripts/deb.sh

install: build
	@scripts/install.sh

documents: build
	@scripts/documents.sh

format:
	cargo fmt --all

clean:
	cargo clean
