//! An image of the image server becomes one of this repository (imgapi.md §22).

use super::Workroom;
use super::clean_up::CleanUp;
use super::facts::facts;
use super::remote::text;
use super::render::{of_image_server, render};
use crate::RepositoryError;
use crate::image_repository::{Slot, Stored};
use crate::jobs::{JobBody, JobFailure, JobRun};
use futures_util::future::BoxFuture;
use image::Image;
use image_client::Connections;
use repository::configuration::Settings;
use repository::http::Parameters;
use repository::json::Object;
use repository::manifest::{Compression, FileEntry, Record};
use repository::publish::{PublishedAs, link, onto, publication, published};
use repository::{ApiError, Code, Uuid, dates};
use std::sync::Arc;
use std::time::Duration;
use tree_io::Progress;

/// The parameter of the job with the full name of the image.
pub const IMAGE_PARAMETER: &str = "image";

/// The tag that an image has in the image server if it was taken from here.
pub(super) const TAG_UUID: &str = "imgapi:uuid";

/// How often a look at the work is told to who watches the job.
const PROGRESS_PERIOD: Duration = Duration::from_millis(500);

/// What is published, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishRequested {
    /// Full name of the image in the image server.
    pub image: String,
    /// Channel; that of the rule about it, else the default one.
    pub channel: Option<String>,
    /// How its file is compressed; as the rule about it says, else gzip.
    pub compression: Option<Compression>,
}

impl PublishRequested {
    /// What the image is called here.
    pub fn uuid(&self) -> Uuid {
        published(&self.image).uuid
    }

    /// As a job keeps it.
    pub fn to_parameters(&self) -> Object {
        let mut parameters = Object::new();
        parameters.insert(IMAGE_PARAMETER.to_owned(), self.image.as_str().into());
        if let Some(channel) = &self.channel {
            parameters.insert("channel".to_owned(), channel.as_str().into());
        }
        if let Some(compression) = self.compression {
            parameters.insert("compression".to_owned(), compression.word().into());
        }
        parameters
    }

    /// Of what a job keeps.
    pub fn of_parameters(parameters: &Object) -> PublishRequested {
        let channel = text(parameters, "channel");
        PublishRequested {
            image: text(parameters, IMAGE_PARAMETER),
            channel: Some(channel).filter(|channel| !channel.is_empty()),
            compression: Compression::parse(&text(parameters, "compression")),
        }
    }
}

/// The job.
pub(super) struct Publish(Workroom);

impl Publish {
    pub(super) fn new(room: Workroom) -> Publish {
        Publish(room)
    }
}

impl JobBody for Publish {
    fn run(&self, run: JobRun) -> BoxFuture<'static, Result<(), JobFailure>> {
        let room = self.0.clone();
        Box::pin(async move {
            let requested = PublishRequested::of_parameters(run.parameters());
            let (room, run, requested) = (&room, &run, &requested);
            run.step("publish_image", || async move {
                let progress = Progress::default();
                let watched = watch(run, &progress);
                let published = tokio::select! {
                    published = room.publish(requested, None, progress.clone()) => published?,
                    never = watched => never,
                };
                Ok(((), format!("Published {} as {published}", requested.image)))
            })
            .await
        })
    }
}

/// Tells how far the work is, for ever.
pub(super) async fn watch<T>(run: &JobRun, progress: &Progress) -> T {
    loop {
        tokio::time::sleep(PROGRESS_PERIOD).await;
        run.progress(progress.bytes(), None);
    }
}

impl Workroom {
    /// Publishes an image, once: who asks again is told the same. With `placeholder` it becomes that image, instead of one of its
    /// own. When this returns it is active, or what was made of it is gone again.
    ///
    /// # Errors
    /// There is no such image, its UUID is taken by another, what is configured breaks a rule, the image server, the disk.
    pub async fn publish(
        &self,
        requested: &PublishRequested,
        placeholder: Option<Uuid>,
        progress: Progress,
    ) -> Result<Uuid, ApiError> {
        let uuid = placeholder.unwrap_or(requested.uuid());
        if let Some(stored) = self.find(uuid).await?
            && stored.record.is_activated()
        {
            return Ok(uuid);
        }
        let connections = self.image_server()?;
        let image = fetch_image(&connections, &requested.image).await?;
        if let Some(twin) = self.taken_from(&image).await? {
            return Ok(twin);
        }
        let settings = self.settings();
        let said = said(&settings, requested);
        let facts = facts(&connections, &requested.image, &image).await?;
        let channel = channel(&settings, requested)?;
        let accounts = &settings.join.accounts;
        let record = publication(&facts, &said, accounts, channel.as_deref(), &settings.rules())?;
        let clean_up = CleanUp::of_inactive(self);
        let made = self.make(uuid, record, placeholder.is_some(), &settings, &clean_up);
        let done = match made.await {
            Ok(_) => {
                self.add_archive(&connections, uuid, image, said.compression, progress)
                    .await
            }
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => {
                clean_up.keep();
                tracing::info!("published {} as image {uuid}", requested.image);
                Ok(uuid)
            }
            Err(error) => {
                clean_up.remove().await;
                Err(error)
            }
        }
    }

