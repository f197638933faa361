//! `state`: what the repository is doing.

use clap::Args;

use crate::output;
use crate::session::Session;

/// Show what the repository is doing
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli state\n  imgapi-cli state --drop-caches")]
pub(crate) struct Arguments {
    /// Have it forget what it keeps for quick answers
    #[arg(long)]
    drop_caches: bool,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        if self.drop_caches {
            return Ok(session.client.drop_caches().await?);
        }
        output::json(&session.client.state().await?)
    }
}
