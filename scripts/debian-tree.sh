#!/usr/bin/env bash
# Makes a Debian minbase tree with debootstrap and prints its path. Kept between runs, so only the first is slow.
#
#   scripts/debian-tree.sh          prints DIR/target/debian/SUITE
#   DEMO_TREE=/srv/tree scripts/debian-tree.sh   prints that instead and makes nothing
#
# The mirror and the suite are those of this machine's own apt configuration, read by apt itself, so that every
# spelling apt understands (sources.list, *.sources) is understood here.
set -euo pipefail
. "$(dirname "$0")/common.sh"

if [ -n "${DEMO_TREE:-}" ]; then
  [ -e "$DEMO_TREE/etc/passwd" ] || die "DEMO_TREE=$DEMO_TREE is no system tree"
  printf '%s\n' "$DEMO_TREE"
  exit
fi

# Lines "URI SUITE" of the main archives: no updates, security, backports or foreign ones.
archives() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' 2>/dev/null |
    awk '$3 == "main" && $2 !~ /[-\/](updates|security|backports|proposed-updates)/ { print $1, $2 }'
}

# The archive of the running release if it is configured, else the first there is.
choose_archive() {
  local codename
  codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
  { archives | awk -v suite="$codename" '$2 == suite'; archives; } | head -n 1
}

# A mirror list is apt's own; debootstrap wants one of its entries.
plain_mirror() {
  case $1 in
    mirror+file:* | mirror+copy:*) grep -m 1 -oE '^[a-z]+://[^[:space:]]+' "/${1#*:/}" ;;
    copy:*) printf 'file:%s\n' "${1#copy:}" ;;
    *) printf '%s\n' "$1" ;;
  esac
}

[ "$(id -u)" -eq 0 ] || die "debootstrap needs root (or name a ready tree: DEMO_TREE=PATH)"
need_packages debootstrap ca-certificates >&2
read -r mirror suite < <(choose_archive) || die "apt knows no Debian archive on this machine (or name a ready tree: DEMO_TREE=PATH)"
mirror=$(plain_mirror "$mirror")
tree=$target/debian/$suite
if [ ! -e "$tree.complete" ]; then
  # A proxy that apt was told of serves here too.
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  if [ -n "${proxy:-}" ] && [ "$proxy" != DIRECT ]; then
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
