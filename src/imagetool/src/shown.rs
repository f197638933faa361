//! Listings for programs.

use std::io::Write;

use bstr::BStr;
use image::walk::{LinkCounts, Walk};
use image::{FileSystem, InodeRef};
use serde_json::{Map, Value, json};

/// One object a line, in the order of the listing. Names that are not UTF-8 get replacement characters.
pub(crate) fn json_listing(out: &mut impl Write, tree: &FileSystem) -> anyhow::Result<()> {
    let links = LinkCounts::of(tree);
    let mut walk = Walk::new(tree);
    while let Some(visit) = walk.next_visit() {
        json_line(out, visit.path, visit.inode, links.get(tree, visit.number))?;
    }
    Ok(())
}

/// One inode with everything a line of a listing has.
pub(crate) fn json_line(
    out: &mut impl Write,
    path: &BStr,
    inode: InodeRef<'_>,
    links: u32,
) -> anyhow::Result<()> {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("Path", json!(path.to_string()));
    let (kind, mode, uid, gid) = match inode {
        InodeRef::Regular(inode) => ("file", inode.mode, inode.uid, inode.gid),
        InodeRef::ComputedRegular(inode) => ("computed", inode.mode, inode.uid, inode.gid),
        InodeRef::Symlink(inode) => (
            "symlink",
            image::tree::mode::SYMLINK | 0o777,
            inode.uid,
            inode.gid,
        ),
        InodeRef::Special(inode) => ("special", inode.mode, inode.uid, inode.gid),
        InodeRef::Directory(inode) => ("directory", inode.mode, inode.uid, inode.gid),
    };
    put("Type", json!(kind));
    put("Mode", json!(mode));
    put("Links", json!(links));
    put("Uid", json!(uid));
    put("Gid", json!(gid));
    match inode {
        InodeRef::Regular(inode) => {
            put("Size", json!(inode.size));
            put("MtimeSeconds", json!(inode.mtime_seconds));
            put("MtimeNanoSeconds", json!(inode.mtime_nano_seconds));
            if inode.size > 0 {
                put("Hash", json!(inode.hash.to_string()));
            }
        }
        InodeRef::ComputedRegular(inode) => {
            put("Source", json!(inode.source));
        }
        InodeRef::Symlink(inode) => {
            put("Target", json!(inode.symlink.to_string()));
        }
        InodeRef::Special(inode) => {
            put("Rdev", json!(inode.rdev));
            put("MtimeSeconds", json!(inode.mtime_seconds));
            put("MtimeNanoSeconds", json!(inode.mtime_nano_seconds));
        }
        InodeRef::Directory(_) => {}
    }
    serde_json::to_writer(&mut *out, &object)?;
    Ok(out.write_all(b"\n")?)
}
