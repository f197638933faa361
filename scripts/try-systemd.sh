#!/usr/bin/env bash
# The Debian package under a systemd that runs: in a container, so that this machine stays as it is. As root, on a Debian; some minutes.
#
#   scripts/try-systemd.sh                            builds the package from release programs and tries it
#   scripts/try-systemd.sh --programs DIR             from ready programs
#
# Tried: start at boot as its own user, images in and out within the unit's limits, kill, reload, a daemon that hangs, settings, upgrade,
# a unit that was disabled, stop, purge; the image repository with a configuration that only its settings name. No part of `make test`: it takes systemd from a mirror, and a kernel that lets a container boot.
set -euo pipefail
. "$(dirname "$0")/common.sh"

[ "$(id -u)" -eq 0 ] || die "a container takes root"
need_packages systemd-container
pristine=${IMAGEWRIGHT_DEBIAN_TREE:-$("$top/scripts/debian-tree.sh")}

work=$(mktemp -d "${TMPDIR:-/var/tmp}/imagewright-systemd.XXXXXXXX")
nspawn=
clean_up() {
  local code=$?
  trap - EXIT
  [ "$code" -eq 0 ] || tail -n 20 "$work/console" >&2 || true
  # SIGTERM to nspawn is an orderly end of what runs in it.
  [ -z "$nspawn" ] || { kill "$nspawn" 2>/dev/null || true; wait "$nspawn" || true; }
  umount "$work/root" 2>/dev/null || true
  rm -rf --one-file-system "$work"
  [ "$code" -eq 0 ] || warn "FAILED"
  exit "$code"
}
trap clean_up EXIT
mkdir "$work"/{upper,work,root}
: >"$work/console"
mount -t overlay overlay -o "lowerdir=$(realpath "$pristine"),upperdir=$work/upper,workdir=$work/work" "$work/root"

say "a Debian with systemd"
cp /etc/resolv.conf "$work/root/etc/resolv.conf"
cp -r /etc/apt/apt.conf.d/. "$work/root/etc/apt/apt.conf.d/"
chroot "$work/root" apt-get -qq update
chroot "$work/root" env DEBIAN_FRONTEND=noninteractive apt-get -qq --yes --no-install-recommends install systemd systemd-sysv libssl3 >/dev/null 2>&1
printf '127.0.0.1 localhost\n' >"$work/root/etc/hosts"

say "the package"
for version in 0.0.1 0.0.2; do
  DEB_COMPRESSION=none "$top/scripts/deb.sh" --out "$work" --version "$version" "$@" >/dev/null 2>&1
  mv "$work"/imagewright_"$version"_*.deb "$work/root/opt/$version.deb"
done
chroot "$work/root" dpkg --install /opt/0.0.1.deb >/dev/null 2>&1
cat >"$work/root/etc/imageserver/flags.extra" <<'FLAGS'
permitInsecureMode=true
generateMissingWebcert=true
CAfile=
identityCAfile=
certFile=
keyFile=
srpcTrustVmOwners=false
FLAGS

systemd-nspawn --quiet --register=no --keep-unit --private-network --directory="$work/root" --boot >"$work/console" 2>&1 </dev/null &
nspawn=$!
for _ in $(seq 300); do
  init=$(pgrep --parent "$nspawn" | head -n 1) || true
  [ -z "$init" ] || [ ! -S "/proc/$init/root/run/systemd/private" ] || break
  sleep 0.1
done
# inside SCRIPT...: in the container, with two helpers.
inside() {
  nsenter --target "$init" --mount --pid --net --uts --ipc --cgroup --root --wd=/ \
    /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive bash -ec '
      main() { systemctl show --property=MainPID --value imageserver; }
      # until_so COMMAND...: waits for it, a minute at most.
      until_so() { for _ in $(seq 600); do if "$@"; then return; fi; sleep 0.1; done; systemctl status --no-pager imageserver; return 1; }
      is_another() { now=$(main); [ "$now" != 0 ] && [ "$now" != "$before" ] && systemctl is-active --quiet imageserver; }
      tool() { imagetool -certDirectory=/nonexistent -requiredPaths= "$@"; }
      '"$1"
}
try() {
  say "$1"
  inside "$2" >"$work/said" 2>&1 || { cat "$work/said" >&2; die "$1"; }
}

