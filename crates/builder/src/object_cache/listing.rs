//! What is in the directory at the start.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use hash::Hash;

use super::{Entry, NEW_PREFIX, Table};

/// Lists the objects. What a crash left half copied goes; files that are none of ours are left alone. An object counts as used when it came.
pub(super) fn list(path: &Path) -> io::Result<Table> {
    let mut table = Table::default();
    for directory in fs::read_dir(path)? {
        let directory = directory?;
        let first = directory.file_name();
        if first.as_bytes().starts_with(NEW_PREFIX.as_bytes()) {
            fs::remove_file(directory.path())?;
            continue;
        }
        if first.len() != 2 || !directory.file_type()?.is_dir() {
            continue;
        }
        for file in fs::read_dir(directory.path())? {
            let file = file?;
            let digits = [first.as_bytes(), file.file_name().as_bytes()].concat();
            let (Ok(hash), Ok(metadata)) = (Hash::from_hex(&digits), file.metadata()) else {
                continue;
            };
            if metadata.is_file() {
                let used = u32::try_from(metadata.ctime()).unwrap_or(0);
                let entry = Entry {
                    size: metadata.len(),
                    used,
                    verified: None,
                };
                table.insert(hash, entry);
            }
        }
    }
    Ok(table)
}
