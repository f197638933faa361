#!/usr/bin/env bash
# Makes a Debian minbase tree with debootstrap and prints its path. Kept between runs, so only the first is slow.
#
#   scripts/debian-tree.sh          prints DIR/target/debian/SUITE
#   DEMO_TREE=/srv/tree scripts/debian-tree.sh   prints that instead and makes nothing
#
# The mirror and the suite are those of this machine's own apt configuration.
set -euo pipefail
. "$(dirname "$0")/common.sh"

if [ -n "${DEMO_TREE:-}" ]; then
  [ -e "$DEMO_TREE/etc/passwd" ] || die "DEMO_TREE=$DEMO_TREE is no system tree"
  printf '%s\n' "$DEMO_TREE"
  exit
fi

[ "$(id -u)" -eq 0 ] || die "debootstrap needs root (or name a ready tree: DEMO_TREE=PATH)"
need_packages debootstrap ca-certificates >&2
. "$top/scripts/debian-mirror.sh"
read -r mirror suite < <(debian_mirror) || die "apt knows no Debian archive on this machine (or name a ready tree: DEMO_TREE=PATH)"
tree=$target/debian/$suite
if [ ! -e "$tree.complete" ]; then
  # A proxy that apt was told of serves here too.
  proxy=$(apt_proxy)
  if [ -n "$proxy" ]; then
    export http_proxy=${http_proxy:-$proxy}
  fi
  warn "debootstrap: $suite from this machine's apt mirror, once (some minutes)"
  rm -rf --one-file-system "$tree"
  mkdir -p "$tree"
  debootstrap --variant=minbase "$suite" "$tree" "$mirror" >"$tree.log" 2>&1 ||
    { tail -n 5 "$tree.log" >&2; die "debootstrap failed; its log is $tree.log"; }
  touch "$tree.complete"
fi
printf '%s\n' "$tree"
