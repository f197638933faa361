#!/usr/bin/env bash
# Our programs beside those of the original, for real: replication in both directions, the same load once each; builds with the tool of
# one, the image builder of the other and either image server. As root.
#
#   scripts/test-peer.sh DIR     DIR has the original's imageserver, imaginator and builder-tool; IMAGEWRIGHT_DEBIAN_TREE may name a
#                                tree to replicate too
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
cargo test --package integration --locked --test replication_peer --test build_peer -- --ignored --nocapture --test-threads 1
