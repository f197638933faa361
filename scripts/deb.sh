#!/usr/bin/env bash
# The Debian package `imagewright`: programs, unit, init.d script, settings, samples, man pages, completions, documentation.
#
#   make deb                                          target/deb/imagewright_VERSION_ARCH.deb, from release programs built now
#   scripts/deb.sh --programs DIR                     from ready programs
#   scripts/deb.sh --out DIR --version 1.2.3          elsewhere, as another version
#
# DEBFULLNAME and DEBEMAIL are the maintainer, DEB_COMPRESSION (none, xz, zstd) how it is packed.
#
# Prints the package's path. The same source, programs and version give the same bytes.
set -euo pipefail
. "$(dirname "$0")/common.sh"

programs=
out=$target/deb
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$top/Cargo.toml" | head -n 1)
while [ $# -gt 0 ]; do
  case $1 in
    --programs) programs=$(realpath "${2:?}") ;;
    --out) out=${2:?} ;;
    --version) version=${2:?} ;;
    *) die "unknown argument $1" ;;
  esac
  shift 2
done
need_packages binutils dpkg-dev >&2
if [ -z "$programs" ]; then
  need_build_tools >&2
  (cd "$top" && cargo build --release --locked --package imageserver --package imagetool --package imaginator --package builder-tool --package imgapi --package imgapi-cli --package imagewright) >&2
  programs=$target/release
fi
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct 2>/dev/null || date +%s)}
# Whoever builds packages for others says who that is, as for every Debian tool.
maintainer="${DEBFULLNAME:-Imagewright} <${DEBEMAIL:-imagewright@example.org}>"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
mkdir -p "$work/programs" "$work/debian" "$out"
out=$(realpath "$out")
for program in imageserver imagetool imaginator builder-tool imgapi imgapi-cli imagewright; do
  strip --strip-unneeded --remove-section=.comment -o "$work/programs/$program" "$programs/$program"
done
tree=$work/tree
PREFIX=/usr DESTDIR=$tree "$top/scripts/install.sh" --programs "$work/programs"
mkdir -p "$tree/etc/imageserver" "$tree/etc/imaginator" "$tree/etc/imgapi"

documents=$tree/usr/share/doc/imagewright
install -m 644 "$top/packaging/debian/copyright" "$documents/copyright"
printf 'imagewright (%s) unstable; urgency=medium\n\n  * See the history of the source.\n\n -- %s  %s\n' "$version" \
  "$maintainer" "$(date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")" >"$documents/changelog"
find "$tree/usr/share/man" -type f -exec gzip -9n {} +
gzip -9n "$documents/changelog"

# Which libraries, and since which version, is read from the programs.
touch "$work/debian/control"
libraries=$(cd "$work" && dpkg-shlibdeps -O --warnings=0 programs/* 2>/dev/null | sed 's/^shlibs:Depends=//')
control=$tree/DEBIAN
mkdir -p "$control"
sed -e "s/@MAINTAINER@/$maintainer/" -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$(dpkg --print-architecture)/; s/@LIBRARIES@/$libraries/" \
  -e "s/@SIZE@/$(du -k -s --apparent-size "$tree" | cut -f1)/" "$top/packaging/debian/control" >"$control/control"
install -m 644 "$top/packaging/debian/conffiles" "$control/conffiles"
install -m 755 "$top"/packaging/debian/{postinst,prerm,postrm} "$control/"
(cd "$tree" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum) >"$control/md5sums"
find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

package=$out/imagewright_${version}_$(dpkg --print-architecture).deb
# Fast is good enough for programs that were not built to be shipped.
dpkg-deb --root-owner-group ${DEB_COMPRESSION:+-Z"$DEB_COMPRESSION"} --build "$tree" "$package" >&2
printf '%s\n' "$package"
