//! Computed files: regular files whose content a generator supplies per machine (imagetool.md §5.3).

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use crate::walk::{LinkCounts, Walk};
use crate::{ComputedFile, ComputedRegularInode, FileSystem, Inode, InodeRef, go_json};

/// Why a list of computed files is refused.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// A line that is not a path and a source.
    #[error("bad line: {0}")]
    BadLine(String),
    /// Not the JSON it should be.
    #[error("error decoding computed files list {}", go_json::error_text(.0))]
    Json(#[source] serde_json::Error),
}

/// Why computed files do not fit into a tree. The texts are those of the original.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    /// No such path.
    #[error("{0}: missing from image")]
    Missing(String),
    /// The inode has several names.
    #[error("{filename}: multiple inodes: {count}")]
    MultipleInodes {
        /// The path.
        filename: String,
        /// How many.
        count: u32,
    },
    /// A directory, a link, a device.
    #[error("{filename}: type: {kind} is not a regular inode")]
    NotRegular {
        /// The path.
        filename: String,
        /// What it is.
        kind: &'static str,
    },
}

/// Reads a list from a file: JSON if its name ends in `.json`, else lines of a path and a source.
///
/// # Errors
/// The text is no such list.
pub fn parse(file_name: &str, text: &[u8]) -> Result<Vec<ComputedFile>, ParseError> {
    if file_name.ends_with(".json") {
        parse_json(text)
    } else {
        parse_text(text)
    }
}

/// Reads a JSON list; comment lines are allowed and names match regardless of case.
///
/// # Errors
/// The text is no such list.
pub fn parse_json(text: &[u8]) -> Result<Vec<ComputedFile>, ParseError> {
    go_json::from_slice(&go_json::without_comments(text)).map_err(ParseError::Json)
}

/// Reads lines of a path and a source; empty lines and lines that start with `#` are dropped.
///
/// # Errors
/// A line has more or fewer than two fields.
pub fn parse_text(text: &[u8]) -> Result<Vec<ComputedFile>, ParseError> {
    let text = String::from_utf8_lossy(text);
    let lines = text
        .split('\n')
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(parse_line).collect()
}

fn parse_line(line: &str) -> Result<ComputedFile, ParseError> {
    let mut fields = line.split_whitespace();
    match (fields.next(), fields.next(), fields.next()) {
        (Some(filename), Some(source), None) => Ok(ComputedFile {
            filename: filename.to_owned(),
            source: source.to_owned(),
        }),
        _ => Err(ParseError::BadLine(line.to_owned())),
    }
}

/// Joins lists, a later entry for a path replacing an earlier one; sorted by path.
pub fn merge<'a>(lists: impl IntoIterator<Item = &'a [ComputedFile]>) -> Vec<ComputedFile> {
    let mut sources = BTreeMap::new();
    for file in lists.into_iter().flatten() {
        sources.insert(&file.filename, &file.source);
    }
    let file = |(filename, source): (&String, &String)| ComputedFile {
        filename: filename.clone(),
        source: source.clone(),
    };
    sources.into_iter().map(file).collect()
}

/// The computed files of a tree, depth first in stored order (imageserver.md §2.5). Names that are not UTF-8 get
/// replacement characters.
pub fn list(tree: &FileSystem) -> Vec<ComputedFile> {
    let mut files = Vec::new();
    let mut walk = Walk::new(tree);
    while let Some(visit) = walk.next_visit() {
        if let InodeRef::ComputedRegular(inode) = visit.inode {
            let filename = visit.path.to_str_lossy().into_owned();
            files.push(ComputedFile {
                filename,
                source: inode.source.clone(),
            });
        }
    }
    files
}

/// Makes regular files of a tree computed ones, keeping mode and owner; files that are computed already get the new
/// source. The counters of the tree are set anew.
///
/// # Errors
/// A file does not exist, is no regular file, or has several names. The tree is unchanged then.
pub fn splice(tree: &mut FileSystem, files: &[ComputedFile]) -> Result<(), SpliceError> {
    if files.is_empty() {
        return Ok(());
    }
    let found = tree.find_all(files.iter().map(|file| file.filename.as_bytes().as_bstr()));
    let links = LinkCounts::of(tree);
    let mut replacements = Vec::with_capacity(files.len());
    for file in files {
        let filename = &file.filename;
        if filename == "/" {
            return Err(not_regular(filename, InodeRef::Directory(&tree.directory_inode)));
        }
        let number = found.get(&BString::from(filename.as_str()));
        let inode = number.and_then(|&number| Some((number, tree.inode_table.get(number)?)));
        let Some((number, inode)) = inode else {
            return Err(SpliceError::Missing(filename.clone()));
        };
        let count = links.get(tree, Some(number));
        if count != 1 {
            return Err(SpliceError::MultipleInodes {
                filename: filename.clone(),
                count,
            });
        }
        let (mode, uid, gid) = match inode {
            Inode::Regular(inode) => (inode.mode, inode.uid, inode.gid),
            Inode::ComputedRegular(inode) => (inode.mode, inode.uid, inode.gid),
            other => return Err(not_regular(filename, other.as_ref())),
        };
        let source = file.source.clone();
        replacements.push((
            number,
            Inode::ComputedRegular(ComputedRegularInode {
                mode,
                uid,
                gid,
                source,
            }),
        ));
    }
    for (number, replacement) in replacements {
        tree.inode_table.insert(number, replacement);
    }
    tree.recount();
    Ok(())
}

fn not_regular(filename: &str, inode: InodeRef<'_>) -> SpliceError {
    SpliceError::NotRegular {
        filename: filename.to_owned(),
        kind: inode.type_name(),
    }
}
