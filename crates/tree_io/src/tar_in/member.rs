//! One member of an archive, with everything its headers say about it.

use bstr::BString;

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Regular,
    HardLink,
    Symlink,
    Character,
    Block,
    Directory,
    Fifo,
}

/// A member as it stands in the archive; the name is not normalised yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) name: BString,
    pub(super) link: BString,
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: u64,
    pub(super) mtime_seconds: i64,
    pub(super) mtime_nanoseconds: i32,
    pub(super) major: u32,
    pub(super) minor: u32,
    /// Names of extended attributes it carries.
    pub(super) attributes: Vec<Vec<u8>>,
}

/// `./a//b/../c/` becomes `/a/c`: always absolute, nothing leads above the root.
pub(super) fn normalise(name: &[u8]) -> BString {
    let mut components: Vec<&[u8]> = Vec::new();
    for component in name.split(|&b| b == b'/') {
        match component {
            b"" | b"." => {}
            b".." => {
                components.pop();
            }
            _ => components.push(component),
        }
    }
    let mut path = BString::from("/");
    for (index, component) in components.iter().enumerate() {
        if index > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(component);
    }
    path
}

/// The directory of a normalised path and the last name in it; nothing for the root.
pub(super) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = path.iter().rposition(|&b| b == b'/')?;
    let name = &path[slash + 1..];
    if name.is_empty() {
        return None;
    }
    Some((if slash == 0 { b"/" } else { &path[..slash] }, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_lead_above_the_root() {
        for (given, expected) in [
            ("./", "/"),
            ("", "/"),
            ("etc/passwd", "/etc/passwd"),
            ("/etc//./passwd", "/etc/passwd"),
            ("../../etc/shadow", "/etc/shadow"),
            ("a/../../..", "/"),
            ("./usr/bin/", "/usr/bin"),
        ] {
            assert_eq!(normalise(given.as_bytes()), expected, "{given}");
        }
        assert_eq!(split(b"/"), None);
        assert_eq!(split(b"/etc"), Some((&b"/"[..], &b"etc"[..])));
        assert_eq!(split(b"/etc/x"), Some((&b"/etc"[..], &b"x"[..])));
    }
}
