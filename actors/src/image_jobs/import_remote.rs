//! An image of another repository and what it is based on (imgapi.md §13.3, §13.4).

use super::Workroom;
use super::clean_up::CleanUp;
use super::remote::{Remote, text};
use crate::RepositoryError;
use crate::image_repository::Stored;
use crate::jobs::{JobBody, JobFailure, JobRun};
use futures_util::future::BoxFuture;
use repository::json::{Object, Value};
use repository::manifest::{Import, ImportRequest, Mode, import};
use repository::{ApiError, Uuid};
use repository_client::Progress;
use std::time::Duration;

/// How often a look at a transfer is told to who watches the job.
const PROGRESS_PERIOD: Duration = Duration::from_millis(500);

/// What an import is told, in the names of imgapi.md §15.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ImportRequested {
    /// The other repository, with its channel.
    source: String,
    /// What goes before the image, oldest first.
    origins: Vec<Uuid>,
    /// Whether owners that nobody knows are taken.
    skip_owner_check: bool,
    /// The channel here.
    channel: Option<String>,
    /// The account of a copy.
    account: Option<Uuid>,
    /// Name of the request.
    request_id: Option<String>,
}

impl ImportRequested {
    /// Of what a job keeps.
    fn of_parameters(parameters: &Object) -> ImportRequested {
        let some = |key: &str| Some(text(parameters, key)).filter(|text| !text.is_empty());
        let origins = parameters.get("origins").and_then(Value::as_array);
        let origins = origins.map(Vec::as_slice).unwrap_or_default().iter();
        ImportRequested {
            source: text(parameters, "source"),
            origins: origins
                .filter_map(Value::as_str)
                .filter_map(Uuid::parse)
                .collect(),
            skip_owner_check: parameters.get("skip_owner_check") == Some(&Value::Bool(true)),
            channel: some("channel"),
            account: some("account").as_deref().and_then(Uuid::parse),
            request_id: some("req_id"),
        }
    }
}

/// The job.
pub(super) struct ImportRemote(Workroom);

impl ImportRemote {
    pub(super) fn new(room: Workroom) -> ImportRemote {
        ImportRemote(room)
    }
}

impl JobBody for ImportRemote {
    fn run(&self, run: JobRun) -> BoxFuture<'static, Result<(), JobFailure>> {
        let room = self.0.clone();
        Box::pin(async move {
            let clean_up = CleanUp::new(&room);
            match work(&room, &run, &clean_up).await {
                Ok(()) => {
                    clean_up.keep();
                    Ok(())
                }
                Err(failure) => {
                    clean_up.remove().await;
                    Err(failure)
                }
            }
        })
    }
}

/// One image on its way here.
struct OneImport<'a> {
    room: &'a Workroom,
    run: &'a JobRun,
    requested: &'a ImportRequested,
    remote: &'a Remote,
    clean_up: &'a CleanUp,
}

async fn work(room: &Workroom, run: &JobRun, clean_up: &CleanUp) -> Result<(), JobFailure> {
    let requested = ImportRequested::of_parameters(run.parameters());
    let remote = Remote::new(
        &room.settings(),
        &requested.source,
        requested.request_id.as_deref(),
        requested.account,
    )?;
    let work = OneImport {
        room,
        run,
        requested: &requested,
        remote: &remote,
        clean_up,
    };
    let work = &work;
    run.step("origin_import_images", || work.origins()).await?;
    let image = run.image();
    let stored = run
        .step("import_image", || async move {
            let stored = work.record(image, false).await?;
            Ok((stored, format!("Image {image} created")))
        })
        .await?;
    let is_there = stored.record.is_activated();
    run.step("add_image_file", || async move {
        if !is_there {
            work.files(image).await?;
        }
        Ok(((), format!("Image {image} file added")))
    })
    .await?;
    run.step("activate_image", || async move {
        if !is_there {
            work.activate(image).await?;
        }
        Ok(((), format!("Image {image} activated")))
    })
    .await
}

