//! `remove-acl`: changes who may see a private image.

use clap::Args;
use repository::Uuid;

use crate::arguments::uuid;
use crate::output;
use crate::session::Session;

/// Share a private image with accounts no longer
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli remove-acl UUID ACCOUNT\n  imgapi-cli remove-acl UUID ACCOUNT ACCOUNT -j")]
pub(crate) struct Arguments {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    image: Uuid,
    /// Which accounts
    #[arg(value_name = "ACCOUNT", value_parser = uuid, required = true)]
    accounts: Vec<Uuid>,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let image = session.client.acl_remove(self.image, &self.accounts).await?;
        output::changed(session, &image, format!("Updated ACL for image {}", self.image))
    }
}
