//! What verbs that start a job have in common: waiting for it, or saying how to.

use std::time::Duration;

use clap::Args;
use repository::json::Value;
use repository_client::{ClientError, StartedJob};

use crate::arguments::duration;
use crate::failure::{Interrupted, WithHelp};
use crate::interrupt;
use crate::output;
use crate::session::Session;

/// Whether and how long to wait.
#[derive(Args, Clone, Debug)]
pub(crate) struct Waiting {
    /// Do not wait; wait-job does that later
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Wait at most so long
    #[arg(long, value_name = "DURATION", default_value = "2h", value_parser = duration)]
    pub(crate) timeout: Duration,
}

impl Default for Waiting {
    fn default() -> Self {
        Self {
            no_wait: false,
            timeout: Duration::from_secs(2 * 3600),
        }
    }
}

/// Waits for a job, says on a terminal which step it is at, and shows the image that came of it.
pub(crate) async fn follow(session: &Session, job: &StartedJob, waiting: &Waiting) -> anyhow::Result<()> {
    follow_as(session, job, waiting, "Imported").await
}

/// The same; `done` says what was done with the image.
pub(crate) async fn follow_as(
    session: &Session,
    job: &StartedJob,
    waiting: &Waiting,
    done: &str,
) -> anyhow::Result<()> {
    if waiting.no_wait {
        return show_start(session, job);
    }
    let waited = async {
        let mut steps = 0;
        let waited = session.client.wait_for_job(job, waiting.timeout, |status| {
            for (step, went_well) in status.steps().into_iter().skip(steps) {
                steps += 1;
                if !session.is_quiet && !session.is_json {
                    eprintln!("{step}: {}", if went_well { "done" } else { "failed" });
                }
            }
        });
        Ok(waited.await.map(|_| ())?)
    };
    if let Err(error) = interrupt::or_else(waited).await {
        let goes_on = error.is::<Interrupted>()
            || error
                .downcast_ref::<ClientError>()
                .is_some_and(ClientError::is_passing);
        if goes_on {
            let help = format!("imgapi-cli wait-job {}: it goes on in the repository", job.job);
            return Err(WithHelp { error, help }.into());
        }
        return Err(error);
    }
    let image = match session.client.get(job.image).await {
        Ok(image) => image,
        Err(error) => return Err(elsewhere(session, job, error).await),
    };
    output::changed(
        session,
        &image,
        format!("{done} image {}", output::summary(&image)),
    )
}

/// Why an image that a job brought cannot be seen: what was there already stays on the channels it is on.
async fn elsewhere(session: &Session, job: &StartedJob, error: ClientError) -> anyhow::Error {
    let Some(channel) = session.channel.as_deref().filter(|_| error.status() == Some(404)) else {
        return error.into();
    };
    let everywhere = session.client.on_channel(Some("*".to_owned()));
    let Ok(image) = everywhere.get(job.image).await else {
        return error.into();
    };
    let channels = image.field("channels").and_then(Value::as_array);
    let channels = channels.into_iter().flatten().filter_map(Value::as_str);
    let channels: Vec<&str> = channels.collect();
    let error = anyhow::anyhow!(
        "image {} was there already, on {} and not on {channel}",
        job.image,
        channels.join(", ")
    );
    let from = channels.first().copied().unwrap_or("*");
    let help = format!("imgapi-cli -C {from} channel-add {channel} {}", job.image);
    WithHelp { error, help }.into()
}

fn show_start(session: &Session, job: &StartedJob) -> anyhow::Result<()> {
    if session.is_json {
        let value: Value = serde_json::json!({
            "image_uuid": job.image.to_string(),
            "job_uuid": job.job.to_string(),
            "workflow_api": job.workflow_api,
        });
        return output::json(&value);
    }
    output::line(format!("Job {} is at work on image {}", job.job, job.image))
}
