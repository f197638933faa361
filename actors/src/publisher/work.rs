//! Has images published, one after the other: making an archive takes a core, and others want jobs done as well.

use super::Shared;
use crate::JobsError;
use crate::image_jobs::PublishRequested;
use repository::Code;
use repository::job::{Execution, Job, JobKind};
use repository::json::Value;
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

/// Publishes what is in the queue, for ever.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        match shared.with_queue(|queue| queue.next(Instant::now())) {
            Ok(name) => one(&shared, name).await,
            Err(None) => shared.bell.notified().await,
            Err(Some(due)) => tokio::select! {
                () = shared.bell.notified() => {}
                () = sleep_until(due) => {}
            },
        }
    }
}

/// Publishes one image, unless that was done before.
async fn one(shared: &Shared, name: String) {
    let requested = PublishRequested {
        image: name.clone(),
        ..PublishRequested::default()
    };
    if is_settled(shared, &requested) {
        shared.with_queue(|queue| queue.done(&name));
        return;
    }
    match publish(shared, &requested).await {
        Ok(()) => {
            shared.ended(&name, None);
            shared.with_queue(|queue| queue.done(&name));
        }
        Err(Failure::Gone) => shared.with_queue(|queue| queue.done(&name)),
        Err(Failure::Failed(why)) => {
            tracing::warn!("{name} is not published: {why}; trying again later");
            shared.ended(&name, Some(&why));
            shared.with_queue(|queue| queue.failed(name, why, Instant::now()));
        }
    }
}

/// Whether it is here, or was and somebody has deleted it: that counts more than a rule.
fn is_settled(shared: &Shared, requested: &PublishRequested) -> bool {
    let uuid = requested.uuid();
    let catalogue = shared.config.room.repository().catalogue();
    if let Some(entry) = catalogue.get(uuid) {
        use repository::catalogue::State;
        return !matches!(entry.state(), State::Unactivated | State::Creating);
    }
    let jobs = shared.config.jobs.list().of_image(uuid);
    jobs.iter()
        .any(|job| job.kind == JobKind::Publish && job.execution == Execution::Succeeded)
}

enum Failure {
    /// The image server has it no more.
    Gone,
    Failed(String),
}

async fn publish(shared: &Shared, requested: &PublishRequested) -> Result<(), Failure> {
    let jobs = &shared.config.jobs;
    let submitted = jobs
        .submit(JobKind::Publish, requested.uuid(), requested.to_parameters())
        .await;
    let uuid = match submitted {
        Ok(job) => job.uuid,
        // Somebody has asked for it, or an earlier run of this program.
        Err(JobsError::Same(uuid)) => uuid,
        Err(error) => return Err(Failure::Failed(error.to_string())),
    };
    let job = jobs
        .wait(uuid)
        .await
        .map_err(|error| Failure::Failed(error.to_string()))?;
    outcome(&job)
}

fn outcome(job: &Job) -> Result<(), Failure> {
    if job.execution == Execution::Succeeded {
        return Ok(());
    }
    let error = job.results.last().and_then(|step| step.error.as_ref());
    let text = |key: &str| {
        let text = error.and_then(|error| error.get(key)).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    if text("code") == Code::ResourceNotFound.word() {
        return Err(Failure::Gone);
    }
    let why = text("message");
    let word = job.execution.word();
    Err(Failure::Failed(if why.is_empty() {
        word.to_owned()
    } else {
        why
    }))
}
