#!/usr/bin/env bash
# Puts the programs and everything that belongs to them where a system looks for them.
#
#   make install                                      below /usr/local, from target/release
#   PREFIX=/usr DESTDIR=/tmp/tree make install        for a package
#   scripts/install.sh --programs DIR --strip yes     programs from DIR, without what only debuggers read
#
# Settings that are there already are left alone. It makes no users and starts nothing: the Debian package does.
set -euo pipefail
. "$(dirname "$0")/common.sh"

prefix=${PREFIX:-/usr/local}
destination=${DESTDIR:-}
programs=$target/release
strip=
while [ $# -gt 0 ]; do
  case $1 in
    --programs) programs=${2:?} ;;
    --strip) strip=--strip ;;
    *) die "unknown argument $1" ;;
  esac
  shift 2
done
for program in imageserver imagetool imaginator builder-tool imgapi imgapi-cli imagewright; do
  [ -x "$programs/$program" ] || die "$programs/$program is not there: make build"
done
# Units and init.d scripts of packages lie elsewhere than those of the machine's owner.
case $prefix in
  /usr)
    units=/usr/lib/systemd/system
    zsh=/usr/share/zsh/vendor-completions
    fish=/usr/share/fish/vendor_completions.d
    ;;
  *)
    units=/etc/systemd/system
    zsh=$prefix/share/zsh/site-functions
    fish=$prefix/share/fish/completions
    ;;
esac
documents=$prefix/share/doc/imagewright

# put MODE FILE PLACE: with the paths of this prefix in it.
put() {
  mkdir -p "$destination$(dirname "$3")"
  sed -E "s#/usr/local/(sbin/(imageserver|imaginator|imgapi)|lib/imagewright|share/doc)#$prefix/\1#g" "$2" >"$destination$3.new"
  chmod "$1" "$destination$3.new"
  mv -f "$destination$3.new" "$destination$3"
}
put_program() {
  install -D -m 755 ${strip:+"$strip"} "$programs/$1" "$destination$prefix/$2/$1.new"
  # Renamed into place: the one that is running can be replaced.
  mv -f "$destination$prefix/$2/$1.new" "$destination$prefix/$2/$1"
}

put_program imageserver sbin
put_program imagetool bin
put_program imaginator sbin
put_program builder-tool bin
put_program imgapi sbin
put_program imgapi-cli bin
put_program imagewright bin
put 755 "$top/service/babysit" "$prefix/lib/imagewright/babysit"
put 644 "$top/service/control" "$prefix/lib/imagewright/control"
for daemon in imageserver imaginator imgapi; do
  put 644 "$top/service/settings-$daemon" "$prefix/lib/imagewright/settings-$daemon"
  put 755 "$top/service/launch-$daemon" "$prefix/lib/imagewright/launch-$daemon"
  put 755 "$top/init.d/$daemon" "/etc/init.d/$daemon"
  put 644 "$top/systemd/$daemon.service" "$units/$daemon.service"
  [ -e "$destination/etc/default/$daemon" ] || put 644 "$top/init.d/default/$daemon" "/etc/default/$daemon"
done

for page in "$top"/README.md "$top"/docs/*.md; do
  put 644 "$page" "$documents/$(basename "$page")"
done
(cd "$top/config-samples" && find . -type f) | while read -r sample; do
  put 644 "$top/config-samples/$sample" "$documents/config-samples/${sample#./}"
done

"$top/scripts/documents.sh" --programs "$programs" --man "$destination$prefix/share/man" \
  --bash "$destination$prefix/share/bash-completion/completions" --zsh "$destination$zsh" --fish "$destination$fish"