impl OneImport<'_> {
    async fn origins(&self) -> Result<((), String), JobFailure> {
        for &origin in &self.requested.origins {
            if !self.record(origin, true).await?.record.is_activated() {
                self.files(origin).await?;
                self.activate(origin).await?;
            }
        }
        let sentence = if self.requested.origins.is_empty() {
            "No origins (skipping import of origins)"
        } else {
            "Image origins have been imported"
        };
        Ok(((), sentence.to_owned()))
    }

    /// The image's record here, made of the other's manifest if there is none. One that an earlier run of this job made is
    /// gone on with; an origin that somebody else brought meanwhile is as good.
    async fn record(&self, uuid: Uuid, is_origin: bool) -> Result<Stored, JobFailure> {
        if let Some(stored) = self.room.find(uuid).await? {
            let is_active = stored.record.is_activated();
            let is_ours = self.clean_up.has(uuid) || self.run.is_again();
            if is_ours && !is_active {
                self.clean_up.add(uuid);
            }
            return if is_ours || (is_origin && is_active) {
                Ok(stored)
            } else {
                Err(JobFailure::from(ApiError::already_exists(uuid)).finally())
            };
        }
        let manifest = self.remote.manifest(uuid).await?;
        let settings = self.room.settings();
        let request = ImportRequest {
            uuid,
            account: None,
            channel: self.requested.channel.as_deref(),
            skip_owner_check: self.requested.skip_owner_check,
            admin: settings.admin.filter(|_| settings.mode == Mode::Datacenter),
            existing_state: None,
            from: Import::Source,
        };
        // What a manifest says does not change with another try.
        let record = import(Some(&manifest), &request, &settings.rules(), &self.room.known())
            .map_err(|error| JobFailure::from(error).finally())?;
        match self.clean_up.create(record).await {
            Ok(stored) => Ok(stored),
            Err(RepositoryError::Exists(uuid)) => {
                Err(JobFailure::from(ApiError::already_exists(uuid)).finally())
            }
            Err(error) => Err(error.answer().into()),
        }
    }

    /// Its files. What is here already with the right digest is not fetched.
    async fn files(&self, uuid: Uuid) -> Result<(), JobFailure> {
        let manifest = self.remote.manifest(uuid).await?;
        let files = manifest.get("files").and_then(Value::as_array);
        let files = files.cloned().unwrap_or_default();
        if files.is_empty() {
            return Err(JobFailure::from(ApiError::no_remote_file(uuid, "it has no file")).finally());
        }
        for (index, file) in files.iter().enumerate() {
            let here = self.room.record(uuid).await?.record.file(index);
            let sha1 = file.get("sha1").and_then(Value::as_str);
            if here.is_some_and(|here| Some(here.sha1.as_str()) == sha1) {
                continue;
            }
            let progress = Progress::default();
            let watched = self.watch(progress.clone());
            let fetched = self
                .room
                .fetch(self.remote, &manifest, uuid, index, progress.clone());
            tokio::select! {
                fetched = fetched => fetched?,
                () = watched => continue,
            };
            self.run.progress(progress.bytes(), Some(progress.total()));
        }
        Ok(())
    }

    /// Tells how far a transfer is, for ever.
    async fn watch(&self, progress: Progress) {
        loop {
            tokio::time::sleep(PROGRESS_PERIOD).await;
            let total = Some(progress.total()).filter(|total| *total > 0);
            self.run.progress(progress.bytes(), total);
        }
    }

    async fn activate(&self, uuid: Uuid) -> Result<(), JobFailure> {
        let now = self.room.clock.system_time();
        let activated = self.room.change(uuid, |record| {
            // A change that was made and not acknowledged is not an error at the next try.
            if record.is_activated() {
                Ok(record.clone())
            } else {
                record.activate(now)
            }
        });
        activated.await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_job_was_told_is_read_and_what_it_was_not_told_is_the_usual() {
        let origin = Uuid::from_random([1; 16]);
        let parameters = json!({"source": "http://h?channel=dev", "origins": [origin.to_string()], "skip_owner_check": true, "channel": "dev"});
        let requested = ImportRequested::of_parameters(parameters.as_object().unwrap());
        assert_eq!(requested.source, "http://h?channel=dev");
        assert_eq!(
            (
                requested.origins,
                requested.skip_owner_check,
                requested.channel.as_deref()
            ),
            (vec![origin], true, Some("dev"))
        );
        assert_eq!(
            ImportRequested::of_parameters(&Object::new()),
            ImportRequested::default()
        );
    }
}
