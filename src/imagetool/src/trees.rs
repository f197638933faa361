//! Images and trees by typed name (`imagetool.md §3`).

use std::sync::Arc;

use anyhow::{anyhow, bail};
use image::filter::CompiledFilter;
use image::{FileSystem, Filter, Image};
use tree_io::{NoSink, ScanOptions, ScanReport};

use crate::inputs;
use crate::session::Session;
use crate::typed_name::{Source, TypedName};

/// A tree with the filter of its image, if it has any.
pub(crate) struct Tree {
    pub(crate) tree: FileSystem,
    pub(crate) filter: Option<Filter>,
}

/// An image with its tree, and the name the server has it under. For anything else that is what was given, `text`.
pub(crate) async fn named_image(session: &mut Session, text: &str) -> anyhow::Result<(Image, String)> {
    let mut typed = TypedName::parse(text)?;
    if typed.source == Source::Latest {
        typed = TypedName {
            source: Source::Image,
            name: latest(session, &typed.name).await?,
        };
    }
    let image = image(session, &typed).await?;
    let name = if typed.source == Source::Image {
        typed.name
    } else {
        text.to_owned()
    };
    Ok((image, name))
}

/// An image with its tree. Not for directories and bare trees: they have no more than that.
pub(crate) async fn image(session: &mut Session, name: &TypedName) -> anyhow::Result<Image> {
    let image = match name.source {
        Source::Image => fetch(session, &name.name).await?,
        Source::Latest => {
            let latest = latest(session, &name.name).await?;
            fetch(session, &latest).await?
        }
        Source::ImageFile => read_image(&name.name)?,
        Source::Directory => {
            let (tree, _) = scan(session, &name.name).await?;
            return Ok(Image {
                file_system: Some(tree),
                ..Image::default()
            });
        }
        Source::TreeFile => {
            return Ok(Image {
                file_system: Some(read_tree(&name.name)?),
                ..Image::default()
            });
        }
    };
    match &image.file_system {
        Some(tree) => tree
            .check()
            .map_err(|e| anyhow!("image: {}: bad tree: {e}", name.name))?,
        None => bail!("image: {}: has no file-system", name.name),
    };
    Ok(image)
}

/// The tree of anything.
pub(crate) async fn tree(session: &mut Session, name: &TypedName) -> anyhow::Result<Tree> {
    let image = image(session, name).await?;
    let tree = image
        .file_system
        .ok_or_else(|| anyhow!("image: {}: has no file-system", name.name))?;
    Ok(Tree {
        tree,
        filter: image.filter,
    })
}

/// An image without its tree, and the address where people find more about it.
pub(crate) async fn metadata(
    session: &mut Session,
    name: &TypedName,
) -> anyhow::Result<(Arc<Image>, String)> {
    let name = match name.source {
        Source::Image => name.name.clone(),
        Source::Latest => latest(session, &name.name).await?,
        Source::ImageFile => {
            let image = Image {
                file_system: None,
                ..read_image(&name.name)?
            };
            return Ok((Arc::new(image), String::new()));
        }
        Source::Directory | Source::TreeFile => bail!("package data not available"),
    };
    let timeout = session.options.timeout;
    let (image, url) = session.server().await?.get_image_metadata(&name, timeout).await?;
    Ok((image.ok_or_else(|| not_found(&name))?, url))
}

/// The newest image of a directory that the flags allow.
pub(crate) async fn latest(session: &mut Session, directory: &str) -> anyhow::Result<String> {
    // TagsToMatch does not count here (`imagetool.md §3`).
    let selection = image_client::Selection {
        tags: Default::default(),
        ..session.selection(directory)?
    };
    let latest = session.server().await?.find_latest_image(&selection).await?;
    latest.ok_or_else(|| anyhow!("{directory}: no image found"))
}

async fn fetch(session: &mut Session, name: &str) -> anyhow::Result<Image> {
    let timeout = session.options.timeout;
    let image = session.server().await?.get_image(name, timeout).await?;
    Ok(Arc::unwrap_or_clone(image.ok_or_else(|| not_found(name))?))
}

fn not_found(name: &str) -> anyhow::Error {
    anyhow!("image: {name} not found")
}

/// Scans a local directory with `-filterFile`, on other threads.
pub(crate) async fn scan(session: &mut Session, root: &str) -> anyhow::Result<(FileSystem, ScanReport)> {
    let filter = filter_file(session)?;
    let (root, cancel) = (std::path::PathBuf::from(root), session.cancel.clone());
    let scanned = tokio::task::spawn_blocking(move || {
        let options = ScanOptions {
            filter: filter.as_ref(),
            cancel,
            ..ScanOptions::default()
        };
        tree_io::scan(&root, &options, &NoSink)
    });
    Ok(scanned.await??)
}

/// The filter of `-filterFile`.
pub(crate) fn filter_file(session: &Session) -> anyhow::Result<Option<CompiledFilter>> {
    let filter = inputs::filter(session.options.filter_file.as_str())?;
    Ok(filter.as_ref().map(CompiledFilter::new).transpose()?)
}

fn read_image(name: &str) -> anyhow::Result<Image> {
    let (image, _) = protocol::image_file::decode(&read_large(name)?)?;
    Ok(image)
}

fn read_tree(name: &str) -> anyhow::Result<FileSystem> {
    let (tree, _): (FileSystem, usize) = gob::from_slice(&read_large(name)?, gob::Limits::default())?;
    tree.check().map_err(|e| anyhow!("{name}: bad tree: {e}"))?;
    Ok(tree)
}

fn read_large(name: &str) -> anyhow::Result<Vec<u8>> {
    // Limited by what decoding allows.
    let limit = gob::Limits::default().max_value_bytes as u64;
    let file = inputs::open(name)?;
    let size = file.metadata().map_or(0, |m| m.len());
    if size > limit {
        bail!("{name}: larger than {}", human::bytes(limit));
    }
    std::fs::read(name).map_err(|e| anyhow!("read {name}: {}", tree_io::os_text(&e)))
}
