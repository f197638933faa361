//! Single objects: logs, notes, files.

use std::path::Path;

use anyhow::{anyhow, bail};
use image::{Annotation, FileSystem, InodeRef, RegularInode};

use crate::inputs;
use crate::session::Session;
use crate::trees;
use crate::typed_name::{Source, TypedName};

/// A log that is larger is not a log.
const ANNOTATION_MAX_BYTES: u64 = 1 << 30;

/// A single file is held in memory; disks of virtual machines are not fetched this way.
const FILE_MAX_BYTES: u64 = 4 << 30;

/// The build log of an image.
pub(super) async fn build_log(session: &mut Session, name: &str) -> anyhow::Result<Vec<u8>> {
    let (image, _) = trees::metadata(session, &TypedName::parse(name)?).await?;
    match &image.build_log {
        Some(Annotation {
            object: Some(hash), ..
        }) => Ok(session
            .server()
            .await?
            .get_object(hash, ANNOTATION_MAX_BYTES)
            .await?),
        Some(Annotation { url, .. }) if !url.is_empty() => super::web::get(url, ANNOTATION_MAX_BYTES).await,
        _ => bail!("BuildLog data not available"),
    }
}

/// The content of a regular file of an image.
pub(super) async fn file(session: &mut Session, name: &str, path: &str) -> anyhow::Result<Vec<u8>> {
    let typed = TypedName::parse(name)?;
    if typed.source == Source::Directory {
        return local(&typed.name, path);
    }
    let tree = trees::tree(session, &typed).await?.tree;
    let inode = regular(&tree, path)?.clone();
    if inode.size == 0 {
        return Ok(Vec::new());
    }
    Ok(session
        .server()
        .await?
        .get_object(&inode.hash, FILE_MAX_BYTES)
        .await?)
}

/// A file of a local tree: no server has it, and nothing need be scanned for it.
fn local(root: &str, path: &str) -> anyhow::Result<Vec<u8>> {
    let place = Path::new(root).join(path.trim_start_matches('/'));
    let (file, failed) = (inputs::open(&place)?, |e: std::io::Error| {
        anyhow!("read {}: {}", place.display(), tree_io::os_text(&e))
    });
    if !file.metadata().map_err(failed)?.is_file() {
        bail!("file: \"{path}\" is not a regular file");
    }
    inputs::limited(file, &place.display().to_string(), FILE_MAX_BYTES)
}

fn regular<'a>(tree: &'a FileSystem, path: &str) -> anyhow::Result<&'a RegularInode> {
    match tree.lookup(path.as_bytes()) {
        Some((_, InodeRef::Regular(inode))) => Ok(inode),
        Some(_) => Err(anyhow!("file: \"{path}\" is not a regular file")),
        None => Err(anyhow!("file: \"{path}\" not present in image")),
    }
}
