//! Paths an image must have before a client adds it (imagetool.md §6.2).

use bstr::BString;

use crate::{FileSystem, InodeRef};

/// What is required of a client's images unless its user says otherwise.
pub const DEFAULT: &str = "/etc:d,/etc/passwd:f,/usr:d,/usr/bin:d";

/// The kind a path must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `d`
    Directory,
    /// `f`: a regular file that is not computed.
    Regular,
    /// `l`
    Symlink,
    /// `b`, `c` or `p`; like the original nobody looks which.
    Special,
}

/// A path and the kind it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredPath {
    /// Absolute path.
    pub path: BString,
    /// Its kind.
    pub kind: Kind,
}

/// Why a list of required paths is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No colon.
    #[error("bad required path: {0:?}: write PATH:TYPE with a type out of d f l b c p")]
    NoType(String),
    /// A type that does not exist.
    #[error("unknown type in required path: {0:?}: write one of d f l b c p")]
    UnknownType(String),
}

/// What an image lacks. The texts are those of the original client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequiredPathError {
    /// No such path.
    #[error("VerifyRequiredPaths(): missing path: {0}")]
    Missing(BString),
    /// Another kind than required.
    #[error("VerifyRequiredPaths(): path is not a {kind}: {path}")]
    WrongKind {
        /// The kind required, in words.
        kind: &'static str,
        /// The path.
        path: BString,
    },
}

/// Parses `PATH:TYPE,PATH:TYPE`; the empty text is the empty list.
pub fn parse(text: &str) -> Result<Vec<RequiredPath>, ParseError> {
    text.split(',')
        .filter(|item| !item.is_empty())
        .map(parse_one)
        .collect()
}

fn parse_one(item: &str) -> Result<RequiredPath, ParseError> {
    let (path, kind) = item
        .rsplit_once(':')
        .ok_or_else(|| ParseError::NoType(item.to_owned()))?;
    let kind = match kind {
        "d" => Kind::Directory,
        "f" => Kind::Regular,
        "l" => Kind::Symlink,
        "b" | "c" | "p" => Kind::Special,
        _ => return Err(ParseError::UnknownType(item.to_owned())),
    };
    Ok(RequiredPath {
        path: path.into(),
        kind,
    })
}

/// Makes sure that a tree has the required paths.
///
/// # Errors
/// The first path, in the order of the list, that is missing or of another kind.
pub fn verify(tree: &FileSystem, required: &[RequiredPath]) -> Result<(), RequiredPathError> {
    for RequiredPath { path, kind } in required {
        let (_, inode) = tree
            .lookup(path)
            .ok_or_else(|| RequiredPathError::Missing(path.clone()))?;
        if let Some(kind) = mismatch(inode, *kind) {
            return Err(RequiredPathError::WrongKind {
                kind,
                path: path.clone(),
            });
        }
    }
    Ok(())
}

/// The words for the required kind if the inode is of another.
fn mismatch(inode: InodeRef<'_>, kind: Kind) -> Option<&'static str> {
    let (fits, words) = match kind {
        Kind::Directory => (matches!(inode, InodeRef::Directory(_)), "directory"),
        Kind::Regular => (matches!(inode, InodeRef::Regular(_)), "regular file"),
        Kind::Symlink => (matches!(inode, InodeRef::Symlink(_)), "symlink"),
        Kind::Special => (matches!(inode, InodeRef::Special(_)), "special inode"),
    };
    (!fits).then_some(words)
}
