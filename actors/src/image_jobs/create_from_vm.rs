//! An image that is built on request (imgapi.md §14, §22.4): for the machine that a request names the image builder builds
//! a stream, and what comes of it becomes the image that the request was promised.

use super::Workroom;
use super::publish::{PublishRequested, watch};
use super::remote::text;
use crate::jobs::{JobBody, JobFailure, JobRun};
use futures_util::future::BoxFuture;
use protocol::imaginator::{BuildImageRequest, BuildImageResponse};
use repository::configuration::{BuildTarget, Settings};
use repository::manifest::Record;
use repository::{ApiError, Code, Uuid};
use srpc::Client;
use std::time::Duration;
use tree_io::Progress;

/// The parameter of the job with the machine.
const VM_PARAMETER: &str = "vm_uuid";

/// Bytes of the line with which a builder says whether it understood the request.
const MAXIMUM_ANSWER_BYTES: usize = 64 << 10;

/// How long the image server keeps what was built: it is copied here at once, and a builder does not take builds for ever of
/// everybody.
const LIFE_THERE: Duration = Duration::from_secs(24 * 3600);

/// Characters of a build's log that go into the image's error, at most: the end says why.
const MAXIMUM_LOG: usize = 4000;

/// Whether images can be built on request here at all (imgapi.md §14, availability).
///
/// # Errors
/// `NotAvailable`: no object store and local ones are not allowed, or no image builder.
pub fn check_can_build(settings: &Settings) -> Result<(), ApiError> {
    let is_allowed = settings.stores_in_manta || settings.allow_local_create;
    if is_allowed && settings.join.imaginator.is_some() && settings.join.image_server.is_some() {
        return Ok(());
    }
    let message = "custom image creation is not currently available";
    Err(ApiError::new(Code::NotAvailable, message))
}

/// What is built for a machine.
///
/// # Errors
/// No such machine.
pub fn build_target(settings: &Settings, machine: Uuid) -> Result<BuildTarget, ApiError> {
    settings.join.targets.get(&machine).cloned().ok_or_else(|| {
        let message = format!("could not get VM \"{machine}\" details");
        ApiError::invalid_parameter("vm_uuid", "Invalid", message)
    })
}

/// The job.
pub(super) struct CreateFromVm(Workroom);

impl CreateFromVm {
    pub(super) fn new(room: Workroom) -> CreateFromVm {
        CreateFromVm(room)
    }
}

impl JobBody for CreateFromVm {
    fn run(&self, run: JobRun) -> BoxFuture<'static, Result<(), JobFailure>> {
        let room = self.0.clone();
        Box::pin(async move {
            let failing = Failing {
                room: Some(room.clone()),
                image: run.image(),
            };
            let done = work(&room, &run).await;
            match &done {
                Ok(()) => failing.forget(),
                Err(failure) => failing.fail(failure).await,
            }
            done
        })
    }
}

async fn work(room: &Workroom, run: &JobRun) -> Result<(), JobFailure> {
    let machine = text(run.parameters(), VM_PARAMETER);
    let machine = Uuid::parse(&machine).unwrap_or_default();
    let target = run
        .step("vmapi.get_vm_server", || async move {
            let target = build_target(&room.settings(), machine);
            // The settings say the same at another try.
            let target = target.map_err(|error| JobFailure::from(error).finally())?;
            let sentence = format!("Stream {} stands for machine {machine}", target.stream);
            Ok((target, sentence))
        })
        .await?;
    let target = &target;
    run.step("cnapi.queue_create_from_vm_task", || async move {
        connect(room).await?;
        Ok(((), "The image builder answers".to_owned()))
    })
    .await?;
    run.step("cnapi.poll_task", || async move {
        // What an earlier run of this job has finished is not built again.
        if let Some(stored) = room.find(run.image()).await?
            && stored.record.is_activated()
        {
            return Ok(((), "The image is there".to_owned()));
        }
        let built = build(room, target).await?;
        let requested = PublishRequested {
            image: built.clone(),
            ..PublishRequested::default()
        };
        let progress = Progress::default();
        let watched = watch(run, &progress);
        tokio::select! {
            published = room.publish(&requested, Some(run.image()), progress.clone()) => published?,
            never = watched => never,
        };
        Ok(((), format!("Built {built}")))
    })
    .await
}

