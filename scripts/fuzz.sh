#!/usr/bin/env bash
# Feeds the parsers of foreign bytes what a fuzzer invents: see docs/testing.md. Sets itself up.
#
#   scripts/fuzz.sh                 every target in turn, ten minutes each
#   scripts/fuzz.sh 60              a minute each
#   scripts/fuzz.sh 3600 gob tar    an hour each of these two
#   FUZZ_SANITIZER=address scripts/fuzz.sh   with the address sanitizer: slower, and there is no unsafe code of our own
#
# What it finds interesting is kept below the target directory and used again. What fails is left in fuzz/artifacts.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$top"

# What one input may cost. Everything here takes milliseconds; a slow input is a finding.
input_max_bytes=65536
input_max_seconds=10
memory_max_mb=1024

toolchain=${FUZZ_TOOLCHAIN:-nightly}
sanitizer=${FUZZ_SANITIZER:-none}

seconds=600
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  seconds=$1
  shift
fi
mapfile -t known < <(basename --suffix=.rs fuzz/fuzz_targets/*.rs)
targets=("$@")
[ "${#targets[@]}" -gt 0 ] || targets=("${known[@]}")
for name in "${targets[@]}"; do
  [ -e "fuzz/fuzz_targets/$name.rs" ] || die "no such target: $name (there are: ${known[*]})"
done

need_build_tools
if ! cargo "+$toolchain" --version >/dev/null 2>&1; then
  command -v rustup >/dev/null || die "fuzzing needs a nightly Rust toolchain"
  say "installing the toolchain $toolchain with rustup"
  rustup toolchain install "$toolchain" --profile minimal
fi
if ! cargo fuzz --version >/dev/null 2>&1; then
  say "installing cargo-fuzz with cargo, once"
  cargo install --locked --quiet cargo-fuzz
fi

failed=()
for name in "${targets[@]}"; do
  printf '\n==> %s: %d seconds\n' "$name" "$seconds"
  # The first directory is where the fuzzer keeps what it finds; the seeds stay as they are.
  kept=$target/fuzz-corpus/$name
  mkdir -p "$kept"
  options=(
    -max_total_time="$seconds" -timeout="$input_max_seconds" -rss_limit_mb="$memory_max_mb"
    -max_len="$input_max_bytes" -print_final_stats=1
  )
  [ ! -e "fuzz/dictionaries/$name" ] || options+=(-dict="fuzz/dictionaries/$name")
  cargo "+$toolchain" fuzz run --fuzz-dir fuzz --sanitizer "$sanitizer" "$name" "$kept" "fuzz/corpus/$name" -- \
    "${options[@]}" || failed+=("$name")
done

if [ "${#failed[@]}" -gt 0 ]; then
  die "failed: ${failed[*]}. Move what is in fuzz/artifacts into fuzz/corpus/TARGET: make test runs it from then on"
fi
say "nothing found"
