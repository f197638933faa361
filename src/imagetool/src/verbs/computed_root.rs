//! `-computedFilesRoot`: local files in the place of computed ones (`imagetool.md §6.3`).

use bstr::BString;
use image::walk::Walk;
use image::{FileSystem, InodeRef};
use tree_io::computed::{LocalObjects, substitute};

use crate::session::Session;

/// Turns computed files into regular ones if the flag is given.
pub(super) fn apply(session: &Session, tree: &mut FileSystem) -> anyhow::Result<LocalObjects> {
    let root = session.options.computed_files_root.clone();
    if root.as_os_str().is_empty() {
        return Ok(LocalObjects::default());
    }
    let mut files: Vec<(BString, u64)> = Vec::new();
    let mut walk = Walk::new(tree);
    while let Some(visit) = walk.next_visit() {
        if let (InodeRef::ComputedRegular(_), Some(number)) = (visit.inode, visit.number) {
            files.push((visit.path.to_owned(), number));
        }
    }
    Ok(substitute(tree, &files, &root, &session.cancel)?)
}
