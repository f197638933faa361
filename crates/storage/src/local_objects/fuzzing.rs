//! Doors for fuzz targets into what is private; not part of the interface.

use super::known::{self, Known};
use crate::frame::{Kind, Refused};

/// What the index of objects is.
pub const INDEX_KIND: Kind = known::KIND;

/// How many objects an index has, all of them looked at.
///
/// # Errors
/// It is not believed.
pub fn read_index(content: Vec<u8>, root_inode: u64) -> Result<usize, Refused> {
    let known = Known::open(content, root_inode)?;
    let directories: Vec<_> = known.directories().collect();
    let mut count = 0;
    for (prefix, stamp) in directories {
        let objects = known.objects(prefix, &stamp).map(|(_, objects)| objects);
        for (hash, _) in objects.into_iter().flatten() {
            assert!(
                hash.as_bytes().starts_with(&prefix),
                "an object of another directory"
            );
            count += 1;
        }
    }
    Ok(count)
}
