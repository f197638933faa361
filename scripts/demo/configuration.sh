# What the image builder of the demonstration is told: the shipped sample for Debian, with mirror and streams file set, and manifests
# in a git repository. Sourced by ../demo.sh.

manifests=$work/manifests
# Nothing of the user's own git configuration.
manifests_git() {
  GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -C "$manifests" -c user.name=Demonstration -c user.email=demo@example.org "$@"
}

mkdir -p "$manifests"/base/{scripts,tests} "$manifests"/app/{files/srv/app,scripts,tests}
# An image with a pager and its own message of the day, for others to build on.
cat >"$manifests/base/manifest" <<'JSON'
{
    "SourceImage": "bootstrap/Debian-12/$ARCH"
}
JSON
printf 'less\n' >"$manifests/base/package-list"
cat >"$manifests/base/scripts/10_message" <<'SCRIPT'
#! /bin/sh
set -e
echo "This is $IMAGE_STREAM." >/etc/motd
SCRIPT
cat >"$manifests/base/tests/pager" <<'SCRIPT'
#! /bin/sh
less --version
SCRIPT
: >"$manifests/base/filter"
# An image that is built on it.
cat >"$manifests/app/manifest" <<'JSON'
{
    "SourceImage": "demo/base"
}
JSON
printf 'Hello, first version.\n' >"$manifests/app/files/srv/app/index.html"
cat >"$manifests/app/scripts/10_owner" <<'SCRIPT'
#! /bin/sh
set -e
useradd --system --home-dir /srv/app app
chown -R app: /srv/app
SCRIPT
cat >"$manifests/app/tests/page" <<'SCRIPT'
#! /bin/sh
grep -q Hello /srv/app/index.html
SCRIPT
printf '{ "product": "demo", "commit": "$MANIFEST_GIT_COMMIT_ID" }\n' >"$manifests/app/tags.json"
printf '/srv/app/data/.*\n' >"$manifests/app/filter.add"
chmod 755 "$manifests"/*/scripts/* "$manifests"/*/tests/*
manifests_git init --quiet --initial-branch=master
manifests_git add --all
manifests_git commit --quiet --message "Two images: one to build on, one built on it"

cat >"$work/streams.json" <<JSON
{
    "Streams": {
        "demo/base": { "ManifestUrl": "file://$manifests", "ManifestDirectory": "base" },
        "demo/app": { "ManifestUrl": "file://$manifests", "ManifestDirectory": "app" }
    }
}
JSON

# The sample, with nothing but these two set.
sed -e "s|^\( *\)\"MIRROR\": .*|\1\"MIRROR\": \"${mirror%/}\"|" -e "s|\"ImageStreamsUrl\": .*|\"ImageStreamsUrl\": \"$work/streams.json\",|" \
  "$top/config-samples/imaginator/debian.json" >"$work/imaginator.json"
