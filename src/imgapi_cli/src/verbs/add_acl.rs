//! `add-acl`: changes who may see a private image.

use clap::Args;

use super::shared_with::SharedWith;
use crate::session::Session;

/// Share a private image with accounts
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli add-acl UUID ACCOUNT\n  imgapi-cli add-acl UUID ACCOUNT ACCOUNT -j")]
pub(crate) struct Arguments {
    #[command(flatten)]
    about: SharedWith,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let SharedWith { image, accounts } = &self.about;
        let changed = session.client.acl_add(*image, accounts).await?;
        self.about.tell(session, &changed)
    }
}
