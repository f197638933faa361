//! How much was fetched.

use std::path::Path;

/// Bytes of the files below a directory; what cannot be read counts nothing, for this is only said in a log.
pub(super) fn of_tree(top: &Path) -> u64 {
    let mut bytes = 0;
    let mut left = vec![top.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(data) if data.is_dir() => left.push(entry.path()),
                Ok(data) => bytes += data.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}
