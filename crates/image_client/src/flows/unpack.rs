//! An image's tree to a directory or an archive, its objects from a server (`imagetool.md §6.3`).

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use hash::Hash;
use image::FileSystem;
use srpc::Client;
use tree_io::compress::{Codec, tar_compressed_out};
use tree_io::computed::{LocalObjects, WithLocal};
use tree_io::{Cancel, ObjectSource, Progress, UnpackOptions};

use crate::error::Error;
use crate::fetch::{BlockingObjects, ObjectStream, Verify};

/// Unpacks `tree` into `target`; `initial_image` is left there as a note.
///
/// # Errors
/// Fetching or writing failed; what was made is gone again.
pub async fn unpack(
    client: Client,
    tree: Arc<FileSystem>,
    local: LocalObjects,
    target: PathBuf,
    initial_image: Option<String>,
    cancel: Cancel,
    progress: Progress,
) -> Result<(), Error> {
    let wanted = tree_io::unpack::wanted(&tree)?;
    with_objects(
        client,
        wanted,
        Verify::Reader,
        local,
        cancel.clone(),
        move |objects| {
            let options = UnpackOptions {
                initial_image: initial_image.as_deref(),
                cancel,
                progress,
                ..UnpackOptions::default()
            };
            tree_io::unpack(&tree, &target, objects, &options)
        },
    )
    .await
}

/// Writes `tree` as an archive to `output`: the same tree always as the same bytes.
///
/// # Errors
/// Fetching or writing failed; `output` has a part of it.
pub async fn tar(
    client: Client,
    tree: Arc<FileSystem>,
    local: LocalObjects,
    mut output: Box<dyn Write + Send>,
    codec: Codec,
    cancel: Cancel,
    progress: Progress,
) -> Result<(), Error> {
    let wanted = tree_io::tar_out::wanted(&tree)?;
    with_objects(
        client,
        wanted,
        Verify::Here,
        local,
        cancel.clone(),
        move |objects| tar_compressed_out(&tree, codec, objects, &mut output, &cancel, &progress),
    )
    .await
}

/// Unpacking hashes on its own threads; an archive is written by one, so there the stream verifies.
async fn with_objects(
    client: Client,
    mut wanted: Vec<(Hash, u64)>,
    verify: Verify,
    local: LocalObjects,
    cancel: Cancel,
    work: impl FnOnce(&mut dyn ObjectSource) -> Result<(), tree_io::Error> + Send + 'static,
) -> Result<(), Error> {
    wanted.retain(|(hash, _)| !local.contains(hash));
    let stream = ObjectStream::start(client, wanted, verify);
    let mut rest = BlockingObjects {
        stream,
        cancel: cancel.clone(),
    };
    let done = tokio::task::spawn_blocking(move || {
        work(&mut WithLocal {
            local: &local,
            rest: &mut rest,
            cancel,
        })
    });
    match done.await.map_err(|_| Error::TaskDied)? {
        Ok(()) => Ok(()),
        // The stream's own error, without a layer around it.
        Err(tree_io::Error::Source(error)) => Err(match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => tree_io::Error::Source(error).into(),
        }),
        Err(error) => Err(error.into()),
    }
}
