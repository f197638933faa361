#!/usr/bin/env bash
# Everything that must hold before a change goes in: see README.md. Sets itself up; run as root so that nothing is
# skipped. Without root or network it still runs what can run, and says what was skipped.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$top"

step() { printf '\n==> %s\n' "$*"; }

step "set-up"
need_build_tools
for component in rustfmt clippy; do
  if ! cargo "${component#rust}" --version >/dev/null 2>&1; then
    command -v rustup >/dev/null || die "the Rust toolchain lacks $component"
    say "installing $component with rustup"
    rustup component add "$component"
  fi
done
# systemd for its systemd-analyze: nothing of it runs. The rest makes machines of Debian trees and packages for them.
packages=(debootstrap ca-certificates openssl strace systemd iproute2 binutils dpkg-dev chromium git rpm createrepo-c dnf passt openssh-client)
if [ "$(id -u)" -eq 0 ]; then
  need_packages "${packages[@]}"
  # Tests that want a real system tree find it here; without it they say that they were skipped.
  if tree=$(scripts/debian-tree.sh); then
    export IMAGEWRIGHT_DEBIAN_TREE=$tree
  else
    warn "no Debian tree: tests that need one will be skipped"
  fi
else
  mapfile -t lacking < <(lacking_packages "${packages[@]}")
  [ "${#lacking[@]}" -eq 0 ] || warn "not root, so tests that need these will be skipped: ${lacking[*]}"
fi

step "formatting"
cargo fmt --all --check

step "lints"
cargo clippy --workspace --all-targets --locked -- -D warnings

# Built once here: otherwise each test program asks cargo for them, and the first one waits till all are built.
step "programs"
cargo build --workspace --bins --locked
IMAGEWRIGHT_PROGRAMS=$(realpath "$target/debug")
export IMAGEWRIGHT_PROGRAMS

# Among these is the check of docs/compatibility.md against the tests it names.
step "tests"
cargo test --workspace --locked

# Advisories are left out: they take a database that must be downloaded, and change without a change here.
step "dependencies: bans, licences, sources"
if ! command -v cargo-deny >/dev/null; then
  say "installing cargo-deny with cargo, once (some minutes)"
  cargo install --locked --debug --quiet cargo-deny
fi
cargo deny --locked check bans licenses sources

step "all passed"
