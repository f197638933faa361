//! Extended attributes that a tree has and its image will not have.

use std::os::fd::AsFd;

use bstr::{BStr, BString};

/// Paths kept per kind, for a message; beyond that they are only counted.
const NAMED_PATHS: usize = 20;

/// Room for the list of attribute names of one file, in bytes; the kernel's own limit is 64 KiB, seldom are there more than two.
const LIST_BYTES: usize = 4096;

/// Where a kind of attribute was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// On how many files and directories.
    pub count: u64,
    /// The first of them.
    pub paths: Vec<BString>,
}

impl Seen {
    fn add(&mut self, path: &BStr) {
        self.count += 1;
        if self.paths.len() < NAMED_PATHS {
            self.paths.push(path.to_owned());
        }
    }

    fn merge(&mut self, other: Seen) {
        self.count += other.count;
        let room = NAMED_PATHS.saturating_sub(self.paths.len());
        self.paths.extend(other.paths.into_iter().take(room));
        self.paths.sort();
    }
}

/// Attributes that are lost: the image format has no place for them. SELinux labels are not counted: every file of a
/// labelled host has one, and they are made anew by policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `security.capability`: programs that will lack a privilege when unpacked.
    pub capabilities: Seen,
    /// `system.posix_acl_*`: access beyond owner, group and mode.
    pub access_lists: Seen,
    /// Anything else.
    pub others: Seen,
}

impl Attributes {
    /// One system call per file, 1 µs; file systems without attributes answer with an error that means "none".
    pub(crate) fn note(&mut self, file: impl AsFd, path: &BString) {
        let mut names = [0_u8; LIST_BYTES];
        match rustix::fs::flistxattr(file, &mut names[..]) {
            Ok(0) => {}
            Ok(length) => {
                for name in names[..length].split(|&b| b == 0) {
                    self.note_name(name, BStr::new(path));
                }
            }
            Err(rustix::io::Errno::RANGE) => self.others.add(BStr::new(path)),
            Err(_) => {}
        }
    }

    pub(crate) fn note_name(&mut self, name: &[u8], path: &BStr) {
        match name {
            b"" | b"security.selinux" => {}
            b"security.capability" => self.capabilities.add(path),
            _ if name.starts_with(b"system.posix_acl_") => self.access_lists.add(path),
            _ => self.others.add(path),
        }
    }

    pub(crate) fn merge(&mut self, other: Attributes) {
        self.capabilities.merge(other.capabilities);
        self.access_lists.merge(other.access_lists);
        self.others.merge(other.others);
    }
}