    /// The image here that one of the image server was made of, if it was.
    async fn taken_from(&self, image: &Image) -> Result<Option<Uuid>, ApiError> {
        let Some(uuid) = image.tags.get(TAG_UUID).and_then(|uuid| Uuid::parse(uuid)) else {
            return Ok(None);
        };
        let found = self.find(uuid).await?;
        Ok(found.filter(|stored| stored.record.is_activated()).map(|_| uuid))
    }

    /// Its record, without a file. What an interrupted publication left is used again.
    async fn make(
        &self,
        uuid: Uuid,
        record: Record,
        is_placeholder: bool,
        settings: &Settings,
        clean_up: &CleanUp,
    ) -> Result<Stored, ApiError> {
        if is_placeholder {
            let rules = settings.rules();
            return self
                .change(uuid, |placeholder| onto(placeholder, record.clone(), &rules))
                .await;
        }
        let created = clean_up.create(record.clone()).await;
        let stored = match created {
            Err(RepositoryError::Exists(_)) => {
                self.change(uuid, |present| {
                    let is_ours = !present.is_activated() && link(present) == link(&record);
                    if is_ours {
                        Ok(record.clone())
                    } else {
                        Err(ApiError::already_exists(uuid))
                    }
                })
                .await?
            }
            created => created.map_err(|error| error.answer())?,
        };
        clean_up.add(uuid);
        Ok(stored)
    }

    async fn add_archive(
        &self,
        connections: &Connections,
        uuid: Uuid,
        image: Image,
        compression: Compression,
        progress: Progress,
    ) -> Result<(), ApiError> {
        let tree = image.file_system.ok_or_else(|| no_tree(uuid))?;
        let upload = self.repository.begin_upload(uuid, Slot::File(0), false).await;
        let upload = upload.map_err(|error| error.answer())?;
        let (upload, digests) = render(connections, Arc::new(tree), compression, upload, progress).await?;
        let entry = FileEntry {
            sha1: digests.sha1,
            size: digests.size,
            compression,
            dataset_guid: None,
            stor: "local".to_owned(),
            content_md5: Some(digests.md5),
            mtime: Some(dates::iso(self.clock.system_time())),
        };
        // With the file it becomes active, in one change: nobody sees it half done.
        let now = self.clock.system_time();
        let make = |record: &Record| record.with_file(0, &entry)?.activate(now);
        self.commit(upload, make).await.map(|_| ())
    }
}

/// An image with its tree.
async fn fetch_image(connections: &Connections, name: &str) -> Result<Image, ApiError> {
    let mut server = connections.take().await.map_err(of_image_server)?;
    let image = server.get_image(name, Duration::ZERO).await;
    let image = image.map_err(of_image_server)?;
    connections.put_back(server);
    let image = image.ok_or_else(|| {
        let message = format!("the image server has no image {name}");
        ApiError::new(Code::ResourceNotFound, message)
    })?;
    Ok(Arc::unwrap_or_clone(image))
}

fn no_tree(uuid: Uuid) -> ApiError {
    ApiError::new(Code::InternalError, format!("image {uuid} came without a tree"))
}

/// What the operator says about it.
fn said(settings: &Settings, requested: &PublishRequested) -> PublishedAs {
    let rule = settings.join.rule_about(&requested.image);
    let said = rule.map_or(&settings.join.otherwise, |rule| &rule.said);
    let mut said = said.clone();
    said.compression = requested.compression.unwrap_or(said.compression);
    said
}

/// The channel it goes on; nothing where there are none.
fn channel(settings: &Settings, requested: &PublishRequested) -> Result<Option<String>, ApiError> {
    let rule = settings.join.rule_about(&requested.image);
    let wanted = requested
        .channel
        .as_ref()
        .or(rule.and_then(|rule| rule.channel.as_ref()));
    let parameters = match wanted {
        Some(channel) => Parameters::parse(&format!("channel={channel}")),
        None => Parameters::default(),
    };
    let scope = settings.channels.scope(&parameters, false)?;
    Ok(scope.channel().map(str::to_owned))
}
