//! An image's file, an archive of a root file system, becomes an image of the image server (imgapi.md §22.3).

use super::Workroom;
use super::publish::{TAG_UUID, watch};
use super::receive::internal;
use super::render::{CancelOnDrop, codec, of_image_server};
use crate::jobs::{JobBody, JobFailure, JobRun};
use futures_util::future::BoxFuture;
use image::{FileSystem, Filter, Image};
use image_client::add_queue::Connections as Added;
use image_client::flows::{Finish, deliver, finish};
use image_client::{AddOptions, AddQueue, Connections};
use repository::manifest::{Compression, Record};
use repository::publish::{link, linked, restored, store_name};
use repository::{ApiError, Code, Uuid};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::time::Duration;
use tree_io::compress::decompressed;
use tree_io::{Cancel, Progress, ScanOptions, tar_in};

/// Bytes of an archive, decompressed, at most: what a small file may swell to.
const MAXIMUM_UNPACKED_BYTES: u64 = 128 << 30;

/// The job.
pub(super) struct TakeIn(Workroom);

impl TakeIn {
    pub(super) fn new(room: Workroom) -> TakeIn {
        TakeIn(room)
    }
}

impl JobBody for TakeIn {
    fn run(&self, run: JobRun) -> BoxFuture<'static, Result<(), JobFailure>> {
        let room = self.0.clone();
        Box::pin(async move {
            let (room, run) = (&room, &run);
            run.step("take_in_image", || async move {
                let progress = Progress::default();
                let watched = watch(run, &progress);
                let name = tokio::select! {
                    name = room.take_in(run.image(), progress.clone()) => name?,
                    never = watched => never,
                };
                Ok(((), format!("Image {} is {name} in the image server", run.image())))
            })
            .await
        })
    }
}

impl Workroom {
    /// Makes an active image one of the image server, once, and gives its full name there; who asks again is told the same. The
    /// image here gets the name as a tag, and else stays what it is whatever happens.
    ///
    /// # Errors
    /// The image is not active, its file is no archive of a root file system, the image server.
    pub async fn take_in(&self, uuid: Uuid, progress: Progress) -> Result<String, ApiError> {
        let record = self.record(uuid).await?.record;
        if !record.is_activated() {
            let message = format!("image {uuid} is not active");
            return Err(ApiError::new(Code::ValidationFailed, message));
        }
        let connections = self.image_server()?;
        if let Some(name) = link(&record)
            && exists(&connections, name).await?
        {
            return Ok(name.to_owned());
        }
        let settings = self.settings();
        let directory = &settings.join.take_in.directory;
        let name = match free_name(&connections, &record, directory).await? {
            Free::Name(name) => {
                self.bring(&connections, &record, &name, progress).await?;
                name
            }
            Free::IsThere(name) => name,
        };
        let rules = settings.rules();
        self.change(uuid, |record| linked(record, &name, &rules)).await?;
        tracing::info!("image {uuid} is {name} in the image server");
        Ok(name)
    }

    async fn bring(
        &self,
        connections: &Connections,
        record: &Record,
        name: &str,
        progress: Progress,
    ) -> Result<(), ApiError> {
        let opened = self.repository.open_file(record.uuid(), 0).await;
        let (file, entry) = opened.map_err(|error| error.answer())?;
        make_directory(connections, name).await?;
        let (tree, added) = send(connections, file, entry.size, progress).await?;
        let mut image = described(record);
        image.file_system = Some(tree);
        let mut server = connections.take().await.map_err(of_image_server)?;
        let finished = finish(&mut server, name, image, &Finish::default()).await;
        // A server protects what was added over connections as long as they last.
        drop(added);
        finished.map_err(of_image_server)
    }
}

/// Where an image can go.
enum Free {
    Name(String),
    /// An earlier attempt has brought it.
    IsThere(String),
}

async fn free_name(connections: &Connections, record: &Record, directory: &str) -> Result<Free, ApiError> {
    let uuid = record.uuid().to_string();
    for is_taken in [false, true] {
        let name = store_name(record, directory, is_taken);
        if !exists(connections, &name).await? {
            return Ok(Free::Name(name));
        }
        let mut server = connections.take().await.map_err(of_image_server)?;
        let found = server.get_image_metadata(&name, Duration::ZERO).await;
        let (image, _) = found.map_err(of_image_server)?;
        connections.put_back(server);
        if image.is_some_and(|image| image.tags.get(TAG_UUID) == Some(&uuid)) {
            return Ok(Free::IsThere(name));
        }
    }
    let message = format!(
        "the image server has another image {}",
        store_name(record, directory, true)
    );
    Err(ApiError::new(Code::ImageUuidAlreadyExists, message))
}

