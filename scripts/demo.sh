#!/usr/bin/env bash
# The main job of the image server, on real input: see README.md. Run as root, on a Debian, any number of times.
#
#   make demo                         everything, then stops the server and removes what it made
#   KEEP_RUNNING=1 make demo          leaves the server running, to look at its pages
#   DEMO_TREE=/srv/tree make demo     takes that system tree instead of making one with debootstrap
#   DEMO_PORT=6971 make demo          listens there instead of on a free port
set -euo pipefail
. "$(dirname "$0")/common.sh"

steps=11
step_number=0
step_started=
finish_step() {
  [ -z "$step_started" ] || say "      done in $(elapsed "$step_started")"
  step_started=
}
step() {
  finish_step
  step_number=$((step_number + 1))
  step_started=$(clock)
  printf '\n[%2d/%d] %s\n' "$step_number" "$steps" "$*"
}
note() { printf '      %s\n' "$*"; }
# Shows a command as a user would type it, then runs it with its output indented.
run() {
  local shown="$*"
  printf '      $ %s\n' "${shown//$work\//}"
  "$@" 2>&1 | sed 's/^/      /'
}
# head that reads on, so that what it cuts off does not die of a closed pipe.
first() { awk -v most="$1" 'NR <= most { print } END { if (NR > most) print "... and " NR - most " more lines" }'; }

[ "$(id -u)" -eq 0 ] || die "run the demonstration as root: it makes a Debian tree and gets one back with owners and devices"

started=$(clock)
server=
work=
# Asks it to drain, and ends it if it has not after 20 seconds.
stop_server() {
  kill "$server" 2>/dev/null || true
  for _ in $(seq 200); do
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$server" 2>/dev/null && warn "the image server had to be killed"
  wait "$server" 2>/dev/null || true
  server=
}
# Ends what this run started and nothing else.
clean_up() {
  local code=$?
  trap - EXIT
  if [ "$code" -ne 0 ] && [ -n "$work" ] && [ -s "$work/server.log" ]; then
    warn "last lines of the server's log:"
    tail -n 15 "$work/server.log" >&2
  fi
  if [ -n "$server" ] && { [ "$code" -ne 0 ] || [ -z "${KEEP_RUNNING:-}" ]; }; then
    stop_server
  fi
  if [ -n "$work" ] && [ -z "$server" ]; then
    [ "$code" -ne 0 ] || say "Removing what it made."
    rm -rf --one-file-system "$work"
  fi
  [ "$code" -eq 0 ] || warn "the demonstration FAILED"
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step "Set-up: what is lacking comes through apt, the programs through cargo"
need_build_tools
(cd "$top" && cargo build --release --locked --quiet --package imageserver --package imagetool --package imagewright)
pristine=$("$top/scripts/debian-tree.sh")
note "tree: $pristine, $(find "$pristine" -xdev | wc -l) entries"

# Not below the checkout, which the server's user need not be able to enter.
work=$(mktemp -d "${TMPDIR:-/var/tmp}/imagewright-demo.XXXXXXXX")
chmod 755 "$work"
mkdir "$work/bin" "$work/pki" "$work/server"
install -m 755 "$target"/release/{imageserver,imagetool,imagewright} "$work/bin/"
cp -a --reflink=auto "$pristine" "$work/tree"
tree=$work/tree
certs() { "$work/bin/imagewright" certs "$@"; }

step "A certificate authority, and certificates that say who may do what"
certs ca --out "$work/pki" --name "Demonstration CA" >/dev/null
certs issue --ca "$work/pki" --user imageserver --server localhost,127.0.0.1 --days 2 --out "$work/server/ssl" >/dev/null
certs issue --ca "$work/pki" --user operator --preset admin --days 2 --out "$work/operator" >/dev/null
certs issue --ca "$work/pki" --user reader --preset reader --days 2 --out "$work/reader" >/dev/null
run certs show "$work/operator/operator.cert" | first 9

step "The image server, as an unprivileged user"
port=${DEMO_PORT:-$(free_port)}
mkdir "$work/server/images" "$work/server/objects" "$work/server/logs"
cp "$work/pki/CA.pem" "$work/server/ssl/"
chown -R nobody:nogroup "$work/server"
: >"$work/server.log"
# A session of its own: with KEEP_RUNNING it outlives this terminal.
setsid setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs \
  "$work/bin/imageserver" -portNum="$port" \
  -CAfile="$work/server/ssl/CA.pem" -identityCAfile= \
  -certFile="$work/server/ssl/cert.pem" -keyFile="$work/server/ssl/key.pem" \
  -imageDir="$work/server/images" -objectDir="$work/server/objects" -logDir="$work/server/logs" \
  -srpcTrustVmOwners=false -alsoLogToStderr \
  </dev/null >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 300); do
  kill -0 "$server" 2>/dev/null || die "the image server stopped at once"
  [ "$(http_get "$port" /healthz | head -n 1)" = 200 ] && break
  sleep 0.1
done
[ "$(http_get "$port" /healthz | head -n 1)" = 200 ] || die "the image server is not healthy after 30 seconds"
note "listening on port $port as $(stat --format=%U "/proc/$server"), process $server"

imagetool_as() {
  local user=$1
  shift
  "$work/bin/imagetool" -imageServerHostname=127.0.0.1 -imageServerPortNum="$port" -certDirectory="$work/$user" "$@"
}
imagetool() { imagetool_as operator "$@"; }

