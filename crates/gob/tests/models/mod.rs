//! Mirrors of the image types (gob.md §10), for tests, the benchmark and the comparison with Go. The real ones are
//! in crate `image`, which needs this one.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each user takes a part of it"
)]

pub mod exotic;
pub mod sample;

use std::collections::BTreeMap;

use bstr::BString;
use gob::{Gob, Time};

#[derive(Gob, Clone, Debug, PartialEq)]
#[gob(transparent, name = "Hash")]
pub struct Hash(pub [u8; 64]);

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct AddImageRequest {
    pub image_name: String,
    pub image: Option<Box<Image>>,
}

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct GetImageResponse {
    pub image: Option<Box<Image>>,
    #[gob(name = "InformationDatabaseURL")]
    pub information_database_url: String,
}

#[derive(Gob, Clone, Debug, Default, PartialEq)]
pub struct Image {
    pub build_branch: String,
    pub build_commit_id: String,
    pub build_git_url: String,
    pub created_by: String,
    pub created_for: String,
    pub filter: Option<Filter>,
    pub file_system: Option<Box<FileSystem>>,
    pub triggers: Option<Triggers>,
    pub release_notes: Option<Annotation>,
    pub build_log: Option<Annotation>,
    pub created_on: Time,
    pub expires_at: Time,
    pub owner_groups: Vec<String>,
    pub owner_users: Vec<String>,
    pub packages: Vec<Package>,
    pub source_image: String,
    pub tags: BTreeMap<String, String>,
}

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct Annotation {
    pub object: Option<Hash>,
    #[gob(name = "URL")]
    pub url: String,
}

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct Package {
    pub name: String,
    pub size: u64,
    pub version: String,
}

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct Filter {
    pub filter_lines: Vec<String>,
}

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct Triggers {
    pub triggers: Vec<Trigger>,
}

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct Trigger {
    pub match_lines: Vec<String>,
    pub service: String,
    pub sort_name: String,
    pub do_reboot: bool,
    pub do_reload: bool,
    pub high_impact: bool,
}

#[derive(Gob, Clone, Debug, Default, PartialEq)]
pub struct FileSystem {
    pub inode_table: InodeTable,
    pub num_regular_inodes: u64,
    pub total_data_bytes: u64,
    pub directory_count: u64,
    pub directory_inode: DirectoryInode,
}

#[derive(Gob, Clone, Debug, Default, PartialEq)]
#[gob(map)]
pub struct InodeTable(pub Vec<(u64, Inode)>);

impl From<Vec<(u64, Inode)>> for InodeTable {
    fn from(mut inodes: Vec<(u64, Inode)>) -> Self {
        inodes.sort_unstable_by_key(|(number, _)| *number);
        Self(inodes)
    }
}

#[derive(Gob, Clone, Debug, PartialEq)]
#[gob(interface)]
pub enum Inode {
    #[gob(name = "*filesystem.RegularInode")]
    Regular(RegularInode),
    #[gob(name = "*filesystem.ComputedRegularInode")]
    Computed(ComputedRegularInode),
    #[gob(name = "*filesystem.SymlinkInode")]
    Symlink(SymlinkInode),
    #[gob(name = "*filesystem.SpecialInode")]
    Special(SpecialInode),
    #[gob(name = "*filesystem.DirectoryInode")]
    Directory(DirectoryInode),
}

#[derive(Gob, Clone, Debug, Default, PartialEq)]
pub struct DirectoryInode {
    pub entry_list: Vec<DirectoryEntry>,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct DirectoryEntry {
    pub name: BString,
    pub inode_number: u64,
}

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct RegularInode {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub mtime_nano_seconds: i32,
    pub mtime_seconds: i64,
    pub size: u64,
    pub hash: Hash,
}

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct ComputedRegularInode {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub source: String,
}

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct SymlinkInode {
    pub uid: u32,
    pub gid: u32,
    pub symlink: BString,
}

#[derive(Gob, Clone, Debug, PartialEq)]
pub struct SpecialInode {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub mtime_nano_seconds: i32,
    pub mtime_seconds: i64,
    pub rdev: u64,
}