async fn exists(connections: &Connections, name: &str) -> Result<bool, ApiError> {
    let mut server = connections.take().await.map_err(of_image_server)?;
    let exists = server.check_image(name).await.map_err(of_image_server)?;
    connections.put_back(server);
    Ok(exists)
}

async fn make_directory(connections: &Connections, name: &str) -> Result<(), ApiError> {
    let Some((directory, _)) = name.rsplit_once('/') else {
        return Ok(());
    };
    let mut server = connections.take().await.map_err(of_image_server)?;
    if !server.check_directory(directory).await.map_err(of_image_server)? {
        let made = server.make_directory(directory, true).await;
        made.map_err(of_image_server)?;
    }
    connections.put_back(server);
    Ok(())
}

/// Sends the contents of an archive, those that the image server lacks; gives the tree.
async fn send(
    connections: &Connections,
    file: File,
    size: u64,
    progress: Progress,
) -> Result<(FileSystem, Added), ApiError> {
    let sending = connections.connect().await.map_err(of_image_server)?;
    let asking = connections.connect().await.map_err(of_image_server)?;
    let queue = AddQueue::start(
        sending.into_client(),
        Some(asking.into_client()),
        AddOptions::default(),
    );
    let cancel = Cancel::default();
    let _guard = CancelOnDrop(cancel.clone());
    let options = ScanOptions {
        cancel: cancel.clone(),
        progress,
        ..ScanOptions::default()
    };
    let opened = open(file, size).map_err(|error| internal(&error))?;
    let sent = deliver(queue, cancel, move |sink| tar_in(opened, &options, sink)).await;
    match sent {
        Ok(((tree, _), _, added)) => Ok((tree, added)),
        Err(image_client::Error::Tree(error)) => {
            let message = format!("its file is no archive of a root file system: {error}");
            Err(ApiError::new(Code::NotSupported, message))
        }
        Err(error) => Err(of_image_server(error)),
    }
}

/// What is in a file. How it is compressed is told by its bytes: what uploaders say is not checked (imgapi.md §12.1).
fn open(mut file: File, size: u64) -> io::Result<Box<dyn Read + Send>> {
    let mut first = [0; 6];
    let count = file.by_ref().take(first.len() as u64).read(&mut first)?;
    file.rewind()?;
    let codec = codec(Compression::of_content(&first[..count]));
    let whole = io::BufReader::with_capacity(BUFFER_BYTES, file.take(size));
    Ok(Box::new(Bounded {
        input: decompressed(codec, whole),
        left: MAXIMUM_UNPACKED_BYTES,
    }))
}

/// Bytes read at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// Fails behind so many bytes, where `take` would make half an archive of it.
struct Bounded<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        let left = self.left.checked_sub(count as u64);
        self.left = left.ok_or_else(|| {
            io::Error::other(format!(
                "more than {} GiB when it is unpacked",
                MAXIMUM_UNPACKED_BYTES >> 30
            ))
        })?;
        Ok(count)
    }
}

/// What the image server is told about it.
fn described(record: &Record) -> Image {
    let known = restored(record);
    Image {
        filter: known.filter.map(|filter_lines| Filter { filter_lines }),
        triggers: known
            .triggers
            .and_then(|triggers| serde_json::from_value(triggers).ok()),
        packages: known
            .packages
            .and_then(|packages| serde_json::from_value(packages).ok())
            .unwrap_or_default(),
        tags: [(TAG_UUID.to_owned(), record.uuid().to_string())].into(),
        ..Image::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_swells_beyond_measure_is_an_error_and_not_half_an_archive() {
        let mut bounded = Bounded {
            input: io::repeat(0),
            left: 100,
        };
        assert!(io::copy(&mut bounded, &mut io::sink()).is_err());
        let mut bounded = Bounded {
            input: io::repeat(0).take(100),
            left: 100,
        };
        assert_eq!(io::copy(&mut bounded, &mut io::sink()).unwrap(), 100);
    }
}
