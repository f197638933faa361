//! Names of branches and tags, from requests and from servers.

/// Bytes of a name, at most: a file's name in the place where git keeps it.
const MOST_BYTES: usize = 255;

/// Whether a branch or a tag may be called so, by git's own rules (`git-check-ref-format`). Nothing in such a name is an option, a pattern,
/// a range or the other half of a refspec.
pub(super) fn is_name(name: &str) -> bool {
    let has_no_meaning = |c: char| !c.is_control() && !" ~^:?*[\\".contains(c);
    let is_part = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !part.ends_with(".lock")
    };
    name.len() <= MOST_BYTES
        && name != "@"
        && !name.starts_with('-')
        && !name.contains("..")
        && !name.contains("@{")
        && name.chars().all(has_no_meaning)
        && name.split('/').all(is_part)
}

/// The refs that a name may mean, a branch before a tag. Other refs are nobody's branch: where anybody may ask for a change,
/// `refs/pull/1/head` is whatever a stranger proposes.
pub(super) fn candidates(name: &str) -> Vec<String> {
    let mut refs = vec![format!("refs/heads/{name}"), format!("refs/tags/{name}")];
    if name.starts_with("refs/heads/") || name.starts_with("refs/tags/") {
        refs.insert(0, name.to_owned());
    }
    refs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_git_takes_for_names() {
        for name in ["master", "a/b-c_d", "v1.0", "refs/heads/x", "grün", "a@b", "@/x"] {
            assert!(is_name(name), "{name}");
        }
        let long = "x".repeat(256);
        for name in [
            "",
            "-",
            "--upload-pack=x",
            "a..b",
            "a b",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "[a]",
            "a\\b",
            "a\nb",
            "@",
            "a@{1}",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.",
            "a.lock",
            "a.lock/b",
            "\u{7f}",
            &long,
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn a_name_means_branches_and_tags_only() {
        assert_eq!(candidates("x"), ["refs/heads/x", "refs/tags/x"]);
        assert_eq!(candidates("refs/tags/x")[0], "refs/tags/x");
        assert_eq!(candidates("refs/pull/1/head")[0], "refs/heads/refs/pull/1/head");
    }
}
