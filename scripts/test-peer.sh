#!/usr/bin/env bash
# Our programs beside those of the original, for real: replication in both directions, the same load once each.
#
#   scripts/test-peer.sh DIR     DIR has the original's imageserver; IMAGEWRIGHT_DEBIAN_TREE may name a tree to replicate too
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$top"

if [ $# -ne 1 ]; then
  echo "usage: scripts/test-peer.sh DIR-OF-THE-ORIGINAL'S-PROGRAMS" >&2
  exit 2
fi
IMAGEWRIGHT_PEER=$(realpath "$1")
export IMAGEWRIGHT_PEER
cargo build --bins --locked
cargo test --package integration --locked --test replication_peer -- --ignored --nocapture --test-threads 1
