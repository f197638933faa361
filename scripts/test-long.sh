#!/usr/bin/env bash
# The long forms of the tests that `make test` runs in short: see README.md. Run as root; takes some hours.
#
#   make test-long               all steps
#   scripts/test-long.sh faults  the named steps only: faults (about half an hour), housekeeping, model, replication, sandbox, fuzzing
#
# Each step says what it does and can be run by itself; IMAGEWRIGHT_FAULT_SEED=... repeats a failed one.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$top"

step() { printf '\n==> %s (%s)\n' "$*" "$(date -u +%H:%M:%S)"; }

# 200 rounds of SIGKILL at random, and all occurrences of every named point; power cuts, cut connections, damage.
faults() {
  step "faults: SIGKILL at random moments, 200 rounds"
  IMAGEWRIGHT_KILL_ROUNDS=${IMAGEWRIGHT_KILL_ROUNDS:-200} \
    cargo test --package integration --locked --test fault_kill -- --nocapture
  step "faults: SIGKILL of the image builder in every phase of a build, 50 rounds"
  IMAGEWRIGHT_BUILDER_KILL_ROUNDS=${IMAGEWRIGHT_BUILDER_KILL_ROUNDS:-50} \
    cargo test --package integration --locked --test build_kill -- --nocapture
  step "faults: SIGKILL of the image repository during uploads, activations, imports, deletions, 200 rounds"
  IMAGEWRIGHT_REPOSITORY_KILL_ROUNDS=${IMAGEWRIGHT_REPOSITORY_KILL_ROUNDS:-200} \
    cargo test --package integration --locked --test repository_kill -- --nocapture
  step "faults: SIGKILL at every named point"
  IMAGEWRIGHT_KILL_POINTS=${IMAGEWRIGHT_KILL_POINTS:-8} \
    cargo test --package integration --locked --test fault_kill_points -- --nocapture
  step "faults: power cuts at every call of a trace"
  IMAGEWRIGHT_POWER_CUTS=${IMAGEWRIGHT_POWER_CUTS:-40} \
    cargo test --package integration --locked --test fault_order -- --nocapture
  step "faults: connections cut at many places, one that idles for six minutes"
  IMAGEWRIGHT_CUTS=${IMAGEWRIGHT_CUTS:-200} IMAGEWRIGHT_IDLE_SECONDS=${IMAGEWRIGHT_IDLE_SECONDS:-360} \
    cargo test --package integration --locked --test fault_cut -- --nocapture
  step "faults: damage at many places of every kind of file"
  IMAGEWRIGHT_DAMAGED_PLACES=${IMAGEWRIGHT_DAMAGED_PLACES:-100} \
    cargo test --package integration --locked --test fault_bytes -- --nocapture
  step "faults: failing flushes, full disks, panics"
  cargo test --package integration --locked --test fault_flush --test fault_disk --test fault_actor -- --nocapture
}

# Bits that flip on two servers that repair each other; clients against the collector.
housekeeping() {
  step "housekeeping: 150 flipped bits"
  IMAGEWRIGHT_FLIPPED_BITS=${IMAGEWRIGHT_FLIPPED_BITS:-100} \
    cargo test --package integration --locked --test scrub -- --nocapture
  step "housekeeping: eight clients race the collector for five minutes"
  IMAGEWRIGHT_COLLECTION_SECONDS=${IMAGEWRIGHT_COLLECTION_SECONDS:-300} \
    cargo test --package integration --locked --test collection -- --nocapture
}

# Random sequences of operations, restarts included, compared with a model of the store and the index.
model() {
  step "model: 10,000 sequences"
  IMAGEWRIGHT_MODEL_SEQUENCES=${IMAGEWRIGHT_MODEL_SEQUENCES:-10000} \
    cargo test --package actors --locked --test model -- --nocapture
}

# A master and two replicas: connections cut and processes killed at random, 100 rounds.
replication() {
  step "replication: 100 rounds"
  IMAGEWRIGHT_REPLICATION_ROUNDS=${IMAGEWRIGHT_REPLICATION_ROUNDS:-100} \
    cargo test --package integration --locked --test replication_faults -- --nocapture
}

# Ten minutes for each parser of foreign bytes.
fuzzing() {
  step "fuzzing: ten minutes a target"
  scripts/fuzz.sh
}

# A real debootstrap in the view of the host, packages installed in what it made; needs the mirror of this machine's apt.
sandbox() {
  step "sandbox: debootstrap and apt"
  cargo test --package sandbox --locked --test real_packages -- --nocapture --include-ignored
}

need_build_tools
if [ "$(id -u)" -eq 0 ]; then
  need_packages strace
fi
if [ $# -eq 0 ]; then
  set -- faults housekeeping model replication sandbox fuzzing
fi
for name in "$@"; do
  "$name"
done
step "all passed"
