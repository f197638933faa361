# The image repository's part of the demonstration: the image that was built, published on a channel, downloaded through the API.
# Sourced by ../demo.sh.

imgapi_cli() { "$work/bin/imgapi-cli" --url "http://localhost:$repository_port" "$@"; }
# As a user would type it.
run_imgapi_cli() {
  note "$ imgapi-cli $(printf '%s ' "$@" | sed "s|$work/||g")"
  imgapi_cli "$@" 2>&1 | sed 's/^/      /'
}

step "The image is published in the image repository, on a channel"
run_imgapi_cli --channel release publish "$app_2"
run_imgapi_cli channels
run_imgapi_cli --channel release list -o uuid,name,version,state,size
uuid=$(imgapi_cli --channel release list -H -o uuid)
[ "$(wc -w <<<"$uuid")" = 1 ] || die "not one image is on the channel: $uuid"

step "It is downloaded through the API, and its digest checked"
run_imgapi_cli --channel release get-file "$uuid" -o "$work/app.tar.gz"
sha1=$(http_get "$repository_port" "/images/$uuid?channel=release" | sed -n 's/.*"sha1": "\([0-9a-f]*\)".*/\1/p' | head -n 1)
echo "$sha1  $work/app.tar.gz" | sha1sum --check --quiet || die "the file is not what the manifest says"
note "its SHA-1 is that of the manifest: $sha1"
mkdir "$work/downloaded"
tar -xzf "$work/app.tar.gz" -C "$work/downloaded"
# The same image through two doors. An archive has times in whole seconds, and only what imagetool got says which image it was.
listed() { "$top/scripts/tree-listing.sh" "$1" | sed 's/ time [0-9.]*//; /^\.\/var\/lib\/initial-image /d'; }
differences=$(diff <(listed "$work/machine") <(listed "$work/downloaded") || true)
[ -z "$differences" ] || die "what was downloaded and what imagetool got differ: $(first 20 <<<"$differences")"
note "$(find "$work/downloaded" -xdev | wc -l) files, directories and links, equal to what imagetool got"
