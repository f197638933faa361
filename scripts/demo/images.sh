# The image server's part of the demonstration: a Debian tree goes in, is changed, comes back. Sourced by ../demo.sh.

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
stored_bytes() { find "$work/home/imageserver/objects" -type f -not -name '.*' -printf '%s\n' | awk '{ sum += $1 } END { printf "%d\n", sum }'; }

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
