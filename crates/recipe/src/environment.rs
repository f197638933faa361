//! The variables of a build (`imaginator.md §6.4`).

use std::collections::BTreeMap;

use crate::{UserStream, expand};

/// The processor architecture this program was made for, in Go's words, which is what `$ARCH` stands for.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "loongarch64" => "loong64",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc64" => "ppc64",
        other => other,
    }
}

/// What a stream itself gives to its builds: its `Variables`, `ARCH`, and its name in three forms.
pub fn of_stream(stream_name: &str, stream: &UserStream) -> BTreeMap<String, String> {
    let own = |name: &str| (name == "IMAGE_STREAM").then_some(stream_name);
    let mut table: BTreeMap<String, String> = stream
        .variables
        .iter()
        .map(|(name, value)| (name.clone(), expand::expression(value, own)))
        .collect();
    let mut set = |name: &str, value: &str| table.insert(name.to_owned(), value.to_owned());
    set("ARCH", architecture());
    set("IMAGE_STREAM", stream_name);
    set("IMAGE_STREAM_DIRECTORY_NAME", directory_name(stream_name));
    set("IMAGE_STREAM_LEAF_NAME", leaf_name(stream_name));
    table
}

/// Names that decide which programs run and what they run before what they are told to: shells, loaders, interpreters, git.
const DECIDE_WHAT_RUNS: [&str; 14] = [
    "BASHOPTS",
    "BASH_ENV",
    "CDPATH",
    "ENV",
    "GLOBIGNORE",
    "HOME",
    "IFS",
    "LOGNAME",
    "PATH",
    "PROMPT_COMMAND",
    "PS4",
    "SHELL",
    "SHELLOPTS",
    "USER",
];
/// What names of the same kind begin with.
const DECIDE_BY_THEIR_BEGINNING: [&str; 9] = [
    "APT_",
    "BASH_FUNC_",
    "DPKG_",
    "GIT_",
    "LD_",
    "NODE_",
    "PERL",
    "PYTHON",
    "RUBY",
];

/// Whether a request may not set this variable: whoever may ask for an image could otherwise put what he likes into it. Also names that
/// are none.
pub fn is_reserved(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.is_empty()
        || !name.bytes().all(is_plain)
        || name.starts_with(|first: char| first.is_ascii_digit())
        || DECIDE_WHAT_RUNS.contains(&name)
        || DECIDE_BY_THEIR_BEGINNING
            .iter()
            .any(|beginning| name.starts_with(beginning))
}

/// The table of a build: what the stream gives, overridden by the request's variables that are not empty and not [reserved](is_reserved); then the commit of the manifest
/// (`None` if it is not from git) and the branch that was asked for (empty if none was).
pub fn environment(
    stream_name: &str,
    stream: &UserStream,
    request_variables: &BTreeMap<String, String>,
    commit: Option<&str>,
    branch: &str,
) -> BTreeMap<String, String> {
    let mut table = of_stream(stream_name, stream);
    for (name, value) in request_variables {
        if !value.is_empty() && !is_reserved(name) {
            table.insert(name.clone(), value.clone());
        }
    }
    let commit = commit.unwrap_or_default();
    for (name, value) in [
        ("MANIFEST_GIT_COMMIT_ID", commit),
        ("REQUESTED_GIT_BRANCH", branch),
    ] {
        if !value.is_empty() {
            table.insert(name.to_owned(), value.to_owned());
        }
    }
    table
}

/// As `dirname` says it: `.` without a slash.
fn directory_name(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        None => ".",
        Some((directory, _)) => match directory.trim_end_matches('/') {
            "" => "/",
            directory => directory,
        },
    }
}

/// As `basename` says it.
fn leaf_name(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit_once('/').map_or(path, |(_, leaf)| leaf)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn a_build_knows_its_stream_then_the_request_then_the_manifest() {
        let stream = UserStream {
            variables: table(&[("A", "x ${IMAGE_STREAM[/0:1]} $ARCH $A"), ("B", "stream")]),
            ..UserStream::default()
        };
        let request = table(&[
            ("B", "request"),
            ("A", ""),
            ("C", "new"),
            ("BASH_ENV", "$(touch /forged)"),
            ("LD_PRELOAD", "/forged"),
            ("PATH", "/forged"),
            ("no name", "x"),
            ("MANIFEST_GIT_COMMIT_ID", "forged"),
        ]);
        let expected = table(&[
            ("A", "x base  "),
            ("ARCH", architecture()),
            ("B", "request"),
            ("C", "new"),
            ("IMAGE_STREAM", "base/Debian-12/amd64"),
            ("IMAGE_STREAM_DIRECTORY_NAME", "base/Debian-12"),
            ("IMAGE_STREAM_LEAF_NAME", "amd64"),
            ("MANIFEST_GIT_COMMIT_ID", "c0ffee"),
            ("REQUESTED_GIT_BRANCH", "topic"),
        ]);
        let name = "base/Debian-12/amd64";
        assert_eq!(
            environment(name, &stream, &request, Some("c0ffee"), "topic"),
            expected
        );
        let plain = environment("x", &stream, &table(&[]), None, "");
        assert!(!plain.contains_key("MANIFEST_GIT_COMMIT_ID") && !plain.contains_key("REQUESTED_GIT_BRANCH"));
        assert_eq!(plain["IMAGE_STREAM_DIRECTORY_NAME"], ".");
        assert_eq!(plain["IMAGE_STREAM_LEAF_NAME"], "x");
    }

    #[test]
    fn the_architecture_has_the_name_go_gives_it() {
        assert!(!["x86_64", "aarch64", "x86"].contains(&architecture()));
    }
}
