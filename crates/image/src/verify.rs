//! What a server makes sure of before it takes an image (imageserver.md §2.4, item 3).

use std::collections::HashSet;

use bstr::BString;

use crate::tree::CheckError;
use crate::{FileSystem, Inode};

/// Why a tree is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It is no tree.
    #[error(transparent)]
    Tree(#[from] CheckError),
    /// A computed file has two names.
    #[error("duplicate computed inode: {0}")]
    DuplicateComputedInode(BString),
}

/// Makes sure that a tree is sound and that no computed inode has two names in the root directory.
///
/// The original means to look at all directories but forgets what it finds below the root. To refuse more than it does
/// would keep a replica from taking its master's images, so the same is refused here.
///
/// # Errors
/// The first violation found.
pub fn tree(tree: &FileSystem) -> Result<(), VerifyError> {
    tree.check()?;
    let mut computed = HashSet::new();
    for entry in &tree.directory_inode.entry_list {
        if let Some(Inode::ComputedRegular(_)) = tree.inode_table.get(entry.inode_number)
            && !computed.insert(entry.inode_number)
        {
            return Err(VerifyError::DuplicateComputedInode(
                [b"/", entry.name.as_slice()].concat().into(),
            ));
        }
    }
    Ok(())
}
