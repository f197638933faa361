//! Names of images and of directories of images (imageserver.md §2.1).

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("empty name")]
    Empty,
    /// Begins with a slash.
    #[error("name must not start with /")]
    Absolute,
    /// Ends in a slash or has two in a row.
    #[error("name has an empty component")]
    EmptyComponent,
    /// A component begins with a dot; that covers `.` and `..`.
    #[error("name has a component that starts with a dot")]
    Dot,
    /// Ends in a tilde, as temporary files do.
    #[error("name must not end in ~")]
    Temporary,
    /// Has a NUL or a line feed in it: the one cannot be stored, the other not listed.
    #[error("name has a NUL or a line feed in it")]
    Control,
    /// Has bytes that are not UTF-8: where names are texts they would not stay the same.
    #[error("name is not UTF-8")]
    NotText,
    /// Longer than a path may be.
    #[error("name longer than {MAXIMUM_NAME_BYTES} bytes")]
    TooLong,
    /// A component is longer than a file name may be.
    #[error("name has a component longer than {MAXIMUM_COMPONENT_BYTES} bytes")]
    ComponentTooLong,
    /// The last component leaves no room for the tilde of a temporary file.
    #[error("the last component of a name must not be longer than {MAXIMUM_LAST_BYTES} bytes")]
    LastTooLong,
}

/// Bytes of a name, at most: leaves room for the directory of the store in a path of Linux.
pub const MAXIMUM_NAME_BYTES: usize = 3072;

/// Bytes of a component, at most: a file name of Linux.
pub const MAXIMUM_COMPONENT_BYTES: usize = 255;

/// Bytes of the last component of a new image's name, at most: other servers, which may replicate it, write a temporary file
/// with a tilde behind the name.
pub const MAXIMUM_LAST_BYTES: usize = MAXIMUM_COMPONENT_BYTES - 1;

/// Makes sure that a name can be a new image's: a relative path without anything special in it.
pub fn check_image(name: &str) -> Result<(), NameError> {
    check_stored(name)?;
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.len() > MAXIMUM_LAST_BYTES {
        return Err(NameError::LastTooLong);
    }
    Ok(())
}

/// The same for an image that is there already: its name may be as long as that of a file.
pub fn check_stored(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > MAXIMUM_NAME_BYTES {
        return Err(NameError::TooLong);
    }
    if name.starts_with('/') {
        return Err(NameError::Absolute);
    }
    if name.contains(['\0', '\n']) {
        return Err(NameError::Control);
    }
    if gob::text::has_bytes(name) {
        return Err(NameError::NotText);
    }
    for component in name.split('/') {
        if component.is_empty() {
            return Err(NameError::EmptyComponent);
        }
        if component.starts_with('.') {
            return Err(NameError::Dot);
        }
        if component.len() > MAXIMUM_COMPONENT_BYTES {
            return Err(NameError::ComponentTooLong);
        }
    }
    if name.ends_with('~') {
        return Err(NameError::Temporary);
    }
    Ok(())
}

/// Makes sure that a name can be a directory's: as an image's, or `.`, the root.
pub fn check_directory(name: &str) -> Result<(), NameError> {
    if name == "." { Ok(()) } else { check_stored(name) }
}

/// The directory an image or directory is in: `a/b` of `a/b/c`, `.` of `x`.
pub fn parent(name: &str) -> &str {
    name.rfind('/').map_or(".", |slash| &name[..slash])
}

/// The shortest name for the same place, as Go's `path.Clean`: resolves `.` and `..` and doubled slashes without looking
/// at any file; the empty name is `.`.
pub fn clean(name: &str) -> String {
    let absolute = name.starts_with('/');
    let mut components: Vec<&str> = Vec::new();
    for component in name.split('/') {
        match component {
            "" | "." => {}
            ".." => match components.last() {
                Some(&last) if last != ".." => {
                    components.pop();
                }
                _ if absolute => {}
                _ => components.push(".."),
            },
            component => components.push(component),
        }
    }
    let joined = components.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_leave_the_store_or_collide_with_its_files_are_refused() {
        let cases = [
            ("", NameError::Empty),
            ("/a", NameError::Absolute),
            ("/", NameError::Absolute),
            ("a//b", NameError::EmptyComponent),
            ("a/", NameError::EmptyComponent),
            (".", NameError::Dot),
            ("..", NameError::Dot),
            ("a/../b", NameError::Dot),
            ("a/.metadata", NameError::Dot),
            (".secret", NameError::Dot),
            ("a~", NameError::Temporary),
            ("a\0b", NameError::Control),
            ("a\nb", NameError::Control),
            (&gob::text::from_bytes(b"caf\xe9"), NameError::NotText),
        ];
        for (name, error) in cases {
            assert_eq!(check_image(name), Err(error), "{name:?}");
        }
        assert_eq!(check_image(&"a/".repeat(2000)), Err(NameError::TooLong));
        assert_eq!(check_image(&"a".repeat(256)), Err(NameError::ComponentTooLong));
    }

    #[test]
    fn ordinary_names_pass() {
        for name in ["a", "base/2026-11-22:1", "a/b/c.d", "a~b/c", "é", "a b", "a/~b"] {
            assert_eq!(check_image(name), Ok(()), "{name:?}");
            assert_eq!(check_directory(name), Ok(()), "{name:?}");
        }
        assert_eq!(check_directory("."), Ok(()));
    }

    #[test]
    fn a_new_image_leaves_room_for_a_tilde_and_what_is_stored_need_not() {
        let longest = "a".repeat(255);
        assert_eq!(check_image(&longest), Err(NameError::LastTooLong));
        assert_eq!(check_image(&longest[1..]), Ok(()));
        assert_eq!(check_image(&format!("{longest}/a")), Ok(()));
        assert_eq!(check_stored(&longest), Ok(()));
        assert_eq!(check_directory(&longest), Ok(()));
    }

    #[test]
    fn cleaning_is_that_of_go() {
        let cases = [
            ("", "."),
            (".", "."),
            ("a/b/", "a/b"),
            ("a//b/./c", "a/b/c"),
            ("a/b/../c", "a/c"),
            ("a/..", "."),
            ("../a", "../a"),
            ("a/../../b", "../b"),
            ("/..", "/"),
            ("/../a/", "/a"),
            ("//", "/"),
        ];
        for (name, cleaned) in cases {
            assert_eq!(clean(name), cleaned, "{name:?}");
        }
    }

    #[test]
    fn every_name_has_a_parent() {
        assert_eq!((parent("a/b/c"), parent("x")), ("a/b", "."));
    }
}
