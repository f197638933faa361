//! `job`: one job.

use clap::Args;
use repository::Uuid;

use crate::arguments::uuid;
use crate::output;
use crate::session::Session;

/// Show a job
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli job JOB\n  imgapi-cli job JOB | jq -r .execution")]
pub(crate) struct Arguments {
    /// Which job
    #[arg(value_name = "JOB", value_parser = uuid)]
    job: Uuid,
    /// Where it is asked after, if not at the repository
    #[arg(long, value_name = "URL")]
    workflow_api: Option<String>,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let job = session.client.job(self.job, self.workflow_api.as_deref()).await?;
        output::json(job.value())
    }
}
