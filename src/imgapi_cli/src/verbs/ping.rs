//! `ping`: is there an image repository, and who does it take me for?

use clap::Args;

use crate::output;
use crate::session::Session;

/// Ask for a sign of life
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli ping\n  imgapi-cli -u joe -i ~/.ssh/id_ed25519 ping  # \"user\" says whether the signature is good")]
pub(crate) struct Arguments {
    /// Ask for a sample of this error instead
    #[arg(long, value_name = "NAME")]
    error: Option<String>,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let ping = match &self.error {
            Some(error) => session.client.ping_error(error).await?,
            None => session.client.ping().await?,
        };
        output::json(&ping.value)
    }
}
