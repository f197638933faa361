//! `jobs`: what is or was done about an image.

use std::io::Write;

use clap::Args;
use repository::Uuid;
use repository::json::{self, Value};
use repository_client::JobStatus;

use crate::arguments::uuid;
use crate::output;
use crate::session::Session;
use crate::table;

/// List the jobs of an image
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli jobs UUID\n  imgapi-cli jobs UUID --execution failed -j")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
    /// Only such: import-remote-image or create-from-vm
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Only those that are: queued, running, succeeded, failed, canceled
    #[arg(long, value_name = "STATE")]
    execution: Option<String>,
    /// No line of headings
    #[arg(long, short = 'H')]
    skip_header: bool,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let jobs = session
            .client
            .jobs(self.image, self.task.as_deref(), self.execution.as_deref())
            .await?;
        if session.is_json {
            return output::json(&jobs.into_iter().map(|job| job.value().clone()).collect());
        }
        let columns = ["job", "task", "execution", "created", "last step", "error"].map(str::to_owned);
        let rows: Vec<Vec<String>> = jobs.iter().map(row).collect();
        let mut out = std::io::stdout().lock();
        table::write(&mut out, &columns, &rows, !self.skip_header)?;
        Ok(out.flush()?)
    }
}

fn row(job: &JobStatus) -> Vec<String> {
    let text = |value: Option<&Value>| value.map(json::to_text).unwrap_or_default();
    let value = job.value();
    vec![
        text(value.get("uuid")),
        text(value.get("params").and_then(|params| params.get("task"))),
        job.word().to_owned(),
        text(value.get("created_at")),
        job.steps().last().map_or("", |(step, _)| step).to_owned(),
        job.error().map(|(message, _)| message).unwrap_or_default(),
    ]
}
