//! JSON of trees. They can be written; like the original, they cannot be read, because JSON does not say which kind an
//! inode is.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{DirectoryInode, FileSystem, Inode, InodeTable};
use crate::DirectoryEntry;
use crate::go_json::{GoJson, Writing, field};

/// What the original answers to a tree in JSON (recorded).
const UNREADABLE: &str = "json: cannot unmarshal object into Go struct field \
                          FileSystem.Image.FileSystem.InodeTable of type filesystem.GenericInode";

impl Serialize for Inode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Regular(inode) => inode.serialize(serializer),
            Self::ComputedRegular(inode) => inode.serialize(serializer),
            Self::Symlink(inode) => inode.serialize(serializer),
            Self::Special(inode) => inode.serialize(serializer),
            Self::Directory(inode) => inode.serialize(serializer),
        }
    }
}

impl Serialize for InodeTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries: Vec<_> = self
            .iter()
            .map(|(number, inode)| (number.to_string(), inode))
            .collect();
        // Go sorts the keys of a map as strings.
        entries.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        serializer.collect_map(entries)
    }
}

impl<'de> Deserialize<'de> for InodeTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;

        impl<'de> Visitor<'de> for Table {
            type Value = InodeTable;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object or null")
            }

            fn visit_unit<E: Error>(self) -> Result<InodeTable, E> {
                Ok(InodeTable::new())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<InodeTable, A::Error> {
                match entries.next_entry::<IgnoredAny, IgnoredAny>()? {
                    None => Ok(InodeTable::new()),
                    Some(_) => Err(A::Error::custom(UNREADABLE)),
                }
            }
        }

        deserializer.deserialize_any(Table)
    }
}

crate::go_json_by_serde!(InodeTable, DirectoryInode, FileSystem);

impl GoJson for Inode {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom(UNREADABLE))
    }
}

/// Writes one member whose form follows [`GoJson`].
fn member<M: SerializeMap, T: GoJson>(out: &mut M, name: &'static str, value: &T) -> Result<(), M::Error> {
    out.serialize_entry(name, &Writing(value))
}

fn write_directory<M: SerializeMap>(out: &mut M, directory: &DirectoryInode) -> Result<(), M::Error> {
    member(out, "EntryList", &directory.entry_list)?;
    out.serialize_entry("EntriesByName", &())?;
    member(out, "Mode", &directory.mode)?;
    member(out, "Uid", &directory.uid)?;
    member(out, "Gid", &directory.gid)
}

impl Serialize for DirectoryInode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(Some(5))?;
        write_directory(&mut out, self)?;
        out.end()
    }
}

impl Serialize for FileSystem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(Some(9))?;
        out.serialize_entry("InodeTable", &self.inode_table)?;
        member(&mut out, "NumRegularInodes", &self.num_regular_inodes)?;
        member(&mut out, "TotalDataBytes", &self.total_data_bytes)?;
        member(&mut out, "DirectoryCount", &self.directory_count)?;
        write_directory(&mut out, &self.directory_inode)?;
        out.end()
    }
}

/// The flattened form of both types; a directory simply has no table and no counters.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Flat {
    #[serde(deserialize_with = "field::deserialize")]
    inode_table: InodeTable,
    #[serde(deserialize_with = "field::deserialize")]
    num_regular_inodes: u64,
    #[serde(deserialize_with = "field::deserialize")]
    total_data_bytes: u64,
    #[serde(deserialize_with = "field::deserialize")]
    directory_count: u64,
    #[serde(deserialize_with = "field::deserialize")]
    entry_list: Vec<DirectoryEntry>,
    #[serde(deserialize_with = "field::deserialize")]
    mode: u32,
    #[serde(deserialize_with = "field::deserialize")]
    uid: u32,
    #[serde(deserialize_with = "field::deserialize")]
    gid: u32,
}

impl Flat {
    fn split(self) -> FileSystem {
        FileSystem {
            inode_table: self.inode_table,
            num_regular_inodes: self.num_regular_inodes,
            total_data_bytes: self.total_data_bytes,
            directory_count: self.directory_count,
            directory_inode: DirectoryInode {
                entry_list: self.entry_list,
                mode: self.mode,
                uid: self.uid,
                gid: self.gid,
            },
        }
    }
}

impl<'de> Deserialize<'de> for FileSystem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Flat::deserialize(deserializer).map(Flat::split)
    }
}

impl<'de> Deserialize<'de> for DirectoryInode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Flat::deserialize(deserializer).map(|flat| flat.split().directory_inode)
    }
}
