# Which Debian mirror this machine uses. Source it after common.sh.
#
# Read by apt itself from its configuration, so that every spelling apt understands (sources.list, *.sources) is understood here.

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

# "MIRROR SUITE" of the archive to make Debian trees from; fails if apt knows none.
debian_mirror() {
  local mirror suite
  read -r mirror suite < <(choose_archive) || return 1
  printf '%s %s\n' "$(plain_mirror "$mirror")" "$suite"
}

# The proxy that apt was told of, if any.
apt_proxy() {
  local proxy=
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  [ "$proxy" = DIRECT ] || printf '%s\n' "$proxy"
}
