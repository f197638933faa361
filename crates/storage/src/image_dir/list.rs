//! Finding what is there (`imageserver.md §6.7`).

use super::ImageDir;
use super::directories::METADATA_TEMPORARY_NAME;
use super::secret::SECRET_TEMPORARY_NAME;
use super::write::LONG_TEMPORARY_PREFIX;
use crate::error::IoContext;
use crate::resolve::open_directory;
use crate::{Result, Stamp, StorageError};
use rustix::fs::{AtFlags, Dir, FileType, statat, unlinkat};

/// Deeper trees than this are not followed; the path limit of Linux (4096 bytes) comes later than that.
const DEPTH_LIMIT: usize = 128;

/// An image file with content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFile {
    /// Image name.
    pub name: String,
    /// The file as it was found.
    pub stamp: Stamp,
}

/// Everything in the image directory.
#[derive(Debug, Default)]
pub struct Listing {
    /// Names of directories, parents before children, the root `.` first.
    pub directories: Vec<String>,
    /// Images, in no order.
    pub images: Vec<ImageFile>,
    /// Names of deleted images.
    pub tombstones: Vec<String>,
    /// Temporaries, without their `~`, that were removed.
    pub temporaries_removed: Vec<String>,
    /// Files whose names are no text; they are left alone.
    pub strays: Vec<String>,
    /// Directories and files that could not be read.
    pub failed: Vec<StorageError>,
}

impl ImageDir {
    /// Walks the tree. With `remove_temporaries`, which is for start-up, files whose names end in `~` are removed:
    /// they are writes that never ended. Other names starting with `.`, symbolic links and devices are skipped, as the
    /// original does.
    ///
    /// Errors: the root cannot be read. Failures below it are in the listing.
    pub fn list(&self, remove_temporaries: bool) -> Result<Listing> {
        let mut listing = Listing::default();
        let mut pending = vec![(".".to_owned(), 0_usize)];
        while let Some((directory, depth)) = pending.pop() {
            let first_child = pending.len();
            match self.list_directory(&directory, remove_temporaries, &mut listing) {
                Ok(children) if depth < DEPTH_LIMIT => {
                    pending.extend(children.into_iter().map(|child| (child, depth + 1)));
                }
                Ok(_) => {}
                Err(error) if directory == "." => return Err(error),
                Err(error) => listing.failed.push(error),
            }
            pending[first_child..].sort_unstable_by(|left, right| right.cmp(left));
            listing.directories.push(directory);
        }
        Ok(listing)
    }

    fn list_directory(
        &self,
        path: &str,
        remove_temporaries: bool,
        listing: &mut Listing,
    ) -> Result<Vec<String>> {
        let what = || path.to_owned();
        let directory = open_directory(&self.root, path).context("open directory", what)?;
        let mut children = Vec::new();
        for entry in Dir::read_from(&directory).context("read directory", what)? {
            let entry = entry.context("read directory", what)?;
            if entry.file_name().to_bytes().starts_with(b".") {
                if remove_temporaries && is_own_temporary(entry.file_name().to_bytes()) {
                    // Nothing waits for it: what it was to become is whole under its own name, or was never there.
                    let _ = unlinkat(&directory, entry.file_name(), AtFlags::empty());
                }
                continue;
            }
            let full_name = |last: &str| match path {
                "." => last.to_owned(),
                _ => format!("{path}/{last}"),
            };
            let Ok(last) = entry.file_name().to_str() else {
                listing
                    .strays
                    .push(full_name(&entry.file_name().to_string_lossy()));
                continue;
            };
            let name = full_name(last);
            let stat = match statat(&directory, last, AtFlags::SYMLINK_NOFOLLOW)
                .context("look at", || name.clone())
            {
                Ok(stat) => stat,
                Err(error) => {
                    listing.failed.push(error);
                    continue;
                }
            };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => children.push(name),
                FileType::RegularFile if last.ends_with('~') => {
                    let removed = remove_temporaries && unlinkat(&directory, last, AtFlags::empty()).is_ok();
                    if removed {
                        listing
                            .temporaries_removed
                            .push(name.trim_end_matches('~').to_owned());
                    }
                }
                FileType::RegularFile if stat.st_size == 0 => listing.tombstones.push(name),
                FileType::RegularFile => listing.images.push(ImageFile {
                    name,
                    stamp: Stamp::of(&stat),
                }),
                _ => {}
            }
        }
        Ok(children)
    }
}

/// The temporaries with dot names, left where the metadata of a directory, the secret or an image of a long name was being
/// written.
fn is_own_temporary(name: &[u8]) -> bool {
    name.starts_with(LONG_TEMPORARY_PREFIX.as_bytes())
        || name == METADATA_TEMPORARY_NAME.as_bytes()
        || name == SECRET_TEMPORARY_NAME.as_bytes()
}
