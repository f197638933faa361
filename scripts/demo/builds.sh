# The image builder's part of the demonstration: a bootstrap, two streams built on it, a change, the difference. Sourced by ../demo.sh.

# The last line of a build is the image's name; the log is shown where it tells something.
build() {
  local stream=$1
  note "$ builder-tool build-image $stream"
  builder_tool -alwaysShowBuildLog -maxSourceAge=24h build-image "$stream" >"$work/built" 2>"$work/build.log" || {
    tail -n 30 "$work/build.log" >&2
    die "$stream was not built"
  }
  built=$(cat "$work/built")
  note "$built"
}
told() { grep -E "$1" "$work/build.log" | cut -c1-110 | first 20 | sed 's/^/      | /'; }

step "What the configuration says, checked before anything is built"
run "$work/bin/imaginator" -checkConfiguration -configurationUrl="$work/imaginator.json" -certFile= -keyFile= -CAfile=

step "A Debian image from nothing: debootstrap in a sandbox"
build "bootstrap/Debian-12/$(dpkg --print-architecture)"
bootstrap=$built
told '^(Running command|Uploaded|Scanned|Package clean)|Configuring base|Base system'

step "An image that is built on another that is not there yet: both are built"
build demo/app
app_1=$built
told '^(Building|Cloning|Source image|Setting up less|Running script|Script:|Uploaded|No source|.* passed in)|/tests/'

step "What is on the image server"
run imagetool list
run imagetool show-metadata "$app_1" | cut -c1-120 | first 24
[ "$(imagetool get-package-list "$app_1" | grep -c '^less ')" = 1 ] || die "less is not in the package list of $app_1"
run imagetool show-filter "$app_1"

step "A change is committed, the stream is rebuilt"
printf 'Hello, second version.\n' >"$manifests/app/files/srv/app/index.html"
printf 'tree\n' >"$manifests/app/package-list"
manifests_git add --all
manifests_git commit --quiet --message "Another greeting, and tree to look at it"
build demo/app
app_2=$built
told '^(Cloning|Source image|Installing|Setting up|Uploaded)'

step "What the change did to the image"
run imagetool diff diff "$app_1" "$app_2" | cut -c1-120 | first 24

step "The image as a machine would have it"
run imagetool get "$app_2" "$work/machine"
[ "$(cat "$work/machine/srv/app/index.html")" = "Hello, second version." ] || die "the page is not the second version"
note "/srv/app belongs to $(chroot "$work/machine" stat --format=%U /srv/app); less is version $(chroot "$work/machine" less --version | awk 'NR == 1 { print $2 }')"
chroot "$work/machine" tree /srv | sed 's/^/      /'
[ "$(cat "$work/machine/etc/motd")" = "This is demo/base." ] || die "the source's script left no message"
[ -z "$(cat "$work/machine/etc/resolv.conf")" ] || die "the builder's resolv.conf is in the image"
for image in "$bootstrap" "$app_1" "$app_2"; do imagetool check "$image" || die "$image is not on the image server"; done
