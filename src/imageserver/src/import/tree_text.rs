//! The text form of a tree: one entry a line, `name/type/perms/uid/gid/size/hash`.

use super::ImportError;
use bstr::{BString, ByteSlice};
use hash::Hash;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: BString,
    pub(crate) kind: EntryKind,
    /// Permission bits of the mode.
    pub(crate) permissions: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Bytes of the content.
    pub(crate) size: u64,
    pub(crate) hash: Hash,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum EntryKind {
    File,
    Tree,
    /// The content is the target.
    Symlink,
}

/// Bits of `perms` that are taken over: everything but the type.
const PERMISSION_BITS: u32 = 0o7777;

/// Reads the text of the tree called `tree`.
pub(super) fn parse(tree: Hash, text: &[u8]) -> Result<Vec<Entry>, ImportError> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
        .map(|(index, line)| {
            entry(line).map_err(|what| ImportError::BadEntry {
                tree,
                line: index + 1,
                what,
            })
        })
        .collect()
}

fn entry(line: &[u8]) -> Result<Entry, &'static str> {
    let fields: Vec<&[u8]> = line.split_str("/").collect();
    let &[name, kind, permissions, uid, gid, size, hash] = fields.as_slice() else {
        return Err("not seven fields");
    };
    if name.is_empty() || name == b"." || name == b".." || name.contains(&0) {
        return Err("bad name");
    }
    let kind = match kind {
        b"0" => EntryKind::File,
        b"1" => EntryKind::Tree,
        b"2" => EntryKind::Symlink,
        _ => return Err("unknown type"),
    };
    Ok(Entry {
        name: BString::from(name),
        kind,
        permissions: number::<u32>(permissions)? & PERMISSION_BITS,
        uid: number(uid)?,
        gid: number(gid)?,
        size: number(size)?,
        hash: hash
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or("bad hash")?,
    })
}

fn number<N: std::str::FromStr>(text: &[u8]) -> Result<N, &'static str> {
    text.to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or("bad number")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_is_an_entry() {
        let hash = hash::of(b"content");
        let text = format!("etc/1/493/0/0/0/{hash}\nlink/2/511/1/2/6/{hash}\n");
        let entries = parse(hash, text.as_bytes()).unwrap();
        assert_eq!(entries[0].kind, EntryKind::Tree);
        assert_eq!(entries[0].permissions, 0o755);
        assert_eq!((entries[1].uid, entries[1].gid, entries[1].size), (1, 2, 6));
    }

    #[test]
    fn a_name_that_leaves_the_tree_is_refused() {
        let hash = hash::of(b"content");
        for bad in ["..", ".", "", "a\0b"] {
            assert!(
                parse(hash, format!("{bad}/0/420/0/0/1/{hash}").as_bytes()).is_err(),
                "{bad:?}"
            );
        }
        assert!(parse(hash, format!("a/b/0/420/0/0/1/{hash}").as_bytes()).is_err());
        assert!(parse(hash, b"a/0/420/0/0/99999999999999999999999/x").is_err());
    }
}
