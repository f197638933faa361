//! The listing of a tree: one line per name, as `imagetool show` prints it (imagetool.md §4.1).

use std::io::{self, Write};

use crate::tree::mode;
use crate::walk::{LinkCounts, Walk};
use crate::{FileSystem, InodeRef};

/// Width of a time of modification in zones whose name has three letters.
const TIME_WIDTH: usize = 24;

/// Which fields a listing has; all by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    mode: bool,
    links: bool,
    uid: bool,
    gid: bool,
    size: bool,
    mtime: bool,
    name: bool,
    data: bool,
}

impl Default for Fields {
    fn default() -> Self {
        Self::without("")
    }
}

impl Fields {
    /// All fields but those whose letters are given: `m l u g s t n d` for mode, links, uid, gid, size, time, name, data.
    /// Other letters mean nothing.
    pub fn without(letters: &str) -> Self {
        let shown = |letter| !letters.contains(letter);
        Self {
            mode: shown('m'),
            links: shown('l'),
            uid: shown('u'),
            gid: shown('g'),
            size: shown('s'),
            mtime: shown('t'),
            name: shown('n'),
            data: shown('d'),
        }
    }
}

/// Writes the listing of a tree, depth first in stored order, the root first.
///
/// `format_time` turns seconds since 1970 into `02 Jan 2006 15:04:05 MST`; which zone is the caller's affair.
///
/// # Errors
/// Those of the writer.
pub fn write(
    out: &mut impl Write,
    tree: &FileSystem,
    fields: Fields,
    format_time: impl Fn(i64) -> String,
) -> io::Result<()> {
    let links = LinkCounts::of(tree);
    let mut walk = Walk::new(tree);
    while let Some(visit) = walk.next_visit() {
        let count = links.get(tree, visit.number);
        write_line(out, visit.path, visit.inode, count, fields, &format_time)?;
    }
    Ok(())
}

/// Writes one line of a listing, with its line feed. `links` is the number of names the inode has.
///
/// # Errors
/// Those of the writer.
pub fn write_line(
    out: &mut impl Write,
    path: &[u8],
    inode: InodeRef<'_>,
    links: u32,
    fields: Fields,
    format_time: impl Fn(i64) -> String,
) -> io::Result<()> {
    if fields.mode {
        out.write_all(&mode_letters(inode.mode()))?;
        out.write_all(b" ")?;
    }
    if fields.links {
        let links = if inode.as_directory().is_some() { 1 } else { links };
        write!(out, "{links:3} ")?;
    }
    let (uid, gid) = inode.owner();
    if fields.uid {
        write!(out, "{uid:5} ")?;
    }
    if fields.gid {
        write!(out, "{gid:5} ")?;
    }
    if fields.size {
        write_size(out, inode)?;
    }
    if fields.mtime {
        let time = inode
            .mtime()
            .map(|(seconds, _)| format_time(seconds))
            .unwrap_or_default();
        write!(out, "{time:TIME_WIDTH$} ")?;
    }
    if fields.name {
        out.write_all(path)?;
    }
    if fields.data {
        write_data(out, inode)?;
    }
    out.write_all(b"\n")
}

fn write_size(out: &mut impl Write, inode: InodeRef<'_>) -> io::Result<()> {
    match inode {
        InodeRef::Regular(inode) => write!(out, "{:10} ", inode.size),
        InodeRef::ComputedRegular(_) => write!(out, "{:>10} ", "computed"),
        InodeRef::Special(inode) if is_device(inode.mode) => {
            write!(out, "{:>10} ", format!("{:#x}", inode.rdev))
        }
        _ => write!(out, "{:11}", ""),
    }
}

fn write_data(out: &mut impl Write, inode: InodeRef<'_>) -> io::Result<()> {
    match inode {
        InodeRef::Regular(inode) if inode.size > 0 => write!(out, " {}", inode.hash),
        InodeRef::ComputedRegular(inode) => write!(out, " <- {}", inode.source),
        InodeRef::Symlink(inode) => {
            out.write_all(b" -> ")?;
            out.write_all(&inode.symlink)
        }
        _ => Ok(()),
    }
}

fn is_device(bits: u32) -> bool {
    matches!(bits & mode::TYPE, mode::BLOCK_DEVICE | mode::CHARACTER_DEVICE)
}

/// The ten letters `ls` shows for a mode; `?` for a type that is none.
pub fn mode_letters(bits: u32) -> [u8; 10] {
    let kind = match bits & mode::TYPE {
        mode::FIFO => b'p',
        mode::CHARACTER_DEVICE => b'c',
        mode::DIRECTORY => b'd',
        mode::BLOCK_DEVICE => b'b',
        mode::REGULAR => b'-',
        mode::SYMLINK => b'l',
        mode::SOCKET => b's',
        _ => b'?',
    };
    let mut letters = [b'-'; 10];
    letters[0] = kind;
    for (at, (letter, name)) in letters[1..].iter_mut().zip(*b"rwxrwxrwx").enumerate() {
        if bits & (0o400 >> at) != 0 {
            *letter = name;
        }
    }
    for (bit, at, with, without) in [
        (0o4000, 3, b's', b'S'),
        (0o2000, 6, b's', b'S'),
        (0o1000, 9, b't', b'T'),
    ] {
        if bits & bit != 0 {
            letters[at] = if letters[at] == b'x' { with } else { without };
        }
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SpecialInode;

    #[test]
    fn modes_read_as_ls_shows_them() {
        for (bits, letters) in [
            (0o100_644, "-rw-r--r--"),
            (0o041_777, "drwxrwxrwt"),
            (0o041_776, "drwxrwxrwT"),
            (0o104_755, "-rwsr-xr-x"),
            (0o104_655, "-rwSr-xr-x"),
            (0o102_755, "-rwxr-sr-x"),
            (0o102_745, "-rwxr-Sr-x"),
            (0o120_777, "lrwxrwxrwx"),
            (0o140_000, "s---------"),
            (0o644, "?rw-r--r--"),
        ] {
            assert_eq!(mode_letters(bits), letters.as_bytes());
        }
    }

    #[test]
    fn a_line_keeps_bytes_that_are_not_utf8_and_leaves_out_skipped_fields() {
        let inode = SpecialInode {
            mode: 0o060_660,
            gid: 6,
            rdev: 0x800,
            ..SpecialInode::default()
        };
        let line = |fields| {
            let mut out = Vec::new();
            let time = |_| "02 Jan 2024 03:04:05 UTC".to_owned();
            write_line(&mut out, b"/dev/\xff", InodeRef::Special(&inode), 1, fields, time).unwrap();
            out
        };
        let whole: &[u8] = b"brw-rw----   1     0     6      0x800 02 Jan 2024 03:04:05 UTC /dev/\xff\n";
        assert_eq!(line(Fields::default()), whole);
        assert_eq!(line(Fields::without("mlugtd")), b"     0x800 /dev/\xff\n");
        assert_eq!(line(Fields::without("mlugstnd")), b"\n");
    }
}
