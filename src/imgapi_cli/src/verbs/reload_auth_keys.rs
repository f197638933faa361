//! `reload-auth-keys`: has the repository read its users' keys again.

use clap::Args;

use crate::session::Session;

/// Have the repository read its users' keys again
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli reload-auth-keys\n  imgapi-cli -P production reload-auth-keys")]
pub(crate) struct Arguments {}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        Ok(session.client.reload_auth_keys().await?)
    }
}
