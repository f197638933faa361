//! What `add-acl` and `remove-acl` are about: a private image, and accounts.

use clap::Args;
use repository::Uuid;
use repository_client::Image;

use crate::arguments::uuid;
use crate::output;
use crate::session::Session;

/// Which image, and with whom.
#[derive(Args)]
pub(super) struct SharedWith {
    /// Which image
    #[arg(value_name = "UUID", value_parser = uuid)]
    pub(super) image: Uuid,
    /// Which accounts
    #[arg(value_name = "ACCOUNT", value_parser = uuid, required = true)]
    pub(super) accounts: Vec<Uuid>,
}

impl SharedWith {
    /// Says that it is changed.
    ///
    /// # Errors
    /// Standard output is closed.
    pub(super) fn tell(&self, session: &Session, changed: &Image) -> anyhow::Result<()> {
        output::changed(session, changed, format!("Updated ACL for image {}", self.image))
    }
}
