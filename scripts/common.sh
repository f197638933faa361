# Parts that the scripts share. Source it; it changes nothing on its own.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$top/target}

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() {
  warn "error: $*"
  exit 1
}

# Seconds since 1970 with three decimals.
clock() { date +%s.%3N; }
# elapsed START: seconds since then, as "1.2 s".
elapsed() { awk -v from="$1" -v to="$(clock)" 'BEGIN { printf "%.1f s", to - from }'; }

# human BYTES: in binary units.
human() { numfmt --to=iec-i --suffix=B --format='%.1f' "$1"; }

# Debian packages that are not installed, of those named.
lacking_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
  done
}

# need_packages NAME...: installs through apt what is lacking, having said so.
need_packages() {
  command -v apt-get >/dev/null || die "this needs a Debian (no apt-get here): $*"
  local lacking
  mapfile -t lacking < <(lacking_packages "$@")
  [ "${#lacking[@]}" -eq 0 ] && return
  say "installing through apt: ${lacking[*]}"
  [ "$(id -u)" -eq 0 ] || die "installing packages needs root; or do it yourself: apt-get install ${lacking[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update || warn "apt-get update failed; trying with the lists as they are"
  apt-get -qq --yes --no-install-recommends install "${lacking[@]}" >/dev/null || die "apt-get could not install: ${lacking[*]}"
}

# What compiling the workspace takes beside a Rust toolchain.
need_build_tools() {
  if ! command -v cargo >/dev/null && [ -r "$HOME/.cargo/env" ]; then
    . "$HOME/.cargo/env"
  fi
  command -v cargo >/dev/null || die "no cargo in PATH: install a Rust toolchain first"
  need_packages build-essential pkg-config libssl-dev
}

# free_port: a TCP port of the loopback that nobody listens on.
free_port() {
  local port
  for port in $(shuf --input-range=20000-29999 --head-count=50); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      printf '%s\n' "$port"
      return
    fi
  done
  die "found no free port"
}

# http_get PORT PATH: status code on the first line, body after it.
http_get() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
    timeout 10 cat <&3
  ) 2>/dev/null | awk 'NR == 1 { print $2 } body { print } /^\r?$/ { body = 1 }'
}
