//! `wait-job`: waits until a job is over; the exit code tells how.

use std::time::Duration;

use clap::Args;
use repository::Uuid;
use repository_client::StartedJob;

use crate::arguments::{duration, uuid};
use crate::output;
use crate::session::Session;

/// Wait until a job is over
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli wait-job JOB && imgapi-cli get UUID\n  imgapi-cli wait-job JOB --timeout 10m -j")]
pub(crate) struct Arguments {
    /// Which job
    #[arg(value_name = "JOB", value_parser = uuid)]
    job: Uuid,
    /// Wait at most so long
    #[arg(long, value_name = "DURATION", default_value = "2h", value_parser = duration)]
    timeout: Duration,
    /// Where it is asked after, if not at the repository
    #[arg(long, value_name = "URL")]
    workflow_api: Option<String>,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let job = StartedJob {
            image: Uuid::NIL,
            job: self.job,
            workflow_api: self.workflow_api,
        };
        let status = session.client.wait_for_job(&job, self.timeout, |_| {}).await?;
        if session.is_json {
            return output::json(status.value());
        }
        output::line(format!("Job {} {}", self.job, status.word()))
    }
}
