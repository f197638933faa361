//! Bytes on their way to an image: received here, hashed and written on a thread of their own.

use crate::image_repository::Upload;
use bytes::Bytes;
use repository::digest::{Digester, Digests};
use repository::transfer::Kind;
use repository::{ApiError, Code};
use tokio::sync::mpsc;

/// Pieces that wait to be written, at most: of what connections give, some 16 KiB to 1 MiB each.
const WAITING_PIECES: usize = 8;

/// An upload that is being written.
pub(super) struct Receiving {
    pieces: mpsc::Sender<Bytes>,
    written: tokio::task::JoinHandle<(Upload, Result<Digester, ApiError>)>,
}

/// What came of it. The upload goes on from where it is, whatever happened.
pub(super) struct Received {
    pub(super) upload: Upload,
    pub(super) digests: Result<Digests, ApiError>,
}

impl Receiving {
    /// Goes on with what is there, whose digests `begun` has.
    pub(super) fn start(mut upload: Upload, begun: Digester) -> Receiving {
        let (pieces, mut to_write) = mpsc::channel::<Bytes>(WAITING_PIECES);
        let written = tokio::task::spawn_blocking(move || {
            let mut digester = begun;
            while let Some(piece) = to_write.blocking_recv() {
                if let Err(error) = write(&mut upload, &mut digester, &piece) {
                    return (upload, Err(error));
                }
            }
            (upload, Ok(digester))
        });
        Receiving { pieces, written }
    }

    /// Takes a piece. False if nothing more is taken, which [`finish`](Self::finish) tells about.
    pub(super) async fn put(&self, piece: Bytes) -> bool {
        self.pieces.send(piece).await.is_ok()
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// The thread is gone, and the upload with it.
    pub(super) async fn finish(self) -> Result<Received, ApiError> {
        drop(self.pieces);
        let (upload, digester) = self.written.await.map_err(|_| internal("interrupted"))?;
        let digests = digester.and_then(|digester| digester.finish().map_err(|error| internal(&error)));
        Ok(Received { upload, digests })
    }
}

fn write(upload: &mut Upload, digester: &mut Digester, piece: &[u8]) -> Result<(), ApiError> {
    Kind::File.check_received(upload.received() + piece.len() as u64)?;
    upload.append(piece).map_err(|error| error.answer())?;
    digester.update(piece).map_err(|error| internal(&error))
}

/// The digests of what is there already.
///
/// # Errors
/// It cannot be read.
pub(super) async fn begun(upload: Upload) -> Result<(Upload, Digester), ApiError> {
    let read = move || {
        let mut digester = Digester::new().map_err(|error| internal(&error))?;
        let mut file = upload.reader().map_err(|error| error.answer())?;
        let mut piece = vec![0; PIECE_BYTES];
        let mut left = upload.received();
        while left > 0 {
            let most = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let count =
                std::io::Read::read(&mut file, &mut piece[..most]).map_err(|error| internal(&error))?;
            if count == 0 {
                return Err(internal("what was received of an upload is gone"));
            }
            digester
                .update(&piece[..count])
                .map_err(|error| internal(&error))?;
            left -= count as u64;
        }
        Ok((upload, digester))
    };
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|_| internal("interrupted"))?
}

/// Bytes read at a time.
const PIECE_BYTES: usize = 256 << 10;

pub(super) fn internal(error: impl ToString) -> ApiError {
    ApiError::new(
        Code::InternalError,
        format!("error receiving image file: {}", error.to_string()),
    )
}
