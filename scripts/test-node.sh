#!/usr/bin/env bash
# The stock Node client, sdc-clients, against our image repository: unsigned, signed with every kind of key, on channels, imports, datacenters.
#
#   scripts/test-node.sh [DIR]     DIR is where `npm install sdc-clients` was run; without it that is done in target/node-client
#
# Needs node from 14 on (and npm without DIR), ssh-keygen; as root, or as any user.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$top"

if [ $# -gt 1 ]; then
  echo "usage: scripts/test-node.sh [DIRECTORY-WITH-NODE_MODULES]" >&2
  exit 2
fi
IMAGEWRIGHT_NODE_CLIENT=$(realpath -m "${1:-$target/node-client}")
export IMAGEWRIGHT_NODE_CLIENT
if [ ! -d "$IMAGEWRIGHT_NODE_CLIENT/node_modules/sdc-clients" ]; then
  [ $# -eq 0 ] || die "$IMAGEWRIGHT_NODE_CLIENT has no node_modules/sdc-clients"
  mkdir -p "$IMAGEWRIGHT_NODE_CLIENT"
  npm install --ignore-scripts --no-fund --no-audit --prefix "$IMAGEWRIGHT_NODE_CLIENT" sdc-clients
fi
cargo test --package integration --locked --test repository_node -- --ignored --nocapture --test-threads 1