step "Powers: a reader may look but not change"
run imagetool mkdir debian
note "$ imagetool mkdir elsewhere   (as reader)"
if refusal=$(imagetool_as reader mkdir elsewhere 2>&1); then die "a reader could make a directory"; fi
note "$refusal"
[ "$(imagetool_as reader listdirs)" = "$(imagetool listdirs)" ] || die "a reader sees other directories"

# What an image leaves out, and the same for find and grep below.
cat >"$work/filter" <<'FILTER'
/tmp/.*
/var/cache/apt/archives/.*[.]deb
/var/lib/apt/lists/.*
FILTER
cat >"$work/triggers" <<'TRIGGERS'
[
    {
        "MatchLines": ["/etc/ssh/.*", "/usr/sbin/sshd"],
        "Service": "ssh"
    }
]
TRIGGERS
listing_of() {
  "$top/scripts/tree-listing.sh" "$1" |
    grep -Ev '^\./(tmp/|var/cache/apt/archives/.*\.deb |var/lib/apt/lists/|var/lib/initial-image )'
}
# Bytes of the regular files of a listing, each file once however many names it has.
represented_bytes() {
  awk '$2 == "is" { further[$1] = 1 } $2 == "f" { size[$1] = $6 } END { for (path in size) if (!(path in further)) sum += size[path]; printf "%d\n", sum }' "$1"
}
stored_bytes() { find "$work/server/objects" -type f -not -name '.*' -printf '%s\n' | awk '{ sum += $1 } END { printf "%d\n", sum }'; }

step "Adding the tree"
run imagetool add debian/1 "$tree" "$work/filter" "$work/triggers"
listing_of "$tree" >"$work/listing.1"
stored_1=$(stored_bytes)
note "$(wc -l <"$work/listing.1") facts about it noted, $(human "$stored_1") stored"

step "Changing a few things and adding it again"
printf 'changed by the demonstration\n' >>"$tree/etc/motd"
removed=$(cd "$tree" && find usr/share -type f | sort | sed -n 1p)
rm "$tree/$removed"
mkdir -p "$tree/opt/demo"
head -c 4194304 /dev/urandom >"$tree/opt/demo/random"
ln "$tree/opt/demo/random" "$tree/opt/demo/same-file"
ln -s random "$tree/opt/demo/symlink"
mkfifo "$tree/opt/demo/fifo"
mknod "$tree/opt/demo/device" c 1 3
chown 1000:1000 "$tree/opt/demo/fifo"
chmod 4711 "$tree/usr/bin/env"
note "edited etc/motd; removed $removed; added opt/demo with 4 MiB, a hard link, a symlink, a fifo, a device; chmod 4711 usr/bin/env"
run imagetool add debian/2 "$tree" "$work/filter" "$work/triggers"
listing_of "$tree" >"$work/listing.2"
stored_2=$(stored_bytes)

step "Looking at it"
run imagetool list
run imagetool find-latest-image debian
run imagetool show debian/2 | first 8
say
run imagetool diff diff debian/1 debian/2 | cut -c1-120 | first 24

step "Getting it back into an empty directory, and comparing with the source"
run imagetool get debian/2 "$work/back"
[ "$(cat "$work/back/var/lib/initial-image")" = debian/2 ] || die "var/lib/initial-image does not name the image"
listing_of "$work/back" >"$work/listing.back"
if ! diff "$work/listing.2" "$work/listing.back" >"$work/difference"; then
  first 20 <"$work/difference" >&2
  die "what came back is not what was added"
fi
note "equal: type, mode, owner, links, devices, contents, times of files ($(wc -l <"$work/listing.back") facts)"

step "What de-duplication saves"
bytes_1=$(represented_bytes "$work/listing.1")
bytes_2=$(represented_bytes "$work/listing.2")
note "two images of $(human "$bytes_1") and $(human "$bytes_2") take $(human "$stored_2"):"
note "$(awk -v sum=$((bytes_1 + bytes_2)) -v stored="$stored_2" 'BEGIN { printf "%.2f times less", sum / stored }'); the second one cost $(human $((stored_2 - stored_1)))"
[ $((stored_2 - stored_1)) -lt 16777216 ] || die "the second image should have cost little more than its 4 MiB of news"

step "Deleting the first; the second stays whole"
run imagetool delete debian/1
if imagetool check debian/1; then die "debian/1 is still there"; fi
imagetool check debian/2 || die "debian/2 went with it"
run imagetool list
run imagetool get debian/2 "$work/again"
listing_of "$work/again" | cmp - "$work/listing.2" || die "debian/2 is damaged"

step "The status page"
page=$(http_get "$port" /)
[ "$(head -n 1 <<<"$page")" = 200 ] || die "no status page"
note "http://localhost:$port/   ($(wc -c <<<"$page") bytes)"
finish_step

say
say "The demonstration went through in $(elapsed "$started")."
if [ -n "${KEEP_RUNNING:-}" ]; then
  say "The image server goes on running: http://localhost:$port/"
  say "  $work/bin/imagetool -imageServerHostname=127.0.0.1 -imageServerPortNum=$port -certDirectory=$work/operator list"
  say "To stop it and remove everything:"
  say "  kill $server; rm -rf $work"
  disown "$server"
else
  say "The image server is stopped; KEEP_RUNNING=1 make demo leaves it running."
fi