async fn connect(room: &Workroom) -> Result<Client, JobFailure> {
    let Some(connect) = &room.imaginator else {
        let message = "no image builder is configured: see imaginator";
        return Err(JobFailure::with_code(Code::NotAvailable.word(), message).finally());
    };
    let options = connect();
    let client = Client::connect(&options).await;
    client.map_err(|error| JobFailure::new(format!("image builder {}: {error}", options.address)))
}

/// Has a stream built; an equal build that runs is joined. The full name of the image.
async fn build(room: &Workroom, target: &BuildTarget) -> Result<String, JobFailure> {
    let mut client = connect(room).await?;
    let request = BuildImageRequest {
        stream_name: target.stream.clone(),
        git_branch: target.branch.clone(),
        expires_in: LIFE_THERE.into(),
        stream_build_log: true,
        ..BuildImageRequest::default()
    };
    let broken = |error: &dyn std::fmt::Display| JobFailure::new(format!("image builder: {error}"));
    let mut stream = client
        .open("Imaginator.BuildImage")
        .await
        .map_err(|e| broken(&e))?;
    stream.write_value(&request).await.map_err(|e| broken(&e))?;
    stream.flush().await.map_err(|e| broken(&e))?;
    let answer = stream.read_line(MAXIMUM_ANSWER_BYTES).await;
    let answer = answer.map_err(|e| broken(&e))?.unwrap_or_default();
    if !answer.is_empty() {
        return Err(refused(&answer));
    }
    let mut log = Log::default();
    loop {
        let response: BuildImageResponse = stream.read_value().await.map_err(|e| broken(&e))?;
        log.add(&response.build_log);
        if !response.error_string.is_empty() {
            return Err(refused(&log.with(&response.error_string.to_string())));
        }
        if !response.image_name.is_empty() {
            stream.finish().await.map_err(|e| broken(&e))?;
            return Ok(response.image_name);
        }
    }
}

/// The builder's own no: another try would be another build.
fn refused(text: &str) -> JobFailure {
    JobFailure::with_code("PrepareImageDidNotRun", text).finally()
}

/// The end of a log.
#[derive(Default)]
struct Log(Vec<u8>);

impl Log {
    fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        let excess = self.0.len().saturating_sub(MAXIMUM_LOG);
        self.0.drain(..excess);
    }

    fn with(&self, error: &str) -> String {
        let log = String::from_utf8_lossy(&self.0);
        match log.trim() {
            "" => error.to_owned(),
            log => format!("{error}\n{log}"),
        }
    }
}

/// The promised image, which is marked as failed if nothing comes of it, also when the job is cancelled.
struct Failing {
    room: Option<Workroom>,
    image: Uuid,
}

impl Failing {
    fn forget(mut self) {
        self.room = None;
    }

    async fn fail(mut self, failure: &JobFailure) {
        if let Some(room) = self.room.take() {
            mark(&room, self.image, failure).await;
        }
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        // Without a runtime the process ends: the job is run again.
        if let (Some(room), Ok(runtime)) = (self.room.take(), tokio::runtime::Handle::try_current()) {
            let image = self.image;
            let failure = JobFailure::with_code("Canceled", "the job was stopped before the image was made");
            runtime.spawn(async move { mark(&room, image, &failure).await });
        }
    }
}

async fn mark(room: &Workroom, image: Uuid, failure: &JobFailure) {
    let code = failure.code.as_deref().unwrap_or(Code::InternalError.word());
    let marked = room
        .change(image, |record: &Record| {
            if record.is_activated() {
                return Ok(record.clone());
            }
            Ok(record.with_failure(code, &failure.message))
        })
        .await;
    if let Err(error) = marked {
        tracing::error!("image {image} cannot be marked as failed: {}", error.message());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_log_the_end_stays_and_the_cause_comes_first() {
        let mut log = Log::default();
        log.add(&[b'x'; 10_000]);
        log.add(b"the last words\n");
        let text = log.with("exit status 1");
        assert!(text.starts_with("exit status 1\nx") && text.ends_with("the last words"));
        assert!(text.len() < MAXIMUM_LOG + 100);
        assert_eq!(Log::default().with("no"), "no");
    }
}
