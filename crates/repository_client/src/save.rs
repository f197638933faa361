//! A file of an image as a file of this host: whole and checked under its name, or not there.

use repository::Uuid;
use repository::digest::Digester;
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::{Client, ClientError, FileRequest};

/// Bytes that are read at once.
const BUFFER: usize = 256 << 10;

/// What was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Bytes of the file.
    pub size: u64,
    /// Bytes of it that an earlier attempt had left.
    pub was_there: u64,
}

impl Client {
    /// Saves a file under a name, which must be free or is replaced. Until it is whole, checked and on stable storage its
    /// bytes are in `.NAME.SHA1.partial` beside it; that stays if the transfer breaks, and the next call goes on there.
    ///
    /// # Errors
    /// As [`file`](Self::file), or the file cannot be written. The name is as it was before.
    pub async fn save(
        &self,
        image: Uuid,
        mut request: FileRequest,
        path: &Path,
    ) -> Result<Saved, ClientError> {
        let partial = partial_of(path, request.sha1.as_deref());
        let (mut file, begun) = open_partial(&partial).await?;
        if request.size.is_some_and(|size| begun.size() > size) {
            // Not of this file: begin anew.
            file = create(&partial)?;
        } else {
            request.begun = Some(begun);
        }
        let _nothing = RemovedIfEmpty(&partial);
        let was_there = request.begun.as_ref().map_or(0, Digester::size);
        let saved = self.receive(image, request, &mut file, &partial).await;
        let size = match saved {
            Ok(size) => size,
            Err(error) => {
                // What is wrong once is wrong again; what only broke goes on later.
                if !is_worth_keeping(&error) {
                    let _ = std::fs::remove_file(&partial);
                }
                return Err(error);
            }
        };
        finish(file, &partial, path).await?;
        Ok(Saved { size, was_there })
    }

    async fn receive(
        &self,
        image: Uuid,
        request: FileRequest,
        file: &mut File,
        partial: &Path,
    ) -> Result<u64, ClientError> {
        let mut download = self.file(image, request).await?;
        while let Some(piece) = download.next().await? {
            // The page cache takes it; who writes to a slow disk reads no faster than that disk.
            file.write_all(&piece)
                .map_err(|error| ClientError::of_file(partial, error))?;
        }
        Ok(download.size())
    }
}

fn is_worth_keeping(error: &ClientError) -> bool {
    !matches!(error, ClientError::Mismatch { .. } | ClientError::Replaced)
}

/// A name for no bytes is of use to nobody, also when the transfer is interrupted.
struct RemovedIfEmpty<'a>(&'a Path);

impl Drop for RemovedIfEmpty<'_> {
    fn drop(&mut self) {
        if std::fs::metadata(self.0).is_ok_and(|metadata| metadata.len() == 0) {
            let _ = std::fs::remove_file(self.0);
        }
    }
}

fn partial_of(path: &Path, sha1: Option<&str>) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    // Of another file with the same name nothing can be used.
    name.push(format!(".{}.partial", sha1.unwrap_or("unknown")));
    path.with_file_name(name)
}

/// What is there of it, its digests computed; positioned at its end.
async fn open_partial(partial: &Path) -> Result<(File, Digester), ClientError> {
    let path = partial.to_owned();
    let read = move || -> Result<(File, Digester), ClientError> {
        let failed = |error| ClientError::of_file(&path, error);
        let mut digester = Digester::new()?;
        let opened = File::options().read(true).append(true).open(&path);
        let mut file = match opened {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((create(&path)?, digester)),
            opened => opened.map_err(failed)?,
        };
        let mut buffer = vec![0; BUFFER];
        loop {
            match file.read(&mut buffer).map_err(failed)? {
                0 => return Ok((file, digester)),
                length => digester.update(&buffer[..length])?,
            }
        }
    };
    blocking(read).await
}

fn create(partial: &Path) -> Result<File, ClientError> {
    File::create(partial).map_err(|error| ClientError::of_file(partial, error))
}

/// On stable storage, then under its name, then the name on stable storage.
async fn finish(file: File, partial: &Path, path: &Path) -> Result<(), ClientError> {
    let (partial, path) = (partial.to_owned(), path.to_owned());
    blocking(move || {
        let failed = |error| ClientError::of_file(&path, error);
        file.sync_data().map_err(failed)?;
        std::fs::rename(&partial, &path).map_err(failed)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = File::open(directory.unwrap_or(Path::new("."))).map_err(failed)?;
        directory.sync_all().map_err(failed)
    })
    .await
}

/// Runs what reads or flushes much.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ClientError> + Send + 'static,
) -> Result<T, ClientError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(ClientError::Options(format!("a thread ended early: {error}"))),
    }
}
