//! An image of an image server as bytes of a file: an archive, compressed, hashed, written (imgapi.md §22.2).

use super::receive::internal;
use crate::image_repository::Upload;
use image::FileSystem;
use image_client::{Connections, flows};
use parking_lot::Mutex;
use repository::digest::{Digester, Digests};
use repository::manifest::Compression;
use repository::transfer::Kind;
use repository::{ApiError, Code};
use std::io::{self, Write};
use std::sync::Arc;
use tree_io::compress::Codec;
use tree_io::computed::LocalObjects;
use tree_io::{Cancel, Progress};

/// Bytes written at a time: compressors give them in small pieces.
const BUFFER_BYTES: usize = 256 << 10;

/// The way archives are compressed for that word of the interface.
pub(super) fn codec(compression: Compression) -> Codec {
    match compression {
        Compression::None => Codec::None,
        Compression::Gzip => Codec::Gzip,
        Compression::Bzip2 => Codec::Bzip2,
        Compression::Xz => Codec::Xz,
    }
}

/// Ends work on other threads with whoever waits for it.
pub(super) struct CancelOnDrop(pub(super) Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Writes a tree, whose objects the image server has, as an archive. The same tree gives the same bytes.
///
/// # Errors
/// The image server breaks off, the file is too large, the disk.
pub(super) async fn render(
    connections: &Connections,
    tree: Arc<FileSystem>,
    compression: Compression,
    upload: Upload,
    progress: Progress,
) -> Result<(Upload, Digests), ApiError> {
    let client = connections
        .connect()
        .await
        .map_err(of_image_server)?
        .into_client();
    let cancel = Cancel::default();
    let _guard = CancelOnDrop(cancel.clone());
    let digester = Digester::new().map_err(|error| internal(&error))?;
    let state = Arc::new(Mutex::new(State {
        written: Some((upload, digester)),
        failure: None,
    }));
    let output = io::BufWriter::with_capacity(BUFFER_BYTES, Writer(state.clone()));
    let local = LocalObjects::default();
    let done = flows::tar(
        client,
        tree,
        local,
        Box::new(output),
        codec(compression),
        cancel,
        progress,
    )
    .await;
    let mut state = state.lock();
    if let Some(failure) = state.failure.take() {
        return Err(failure);
    }
    done.map_err(of_image_server)?;
    let (upload, digester) = state.written.take().ok_or_else(|| internal("interrupted"))?;
    let digests = digester.finish().map_err(|error| internal(&error))?;
    Ok((upload, digests))
}

/// What is told when the image server fails.
pub(super) fn of_image_server(error: image_client::Error) -> ApiError {
    ApiError::new(Code::ServiceUnavailable, format!("image server: {error}"))
}

struct State {
    written: Option<(Upload, Digester)>,
    failure: Option<ApiError>,
}

struct Writer(Arc<Mutex<State>>);

impl Write for Writer {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        let Some((upload, digester)) = &mut state.written else {
            return Err(io::Error::other("the upload is gone"));
        };
        let written = Kind::File
            .check_received(upload.received() + data.len() as u64)
            .and_then(|()| upload.append(data).map_err(|error| error.answer()))
            .and_then(|()| digester.update(data).map_err(|error| internal(&error)));
        match written {
            Ok(()) => Ok(data.len()),
            Err(failure) => {
                let text = failure.message().to_owned();
                state.failure = Some(failure);
                Err(io::Error::other(text))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
