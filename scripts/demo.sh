#!/usr/bin/env bash
# The main job, on real input: see README.md. Run as root, on a Debian, any number of times.
#
#   make demo                         everything, then stops the daemons and removes what it made
#   KEEP_RUNNING=1 make demo          leaves the daemons running, to look at their pages
#   DEMO_TREE=/srv/tree make demo     the image server's part takes that system tree instead of making one with debootstrap
#   IMAGEWRIGHT_PROGRAMS=/usr/bin make demo   takes the programs from there instead of building them
#   DEMO_PORT=6971 make demo          the image server listens there instead of on a free port
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$top/scripts/debian-mirror.sh"

steps=20
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

[ "$(id -u)" -eq 0 ] || die "run the demonstration as root: it builds Debian images, and gets one back with owners and devices"

started=$(clock)
daemons=
work=
# Asks them to stop: the image builder first, and what it is building is given up.
stop_daemons() {
  kill "$daemons" 2>/dev/null || true
  wait "$daemons" 2>/dev/null || true
  daemons=
}
# Ends what this run started and nothing else.
clean_up() {
  local code=$?
  trap - EXIT
  if [ "$code" -ne 0 ] && [ -n "$work" ]; then
    for log in "$work"/up.log "$work"/home/*/output; do
      [ ! -s "$log" ] || { warn "last lines of ${log#"$work/"}:"; tail -n 15 "$log" >&2; }
    done
  fi
  if [ -n "$daemons" ] && { [ "$code" -ne 0 ] || [ -z "${KEEP_RUNNING:-}" ]; }; then
    stop_daemons
  fi
  if [ -n "$work" ] && [ -z "$daemons" ]; then
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
need_packages debootstrap ca-certificates git
programs=(imageserver imagetool imaginator builder-tool imgapi imgapi-cli imagewright)
if [ -z "${IMAGEWRIGHT_PROGRAMS:-}" ]; then
  need_build_tools
  (cd "$top" && cargo build --release --locked --quiet "${programs[@]/#/--package=}")
fi
pristine=$("$top/scripts/debian-tree.sh")
read -r mirror _ < <(debian_mirror) || die "apt knows no Debian archive on this machine"
note "tree: $pristine, $(find "$pristine" -xdev | wc -l) entries"

# Not below the checkout, which the image server's user need not be able to enter.
work=$(mktemp -d "${TMPDIR:-/var/tmp}/imagewright-demo.XXXXXXXX")
chmod 755 "$work"
mkdir "$work/bin"
for program in "${programs[@]}"; do install -m 755 "${IMAGEWRIGHT_PROGRAMS:-$target/release}/$program" "$work/bin/"; done
cp -a --reflink=auto "$pristine" "$work/tree"
tree=$work/tree
certs() { "$work/bin/imagewright" certs "$@"; }

step "The three daemons, with an authority of their own, by one command"
. "$top/scripts/demo/configuration.sh"
port=${DEMO_PORT:-$(free_port)}
builder_port=$(free_port)
repository_port=$(free_port)
: >"$work/up.log"
# A session of its own: with KEEP_RUNNING it outlives this terminal.
TMPDIR=$work setsid "$work/bin/imagewright" up --dir "$work/home" --imageserver-port "$port" --imaginator-port "$builder_port" \
  --imgapi-port "$repository_port" \
  --configuration "$work/imaginator.json" --rebuild-interval 0s </dev/null >"$work/up.log" 2>&1 &
daemons=$!
for _ in $(seq 600); do
  kill -0 "$daemons" 2>/dev/null || die "imagewright up ended at once"
  grep -q '^Ctrl-C' "$work/up.log" && break
  sleep 0.1
done
grep -q '^Ctrl-C' "$work/up.log" || die "the daemons are not up after a minute"
note "$ imagewright up --dir home --configuration imaginator.json ..."
sed "s|$work/||g; s/^/      /" "$work/up.log"

imagetool_as() {
  local user=$1
  shift
  "$work/bin/imagetool" -imageServerHostname=127.0.0.1 -imageServerPortNum="$port" -certDirectory="$work/$user" "$@"
}
imagetool() { imagetool_as home/administrator "$@"; }
builder_tool() {
  "$work/bin/builder-tool" -imaginatorHostname=127.0.0.1 -imaginatorPortNum="$builder_port" -certDirectory="$work/home/administrator" "$@"
}

step "Certificates say who may do what"
certs issue --ca "$work/home/authority" --user reader --preset reader --days 2 --out "$work/reader" >/dev/null
run certs show "$work/reader/reader.cert" | first 9

. "$top/scripts/demo/images.sh"
. "$top/scripts/demo/builds.sh"
. "$top/scripts/demo/repository.sh"

step "The status pages"
for shown in "$port/" "$builder_port/" "$repository_port/ui"; do
  page=$(http_get "${shown%%/*}" "/${shown#*/}")
  [ "$(head -n 1 <<<"$page")" = 200 ] || die "no status page on port ${shown%%/*}"
  note "http://localhost:$shown   ($(wc -c <<<"$page") bytes)"
done
finish_step
[ "$step_number" -eq "$steps" ] || die "there are $step_number steps, not $steps"

say
say "The demonstration went through in $(elapsed "$started")."
if [ -n "${KEEP_RUNNING:-}" ]; then
  say "The daemons go on running: http://localhost:$port/, http://localhost:$builder_port/ and http://localhost:$repository_port/ui"
  say "  $work/bin/imagetool -imageServerHostname=127.0.0.1 -imageServerPortNum=$port -certDirectory=$work/home/administrator list"
  say "To stop them and remove everything:"
  say "  kill $daemons; sleep 5; rm -rf $work"
  disown "$daemons"
else
  say "The daemons are stopped; KEEP_RUNNING=1 make demo leaves them running."
fi