try "it is started at boot, as its own user, without capabilities" '
  until_so systemctl is-active --quiet imageserver
  [ "$(stat -c %U "/proc/$(main)")" = imageserver ]
  grep -q "^CapEff:.0000000000000000" "/proc/$(main)/status"'
try "images go in and out within the limits of the unit" '
  mkdir /root/tree; for n in $(seq 300); do echo "$n" >"/root/tree/$n"; done; touch /root/none
  tool mkdir d; tool add d/1 /root/tree /root/none ""; tool get d/1 /root/copy; cmp /root/tree/7 /root/copy/7
  tool add d/2 /etc /root/none ""; tool delete d/1; [ "$(tool list)" = d/2 ]'
try "killed, it comes back" 'before=$(main); kill -KILL "$before"; until_so is_another; [ "$(tool list)" = d/2 ]'
try "reload starts it again" 'before=$(main); systemctl reload imageserver; until_so is_another'
try "hung, it is ended and started again" '
  mkdir -p /run/systemd/system/imageserver.service.d
  printf "[Service]\nWatchdogSec=3s\n" >/run/systemd/system/imageserver.service.d/watchdog.conf
  systemctl daemon-reload; systemctl restart imageserver
  before=$(main); kill -STOP "$before"; until_so is_another
  rm -r /run/systemd/system/imageserver.service.d; systemctl daemon-reload'
try "an upgrade takes the place of what runs" 'before=$(main); dpkg --install /opt/0.0.2.deb; is_another; [ "$(tool list)" = d/2 ]'
try "the settings count" '
  useradd --system images; install -d -o images /srv/images /srv/objects
  printf "USERNAME=images\nIMAGE_DIR=/srv/images\nOBJECT_DIR=/srv/objects\nLOG_DIR=/srv/log\n" >>/etc/default/imageserver
  systemctl restart imageserver
  [ "$(stat -c %U "/proc/$(main)" /srv/log)" = "$(printf "images\nimages")" ]
  tool mkdir here; test -d /srv/images/here'
try "the image repository waits for a configuration, wherever the settings say it is" '
  repository() { systemctl show --property=MainPID --value imgapi; }
  systemctl start imgapi || true
  [ "$(systemctl is-active imgapi)" = inactive ]
  printf "%s" "{\"baseDir\": \"/var/lib/imgapi\", \"authType\": \"none\"}" >/srv/repository.json
  echo CONFIGURATION=/srv/repository.json >>/etc/default/imgapi
  systemctl start imgapi
  [ "$(stat -c %U "/proc/$(repository)")" = imgapi ]
  made=$(imgapi-cli create name=a version=1 type=other os=linux public=true owner=930896af-bf8c-48d4-885c-6573a94b1853 -j)
  made=$(printf "%s" "$made" | sed -n "s/.*\"uuid\": \"\(.*\)\".*/\1/p")
  before=$(repository); systemctl reload imgapi; imgapi-cli ping; [ "$(repository)" = "$before" ]
  kill -KILL "$before"; until_so imgapi-cli ping; imgapi-cli get "$made"
  systemctl stop imgapi; [ "$(systemctl is-active imgapi)" = inactive ]'
try "what was disabled stays so over an upgrade" '
  systemctl disable --now imageserver; dpkg --install /opt/0.0.2.deb
  [ "$(systemctl is-active imageserver)" = inactive ] && [ "$(systemctl is-enabled imageserver)" = disabled ]'
try "it goes, and leaves the images" '
  systemctl enable --now imageserver; apt-get -qq --yes purge imagewright
  [ "$(systemctl is-active imageserver)" = inactive ] && test -s /var/lib/imageserver/d/2'
say "all as it should be"
